/* SPDX-License-Identifier: Apache-2.0 */
/* The search for pickles, and the looks at format and text (sbom/found). */
#include "sbom/found/files_format.h"
#include "sbom/found/pickle.h"
#include "sbom/found/skill.h"
#include "sbom/found/unicode.h"
#include "tests/fuzz/blob.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
hit(void *ctx, const struct cv_pickle *p, struct cv_err *e)
{
	(void)ctx;
	(void)e;
	if (p->rule == NULL)
		__builtin_trap();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_blob blob = fuzz_blob(data, size);
	struct cv_format format;
	struct cv_text_scan scan;
	struct cv_err e;
	uint64_t unseen = 0;
	bool text;

	if (cv_pickle_find(blob, hit, NULL, &unseen, &e) != 0 ||
	    cv_format_of(&format, "file", blob, &e) != 0 ||
	    cv_format_readable(&text, "file", blob, &e) != 0 || cv_text_scan(&scan, blob, &e) != 0)
		__builtin_trap(); /* what is odd in the bytes is no error of reading */
	(void)!cv_skill_check(blob, &e);
	return 0;
}
