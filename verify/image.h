/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h: what the parts of image verification share. image.c resolves and has
 * the graph proven; image_layout.c finds names in an OCI layout; image_layers.c
 * looks into the layers.
 */
#ifndef CV_IMAGE_H
#define CV_IMAGE_H

#include "trust/base/oci.h"
#include "verify/engine_vouch.h"

struct cv_image_job {
	struct cv_job *job;
	struct cv_source *src;
	int layout_fd;             /* -1: a registry */
	const struct cv_got *root; /* the document that was resolved */
	const char *platform;      /* wanted */
	size_t manifests, configs; /* NODE facts seen */
	uint64_t given;            /* bytes handed to the trust worker */
	enum cv_reason refused;    /* why the last part could not be given, and the id */
	const char *refused_check; /* of the catalogue that says so */
};

/* ---- image_layout.c ----
 *
 * index.json of a layout is its table of names, as tags are a registry's: it
 * says where to look and proves nothing. What it leads to is proven by digest.
 * The "name" of an entry is its annotation org.opencontainers.image.ref.name. */

/* cv_layout_tag: what a name leads to, by its digest; tag "": the only image. */
void cv_layout_tag(struct cv_source *src, const char *tag, struct cv_got *got);

/* cv_layout_referrers: the manifests of the layout whose subject is this, as an
 * index document; the entry that has the fallback tag as its name is looked at
 * when there are none. */
void cv_layout_referrers(struct cv_source *src, struct cv_store *store,
			 const struct cv_digest *subject, struct cv_got *got);

/* ---- image_layers.c ---- */

/* cv_image_contents: layers, merged tree, configuration: answers image.* and
 * fetch.digest-mismatch. */
void cv_image_contents(struct cv_image_job *im);

#endif
