/* SPDX-License-Identifier: Apache-2.0 */
/* Launch sets and launch requests (verify/launchset.h): a set is written back byte for byte and
 * matches itself. */
#include "verify/launchset.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)e;
	if (f->outcome != CV_FAIL)
		abort();
	++*(unsigned *)ctx;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_buf out = CV_BUF(1 << 24);
	struct cv_launchset *set = NULL, *req = NULL;
	unsigned n = 0;
	struct cv_err e = { 0 };

	if (cv_launchset_parse(&set, cv_span(data, size), &e) == 0 &&
	    (cv_launchset_emit(set, &out, &e) != 0 || out.n != size ||
	     memcmp(out.p, data, size) != 0))
		abort();
	/* a request that names no image matches nothing */
	if (cv_launchreq_parse(&req, "request", cv_span(data, size), &e) == 0 &&
	    (cv_launchset_compare(req, req, NULL, count, &n, &e) != 0 ||
	     (req->image.manifest.alg == CV_ALG_NONE && req->image.config.alg == CV_ALG_NONE &&
	      n == 0)))
		abort();
	cv_launchset_free(&set);
	cv_launchset_free(&req);
	cv_buf_free(&out);
	return 0;
}
