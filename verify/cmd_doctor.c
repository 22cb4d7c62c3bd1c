/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_doctor.c: is this machine fit to decide? Looks, changes nothing, uses no
 * network. */
#include "verify/cmdline.h"
#include "verify/registries.h"
#include "verify/role.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

/* say: one line; ok tells whether it is as it should be. */
static bool
say(bool ok, const char *what, const char *text)
{
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(16384);

	cv_text_safe(&safe, cv_span_str(text), 0);
	(void)printf("%-6s %-16s %s\n", ok ? "ok" : "WRONG", what, cv_buf_text(&safe));
	return ok;
}

static bool
worker(const char *dir, enum cv_role_kind kind, const char *name)
{
	struct cv_role_opts o = { .dir = dir, .cancel_fd = -1 };
	struct cv_role *role = NULL;
	struct cv_err e;
	unsigned flags;
	char text[160];
	bool ok;

	if (cv_role_start(&role, kind, &o, &e) != 0)
		return say(false, name, e.text);
	flags = cv_role_sandbox(role);
	ok = (flags & CV_SBX_LANDLOCK) != 0 && (flags & CV_SBX_SECCOMP) != 0;
	(void)snprintf(text, sizeof(text), "%s%s%s%s",
		       (flags & CV_SBX_LANDLOCK) != 0 ? "landlock" : "no landlock",
		       (flags & CV_SBX_SECCOMP) != 0 ? ", seccomp" : ", no seccomp",
		       (flags & CV_SBX_RLIMITS) != 0 ? ", limits" : ", no limits",
		       (flags & CV_SBX_SANITIZER) != 0 ? " (sanitizer build: unconfined)" : "");
	cv_role_end(&role);
	return say(ok, name, text);
}

static bool
store(const struct cv_cmdline *c)
{
	char dir[PATH_MAX];
	struct cv_store *s = NULL;
	struct cv_err e;

	if (cv_store_dir(c, dir, sizeof(dir), &e) != 0 || cv_store_open(&s, dir, 0, &e) != 0)
		return say(false, "store", e.text);
	cv_store_close(&s);
	return say(true, "store", dir);
}

static bool
registries(const struct cv_cmdline *c)
{
	cv_auto(cv_registries_free) struct cv_registries *r = NULL;
	const char *file;
	char text[PATH_MAX + 64];
	struct cv_err e;

	if (cv_registries_open(&r, cv_cl_env(c, "XDG_CONFIG_HOME"), cv_cl_env(c, "HOME"), &e) != 0)
		return say(false, "mirrors", e.text);
	file = cv_registries_file(r);
	if (file == NULL)
		return say(true, "mirrors", "none (no registries.json)");
	(void)snprintf(text, sizeof(text), "%s: of %zu %s", file, cv_registries_count(r),
		       cv_registries_count(r) == 1 ? "registry" : "registries");
	return say(true, "mirrors", text);
}

static int
run_doctor(struct cv_cmdline *c, struct cv_err *e)
{
	char dir[PATH_MAX], path[PATH_MAX];
	bool ok = true;

	if (cv_role_dir(dir, sizeof(dir), e) != 0)
		return cv_cmd_failed(c, e);
	ok &= say(true, "workers", dir);
	ok &= worker(dir, CV_ROLE_TRUST, "trust worker");
	ok &= worker(dir, CV_ROLE_CONTENTS, "contents worker");
	ok &= worker(dir, CV_ROLE_FETCH, "fetch worker");
	ok &= worker(dir, CV_ROLE_IMPORT, "import worker");
	ok &= store(c);
	ok &= registries(c);
	if (cv_db_path(c, path, sizeof(path), e) != 0)
		return cv_cmd_failed(c, e);
	(void)say(true, "advisory index",
		  access(path, R_OK) == 0 ? path : "none yet (clawverify db import FILE)");
	(void)puts(ok ? "\nThis machine can decide."
		      : "\nSomething is wrong above; a policy that requires confinement will not "
			"pass.");
	return ok ? CV_EXIT_PASS : CV_EXIT_UNKNOWN;
}

const struct cv_cmd cv_verb_doctor = {
	.name = "doctor",
	.summary = "is this machine fit to decide",
	.examples = "  clawverify doctor\n",
	.run = run_doctor,
};
