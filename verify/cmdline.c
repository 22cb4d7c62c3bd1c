/* SPDX-License-Identifier: Apache-2.0 */
/* cmdline.c: see cmdline.h. No abbreviations, no option that takes a value
 * sometimes, options and arguments in any order until "--". */
#include "verify/cmdline.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

const struct cv_opt cv_global_opts[] = {
	{ "output", 'o', CV_OPT_MANY, "FORMAT[=FILE]", "text or json; may be repeated" },
	{ "quiet", 'q', CV_OPT_FLAG, NULL, "nothing on success, the last block otherwise" },
	{ "verbose", 'v', CV_OPT_FLAG, NULL, "passed checks and times too" },
	{ "color", 0, CV_OPT_VALUE, "WHEN", "auto, always or never" },
	{ "progress", 0, CV_OPT_VALUE, "HOW", "auto, plain or none" },
	{ "offline", 0, CV_OPT_FLAG, NULL, "use no network at all" },
	{ "store", 0, CV_OPT_VALUE, "DIR", "where received blobs are kept" },
	{ "timeout", 0, CV_OPT_VALUE, "DURATION", "give up after this time (30s, 5m)" },
	{ "help", 'h', CV_OPT_FLAG, NULL, "this text" },
	{ NULL, 0, 0, NULL, NULL },
};

static const struct cv_opt *
find_in(const struct cv_opt *opts, struct cv_span name, char letter)
{
	for (; opts != NULL && opts->name != NULL; opts++) {
		if (letter != 0 ? opts->letter == letter : cv_span_eq_str(name, opts->name))
			return opts;
	}
	return NULL;
}

static const struct cv_opt *
find_opt(const struct cv_cmd *cmd, struct cv_span name, char letter)
{
	const struct cv_opt *opt = find_in(cmd->opts, name, letter);

	return opt != NULL ? opt : find_in(cv_global_opts, name, letter);
}

#define MAX_OPTS 64

/* unknown_opt: say so, with the option that a slip may have meant. */
static int
unknown_opt(const struct cv_cmd *cmd, const char *arg, struct cv_err *e)
{
	const char *words[MAX_OPTS + 1] = { NULL };
	char name[64], shown[CV_TEXT_BRIEF];
	const char *near;
	size_t n = 0;

	for (const struct cv_opt *o = cmd->opts; o != NULL && o->name != NULL && n < MAX_OPTS; o++)
		words[n++] = o->name;
	for (const struct cv_opt *o = cv_global_opts; o->name != NULL && n < MAX_OPTS; o++)
		words[n++] = o->name;
	(void)snprintf(name, sizeof(name), "%s", arg + strspn(arg, "-"));
	name[strcspn(name, "=")] = '\0';
	near = strncmp(arg, "--", 2) == 0 ? cv_word_near(name, words) : NULL;
	cv_text_brief(shown, cv_span_str(arg));
	if (near != NULL)
		return cv_fail(e, CV_R_USAGE, "%s: there is no option %s; did you mean --%s?",
			       cmd->name, shown, near);
	return cv_fail(e, CV_R_USAGE, "%s: there is no option %s; see clawverify %s --help",
		       cmd->name, shown, cmd->name);
}

static int
add_opt(struct cv_cmdline *c, const struct cv_opt *opt, const char *value, struct cv_err *e)
{
	/* an empty one is a variable of a script that was not set: nothing that works
	 * with another default may come of it */
	if (opt->kind != CV_OPT_FLAG && value[0] == '\0')
		return cv_fail(e, CV_R_USAGE, "%s: --%s: found nothing, want %s", c->cmd->name,
			       opt->name, opt->arg);
	if (opt->kind != CV_OPT_MANY) {
		for (size_t i = 0; i < c->nset; i++) {
			if (c->set[i].opt == opt && opt->kind == CV_OPT_VALUE)
				return cv_fail(e, CV_R_USAGE, "%s: --%s is given twice",
					       c->cmd->name, opt->name);
		}
	}
	c->set[c->nset++] = (struct cv_setopt){ .opt = opt, .value = value };
	return 0;
}

