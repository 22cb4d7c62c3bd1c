/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c: see engine.h. One run: its jobs in a few threads, what the caller
 * hears meanwhile, the agent's own questions, the decision. Must never return 0
 * with a result that lost an answer.
 */
#include "verify/engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"
#include "verify/engine_bytes.h"
#include "verify/local.h"

#include "trust/base/banned.h"

#define MAX_JOBS 8           /* artifacts looked at at once: most wait for others */
#define WATCH_NS (100000000) /* how often a caller hears of a transfer */

struct cv_news {
	bool moved, ended;
	uint64_t done, total;
};

/* ---- what jobs ask of their run ---- */

int
cv_run_stop(const struct cv_run *run, struct cv_err *e)
{
	return cv_local_stopped(run->rq->deadline, run->rq->cancel_fd, e);
}

void
cv_run_break(struct cv_run *run, const struct cv_err *e)
{
	(void)pthread_mutex_lock(&run->mu);
	if (run->broken.reason == CV_R_NONE)
		run->broken = *e;
	if (run->broken.reason == CV_R_NONE)
		cv_fail(&run->broken, CV_R_BUG, "an answer was lost without a reason");
	(void)pthread_mutex_unlock(&run->mu);
}

int
cv_run_confinement(struct cv_run *run, unsigned flags, int landlock, struct cv_err *e)
{
	const unsigned want = CV_SBX_LANDLOCK | CV_SBX_SECCOMP;
	bool lacks = (flags & want) != want || (flags & CV_SBX_SANITIZER) != 0;

	(void)pthread_mutex_lock(&run->mu);
	run->sandbox = run->workers == 0 ? flags : run->sandbox & flags;
	if (run->workers == 0 || landlock < run->landlock)
		run->landlock = landlock;
	run->workers++;
	run->unconfined = run->unconfined || lacks;
	(void)pthread_mutex_unlock(&run->mu);
	if (lacks && run->rq->policy->confinement_required)
		return cv_fail(e, CV_R_CONFINEMENT,
			       "a worker runs %s%s%s, and policy requires confinement",
			       (flags & CV_SBX_LANDLOCK) != 0 ? "" : "without Landlock ",
			       (flags & CV_SBX_SECCOMP) != 0 ? "" : "without seccomp ",
			       (flags & CV_SBX_SANITIZER) != 0 ? "with sanitizers" : "");
	return 0;
}

void
cv_run_db_built(struct cv_run *run, int64_t built)
{
	(void)pthread_mutex_lock(&run->mu);
	run->res->db_built = built;
	(void)pthread_mutex_unlock(&run->mu);
}

void
cv_run_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct cv_job *j = ctx;
	struct cv_news *n = &j->run->news[j - j->run->jobs];

	(void)pthread_mutex_lock(&j->run->mu);
	n->moved = true;
	n->done = done;
	n->total = total;
	(void)pthread_mutex_unlock(&j->run->mu);
}

void
cv_run_slot(struct cv_run *run)
{
	(void)pthread_mutex_lock(&run->mu);
	while (run->slots == 0)
		(void)pthread_cond_wait(&run->freed, &run->mu);
	run->slots--;
	(void)pthread_mutex_unlock(&run->mu);
}

void
cv_run_unslot(struct cv_run *run)
{
	(void)pthread_mutex_lock(&run->mu);
	run->slots++;
	(void)pthread_cond_signal(&run->freed);
	(void)pthread_mutex_unlock(&run->mu);
}

/* ---- one job ---- */

