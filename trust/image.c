/* SPDX-License-Identifier: Apache-2.0 */
/* image.c: CV_T_IMAGE of proto.h; see image.h. */
#include "trust/image.h"
#include "trust/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct cv_image *im = calloc(1, sizeof(*im));
	const char *platform;

	if (im == NULL)
		return cv_fail_memory(e);
	*state = im;
	im->root = cv_frame_blob(task, CV_TAG_BLOB, UINT64_MAX);
	im->digest = cv_frame_digest(task, CV_TAG_DIGEST);
	cv_text_fmt(im->media, sizeof(im->media), "%s",
		    cv_frame_str(task, CV_TAG_MEDIA, CV_MEDIA_MAX));
	cv_text_fmt(im->name, sizeof(im->name), "%s",
		    cv_frame_str(task, CV_TAG_NAME, sizeof(im->name) - 1));
	platform = cv_frame_str(task, CV_TAG_PLATFORM, CV_PLATFORM_TEXT);
	im->flags = (unsigned)cv_frame_u64(task, CV_TAG_FLAGS,
					   CV_IMG_SIGNATURES | CV_IMG_ATTESTATIONS |
						   CV_IMG_BUNDLES | CV_IMG_LEGACY);
	if (cv_frame_done(task, "TASK", e) != 0)
		return -1;
	if (cv_platform_parse(&im->platform, cv_span_str(platform), e) != 0)
		return cv_fail(e, CV_R_CONFIG, "%s", e->text);
	im->tally.w = w;
	im->tally.ring = &im->ring;
	return 0;
}

static int
item(struct cv_worker *w, struct cv_frame *frame, void *state, struct cv_err *e)
{
	struct cv_image *im = state;

	(void)w;
	if (cv_frame_u64(frame, CV_TAG_ROLE, UINT64_MAX) == CV_ROLE_ANNOTATION)
		return cv_wanted_take(&im->wanted, frame, e);
	return cv_take_trusted(&im->ring, frame, e);
}

static void
end(void *state)
{
	struct cv_image *im = state;

	if (im == NULL)
		return;
	cv_keyring_clear(&im->ring);
	cv_wanted_clear(&im->wanted);
	cv_closep(&im->root.fd);
	for (size_t i = 0; i < CV_COUNT(im->chain); i++)
		cv_buf_free(&im->chain[i].text);
	cv_manifest_free(&im->manifest);
	free(im);
}

/* ---- evidence ---- */

/* tally_statement: about a document of the chain; cosign's sign type has to say what
 * is wanted, too. */
static int
tally_statement(struct cv_image *im, const struct cv_place *at, const struct cv_verified *v,
		const struct cv_digest *about, struct cv_err *e)
{
	struct cv_place as = *at;
	struct cv_err why;

	if (strcmp(cv_verified_statement(v)->predicate_type, CV_PREDICATE_SIGN) != 0 ||
	    cv_wanted_statement(&im->wanted, v, about, &why) == 0)
		return cv_tally_statement(&im->tally, at, v, about, e);
	as.check = CV_WANTED_CHECK;
	return cv_tally_no(&im->tally, &as, &why, e);
}

int
cv_image_statement(struct cv_image *im, const struct cv_place *at, struct cv_proven **p,
		   struct cv_err *e)
{
	cv_auto(cv_verified_free) struct cv_verified *v = NULL;
	const struct cv_subject *first;
	char text[CV_DIGEST_TEXT], brief[CV_TEXT_BRIEF];
	struct cv_err why;
	bool about = false;

	if (cv_verify_statement(&v, p, "the signed statement", &why) != 0)
		return cv_tally_no(&im->tally, at, &why, e);
	for (size_t i = 0; i < im->n; i++) {
		if (cv_statement_about(cv_verified_statement(v), &im->chain[i].digest) == NULL)
			continue;
		about = true;
		if (tally_statement(im, at, v, &im->chain[i].digest, e) != 0)
			return -1;
	}
	if (about)
		return 0;
	first = &cv_verified_statement(v)->subject[0];
	cv_fail(&why, CV_R_DIGEST, "a trusted signer made it about %s%s%.40s, want %.80s",
		first->n > 0 ? cv_digest_text(&first->digest[0], text) : "no digest that is judged",
		*first->name == '\0' ? "" : " ", cv_text_brief(brief, cv_span_str(first->name)),
		im->tally.about);
	return cv_tally_no(&im->tally, at, &why, e);
}

static unsigned
wanted(const struct cv_image *im)
{
	return ((im->flags & CV_IMG_SIGNATURES) ? CV_TALLY_SIGNATURE : 0u) |
	       ((im->flags & CV_IMG_ATTESTATIONS) ? CV_TALLY_STATEMENT : 0u);
}

static int
evidence(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	char text[CV_DIGEST_TEXT];

	if (wanted(im) == 0)
		return 0;
	cv_text_fmt(im->tally.about, sizeof(im->tally.about), "%s%s",
		    cv_digest_text(&im->digest, text), im->n > 1 ? " or its manifest" : "");
	if ((im->flags & CV_IMG_BUNDLES) && cv_image_bundles(im, w, e) != 0)
		return -1;
	if ((im->flags & CV_IMG_LEGACY) && cv_image_legacy(im, w, e) != 0)
		return -1;
	return cv_tally_finish(&im->tally, wanted(im), e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct cv_image *im = state;

	if (cv_graph_chain(im, w, e) != 0)
		return cv_graph_told(im, w, e);
	if (evidence(im, w, e) != 0)
		return -1;
	if (cv_graph_config(im, w, e) != 0)
		return cv_graph_told(im, w, e);
	return cv_graph_holds(im, w, e);
}

const struct cv_task_def cv_task_image = {
	.task = CV_T_IMAGE, .start = start, .item = item, .run = run, .end = end
};
