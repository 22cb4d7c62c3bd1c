/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and timestamps, each by itself: what a whole bundle does not show because
 * another check comes first. Refusals are told apart by their text. */
#include "tests/support/forge.h"
#include "tests/support/forge_cert.h"
#include "tests/support/t.h"
#include "trust/annotated.h"
#include "trust/identity.h"
#include "trust/pattern.h"
#include "trust/tsa.h"
#include "trust/x509.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "trust/base/banned.h"

#define ROOM (1 << 20)
#define WHEN 1750000000 /* 2025-06-15T15:06:40Z */

/* ---- certificates ---- */

static EVP_PKEY *
key_new(const char *kind, size_t bits)
{
	EVP_PKEY *k = bits > 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits) : EVP_EC_gen(kind);

	T(k != NULL);
	return k;
}

/* A self-signed one, for the key's sake. */
static void
about_key(struct cv_buf *out, const char *curve, size_t bits)
{
	EVP_PKEY *k = key_new(curve, bits);
	X509 *x = f_cert_new(k, "name", NULL, F_CA_FROM, F_CA_TO);

	T(X509_sign(x, k, EVP_sha256()) > 0);
	f_cert_der(out, x);
	X509_free(x);
	EVP_PKEY_free(k);
}

static void
no_cert(struct cv_span der, enum cv_reason reason, const char *says)
{
	struct cv_cert *c = NULL;
	struct cv_err e;

	T_NO(cv_cert_load(&c, "c", der, &e), e, reason);
	T_HAS(e.text, says);
}

static void
certificates(void)
{
	struct cv_buf b = CV_BUF(ROOM);
	uint8_t *p;

	no_cert(cv_span("", 0), CV_R_MALFORMED, "want 1 to");
	no_cert(cv_span("\x30\x03\x02\x01\x01", 5), CV_R_MALFORMED, "no certificate");
	about_key(&b, "P-256", 0);
	cv_buf_byte(&b, 0);
	no_cert(cv_buf_span(&b), CV_R_MALFORMED, "1 bytes after");
	while (b.n <= CV_MAX_CERTIFICATE)
		cv_buf_byte(&b, 0);
	no_cert(cv_buf_span(&b), CV_R_LIMIT, "want 1 to");
	cv_buf_reset(&b);
	about_key(&b, "P-224", 0);
	no_cert(cv_buf_span(&b), CV_R_UNSUPPORTED, "");
	cv_buf_reset(&b);
	about_key(&b, NULL, 768);
	no_cert(cv_buf_span(&b), CV_R_UNSUPPORTED, "cannot be decoded");
	cv_buf_reset(&b);
	about_key(&b, NULL, 1024);
	no_cert(cv_buf_span(&b), CV_R_RULE, "1024");
	cv_buf_reset(&b);
	about_key(&b, "P-256", 0); /* a point that is not on the curve */
	p = memmem(b.p, b.n, "\x03\x42\x00\x04", 4);
	T(p != NULL);
	memset(p + 4, 0xff, 64);
	no_cert(cv_buf_span(&b), CV_R_UNSUPPORTED, "cannot be decoded");
	cv_buf_free(&b);
}

/* The last bit of the signature is said not to be one, and is set: BER, of equal length. */
static void
unused_bit(struct cv_buf *der, X509 *x)
{
	const ASN1_BIT_STRING *sig;

	f_cert_der(der, x);
	X509_get0_signature(&sig, NULL, x);
	der->p[der->n - (size_t)sig->length - 1] = 1;
	der->p[der->n - 1] |= 1;
}

