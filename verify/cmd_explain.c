/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c: what a check means. */
#include "verify/cmd.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/checks.h"
#include "trust/base/text.h"
#include "verify/report/explain.h"

#include "trust/base/banned.h"

#define MAX_CHECKS 512

static int
list_checks(void)
{
	size_t n;
	const struct cv_check *all = cv_check_all(&n);

	for (size_t i = 0; i < n; i++)
		(void)printf("%-28s %s\n", all[i].id, all[i].title);
	return CV_EXIT_PASS;
}

static int
unknown_check(const char *id, struct cv_err *e)
{
	const char *words[MAX_CHECKS + 1] = { NULL };
	char shown[CV_TEXT_BRIEF];
	const char *near;
	size_t n;
	const struct cv_check *all = cv_check_all(&n);

	for (size_t i = 0; i < n && i < MAX_CHECKS; i++)
		words[i] = all[i].id;
	near = cv_word_near(id, words);
	cv_text_brief(shown, cv_span_str(id));
	if (near != NULL)
		return cv_fail(e, CV_R_USAGE, "there is no check %s; did you mean %s?", shown,
			       near);
	return cv_fail(e, CV_R_USAGE, "there is no check %s; clawverify explain lists them all",
		       shown);
}

static int
run_explain(struct cv_cmdline *c, struct cv_err *e)
{
	const char *id = cv_cl_arg(c, 0);
	const struct cv_explain *x;
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);

	if (id == NULL)
		return list_checks();
	x = cv_explain_find(id);
	if (x == NULL) {
		(void)unknown_check(id, e);
		return cv_cmd_failed(c, e);
	}
	cv_explain_text(&out, x, 78);
	if (cv_buf_ok(&out, "the explanation", e) != 0)
		return cv_cmd_failed(c, e);
	(void)fputs(cv_buf_text(&out), stdout);
	return CV_EXIT_PASS;
}

const struct cv_cmd cv_verb_explain = {
	.name = "explain",
	.args = "[CHECK]",
	.summary = "what a check means, why it matters, what to do",
	.text = "Without CHECK: all checks, a line each.\n",
	.examples = "  clawverify explain\n  clawverify explain sig.identity-mismatch\n",
	.max_args = 1,
	.run = run_explain,
};
