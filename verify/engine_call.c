/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_call.c: one task of one worker, from its start to its end. Must never
 * let anything count that a worker said before it failed.
 */
#include "verify/engine_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

void
cv_call_free(struct cv_call *c)
{
	free(c->said);
	c->said = NULL;
	c->nsaid = c->cap = 0;
}

static int
on_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_call *c = ctx;

	if (c->nsaid == c->cap) {
		size_t cap = c->cap == 0 ? 16 : c->cap * 2;
		struct cv_finding *v = reallocarray(c->said, cap, sizeof(*v));

		if (v == NULL)
			return cv_fail_memory(e);
		c->said = v;
		c->cap = cap;
	}
	c->said[c->nsaid++] = *f;
	return 0;
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct cv_call *c = ctx;

	return c->fact != NULL ? c->fact(c->ctx, f, e) : 0;
}

static int
on_need(void *ctx, struct cv_frame *need, struct cv_out *give, struct cv_err *e)
{
	struct cv_call *c = ctx;

	if (c->need == NULL)
		return cv_fail(e, CV_R_WORKER,
			       "a worker asked for something in a task that "
			       "gives nothing");
	return c->need(c->ctx, need, give, e);
}

static int
on_pipe(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct cv_call *c = ctx;

	return c->pipe(c->ctx, p, n, e);
}

static int
run(struct cv_call *c, struct cv_role **r, struct cv_err *e)
{
	struct cv_run *run = c->job->run;
	struct cv_role_on on = { .ctx = c,
				 .fact = on_fact,
				 .finding = on_finding,
				 .need = on_need,
				 .close_give = true,
				 .pipe_fd = c->pipe != NULL ? c->pipe_fd : -1,
				 .pipe = c->pipe != NULL ? on_pipe : NULL };

	if (cv_run_stop(run, e) != 0)
		return -1;
	if (c->kind == CV_ROLE_CONTENTS && c->job->ready != NULL) {
		*r = cv_steal(c->job->ready);
		if (cv_role_greet(*r, e) != 0)
			return -1;
	} else if (cv_role_start(r, c->kind, &run->role, e) != 0) {
		return -1;
	}
	if (cv_run_confinement(run, cv_role_sandbox(*r), cv_role_landlock(*r), e) != 0)
		return -1;
	if (c->send(c, *r, e) != 0)
		return -1;
	return cv_role_run(*r, &on, &c->check, e);
}

/* complete: see `answers`. */
static int
complete(struct cv_call *c, struct cv_err *e)
{
	const char *const *id;
	size_t i;

	for (i = 0; i < c->nsaid; i++)
		if (c->said[i].outcome == CV_FAIL || c->said[i].outcome == CV_UNKNOWN)
			return 0;
	for (id = c->answers; id != NULL && *id != NULL; id++) {
		for (i = 0; i < c->nsaid; i++)
			if (strcmp(c->said[i].check, *id) == 0)
				break;
		if (i == c->nsaid) {
			c->check = "worker.protocol";
			return cv_fail(e, CV_R_WORKER, "the %s worker did not answer %s",
				       cv_role_name(c->kind), *id);
		}
	}
	return 0;
}

void
cv_call_ready(struct cv_job *j)
{
	struct cv_err ignored;

	if (j->run->njobs == 1 && j->run->cpus > 1)
		(void)!cv_role_spawn(&j->ready, CV_ROLE_CONTENTS, &j->run->role, &ignored);
}

int
cv_call_run(struct cv_call *c, struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	bool slot = c->kind == CV_ROLE_CONTENTS;
	int rc;

	c->check = NULL;
	if (slot)
		cv_run_slot(c->job->run);
	rc = run(c, &r, e);
	cv_role_end(&r);
	if (slot)
		cv_run_unslot(c->job->run);
	if (rc == 0)
		rc = complete(c, e);
	if (rc != 0)
		c->nsaid = 0;
	return rc;
}

void
cv_call_tell(struct cv_call *c)
{
	size_t i;

	for (i = 0; i < c->nsaid; i++)
		cv_job_say(c->job, &c->said[i]);
}
