/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: the entries of one layer in a compact form. CV_T_LAYER writes it to OUT,
 * CV_T_MERGE reads it, in another process; for the reader it is untrusted bytes.
 *
 *     header, 40 bytes   "CVTABLE1" | u64le records | u64le removals | u64le unpacked
 *                        bytes | u64le bytes of all records
 *     record, 32 bytes   u8 kind | u8 flags | u16le mode | u16le name length |
 *                        u16le link length | u64le size | u64le offset of the entry in the
 *                        unpacked layer | u64le zero
 *                        name | link
 *
 * The header is written last: a table that was not finished has none. Records are in
 * the layer's order. Names and hard link targets are normalised (path.h, image profile;
 * "" is the root); a symlink's target is as it stands. A removal (CV_ROW_WHITEOUT,
 * CV_ROW_OPAQUE) has the name of what it removes, or of the directory that it empties.
 */
#ifndef CV_FOUND_TABLE_H
#define CV_FOUND_TABLE_H

#include "sbom/found/window.h"

#define CV_TABLE_MAGIC  "CVTABLE1"
#define CV_TABLE_HEADER 40
#define CV_TABLE_ROW    32

enum cv_row_kind {
	CV_ROW_FILE = 1,
	CV_ROW_HARDLINK,
	CV_ROW_SYMLINK,
	CV_ROW_CHAR,
	CV_ROW_BLOCK,
	CV_ROW_DIR,
	CV_ROW_FIFO,
	CV_ROW_WHITEOUT,
	CV_ROW_OPAQUE,
	CV_ROW__COUNT
};

enum { CV_ROW_CAPABILITY = 1 /* flags: the file has capabilities */ };

struct cv_row {
	uint8_t kind;
	uint8_t flags;
	uint16_t mode;
	uint64_t size;
	uint64_t at;
	struct cv_span name, link; /* of the reader: valid until the next row */
};

/* ---- writing: buffered, sequential from offset 0 of a fresh file ---- */

struct cv_table_out;

int cv_table_create(struct cv_table_out **ret, int fd, struct cv_err *e) cv_must;
/* cv_table_add: *place is where the row begins, for cv_table_name(). */
int cv_table_add(struct cv_table_out *t, const struct cv_row *row, uint64_t *place,
		 struct cv_err *e) cv_must;
int cv_table_finish(struct cv_table_out *t, uint64_t unpacked, struct cv_err *e) cv_must;
uint64_t cv_table_rows(const struct cv_table_out *t);

/* cv_table_name: what was written at a place, for messages: "" when the descriptor
 * cannot be read. At most size - 1 bytes. */
void cv_table_name(struct cv_table_out *t, uint64_t place, char *out, size_t size);
void cv_table_close(struct cv_table_out **t);

/* ---- reading ---- */

struct cv_table_in {
	struct cv_window w;
	uint64_t rows, removals, unpacked;
	uint64_t seen;
};

/* cv_table_open: t is large and the caller's. CV_R_UNDECIDED for a table that was not
 * finished, because the layer was not; CV_R_WORKER for what is no table: it comes from
 * another worker, not from the artifact. */
int cv_table_open(struct cv_table_in *t, struct cv_blob blob, struct cv_err *e) cv_must;
/* cv_table_next: 1 a row, 0 the end (all rows there, nothing behind), -1. */
int cv_table_next(struct cv_table_in *t, struct cv_row *ret, struct cv_err *e) cv_must;

#endif