static void
extensions(void)
{
	EVP_PKEY *k = key_new("P-256", 0);
	X509 *x = f_cert_new(k, "name", NULL, F_CA_FROM, F_CA_TO);
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_cert *c = NULL;
	struct cv_err e;
	char oid[32];

	for (unsigned i = 1; i <= 64; i++) {
		snprintf(oid, sizeof(oid), "1.2.3.%u", i);
		f_ext_raw(x, oid, cv_span("\x05\x00", 2));
	}
	T(X509_sign(x, k, EVP_sha256()) > 0);
	f_cert_der(&b, x);
	T_OK(cv_cert_load(&c, "c", cv_buf_span(&b), &e), e);
	cv_cert_free(&c);
	cv_buf_reset(&b);
	unused_bit(&b, x);
	no_cert(cv_buf_span(&b), CV_R_MALFORMED, "not DER");
	f_ext_raw(x, "1.2.3.65", cv_span("\x05\x00", 2));
	T(X509_sign(x, k, EVP_sha256()) > 0);
	cv_buf_reset(&b);
	f_cert_der(&b, x);
	no_cert(cv_buf_span(&b), CV_R_LIMIT, "65 extensions");
	X509_free(x);

	x = f_cert_new(k, "name", NULL, F_CA_FROM, F_CA_TO);
	f_ext_raw(x, "2.5.29.19", cv_span("\x30\x01", 2)); /* no basicConstraints */
	T(X509_sign(x, k, EVP_sha256()) > 0);
	cv_buf_reset(&b);
	f_cert_der(&b, x);
	no_cert(cv_buf_span(&b), CV_R_MALFORMED, "an extension that is malformed");
	X509_free(x);
	EVP_PKEY_free(k);
	cv_buf_free(&b);
}

struct profile {
	long version;
	const char *usage, *extended, *constraints; /* NULL: left out */
	const char *says;                           /* NULL: it signs code */
};

static const struct profile profiles[] = {
	{ X509_VERSION_3, "critical,digitalSignature", "codeSigning", NULL, NULL },
	{ X509_VERSION_3, "digitalSignature", "codeSigning", "CA:FALSE", NULL },
	{ X509_VERSION_1, "digitalSignature", "codeSigning", NULL, "version 3" },
	{ X509_VERSION_3, "digitalSignature", "codeSigning", "CA:TRUE", "an authority's" },
	{ X509_VERSION_3, "digitalSignature,keyCertSign", "codeSigning", NULL, "an authority's" },
	{ X509_VERSION_3, NULL, "codeSigning", NULL, "digital signatures" },
	{ X509_VERSION_3, "keyEncipherment", "codeSigning", NULL, "digital signatures" },
	{ X509_VERSION_3, "digitalSignature", NULL, NULL, "code signing" },
	{ X509_VERSION_3, "digitalSignature", "serverAuth", NULL, "code signing" },
};

static void
who_signs_code(void)
{
	EVP_PKEY *k = key_new("P-256", 0);

	for (size_t i = 0; i < CV_COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		X509 *x = f_cert_new(k, "name", NULL, F_CA_FROM, F_CA_TO);
		struct cv_buf b = CV_BUF(ROOM);
		struct cv_cert *c = NULL;
		struct cv_err e;

		if (p->usage != NULL)
			f_ext(x, NULL, NID_key_usage, p->usage);
		if (p->extended != NULL)
			f_ext(x, NULL, NID_ext_key_usage, p->extended);
		if (p->constraints != NULL)
			f_ext(x, NULL, NID_basic_constraints, p->constraints);
		T(X509_set_version(x, p->version) == 1);
		T(X509_sign(x, k, EVP_sha256()) > 0);
		f_cert_der(&b, x);
		T_OK(cv_cert_load(&c, "c", cv_buf_span(&b), &e), e);
		if (p->says == NULL) {
			T_OK(cv_cert_signs_code(c, &e), e);
		} else {
			T_NO(cv_cert_signs_code(c, &e), e, CV_R_RULE);
			T_HAS(e.text, p->says);
		}
		cv_cert_free(&c);
		cv_buf_free(&b);
		X509_free(x);
	}
	EVP_PKEY_free(k);
}

static void
load(struct cv_cert **ret, X509 *x)
{
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_err e;

	f_cert_der(&b, x);
	T_OK(cv_cert_load(ret, "c", cv_buf_span(&b), &e), e);
	cv_buf_free(&b);
}

