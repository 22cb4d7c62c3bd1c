/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c: the OCI graph, edge by edge from the bytes of each parent. Must never
 * state a node that no proven parent lists. */
#include "trust/image.h"

#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *
check_of(enum cv_reason r)
{
	switch (r) {
	case CV_R_AMBIGUOUS:
		return "oci.ambiguous";
	case CV_R_UNSUPPORTED:
		return "oci.unsupported";
	case CV_R_MALFORMED:
	case CV_R_LIMIT:
	case CV_R_RULE:
		return "oci.malformed";
	default: /* digest, absent, unreachable: the child could not be had as named */
		return "oci.edge-mismatch";
	}
}

int
cv_graph_told(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	struct cv_finding f;

	if (cv_is_ours(e->reason))
		return -1;
	f = cv_finding_no(im->check != NULL ? im->check : check_of(e->reason), e->reason);
	cv_finding_found(&f, "%s", e->text);
	cv_finding_where(&f, "%s", im->where);
	f.evidence = im->digest;
	return cv_w_finding(w, &f, e);
}

int
cv_graph_holds(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	static const char *const ids[] = { "oci.ambiguous", "oci.edge-mismatch", "oci.malformed",
					   "oci.platform-missing", "oci.unsupported" };

	for (size_t i = 0; i < CV_COUNT(ids); i++) {
		struct cv_finding f = cv_finding_pass(ids[i]);

		f.evidence = im->digest;
		if (cv_w_finding(w, &f, e) != 0)
			return -1;
	}
	return 0;
}

static struct cv_out *
node(struct cv_worker *w, enum cv_node role, const struct cv_digest *digest, uint64_t size,
     const char *media, size_t pos)
{
	struct cv_out *o = cv_w_fact(w, CV_F_NODE);

	cv_out_u64(o, CV_TAG_ROLE, role);
	cv_out_digest(o, CV_TAG_DIGEST, digest);
	cv_out_u64(o, CV_TAG_SIZE, size);
	cv_out_str(o, CV_TAG_MEDIA, media);
	cv_out_u64(o, CV_TAG_POS, pos);
	return o;
}

static void
look_at(struct cv_image *im, const char *what, const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT];

	cv_text_fmt(im->where, sizeof(im->where), "%s %.80s", what, cv_digest_text(d, text));
	im->check = NULL;
}

/* ---- chain ---- */

/* The first document: its digest is what verify resolved. */
static int
read_root(struct cv_image *im, struct cv_link *l, struct cv_err *e)
{
	struct cv_digest found;

	l->digest = im->digest;
	if (im->root.len > CV_MAX_MANIFEST)
		return cv_fail(e, CV_R_LIMIT, "found %llu bytes, want at most %llu",
			       (unsigned long long)im->root.len, CV_MAX_MANIFEST);
	l->text = CV_BUF((size_t)im->root.len);
	if (cv_buf_pread(&l->text, im->root.fd, im->root.off, im->root.len, "the manifest", e) !=
		    0 ||
	    cv_digest_of(&found, im->digest.alg, cv_buf_span(&l->text), e) != 0)
		return -1;
	if (!cv_digest_eq(&found, &im->digest))
		return cv_fail(e, CV_R_DIGEST, "found bytes of another digest than was asked for");
	return 0;
}

/* A document that an index names, by the index's own words and the server's. */
static int
read_child(struct cv_image *im, struct cv_worker *w, struct cv_link *l,
	   const struct cv_descriptor *d, struct cv_err *e)
{
	char media[CV_MEDIA_MAX + 1];
	enum cv_oci_kind kind;
	struct cv_got g;

	l->digest = d->digest;
	look_at(im, "manifest", &d->digest);
	if (cv_oci_kind_of(d->media) == CV_OCI_OTHER)
		return cv_fail(e, CV_R_UNSUPPORTED, "the index names it as %s, want an image",
			       d->media);
	if (cv_need_node(
		    w, cv_oci_kind_of(d->media) == CV_OCI_INDEX ? CV_NODE_INDEX : CV_NODE_MANIFEST,
		    d, CV_MAX_MANIFEST, &im->spent, &g, e) != 0)
		return -1;
	l->text = g.text;
	if (!g.given) {
		im->check = "oci.edge-mismatch";
		return cv_fail(e, g.why.reason, "%s", g.why.text);
	}
	return cv_oci_detect(&kind, media, cv_buf_span(&l->text), g.media, e);
}

/* An index: choose the entry for the platform. The descriptor is a copy. */
static int
choose(struct cv_image *im, struct cv_link *l, const char *served, struct cv_descriptor *next,
       struct cv_err *e)
{
	cv_auto(cv_index_free) struct cv_index *index = NULL;
	const struct cv_descriptor *d;

	if (cv_index_parse(&index, cv_buf_span(&l->text), served, e) != 0)
		return -1;
	cv_text_fmt(l->media, sizeof(l->media), "%s", index->media);
	if (cv_index_select(index, &im->platform, &d, e) != 0) {
		if (e->reason == CV_R_ABSENT)
			im->check = "oci.platform-missing";
		return -1;
	}
	*next = *d;
	next->signature = NULL;
	im->entry_said = d->has_platform;
	im->entry = d->platform;
	return 0;
}

static int
state(struct cv_image *im, struct cv_worker *w, struct cv_link *l, enum cv_node role,
      struct cv_err *e)
{
	l->role = role;
	im->n++;
	if (role == CV_NODE_MANIFEST) /* stated with its platform, by the config */
		return 0;
	node(w, role, &l->digest, l->text.n, l->media, im->n - 1);
	return cv_w_send(w, e);
}

