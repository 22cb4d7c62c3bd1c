/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer (sbom/found/layer.h), plain or compressed as the first byte says. A plain one
 * gets its headers' checksums made right first, so that a fuzzer comes past them.
 */
#include "sbom/found/layer.h"
#include "tests/fuzz/blob.h"

#include "trust/base/oci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	unsigned *problems = ctx;

	(void)e;
	*problems += f->outcome != CV_PASS;
	return 0;
}

static void
sum_headers(uint8_t *p, size_t n)
{
	for (; n >= 512; p += 512, n -= 512) {
		unsigned sum = 0;

		if (memcmp(p + 257, "ustar", 5) != 0)
			continue;
		memset(p + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += p[i];
		(void)snprintf((char *)p + 148, 8, "%06o", sum);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const media[] = { CV_MT_OCI_LAYER, CV_MT_OCI_LAYER "+gzip",
					     CV_MT_OCI_LAYER "+zstd" };
	unsigned problems = 0;
	const struct cv_sink sink = { .finding = see, .ctx = &problems };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_layer_job job = { .out = -1 };
	struct cv_layer l;
	struct cv_err e = { 0 };

	if (size == 0)
		return 0;
	uint8_t *copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	job.media = media[data[0] % 3];
	if (data[0] % 3 == 0)
		sum_headers(copy, size - 1);
	job.blob = fuzz_blob(copy, size - 1);
	free(copy);
	int rc = cv_layer_walk(&l, &job, &a, &e);
	if ((rc != 0) != (e.reason != CV_R_NONE))
		__builtin_trap();
	if (rc == 0 && l.whole && (l.diff_id.alg != CV_SHA256 || l.unpacked < 1024))
		__builtin_trap();
	if (rc == 0 && !l.whole && problems == 0)
		__builtin_trap(); /* neither read to its end nor refused */
	return 0;
}
