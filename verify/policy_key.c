/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_key.c: public keys in our own files (RFC 7468 section 13). Must never
 * take two keys for one, nor one for two: the identity is the SHA-256 of the
 * SubjectPublicKeyInfo. What the key means is the trust worker's business.
 */
#include "verify/policy.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"

#include "trust/base/banned.h"

#define BEGIN "-----BEGIN PUBLIC KEY-----"
#define END   "-----END PUBLIC KEY-----"

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct cv_span
trim(struct cv_span s)
{
	while (s.n > 0 && is_space(s.p[0]))
		cv_span_take(&s, 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* instead: what a file is that is not a public key, in a word that helps. */
static const char *
instead(struct cv_span s)
{
	if (memmem(s.p, s.n, "PRIVATE KEY-----", 16) != NULL)
		return "a private key";
	if (memmem(s.p, s.n, "-----BEGIN CERTIFICATE", 22) != NULL)
		return "a certificate";
	if (memmem(s.p, s.n, "-----BEGIN PGP", 14) != NULL)
		return "an OpenPGP key";
	if (cv_span_has_prefix(s, "ssh-") || cv_span_has_prefix(s, "ecdsa-"))
		return "an OpenSSH key";
	if (memmem(s.p, s.n, "-----BEGIN ", 11) != NULL)
		return "another kind of PEM block";
	return s.n == 0 ? "nothing" : "no PEM block";
}

/* body: the base64 between the two lines, white space taken out. */
static int
body(struct cv_buf *out, struct cv_span pem, const char *what, struct cv_err *e)
{
	struct cv_span s = trim(pem);
	const size_t begin = strlen(BEGIN), end = strlen(END);

	if (s.n < begin + end || !cv_span_has_prefix(s, BEGIN) || !cv_span_has_suffix(s, END))
		return cv_fail(e, CV_R_CONFIG,
			       "%s: found %s, want one PEM block \"PUBLIC KEY\" and nothing else",
			       what, instead(s));
	for (size_t i = begin; i < s.n - end; i++) {
		if (s.p[i] == '-')
			return cv_fail(e, CV_R_CONFIG,
				       "%s: found more than one PEM block, want "
				       "one key a file",
				       what);
		if (!is_space(s.p[i]))
			cv_buf_byte(out, s.p[i]);
	}
	return cv_buf_ok(out, what, e);
}

/* whole: is this one DER SEQUENCE and nothing after it (X.690 8.1.3, 10.1)? */
static bool
whole(struct cv_span der)
{
	uint8_t tag = cv_span_u8(&der), first = cv_span_u8(&der);
	size_t n = first;

	if (first == 0x81)
		n = cv_span_u8(&der);
	else if (first == 0x82)
		n = cv_span_u16be(&der);
	else if (first >= 0x80)
		return false;
	return !der.bad && tag == 0x30 && n > 0 && der.n == n && (first < 0x80 || n >= 0x80);
}

/* write: the block as everybody writes it, so that white space in a file does
 * not change a policy's digest. */
static const char *
write(struct cv_mem *m, struct cv_span base64, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(2 * CV_MAX_KEY_PEM);

	cv_buf_str(&out, BEGIN "\n");
	while (base64.n > 0) {
		struct cv_span line = cv_span_take(&base64, base64.n < 64 ? base64.n : 64);

		cv_buf_add(&out, line.p, line.n);
		cv_buf_byte(&out, '\n');
	}
	cv_buf_str(&out, END "\n");
	if (cv_buf_ok(&out, "a public key", e) != 0)
		return NULL;
	return cv_mem_bytes(m, cv_buf_span(&out), e);
}

int
cv_key_parse(struct cv_mem *m, struct cv_key *ret, struct cv_span pem, const char *what,
	     struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_KEY_PEM);
	cv_auto(cv_buf_free) struct cv_buf der = CV_BUF(CV_MAX_KEY_PEM);

	if (pem.n > CV_MAX_KEY_PEM)
		return cv_fail(e, CV_R_CONFIG, "%s: found %zu bytes, want at most %llu", what,
			       pem.n, CV_MAX_KEY_PEM);
	if (body(&text, pem, what, e) != 0)
		return -1;
	if (cv_base64_decode(&der, cv_buf_span(&text), e) != 0) {
		cv_fail_within(e, "%s", what);
		return cv_conf_reason(e);
	}
	if (!whole(cv_buf_span(&der)))
		return cv_fail(e, CV_R_CONFIG,
			       "%s: the PEM block does not hold one DER structure, want a "
			       "SubjectPublicKeyInfo",
			       what);
	ret->pem = write(m, cv_buf_span(&text), e);
	if (ret->pem == NULL)
		return -1;
	return cv_digest_of(&ret->id, CV_SHA256, cv_buf_span(&der), e);
}

/* read_key: one element: PEM, or the name of a file that holds it. */
static int
read_key(struct cv_mem *m, struct cv_key *key, struct cv_jv v, int dirfd, bool *external,
	 struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_KEY_PEM);
	const char *value;
	struct cv_err why;
	int got;

	if (cv_jv_str(v, &value, e) != 0)
		return -1;
	key->pos = cv_jv_pos(v);
	if (strncmp(value, "-----BEGIN", 10) == 0) {
		if (cv_key_parse(m, key, cv_span_str(value), "key", &why) != 0)
			return why.reason != CV_R_CONFIG
				       ? cv_fail(e, why.reason, "%s", why.text)
				       : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
		return 0;
	}
	if (dirfd == -1)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want the key itself (\"-----BEGIN PUBLIC "
				  "KEY-----...\"): files beside this one are not to be had",
				  value);
	if (cv_conf_relative(v, &key->file, e) != 0)
		return -1;
	got = cv_conf_read(&text, dirfd, key->file, CV_MAX_KEY_PEM, &why);
	if (got == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", but there is no such file",
				  value);
	if (got < 0 || cv_key_parse(m, key, cv_buf_span(&text), key->file, &why) != 0)
		return why.reason != CV_R_CONFIG ? cv_fail(e, why.reason, "%s", why.text)
						 : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	*external = true;
	return 0;
}

int
cv_keys_read(struct cv_mem *m, struct cv_jv v, int dirfd, struct cv_key **ret, size_t *n,
	     bool *external, struct cv_err *e)
{
	struct cv_key *keys;
	size_t have = 0;

	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) == 0 || cv_jv_len(v) > CV_MAX_KEYS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu keys, want 1 to %d", cv_jv_len(v),
				  CV_MAX_KEYS);
	keys = cv_mem_get(m, cv_jv_len(v), sizeof(*keys), e);
	if (keys == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i), have++) {
		if (read_key(m, &keys[have], i, dirfd, external, e) != 0)
			return -1;
		for (size_t k = 0; k < have; k++)
			if (cv_digest_eq(&keys[k].id, &keys[have].id))
				return cv_jv_fail(i, e, CV_R_CONFIG,
						  "found the same key twice, want each once");
	}
	*ret = keys;
	*n = have;
	return 0;
}
