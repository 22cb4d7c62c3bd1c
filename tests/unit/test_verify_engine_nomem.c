/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_engine_nomem.c: allocations of a whole run fail in turn. A good
 * agent gets an answer or an error, and no crash; one that must not pass never
 * does, whatever was lost. Threads make the order differ from run to run, so
 * every step-th is as good as every one.
 */
#include "tests/engine/run.h"
#include "tests/support/nomem.h"

#include <sys/stat.h>

#define STEP 13

/* one: a run in which the k-th allocation fails; its outcome, or CV_UNKNOWN for
 * an error of the run. *hit: there were that many. */
static enum cv_outcome
one(struct run *r, size_t k, bool *hit, enum cv_reason *reason)
{
	enum cv_outcome outcome = CV_UNKNOWN;
	struct cv_err e = { 0 };
	int rc;

	cv_result_free(&r->res);
	r->rq.mode = CV_MODE_VERIFY;
	r->rq.lock = r->lock;
	t_nomem(k);
	rc = cv_engine_run(&r->res, &r->rq, &e);
	*hit = t_nomem_hit();
	*reason = rc == 0 ? r->res->decision.reason : e.reason;
	if (rc == 0)
		outcome = r->res->decision.outcome;
	else
		T(e.reason != CV_R_NONE && r->res == NULL);
	return outcome;
}

static void
good_agent(void)
{
	struct small s;
	struct run r;
	enum cv_reason reason;
	size_t passed = 0, n = 0;
	bool hit = true;

	if (!T_NOMEM)
		t_skip("a sanitizer has its own allocator");
	small_make(&s, run_dir("good"));
	/* one generation: with two, the other one would make up for it */
	small_policy(&s,
		     "\"basis\": [\"signed\"], \"signed_by\": [\"acme\"],\n"
		     "\"generations\": [\"bundle\"]",
		     "", "");
	run_open(&r, &s);
	run_lock(&r);
	for (size_t k = 1; hit; k += STEP, n++) {
		enum cv_outcome o = one(&r, k, &hit, &reason);

		if (o == CV_PASS)
			passed++; /* not needed: a thread less, a message */
		else if (cv_reason_exit(reason) != CV_EXIT_INTERNAL)
			t_fail(__FILE__, __LINE__, "allocation %zu: %s", k, cv_reason_word(reason));
	}
	printf("# %zu runs, %zu passed nevertheless\n", n, passed);
	T(n > 10 && passed < n / 2);
	run_close(&r);
	small_free(&s);
}

/* Wrong in one artifact each, so that one lost answer would be a pass. */
static void
bad_agent(void)
{
	static const char *const files[] = { "model/model.safetensors", "skill/SKILL.md",
					     "system.md" };
	struct small s;
	struct run r;
	enum cv_reason reason;
	struct f_key *own;

	if (!T_NOMEM)
		t_skip("a sanitizer has its own allocator");
	small_make(&s, run_dir("bad"));
	run_open(&r, &s);
	run_lock(&r);
	for (size_t i = 0; i <= CV_COUNT(files); i++) {
		bool hit = true;

		own = s.key;
		if (i < CV_COUNT(files)) {
			small_flip(small_path(&s, files[i]), -2);
		} else {
			s.key = f_key_new(F_P256);
			small_policy(&s, "", "", "");
			f_key_free(&s.key);
			s.key = own;
			run_policy(&r);
		}
		for (size_t k = 1 + i; hit; k += 3 * STEP)
			T(one(&r, k, &hit, &reason) != CV_PASS);
		if (i < CV_COUNT(files))
			small_flip(small_path(&s, files[i]), -2);
	}
	run_close(&r);
	small_free(&s);
}

static const struct t_case cases[] = {
	{ "an agent that must not pass", bad_agent },
	{ "a good agent", good_agent },
};
T_MAIN(cases)
