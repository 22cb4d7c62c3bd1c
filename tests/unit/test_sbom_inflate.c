/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_inflate.c: unpacking streams with both engines: wrappers, ends, limits, and
 * that the engines agree about every flipped bit. */
#include "sbom/found/inflate.h"
#include "tests/support/mktar.h"
#include "tests/support/t.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "trust/base/banned.h"

static const enum cv_engine engines[] = { CV_ENGINE_ZLIB, CV_ENGINE_IGZIP };

static struct cv_buf
make(void)
{
	return CV_BUF(256 * CV_MIB);
}

static int
unpack(const struct cv_buf *in, const struct cv_inflate_want *want, struct cv_buf *out,
       struct cv_err *e)
{
	cv_auto(cv_inflate_free) struct cv_inflate *z = NULL;
	int fd = t_memfd(in->p, in->n), rc;
	struct cv_span s;

	rc = cv_inflate_open(&z, (struct cv_blob){ .fd = fd, .len = in->n }, want, e);
	do {
		if (rc == 0)
			rc = cv_inflate_read(z, &s, e);
		if (rc == 0 && out != NULL)
			cv_buf_add(out, s.p, s.n);
	} while (rc == 0 && s.n > 0);
	if (rc == 0)
		T(cv_inflate_taken(z) == in->n);
	if (rc != 0 && z != NULL) /* it stays failed */
		T(cv_inflate_read(z, &s, NULL) == -1 && s.n == 0);
	(void)close(fd);
	return rc;
}

