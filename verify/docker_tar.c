/* SPDX-License-Identifier: Apache-2.0 */
/* docker_tar.c: see docker.h. Must never finish an archive of which a byte is
 * not what was sealed. */
#include "verify/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "verify/bundle_dir.h"
#include "trust/base/banned.h"

#define BLOCK     512
#define CHUNK     (256 * 1024)
#define OCTAL_MAX 077777777777ull /* eleven digits */

/* Where the stream goes. */
struct sink {
	int sock;
	int64_t deadline;
	int cancel_fd;
};

/* send_all: MSG_NOSIGNAL: a CLI that ends early is an error, not our death. */
static int
send_all(const struct sink *s, const void *p, size_t n, struct cv_err *e)
{
	const uint8_t *b = p;

	while (n > 0) {
		struct pollfd wait[2] = { { .fd = s->sock, .events = POLLOUT },
					  { .fd = s->cancel_fd, .events = POLLIN } };
		ssize_t sent = send(s->sock, b, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (sent > 0) {
			b += sent;
			n -= (size_t)sent;
			continue;
		}
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			return cv_fail(e, CV_R_CUTOFF, "the engine took only part of the image");
		r = poll(wait, 2, cv_mono_left(s->deadline));
		if (r < 0 && errno != EINTR)
			return cv_fail_errno(e, "poll");
		if (r == 0)
			return cv_fail(e, CV_R_DEADLINE,
				       "the engine did not take the image in time");
		if (r > 0 && wait[1].revents != 0)
			return cv_fail(e, CV_R_CANCELLED, "cancelled");
	}
	return 0;
}

/* size_field: octal, or base-256 (the form of GNU tar and of Go's archive/tar)
 * for what eleven octal digits cannot hold. */
static void
size_field(uint8_t f[12], uint64_t size)
{
	char text[13];
	int i;

	if (size <= OCTAL_MAX) {
		(void)snprintf(text, sizeof(text), "%011llo", (unsigned long long)size);
		memcpy(f, text, 12);
		return;
	}
	memset(f, 0, 12);
	f[0] = 0x80;
	for (i = 11; i > 3; i--, size >>= 8)
		f[i] = (uint8_t)(size & 0xff);
}

/* header: POSIX.1-1988 ustar, a regular file. */
static int
header(uint8_t h[BLOCK], const char *name, uint64_t size, struct cv_err *e)
{
	unsigned sum = 0, i;
	char text[8];

	memset(h, 0, BLOCK);
	if (strlen(name) > 100)
		return cv_fail(e, CV_R_BUG, "%s: too long a name for a layout", name);
	memcpy(h, name, strlen(name));
	memcpy(h + 100, "0000444", 8);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	size_field(h + 124, size);
	memcpy(h + 136, "00000000000", 12);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	for (i = 0; i < BLOCK; i++)
		sum += h[i];
	(void)snprintf(text, sizeof(text), "%06o", sum);
	memcpy(h + 148, text, 7); /* its NUL, then the blank that is there */
	return 0;
}

static int
send_bytes(const struct sink *s, int fd, const struct cv_member *m, struct cv_hash *hash,
	   struct cv_err *e)
{
	cv_auto(cv_freep) uint8_t *chunk = malloc(CHUNK);
	uint64_t done = 0;

	if (chunk == NULL)
		return cv_fail_memory(e);
	while (done < m->size) {
		size_t part = m->size - done < CHUNK ? (size_t)(m->size - done) : CHUNK;
		ssize_t n = pread(fd, chunk, part, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cv_fail_errno(e, "%s", m->path);
		if (n == 0)
			return cv_fail(e, CV_R_DIGEST, "%s: shorter than sealed", m->path);
		if (cv_hash_add(hash, chunk, (size_t)n, e) != 0 ||
		    send_all(s, chunk, (size_t)n, e) != 0)
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

static int
send_member(const struct sink *s, const struct cv_bundle *b, const struct cv_member *m,
	    struct cv_err *e)
{
	static const uint8_t zero[BLOCK];
	cv_auto(cv_closep) int fd = cv_beneath(b->fd, m->path, O_RDONLY | O_NOFOLLOW, 0);
	cv_auto(cv_hash_free) struct cv_hash *hash = NULL;
	struct cv_digest got;
	uint8_t h[BLOCK];

	if (fd < 0)
		return cv_fail_errno(e, "%s", m->path);
	if (header(h, m->path + strlen(CV_LAUNCH_OCI "/"), m->size, e) != 0 ||
	    cv_hash_open(&hash, CV_SHA256, e) != 0 || send_all(s, h, BLOCK, e) != 0 ||
	    send_bytes(s, fd, m, hash, e) != 0 || cv_hash_end(hash, &got, e) != 0)
		return -1;
	if (!cv_digest_eq(&got, &m->digest))
		return cv_fail(e, CV_R_DIGEST, "%s: changed while it was given to the engine",
			       m->path);
	return send_all(s, zero, (size_t)((BLOCK - m->size % BLOCK) % BLOCK), e);
}

int
cv_docker_tar(const struct cv_bundle *b, int sock, int64_t deadline, int cancel_fd,
	      struct cv_err *e)
{
	static const uint8_t end[2 * BLOCK];
	const struct sink s = { .sock = sock, .deadline = deadline, .cancel_fd = cancel_fd };
	size_t i;

	for (i = 0; i < b->members.n; i++) {
		const struct cv_member *m = &b->members.v[i];

		if (strncmp(m->path, CV_LAUNCH_OCI "/", strlen(CV_LAUNCH_OCI "/")) == 0 &&
		    send_member(&s, b, m, e) != 0)
			return -1;
	}
	return send_all(&s, end, sizeof(end), e);
}
