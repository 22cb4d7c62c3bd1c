/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_db.c: the advisory index, compiled by the contents worker from OSV files
 * that the user has. Nothing is ever downloaded for it. */
#include "verify/cmdline.h"
#include "verify/role.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "verify/report/report.h"

#include "trust/base/banned.h"

#define MAX_COUNTS 64

/* Counts that the worker stated; believed once the task is done. */
struct counts {
	struct {
		char name[96];
		uint64_t n;
	} v[MAX_COUNTS];
	size_t n;
};

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct counts *k = ctx;

	if (cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED) != CV_F_COUNTS || k->n == MAX_COUNTS)
		return 0;
	cv_text_fmt(k->v[k->n].name, sizeof(k->v[k->n].name), "%s",
		    cv_frame_str(f, CV_TAG_NAME, 4096));
	k->v[k->n].n = cv_frame_u64(f, CV_TAG_COUNT, UINT64_MAX);
	if (cv_frame_done(f, "a count", e) != 0)
		return -1;
	k->n++;
	return 0;
}

static int
start(struct cv_role **role, const struct cv_cmdline *c, char *dir, size_t n, struct cv_err *e)
{
	struct cv_role_opts o = { .dir = dir, .cancel_fd = -1 };
	int64_t seconds = 0;

	if (cv_cl_seconds(c, "timeout", CV_MAX_TIMEOUT, &seconds, e) != 0)
		return -1;
	o.deadline = seconds > 0 ? cv_mono_ms() + seconds * 1000 : 0;
	if (cv_role_dir(dir, n, e) != 0)
		return -1;
	return cv_role_start(role, CV_ROLE_IMPORT, &o, e);
}

static int
run_task(struct cv_role *role, struct counts *k, struct cv_err *e)
{
	struct cv_role_on on = { .ctx = k, .fact = on_fact, .pipe_fd = -1 };
	const char *check;

	return cv_role_run(role, &on, &check, e);
}

static int
open_input(const char *path, struct cv_blob *ret, struct cv_err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return cv_conf_errno(e, "%s", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return cv_fail(e, CV_R_USAGE, "%s: want a regular file", path);
	}
	*ret = (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size };
	return 0;
}

static int
send_input(struct cv_role *role, const char *path, struct cv_err *e)
{
	struct cv_blob blob;
	struct cv_out *item;
	const char *slash = strrchr(path, '/');
	int rc;

	if (open_input(path, &blob, e) != 0)
		return -1;
	item = cv_role_frame(role, CV_K_ITEM);
	cv_out_u64(item, CV_TAG_ROLE, CV_ROLE_ADVISORIES);
	cv_out_str(item, CV_TAG_NAME, slash != NULL ? slash + 1 : path);
	cv_out_blob(item, CV_TAG_BLOB, blob);
	rc = cv_role_send(role, e);
	(void)close(blob.fd);
	return rc;
}

/* import_to: compile all arguments into `out`, an empty file. */
static int
import_to(struct cv_cmdline *c, int out, struct counts *k, struct cv_err *e)
{
	char dir[PATH_MAX];
	struct cv_role *role = NULL;
	struct cv_out *task;
	int rc = -1;

	if (start(&role, c, dir, sizeof(dir), e) != 0)
		return -1;
	task = cv_role_frame(role, CV_K_TASK);
	cv_out_u64(task, CV_TAG_TASK, CV_T_DBIMPORT);
	cv_out_fd(task, CV_TAG_OUT, out);
	cv_out_u64(task, CV_TAG_NOW, (uint64_t)time(NULL));
	cv_out_str(task, CV_TAG_NAME,
		   cv_cl_value(c, "name") != NULL ? cv_cl_value(c, "name") : "local");
	if (cv_role_send(role, e) != 0)
		goto out;
	for (size_t i = 1; i < cv_cl_nargs(c); i++) {
		if (send_input(role, cv_cl_arg(c, i), e) != 0)
			goto out;
	}
	rc = run_task(role, k, e);
out:
	cv_role_end(&role);
	return rc;
}

