/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h: the network side in the test's own process, against tests/net/server.py
 * with the rules of tests/net/faults.json. Each rule has a repository of its own
 * name, so that tests do not disturb one another.
 */
#ifndef CV_T_RIG_H
#define CV_T_RIG_H

#include "fetch/registry.h"
#include "tests/support/server.h"
#include "trust/base/clock.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int rig_question(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
			 struct cv_err *e);

static struct {
	struct t_server server;
	char *ca;
	unsigned cred; /* what verify would answer; 0: none */
	const char *user, *secret;
	unsigned asked; /* how often it was */
} rig;

/* One question and what came of it. */
struct shot {
	int rc;
	struct cv_err e;
	struct cv_answer a;
	uint8_t *got; /* what was delivered; freed by the next shot */
	size_t n;
};

static inline int
rig_login(void *ctx, const char *host, struct cv_login *ret, struct cv_err *e)
{
	(void)ctx;
	(void)host;
	(void)e;
	rig.asked++;
	ret->kind = rig.cred != 0 ? rig.cred : CV_CRED_NONE;
	ret->user = strdup(rig.user != NULL ? rig.user : "");
	ret->secret = strdup(rig.secret != NULL ? rig.secret : "");
	return 0;
}

static inline void
rig_start(bool tls)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MIB);
	struct cv_err e = { 0 };
	FILE *f;

	if (rig.server.main != 0)
		return;
	f = fopen("tests/net/faults.json", "r");
	T(f != NULL);
	T_OK(cv_buf_read_fd(&b, fileno(f), "faults.json", &e), e);
	fclose(f);
	t_server_start(&rig.server, cv_buf_text(&b), NULL, tls);
	if (!tls)
		return;
	cv_buf_reset(&b);
	f = fopen(rig.server.ca, "r");
	T(f != NULL);
	T_OK(cv_buf_read_fd(&b, fileno(f), "ca.pem", &e), e);
	fclose(f);
	rig.ca = cv_buf_steal(&b);
}

/* rig_net: short pauses; the credentials that are answered from now on. */
static inline struct cv_net *
rig_net(unsigned cred, const char *user, const char *secret)
{
	struct cv_net_opts o = { .http = { .connect_ms = 2000, .stall_s = 1, .stall_bytes = 20 },
				 .pause_ms = 2,
				 .login = rig_login };
	struct cv_net *n = NULL;
	struct cv_err e = { 0 };

	rig_start(false);
	if (rig.ca != NULL)
		o.http.ca = cv_span_str(rig.ca);
	rig.cred = cred;
	rig.user = user;
	rig.secret = secret;
	rig.asked = 0;
	T_OK(cv_net_open(&n, &o, &e), e);
	return n;
}

static inline void
rig_repo(struct cv_ask *q, const char *repo)
{
	char name[200];
	struct cv_err e = { 0 };

	rig_start(false);
	snprintf(name, sizeof(name), "127.0.0.1:%u/%s", rig.server.main, repo);
	T_OK(cv_repo_parse(&q->repo, cv_span_str(name), &e), e);
	q->plain = true;
}

/* rig_ask: with n, or with a fresh one and no credentials if NULL. */
static inline struct shot
rig_ask(struct cv_net *n, rig_question *ask, struct cv_ask *q)
{
	static struct shot s;
	struct cv_net *own = n == NULL ? rig_net(0, NULL, NULL) : NULL;
	off_t end;

	free(s.got);
	s = (struct shot){ 0 };
	q->out = memfd_create("out", MFD_CLOEXEC);
	if (q->max == 0)
		q->max = 64 * CV_MIB;
	s.rc = ask(n != NULL ? n : own, q, &s.a, &s.e);
	end = lseek(q->out, 0, SEEK_END);
	s.n = (size_t)end;
	s.got = malloc(s.n + 1);
	T(s.got != NULL && pread(q->out, s.got, s.n, 0) == end);
	s.got[s.n] = 0;
	close(q->out);
	cv_net_close(&own);
	return s;
}

static inline struct shot
rig_manifest(struct cv_net *n, const char *repo, int64_t ms)
{
	struct cv_ask q = { .ref = "v1", .deadline = ms > 0 ? cv_mono_ms() + ms : 0 };

	rig_repo(&q, repo);
	return rig_ask(n, cv_registry_manifest, &q);
}

static inline void
rig_digest(struct cv_digest *d, uint32_t size)
{
	*d = (struct cv_digest){ .alg = CV_SHA256 };
	d->b[28] = (uint8_t)(size >> 24);
	d->b[29] = (uint8_t)(size >> 16);
	d->b[30] = (uint8_t)(size >> 8);
	d->b[31] = (uint8_t)size;
}

/* rig_blob: the blob of so many bytes of pattern. */
static inline struct shot
rig_blob(struct cv_net *n, const char *repo, uint32_t size, uint64_t max)
{
	struct cv_ask q = { .max = max };

	rig_digest(&q.digest, size);
	rig_repo(&q, repo);
	return rig_ask(n, cv_registry_blob, &q);
}

static inline struct shot
rig_url(struct cv_net *n, const char *fmt, unsigned port)
{
	char url[300];
	struct cv_ask q = { .url = url };

	if (n == NULL)
		rig_start(false);
	snprintf(url, sizeof(url), "%s", fmt);
	if (strstr(fmt, "PORT") != NULL)
		snprintf(url, sizeof(url), "%.*s%u%s", (int)(strstr(fmt, "PORT") - fmt), fmt, port,
			 strstr(fmt, "PORT") + 4);
	return rig_ask(n, cv_fetch_url, &q);
}

static inline struct shot
rig_referrers(const char *repo)
{
	struct cv_ask q = { .max = CV_MAX_MANIFEST };

	rig_digest(&q.digest, 0x1000);
	rig_repo(&q, repo);
	return rig_ask(NULL, cv_registry_referrers, &q);
}

static inline bool
rig_is_pattern(const struct shot *s, size_t size)
{
	size_t i;

	if (s->n != size)
		return false;
	for (i = 0; i < size; i++)
		if (s->got[i] != t_pattern(i))
			return false;
	return true;
}

static inline void
rig_given(struct shot s, const char *file, int line)
{
	if (s.rc != 0)
		t_fail(file, line, "%s: %s", cv_reason_word(s.e.reason), s.e.text);
	if (s.a.status != CV_S_GIVEN)
		t_fail(file, line, "not given");
}

static inline void
rig_absent(struct shot s, const char *file, int line)
{
	if (s.rc != 0)
		t_fail(file, line, "%s: %s", cv_reason_word(s.e.reason), s.e.text);
	if (s.a.status != CV_S_ABSENT || s.n != 0)
		t_fail(file, line, "not absent, %zu bytes", s.n);
}

static inline void
rig_fails(struct shot s, enum cv_reason why, const char *text, const char *file, int line)
{
	if (s.rc != -1)
		t_fail(file, line, "did not fail");
	if (s.e.reason != why)
		t_fail(file, line, "%s (%s), want %s", cv_reason_word(s.e.reason), s.e.text,
		       cv_reason_word(why));
	if (strstr(s.e.text, text) == NULL)
		t_fail(file, line, "\"%s\" does not have \"%s\"", s.e.text, text);
}

#define RIG_GIVEN(s)            rig_given(s, __FILE__, __LINE__)
#define RIG_ABSENT(s)           rig_absent(s, __FILE__, __LINE__)
#define RIG_FAILS(s, why, text) rig_fails(s, why, text, __FILE__, __LINE__)

#endif
