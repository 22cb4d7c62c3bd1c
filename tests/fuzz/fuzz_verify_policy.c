/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json without files beside it (verify/policy.h): what is accepted has a digest, and a rule
 * or none for every type. */
#include "verify/policy.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_artifact artifact = { .name = "llm", .source = "models/llm" };
	struct cv_policy *p = NULL;
	struct cv_rule rule;
	struct cv_err e = { 0 };

	if (cv_policy_parse(&p, "policy.json", cv_span(data, size), -1, &e) != 0) {
		if (e.reason != CV_R_CONFIG && e.reason != CV_R_MEMORY)
			abort();
		return 0;
	}
	for (unsigned t = CV_A_IMAGE; t <= CV_A_MODEL_HOSTED; t++) {
		artifact.type = (enum cv_atype)t;
		if (cv_policy_rule(p, &artifact, &rule, &e) == 1 &&
		    (rule.basis == 0 || rule.threshold == 0 || rule.name == NULL))
			abort();
	}
	if (p->digest.alg != CV_SHA256 || p->external_keys || p->valid_for < 1 ||
	    !cv_policy_required(p, NULL, "fetch.digest-mismatch"))
		abort();
	(void)cv_policy_accepts(p, "egress:a.example:443");
	cv_policy_free(&p);
	return 0;
}