static void
pack_into(struct cv_buf *out, struct cv_span in, int bits, int level)
{
	size_t cap = in.n + in.n / 100 + 1000;
	uint8_t *p = malloc(cap);
	z_stream d = { 0 };

	T(p != NULL && deflateInit2(&d, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	d.next_in = (z_const Bytef *)(uintptr_t)in.p;
	d.avail_in = (uInt)in.n;
	d.next_out = p;
	d.avail_out = (uInt)cap;
	T(deflate(&d, Z_FINISH) == Z_STREAM_END);
	cv_buf_add(out, p, cap - d.avail_out);
	(void)deflateEnd(&d);
	free(p);
}

/* Text that compresses somewhat, the same every time. */
static struct cv_buf
sample(size_t n)
{
	struct cv_buf b = make();
	uint32_t x = 1;

	while (b.n < n) {
		x = x * 1664525 + 1013904223;
		if (x >> 30 == 0 && b.n > 300) {
			uint8_t again[40];

			memcpy(again, b.p + b.n - 200 - (x & 63), sizeof(again));
			cv_buf_add(&b, again, n - b.n < 40 ? n - b.n : 40);
		} else {
			cv_buf_byte(&b, (uint8_t)(x >> 24));
		}
	}
	return b;
}

/* both: the same with each engine that is built in. */
static void
refused(const struct cv_buf *in, enum cv_pack pack, bool single, enum cv_reason reason,
	const char *text)
{
	for (size_t i = 0; i < CV_COUNT(engines); i++) {
		const struct cv_inflate_want want = {
			.pack = pack, .engine = engines[i], .max = CV_GIB, .single = single
		};
		struct cv_err e = { 0 };

		if (!cv_deflate_has(engines[i]))
			continue;
		T_NO(unpack(in, &want, NULL, &e), e, reason);
		T_HAS(e.text, text);
	}
}

static void
accepted(const struct cv_buf *in, enum cv_pack pack, const struct cv_buf *content)
{
	for (size_t i = 0; i < CV_COUNT(engines); i++) {
		const struct cv_inflate_want want = { .pack = pack,
						      .engine = engines[i],
						      .max = CV_GIB };
		struct cv_buf out = make();
		struct cv_err e = { 0 };

		if (!cv_deflate_has(engines[i]))
			continue;
		T_OK(unpack(in, &want, &out, &e), e);
		T(cv_span_eq(cv_buf_span(&out), cv_buf_span(content)));
		cv_buf_free(&out);
	}
}

/* ---- gzip ---- */

static struct cv_buf
gzip_of(const struct cv_buf *content)
{
	struct cv_buf z = make();

	pack_into(&z, cv_buf_span(content), 31, 6);
	return z;
}

static void
test_gzip_header(void)
{
	struct cv_buf c = sample(1000), z = gzip_of(&c);
	static const struct {
		size_t at;
		uint8_t xor ;
		const char *text;
	} bad[] = {
		{ 0, 1, "want a gzip header" }, { 1, 1, "want a gzip header" },
		{ 2, 1, "gzip method" },        { 3, 0x20, "reserved flag" },
		{ 3, 0x40, "reserved flag" },   { 3, 0x80, "reserved flag" },
	};

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		z.p[bad[i].at] ^= bad[i].xor ;
		refused(&z, CV_PACK_GZIP, false, CV_R_MALFORMED, bad[i].text);
		z.p[bad[i].at] ^= bad[i].xor ;
	}
	accepted(&z, CV_PACK_GZIP, &c);
	cv_buf_free(&c);
	cv_buf_free(&z);
}

/* All that a header may hold: extra field, name, comment, its own checksum. */
static void
test_gzip_optional(void)
{
	struct cv_buf c = sample(100), z = gzip_of(&c), full = make();

	cv_buf_add(&full, "\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x04\0exrtname\0comment\0", 29);
	uint32_t crc = mk_crc(cv_buf_span(&full));
	cv_buf_u16le(&full, (uint16_t)crc);
	cv_buf_add(&full, z.p + 10, z.n - 10);
	accepted(&full, CV_PACK_GZIP, &c);
	full.p[29] ^= 1;
	refused(&full, CV_PACK_GZIP, false, CV_R_MALFORMED, "a gzip header's checksum");
	for (size_t n = 1; n < 31; n++) {
		struct cv_buf part = make();

		cv_buf_add(&part, full.p, n);
		refused(&part, CV_PACK_GZIP, false, CV_R_MALFORMED,
			"in the middle of a gzip header");
		cv_buf_free(&part);
	}
	struct cv_buf long_name = make();
	cv_buf_add(&long_name, "\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
	for (int i = 0; i < 200000; i++)
		cv_buf_byte(&long_name, 'n');
	refused(&long_name, CV_PACK_GZIP, false, CV_R_LIMIT, "name");
	cv_buf_free(&long_name);
	cv_buf_free(&c);
	cv_buf_free(&z);
	cv_buf_free(&full);
}

static void
test_gzip_trailer(void)
{
	struct cv_buf c = sample(70000), z = gzip_of(&c);

	for (size_t i = z.n - 8; i < z.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			z.p[i] ^= (uint8_t)(1u << bit);
			refused(&z, CV_PACK_GZIP, false, CV_R_MALFORMED,
				i < z.n - 4 ? "gzip checksum" : "gzip length");
			z.p[i] ^= (uint8_t)(1u << bit);
		}
	for (size_t cut = 1; cut < 9; cut++) {
		struct cv_buf part = make();

		cv_buf_add(&part, z.p, z.n - cut);
		refused(&part, CV_PACK_GZIP, false, CV_R_MALFORMED, "in the middle of");
		cv_buf_free(&part);
	}
	cv_buf_free(&c);
	cv_buf_free(&z);
}

static void
test_gzip_behind(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text;
	} more[] = {
		{ "\0", 1, "in the middle of" },
		{ "\0\0", 2, "behind the gzip data" },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0", 12, "behind the gzip data" },
		{ "some text", 9, "behind the gzip data" },
		{ "\x1f\x8b", 2, "in the middle of a gzip header" },
		{ "\x1f\x8c\x08\0\0\0\0\0\0\3", 10, "behind the gzip data" },
		{ "PK\3\4 and an archive", 18, "behind the gzip data" },
	};
	struct cv_buf c = sample(5000), z = gzip_of(&c), none = make();
	size_t n = z.n;

	for (size_t i = 0; i < CV_COUNT(more); i++) {
		cv_buf_add(&z, more[i].bytes, more[i].n);
		refused(&z, CV_PACK_GZIP, false, CV_R_MALFORMED, more[i].text);
		z.n = n;
	}
	refused(&none, CV_PACK_GZIP, false, CV_R_MALFORMED, "in the middle of a gzip header");
	cv_buf_free(&c);
	cv_buf_free(&z);
}

/* Members cut at every place, so that ends fall everywhere in an engine's look-ahead. */
static void
test_gzip_members(void)
{
	struct cv_buf c = sample(600);

	for (size_t cut = 0; cut <= c.n; cut += 3)
		for (int level = 0; level < 10; level += 3) {
			struct cv_buf z = make();

			pack_into(&z, cv_span(c.p, cut), 31, level);
			pack_into(&z, cv_span(c.p + cut, c.n - cut), 31, 9 - level);
			pack_into(&z, cv_span(NULL, 0), 31, 6); /* an empty one, as eStargz ends */
			accepted(&z, CV_PACK_GZIP, &c);
			if (cut == 300)
				refused(&z, CV_PACK_GZIP, true, CV_R_AMBIGUOUS,
					"a second gzip member");
			cv_buf_free(&z);
		}
	cv_buf_free(&c);
}

/* Members of about the size of the reader's buffers. */
static void
test_gzip_large(void)
{
	struct cv_buf c = sample(3 * 1000 * 1000), z = make();
	size_t at = 0;

	for (size_t n = 131000; at < c.n; n += 77) {
		size_t k = n < c.n - at ? n : c.n - at;

		pack_into(&z, cv_span(c.p + at, k), 31, (int)(n % 10));
		at += k;
	}
	accepted(&z, CV_PACK_GZIP, &c);
	cv_buf_free(&c);
	cv_buf_free(&z);
}

/* ---- zlib, raw ---- */

static void
test_zlib(void)
{
	struct cv_buf c = sample(5000), z = make(), r = make();

	pack_into(&z, cv_buf_span(&c), 15, 6);
	accepted(&z, CV_PACK_ZLIB, &c);
	z.p[z.n - 1] ^= 1;
	refused(&z, CV_PACK_ZLIB, false, CV_R_MALFORMED, "zlib checksum");
	z.p[z.n - 1] ^= 1;
	z.p[1] ^= 1;
	refused(&z, CV_PACK_ZLIB, false, CV_R_MALFORMED, "a zlib header");
	z.p[1] ^= 1;
	z.p[1] = 0xbb; /* a dictionary: 0x78bb % 31 == 0 */
	refused(&z, CV_PACK_ZLIB, false, CV_R_MALFORMED, "a zlib header");
	z.p[1] = 0x9c;
	cv_buf_byte(&z, 0);
	refused(&z, CV_PACK_ZLIB, false, CV_R_MALFORMED, "behind the end");
	pack_into(&r, cv_buf_span(&c), -15, 6);
	accepted(&r, CV_PACK_RAW, &c);
	cv_buf_byte(&r, 0);
	refused(&r, CV_PACK_RAW, false, CV_R_MALFORMED, "1 bytes behind the end");
	r.n -= 2;
	refused(&r, CV_PACK_RAW, false, CV_R_MALFORMED, "in the middle of a block");
	accepted(&c, CV_PACK_PLAIN, &c);
	cv_buf_free(&c);
	cv_buf_free(&z);
	cv_buf_free(&r);
}

/* ---- the engines ---- */

/* What one engine accepts the other has to accept, with the same bytes. */
static void
test_engines_agree(void)
{
	struct cv_buf c = sample(400), z = make();
	unsigned accepted_ones = 0, bits = 0;

	if (!cv_deflate_has(CV_ENGINE_IGZIP))
		t_skip("igzip is not built in");
	cv_buf_str(&c, "the same words again and again: the same words again and again");
	for (int level = 0; level < 10; level += 3) {
		cv_buf_reset(&z);
		pack_into(&z, cv_buf_span(&c), -15, level);
		for (size_t i = 0; i < z.n * 8; i++, bits++) {
			struct cv_buf out[2] = { make(), make() };
			int rc[2];

			z.p[i / 8] ^= (uint8_t)(1u << (i % 8));
			for (size_t k = 0; k < 2; k++) {
				const struct cv_inflate_want want = { .pack = CV_PACK_RAW,
								      .engine = engines[k],
								      .max = CV_MIB };
				struct cv_err e = { 0 };

				rc[k] = unpack(&z, &want, &out[k], &e);
			}
			T_INT(rc[0], rc[1]);
			if (rc[0] == 0) {
				T(cv_span_eq(cv_buf_span(&out[0]), cv_buf_span(&out[1])));
				accepted_ones++;
			}
			cv_buf_free(&out[0]);
			cv_buf_free(&out[1]);
			z.p[i / 8] ^= (uint8_t)(1u << (i % 8));
		}
	}
	printf("# %u flipped bits, %u of them well-formed, the same to both engines\n", bits,
	       accepted_ones);
	cv_buf_free(&c);
	cv_buf_free(&z);
}

/* A distance that reaches in front of the content: bytes of whatever was there before. */
static void
test_lookback(void)
{
	/* fixed block: literal 'a', then length 3 at distance 2 */
	struct cv_buf b = make(), warm = sample(100000), z = make();

	cv_buf_add(&b, "\x4b\x04\x22\0", 4);
	pack_into(&z, cv_buf_span(&warm), 31, 6); /* leaves a full window behind */
	cv_buf_add(&z, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
	cv_buf_add(&z, b.p, b.n);
	cv_buf_add(&z, "\0\0\0\0\0\0\0\0", 8);
	refused(&b, CV_PACK_RAW, false, CV_R_MALFORMED, "broken compressed data");
	refused(&z, CV_PACK_GZIP, false, CV_R_MALFORMED, "broken compressed data");
	cv_buf_free(&b);
	cv_buf_free(&warm);
	cv_buf_free(&z);
}

/* ---- zstd ---- */

static void
zstd_into(struct cv_buf *out, struct cv_span in, int window)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t cap = ZSTD_compressBound(in.n);
	uint8_t *p = malloc(cap);

	T(c != NULL && p != NULL);
	T(!ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
	T(!ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, window == 0)));
	if (window != 0)
		T(!ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window)));
	ZSTD_inBuffer ib = { .src = in.p, .size = in.n, .pos = 0 };
	ZSTD_outBuffer ob = { .dst = p, .size = cap, .pos = 0 };
	/* in two steps, so that the frame does not know its size and says its window */
	if (window != 0)
		T(!ZSTD_isError(ZSTD_compressStream2(c, &ob, &ib, ZSTD_e_continue)));
	T(ZSTD_compressStream2(c, &ob, &ib, ZSTD_e_end) == 0);
	cv_buf_add(out, p, ob.pos);
	(void)ZSTD_freeCCtx(c);
	free(p);
}