/* An authority is nobody's leaf, its own least of all; one without certificates is none. */
static void
no_chain(void)
{
	EVP_PKEY *k = key_new("P-256", 0);
	X509 *x = f_cert_ca(k, "root", NULL, k);
	struct cv_ca ca = { .n = 1, .valid = { .open = true } };
	struct cv_cert *leaf = NULL;
	struct cv_digest issuer;
	struct cv_err e;

	load(&ca.cert[0], x);
	load(&leaf, x);
	T_NO(cv_chain_at(&ca, leaf, WHEN * 1000LL, &issuer, &e), e, CV_R_IDENTITY);
	T_HAS(e.text, "an authority's own");
	ca.n = 0;
	T_NO(cv_chain_at(&ca, leaf, WHEN * 1000LL, &issuer, &e), e, CV_R_BUG);
	cv_cert_free(&ca.cert[0]);
	cv_cert_free(&leaf);
	X509_free(x);
	EVP_PKEY_free(k);
}

struct named {
	bool nameless; /* no subject besides */
	struct cv_span san;
	unsigned number;
	struct cv_span claim;
	enum cv_reason reason;
	const char *says;
};

#define BYTES(text)                                                                                \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1, false                                   \
	}
#define SAN BYTES("\x30\x03\x86\x01x")
#define X16 "xxxxxxxxxxxxxxxx"

static const struct named names[] = {
	{ false, SAN, 12, BYTES("\x0c\x01x"), CV_R_NONE, "" },
	{ false, BYTES("\x30\x02\x86\x00"), 12, BYTES("\x0c\x01x"), CV_R_MALFORMED, "empty" },
	{ false, BYTES("\x30\x03\x86\x01\x1f"), 12, BYTES("\x0c\x01x"), CV_R_MALFORMED,
	  "printable" },
	{ false, BYTES("\x30\x03\x86\x01\x7f"), 12, BYTES("\x0c\x01x"), CV_R_MALFORMED,
	  "printable" },
	{ false, { 0 }, 12, BYTES("\x0c\x01x"), CV_R_MALFORMED, "found none" },
	{ true, SAN, 12, BYTES("\x0c\x01x"), CV_R_MALFORMED, "critical" }, /* and it is not */
	{ false, SAN, 12, BYTES("\x0c"), CV_R_MALFORMED, "UTF8String" },
	{ false, SAN, 12, BYTES("\x0c\x80" X16 X16 X16 X16 X16 X16 X16 X16), CV_R_MALFORMED,
	  "UTF8String" },
	{ false, SAN, 12, BYTES("\x0c\x81\x80" X16 X16 X16 X16 X16 X16 X16 X16), CV_R_NONE, "" },
	{ false, SAN, 7, BYTES("\xff"), CV_R_NONE, "" },  /* of another kind of name: passed over */
	{ false, SAN, 99, BYTES("\xff"), CV_R_NONE, "" }, /* and what nobody knows */
};

static void
names_and_claims(void)
{
	EVP_PKEY *k = key_new("P-256", 0);

	for (size_t i = 0; i < CV_COUNT(names); i++) {
		const char *name = names[i].nameless ? NULL : "name";
		X509 *x = f_cert_new(k, name, NULL, F_CA_FROM, F_CA_TO);
		struct cv_err e = { .reason = CV_R_NONE };
		struct cv_identity *id = NULL;
		struct cv_cert *c = NULL;
		char oid[64];

		snprintf(oid, sizeof(oid), "1.3.6.1.4.1.57264.1.%u", names[i].number);
		if (names[i].san.n > 0)
			f_ext_raw(x, "2.5.29.17", names[i].san);
		f_ext_raw(x, oid, names[i].claim);
		T(X509_sign(x, k, EVP_sha256()) > 0);
		load(&c, x);
		if (cv_identity_read(&id, c, &e) == 0)
			e = (struct cv_err){ .reason = CV_R_NONE };
		if (e.reason != names[i].reason)
			t_fail(__FILE__, __LINE__, "%zu: %s (%s), want %s", i,
			       cv_reason_word(e.reason), e.text, cv_reason_word(names[i].reason));
		T_HAS(e.text, names[i].says);
		cv_identity_free(&id);
		cv_cert_free(&c);
		X509_free(x);
	}
	EVP_PKEY_free(k);
}

