/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: see table.h. The reader must never believe a count, a length or a name
 * that it has not checked. */
#include "sbom/found/table.h"

#include "trust/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define PENDING (64 * 1024)

struct cv_table_out {
	int fd;
	uint64_t at; /* of pending[0] in the file */
	uint64_t rows, removals;
	size_t n;
	uint8_t pending[PENDING];
};

/* ---- writing ---- */

static int
write_at(int fd, const uint8_t *p, size_t n, uint64_t at, struct cv_err *e)
{
	while (n > 0) {
		ssize_t put = TEMP_FAILURE_RETRY(pwrite(fd, p, n, (off_t)at));

		if (put < 0)
			return cv_fail_errno(e, "writing the table of entries");
		p += put;
		n -= (size_t)put;
		at += (uint64_t)put;
	}
	return 0;
}

static int
flush(struct cv_table_out *t, struct cv_err *e)
{
	if (write_at(t->fd, t->pending, t->n, t->at, e) < 0)
		return -1;
	t->at += t->n;
	t->n = 0;
	return 0;
}

int
cv_table_create(struct cv_table_out **ret, int fd, struct cv_err *e)
{
	struct cv_table_out *t = malloc(sizeof(*t));

	if (t == NULL)
		return cv_fail_memory(e);
	t->fd = fd;
	t->at = CV_TABLE_HEADER;
	t->rows = t->removals = 0;
	t->n = 0;
	*ret = t;
	return 0;
}

static void
put(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

int
cv_table_add(struct cv_table_out *t, const struct cv_row *row, uint64_t *place, struct cv_err *e)
{
	size_t n = CV_TABLE_ROW + row->name.n + row->link.n;
	uint8_t *p;

	if (row->name.n > CV_MAX_PATH || row->link.n > CV_MAX_PATH)
		return cv_fail(e, CV_R_BUG, "a name of %zu bytes", row->name.n);
	if (n > PENDING - t->n && flush(t, e) < 0)
		return -1;
	*place = t->at + t->n;
	p = t->pending + t->n;
	p[0] = row->kind;
	p[1] = row->flags;
	put(p + 2, row->mode, 2);
	put(p + 4, row->name.n, 2);
	put(p + 6, row->link.n, 2);
	put(p + 8, row->size, 8);
	put(p + 16, row->at, 8);
	put(p + 24, 0, 8);
	if (row->name.n > 0)
		memcpy(p + CV_TABLE_ROW, row->name.p, row->name.n);
	if (row->link.n > 0)
		memcpy(p + CV_TABLE_ROW + row->name.n, row->link.p, row->link.n);
	t->n += n;
	t->rows++;
	t->removals += row->kind == CV_ROW_WHITEOUT || row->kind == CV_ROW_OPAQUE;
	return 0;
}

int
cv_table_finish(struct cv_table_out *t, uint64_t unpacked, struct cv_err *e)
{
	uint8_t h[CV_TABLE_HEADER];

	if (flush(t, e) < 0)
		return -1;
	memcpy(h, CV_TABLE_MAGIC, 8);
	put(h + 8, t->rows, 8);
	put(h + 16, t->removals, 8);
	put(h + 24, unpacked, 8);
	put(h + 32, t->at - CV_TABLE_HEADER, 8);
	return write_at(t->fd, h, sizeof(h), 0, e);
}

uint64_t
cv_table_rows(const struct cv_table_out *t)
{
	return t->rows;
}

void
cv_table_name(struct cv_table_out *t, uint64_t place, char *out, size_t size)
{
	uint8_t row[CV_TABLE_ROW];
	size_t n;

	out[0] = '\0';
	if (flush(t, NULL) < 0 || pread(t->fd, row, sizeof(row), (off_t)place) != sizeof(row))
		return;
	n = (size_t)(row[4] | row[5] << 8);
	if (n > size - 1)
		n = size - 1;
	if (pread(t->fd, out, n, (off_t)(place + CV_TABLE_ROW)) != (ssize_t)n)
		n = 0;
	out[n] = '\0';
}

void
cv_table_close(struct cv_table_out **t)
{
	free(*t);
	*t = NULL;
}

/* ---- reading ---- */

static int
bad_table(const char *what, struct cv_err *e)
{
	return cv_fail(e, CV_R_WORKER, "a table of entries: %s", what);
}

int
cv_table_open(struct cv_table_in *t, struct cv_blob blob, struct cv_err *e)
{
	static const uint8_t unwritten[8];
	struct cv_span magic;

	cv_window_open(&t->w, blob);
	magic = cv_window_look(&t->w, 8);
	if (blob.len == 0 || (magic.n == 8 && memcmp(magic.p, unwritten, 8) == 0))
		return cv_fail(e, CV_R_UNDECIDED, "a layer was not read to its end");
	magic = cv_window_take(&t->w, 8);
	if (t->w.err.reason != CV_R_NONE)
		return cv_window_ok(&t->w, "a table of entries", "its header", e);
	if (!cv_span_eq_str(magic, CV_TABLE_MAGIC))
		return bad_table("it is not one, or was not finished", e);
	t->rows = cv_window_u64le(&t->w);
	t->removals = cv_window_u64le(&t->w);
	t->unpacked = cv_window_u64le(&t->w);
	uint64_t bytes = cv_window_u64le(&t->w);
	t->seen = 0;
	if (t->w.err.reason != CV_R_NONE)
		return cv_window_ok(&t->w, "a table of entries", "its header", e);
	if (t->w.bad || bytes != cv_window_left(&t->w) || t->rows > CV_MAX_ENTRIES ||
	    t->removals > t->rows || t->unpacked > CV_MAX_UNPACKED_BYTES)
		return bad_table("its header and its size do not agree", e);
	return 0;
}

/* A path as path.h leaves it: no empty, "." or ".." component, no NUL. */
static bool
normal(struct cv_span s)
{
	size_t start = 0;

	if (s.n == 0)
		return true;
	if (memchr(s.p, 0, s.n) != NULL)
		return false;
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '/')
			continue;
		struct cv_span c = cv_span(s.p + start, i - start);
		if (c.n == 0 || cv_span_eq_str(c, ".") || cv_span_eq_str(c, ".."))
			return false;
		start = i + 1;
	}
	return true;
}