static void
test_zstd(void)
{
	static const char skippable[] = "\x5f\x2a\x4d\x18\5\0\0\0hello";
	struct cv_buf c = sample(300000), z = make();

	cv_buf_add(&z, skippable, 13);
	zstd_into(&z, cv_span(c.p, 1000), 0);
	zstd_into(&z, cv_span(c.p + 1000, c.n - 1000), 0);
	cv_buf_add(&z, skippable, 13);
	accepted(&z, CV_PACK_ZSTD, &c);
	for (size_t n = 0; n < z.n; n += n < 40 || n > z.n - 40 ? 1 : 997) {
		struct cv_buf part = make();
		const struct cv_inflate_want want = { .pack = CV_PACK_ZSTD, .max = CV_GIB };
		struct cv_err e = { 0 };

		cv_buf_add(&part, z.p, n);
		/* a whole number of frames is a stream, as with gzip's members */
		if (n != 13 && n != z.n - 13 && unpack(&part, &want, NULL, &e) == 0)
			T(n > 13 && n < 1100);
		cv_buf_free(&part);
	}
	cv_buf_str(&z, "junk");
	refused(&z, CV_PACK_ZSTD, false, CV_R_MALFORMED, "want a zstd frame");
	z.n -= 4;
	cv_buf_add(&z, "\0\0\0\0", 4);
	refused(&z, CV_PACK_ZSTD, false, CV_R_MALFORMED, "want a zstd frame");
	cv_buf_reset(&z);
	cv_buf_add(&z, "\x27\xb5\x2f\xfd\0\0\0\0\0\0", 10); /* version 0.7 */
	refused(&z, CV_PACK_ZSTD, false, CV_R_MALFORMED, "want a zstd frame");
	cv_buf_reset(&z);
	zstd_into(&z, cv_span(c.p, 1000), 0);
	z.p[z.n - 1] ^= 1;
	refused(&z, CV_PACK_ZSTD, false, CV_R_MALFORMED, "broken zstd data");
	cv_buf_reset(&z); /* a dictionary's id */
	cv_buf_add(&z, "\x28\xb5\x2f\xfd\x21\x07\x05\x09\0\0hello", 15);
	refused(&z, CV_PACK_ZSTD, false, CV_R_UNSUPPORTED, "dictionary");
	cv_buf_free(&c);
	cv_buf_free(&z);
}

