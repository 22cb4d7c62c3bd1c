/* SPDX-License-Identifier: Apache-2.0 */
/* SSHSIG: every kind of key, what only looks right, and ssh-keygen's own signatures. */
#include "tests/support/peer.h"
#include "tests/support/ssh.h"
#include "trust/base/enc.h"
#include "trust/sshsig.h"

#include "trust/base/banned.h"

#define FIRST CV_SSH_ED25519
#define LAST  CV_SSH_SK_P256

static const char text[] = "what is signed";

static int
verify(const struct cv_sshsig *s, const char *m, const char *ns, unsigned need, struct cv_err *e)
{
	struct cv_message message = cv_message_bytes(cv_span_str(m));
	struct cv_ssh_proven p;
	int r = cv_sshsig_verify(s, &message, ns, need, &p, e);

	cv_message_free(&message);
	return r;
}

static int
blob(struct cv_span b, const char *m, const char *ns, unsigned need, struct cv_err *e)
{
	cv_auto(cv_sshsig_free) struct cv_sshsig s;

	return cv_sshsig_parse_blob(&s, b, e) != 0 ? -1 : verify(&s, m, ns, need, e);
}

static int
armored(struct cv_span b, const char *m, const char *ns, unsigned need, struct cv_err *e)
{
	cv_auto(cv_sshsig_free) struct cv_sshsig s;

	return cv_sshsig_parse(&s, b, e) != 0 ? -1 : verify(&s, m, ns, need, e);
}

/* Each bit and each length of the blob, and a byte more. */
static void
every_bit_counts(void)
{
	for (enum cv_ssh_kind kind = FIRST; kind <= LAST; kind++) {
		cv_auto(s_key_free) struct s_key *k = s_key_new(kind);
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000);
		struct cv_err e;

		s_sshsig(&b, k, cv_span_str(text), &(struct s_sig){ 0 });
		T_OK(blob(cv_buf_span(&b), text, "file", CV_SSH_PRESENT, &e), e);
		for (size_t n = 0; n < b.n; n++)
			T(blob(cv_span(b.p, n), text, "file", CV_SSH_PRESENT, &e) == -1);
		for (size_t bit = 0; bit < 8 * b.n; bit++) {
			b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (blob(cv_buf_span(&b), text, "file", CV_SSH_PRESENT, &e) != -1)
				t_fail(__FILE__, __LINE__, "kind %d: bit %zu", (int)kind, bit);
			b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		cv_buf_byte(&b, 0);
		T_NO(blob(cv_buf_span(&b), text, "file", CV_SSH_PRESENT, &e), e, CV_R_MALFORMED);
	}
}

