/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_run.c: see role.h: listening to a worker until its task is over. Must
 * never take anything but a DONE frame with the right count for that.
 */
#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "verify/role_int.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define PIPE_PIECE (256 * 1024) /* bytes taken from a pipe at once */

static bool
may_state(enum cv_role_kind kind, const struct cv_check *check)
{
	if (kind == CV_ROLE_TRUST)
		return (check->by & CV_BY_TRUST) != 0;
	return kind == CV_ROLE_CONTENTS && (check->by & CV_BY_CONTENTS) != 0;
}

/* The reason that a field names; sets f->bad unless it is one of the evidence,
 * of not knowing or of internal trouble (exit 1, 3, 4), or `none` where that is
 * allowed. A worker has no say about the command line. */
static enum cv_reason
reason_field(struct cv_frame *f, bool none)
{
	enum cv_reason reason = cv_reason_parse(cv_frame_str(f, CV_TAG_REASON, 64));

	if (f->bad || reason >= CV_R_COUNT || cv_reason_exit(reason) == CV_EXIT_USAGE ||
	    (reason == CV_R_NONE && !none)) {
		if (!f->bad)
			f->wrong = CV_TAG_REASON;
		f->bad = true;
		return CV_R_BUG;
	}
	return reason;
}

static void
text_field(struct cv_frame *f, uint8_t tag, char *to, size_t size)
{
	const char *s;

	if (!cv_frame_has(f, tag))
		return;
	s = cv_frame_str(f, tag, size - 1);
	memcpy(to, s, strlen(s) + 1);
}

static void
read_finding(struct cv_frame *f, const struct cv_check *check, struct cv_finding *ret)
{
	enum cv_reason reason;

	if (cv_frame_has(f, CV_TAG_KIND)) {
		*ret = cv_finding_pass(check->id);
		ret->outcome = CV_NOT_APPLICABLE;
		if (cv_frame_u64(f, CV_TAG_KIND, 1) != 1 || cv_frame_has(f, CV_TAG_REASON))
			f->bad = true;
	} else {
		reason = reason_field(f, true);
		*ret = reason == CV_R_NONE ? cv_finding_pass(check->id)
					   : cv_finding_no(check->id, reason);
	}
	text_field(f, CV_TAG_EXPECTED, ret->expected, sizeof(ret->expected));
	text_field(f, CV_TAG_FOUND, ret->found, sizeof(ret->found));
	text_field(f, CV_TAG_WHERE, ret->where, sizeof(ret->where));
	text_field(f, CV_TAG_NOTE, ret->note, sizeof(ret->note));
	if (cv_frame_has(f, CV_TAG_EVIDENCE))
		ret->evidence = cv_frame_digest(f, CV_TAG_EVIDENCE);
}

static int
on_finding(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	const char *id = cv_frame_str(&r->in, CV_TAG_CHECK, 128);
	const struct cv_check *check = cv_check_find(id);
	struct cv_finding f;

	r->count++;
	if (++r->findings > CV_MAX_WORKER_FINDINGS)
		return cv_role_breach(r, e, "too many findings");
	if (check == NULL || !may_state(r->kind, check))
		return cv_role_breach(r, e, "a finding that it may not state");
	if (on->finding == NULL)
		return cv_role_breach(r, e, "a finding in a task without any");
	read_finding(&r->in, check, &f);
	if (cv_role_whole(r, e) != 0)
		return -1;
	return on->finding(on->ctx, &f, e);
}

static int
on_fact(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	r->count++;
	if (r->kind == CV_ROLE_FETCH)
		return cv_role_breach(r, e, "a fact that it may not state");
	if (on->fact != NULL && on->fact(on->ctx, &r->in, e) != 0)
		return -1;
	return cv_role_whole(r, e);
}

static void
close_fds(struct cv_out *o)
{
	for (unsigned i = 0; i < o->nfds; i++)
		cv_closep(&o->fds[i]);
	o->nfds = 0;
}

static int
on_need(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	uint64_t id = cv_frame_u64(&r->in, CV_TAG_ID, UINT64_MAX);
	int rc;

	if (++r->needs > CV_MAX_WORKER_NEEDS)
		return cv_role_breach(r, e, "too many needs");
	if (id != r->needs || r->in.bad)
		return cv_role_breach(r, e, "a need out of turn");
	if (on->need == NULL)
		return cv_role_breach(r, e, "a need in a task without any");
	cv_out_start(&r->give, CV_K_GIVE);
	cv_out_u64(&r->give, CV_TAG_ID, id);
	rc = on->need(on->ctx, &r->in, &r->give, e);
	if (rc == 0)
		rc = cv_role_whole(r, e);
	if (rc == 0)
		rc = cv_role_send_frame(r, &r->give, e);
	if (on->close_give)
		close_fds(&r->give);
	if ((r->give.seen >> CV_TAG_SECRET & 1) != 0)
		OPENSSL_cleanse(r->give.b, sizeof(r->give.b));
	return rc;
}

static int
on_progress(struct cv_role *r, const struct cv_role_on *on, struct cv_err *e)
{
	uint64_t value = cv_frame_u64(&r->in, CV_TAG_VALUE, UINT64_MAX), total = 0;

	if (cv_frame_has(&r->in, CV_TAG_SIZE))
		total = cv_frame_u64(&r->in, CV_TAG_SIZE, UINT64_MAX);
	if (cv_role_whole(r, e) != 0)
		return -1;
	if (on->progress != NULL)
		on->progress(on->ctx, value, total);
	return 0;
}

