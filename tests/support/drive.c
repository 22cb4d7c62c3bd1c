/* SPDX-License-Identifier: Apache-2.0 */
/* drive.c: see drive.h. */
#include "tests/support/drive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/t.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define SOCK   3
#define WAIT_S 60

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* ---- the process ---- */

static void
start(struct d_worker *w, const char *program, int (*run)(void))
{
	int pair[2];
	char path[1024];

	cv_text_fmt(path, sizeof(path), "%s/%s", t_build(), program == NULL ? "" : program);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	fflush(stdout);
	w->pid = fork();
	must(w->pid >= 0);
	if (w->pid == 0) {
		if (dup2(pair[1], SOCK) != SOCK)
			_exit(99);
		close_range(SOCK + 1, ~0u, 0); /* its own other end would keep it alive */
		if (program == NULL)
			_exit(run());
		execl(path, path, (char *)NULL);
		_exit(98);
	}
	close(pair[1]);
	w->sock = pair[0];
	w->out = calloc(1, sizeof(*w->out));
	must(w->out != NULL);
}

static void
hello(struct d_worker *w)
{
	struct cv_frame *f = calloc(1, sizeof(*f));
	struct cv_err e = { 0 };

	must(f != NULL);
	if (cv_frame_recv(w->sock, f, 0, -1, &e) != 1 || f->kind != CV_K_HELLO)
		t_fail(__FILE__, __LINE__, "the worker did not say HELLO: %s", e.text);
	w->sandbox = cv_frame_u64(f, CV_TAG_SANDBOX, UINT64_MAX);
	cv_frame_clear(f);
	free(f);
}

void
d_open(struct d_worker *w, const char *program)
{
	start(w, program, NULL);
	hello(w);
}

void
d_fork(struct d_worker *w, int (*run)(void))
{
	start(w, NULL, run);
	hello(w);
}

void
d_close(struct d_worker *w)
{
	int status;

	if (w->pid <= 0)
		return;
	close(w->sock);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	free(w->out);
	*w = (struct d_worker){ 0 };
}

/* ---- frames out ---- */

struct cv_out *
d_task(struct d_worker *w, enum cv_task task)
{
	w->items = 0;
	cv_out_start(w->out, CV_K_TASK);
	cv_out_u64(w->out, CV_TAG_TASK, task);
	return w->out;
}

struct cv_out *
d_item(struct d_worker *w, enum cv_role_item role)
{
	cv_out_start(w->out, CV_K_ITEM);
	w->items++;
	cv_out_u64(w->out, CV_TAG_ROLE, role);
	return w->out;
}

void
d_blob(struct d_worker *w, struct cv_span bytes)
{
	int fd = t_memfd(bytes.p, bytes.n);

	cv_out_blob(w->out, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .len = bytes.n });
	w->fds[w->nfds++] = fd;
}

void
d_send(struct d_worker *w)
{
	struct cv_err e = { 0 };

	if (cv_frame_send(w->sock, w->out, 0, -1, &e) != 0)
		t_fail(__FILE__, __LINE__, "sending: %s", e.text);
	while (w->nfds > 0)
		close(w->fds[--w->nfds]);
}

void
d_key(struct d_worker *w, const char *name, const char *pem)
{
	cv_out_str(d_item(w, CV_ROLE_KEY), CV_TAG_NAME, name);
	d_blob(w, cv_span_str(pem));
	d_send(w);
}

/* ---- frames in ---- */

static char *
text(struct cv_frame *f, uint8_t tag)
{
	char *s = strdup(cv_frame_has(f, tag) ? cv_frame_str(f, tag, CV_MAX_FRAME) : "");

	must(s != NULL);
	return s;
}

static uint64_t
number(struct cv_frame *f, uint8_t tag)
{
	return cv_frame_has(f, tag) ? cv_frame_u64(f, tag, UINT64_MAX) : 0;
}

static struct cv_digest
digest(struct cv_frame *f, uint8_t tag)
{
	struct cv_digest none = { .alg = CV_ALG_NONE };

	return cv_frame_has(f, tag) ? cv_frame_digest(f, tag) : none;
}

