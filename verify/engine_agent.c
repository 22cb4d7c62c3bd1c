/* SPDX-License-Identifier: Apache-2.0 */
/* engine_agent.c: the questions about the agent as a whole. */
#include "verify/engine_int.h"

#include <string.h>

#include "trust/base/clock.h"

#include "trust/base/banned.h"

struct asking {
	struct cv_run *run;
	bool said; /* something was against it */
};

static int
say(struct cv_run *run, const struct cv_finding *f, struct cv_jpos pos, struct cv_err *e)
{
	return cv_result_agent_answer(run->res, f,
				      cv_policy_required(run->rq->policy, NULL, f->check), pos, e);
}

static int
pass(struct cv_run *run, const char *check, struct cv_err *e)
{
	struct cv_finding f = cv_finding_pass(check);

	return say(run, &f, (struct cv_jpos){ 0 }, e);
}

static int
on_uncovered(void *ctx, const char *what, const char *why, struct cv_jpos pos, struct cv_err *e)
{
	struct asking *a = ctx;
	struct cv_finding f = cv_finding_no("agent.uncovered", CV_R_RULE);
	bool accepted = cv_policy_accepts(a->run->rq->policy, what);

	if (cv_result_uncovered(a->run->res, what, accepted, e, why) != 0)
		return -1;
	if (accepted)
		return 0;
	a->said = true;
	cv_finding_found(&f, "%s", what);
	cv_finding_expected(&f, "policy accepts it under \"uncovered\"");
	cv_finding_note(&f, "%s", why);
	return say(a->run, &f, pos, e);
}

static int
uncovered(struct cv_run *run, struct cv_err *e)
{
	struct asking a = { .run = run };

	if (cv_agent_uncovered(run->rq->agent, on_uncovered, &a, e) != 0)
		return -1;
	return a.said ? 0 : pass(run, "agent.uncovered", e);
}

static int
on_launch(void *ctx, const struct cv_finding *f, struct cv_jpos pos, struct cv_err *e)
{
	return say(((struct asking *)ctx)->run, f, pos, e);
}

/* launch: what policy finds is against it; ids that it does not find pass. */
static int
launch(struct cv_run *run, struct cv_err *e)
{
	struct asking a = { .run = run };
	size_t i, k;

	if (!run->rq->agent->has_launch)
		return 0;
	if (cv_policy_launch(run->rq->policy, run->rq->agent, on_launch, &a, e) != 0)
		return -1;
	for (i = 0; cv_launch_checks[i] != NULL; i++) {
		for (k = 0; k < run->res->nfindings; k++)
			if (strcmp(run->res->findings[k].a.f.check, cv_launch_checks[i]) == 0)
				break;
		if (k == run->res->nfindings && pass(run, cv_launch_checks[i], e) != 0)
			return -1;
	}
	return 0;
}

/* changed: the lock is of this very agent file. */
static int
changed(struct cv_run *run, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("agent.changed", CV_R_DIGEST);
	const struct cv_request *rq = run->rq;
	char text[CV_DIGEST_TEXT];

	if (rq->mode != CV_MODE_VERIFY)
		return 0;
	if (rq->lock == NULL) {
		f = cv_finding_no("agent.changed", CV_R_ABSENT);
		cv_finding_found(&f, "there is no lock");
		cv_finding_expected(&f, "clawverify.lock beside the agent file");
		return say(run, &f, (struct cv_jpos){ 0 }, e);
	}
	if (cv_digest_eq(&rq->lock->agent, &rq->agent->digest))
		return pass(run, "agent.changed", e);
	cv_finding_expected(&f, "%s", cv_digest_text(&rq->lock->agent, text));
	cv_finding_found(&f, "%s", cv_digest_text(&rq->agent->digest, text));
	cv_finding_where(&f, "%s", rq->agent->file);
	cv_finding_note(&f, "what the agent asks for is not what was locked");
	return say(run, &f, (struct cv_jpos){ 0 }, e);
}

static int
expired(struct cv_run *run, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("policy.expired", CV_R_EXPIRED);
	const struct cv_policy *p = run->rq->policy;
	char end[CV_TIME_TEXT], now[CV_TIME_TEXT];

	if (!p->has_expires || run->rq->now < p->expires)
		return pass(run, "policy.expired", e);
	cv_finding_expected(&f, "before %s", cv_time_text(p->expires, end));
	cv_finding_found(&f, "%s", cv_time_text(run->rq->now, now));
	return say(run, &f, (struct cv_jpos){ 0 }, e);
}

static int
confined(struct cv_run *run, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("sandbox.unavailable", CV_R_CONFINEMENT);

	if (!run->rq->policy->confinement_required)
		return 0;
	if (!run->unconfined)
		return pass(run, "sandbox.unavailable", e);
	cv_finding_expected(&f, "Landlock and seccomp in every worker");
	cv_finding_found(&f, "a worker without them");
	return say(run, &f, (struct cv_jpos){ 0 }, e);
}

int
cv_agent_answers(struct cv_run *run, struct cv_err *e)
{
	if (changed(run, e) != 0 || expired(run, e) != 0 || uncovered(run, e) != 0 ||
	    launch(run, e) != 0)
		return -1;
	return confined(run, e);
}