/* What policy can want of nobody. */
static void
wanted(void)
{
	char subject[] = "x", issuer[] = "i", value[] = "v";
	struct cv_identity id = { .kind = CV_SAN_URI, .subject = subject, .issuer = issuer };
	struct cv_expected want = { .subject = "x", .issuer = "i", .n = CV_CLAIMS };
	char slow[] = "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac";
	struct cv_pattern *p = NULL;
	struct cv_err e;

	id.claim[12] = value;
	for (size_t i = 0; i < CV_CLAIMS; i++) {
		want.claim[i].number = 12;
		want.claim[i].value = "v";
	}
	T_OK(cv_identity_match(&id, &want, &e), e);
	want.n++;
	T_NO(cv_identity_match(&id, &want, &e), e, CV_R_CONFIG);
	T_HAS(e.text, "too many");
	want.n = 1;
	want.claim[0].number = 7; /* a kind of name, no claim */
	T_NO(cv_identity_match(&id, &want, &e), e, CV_R_CONFIG);
	want.n = 0; /* what cannot be found out is no mismatch */
	T_OK(cv_pattern_compile(&p, "https://(a+)+[bd]", &e), e);
	want.subject = NULL;
	want.subject_pattern = p;
	id.subject = slow;
	T_NO(cv_identity_match(&id, &want, &e), e, CV_R_UNSUPPORTED);
	cv_pattern_free(&p);
}

/* ---- timestamps ---- */

struct clock {
	EVP_PKEY *root_key, *key, *twin_key, *other_key;
	X509 *root_cert, *cert, *other;
	X509 *twin, *foreign; /* of the same issuer and number; of the same number alone */
	struct cv_root *root;
};

static struct clock
clock_new(void)
{
	struct clock c = {
		.root_key = key_new("P-256", 0),
		.key = key_new("P-256", 0),
		.twin_key = key_new("P-256", 0),
		.other_key = key_new("P-256", 0),
		.root = calloc(1, sizeof(*c.root)),
	};

	T(c.root != NULL);
	c.root_cert = f_cert_ca(c.root_key, "time root", NULL, c.root_key);
	c.cert = f_cert_tsa(c.key, "time", c.root_cert, c.root_key);
	c.other = f_cert_tsa(c.other_key, "other", c.root_cert, c.root_key);
	c.twin = f_cert_tsa(c.twin_key, "time", c.root_cert, c.root_key);
	T(X509_set_serialNumber(c.twin, X509_get_serialNumber(c.cert)) == 1);
	T(X509_sign(c.twin, c.root_key, EVP_sha256()) > 0);
	c.foreign = f_cert_tsa(c.other_key, "time", c.other, c.other_key);
	T(X509_set_serialNumber(c.foreign, X509_get_serialNumber(c.cert)) == 1);
	T(X509_sign(c.foreign, c.other_key, EVP_sha256()) > 0);
	c.root->tsas = 1;
	c.root->tsa[0].n = 2;
	c.root->tsa[0].valid.open = true;
	load(&c.root->tsa[0].cert[0], c.cert);
	load(&c.root->tsa[0].cert[1], c.root_cert);
	return c;
}

static void
clock_free(struct clock *c)
{
	EVP_PKEY_free(c->root_key);
	EVP_PKEY_free(c->key);
	EVP_PKEY_free(c->twin_key);
	EVP_PKEY_free(c->other_key);
	X509_free(c->root_cert);
	X509_free(c->cert);
	X509_free(c->twin);
	X509_free(c->other);
	X509_free(c->foreign);
	cv_root_free(&c->root);
}

#define SIGNATURE "a signature"

struct when {
	const char *text;
	enum cv_reason reason;
	const char *says;
	int64_t ms;
};

