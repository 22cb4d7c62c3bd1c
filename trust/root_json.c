/* SPDX-License-Identifier: Apache-2.0 */
/* root_json.c: see root_json.h. Must never take what has no beginning for valid. */
#include "trust/root_json.h"
#include "trust/base/ssl.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/jread.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const types[] = {
	"application/vnd.dev.sigstore.trustedroot+json;version=0.1",
	"application/vnd.dev.sigstore.trustedroot.v0.1+json",
	"application/vnd.dev.sigstore.trustedroot+json;version=0.2",
	"application/vnd.dev.sigstore.trustedroot.v0.2+json",
};

static const char *const known_keys[] = { "mediaType",
					  "tlogs",
					  "ctlogs",
					  "certificateAuthorities",
					  "timestampAuthorities",
					  "baseUrl",
					  "hashAlgorithm",
					  "publicKey",
					  "logId",
					  "checkpointKeyId",
					  "keyId",
					  "rawBytes",
					  "keyDetails",
					  "validFor",
					  "start",
					  "end",
					  "certChain",
					  "certificates",
					  NULL };

void
cv_root_free(struct cv_root **r)
{
	if (*r == NULL)
		return;
	for (size_t i = 0; i < CV_MAX_ROOT_ITEMS; i++) {
		cv_pubkey_free(&(*r)->log[i].key);
		cv_pubkey_free(&(*r)->ctlog[i].key);
		for (size_t k = 0; k < CV_MAX_CHAIN; k++) {
			cv_cert_free(&(*r)->ca[i].cert[k]);
			cv_cert_free(&(*r)->tsa[i].cert[k]);
		}
	}
	free(*r);
	*r = NULL;
}

const struct cv_log *
cv_log_find(const struct cv_log *list, size_t n, const struct cv_digest *id, int64_t ms,
	    bool *known)
{
	*known = false;
	for (size_t i = 0; i < n; i++) {
		if (!cv_digest_eq(&list[i].id, id))
			continue;
		*known = true;
		if (ms < 0 || cv_window_has(&list[i].valid, ms))
			return &list[i];
	}
	return NULL;
}

/* The part of an origin that is its host, with or without the port. */
static struct cv_span
host_of(struct cv_span origin, bool port)
{
	for (size_t i = 0; i < origin.n; i++)
		if (origin.p[i] == '/' || (!port && origin.p[i] == ':'))
			return cv_span(origin.p, i);
	return origin;
}

bool
cv_log_named(const struct cv_log *l, struct cv_span name)
{
	struct cv_span origin = cv_span_str(l->origin);

	return name.n > 0 && (cv_span_eq(name, origin) || cv_span_eq(name, host_of(origin, true)) ||
			      cv_span_eq(name, host_of(origin, false)));
}

/* ---- values ---- */

static int
object(struct cv_jv v, struct cv_err *e)
{
	return cv_jv_want(v, CV_J_OBJECT, e) != 0 ? -1 : cv_jread_known(v, known_keys, e);
}

static int
bytes_of(struct cv_buf *out, struct cv_jv v, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (cv_base64_decode(out, cv_span_str(text), e) != 0)
		return cv_fail_within(e, "%s:%u: \"%s\"", cv_json_name(v.doc), cv_jv_pos(v).line,
				      cv_jv_key(v));
	return 0;
}

/* RFC 3339 in UTC; what is finer than a millisecond is cut off. */
static int
time_of(int64_t *ms, struct cv_jv v, struct cv_err *e)
{
	struct cv_span s, rest;
	const char *text, *dot;
	int64_t seconds, part = 0, unit = 100;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	s = cv_span_str(text);
	if (!cv_span_has_suffix(s, "Z"))
		return cv_jv_fail(v, e, CV_R_MALFORMED, "want a time in UTC, with \"Z\"");
	if (cv_time_parse(&seconds, s, e) != 0)
		return cv_fail_within(e, "%s:%u", cv_json_name(v.doc), cv_jv_pos(v).line);
	dot = strchr(text, '.');
	rest = cv_span_str(dot == NULL ? "" : dot + 1);
	for (; rest.n > 1; unit /= 10)
		part += (cv_span_u8(&rest) - '0') * unit;
	*ms = seconds * 1000 + part;
	return 0;
}

static bool
is_set(struct cv_jv v)
{
	return !v.absent && cv_jv_type(v) != CV_J_NULL;
}

static int
read_window(struct cv_window *w, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv end;

	if (object(v, e) != 0 || time_of(&w->start, cv_jv_get(v, "start"), e) != 0)
		return -1;
	end = cv_jv_get(v, "end");
	w->open = !is_set(end);
	if (w->open)
		return 0;
	if (time_of(&w->end, end, e) != 0)
		return -1;
	if (w->end < w->start)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "it ends before it starts");
	return 0;
}

/* ---- logs ---- */

