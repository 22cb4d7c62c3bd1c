/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.c: CV_T_BLOB of proto.h: who signed these bytes, or this digest. Evidence
 * is taken in as it arrives and judged once all keys are known.
 *
 * Evidence is a Sigstore bundle, a DSSE envelope with an in-toto statement, or a
 * detached signature: raw, or base64 as cosign and openssl write it (line ends
 * anywhere), or the file of ssh-keygen, minisign or signify. Must never count a statement about
 * another digest.
 */
#include "trust/believe.h"
#include "trust/dsse.h"
#include "trust/need.h"
#include "trust/tally.h"
#include "trust/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

struct evidence {
	uint64_t kind; /* enum cv_evidence */
	char *name;
	struct cv_buf text;
};

struct blob_task {
	struct cv_keyring ring;
	struct cv_digest digest;
	struct cv_blob blob; /* fd -1: a tree */
	struct cv_message message;
	int64_t now;
	struct cv_tally tally;
	struct evidence evidence[CV_MAX_EVIDENCE_ITEMS];
	size_t items;
	uint64_t bytes;
};

static const struct cv_material unsaid = { .kind = CV_MATERIAL_UNSAID };

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct blob_task *t = calloc(1, sizeof(*t));
	char text[CV_DIGEST_TEXT], brief[CV_TEXT_BRIEF];
	const char *name;

	if (t == NULL)
		return cv_fail_memory(e);
	*state = t;
	t->blob = CV_NO_BLOB;
	t->digest = cv_frame_digest(task, CV_TAG_DIGEST);
	if (cv_frame_has(task, CV_TAG_BLOB))
		t->blob = cv_frame_blob(task, CV_TAG_BLOB, UINT64_MAX);
	name = cv_frame_str(task, CV_TAG_NAME, 4096);
	t->now = (int64_t)cv_frame_u64(task, CV_TAG_NOW, INT64_MAX);
	t->message = cv_message_blob(t->blob);
	/* bytes are hashed once a run: verify has done so */
	if (t->digest.alg == CV_SHA256)
		t->message.digest[0] = t->digest;
	t->tally.w = w;
	t->tally.ring = &t->ring;
	cv_text_fmt(t->tally.about, sizeof(t->tally.about), "%.40s %s",
		    cv_text_brief(brief, cv_span_str(name)), cv_digest_text(&t->digest, text));
	return cv_frame_done(task, "TASK", e);
}

static void
end(void *state)
{
	struct blob_task *t = state;

	if (t == NULL)
		return;
	cv_message_free(&t->message);
	cv_closep(&t->blob.fd);
	cv_keyring_clear(&t->ring);
	for (size_t i = 0; i < t->items; i++) {
		free(t->evidence[i].name);
		cv_buf_free(&t->evidence[i].text);
	}
	free(t);
}

/* ---- evidence ---- */

static int
judge_statement(struct blob_task *t, const struct cv_place *at, struct cv_proven **p,
		struct cv_err *e)
{
	cv_auto(cv_verified_free) struct cv_verified *v = NULL;
	const struct cv_subject *first;
	char text[CV_DIGEST_TEXT];
	struct cv_err why;

	if (cv_verify_statement(&v, p, "the signed statement", &why) != 0)
		return cv_tally_no(&t->tally, at, &why, e);
	if (cv_statement_about(cv_verified_statement(v), &t->digest) != NULL)
		return cv_tally_statement(&t->tally, at, v, &t->digest, e);
	first = &cv_verified_statement(v)->subject[0];
	cv_fail(&why, CV_R_DIGEST, "a trusted signer made it about %s, want %s",
		first->n > 0 ? cv_digest_text(&first->digest[0], text) : "no digest that is judged",
		t->tally.about);
	return cv_tally_no(&t->tally, at, &why, e);
}

static int
judge_envelope(struct blob_task *t, const struct cv_place *at, struct cv_envelope *env,
	       const struct cv_material *m, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	struct cv_err why;

	if (cv_prove_envelope(&p, env, m, &t->ring, &why) != 0)
		return cv_tally_no(&t->tally, at, &why, e);
	return judge_statement(t, at, &p, e);
}

static int
judge_message(struct blob_task *t, const struct cv_place *at, struct cv_span sig,
	      const struct cv_material *m, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	struct cv_err why;

	if (cv_prove_message(&p, &t->message, sig, m, &t->ring, &why) != 0)
		return cv_tally_no(&t->tally, at, &why, e);
	return cv_tally_signed(&t->tally, at, p, &t->digest, "", e);
}

static int
judge_bundle(struct blob_task *t, struct cv_place *at, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_belief_free) struct cv_belief b = { .proven = NULL };
	struct cv_err why;

	if (cv_believe_bundle(&b, text, &t->message, &t->ring, &why) != 0) {
		at->check = b.check;
		return cv_tally_no(&t->tally, at, &why, e);
	}
	if (b.logs + b.stamps > 0 &&
	    cv_tally_note(&t->tally, at, e,
			  "%zu log entries and %zu timestamps are there and were not judged",
			  b.logs, b.stamps) != 0)
		return -1;
	if (!b.message)
		return judge_statement(t, at, &b.proven, e);
	at->form = CV_SIGNED_MESSAGE;
	return cv_tally_signed(&t->tally, at, b.proven, &t->digest, "", e);
}

