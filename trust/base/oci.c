/* SPDX-License-Identifier: Apache-2.0 */
/* oci.c: see oci.h. Must never choose between two readings of a document, nor
 * fill in what a document leaves out. */
#include "trust/base/oci.h"
#include "trust/base/oci_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const top_keys[] = { "schemaVersion",
					"mediaType",
					"artifactType",
					"config",
					"layers",
					"subject",
					"annotations",
					"manifests",
					"fsLayers",
					"history",
					"signatures",
					"blobs",
					NULL };
static const char *const config_keys[] = { "os",     "architecture", "variant", "rootfs",
					   "config", "history",      NULL };
static const char *const rootfs_keys[] = { "type", "diff_ids", NULL };

enum cv_oci_kind
cv_oci_kind_of(const char *media)
{
	if (strcmp(media, CV_MT_OCI_INDEX) == 0 || strcmp(media, CV_MT_DOCKER_LIST) == 0)
		return CV_OCI_INDEX;
	if (strcmp(media, CV_MT_OCI_MANIFEST) == 0 || strcmp(media, CV_MT_DOCKER_MANIFEST) == 0)
		return CV_OCI_MANIFEST;
	return CV_OCI_OTHER;
}

/* What a server says of a JSON document when it does not know better. */
static bool
says_nothing(struct cv_span media)
{
	return media.n == 0 || cv_span_eq_str(media, "application/json") ||
	       cv_span_eq_str(media, "application/octet-stream") ||
	       cv_span_eq_str(media, "text/plain");
}

/* A media type as served, without its parameters. */
static struct cv_span
without_parameters(const char *served)
{
	struct cv_span s = cv_span_str(served);
	size_t n = 0;

	while (n < s.n && s.p[n] != ';' && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	return cv_span(s.p, n);
}

static int
structure(enum cv_oci_kind *ret, struct cv_jv root, struct cv_err *e)
{
	bool index = cv_jv_has(root, "manifests");
	bool manifest = cv_jv_has(root, "config") || cv_jv_has(root, "layers");
	bool old = cv_jv_has(root, "fsLayers") || cv_jv_has(root, "history") ||
		   cv_jv_has(root, "signatures");
	bool artifact = cv_jv_has(root, "blobs");
	int kinds = index + manifest + old + artifact;

	if (kinds > 1)
		return cv_jv_fail(
			root, e, CV_R_AMBIGUOUS,
			"found the members of more than one kind of document (manifests%s%s%s), "
			"want those of one",
			manifest ? ", config or layers" : "", old ? ", schema 1" : "",
			artifact ? ", blobs" : "");
	if (old || artifact)
		return cv_jv_fail(
			root, e, CV_R_UNSUPPORTED,
			old ? "found a schema 1 manifest, which is not supported; push the "
			      "image again with a current tool"
			    : "found an artifact manifest of an OCI draft, want an image "
			      "manifest");
	if (kinds == 0)
		return cv_jv_fail(
			root, e, CV_R_MALFORMED,
			"found neither \"manifests\" nor \"config\" and \"layers\", want an "
			"image index or an image manifest");
	*ret = index ? CV_OCI_INDEX : CV_OCI_MANIFEST;
	return 0;
}

/* The type that the document and its server agree on. */
static int
agreed(char media[CV_MEDIA_MAX + 1], struct cv_jv root, const char *served, struct cv_err *e)
{
	struct cv_span outer = without_parameters(served);
	char brief[CV_TEXT_BRIEF];
	struct cv_jv v = cv_jv_get(root, "mediaType");

	media[0] = '\0';
	if (!v.absent && cv_oci_media(media, v, e) != 0)
		return -1;
	if (says_nothing(outer))
		return 0;
	if (media[0] != '\0' && !cv_span_eq_str(outer, media))
		return cv_jv_fail(
			v, e, CV_R_AMBIGUOUS,
			"found the mediaType %s in a document that was named or served as "
			"%s, want them equal",
			media, cv_text_brief(brief, outer));
	if (outer.n > CV_MEDIA_MAX)
		return cv_jv_fail(root, e, CV_R_MALFORMED, "served with a media type of %zu bytes",
				  outer.n);
	memcpy(media, outer.p, outer.n);
	media[outer.n] = '\0';
	return 0;
}

static int
detect(enum cv_oci_kind *ret, char media[CV_MEDIA_MAX + 1], struct cv_jv root, const char *served,
       struct cv_err *e)
{
	enum cv_oci_kind kind = CV_OCI_OTHER, named;
	char brief[CV_TEXT_BRIEF];
	uint64_t version;

	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jread_known(root, top_keys, e) != 0 ||
	    structure(&kind, root, e) != 0 || agreed(media, root, served, e) != 0)
		return -1;
	if (cv_jv_u64(cv_jv_get(root, "schemaVersion"), INT64_MAX, &version, e) != 0)
		return -1;
	if (version != 2)
		return cv_jv_fail(cv_jv_get(root, "schemaVersion"), e, CV_R_UNSUPPORTED,
				  "found schemaVersion %llu, want 2", (unsigned long long)version);
	if (media[0] == '\0')
		cv_text_fmt(media, CV_MEDIA_MAX + 1, "%s",
			    kind == CV_OCI_INDEX ? CV_MT_OCI_INDEX : CV_MT_OCI_MANIFEST);
	named = cv_oci_kind_of(media);
	if (named == CV_OCI_OTHER)
		return cv_jv_fail(root, e, CV_R_UNSUPPORTED,
				  "found a document of type %s, want an image index or manifest",
				  cv_text_brief(brief, cv_span_str(media)));
	if (named != kind)
		return cv_jv_fail(root, e, CV_R_AMBIGUOUS,
				  "found the members of an %s in a document of type %s",
				  kind == CV_OCI_INDEX ? "index" : "image manifest", media);
	*ret = kind;
	return 0;
}

