/* SPDX-License-Identifier: Apache-2.0 */
/* wanted.c: see wanted.h. Must never take what nobody signed for an annotation. */
#include "trust/wanted.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/json.h"
#include "trust/base/proto.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

int
cv_wanted_take(struct cv_wanted *w, struct cv_frame *item, struct cv_err *e)
{
	struct cv_wanted_one one = { 0 };
	const char *key = cv_frame_str(item, CV_TAG_NAME, CV_MAX_ANNOTATION);

	if (w->n == CV_MAX_ANNOTATIONS)
		return cv_fail(e, CV_R_WORKER, "found more than %d annotations",
			       CV_MAX_ANNOTATIONS);
	one.key = strdup(key);
	one.value = strdup(cv_frame_str(item, CV_TAG_TEXT, CV_MAX_ANNOTATION));
	w->v[w->n++] = one;
	if (one.key == NULL || one.value == NULL)
		return cv_fail_memory(e);
	return cv_frame_done(item, "ITEM ANNOTATION", e);
}

void
cv_wanted_clear(struct cv_wanted *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].key);
		free(w->v[i].value);
	}
	w->n = 0;
}

/* meets: `said`, an object or nothing, has each of them, as a string and no other. */
static int
meets(const struct cv_wanted *w, struct cv_jv said, struct cv_err *e)
{
	char key[CV_TEXT_BRIEF], want[CV_TEXT_BRIEF], found[CV_TEXT_BRIEF];

	for (size_t i = 0; i < w->n; i++) {
		struct cv_jv v = cv_jv_get(said, w->v[i].key);
		const char *text = NULL;

		cv_text_brief(key, cv_span_str(w->v[i].key));
		cv_text_brief(want, cv_span_str(w->v[i].value));
		if (v.absent)
			return cv_fail(e, CV_R_RULE,
				       "a trusted signer made it without the annotation %s, want "
				       "%s=%s",
				       key, key, want);
		if (cv_jv_text(v, &text, NULL) != 0)
			return cv_fail(e, CV_R_RULE,
				       "a trusted signer made it with something else than a text "
				       "as the annotation %s, want %s=%s",
				       key, key, want);
		if (strcmp(text, w->v[i].value) != 0)
			return cv_fail(e, CV_R_RULE,
				       "a trusted signer made it with the annotation %s=%s, want "
				       "%s=%s",
				       key, cv_text_brief(found, cv_span_str(text)), key, want);
	}
	return 0;
}

int
cv_wanted_none(const struct cv_wanted *w, struct cv_err *e)
{
	struct cv_jv nothing = { .absent = true };

	return meets(w, nothing, e);
}

int
cv_wanted_simple(const struct cv_wanted *w, struct cv_span payload, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;

	if (w->n == 0)
		return 0;
	if (cv_json_parse(&doc, "the signed payload", payload, CV_JSON_REALS, e) != 0)
		return -1;
	return meets(w, cv_jv_get(cv_json_root(doc), "optional"), e);
}

int
cv_wanted_statement(const struct cv_wanted *w, const struct cv_verified *v,
		    const struct cv_digest *about, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const struct cv_statement *s = cv_verified_statement(v);
	const struct cv_subject *subject = cv_statement_about(s, about);
	struct cv_jv list;

	if (w->n == 0)
		return 0;
	if (subject == NULL)
		return cv_fail(e, CV_R_BUG, "annotations of a subject that is not there");
	if (cv_json_parse(&doc, "the signed statement", cv_proven_payload(cv_verified_proof(v)),
			  CV_JSON_REALS, e) != 0)
		return -1;
	/* the same document was read into s: its subjects are in the same order */
	list = cv_jv_get(cv_json_root(doc), "subject");
	return meets(w, cv_jv_get(cv_jv_at(list, (size_t)(subject - s->subject)), "annotations"),
		     e);
}
