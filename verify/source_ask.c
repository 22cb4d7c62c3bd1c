/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_ask.c: one question to a fetch worker, what that asks back, and the bytes
 * that come of it. Must never give a secret to another host than the one that is
 * asked, nor keep bytes by what the worker says of them.
 */
#include "verify/source_int.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* One transfer under way. */
struct transfer {
	struct cv_source *s;
	struct cv_put *put;
	struct cv_got *got;
	const char *repo; /* the repository that is asked: this one's, or a mirror's; or NULL */
	bool done_seen;
};

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

const char *
cv_source_host(const char *repo, char out[CV_MAX_REF + 1])
{
	(void)snprintf(out, CV_MAX_REF + 1, "%.*s", (int)strcspn(repo, "/"), repo);
	return out;
}

/* The worker may have been taken over: it is told the credentials for the host
 * that is asked now and for no other. */
static bool
is_own_host(const struct transfer *t, const char *host)
{
	char own[CV_MAX_REF + 1];

	return t->repo != NULL && cv_registries_same(host, cv_source_host(t->repo, own));
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

/* give_pem: authorities for any host; who we are for the one that is asked. */
static int
give_pem(struct transfer *t, uint64_t what, const char *host, struct cv_out *give, struct cv_err *e)
{
	const struct cv_registries *r = t->s->o.registries;
	struct cv_buf pem = CV_BUF(CV_MAX_CA_BYTES);
	struct cv_blob blob;
	struct cv_err why = { 0 };
	int rc = 0;

	if (what == CV_N_CA)
		rc = cv_registries_ca(r, host, &pem, &why);
	else if (is_own_host(t, host))
		rc = cv_registries_client(r, host, &pem, &why);
	if (rc > 0)
		rc = cv_role_bytes(&blob, cv_buf_span(&pem), &why) == 0 ? 1 : -1;
	if (pem.p != NULL)
		OPENSSL_cleanse(pem.p, pem.cap);
	cv_buf_free(&pem);
	if (rc > 0) {
		cv_out_u64(give, CV_TAG_STATUS, CV_S_GIVEN);
		cv_out_blob(give, CV_TAG_BLOB, blob);
		return 0;
	}
	if (rc == 0) {
		cv_out_u64(give, CV_TAG_STATUS, CV_S_ABSENT);
		return 0;
	}
	if (why.reason == CV_R_CONFIG) {
		/* the connection that it was for is not made; the worker says which */
		why.reason = CV_R_UNREACHABLE;
		give_failed(give, &why);
		return 0;
	}
	*e = why;
	return -1;
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
	if (what == CV_N_CA || what == CV_N_CLIENT)
		return give_pem(t, what, host, give, e);
	if (what != CV_N_CRED)
		return cv_fail(e, CV_R_WORKER, "the fetch worker asked for something unknown");
	if (o->cred != NULL && is_own_host(t, host))
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
				 .close_give = true,
				 .pipe_fd = pipe_fd,
				 .pipe = on_pipe };

	return cv_role_run(t->s->role, &on, check, e);
}

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

/* plain: a registry on this machine is spoken to without TLS, unless it has a
 * directory in certs.d. */
static int
plain(const struct cv_source *s, const char *name, bool *ret, struct cv_err *e)
{
	char host[CV_MAX_REF + 1];
	int tls = 0;

	*ret = is_loopback(name);
	if (*ret)
		tls = cv_registries_tls(s->o.registries, cv_source_host(name, host), e);
	*ret = *ret && tls == 0;
	return tls < 0 ? -1 : 0;
}

static int
send_question(struct cv_source *s, const struct cv_question *q, int out, struct cv_err *e)
{
	struct cv_out *o;
	bool http = false;

	if (plain(s, q->name, &http, e) != 0)
		return -1;
	o = cv_role_frame(s->role, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, q->task);
	cv_out_str(o, CV_TAG_NAME, q->name);
	if (q->ref != NULL)
		cv_out_str(o, CV_TAG_REF, q->ref);
	if (q->asked != NULL)
		cv_out_digest(o, CV_TAG_DIGEST, q->asked);
	cv_out_u64(o, CV_TAG_MAX, q->size != CV_SIZE_ANY ? q->size : q->max);
	cv_out_u64(o, CV_TAG_FLAGS,
		   (http ? CV_NET_PLAIN_HTTP : 0u) | (q->not_last ? CV_NET_NOT_LAST : 0u));
	if (out >= 0)
		cv_out_fd(o, CV_TAG_OUT, out);
	return cv_role_send(s->role, e);
}

static int
ask_pipe(struct transfer *t, const struct cv_question *q, const char **check, struct cv_err *e)
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
keep(struct cv_put **put, const struct cv_question *q, struct cv_got *got)
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

int
cv_source_ask(struct cv_source *s, const struct cv_question *q, struct cv_got *got,
	      const char **check)
{
	cv_auto(cv_put_drop) struct cv_put *put = NULL;
	struct transfer t = { .s = s, .got = got, .repo = q->task != CV_T_URL ? q->name : NULL };
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