static void
take_fact(struct d_answer *a, struct cv_frame *f)
{
	struct d_fact *x;

	a->fact = realloc(a->fact, (a->nfacts + 1) * sizeof(*a->fact));
	must(a->fact != NULL);
	x = &a->fact[a->nfacts++];
	*x = (struct d_fact){ .fact = number(f, CV_TAG_FACT),
			      .role = number(f, CV_TAG_ROLE),
			      .kind = number(f, CV_TAG_KIND),
			      .size = number(f, CV_TAG_SIZE),
			      .pos = number(f, CV_TAG_POS),
			      .digest = digest(f, CV_TAG_DIGEST),
			      .evidence = digest(f, CV_TAG_EVIDENCE),
			      .diffid = digest(f, CV_TAG_DIFFID),
			      .name = text(f, CV_TAG_NAME),
			      .media = text(f, CV_TAG_MEDIA),
			      .keyid = text(f, CV_TAG_KEYID),
			      .platform = text(f, CV_TAG_PLATFORM),
			      .text = text(f, CV_TAG_TEXT),
			      .has_blob = cv_frame_has(f, CV_TAG_BLOB) };
	if (x->has_blob) {
		struct cv_blob b = cv_frame_blob(f, CV_TAG_BLOB, UINT64_MAX);

		x->blob = CV_BUF(b.len + 1);
		must(cv_buf_pread(&x->blob, b.fd, b.off, b.len, "fact", NULL) == 0);
		close(b.fd);
	}
	must(!f->bad);
}

static void
take_finding(struct d_answer *a, struct cv_frame *f)
{
	struct d_finding *x;

	a->finding = realloc(a->finding, (a->nfindings + 1) * sizeof(*a->finding));
	must(a->finding != NULL);
	x = &a->finding[a->nfindings++];
	cv_text_fmt(x->check, sizeof(x->check), "%s", cv_frame_str(f, CV_TAG_CHECK, 63));
	x->reason = cv_frame_has(f, CV_TAG_KIND)
			    ? CV_R_NONE
			    : cv_reason_parse(cv_frame_str(f, CV_TAG_REASON, 64));
	x->expected = text(f, CV_TAG_EXPECTED);
	x->found = text(f, CV_TAG_FOUND);
	x->where = text(f, CV_TAG_WHERE);
	must(!f->bad);
}

static void
give(struct d_worker *w, const struct f_entry *entry, struct cv_span bytes, const char *media)
{
	if (entry != NULL && entry->failed != CV_R_NONE) {
		cv_out_u64(w->out, CV_TAG_STATUS, CV_S_FAILED);
		cv_out_str(w->out, CV_TAG_REASON, cv_reason_word(entry->failed));
		cv_out_str(w->out, CV_TAG_TEXT, "the test says so");
	} else if (bytes.p == NULL) {
		cv_out_u64(w->out, CV_TAG_STATUS, CV_S_ABSENT);
	} else {
		struct cv_digest d;

		must(cv_digest_of(&d, CV_SHA256, bytes, NULL) == 0);
		cv_out_u64(w->out, CV_TAG_STATUS, CV_S_GIVEN);
		cv_out_digest(w->out, CV_TAG_DIGEST, &d);
		cv_out_str(w->out, CV_TAG_MEDIA, media);
		d_blob(w, bytes);
	}
	d_send(w);
}

static void
answer_need(struct d_worker *w, struct cv_frame *f, struct f_store *s)
{
	uint64_t need = cv_frame_u64(f, CV_TAG_NEED, 100);
	struct cv_buf list = CV_BUF(64 << 20);
	struct f_entry *entry = NULL;
	char key[CV_DIGEST_TEXT];
	struct cv_digest d = digest(f, CV_TAG_DIGEST);

	cv_out_start(w->out, CV_K_GIVE);
	cv_out_u64(w->out, CV_TAG_ID, cv_frame_u64(f, CV_TAG_ID, UINT64_MAX));
	(void)cv_frame_u64(f, CV_TAG_MAX, UINT64_MAX);
	if (need == CV_N_TAG)
		entry = f_get(s, F_TAG, cv_frame_str(f, CV_TAG_NAME, 255));
	else
		entry = f_get(s, need == CV_N_BLOB ? F_BLOB : F_REFERRERS, cv_digest_text(&d, key));
	must(!f->bad);
	if (need == CV_N_REFERRERS && f_referrers(&list, s, &d))
		give(w, entry, cv_buf_span(&list), entry->media);
	else if (entry == NULL)
		give(w, NULL, cv_span(NULL, 0), "");
	else
		give(w, entry,
		     cv_span(entry->bytes.p != NULL ? entry->bytes.p : (const uint8_t *)"",
			     entry->bytes.n),
		     entry->media);
	cv_buf_free(&list);
}

