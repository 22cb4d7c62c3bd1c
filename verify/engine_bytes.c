/* SPDX-License-Identifier: Apache-2.0 */
/* engine_bytes.c: see engine_bytes.h. */
#include "verify/engine_bytes.h"

#include <fcntl.h>
#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

static bool
open_local(struct cv_bytes *b, struct cv_job *j)
{
	const struct cv_request *rq = j->run->rq;
	struct cv_local_opts o = { .base_fd = rq->base_fd,
				   .path = j->decl->path,
				   .globs = j->decl->type == CV_A_MODEL ? &j->decl->files : NULL,
				   .threads = j->run->cpus,
				   .deadline = rq->deadline,
				   .cancel_fd = rq->cancel_fd,
				   .progress = cv_run_progress,
				   .ctx = j };
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (cv_local_open(&b->local, &o, &check, &e) != 0) {
		cv_job_err(j, check, "file.unsafe", &e);
		return false;
	}
	b->digest = *cv_local_digest(b->local);
	b->size = cv_local_bytes(b->local);
	b->single = cv_local_single(b->local);
	b->name = b->single ? cv_local_name(b->local, 0) : NULL;
	return true;
}

/* last: the last component of a URL's path, without its query. */
static const char *
last(const char *url)
{
	const char *slash = strrchr(url, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : url;
}

static void
note_confinement(struct cv_bytes *b, struct cv_job *j)
{
	struct cv_err e = { 0 };
	unsigned sandbox;
	int landlock;

	if (cv_source_sandbox(b->source, &sandbox, &landlock) &&
	    cv_run_confinement(j->run, sandbox, landlock, &e) != 0)
		cv_job_err(j, NULL, NULL, &e);
}

static bool
open_url(struct cv_bytes *b, struct cv_job *j)
{
	const struct cv_request *rq = j->run->rq;
	struct cv_source_opts o = { .store = rq->store,
				    .role = &j->run->role,
				    .cred = rq->cred,
				    .registries = rq->registries,
				    .offline = rq->offline,
				    .layout_fd = -1,
				    .progress = cv_run_progress,
				    .ctx = j };
	struct cv_err e = { 0 };
	struct cv_got got;

	if (cv_source_open(&b->source, &o, &e) != 0) {
		cv_job_err(j, NULL, NULL, &e);
		return false;
	}
	cv_source_url(b->source, j->decl->asked, &j->decl->digest, CV_MAX_LAYER_BYTES, &got);
	note_confinement(b, j);
	if (got.status == CV_S_FAILED)
		cv_job_err(j, got.check, NULL, &got.err);
	else if (got.status == CV_S_ABSENT)
		cv_job_no(j, "fetch.absent", CV_R_ABSENT, j->decl->asked,
			  "the server answered that there is none");
	if (got.status != CV_S_GIVEN)
		return false;
	b->blob = got.blob;
	b->digest = j->decl->digest; /* the store compared the bytes with it */
	b->size = got.blob.len;
	b->single = true;
	b->name = last(j->decl->asked);
	return true;
}

bool
cv_bytes_open(struct cv_bytes *b, struct cv_job *j)
{
	*b = (struct cv_bytes){ .blob = CV_NO_BLOB };
	switch (j->decl->origin) {
	case CV_O_PATH:
		return open_local(b, j);
	case CV_O_URL:
		return open_url(b, j);
	case CV_O_REGISTRY:
	case CV_O_LAYOUT:
	case CV_O_REMOTE:
	case CV_O_DIGEST:
		break;
	}
	cv_job_no(j, "internal.error", CV_R_BUG, NULL, "a source that this kind cannot have");
	return false;
}

int
cv_bytes_file(const struct cv_bytes *b, struct cv_blob *ret, const char **check, struct cv_err *e)
{
	*check = NULL;
	if (b->local != NULL)
		return cv_local_blob(b->local, 0, ret, check, e);
	*ret = b->blob;
	ret->fd = fcntl(b->blob.fd, F_DUPFD_CLOEXEC, 3);
	return ret->fd < 0 ? cv_fail_errno(e, "%s", b->name) : 0;
}

void
cv_bytes_close(struct cv_bytes *b, struct cv_job *j)
{
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (b->local != NULL) {
		cv_job_pass(j, "file.unsafe");
		if (cv_local_same(b->local, &check, &e) != 0) {
			cv_job_err(j, check, "file.changed", &e);
		} else {
			cv_job_pass(j, "file.changed");
			j->local = cv_steal(b->local);
		}
	}
	cv_local_free(&b->local);
	cv_source_close(&b->source);
	cv_closep(&b->blob.fd);
}

void
cv_bytes_same(struct cv_job *j)
{
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (j->local != NULL && cv_local_same(j->local, &check, &e) != 0)
		cv_job_err(j, check, "file.changed", &e);
	cv_local_free(&j->local);
}
