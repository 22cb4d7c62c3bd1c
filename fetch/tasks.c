/* SPDX-License-Identifier: Apache-2.0 */
/* tasks.c: see tasks.h. Must never keep the output open when the task is over. */
#include "fetch/tasks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/registry.h"
#include "trust/base/clock.h"

#include "trust/base/banned.h"

#define PIPE_BYTES (1024 * 1024) /* the system's own 64 KiB make many switches */

typedef int question(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
		     struct cv_err *e);

struct fetch {
	question *ask;
	struct cv_ask q;
	char ref[CV_MAX_REF + 1];
	char url[CV_MAX_URL + 1];
};

static void
end(void *state)
{
	struct fetch *f = state;

	if (f == NULL)
		return;
	cv_closep(&f->q.out);
	free(f);
}

static void
read_fields(struct fetch *f, uint64_t task, struct cv_frame *in)
{
	const char *s;

	if (task == CV_T_MANIFEST || task == CV_T_RESOLVE) {
		s = cv_frame_str(in, CV_TAG_REF, sizeof(f->ref) - 1);
		memcpy(f->ref, s, strlen(s) + 1);
		f->q.ref = f->ref;
	}
	if (task == CV_T_GETBLOB || task == CV_T_REFERRERS)
		f->q.digest = cv_frame_digest(in, CV_TAG_DIGEST);
	if (task == CV_T_URL) {
		s = cv_frame_str(in, CV_TAG_NAME, sizeof(f->url) - 1);
		memcpy(f->url, s, strlen(s) + 1);
		f->q.url = f->url;
	}
	if (task != CV_T_RESOLVE)
		f->q.out = cv_frame_fd(in, CV_TAG_OUT);
	f->q.max = cv_frame_u64(in, CV_TAG_MAX, INT64_MAX);
	if (cv_frame_has(in, CV_TAG_FLAGS)) {
		uint64_t flags = cv_frame_u64(in, CV_TAG_FLAGS, UINT32_MAX);

		f->q.plain = (flags & CV_NET_PLAIN_HTTP) != 0;
		f->q.not_last = (flags & CV_NET_NOT_LAST) != 0;
	}
}

/* a_little_before: verify waits as long as it says and no longer. What was not
 * done in time, and by which host, is known only here. */
static int64_t
a_little_before(int64_t deadline)
{
	int64_t left = cv_mono_left(deadline);

	return deadline == 0 ? 0 : deadline - (left / 20 < 200 ? left / 20 : 200);
}

static int
start(struct cv_worker *w, struct cv_frame *in, void **state, question *ask, struct cv_err *e)
{
	struct fetch *f = calloc(1, sizeof(*f));
	uint64_t task = cv_frame_u64(in, CV_TAG_TASK, UINT32_MAX);
	const char *name = cv_frame_str(in, CV_TAG_NAME, CV_MAX_URL);

	if (f == NULL)
		return cv_fail_memory(e);
	*state = f;
	f->ask = ask;
	f->q.out = -1;
	f->q.deadline = a_little_before(cv_w_deadline(w));
	read_fields(f, task, in);
	if (cv_frame_done(in, "fetch: TASK", e) != 0)
		return -1;
	if (f->q.out >= 0)
		(void)fcntl(f->q.out, F_SETPIPE_SZ, PIPE_BYTES);
	if (task == CV_T_URL)
		return 0;
	return cv_repo_parse(&f->q.repo, cv_span_str(name), e);
}

static int
start_manifest(struct cv_worker *w, struct cv_frame *in, void **state, struct cv_err *e)
{
	return start(w, in, state, cv_registry_manifest, e);
}

static int
start_resolve(struct cv_worker *w, struct cv_frame *in, void **state, struct cv_err *e)
{
	return start(w, in, state, cv_registry_resolve, e);
}

static int
start_blob(struct cv_worker *w, struct cv_frame *in, void **state, struct cv_err *e)
{
	return start(w, in, state, cv_registry_blob, e);
}

