/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h: control messages between verify and a worker.
 *
 * One frame is one SOCK_SEQPACKET message of at most CV_MAX_FRAME bytes:
 *
 *     u8  version (CV_FRAME_VERSION)
 *     u8  kind    (proto.h: enum cv_kind)
 *     fields, each: u8 tag (proto.h: enum cv_tag), u32le length, bytes
 *
 * A tag occurs at most once in a frame; unknown tags, unknown kinds, trailing
 * bytes, truncation (MSG_TRUNC, MSG_CTRUNC) and wrong lengths are fatal to the
 * connection. Repetition is several frames. Integers are u64le. Bulk never
 * travels in frames: a CV_TAG_BLOB field names one of the descriptors that came
 * with the frame (SCM_RIGHTS) with an offset and a length in it.
 */
#ifndef CV_FRAME_H
#define CV_FRAME_H

#include "digest.h"
#include "limits.h"

#define CV_FRAME_VERSION 1
#define CV_FRAME_TAGS    64

/* A blob as it crosses a frame: a readable descriptor and a range in it. */
struct cv_blob {
	int fd; /* -1 is none */
	uint64_t off;
	uint64_t len;
};
#define CV_NO_BLOB ((struct cv_blob){ .fd = -1 })

/* ---- writing ---- */

struct cv_out {
	uint8_t b[CV_MAX_FRAME];
	size_t n;
	bool bad; /* too long, a tag twice, too many descriptors, bad string */
	uint64_t seen;
	int fds[CV_MAX_FRAME_FDS]; /* borrowed until sent */
	unsigned nfds;
};

void cv_out_start(struct cv_out *o, uint8_t kind);
void cv_out_u64(struct cv_out *o, uint8_t tag, uint64_t v);
void cv_out_str(struct cv_out *o, uint8_t tag, const char *s); /* UTF-8 not required; no NUL */
void cv_out_bytes(struct cv_out *o, uint8_t tag, struct cv_span s);
void cv_out_digest(struct cv_out *o, uint8_t tag, const struct cv_digest *d);
void cv_out_blob(struct cv_out *o, uint8_t tag, struct cv_blob b);
void cv_out_fd(struct cv_out *o, uint8_t tag, int fd); /* for cv_frame_fd */

/* ---- reading ---- */

struct cv_frame {
	uint8_t b[CV_MAX_FRAME + 1]; /* one more than allowed, for a NUL */
	uint8_t kind;
	bool bad;      /* sticky: an accessor found a field missing or malformed */
	uint8_t wrong; /* the tag of that field */
	struct cv_span field[CV_FRAME_TAGS];
	uint64_t seen;
	int fds[CV_MAX_FRAME_FDS]; /* owned; -1 once taken */
	unsigned nfds;
};

bool cv_frame_has(const struct cv_frame *f, uint8_t tag);

/* Accessors of required fields. Missing or malformed sets f->bad and yields
 * zero, "", an empty span, none. Strings are NUL-terminated in the frame and
 * live as long as its content. cv_frame_u64 wants at most max. */
uint64_t cv_frame_u64(struct cv_frame *f, uint8_t tag, uint64_t max);
const char *cv_frame_str(struct cv_frame *f, uint8_t tag, size_t max);
struct cv_span cv_frame_bytes(struct cv_frame *f, uint8_t tag, size_t max);
struct cv_digest cv_frame_digest(struct cv_frame *f, uint8_t tag);

/* cv_frame_blob: takes the descriptor out of the frame: the caller closes it.
 * Refused (bad) unless the descriptor is a regular file or memfd, the range
 * lies within its present size and the len is at most max. */
struct cv_blob cv_frame_blob(struct cv_frame *f, uint8_t tag, uint64_t max);

/* cv_frame_fd: the same for a descriptor of any kind (a pipe, an output). */
int cv_frame_fd(struct cv_frame *f, uint8_t tag);

/* cv_frame_done: 0 if no accessor failed; else CV_R_WORKER and what. */
int cv_frame_done(const struct cv_frame *f, const char *what, struct cv_err *e) cv_must;

/* cv_frame_clear: close descriptors that were not taken, forget the content. */
void cv_frame_clear(struct cv_frame *f);

/* ---- the channel ---- */

/* Both wait at most until `deadline` (cv_mono_ms scale, 0 none) and give up
 * with CV_R_CANCELLED when cancel_fd (-1 none) becomes readable. */
int cv_frame_send(int sock, const struct cv_out *o, int64_t deadline, int cancel_fd,
		  struct cv_err *e) cv_must;

/* cv_frame_recv: f is all zero before its first use; what it held is cleared.
 * 1 a frame, 0 the peer closed, -1 failed. CV_R_WORKER for a
 * malformed or oversized frame, CV_R_DEADLINE, CV_R_CANCELLED. */
int cv_frame_recv(int sock, struct cv_frame *f, int64_t deadline, int cancel_fd,
		  struct cv_err *e) cv_must;

/* cv_frame_parse: the pure half of cv_frame_recv, over f->b[0..n). */
int cv_frame_parse(struct cv_frame *f, size_t n, struct cv_err *e) cv_must;

#endif
