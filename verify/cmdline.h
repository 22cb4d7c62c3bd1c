/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmdline.h: the inside of the command line, for main.c, help.c and tests; verbs
 * use cmd.h.
 */
#ifndef CV_CMDLINE_H
#define CV_CMDLINE_H

#include "verify/cmd.h"

#include <stdio.h>

struct cv_setopt {
	const struct cv_opt *opt;
	const char *value; /* "" for a flag */
};

struct cv_cmdline {
	const struct cv_cmd *cmd;
	struct cv_setopt *set; /* in order of the command line */
	size_t nset;
	const char **values; /* scratch of cv_cl_values: of one option at a time */
	const char **args;
	size_t nargs;
	bool json;  /* -o json to stdout */
	bool color; /* stdout may be coloured */
};

/* Options that every verb has; ends with name NULL. */
extern const struct cv_opt cv_global_opts[];

/* cv_cmdline_parse: argv[0] is the verb. CV_R_USAGE, also for an option that
 * does not exist ("did you mean"). c is all zero before. */
int cv_cmdline_parse(struct cv_cmdline *c, const struct cv_cmd *cmd, int argc, char **argv,
		     struct cv_err *e) cv_must;
void cv_cmdline_free(struct cv_cmdline *c);

const struct cv_cmd *cv_cmd_find(const char *name);

/* cv_help_main: what the program is; cv_help_cmd: one verb. */
void cv_help_main(FILE *out);
void cv_help_cmd(FILE *out, const struct cv_cmd *cmd);

/* cv_cmdline_main: the whole command; returns the exit code. */
int cv_cmdline_main(int argc, char **argv);

#endif
