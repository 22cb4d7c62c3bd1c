/* SPDX-License-Identifier: Apache-2.0 */
/* run.c: from argv to an exit code; see cmdline.h. */
#include "verify/cmdline.h"
#include "verify/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

#define MAX_CMDS 64

static int
unknown_cmd(const char *name, struct cv_err *e)
{
	const char *words[MAX_CMDS + 1] = { NULL };
	char shown[CV_TEXT_BRIEF];
	const char *near;
	size_t n = 0;

	for (size_t i = 0; cv_cmds[i] != NULL && n < MAX_CMDS; i++)
		words[n++] = cv_cmds[i]->name;
	near = cv_word_near(name, words);
	cv_text_brief(shown, cv_span_str(name));
	if (near != NULL)
		return cv_fail(e, CV_R_USAGE, "there is no command %s; did you mean %s?", shown,
			       near);
	return cv_fail(e, CV_R_USAGE, "there is no command %s; see clawverify --help", shown);
}

/* Whether the choice of formats can be served, and what it means for stdout. */
static int
read_outputs(struct cv_cmdline *c, struct cv_err *e)
{
	size_t n;
	const char *const *v = cv_cl_values(c, "output", &n);
	unsigned to_stdout = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(v[i], "=");
		bool json = cv_span_eq_str(cv_span(v[i], len), "json");

		if (!json && !cv_span_eq_str(cv_span(v[i], len), "text")) {
			char shown[CV_TEXT_BRIEF];

			return cv_fail(e, CV_R_USAGE,
				       "-o %s: want text or json, or one of them and =FILE",
				       cv_text_brief(shown, cv_span_str(v[i])));
		}
		if (v[i][len] == '=' && v[i][len + 1] == '\0')
			return cv_fail(e, CV_R_USAGE,
				       "-o %s: a file name has to follow the =", v[i]);
		if (v[i][len] == '\0') {
			to_stdout++;
			c->json = c->json || json;
		}
	}
	if (to_stdout > 1)
		return cv_fail(e, CV_R_USAGE,
			       "two formats cannot both go to standard output; "
			       "give one of them a file: -o json=FILE");
	return 0;
}

static int
read_color(struct cv_cmdline *c, struct cv_err *e)
{
	const char *when = cv_cl_value(c, "color");
	const char *term = cv_cl_env(c, "TERM");

	if (when == NULL || strcmp(when, "auto") == 0)
		c->color = cv_cl_env(c, "CLICOLOR_FORCE") != NULL ||
			   (isatty(STDOUT_FILENO) == 1 && cv_cl_env(c, "NO_COLOR") == NULL &&
			    (term == NULL || strcmp(term, "dumb") != 0));
	else if (strcmp(when, "always") == 0)
		c->color = true;
	else if (strcmp(when, "never") != 0)
		return cv_fail(e, CV_R_USAGE, "--color %s: want auto, always or never", when);
	return 0;
}

static int
run_cmd(struct cv_cmdline *c, const struct cv_cmd *cmd, int argc, char **argv)
{
	struct cv_err e = { .reason = CV_R_NONE };
	struct cv_progress progress;
	int64_t seconds;
	int rc;

	/* options of every verb are right or wrong with every verb */
	if (cv_cmdline_parse(c, cmd, argc, argv, &e) != 0 || read_outputs(c, &e) != 0 ||
	    read_color(c, &e) != 0 || cv_progress_open(&progress, c, &e) != 0 ||
	    cv_cl_seconds(c, "timeout", CV_MAX_TIMEOUT, &seconds, &e) != 0)
		return cv_cmd_failed(c, &e);
	rc = CV_EXIT_PASS;
	if (cv_cl_flag(c, "help"))
		cv_help_cmd(stdout, cmd);
	else
		rc = cmd->run(c, &e);
	return cv_cmd_stdout(c, rc);
}

int
cv_cmdline_main(int argc, char **argv)
{
	struct cv_cmdline c = { .cmd = NULL };
	struct cv_err e = { .reason = CV_R_NONE };
	const struct cv_cmd *cmd;
	int rc;

	/* nothing was asked: exit 0 would read as a pass */
	if (argc < 2) {
		cv_help_main(stderr);
		return CV_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		cv_help_main(stdout);
		return cv_cmd_stdout(&c, CV_EXIT_PASS);
	}
	cmd = cv_cmd_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (cmd == NULL) {
		(void)unknown_cmd(argv[1], &e);
		return cv_cmd_failed(&c, &e);
	}
	rc = run_cmd(&c, cmd, argc - 1, argv + 1);
	cv_cmdline_free(&c);
	return rc;
}
