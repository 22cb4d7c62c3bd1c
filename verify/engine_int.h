/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_int.h: what the parts of the engine share. Nobody else includes it.
 *
 * A run has one job for each artifact. A job belongs to one thread: it alone
 * touches its cv_r_artifact. What a job does in several threads (layers) is
 * collected apart and added by the job's own thread.
 *
 * Saying something about an artifact cannot fail for the one who says it: when
 * the result cannot take it (memory), the run is broken and cv_engine_run()
 * returns -1, because a result that lost a "no" must never be decided upon.
 */
#ifndef CV_ENGINE_INT_H
#define CV_ENGINE_INT_H

#include "verify/engine.h"
#include "verify/engine_par.h"
#include "verify/source.h"

#include <pthread.h>

struct cv_news; /* engine.c: what the caller has not been told yet */

struct cv_run {
	const struct cv_request *rq;
	struct cv_result *res;
	struct cv_role_opts role;
	size_t cpus;

	pthread_mutex_t mu;   /* guards what follows */
	pthread_cond_t told;  /* news for the request's own thread */
	pthread_cond_t freed; /* a slot for a contents worker */
	size_t slots;
	struct cv_news *news;
	struct cv_job *jobs;
	size_t njobs, next, finished;
	struct cv_err broken; /* reason set: the result is incomplete */
	unsigned sandbox;     /* flags that held in every worker so far */
	int landlock;
	unsigned workers;
	bool unconfined; /* some worker lacked what "required" means */
};

struct cv_job {
	struct cv_run *run;
	struct cv_r_artifact *a;
	const struct cv_artifact *decl;
	struct cv_rule rule_space;
	const struct cv_rule *rule;            /* NULL: none applies */
	const struct cv_lock_artifact *locked; /* entry made for this, or NULL */
	bool differs;               /* from the lock, or from the digest that was asked for */
	bool compared;              /* found equal to what the lock pins */
	enum cv_reason sig_trouble; /* why evidence, or what it is about, was not seen */
	struct cv_statement_fact *statements;
	size_t nstatements;
	struct cv_local *local;  /* what the run's end looks at again, or NULL */
	struct cv_role *ready;   /* a contents worker on its way, or NULL (cv_call_ready) */
	struct cv_finding *held; /* sig. findings, until it is known what they mean */
	size_t nheld;
};

/* A proven statement, as the trust worker handed it over. */
struct cv_statement_fact {
	char *predicate, *signer;
	struct cv_digest subject, evidence;
	struct cv_blob blob; /* owned: the predicate alone */
};

/* ---- engine.c: running ---- */

/* cv_run_stop: -1 with CV_R_CANCELLED or CV_R_DEADLINE when it is time to go. */
int cv_run_stop(const struct cv_run *run, struct cv_err *e) cv_must;

/* cv_run_break: the result lost something. */
void cv_run_break(struct cv_run *run, const struct cv_err *e);

/* cv_run_confinement: note what a worker stated. -1 CV_R_CONFINEMENT when policy
 * requires more. */
int cv_run_confinement(struct cv_run *run, unsigned flags, int landlock, struct cv_err *e) cv_must;

/* cv_run_db_built: when the advisory index was compiled, as its reader says. */
void cv_run_db_built(struct cv_run *run, int64_t built);

void cv_run_progress(void *job, uint64_t done, uint64_t total);
void cv_run_slot(struct cv_run *run);
void cv_run_unslot(struct cv_run *run);

/* ---- engine_say.c: answers ---- */

void cv_job_say(struct cv_job *j, const struct cv_finding *f); /* by policy's level */
void cv_job_say_as(struct cv_job *j, const struct cv_finding *f, bool required);
void cv_job_pass(struct cv_job *j, const char *check);
void cv_job_na(struct cv_job *j, const char *check);
void cv_job_no(struct cv_job *j, const char *check, enum cv_reason reason, const char *expected,
	       const char *fmt, ...) cv_printf(5, 6);

/* cv_job_err: a failure as a finding. `named` is the id that the failing part
 * gave, `otherwise` the one that the caller would; both may be NULL. */
