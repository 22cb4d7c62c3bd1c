/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkzip.h: zip archives made byte by byte from what each field shall say, right or with
 * one of them wrong.
 *
 *     struct mk_zip z = { 0 };
 *     mk_zip_add(&z, "a.txt", "hello");
 *     z.e[0].local_crc ^= 1;
 *     mk_zip_write(&b, &z);
 */
#ifndef CV_MKZIP_H
#define CV_MKZIP_H

#include "trust/base/buf.h"

#define MK_ZIP_MAX 8

struct mk_zip_entry {
	char name[128], local_name[128];
	const void *data; /* as it lies in the file */
	size_t data_len;
	uint16_t flags, local_flags, method, local_method, made_by;
	uint32_t crc, local_crc, packed, local_packed, size, local_size, attributes;
	const char *extra, *local_extra, *comment; /* NULL: none */
	uint16_t extra_len, local_extra_len, disk;
	const void *descriptor; /* what follows the data */
	size_t descriptor_len;
	size_t gap;         /* bytes between it and what comes before */
	int64_t offset_off; /* added to its offset in the directory */
	bool no_local, no_central;
};

struct mk_zip {
	struct mk_zip_entry e[MK_ZIP_MAX];
	size_t n;
	const char *comment; /* of the archive */
	uint16_t comment_len;
	uint16_t entries_off, disk; /* added to what the end record says */
	int32_t size_off, offset_off;
	const char *before_end, *after_end; /* bytes there */
};

/* mk_zip_add: a stored file, all fields right; a directory when the name says so. */
struct mk_zip_entry *mk_zip_add(struct mk_zip *z, const char *name, const char *content);
void mk_zip_write(struct cv_buf *out, const struct mk_zip *z);

#endif
