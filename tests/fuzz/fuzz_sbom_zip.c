/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zip archive (sbom/found/zip.h). What is accepted covers the file: the entries add up
 * to no more than it, and the second reading says the same.
 */
#include "sbom/found/zip.h"
#include "tests/fuzz/blob.h"

#include "trust/base/limits.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(struct cv_blob blob, uint64_t *entries, uint64_t *bytes)
{
	cv_auto(cv_zip_free) struct cv_zip *z = NULL;
	struct cv_zip_entry x;
	struct cv_err e = { 0 };
	int rc;

	*entries = *bytes = 0;
	if (cv_zip_open(&z, blob, CV_ZIP_DESCRIPTORS, &e) < 0)
		return -1;
	while ((rc = cv_zip_next(z, &x, &e)) == 1) {
		if (x.name.n == 0 || x.name.n > CV_MAX_PATH || x.at >= blob.len)
			__builtin_trap();
		++*entries;
		*bytes += x.size;
	}
	if (rc == 0 && *entries != cv_zip_entries(z))
		__builtin_trap();
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_blob blob = fuzz_blob(data, size);
	uint64_t entries[2], bytes[2];

	if (count(blob, &entries[0], &bytes[0]) != count(blob, &entries[1], &bytes[1]) ||
	    entries[0] != entries[1] || bytes[0] != bytes[1])
		__builtin_trap();
	return 0;
}
