/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: see source.h. Must never use bytes by what a worker says of them. */
#include "verify/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* One transfer under way. */
struct transfer {
	struct cv_source *s;
	struct cv_put *put;
	struct cv_got *got;
	bool done_seen;
};

int
cv_source_open(struct cv_source **ret, const struct cv_source_opts *opts, struct cv_err *e)
{
	struct cv_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	s->o = *opts;
	*ret = s;
	return 0;
}

void
cv_source_close(struct cv_source **s)
{
	if (*s == NULL)
		return;
	cv_role_end(&(*s)->role);
	free(*s);
	*s = NULL;
}

bool
cv_source_sandbox(const struct cv_source *s, unsigned *flags, int *landlock)
{
	*flags = s->sandbox;
	*landlock = s->landlock;
	return s->ran;
}

const char *
cv_got_check(enum cv_reason reason)
{
	switch (reason) {
	case CV_R_DIGEST:
		return "fetch.digest-mismatch";
	case CV_R_ABSENT:
		return "fetch.absent";
	case CV_R_LIMIT:
		return "fetch.too-large";
	case CV_R_THROTTLED:
		return "fetch.throttled";
	case CV_R_CUTOFF:
		return "fetch.cut-off";
	case CV_R_DENIED:
		return "fetch.denied";
	case CV_R_OFFLINE:
		return "fetch.offline";
	case CV_R_DEADLINE:
		return "fetch.deadline";
	case CV_R_CANCELLED:
		return "run.cancelled";
	case CV_R_RULE:
		return "file.unsafe";
	case CV_R_CONFIG:
		return "fetch.denied";
	case CV_R_WORKER:
		return "worker.died";
	case CV_R_CONFINEMENT:
		return "sandbox.unavailable";
	case CV_R_MEMORY:
	case CV_R_DISK:
	case CV_R_IO:
	case CV_R_BUG:
		return "internal.error";
	default:
		return "fetch.unreachable";
	}
}

void
cv_got_failed(struct cv_got *got, const char *check)
{
	if (got->err.reason == CV_R_NONE)
		cv_fail(&got->err, CV_R_BUG, "a transfer failed without a reason");
	got->status = CV_S_FAILED;
	got->check = check != NULL ? check : cv_got_check(got->err.reason);
	cv_closep(&got->blob.fd);
}

static void
start(struct cv_got *got)
{
	*got = (struct cv_got){ .status = CV_S_FAILED, .blob = CV_NO_BLOB };
}

static int
need_role(struct cv_source *s, struct cv_err *e)
{
	if (s->o.offline)
		return cv_fail(e, CV_R_OFFLINE,
			       "not in the store, and the network was not to be used");
	if (s->role != NULL)
		return 0;
	if (cv_role_start(&s->role, CV_ROLE_FETCH, s->o.role, e) != 0)
		return -1;
	s->sandbox = s->ran ? s->sandbox & cv_role_sandbox(s->role) : cv_role_sandbox(s->role);
	s->landlock = cv_role_landlock(s->role);
	s->ran = true;
	return 0;
}

static int
on_pipe(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct transfer *t = ctx;

	if (p == NULL || t->put == NULL)
		return 0;
	return cv_put_add(t->put, p, n, e);
}

/* The worker may have been taken over: it is told the credentials for the host
 * of this source and for no other. */
static bool
is_own_host(const struct cv_source *s, const char *host)
{
	size_t n = s->o.repo == NULL ? 0 : strcspn(s->o.repo, "/");

	return n != 0 && strlen(host) == n && memcmp(host, s->o.repo, n) == 0;
}

static void
give_failed(struct cv_out *give, const struct cv_err *why)
{
	cv_out_u64(give, CV_TAG_STATUS, CV_S_FAILED);
	cv_out_str(give, CV_TAG_REASON, cv_reason_word(why->reason));
	cv_out_str(give, CV_TAG_TEXT, why->text);
}

