/* SPDX-License-Identifier: Apache-2.0 */
/*
 * referrers.c: cosign's present generation: Sigstore bundles that refer to the
 * image (OCI distribution-spec 1.1 "Listing Referrers", image-spec 1.1 "subject").
 *
 * The list is anybody's word and only says where to look. A referrer counts when
 * its own bytes name the subject that was asked for, it has one layer of the
 * bundle type, and what the bundle's signature is over is about the image. Lists
 * made by hand under the fallback tag often lack artifactType, or have the
 * config's type there: those are looked into as well.
 */
#include "trust/image.h"

#include <string.h>

#include "trust/base/text.h"
#include "trust/believe.h"

#include "trust/base/banned.h"

#define MT_OLD_SIGNATURE "application/vnd.dev.cosign.artifact.sig.v1+json"

/* ---- one bundle ---- */

static int
judge_bundle(struct cv_image *im, const struct cv_place *at, const struct cv_link *l,
	     struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_belief_free) struct cv_belief b = { .proven = NULL };
	struct cv_message message = cv_message_bytes(cv_buf_span(&l->text));
	struct cv_place as = *at;
	struct cv_err why;

	if (cv_believe_bundle(&b, text, &message, &im->ring, &why) != 0) {
		as.check = b.check;
		if (b.message) /* over the document's own bytes: no attestation */
			as.kinds = CV_TALLY_SIGNATURE;
		return cv_tally_no(&im->tally, &as, &why, e);
	}
	if (b.logs + b.stamps > 0 &&
	    cv_tally_note(&im->tally, at, e,
			  "%zu log entries and %zu timestamps are there and were not judged",
			  b.logs, b.stamps) != 0)
		return -1;
	if (!b.message)
		return cv_image_statement(im, at, &b.proven, e);
	as.kinds = CV_TALLY_SIGNATURE;
	as.form = CV_SIGNED_MESSAGE;
	if (cv_wanted_none(&im->wanted, &why) != 0) {
		as.check = CV_WANTED_CHECK;
		return cv_tally_no(&im->tally, &as, &why, e);
	}
	return cv_tally_signed(&im->tally, &as, b.proven, &l->digest, "", e);
}

/* ---- one referrer ---- */

/* The manifest says itself what it refers to; the list does not count. */
static int
check_referrer(const struct cv_manifest *m, const struct cv_link *l, struct cv_err *e)
{
	char text[CV_DIGEST_TEXT];

	if (!m->has_subject)
		return cv_fail(e, CV_R_MALFORMED, "found a referrer that names no subject");
	if (!cv_digest_eq(&m->subject.digest, &l->digest) || m->subject.size != l->text.n)
		return cv_fail(e, CV_R_DIGEST, "found a referrer of %s, want the image's",
			       cv_digest_text(&m->subject.digest, text));
	if (m->n != 1)
		return cv_fail(e, CV_R_MALFORMED, "found %zu layers, want one, the bundle", m->n);
	return 0;
}

static int
judge_manifest(struct cv_image *im, struct cv_worker *w, const struct cv_place *at,
	       const struct cv_link *l, const struct cv_manifest *m, struct cv_err *e)
{
	struct cv_place in = *at;
	struct cv_err why;
	struct cv_got g;
	int r;

	if (check_referrer(m, l, &why) != 0)
		return cv_tally_no(&im->tally, at, &why, e);
	if (cv_need_node(w, CV_NODE_EVIDENCE, &m->layer[0], CV_MAX_BUNDLE, &im->spent, &g, e) != 0)
		return -1;
	in.evidence = m->layer[0].digest;
	r = g.given ? judge_bundle(im, &in, l, cv_buf_span(&g.text), e)
		    : cv_tally_not_had(&im->tally, &in, &g, e);
	cv_got_free(&g);
	return r;
}

/* A list that names the type has promised a bundle; without it, it may be
 * anything, and is only a bundle if its layer says so. */