/* use_lock: the entry that says which bytes this artifact is. */
static void
use_lock(struct cv_job *j)
{
	const struct cv_request *rq = j->run->rq;
	const struct cv_lock_artifact *l = NULL;
	bool other_platform;

	if (rq->mode != CV_MODE_VERIFY)
		return;
	if (rq->lock != NULL)
		l = cv_lock_find(rq->lock, j->decl->name);
	if (l == NULL) {
		cv_job_no(j, "lock.absent", CV_R_ABSENT, "an entry in clawverify.lock", "%s",
			  rq->lock == NULL ? "there is no lock" : "no entry of that name");
		return;
	}
	other_platform = j->decl->type == CV_A_IMAGE && j->decl->platform == NULL &&
			 l->platform != NULL && rq->platform != NULL &&
			 strcmp(l->platform, rq->platform) != 0;
	if (!cv_lock_asks(l, j->decl) || other_platform) {
		cv_job_no(j, "lock.absent", CV_R_ABSENT, j->decl->asked,
			  "the entry was made for %s%s%s", l->asked != NULL ? l->asked : "else",
			  l->platform != NULL ? ", platform " : "",
			  l->platform != NULL ? l->platform : "");
		return;
	}
	cv_job_pass(j, "lock.absent");
	j->locked = l;
}

static void
examine(struct cv_job *j)
{
	struct cv_err e = { 0 };

	if (j->rule == NULL) {
		cv_job_no(j, "policy.no-rule", CV_R_RULE, "a rule that matches it", "%s %s",
			  cv_atype_word(j->decl->type), j->decl->source);
		return;
	}
	cv_job_pass(j, "policy.no-rule");
	use_lock(j);
	if (cv_run_stop(j->run, &e) != 0) {
		cv_job_err(j, NULL, NULL, &e);
		return;
	}
	switch (j->decl->type) {
	case CV_A_IMAGE:
		cv_image_run(j);
		return;
	case CV_A_MCP:
		cv_pkg_run(j);
		return;
	case CV_A_MODEL:
	case CV_A_SKILL:
	case CV_A_PROMPT:
	case CV_A_FILE:
		cv_files_run(j);
		return;
	case CV_A_MCP_REMOTE:
	case CV_A_MODEL_HOSTED:
		break;
	}
	cv_job_no(j, "internal.error", CV_R_BUG, NULL, "an artifact of a type that has no bytes");
}

/* outcome: what the caller is told now; cv_result_decide() says it again. */
static void
outcome(struct cv_r_artifact *a)
{
	cv_auto(cv_freep) struct cv_answer *v = calloc(a->nfindings + 1, sizeof(*v));
	struct cv_subject_state s = {
		.plan = a->plan, .nplan = a->nplan, .answers = v, .nanswers = a->nfindings
	};
	size_t i;

	a->outcome = CV_UNKNOWN;
	a->reason = CV_R_MEMORY;
	if (v == NULL)
		return;
	for (i = 0; i < a->nfindings; i++)
		v[i] = a->findings[i].a;
	a->outcome = cv_decide_subject(&s, &a->counts, &a->reason);
}

static void
job_free(struct cv_job *j)
{
	size_t i;

	for (i = 0; i < j->nstatements; i++) {
		free(j->statements[i].predicate);
		free(j->statements[i].signer);
		cv_closep(&j->statements[i].blob.fd);
	}
	free(j->statements);
	free(j->held);
	cv_role_end(&j->ready);
	j->statements = NULL;
	j->held = NULL;
	j->nstatements = j->nheld = 0;
}

static void
job_run(struct cv_job *j)
{
	int64_t start = cv_mono_ms();

	examine(j);
	job_free(j);
	j->a->ms = cv_mono_ms() - start;
	outcome(j->a);
}

static void *
jobs_thread(void *arg)
{
	struct cv_run *run = arg;
	struct cv_job *j;

	(void)pthread_mutex_lock(&run->mu);
	while (run->next < run->njobs) {
		j = &run->jobs[run->next++];
		(void)pthread_mutex_unlock(&run->mu);
		job_run(j);
		(void)pthread_mutex_lock(&run->mu);
		run->news[j - run->jobs].ended = true;
		run->finished++;
		(void)pthread_cond_signal(&run->told);
	}
	(void)pthread_mutex_unlock(&run->mu);
	return NULL;
}

/* ---- the request's own thread ---- */

/* tell: pass on one piece of news, without holding the lock. False if none. */
static bool
tell(struct cv_run *run)
{
	const struct cv_watch *w = &run->rq->watch;
	struct cv_news n;
	size_t i;

	for (i = 0; i < run->njobs; i++) {
		n = run->news[i];
		if (!n.moved && !n.ended)
			continue;
		run->news[i].moved = run->news[i].ended = false;
		(void)pthread_mutex_unlock(&run->mu);
		if (n.moved && w->transfer != NULL)
			w->transfer(w->ctx, run->jobs[i].a->name, n.done, n.total);
		if (n.ended && w->finished != NULL)
			w->finished(w->ctx, run->jobs[i].a);
		(void)pthread_mutex_lock(&run->mu);
		return true;
	}
	return false;
}

