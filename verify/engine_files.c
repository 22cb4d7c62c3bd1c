/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_files.c: models, skills, prompts and plain files. What lies here is
 * looked into even when nothing vouches for it: it costs no transfer, the
 * worker is confined, and a person wants to hear all that is wrong at once.
 */
#include "verify/engine_bytes.h"

#include <fcntl.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

struct files {
	struct cv_job *job;
	struct cv_bytes *bytes;
	const char *check; /* why a file could not be sent */
};

static unsigned
kind(const struct cv_job *j)
{
	switch (j->decl->type) {
	case CV_A_MODEL:
		return CV_FILES_MODEL;
	case CV_A_SKILL:
		return CV_FILES_SKILL;
	case CV_A_PROMPT:
		return CV_FILES_PROMPT;
	case CV_A_FILE:
		return CV_FILES_PLAIN;
	case CV_A_IMAGE:
	case CV_A_MCP:
	case CV_A_MCP_REMOTE:
	case CV_A_MODEL_HOSTED:
		break;
	}
	return 0;
}

static int
send_file(struct files *f, struct cv_role *r, const char *name, const struct cv_digest *d,
	  struct cv_blob blob, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(r, CV_K_ITEM);
	int rc;

	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_FILE);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_SIZE, blob.len);
	cv_out_digest(o, CV_TAG_DIGEST, d);
	cv_out_blob(o, CV_TAG_BLOB, blob);
	rc = cv_role_send(r, e);
	cv_closep(&blob.fd);
	f->check = NULL;
	return rc;
}

static int
send_files(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct files *f = c->ctx;
	const struct cv_bytes *b = f->bytes;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);
	struct cv_blob blob;
	size_t i, n = b->local != NULL ? cv_local_count(b->local) : 1;

	cv_out_u64(o, CV_TAG_TASK, CV_T_FILES);
	cv_out_u64(o, CV_TAG_KIND, kind(f->job));
	cv_out_u64(o, CV_TAG_FLAGS, f->job->rule->formats);
	if (cv_role_send(r, e) != 0)
		return -1;
	for (i = 0; i < n; i++) {
		int rc = b->local != NULL ? cv_local_blob(b->local, i, &blob, &f->check, e)
					  : cv_bytes_file(b, &blob, &f->check, e);

		if (rc != 0)
			return -1;
		if (send_file(f, r, b->local != NULL ? cv_local_name(b->local, i) : b->name,
			      b->local != NULL ? cv_local_hash(b->local, i) : &b->digest, blob,
			      e) != 0)
			return -1;
	}
	return 0;
}

static void
contents(struct cv_job *j, struct cv_bytes *b)
{
	struct files f = { .job = j, .bytes = b };
	struct cv_call c = { .job = j,
			     .kind = CV_ROLE_CONTENTS,
			     .ctx = &f,
			     .send = send_files,
			     .pipe_fd = -1,
			     .answers = cv_files_checks(j->decl->type) };
	struct cv_err e = { 0 };

	if (cv_call_run(&c, &e) != 0)
		cv_job_err(j, f.check != NULL ? f.check : c.check, NULL, &e);
	else
		cv_call_tell(&c);
	cv_call_free(&c);
}

static void
size_text(char *out, size_t n, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	size_t i = 0;

	if (bytes < 1024) {
		cv_text_fmt(out, n, "%llu bytes", (unsigned long long)bytes);
		return;
	}
	for (v /= 1024; v >= 1024 && i + 1 < CV_COUNT(units); i++)
		v /= 1024;
	cv_text_fmt(out, n, "%.1f %s", v, units[i]);
}

static void
note(struct cv_job *j, const struct cv_bytes *b)
{
	struct cv_r_artifact *a = j->a;
	char size[32];
	size_t n = a->tree != NULL ? cv_tree_files(a->tree) : 1;

	size_text(size, sizeof(size), b->size);
	cv_text_fmt(a->note, sizeof(a->note), "%zu file%s, %s", n, n == 1 ? "" : "s", size);
}

/* keep_blob: a single file that came from a URL goes into the bundle from here. */
static void
keep_blob(struct cv_job *j, const struct cv_bytes *b)
{
	const char *check;
	struct cv_err e = { 0 };

	if (b->local == NULL && cv_bytes_file(b, &j->a->archive_blob, &check, &e) != 0)
		cv_job_err(j, check, NULL, &e);
}

static void
vouch(struct cv_job *j, struct cv_bytes *b)
{
	struct cv_blob blob = CV_NO_BLOB;
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (!cv_vouch_has_files(j))
		return;
	if (b->single && cv_bytes_file(b, &blob, &check, &e) != 0) {
		j->sig_trouble = e.reason;
		cv_job_err(j, check, NULL, &e);
		return;
	}
	cv_vouch_files(j, &b->digest, blob);
	cv_closep(&blob.fd);
}

/* digest_run: there are no bytes to look at, and none are claimed to have been. */
static void
digest_run(struct cv_job *j)
{
	j->a->digest = j->decl->digest;
	cv_vouch_files(j, &j->a->digest, CV_NO_BLOB);
	(void)cv_vouch_basis(j);
	cv_vouch_keep(j);
	cv_text_fmt(j->a->note, sizeof(j->a->note), "a digest: its bytes not looked at");
}

void
cv_files_run(struct cv_job *j)
{
	struct cv_bytes b;

	if (j->decl->origin == CV_O_DIGEST) {
		digest_run(j);
		return;
	}
	if (!cv_bytes_open(&b, j)) {
		cv_bytes_close(&b, j);
		return;
	}
	cv_call_ready(j);
	j->a->digest = b.digest;
	j->a->size = b.size;
	j->a->tree = b.local != NULL ? cv_local_tree(b.local) : NULL;
	keep_blob(j, &b);
	cv_pin_asked(j, &b.digest);
	cv_pin_compare(j);
	vouch(j, &b);
	(void)cv_vouch_basis(j); /* answered; see above for why it does not end here */
	cv_vouch_keep(j);
	cv_sbom_run(j);
	contents(j, &b);
	note(j, &b);
	cv_bytes_close(&b, j);
}
