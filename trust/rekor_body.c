/* SPDX-License-Identifier: Apache-2.0 */
/* rekor_body.c: what an entry is about; see rekor.h. Must never be content with less
 * than the digest, the signature and the key all being those that are verified. */
#include "trust/rekor.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define CERTIFICATE "CERTIFICATE-----"
#define PUBLIC_KEY  "PUBLIC KEY-----"

static const char *const body_keys[] = {
	"apiVersion",  "kind",         "spec",     "data",      "hash",       "algorithm",
	"value",       "signature",    "content",  "publicKey", "signatures", "verifier",
	"payloadHash", "envelopeHash", "envelope", "sig",       "keyid",      NULL
};

struct body {
	struct cv_jv spec;
	const struct cv_jslim *slim;
	const struct cv_claimed *what;
};

static int
other(struct cv_err *e, const char *what)
{
	return cv_fail(e, CV_R_DIGEST, "the log entry is about another %s", what);
}

/* A member of an object on the way to what is compared. */
static int
member(struct cv_jv *ret, struct cv_jv v, const char *key, struct cv_err *e)
{
	*ret = cv_jv_get(v, key);
	if (cv_jv_want(*ret, CV_J_OBJECT, e) != 0)
		return -1;
	return cv_jread_known(*ret, body_keys, e);
}

/* The one element of a list. */
static int
only(struct cv_jv *ret, struct cv_jv v, const char *key, struct cv_err *e)
{
	struct cv_jv list = cv_jv_get(v, key);

	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(list) != 1)
		return cv_jv_fail(list, e, CV_R_MALFORMED, "found %zu signatures, want one",
				  cv_jv_len(list));
	*ret = cv_jv_first(list);
	if (cv_jv_want(*ret, CV_J_OBJECT, e) != 0)
		return -1;
	return cv_jread_known(*ret, body_keys, e);
}

static int
decode(struct cv_buf *out, struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_span text;

	if (cv_jslim_text(slim, v, &text, e) != 0)
		return -1;
	if (cv_base64_decode(out, text, e) != 0)
		return cv_fail_within(e, "the log entry: \"%s\"", cv_jv_key(v));
	return 0;
}

/* ---- what is compared ---- */

static int
digest_is(struct cv_jv hash, const struct cv_digest *want, const char *what, struct cv_err *e)
{
	struct cv_digest found;
	const char *hex;

	if (cv_jv_str(cv_jv_get(hash, "value"), &hex, e) != 0)
		return -1;
	if (cv_digest_hex(&found, want->alg, cv_span_str(hex), e) != 0)
		return cv_fail_within(e, "the log entry");
	return cv_digest_eq(&found, want) ? 0 : other(e, what);
}

static int
alg_of(enum cv_alg *ret, struct cv_jv hash, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	const char *alg;

	if (cv_jv_str(cv_jv_get(hash, "algorithm"), &alg, e) != 0)
		return -1;
	*ret = cv_alg_parse(cv_span_str(alg));
	if (*ret == CV_ALG_NONE)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "the log entry: found the digest algorithm \"%s\"",
			       cv_text_brief(brief, cv_span_str(alg)));
	return 0;
}

static int
message_is(const struct body *b, struct cv_jv hash, struct cv_err *e)
{
	struct cv_digest want;
	enum cv_alg alg;

	if (alg_of(&alg, hash, e) != 0 || cv_message_digest(b->what->message, alg, &want, e) != 0)
		return -1;
	return digest_is(hash, &want, "artifact", e);
}

static int
payload_is(const struct body *b, struct cv_jv hash, struct cv_err *e)
{
	struct cv_digest want;
	enum cv_alg alg;

	if (!b->what->dsse)
		return other(e, "kind of thing, want a signature over the artifact itself");
	if (alg_of(&alg, hash, e) != 0 || cv_digest_of(&want, alg, b->what->payload, e) != 0)
		return -1;
	return digest_is(hash, &want, "statement", e);
}

/* twice: base64 of base64, as intoto 0.0.2 has it */
static int
signature_is(const struct body *b, struct cv_jv v, bool twice, struct cv_err *e)
{
	struct cv_buf once = CV_BUF(2 * CV_MAX_SIGNATURE), sig = CV_BUF(CV_MAX_SIGNATURE);
	int r = decode(twice ? &once : &sig, v, b->slim, e);

	if (r == 0 && twice && (r = cv_base64_decode(&sig, cv_buf_span(&once), e)) != 0)
		cv_fail_within(e, "the log entry: its signature");
	if (r == 0 && !cv_span_eq(cv_buf_span(&sig), b->what->signature))
		r = other(e, "signature");
	cv_buf_free(&once);
	cv_buf_free(&sig);
	return r;
}

