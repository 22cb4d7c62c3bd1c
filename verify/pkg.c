/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkg.c: packed tool packages (npm tgz, zip). The contents worker lists what an
 * unpacker would make of the archive; the tree of that is the artifact's
 * identity, so that the same files packed anew are the same tool. The archive's
 * own digest is pinned as well.
 */
#include "verify/engine_bytes.h"
#include "verify/pkg.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

struct pkg {
	struct cv_job *job;
	const struct cv_bytes *bytes;
	struct cv_blob blob;
	struct cv_tree *tree;
	int scratch; /* the worker's, for one member at a time */
	bool named;  /* PACKAGE was stated */
};

static int
send_package(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct pkg *p = c->ctx;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_PACKAGE);
	cv_out_str(o, CV_TAG_NAME, p->bytes->name);
	cv_out_str(o, CV_TAG_MEDIA, "");
	cv_out_blob(o, CV_TAG_BLOB, p->blob);
	cv_out_fd(o, CV_TAG_OUT, p->scratch);
	return cv_role_send(r, e);
}

static int
package_fact(struct pkg *p, struct cv_frame *f, struct cv_err *e)
{
	struct cv_r_artifact *a = p->job->a;
	const char *name = cv_frame_str(f, CV_TAG_NAME, CV_MAX_PATH);
	const char *version = cv_frame_str(f, CV_TAG_VERSION, CV_MAX_VERSION);

	if (cv_frame_done(f, "contents: PACKAGE", e) != 0)
		return -1;
	if (p->named)
		return cv_fail(e, CV_R_WORKER, "contents: two PACKAGE facts");
	p->named = true;
	if (name[0] == '\0') /* not every kind has to have a name */
		return 0;
	a->package = strdup(name);
	a->version = strdup(version);
	return a->package == NULL || a->version == NULL ? cv_fail_memory(e) : 0;
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct pkg *p = ctx;
	struct cv_pkg_entry x;

	switch (cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED)) {
	case CV_F_PACKAGE:
		return package_fact(p, f, e);
	case CV_F_FILE:
		break;
	default:
		return cv_fail(e, CV_R_WORKER, "contents: a fact that was not asked for");
	}
	if (cv_pkg_entry(&x, f, e) != 0)
		return -1;
	return cv_tree_add_mode(p->tree, x.path, x.mode, x.size, x.has_digest ? &x.digest : NULL,
				x.target, e);
}

int
cv_pkg_entry(struct cv_pkg_entry *x, struct cv_frame *f, struct cv_err *e)
{
	*x = (struct cv_pkg_entry){ 0 };
	x->path = cv_frame_str(f, CV_TAG_NAME, CV_MAX_PATH);
	x->mode = cv_frame_u64(f, CV_TAG_MODE, 0177777);
	x->size = cv_frame_u64(f, CV_TAG_SIZE, CV_MAX_PACKAGE_BYTES);
	if (cv_frame_has(f, CV_TAG_DIGEST)) {
		x->has_digest = true;
		x->digest = cv_frame_digest(f, CV_TAG_DIGEST);
	}
	if (cv_frame_has(f, CV_TAG_REF))
		x->target = cv_frame_str(f, CV_TAG_REF, CV_MAX_PATH);
	return cv_frame_done(f, "contents: FILE", e);
}

/* scripts: a package that runs something when it is installed is what the rule
 * says about scripts; all else is policy's level. */
static void
tell(struct cv_call *c)
{
	size_t i;

	for (i = 0; i < c->nsaid; i++) {
		const struct cv_finding *f = &c->said[i];

		if (strcmp(f->check, "tool.lifecycle-script") == 0 && f->outcome == CV_FAIL &&
		    c->job->rule->scripts_allowed) {
			struct cv_finding ok = *f;

			cv_finding_note(&ok, "%s", "the rule allows scripts");
			ok.outcome = CV_PASS;
			ok.reason = CV_R_NONE;
			cv_job_say(c->job, &ok);
		} else {
			cv_job_say(c->job, f);
		}
	}
}