int
cv_oci_detect(enum cv_oci_kind *ret, char media[CV_MEDIA_MAX + 1], struct cv_span text,
	      const char *served, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;

	if (cv_json_parse(&doc, "manifest", text, 0, e) != 0)
		return -1;
	return detect(ret, media, cv_json_root(doc), served, e);
}

/* Parse, and be sure that it is of the kind that the caller reads. */
static int
open_kind(struct cv_jdoc **ret, char media[CV_MEDIA_MAX + 1], const char *name,
	  enum cv_oci_kind want, struct cv_span text, const char *served, struct cv_err *e)
{
	enum cv_oci_kind kind;

	if (cv_json_parse(ret, name, text, 0, e) != 0 ||
	    detect(&kind, media, cv_json_root(*ret), served, e) != 0)
		return -1;
	if (kind != want)
		return cv_jv_fail(cv_json_root(*ret), e, CV_R_MALFORMED,
				  "found a document of type %s, want an image %s", media,
				  want == CV_OCI_INDEX ? "index" : "manifest");
	return 0;
}

static int
read_list(struct cv_descriptor **ret, size_t *n, struct cv_jv list, size_t max, struct cv_err *e)
{
	size_t want = cv_jv_len(list);

	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (want > max)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu entries, want at most %zu", want,
				  max);
	*ret = calloc(want == 0 ? 1 : want, sizeof(**ret));
	if (*ret == NULL)
		return cv_fail_memory(e);
	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v))
		if (cv_oci_descriptor(&(*ret)[(*n)++], v, e) != 0)
			return -1;
	return 0;
}

static void
free_annotations(struct cv_descriptor *d)
{
	free(d->signature);
	free(d->certificate);
	free(d->log_entry);
	free(d->timestamp);
}

static void
free_list(struct cv_descriptor *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_annotations(&list[i]);
	free(list);
}

/* ---- index ---- */

void
cv_index_free(struct cv_index **i)
{
	if (*i == NULL)
		return;
	free_list((*i)->entry, (*i)->n);
	free(*i);
	*i = NULL;
}

int
cv_index_parse(struct cv_index **ret, struct cv_span text, const char *served, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_index_free) struct cv_index *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return cv_fail_memory(e);
	if (open_kind(&doc, i->media, "index", CV_OCI_INDEX, text, served, e) != 0 ||
	    read_list(&i->entry, &i->n, cv_jv_get(cv_json_root(doc), "manifests"),
		      CV_MAX_INDEX_ENTRIES, e) != 0)
		return -1;
	*ret = cv_steal(i);
	return 0;
}

/* "linux/amd64, linux/arm64" for a message. */
static const char *
offered(const struct cv_index *i, char *out, size_t size)
{
	struct cv_buf b = CV_BUF(size - 1);
	char text[CV_PLATFORM_TEXT];

	for (size_t k = 0; k < i->n; k++)
		if (i->entry[k].has_platform && !i->entry[k].unknown_platform)
			cv_buf_fmt(&b, "%s%s", b.n == 0 ? "" : ", ",
				   cv_platform_text(&i->entry[k].platform, text));
	cv_text_fmt(out, size, "%s", b.n == 0 ? "none" : cv_buf_text(&b));
	cv_buf_free(&b);
	return out;
}

int
cv_index_select(const struct cv_index *i, const struct cv_platform *want,
		const struct cv_descriptor **ret, struct cv_err *e)
{
	const struct cv_descriptor *best = NULL, *rival = NULL, *bare = NULL;
	char text[CV_PLATFORM_TEXT], list[512];
	unsigned near = 0;
	size_t candidates = 0;

	for (size_t k = 0; k < i->n; k++) {
		const struct cv_descriptor *d = &i->entry[k];
		unsigned serves;

		if (d->attestation || d->unknown_platform)
			continue;
		candidates++;
		if (!d->has_platform)
			bare = d;
		serves = d->has_platform ? cv_platform_serves(want, &d->platform) : 0;
		if (serves > near) {
			near = serves;
			best = d;
			rival = NULL;
		} else if (serves != 0 && serves == near &&
			   !cv_digest_eq(&best->digest, &d->digest)) {
			rival = d;
		}
	}
	if (best == NULL && bare != NULL && candidates == 1)
		best = bare;
	if (best == NULL)
		return cv_fail(e, CV_R_ABSENT, "found %s, want %s", offered(i, list, sizeof(list)),
			       cv_platform_text(want, text));
	if (rival != NULL)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "found two different manifests for %s, want one: runtimes differ in "
			       "which they take",
			       cv_platform_text(want, text));
	*ret = best;
	return 0;
}

