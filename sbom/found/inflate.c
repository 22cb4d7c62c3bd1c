/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c: wrappers, checksums, ends and limits around the engines. Must never
 * hand out the empty piece that means "the end" before all of it was checked.
 */
#include "sbom/found/inflate.h"

#include "trust/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "trust/base/banned.h"

#define IN_BYTES (128 * 1024)
#define BACK     8 /* bytes that an engine may give back (deflate.h) */
#define STEPS    16

enum state {
	ST_HEADER, /* a member or frame begins */
	ST_BODY,
	ST_END
};

struct cv_inflate {
	struct cv_blob blob;
	struct cv_inflate_want want;
	enum state state;
	struct cv_err err; /* why it failed: it stays failed */
	struct cv_deflate *deflate;
	ZSTD_DStream *zstd;
	struct cv_hash *hash;
	bool bomb;
	unsigned members;

	uint64_t fetched; /* of the blob, into `in` */
	size_t at, have;  /* within `in` */
	uint64_t made;    /* in all; member: of this member */
	uint64_t member;
	uint32_t crc;

	uint64_t mark[STEPS]; /* input position when the k-th step of output began */
	uint64_t step;        /* steps of output finished */

	uint8_t in[BACK + IN_BYTES];
	uint8_t out[CV_INFLATE_PIECE];
};

/* ---- input ---- */

uint64_t
cv_inflate_taken(const struct cv_inflate *z)
{
	return z->fetched - (z->have - z->at);
}

/* fill: have something at `at` unless the blob is over; what was just consumed
 * stays in front of it, BACK bytes of it. */
static int
fill(struct cv_inflate *z, struct cv_err *e)
{
	uint64_t left = z->blob.len - z->fetched;
	size_t keep = z->at < BACK ? z->at : BACK;
	size_t rest = z->have - z->at;
	ssize_t got;

	if (rest > 0 || left == 0)
		return 0;
	memmove(z->in, z->in + z->at - keep, keep);
	z->at = keep;
	z->have = keep;
	got = TEMP_FAILURE_RETRY(pread(z->blob.fd, z->in + keep,
				       left < IN_BYTES ? (size_t)left : IN_BYTES,
				       (off_t)(z->blob.off + z->fetched)));
	if (got < 0)
		return cv_fail_errno(e, "reading at byte %llu", (unsigned long long)z->fetched);
	if (got == 0)
		return cv_fail(e, CV_R_CUTOFF, "the file ends at byte %llu, want %llu bytes",
			       (unsigned long long)z->fetched, (unsigned long long)z->blob.len);
	z->fetched += (uint64_t)got;
	z->have += (size_t)got;
	return 0;
}

static bool
at_end(const struct cv_inflate *z)
{
	return z->at == z->have && z->fetched == z->blob.len;
}

static int
cut_short(const struct cv_inflate *z, const char *part, struct cv_err *e)
{
	return cv_fail(e, CV_R_MALFORMED, "compressed data ends at byte %llu, in the middle of %s",
		       (unsigned long long)z->blob.len, part);
}

static int
take(struct cv_inflate *z, uint8_t *p, size_t n, const char *part, struct cv_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (fill(z, e) < 0)
			return -1;
		if (z->at == z->have)
			return cut_short(z, part, e);
		p[i] = z->in[z->at++];
	}
	return 0;
}

static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- gzip (RFC 1952) ---- */

#define GZ_HCRC    2
#define GZ_EXTRA   4
#define GZ_NAME    8
#define GZ_COMMENT 16

/* One byte of the header, into its checksum too. */
static int
gzip_byte(struct cv_inflate *z, uint8_t *b, uint32_t *crc, struct cv_err *e)
{
	if (take(z, b, 1, "a gzip header", e) < 0)
		return -1;
	*crc = cv_deflate_crc(*crc, b, 1);
	return 0;
}

