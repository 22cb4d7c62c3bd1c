/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_completion.c: words for the shell, made from the table of verbs. */
#include "verify/cmdline.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static void
words(const struct cv_opt *opts)
{
	for (; opts != NULL && opts->name != NULL; opts++)
		(void)printf(" --%s", opts->name);
}

static void
bash(void)
{
	(void)fputs("# bash completion for clawverify\n"
		    "_clawverify()\n"
		    "{\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
		    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
		    "\t\twords=\"",
		    stdout);
	for (size_t i = 0; cv_cmds[i] != NULL; i++)
		(void)printf("%s%s", i > 0 ? " " : "", cv_cmds[i]->name);
	(void)fputs("\"\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", stdout);
	for (size_t i = 0; cv_cmds[i] != NULL; i++) {
		(void)printf("\t\t%s) words=\"", cv_cmds[i]->name);
		words(cv_cmds[i]->opts);
		words(cv_global_opts);
		(void)fputs("\" ;;\n", stdout);
	}
	(void)fputs("\t\tesac\n"
		    "\t\t[[ $cur == -* ]] || words=\n"
		    "\tfi\n"
		    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		    "}\n"
		    "complete -o default -F _clawverify clawverify\n",
		    stdout);
}

static int
run_completion(struct cv_cmdline *c, struct cv_err *e)
{
	const char *shell = cv_cl_arg(c, 0);
	char shown[CV_TEXT_BRIEF];

	if (strcmp(shell, "bash") != 0) {
		(void)cv_fail(e, CV_R_USAGE, "completion %s: want bash",
			      cv_text_brief(shown, cv_span_str(shell)));
		return cv_cmd_failed(c, e);
	}
	bash();
	return CV_EXIT_PASS;
}

const struct cv_cmd cv_verb_completion = {
	.name = "completion",
	.args = "bash",
	.summary = "print a completion script for the shell",
	.examples = "  clawverify completion bash > /etc/bash_completion.d/clawverify\n",
	.min_args = 1,
	.max_args = 1,
	.run = run_completion,
};