/* False once the task has ended. */
static bool
take(struct d_worker *w, struct cv_frame *f, struct f_store *s, struct d_answer *a)
{
	switch (f->kind) {
	case CV_K_FACT:
		take_fact(a, f);
		return true;
	case CV_K_FINDING:
		take_finding(a, f);
		return true;
	case CV_K_NEED:
		a->needs++;
		answer_need(w, f, s);
		return true;
	case CV_K_PROGRESS:
		return true;
	case CV_K_DONE:
		a->done = cv_frame_u64(f, CV_TAG_COUNT, UINT64_MAX) == a->nfacts + a->nfindings;
		return false;
	case CV_K_ERROR:
		cv_fail(&a->error, cv_reason_parse(cv_frame_str(f, CV_TAG_REASON, 64)), "%s",
			cv_frame_str(f, CV_TAG_TEXT, CV_MAX_FRAME));
		return false;
	default:
		cv_fail(&a->error, CV_R_WORKER, "a frame of kind %u", f->kind);
		return false;
	}
}

struct d_answer
d_run(struct d_worker *w, struct f_store *s)
{
	struct d_answer a = { .done = false };
	struct cv_frame *f = calloc(1, sizeof(*f));
	int got;

	must(f != NULL);
	cv_out_start(w->out, CV_K_RUN);
	cv_out_u64(w->out, CV_TAG_COUNT, w->items);
	d_send(w);
	do {
		got = cv_frame_recv(w->sock, f, 0, -1, &a.error);
		if (got == 0)
			cv_fail(&a.error, CV_R_WORKER, "the worker ended");
	} while (got == 1 && take(w, f, s, &a));
	cv_frame_clear(f);
	free(f);
	return a;
}

void
d_answer_free(struct d_answer *a)
{
	for (size_t i = 0; i < a->nfacts; i++) {
		free(a->fact[i].name);
		free(a->fact[i].media);
		free(a->fact[i].keyid);
		free(a->fact[i].platform);
		free(a->fact[i].text);
		cv_buf_free(&a->fact[i].blob);
	}
	for (size_t i = 0; i < a->nfindings; i++) {
		free(a->finding[i].expected);
		free(a->finding[i].found);
		free(a->finding[i].where);
	}
	free(a->fact);
	free(a->finding);
	*a = (struct d_answer){ .done = false };
}

/* ---- looking ---- */

enum cv_reason
d_reason(const struct d_answer *a, const char *check)
{
	for (size_t i = 0; i < a->nfindings; i++)
		if (strcmp(a->finding[i].check, check) == 0)
			return a->finding[i].reason;
	return CV_R_COUNT;
}

const struct d_fact *
d_fact(const struct d_answer *a, enum cv_fact fact, size_t i)
{
	for (size_t k = 0; k < a->nfacts; k++)
		if (a->fact[k].fact == fact && i-- == 0)
			return &a->fact[k];
	return NULL;
}

size_t
d_facts(const struct d_answer *a, enum cv_fact fact)
{
	size_t n = 0;

	while (d_fact(a, fact, n) != NULL)
		n++;
	return n;
}

void
d_print(const struct d_answer *a)
{
	char text_of[CV_DIGEST_TEXT];

	printf("# %s, %zu needs; %s %s\n", a->done ? "done" : "not done", a->needs,
	       cv_reason_word(a->error.reason), a->error.text);
	for (size_t i = 0; i < a->nfacts; i++)
		printf("# fact %llu role %llu kind %llu %s name=%s media=%s %s %s blob=%.60s\n",
		       (unsigned long long)a->fact[i].fact, (unsigned long long)a->fact[i].role,
		       (unsigned long long)a->fact[i].kind,
		       cv_digest_text(&a->fact[i].digest, text_of), a->fact[i].name,
		       a->fact[i].media, a->fact[i].platform, a->fact[i].text,
		       cv_buf_text(&a->fact[i].blob));
	for (size_t i = 0; i < a->nfindings; i++)
		printf("# finding %s %s expected=%s found=%s where=%s\n", a->finding[i].check,
		       cv_reason_word(a->finding[i].reason), a->finding[i].expected,
		       a->finding[i].found, a->finding[i].where);
}
