/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c: see identity.h. Must never let a text match that is absent or empty
 * on either side. */
#include "trust/identity.h"
#include "trust/base/ssl.h"
#include "trust/x509_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/claims.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* 1.3.6.1.4.1.57264.1 */
static const uint8_t arc[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01 };

#define OTHER_NAME 7

void
cv_identity_free(struct cv_identity **id)
{
	if (*id == NULL)
		return;
	for (size_t i = 0; i < CV_CLAIMS; i++)
		free((*id)->claim[i]);
	free((*id)->subject);
	free(*id);
	*id = NULL;
}

/* The last number of an OID below the arc; 0 for any other. */
static unsigned
number_of(const ASN1_OBJECT *o)
{
	const uint8_t *p = OBJ_get0_data(o);

	if (OBJ_length(o) != sizeof(arc) + 1 || memcmp(p, arc, sizeof(arc)) != 0 ||
	    p[sizeof(arc)] >= 0x80)
		return 0;
	return p[sizeof(arc)];
}

static int
copy_text(char **ret, const char *what, struct cv_span text, struct cv_err *e)
{
	if (text.n == 0 || memchr(text.p, '\0', text.n) != NULL || !cv_utf8_valid(text))
		return cv_fail(e, CV_R_MALFORMED,
			       "the certificate: %s: found a text that is empty, has a NUL or is "
			       "not UTF-8",
			       what);
	*ret = strndup((const char *)text.p, text.n);
	return *ret == NULL ? cv_fail_memory(e) : 0;
}

/* X.690 8.1.3, 10.1: a UTF8String with a length in the shortest form, and no more. */
static bool
utf8_string(struct cv_span *der)
{
	uint8_t tag = cv_span_u8(der);
	size_t n = cv_span_u8(der);

	if (n == 0x81) {
		n = cv_span_u8(der);
		if (n < 0x80)
			return false;
	} else if (n == 0x82) {
		n = cv_span_u16be(der);
		if (n < 0x100)
			return false;
	} else if (n >= 0x80) {
		return false;
	}
	return tag == V_ASN1_UTF8STRING && !der->bad && der->n == n;
}

static int
read_claim(struct cv_identity *id, unsigned number, const ASN1_OCTET_STRING *value,
	   struct cv_err *e)
{
	struct cv_span text = cv_span(ASN1_STRING_get0_data(value), 0);
	char what[40];

	text.n = (size_t)ASN1_STRING_length(value);
	cv_text_fmt(what, sizeof(what), "claim %u", number);
	if (number >= CV_CLAIM_ISSUER && !utf8_string(&text))
		return cv_fail(e, CV_R_MALFORMED, "the certificate: %s: want a UTF8String", what);
	if (text.n == 0) /* GitLab writes some of them empty: no claim */
		return 0;
	return copy_text(&id->claim[number], what, text, e);
}

static int
read_claims(struct cv_identity *id, const struct cv_cert *leaf, struct cv_err *e)
{
	const char *v1, *v2;

	for (int i = 0; i < X509_get_ext_count(leaf->x); i++) {
		X509_EXTENSION *x = X509_get_ext(leaf->x, i);
		unsigned number = number_of(X509_EXTENSION_get_object(x));

		if (number == 0 || number >= CV_CLAIMS || number == OTHER_NAME)
			continue;
		if (read_claim(id, number, X509_EXTENSION_get_data(x), e) != 0)
			return -1;
	}
	v1 = id->claim[CV_CLAIM_ISSUER_V1];
	v2 = id->claim[CV_CLAIM_ISSUER];
	if (v1 != NULL && v2 != NULL && strcmp(v1, v2) != 0)
		return cv_fail(e, CV_R_AMBIGUOUS, "the certificate: found two different issuers");
	id->issuer = v2 != NULL ? v2 : v1;
	return 0;
}

