/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c: the files that advisories come in. The one place of this folder where
 * libarchive is used (the contents worker only). Never takes an archive that
 * breaks off for a shorter one.
 */
#include "dbwrite.h"

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define PIECE (64 * 1024)

struct source {
	struct cv_blob blob;
	uint64_t at;
	struct cv_err err; /* of our reading */
	uint8_t piece[PIECE];
};

struct import {
	struct cv_dbw *w;
	struct archive *a;
	struct source src;
	const char *name;
	uint64_t unpacked;
	struct cv_buf record;
};

static la_ssize_t
on_read(struct archive *a, void *ctx, const void **out)
{
	struct source *s = ctx;
	uint64_t left = s->blob.len - s->at;
	size_t n = left < PIECE ? (size_t)left : PIECE;

	*out = s->piece;
	if (n == 0)
		return 0;
	ssize_t r =
		TEMP_FAILURE_RETRY(pread(s->blob.fd, s->piece, n, (off_t)(s->blob.off + s->at)));
	if (r < 0)
		(void)cv_fail_errno(&s->err, "reading advisories");
	else if (r == 0)
		(void)cv_fail(&s->err, CV_R_CUTOFF, "the file of advisories became shorter");
	if (r <= 0) {
		archive_set_error(a, EIO, "%s", s->err.text);
		return ARCHIVE_FATAL;
	}
	s->at += (uint64_t)r;
	return r;
}

/* zip is read by its central directory, which is at the end. */
static la_int64_t
on_seek(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
	struct source *s = ctx;
	int64_t base = whence == SEEK_SET   ? 0
		       : whence == SEEK_CUR ? (int64_t)s->at
					    : (int64_t)s->blob.len;

	if (offset < -base || offset > (int64_t)s->blob.len - base) {
		archive_set_error(a, EINVAL, "a place outside the file");
		return ARCHIVE_FATAL;
	}
	s->at = (uint64_t)(base + offset);
	return (la_int64_t)s->at;
}

static int
archive_fail(struct import *im, struct cv_err *e)
{
	const char *why = archive_error_string(im->a);

	if (im->src.err.reason != CV_R_NONE) {
		*e = im->src.err;
		return -1;
	}
	if (archive_errno(im->a) == ENOMEM)
		return cv_fail_memory(e);
	return cv_fail(e, CV_R_MALFORMED, "%s: %s", im->name, why != NULL ? why : "broken");
}

static bool
ends_with(const char *s, const char *end)
{
	return cv_span_has_suffix(cv_span_str(s), end);
}

/* What the name says without the ending of its compression. */
static void
plain_name(char *out, size_t size, const char *name)
{
	static const char *const packed[] = { ".gz", ".zst", ".xz" };
	size_t n = strlen(name);

	for (size_t i = 0; i < CV_COUNT(packed); i++)
		if (ends_with(name, packed[i])) {
			n -= strlen(packed[i]);
			break;
		}
	cv_text_fmt(out, size, "%.*s", (int)n, name);
	if (ends_with(name, ".tgz"))
		cv_text_fmt(out, size, "%.*s.tar", (int)n - 4, name);
}

static int
open_archive(struct import *im, bool raw, struct cv_err *e)
{
	im->a = archive_read_new();
	if (im->a == NULL)
		return cv_fail_memory(e);
	/* ARCHIVE_WARN would mean an external program. */
	if (archive_read_support_filter_gzip(im->a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(im->a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(im->a) != ARCHIVE_OK)
		return cv_fail(e, CV_R_UNSUPPORTED, "%s: this libarchive lacks a compression",
			       im->name);
	int rc = raw ? archive_read_support_format_raw(im->a)
		     : archive_read_support_format_tar(im->a);
	if (!raw && rc == ARCHIVE_OK)
		rc = archive_read_support_format_zip_seekable(im->a);
	if (rc == ARCHIVE_OK)
		rc = archive_read_set_read_callback(im->a, on_read);
	if (rc == ARCHIVE_OK)
		rc = archive_read_set_seek_callback(im->a, on_seek);
	if (rc == ARCHIVE_OK)
		rc = archive_read_set_callback_data(im->a, &im->src);
	if (rc == ARCHIVE_OK)
		rc = archive_read_open1(im->a);
	return rc == ARCHIVE_OK ? 0 : archive_fail(im, e);
}

static int
count_bytes(struct import *im, size_t n, struct cv_err *e)
{
	im->unpacked += n;
	if (im->unpacked > CV_MAX_ADVISORY_BYTES)
		return cv_fail(e, CV_R_LIMIT, "%s: more than %llu bytes of advisories", im->name,
			       (unsigned long long)CV_MAX_ADVISORY_BYTES);
	return 0;
}

/* The present member into im->record, which fails when it is too large. */
static int
read_member(struct import *im, struct cv_err *e)
{
	uint8_t piece[16384];
	la_ssize_t n;

	cv_buf_reset(&im->record);
	im->record.failed = CV_R_NONE;
	while ((n = archive_read_data(im->a, piece, sizeof(piece))) > 0) {
		if (count_bytes(im, (size_t)n, e) < 0)
			return -1;
		cv_buf_add(&im->record, piece, (size_t)n);
	}
	if (n < 0)
		return archive_fail(im, e);
	return im->record.failed == CV_R_MEMORY ? cv_fail_memory(e) : 0;
}

/* A record too large is put as the empty text, so that it is counted as rejected. */
static int
put_record(struct import *im, const char *where, const char *stem, struct cv_err *e)
{
	struct cv_span s = cv_buf_span(&im->record);

	if (im->record.failed == CV_R_LIMIT)
		s = cv_span(NULL, 0);
	return cv_dbw_record(im->w, s, where, stem, e);
}

static int
archive_members(struct import *im, struct cv_err *e)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = archive_read_next_header(im->a, &entry)) == ARCHIVE_OK) {
		const char *path = archive_entry_pathname(entry);
		char stem[256];
		if (archive_entry_filetype(entry) != AE_IFREG || path == NULL ||
		    !ends_with(path, ".json"))
			continue;
		const char *base = strrchr(path, '/');
		base = base != NULL ? base + 1 : path;
		cv_text_fmt(stem, sizeof(stem), "%.*s", (int)(strlen(base) - 5), base);
		if (read_member(im, e) < 0 || put_record(im, base, stem, e) < 0)
			return -1;
	}
	return rc == ARCHIVE_EOF ? 0 : archive_fail(im, e);
}

