/* SPDX-License-Identifier: Apache-2.0 */
/* forge_sigstore.c: see forge_sigstore.h. */
#include "tests/support/forge_sigstore_int.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

struct f_recipe
f_recipe(void)
{
	const char *start = "2024-01-01T00:00:00Z";

	return (struct f_recipe){
		.minor = 3,
		.from = F_WHEN - 60,
		.to = F_WHEN + 540,
		.subject = F_SUBJECT,
		.issuer_v1 = F_ISSUER,
		.issuer_v2 = F_ISSUER,
		.source_id = "4711",
		.sct_ms = (int64_t)F_WHEN * 1000 - 59000,
		.integrated = F_WHEN,
		.tsa = F_NOBODY,
		.stamp_ms = (int64_t)F_WHEN * 1000 + 500,
		.log_at = { .start = start },
		.ctlog_at = { .start = start },
		.ca_at = { .start = start },
		.tsa_at = { .start = start },
	};
}

/* ---- the instance ---- */

static EVP_PKEY *
ec_key(void)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");

	MUST(k != NULL);
	return k;
}

static EVP_PKEY *
ed_key(void)
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	MUST(k != NULL);
	return k;
}

struct f_instance *
f_instance_new(void)
{
	struct f_instance *s = calloc(1, sizeof(*s));

	MUST(s != NULL);
	for (int i = 0; i < 2; i++) {
		s->root[i].key = ec_key();
		s->root[i].cert = f_cert_ca(s->root[i].key, "root", NULL, s->root[i].key);
		s->inter[i].key = ec_key();
		s->inter[i].cert =
			f_cert_ca(s->inter[i].key, "issuing", s->root[i].cert, s->root[i].key);
		s->tsa_root[i].key = ec_key();
		s->tsa_root[i].cert =
			f_cert_ca(s->tsa_root[i].key, "time root", NULL, s->tsa_root[i].key);
		s->tsa[i].key = ec_key();
		s->tsa[i].cert =
			f_cert_tsa(s->tsa[i].key, "time", s->tsa_root[i].cert, s->tsa_root[i].key);
		s->ct[i] = ec_key();
		s->rekor[i] = ec_key();
		s->rekor2[i] = ed_key();
	}
	s->tsa_twin.key = ec_key();
	s->tsa_twin.cert =
		f_cert_tsa(s->tsa_twin.key, "twin", s->tsa_root[0].cert, s->tsa_root[0].key);
	s->web.key = ec_key();
	s->web.cert = f_cert_web(s->web.key, "issuing", s->root[0].cert, s->root[0].key);
	s->witness = ed_key();
	s->leaf = ec_key();
	s->strange = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	MUST(s->strange != NULL);
	return s;
}

static void
party_free(struct party *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
}

void
f_instance_free(struct f_instance **s)
{
	if (*s == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		party_free(&(*s)->root[i]);
		party_free(&(*s)->inter[i]);
		party_free(&(*s)->tsa_root[i]);
		party_free(&(*s)->tsa[i]);
		EVP_PKEY_free((*s)->ct[i]);
		EVP_PKEY_free((*s)->rekor[i]);
		EVP_PKEY_free((*s)->rekor2[i]);
	}
	party_free(&(*s)->tsa_twin);
	party_free(&(*s)->web);
	EVP_PKEY_free((*s)->witness);
	EVP_PKEY_free((*s)->leaf);
	EVP_PKEY_free((*s)->strange);
	X509_free((*s)->early);
	X509_free((*s)->late);
	free(*s);
	*s = NULL;
}

/* ---- the trust root ---- */

static void
window(struct cv_buf *out, const struct f_window *w)
{
	cv_buf_str(out, "\"validFor\":{");
	if (w->start != NULL)
		cv_buf_fmt(out, "\"start\":\"%s\"", w->start);
	if (w->end != NULL)
		cv_buf_fmt(out, "%s\"end\":\"%s\"", w->start != NULL ? "," : "", w->end);
	cv_buf_str(out, "}");
}