static void
right_in_all_else(void)
{
	static const struct {
		enum cv_ssh_kind kind;
		struct s_sig s;
		const char *message, *ns;
		unsigned need;
		enum cv_reason why;
	} c[] = {
		{ CV_SSH_ED25519, { .ns = "git" }, text, "file", 1, CV_R_RULE },
		{ CV_SSH_ED25519, { .ns = "file2" }, text, "file", 1, CV_R_RULE },
		{ CV_SSH_ED25519, { .ns = "" }, text, "", 1, CV_R_MALFORMED },
		{ CV_SSH_ED25519, { .version = 2 }, text, "file", 1, CV_R_UNSUPPORTED },
		{ CV_SSH_ED25519, { .hash = "sha384" }, text, "file", 1, CV_R_UNSUPPORTED },
		{ CV_SSH_ED25519, { .hash = "SHA512" }, text, "file", 1, CV_R_UNSUPPORTED },
		{ CV_SSH_ED25519, { .reserved = "x" }, text, "file", 1, CV_R_MALFORMED },
		{ CV_SSH_ED25519, { 0 }, "What is signed", "file", 1, CV_R_SIGNATURE },
		{ CV_SSH_ED25519, { .alg = "ssh-ed448" }, text, "file", 1, CV_R_SIGNATURE },
		{ CV_SSH_ED25519, { 0 }, text, "file", 1, CV_R_NONE },
		{ CV_SSH_ED25519, { .hash = "sha256" }, text, "file", 1, CV_R_NONE },
		{ CV_SSH_P256, { .alg = "ecdsa-sha2-nistp384" }, text, "file", 1, CV_R_SIGNATURE },
		{ CV_SSH_RSA, { .alg = "ssh-rsa" }, text, "file", 1, CV_R_RULE },
		{ CV_SSH_RSA, { .alg = "rsa-sha2-384" }, text, "file", 1, CV_R_SIGNATURE },
		{ CV_SSH_RSA, { .alg = "rsa-sha2-256" }, text, "file", 1, CV_R_NONE },
		{ CV_SSH_RSA, { .alg = "rsa-sha2-512" }, text, "file", 1, CV_R_NONE },
		{ CV_SSH_SK_ED25519, { .none = true }, text, "file", 1, CV_R_RULE },
		{ CV_SSH_SK_ED25519, { .flags = 4 }, text, "file", 1, CV_R_RULE },
		{ CV_SSH_SK_ED25519, { .flags = 1 }, text, "file", 5, CV_R_RULE },
		{ CV_SSH_SK_ED25519, { .flags = 5 }, text, "file", 5, CV_R_NONE },
		{ CV_SSH_SK_ED25519, { .none = true }, text, "file", 0, CV_R_NONE },
		{ CV_SSH_SK_P256, { .none = true }, text, "file", 1, CV_R_RULE },
		{ CV_SSH_SK_P256, { .flags = 1 }, text, "file", 5, CV_R_RULE },
		{ CV_SSH_SK_P256,
		  { .alg = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com" },
		  text,
		  "file",
		  1,
		  CV_R_UNSUPPORTED },
		{ CV_SSH_SK_P256, { .flags = 5 }, text, "file", 5, CV_R_NONE },
	};

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(s_key_free) struct s_key *k = s_key_new(c[i].kind);
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000);
		struct cv_err e = { 0 };
		int r;

		s_sshsig(&b, k, cv_span_str(text), &c[i].s);
		r = blob(cv_buf_span(&b), c[i].message, c[i].ns, c[i].need, &e);
		if ((r == 0) != (c[i].why == CV_R_NONE) || (r != 0 && e.reason != c[i].why))
			t_fail(__FILE__, __LINE__, "case %zu: %s: %s", i, cv_reason_word(e.reason),
			       e.text);
	}
}

/* Keys in the wire form that is not theirs, or too weak. */
static void
keys_that_are_none(void)
{
	cv_auto(s_key_free) struct s_key *weak = s_key_weak_rsa(1024);
	cv_auto(s_key_free) struct s_key *rsa = s_key_new(CV_SSH_RSA);
	cv_auto(s_key_free) struct s_key *ec = s_key_new(CV_SSH_P256);
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(4000);
	struct cv_ssh_key k;
	struct cv_err e;
	uint8_t point[65] = { 2 };

	s_public(&b, weak);
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_RULE);
	cv_buf_reset(&b);
	s_public(&b, rsa); /* 4 "ssh-rsa" 4 3 01 00 01: even, and one byte longer than needed */
	b.p[4 + 7 + 4 + 2] = 0;
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_RULE);
	b.p[4 + 7 + 4 + 2] = 3; /* 65539 */
	T_OK(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e);
	b.p[4 + 7 + 4] = 0;
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	b.p[4 + 7 + 4] = 0x81; /* negative */
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	cv_buf_reset(&b);
	s_public(&b, ec);
	memcpy(b.p + 4 + 19 + 4, "nistp384", 8);
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	cv_buf_reset(&b);
	s_text(&b, "ecdsa-sha2-nistp256");
	s_text(&b, "nistp256");
	s_string(&b, point, 33); /* compressed */
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	cv_buf_reset(&b);
	s_text(&b, "ssh-ed25519");
	s_string(&b, point + 1, 32); /* y = 0: small order */
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_RULE);
	cv_buf_reset(&b);
	s_text(&b, "ssh-dss");
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_UNSUPPORTED);
	cv_buf_reset(&b);
	s_text(&b, "ssh-mldsa44-ed25519@openssh.com");
	T_NO(cv_ssh_key_parse(&k, cv_buf_span(&b), &e), e, CV_R_UNSUPPORTED);
	T_NO(cv_ssh_key_parse(&k, cv_span(NULL, 0), &e), e, CV_R_MALFORMED);
}

/* A point that is on no curve is found when it is used. */
static void
points_are_on_their_curves(void)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_P256);
	cv_auto(cv_buf_free) struct cv_buf pub = CV_BUF(1000), b = CV_BUF(4000);
	struct cv_err e;

	s_public(&pub, k);
	pub.p[pub.n - 1] ^= 1;
	s_sshsig(&b, k, cv_span_str(text), &(struct s_sig){ .cert = cv_buf_span(&pub) });
	T_NO(blob(cv_buf_span(&b), text, "file", 1, &e), e, CV_R_MALFORMED);
}

