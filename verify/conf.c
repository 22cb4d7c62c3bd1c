/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.c: see conf.h. Memory, files and the common head of our own documents.
 * Must never leave half a file under a name, nor hide trouble of this process
 * behind a mistake of the user.
 */
#include "verify/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* ---- memory ---- */

struct cv_mem_block {
	struct cv_mem_block *next;
	max_align_t data[];
};

void *
cv_mem_get(struct cv_mem *m, size_t n, size_t size, struct cv_err *e)
{
	struct cv_mem_block *b = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes) &&
	    !__builtin_add_overflow(bytes, sizeof(*b), &bytes))
		b = calloc(1, bytes);
	if (b == NULL) {
		cv_fail_memory(e);
		return NULL;
	}
	b->next = m->head;
	m->head = b;
	return b->data;
}

const char *
cv_mem_bytes(struct cv_mem *m, struct cv_span s, struct cv_err *e)
{
	char *copy = cv_mem_get(m, s.n + 1, 1, e);

	if (copy != NULL && s.n > 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

const char *
cv_mem_str(struct cv_mem *m, const char *s, struct cv_err *e)
{
	return cv_mem_bytes(m, cv_span_str(s), e);
}

const char *
cv_mem_fmt(struct cv_mem *m, struct cv_err *e, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		text = cv_mem_get(m, (size_t)n + 1, 1, e);
	else
		cv_fail_memory(e);
	if (text != NULL)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void
cv_mem_free(struct cv_mem *m)
{
	struct cv_mem_block *b = m->head;

	while (b != NULL) {
		struct cv_mem_block *next = b->next;

		free(b);
		b = next;
	}
	m->head = NULL;
}

/* ---- files ---- */

int
cv_conf_reason(struct cv_err *e)
{
	if (e == NULL)
		return -1;
	switch (e->reason) {
	case CV_R_MALFORMED:
	case CV_R_AMBIGUOUS:
	case CV_R_LIMIT:
	case CV_R_UNSUPPORTED:
	case CV_R_USAGE:
	case CV_R_CUTOFF:
		e->reason = CV_R_CONFIG;
		break;
	default:
		break;
	}
	return -1;
}

int
cv_conf_errno(struct cv_err *e, const char *fmt, ...)
{
	static const int slips[] = { ENOENT,       ENOTDIR, EISDIR, EACCES, EPERM, ELOOP,
				     ENAMETOOLONG, ENXIO,   ENODEV, EINVAL, EBUSY };
	int error = errno;
	char text[CV_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	errno = error;
	(void)cv_fail_errno(e, "%s", text);
	for (size_t i = 0; i < CV_COUNT(slips); i++)
		if (error == slips[i] && e != NULL)
			e->reason = CV_R_CONFIG;
	return -1;
}

int
cv_conf_at(struct cv_err *e, const char *file, struct cv_jpos pos, const char *fmt, ...)
{
	char text[CV_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (pos.line == 0)
		return cv_fail(e, CV_R_CONFIG, "%s: %s", file, text);
	return cv_fail(e, CV_R_CONFIG, "%s:%u:%u: %s", file, pos.line, pos.column, text);
}

int
cv_conf_read(struct cv_buf *out, int dirfd, const char *path, size_t max, struct cv_err *e)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hang us */
	cv_auto(cv_closep) int fd =
		openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return cv_conf_errno(e, "%s", path);
	if (fstat(fd, &st) != 0)
		return cv_fail_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return cv_fail(e, CV_R_CONFIG, "%s: found %s, want a regular file", path,
			       S_ISDIR(st.st_mode) ? "a directory" : "something else");
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return cv_fail(e, CV_R_CONFIG, "%s: found %lld bytes, want at most %zu", path,
			       (long long)st.st_size, max);
	if (out->max > out->n + max)
		out->max = out->n + max;
	if (cv_buf_read_fd(out, fd, path, e) != 0)
		return cv_conf_reason(e);
	return 1;
}

/* write_temp: a new file `temp` in dir with these bytes, on the disk. */
static int
write_temp(int dir, const char *temp, const char *path, struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_closep) int fd =
		openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return cv_conf_errno(e, "%s: cannot write beside it", path);
	if (cv_write_all(fd, in.p, in.n, path, e) != 0)
		return -1;
	if (fsync(fd) != 0)
		return cv_fail_errno(e, "%s: cannot sync", path);
	return 0;
}

static int
open_parent(const char *path, const char **base, struct cv_err *e)
{
	const char *slash = strrchr(path, '/');
	struct cv_mem m = { 0 };
	const char *dir = ".";
	int fd;

	*base = slash != NULL ? slash + 1 : path;
	if (**base == '\0' || strcmp(*base, ".") == 0 || strcmp(*base, "..") == 0)
		return cv_fail(e, CV_R_USAGE, "%s: not the name of a file", path);
	if (slash == path)
		dir = "/";
	else if (slash != NULL)
		dir = cv_mem_bytes(&m, cv_span(path, (size_t)(slash - path)), e);
	if (dir == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		cv_conf_errno(e, "%s", dir);
	cv_mem_free(&m);
	return fd;
}

int
cv_conf_write(const char *path, struct cv_span in, struct cv_err *e)
{
	const char *base;
	cv_auto(cv_closep) int dir = open_parent(path, &base, e);
	uint8_t random[8];
	char temp[64], hex[17];

	if (dir < 0)
		return -1;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return cv_fail_errno(e, "%s: no random name", path);
	cv_hex_encode(hex, random, sizeof(random));
	snprintf(temp, sizeof(temp), ".clawverify-%s.tmp", hex);
	if (write_temp(dir, temp, path, in, e) != 0) {
		unlinkat(dir, temp, 0);
		return -1;
	}
	if (renameat(dir, temp, dir, base) != 0) {
		cv_conf_errno(e, "%s: cannot replace", path);
		unlinkat(dir, temp, 0);
		return -1;
	}
	/* the new name itself has to be on the disk too */
	if (fsync(dir) != 0)
		return cv_fail_errno(e, "%s: cannot sync its directory", path);
	return 0;
}

int
cv_conf_dir(const char *path, struct cv_err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	struct cv_mem m = { 0 };
	const char *dir = n == 0 ? "." : cv_mem_bytes(&m, cv_span(path, n), e);
	int fd;

	if (dir == NULL)
		return -1;
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		cv_conf_errno(e, "%s", dir);
	cv_mem_free(&m);
	return fd;
}

/* ---- documents ---- */

static int
check_schema(struct cv_jv root, const char *schema, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(root, "schema");
	const char *found;

	if (cv_jv_want(root, CV_J_OBJECT, e) != 0)
		return -1;
	if (v.absent)
		return cv_jv_fail(root, e, CV_R_CONFIG, "found no \"schema\", want \"%s\"", schema);
	if (cv_jv_str(v, &found, e) != 0)
		return -1;
	if (strcmp(found, schema) != 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found schema \"%s\", want \"%s\"", found,
				  schema);
	return 0;
}

int
cv_conf_parse(struct cv_jdoc **ret, const char *name, struct cv_span in, unsigned flags,
	      const char *schema, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;

	if (cv_json_parse(&doc, name, in, flags, e) != 0)
		return cv_conf_reason(e);
	if (check_schema(cv_json_root(doc), schema, e) != 0)
		return cv_conf_reason(e);
	*ret = cv_steal(doc);
	return 0;
}
