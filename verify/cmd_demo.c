/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_demo.c: the samples in a directory of their own, and the ordinary commands
 * run there, so that what is seen is what a user would do and get. Offline; the
 * directory goes again unless --keep names it.
 */
#include "verify/cmdline.h"
#include "verify/demo/demo.h"
#include "verify/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

/* What each sample shows, in the order in which they are listed. */
static const struct {
	const char *name, *says;
} samples[] = {
	{ "good", "an agent in which everything is as it should be" },
	{ "tampered-model", "four bytes of the model's weights were changed" },
	{ "wrong-signer", "the image is signed, but not by the maker that policy names" },
	{ "unsigned-image", "the same image, without its signatures" },
	{ "changed-tool", "the tool has new code and a program that runs on installation" },
	{ "pickle-model", "a pickle lies beside the weights, signed and locked" },
};

static const char *
sample_says(const char *name)
{
	for (size_t i = 0; i < CV_COUNT(samples); i++) {
		if (strcmp(samples[i].name, name) == 0)
			return samples[i].says;
	}
	return NULL;
}

static int
unknown_sample(const char *name, struct cv_err *e)
{
	const char *words[CV_COUNT(samples) + 1] = { NULL };
	char shown[CV_TEXT_BRIEF];
	const char *near;

	for (size_t i = 0; i < CV_COUNT(samples); i++)
		words[i] = samples[i].name;
	near = cv_word_near(name, words);
	cv_text_brief(shown, cv_span_str(name));
	return cv_fail(e, CV_R_USAGE, "demo: there is no sample %s; %s%s%s", shown,
		       near != NULL ? "did you mean " : "see clawverify demo --help",
		       near != NULL ? near : "", near != NULL ? "?" : "");
}

/* ---- the directory ---- */

static int
make_parents(int dir, const char *path, struct cv_err *e)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(dir, part, 0755) != 0 && errno != EEXIST)
			return cv_fail_errno(e, "demo: %s", part);
	}
	return 0;
}

static int
write_file(int dir, const char *path, const struct cv_demo_file *f, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = -1;

	if (make_parents(dir, path, e) != 0)
		return -1;
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return cv_fail_errno(e, "demo: %s", path);
	return cv_write_all(fd, f->start, (size_t)(f->end - f->start), path, e);
}

/* write_sample: the files of one sample, over those that are there. */
static int
write_sample(int dir, const char *name, struct cv_err *e)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < cv_demo_nfiles; i++) {
		const struct cv_demo_file *f = &cv_demo_files[i];

		if (strncmp(f->path, name, n) == 0 && f->path[n] == '/' &&
		    write_file(dir, f->path + n + 1, f, e) != 0)
			return -1;
	}
	return 0;
}

static int
drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	(void)remove(path);
	return 0;
}

/* ---- running ourselves ---- */

/* environment: this one with the store and the state below the directory. */
static char **
environment(const char *dir, struct cv_err *e)
{
	size_t n = 0;
	char **env;

	while (environ[n] != NULL)
		n++;
	env = calloc(n + 3, sizeof(*env));
	if (env == NULL || asprintf(&env[0], "XDG_CACHE_HOME=%s/.cache", dir) < 0 ||
	    asprintf(&env[1], "XDG_STATE_HOME=%s/.state", dir) < 0) {
		(void)cv_fail_memory(e);
		return NULL; /* the process ends */
	}
	n = 2;
	for (char **v = environ; *v != NULL; v++) {
		if (strncmp(*v, "XDG_CACHE_HOME=", 15) != 0 &&
		    strncmp(*v, "XDG_STATE_HOME=", 15) != 0 && strncmp(*v, "CLAWVERIFY_", 11) != 0)
			env[n++] = *v;
	}
	return env;
}