static void
give_answer(struct cv_out *give, const struct cv_cred_answer *answer)
{
	cv_out_u64(give, CV_TAG_STATUS, CV_S_GIVEN);
	cv_out_u64(give, CV_TAG_KIND, answer->kind);
	if (answer->kind == CV_CRED_NONE)
		return;
	cv_out_str(give, CV_TAG_USER, answer->user);
	cv_out_str(give, CV_TAG_SECRET, answer->secret);
}

static int
on_need(void *ctx, struct cv_frame *need, struct cv_out *give, struct cv_err *e)
{
	struct transfer *t = ctx;
	const struct cv_source_opts *o = &t->s->o;
	uint64_t what = cv_frame_u64(need, CV_TAG_NEED, UINT32_MAX);
	const char *host = cv_frame_str(need, CV_TAG_NAME, CV_MAX_REF);
	struct cv_cred_answer answer = { .kind = CV_CRED_NONE };
	struct cv_err why = { 0 };
	int rc = 0;

	if (cv_frame_done(need, "fetch: NEED", e) != 0)
		return -1;
	if (what != CV_N_CRED)
		return cv_fail(e, CV_R_WORKER, "the fetch worker asked for something unknown");
	if (o->cred != NULL && is_own_host(t->s, host))
		rc = cv_cred_find(&answer, o->cred, host, o->role->deadline, o->role->cancel_fd,
				  &why);
	if (rc == 0)
		give_answer(give, &answer);
	else if (cv_reason_exit(why.reason) == CV_EXIT_UNKNOWN)
		give_failed(give, &why);
	cv_cred_wipe(&answer);
	if (rc == 0 || cv_reason_exit(why.reason) == CV_EXIT_UNKNOWN)
		return 0;
	/* our own trouble and the user's mistakes are not for the worker to tell */
	if (e != NULL)
		*e = why;
	return -1;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct transfer *t = ctx;

	if (t->s->o.progress != NULL)
		t->s->o.progress(t->s->o.ctx, done, total);
}

static int
on_done(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct transfer *t = ctx;
	uint64_t status = cv_frame_u64(f, CV_TAG_STATUS, CV_S_ABSENT);
	const char *media = "";

	if (cv_frame_has(f, CV_TAG_MEDIA))
		media = cv_frame_str(f, CV_TAG_MEDIA, sizeof(t->got->media) - 1);
	if (cv_frame_has(f, CV_TAG_DIGEST))
		t->got->digest = cv_frame_digest(f, CV_TAG_DIGEST);
	if (cv_frame_done(f, "fetch: DONE", e) != 0)
		return -1;
	if (status != CV_S_GIVEN && status != CV_S_ABSENT)
		return cv_fail(e, CV_R_WORKER, "fetch: DONE without a known status");
	memcpy(t->got->media, media, strlen(media) + 1);
	t->got->status = (enum cv_status)status;
	t->done_seen = true;
	return 0;
}

/* run: send the started TASK and receive its bytes, if it has any. */
static int
run(struct transfer *t, int pipe_fd, const char **check, struct cv_err *e)
{
	struct cv_role_on on = { .ctx = t,
				 .need = on_need,
				 .progress = on_progress,
				 .done = on_done,
				 .pipe_fd = pipe_fd,
				 .pipe = on_pipe };

	return cv_role_run(t->s->role, &on, check, e);
}

/* A question to the fetch worker: which task, and what goes into its frame. */
struct question {
	enum cv_task task;
	const char *name, *ref;
	const struct cv_digest *want;  /* compare the bytes with it */
	const struct cv_digest *asked; /* the DIGEST field, or NULL */
	uint64_t size, max;
	bool bulk; /* bytes are expected */
};

static bool
is_loopback(const char *name)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
	size_t i, n = strcspn(name, "/"), port;

	port = name[0] == '[' ? strcspn(name, "]") + 1 : strcspn(name, ":");
	if (port < n)
		n = port;
	for (i = 0; i < CV_COUNT(hosts); i++)
		if (strlen(hosts[i]) == n && strncmp(hosts[i], name, n) == 0)
			return true;
	return false;
}

