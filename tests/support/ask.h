/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h: one task of a worker asked frame by frame, as verify would, from a test of
 * the worker's own room. The task runs in a child process, sealed as in the real
 * worker, behind a socket pair; what it states is kept here.
 *
 *     struct ask *d = ask_open(&cv_task_files, warm);
 *     o = ask_frame(d, CV_K_TASK); cv_out_u64(o, ...); ask_send(d);
 *     ask_run(d);
 *     T(d->done); ... ask_close(&d);
 *
 * A frame that breaks the protocol fails the test.
 */
#ifndef CV_ASK_H
#define CV_ASK_H

#include "trust/base/worker.h"

#include <sys/types.h>

#define ASK_MAX 4096

struct ask_finding {
	char check[64];
	bool not_applicable;
	enum cv_reason reason;
	char expected[512], found[512], where[512], note[512];
};

struct ask_fact {
	uint64_t fact, count, value, size;
	char name[512], ref[256], media[256], text[64], version[256], note[512];
};

struct ask {
	uint64_t items; /* ITEM frames sent for this task */
	int sock;
	pid_t child;
	struct cv_out out;
	struct cv_frame in;
	bool done;       /* DONE came, with the right count */
	struct cv_err e; /* else ERROR's */
	struct ask_finding *finding;
	size_t nfindings;
	struct ask_fact *fact;
	size_t nfacts;
};

/* ask_open: warm (or NULL) runs in the child before it is sealed. */
struct ask *ask_open(const struct cv_task_def *def, void (*warm)(void));
struct cv_out *ask_frame(struct ask *d, enum cv_kind kind);
void ask_send(struct ask *d);
void ask_run(struct ask *d); /* RUN, then everything to the end */
void ask_close(struct ask **d);

/* ask_has: the first finding of this check; NULL if there is none. */
const struct ask_finding *ask_has(const struct ask *d, const char *check);
/* ask_no: how many findings of this check are problems. */
size_t ask_no(const struct ask *d, const char *check);
/* ask_passed: stated once, as held. */
bool ask_passed(const struct ask *d, const char *check);
/* ask_count: the COUNTS fact of that name; 0 if there is none. */
uint64_t ask_count(const struct ask *d, const char *name);

#endif
