/* SPDX-License-Identifier: Apache-2.0 */
/* Package URLs (trust/base/purl.h): what was parsed and written again means the same. */
#include "trust/base/purl.h"

#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
again(const struct cv_purl *p)
{
	struct cv_buf text = CV_BUF(16 * CV_MAX_PURL), twice = CV_BUF(16 * CV_MAX_PURL);
	struct cv_purl q;
	struct cv_err e;

	cv_purl_emit(&text, p);
	/* escapes can make it longer than a purl may be */
	if (text.failed == CV_R_NONE && text.n <= CV_MAX_PURL) {
		if (cv_purl_parse(&q, cv_buf_span(&text), 0, &e) != 0)
			__builtin_trap();
		cv_purl_emit(&twice, &q);
		if (!cv_span_eq(cv_buf_span(&text), cv_buf_span(&twice)) ||
		    !same(p->type, q.type) || !same(p->ns, q.ns) || !same(p->name, q.name) ||
		    !same(p->version, q.version) || !same(p->subpath, q.subpath) ||
		    p->nqual != q.nqual)
			__builtin_trap();
		cv_purl_free(&q);
	}
	cv_buf_free(&text);
	cv_buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_purl p;
	struct cv_err e;

	for (unsigned flags = 0; flags <= CV_PURL_LENIENT; flags++)
		if (cv_purl_parse(&p, cv_span(data, size), flags, &e) == 0) {
			again(&p);
			cv_purl_free(&p);
		}
	return 0;
}