/* A key that is an RSAPublicKey (RFC 8017 A.1.1), brought into the common form. */
static int
from_pkcs1(struct cv_buf *der, struct cv_jv v, struct cv_err *e)
{
	const unsigned char *p = der->p;
	unsigned char *spki = NULL;
	EVP_PKEY *key;
	int n = -1;

	cv_ssl_clear();
	key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der->n);
	if (key != NULL && p == der->p + der->n)
		n = i2d_PUBKEY(key, &spki);
	EVP_PKEY_free(key);
	if (n <= 0)
		return cv_ssl_fail(e, CV_R_MALFORMED, "%s:%u: found no RSA key",
				   cv_json_name(v.doc), cv_jv_pos(v).line);
	cv_buf_reset(der);
	cv_buf_add(der, spki, (size_t)n);
	OPENSSL_free(spki);
	cv_ssl_clear();
	return cv_buf_ok(der, "a key", e);
}

static int
load_key(struct cv_log *l, struct cv_buf *der, struct cv_jv v, struct cv_err *e)
{
	const char *details;
	struct cv_err why;

	if (cv_jv_str(cv_jv_get(v, "keyDetails"), &details, e) != 0 ||
	    bytes_of(der, cv_jv_get(v, "rawBytes"), e) != 0)
		return -1;
	if (cv_span_has_prefix(cv_span_str(details), "PKCS1_") && from_pkcs1(der, v, e) != 0)
		return -1;
	if (cv_pubkey_load_der(&l->key, "a log's key", cv_buf_span(der), &why) == 0 ||
	    why.reason == CV_R_UNSUPPORTED)
		return 0;
	return cv_jv_fail(v, e, why.reason, "%s", why.text);
}

/* Is it SHA-256(name || "\n" || 1 || key), C2SP signed-note.md for Ed25519? */
static bool
is_note_id(const struct cv_digest *id, struct cv_span name, struct cv_span spki)
{
	struct cv_buf b = CV_BUF(1024);
	struct cv_digest d;
	bool same = false;

	if (spki.n == 44 && name.n > 0) { /* RFC 8410 4: 12 bytes, then the key */
		cv_buf_add(&b, name.p, name.n);
		cv_buf_add(&b, "\n\x01", 2);
		cv_buf_add(&b, spki.p + 12, 32);
		same = b.failed == CV_R_NONE &&
		       cv_digest_of(&d, CV_SHA256, cv_buf_span(&b), NULL) == 0 &&
		       cv_digest_eq(&d, id);
	}
	cv_buf_free(&b);
	return same;
}

static int
check_id(const struct cv_log *l, struct cv_span spki, struct cv_jv v, struct cv_err *e)
{
	struct cv_span origin = cv_span_str(l->origin);
	struct cv_digest d;

	if (cv_digest_of(&d, CV_SHA256, spki, e) != 0)
		return -1;
	if (cv_digest_eq(&d, &l->id) || is_note_id(&l->id, origin, spki) ||
	    is_note_id(&l->id, host_of(origin, true), spki) ||
	    is_note_id(&l->id, host_of(origin, false), spki))
		return 0;
	return cv_jv_fail(v, e, CV_R_MALFORMED, "the log's id is not that of its key");
}

static int
read_id(struct cv_log *l, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv note = cv_jv_get(v, "checkpointKeyId");
	struct cv_buf id = CV_BUF(64), short_id = CV_BUF(64);
	int r = -1;

	if (object(cv_jv_get(v, "logId"), e) != 0 ||
	    bytes_of(&id, cv_jv_get(cv_jv_get(v, "logId"), "keyId"), e) != 0)
		goto out;
	if (id.n != 32) {
		cv_jv_fail(v, e, CV_R_MALFORMED, "found a log id of %zu bytes, want 32", id.n);
		goto out;
	}
	l->id.alg = CV_SHA256;
	memcpy(l->id.b, id.p, 32);
	memcpy(l->note_id, id.p, 4);
	if (is_set(note)) {
		if (object(note, e) != 0 || bytes_of(&short_id, cv_jv_get(note, "keyId"), e) != 0)
			goto out;
		if (short_id.n < 4) {
			cv_jv_fail(note, e, CV_R_MALFORMED, "found an id of %zu bytes, want 4",
				   short_id.n);
			goto out;
		}
		memcpy(l->note_id, short_id.p, 4);
	}
	r = 0;
out:
	cv_buf_free(&id);
	cv_buf_free(&short_id);
	return r;
}

static int
read_log(struct cv_log *l, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv key = cv_jv_get(v, "publicKey");
	struct cv_buf der = CV_BUF(CV_MAX_KEY_PEM);
	const char *url, *host;
	size_t n;
	int r;

	if (object(v, e) != 0 || cv_jread_opt(v, "baseUrl", &url, e) != 0 ||
	    read_id(l, v, e) != 0 || object(key, e) != 0 ||
	    read_window(&l->valid, cv_jv_get(key, "validFor"), e) != 0)
		return -1;
	host = strstr(url, "://");
	host = host == NULL ? url : host + 3;
	if (strlen(host) >= sizeof(l->origin))
		return cv_jv_fail(v, e, CV_R_LIMIT, "found a baseUrl of %zu bytes", strlen(url));
	cv_text_fmt(l->origin, sizeof(l->origin), "%s", host);
	for (n = strlen(l->origin); n > 0 && l->origin[n - 1] == '/'; n--)
		l->origin[n - 1] = '\0';
	r = load_key(l, &der, key, e);
	if (r == 0)
		r = check_id(l, cv_buf_span(&der), v, e);
	cv_buf_free(&der);
	return r;
}

