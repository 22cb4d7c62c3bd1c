/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c: see bundle.h. Must never take one of two contents or two kinds of
 * material and leave out the other. */
#include "trust/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const top_keys[] = { "mediaType", "verificationMaterial", "messageSignature",
					"dsseEnvelope", NULL };
static const char *const material_keys[] = { "publicKey",
					     "certificate",
					     "x509CertificateChain",
					     "tlogEntries",
					     "timestampVerificationData",
					     NULL };
static const char *const key_keys[] = { "hint", NULL };
static const char *const time_keys[] = { "rfc3161Timestamps", "signedTimestamp", NULL };
static const char *const cert_keys[] = { "certificates", "rawBytes", NULL };
static const char *const message_keys[] = { "messageDigest", "signature", NULL };
static const char *const digest_keys[] = { "algorithm", "digest", NULL };

void
cv_bundle_free(struct cv_bundle **b)
{
	if (*b == NULL)
		return;
	cv_envelope_free(&(*b)->envelope);
	cv_buf_free(&(*b)->signature);
	cv_cert_free(&(*b)->leaf);
	for (size_t i = 0; i < CV_MAX_TLOG_ENTRIES; i++) {
		cv_log_entry_free(&(*b)->entry[i]);
		cv_buf_free(&(*b)->stamp[i]);
	}
	free(*b);
	*b = NULL;
}

/* Protobuf's JSON writes null for what is not set. */
static bool
is_set(struct cv_jv v)
{
	return !v.absent && cv_jv_type(v) != CV_J_NULL;
}

static int
read_version(struct cv_bundle *b, struct cv_jv root, bool whole, struct cv_err *e)
{
	static const char *const old[] = {
		"application/vnd.dev.sigstore.bundle+json;version=0.1",
		"application/vnd.dev.sigstore.bundle+json;version=0.2",
	};
	struct cv_jv v = cv_jv_get(root, "mediaType");
	char brief[CV_TEXT_BRIEF];
	const char *media;

	if (cv_jv_str(v, &media, e) != 0)
		return -1;
	b->minor = 3;
	if (strcmp(media, CV_MT_BUNDLE) == 0 || strcmp(media, CV_MT_BUNDLE_OLD) == 0)
		return 0;
	for (unsigned i = 0; whole && i < CV_COUNT(old); i++)
		if (strcmp(media, old[i]) == 0) {
			b->minor = i + 1;
			return 0;
		}
	return cv_jv_fail(
		v, e,
		cv_span_has_prefix(cv_span_str(media), "application/vnd.dev.sigstore.bundle")
			? CV_R_UNSUPPORTED
			: CV_R_MALFORMED,
		"found the type \"%s\", want \"" CV_MT_BUNDLE "\"",
		cv_text_brief(brief, cv_span_str(media)));
}

static int
count(size_t *ret, struct cv_jv list, struct cv_err *e)
{
	*ret = 0;
	if (!is_set(list))
		return 0;
	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	*ret = cv_jv_len(list);
	if (*ret > CV_MAX_TLOG_ENTRIES)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu entries, want at most %d", *ret,
				  CV_MAX_TLOG_ENTRIES);
	return 0;
}

static int
read_material(struct cv_bundle *b, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv key = cv_jv_get(v, "publicKey");
	struct cv_jv times = cv_jv_get(v, "timestampVerificationData");
	bool certificate = is_set(cv_jv_get(v, "certificate"));
	bool chain = is_set(cv_jv_get(v, "x509CertificateChain"));
	const char *hint;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, material_keys, e) != 0)
		return -1;
	if (is_set(key) + certificate + chain != 1)
		return cv_jv_fail(v, e,
				  is_set(key) + certificate + chain == 0 ? CV_R_MALFORMED
									 : CV_R_AMBIGUOUS,
				  "found %d of publicKey, certificate and x509CertificateChain, "
				  "want exactly one",
				  is_set(key) + certificate + chain);
	if (count(&b->logs, cv_jv_get(v, "tlogEntries"), e) != 0)
		return -1;
	if (is_set(times) &&
	    (cv_jv_want(times, CV_J_OBJECT, e) != 0 || cv_jread_known(times, time_keys, e) != 0 ||
	     count(&b->timestamps, cv_jv_get(times, "rfc3161Timestamps"), e) != 0))
		return -1;
	b->material.kind = CV_MATERIAL_CERTIFICATE;
	if (!is_set(key))
		return 0;
	b->material.kind = CV_MATERIAL_KEY;
	if (cv_jv_want(key, CV_J_OBJECT, e) != 0 || cv_jread_known(key, key_keys, e) != 0 ||
	    cv_jread_opt(key, "hint", &hint, e) != 0)
		return -1;
	cv_text_fmt(b->material.hint, sizeof(b->material.hint), "%s", hint);
	return 0;
}

