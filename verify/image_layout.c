/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_layout.c: names in an OCI image layout (image-spec 1.1, image-layout.md
 * "index.json file"). See image.h: everything here is a hint. A wrong one leads
 * to another image, which is then judged by its own digest and signatures.
 */
#include "verify/image.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/base/ref.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define REF_NAME "org.opencontainers.image.ref.name"

static void
fail_got(struct cv_got *got, const struct cv_err *e, const char *check)
{
	cv_closep(&got->blob.fd);
	*got = (struct cv_got){ .status = CV_S_FAILED,
				.blob = CV_NO_BLOB,
				.err = *e,
				.check = cv_check_for(e->reason, check, NULL) };
}

/* read_index: index.json, parsed. 0 read; 1 the answer is in got already. */
static int
read_index(struct cv_source *src, struct cv_buf *text, struct cv_jdoc **doc,
	   struct cv_index **index, struct cv_got *got)
{
	struct cv_err e = { 0 };
	int rc;

	cv_source_manifest(src, "", NULL, CV_MAX_MANIFEST, got);
	if (got->status != CV_S_GIVEN)
		return 1;
	rc = cv_buf_pread(text, got->blob.fd, got->blob.off, got->blob.len, "index.json", &e);
	cv_closep(&got->blob.fd);
	if (rc != 0 || cv_index_parse(index, cv_buf_span(text), "", &e) != 0 ||
	    cv_json_parse(doc, "index.json", cv_buf_span(text), CV_JSON_FOLD_KEYS, &e) != 0) {
		fail_got(got, &e, "oci.malformed");
		return 1;
	}
	return 0;
}

/* name_of: the name of the i-th entry, "" if it has none. A full reference is
 * written there by some tools: what follows the last ':' is its tag then. */
static const char *
name_of(const struct cv_jdoc *doc, size_t i)
{
	struct cv_jv entry = cv_jv_at(cv_jv_get(cv_json_root(doc), "manifests"), i);
	struct cv_jv v = cv_jv_get(cv_jv_get(entry, "annotations"), REF_NAME);
	const char *name;

	if (v.absent || cv_jv_text(v, &name, NULL) != 0)
		return "";
	return name;
}

static bool
is_named(const char *name, const char *tag)
{
	const char *colon = strrchr(name, ':');

	if (strcmp(name, tag) == 0)
		return true;
	return colon != NULL && strchr(colon, '/') == NULL && strcmp(colon + 1, tag) == 0;
}

/* is_image: an entry that may be what "the only image" means: not evidence
 * about another one. */
static bool
is_image(const struct cv_descriptor *d, const char *name)
{
	return cv_oci_kind_of(d->media) != CV_OCI_OTHER && d->artifact_type[0] == '\0' &&
	       !d->attestation && strncmp(name, "sha256-", 7) != 0;
}

static const struct cv_descriptor *
pick(const struct cv_index *index, const struct cv_jdoc *doc, const char *tag, struct cv_err *e)
{
	const struct cv_descriptor *found = NULL;
	char brief[CV_TEXT_BRIEF];
	size_t i;

	for (i = 0; i < index->n; i++) {
		const struct cv_descriptor *d = &index->entry[i];
		const char *name = name_of(doc, i);

		if (tag[0] != '\0' ? !is_named(name, tag) : !is_image(d, name))
			continue;
		if (found != NULL && !cv_digest_eq(&found->digest, &d->digest)) {
			cv_fail(e, CV_R_AMBIGUOUS,
				tag[0] != '\0' ? "index.json names two images \"%s\""
					       : "index.json holds several images%s: write a tag "
						 "or a digest",
				cv_text_brief(brief, cv_span_str(tag)));
			return NULL;
		}
		found = d;
	}
	if (found == NULL)
		cv_fail(e, CV_R_ABSENT, "index.json holds no image %s",
			cv_text_brief(brief, cv_span_str(tag)));
	return found;
}

void
cv_layout_tag(struct cv_source *src, const char *tag, struct cv_got *got)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_index_free) struct cv_index *index = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_MANIFEST);
	char digest[CV_DIGEST_TEXT], media[CV_MEDIA_MAX + 1];
	const struct cv_descriptor *d;
	struct cv_err e = { 0 };

	if (read_index(src, &text, &doc, &index, got) != 0)
		return;
	d = pick(index, doc, tag, &e);
	if (d == NULL && e.reason == CV_R_ABSENT) {
		*got = (struct cv_got){ .status = CV_S_ABSENT, .blob = CV_NO_BLOB };
		return;
	}
	if (d == NULL) {
		fail_got(got, &e, "oci.ambiguous");
		return;
	}
	cv_text_fmt(media, sizeof(media), "%s", d->media);
	cv_source_manifest(src, cv_digest_text(&d->digest, digest), &d->digest, CV_MAX_MANIFEST,
			   got);
	if (got->status == CV_S_GIVEN)
		memcpy(got->media, media, sizeof(got->media));
}

