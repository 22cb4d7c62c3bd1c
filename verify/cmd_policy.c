/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy.c: is a policy in order, and what does it amount to? */
#include "verify/cmdline.h"
#include "verify/policy_pattern.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static int
show(const struct cv_policy *p, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(16 * CV_MIB);
	json_t *v = NULL;
	int rc;

	if (cv_policy_effective(p, &v, e) != 0)
		return -1;
	rc = cv_json_emit(&out, v, e);
	json_decref(v);
	if (rc == 0)
		(void)fputs(cv_buf_text(&out), stdout);
	return rc;
}

/* patterns: asked of a worker, like everything about who signed. */
static int
patterns(const struct cv_policy *p, struct cv_err *e)
{
	char dir[PATH_MAX];
	struct cv_role_opts role = { .dir = dir, .cancel_fd = -1 };

	return cv_role_dir(dir, sizeof(dir), e) != 0 ? -1 : cv_policy_patterns(p, &role, false, e);
}

static int
run_policy(struct cv_cmdline *c, struct cv_err *e)
{
	const char *verb = cv_cl_arg(c, 0);
	const char *file = cv_cl_nargs(c) > 1 ? cv_cl_arg(c, 1) : "policy.json";
	cv_auto(cv_policy_free) struct cv_policy *p = NULL;
	char shown[CV_TEXT_BRIEF], digest[CV_DIGEST_TEXT], at[CV_TIME_TEXT];
	bool check = strcmp(verb, "check") == 0;

	if (!check && strcmp(verb, "show") != 0) {
		(void)cv_fail(e, CV_R_USAGE, "policy %s: want check or show",
			      cv_text_brief(shown, cv_span_str(verb)));
		return cv_cmd_failed(c, e);
	}
	if (cv_policy_load(&p, file, e) != 0 || (check && patterns(p, e) != 0))
		return cv_cmd_failed(c, e);
	if (!check)
		return show(p, e) == 0 ? CV_EXIT_PASS : cv_cmd_failed(c, e);
	if (p->has_expires && time(NULL) >= p->expires) {
		(void)cv_fail(e, CV_R_EXPIRED,
			      "%s: it expired at %s: whatever is asked by it is refused", file,
			      cv_time_text(p->expires, at));
		return cv_cmd_failed(c, e);
	}
	cv_say(c, "%s: in order; %zu rules, %zu signers%s%s, digest %s", file, p->nrules,
	       p->nsigners, p->has_expires ? ", expires " : "",
	       p->has_expires ? cv_time_text(p->expires, at) : "",
	       cv_digest_text(&p->digest, digest));
	return CV_EXIT_PASS;
}

const struct cv_cmd cv_verb_policy = {
	.name = "policy",
	.args = "check | show [FILE]",
	.summary = "is a policy in order, and what does it amount to with its preset",
	.text = "FILE is policy.json here unless given; preset:strict and the like are files\n"
		"too. check exits 2 for a mistake, 1 for a policy that has expired.\n",
	.examples = "  clawverify policy check\n"
		    "  clawverify policy show preset:strict\n",
	.min_args = 1,
	.max_args = 2,
	.run = run_policy,
};
