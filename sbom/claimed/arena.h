/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h: many small strings with one lifetime.
 */
#ifndef CV_ARENA_H
#define CV_ARENA_H

#include "stream.h"

struct cv_chunk;

struct cv_arena {
	struct cv_chunk *chunks;
};

/* cv_arena_keep: a NUL-terminated copy; "" for nothing; NULL: out of memory. */
const char *cv_arena_keep(struct cv_arena *a, struct cv_span text);

/* cv_arena_text: take a string value of at most max bytes from js and keep it;
 * what fails, fails js and gives "". */
const char *cv_arena_text(struct cv_arena *a, struct cv_js *js, size_t max);

/* cv_arena_bytes: room for n bytes, aligned for any object; NULL: out of memory. */
void *cv_arena_bytes(struct cv_arena *a, size_t n);

void cv_arena_free(struct cv_arena *a);

#endif