static void
wait_and_tell(struct cv_run *run)
{
	struct timespec until;

	(void)pthread_mutex_lock(&run->mu);
	while (run->finished < run->njobs) {
		if (run->rq->watch.transfer == NULL) {
			(void)pthread_cond_wait(&run->told, &run->mu);
		} else {
			(void)clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_nsec += WATCH_NS;
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
			(void)pthread_cond_timedwait(&run->told, &run->mu, &until);
		}
		while (tell(run))
			;
	}
	while (tell(run))
		;
	(void)pthread_mutex_unlock(&run->mu);
}

static void
run_jobs(struct cv_run *run)
{
	pthread_t t[MAX_JOBS];
	size_t i, started = 0;

	for (i = 0; i < MAX_JOBS && i < run->njobs; i++)
		if (cv_par_start(&t[started], jobs_thread, run))
			started++;
	if (started == 0)
		(void)jobs_thread(run);
	wait_and_tell(run);
	for (i = 0; i < started; i++)
		(void)pthread_join(t[i], NULL);
	for (i = 0; i < run->njobs; i++)
		cv_bytes_same(&run->jobs[i]);
}

/* ---- the result's frame ---- */

static int
dup_str(char **ret, const char *s, struct cv_err *e)
{
	if (s == NULL)
		return 0;
	*ret = strdup(s);
	return *ret == NULL ? cv_fail_memory(e) : 0;
}

static int
request_id(struct cv_result *r, const struct cv_request *rq, struct cv_err *e)
{
	uint8_t b[16];

	if (rq->id != NULL) {
		if (strlen(rq->id) == 0 || strlen(rq->id) >= sizeof(r->request_id))
			return cv_fail(e, CV_R_USAGE, "request id: want 1 to 63 characters");
		memcpy(r->request_id, rq->id, strlen(rq->id) + 1);
		return 0;
	}
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return cv_fail_errno(e, "getrandom");
	cv_hex_encode(r->request_id, b, sizeof(b));
	return 0;
}

static int
fill_head(struct cv_result *r, const struct cv_request *rq, struct cv_err *e)
{
	const struct cv_policy *p = rq->policy;

	r->agent_digest = rq->agent->digest;
	r->policy_digest = p->digest;
	if (rq->lock != NULL)
		r->lock_digest = rq->lock->digest;
	r->policy_chosen = rq->policy_chosen;
	r->audit = p->audit;
	r->historical = rq->historical;
	r->partial = rq->only != NULL || rq->mode == CV_MODE_BARE;
	r->offline = rq->offline;
	r->now = rq->now;
	r->valid_until = rq->now + p->valid_for;
	if (p->has_expires && p->expires < r->valid_until)
		r->valid_until = p->expires;
	r->have_db = rq->db.fd >= 0;
	if (request_id(r, rq, e) != 0 || dup_str(&r->agent_name, rq->agent->name, e) != 0 ||
	    dup_str(&r->policy_name, p->name, e) != 0 ||
	    dup_str(&r->agent_path, rq->agent_path, e) != 0 ||
	    dup_str(&r->policy_path, rq->policy_path, e) != 0 ||
	    dup_str(&r->lock_path, rq->lock_path, e) != 0)
		return -1;
	return 0;
}

static bool
wanted(const struct cv_request *rq, const struct cv_artifact *a)
{
	return cv_artifact_covered(a) && (rq->only == NULL || strcmp(rq->only, a->name) == 0);
}