static int
send_question(struct cv_source *s, const struct question *q, int out, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(s->role, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, q->task);
	cv_out_str(o, CV_TAG_NAME, q->name);
	if (q->ref != NULL)
		cv_out_str(o, CV_TAG_REF, q->ref);
	if (q->asked != NULL)
		cv_out_digest(o, CV_TAG_DIGEST, q->asked);
	cv_out_u64(o, CV_TAG_MAX, q->size != CV_SIZE_ANY ? q->size : q->max);
	cv_out_u64(o, CV_TAG_FLAGS, is_loopback(q->name) ? CV_NET_PLAIN_HTTP : 0);
	if (out >= 0)
		cv_out_fd(o, CV_TAG_OUT, out);
	return cv_role_send(s->role, e);
}

static int
ask_pipe(struct transfer *t, const struct question *q, const char **check, struct cv_err *e)
{
	int ends[2] = { -1, -1 };
	int rc;

	if (q->bulk && pipe2(ends, O_CLOEXEC) != 0)
		return cv_fail_errno(e, "fetch: pipe");
	rc = send_question(t->s, q, ends[1], e);
	cv_closep(&ends[1]);
	if (rc == 0)
		rc = run(t, ends[0], check, e);
	cv_closep(&ends[0]);
	return rc;
}

/* keep: the bytes against what was agreed; when nothing was, against what the
 * source itself announced (Docker-Content-Digest), which must at least agree. */
static int
keep(struct cv_put **put, const struct question *q, struct cv_got *got)
{
	struct cv_digest announced = got->digest;
	const struct cv_digest *want = q->want;

	if (want == NULL && announced.alg != CV_ALG_NONE)
		want = &announced;
	if (cv_put_end(put, want, q->size, &got->digest, &got->blob, &got->err) != 0)
		return -1;
	if (want != NULL)
		got->digest = *want; /* of another algorithm, perhaps */
	return 0;
}

static int
ask(struct cv_source *s, const struct question *q, struct cv_got *got, const char **check)
{
	cv_auto(cv_put_drop) struct cv_put *put = NULL;
	struct transfer t = { .s = s, .got = got };
	struct cv_err *e = &got->err;

	if (need_role(s, e) != 0)
		return -1;
	if (q->bulk && cv_put_open(&put, s->o.store, q->max, e) != 0)
		return -1;
	t.put = put;
	if (ask_pipe(&t, q, check, e) != 0) {
		if (!cv_role_usable(s->role))
			cv_role_end(&s->role);
		return -1;
	}
	if (!q->bulk || got->status != CV_S_GIVEN)
		return 0;
	return keep(&put, q, got);
}

int
cv_got_too_large(uint64_t size, uint64_t max, struct cv_err *e)
{
	return cv_fail(e, CV_R_LIMIT, "%llu bytes, at most %llu are accepted",
		       (unsigned long long)size, (unsigned long long)max);
}

/* from_store: true if the store answered. */
static bool
from_store(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
	   struct cv_got *got)
{
	const struct cv_role_opts *r = s->o.role;
	int rc = cv_store_find_until(s->o.store, want, size, r == NULL ? 0 : r->deadline,
				     r == NULL ? -1 : r->cancel_fd, &got->blob, &got->err);

	if (rc == 0)
		return false;
	if (rc > 0 && got->blob.len > max)
		rc = cv_got_too_large(got->blob.len, max, &got->err);
	if (rc < 0) {
		cv_got_failed(got, NULL);
		return true;
	}
	got->status = CV_S_GIVEN;
	got->digest = *want;
	return true;
}

/* note_key: how a question is known in the store's notes; false if its answers
 * are not kept: only evidence is, whose every answer proves itself. What a tag
 * of an image names has to be asked. */
static bool
note_key(const struct question *q, char out[1024])
{
	char digest[CV_DIGEST_TEXT];

	if (q->task == CV_T_REFERRERS)
		(void)snprintf(out, 1024, "referrers %s %s", q->name,
			       cv_digest_text(q->asked, digest));
	else if (q->task == CV_T_MANIFEST && q->want == NULL && strncmp(q->ref, "sha256-", 7) == 0)
		(void)snprintf(out, 1024, "tag %s %s", q->name, q->ref);
	else
		return false;
	return true;
}

