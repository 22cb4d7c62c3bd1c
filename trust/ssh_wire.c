/* SPDX-License-Identifier: Apache-2.0 */
/* ssh_wire.c: reading keys and certificates; see ssh_wire.h. Must never take one key
 * in two encodings. */
#include "trust/ssh_int.h"
#include "trust/ed25519.h"

#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

_Static_assert(CV_SSH_NAME_TEXT >= CV_TEXT_BRIEF, "room for a name");

static const struct kind {
	const char *name, *cert, *curve;
	enum cv_ssh_kind kind;
	size_t point; /* bytes; 0: RSA */
	bool fido;
} kinds[] = {
	{ "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", NULL, CV_SSH_ED25519, 32, false },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com", "nistp256",
	  CV_SSH_P256, 65, false },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com", "nistp384",
	  CV_SSH_P384, 97, false },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com", "nistp521",
	  CV_SSH_P521, 133, false },
	{ "ssh-rsa", "ssh-rsa-cert-v01@openssh.com", NULL, CV_SSH_RSA, 0, false },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com", NULL,
	  CV_SSH_SK_ED25519, 32, true },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	  "nistp256", CV_SSH_SK_P256, 65, true },
};

struct cv_span
cv_ssh_string(struct cv_span *s)
{
	return cv_span_take(s, cv_span_u32be(s));
}

struct cv_span
cv_ssh_mpint(struct cv_span *s)
{
	struct cv_span v = cv_ssh_string(s);
	bool zero = v.n > 0 && v.p[0] == 0;

	/* RFC 4251 5: the top bit is the sign, no byte more than needed */
	if (v.n == 0 || (v.p[0] & 0x80) != 0 || (zero && (v.n == 1 || (v.p[1] & 0x80) == 0))) {
		s->bad = true;
		s->n = 0;
		return cv_span(NULL, 0);
	}
	if (zero)
		cv_span_take(&v, 1);
	return v;
}

const char *
cv_ssh_name(struct cv_span blob, char out[CV_SSH_NAME_TEXT])
{
	return cv_text_brief(out, cv_ssh_string(&blob));
}

static const struct kind *
kind_of(struct cv_span name, bool cert)
{
	for (size_t i = 0; i < CV_COUNT(kinds); i++)
		if (cv_span_eq_str(name, cert ? kinds[i].cert : kinds[i].name))
			return &kinds[i];
	return NULL;
}

static int
no_kind(struct cv_span name, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];

	return cv_fail(e, CV_R_UNSUPPORTED,
		       "found an SSH key of kind %s, want Ed25519, ECDSA, RSA or a FIDO kind",
		       cv_text_brief(brief, name));
}

static size_t
bits(struct cv_span n)
{
	size_t r = n.n * 8;

	for (unsigned top = 0x80; n.n > 0 && (n.p[0] & top) == 0; top >>= 1)
		r--;
	return r;
}

static int
strong(const struct cv_ssh_key *k, struct cv_err *e)
{
	if (k->kind == CV_SSH_ED25519 || k->kind == CV_SSH_SK_ED25519)
		return cv_ed25519_key(k->point, e);
	if (k->kind != CV_SSH_RSA)
		return 0; /* a point is tried when the key is used */
	if (bits(k->n) < 2048 || bits(k->n) > 8192)
		return cv_fail(e, CV_R_RULE, "found an RSA key of %zu bits, want 2048 to 8192",
			       bits(k->n));
	if ((k->e.p[k->e.n - 1] & 1) == 0 || bits(k->e) < 17 || bits(k->e) > 64)
		return cv_fail(e, CV_R_RULE,
			       "found an RSA exponent that is even, under 65537 or over 64 bits");
	return 0;
}

/* The fields of a key after its name (in a certificate: after the nonce). */
static int
fields(struct cv_ssh_key *k, const struct kind *kind, struct cv_span *s, struct cv_err *e)
{
	struct cv_span curve = cv_span_str(kind->curve);

	*k = (struct cv_ssh_key){ .kind = kind->kind, .name = kind->name };
	if (kind->kind == CV_SSH_RSA) {
		k->e = cv_ssh_mpint(s);
		k->n = cv_ssh_mpint(s);
	} else {
		if (kind->curve != NULL)
			curve = cv_ssh_string(s);
		k->point = cv_ssh_string(s);
	}
	if (kind->fido)
		k->application = cv_ssh_string(s);
	if (s->bad)
		return cv_fail(e, CV_R_MALFORMED,
			       "found an %s key that is cut off or whose "
			       "numbers are not in their one form",
			       kind->name);
	if (kind->curve != NULL && !cv_span_eq_str(curve, kind->curve))
		return cv_fail(e, CV_R_MALFORMED, "found another curve in a key of kind %s",
			       kind->name);
	if (k->point.n != kind->point || (kind->curve != NULL && k->point.p[0] != 0x04))
		return cv_fail(e, CV_R_MALFORMED,
			       "found an %s key whose point has %zu bytes or is compressed, want "
			       "%zu",
			       kind->name, k->point.n, kind->point);
	return strong(k, e);
}

