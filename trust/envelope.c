/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.c: CV_T_ENVELOPE of proto.h: one document of our own kind (a policy, a
 * record), signed by one of the keys. Must never hand out a payload of another
 * type than was asked for: a signature over one kind of document is none over
 * another. */
#include "trust/dsse.h"
#include "trust/tally.h"
#include "trust/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

struct envelope_task {
	struct cv_keyring ring;
	struct cv_blob blob;
	char type[CV_MAX_REF + 1];
	struct cv_place at;
	struct cv_tally tally;
};

static const struct cv_material unsaid = { .kind = CV_MATERIAL_UNSAID };

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct envelope_task *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return cv_fail_memory(e);
	*state = t;
	t->blob = cv_frame_blob(task, CV_TAG_BLOB, CV_MAX_ENVELOPE);
	cv_text_fmt(t->type, sizeof(t->type), "%s", cv_frame_str(task, CV_TAG_MEDIA, CV_MAX_REF));
	cv_text_fmt(t->at.where, sizeof(t->at.where), "%s", cv_frame_str(task, CV_TAG_NAME, 4096));
	t->at.kinds = CV_TALLY_STATEMENT;
	t->at.form = CV_SIGNED_ENVELOPE;
	t->tally.w = w;
	t->tally.ring = &t->ring;
	cv_text_fmt(t->tally.about, sizeof(t->tally.about), "a %.100s", t->type);
	return cv_frame_done(task, "TASK", e);
}

static int
item(struct cv_worker *w, struct cv_frame *frame, void *state, struct cv_err *e)
{
	struct envelope_task *t = state;

	(void)w;
	return cv_take_trusted(&t->ring, frame, e);
}

static void
end(void *state)
{
	struct envelope_task *t = state;

	if (t == NULL)
		return;
	cv_closep(&t->blob.fd);
	cv_keyring_clear(&t->ring);
	free(t);
}

static int
judge(struct envelope_task *t, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_envelope_free) struct cv_envelope *env = NULL;
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	char brief[CV_TEXT_BRIEF];
	struct cv_err why;

	if (cv_envelope_parse(&env, "the envelope", text, &why) != 0 ||
	    cv_prove_envelope(&p, env, &unsaid, &t->ring, &why) != 0)
		return cv_tally_no(&t->tally, &t->at, &why, e);
	if (strcmp(cv_proven_type(p), t->type) == 0)
		return cv_tally_payload(&t->tally, &t->at, p, e);
	cv_fail(&why, CV_R_DIGEST,
		"a trusted key signed it as a document of type \"%s\", want \"%s\"",
		cv_text_brief(brief, cv_span_str(cv_proven_type(p))), t->type);
	return cv_tally_no(&t->tally, &t->at, &why, e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct envelope_task *t = state;
	struct cv_buf text = CV_BUF(CV_MAX_ENVELOPE);
	int r;

	(void)w;
	r = cv_buf_pread(&text, t->blob.fd, t->blob.off, t->blob.len, "the envelope", e);
	if (r == 0)
		r = cv_digest_of(&t->at.evidence, CV_SHA256, cv_buf_span(&text), e);
	if (r == 0)
		r = judge(t, cv_buf_span(&text), e);
	cv_buf_free(&text);
	return r == 0 ? cv_tally_finish(&t->tally, CV_TALLY_STATEMENT, e) : r;
}

const struct cv_task_def cv_task_envelope = {
	.task = CV_T_ENVELOPE, .start = start, .item = item, .run = run, .end = end
};
