/* SPDX-License-Identifier: Apache-2.0 */
/* annotated.c: see annotated.h. Must never add what no annotation says. */
#include "trust/annotated.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/jread.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/dsse.h"

#include "trust/base/banned.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

static bool
is_base64(char c)
{
	char low = (char)(c | 0x20);

	return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || strchr("+/=", c) != NULL;
}

/* The base64 of a PEM block is that of the bundle, without line ends. */
static int
certificate(struct cv_buf *out, const char *pem, struct cv_err *e)
{
	const char *from = strstr(pem, BEGIN), *to = strstr(pem, END);

	if (from == NULL || to == NULL || to < from)
		return cv_fail(e, CV_R_MALFORMED, "the certificate annotation: want a PEM block");
	for (from += strlen(BEGIN); from < to; from++) {
		if (strchr("\r\n \t", *from) != NULL)
			continue;
		if (!is_base64(*from))
			return cv_fail(e, CV_R_MALFORMED,
				       "the certificate annotation: found byte 0x%02x, want base64",
				       (unsigned)(uint8_t)*from);
		cv_buf_byte(out, (uint8_t)*from);
	}
	return cv_buf_ok(out, "a certificate", e);
}

/* append: a string member, in JSON. */
static int
append(struct cv_buf *out, const char *before, const char *text, struct cv_err *e)
{
	json_t *v = json_string(text);
	int r = v == NULL ? cv_fail(e, CV_R_MALFORMED, "an annotation is not UTF-8") : 0;

	cv_buf_str(out, before);
	if (r == 0)
		r = cv_json_canonical(out, v, e);
	json_decref(v);
	return r;
}

/* What kind of entry it is, the old form leaves to its body. */
static int
kind(struct cv_buf *out, const char *body, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_BUNDLE);
	const char *name, *version;

	if (cv_base64_decode(&text, cv_span_str(body), e) != 0 ||
	    cv_json_parse(&doc, "the log entry", cv_buf_span(&text), CV_JSON_REALS, e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_json_root(doc), "kind"), &name, e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_json_root(doc), "apiVersion"), &version, e) != 0)
		return -1;
	if (append(out, "\"kindVersion\":{\"kind\":", name, e) != 0 ||
	    append(out, ",\"version\":", version, e) != 0)
		return -1;
	cv_buf_str(out, "}");
	return 0;
}

static int
log_id(struct cv_buf *out, struct cv_jv v, struct cv_err *e)
{
	struct cv_digest id;
	const char *hex;

	if (cv_jv_str(v, &hex, e) != 0 || cv_digest_hex(&id, CV_SHA256, cv_span_str(hex), e) != 0)
		return -1;
	cv_buf_str(out, ",\"logId\":{\"keyId\":\"");
	cv_base64_encode(out, cv_span(id.b, 32));
	cv_buf_str(out, "\"}");
	return 0;
}

static int
entry(struct cv_buf *out, const char *annotation, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv payload;
	const char *set, *body;
	uint64_t time, index;

	if (cv_json_parse(&doc, "the bundle annotation", cv_span_str(annotation), 0, e) != 0)
		return -1;
	payload = cv_jv_get(cv_json_root(doc), "Payload");
	if (cv_jv_str(cv_jv_get(cv_json_root(doc), "SignedEntryTimestamp"), &set, e) != 0 ||
	    cv_jv_str(cv_jv_get(payload, "body"), &body, e) != 0 ||
	    cv_jv_u64(cv_jv_get(payload, "integratedTime"), INT64_MAX, &time, e) != 0 ||
	    cv_jv_u64(cv_jv_get(payload, "logIndex"), INT64_MAX, &index, e) != 0)
		return -1;
	cv_buf_fmt(out, "{\"logIndex\":\"%llu\",\"integratedTime\":\"%llu\",",
		   (unsigned long long)index, (unsigned long long)time);
	if (kind(out, body, e) != 0 || log_id(out, cv_jv_get(payload, "logID"), e) != 0 ||
	    append(out, ",\"inclusionPromise\":{\"signedEntryTimestamp\":", set, e) != 0 ||
	    append(out, "},\"canonicalizedBody\":", body, e) != 0)
		return -1;
	cv_buf_str(out, "}");
	return 0;
}

static int
stamp(struct cv_buf *out, const char *annotation, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const char *text;

	if (cv_json_parse(&doc, "the timestamp annotation", cv_span_str(annotation), 0, e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_json_root(doc), "SignedRFC3161Timestamp"), &text, e) != 0 ||
	    append(out, "{\"signedTimestamp\":", text, e) != 0)
		return -1;
	cv_buf_str(out, "}");
	return 0;
}

/* As it lies there, once it is known to be one envelope and nothing behind it. */
static int
put_envelope(struct cv_buf *out, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_envelope_free) struct cv_envelope *env = NULL;

	if (cv_envelope_parse(&env, "the envelope", text, e) != 0)
		return -1;
	cv_buf_str(out, "\"dsseEnvelope\":");
	cv_buf_add(out, text.p, text.n);
	return 0;
}

int
cv_annotated_bundle(struct cv_buf *out, const struct cv_descriptor *d, struct cv_span envelope,
		    struct cv_err *e)
{
	cv_buf_str(out, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle+json;version=0.1\","
			"\"verificationMaterial\":{");
	if (d->certificate != NULL) {
		cv_buf_str(out, "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"");
		if (certificate(out, d->certificate, e) != 0)
			return -1;
		cv_buf_str(out, "\"}]}");
	} else {
		cv_buf_str(out, "\"publicKey\":{\"hint\":\"\"}");
	}
	cv_buf_str(out, ",\"tlogEntries\":[");
	if (d->log_entry != NULL && entry(out, d->log_entry, e) != 0)
		return -1;
	cv_buf_str(out, "],\"timestampVerificationData\":{\"rfc3161Timestamps\":[");
	if (envelope.n == 0 && d->timestamp != NULL && stamp(out, d->timestamp, e) != 0)
		return -1;
	cv_buf_str(out, "]}},");
	if (envelope.n > 0) {
		if (put_envelope(out, envelope, e) != 0)
			return -1;
	} else if (d->signature == NULL) {
		return cv_fail(e, CV_R_MALFORMED, "found a layer without its signature annotation");
	} else if (append(out, "\"messageSignature\":{\"signature\":", d->signature, e) != 0) {
		return -1;
	} else {
		cv_buf_str(out, "}");
	}
	cv_buf_str(out, "}");
	return cv_buf_ok(out, "a bundle", e);
}
