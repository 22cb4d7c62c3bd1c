/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h: what tests of the engine do again and again: open a small agent
 * (support/small.h), lock it, verify it, look for an answer. A header, because
 * it stands on the verify room, which not every test program is linked with.
 */
#ifndef CV_TEST_RUN_H
#define CV_TEST_RUN_H

#include "tests/support/small.h"
#include "tests/support/t.h"
#include "trust/base/text.h"
#include "verify/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct run {
	const struct small *s;
	char workers[1024], store_dir[1024];
	struct cv_agent *agent;
	struct cv_policy *policy;
	struct cv_lock *lock;
	struct cv_store *store;
	struct cv_result *res;
	struct cv_request rq;
	struct cv_err e;
};

/* run_dir: a fresh directory name below the test's own. */
static inline const char *
run_dir(const char *name)
{
	static char path[1024];

	cv_text_fmt(path, sizeof(path), "%s/%s", t_tmpdir(), name);
	return path;
}

static inline void
run_close(struct run *r)
{
	cv_result_free(&r->res);
	cv_lock_free(&r->lock);
	cv_agent_free(&r->agent);
	cv_policy_free(&r->policy);
	cv_store_close(&r->store);
	if (r->rq.base_fd > 2)
		close(r->rq.base_fd);
	r->rq.base_fd = -1;
}

/* run_open: agent and policy of s, a store of its own beside it. */
static inline void
run_open(struct run *r, const struct small *s)
{
	*r = (struct run){ .s = s };
	cv_text_fmt(r->workers, sizeof(r->workers), "%s", t_build());
	cv_text_fmt(r->store_dir, sizeof(r->store_dir), "%s.store", s->dir);
	T_OK(cv_agent_load(&r->agent, small_path(s, "agent.json"), &r->e), r->e);
	T_OK(cv_policy_load(&r->policy, small_path(s, "policy.json"), &r->e), r->e);
	T_OK(cv_store_open(&r->store, r->store_dir, 0, &r->e), r->e);
	r->rq = (struct cv_request){ .mode = CV_MODE_VERIFY,
				     .now = (int64_t)time(NULL),
				     .cancel_fd = -1,
				     .offline = true,
				     .workers = r->workers,
				     .store = r->store,
				     .agent = r->agent,
				     .policy = r->policy,
				     .platform = "linux/amd64",
				     .db = CV_NO_BLOB };
	r->rq.base_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	T(r->rq.base_fd >= 0);
}

/* run_policy: after small_policy() wrote another one. */
static inline void
run_policy(struct run *r)
{
	cv_policy_free(&r->policy);
	T_OK(cv_policy_load(&r->policy, small_path(r->s, "policy.json"), &r->e), r->e);
	r->rq.policy = r->policy;
}

/* run_show: the result, as a test's diagnosis. */
static inline void
run_show_findings(const char *who, const struct cv_r_finding *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cv_finding *f = &v[i].a.f;

		printf("#   %s %s: %s (%s)%s found \"%s\" want \"%s\" at \"%s\" %s\n", who,
		       f->check, cv_outcome_word(f->outcome), cv_reason_word(f->reason),
		       v[i].a.required ? "" : " advisory", f->found, f->expected, f->where,
		       f->note);
	}
}

static inline void
run_show(const struct cv_result *res)
{
	printf("# outcome %s, reason %s\n", cv_outcome_word(res->decision.outcome),
	       cv_reason_word(res->decision.reason));
	for (size_t i = 0; i < res->nartifacts; i++) {
		const struct cv_r_artifact *a = &res->artifacts[i];

		printf("#  %s: %s (%s), basis %s, unanswered %zu; %s\n", a->name,
		       cv_outcome_word(a->outcome), cv_reason_word(a->reason),
		       cv_basis_word(a->basis), a->counts.unanswered, a->note);
		run_show_findings(a->name, a->findings, a->nfindings);
	}
	run_show_findings("agent", res->findings, res->nfindings);
}

/* run_mode: one run; the result replaces the last one. */
static inline void
run_mode(struct run *r, enum cv_mode mode)
{
	cv_result_free(&r->res);
	r->rq.mode = mode;
	r->rq.lock = mode == CV_MODE_VERIFY ? r->lock : NULL;
	T_OK(cv_engine_run(&r->res, &r->rq, &r->e), r->e);
}

/* run_lock: resolve, write the lock as text and read it back. */
static inline void
run_lock(struct run *r)
{
	cv_auto(cv_lock_free) struct cv_lock *built = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_LOCK_FILE);

	run_mode(r, CV_MODE_LOCK);
	if (r->res->decision.outcome != CV_PASS)
		run_show(r->res);
	T_INT(r->res->decision.outcome, CV_PASS);
	T_OK(cv_engine_lock(&built, r->res, &r->rq, &r->e), r->e);
	T_OK(cv_lock_emit(built, &b, &r->e), r->e);
	cv_lock_free(&r->lock);
	T_OK(cv_lock_parse(&r->lock, "clawverify.lock", cv_buf_span(&b), &r->e), r->e);
}

static inline void
run_verify(struct run *r)
{
	run_mode(r, CV_MODE_VERIFY);
}

/* run_said: the gravest required answer to a check about an artifact ("" the
 * agent): NULL when there is none that says fail or unknown. */
static inline const struct cv_finding *
run_said(const struct cv_result *res, const char *artifact, const char *check)
{
	const struct cv_r_finding *v = res->findings;
	size_t n = res->nfindings;

	for (size_t i = 0; i < res->nartifacts; i++) {
		if (strcmp(res->artifacts[i].name, artifact) != 0)
			continue;
		v = res->artifacts[i].findings;
		n = res->artifacts[i].nfindings;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].a.required && strcmp(v[i].a.f.check, check) == 0 &&
		    (v[i].a.f.outcome == CV_FAIL || v[i].a.f.outcome == CV_UNKNOWN))
			return &v[i].a.f;
	return NULL;
}

/* run_says_no: that outcome, and that check about that artifact is why. */
static inline void
run_says_no(const struct run *r, enum cv_outcome outcome, const char *artifact, const char *check)
{
	if (r->res->decision.outcome != outcome || run_said(r->res, artifact, check) == NULL)
		run_show(r->res);
	T_INT(r->res->decision.outcome, outcome);
	T(!cv_allows(r->res->decision.verdict));
	T(run_said(r->res, artifact, check) != NULL);
}

/* run_begin: a locked agent of its own. */
static inline void
run_begin(struct small *s, struct run *r, const char *name)
{
	small_make(s, run_dir(name));
	run_open(r, s);
	run_lock(r);
}

static inline void
run_end(struct small *s, struct run *r)
{
	run_close(r);
	small_free(s);
}

static inline void
run_passes(struct run *r)
{
	if (r->res->decision.outcome != CV_PASS)
		run_show(r->res);
	T_INT(r->res->decision.outcome, CV_PASS);
	T(cv_allows(r->res->decision.verdict));
}

static inline const struct cv_r_artifact *
run_artifact(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->res->nartifacts; i++)
		if (strcmp(r->res->artifacts[i].name, name) == 0)
			return &r->res->artifacts[i];
	t_fail(__FILE__, __LINE__, "no artifact %s", name);
}

#endif