/* One PEM block with that label (RFC 7468), as DER. */
static int
from_pem(struct cv_buf *der, struct cv_span pem, const char *label, struct cv_err *e)
{
	struct cv_buf text = CV_BUF(2 * CV_MAX_CERTIFICATE);
	struct cv_span begin = cv_span_str("-----BEGIN "), end = cv_span_str("-----END ");
	size_t n = strlen(label);
	int r = -1;

	while (pem.n > 0 && (pem.p[pem.n - 1] == '\n' || pem.p[pem.n - 1] == '\r'))
		pem.n--;
	if (pem.n < begin.n + end.n + 2 * n || !cv_span_has_prefix(pem, "-----BEGIN ") ||
	    memcmp(pem.p + begin.n, label, n) != 0 || !cv_span_has_suffix(pem, label) ||
	    memcmp(pem.p + pem.n - n - end.n, end.p, end.n) != 0)
		return cv_fail(e, CV_R_DIGEST, "the log entry: want one block \"-----BEGIN %s\"",
			       label);
	for (size_t i = begin.n + n; i < pem.n - n - end.n; i++)
		if (pem.p[i] != '\n' && pem.p[i] != '\r')
			cv_buf_byte(&text, pem.p[i]);
	if (cv_buf_ok(&text, "a certificate of a log entry", e) == 0 &&
	    (r = cv_base64_decode(der, cv_buf_span(&text), e)) != 0)
		cv_fail_within(e, "the log entry: its key");
	cv_buf_free(&text);
	return r;
}

static int
key_is(const struct body *b, struct cv_jv v, struct cv_err *e)
{
	struct cv_buf pem = CV_BUF(2 * CV_MAX_CERTIFICATE), der = CV_BUF(CV_MAX_CERTIFICATE);
	const struct cv_cert *leaf = b->what->leaf;
	struct cv_digest id;
	int r = decode(&pem, v, b->slim, e);

	if (r == 0)
		r = from_pem(&der, cv_buf_span(&pem), leaf != NULL ? CERTIFICATE : PUBLIC_KEY, e);
	if (r == 0 && leaf != NULL && !cv_span_eq(cv_buf_span(&der), cv_cert_der(leaf)))
		r = other(e, "certificate");
	if (r == 0 && leaf == NULL) {
		r = cv_digest_of(&id, CV_SHA256, cv_buf_span(&der), e);
		if (r == 0 && !cv_digest_eq(&id, cv_pubkey_id(b->what->key)))
			r = other(e, "key");
	}
	cv_buf_free(&pem);
	cv_buf_free(&der);
	return r;
}

/* ---- the kinds ---- */

static int
hashedrekord(const struct body *b, struct cv_err *e)
{
	struct cv_jv data, hash, sig, key;

	if (member(&data, b->spec, "data", e) != 0 || member(&hash, data, "hash", e) != 0 ||
	    member(&sig, b->spec, "signature", e) != 0 || member(&key, sig, "publicKey", e) != 0 ||
	    message_is(b, hash, e) != 0 ||
	    signature_is(b, cv_jv_get(sig, "content"), false, e) != 0)
		return -1;
	return key_is(b, cv_jv_get(key, "content"), e);
}

static int
dsse(const struct body *b, struct cv_err *e)
{
	struct cv_jv hash, sig;

	if (member(&hash, b->spec, "payloadHash", e) != 0 ||
	    only(&sig, b->spec, "signatures", e) != 0 || payload_is(b, hash, e) != 0 ||
	    signature_is(b, cv_jv_get(sig, "signature"), false, e) != 0)
		return -1;
	return key_is(b, cv_jv_get(sig, "verifier"), e);
}

static int
intoto(const struct body *b, struct cv_err *e)
{
	struct cv_jv content, envelope, hash, sig;

	if (member(&content, b->spec, "content", e) != 0 ||
	    member(&envelope, content, "envelope", e) != 0 ||
	    member(&hash, content, "payloadHash", e) != 0 ||
	    only(&sig, envelope, "signatures", e) != 0 || payload_is(b, hash, e) != 0 ||
	    signature_is(b, cv_jv_get(sig, "sig"), true, e) != 0)
		return -1;
	return key_is(b, cv_jv_get(sig, "publicKey"), e);
}