static void
print_counts(const struct cv_cmdline *c, const struct counts *k)
{
	if (cv_cl_json(c)) {
		(void)puts("{");
		for (size_t i = 0; i < k->n; i++) {
			json_t *name = json_string(k->v[i].name);
			char *text = name != NULL ? json_dumps(name, JSON_ENCODE_ANY) : NULL;

			(void)printf("  %s: %llu%s\n", text != NULL ? text : "\"?\"",
				     (unsigned long long)k->v[i].n, i + 1 < k->n ? "," : "");
			free(text);
			json_decref(name);
		}
		(void)puts("}");
		return;
	}
	for (size_t i = 0; i < k->n && !cv_cl_flag(c, "quiet"); i++) {
		cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(4096);

		char value[CV_TIME_TEXT + CV_SIZE_TEXT];

		cv_text_safe(&safe, cv_span_str(k->v[i].name), CV_TEXT_FIELD);
		if (strcmp(k->v[i].name, "built") == 0)
			(void)cv_time_text((int64_t)k->v[i].n, value);
		else if (strcmp(k->v[i].name, "bytes") == 0)
			(void)cv_size_text(k->v[i].n, value);
		else
			(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)k->v[i].n);
		(void)printf("  %-24s %s\n", cv_buf_text(&safe), value);
	}
}

static int
run_import(struct cv_cmdline *c, struct cv_err *e)
{
	char path[PATH_MAX], tmp[PATH_MAX + 16];
	struct counts k = { .n = 0 };
	int fd, rc;

	if (cv_cl_nargs(c) < 2)
		return cv_fail(e, CV_R_USAGE,
			       "db import: want files with OSV advisories "
			       "(.json, .jsonl, .zip, .tar, also .gz, .zst, .xz)");
	if (cv_db_path(c, path, sizeof(path), e) != 0)
		return -1;
	(void)snprintf(tmp, sizeof(tmp), "%s.new-XXXXXX", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return cv_conf_errno(e, "%s", path);
	rc = import_to(c, fd, &k, e);
	if (rc == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0 || rename(tmp, path) != 0))
		rc = cv_conf_errno(e, "%s", path);
	(void)close(fd);
	if (rc != 0) {
		(void)unlink(tmp); /* a former index stays */
		return -1;
	}
	print_counts(c, &k);
	cv_say(c, "%s: advisory index written", path);
	return 0;
}

static int
run_status(struct cv_cmdline *c, struct cv_err *e)
{
	char path[PATH_MAX], dir[PATH_MAX];
	struct counts k = { .n = 0 };
	struct cv_role *role = NULL;
	struct cv_blob blob;
	struct cv_out *task;
	int rc;

	if (cv_db_path(c, path, sizeof(path), e) != 0)
		return -1;
	if (cv_cl_value(c, "db") != NULL && access(path, F_OK) != 0)
		return cv_conf_errno(e, "--db %.400s", path);
	if (access(path, F_OK) != 0)
		return cv_fail(e, CV_R_STALE,
			       "%s: there is no advisory index yet; make one: "
			       "clawverify db import FILE...",
			       path);
	if (open_input(path, &blob, e) != 0)
		return -1;
	if (start(&role, c, dir, sizeof(dir), e) != 0) {
		(void)close(blob.fd);
		return -1;
	}
	task = cv_role_frame(role, CV_K_TASK);
	cv_out_u64(task, CV_TAG_TASK, CV_T_DBSTATUS);
	cv_out_blob(task, CV_TAG_BLOB, blob);
	rc = cv_role_send(role, e) != 0 ? -1 : run_task(role, &k, e);
	(void)close(blob.fd);
	cv_role_end(&role);
	if (rc == 0)
		print_counts(c, &k);
	return rc;
}

static int
run_db(struct cv_cmdline *c, struct cv_err *e)
{
	const char *verb = cv_cl_arg(c, 0);
	char shown[CV_TEXT_BRIEF];
	int rc;

	if (strcmp(verb, "import") == 0)
		rc = run_import(c, e);
	else if (strcmp(verb, "status") == 0 && cv_cl_nargs(c) == 1)
		rc = run_status(c, e);
	else
		rc = cv_fail(e, CV_R_USAGE, "db %s: want import FILE... or status",
			     cv_text_brief(shown, cv_span_str(verb)));
	return rc == 0 ? CV_EXIT_PASS : cv_cmd_failed(c, e);
}

static const struct cv_opt opts[] = {
	{ "db", 0, CV_OPT_VALUE, "FILE", "where the index is, instead of in the store" },
	{ "name", 0, CV_OPT_VALUE, "TEXT", "import: what to call this collection" },
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_db = {
	.name = "db",
	.args = "import FILE... | status",
	.summary = "compile advisories into an index, or tell what is in it",
	.text = "Advisories are files in the OSV format that you have; nothing is downloaded.\n"
		"A new import replaces the index as a whole.\n",
	.examples = "  clawverify db import Go.zip PyPI.zip npm.zip\n"
		    "  clawverify db status\n",
	.opts = opts,
	.min_args = 1,
	.max_args = CV_ARGS_ANY,
	.run = run_db,
};