/* MessageDigest may be left empty: cosign does so for Ed25519. */
static int
read_digest(struct cv_digest *ret, struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	static const char *const words[] = { "SHA2_256", "SHA2_384", "SHA2_512" };
	struct cv_buf bytes = CV_BUF(CV_DIGEST_MAX);
	const char *word, *text;
	char brief[CV_TEXT_BRIEF];
	int r;

	if (!is_set(v))
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, digest_keys, e) != 0 ||
	    cv_jread_opt(v, "algorithm", &word, e) != 0 || cv_jread_opt(v, "digest", &text, e) != 0)
		return -1;
	if (cv_jslim_find(slim, cv_jv_get(v, "digest")) != NULL)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found a digest of more than %d characters",
				  CV_JSLIM_STRING);
	if (*text == '\0')
		return 0;
	for (size_t i = 0; i < CV_COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			ret->alg = (enum cv_alg)(CV_SHA256 + i);
	if (ret->alg == CV_ALG_NONE)
		return cv_jv_fail(v, e, CV_R_UNSUPPORTED,
				  "found the digest algorithm \"%s\", want SHA2_256, SHA2_384 or "
				  "SHA2_512",
				  cv_text_brief(brief, cv_span_str(word)));
	r = cv_base64_decode(&bytes, cv_span_str(text), e);
	if (r == 0 && bytes.n != cv_alg_size(ret->alg))
		r = cv_jv_fail(v, e, CV_R_MALFORMED, "found a digest of %zu bytes, want %zu",
			       bytes.n, cv_alg_size(ret->alg));
	if (r == 0)
		memcpy(ret->b, bytes.p, bytes.n);
	cv_buf_free(&bytes);
	return r;
}

static int
read_message(struct cv_bundle *b, struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	const char *text;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, message_keys, e) != 0 ||
	    read_digest(&b->digest, cv_jv_get(v, "messageDigest"), slim, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "signature"), &text, e) != 0)
		return -1;
	if (cv_base64_decode(&b->signature, cv_span_str(text), e) != 0)
		return cv_fail_within(e, "%s: \"signature\"", cv_json_name(v.doc));
	return 0;
}

/* ---- what proves a certificate and a time ---- */

static int
read_leaf(struct cv_bundle *b, struct cv_jv material, const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(material, "certificate");
	struct cv_jv chain = cv_jv_get(material, "x509CertificateChain");
	struct cv_buf der = CV_BUF(CV_MAX_CERTIFICATE);
	struct cv_span text;
	int r;

	if (is_set(chain)) {
		if (b->minor >= 3)
			return cv_jv_fail(chain, e, CV_R_UNSUPPORTED,
					  "found a chain of certificates, want a certificate");
		if (cv_jv_want(chain, CV_J_OBJECT, e) != 0 ||
		    cv_jread_known(chain, cert_keys, e) != 0)
			return -1;
		v = cv_jv_get(chain, "certificates");
		if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
			return -1;
		if (cv_jv_len(v) == 0)
			return cv_jv_fail(v, e, CV_R_MALFORMED, "found no certificate");
		v = cv_jv_at(v, 0);
	}
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, cert_keys, e) != 0 ||
	    cv_jslim_text(slim, cv_jv_get(v, "rawBytes"), &text, e) != 0)
		return -1;
	r = cv_base64_decode(&der, text, e);
	if (r == 0)
		r = cv_cert_load(&b->leaf, "the signer's certificate", cv_buf_span(&der), e);
	cv_buf_free(&der);
	return r;
}

