/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.c: control messages. The other side may be hostile: nothing of a frame
 * is used before all of it was checked, and no descriptor that came with one
 * may be lost or survive exec.
 */
#include "trust/base/frame.h"
#include "trust/base/clock.h"
#include "trust/base/proto.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define HEAD       2 /* version, kind */
#define BLOB_FIELD (1 + 8 + 8)

/* ---- writing ---- */

void
cv_out_start(struct cv_out *o, uint8_t kind)
{
	o->b[0] = CV_FRAME_VERSION;
	o->b[1] = kind;
	o->n = HEAD;
	o->bad = kind == 0 || kind >= CV_K__LAST;
	o->seen = 0;
	o->nfds = 0;
}

static void
put_le(uint8_t *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

/* Start a field; where its n bytes go, NULL if it cannot be. */
static uint8_t *
field(struct cv_out *o, uint8_t tag, size_t n)
{
	uint8_t *p = o->b + o->n;

	if (tag == 0 || tag >= CV_TAG__LAST || (o->seen >> tag & 1) != 0 || n > CV_MAX_FRAME ||
	    o->n < HEAD || CV_MAX_FRAME - o->n < 1 + 4 + n)
		o->bad = true;
	if (o->bad)
		return NULL;
	o->seen |= (uint64_t)1 << tag;
	p[0] = tag;
	put_le(p + 1, n, 4);
	o->n += 1 + 4 + n;
	return p + 1 + 4;
}

void
cv_out_u64(struct cv_out *o, uint8_t tag, uint64_t v)
{
	uint8_t *p = field(o, tag, 8);

	if (p != NULL)
		put_le(p, v, 8);
}

void
cv_out_bytes(struct cv_out *o, uint8_t tag, struct cv_span s)
{
	uint8_t *p;

	if (s.bad)
		o->bad = true;
	p = field(o, tag, s.n);
	if (p != NULL && s.n != 0)
		memcpy(p, s.p, s.n);
}

void
cv_out_str(struct cv_out *o, uint8_t tag, const char *s)
{
	if (s == NULL)
		o->bad = true;
	cv_out_bytes(o, tag, cv_span_str(s));
}

void
cv_out_digest(struct cv_out *o, uint8_t tag, const struct cv_digest *d)
{
	size_t n = cv_alg_size(d->alg);
	uint8_t *p;

	if (n == 0)
		o->bad = true;
	p = field(o, tag, 1 + n);
	if (p != NULL) {
		p[0] = (uint8_t)d->alg;
		memcpy(p + 1, d->b, n);
	}
}

static uint8_t
attach(struct cv_out *o, int fd)
{
	if (fd < 0 || o->nfds >= CV_MAX_FRAME_FDS) {
		o->bad = true;
		return 0;
	}
	o->fds[o->nfds] = fd;
	return (uint8_t)o->nfds++;
}

void
cv_out_blob(struct cv_out *o, uint8_t tag, struct cv_blob b)
{
	uint8_t index = attach(o, b.fd);
	uint8_t *p = field(o, tag, BLOB_FIELD);

	if (p != NULL) {
		p[0] = index;
		put_le(p + 1, b.off, 8);
		put_le(p + 9, b.len, 8);
	}
}

void
cv_out_fd(struct cv_out *o, uint8_t tag, int fd)
{
	uint8_t index = attach(o, fd);
	uint8_t *p = field(o, tag, 1);

	if (p != NULL)
		p[0] = index;
}

/* ---- reading ---- */

int
cv_frame_parse(struct cv_frame *f, size_t n, struct cv_err *e)
{
	struct cv_span s, value;
	uint8_t version, tag;

	f->bad = false;
	f->wrong = 0;
	f->seen = 0;
	f->kind = 0;
	if (n < HEAD || n > CV_MAX_FRAME)
		return cv_fail(e, CV_R_WORKER, "frame of %zu bytes, want %d to %d", n, HEAD,
			       CV_MAX_FRAME);
	s = cv_span(f->b, n);
	version = cv_span_u8(&s);
	f->kind = cv_span_u8(&s);
	if (version != CV_FRAME_VERSION)
		return cv_fail(e, CV_R_WORKER, "frame version %u, want %d", version,
			       CV_FRAME_VERSION);
	if (f->kind == 0 || f->kind >= CV_K__LAST)
		return cv_fail(e, CV_R_WORKER, "frame of unknown kind %u", f->kind);
	while (s.n > 0) {
		size_t at = n - s.n;

		tag = cv_span_u8(&s);
		/* The place of a tag ends the string before it. */
		f->b[at] = '\0';
		value = cv_span_take(&s, cv_span_u32le(&s));
		if (s.bad)
			return cv_fail(e, CV_R_WORKER, "frame of kind %u: field %u is cut off",
				       f->kind, tag);
		if (tag == 0 || tag >= CV_TAG__LAST)
			return cv_fail(e, CV_R_WORKER, "frame of kind %u: unknown field %u",
				       f->kind, tag);
		if (cv_frame_has(f, tag))
			return cv_fail(e, CV_R_WORKER, "frame of kind %u: field %u twice", f->kind,
				       tag);
		f->field[tag] = value;
		f->seen |= (uint64_t)1 << tag;
	}
	f->b[n] = '\0';
	return 0;
}

bool
cv_frame_has(const struct cv_frame *f, uint8_t tag)
{
	return tag < CV_FRAME_TAGS && (f->seen >> tag & 1) != 0;
}

static void
wrong(struct cv_frame *f, uint8_t tag)
{
	if (!f->bad)
		f->wrong = tag;
	f->bad = true;
}

/* The bytes of a field; a bad span when it is not there. */
static struct cv_span
get(const struct cv_frame *f, uint8_t tag)
{
	if (!cv_frame_has(f, tag))
		return (struct cv_span){ .p = NULL, .n = 0, .bad = true };
	return f->field[tag];
}

uint64_t
cv_frame_u64(struct cv_frame *f, uint8_t tag, uint64_t max)
{
	struct cv_span s = get(f, tag);
	uint64_t v = cv_span_u64le(&s);

	if (cv_span_done(&s) && v <= max)
		return v;
	wrong(f, tag);
	return 0;
}

struct cv_span
cv_frame_bytes(struct cv_frame *f, uint8_t tag, size_t max)
{
	struct cv_span s = get(f, tag);

	if (!s.bad && s.n <= max)
		return s;
	wrong(f, tag);
	return cv_span(NULL, 0);
}

const char *
cv_frame_str(struct cv_frame *f, uint8_t tag, size_t max)
{
	struct cv_span s = get(f, tag);

	if (!s.bad && s.n <= max && (s.n == 0 || memchr(s.p, '\0', s.n) == NULL))
		return (const char *)s.p; /* cv_frame_parse put a NUL after it */
	wrong(f, tag);
	return "";
}

struct cv_digest
cv_frame_digest(struct cv_frame *f, uint8_t tag)
{
	struct cv_span s = get(f, tag);
	struct cv_digest d = { .alg = (enum cv_alg)cv_span_u8(&s) };
	size_t n = cv_alg_size(d.alg);
	struct cv_span b = cv_span_take(&s, n);

	if (n == 0 || !cv_span_done(&s)) {
		wrong(f, tag);
		return (struct cv_digest){ .alg = CV_ALG_NONE };
	}
	memcpy(d.b, b.p, n);
	return d;
}

/* The descriptor that a field names, still the frame's; NULL if there is none. */
static int *
named_fd(struct cv_frame *f, struct cv_span *s)
{
	uint8_t index = cv_span_u8(s);

	if (s->bad || index >= f->nfds || f->nfds > CV_MAX_FRAME_FDS || f->fds[index] < 0)
		return NULL;
	return &f->fds[index];
}

static int
take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

struct cv_blob
cv_frame_blob(struct cv_frame *f, uint8_t tag, uint64_t max)
{
	struct cv_span s = get(f, tag);
	int *fd = named_fd(f, &s);
	struct cv_blob b = { .fd = -1 };
	struct stat st;
	uint64_t size;

	b.off = cv_span_u64le(&s);
	b.len = cv_span_u64le(&s);
	if (cv_span_done(&s) && fd != NULL && b.len <= max && fstat(*fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size >= 0) {
		size = (uint64_t)st.st_size;
		if (b.off <= size && b.len <= size - b.off) {
			b.fd = take_fd(fd);
			return b;
		}
	}
	wrong(f, tag);
	return CV_NO_BLOB;
}

int
cv_frame_fd(struct cv_frame *f, uint8_t tag)
{
	struct cv_span s = get(f, tag);
	int *fd = named_fd(f, &s);

	if (cv_span_done(&s) && fd != NULL)
		return take_fd(fd);
	wrong(f, tag);
	return -1;
}

int
cv_frame_done(const struct cv_frame *f, const char *what, struct cv_err *e)
{
	if (!f->bad)
		return 0;
	return cv_fail(e, CV_R_WORKER, "%s: field %u of a frame of kind %u is missing or malformed",
		       what, f->wrong, f->kind);
}

void
cv_frame_clear(struct cv_frame *f)
{
	for (unsigned i = 0; i < f->nfds && i < CV_MAX_FRAME_FDS; i++)
		cv_closep(&f->fds[i]);
	f->nfds = 0;
	f->seen = 0;
	f->kind = 0;
	f->bad = false;
	f->wrong = 0;
}

/* ---- the channel ---- */

#define RETRY_MS 5 /* while too many descriptors are on their way */

/* Wait for `events` of sock (0: just a moment). 0 go on, -1 give up. */
static int
await(int sock, short events, int64_t deadline, int cancel_fd, struct cv_err *e)
{
	struct pollfd p[2] = { { .fd = events == 0 ? -1 : sock, .events = events },
			       { .fd = cancel_fd, .events = POLLIN } };
	int left = cv_mono_left(deadline), n;

	if (left == 0)
		return cv_fail(e, CV_R_DEADLINE, "out of time");
	if (events == 0 && (left < 0 || left > RETRY_MS))
		left = RETRY_MS;
	n = poll(p, 2, left);
	if (n < 0 && errno != EINTR)
		return cv_fail_errno(e, "cannot wait for the other side");
	if (n > 0 && p[1].revents != 0)
		return cv_fail(e, CV_R_CANCELLED, "cancelled");
	return 0; /* ready, or interrupted: the caller tries and comes back */
}

static ssize_t
try_send(int sock, const struct cv_out *o)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(o->fds))];
	} control = { .b = { 0 } };
	struct iovec iov = { .iov_base = NULL, .iov_len = o->n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	size_t n = o->nfds * sizeof(o->fds[0]);

	memcpy(&iov.iov_base, &(const void *){ o->b }, sizeof(void *)); /* sendmsg only reads */
	if (n != 0) {
		msg.msg_control = control.b;
		msg.msg_controllen = CMSG_SPACE(n);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n);
		memcpy(CMSG_DATA(c), o->fds, n);
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
cv_frame_send(int sock, const struct cv_out *o, int64_t deadline, int cancel_fd, struct cv_err *e)
{
	ssize_t sent;

	if (o->bad)
		return cv_fail(e, CV_R_BUG, "a frame of kind %u was put together wrongly", o->b[1]);
	/* A peer that always has room must not outrun the deadline. */
	if ((deadline != 0 || cancel_fd >= 0) && await(sock, POLLOUT, deadline, cancel_fd, e) != 0)
		return -1;
	for (;;) {
		sent = try_send(sock, o);
		if (sent == (ssize_t)o->n)
			return 0;
		if (sent >= 0)
			return cv_fail(e, CV_R_BUG, "a frame was sent in part");
		switch (errno) {
		case EINTR:
			continue;
		case EAGAIN:
		case ENOBUFS:
		case ETOOMANYREFS:
			if (await(sock, errno == EAGAIN ? POLLOUT : 0, deadline, cancel_fd, e) != 0)
				return -1;
			continue;
		case EPIPE:
		case ECONNRESET:
			return cv_fail(e, CV_R_WORKER, "the other side has closed its socket");
		default:
			return cv_fail_errno(e, "cannot send a frame");
		}
	}
}

/* Keep the descriptors of a message that are allowed, close all others. */
static bool
keep_fds(struct cv_frame *f, struct msghdr *msg)
{
	bool good = true;
	int fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			good = false;
			continue;
		}
		for (size_t at = 0; at + sizeof(fd) <= c->cmsg_len - CMSG_LEN(0);
		     at += sizeof(fd)) {
			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			if (f->nfds < CV_MAX_FRAME_FDS) {
				f->fds[f->nfds++] = fd;
			} else {
				cv_closep(&fd);
				good = false;
			}
		}
	}
	return good;
}

