/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legacy.c: cosign's first generation (sigstore/cosign specs/SIGNATURE_SPEC.md):
 * tags "sha256-HEX.sig" and "sha256-HEX.att" beside the image. The manifest under
 * the tag is anybody's word; what counts is the signature that a layer's
 * annotation holds over that layer's bytes (.sig), or the envelope in the layer
 * (.att), and what the signed bytes are about.
 */
#include "trust/annotated.h"
#include "trust/believe.h"
#include "trust/image.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/ref.h"
#include "trust/base/text.h"
#include "trust/dsse.h"
#include "trust/simple.h"

#include "trust/base/banned.h"

#define MT_DSSE "application/vnd.dsse.envelope.v1+json"

static const struct cv_material unsaid = { .kind = CV_MATERIAL_UNSAID };

/* ---- what stands behind a signature ---- */

/* By a certificate, or by a key that has to be in a log: judged as the bundle that its
 * annotations amount to. */
static bool
as_bundle(const struct cv_image *im, const struct cv_descriptor *d)
{
	return d->certificate != NULL || cv_ring_has_logged_key(&im->ring);
}

static int
believe(struct cv_proven **p, struct cv_place *at, const struct cv_image *im,
	const struct cv_descriptor *d, struct cv_message *message, struct cv_span envelope,
	struct cv_err *e)
{
	struct cv_buf text = CV_BUF(2 * CV_MAX_MANIFEST + envelope.n);
	struct cv_belief b = { .proven = NULL };
	int r = cv_annotated_bundle(&text, d, envelope, e);

	if (r == 0)
		r = cv_believe_bundle(&b, cv_buf_span(&text), message, &im->ring, e);
	at->check = b.check;
	if (r == 0)
		*p = cv_steal(b.proven);
	cv_belief_free(&b);
	cv_buf_free(&text);
	return r;
}

/* ---- .sig ---- */

static int
prove_simple(struct cv_image *im, struct cv_place *at, const struct cv_descriptor *d,
	     struct cv_message *message, struct cv_proven **p, struct cv_err *e)
{
	struct cv_buf sig = CV_BUF(CV_MAX_SIGNATURE);
	int r;

	if (as_bundle(im, d))
		return believe(p, at, im, d, message, cv_span(NULL, 0), e);
	if (d->signature == NULL)
		return cv_fail(e, CV_R_MALFORMED, "found a layer without its signature annotation");
	r = cv_base64_decode(&sig, cv_span_str(d->signature), e);
	if (r != 0)
		cv_fail_within(e, "the signature annotation");
	else
		r = cv_prove_message(p, message, cv_buf_span(&sig), &unsaid, &im->ring, e);
	cv_buf_free(&sig);
	return r;
}

/* What a proven payload is about: one document of the chain, or something else. */
static int
tally_simple(struct cv_image *im, const struct cv_place *at, const struct cv_proven *p,
	     struct cv_err *e)
{
	struct cv_place as = *at;
	struct cv_simple s;
	struct cv_err why;
	char text[CV_DIGEST_TEXT], brief[CV_TEXT_BRIEF];

	if (cv_simple_parse(&s, "the signed payload", cv_proven_payload(p), &why) != 0)
		return cv_tally_no(&im->tally, at, &why, e);
	for (size_t i = 0; i < im->n; i++) {
		if (!cv_digest_eq(&s.digest, &im->chain[i].digest))
			continue;
		if (s.reference[0] != '\0' && im->name[0] != '\0' &&
		    strcmp(s.reference, im->name) != 0 &&
		    cv_tally_note(&im->tally, at, e,
				  "signed under the name %s, found under %s: names are not part of "
				  "what cosign checks",
				  cv_text_brief(brief, cv_span_str(s.reference)), im->name) != 0)
			return -1;
		if (cv_wanted_simple(&im->wanted, cv_proven_payload(p), &why) == 0)
			return cv_tally_signed(&im->tally, at, p, &s.digest, "", e);
		as.check = CV_WANTED_CHECK;
		return cv_tally_no(&im->tally, &as, &why, e);
	}
	cv_fail(&why, CV_R_DIGEST, "a trusted signer made it about %s, want %.80s",
		cv_digest_text(&s.digest, text), im->tally.about);
	return cv_tally_no(&im->tally, at, &why, e);
}

static int
judge_simple(struct cv_image *im, const struct cv_place *at, const struct cv_descriptor *d,
	     struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	struct cv_message message = cv_message_bytes(text);
	struct cv_place as = *at;
	struct cv_err why;

	if (prove_simple(im, &as, d, &message, &p, &why) != 0)
		return cv_tally_no(&im->tally, &as, &why, e);
	return tally_simple(im, at, p, e);
}

/* ---- .att ---- */

static int
prove_envelope(struct cv_image *im, struct cv_place *at, const struct cv_descriptor *d,
	       struct cv_span text, struct cv_proven **p, struct cv_err *e)
{
	cv_auto(cv_envelope_free) struct cv_envelope *env = NULL;
	struct cv_message none = cv_message_blob(CV_NO_BLOB);

