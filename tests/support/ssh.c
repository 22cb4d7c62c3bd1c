/* SPDX-License-Identifier: Apache-2.0 */
/* ssh.c: see ssh.h. */
#include "tests/support/ssh.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "trust/base/enc.h"

#include "trust/base/banned.h"

#define APPLICATION "ssh:"

struct s_key {
	EVP_PKEY *k;
	enum cv_ssh_kind kind;
};

static const struct {
	const char *name, *curve, *group;
} kinds[] = {
	[CV_SSH_ED25519] = { "ssh-ed25519", NULL, NULL },
	[CV_SSH_P256] = { "ecdsa-sha2-nistp256", "nistp256", "P-256" },
	[CV_SSH_P384] = { "ecdsa-sha2-nistp384", "nistp384", "P-384" },
	[CV_SSH_P521] = { "ecdsa-sha2-nistp521", "nistp521", "P-521" },
	[CV_SSH_RSA] = { "ssh-rsa", NULL, NULL },
	[CV_SSH_SK_ED25519] = { "sk-ssh-ed25519@openssh.com", NULL, NULL },
	[CV_SSH_SK_P256] = { "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", "P-256" },
};

static struct s_key *
wrap(EVP_PKEY *p, enum cv_ssh_kind kind)
{
	struct s_key *k = calloc(1, sizeof(*k));

	T(p != NULL && k != NULL);
	k->k = p;
	k->kind = kind;
	return k;
}

struct s_key *
s_key_weak_rsa(unsigned bits)
{
	return wrap(EVP_RSA_gen(bits), CV_SSH_RSA);
}

struct s_key *
s_key_new(enum cv_ssh_kind kind)
{
	if (kind == CV_SSH_RSA)
		return s_key_weak_rsa(2048);
	if (kinds[kind].group != NULL)
		return wrap(EVP_EC_gen(kinds[kind].group), kind);
	return wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), kind);
}

void
s_key_free(struct s_key **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_free((*k)->k);
	free(*k);
	*k = NULL;
}

/* ---- wire ---- */

void
s_u32(struct cv_buf *out, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		cv_buf_byte(out, (uint8_t)(v >> shift));
}

void
s_u64(struct cv_buf *out, uint64_t v)
{
	s_u32(out, (uint32_t)(v >> 32));
	s_u32(out, (uint32_t)v);
}

void
s_string(struct cv_buf *out, const void *p, size_t n)
{
	s_u32(out, (uint32_t)n);
	cv_buf_add(out, p, n);
}

void
s_text(struct cv_buf *out, const char *text)
{
	s_string(out, text, strlen(text));
}

static void
mpint(struct cv_buf *out, const BIGNUM *n)
{
	uint8_t b[1100] = { 0 };
	int len = BN_bn2bin(n, b + 1);

	if ((b[1] & 0x80) != 0)
		s_string(out, b, (size_t)len + 1);
	else
		s_string(out, b + 1, (size_t)len);
}

static void
number(struct cv_buf *out, const struct s_key *k, const char *name)
{
	BIGNUM *n = NULL;

	T(EVP_PKEY_get_bn_param(k->k, name, &n) == 1);
	mpint(out, n);
	BN_free(n);
}

static void
fields(struct cv_buf *out, const struct s_key *k)
{
	uint8_t b[200];
	size_t n = sizeof(b);

	if (k->kind == CV_SSH_RSA) {
		number(out, k, OSSL_PKEY_PARAM_RSA_E);
		number(out, k, OSSL_PKEY_PARAM_RSA_N);
	} else if (kinds[k->kind].curve != NULL) {
		s_text(out, kinds[k->kind].curve);
		T(EVP_PKEY_get_octet_string_param(k->k, OSSL_PKEY_PARAM_PUB_KEY, b, sizeof(b),
						  &n) == 1);
		s_string(out, b, n);
	} else {
		T(EVP_PKEY_get_raw_public_key(k->k, b, &n) == 1);
		s_string(out, b, n);
	}
	if (k->kind == CV_SSH_SK_ED25519 || k->kind == CV_SSH_SK_P256)
		s_text(out, APPLICATION);
}

void
s_public(struct cv_buf *out, const struct s_key *k)
{
	s_text(out, kinds[k->kind].name);
	fields(out, k);
}

void
s_public_line(struct cv_buf *out, const struct s_key *k)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(4096);

	s_public(&b, k);
	cv_buf_fmt(out, "%s ", kinds[k->kind].name);
	cv_base64_encode(out, cv_buf_span(&b));
}

/* ---- signing ---- */

static void
raw(struct cv_buf *out, const struct s_key *k, const EVP_MD *md, struct cv_span m)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[1100];
	size_t n = sizeof(sig);

	T(EVP_DigestSignInit(ctx, NULL, md, NULL, k->k) == 1);
	T(EVP_DigestSign(ctx, sig, &n, m.p, m.n) == 1);
	EVP_MD_CTX_free(ctx);
	if (kinds[k->kind].curve != NULL) {
		const unsigned char *p = sig;
		ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);

		mpint(out, ECDSA_SIG_get0_r(s));
		mpint(out, ECDSA_SIG_get0_s(s));
		ECDSA_SIG_free(s);
	} else {
		cv_buf_add(out, sig, n);
	}
}