int
cv_graph_chain(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	char media[CV_MEDIA_MAX + 1];
	const char *served = im->media;
	struct cv_descriptor d = { .size = 0 };
	enum cv_oci_kind kind;

	look_at(im, "document", &im->digest);
	for (size_t depth = 0;; depth++) {
		struct cv_link *l = &im->chain[depth];

		if (depth == CV_COUNT(im->chain))
			return cv_fail(e, CV_R_LIMIT, "found more than %d indexes, one in another",
				       CV_MAX_INDEX_DEPTH);
		if ((depth == 0 ? read_root(im, l, e) : read_child(im, w, l, &d, e)) != 0 ||
		    cv_oci_detect(&kind, media, cv_buf_span(&l->text), served, e) != 0)
			return -1;
		if (kind == CV_OCI_MANIFEST) {
			if (cv_manifest_parse(&im->manifest, cv_buf_span(&l->text), served, e) != 0)
				return -1;
			cv_text_fmt(l->media, sizeof(l->media), "%s", im->manifest->media);
			return state(im, w, l, CV_NODE_MANIFEST, e);
		}
		if (choose(im, l, served, &d, e) != 0 || state(im, w, l, CV_NODE_INDEX, e) != 0)
			return -1;
		served = d.media;
	}
}

/* ---- config and layers ---- */

static int
read_config(struct cv_image *im, struct cv_worker *w, struct cv_image_config **ret,
	    struct cv_err *e)
{
	const struct cv_descriptor *d = &im->manifest->config;
	char brief[CV_TEXT_BRIEF];
	struct cv_got g;
	int r;

	look_at(im, "config", &d->digest);
	if (strcmp(d->media, CV_MT_OCI_CONFIG) != 0 && strcmp(d->media, CV_MT_DOCKER_CONFIG) != 0)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "found a config of type %s: this is no image that a runtime starts",
			       cv_text_brief(brief, cv_span_str(d->media)));
	if (cv_need_node(w, CV_NODE_CONFIG, d, CV_MAX_CONFIG, &im->spent, &g, e) != 0)
		return -1;
	if (!g.given) {
		im->check = "oci.edge-mismatch";
		return cv_fail(e, g.why.reason, "%s", g.why.text);
	}
	r = cv_image_config_parse(ret, cv_buf_span(&g.text), e);
	cv_got_free(&g);
	return r;
}

/* The config decides what the image runs on; what an index said of it agrees. */
static int
check_platform(struct cv_image *im, const struct cv_platform *has, struct cv_err *e)
{
	char found[CV_PLATFORM_TEXT], want[CV_PLATFORM_TEXT];

	if (im->entry_said && !cv_platform_agree(&im->entry, has))
		return cv_fail(
			e, CV_R_AMBIGUOUS,
			"found the platform %s in the config, and %s in the index that names "
			"it",
			cv_platform_text(has, found), cv_platform_text(&im->entry, want));
	if (cv_platform_serves(&im->platform, has) != 0)
		return 0;
	im->check = "oci.platform-missing";
	return cv_fail(e, CV_R_ABSENT, "found an image for %s, want %s",
		       cv_platform_text(has, found), cv_platform_text(&im->platform, want));
}

static int
check_layers(struct cv_image *im, const struct cv_image_config *c, struct cv_err *e)
{
	const struct cv_manifest *m = im->manifest;

	if (c->n != m->n)
		return cv_fail(e, CV_R_MALFORMED,
			       "found %zu diff_ids for the manifest's %zu layers, want one each",
			       c->n, m->n);
	for (size_t i = 0; i < m->n; i++) {
		look_at(im, "layer", &m->layer[i].digest);
		if (cv_layer_media(m->layer[i].media, e) != 0)
			return -1;
		if (m->layer[i].size > CV_MAX_LAYER_BYTES)
			return cv_fail(e, CV_R_LIMIT, "found %llu bytes, want at most %llu",
				       (unsigned long long)m->layer[i].size, CV_MAX_LAYER_BYTES);
	}
	return 0;
}

int
cv_graph_config(struct cv_image *im, struct cv_worker *w, struct cv_err *e)
{
	cv_auto(cv_image_config_free) struct cv_image_config *c = NULL;
	const struct cv_manifest *m = im->manifest;
	const struct cv_link *l = &im->chain[im->n - 1];
	char text[CV_PLATFORM_TEXT];
	struct cv_out *o;

	if (read_config(im, w, &c, e) != 0 || check_platform(im, &c->platform, e) != 0 ||
	    check_layers(im, c, e) != 0)
		return -1;
	o = node(w, CV_NODE_MANIFEST, &l->digest, l->text.n, l->media, im->n - 1);
	cv_out_str(o, CV_TAG_PLATFORM, cv_platform_text(&c->platform, text));
	if (cv_w_send(w, e) != 0)
		return -1;
	node(w, CV_NODE_CONFIG, &m->config.digest, m->config.size, m->config.media, 0);
	if (cv_w_send(w, e) != 0)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		o = node(w, CV_NODE_LAYER, &m->layer[i].digest, m->layer[i].size, m->layer[i].media,
			 i);
		cv_out_digest(o, CV_TAG_DIFFID, &c->diff_id[i]);
		if (cv_w_send(w, e) != 0)
			return -1;
	}
	return 0;
}
