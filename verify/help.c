/* SPDX-License-Identifier: Apache-2.0 */
/* help.c: --help, made from the table of verbs. Examples come first. */
#include "verify/cmdline.h"

#include <string.h>

#include "trust/base/text.h"
#include "verify/report/explain.h"

#include "trust/base/banned.h"

void
cv_help_main(FILE *out)
{
	(void)fputs("clawverify: the gate before an AI agent's launch\n"
		    "\n"
		    "  clawverify demo                    watch it pass one agent, offline\n"
		    "  clawverify demo tampered-model     and refuse another\n"
		    "  clawverify init                    write agent.json and policy.json here\n"
		    "  clawverify lock                    pin what the agent is made of\n"
		    "  clawverify verify                  decide: may it be launched?\n"
		    "  clawverify launch --with docker    verify, seal, start\n"
		    "\n"
		    "Commands\n",
		    out);
	for (size_t i = 0; cv_cmds[i] != NULL; i++)
		(void)fprintf(out, "  %-11s %s\n", cv_cmds[i]->name, cv_cmds[i]->summary);
	(void)fputs("\n"
		    "clawverify COMMAND --help tells more; clawverify explain tells what is "
		    "checked.\n"
		    "Exit codes: 0 pass, 1 fail, 2 usage or configuration, 3 unknown, 4 internal;\n"
		    "whatever is not 0: do not launch.\n",
		    out);
}

static void
help_opts(FILE *out, const char *title, const struct cv_opt *opts)
{
	if (opts == NULL || opts->name == NULL)
		return;
	(void)fprintf(out, "\n%s\n", title);
	for (; opts->name != NULL; opts++) {
		char left[64];
		char letter[8] = "    ";

		if (opts->letter != 0)
			(void)snprintf(letter, sizeof(letter), "-%c, ", opts->letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, opts->name,
			       opts->arg != NULL ? " " : "", opts->arg != NULL ? opts->arg : "");
		(void)fprintf(out, "  %-29s %s\n", left, opts->help);
	}
}

void
cv_help_cmd(FILE *out, const struct cv_cmd *cmd)
{
	cv_auto(cv_buf_free) struct cv_buf usage = CV_BUF(1024), line = CV_BUF(1024);

	if (cmd->examples != NULL)
		(void)fprintf(out, "%s\n", cmd->examples);
	cv_buf_fmt(&usage, "clawverify %s [OPTIONS] %s", cmd->name,
		   cmd->args != NULL ? cmd->args : "");
	cv_wrap(&line, cv_buf_text(&usage), 0, 4, 80);
	(void)fprintf(out, "%s\n  %s\n", cv_buf_text(&line), cmd->summary);
	if (cmd->text != NULL)
		(void)fprintf(out, "\n%s", cmd->text);
	help_opts(out, "Options", cmd->opts);
	help_opts(out, "Options of every command", cv_global_opts);
}

static int
run_help(struct cv_cmdline *c, struct cv_err *e)
{
	const char *name = cv_cl_arg(c, 0);
	const struct cv_cmd *cmd;

	if (name == NULL) {
		cv_help_main(stdout);
		return CV_EXIT_PASS;
	}
	cmd = cv_cmd_find(name);
	if (cmd == NULL) {
		char shown[CV_TEXT_BRIEF];

		(void)cv_fail(e, CV_R_USAGE, "there is no command %s; see clawverify --help",
			      cv_text_brief(shown, cv_span_str(name)));
		return cv_cmd_failed(c, e);
	}
	cv_help_cmd(stdout, cmd);
	return CV_EXIT_PASS;
}

const struct cv_cmd cv_verb_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "what there is, or what one command does",
	.examples = "  clawverify help verify\n",
	.max_args = 1,
	.run = run_help,
};