static const EVP_MD *
md_of(const struct s_key *k, const char *alg)
{
	switch (k->kind) {
	case CV_SSH_RSA:
		return strcmp(alg, "ssh-rsa") == 0        ? EVP_sha1()
		       : strcmp(alg, "rsa-sha2-256") == 0 ? EVP_sha256()
							  : EVP_sha512();
	case CV_SSH_P256:
	case CV_SSH_SK_P256:
		return EVP_sha256();
	case CV_SSH_P384:
		return EVP_sha384();
	case CV_SSH_P521:
		return EVP_sha512();
	case CV_SSH_ED25519:
	case CV_SSH_SK_ED25519:
		break;
	}
	return NULL;
}

void
s_sign(struct cv_buf *out, const struct s_key *k, const char *alg, uint8_t flags, struct cv_span m)
{
	bool fido = k->kind == CV_SSH_SK_ED25519 || k->kind == CV_SSH_SK_P256;
	cv_auto(cv_buf_free) struct cv_buf over = CV_BUF(200), sig = CV_BUF(2000);
	struct cv_digest d;
	struct cv_err e;

	if (alg == NULL)
		alg = k->kind == CV_SSH_RSA ? "rsa-sha2-512" : kinds[k->kind].name;
	if (fido) {
		T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str(APPLICATION), &e), e);
		cv_buf_add(&over, d.b, 32);
		cv_buf_byte(&over, flags);
		s_u32(&over, 7);
		T_OK(cv_digest_of(&d, CV_SHA256, m, &e), e);
		cv_buf_add(&over, d.b, 32);
		m = cv_buf_span(&over);
	}
	raw(&sig, k, md_of(k, alg), m);
	s_text(out, alg);
	s_string(out, sig.p, sig.n);
	if (fido) {
		cv_buf_byte(out, flags);
		s_u32(out, 7);
	}
}

static void
option(struct cv_buf *out, const char *name)
{
	if (name == NULL)
		return;
	s_text(out, name);
	s_text(out, "");
}

void
s_certificate(struct cv_buf *out, const struct s_key *k, const struct s_key *ca,
	      const struct s_cert *c)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(4096), names = CV_BUF(1000),
					   opt = CV_BUF(1000), ext = CV_BUF(1000),
					   pub = CV_BUF(3000), sig = CV_BUF(3000);
	char name[100];
	size_t at = strcspn(kinds[k->kind].name, "@");

	(void)snprintf(name, sizeof(name), "%.*s-cert-v01@openssh.com", (int)at,
		       kinds[k->kind].name);
	s_text(&b, name);
	s_text(&b, "nonce");
	fields(&b, k);
	s_u64(&b, 42);
	s_u32(&b, c->type != 0 ? c->type : 1);
	s_text(&b, "an id");
	for (size_t i = 0; i < 4 && c->principals[i] != NULL; i++)
		s_text(&names, c->principals[i]);
	s_string(&b, names.p, names.n);
	s_u64(&b, c->after);
	s_u64(&b, c->before != 0 ? c->before : UINT64_MAX);
	option(&opt, c->critical);
	option(&opt, c->critical2);
	s_string(&b, opt.p, opt.n);
	option(&ext, c->extension);
	option(&ext, c->extension2);
	s_string(&b, ext.p, ext.n);
	s_text(&b, c->reserved != NULL ? c->reserved : "");
	s_public(&pub, ca);
	s_string(&b, pub.p, pub.n);
	s_sign(&sig, ca, NULL, CV_SSH_PRESENT, c->broken ? cv_span_str("other") : cv_buf_span(&b));
	s_string(&b, sig.p, sig.n);
	cv_buf_add(out, b.p, b.n);
}

/* ---- SSHSIG ---- */

void
s_sshsig(struct cv_buf *out, const struct s_key *k, struct cv_span m, const struct s_sig *s)
{
	cv_auto(cv_buf_free) struct cv_buf over = CV_BUF(4000), pub = CV_BUF(9000),
					   sig = CV_BUF(4000);
	const char *ns = s->ns != NULL ? s->ns : "file";
	const char *hash = s->hash != NULL ? s->hash : "sha512";
	enum cv_alg alg = strcmp(hash, "sha256") == 0   ? CV_SHA256
			  : strcmp(hash, "sha384") == 0 ? CV_SHA384
							: CV_SHA512;
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, alg, m, &e), e);
	cv_buf_str(&over, "SSHSIG");
	s_text(&over, ns);
	s_text(&over, "");
	s_text(&over, hash);
	s_string(&over, d.b, cv_alg_size(alg));
	s_sign(&sig, k, s->alg,
	       s->none         ? 0
	       : s->flags != 0 ? s->flags
			       : CV_SSH_PRESENT,
	       cv_buf_span(&over));
	if (s->cert.n > 0)
		cv_buf_add(&pub, s->cert.p, s->cert.n);
	else
		s_public(&pub, k);
	cv_buf_str(out, "SSHSIG");
	s_u32(out, s->version != 0 ? s->version : 1);
	s_string(out, pub.p, pub.n);
	s_text(out, ns);
	s_text(out, s->reserved != NULL ? s->reserved : "");
	s_text(out, hash);
	s_string(out, sig.p, sig.n);
}

void
s_armor(struct cv_buf *out, struct cv_span blob)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(65536);

	cv_base64_encode(&b, blob);
	cv_buf_str(out, "-----BEGIN SSH SIGNATURE-----\n");
	for (size_t i = 0; i < b.n; i += 70) {
		cv_buf_add(out, b.p + i, b.n - i < 70 ? b.n - i : 70);
		cv_buf_byte(out, '\n');
	}
	cv_buf_str(out, "-----END SSH SIGNATURE-----\n");
}
