/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.h: the bytes inside a compressed blob, as one stream in flat memory.
 *
 * Pull: cv_inflate_read() hands out one piece after another and an empty piece
 * at the end, which is the only word that the whole blob was well-formed: every
 * checksum and length held and every byte of the blob belonged to the stream.
 *
 *   gzip   RFC 1952. Several members, one after another, are one stream, as every
 *          runtime has it (eStargz, pigz, bgzip). Reserved flag bits, a wrong
 *          header checksum, CRC-32 or ISIZE, and anything behind the last member
 *          that is not a member (zeros included) are CV_R_MALFORMED.
 *   zstd   RFC 8878. Several frames are one stream. Skippable frames are stepped
 *          over and never interpreted: zstd:chunked and pzstd write them, no
 *          runtime unpacks them. A window over CV_INFLATE_ZSTD_WINDOW bytes and
 *          a dictionary are CV_R_UNSUPPORTED. Frames of versions before 0.8 are
 *          CV_R_MALFORMED.
 *   zlib   RFC 1950, without a preset dictionary; exactly one stream.
 *   raw    RFC 1951; exactly one stream.
 *   plain  the blob itself.
 *
 * CV_R_LIMIT, with cv_inflate_bomb() true: more output than `max`, or more than
 * CV_MAX_UNPACK_RATIO times the input over any CV_INFLATE_SPAN bytes of output
 * (looked at every sixteenth of that).
 */
#ifndef CV_FOUND_INFLATE_H
#define CV_FOUND_INFLATE_H

#include "sbom/found/deflate.h"
#include "trust/base/frame.h"

#define CV_INFLATE_PIECE       (256 * 1024) /* most bytes of one piece */
#define CV_INFLATE_SPAN        (64 * CV_MIB)
#define CV_INFLATE_ZSTD_LOG    25 /* window of at most 32 MiB, so that a worker stays small */
#define CV_INFLATE_ZSTD_WINDOW (1u << CV_INFLATE_ZSTD_LOG)

enum cv_pack { CV_PACK_PLAIN = 1, CV_PACK_GZIP, CV_PACK_ZSTD, CV_PACK_ZLIB, CV_PACK_RAW };

struct cv_inflate_want {
	enum cv_pack pack;
	enum cv_engine engine; /* 0: the best */
	uint64_t max;          /* bytes of output */
	bool single;           /* gzip: exactly one member (npm writes one) */
};

struct cv_inflate;

int cv_inflate_open(struct cv_inflate **ret, struct cv_blob blob,
		    const struct cv_inflate_want *want, struct cv_err *e) cv_must;

/* cv_inflate_hash: every byte handed out is also added to h, which stays the
 * caller's. */
void cv_inflate_hash(struct cv_inflate *z, struct cv_hash *h);

/* cv_inflate_read: the next piece, valid until the next call; empty: the end. */
int cv_inflate_read(struct cv_inflate *z, struct cv_span *ret, struct cv_err *e) cv_must;

/* cv_inflate_made, cv_inflate_taken: bytes of output, of input so far. */
uint64_t cv_inflate_made(const struct cv_inflate *z);
uint64_t cv_inflate_taken(const struct cv_inflate *z);
bool cv_inflate_bomb(const struct cv_inflate *z);

void cv_inflate_free(struct cv_inflate **z);

/* cv_inflate_guess: by the first bytes of the blob: gzip, zstd, else plain. */
int cv_inflate_guess(enum cv_pack *ret, struct cv_blob blob, struct cv_err *e) cv_must;

#endif