static void
root_log(struct cv_buf *out, const char *name, EVP_PKEY *key, const uint8_t id[32],
	 const struct f_window *w)
{
	struct cv_buf spki = CV_BUF(ROOM);

	f_spki(&spki, key);
	cv_buf_fmt(out,
		   "{\"baseUrl\":\"https://%s/\",\"hashAlgorithm\":\"SHA2_256\","
		   "\"publicKey\":{\"rawBytes\":\"",
		   name);
	b64(out, cv_buf_span(&spki));
	cv_buf_fmt(out, "\",\"keyDetails\":\"%s\",",
		   EVP_PKEY_is_a(key, "ED25519") ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256");
	window(out, w);
	cv_buf_str(out, "},\"logId\":{\"keyId\":\"");
	b64(out, cv_span(id, 32));
	cv_buf_str(out, "\"}}");
	cv_buf_free(&spki);
}

static void
root_ca(struct cv_buf *out, X509 *const *list, size_t n, const struct f_window *w)
{
	struct cv_buf der = CV_BUF(ROOM);

	cv_buf_str(out, "{\"certChain\":{\"certificates\":[{\"rawBytes\":\"");
	for (size_t i = 0; i < n; i++) {
		cv_buf_reset(&der);
		f_cert_der(&der, list[i]);
		b64(out, cv_buf_span(&der));
		cv_buf_str(out, i + 1 < n ? "\"},{\"rawBytes\":\"" : "\"}]},");
	}
	window(out, w);
	cv_buf_str(out, "}");
	cv_buf_free(&der);
}

static EVP_PKEY *
ct_key(const struct f_instance *s, const struct f_recipe *r, bool others)
{
	return r->ct_strange && !others ? s->strange : s->ct[others];
}

void
f_trusted_root(struct cv_buf *out, const struct f_instance *s, const struct f_recipe *r)
{
	X509 *ca[] = { r->web_ca ? s->web.cert : s->inter[0].cert, s->root[0].cert };
	X509 *two[] = { s->early, s->late, s->root[0].cert };
	X509 *tsa[] = { s->tsa[0].cert, s->tsa_root[0].cert };
	uint8_t id[32];

	cv_buf_str(out, "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1"
			"\",\"tlogs\":[");
	key_id(id, log_key(s, r, false));
	id[31] ^= r->root_wrong_id;
	root_log(out, NAME_1, log_key(s, r, false), id, &r->log_at);
	cv_buf_str(out, ",");
	note_id(id, s->rekor2[0], NAME_2, 1);
	root_log(out, NAME_2, s->rekor2[0], id, &r->log_at);
	cv_buf_str(out, "],\"ctlogs\":[");
	key_id(id, ct_key(s, r, false));
	root_log(out, "ct.example.test", ct_key(s, r, false), id, &r->ctlog_at);
	cv_buf_str(out, "],\"certificateAuthorities\":[");
	if (!r->no_ca)
		root_ca(out, r->two_issuers ? two : ca, r->two_issuers ? 3 : 2, &r->ca_at);
	cv_buf_str(out, "],\"timestampAuthorities\":[");
	root_ca(out, tsa, 2, &r->tsa_at);
	cv_buf_str(out, "]}");
	MUST(out->failed == CV_R_NONE);
}

/* ---- the certificate ---- */

static void
claim(X509 *x, unsigned number, const char *text)
{
	struct cv_buf b = CV_BUF(ROOM);
	char oid[64];

	if (text == NULL)
		return;
	cv_text_fmt(oid, sizeof(oid), "1.3.6.1.4.1.57264.1.%u", number);
	MUST(strlen(text) < 128);
	if (number >= 8) {
		cv_buf_byte(&b, 0x0c);
		cv_buf_byte(&b, (uint8_t)strlen(text));
	}
	cv_buf_str(&b, text);
	f_ext_raw(x, oid, cv_buf_span(&b));
	cv_buf_free(&b);
}

static const struct party *
issuing(const struct f_instance *s, const struct f_recipe *r)
{
	return r->web_ca ? &s->web : &s->inter[r->ca == F_OTHERS];
}

/* The TLS list (RFC 6962 3.3) that has this one as its last. */
static void
sct_list(struct cv_buf *out, const struct f_recipe *r, struct cv_span one)
{
	size_t others = r->sct_flaw == F_SCT_MANY ? 32 : 0, each = 1 + 32 + 8 + 2 + 2 + 2;
	size_t n = one.n + 2 + (2 + each) * others + (r->sct_flaw == F_SCT_CUT ? 2 : 0);

	if (r->sct_flaw == F_SCT_EMPTY) {
		add_be(out, 0, 2);
		return;
	}
	add_be(out, n + (r->sct_flaw == F_SCT_LIST), 2);
	for (size_t i = 0; i < others; i++) { /* by nobody known, with a signature of no bytes */
		add_be(out, each, 2);
		for (size_t k = 0; k < each; k++)
			cv_buf_byte(out, 0);
	}
	add_be(out, one.n, 2);
	cv_buf_add(out, one.p, one.n);
	if (r->sct_flaw == F_SCT_CUT)
		add_be(out, 0xff, 2);
}

/* RFC 6962 3.2: what the certificate log signs. */
static void
sct(struct cv_buf *out, struct f_instance *s, const struct f_recipe *r, X509 *x)
{
	struct cv_buf tbs = CV_BUF(ROOM), list = CV_BUF(ROOM), sig = CV_BUF(ROOM);
	EVP_PKEY *key = ct_key(s, r, r->sct == F_OTHERS);
	uint64_t ms = r->sct_flaw == F_SCT_TIME ? UINT64_MAX : (uint64_t)r->sct_ms;
	const char *extension = r->sct_extension ? "\1\2\3\4\5" : "";
	unsigned char *der = NULL;
	uint8_t id[32];
	int n;

	n = i2d_re_X509_tbs(x, &der);
	MUST(n > 0);
	cv_buf_add(&tbs, "\0\0", 2);
	add_be(&tbs, ms, 8);
	add_be(&tbs, 1, 2);
	key_id(id, r->sct_wrong_issuer ? s->root[0].key : issuing(s, r)->key);
	cv_buf_add(&tbs, id, 32);
	add_be(&tbs, (uint64_t)n, 3);
	cv_buf_add(&tbs, der, (size_t)n);
	add_be(&tbs, strlen(extension), 2);
	cv_buf_str(&tbs, extension);
	if (r->sct_bad)
		cv_buf_byte(&tbs, 0);
	f_sign_with(&sig, key, cv_buf_span(&tbs));
	OPENSSL_free(der);

	key_id(id, key);
	cv_buf_byte(&list, r->sct_flaw == F_SCT_VERSION);
	cv_buf_add(&list, id, 32);
	add_be(&list, ms, 8);
	add_be(&list, strlen(extension), 2);
	cv_buf_str(&list, extension);
	cv_buf_byte(&list, r->sct_flaw == F_SCT_HASH ? 2 : 4);
	cv_buf_byte(&list, r->sct_flaw == F_SCT_ALG ? 1 : 3);
	add_be(&list, sig.n, 2);
	cv_buf_add(&list, sig.p, sig.n);
	if (r->sct_flaw == F_SCT_TRAILING)
		cv_buf_byte(&list, 0);
	sct_list(out, r, cv_buf_span(&list));
	cv_buf_free(&tbs);
	cv_buf_free(&list);
	cv_buf_free(&sig);
}

static void
names(X509 *x, X509 *issuer, const struct f_recipe *r)
{
	const char *kind = r->email ? "email" : r->dns ? "DNS" : "URI";
	char san[1024];

	if (r->subject == NULL)
		return;
	if (r->user_name)
		kind = "otherName";
	cv_text_fmt(san, sizeof(san), "%s%s:%s%s%s%s", r->plain_name ? "" : "critical,", kind,
		    r->user_name ? "1.3.6.1.4.1.57264.1.7;UTF8:" : "", r->subject,
		    r->second_subject != NULL ? ",URI:" : "",
		    r->second_subject != NULL ? r->second_subject : "");
	f_ext(x, issuer, NID_subject_alt_name, san);
}

/* Two authorities of one name and key id below our root, one until a second after F_WHEN
 * and one from then on; x, issued by the first, is as well the other's. */
static void
two_issuers(struct f_instance *s, X509 *x)
{
	EVP_PKEY *other = f_cert_other_key(x, s->inter[0].key);

	X509_free(s->early);
	X509_free(s->late);
	s->early = f_cert_again(s->inter[0].cert, s->inter[0].key, F_CA_FROM, F_WHEN + 1,
				s->root[0].key);
	s->late = f_cert_again(s->inter[0].cert, other, F_WHEN + 1, F_CA_TO, s->root[0].key);
	EVP_PKEY_free(other);
}

static X509 *
leaf(struct f_instance *s, const struct f_recipe *r)
{
	const struct party *ca = issuing(s, r);
	X509 *x = f_cert_new(s->leaf, NULL, ca->cert, r->from, r->to);
	struct cv_buf list = CV_BUF(ROOM), outer = CV_BUF(ROOM);

	if (!r->no_ku)
		f_ext(x, ca->cert, NID_key_usage,
		      r->ca_leaf ? "critical,digitalSignature,keyCertSign"
				 : "critical,digitalSignature");
	f_ext(x, ca->cert, NID_ext_key_usage, r->no_eku ? "clientAuth" : "codeSigning");
	if (r->ca_leaf)
		f_ext(x, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	f_ext(x, ca->cert, NID_subject_key_identifier, "hash");
	f_ext(x, ca->cert, NID_authority_key_identifier, "keyid");
	names(x, ca->cert, r);
	claim(x, 1, r->issuer_v1);
	claim(x, 8, r->issuer_v2);
	claim(x, 15, r->source_id);
	if (r->claim_twice)
		claim(x, 15, "4712");
	if (r->raw_claim.n > 0)
		f_ext_raw(x, "1.3.6.1.4.1.57264.1.12", r->raw_claim);
	MUST(X509_sign(x, ca->key, EVP_sha256()) > 0);
	if (r->sct != F_NOBODY) {
		sct(&list, s, r, x);
		cv_buf_byte(&outer, r->sct_flaw == F_SCT_NO_LIST ? 0x0c : 0x04);
		MUST(list.n < 0x10000);
		if (list.n >= 0x80)
			cv_buf_byte(&outer, list.n >= 0x100 ? 0x82 : 0x81);
		if (list.n >= 0x100)
			cv_buf_byte(&outer, (uint8_t)(list.n >> 8));
		cv_buf_byte(&outer, (uint8_t)list.n);
		cv_buf_add(&outer, list.p, list.n);
		if (r->sct_flaw == F_SCT_OUTER)
			cv_buf_byte(&outer, 0);
		f_ext_raw(x, "1.3.6.1.4.1.11129.2.4.2", cv_buf_span(&outer));
		MUST(X509_sign(x, ca->key, EVP_sha256()) > 0);
	}
	cv_buf_free(&list);
	cv_buf_free(&outer);
	if (r->tbs_not_der)
		x = f_cert_other_form(x, ca->key);
	return x;
}

/* ---- the bundle ---- */

static void
stamps(struct cv_buf *out, struct f_instance *s, const struct made *m)
{
	const struct f_recipe *r = m->r;
	const struct party *p =
		r->stamp_foreign_signer ? &s->tsa_twin : &s->tsa[r->tsa == F_OTHERS];
	struct cv_buf token = CV_BUF(ROOM);

	if (r->tsa == F_NOBODY)
		return;
	f_stamp(&token, p->cert, p->key, r->stamp_ms,
		cv_buf_span(r->stamp_other ? &m->other : &m->signature), r->stamp_sha1,
		r->stamp_weak);
	if (r->stamp_trailing)
		cv_buf_byte(&token, 0);
	cv_buf_str(out, ",\"timestampVerificationData\":{\"rfc3161Timestamps\":[");
	for (int i = 0; i <= (int)r->stamp_twice; i++) {
		cv_buf_str(out, i > 0 ? ",{\"signedTimestamp\":\"" : "{\"signedTimestamp\":\"");
		b64(out, cv_buf_span(&token));
		cv_buf_str(out, "\"}");
	}
	cv_buf_str(out, "]}");
	cv_buf_free(&token);
}

/* SEQUENCE with a length of three bytes where two are enough: BER, not DER. */
static void
longer(struct cv_buf *der)
{
	struct cv_buf b = CV_BUF(ROOM);

	MUST(der->n > 4 && der->p[1] == 0x82);
	cv_buf_add(&b, "\x30\x83\x00", 3);
	cv_buf_add(&b, der->p + 2, der->n - 2);
	cv_buf_free(der);
	*der = b;
}

static void
certificates(struct cv_buf *out, struct f_instance *s, const struct made *m)
{
	X509 *list[] = { m->leaf, s->inter[1].cert, s->root[1].cert };
	bool chain = m->r->minor < 3 || m->r->chain_in_bundle;
	struct cv_buf der = CV_BUF(ROOM);

	cv_buf_str(out,
		   chain ? "\"x509CertificateChain\":{\"certificates\":[" : "\"certificate\":");
	for (size_t i = 0; i < (m->r->chain_in_bundle ? 3u : 1u); i++) {
		cv_buf_reset(&der);
		f_cert_der(&der, list[i]);
		if (m->r->not_der) /* the outermost length in a byte more than it needs */
			longer(&der);
		if (m->r->trailing)
			cv_buf_byte(&der, 0);
		cv_buf_str(out, i > 0 ? ",{\"rawBytes\":\"" : "{\"rawBytes\":\"");
		b64(out, cv_buf_span(&der));
		cv_buf_str(out, "\"}");
	}
	cv_buf_str(out, chain ? "]}," : ",");
	cv_buf_free(&der);
}

static void
content(struct cv_buf *out, const struct made *m)
{
	uint8_t d[32];

	if (m->r->dsse) {
		cv_buf_str(out, "\"dsseEnvelope\":{\"payload\":\"");
		b64(out, m->payload);
		cv_buf_str(out, "\",\"payloadType\":\"" F_INTOTO "\",\"signatures\":[{\"sig\":\"");
		b64(out, cv_buf_span(&m->signature));
		cv_buf_str(out, "\"}]}}");
		return;
	}
	sha256(d, m->payload);
	d[0] ^= m->r->wrong_hint_digest;
	cv_buf_str(out, "\"messageSignature\":{\"messageDigest\":{\"algorithm\":\"SHA2_256\","
			"\"digest\":\"");
	b64(out, cv_span(d, 32));
	cv_buf_str(out, "\"},\"signature\":\"");
	b64(out, cv_buf_span(&m->signature));
	cv_buf_str(out, "\"}}");
}

static void
defaults(struct f_recipe *r)
{
	const char *kind = r->dsse && !r->v2 ? "dsse" : "hashedrekord";
	const char *version = r->v2 ? "0.0.2" : "0.0.1";

	r->kind = r->kind == NULL ? kind : r->kind;
	r->version = r->version == NULL ? version : r->version;
	r->body_kind = r->body_kind == NULL ? r->kind : r->body_kind;
	r->body_version = r->body_version == NULL ? r->version : r->body_version;
}

static void
sign(struct made *m, struct f_instance *s, struct cv_span artifact)
{
	m->payload = artifact;
	if (m->r->dsse)
		cv_buf_fmt(&m->over, "DSSEv1 %zu %s %zu ", strlen(F_INTOTO), F_INTOTO, artifact.n);
	cv_buf_add(&m->over, artifact.p, artifact.n);
	f_sign_with(&m->other, s->leaf, cv_buf_span(&m->over));
	if (m->r->bad_signature)
		f_sign_with(&m->signature, s->leaf, cv_span_str("something else"));
	else
		f_sign_with(&m->signature, s->leaf, cv_buf_span(&m->over));
}

void
f_keyless(struct cv_buf *out, struct f_instance *s, const struct f_recipe *recipe,
	  struct cv_span artifact)
{
	struct f_recipe r = *recipe;
	struct made m = {
		.r = &r,
		.over = CV_BUF(ROOM),
		.signature = CV_BUF(ROOM),
		.other = CV_BUF(ROOM),
	};

	defaults(&r);
	m.leaf = leaf(s, &r);
	m.other_leaf = leaf(s, &r);
	if (r.two_issuers)
		two_issuers(s, m.leaf);
	sign(&m, s, artifact);
	if (r.minor < 3)
		cv_buf_fmt(
			out,
			"{\"mediaType\":\"application/vnd.dev.sigstore.bundle+json;version=0.%u\",",
			r.minor);
	else
		cv_buf_str(out,
			   "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",");
	cv_buf_str(out, "\"verificationMaterial\":{");
	certificates(out, s, &m);
	cv_buf_str(out, "\"tlogEntries\":[");
	if (!(r.set == F_NOBODY && r.checkpoint == F_NOBODY)) {
		f_log_entry(out, s, &m);
		if (r.duplicate_entry) {
			cv_buf_str(out, ",");
			f_log_entry(out, s, &m);
		}
	}
	cv_buf_str(out, "]");
	stamps(out, s, &m);
	cv_buf_str(out, "},");
	content(out, &m);
	MUST(out->failed == CV_R_NONE);
	X509_free(m.leaf);
	X509_free(m.other_leaf);
	cv_buf_free(&m.over);
	cv_buf_free(&m.signature);
	cv_buf_free(&m.other);
}
