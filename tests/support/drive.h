/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive.h: verify's side of one worker, as small as a test can have it: it sends a
 * task, answers needs from a forged store (forge.h) and keeps everything that the
 * worker says. Nothing here judges.
 *
 *     struct d_worker w = { 0 };
 *     d_open(&w, "clawverify-trust");          or d_fork(&w, main_of_it)
 *     cv_out *o = d_task(&w, CV_T_BLOB);  ...fields...  d_send(&w);
 *     o = d_item(&w, CV_ROLE_KEY);        ...fields...  d_send(&w);
 *     struct d_answer a = d_run(&w, &store);
 *     T(a.done); ... d_answer_free(&a); d_close(&w);
 */
#ifndef CV_DRIVE_H
#define CV_DRIVE_H

#include "tests/support/forge.h"
#include "trust/base/proto.h"

#include <sys/types.h>

struct d_worker {
	pid_t pid;
	int sock;
	struct cv_out *out;
	int fds[CV_MAX_FRAME_FDS]; /* to close once sent */
	unsigned nfds;
	uint64_t sandbox; /* as HELLO said */
	uint64_t items;	  /* ITEM frames sent for this task */
};

struct d_fact {
	uint64_t fact, role, kind, size, pos;
	struct cv_digest digest, evidence, diffid;    /* alg 0: absent */
	char *name, *media, *keyid, *platform, *text; /* "" absent */
	bool has_blob;
	struct cv_buf blob;
};

struct d_finding {
	char check[64];
	enum cv_reason reason;
	char *expected, *found, *where;
};

struct d_answer {
	bool done; /* DONE came, with the right count */
	struct cv_err error;
	struct d_fact *fact;
	size_t nfacts;
	struct d_finding *finding;
	size_t nfindings;
	size_t needs;
};

/* d_open: the built program of that name. d_fork: the same without exec, for runs
 * that make thousands of tasks. Both read HELLO. */
void d_open(struct d_worker *w, const char *program);
void d_fork(struct d_worker *w, int (*run)(void));
void d_close(struct d_worker *w); /* closes and waits */

struct cv_out *d_task(struct d_worker *w, enum cv_task task);
struct cv_out *d_item(struct d_worker *w, enum cv_role_item role);
void d_blob(struct d_worker *w, struct cv_span bytes); /* CV_TAG_BLOB of the frame */
void d_send(struct d_worker *w);
void d_key(struct d_worker *w, const char *name, const char *pem); /* the whole item */

/* d_run: RUN, then needs are answered until DONE, ERROR or the end. */
struct d_answer d_run(struct d_worker *w, struct f_store *s);
void d_answer_free(struct d_answer *a);

/* Looking into answers. d_reason: of the finding with that id, CV_R_COUNT if there
 * is none. d_facts: how many of that kind. */
enum cv_reason d_reason(const struct d_answer *a, const char *check);
size_t d_facts(const struct d_answer *a, enum cv_fact fact);
const struct d_fact *d_fact(const struct d_answer *a, enum cv_fact fact, size_t i);
void d_print(const struct d_answer *a); /* for when a test is not understood */

#endif