/* The worker's own words about why it could not finish. Always -1. */
static int
on_error(struct cv_role *r, const char **check, struct cv_err *e)
{
	enum cv_reason reason = reason_field(&r->in, false);
	const char *text = cv_frame_str(&r->in, CV_TAG_TEXT, CV_ERR_TEXT - 1);
	const struct cv_check *known = NULL;

	if (cv_frame_has(&r->in, CV_TAG_CHECK)) {
		known = cv_check_find(cv_frame_str(&r->in, CV_TAG_CHECK, 128));
		if (known == NULL)
			return cv_role_breach(r, e,
					      "an error with a check that is not in the catalogue");
	}
	if (cv_role_whole(r, e) != 0)
		return -1;
	if (check != NULL && known != NULL)
		*check = known->id;
	r->idle = true; /* it ended the task in good order */
	return cv_fail(e, reason, "%s", text);
}

/* One frame has come: 0 go on, 1 it was DONE, -1 the task is over. */
static int
on_frame(struct cv_role *r, const struct cv_role_on *on, const char **check, struct cv_err *e)
{
	switch (r->in.kind) {
	case CV_K_FACT:
		return on_fact(r, on, e);
	case CV_K_FINDING:
		return on_finding(r, on, e);
	case CV_K_NEED:
		return on_need(r, on, e);
	case CV_K_PROGRESS:
		return on_progress(r, on, e);
	case CV_K_ERROR:
		return on_error(r, check, e);
	case CV_K_DONE:
		if (cv_frame_u64(&r->in, CV_TAG_COUNT, UINT64_MAX) != r->count || r->in.bad)
			return cv_role_breach(r, e,
					      "DONE counts other facts and findings than came");
		return 1;
	default:
		return cv_role_breach(r, e, "a frame of verify's own kinds");
	}
}

/* ---- the loop ---- */

struct listen {
	struct cv_role *r;
	const struct cv_role_on *on;
	const char **check;
	uint8_t *piece; /* PIPE_PIECE bytes, if there is a pipe */
	bool done;      /* DONE has come: the socket is not read any more */
	bool pipe_open;
};

static int
one_frame(struct listen *l, struct cv_err *e)
{
	int rc;

	if (cv_role_receive(l->r, e) != 0)
		return -1;
	rc = on_frame(l->r, l->on, l->check, e);
	l->done = rc > 0;
	return rc < 0 ? -1 : 0;
}

/* All frames that are there already. */
static int
drain(struct listen *l, struct cv_err *e)
{
	struct pollfd p = { .fd = l->r->sock, .events = POLLIN };

	while (!l->done && poll(&p, 1, 0) > 0)
		if (one_frame(l, e) != 0)
			return -1;
	return 0;
}

/* Bytes are taken first and the frames after, so that no frame that was sent
 * before these bytes can still be under way; then the bytes are handed on. */
static int
one_piece(struct listen *l, struct cv_err *e)
{
	ssize_t n = read(l->on->pipe_fd, l->piece, PIPE_PIECE);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : cv_fail_errno(e, "reading a pipe");
	if (drain(l, e) != 0)
		return -1;
	if (n == 0) {
		l->pipe_open = false;
		return l->on->pipe(l->on->ctx, NULL, 0, e);
	}
	return l->on->pipe(l->on->ctx, l->piece, (size_t)n, e);
}

static int
await(struct listen *l, struct cv_err *e)
{
	struct cv_role *r = l->r;
	struct pollfd p[3] = { { .fd = l->done ? -1 : r->sock, .events = POLLIN },
			       { .fd = l->on->pipe_fd, .events = POLLIN },
			       { .fd = r->o.cancel_fd, .events = POLLIN } };
	int left = cv_mono_left(r->o.deadline);

	if (left == 0)
		return cv_fail(e, CV_R_DEADLINE, "the %s worker: out of time",
			       cv_role_name(r->kind));
	if (poll(p, 3, left) < 0)
		return errno == EINTR ? 0 : cv_fail_errno(e, "waiting for a worker");
	if (p[2].revents != 0)
		return cv_fail(e, CV_R_CANCELLED, "cancelled");
	if (p[1].revents != 0)
		return one_piece(l, e);
	return p[0].revents != 0 ? one_frame(l, e) : 0;
}

static int
listen_all(struct listen *l, struct cv_err *e)
{
	while (!l->done || l->pipe_open)
		if ((l->pipe_open ? await(l, e) : one_frame(l, e)) != 0)
			return -1;
	return l->on->done == NULL ? 0 : l->on->done(l->on->ctx, &l->r->in, e);
}

int
cv_role_run(struct cv_role *r, const struct cv_role_on *on, const char **check, struct cv_err *e)
{
	struct listen l = { .r = r, .on = on, .check = check, .pipe_open = on->pipe_fd >= 0 };
	cv_auto(cv_freep) uint8_t *piece = NULL;

	if (check != NULL)
		*check = NULL;
	r->count = 0;
	if (l.pipe_open && (piece = malloc(PIPE_PIECE)) == NULL)
		return cv_fail_memory(e);
	l.piece = piece;
	cv_out_start(&r->out, CV_K_RUN);
	cv_out_u64(&r->out, CV_TAG_COUNT, r->items);
	if (cv_role_send_frame(r, &r->out, e) != 0)
		return -1;
	if (listen_all(&l, e) != 0 || cv_role_whole(r, e) != 0) {
		r->broken = !r->idle;
		cv_frame_clear(&r->in);
		return -1;
	}
	cv_frame_clear(&r->in);
	r->idle = true;
	return 0;
}
