/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h: what the files of CV_T_IMAGE share, and nobody else.
 *
 * The order is security: graph.c proves the edges from the document that was
 * asked for to the platform's manifest; then evidence about the digests of that
 * chain is judged (referrers.c, legacy.c); only then the config is read.
 */
#ifndef CV_TRUST_IMAGE_H
#define CV_TRUST_IMAGE_H

#include "trust/need.h"
#include "trust/tally.h"
#include "trust/wanted.h"

/* One document from the root to the manifest: each is a possible subject. */
struct cv_link {
	enum cv_node role;
	struct cv_digest digest;
	char media[CV_MEDIA_MAX + 1];
	struct cv_buf text;
};

struct cv_image {
	/* as given */
	struct cv_keyring ring;
	struct cv_blob root;
	struct cv_digest digest;
	char media[CV_MEDIA_MAX + 1]; /* as served */
	char name[2 * 256];
	struct cv_platform platform;
	unsigned flags;          /* CV_IMG_* */
	struct cv_wanted wanted; /* of a signature: no attestation is one */

	/* as proven */
	struct cv_link chain[CV_MAX_INDEX_DEPTH + 1];
	size_t n;
	struct cv_manifest *manifest;
	bool entry_said; /* the index said a platform of the manifest: */
	struct cv_platform entry;

	struct cv_tally tally;
	uint64_t spent;    /* bytes asked for (need.h) */
	const char *check; /* graph: the id for the next refusal, NULL by its reason */
	char where[128];   /* graph: the document that is looked at */
};

/* Both: 0 proven, -1 with e: refused, or trouble of ours (cv_is_ours). */
int cv_graph_chain(struct cv_image *im, struct cv_worker *w, struct cv_err *e) cv_must;
int cv_graph_config(struct cv_image *im, struct cv_worker *w, struct cv_err *e) cv_must;

/* cv_graph_told: state the refusal *e as a finding; -1 with *e as it is if it was
 * trouble of ours. cv_graph_holds: state that the whole graph was proven. */
int cv_graph_told(struct cv_image *im, struct cv_worker *w, struct cv_err *e) cv_must;
int cv_graph_holds(struct cv_image *im, struct cv_worker *w, struct cv_err *e) cv_must;

/* Evidence about the chain, into the tally. */
int cv_image_bundles(struct cv_image *im, struct cv_worker *w, struct cv_err *e) cv_must;
int cv_image_legacy(struct cv_image *im, struct cv_worker *w, struct cv_err *e) cv_must;

/* cv_image_statement: tally a proven envelope as a statement about the chain; takes
 * *p. Not about it: CV_R_DIGEST, counted as such. */
int cv_image_statement(struct cv_image *im, const struct cv_place *at, struct cv_proven **p,
		       struct cv_err *e) cv_must;

#endif
