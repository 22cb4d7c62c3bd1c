/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_oci.c: the images of a bundle as an OCI image layout (image-spec,
 * image-layout.md) that `docker load` understands too.
 *
 * containerd reads index.json, Docker's other store reads manifest.json; a pair
 * that disagrees is two images in one. Both are made here, from the same proven
 * facts, and neither names a tag.
 */
#include "verify/bundle_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "trust/base/enc.h"
#include "trust/base/oci.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

#define BLOB_PATH (sizeof("blobs/sha256/") + 64)

/* blob_path: below oci/. */
static const char *
blob_path(const struct cv_digest *d, char out[BLOB_PATH])
{
	char hex[2 * CV_DIGEST_MAX + 1];

	cv_hex_encode(hex, d->b, cv_alg_size(d->alg));
	(void)snprintf(out, BLOB_PATH, "blobs/sha256/%.64s", hex);
	return out;
}

/* put_blob: a blob of the layout, once: images share layers. */
static int
put_blob(struct cv_bwriter *w, struct cv_blob blob, const struct cv_digest *d, struct cv_err *e)
{
	char in_oci[BLOB_PATH], path[BLOB_PATH + 4];
	size_t i;

	(void)snprintf(path, sizeof(path), "oci/%s", blob_path(d, in_oci));
	for (i = 0; i < w->members->n; i++)
		if (cv_digest_eq(&w->members->v[i].digest, d) &&
		    cv_span_eq_str(cv_span_str(path), w->members->v[i].path))
			return 0;
	return cv_bw_blob(w, path, "oci", blob, d, e);
}

static int
put_layers(struct cv_bwriter *w, const struct cv_request *rq, const struct cv_r_artifact *a,
	   struct cv_err *e)
{
	char text[CV_DIGEST_TEXT];
	size_t i;

	for (i = 0; i < a->nlayers; i++) {
		const struct cv_r_layer *l = &a->layers[i];
		struct cv_blob blob = CV_NO_BLOB;
		int r = cv_store_find(rq->store, &l->digest, l->size, &blob, e);

		if (r == 0)
			return cv_fail(e, CV_R_IO,
				       "%s: layer %s is no longer in the store; verify again",
				       a->name, cv_digest_text(&l->digest, text));
		if (r > 0)
			r = put_blob(w, blob, &l->digest, e);
		cv_closep(&blob.fd);
		if (r != 0)
			return -1;
	}
	return 0;
}

/* ---- the two indexes ---- */

static json_t *
index_entry(const struct cv_r_artifact *a)
{
	struct cv_platform p = { 0 };
	struct cv_err ignored;
	json_t *v, *platform;

	v = json_pack("{s:s,s:o,s:I}", "mediaType", a->media, "digest",
		      cv_json_digest(&a->manifest), "size", (json_int_t)a->manifest_blob.len);
	if (v == NULL || a->platform == NULL ||
	    cv_platform_parse(&p, cv_span_str(a->platform), &ignored) != 0)
		return v;
	platform = json_pack("{s:s,s:s}", "os", p.os, "architecture", p.arch);
	if (platform != NULL && p.variant[0] != '\0' &&
	    json_object_set_new(platform, "variant", json_string(p.variant)) != 0)
		cv_json_drop(&platform);
	if (json_object_set_new(v, "platform", platform) != 0)
		cv_json_drop(&v);
	return v;
}

static json_t *
docker_entry(const struct cv_r_artifact *a)
{
	char path[BLOB_PATH];
	json_t *layers = json_array();
	size_t i;

	for (i = 0; i < a->nlayers; i++)
		if (json_array_append_new(
			    layers, json_string(blob_path(&a->layers[i].digest, path))) != 0) {
			json_decref(layers);
			return NULL;
		}
	return json_pack("{s:s,s:n,s:o}", "Config", blob_path(&a->config, path), "RepoTags",
			 "Layers", layers);
}

static int
put_json(struct cv_bwriter *w, const char *path, const json_t *v, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_MANIFEST);

	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_canonical(&text, v, e) != 0)
		return -1;
	return cv_bw_bytes(w, path, "oci", cv_buf_span(&text), e);
}

static int
put_indexes(struct cv_bwriter *w, const struct cv_result *r, struct cv_err *e)
{
	json_t *manifests = json_array();
	cv_auto(cv_json_drop) json_t *docker = json_array();
	cv_auto(cv_json_drop) json_t *index =
		json_pack("{s:i,s:s,s:o}", "schemaVersion", 2, "mediaType", CV_MT_OCI_INDEX,
			  "manifests", manifests);
	cv_auto(cv_json_drop) json_t *layout = json_pack("{s:s}", "imageLayoutVersion", "1.0.0");
	size_t i;

	if (index == NULL || docker == NULL)
		return cv_fail_memory(e);
	for (i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		if (a->manifest.alg == CV_ALG_NONE)
			continue;
		if (json_array_append_new(manifests, index_entry(a)) != 0 ||
		    json_array_append_new(docker, docker_entry(a)) != 0)
			return cv_fail_memory(e);
	}
	if (put_json(w, "oci/oci-layout", layout, e) != 0 ||
	    put_json(w, "oci/index.json", index, e) != 0)
		return -1;
	return put_json(w, "oci/manifest.json", docker, e);
}

int
cv_bw_oci(struct cv_bwriter *w, const struct cv_request *rq, const struct cv_result *r,
	  struct cv_err *e)
{
	size_t i;

	for (i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		if (a->manifest.alg == CV_ALG_NONE)
			continue;
		if (a->manifest_blob.fd < 0 || a->config_blob.fd < 0 || a->media == NULL)
			return cv_fail(e, CV_R_BUG, "%s: its manifest was not kept", a->name);
		if (put_blob(w, a->manifest_blob, &a->manifest, e) != 0 ||
		    put_blob(w, a->config_blob, &a->config, e) != 0 || put_layers(w, rq, a, e) != 0)
			return -1;
	}
	return put_indexes(w, r, e);
}