/* said_no: the worker found something wrong. */
static bool
said_no(const struct cv_call *c)
{
	size_t i;

	for (i = 0; i < c->nsaid; i++)
		if (c->said[i].outcome == CV_FAIL || c->said[i].outcome == CV_UNKNOWN)
			return true;
	return false;
}

/* finish: the listing's tree; -1 with *otherwise the id. 1: the archive is not
 * whole, and the worker has said why. */
static int
finish(struct pkg *p, const struct cv_call *c, const char **otherwise, struct cv_err *e)
{
	*otherwise = "archive.unsafe-member";
	if (p->named)
		return cv_tree_end(p->tree, &p->job->a->digest, e);
	if (said_no(c))
		return 1;
	*otherwise = "worker.protocol";
	return cv_fail(e, CV_R_WORKER, "contents: no fault and no package");
}

/* list: what the archive holds; true if there is a tree to be judged. */
static bool
list(struct pkg *p)
{
	struct cv_job *j = p->job;
	struct cv_call c = { .job = j,
			     .kind = CV_ROLE_CONTENTS,
			     .ctx = p,
			     .send = send_package,
			     .fact = on_fact,
			     .pipe_fd = -1,
			     .answers = cv_package_checks };
	const char *otherwise = "archive.malformed";
	struct cv_err e = { 0 };
	int rc;

	rc = cv_tree_open(&p->tree, j->decl->name, &e);
	if (rc == 0)
		rc = cv_store_scratch(j->run->rq->store, &p->scratch, &e);
	if (rc == 0)
		rc = cv_call_run(&c, &e);
	cv_closep(&p->scratch);
	if (rc == 0) {
		tell(&c);
		rc = finish(p, &c, &otherwise, &e);
	}
	if (rc < 0)
		cv_job_err(j, c.check, otherwise, &e);
	else if (rc == 0)
		j->a->tree = cv_steal(p->tree);
	cv_call_free(&c);
	cv_tree_free(&p->tree);
	return rc == 0;
}

static void
note(struct cv_job *j)
{
	struct cv_r_artifact *a = j->a;

	cv_text_fmt(a->note, sizeof(a->note), "%s%s%s, %zu files",
		    a->package != NULL ? a->package : "package", a->version != NULL ? " " : "",
		    a->version != NULL ? a->version : "",
		    a->tree != NULL ? cv_tree_files(a->tree) : 0);
}

/* examine: unlike the other kinds a package has no identity before somebody has
 * looked inside; its archive's signature is proven before that. */
static void
examine(struct pkg *p)
{
	struct cv_job *j = p->job;

	j->a->archive = p->bytes->digest;
	j->a->size = p->bytes->size;
	cv_pin_asked(j, &p->bytes->digest);
	cv_vouch_files(j, &p->bytes->digest, p->blob);
	if (list(p))
		cv_pin_compare(j);
	(void)cv_vouch_basis(j);
	cv_vouch_keep(j);
	cv_sbom_run(j);
	note(j);
}

void
cv_pkg_run(struct cv_job *j)
{
	struct cv_bytes b;
	struct pkg p = { .job = j, .bytes = &b, .blob = CV_NO_BLOB, .scratch = -1 };
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (cv_bytes_open(&b, j) && b.single) {
		if (cv_bytes_file(&b, &p.blob, &check, &e) != 0)
			cv_job_err(j, check, NULL, &e);
		else
			examine(&p);
		j->a->archive_blob = p.blob;
	} else if (b.local != NULL) {
		cv_job_no(j, "tool.manifest-invalid", CV_R_UNSUPPORTED,
			  "a packed package (.tgz, .zip)", "%s is a directory", j->decl->path);
	}
	cv_bytes_close(&b, j);
}