static int
gzip_optional(struct cv_inflate *z, uint8_t flags, uint32_t *crc, struct cv_err *e)
{
	uint8_t b[2], c;

	if ((flags & GZ_EXTRA) != 0) {
		if (gzip_byte(z, &b[0], crc, e) < 0 || gzip_byte(z, &b[1], crc, e) < 0)
			return -1;
		for (unsigned n = b[0] | (unsigned)b[1] << 8; n > 0; n--)
			if (gzip_byte(z, &c, crc, e) < 0)
				return -1;
	}
	for (unsigned bit = GZ_NAME; bit <= GZ_COMMENT; bit <<= 1) {
		unsigned n = 0;

		if ((flags & bit) == 0)
			continue;
		do {
			if (gzip_byte(z, &c, crc, e) < 0)
				return -1;
			if (n++ > CV_MAX_PATH)
				return cv_fail(e, CV_R_LIMIT,
					       "a gzip header's name is longer "
					       "than 4096 bytes");
		} while (c != 0);
	}
	if ((flags & GZ_HCRC) == 0)
		return 0;
	if (take(z, b, 2, "a gzip header", e) < 0)
		return -1;
	if ((b[0] | (unsigned)b[1] << 8) != (*crc & 0xffff))
		return cv_fail(e, CV_R_MALFORMED, "a gzip header's checksum is %04x, want %04x",
			       b[0] | (unsigned)b[1] << 8, *crc & 0xffff);
	return 0;
}

static int
gzip_header(struct cv_inflate *z, struct cv_err *e)
{
	uint64_t where = cv_inflate_taken(z);
	uint32_t crc = 0;
	uint8_t h[10];

	for (size_t i = 0; i < sizeof(h); i++) {
		if (gzip_byte(z, &h[i], &crc, e) < 0)
			return -1;
		if (i == 1 && (h[0] != 0x1f || h[1] != 0x8b))
			return cv_fail(e, CV_R_MALFORMED,
				       z->members == 0
					       ? "found bytes %02x %02x at byte %llu, want a "
						 "gzip header"
					       : "found bytes %02x %02x behind the gzip data, at "
						 "byte %llu, want its end",
				       h[0], h[1], (unsigned long long)where);
	}
	if (h[2] != 8 || (h[3] & 0xe0) != 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "gzip method %u with flags %02x at byte %llu, want method 8 and no "
			       "reserved flag",
			       h[2], h[3], (unsigned long long)where);
	if (z->want.single && z->members > 0)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "a second gzip member at byte %llu, want one: some readers stop "
			       "after the first",
			       (unsigned long long)where);
	z->members++;
	return gzip_optional(z, h[3], &crc, e);
}

static int
gzip_trailer(struct cv_inflate *z, struct cv_err *e)
{
	uint8_t t[8];

	if (take(z, t, sizeof(t), "a gzip trailer", e) < 0)
		return -1;
	if (le32(t) != z->crc)
		return cv_fail(e, CV_R_MALFORMED, "gzip checksum %08x before byte %llu, want %08x",
			       le32(t), (unsigned long long)cv_inflate_taken(z), z->crc);
	if (le32(t + 4) != (uint32_t)z->member)
		return cv_fail(e, CV_R_MALFORMED, "gzip length %u before byte %llu, want %u",
			       le32(t + 4), (unsigned long long)cv_inflate_taken(z),
			       (uint32_t)z->member);
	return 0;
}

/* ---- zlib (RFC 1950) ---- */

static int
zlib_header(struct cv_inflate *z, struct cv_err *e)
{
	uint8_t h[2];

	if (take(z, h, 2, "a zlib header", e) < 0)
		return -1;
	if ((h[0] & 0x0f) != 8 || (h[0] >> 4) > 7 || ((unsigned)h[0] << 8 | h[1]) % 31 != 0 ||
	    (h[1] & 0x20) != 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "found bytes %02x %02x, want a zlib header without a dictionary",
			       h[0], h[1]);
	z->crc = 1;
	return 0;
}