/* fill_artifact: one artifact's place in the result, and its job. */
static int
fill_artifact(struct cv_run *run, const struct cv_artifact *decl, struct cv_err *e)
{
	struct cv_r_artifact *a = &run->res->artifacts[run->njobs];
	struct cv_job *j = &run->jobs[run->njobs];
	int found;

	run->njobs++;
	run->res->nartifacts++;
	*j = (struct cv_job){ .run = run, .a = a, .decl = decl };
	a->decl = decl;
	a->name = decl->name;
	found = cv_policy_rule(run->rq->policy, decl, &j->rule_space, e);
	if (found < 0)
		return -1;
	if (found > 0) {
		j->rule = &j->rule_space;
		if (dup_str(&a->rule, j->rule->name, e) != 0 ||
		    dup_str(&a->guidance, j->rule->guidance, e) != 0)
			return -1;
	}
	if (dup_str(&a->ref, decl->source, e) != 0)
		return -1;
	return cv_plan_artifact(j, e);
}

static int
fill_artifacts(struct cv_run *run, struct cv_err *e)
{
	const struct cv_agent *agent = run->rq->agent;
	size_t i;

	run->jobs = calloc(agent->nartifacts + 1, sizeof(*run->jobs));
	run->news = calloc(agent->nartifacts + 1, sizeof(*run->news));
	if (run->jobs == NULL || run->news == NULL)
		return cv_fail_memory(e);
	for (i = 0; i < agent->nartifacts; i++)
		if (wanted(run->rq, &agent->artifacts[i]) &&
		    fill_artifact(run, &agent->artifacts[i], e) != 0)
			return -1;
	if (run->njobs == 0 && run->rq->only != NULL)
		return cv_fail(e, CV_R_USAGE, "%s: the agent has no such artifact to look at",
			       run->rq->only);
	return 0;
}

static int
check_request(const struct cv_request *rq, struct cv_err *e)
{
	if (rq->agent == NULL || rq->policy == NULL || rq->store == NULL || rq->workers == NULL ||
	    rq->mode < CV_MODE_VERIFY || rq->mode > CV_MODE_BARE)
		return cv_fail(e, CV_R_BUG,
			       "the engine was asked without an agent, a policy, a "
			       "store, workers or a known mode");
	return 0;
}

static int
run_open(struct cv_run *run, const struct cv_request *rq, struct cv_err *e)
{
	pthread_condattr_t attr;

	run->rq = rq;
	run->role = (struct cv_role_opts){ .dir = rq->workers,
					   .deadline = rq->deadline,
					   .cancel_fd = rq->cancel_fd,
					   .env = rq->net_env };
	run->cpus = cv_par_cpus();
	run->slots = run->cpus;
	run->landlock = -1;
	if (cv_result_open(&run->res, rq->agent->nartifacts, e) != 0)
		return -1;
	run->res->nartifacts = 0; /* grows with those that are looked at */
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&run->mu, NULL); /* these cannot fail on Linux */
	(void)pthread_cond_init(&run->told, &attr);
	(void)pthread_cond_init(&run->freed, NULL);
	(void)pthread_condattr_destroy(&attr);
	if (fill_head(run->res, rq, e) != 0 || fill_artifacts(run, e) != 0)
		return -1;
	return cv_plan_agent(run, e);
}

static void
run_close(struct cv_run *run)
{
	if (run->rq == NULL)
		return;
	(void)pthread_mutex_destroy(&run->mu);
	(void)pthread_cond_destroy(&run->told);
	(void)pthread_cond_destroy(&run->freed);
	free(run->jobs);
	free(run->news);
	cv_result_free(&run->res);
}

int
cv_engine_run(struct cv_result **ret, const struct cv_request *rq, struct cv_err *e)
{
	cv_auto(run_close) struct cv_run run = { 0 };
	int64_t start = cv_mono_ms();

	if (check_request(rq, e) != 0 || run_open(&run, rq, e) != 0)
		return -1;
	run_jobs(&run);
	if (cv_agent_answers(&run, e) != 0)
		return -1;
	if (run.broken.reason != CV_R_NONE) {
		*e = run.broken;
		return -1;
	}
	run.res->sandbox = run.sandbox;
	run.res->landlock = run.landlock;
	run.res->workers = run.workers;
	run.res->ms = cv_mono_ms() - start;
	if (cv_result_decide(run.res, e) != 0)
		return -1;
	*ret = cv_steal(run.res);
	return 0;
}