static void
armor(void)
{
	static const struct {
		const char *head, *tail;
		bool good;
	} c[] = {
		{ "", "", true },
		{ "", "\n\n", true },
		{ "", "x", false },
		{ "", "-----BEGIN SSH SIGNATURE-----\n", false },
		{ "\n", "", false },
		{ " ", "", false },
		{ "-----BEGIN SSH SIGNATURE-----\n", "", false },
	};
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(4000), a = CV_BUF(9000),
					   x = CV_BUF(CV_SSHSIG_MAX);
	struct cv_err e;

	s_sshsig(&b, k, cv_span_str(text), &(struct s_sig){ 0 });
	s_armor(&a, cv_buf_span(&b));
	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_buf_reset(&x);
		cv_buf_str(&x, c[i].head);
		cv_buf_add(&x, a.p, a.n);
		cv_buf_str(&x, c[i].tail);
		if ((armored(cv_buf_span(&x), text, "file", 1, &e) == 0) != c[i].good)
			t_fail(__FILE__, __LINE__, "case %zu", i);
	}
	cv_buf_reset(&x);
	for (size_t i = 0; i < a.n; i++) { /* CRLF */
		if (a.p[i] == '\n')
			cv_buf_byte(&x, '\r');
		cv_buf_byte(&x, a.p[i]);
	}
	T_OK(armored(cv_buf_span(&x), text, "file", 1, &e), e);
	for (size_t n = 0; n + 1 < a.n; n++)
		T(armored(cv_span(a.p, n), text, "file", 1, &e) == -1);
	for (size_t bit = 0; bit < 8 * a.n; bit++) {
		a.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* the last LF may be another white space, or a CR */
		if (armored(cv_buf_span(&a), text, "file", 1, &e) == 0 && bit / 8 != a.n - 1)
			t_fail(__FILE__, __LINE__, "bit %zu", bit);
		a.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	cv_buf_reset(&x);
	for (size_t i = 0; i < CV_SSHSIG_MAX; i++)
		cv_buf_byte(&x, 'A');
	T_NO(armored(cv_buf_span(&x), text, "file", 1, &e), e, CV_R_LIMIT);
}

