/* SPDX-License-Identifier: Apache-2.0 */
/* clawverify.lock (verify/lock.h): what is accepted is written back byte for byte. */
#include "trust/base/limits.h"
#include "verify/lock.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
differs(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e)
{
	(void)ctx, (void)artifact, (void)pins, (void)text, (void)e;
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_buf out = CV_BUF(CV_MAX_LOCK_FILE);
	struct cv_lock *l = NULL;
	struct cv_err e = { 0 };

	if (cv_lock_parse(&l, "lock", cv_span(data, size), &e) != 0) {
		if (e.reason != CV_R_CONFIG && e.reason != CV_R_MEMORY)
			abort();
		return 0;
	}
	if (cv_lock_emit(l, &out, &e) != 0 || out.n != size || memcmp(out.p, data, size) != 0 ||
	    cv_lock_diff(l, l, differs, NULL, &e) != 0)
		abort();
	cv_lock_free(&l);
	cv_buf_free(&out);
	return 0;
}