static const struct {
	const char *kind, *version;
	int (*judge)(const struct body *, struct cv_err *);
} kinds[] = {
	{ "hashedrekord", "0.0.1", hashedrekord },
	{ "dsse", "0.0.1", dsse },
	{ "intoto", "0.0.2", intoto },
};

static int
judge(const struct cv_log_entry *en, struct body *b, struct cv_jv root, struct cv_err *e)
{
	const char *kind, *version;
	char one[CV_TEXT_BRIEF], two[CV_TEXT_BRIEF];

	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jread_known(root, body_keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "kind"), &kind, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "apiVersion"), &version, e) != 0 ||
	    member(&b->spec, root, "spec", e) != 0)
		return -1;
	if (strcmp(kind, en->kind) != 0 || strcmp(version, en->version) != 0)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "the log entry: the bundle calls it a %s %s, and it is not",
			       en->kind, en->version);
	for (size_t i = 0; i < CV_COUNT(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0 && strcmp(version, kinds[i].version) == 0)
			return kinds[i].judge(b, e);
	return cv_fail(e, CV_R_UNSUPPORTED, "found a log entry of kind %s %s",
		       cv_text_brief(one, cv_span_str(kind)),
		       cv_text_brief(two, cv_span_str(version)));
}

int
cv_rekor_body(const struct cv_log_entry *en, const struct cv_claimed *what, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_freep) struct cv_jslim *slim = calloc(1, sizeof(*slim));
	struct body b = { .slim = slim, .what = what };
	int r;

	if (slim == NULL)
		return cv_fail_memory(e);
	r = cv_jslim_strings(slim, cv_buf_span(&en->body), e);
	if (r != 0)
		cv_fail_within(e, "the log entry");
	else
		r = cv_json_parse(&doc, "the log entry", cv_buf_span(&slim->text), 0, e);
	if (r == 0)
		r = judge(en, &b, cv_json_root(doc), e);
	cv_jslim_free(slim);
	return r;
}

/* ---- version 2 ---- */

static const char *
alg_word(enum cv_alg alg)
{
	return alg == CV_SHA256 ? "SHA2_256" : alg == CV_SHA384 ? "SHA2_384" : "SHA2_512";
}

static int
verifier(struct cv_buf *der, const struct cv_claimed *what, struct cv_err *e)
{
	struct cv_span cert;

	if (what->leaf == NULL)
		return cv_pubkey_der(der, what->key, e);
	cert = cv_cert_der(what->leaf);
	cv_buf_add(der, cert.p, cert.n);
	return cv_buf_ok(der, "a certificate", e);
}

/* RFC 8785: members in order, no space; nothing in it wants escaping. */
static void
build(struct cv_buf *out, const char *details, const struct cv_digest *d, struct cv_span signature,
      const char *kind, struct cv_span der)
{
	cv_buf_fmt(out,
		   "{\"apiVersion\":\"0.0.2\",\"kind\":\"hashedrekord\",\"spec\":{"
		   "\"hashedRekordV002\":{\"data\":{\"algorithm\":\"%s\",\"digest\":\"",
		   alg_word(d->alg));
	cv_base64_encode(out, cv_span(d->b, cv_alg_size(d->alg)));
	cv_buf_str(out, "\"},\"signature\":{\"content\":\"");
	cv_base64_encode(out, signature);
	cv_buf_fmt(out, "\",\"verifier\":{\"keyDetails\":\"%s\",\"%s\":{\"rawBytes\":\"", details,
		   kind);
	cv_base64_encode(out, der);
	cv_buf_str(out, "\"}}}}}}");
}

int
cv_rekor_rebuild(struct cv_buf *out, const struct cv_claimed *what, struct cv_err *e)
{
	struct cv_buf der = CV_BUF(CV_MAX_CERTIFICATE);
	enum cv_alg alg = CV_ALG_NONE;
	const char *details = cv_pubkey_details(what->key, &alg);
	struct cv_digest d;
	int r;

	if (details == NULL)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "a Rekor v2 entry by a key of kind %s, which is not judged here",
			       cv_pubkey_kind(what->key));
	if (cv_message_digest(what->message, alg, &d, e) != 0)
		return -1;
	r = verifier(&der, what, e);
	if (r == 0) {
		build(out, details, &d, what->signature,
		      what->leaf != NULL ? "x509Certificate" : "publicKey", cv_buf_span(&der));
		r = cv_buf_ok(out, "a log entry", e);
	}
	cv_buf_free(&der);
	return r;
}
