/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.h: what a person sees while a run goes on, on standard error alone.
 *
 * On a terminal, from 300 ms on: a line for each transfer under way (at most
 * four), redrawn at most ten times a second and gone at the end. Elsewhere a
 * line for each finished artifact, and one every ten seconds for a long transfer.
 * Nothing with -q or --progress none.
 */
#ifndef CV_PROGRESS_H
#define CV_PROGRESS_H

#include "verify/cmd.h"

#define CV_PROGRESS_LINES 4
#define CV_PROGRESS_AFTER 300   /* ms before anything is drawn */
#define CV_PROGRESS_EVERY 100   /* ms between two drawings */
#define CV_PROGRESS_PLAIN 10000 /* ms between two lines about one transfer */

struct cv_transfer {
	char name[72];
	uint64_t done, total;
	int64_t began, told; /* cv_mono_ms scale */
};

struct cv_progress {
	enum { CV_PROGRESS_NONE, CV_PROGRESS_TEXT, CV_PROGRESS_BARS } how;
	int64_t began, drawn;
	unsigned lines; /* on the screen now */
	struct cv_transfer t[CV_PROGRESS_LINES];
	size_t n;
};

/* cv_progress_open: how, by --progress, -q and the terminal. CV_R_USAGE. */
int cv_progress_open(struct cv_progress *p, const struct cv_cmdline *c, struct cv_err *e) cv_must;

/* cv_progress_watch: the callbacks for a request; p outlives them. */
struct cv_watch cv_progress_watch(struct cv_progress *p);

/* cv_progress_close: take what was drawn off the screen. */
void cv_progress_close(struct cv_progress *p);

#endif
