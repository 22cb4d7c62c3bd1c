/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool package (sbom/found/package.h): a zip as it stands, or a tar of which the gzip
 * around it is made here. Names that are handed out are plain relative paths.
 */
#include "sbom/found/package.h"
#include "tests/fuzz/blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	unsigned *problems = ctx;

	(void)e;
	*problems += f->outcome != CV_PASS && f->outcome != CV_NOT_APPLICABLE;
	return 0;
}

static int
ends(void *ctx, const struct cv_member *m, struct cv_err *e)
{
	struct cv_path p;

	(void)ctx;
	(void)e;
	if (cv_path_parse(&p, cv_span_str(m->path), CV_PATH_PACKAGE) != CV_PATH_FINE ||
	    strcmp(p.s, m->path) != 0)
		__builtin_trap();
	if ((m->mode == 0100644 || m->mode == 0100755) != (m->digest.alg == CV_SHA256))
		__builtin_trap();
	return 0;
}

/* gzip_of: one member of stored blocks, the headers' checksums made right. */
static struct cv_blob
gzip_of(const uint8_t *data, size_t n)
{
	uint8_t *tar = malloc(n + 1), *out = malloc(n + n / 60000 * 5 + 64);
	uint32_t crc;
	size_t at = 10, i = 0;

	if (tar == NULL || out == NULL)
		abort();
	memcpy(tar, data, n);
	for (uint8_t *p = tar; p + 512 <= tar + n; p += 512) {
		unsigned sum = 0;

		if (memcmp(p + 257, "ustar", 5) != 0)
			continue;
		memset(p + 148, ' ', 8);
		for (size_t k = 0; k < 512; k++)
			sum += p[k];
		(void)snprintf((char *)p + 148, 8, "%06o", sum);
	}
	memcpy(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
	do {
		size_t k = n - i < 60000 ? n - i : 60000;

		out[at++] = i + k == n;
		out[at++] = (uint8_t)k;
		out[at++] = (uint8_t)(k >> 8);
		out[at++] = (uint8_t)~k;
		out[at++] = (uint8_t)(~k >> 8);
		memcpy(out + at, tar + i, k);
		at += k;
		i += k;
	} while (i < n);
	crc = (uint32_t)crc32(0, tar, (uInt)n);
	for (unsigned k = 0; k < 4; k++)
		out[at++] = (uint8_t)(crc >> (8 * k));
	for (unsigned k = 0; k < 4; k++)
		out[at++] = (uint8_t)(n >> (8 * k));
	struct cv_blob b = fuzz_blob(out, at);
	free(tar);
	free(out);
	return b;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned problems = 0;
	const struct cv_sink sink = { .finding = see, .ctx = &problems };
	const struct cv_member_use use = { .ends = ends };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_package p;
	struct cv_err e = { 0 };
	bool zip = size > 1 && data[0] == 'P' && data[1] == 'K';
	struct cv_blob blob = zip ? fuzz_blob(data, size) : gzip_of(data, size);

	if (cv_package_walk(&p, blob, &use, &a, &e) < 0)
		__builtin_trap();
	if (!p.whole && problems == 0)
		__builtin_trap();
	if (p.whole && problems == 0 && p.kind == CV_PACKAGE_TAR && p.name[0] == '\0')
		__builtin_trap();
	return 0;
}