/* 1 a whole frame of *n bytes, 0 closed, -1 failed with errno or, if that is 0,
 * a message that is refused. */
static int
try_recv(int sock, struct cv_frame *f, size_t *n)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(f->fds))];
	} control;
	struct iovec iov = { .iov_base = f->b, .iov_len = CV_MAX_FRAME };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.b,
			      .msg_controllen = sizeof(control.b) };
	ssize_t got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	bool good;

	if (got < 0)
		return errno == ECONNRESET ? 0 : -1;
	good = keep_fds(f, &msg) && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
	if (!good || (got == 0 && f->nfds != 0)) {
		errno = 0;
		return -1;
	}
	*n = (size_t)got;
	return got == 0 ? 0 : 1;
}

int
cv_frame_recv(int sock, struct cv_frame *f, int64_t deadline, int cancel_fd, struct cv_err *e)
{
	size_t n = 0;
	int rc;

	cv_frame_clear(f);
	if ((deadline != 0 || cancel_fd >= 0) && await(sock, POLLIN, deadline, cancel_fd, e) != 0)
		return -1;
	while ((rc = try_recv(sock, f, &n)) < 0) {
		if (errno == 0) {
			cv_frame_clear(f);
			return cv_fail(
				e, CV_R_WORKER,
				"frame of more than %d bytes, or with more than %d descriptors",
				CV_MAX_FRAME, CV_MAX_FRAME_FDS);
		}
		if (errno == EAGAIN) {
			if (await(sock, POLLIN, deadline, cancel_fd, e) != 0)
				return -1;
		} else if (errno != EINTR) {
			return cv_fail_errno(e, "cannot receive a frame");
		}
	}
	if (rc > 0 && cv_frame_parse(f, n, e) != 0) {
		cv_frame_clear(f);
		return -1;
	}
	return rc;
}