static const struct when times[] = {
	{ "20250615150640Z", CV_R_NONE, "", WHEN * 1000LL },
	{ "20250615150640.5Z", CV_R_NONE, "", WHEN * 1000LL + 500 },
	{ "20250615150640.0625Z", CV_R_NONE, "", WHEN * 1000LL + 62 },
	{ "2025Z", CV_R_MALFORMED, "not in UTC", 0 },
	{ "", CV_R_MALFORMED, "", 0 },
	{ "20250615150640", CV_R_MALFORMED, "not in UTC", 0 },
	{ "20250615150640.5", CV_R_MALFORMED, "not in UTC", 0 },
	{ "20250615150640+0100", CV_R_MALFORMED, "not in UTC", 0 },
	{ "20251315150640Z", CV_R_MALFORMED, "", 0 },
	{ "20250615156640Z", CV_R_MALFORMED, "", 0 },
	{ "20250615150640,5Z", CV_R_MALFORMED, "malformed", 0 },
	{ "20250615150640.Z", CV_R_MALFORMED, "malformed", 0 },
	{ "20250615150640.5/Z", CV_R_MALFORMED, "malformed", 0 },
	{ "20250615150640.:Z", CV_R_MALFORMED, "malformed", 0 },
	{ "20231231235959Z", CV_R_EXPIRED, "", 0 }, /* before its certificate */
	{ "20300101000001Z", CV_R_EXPIRED, "", 0 }, /* and after */
};

static int
stamped(const struct clock *c, struct cv_stamp *s, struct cv_span token, struct cv_err *e)
{
	return cv_tsa_verify(s, c->root, token, cv_span_str(SIGNATURE), e);
}

static void
moments(void)
{
	struct clock c = clock_new();
	struct f_signer by = { c.cert, c.key };

	for (size_t i = 0; i < CV_COUNT(times); i++) {
		struct cv_buf b = CV_BUF(ROOM);
		struct cv_stamp s = { .ms = 0 };
		struct cv_err e = { .reason = CV_R_NONE };

		f_stamp_raw(&b, times[i].text, cv_span_str(SIGNATURE), &by, 1);
		if (stamped(&c, &s, cv_buf_span(&b), &e) == 0) {
			e = (struct cv_err){ .reason = CV_R_NONE };
			T_INT(s.ms, times[i].ms);
		}
		if (e.reason != times[i].reason)
			t_fail(__FILE__, __LINE__, "%s: %s (%s), want %s", times[i].text,
			       cv_reason_word(e.reason), e.text, cv_reason_word(times[i].reason));
		T_HAS(e.text, times[i].says);
		cv_buf_free(&b);
	}
	clock_free(&c);
}