/* Keys are equal if all of them is. */
static void
equal_keys(void)
{
	for (enum cv_ssh_kind kind = FIRST; kind <= LAST; kind++) {
		cv_auto(s_key_free) struct s_key *k = s_key_new(kind), *other = s_key_new(kind);
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000), c = CV_BUF(9000);
		struct cv_ssh_key x, y, z;
		struct cv_err e;

		s_public(&b, k);
		s_public(&c, other);
		T_OK(cv_ssh_key_parse(&x, cv_buf_span(&b), &e), e);
		T_OK(cv_ssh_key_parse(&y, cv_buf_span(&c), &e), e);
		T(cv_ssh_key_eq(&x, &x) && !cv_ssh_key_eq(&x, &y));
		z = x;
		z.application = cv_span_str("ssh:other");
		T(!cv_ssh_key_eq(&x, &z));
		z = x;
		z.kind = kind == FIRST ? LAST : FIRST;
		T(!cv_ssh_key_eq(&x, &z));
		z = x;
		z.e = cv_span_str("other");
		T(!cv_ssh_key_eq(&x, &z));
		cv_buf_byte(&b, 0);
		T_NO(cv_ssh_key_parse(&x, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	}
}

/* A byte more, within the signature and after it; the sweep has none of these. */
static void
bytes_after(void)
{
	for (enum cv_ssh_kind kind = FIRST; kind <= LAST; kind++) {
		cv_auto(s_key_free) struct s_key *k = s_key_new(kind);
		cv_auto(cv_buf_free) struct cv_buf pub = CV_BUF(9000), sig = CV_BUF(9000),
						   more = CV_BUF(9000), raw = CV_BUF(9000);
		struct cv_span m = cv_span_str(text), s, name, inner;
		struct cv_ssh_said said;
		struct cv_ssh_key p;
		struct cv_err e;

		s_public(&pub, k);
		s_sign(&sig, k, NULL, 1, m);
		T_OK(cv_ssh_key_parse(&p, cv_buf_span(&pub), &e), e);
		T_OK(cv_ssh_verify(&p, m, cv_buf_span(&sig), 1, &said, &e), e);
		s = cv_buf_span(&sig);
		name = cv_ssh_string(&s);
		inner = cv_ssh_string(&s);
		cv_buf_add(&raw, inner.p, inner.n);
		cv_buf_byte(&raw, 0);
		s_string(&more, name.p, name.n);
		s_string(&more, raw.p, raw.n);
		cv_buf_add(&more, s.p, s.n);
		T_NO(cv_ssh_verify(&p, m, cv_buf_span(&more), 1, &said, &e), e, CV_R_SIGNATURE);
		cv_buf_byte(&sig, 0);
		T_NO(cv_ssh_verify(&p, m, cv_buf_span(&sig), 1, &said, &e), e, CV_R_MALFORMED);
	}
}

/* ---- ssh-keygen ---- */

static void
what_ssh_keygen_signs(void)
{
	static const char *const types[] = { "ed25519",      "ecdsa -b 256", "ecdsa -b 384",
					     "ecdsa -b 521", "rsa -b 2048",  "rsa -b 3072" };
	struct cv_err e;

	peer_want("ssh-keygen");
	peer_write("file", cv_span_str(text));
	for (size_t i = 0; i < CV_COUNT(types); i++) {
		for (int h = 0; h < 2; h++) {
			cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(20000);

			T(peer_sh("rm -f k k.pub file.sig; ssh-keygen -q -N '' -t %s -f k && "
				  "ssh-keygen -Y sign -O hashalg=%s -n file -f k file",
				  types[i], h == 0 ? "sha256" : "sha512"));
			peer_read(&b, "file.sig");
			T_OK(armored(cv_buf_span(&b), text, "file", 1, &e), e);
			T_NO(armored(cv_buf_span(&b), text, "git", 1, &e), e, CV_R_RULE);
			T_NO(armored(cv_buf_span(&b), "x", "file", 1, &e), e, CV_R_SIGNATURE);
		}
	}
}

static bool
keygen_accepts(struct cv_span b)
{
	cv_auto(cv_buf_free) struct cv_buf a = CV_BUF(20000);

	s_armor(&a, b);
	peer_write("sig", cv_buf_span(&a));
	return peer_sh("ssh-keygen -Y check-novalidate -n file -s sig <file");
}

/* It takes what we make, of the kinds that need a device to sign with too; and what
 * we broke it refuses whenever we do, but for what is listed. */
static void
what_ssh_keygen_refuses(void)
{
	struct cv_err e;

	peer_want("ssh-keygen");
	peer_write("file", cv_span_str(text));
	for (enum cv_ssh_kind kind = FIRST; kind <= LAST; kind++) {
		cv_auto(s_key_free) struct s_key *k = s_key_new(kind);
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000), r = CV_BUF(9000);

		s_sshsig(&b, k, cv_span_str(text), &(struct s_sig){ 0 });
		T(keygen_accepts(cv_buf_span(&b)));
		for (size_t i = 0; i < b.n; i += 11) {
			b.p[i] ^= 1;
			T(blob(cv_buf_span(&b), text, "file", 1, &e) == -1);
			if (keygen_accepts(cv_buf_span(&b)))
				t_fail(__FILE__, __LINE__, "kind %d: byte %zu", (int)kind, i);
			b.p[i] ^= 1;
		}
		/* the reserved field, which is not signed: it does not mind, we do */
		s_sshsig(&r, k, cv_span_str(text), &(struct s_sig){ .reserved = "x" });
		T(keygen_accepts(cv_buf_span(&r)));
		T_NO(blob(cv_buf_span(&r), text, "file", 1, &e), e, CV_R_MALFORMED);
	}
}

static const struct t_case cases[] = {
	{ "right in all else", right_in_all_else },
	{ "keys that are none", keys_that_are_none },
	{ "points are on their curves", points_are_on_their_curves },
	{ "armor", armor },
	{ "equal keys", equal_keys },
	{ "bytes after a signature", bytes_after },
	{ "every bit counts, for every kind of key", every_bit_counts },
	{ "what ssh-keygen signs", what_ssh_keygen_signs },
	{ "what ssh-keygen refuses", what_ssh_keygen_refuses },
};

T_MAIN(cases)