	if (as_bundle(im, d))
		return believe(p, at, im, d, &none, text, e);
	if (cv_envelope_parse(&env, "the envelope", text, e) != 0)
		return -1;
	return cv_prove_envelope(p, env, &unsaid, &im->ring, e);
}

static int
judge_envelope(struct cv_image *im, const struct cv_place *at, const struct cv_descriptor *d,
	       struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	struct cv_place as = *at;
	struct cv_err why;

	if (prove_envelope(im, &as, d, text, &p, &why) != 0)
		return cv_tally_no(&im->tally, &as, &why, e);
	return cv_image_statement(im, at, &p, e);
}

/* ---- tags ---- */

struct generation {
	const char *suffix, *media;
	unsigned kinds;
	enum cv_signed form;
	uint64_t max;
	int (*judge)(struct cv_image *, const struct cv_place *, const struct cv_descriptor *,
		     struct cv_span, struct cv_err *);
};

static const struct generation signatures = {
	.suffix = ".sig",
	.media = CV_MT_SIMPLE,
	.kinds = CV_TALLY_SIGNATURE,
	.form = CV_SIGNED_SIMPLE,
	.max = CV_MAX_MANIFEST,
	.judge = judge_simple,
};
static const struct generation attestations = {
	.suffix = ".att",
	.media = MT_DSSE,
	.kinds = CV_TALLY_STATEMENT,
	.form = CV_SIGNED_STATEMENT,
	.max = CV_MAX_ENVELOPE,
	.judge = judge_envelope,
};

static int
judge_layer(struct cv_image *im, struct cv_worker *w, const struct generation *gen,
	    const struct cv_place *tag, size_t i, const struct cv_descriptor *d, struct cv_err *e)
{
	struct cv_place at = *tag;
	struct cv_got g;
	int r;

	cv_text_fmt(at.where, sizeof(at.where), "%.400s, layer %zu", tag->where, i + 1);
	if (strcmp(d->media, gen->media) != 0)
		return cv_tally_note(&im->tally, &at, e, "found a layer of type %s, want %s",
				     d->media, gen->media);
	if (cv_need_node(w, CV_NODE_EVIDENCE, d, gen->max, &im->spent, &g, e) != 0)
		return -1;
	if (gen == &attestations)
		at.evidence = d->digest;
	r = g.given ? gen->judge(im, &at, d, cv_buf_span(&g.text), e)
		    : cv_tally_not_had(&im->tally, &at, &g, e);
	cv_got_free(&g);
	return r;
}

static int
judge_layers(struct cv_image *im, struct cv_worker *w, const struct generation *gen,
	     const struct cv_place *tag, const struct cv_manifest *m, struct cv_err *e)
{
	struct cv_err why;

	for (size_t i = 0; i < m->n && i < CV_MAX_SIGNATURES; i++)
		if (judge_layer(im, w, gen, tag, i, &m->layer[i], e) != 0)
			return -1;
	if (m->n <= CV_MAX_SIGNATURES)
		return 0;
	cv_fail(&why, CV_R_LIMIT, "found %zu layers, and looked at the first %d", m->n,
		CV_MAX_SIGNATURES);
	return cv_tally_no(&im->tally, tag, &why, e);
}

static int
look_under_tag(struct cv_image *im, struct cv_worker *w, const struct generation *gen,
	       const struct cv_digest *digest, struct cv_err *e)
{
	cv_auto(cv_manifest_free) struct cv_manifest *m = NULL;
	struct cv_place at = { .kinds = gen->kinds, .form = gen->form };
	char tag[CV_DIGEST_TAG];
	struct cv_err why;
	struct cv_got g;
	int r = 0;

	cv_digest_tag(digest, gen->suffix, tag);
	cv_text_fmt(at.where, sizeof(at.where), "tag %s", tag);
	if (cv_need_tag(w, tag, &im->spent, &g, e) != 0)
		return -1;
	if (!g.given)
		return g.why.reason == CV_R_ABSENT ? 0 : cv_tally_not_had(&im->tally, &at, &g, e);
	at.evidence = g.digest;
	if (cv_manifest_parse(&m, cv_buf_span(&g.text), g.media, &why) != 0)
		r = cv_tally_no(&im->tally, &at, &why, e);
	else
		r = judge_layers(im, w, gen, &at, m, e);
	cv_got_free(&g);
	return r;
}

int
cv_image_legacy(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	for (size_t i = 0; i < im->n; i++) {
		const struct cv_digest *d = &im->chain[i].digest;

		if ((im->flags & CV_IMG_SIGNATURES) &&
		    look_under_tag(im, w, &signatures, d, e) != 0)
			return -1;
		if ((im->flags & CV_IMG_ATTESTATIONS) &&
		    look_under_tag(im, w, &attestations, d, e) != 0)
			return -1;
	}
	return 0;
}
