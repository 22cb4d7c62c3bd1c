/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_pattern.h: whether a policy's patterns are any. What a pattern means is the
 * trust worker's business (the library that reads it is in no other process), so it is
 * asked once, and only where there are patterns.
 */
#ifndef CV_POLICY_PATTERN_H
#define CV_POLICY_PATTERN_H

#include "verify/policy.h"
#include "verify/role.h"

/* cv_policy_patterns: -1 with CV_R_CONFIG at the place of the first that is none, or
 * with `options` (the policy was made from the command line) CV_R_USAGE with the name
 * of its option; any other reason: it could not be found out. */
int cv_policy_patterns(const struct cv_policy *p, const struct cv_role_opts *role, bool options,
		       struct cv_err *e) cv_must;

#endif
