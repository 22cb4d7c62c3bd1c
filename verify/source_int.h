/* SPDX-License-Identifier: Apache-2.0 */
/* source_int.h: between source.c, source_ask.c and source_layout.c. */
#ifndef CV_SOURCE_INT_H
#define CV_SOURCE_INT_H

#include "verify/source.h"

struct cv_source {
	struct cv_source_opts o;
	struct cv_role *role;
	unsigned sandbox;
	int landlock;
	bool ran;
	unsigned mirrors_down; /* bits: these could not be reached in this run */
};

/* A question to the fetch worker: which task, and what goes into its frame. */
struct cv_question {
	enum cv_task task;
	const char *name, *ref;
	const struct cv_digest *want;  /* compare the bytes with it */
	const struct cv_digest *asked; /* the DIGEST field, or NULL */
	uint64_t size, max;
	bool bulk;     /* bytes are expected */
	bool not_last; /* another source is asked next */
};

/* cv_source_ask: 0 with an answer in *got, -1 with got->err and perhaps *check. */
int cv_source_ask(struct cv_source *s, const struct cv_question *q, struct cv_got *got,
		  const char **check) cv_must;

/* cv_source_host: the host of "host/path". */
const char *cv_source_host(const char *repo, char out[CV_MAX_REF + 1]);

/* cv_got_failed: got->err holds the reason; check names the id for it, or NULL. */
void cv_got_failed(struct cv_got *got, const char *check);

/* cv_got_too_large: -1, CV_R_LIMIT. */
int cv_got_too_large(uint64_t size, uint64_t max, struct cv_err *e);

/* cv_layout_part: the file at `path` beneath the layout, its bytes copied into
 * the store; want may be NULL, size CV_SIZE_ANY. */
void cv_layout_part(struct cv_source *s, const char *path, const struct cv_digest *want,
		    uint64_t size, uint64_t max, struct cv_got *got);
void cv_layout_blob(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
		    struct cv_got *got);

#endif