static void
test_zstd_window(void)
{
	struct cv_buf c = sample(100000), z = make();

	zstd_into(&z, cv_buf_span(&c), CV_INFLATE_ZSTD_LOG);
	accepted(&z, CV_PACK_ZSTD, &c);
	cv_buf_reset(&z);
	zstd_into(&z, cv_buf_span(&c), CV_INFLATE_ZSTD_LOG + 1);
	refused(&z, CV_PACK_ZSTD, false, CV_R_UNSUPPORTED, "window");
	cv_buf_free(&c);
	cv_buf_free(&z);
}

/* ---- limits ---- */

static void
test_max(void)
{
	struct cv_buf c = sample(1000000), z = gzip_of(&c);
	struct cv_inflate_want want = { .pack = CV_PACK_GZIP, .max = c.n };
	struct cv_err e = { 0 };

	T_OK(unpack(&z, &want, NULL, &e), e);
	want.max--;
	T_NO(unpack(&z, &want, NULL, &e), e, CV_R_LIMIT);
	want.pack = CV_PACK_PLAIN;
	T_NO(unpack(&c, &want, NULL, &e), e, CV_R_LIMIT);
	cv_buf_free(&c);
	cv_buf_free(&z);
}

/* An honest part in front does not buy room for a bomb behind it, nor the reverse. */
static void
test_ratio(void)
{
	struct cv_buf zeros = make(), honest = sample(8000000), z = make();
	struct cv_inflate_want want = { .pack = CV_PACK_GZIP, .max = 10 * CV_GIB };
	struct cv_err e = { 0 };

	T(cv_buf_extend(&zeros, 80u << 20) != NULL);
	memset(zeros.p, 0, zeros.n);
	pack_into(&z, cv_span(zeros.p, 60u << 20), 31, 9);
	T_OK(unpack(&z, &want, NULL, &e), e); /* less than a span of it: allowed */
	cv_buf_reset(&z);
	pack_into(&z, cv_buf_span(&honest), 31, 6);
	pack_into(&z, cv_buf_span(&zeros), 31, 9);
	T_NO(unpack(&z, &want, NULL, &e), e, CV_R_LIMIT);
	T_HAS(e.text, "200 times");
	cv_buf_reset(&z);
	pack_into(&z, cv_buf_span(&zeros), 31, 9);
	pack_into(&z, cv_buf_span(&honest), 31, 6);
	T_NO(unpack(&z, &want, NULL, &e), e, CV_R_LIMIT);
	cv_buf_free(&zeros);
	cv_buf_free(&honest);
	cv_buf_free(&z);
}