/* long_opt, short_opt: *used counts the words of argv that were taken. */
static int
long_opt(struct cv_cmdline *c, int argc, char **argv, int *used, struct cv_err *e)
{
	const char *arg = argv[0] + 2;
	size_t len = strcspn(arg, "=");
	const struct cv_opt *opt = find_opt(c->cmd, cv_span(arg, len), 0);

	*used = 1;
	if (opt == NULL)
		return unknown_opt(c->cmd, argv[0], e);
	if (opt->kind == CV_OPT_FLAG) {
		if (arg[len] == '=')
			return cv_fail(e, CV_R_USAGE, "%s: --%s takes no value", c->cmd->name,
				       opt->name);
		return add_opt(c, opt, "", e);
	}
	if (arg[len] == '=')
		return add_opt(c, opt, arg + len + 1, e);
	if (argc < 2)
		return cv_fail(e, CV_R_USAGE, "%s: --%s wants %s", c->cmd->name, opt->name,
			       opt->arg);
	*used = 2;
	return add_opt(c, opt, argv[1], e);
}

static int
short_opt(struct cv_cmdline *c, int argc, char **argv, int *used, struct cv_err *e)
{
	const struct cv_opt *opt = find_opt(c->cmd, cv_span(NULL, 0), argv[0][1]);

	*used = 1;
	if (opt == NULL)
		return unknown_opt(c->cmd, argv[0], e);
	if (opt->kind == CV_OPT_FLAG) {
		if (argv[0][2] != '\0')
			return cv_fail(e, CV_R_USAGE, "%s: write -%c by itself", c->cmd->name,
				       opt->letter);
		return add_opt(c, opt, "", e);
	}
	if (argv[0][2] != '\0')
		return add_opt(c, opt, argv[0] + 2, e);
	if (argc < 2)
		return cv_fail(e, CV_R_USAGE, "%s: -%c wants %s", c->cmd->name, opt->letter,
			       opt->arg);
	*used = 2;
	return add_opt(c, opt, argv[1], e);
}

static int
check_args(const struct cv_cmdline *c, struct cv_err *e)
{
	if (cv_cl_flag(c, "help"))
		return 0;
	if (c->nargs < c->cmd->min_args)
		return cv_fail(e, CV_R_USAGE, "%s: too few arguments, want: clawverify %s %s",
			       c->cmd->name, c->cmd->name, c->cmd->args);
	if (c->nargs > c->cmd->max_args) {
		char shown[CV_TEXT_BRIEF];

		return cv_fail(
			e, CV_R_USAGE, "%s: %s is one argument too many, want: clawverify %s %s",
			c->cmd->name, cv_text_brief(shown, cv_span_str(c->args[c->cmd->max_args])),
			c->cmd->name, c->cmd->args == NULL ? "" : c->cmd->args);
	}
	return 0;
}

int
cv_cmdline_parse(struct cv_cmdline *c, const struct cv_cmd *cmd, int argc, char **argv,
		 struct cv_err *e)
{
	size_t room = (size_t)argc + 1;
	bool ended = false;

	c->cmd = cmd;
	c->set = calloc(room, sizeof(*c->set));
	c->values = calloc(room, sizeof(*c->values));
	c->args = calloc(room, sizeof(*c->args));
	if (c->set == NULL || c->values == NULL || c->args == NULL)
		return cv_fail_memory(e);
	for (int i = 1, used; i < argc; i += used) {
		const char *a = argv[i];

		used = 1;
		if (ended || a[0] != '-' || a[1] == '\0') {
			c->args[c->nargs++] = a;
		} else if (strcmp(a, "--") == 0) {
			ended = true;
		} else if (a[1] == '-') {
			if (long_opt(c, argc - i, argv + i, &used, e) != 0)
				return -1;
		} else if (short_opt(c, argc - i, argv + i, &used, e) != 0) {
			return -1;
		}
	}
	return check_args(c, e);
}

void
cv_cmdline_free(struct cv_cmdline *c)
{
	free(c->set);
	free(c->values);
	free(c->args);
	*c = (struct cv_cmdline){ .cmd = NULL };
}

bool
cv_cl_flag(const struct cv_cmdline *c, const char *name)
{
	for (size_t i = 0; i < c->nset; i++) {
		if (strcmp(c->set[i].opt->name, name) == 0)
			return true;
	}
	return false;
}

/* from_env: CLAWVERIFY_STORE for --store; only settings that every verb has and
 * that do not decide what is trusted. */
