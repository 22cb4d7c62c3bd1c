/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h: a growable byte buffer with a mandatory maximum and sticky failure.
 *
 * Appending past the maximum, or out of memory, sets `failed` and drops the
 * append; test once with cv_buf_ok(). The bytes are always followed by a NUL
 * that is not counted, so b->p of a non-empty buffer is a C string as long as
 * no NUL was appended.
 */
#ifndef CV_BUF_H
#define CV_BUF_H

#include "err.h"
#include "span.h"

struct cv_buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
	enum cv_reason failed; /* CV_R_NONE, CV_R_LIMIT or CV_R_MEMORY */
};

#define CV_BUF(maximum) ((struct cv_buf){ .max = (maximum) })

void cv_buf_add(struct cv_buf *b, const void *p, size_t n);
void cv_buf_str(struct cv_buf *b, const char *s);
void cv_buf_byte(struct cv_buf *b, uint8_t byte);
void cv_buf_fmt(struct cv_buf *b, const char *fmt, ...) cv_printf(2, 3);
void cv_buf_u16le(struct cv_buf *b, uint16_t v);
void cv_buf_u32le(struct cv_buf *b, uint32_t v);
void cv_buf_u64le(struct cv_buf *b, uint64_t v);

/* cv_buf_extend: n bytes more, for the caller to fill at once (they are not
 * set); NULL when the buffer failed, as an append would. */
uint8_t *cv_buf_extend(struct cv_buf *b, size_t n);

/* cv_buf_ok: 0 if every append succeeded, else -1 with e saying what `what`
 * could not hold. */
int cv_buf_ok(const struct cv_buf *b, const char *what, struct cv_err *e) cv_must;

/* cv_buf_read_fd: append all of fd from its current position to its end.
 * CV_R_LIMIT when it is longer than the maximum allows. */
int cv_buf_read_fd(struct cv_buf *b, int fd, const char *what, struct cv_err *e) cv_must;

/* cv_buf_pread: append exactly len bytes from offset off of fd; CV_R_CUTOFF if
 * the file is shorter. */
int cv_buf_pread(struct cv_buf *b, int fd, uint64_t off, uint64_t len, const char *what,
		 struct cv_err *e) cv_must;

/* cv_buf_text: the bytes as a C string; "" when empty. The buffer keeps it. */
const char *cv_buf_text(const struct cv_buf *b);

/* cv_buf_steal: hand the malloc'd NUL-terminated bytes to the caller, leaving
 * an empty buffer; NULL if the buffer failed or is empty. */
char *cv_buf_steal(struct cv_buf *b);

struct cv_span cv_buf_span(const struct cv_buf *b);
void cv_buf_reset(struct cv_buf *b); /* keep the memory, forget the bytes */
void cv_buf_free(struct cv_buf *b);

/* cv_write_all: write n bytes to fd, through short writes and EINTR. */
int cv_write_all(int fd, const void *p, size_t n, const char *what, struct cv_err *e) cv_must;

#endif