/* ---- manifest ---- */

void
cv_manifest_free(struct cv_manifest **m)
{
	if (*m == NULL)
		return;
	free_list((*m)->layer, (*m)->n);
	free_annotations(&(*m)->config);
	free_annotations(&(*m)->subject);
	free(*m);
	*m = NULL;
}

static int
read_manifest(struct cv_manifest *m, struct cv_jv root, struct cv_err *e)
{
	struct cv_jv type = cv_jv_get(root, "artifactType"), subject = cv_jv_get(root, "subject");

	if (!type.absent && cv_jv_type(type) != CV_J_NULL &&
	    cv_oci_media_or_empty(m->artifact_type, type, e) != 0)
		return -1;
	if (cv_oci_descriptor(&m->config, cv_jv_get(root, "config"), e) != 0 ||
	    read_list(&m->layer, &m->n, cv_jv_get(root, "layers"), CV_MAX_LAYERS, e) != 0)
		return -1;
	m->has_subject = !subject.absent && cv_jv_type(subject) != CV_J_NULL;
	return m->has_subject ? cv_oci_descriptor(&m->subject, subject, e) : 0;
}

int
cv_manifest_parse(struct cv_manifest **ret, struct cv_span text, const char *served,
		  struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_manifest_free) struct cv_manifest *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return cv_fail_memory(e);
	if (open_kind(&doc, m->media, "manifest", CV_OCI_MANIFEST, text, served, e) != 0 ||
	    read_manifest(m, cv_json_root(doc), e) != 0)
		return -1;
	*ret = cv_steal(m);
	return 0;
}

/* ---- config ---- */

void
cv_image_config_free(struct cv_image_config **c)
{
	if (*c == NULL)
		return;
	free((*c)->diff_id);
	free(*c);
	*c = NULL;
}

static int
read_diff_ids(struct cv_image_config *c, struct cv_jv rootfs, struct cv_err *e)
{
	struct cv_jv list = cv_jv_get(rootfs, "diff_ids");
	size_t n = cv_jv_len(list);
	const char *text;

	if (cv_jv_want(rootfs, CV_J_OBJECT, e) != 0 ||
	    cv_jread_known(rootfs, rootfs_keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(rootfs, "type"), &text, e) != 0)
		return -1;
	if (strcmp(text, "layers") != 0)
		return cv_jv_fail(cv_jv_get(rootfs, "type"), e, CV_R_UNSUPPORTED,
				  "found a root file system of another type, want \"layers\"");
	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (n > CV_MAX_LAYERS)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu diff_ids, want at most %d", n,
				  CV_MAX_LAYERS);
	c->diff_id = calloc(n == 0 ? 1 : n, sizeof(*c->diff_id));
	if (c->diff_id == NULL)
		return cv_fail_memory(e);
	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v)) {
		if (cv_jv_str(v, &text, e) != 0 ||
		    cv_digest_parse(&c->diff_id[c->n++], cv_span_str(text), e) != 0)
			return cv_fail_within(e, "rootfs.diff_ids");
	}
	return 0;
}

int
cv_image_config_parse(struct cv_image_config **ret, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_image_config_free) struct cv_image_config *c = calloc(1, sizeof(*c));
	struct cv_jv root;

	if (c == NULL)
		return cv_fail_memory(e);
	/* history and labels are free text; numbers there are nobody's business */
	if (cv_json_parse(&doc, "config", text, CV_JSON_REALS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jread_known(root, config_keys, e) != 0 ||
	    cv_oci_platform(&c->platform, root, e) != 0 ||
	    read_diff_ids(c, cv_jv_get(root, "rootfs"), e) != 0)
		return -1;
	*ret = cv_steal(c);
	return 0;
}

/* ---- layers ---- */

int
cv_layer_media(const char *media, struct cv_err *e)
{
	static const char *const good[] = {
		CV_MT_OCI_LAYER,
		CV_MT_OCI_LAYER "+gzip",
		CV_MT_OCI_LAYER "+zstd",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		CV_MT_DOCKER_LAYER,
		CV_MT_DOCKER_LAYER ".gzip",
		CV_MT_DOCKER_LAYER ".zstd",
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	};
	char brief[CV_TEXT_BRIEF];

	for (size_t i = 0; i < CV_COUNT(good); i++)
		if (strcmp(media, good[i]) == 0)
			return 0;
	return cv_fail(e, CV_R_UNSUPPORTED, "found a layer of type %s, %s",
		       cv_text_brief(brief, cv_span_str(media)),
		       cv_span_has_suffix(cv_span_str(media), "+encrypted")
			       ? "which cannot be looked into while it is encrypted"
			       : "want a tar, plain or compressed with gzip or zstd");
}