static int
start_referrers(struct cv_worker *w, struct cv_frame *in, void **state, struct cv_err *e)
{
	return start(w, in, state, cv_registry_referrers, e);
}

static int
start_url(struct cv_worker *w, struct cv_frame *in, void **state, struct cv_err *e)
{
	return start(w, in, state, cv_fetch_url, e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct cv_net *n = cv_w_ctx(w);
	struct cv_answer a = { 0 };
	struct fetch *f = state;
	struct cv_out *done;

	n->o.ctx = w;
	if (f->ask(n, &f->q, &a, e) != 0)
		return -1;
	done = cv_w_done_extra(w);
	cv_out_u64(done, CV_TAG_STATUS, a.status);
	if (a.status != CV_S_GIVEN)
		return 0;
	if (a.media[0] != '\0')
		cv_out_str(done, CV_TAG_MEDIA, a.media);
	if (a.digest.alg != CV_ALG_NONE)
		cv_out_digest(done, CV_TAG_DIGEST, &a.digest);
	cv_out_u64(done, CV_TAG_SIZE, a.size);
	if (a.by != 0)
		cv_out_u64(done, CV_TAG_VALUE, a.by);
	return 0;
}

const struct cv_task_def cv_fetch_tasks[] = {
	{ .task = CV_T_MANIFEST, .start = start_manifest, .run = run, .end = end },
	{ .task = CV_T_RESOLVE, .start = start_resolve, .run = run, .end = end },
	{ .task = CV_T_GETBLOB, .start = start_blob, .run = run, .end = end },
	{ .task = CV_T_REFERRERS, .start = start_referrers, .run = run, .end = end },
	{ .task = CV_T_URL, .start = start_url, .run = run, .end = end },
	{ 0 },
};

/* ---- what the network side asks of verify ---- */

static int
take_login(const struct cv_given *g, struct cv_login *ret, struct cv_err *e)
{
	ret->kind = g->cred;
	if (g->cred == CV_CRED_NONE)
		return 0;
	ret->user = strdup(g->user);
	ret->secret = strdup(g->secret);
	if (ret->user == NULL || ret->secret == NULL) {
		ret->kind = 0;
		return cv_fail_memory(e);
	}
	return 0;
}

int
cv_fetch_login(void *ctx, const char *host, struct cv_login *ret, struct cv_err *e)
{
	struct cv_worker *w = ctx;
	struct cv_given g;
	int rc;

	cv_out_str(cv_w_need(w, CV_N_CRED), CV_TAG_NAME, host);
	if (cv_w_ask(w, &g, e) != 0)
		return -1;
	cv_closep(&g.blob.fd);
	if (g.status == CV_S_ABSENT)
		g.cred = CV_CRED_NONE;
	if (g.status == CV_S_FAILED)
		rc = cv_fail(e, g.err.reason, "%s", g.err.text);
	else if (g.cred == 0)
		rc = cv_fail(e, CV_R_BUG, "an answer of no known kind");
	else
		rc = take_login(&g, ret, e);
	explicit_bzero(&g, sizeof(g));
	return rc;
}

int
cv_fetch_pem(void *ctx, enum cv_need what, const char *host, struct cv_buf *out, struct cv_err *e)
{
	struct cv_worker *w = ctx;
	struct cv_given g;
	int rc = 0;

	cv_out_str(cv_w_need(w, what), CV_TAG_NAME, host);
	if (cv_w_ask(w, &g, e) != 0)
		return -1;
	if (g.status == CV_S_FAILED)
		rc = cv_fail(e, g.err.reason, "%s", g.err.text);
	else if (g.status == CV_S_GIVEN)
		rc = cv_buf_pread(out, g.blob.fd, g.blob.off, g.blob.len, host, e);
	cv_closep(&g.blob.fd);
	return rc;
}

void
cv_fetch_progress(void *ctx, uint64_t done, uint64_t total)
{
	/* it can only fail for a frame that was put together wrongly */
	if (cv_w_progress(ctx, done, total, NULL) != 0)
		return;
}