static int
read_stamps(struct cv_bundle *b, struct cv_jv list, const struct cv_jslim *slim, struct cv_err *e)
{
	size_t n = 0;

	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v)) {
		struct cv_buf *out = &b->stamp[n++];
		struct cv_span text;

		*out = CV_BUF(CV_MAX_STAMP);
		if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, time_keys, e) != 0 ||
		    cv_jslim_text(slim, cv_jv_get(v, "signedTimestamp"), &text, e) != 0)
			return -1;
		if (cv_base64_decode(out, text, e) != 0)
			return cv_fail_within(e, "a timestamp");
	}
	return 0;
}

static int
read_proofs(struct cv_bundle *b, struct cv_jv material, const struct cv_jslim *slim,
	    struct cv_err *e)
{
	struct cv_jv entries = cv_jv_get(material, "tlogEntries");
	struct cv_jv times = cv_jv_get(material, "timestampVerificationData");
	size_t n = 0;

	if (b->material.kind == CV_MATERIAL_CERTIFICATE && read_leaf(b, material, slim, e) != 0)
		return -1;
	for (struct cv_jv v = cv_jv_first(entries); !v.absent; v = cv_jv_next(v))
		if (cv_log_entry_read(&b->entry[n++], v, slim, e) != 0)
			return -1;
	return read_stamps(b, cv_jv_get(times, "rfc3161Timestamps"), slim, e);
}

static int
read_bundle(struct cv_bundle *b, struct cv_jv root, const struct cv_jslim *slim, bool whole,
	    struct cv_err *e)
{
	struct cv_jv message = cv_jv_get(root, "messageSignature");
	struct cv_jv envelope = cv_jv_get(root, "dsseEnvelope");

	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jread_known(root, top_keys, e) != 0 ||
	    read_version(b, root, whole, e) != 0 ||
	    read_material(b, cv_jv_get(root, "verificationMaterial"), e) != 0)
		return -1;
	if (whole && read_proofs(b, cv_jv_get(root, "verificationMaterial"), slim, e) != 0)
		return -1;
	if (is_set(message) == is_set(envelope))
		return cv_jv_fail(root, e, is_set(message) ? CV_R_AMBIGUOUS : CV_R_MALFORMED,
				  "found %s messageSignature and dsseEnvelope, want exactly one",
				  is_set(message) ? "both" : "neither");
	return is_set(message) ? read_message(b, message, slim, e)
			       : cv_envelope_read(&b->envelope, envelope, slim, true, e);
}

static int
parse(struct cv_bundle **ret, const char *name, struct cv_span text, bool whole, struct cv_err *e)
{
	cv_auto(cv_bundle_free) struct cv_bundle *b = calloc(1, sizeof(*b));
	cv_auto(cv_freep) struct cv_jslim *slim = calloc(1, sizeof(*slim));
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	int r;

	if (b == NULL || slim == NULL)
		return cv_fail_memory(e);
	if (text.n > CV_MAX_BUNDLE)
		return cv_fail(e, CV_R_LIMIT, "%s: found %zu bytes, want at most %llu", name,
			       text.n, CV_MAX_BUNDLE);
	b->signature = CV_BUF(CV_MAX_SIGNATURE);
	r = cv_jslim_strings(slim, text, e);
	if (r != 0)
		cv_fail_within(e, "%s", name);
	else
		r = cv_json_parse(&doc, name, cv_buf_span(&slim->text), CV_JSON_REALS, e);
	if (r == 0)
		r = read_bundle(b, cv_json_root(doc), slim, whole, e);
	cv_jslim_free(slim);
	if (r != 0)
		return -1;
	*ret = cv_steal(b);
	return 0;
}

int
cv_bundle_parse(struct cv_bundle **ret, const char *name, struct cv_span text, struct cv_err *e)
{
	return parse(ret, name, text, false, e);
}

int
cv_bundle_parse_whole(struct cv_bundle **ret, const char *name, struct cv_span text,
		      struct cv_err *e)
{
	return parse(ret, name, text, true, e);
}
