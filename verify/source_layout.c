/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_layout.c: the bytes of an OCI layout (image-spec, image-layout.md) on
 * the local disk. Must never follow a link, nor use a file's bytes before they
 * are in the store: whoever owns the layout may change it meanwhile.
 */
#include "verify/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trust/base/clock.h"

#include "trust/base/banned.h"

static int
open_beneath(int dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* Copying takes no worker, and so watches the clock by itself. */
static int
in_time(const struct cv_source *s, struct cv_err *e)
{
	struct pollfd p = { .fd = s->o.role == NULL ? -1 : s->o.role->cancel_fd, .events = POLLIN };

	if (s->o.role != NULL && cv_mono_left(s->o.role->deadline) == 0)
		return cv_fail(e, CV_R_DEADLINE, "out of time");
	if (poll(&p, 1, 0) > 0)
		return cv_fail(e, CV_R_CANCELLED, "cancelled");
	return 0;
}

/* copy_in: the layout's file may change under us, so its bytes go into the
 * store, hashed on the way, and only the store's copy is used. */
static int
copy_in(struct cv_source *s, int fd, const struct cv_digest *want, uint64_t size, uint64_t max,
	struct cv_got *got)
{
	cv_auto(cv_put_drop) struct cv_put *put = NULL;
	cv_auto(cv_freep) uint8_t *b = malloc(CV_MIB);
	struct cv_err *e = &got->err;
	ssize_t n;

	if (b == NULL)
		return cv_fail_memory(e);
	if (cv_put_open(&put, s->o.store, max, e) != 0)
		return -1;
	while ((n = read(fd, b, CV_MIB)) != 0) {
		if (in_time(s, e) != 0)
			return -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cv_fail_errno(e, "read");
		if (cv_put_add(put, b, (size_t)n, e) != 0)
			return -1;
		if (s->o.progress != NULL)
			s->o.progress(s->o.ctx, cv_put_size(put), size == CV_SIZE_ANY ? 0 : size);
	}
	if (cv_put_end(&put, want, size, &got->digest, &got->blob, e) != 0)
		return -1;
	if (want != NULL)
		got->digest = *want;
	got->status = CV_S_GIVEN;
	return 0;
}

/* open_part: 1 open, 0 it is not there, -1 it cannot be had, or is none of the
 * regular files beneath the layout that its format allows. */
static int
open_part(struct cv_source *s, const char *path, int *fd, uint64_t *size, struct cv_err *e)
{
	struct stat st;

	*fd = open_beneath(s->o.layout_fd, path);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (*fd < 0 && (errno == ELOOP || errno == EXDEV))
		return cv_fail(e, CV_R_RULE, "%s leads through a link", path);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return cv_fail_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return cv_fail(e, CV_R_RULE, "%s is not a regular file", path);
	*size = (uint64_t)st.st_size;
	return 1;
}

void
cv_layout_part(struct cv_source *s, const char *path, const struct cv_digest *want, uint64_t size,
	       uint64_t max, struct cv_got *got)
{
	cv_auto(cv_closep) int fd = -1;
	struct cv_err *e = &got->err;
	uint64_t found = 0;
	int rc;

	rc = open_part(s, path, &fd, &found, e);
	if (rc == 0) {
		got->status = CV_S_ABSENT;
		return;
	}
	if (rc > 0 && found > max) /* before much is copied for nothing */
		rc = cv_got_too_large(found, max, e);
	else if (rc > 0)
		rc = copy_in(s, fd, want, size, max, got);
	if (rc < 0) {
		cv_fail_within(e, "layout: %s", path);
		cv_got_failed(got, NULL);
	}
}

void
cv_layout_blob(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
	       struct cv_got *got)
{
	char text[CV_DIGEST_TEXT], path[CV_DIGEST_TEXT + 8];
	char *colon;

	cv_digest_text(want, text);
	colon = strchr(text, ':');
	if (colon == NULL) {
		got->status = CV_S_ABSENT;
		return;
	}
	*colon = '/';
	(void)snprintf(path, sizeof(path), "blobs/%s", text);
	cv_layout_part(s, path, want, size, max, got);
}
