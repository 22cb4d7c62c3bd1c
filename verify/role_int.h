/* SPDX-License-Identifier: Apache-2.0 */
/* role_int.h: between role.c (start, speak, end) and role_run.c (listen). */
#ifndef CV_ROLE_INT_H
#define CV_ROLE_INT_H

#include "verify/role.h"

#include <sys/types.h>

struct cv_role {
	enum cv_role_kind kind;
	struct cv_role_opts o;
	pid_t pid; /* 0: none */
	int pidfd; /* -1: the kernel has none */
	int sock;
	unsigned sandbox;
	int landlock;
	bool idle;                        /* between tasks: it may go by itself */
	bool broken;                      /* failed once; nothing more is said to it */
	uint64_t frames, needs, findings; /* since its start */
	uint64_t items;                   /* ITEM frames of this task */
	uint64_t count;                   /* FACT and FINDING frames of this task */
	struct cv_frame in;
	struct cv_out out;
	struct cv_out give;
};

/* cv_role_receive: one frame into r->in, by the deadline; every one counts. The
 * worker's end is a failure. */
int cv_role_receive(struct cv_role *r, struct cv_err *e) cv_must;

int cv_role_send_frame(struct cv_role *r, const struct cv_out *o, struct cv_err *e) cv_must;

/* cv_role_breach: -1: the worker broke the protocol. */
int cv_role_breach(const struct cv_role *r, struct cv_err *e, const char *what);

/* cv_role_whole: 0 unless an accessor of r->in failed: the worker's fault. */
int cv_role_whole(const struct cv_role *r, struct cv_err *e) cv_must;

#endif
