/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations of cosign's first generation, separated by NUL: what is made of them is a
 * bundle that the one reader takes or refuses. */
#include "trust/annotated.h"
#include "trust/bundle.h"

#include <stdlib.h>
#include <string.h>

/* The next part, up to a NUL, as a string of its own; NULL when nothing is left. */
static char *
part(const uint8_t **p, size_t *n)
{
	size_t len = strnlen((const char *)*p, *n);
	char *text;

	if (*n == 0)
		return NULL;
	text = strndup((const char *)*p, len);
	*p += len;
	*n -= len;
	if (*n > 0) {
		++*p;
		--*n;
	}
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_descriptor d = { .size = 0 };
	struct cv_buf out = CV_BUF(1 << 20);
	struct cv_bundle *b = NULL;
	struct cv_err e;

	d.certificate = part(&data, &size);
	d.log_entry = part(&data, &size);
	d.timestamp = part(&data, &size);
	d.signature = part(&data, &size);
	if (cv_annotated_bundle(&out, &d, cv_span(data, size), &e) == 0 &&
	    cv_bundle_parse_whole(&b, "the bundle", cv_buf_span(&out), &e) == 0 && b->minor != 1)
		__builtin_trap();
	cv_bundle_free(&b);
	cv_buf_free(&out);
	free(d.certificate);
	free(d.log_entry);
	free(d.timestamp);
	free(d.signature);
	return 0;
}
