/* SPDX-License-Identifier: Apache-2.0 */
/* sct.c: see sct.h. Must never take the issuer's key from the certificate's own
 * words: two authorities can have one name. */
#include "trust/sct.h"
#include "trust/base/ssl.h"
#include "trust/x509_int.h"

#include <string.h>

#include "trust/base/clock.h"

#include "trust/base/banned.h"

#define SCT_SHA256 4 /* RFC 5246 7.4.1.4.1 */
#define SCT_RSA    1
#define SCT_ECDSA  3

struct sct {
	struct cv_digest log;
	uint64_t ms;
	struct cv_span extensions, signature;
	uint8_t hash, alg;
};

/* The TBSCertificate without the extension `index`; index -1: as it is. */
static int
tbs_without(struct cv_buf *out, const struct cv_cert *leaf, int index, struct cv_err *e)
{
	X509 *x = X509_dup(leaf->x);
	unsigned char *der = NULL;
	int n = -1;

	if (x != NULL) {
		if (index >= 0)
			X509_EXTENSION_free(X509_delete_ext(x, index));
		n = i2d_re_X509_tbs(x, &der);
	}
	X509_free(x);
	if (n <= 0)
		return cv_ssl_fail(e, CV_R_MALFORMED, "the certificate cannot be encoded again");
	cv_buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return cv_buf_ok(out, "a certificate", e);
}

/* What is rebuilt is what was signed only if rebuilding changes nothing. */
static int
rebuilds(const struct cv_cert *leaf, struct cv_err *e)
{
	struct cv_buf again = CV_BUF(CV_MAX_CERTIFICATE);
	struct cv_span der = cv_cert_der(leaf);
	int r = tbs_without(&again, leaf, -1, e);

	/* the first element of the certificate's sequence, whose header is 2 to 5 bytes */
	if (r == 0 &&
	    (again.n + 2 > der.n ||
	     memmem(der.p, again.n + 5 < der.n ? again.n + 5 : der.n, again.p, again.n) == NULL))
		r = cv_fail(e, CV_R_MALFORMED, "the certificate is not DER");
	cv_buf_free(&again);
	return r;
}

static void
add_be(struct cv_buf *b, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		cv_buf_byte(b, (uint8_t)(v >> (8 * bytes)));
}

/* RFC 6962 3.2: digitally-signed struct, entry type precert_entry */
static int
signed_bytes(struct cv_buf *out, const struct sct *s, struct cv_span tbs,
	     const struct cv_digest *issuer, struct cv_err *e)
{
	cv_buf_add(out, "\0\0", 2); /* v1, certificate_timestamp */
	add_be(out, s->ms, 8);
	add_be(out, 1, 2);
	cv_buf_add(out, issuer->b, 32);
	add_be(out, tbs.n, 3);
	cv_buf_add(out, tbs.p, tbs.n);
	add_be(out, s->extensions.n, 2);
	cv_buf_add(out, s->extensions.p, s->extensions.n);
	return cv_buf_ok(out, "a certificate timestamp", e);
}

static int
read_sct(struct sct *s, struct cv_span in, bool *version, struct cv_err *e)
{
	struct cv_span id;

	*version = cv_span_u8(&in) == 0;
	if (!*version)
		return 0;
	id = cv_span_take(&in, 32);
	s->ms = cv_span_u64be(&in);
	s->extensions = cv_span_take(&in, cv_span_u16be(&in));
	s->hash = cv_span_u8(&in);
	s->alg = cv_span_u8(&in);
	s->signature = cv_span_take(&in, cv_span_u16be(&in));
	if (!cv_span_done(&in))
		return cv_fail(e, CV_R_MALFORMED, "found a certificate timestamp that is cut off");
	s->log.alg = CV_SHA256;
	memcpy(s->log.b, id.p, 32);
	return 0;
}

static int
check(const struct sct *s, const struct cv_log *l, struct cv_span tbs,
      const struct cv_digest *issuer, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(CV_MAX_CERTIFICATE + 66000);
	struct cv_message m;
	bool rsa;
	int r;

	if (l->key == NULL)
		return cv_fail(e, CV_R_UNSUPPORTED, "a certificate log's key is of another kind");
	rsa = strcmp(cv_pubkey_kind(l->key), "RSA") == 0;
	if (s->hash != SCT_SHA256 || s->alg != (rsa ? SCT_RSA : SCT_ECDSA))
		return cv_fail(e, CV_R_SIGNATURE,
			       "a certificate timestamp names an algorithm that is not its log's");
	r = signed_bytes(&b, s, tbs, issuer, e);
	if (r == 0) {
		m = cv_message_bytes(cv_buf_span(&b));
		r = cv_pubkey_verify(l->key, &m, s->signature, e);
		cv_message_free(&m);
		if (r != 0)
			cv_fail_within(e, "a certificate timestamp");
	}
	cv_buf_free(&b);
	return r;
}

