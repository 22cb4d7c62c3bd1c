/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h: a forward cursor over a blob of any size, through one small buffer.
 *
 * Like a span, it fails stickily: taking what is not there sets `bad` and
 * yields zeros; a read that the system refuses sets `err` too. So a reader
 * takes its fields and asks cv_window_ok() before it believes them. Positions
 * are relative to the blob. Nothing is allocated and the descriptor's own
 * position is not used; the struct is large (64 KiB) and may live on the stack.
 */
#ifndef CV_FOUND_WINDOW_H
#define CV_FOUND_WINDOW_H

#include "trust/base/frame.h"

#define CV_WINDOW_BYTES 65536

struct cv_window {
	struct cv_blob blob;
	uint64_t base;     /* position of buf[0] */
	size_t at;         /* next byte, within buf */
	size_t have;       /* bytes in buf */
	bool bad;          /* something was taken that is not there */
	struct cv_err err; /* reason CV_R_NONE: every read succeeded */
	uint8_t buf[CV_WINDOW_BYTES];
};

void cv_window_open(struct cv_window *w, struct cv_blob blob);

/* cv_window_open_bytes: over a copy of at most CV_WINDOW_BYTES bytes in memory; what
 * is more is not there. */
void cv_window_open_bytes(struct cv_window *w, struct cv_span bytes);

static inline uint64_t
cv_window_pos(const struct cv_window *w)
{
	return w->base + w->at;
}

static inline uint64_t
cv_window_left(const struct cv_window *w)
{
	return w->blob.len - cv_window_pos(w);
}

/* cv_window_fill: have at least one byte at `at`; false at the end of the blob
 * (which alone is no failure) or when a read failed. */
bool cv_window_fill(struct cv_window *w);

/* cv_window_peek: the next byte, -1 when there is none; sets nothing. */
static inline int
cv_window_peek(struct cv_window *w)
{
	if (w->at == w->have && !cv_window_fill(w))
		return -1;
	return w->buf[w->at];
}

/* cv_window_next: the same, and steps over it. */
static inline int
cv_window_next(struct cv_window *w)
{
	if (w->at == w->have && !cv_window_fill(w))
		return -1;
	return w->buf[w->at++];
}

/* cv_window_take: n (at most CV_WINDOW_BYTES) bytes, valid until the next call. */
struct cv_span cv_window_take(struct cv_window *w, size_t n);
/* cv_window_look: up to n bytes that come next, fewer only at the end; the
 * position stays. */
struct cv_span cv_window_look(struct cv_window *w, size_t n);
uint8_t cv_window_u8(struct cv_window *w);
uint16_t cv_window_u16le(struct cv_window *w);
uint32_t cv_window_u32le(struct cv_window *w);
uint64_t cv_window_u64le(struct cv_window *w);

void cv_window_skip(struct cv_window *w, uint64_t n);
void cv_window_seek(struct cv_window *w, uint64_t pos);

/* cv_window_ok: 0 if everything taken was there. Else CV_R_MALFORMED, "WHAT
 * ends at byte N, in the middle of PART", or the reason why reading failed. */
int cv_window_ok(const struct cv_window *w, const char *what, const char *part,
		 struct cv_err *e) cv_must;

/* cv_blob_part: the n bytes from off of a blob as a blob; CV_R_MALFORMED when
 * they are not all inside. */
int cv_blob_part(struct cv_blob *ret, struct cv_blob whole, uint64_t off, uint64_t n,
		 struct cv_err *e) cv_must;

#endif