static void
test_short_file(void)
{
	struct cv_buf c = sample(1000), z = gzip_of(&c);
	const struct cv_inflate_want want = { .pack = CV_PACK_GZIP, .max = CV_GIB };
	struct cv_inflate *s = NULL;
	struct cv_span piece;
	struct cv_err e = { 0 };
	int fd = t_memfd(z.p, z.n);

	/* the file became shorter than was said: not the artifact's fault */
	T_OK(cv_inflate_open(&s, (struct cv_blob){ .fd = fd, .len = z.n + 1 }, &want, &e), e);
	T_NO(cv_inflate_read(s, &piece, &e), e, CV_R_CUTOFF);
	cv_inflate_free(&s);
	(void)close(fd);
	cv_buf_free(&c);
	cv_buf_free(&z);
}

static const struct t_case cases[] = {
	{ "gzip: the header", test_gzip_header },
	{ "gzip: optional parts of it", test_gzip_optional },
	{ "gzip: the trailer", test_gzip_trailer },
	{ "gzip: what lies behind", test_gzip_behind },
	{ "gzip: members", test_gzip_members },
	{ "gzip: large members", test_gzip_large },
	{ "zlib, raw, plain", test_zlib },
	{ "both engines agree", test_engines_agree },
	{ "distances before the start", test_lookback },
	{ "zstd", test_zstd },
	{ "zstd: the window", test_zstd_window },
	{ "the most output", test_max },
	{ "the ratio", test_ratio },
	{ "a file that became shorter", test_short_file },
};
T_MAIN(cases)