/* What policy asks of a signature besides the key is its word about whom it trusts. */
static int
judge_tool(struct blob_task *t, struct cv_place *at, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	struct cv_err why;

	if (cv_prove_detached(&p, &t->message, text, &t->ring, t->now, &why) == 0)
		return cv_tally_signed(&t->tally, at, p, &t->digest, "", e);
	if (why.reason == CV_R_RULE)
		at->check = "sig.untrusted-key";
	return cv_tally_no(&t->tally, at, &why, e);
}

/* Line ends are not part of base64 and are part of what tools write. */
static int
judge_detached(struct blob_task *t, const struct cv_place *at, struct cv_span text,
	       struct cv_err *e)
{
	struct cv_buf plain = CV_BUF(2 * CV_MAX_SIGNATURE), sig = CV_BUF(CV_MAX_SIGNATURE);
	struct cv_span use = text;
	int r;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\n' && text.p[i] != '\r')
			cv_buf_byte(&plain, text.p[i]);
	if (plain.failed == CV_R_NONE && cv_base64_decode(&sig, cv_buf_span(&plain), NULL) == 0)
		use = cv_buf_span(&sig);
	r = judge_message(t, at, use, &unsaid, e);
	cv_buf_free(&plain);
	cv_buf_free(&sig);
	return r;
}

static int
judge_dsse(struct blob_task *t, const struct cv_place *at, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_envelope_free) struct cv_envelope *env = NULL;
	struct cv_err why;

	if (cv_envelope_parse(&env, "the envelope", text, &why) != 0)
		return cv_tally_no(&t->tally, at, &why, e);
	return judge_envelope(t, at, env, &unsaid, e);
}

static int
judge(struct blob_task *t, const struct evidence *ev, struct cv_err *e)
{
	struct cv_place at = { .kinds = CV_TALLY_SIGNATURE, .form = CV_SIGNED_BUNDLE };
	struct cv_span text = cv_buf_span(&ev->text);

	cv_text_fmt(at.where, sizeof(at.where), "%s", ev->name);
	if (cv_digest_of(&at.evidence, CV_SHA256, text, e) != 0)
		return -1;
	if (ev->kind == CV_EV_BUNDLE)
		return judge_bundle(t, &at, text, e);
	at.form = ev->kind == CV_EV_DSSE ? CV_SIGNED_STATEMENT : CV_SIGNED_MESSAGE;
	if (ev->kind == CV_EV_SIGNATURE && cv_detached_is(text))
		return judge_tool(t, &at, text, e);
	return ev->kind == CV_EV_DSSE ? judge_dsse(t, &at, text, e)
				      : judge_detached(t, &at, text, e);
}

/* ---- the task ---- */

static int
take_evidence(struct blob_task *t, struct cv_frame *frame, struct cv_err *e)
{
	struct evidence *ev = &t->evidence[t->items];
	uint64_t kind = cv_frame_u64(frame, CV_TAG_KIND, CV_EV_DSSE);
	const char *name = cv_frame_str(frame, CV_TAG_NAME, 4096);
	struct cv_blob blob = cv_frame_blob(frame, CV_TAG_BLOB, CV_MAX_ENVELOPE);
	int r = cv_frame_done(frame, "ITEM EVIDENCE", e);

	if (r == 0 && kind == 0)
		r = cv_fail(e, CV_R_WORKER, "found evidence without a kind");
	t->bytes += blob.len;
	if (r == 0 && (t->items == CV_MAX_EVIDENCE_ITEMS || t->bytes > CV_MAX_EVIDENCE_BYTES))
		r = cv_fail(e, CV_R_LIMIT,
			    "found more than %d pieces or %llu bytes of evidence for one artifact",
			    CV_MAX_EVIDENCE_ITEMS, CV_MAX_EVIDENCE_BYTES);
	if (r == 0) {
		t->items++;
		*ev = (struct evidence){ .kind = kind, .name = strdup(name) };
		ev->text = CV_BUF((size_t)blob.len);
		r = ev->name == NULL
			    ? cv_fail_memory(e)
			    : cv_buf_pread(&ev->text, blob.fd, blob.off, blob.len, name, e);
	}
	cv_closep(&blob.fd);
	return r;
}

static int
item(struct cv_worker *w, struct cv_frame *frame, void *state, struct cv_err *e)
{
	struct blob_task *t = state;

	(void)w;
	if (cv_frame_u64(frame, CV_TAG_ROLE, UINT64_MAX) == CV_ROLE_EVIDENCE)
		return take_evidence(t, frame, e);
	return cv_take_trusted(&t->ring, frame, e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct blob_task *t = state;
	bool vouched;

	(void)w;
	for (size_t i = 0; i < t->items; i++)
		if (judge(t, &t->evidence[i], e) != 0)
			return -1;
	/* a statement about the digest says who vouches for it as well */
	vouched = t->tally.signatures == 0 && t->tally.statements > 0;
	return cv_tally_finish(&t->tally, vouched ? CV_TALLY_STATEMENT : CV_TALLY_SIGNATURE, e);
}

const struct cv_task_def cv_task_blob = {
	.task = CV_T_BLOB, .start = start, .item = item, .run = run, .end = end
};