/* ---- authorities ---- */

static int
read_chain(struct cv_ca *ca, struct cv_jv list, struct cv_err *e)
{
	size_t n = cv_jv_len(list);

	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (n == 0 || n > CV_MAX_CHAIN)
		return cv_jv_fail(list, e, n == 0 ? CV_R_MALFORMED : CV_R_LIMIT,
				  "found %zu certificates, want 1 to %d", n, CV_MAX_CHAIN);
	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v)) {
		struct cv_buf der = CV_BUF(CV_MAX_CERTIFICATE);
		int r = object(v, e);

		if (r == 0)
			r = bytes_of(&der, cv_jv_get(v, "rawBytes"), e);
		if (r == 0)
			r = cv_cert_load(&ca->cert[ca->n], "a certificate of the trust root",
					 cv_buf_span(&der), e);
		cv_buf_free(&der);
		if (r != 0)
			return -1;
		ca->n++;
	}
	return 0;
}

static int
read_ca(struct cv_ca *ca, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv chain = cv_jv_get(v, "certChain");

	if (object(v, e) != 0 || object(chain, e) != 0 ||
	    read_window(&ca->valid, cv_jv_get(v, "validFor"), e) != 0)
		return -1;
	return read_chain(ca, cv_jv_get(chain, "certificates"), e);
}

/* ---- the document ---- */

static int
list_of(struct cv_jv *ret, struct cv_jv root, const char *key, struct cv_err *e)
{
	struct cv_jv list = cv_jv_get(root, key);

	*ret = cv_jv_first(list);
	if (!is_set(list))
		return 0;
	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(list) > CV_MAX_ROOT_ITEMS)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu entries, want at most %d",
				  cv_jv_len(list), CV_MAX_ROOT_ITEMS);
	return 0;
}

/* Two keys under one id: whoever asks for the id gets one of them by chance. */
static int
one_key_an_id(const struct cv_log *list, size_t n, const char *name, struct cv_err *e)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (cv_digest_eq(&list[i].id, &list[k].id) && list[i].key != NULL &&
			    list[k].key != NULL &&
			    !cv_digest_eq(cv_pubkey_id(list[i].key), cv_pubkey_id(list[k].key)))
				return cv_fail(e, CV_R_AMBIGUOUS,
					       "%s: found two logs with one id and different keys",
					       name);
	return 0;
}

static int
read_logs(struct cv_log *out, size_t *n, struct cv_jv root, const char *key, struct cv_err *e)
{
	struct cv_jv v;

	if (list_of(&v, root, key, e) != 0)
		return -1;
	for (; !v.absent; v = cv_jv_next(v))
		if (read_log(&out[(*n)++], v, e) != 0)
			return -1;
	return one_key_an_id(out, *n, cv_json_name(root.doc), e);
}

static int
read_cas(struct cv_ca *out, size_t *n, struct cv_jv root, const char *key, struct cv_err *e)
{
	struct cv_jv v;

	if (list_of(&v, root, key, e) != 0)
		return -1;
	for (; !v.absent; v = cv_jv_next(v))
		if (read_ca(&out[(*n)++], v, e) != 0)
			return -1;
	return 0;
}

static int
read_type(struct cv_jv root, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(root, "mediaType");
	char brief[CV_TEXT_BRIEF];
	const char *type;

	if (object(root, e) != 0 || cv_jv_str(v, &type, e) != 0)
		return -1;
	for (size_t i = 0; i < CV_COUNT(types); i++)
		if (strcmp(type, types[i]) == 0)
			return 0;
	return cv_jv_fail(
		v, e,
		cv_span_has_prefix(cv_span_str(type), "application/vnd.dev.sigstore.trustedroot")
			? CV_R_UNSUPPORTED
			: CV_R_MALFORMED,
		"found the type \"%s\", want \"%s\"", cv_text_brief(brief, cv_span_str(type)),
		types[0]);
}

int
cv_root_parse(struct cv_root **ret, const char *name, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_root_free) struct cv_root *r = calloc(1, sizeof(*r));
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root;

	if (r == NULL)
		return cv_fail_memory(e);
	if (cv_json_parse(&doc, name, text, 0, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (read_type(root, e) != 0 || read_logs(r->log, &r->logs, root, "tlogs", e) != 0 ||
	    read_logs(r->ctlog, &r->ctlogs, root, "ctlogs", e) != 0 ||
	    read_cas(r->ca, &r->cas, root, "certificateAuthorities", e) != 0 ||
	    read_cas(r->tsa, &r->tsas, root, "timestampAuthorities", e) != 0)
		return -1;
	*ret = cv_steal(r);
	return 0;
}
