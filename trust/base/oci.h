/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci.h: strict readers of the documents of an image (OCI image-spec 1.1:
 * descriptor.md, image-index.md, manifest.md, config.md; Docker's "Image
 * Manifest Version 2, Schema 2" where it is the same under other names).
 *
 * They read bytes whose digest the caller has checked, and say what the bytes
 * say. What two readers could understand differently is refused:
 *   - a document with the members of two kinds (CVE-2021-41190): a manifest has
 *     config and layers, an index has manifests, none has fsLayers or history;
 *   - mediaType in the document, the type it was served as and the type of the
 *     descriptor that named it do not agree (absent in the document is legal);
 *   - a known member in another writing (jread.h), or twice;
 *   - two entries of an index that match the platform with different digests.
 * Schema 1 and encrypted layers are CV_R_UNSUPPORTED. `urls` are never
 * followed: a foreign layer is fetched by digest from the same source or not
 * at all. Annotations are what whoever wrote the document says, nothing more.
 */
#ifndef CV_OCI_H
#define CV_OCI_H

#include "digest.h"
#include "limits.h"

#define CV_MT_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define CV_MT_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define CV_MT_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define CV_MT_OCI_EMPTY       "application/vnd.oci.empty.v1+json"
#define CV_MT_OCI_LAYER       "application/vnd.oci.image.layer.v1.tar"
#define CV_MT_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define CV_MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define CV_MT_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define CV_MT_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar"

#define CV_MEDIA_MAX 255 /* bytes of a media type (RFC 6838 4.2: 127 + 1 + 127) */

enum cv_oci_kind { CV_OCI_OTHER, CV_OCI_INDEX, CV_OCI_MANIFEST };

/* cv_oci_kind_of: of a media type without parameters; "" and all unknown ones
 * are CV_OCI_OTHER. */
enum cv_oci_kind cv_oci_kind_of(const char *media);

/* ---- platforms ---- */

struct cv_platform {
	char os[64];
	char arch[64];
	char variant[64];  /* "" if none */
	bool variant_said; /* it was written, not filled in */
};
#define CV_PLATFORM_TEXT (3 * 64 + 3)

/* cv_platform_parse: "os/arch" or "os/arch/variant", [a-z0-9._-] each. The names
 * of containerd's and Docker's normalisation are brought into one form:
 * arm64/v8 is arm64; arm is arm/v7; x86_64, x86-64 are amd64; aarch64 is arm64;
 * amd64/v1 is amd64; macos is darwin. */
int cv_platform_parse(struct cv_platform *ret, struct cv_span text, struct cv_err *e) cv_must;
const char *cv_platform_text(const struct cv_platform *p, char out[CV_PLATFORM_TEXT]);

/* cv_platform_serves: how well an image for `have` runs on `want`: 0 not at
 * all, else the higher the nearer. 32-bit arm: v8 takes v8, v7, v6, v5; amd64:
 * vN takes vN down to v1. Everything else has to be equal. */
unsigned cv_platform_serves(const struct cv_platform *want, const struct cv_platform *have);

/* cv_platform_agree: two statements about one image: os and architecture are
 * equal; variants too, where both say one (many configs do not). */
bool cv_platform_agree(const struct cv_platform *a, const struct cv_platform *b);

/* ---- descriptors ---- */

struct cv_descriptor {
	struct cv_digest digest;
	uint64_t size; /* 0 to 2^63 - 1 */
	char media[CV_MEDIA_MAX + 1];
	char artifact_type[CV_MEDIA_MAX + 1]; /* "" if none */
	bool has_platform;
	bool unknown_platform; /* "unknown/unknown": BuildKit's attestations */
	bool attestation;      /* annotation vnd.docker.reference.type */
	struct cv_platform platform;
	char *signature;   /* annotation dev.cosignproject.cosign/signature, or NULL */
	char *certificate; /* the same of dev.sigstore.cosign/certificate, not empty */
	char *log_entry;   /* .../bundle */
	char *timestamp;   /* .../rfc3161timestamp */
};

/* ---- documents ---- */

struct cv_index {
	char media[CV_MEDIA_MAX + 1];
	struct cv_descriptor *entry;
	size_t n;
};

struct cv_manifest {
	char media[CV_MEDIA_MAX + 1];
	char artifact_type[CV_MEDIA_MAX + 1];
	struct cv_descriptor config;
	struct cv_descriptor *layer;
	size_t n;
	bool has_subject;
	struct cv_descriptor subject;
};

struct cv_image_config {
	struct cv_platform platform;
	struct cv_digest *diff_id;
	size_t n;
};

/* cv_oci_detect: what kind of document this is, by its own mediaType, the media
 * type it was `served` as ("" unknown; parameters are cut off) and its members,
 * which all have to agree. media receives the agreed type. CV_R_UNSUPPORTED for
 * a kind that is not one of ours, CV_R_AMBIGUOUS when they disagree. */
int cv_oci_detect(enum cv_oci_kind *ret, char media[CV_MEDIA_MAX + 1], struct cv_span text,
		  const char *served, struct cv_err *e) cv_must;

/* Readers. `served` as above. An index may have no entries (referrers). */
int cv_index_parse(struct cv_index **ret, struct cv_span text, const char *served,
		   struct cv_err *e) cv_must;
void cv_index_free(struct cv_index **i);

int cv_manifest_parse(struct cv_manifest **ret, struct cv_span text, const char *served,
		      struct cv_err *e) cv_must;
void cv_manifest_free(struct cv_manifest **m);

/* cv_image_config_parse: os, architecture, rootfs.diff_ids of an image (not of
 * an artifact's config). */
int cv_image_config_parse(struct cv_image_config **ret, struct cv_span text,
			  struct cv_err *e) cv_must;
void cv_image_config_free(struct cv_image_config **c);

/* cv_index_select: the entry for a platform: the nearest of those that serve
 * it. BuildKit attestation entries are passed over. CV_R_ABSENT with the list
 * of what there is; CV_R_AMBIGUOUS for two equally near ones with different
 * digests. An entry without a platform is taken if it is the only one. */
int cv_index_select(const struct cv_index *i, const struct cv_platform *want,
		    const struct cv_descriptor **ret, struct cv_err *e) cv_must;

/* cv_layer_media: 0 if a runtime unpacks layers of this type (tar, +gzip, +zstd,
 * Docker's, the non-distributable ones); CV_R_UNSUPPORTED, saying why. */
int cv_layer_media(const char *media, struct cv_err *e) cv_must;

#endif