static int
judge_referrer(struct cv_image *im, struct cv_worker *w, const struct cv_link *l,
	       const struct cv_descriptor *d, struct cv_err *e)
{
	cv_auto(cv_manifest_free) struct cv_manifest *m = NULL;
	struct cv_place at = { .kinds = CV_TALLY_SIGNATURE | CV_TALLY_STATEMENT,
			       .form = CV_SIGNED_BUNDLE };
	bool promised = strcmp(d->artifact_type, CV_MT_BUNDLE) == 0, bundle;
	char text[CV_DIGEST_TEXT];
	struct cv_err why;
	struct cv_got g;
	int r = 0;

	cv_text_fmt(at.where, sizeof(at.where), "referrer %s", cv_digest_text(&d->digest, text));
	if (cv_need_node(w, CV_NODE_EVIDENCE, d, CV_MAX_MANIFEST, &im->spent, &g, e) != 0)
		return -1;
	if (!g.given) {
		r = cv_tally_not_had(&im->tally, &at, &g, e);
	} else if (cv_manifest_parse(&m, cv_buf_span(&g.text), d->media, &why) != 0) {
		r = promised || cv_is_ours(why.reason) ? cv_tally_no(&im->tally, &at, &why, e) : 0;
	} else {
		bundle = m->n > 0 && strcmp(m->layer[0].media, CV_MT_BUNDLE) == 0;
		if (bundle || promised)
			r = judge_manifest(im, w, &at, l, m, e);
	}
	cv_got_free(&g);
	return r;
}

/* ---- the list ---- */

/* Of another kind, and known to be: told, and passed over. */
static int
other_kind(struct cv_image *im, const struct cv_descriptor *d, bool *ret, struct cv_err *e)
{
	struct cv_place at = { .kinds = CV_TALLY_SIGNATURE, .form = CV_SIGNED_SIMPLE };
	char text[CV_DIGEST_TEXT];
	struct cv_err why;

	*ret = d->artifact_type[0] != '\0' && strcmp(d->artifact_type, CV_MT_BUNDLE) != 0 &&
	       strcmp(d->artifact_type, CV_MT_OCI_EMPTY) != 0 &&
	       strcmp(d->artifact_type, CV_MT_OCI_CONFIG) != 0;
	if (!*ret)
		return 0;
	cv_text_fmt(at.where, sizeof(at.where), "referrer %s", cv_digest_text(&d->digest, text));
	if (strcmp(d->artifact_type, MT_OLD_SIGNATURE) != 0)
		return cv_tally_note(&im->tally, &at, e, "a referrer of type %s, not looked at",
				     d->artifact_type);
	cv_fail(&why, CV_R_UNSUPPORTED,
		"a signature in cosign's abandoned experimental form; sign the image again");
	return cv_tally_no(&im->tally, &at, &why, e);
}

static int
judge_list(struct cv_image *im, struct cv_worker *w, const struct cv_link *l,
	   const struct cv_place *at, const struct cv_index *list, struct cv_err *e)
{
	struct cv_err why;
	size_t looked = 0;
	bool other;

	for (size_t i = 0; i < list->n; i++) {
		if (other_kind(im, &list->entry[i], &other, e) != 0)
			return -1;
		if (other)
			continue;
		if (++looked > CV_MAX_REFERRERS) {
			cv_fail(&why, CV_R_LIMIT, "found %zu referrers, and looked at the first %d",
				list->n, CV_MAX_REFERRERS);
			return cv_tally_no(&im->tally, at, &why, e);
		}
		if (judge_referrer(im, w, l, &list->entry[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
look_for(struct cv_image *im, struct cv_worker *w, const struct cv_link *l, struct cv_err *e)
{
	cv_auto(cv_index_free) struct cv_index *list = NULL;
	struct cv_place at = { .kinds = CV_TALLY_SIGNATURE | CV_TALLY_STATEMENT,
			       .form = CV_SIGNED_BUNDLE };
	char text[CV_DIGEST_TEXT];
	struct cv_err why;
	struct cv_got g;
	int r;

	cv_text_fmt(at.where, sizeof(at.where), "referrers of %s",
		    cv_digest_text(&l->digest, text));
	if (cv_need_referrers(w, &l->digest, &im->spent, &g, e) != 0)
		return -1;
	if (!g.given)
		return g.why.reason == CV_R_ABSENT ? 0 : cv_tally_not_had(&im->tally, &at, &g, e);
	if (cv_index_parse(&list, cv_buf_span(&g.text), g.media, &why) != 0)
		r = cv_tally_no(&im->tally, &at, &why, e);
	else
		r = judge_list(im, w, l, &at, list, e);
	cv_got_free(&g);
	return r;
}

int
cv_image_bundles(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	for (size_t i = 0; i < im->n; i++)
		if (look_for(im, w, &im->chain[i], e) != 0)
			return -1;
	return 0;
}
