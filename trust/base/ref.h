/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ref.h: names of images (OCI distribution-spec 1.1, "Pulling manifests").
 *
 *     HOST[:PORT]/PATH[:TAG][@DIGEST]       in a registry
 *     oci-layout:DIR[:TAG][@DIGEST]         in an image layout on disk
 *
 * host       a DNS name or IPv4 address, with a dot, a port, or "localhost";
 *            lower case (names are compared as bytes by policy)
 * path       components [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* joined by '/'
 * tag        [A-Za-z0-9_][A-Za-z0-9._-]{0,127}
 * digest     as cv_digest_parse() has it
 *
 * No host is ever assumed: "alpine" and "library/alpine" are refused with the
 * name to write instead. One registry has several names for itself and one
 * short form, which are brought into one logical name so that a rule of policy
 * is met whichever was written: index.docker.io and registry-1.docker.io become
 * docker.io, and docker.io/NAME becomes docker.io/library/NAME.
 *
 * With tag and digest the digest decides; the tag is kept as a remark.
 */
#ifndef CV_BASE_REF_H
#define CV_BASE_REF_H

#include "digest.h"
#include "limits.h"

#define CV_REF_TAG_MAX 128
#define CV_NAME_MAX    255 /* of host and path together, as common clients have it */

/* A repository: the two parts of a logical name. */
struct cv_repo {
	char host[CV_NAME_MAX + 1]; /* with ":port" if one was written */
	char path[CV_NAME_MAX + 1];
};

struct cv_image_ref {
	bool layout;
	struct cv_repo repo;          /* registry form; "" else */
	char dir[CV_MAX_REF + 1];     /* layout form; "" else */
	char tag[CV_REF_TAG_MAX + 1]; /* "" if none */
	struct cv_digest digest;      /* alg 0 if none */
};

/* All parsers: CV_R_MALFORMED with what was found and what was wanted; callers
 * that read their own configuration or command line give it their reason. */
int cv_image_ref_parse(struct cv_image_ref *ret, struct cv_span text, struct cv_err *e) cv_must;

/* cv_repo_parse: HOST[:PORT]/PATH, nothing more; normalised as above. */
int cv_repo_parse(struct cv_repo *ret, struct cv_span text, struct cv_err *e) cv_must;

/* cv_repo_text: "host/path" into out; returns out. */
#define CV_REPO_TEXT (2 * CV_NAME_MAX + 2)
const char *cv_repo_text(const struct cv_repo *r, char out[CV_REPO_TEXT]);

bool cv_tag_valid(struct cv_span text);

/* cv_digest_tag: the tag that stands for a digest where references by digest
 * are not to be had: "sha256-<hex>" with a suffix ("", ".sig", ".att"). Without
 * suffix it is the referrers fallback tag of distribution-spec ("Referrers Tag
 * Schema": algorithm cut to 32 characters, encoded part to 64). Returns out. */
#define CV_DIGEST_TAG (7 + 2 * CV_DIGEST_MAX + 8)
const char *cv_digest_tag(const struct cv_digest *d, const char *suffix, char out[CV_DIGEST_TAG]);

#endif
