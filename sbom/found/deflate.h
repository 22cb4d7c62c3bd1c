/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate.h: raw DEFLATE (RFC 1951) by a library, zlib or ISA-L's igzip, behind
 * one function. Nothing around it is left to the library: wrappers, checksums,
 * ends and limits are inflate.c's business, so both engines are equally strict
 * about them. The two files inflate.* and deflate.* are the only ones that
 * include zlib, igzip or zstd.
 */
#ifndef CV_FOUND_DEFLATE_H
#define CV_FOUND_DEFLATE_H

#include "trust/base/buf.h"

enum cv_engine {
	CV_ENGINE_BEST = 0, /* the fastest that is compiled in */
	CV_ENGINE_ZLIB,
	CV_ENGINE_IGZIP,
};

struct cv_deflate;

/* cv_deflate_has: whether that engine was compiled in. */
bool cv_deflate_has(enum cv_engine engine);

int cv_deflate_open(struct cv_deflate **ret, enum cv_engine engine, struct cv_err *e) cv_must;

/* cv_deflate_reset: forget everything, for the next stream. */
int cv_deflate_reset(struct cv_deflate *d, struct cv_err *e) cv_must;

/* cv_deflate_run: consume from `in`, write at most cap bytes to out. *used and
 * *made are counts; *end says that the final block is over, and then *used may
 * be negative: bytes taken in an earlier call that are not part of the stream
 * (never more than 8). Progress is guaranteed if in.n > 0 and cap > 0.
 * CV_R_MALFORMED for what is no DEFLATE. */
int cv_deflate_run(struct cv_deflate *d, struct cv_span in, uint8_t *out, size_t cap, int64_t *used,
		   size_t *made, bool *end, struct cv_err *e) cv_must;

/* cv_deflate_crc: CRC-32 of gzip and zip, continued from crc (0 at first). */
uint32_t cv_deflate_crc(uint32_t crc, const void *p, size_t n);

void cv_deflate_free(struct cv_deflate **d);

#endif