static const char *
from_env(const struct cv_cmdline *c, const char *name)
{
	static const char *const known[] = { "store", "color", "progress", "timeout", NULL };
	char var[64] = "CLAWVERIFY_";
	size_t n = strlen(var);

	for (size_t i = 0; known[i] != NULL; i++) {
		if (strcmp(known[i], name) != 0)
			continue;
		for (const char *p = name; *p != '\0' && n < sizeof(var) - 1; p++)
			var[n++] = (char)(*p - 'a' + 'A');
		var[n] = '\0';
		return cv_cl_env(c, var);
	}
	return NULL;
}

const char *
cv_cl_value(const struct cv_cmdline *c, const char *name)
{
	for (size_t i = c->nset; i-- > 0;) {
		if (strcmp(c->set[i].opt->name, name) == 0)
			return c->set[i].value;
	}
	return from_env(c, name);
}

int
cv_cl_seconds(const struct cv_cmdline *c, const char *name, int64_t max, int64_t *ret,
	      struct cv_err *e)
{
	const char *text = cv_cl_value(c, name);
	int64_t seconds;

	if (text == NULL)
		return 0;
	if (cv_duration_parse(&seconds, cv_span_str(text), max, e) != 0) {
		e->reason = CV_R_USAGE;
		return cv_fail_within(e, "--%s", name);
	}
	if (seconds < 1)
		return cv_fail(e, CV_R_USAGE, "--%s: found %s, want at least a second", name, text);
	*ret = seconds;
	return 0;
}

const char *const *
cv_cl_values(const struct cv_cmdline *c, const char *name, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < c->nset; i++) {
		if (strcmp(c->set[i].opt->name, name) == 0)
			c->values[(*n)++] = c->set[i].value;
	}
	return c->values;
}

const char *
cv_cl_arg(const struct cv_cmdline *c, size_t i)
{
	return i < c->nargs ? c->args[i] : NULL;
}

size_t
cv_cl_nargs(const struct cv_cmdline *c)
{
	return c->nargs;
}

const char *
cv_cl_env(const struct cv_cmdline *c, const char *name)
{
	const char *v = getenv(name);

	(void)c;
	return v != NULL && v[0] != '\0' ? v : NULL;
}

bool
cv_cl_json(const struct cv_cmdline *c)
{
	return c->json;
}

const struct cv_cmd *
cv_cmd_find(const char *name)
{
	for (size_t i = 0; cv_cmds[i] != NULL; i++) {
		if (strcmp(cv_cmds[i]->name, name) == 0)
			return cv_cmds[i];
	}
	return NULL;
}

/* ---- files that options name ---- */

/* slip: what is wrong with a file that somebody named on the command line. */
static int
slip(const char *option, struct cv_err *e)
{
	if (e->reason == CV_R_CONFIG)
		e->reason = CV_R_USAGE;
	return cv_fail_within(e, "--%s", option);
}

int
cv_cl_read(struct cv_buf *out, const char *option, const char *path, size_t max, struct cv_err *e)
{
	int got = cv_conf_read(out, AT_FDCWD, path, max, e);

	if (got == 0)
		return cv_fail(e, CV_R_USAGE, "--%s %.400s: there is no such file", option, path);
	return got < 0 ? slip(option, e) : 0;
}

int
cv_cl_key(const struct cv_cmdline *c, struct cv_mem *m, struct cv_key *ret, const char *option,
	  const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf pem = CV_BUF(CV_MAX_KEY_PEM);
	bool variable = strncmp(path, "env://", 6) == 0;

	if (!variable && cv_cl_read(&pem, option, path, CV_MAX_KEY_PEM, e) != 0)
		return -1;
	if (variable && cv_cl_env(c, path + 6) == NULL)
		return cv_fail(e, CV_R_USAGE, "--%s %.400s: it is not set, or empty", option, path);
	if (variable) {
		cv_buf_str(&pem, cv_cl_env(c, path + 6));
		if (pem.failed == CV_R_LIMIT)
			return cv_fail(e, CV_R_USAGE, "--%s %.400s: found more than %llu bytes",
				       option, path, CV_MAX_KEY_PEM);
		if (cv_buf_ok(&pem, path, e) != 0)
			return -1;
	}
	return cv_key_parse(m, ret, cv_buf_span(&pem), path, e) != 0 ? slip(option, e) : 0;
}
