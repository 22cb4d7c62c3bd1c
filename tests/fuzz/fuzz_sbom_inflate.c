/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed streams (sbom/found/inflate.h): both engines take the same and make the same
 * of it.
 */
#include "sbom/found/inflate.h"
#include "tests/fuzz/blob.h"

#include "trust/base/limits.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
unpack(struct cv_blob blob, enum cv_pack pack, enum cv_engine engine, struct cv_digest *ret)
{
	const struct cv_inflate_want want = { .pack = pack, .engine = engine, .max = 4 * CV_MIB };
	cv_auto(cv_inflate_free) struct cv_inflate *z = NULL;
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;
	struct cv_span s;
	struct cv_err e = { 0 };

	if (cv_inflate_open(&z, blob, &want, &e) < 0 || cv_hash_open(&h, CV_SHA256, &e) < 0)
		__builtin_trap();
	cv_inflate_hash(z, h);
	do {
		if (cv_inflate_read(z, &s, &e) < 0)
			return e.reason == CV_R_NONE || e.reason == CV_R_BUG ? -2 : -1;
	} while (s.n > 0);
	if (cv_inflate_taken(z) != blob.len)
		__builtin_trap(); /* bytes that nobody looked at */
	return cv_hash_end(h, ret, &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum cv_pack packs[] = { CV_PACK_RAW, CV_PACK_GZIP, CV_PACK_ZLIB,
					      CV_PACK_ZSTD };
	struct cv_digest a = { 0 }, b = { 0 };
	enum cv_pack pack;

	if (size == 0)
		return 0;
	pack = packs[data[0] % 4];
	struct cv_blob blob = fuzz_blob(data + 1, size - 1);
	int rc = unpack(blob, pack, CV_ENGINE_ZLIB, &a);
	if (rc == -2)
		__builtin_trap();
	if (pack == CV_PACK_ZSTD || !cv_deflate_has(CV_ENGINE_IGZIP))
		return 0;
	if (unpack(blob, pack, CV_ENGINE_IGZIP, &b) != rc || (rc == 0 && !cv_digest_eq(&a, &b)))
		__builtin_trap();
	return 0;
}