static int
read_name(struct cv_identity *id, const GENERAL_NAME *name, struct cv_err *e)
{
	const ASN1_STRING *s = NULL;
	struct cv_span text;

	if (name->type == GEN_URI || name->type == GEN_EMAIL) {
		id->kind = name->type == GEN_URI ? CV_SAN_URI : CV_SAN_EMAIL;
		s = name->d.ia5;
	} else if (name->type == GEN_OTHERNAME &&
		   number_of(name->d.otherName->type_id) == OTHER_NAME &&
		   name->d.otherName->value->type == V_ASN1_UTF8STRING) {
		id->kind = CV_SAN_OTHER;
		s = name->d.otherName->value->value.utf8string;
	}
	if (s == NULL)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "the certificate: found an alternative name that is no URI, e-mail "
			       "address or user name");
	text = cv_span(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
	for (size_t i = 0; id->kind != CV_SAN_OTHER && i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return cv_fail(e, CV_R_MALFORMED,
				       "the certificate: found a name that is not printable ASCII");
	return copy_text(&id->subject, "alternative name", text, e);
}

static int
read_subject(struct cv_identity *id, const struct cv_cert *leaf, struct cv_err *e)
{
	GENERAL_NAMES *names;
	int critical = -1, n, r;

	cv_ssl_clear();
	names = X509_get_ext_d2i(leaf->x, NID_subject_alt_name, &critical, NULL);
	if (names == NULL)
		return cv_ssl_fail(e, CV_R_MALFORMED,
				   "the certificate: want one alternative name, found none");
	n = sk_GENERAL_NAME_num(names);
	if (n != 1)
		r = cv_fail(e, n == 0 ? CV_R_MALFORMED : CV_R_AMBIGUOUS,
			    "the certificate: want one alternative name, found %d", n);
	/* RFC 5280 4.2.1.6 */
	else if (critical != 1 && X509_NAME_entry_count(X509_get_subject_name(leaf->x)) == 0)
		r = cv_fail(e, CV_R_MALFORMED,
			    "the certificate: want its alternative name critical, it has no other");
	else
		r = read_name(id, sk_GENERAL_NAME_value(names, 0), e);
	GENERAL_NAMES_free(names);
	return r;
}

int
cv_identity_read(struct cv_identity **ret, const struct cv_cert *leaf, struct cv_err *e)
{
	cv_auto(cv_identity_free) struct cv_identity *id = calloc(1, sizeof(*id));

	if (id == NULL)
		return cv_fail_memory(e);
	if (read_subject(id, leaf, e) != 0 || read_claims(id, leaf, e) != 0)
		return -1;
	*ret = cv_steal(id);
	return 0;
}

/* ---- words ---- */

static const char *
words(const char *subject, const char *issuer, char out[CV_WHO_WORDS])
{
	cv_text_fmt(out, CV_WHO_WORDS, "%.250s (issuer %.120s)", subject,
		    issuer == NULL ? "none" : issuer);
	return out;
}

const char *
cv_identity_words(const struct cv_identity *id, char out[CV_WHO_WORDS])
{
	return words(id->subject, id->issuer, out);
}

const char *
cv_expected_words(const struct cv_expected *want, char out[CV_WHO_WORDS])
{
	const char *subject = want->subject, *issuer = want->issuer;

	if (want->subject_pattern != NULL)
		subject = cv_pattern_text(want->subject_pattern);
	if (want->issuer_pattern != NULL)
		issuer = cv_pattern_text(want->issuer_pattern);
	return words(subject == NULL ? "nobody" : subject, issuer, out);
}

int
cv_identity_id(const struct cv_identity *id, struct cv_digest *ret, struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;
	const char *issuer = id->issuer == NULL ? "" : id->issuer;

	if (cv_hash_open(&h, CV_SHA256, e) != 0 ||
	    cv_hash_add(h, id->subject, strlen(id->subject) + 1, e) != 0 ||
	    cv_hash_add(h, issuer, strlen(issuer) + 1, e) != 0)
		return -1;
	return cv_hash_end(h, ret, e);
}

/* ---- comparing ---- */

static int
same(const char *what, const char *found, const char *want, const struct cv_pattern *pattern,
     struct cv_err *e)
{
	struct cv_err why;

	if ((want == NULL || *want == '\0') == (pattern == NULL))
		return cv_fail(e, CV_R_CONFIG, "policy wants no %s of the signer, or two", what);
	if (found != NULL) {
		if (pattern == NULL && strcmp(found, want) == 0)
			return 0;
		if (pattern != NULL && cv_pattern_match(pattern, found, &why) == 0)
			return 0;
		if (pattern != NULL && why.reason != CV_R_IDENTITY)
			return cv_fail(e, why.reason, "the signer's %s: %s", what, why.text);
	}
	return cv_fail(e, CV_R_IDENTITY, "the signer's %s: found %.250s, want %s%.250s", what,
		       found == NULL ? "none" : found, pattern == NULL ? "" : "the pattern ",
		       pattern == NULL ? want : cv_pattern_text(pattern));
}

static int
same_issuer(const struct cv_identity *id, const struct cv_expected *want, struct cv_err *e)
{
	bool any = want->issuer != NULL || want->issuer_pattern != NULL;

	if (want->no_issuer == any)
		return cv_fail(e, CV_R_CONFIG,
			       "policy has to want one issuer, or none, of a signer");
	if (want->no_issuer && id->issuer != NULL)
		return cv_fail(e, CV_R_IDENTITY, "the signer has the issuer %.250s, want none",
			       id->issuer);
	if (want->no_issuer)
		return 0;
	return same("issuer", id->issuer, want->issuer, want->issuer_pattern, e);
}

static int
same_claim(const struct cv_identity *id, unsigned number, const char *want, struct cv_err *e)
{
	const char *word = cv_claim_word(number);
	char what[64];

	if (number == 0 || number >= CV_CLAIMS || number == OTHER_NAME)
		return cv_fail(e, CV_R_CONFIG, "policy wants claim %u, there is none", number);
	cv_text_fmt(what, sizeof(what), "%s%.0u", word == NULL ? "claim " : word,
		    word == NULL ? number : 0);
	return same(what, id->claim[number], want, NULL, e);
}

int
cv_identity_match(const struct cv_identity *id, const struct cv_expected *want, struct cv_err *e)
{
	if (same("name", id->subject, want->subject, want->subject_pattern, e) != 0)
		return -1;
	if (want->kind != CV_SAN_ANY && want->kind != id->kind)
		return cv_fail(e, CV_R_IDENTITY, "the signer's name is of another kind");
	if (same_issuer(id, want, e) != 0)
		return -1;
	if (want->n > CV_CLAIMS)
		return cv_fail(e, CV_R_CONFIG, "policy wants too many claims of a signer");
	for (size_t i = 0; i < want->n; i++)
		if (same_claim(id, want->claim[i].number, want->claim[i].value, e) != 0)
			return -1;
	return 0;
}