static bool
row_holds(const struct cv_row *r)
{
	bool link = r->kind == CV_ROW_HARDLINK || r->kind == CV_ROW_SYMLINK;

	if (r->kind < CV_ROW_FILE || r->kind >= CV_ROW__COUNT ||
	    (r->flags & ~CV_ROW_CAPABILITY) != 0 || (r->mode & ~07777) != 0 ||
	    link != (r->link.n > 0))
		return false;
	if (r->size > CV_MAX_UNPACKED_BYTES || (r->size > 0 && r->kind != CV_ROW_FILE))
		return false;
	if (r->name.n == 0 && r->kind != CV_ROW_DIR && r->kind != CV_ROW_OPAQUE)
		return false;
	return normal(r->name) && (r->kind != CV_ROW_HARDLINK || normal(r->link));
}

int
cv_table_next(struct cv_table_in *t, struct cv_row *ret, struct cv_err *e)
{
	if (t->seen == t->rows) {
		if (cv_window_left(&t->w) != 0)
			return bad_table("bytes behind its last row", e);
		return 0;
	}
	struct cv_span h = cv_window_take(&t->w, CV_TABLE_ROW);
	ret->kind = cv_span_u8(&h);
	ret->flags = cv_span_u8(&h);
	ret->mode = cv_span_u16le(&h);
	uint16_t name = cv_span_u16le(&h), link = cv_span_u16le(&h);
	ret->size = cv_span_u64le(&h);
	ret->at = cv_span_u64le(&h);
	uint64_t zero = cv_span_u64le(&h);
	struct cv_span both = cv_window_take(&t->w, (size_t)name + link);
	ret->name = cv_span_take(&both, name);
	ret->link = cv_span_take(&both, link);
	if (t->w.err.reason != CV_R_NONE)
		return cv_window_ok(&t->w, "a table of entries", "a row", e);
	if (t->w.bad || zero != 0 || name > CV_MAX_PATH || link > CV_MAX_PATH || !row_holds(ret))
		return bad_table("a row that breaks its rules", e);
	t->seen++;
	return 1;
}
