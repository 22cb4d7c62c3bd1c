/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c: growable bytes. Must never hold more than the maximum it was made
 * with, and never lose an append without saying so. */
#include "trust/base/buf.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* Room for n more bytes and a NUL; sets failed when there is none. */
static bool
room(struct cv_buf *b, size_t n)
{
	size_t want, cap;
	uint8_t *p;

	if (b->failed != CV_R_NONE)
		return false;
	if (n > b->max || b->n > b->max - n || b->max == SIZE_MAX) {
		b->failed = CV_R_LIMIT;
		return false;
	}
	want = b->n + n + 1;
	if (want <= b->cap)
		return true;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = CV_R_MEMORY;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

uint8_t *
cv_buf_extend(struct cv_buf *b, size_t n)
{
	uint8_t *p;

	if (!room(b, n))
		return NULL;
	p = b->p + b->n;
	b->n += n;
	b->p[b->n] = '\0';
	return p;
}

void
cv_buf_add(struct cv_buf *b, const void *p, size_t n)
{
	uint8_t *to = cv_buf_extend(b, n);

	if (to != NULL && n != 0)
		memcpy(to, p, n);
}

void
cv_buf_str(struct cv_buf *b, const char *s)
{
	cv_buf_add(b, s, strlen(s));
}

void
cv_buf_byte(struct cv_buf *b, uint8_t byte)
{
	cv_buf_add(b, &byte, 1);
}

void
cv_buf_fmt(struct cv_buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		if (b->failed == CV_R_NONE)
			b->failed = CV_R_MEMORY;
		return;
	}
	to = cv_buf_extend(b, (size_t)n);
	if (to == NULL)
		return;
	va_start(ap, fmt);
	if (vsnprintf((char *)to, (size_t)n + 1, fmt, ap) != n)
		b->failed = CV_R_MEMORY;
	va_end(ap);
}

static void
add_le(struct cv_buf *b, uint64_t v, size_t n)
{
	uint8_t *to = cv_buf_extend(b, n);

	for (size_t i = 0; to != NULL && i < n; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

void
cv_buf_u16le(struct cv_buf *b, uint16_t v)
{
	add_le(b, v, 2);
}

void
cv_buf_u32le(struct cv_buf *b, uint32_t v)
{
	add_le(b, v, 4);
}

void
cv_buf_u64le(struct cv_buf *b, uint64_t v)
{
	add_le(b, v, 8);
}

int
cv_buf_ok(const struct cv_buf *b, const char *what, struct cv_err *e)
{
	switch (b->failed) {
	case CV_R_NONE:
		return 0;
	case CV_R_LIMIT:
		return cv_fail(e, CV_R_LIMIT, "%s: longer than %zu bytes, the most accepted", what,
			       b->max);
	default:
		return cv_fail(e, b->failed, "%s: out of memory after %zu bytes", what, b->n);
	}
}

static ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do {
		got = read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* How much to read at once: what is left of a regular file, 0 when that seems
 * to be nothing; a chunk of anything else. */
static size_t
guess(int fd, size_t left)
{
	struct stat st;
	uint64_t n = 64 * 1024;
	off_t at;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		at = lseek(fd, 0, SEEK_CUR);
		if (at >= 0)
			n = at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
	}
	return n < left ? (size_t)n : left;
}

int
cv_buf_read_fd(struct cv_buf *b, int fd, const char *what, struct cv_err *e)
{
	uint8_t past; /* a byte that should not be there needs no room of its own */
	size_t chunk;
	ssize_t got;

	for (;;) {
		if (cv_buf_ok(b, what, e) != 0)
			return -1;
		chunk = guess(fd, b->max > b->n ? b->max - b->n : 0);
		if (chunk == 0) {
			got = read_some(fd, &past, 1);
			if (got > 0)
				cv_buf_byte(b, past);
		} else {
			if (!room(b, chunk))
				continue;
			got = read_some(fd, b->p + b->n, chunk);
			if (got > 0)
				b->n += (size_t)got;
			b->p[b->n] = '\0';
		}
		if (got < 0)
			return cv_fail_errno(e, "%s: cannot read", what);
		if (got == 0)
			return 0;
	}
}

int
cv_buf_pread(struct cv_buf *b, int fd, uint64_t off, uint64_t len, const char *what,
	     struct cv_err *e)
{
	size_t before = b->n, want = (size_t)len, done = 0;
	uint8_t *to;
	ssize_t got;

	if (len > SIZE_MAX - 1 && b->failed == CV_R_NONE)
		b->failed = CV_R_LIMIT;
	if (cv_buf_ok(b, what, e) != 0)
		return -1;
	if (len > INT64_MAX || off > INT64_MAX - len)
		return cv_fail(e, CV_R_CUTOFF, "%s: no file has byte %llu", what,
			       (unsigned long long)off);
	to = cv_buf_extend(b, want);
	if (to == NULL)
		return cv_buf_ok(b, what, e);
	while (done < want) {
		got = pread(fd, to + done, want - done, (off_t)(off + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			b->n = before;
			b->p[b->n] = '\0';
			if (got < 0)
				return cv_fail_errno(e, "%s: cannot read", what);
			return cv_fail(e, CV_R_CUTOFF, "%s: ends after %llu bytes, want %llu", what,
				       (unsigned long long)(off + done),
				       (unsigned long long)(off + len));
		}
		done += (size_t)got;
	}
	return 0;
}

const char *
cv_buf_text(const struct cv_buf *b)
{
	return b->n == 0 ? "" : (const char *)b->p;
}

char *
cv_buf_steal(struct cv_buf *b)
{
	char *p;

	if (b->failed != CV_R_NONE || b->n == 0)
		return NULL;
	p = (char *)b->p;
	*b = CV_BUF(b->max);
	return p;
}

struct cv_span
cv_buf_span(const struct cv_buf *b)
{
	return cv_span(b->p, b->n);
}

void
cv_buf_reset(struct cv_buf *b)
{
	b->n = 0;
	b->failed = CV_R_NONE;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void
cv_buf_free(struct cv_buf *b)
{
	cv_freep(&b->p);
	*b = CV_BUF(b->max);
}

int
cv_write_all(int fd, const void *p, size_t n, const char *what, struct cv_err *e)
{
	const uint8_t *from = p;
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	ssize_t put;

	while (n > 0) {
		put = write(fd, from, n);
		if (put > 0) {
			from += put;
			n -= (size_t)put;
		} else if (put < 0 && errno == EAGAIN) {
			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return cv_fail_errno(e, "%s: cannot write", what);
		} else if (put == 0 || errno != EINTR) {
			if (put == 0)
				errno = EIO;
			return cv_fail_errno(e, "%s: cannot write", what);
		}
	}
	return 0;
}