void cv_job_err(struct cv_job *j, const char *named, const char *otherwise, const struct cv_err *e);

/* cv_check_for: the id that says this reason: our own trouble, a worker's and
 * the end of the time have ids of their own, whatever was being done. */
const char *cv_check_for(enum cv_reason reason, const char *named, const char *otherwise);

bool cv_job_required(const struct cv_job *j, const char *check);

/* ---- engine_call.c: one task of a worker ---- */

/* cv_call_ready: the job's next contents worker starts now, while signatures are
 * proven: of the ten milliseconds that a small artifact takes, four are the start
 * of that process. For a run of one artifact; where there are several, the
 * processors have enough to do. Failing to start is told by the call itself. */
void cv_call_ready(struct cv_job *j);

struct cv_call {
	struct cv_job *job;
	enum cv_role_kind kind;
	void *ctx;
	/* sends the TASK and the ITEMs */
	int (*send)(struct cv_call *c, struct cv_role *r, struct cv_err *e);
	int (*fact)(void *ctx, struct cv_frame *f, struct cv_err *e);
	int (*need)(void *ctx, struct cv_frame *need, struct cv_out *give, struct cv_err *e);
	int pipe_fd; /* as in struct cv_role_on; -1 none */
	int (*pipe)(void *ctx, const void *p, size_t n, struct cv_err *e);
	/* ids that this task answers (proto.h), NULL-terminated: one that it left
	 * out while it found nothing wrong is worker.protocol. So one layer's
	 * silence does not hide behind another one's pass. */
	const char *const *answers;

	/* out */
	struct cv_finding *said;
	size_t nsaid, cap;
	const char *check; /* failed: the id that says it best, or NULL */
};

/* cv_call_run: may be called in any thread. 0 once DONE came; else nothing that
 * the worker said counts, and said is empty. */
int cv_call_run(struct cv_call *c, struct cv_err *e) cv_must;
void cv_call_free(struct cv_call *c);

/* cv_call_tell: the findings become the artifact's. Job's own thread only. */
void cv_call_tell(struct cv_call *c);

/* ---- plan.c ---- */

int cv_plan_artifact(struct cv_job *j, struct cv_err *e) cv_must;
int cv_plan_agent(struct cv_run *run, struct cv_err *e) cv_must;

/* What tasks answer (proto.h, "Answers"), and what cv_policy_launch() may find.
 * NULL-terminated. */
extern const char *const cv_graph_checks[],
	*const cv_layer_checks[], *const cv_merge_checks[],
					  *const cv_config_checks[],
						  *const cv_package_checks[],
							  *const cv_sbom_checks[],
								  *const cv_launch_checks[];

/* cv_files_checks: those of CV_T_FILES for a kind of artifact; NULL: none. */
const char *const *cv_files_checks(enum cv_atype type);

/* ---- engine_agent.c ---- */

/* cv_agent_answers: the agent's own plan; -1 only if an answer was lost. */
int cv_agent_answers(struct cv_run *run, struct cv_err *e) cv_must;

/* ---- one for each kind of artifact; each answers its whole plan ---- */

void cv_image_run(struct cv_job *j);
void cv_files_run(struct cv_job *j); /* model, skill, prompt, file */
void cv_pkg_run(struct cv_job *j);   /* mcp */

/* cv_sbom_run: the artifact's SBOM statements against the advisories; for rules
 * that require one. */
void cv_sbom_run(struct cv_job *j);

/* cv_pin_compare: what the lock pins against what was found (engine_pin.c).
 * Answers lock.digest-mismatch; sets differs and compared. */
void cv_pin_compare(struct cv_job *j);

/* cv_pin_asked: the digest that the agent file asks for against the one found;
 * answers fetch.digest-mismatch. Nothing when it asks for none. */
void cv_pin_asked(struct cv_job *j, const struct cv_digest *found);

/* cv_engine_expand: pkg.c's part of cv_engine_tree. */
int cv_engine_expand(const struct cv_request *rq, const struct cv_r_artifact *a,
		     const struct cv_tree_sink *sink, struct cv_err *e) cv_must;

#endif