static int
zlib_trailer(struct cv_inflate *z, struct cv_err *e)
{
	uint8_t t[4];
	uint32_t want = z->crc, got;

	if (take(z, t, 4, "a zlib trailer", e) < 0)
		return -1;
	got = (uint32_t)t[0] << 24 | (uint32_t)t[1] << 16 | (uint32_t)t[2] << 8 | t[3];
	if (got != want)
		return cv_fail(e, CV_R_MALFORMED, "zlib checksum %08x, want %08x", got, want);
	return 0;
}

/* ---- DEFLATE streams of any wrapper ---- */

static int
member_begin(struct cv_inflate *z, struct cv_err *e)
{
	z->member = 0;
	z->crc = 0;
	if (z->want.pack == CV_PACK_GZIP && gzip_header(z, e) < 0)
		return -1;
	if (z->want.pack == CV_PACK_ZLIB && zlib_header(z, e) < 0)
		return -1;
	z->state = ST_BODY;
	return cv_deflate_reset(z->deflate, e);
}

static int
member_end(struct cv_inflate *z, struct cv_err *e)
{
	if (z->want.pack == CV_PACK_GZIP && gzip_trailer(z, e) < 0)
		return -1;
	if (z->want.pack == CV_PACK_ZLIB && zlib_trailer(z, e) < 0)
		return -1;
	if (at_end(z)) {
		z->state = ST_END;
		return 0;
	}
	if (z->want.pack != CV_PACK_GZIP)
		return cv_fail(e, CV_R_MALFORMED, "%llu bytes behind the end of compressed data",
			       (unsigned long long)(z->blob.len - cv_inflate_taken(z)));
	z->state = ST_HEADER;
	return 0;
}

/* inflate_some: append to out[*n]. */
static int
inflate_some(struct cv_inflate *z, size_t *n, struct cv_err *e)
{
	int64_t used;
	size_t made;
	bool end, over;

	if (z->state == ST_HEADER && member_begin(z, e) < 0)
		return -1;
	if (fill(z, e) < 0)
		return -1;
	over = at_end(z);
	if (cv_deflate_run(z->deflate, cv_span(z->in + z->at, z->have - z->at), z->out + *n,
			   sizeof(z->out) - *n, &used, &made, &end, e) < 0)
		return cv_fail_within(e, "near byte %llu", (unsigned long long)cv_inflate_taken(z));
	if (used < -(int64_t)z->at || used > (int64_t)(z->have - z->at))
		return cv_fail(e, CV_R_BUG, "the inflate engine took %lld bytes", (long long)used);
	z->at = (size_t)((int64_t)z->at + used);
	z->crc = z->want.pack == CV_PACK_GZIP   ? cv_deflate_crc(z->crc, z->out + *n, made)
		 : z->want.pack == CV_PACK_ZLIB ? (uint32_t)adler32_z(z->crc, z->out + *n, made)
						: 0;
	z->member += made;
	*n += made;
	if (end)
		return member_end(z, e);
	if (over && used == 0 && made == 0)
		return cut_short(z, "a block", e);
	return 0;
}

/* ---- zstd (RFC 8878) ---- */

static int
zstd_fail(const struct cv_inflate *z, size_t rc, struct cv_err *e)
{
	unsigned long long where = cv_inflate_taken(z);

	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_memory_allocation:
		return cv_fail_memory(e);
	case ZSTD_error_frameParameter_windowTooLarge:
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "a zstd frame near byte %llu wants a window of more than %u bytes",
			       where, CV_INFLATE_ZSTD_WINDOW);
	case ZSTD_error_dictionary_wrong:
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "a zstd frame near byte %llu wants a dictionary", where);
	default:
		return cv_fail(e, CV_R_MALFORMED, "broken zstd data near byte %llu (%s)", where,
			       ZSTD_getErrorName(rc));
	}
}

