/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h: the worker's side of the loop in proto.h.
 *
 * A worker program is a main() that calls cv_worker_main() with its table of
 * tasks. The library warms up what would open files later, seals the process
 * (sandbox.h), says HELLO, and runs the loop on descriptor CV_WORKER_SOCK.
 * Any protocol breach by verify, or a send that fails, ends the process.
 *
 * A task handler returns 0 to have DONE sent, or -1 with e set to have ERROR
 * sent. It states what it found with cv_w_fact(), cv_w_finding(); a finding
 * that says "fail" is no reason to return -1: that is for "could not finish".
 */
#ifndef CV_WORKER_H
#define CV_WORKER_H

#include "proto.h"

#define CV_WORKER_SOCK 3

struct cv_worker; /* the connection */

struct cv_task_def {
	uint64_t task;
	/* start: fields of the TASK frame; *state is the handler's own. item: one
	 * ITEM frame. run: do it. end: free *state; called in every case. */
	int (*start)(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e);
	int (*item)(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e);
	int (*run)(struct cv_worker *w, void *state, struct cv_err *e);
	void (*end)(void *state);
};

struct cv_worker_def {
	const char *name;                /* "trust", "contents", "fetch" */
	unsigned seal;                   /* enum cv_seal of sandbox.h */
	bool many;                       /* serve tasks until the socket closes */
	void (*warm)(void);              /* before sealing; may be NULL */
	const struct cv_task_def *tasks; /* ends with task 0 */
	void *ctx;                       /* the program's own, for cv_w_ctx(); may be NULL */
};

int cv_worker_main(const struct cv_worker_def *def, int argc, char **argv);

/* cv_w_ctx: what outlives a task in a worker that serves many (connections,
 * tokens): the ctx of the definition. */
void *cv_w_ctx(const struct cv_worker *w);

/* cv_w_start: the frame to fill, of the given kind; one at a time. */
struct cv_out *cv_w_start(struct cv_worker *w, enum cv_kind kind);

/* What start and item state is kept and sent with the answer to RUN, because
 * verify does not read before; it may not hold descriptors, and nothing can be
 * asked there. A frame that could not be put together is -1 with CV_R_BUG. */

/* cv_w_fact: start a FACT frame of that kind. cv_w_send: send the started
 * frame. Sending ends the process when verify is gone. */
struct cv_out *cv_w_fact(struct cv_worker *w, enum cv_fact fact);
int cv_w_send(struct cv_worker *w, struct cv_err *e) cv_must;

int cv_w_finding(struct cv_worker *w, const struct cv_finding *f, struct cv_err *e) cv_must;
/* cv_w_progress: as often as one likes; few are sent. */
int cv_w_progress(struct cv_worker *w, uint64_t done, uint64_t total, struct cv_err *e) cv_must;

/* cv_w_check: the catalogue's id (static storage) that the ERROR frame of this
 * task shall name if the handler returns -1; NULL takes it back. */
void cv_w_check(struct cv_worker *w, const char *check);

/* cv_w_done_extra: fields that the DONE frame of this task shall carry too:
 * the frame returned is sent, with COUNT added, when the handler returns 0. */
struct cv_out *cv_w_done_extra(struct cv_worker *w);

/* cv_w_need: start a NEED frame (its ID is set). cv_w_ask: send it and wait for
 * the GIVE. On CV_S_GIVEN and CV_S_ABSENT returns 0; on CV_S_FAILED returns 0
 * too, with status and err filled: what a missing answer means is the caller's
 * decision. -1 only if the loop itself broke. */
struct cv_given {
	enum cv_status status;
	struct cv_blob blob; /* given: the caller closes blob.fd */
	struct cv_digest digest;
	char media[256];
	struct cv_err err; /* failed */
	enum cv_cred cred; /* CV_N_CRED */
	char user[256];
	char secret[16384];
};
struct cv_out *cv_w_need(struct cv_worker *w, enum cv_need need);
int cv_w_ask(struct cv_worker *w, struct cv_given *ret, struct cv_err *e) cv_must;

/* cv_w_deadline: when the task has to be over (cv_mono_ms scale), 0 none. */
int64_t cv_w_deadline(const struct cv_worker *w);

#endif
