/* SPDX-License-Identifier: Apache-2.0 */
/* oci_descriptor.c: descriptors (OCI image-spec 1.1, descriptor.md). Must never
 * take a digest or size that is not written as the specification has it. */
#include "trust/base/oci_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const keys[] = { "mediaType", "digest",       "size",        "urls", "data",
				    "platform",  "artifactType", "annotations", NULL };
static const char *const platform_keys[] = { "os", "architecture", "variant", NULL };

int
cv_oci_media_or_empty(char out[CV_MEDIA_MAX + 1], struct cv_jv v, struct cv_err *e)
{
	const char *text;
	size_t n;

	if (cv_jv_text(v, &text, e) != 0)
		return -1;
	n = strlen(text);
	if (n > CV_MEDIA_MAX)
		return cv_jv_fail(v, e, CV_R_LIMIT,
				  "found a media type of %zu bytes, want at most %d", n,
				  CV_MEDIA_MAX);
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == ';')
			return cv_jv_fail(v, e, CV_R_MALFORMED,
					  "found a media type with a space, parameter or strange "
					  "character, want TYPE/SUBTYPE");
	memcpy(out, text, n + 1);
	return 0;
}

int
cv_oci_media(char out[CV_MEDIA_MAX + 1], struct cv_jv v, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0 || cv_oci_media_or_empty(out, v, e) != 0)
		return -1;
	if (strchr(out, '/') == NULL || strchr(out, '/') != strrchr(out, '/'))
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found \"%s\", want TYPE/SUBTYPE", out);
	return 0;
}

int
cv_oci_platform(struct cv_platform *ret, struct cv_jv v, struct cv_err *e)
{
	const char *os, *arch, *variant;
	char text[3 * 256];

	if (cv_jread_known(v, platform_keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "os"), &os, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "architecture"), &arch, e) != 0 ||
	    cv_jread_opt(v, "variant", &variant, e) != 0)
		return -1;
	/* a '/' inside one of the three would shift the others */
	if (strchr(os, '/') != NULL || strchr(arch, '/') != NULL || strchr(variant, '/') != NULL)
		return cv_jv_fail(v, e, CV_R_MALFORMED,
				  "found a '/' in os, architecture or variant");
	cv_text_fmt(text, sizeof(text), "%s/%s%s%s", os, arch, variant[0] == '\0' ? "" : "/",
		    variant);
	if (cv_platform_parse(ret, cv_span_str(text), e) != 0)
		return cv_fail_within(e, "%s:%u", cv_json_name(v.doc), cv_jv_pos(v).line);
	return 0;
}

static int
read_platform(struct cv_descriptor *d, struct cv_jv v, struct cv_err *e)
{
	if (v.absent || cv_jv_type(v) == CV_J_NULL)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_oci_platform(&d->platform, v, e) != 0)
		return -1;
	d->has_platform = true;
	d->unknown_platform = strcmp(d->platform.os, "unknown") == 0;
	return 0;
}

/* Annotations are free keys with string values; a few of them mean something to a
 * reader of signatures. An empty one says nothing; a key comes once (json.h). */
static int
read_annotations(struct cv_descriptor *d, struct cv_jv v, struct cv_err *e)
{
	const struct {
		const char *key;
		char **to;
	} kept[] = { { "dev.cosignproject.cosign/signature", &d->signature },
		     { "dev.sigstore.cosign/certificate", &d->certificate },
		     { "dev.sigstore.cosign/bundle", &d->log_entry },
		     { "dev.sigstore.cosign/rfc3161timestamp", &d->timestamp } };
	const char *text;

	if (v.absent || cv_jv_type(v) == CV_J_NULL)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	for (struct cv_jv m = cv_jv_first(v); !m.absent; m = cv_jv_next(m)) {
		if (cv_jv_text(m, &text, e) != 0)
			return -1;
		if (strcmp(cv_jv_key(m), "vnd.docker.reference.type") == 0)
			d->attestation = true;
		for (size_t i = 0; i < CV_COUNT(kept); i++) {
			if (strcmp(cv_jv_key(m), kept[i].key) != 0 || (i > 0 && *text == '\0'))
				continue;
			*kept[i].to = strdup(text);
			if (*kept[i].to == NULL)
				return cv_fail_memory(e);
		}
	}
	return 0;
}

/* descriptor.md: data is the base64 of content that has size and digest. */
static int
check_data(const struct cv_descriptor *d, struct cv_jv v, struct cv_err *e)
{
	struct cv_buf data = CV_BUF(CV_MAX_MANIFEST);
	struct cv_digest digest;
	const char *text;
	int r;

	if (v.absent || cv_jv_type(v) == CV_J_NULL)
		return 0;
	if (cv_jv_text(v, &text, e) != 0)
		return -1;
	r = cv_base64_decode(&data, cv_span_str(text), e);
	if (r == 0)
		r = cv_digest_of(&digest, d->digest.alg, cv_buf_span(&data), e);
	if (r == 0 && (data.n != d->size || !cv_digest_eq(&digest, &d->digest)))
		r = cv_jv_fail(v, e, CV_R_DIGEST,
			       "found embedded data that has not the descriptor's size and digest");
	cv_buf_free(&data);
	return r;
}

int
cv_oci_descriptor(struct cv_descriptor *d, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv digest = cv_jv_get(v, "digest"), type = cv_jv_get(v, "artifactType");
	const char *text;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, keys, e) != 0 ||
	    cv_oci_media(d->media, cv_jv_get(v, "mediaType"), e) != 0 ||
	    cv_jv_str(digest, &text, e) != 0)
		return -1;
	if (cv_digest_parse(&d->digest, cv_span_str(text), e) != 0)
		return cv_fail_within(e, "%s:%u:%u", cv_json_name(v.doc), cv_jv_pos(digest).line,
				      cv_jv_pos(digest).column);
	if (cv_jv_u64(cv_jv_get(v, "size"), INT64_MAX, &d->size, e) != 0)
		return -1;
	if (!type.absent && cv_jv_type(type) != CV_J_NULL &&
	    cv_oci_media_or_empty(d->artifact_type, type, e) != 0)
		return -1;
	if (read_platform(d, cv_jv_get(v, "platform"), e) != 0 ||
	    read_annotations(d, cv_jv_get(v, "annotations"), e) != 0)
		return -1;
	return check_data(d, cv_jv_get(v, "data"), e);
}