/* ---- referrers ---- */

/* ours: trouble that says nothing about the layout. */
static bool
ours(enum cv_reason reason)
{
	return cv_reason_exit(reason) == CV_EXIT_INTERNAL || reason == CV_R_DEADLINE ||
	       reason == CV_R_CANCELLED;
}

/* read_manifest: 1 read, 0 it is none that can be read, -1 trouble of ours. */
static int
read_manifest(struct cv_source *src, const struct cv_descriptor *d, struct cv_manifest **ret,
	      struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_MANIFEST);
	char digest[CV_DIGEST_TEXT];
	struct cv_got got;
	int rc;

	cv_source_manifest(src, cv_digest_text(&d->digest, digest), &d->digest, CV_MAX_MANIFEST,
			   &got);
	if (got.status == CV_S_FAILED)
		*e = got.err;
	if (got.status != CV_S_GIVEN)
		return got.status == CV_S_FAILED && ours(e->reason) ? -1 : 0;
	rc = cv_buf_pread(&text, got.blob.fd, got.blob.off, got.blob.len, "manifest", e);
	cv_closep(&got.blob.fd);
	if (rc == 0)
		rc = cv_manifest_parse(ret, cv_buf_span(&text), d->media, e);
	if (rc == 0)
		return 1;
	return ours(e->reason) ? -1 : 0;
}

/* refers: does this manifest name that subject? 1 yes, with its type; 0 no, or it
 * cannot be read; -1 trouble of ours: then nobody may say "absent". */
static int
refers(struct cv_source *src, const struct cv_descriptor *d, const struct cv_digest *subject,
       char type[CV_MEDIA_MAX + 1], struct cv_err *e)
{
	cv_auto(cv_manifest_free) struct cv_manifest *m = NULL;
	int rc;

	if (cv_oci_kind_of(d->media) != CV_OCI_MANIFEST)
		return 0;
	rc = read_manifest(src, d, &m, e);
	if (rc <= 0 || !m->has_subject || !cv_digest_eq(&m->subject.digest, subject))
		return rc < 0 ? -1 : 0;
	cv_text_fmt(type, CV_MEDIA_MAX + 1, "%s",
		    m->artifact_type[0] != '\0' ? m->artifact_type : m->config.media);
	return 1;
}

/* list_entry: media types were read strictly: no character of theirs needs
 * escaping in JSON but '"' and '\\', which a type with is left out for. */
static bool
list_entry(struct cv_buf *out, const struct cv_descriptor *d, const char *type, bool first)
{
	char digest[CV_DIGEST_TEXT];

	if (strpbrk(d->media, "\"\\") != NULL || strpbrk(type, "\"\\") != NULL)
		return false;
	cv_buf_fmt(out,
		   "%s{\"artifactType\":\"%s\",\"digest\":\"%s\",\"mediaType\":\"%s\","
		   "\"size\":%llu}",
		   first ? "" : ",", type, cv_digest_text(&d->digest, digest), d->media,
		   (unsigned long long)d->size);
	return true;
}

void
cv_layout_referrers(struct cv_source *src, struct cv_store *store, const struct cv_digest *subject,
		    struct cv_got *got)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_index_free) struct cv_index *index = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_MANIFEST);
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(CV_MAX_MANIFEST);
	char type[CV_MEDIA_MAX + 1], tag[CV_DIGEST_TAG];
	struct cv_err e = { 0 };
	size_t i, n = 0;
	int rc;

	if (read_index(src, &text, &doc, &index, got) != 0)
		return;
	cv_buf_str(&out, "{\"manifests\":[");
	for (i = 0; i < index->n && n < CV_MAX_REFERRERS; i++) {
		rc = refers(src, &index->entry[i], subject, type, &e);
		if (rc < 0) {
			fail_got(got, &e, NULL);
			return;
		}
		if (rc > 0 && list_entry(&out, &index->entry[i], type, n == 0))
			n++;
	}
	cv_buf_fmt(&out, "],\"mediaType\":\"%s\",\"schemaVersion\":2}", CV_MT_OCI_INDEX);
	if (n == 0) {
		cv_layout_tag(src, cv_digest_tag(subject, "", tag), got);
		return;
	}
	*got = (struct cv_got){ .status = CV_S_GIVEN, .blob = CV_NO_BLOB };
	memcpy(got->media, CV_MT_OCI_INDEX, sizeof(CV_MT_OCI_INDEX));
	if (cv_buf_ok(&out, "the list of referrers", &e) != 0 ||
	    cv_store_put(store, cv_buf_span(&out), &got->digest, &got->blob, &e) != 0)
		fail_got(got, &e, NULL);
}