/* from_notes: offline, what the source answered when it was last asked. */
static bool
from_notes(struct cv_source *s, const struct question *q, struct cv_got *got)
{
	char key[1024], media[256];
	struct cv_digest d;

	if (!s->o.offline || q->name == NULL || !note_key(q, key) ||
	    !cv_store_noted(s->o.store, key, &d, media) ||
	    !from_store(s, &d, CV_SIZE_ANY, q->max, got))
		return false;
	(void)snprintf(got->media, sizeof(got->media), "%s", media);
	return true;
}

static void
question(struct cv_source *s, const struct question *q, struct cv_got *got)
{
	const char *check = NULL;
	char key[1024];
	struct cv_err ignored;

	start(got);
	if (from_notes(s, q, got))
		return;
	if (s->o.repo == NULL && q->task != CV_T_URL && !s->o.offline)
		cv_fail(&got->err, CV_R_BUG, "a question about no repository");
	if (got->err.reason != CV_R_NONE || ask(s, q, got, &check) != 0)
		cv_got_failed(got, check);
	else if (got->status == CV_S_GIVEN && got->digest.alg == CV_SHA256 && note_key(q, key))
		/* a note that cannot be written is missed offline, and only there */
		(void)!cv_store_note(s->o.store, key, &got->digest, got->media, &ignored);
}

/* ---- the questions ---- */

void
cv_source_manifest(struct cv_source *s, const char *ref, const struct cv_digest *want, uint64_t max,
		   struct cv_got *got)
{
	struct question q = { .task = CV_T_MANIFEST,
			      .name = s->o.repo,
			      .ref = ref,
			      .want = want,
			      .size = CV_SIZE_ANY,
			      .max = max,
			      .bulk = true };

	start(got);
	if (want != NULL && from_store(s, want, CV_SIZE_ANY, max, got))
		return;
	if (s->o.layout_fd >= 0 && want != NULL)
		cv_layout_blob(s, want, CV_SIZE_ANY, max, got);
	else if (s->o.layout_fd >= 0)
		cv_layout_part(s, "index.json", NULL, CV_SIZE_ANY, max, got);
	else
		question(s, &q, got);
}

void
cv_source_blob(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
	       struct cv_got *got)
{
	struct question q = { .task = CV_T_GETBLOB,
			      .name = s->o.repo,
			      .want = want,
			      .asked = want,
			      .size = size,
			      .max = size != CV_SIZE_ANY ? size : max,
			      .bulk = true };

	start(got);
	if (size != CV_SIZE_ANY && size > max) {
		cv_got_too_large(size, max, &got->err);
		cv_got_failed(got, NULL);
		return;
	}
	if (from_store(s, want, size, max, got))
		return;
	if (s->o.layout_fd >= 0)
		cv_layout_blob(s, want, size, q.max, got);
	else
		question(s, &q, got);
}

void
cv_source_referrers(struct cv_source *s, const struct cv_digest *subject, uint64_t max,
		    struct cv_got *got)
{
	struct question q = { .task = CV_T_REFERRERS,
			      .name = s->o.repo,
			      .asked = subject,
			      .size = CV_SIZE_ANY,
			      .max = max,
			      .bulk = true };

	question(s, &q, got);
}

void
cv_source_resolve(struct cv_source *s, const char *tag, struct cv_got *got)
{
	struct question q = { .task = CV_T_RESOLVE,
			      .name = s->o.repo,
			      .ref = tag,
			      .size = CV_SIZE_ANY,
			      .max = CV_MAX_MANIFEST };

	question(s, &q, got);
}

void
cv_source_url(struct cv_source *s, const char *url, const struct cv_digest *want, uint64_t max,
	      struct cv_got *got)
{
	struct question q = { .task = CV_T_URL,
			      .name = url,
			      .want = want,
			      .size = CV_SIZE_ANY,
			      .max = max,
			      .bulk = true };

	start(got);
	if (want != NULL && from_store(s, want, CV_SIZE_ANY, max, got))
		return;
	question(s, &q, got);
}