/* ---- one text ---- */

static int
line_done(struct import *im, uint64_t line, struct cv_err *e)
{
	char where[300];
	int rc = 0;

	cv_text_fmt(where, sizeof(where), "%s line %llu", im->name, (unsigned long long)line);
	if (im->record.n > 0 || im->record.failed != CV_R_NONE)
		rc = put_record(im, where, NULL, e);
	cv_buf_reset(&im->record);
	im->record.failed = CV_R_NONE;
	return rc;
}

static int
lines(struct import *im, struct cv_err *e)
{
	uint8_t piece[16384];
	uint64_t line = 1;
	la_ssize_t n;

	while ((n = archive_read_data(im->a, piece, sizeof(piece))) > 0) {
		struct cv_span s = cv_span(piece, (size_t)n);
		if (count_bytes(im, s.n, e) < 0)
			return -1;
		while (s.n > 0) {
			const uint8_t *end = memchr(s.p, '\n', s.n);
			size_t len = end != NULL ? (size_t)(end - s.p) : s.n;
			cv_buf_add(&im->record, s.p, len);
			(void)cv_span_take(&s, len);
			if (im->record.failed == CV_R_MEMORY)
				return cv_fail_memory(e);
			if (end == NULL)
				continue;
			(void)cv_span_u8(&s);
			if (line_done(im, line++, e) < 0)
				return -1;
		}
	}
	return n < 0 ? archive_fail(im, e) : line_done(im, line, e);
}

static int
one_text(struct import *im, bool many, struct cv_err *e)
{
	struct archive_entry *entry;
	int rc = archive_read_next_header(im->a, &entry);

	if (rc == ARCHIVE_EOF)
		return cv_fail(e, CV_R_MALFORMED, "%s: empty", im->name);
	if (rc != ARCHIVE_OK)
		return archive_fail(im, e);
	if (many)
		return lines(im, e);
	if (read_member(im, e) < 0)
		return -1;
	return put_record(im, im->name, NULL, e);
}

int
cv_dbw_import(struct cv_dbw *w, struct cv_blob blob, const char *name, struct cv_err *e)
{
	char plain[512];

	plain_name(plain, sizeof(plain), name);
	bool json = ends_with(plain, ".json"), jsonl = ends_with(plain, ".jsonl");
	bool archive = ends_with(plain, ".zip") || ends_with(plain, ".tar");
	if (!json && !jsonl && !archive)
		return cv_fail(
			e, CV_R_UNSUPPORTED,
			"%s: want a name that ends in .json, .jsonl, .zip or .tar, or in one "
			"of these and .gz, .zst or .xz",
			name);
	struct import *im = calloc(1, sizeof(*im));
	if (im == NULL)
		return cv_fail_memory(e);
	im->w = w;
	im->name = name;
	im->src.blob = blob;
	im->record = CV_BUF(CV_MAX_ADVISORY);
	int rc = open_archive(im, !archive, e);
	if (rc == 0)
		rc = archive ? archive_members(im, e) : one_text(im, jsonl, e);
	if (im->a != NULL)
		(void)archive_read_free(im->a);
	cv_buf_free(&im->record);
	free(im);
	return rc;
}