/* Signed by the authority and by others too, or by others in its name. */
static void
signers(void)
{
	struct clock c = clock_new();
	struct f_signer both[] = { { c.cert, c.key }, { c.other, c.other_key } };
	struct f_signer twin = { c.twin, c.twin_key }, other = { c.other, c.other_key };
	struct f_signer foreign = { c.foreign, c.other_key }, forged = { c.cert, c.key };
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_stamp s;
	struct cv_err e;

	f_stamp_raw(&b, "20250615150640Z", cv_span_str(SIGNATURE), both, 2);
	T_NO(stamped(&c, &s, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "2 signers");
	cv_buf_reset(&b);
	f_stamp_raw(&b, "20250615150640Z", cv_span_str(SIGNATURE), &twin, 1);
	T_NO(stamped(&c, &s, cv_buf_span(&b), &e), e, CV_R_SIGNATURE);
	cv_buf_reset(&b);
	f_stamp_raw(&b, "20250615150640Z", cv_span_str(SIGNATURE), &other, 1);
	T_NO(stamped(&c, &s, cv_buf_span(&b), &e), e, CV_R_IDENTITY);
	T_HAS(e.text, "by nobody");
	cv_buf_reset(&b);
	f_stamp_raw(&b, "20250615150640Z", cv_span_str(SIGNATURE), &foreign, 1);
	T_NO(stamped(&c, &s, cv_buf_span(&b), &e), e, CV_R_IDENTITY);
	T_HAS(e.text, "by nobody");
	cv_buf_reset(&b);
	f_stamp_raw(&b, "20250615150640Z", cv_span_str("another"), &forged, 1);
	T_NO(stamped(&c, &s, cv_buf_span(&b), &e), e, CV_R_DIGEST);
	clock_free(&c);
	cv_buf_free(&b);
}

/* Not granted, by no token or in spite of one; over nothing; no response at all. */
static void
refusals(void)
{
	static const char refused[] = "\x30\x05\x30\x03\x02\x01\x02";
	struct clock c = clock_new();
	struct f_signer by = { c.cert, c.key };
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_stamp s;
	struct cv_err e;
	uint8_t *status;

	T_NO(stamped(&c, &s, cv_span(refused, 7), &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "not granted");
	T_NO(stamped(&c, &s, cv_span("\x04\x01x", 3), &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "no TimeStampResp");
	f_stamp_raw(&b, "20250615150640Z", cv_span_str(SIGNATURE), &by, 1);
	T_OK(stamped(&c, &s, cv_buf_span(&b), &e), e);
	T(s.tsa == &c.root->tsa[0]);
	T_NO(cv_tsa_verify(&s, c.root, cv_buf_span(&b), cv_span("", 0), &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "over no signature");
	status = memmem(b.p, b.n, "\x30\x03\x02\x01\x00", 5);
	T(status != NULL);
	status[4] = 2; /* rejection, and a token besides */
	T_NO(stamped(&c, &s, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	cv_buf_reset(&b);
	cv_buf_byte(&b, 0);
	for (size_t i = 0; i < CV_MAX_SIGNATURE; i++)
		cv_buf_byte(&b, 0);
	T_NO(cv_tsa_verify(&s, c.root, cv_span(refused, 7), cv_buf_span(&b), &e), e,
	     CV_R_MALFORMED);
	T_HAS(e.text, "over no signature");
	clock_free(&c);
	cv_buf_free(&b);
}

/* What an annotation holds becomes part of a document, and must not write more of it. */
static void
annotations(void)
{
	static const char *const bad[] = { "AA\"},\"x\":{\"", "AA\\", "A A-A", "A\x01" };
	struct cv_descriptor d = { .signature = (char[]){ "AA==" } };
	struct cv_buf out = CV_BUF(1 << 16);
	char pem[200];
	struct cv_err e;

	d.certificate = pem;
	(void)snprintf(pem, sizeof(pem), "%s\nAA==\n%s", "-----BEGIN CERTIFICATE-----",
		       "-----END CERTIFICATE-----");
	T_OK(cv_annotated_bundle(&out, &d, cv_span(NULL, 0), &e), e);
	T_HAS(cv_buf_text(&out), "{\"rawBytes\":\"AA==\"}");
	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		(void)snprintf(pem, sizeof(pem), "-----BEGIN CERTIFICATE-----%s%s", bad[i],
			       "-----END CERTIFICATE-----");
		cv_buf_reset(&out);
		T_NO(cv_annotated_bundle(&out, &d, cv_span(NULL, 0), &e), e, CV_R_MALFORMED);
		T_HAS(e.text, "want base64");
	}
	d.certificate = NULL;
	T_NO(cv_annotated_bundle(&out, &d, cv_span_str("{}, \"messageSignature\": {}"), &e), e,
	     CV_R_MALFORMED);
	cv_buf_free(&out);
}

static const struct t_case cases[] = {
	{ "certificates", certificates },         { "extensions", extensions },
	{ "who may sign code", who_signs_code },  { "no chain", no_chain },
	{ "names and claims", names_and_claims }, { "times", moments },
	{ "signers of a timestamp", signers },    { "no timestamp", refusals },
	{ "what is wanted of nobody", wanted },   { "annotations", annotations },
};

T_MAIN(cases)