int
cv_ssh_key_parse(struct cv_ssh_key *ret, struct cv_span blob, struct cv_err *e)
{
	struct cv_span s = blob, name = cv_ssh_string(&s);
	const struct kind *kind = kind_of(name, false);

	if (blob.n > CV_SSH_MAX_BLOB)
		return cv_fail(e, CV_R_LIMIT, "found an SSH key of %zu bytes, want at most %d",
			       blob.n, CV_SSH_MAX_BLOB);
	if (s.bad || name.n == 0)
		return cv_fail(e, CV_R_MALFORMED, "found an SSH key that is cut off");
	if (kind_of(name, true) != NULL)
		return cv_fail(e, CV_R_MALFORMED, "found a certificate, want a plain key");
	if (kind == NULL)
		return no_kind(name, e);
	if (fields(ret, kind, &s, e) != 0)
		return -1;
	if (!cv_span_done(&s))
		return cv_fail(e, CV_R_MALFORMED, "found %zu bytes after an %s key", s.n,
			       kind->name);
	return 0;
}

bool
cv_ssh_key_eq(const struct cv_ssh_key *a, const struct cv_ssh_key *b)
{
	return a->kind == b->kind && cv_span_eq(a->point, b->point) && cv_span_eq(a->n, b->n) &&
	       cv_span_eq(a->e, b->e) && cv_span_eq(a->application, b->application);
}

bool
cv_ssh_is_cert(struct cv_span blob)
{
	return kind_of(cv_ssh_string(&blob), true) != NULL;
}

/* PROTOCOL.certkeys: (name, data) pairs, names in order and each once. */
static bool
pairs(struct cv_span s)
{
	struct cv_span last = cv_span(NULL, 0);

	for (bool first = true; s.n > 0; first = false) {
		struct cv_span name = cv_ssh_string(&s);
		size_t n = name.n < last.n ? name.n : last.n;
		int c = n > 0 ? memcmp(last.p, name.p, n) : 0;

		(void)cv_ssh_string(&s);
		if (s.bad || name.n == 0 || (!first && (c > 0 || (c == 0 && name.n <= last.n))))
			return false;
		last = name;
	}
	return !s.bad;
}

static bool
names(struct cv_span s)
{
	size_t n = 0;

	for (; s.n > 0; n++)
		if (cv_ssh_string(&s).n == 0 || s.bad)
			return false;
	return !s.bad && n <= CV_SSH_MAX_PRINCIPALS;
}

static int
cert_fields(struct cv_ssh_cert *c, struct cv_span *s, struct cv_span *ca, struct cv_err *e)
{
	struct cv_span reserved;

	c->serial = cv_span_u64be(s);
	c->type = cv_span_u32be(s);
	c->id = cv_ssh_string(s);
	c->principals = cv_ssh_string(s);
	c->after = cv_span_u64be(s);
	c->before = cv_span_u64be(s);
	c->critical = cv_ssh_string(s);
	c->extensions = cv_ssh_string(s);
	reserved = cv_ssh_string(s);
	*ca = cv_ssh_string(s);
	if (s->bad)
		return cv_fail(e, CV_R_MALFORMED, "found an SSH certificate that is cut off");
	if (c->type != 1 && c->type != 2)
		return cv_fail(e, CV_R_MALFORMED,
			       "found an SSH certificate of type %u, want 1 (user) or 2 (host)",
			       c->type);
	if (reserved.n > 0 || !pairs(c->critical) || !pairs(c->extensions) || !names(c->principals))
		return cv_fail(e, CV_R_MALFORMED,
			       "found an SSH certificate with options out of order, an empty "
			       "principal, more than %d of them, or a reserved field in use",
			       CV_SSH_MAX_PRINCIPALS);
	return 0;
}

int
cv_ssh_cert_parse(struct cv_ssh_cert *ret, struct cv_span blob, struct cv_err *e)
{
	struct cv_span s = blob, name = cv_ssh_string(&s), ca;
	const struct kind *kind = kind_of(name, true);

	*ret = (struct cv_ssh_cert){ 0 };
	if (blob.n > CV_SSH_MAX_BLOB)
		return cv_fail(e, CV_R_LIMIT, "found a certificate of %zu bytes, want at most %d",
			       blob.n, CV_SSH_MAX_BLOB);
	if (kind == NULL)
		return no_kind(name, e);
	(void)cv_ssh_string(&s); /* nonce */
	if (fields(&ret->key, kind, &s, e) != 0 || cert_fields(ret, &s, &ca, e) != 0)
		return cv_fail_within(e, "SSH certificate");
	if (cv_ssh_key_parse(&ret->ca, ca, e) != 0)
		return cv_fail_within(e, "the certificate's CA key");
	ret->tbs = cv_span(blob.p, blob.n - s.n);
	ret->signature = cv_ssh_string(&s);
	if (!cv_span_done(&s))
		return cv_fail(e, CV_R_MALFORMED,
			       "the certificate's signature is cut off, or "
			       "something follows it");
	return 0;
}

int
cv_ssh_cert_signed(const struct cv_ssh_cert *c, struct cv_err *e)
{
	struct cv_ssh_said said;

	if (cv_ssh_verify(&c->ca, c->tbs, c->signature, CV_SSH_PRESENT, &said, e) != 0)
		return cv_fail_within(e, "the certificate's own signature");
	return 0;
}