/* *good: this one counts. 0 and not good: nothing is known about its log. */
static int
judge(const struct sct *s, struct cv_span tbs, const struct cv_digest *issuer,
      const struct cv_root *root, bool *good, struct cv_err *e)
{
	const struct cv_log *l;
	char when[CV_TIME_TEXT];
	bool known;

	*good = false;
	if (s->ms > INT64_MAX / 2)
		return cv_fail(e, CV_R_MALFORMED, "found a certificate timestamp out of all time");
	l = cv_log_find(root->ctlog, root->ctlogs, &s->log, (int64_t)s->ms, &known);
	if (l == NULL && known)
		return cv_fail(e, CV_R_EXPIRED,
			       "a certificate timestamp is of %s, when its log is not trusted",
			       cv_time_text((int64_t)(s->ms / 1000), when));
	if (l == NULL)
		return 0;
	if (check(s, l, tbs, issuer, e) != 0)
		return -1;
	*good = true;
	return 0;
}

/* The extension's value: an OCTET STRING around a TLS list. */
static int
list_of(struct cv_span *list, X509_EXTENSION *x, ASN1_OCTET_STRING **keep, struct cv_err *e)
{
	const ASN1_OCTET_STRING *outer = X509_EXTENSION_get_data(x);
	const unsigned char *p = ASN1_STRING_get0_data(outer), *end = p + ASN1_STRING_length(outer);

	*keep = d2i_ASN1_OCTET_STRING(NULL, &p, (long)(end - p));
	if (*keep == NULL || p != end)
		return cv_ssl_fail(e, CV_R_MALFORMED, "found no list of certificate timestamps");
	*list = cv_span(ASN1_STRING_get0_data(*keep), (size_t)ASN1_STRING_length(*keep));
	if (cv_span_u16be(list) != list->n || list->n == 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "found a list of certificate timestamps of the wrong length");
	return 0;
}

static int
judge_all(struct cv_span list, struct cv_span tbs, const struct cv_digest *issuer,
	  const struct cv_root *root, struct cv_err *e)
{
	size_t n = 0, seen = 0;

	while (list.n > 0 && !list.bad) {
		struct cv_span one = cv_span_take(&list, cv_span_u16be(&list));
		struct sct s = { .ms = 0 };
		bool version, good;

		if (list.bad || ++seen > 32)
			return cv_fail(e, CV_R_MALFORMED,
				       "found a list of certificate timestamps that is cut off or "
				       "too long");
		if (read_sct(&s, one, &version, e) != 0)
			return -1;
		if (!version)
			continue;
		if (judge(&s, tbs, issuer, root, &good, e) != 0)
			return -1;
		n += good;
	}
	if (n == 0)
		return cv_fail(e, CV_R_IDENTITY,
			       "the certificate has %zu timestamps, none by a certificate log of "
			       "the trust root",
			       seen);
	return 0;
}

int
cv_sct_verify(const struct cv_cert *leaf, const struct cv_digest *issuer,
	      const struct cv_root *root, struct cv_err *e)
{
	int index = X509_get_ext_by_NID(leaf->x, NID_ct_precert_scts, -1);
	struct cv_buf tbs = CV_BUF(CV_MAX_CERTIFICATE);
	ASN1_OCTET_STRING *keep = NULL;
	struct cv_span list;
	int r = -1;

	if (index < 0)
		return cv_fail(e, CV_R_ABSENT,
			       "the certificate has no timestamp of a "
			       "certificate log");
	cv_ssl_clear();
	if (list_of(&list, X509_get_ext(leaf->x, index), &keep, e) == 0 && rebuilds(leaf, e) == 0 &&
	    tbs_without(&tbs, leaf, index, e) == 0)
		r = judge_all(list, cv_buf_span(&tbs), issuer, root, e);
	ASN1_OCTET_STRING_free(keep);
	cv_buf_free(&tbs);
	cv_ssl_clear();
	return r;
}
