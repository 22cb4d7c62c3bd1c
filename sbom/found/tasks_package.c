/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks_package.c: CV_T_PACKAGE and CV_T_EXPAND (proto.h). PACKAGE judges; EXPAND hands
 * over the bytes of what PACKAGE named, in the same order, and judges nothing again but
 * that the archive is whole.
 */
#include "sbom/found/package.h"
#include "sbom/found/tasks.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

/* Members wait here until the package's own fact went first. */
#define MAX_WAITING (192 * CV_MIB)

struct package_state {
	struct cv_worker *w;
	struct cv_blob blob;
	int out; /* PACKAGE: the scratch file; EXPAND: the pipe */
	struct cv_buf waiting;
};

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct package_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	*state = s;
	s->w = w;
	s->out = -1;
	s->waiting = CV_BUF(MAX_WAITING);
	s->blob = cv_frame_blob(task, CV_TAG_BLOB, CV_MAX_PACKAGE_BYTES);
	/* for people and for kinds that bytes do not show; neither is believed */
	(void)cv_frame_str(task, CV_TAG_NAME, CV_MAX_PATH);
	(void)cv_frame_str(task, CV_TAG_MEDIA, CV_MAX_PATH);
	s->out = cv_frame_fd(task, CV_TAG_OUT);
	return cv_frame_done(task, "the package task", e);
}

static void
end(void *state)
{
	struct package_state *s = state;

	if (s == NULL)
		return;
	cv_closep(&s->blob.fd);
	cv_closep(&s->out);
	cv_buf_free(&s->waiting);
	free(s);
}

static int
send_file(struct cv_worker *w, const struct cv_member *m, struct cv_err *e)
{
	struct cv_out *o = cv_w_fact(w, CV_F_FILE);

	cv_out_str(o, CV_TAG_NAME, m->path);
	cv_out_u64(o, CV_TAG_MODE, m->mode);
	cv_out_u64(o, CV_TAG_SIZE, m->size);
	if (m->digest.alg != CV_ALG_NONE)
		cv_out_digest(o, CV_TAG_DIGEST, &m->digest);
	if (m->link != NULL)
		cv_out_str(o, CV_TAG_REF, m->link);
	return cv_w_send(w, e);
}

/* ---- CV_T_PACKAGE ---- */

static int
wait_member(void *ctx, const struct cv_member *m, struct cv_err *e)
{
	struct package_state *s = ctx;
	struct cv_buf *b = &s->waiting;
	size_t path = strlen(m->path), link = m->link != NULL ? strlen(m->link) : 0;

	cv_buf_u32le(b, m->mode);
	cv_buf_u64le(b, m->size);
	cv_buf_byte(b, (uint8_t)m->digest.alg);
	cv_buf_add(b, m->digest.b, 32);
	cv_buf_u16le(b, (uint16_t)path);
	cv_buf_u16le(b, (uint16_t)link);
	cv_buf_add(b, m->path, path + 1);
	cv_buf_add(b, m->link != NULL ? m->link : "", link + 1);
	return cv_buf_ok(b, "the members of an archive", e);
}

static int
send_waiting(struct package_state *s, struct cv_err *e)
{
	struct cv_span left = cv_buf_span(&s->waiting);

	while (left.n > 0) {
		struct cv_member m = { 0 };

		m.mode = cv_span_u32le(&left);
		m.size = cv_span_u64le(&left);
		m.digest.alg = cv_span_u8(&left);
		struct cv_span digest = cv_span_take(&left, 32);
		uint16_t path = cv_span_u16le(&left), link = cv_span_u16le(&left);
		m.path = (const char *)cv_span_take(&left, (size_t)path + 1).p;
		m.link = (const char *)cv_span_take(&left, (size_t)link + 1).p;
		if (left.bad)
			return cv_fail(e, CV_R_BUG, "members that wait are broken");
		memcpy(m.digest.b, digest.p, 32);
		if (link == 0)
			m.link = NULL;
		if (send_file(s->w, &m, e) < 0)
			return -1;
	}
	return 0;
}

static int
package_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct package_state *s = state;
	const struct cv_member_use use = {
		.ends = wait_member, .ctx = s, .look = true, .scratch = s->out
	};
	struct cv_answers a = CV_ANSWERS(cv_sink_worker(w));
	struct cv_package p;

	if (cv_package_walk(&p, s->blob, &use, &a, e) < 0 || cv_answers_end(&a, e) < 0)
		return -1;
	if (!p.whole)
		return 0;
	struct cv_out *o = cv_w_fact(w, CV_F_PACKAGE);
	cv_out_str(o, CV_TAG_NAME, p.name);
	cv_out_str(o, CV_TAG_VERSION, p.version);
	cv_out_str(o, CV_TAG_MEDIA, p.word);
	if (cv_w_send(w, e) < 0)
		return -1;
	return send_waiting(s, e);
}

const struct cv_task_def cv_task_package = {
	.task = CV_T_PACKAGE, .start = start, .run = package_run, .end = end
};

/* ---- CV_T_EXPAND ---- */

static bool
regular(const struct cv_member *m)
{
	return m->mode == 0100644 || m->mode == 0100755;
}

static int
announce(void *ctx, const struct cv_member *m, struct cv_err *e)
{
	struct package_state *s = ctx;

	return regular(m) ? send_file(s->w, m, e) : 0;
}

static int
pour(void *ctx, struct cv_span piece, struct cv_err *e)
{
	struct package_state *s = ctx;

	return cv_write_all(s->out, piece.p, piece.n, "a member's bytes", e);
}

/* PACKAGE has said it all; only the first is kept, for when the archive is not whole. */
static int
keep_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_finding *first = ctx;

	(void)e;
	if (first->check == NULL && f->outcome != CV_PASS && f->outcome != CV_NOT_APPLICABLE)
		*first = *f;
	return 0;
}

static int
expand_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct package_state *s = state;
	struct cv_finding first = { 0 };
	const struct cv_member_use use = { .begins = announce, .data = pour, .ctx = s };
	const struct cv_sink sink = { .finding = keep_finding, .ctx = &first };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_package p;

	if (cv_package_walk(&p, s->blob, &use, &a, e) < 0)
		return -1;
	cv_closep(&s->out); /* the reader sees the end before DONE comes */
	if (p.whole)
		return 0;
	cv_w_check(w, first.check != NULL ? first.check : "archive.malformed");
	return cv_fail(e, first.reason != CV_R_NONE ? first.reason : CV_R_MALFORMED, "%s",
		       first.found);
}

const struct cv_task_def cv_task_expand = {
	.task = CV_T_EXPAND, .start = start, .run = expand_run, .end = end
};