/* The library may know older formats too, which nobody else reads. */
static int
zstd_header(struct cv_inflate *z, struct cv_err *e)
{
	uint8_t m[4];

	if (take(z, m, 4, "a zstd frame's magic number", e) < 0)
		return -1;
	if (le32(m) != ZSTD_MAGICNUMBER &&
	    (le32(m) & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
		return cv_fail(e, CV_R_MALFORMED, "found %08x before byte %llu, want a zstd frame",
			       le32(m), (unsigned long long)cv_inflate_taken(z));
	/* the engine has to see it too: it may lie across two reads */
	ZSTD_inBuffer in = { .src = m, .size = 4, .pos = 0 };
	ZSTD_outBuffer out = { .dst = z->out, .size = 0, .pos = 0 };
	size_t rc = ZSTD_decompressStream(z->zstd, &out, &in);
	if (ZSTD_isError(rc))
		return zstd_fail(z, rc, e);
	if (in.pos != 4)
		return cv_fail(e, CV_R_BUG, "zstd took %zu of 4 bytes", in.pos);
	z->state = ST_BODY;
	return 0;
}

static int
zstd_some(struct cv_inflate *z, size_t *n, struct cv_err *e)
{
	if (z->state == ST_HEADER && zstd_header(z, e) < 0)
		return -1;
	if (fill(z, e) < 0)
		return -1;
	bool over = at_end(z);
	ZSTD_inBuffer in = { .src = z->in + z->at, .size = z->have - z->at, .pos = 0 };
	ZSTD_outBuffer out = { .dst = z->out, .size = sizeof(z->out), .pos = *n };
	size_t rc = ZSTD_decompressStream(z->zstd, &out, &in);

	z->at += in.pos;
	if (ZSTD_isError(rc))
		return zstd_fail(z, rc, e);
	bool stuck = in.pos == 0 && out.pos == *n;
	*n = out.pos;
	if (rc == 0) {
		z->state = at_end(z) ? ST_END : ST_HEADER;
		return 0;
	}
	if (over && stuck)
		return cut_short(z, "a zstd frame", e);
	return 0;
}

/* ---- all of them ---- */

static int
plain_some(struct cv_inflate *z, size_t *n, struct cv_err *e)
{
	uint64_t left = z->blob.len - z->fetched;
	size_t room = sizeof(z->out) - *n;

	if (left == 0) {
		z->state = ST_END;
		return 0;
	}
	ssize_t got =
		TEMP_FAILURE_RETRY(pread(z->blob.fd, z->out + *n, left < room ? (size_t)left : room,
					 (off_t)(z->blob.off + z->fetched)));
	if (got < 0)
		return cv_fail_errno(e, "reading at byte %llu", (unsigned long long)z->fetched);
	if (got == 0)
		return cv_fail(e, CV_R_CUTOFF, "the file ends at byte %llu, want %llu bytes",
			       (unsigned long long)z->fetched, (unsigned long long)z->blob.len);
	z->fetched += (uint64_t)got;
	*n += (size_t)got;
	return 0;
}

static int
some(struct cv_inflate *z, size_t *n, struct cv_err *e)
{
	switch (z->want.pack) {
	case CV_PACK_PLAIN:
		return plain_some(z, n, e);
	case CV_PACK_ZSTD:
		return zstd_some(z, n, e);
	default:
		return inflate_some(z, n, e);
	}
}

/* After every step (a sixteenth of CV_INFLATE_SPAN) of output: how much input did
 * the last whole span take? */
static int
limits(struct cv_inflate *z, struct cv_err *e)
{
	uint64_t taken = cv_inflate_taken(z);

	if (z->made > z->want.max) {
		z->bomb = true;
		return cv_fail(e, CV_R_LIMIT, "unpacks to more than %llu bytes",
			       (unsigned long long)z->want.max);
	}
	while (z->made / (CV_INFLATE_SPAN / STEPS) > z->step) {
		uint64_t *oldest = &z->mark[++z->step % STEPS];

		if (z->step >= STEPS && (taken - *oldest) < CV_INFLATE_SPAN / CV_MAX_UNPACK_RATIO) {
			z->bomb = true;
			return cv_fail(e, CV_R_LIMIT,
				       "%llu bytes of compressed data before byte %llu unpack to "
				       "%llu: more than %d times as much",
				       (unsigned long long)(taken - *oldest),
				       (unsigned long long)taken,
				       (unsigned long long)CV_INFLATE_SPAN, CV_MAX_UNPACK_RATIO);
		}
		*oldest = taken;
	}
	return 0;
}

static int
read_piece(struct cv_inflate *z, struct cv_span *ret, struct cv_err *e)
{
	size_t n = 0;

	while (n < sizeof(z->out) && z->state != ST_END)
		if (some(z, &n, e) < 0)
			return -1;
	z->made += n;
	if (limits(z, e) < 0)
		return -1;
	if (n > 0 && z->hash != NULL && cv_hash_add(z->hash, z->out, n, e) < 0)
		return -1;
	*ret = cv_span(z->out, n);
	return 0;
}

int
cv_inflate_read(struct cv_inflate *z, struct cv_span *ret, struct cv_err *e)
{
	*ret = cv_span(NULL, 0);
	if (z->err.reason == CV_R_NONE && read_piece(z, ret, &z->err) == 0)
		return 0;
	if (e != NULL)
		*e = z->err;
	return -1;
}

void
cv_inflate_hash(struct cv_inflate *z, struct cv_hash *h)
{
	z->hash = h;
}

uint64_t
cv_inflate_made(const struct cv_inflate *z)
{
	return z->made;
}

bool
cv_inflate_bomb(const struct cv_inflate *z)
{
	return z->bomb;
}

int
cv_inflate_open(struct cv_inflate **ret, struct cv_blob blob, const struct cv_inflate_want *want,
		struct cv_err *e)
{
	cv_auto(cv_inflate_free) struct cv_inflate *z = malloc(sizeof(*z));

	if (z == NULL)
		return cv_fail_memory(e);
	memset(z, 0, offsetof(struct cv_inflate, in)); /* the buffers need no clearing */
	z->blob = blob;
	z->want = *want;
	switch (want->pack) {
	case CV_PACK_PLAIN:
		break;
	case CV_PACK_ZSTD:
		z->zstd = ZSTD_createDStream();
		if (z->zstd == NULL)
			return cv_fail_memory(e);
		if (ZSTD_isError(ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax,
							CV_INFLATE_ZSTD_LOG)))
			return cv_fail(e, CV_R_BUG, "zstd does not take a window limit");
		break;
	case CV_PACK_GZIP:
	case CV_PACK_ZLIB:
	case CV_PACK_RAW:
		if (cv_deflate_open(&z->deflate, want->engine, e) < 0)
			return -1;
		break;
	default:
		return cv_fail(e, CV_R_BUG, "no such compression: %d", want->pack);
	}
	*ret = cv_steal(z);
	return 0;
}

void
cv_inflate_free(struct cv_inflate **z)
{
	if (*z == NULL)
		return;
	cv_deflate_free(&(*z)->deflate);
	(void)ZSTD_freeDStream((*z)->zstd);
	free(*z);
	*z = NULL;
}

int
cv_inflate_guess(enum cv_pack *ret, struct cv_blob blob, struct cv_err *e)
{
	uint8_t m[4] = { 0 };
	size_t n = blob.len < sizeof(m) ? (size_t)blob.len : sizeof(m);
	ssize_t got = TEMP_FAILURE_RETRY(pread(blob.fd, m, n, (off_t)blob.off));

	if (got < 0)
		return cv_fail_errno(e, "reading the first bytes");
	if ((size_t)got != n)
		return cv_fail(e, CV_R_CUTOFF, "the file is shorter than %zu bytes", n);
	*ret = CV_PACK_PLAIN;
	if (m[0] == 0x1f && m[1] == 0x8b)
		*ret = CV_PACK_GZIP;
	else if (le32(m) == ZSTD_MAGICNUMBER ||
		 (le32(m) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START)
		*ret = CV_PACK_ZSTD;
	return 0;
}
