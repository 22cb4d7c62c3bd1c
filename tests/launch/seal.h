/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h: what tests of the launch side do again and again: a small agent
 * (support/small.h), verified by the real engine, sealed by a key of its own,
 * opened again.
 */
#ifndef CV_TEST_SEAL_H
#define CV_TEST_SEAL_H

#include "tests/engine/run.h"
#include "verify/bundle.h"
#include "verify/bundle_dir.h"
#include "verify/embed.h"

#include <sys/stat.h>

struct sealed {
	struct small small;
	struct run run;
	struct cv_signkey *key;
	struct cv_key trusted; /* the public half of key */
	struct cv_mem mem;
	struct cv_buf lock_text, policy_text, policy_signed;
	char dir[1024];  /* where bundles lie */
	char path[4096]; /* the bundle */
	struct cv_digest digest;
	struct cv_err e;
};

static inline void
seal_key(struct cv_signkey **k, struct cv_key *trusted, struct cv_mem *mem, const char *base)
{
	struct cv_digest id;
	struct cv_err e;
	char path[1100];

	T_OK(cv_signkey_make(base, CV_SIGN_ED25519, &id, &e), e);
	cv_text_fmt(path, sizeof(path), "%s.key", base);
	T_OK(cv_signkey_load(k, path, &e), e);
	T_OK(cv_key_parse(mem, trusted, cv_span_str(cv_signkey_pem(*k)), "key", &e), e);
}

/* seal_verify: the agent of s->small as it is now, locked and verified. */
static inline void
seal_verify(struct sealed *s)
{
	run_lock(&s->run);
	cv_buf_reset(&s->lock_text);
	T_OK(cv_lock_emit(s->run.lock, &s->lock_text, &s->e), s->e);
	run_verify(&s->run);
	if (s->run.res->decision.outcome != CV_PASS)
		run_show(s->run.res);
	T_INT(s->run.res->decision.outcome, CV_PASS);
}

static inline void
seal_make(struct sealed *s, const char *name)
{
	char base[1024];

	*s = (struct sealed){ .lock_text = CV_BUF(CV_MAX_LOCK_FILE),
			      .policy_text = CV_BUF(CV_MAX_HUMAN_FILE),
			      .policy_signed = CV_BUF(CV_MAX_ENVELOPE) };
	small_make(&s->small, run_dir(name));
	run_open(&s->run, &s->small);
	cv_text_fmt(base, sizeof(base), "%s/sealer", s->small.dir);
	seal_key(&s->key, &s->trusted, &s->mem, base);
	cv_text_fmt(s->dir, sizeof(s->dir), "%s.bundles", s->small.dir);
	T_INT(cv_conf_read(&s->policy_text, AT_FDCWD, small_path(&s->small, "policy.json"),
			   CV_MAX_HUMAN_FILE, &s->e),
	      1);
	seal_verify(s);
}

static inline int
seal_try(struct sealed *s)
{
	struct cv_seal in = { .rq = &s->run.rq,
			      .result = s->run.res,
			      .dir = s->dir,
			      .key = s->key,
			      .policy = cv_buf_span(&s->policy_text),
			      .policy_signed = cv_buf_span(&s->policy_signed),
			      .lock = cv_buf_span(&s->lock_text),
			      .report = cv_span_str("{\"report\": true}\n") };

	return cv_bundle_seal(&in, &s->digest, s->path, &s->e);
}

/* seal_good: a sealed bundle of a small agent. */
static inline void
seal_good(struct sealed *s, const char *name)
{
	seal_make(s, name);
	T_OK(seal_try(s), s->e);
}

static inline struct cv_bundle_trust
seal_trust(const struct sealed *s)
{
	return (struct cv_bundle_trust){ .keys = &s->trusted,
					 .nkeys = 1,
					 .now = (int64_t)time(NULL),
					 .role = { .dir = t_build(), .cancel_fd = -1 } };
}

/* seal_open: open what lies at s->path; 0 or -1, *check what was said. */
static inline int
seal_open(struct sealed *s, struct cv_bundle **ret, const char **check)
{
	struct cv_bundle_trust trust = seal_trust(s);

	return cv_bundle_open(ret, s->path, &trust, check, &s->e);
}

/* seal_refused: it does not open, with that check. */
static inline void
seal_refused(struct sealed *s, const char *check, enum cv_reason reason)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	const char *said = NULL;

	T_NO(seal_open(s, &b, &said), s->e, reason);
	T_STR(said != NULL ? said : "nothing", check);
	T(b == NULL);
}

static inline const char *
seal_at(const struct sealed *s, const char *name)
{
	static char path[4][8192];
	static unsigned turn;
	char *out = path[turn++ % 4];

	cv_text_fmt(out, 8192, "%s/%s", s->path, name);
	return out;
}

/* seal_free: bundles are read-only, which the test's own clearing up is no match
 * for. */
static inline void
seal_free(struct sealed *s)
{
	struct cv_err ignored;

	if (access(s->dir, F_OK) == 0)
		T_OK(cv_dir_remove(AT_FDCWD, s->dir, &ignored), ignored);
	run_close(&s->run);
	small_free(&s->small);
	cv_signkey_free(&s->key);
	cv_mem_free(&s->mem);
	cv_buf_free(&s->lock_text);
	cv_buf_free(&s->policy_text);
	cv_buf_free(&s->policy_signed);
}

#endif
