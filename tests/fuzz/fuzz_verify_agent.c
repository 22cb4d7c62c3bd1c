/* SPDX-License-Identifier: Apache-2.0 */
/* agent.json (verify/agent.h): what is accepted has a canonical form, and lists what is not
 * covered. */
#include "verify/agent.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
seen(void *ctx, const char *what, const char *why, struct cv_jpos pos, struct cv_err *e)
{
	(void)ctx, (void)pos, (void)e;
	if (strchr(what, ':') == NULL || why[0] == '\0')
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_agent *a = NULL;
	struct cv_err e = { 0 };

	if (cv_agent_parse(&a, "agent.json", cv_span(data, size), &e) != 0) {
		/* the user's own file: a mistake in it is never an artifact's */
		if (e.reason != CV_R_CONFIG && e.reason != CV_R_MEMORY)
			abort();
		return 0;
	}
	if (a->nartifacts == 0 || a->digest.alg != CV_SHA256 ||
	    cv_agent_uncovered(a, seen, NULL, &e) != 0)
		abort();
	cv_agent_free(&a);
	return 0;
}
