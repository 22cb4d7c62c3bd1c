/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mktar.h: tar archives made byte by byte, right or with exactly one thing wrong.
 *
 *     struct cv_buf b = CV_BUF(1 << 20);
 *     mk_file(&b, "etc/motd", "hello");
 *     mk_end(&b);
 *
 * To break a header, make one with mk_header(), change its bytes, mk_sum() it and
 * append it with mk_block().
 */
#ifndef CV_MKTAR_H
#define CV_MKTAR_H

#include "trust/base/buf.h"

struct mk_header {
	uint8_t b[512];
};

/* A POSIX header, mode 0644 (0755 for a directory), its checksum made. */
struct mk_header mk_header(const char *name, char kind, uint64_t size);
void mk_gnu(struct mk_header *h);                                     /* GNU magic; sums */
void mk_link(struct mk_header *h, const char *target);                /* sums */
void mk_octal(struct mk_header *h, size_t off, size_t n, uint64_t v); /* does not sum */
void mk_sum(struct mk_header *h);

/* Append: a header and its content, padded to a block. */
void mk_block(struct cv_buf *b, const struct mk_header *h, const void *content, size_t n);
void mk_file(struct cv_buf *b, const char *name, const char *content);
void mk_dir(struct cv_buf *b, const char *name);
void mk_symlink(struct cv_buf *b, const char *name, const char *target);
void mk_hardlink(struct cv_buf *b, const char *name, const char *target);
/* mk_pax: an 'x' (or 'g') header; `records` as they stand. mk_record: one record with
 * its right length. */
void mk_pax(struct cv_buf *b, char kind, const void *records, size_t n);
void mk_record(struct cv_buf *b, const char *key, const void *value, size_t n);
/* mk_long: GNU 'L' or 'K' with that text and a NUL. */
void mk_long(struct cv_buf *b, char kind, const char *text);
void mk_zeros(struct cv_buf *b, size_t blocks);
void mk_end(struct cv_buf *b); /* two blocks of zeros */

/* mk_gzip: the bytes as one gzip member of stored blocks, made without a library. */
void mk_gzip(struct cv_buf *out, struct cv_span in);
uint32_t mk_crc(struct cv_span in);

#endif
