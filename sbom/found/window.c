/* SPDX-License-Identifier: Apache-2.0 */
/* window.c: a cursor over a blob. Must never look outside the blob's range. */
#include "sbom/found/window.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

void
cv_window_open(struct cv_window *w, struct cv_blob blob)
{
	w->blob = blob;
	w->base = 0;
	w->at = 0;
	w->have = 0;
	w->bad = false;
	w->err.reason = CV_R_NONE;
	w->err.text[0] = '\0';
}

void
cv_window_open_bytes(struct cv_window *w, struct cv_span bytes)
{
	size_t n = bytes.n < sizeof w->buf ? bytes.n : sizeof w->buf;

	cv_window_open(w, (struct cv_blob){ .fd = -1, .len = n });
	if (n > 0)
		memcpy(w->buf, bytes.p, n);
	w->have = n;
}

/* refill: keep what was not consumed and read on behind it */
static bool
refill(struct cv_window *w)
{
	size_t kept = w->have - w->at, room;
	uint64_t next;
	ssize_t got;

	if (w->err.reason != CV_R_NONE || w->blob.fd < 0)
		return false;
	if (w->at > 0) {
		memmove(w->buf, w->buf + w->at, kept);
		w->base += w->at;
		w->at = 0;
		w->have = kept;
	}
	next = w->base + w->have;
	room = sizeof w->buf - w->have;
	if (next >= w->blob.len || room == 0)
		return false;
	if (room > w->blob.len - next)
		room = (size_t)(w->blob.len - next);
	do
		got = pread(w->blob.fd, w->buf + w->have, room, (off_t)(w->blob.off + next));
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		(void)cv_fail_errno(&w->err, "reading at byte %llu", (unsigned long long)next);
		return false;
	}
	if (got == 0) {
		(void)cv_fail(&w->err, CV_R_CUTOFF, "the file ends at byte %llu, want %llu bytes",
			      (unsigned long long)next, (unsigned long long)w->blob.len);
		return false;
	}
	w->have += (size_t)got;
	return true;
}

bool
cv_window_fill(struct cv_window *w)
{
	if (w->bad)
		return false;
	return w->at < w->have || refill(w);
}

struct cv_span
cv_window_look(struct cv_window *w, size_t n)
{
	if (n > sizeof w->buf)
		n = sizeof w->buf;
	while (!w->bad && w->have - w->at < n)
		if (!refill(w))
			break;
	if (w->bad)
		return cv_span(NULL, 0);
	if (n > w->have - w->at)
		n = w->have - w->at;
	return cv_span(w->buf + w->at, n);
}

struct cv_span
cv_window_take(struct cv_window *w, size_t n)
{
	struct cv_span s = cv_window_look(w, n);

	if (w->bad || s.n != n) {
		w->bad = true;
		s = cv_span(NULL, 0);
		s.bad = true;
		return s;
	}
	w->at += n;
	return s;
}

uint8_t
cv_window_u8(struct cv_window *w)
{
	struct cv_span s = cv_window_take(w, 1);

	return cv_span_u8(&s);
}

uint16_t
cv_window_u16le(struct cv_window *w)
{
	struct cv_span s = cv_window_take(w, 2);

	return cv_span_u16le(&s);
}

uint32_t
cv_window_u32le(struct cv_window *w)
{
	struct cv_span s = cv_window_take(w, 4);

	return cv_span_u32le(&s);
}

uint64_t
cv_window_u64le(struct cv_window *w)
{
	struct cv_span s = cv_window_take(w, 8);

	return cv_span_u64le(&s);
}

void
cv_window_seek(struct cv_window *w, uint64_t pos)
{
	if (w->bad)
		return;
	if (pos > w->blob.len) {
		w->bad = true;
		return;
	}
	if (pos >= w->base && pos - w->base <= w->have) {
		w->at = (size_t)(pos - w->base);
		return;
	}
	if (w->blob.fd < 0) { /* bytes in memory: all that is there is in buf */
		w->bad = true;
		return;
	}
	w->base = pos;
	w->at = 0;
	w->have = 0;
}

void
cv_window_skip(struct cv_window *w, uint64_t n)
{
	if (n > cv_window_left(w))
		w->bad = true;
	else
		cv_window_seek(w, cv_window_pos(w) + n);
}

int
cv_window_ok(const struct cv_window *w, const char *what, const char *part, struct cv_err *e)
{
	if (w->err.reason != CV_R_NONE) {
		if (e != NULL)
			*e = w->err;
		return cv_fail_within(e, "%s", what);
	}
	if (w->bad)
		return cv_fail(e, CV_R_MALFORMED, "%s: ends at byte %llu, in the middle of %s",
			       what, (unsigned long long)w->blob.len, part);
	return 0;
}

int
cv_blob_part(struct cv_blob *ret, struct cv_blob whole, uint64_t off, uint64_t n, struct cv_err *e)
{
	if (off > whole.len || n > whole.len - off)
		return cv_fail(e, CV_R_MALFORMED, "bytes %llu and %llu more, of %llu",
			       (unsigned long long)off, (unsigned long long)n,
			       (unsigned long long)whole.len);
	*ret = (struct cv_blob){ .fd = whole.fd, .off = whole.off + off, .len = n };
	return 0;
}