/* run_self: this program with other arguments, in `dir`; its exit code, -1. */
static int
run_self(const char *dir, const char *const *args, struct cv_err *e)
{
	posix_spawn_file_actions_t actions;
	char **env = environment(dir, e);
	int status, rc;
	pid_t pid;

	if (env == NULL)
		return -1;
	rc = posix_spawn_file_actions_init(&actions);
	if (rc == 0)
		rc = posix_spawn_file_actions_addchdir_np(&actions, dir);
	(void)fflush(stdout);
	if (rc == 0)
		rc = posix_spawn(&pid, "/proc/self/exe", &actions, NULL,
				 (char *const *)(uintptr_t)args, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	free(env[0]);
	free(env[1]);
	free(env);
	if (rc != 0) {
		errno = rc;
		return cv_fail_errno(e, "demo: cannot start clawverify");
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return cv_fail_errno(e, "demo: waitpid");
	}
	if (!WIFEXITED(status))
		return cv_fail(e, CV_R_BUG, "demo: clawverify ended by signal %d",
			       WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* outputs: -o as it was given, its file below the directory that demo was called in
 * rather than in the sample's, which goes away. */
static int
outputs(const struct cv_cmdline *c, struct cv_mem *m, const char **args, size_t *n, size_t max,
	struct cv_err *e)
{
	cv_auto(cv_freep) char *here = getcwd(NULL, 0);
	size_t k;
	const char *const *v = cv_cl_values(c, "output", &k);

	if (here == NULL)
		return cv_fail_errno(e, "demo: the directory of this process");
	for (size_t i = 0; i < k && *n + 3 < max; i++) {
		const char *file = strchr(v[i], '=');

		args[(*n)++] = "-o";
		args[*n] = file == NULL || file[1] == '/'
				   ? v[i]
				   : cv_mem_fmt(m, e, "%.*s=%s/%s", (int)(file - v[i]), v[i], here,
						file + 1);
		if (args[(*n)++] == NULL)
			return -1;
	}
	return 0;
}

/* verify_args: the report options that were given to demo go on to verify. */
static int
verify_args(const struct cv_cmdline *c, struct cv_mem *m, const char **args, size_t max,
	    struct cv_err *e)
{
	size_t n = 0;

	args[n++] = "clawverify";
	args[n++] = "verify";
	args[n++] = "--offline";
	if (cv_cl_flag(c, "verbose"))
		args[n++] = "-v";
	if (cv_cl_flag(c, "quiet"))
		args[n++] = "-q";
	if (cv_cl_value(c, "color") != NULL) {
		args[n++] = "--color";
		args[n++] = cv_cl_value(c, "color");
	}
	if (outputs(c, m, args, &n, max, e) != 0)
		return -1;
	args[n] = NULL;
	return 0;
}

/* KEPT: what verify has to be told in a sample that was kept: its advisories lie in a
 * store of its own, so that nobody's real index is replaced by them. */
#define KEPT "clawverify verify --store .cache/clawverify"

static int
kept(const struct cv_cmdline *c, const char *dir, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf quoted = CV_BUF(8 * PATH_MAX);
	const char *words[] = { dir };

	cv_args_quoted(&(const struct cv_args){ .v = words, .n = 1 }, &quoted);
	if (cv_buf_ok(&quoted, "a path", e) != 0)
		return -1;
	cv_say(c, "%s", "");
	cv_say(c, "now:  cd %s", cv_buf_text(&quoted));
	cv_say(c, "      " KEPT);
	return 0;
}

static void
next_steps(const struct cv_cmdline *c)
{
	cv_say(c, "%s", "");
	cv_say(c, "now:  clawverify demo tampered-model    see one refused");
	cv_say(c, "      clawverify init                   in your own agent's directory");
	cv_say(c, "      clawverify explain                what is checked");
}

static int
run_sample(struct cv_cmdline *c, const char *name, const char *dir, struct cv_err *e)
{
	static const char *const import[] = { "clawverify",      "db", "import", "-q",
					      "advisories.json", NULL };
	cv_auto(cv_mem_free) struct cv_mem m = { 0 };
	bool keep = cv_cl_value(c, "keep") != NULL;
	const char *verify[32];
	int rc;

	cv_say(c, "demo %s: %s", name, sample_says(name));
	rc = run_self(dir, import, e);
	if (rc != 0)
		return rc;
	cv_say(c, "$ %s", keep ? KEPT : "clawverify verify");
	if (verify_args(c, &m, verify, CV_COUNT(verify), e) != 0)
		return -1;
	rc = run_self(dir, verify, e);
	if (keep && rc >= 0 && kept(c, dir, e) != 0)
		return -1;
	if (!keep && rc == CV_EXIT_PASS)
		next_steps(c);
	return rc;
}

/* open_dir: the directory for the sample: --keep's, else one under TMPDIR. */
static int
open_dir(const struct cv_cmdline *c, char *dir, size_t n, struct cv_err *e)
{
	const char *keep = cv_cl_value(c, "keep");
	const char *tmp = cv_cl_env(c, "TMPDIR");

	if (keep != NULL) {
		if (mkdir(keep, 0755) != 0)
			return cv_fail(e, CV_R_USAGE, "--keep %.400s: %s", keep, strerror(errno));
		if (realpath(keep, dir) == NULL)
			return cv_fail_errno(e, "--keep %.400s", keep);
		return 0;
	}
	if ((size_t)snprintf(dir, n, "%s/clawverify-demo-XXXXXX", tmp != NULL ? tmp : "/tmp") >= n)
		return cv_fail(e, CV_R_USAGE, "TMPDIR is too long");
	return mkdtemp(dir) != NULL ? 0 : cv_fail_errno(e, "demo: %s", dir);
}

static int
run_demo(struct cv_cmdline *c, struct cv_err *e)
{
	const char *name = cv_cl_arg(c, 0) != NULL ? cv_cl_arg(c, 0) : "good";
	cv_auto(cv_closep) int fd = -1;
	char dir[PATH_MAX];
	int rc = -1;

	if (sample_says(name) == NULL) {
		(void)unknown_sample(name, e);
		return cv_cmd_failed(c, e);
	}
	if (open_dir(c, dir, sizeof(dir), e) != 0)
		return cv_cmd_failed(c, e);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)cv_fail_errno(e, "demo: %s", dir);
	else if (write_sample(fd, "good", e) == 0 &&
		 (strcmp(name, "good") == 0 || write_sample(fd, name, e) == 0))
		rc = run_sample(c, name, dir, e);
	if (cv_cl_value(c, "keep") == NULL)
		(void)nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
	return rc >= 0 ? rc : cv_cmd_failed(c, e);
}

static const struct cv_opt opts[] = {
	{ "keep", 0, CV_OPT_VALUE, "DIR", "leave the sample in this new directory" },
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_demo = {
	.name = "demo",
	.args = "[SAMPLE]",
	.summary = "pass one agent, or refuse a broken one, offline",
	.text = "SAMPLE is one of\n"
		"  good             everything is as it should be (default)\n"
		"  tampered-model   four bytes of the model's weights were changed\n"
		"  wrong-signer     the image is signed, but not by the maker that policy names\n"
		"  unsigned-image   the same image, without its signatures\n"
		"  changed-tool     new code, and a program that runs on installation\n"
		"  pickle-model     a pickle beside the weights, signed and locked\n"
		"The exit code is that of verify: 0 for good, 1 for the others.\n",
	.examples = "  clawverify demo\n"
		    "  clawverify demo tampered-model\n"
		    "  clawverify demo pickle-model --keep /tmp/sample\n",
	.opts = opts,
	.max_args = 1,
	.run = run_demo,
};
