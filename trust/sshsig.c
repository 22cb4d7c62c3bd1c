/* SPDX-License-Identifier: Apache-2.0 */
/* sshsig.c: see sshsig.h. Must never accept a signature that was made for another
 * namespace. */
#include "trust/sshsig.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define MAGIC "SSHSIG"

void
cv_sshsig_free(struct cv_sshsig *s)
{
	cv_buf_free(&s->blob);
	*s = (struct cv_sshsig){ 0 };
}

/* ---- armor ---- */

/* The lines between BEGIN and END without their ends. */
static int
body(struct cv_buf *out, struct cv_span s, struct cv_err *e)
{
	bool first = true;

	while (s.n > 0) {
		struct cv_span line = cv_span_until(&s, '\n');

		if (s.bad) /* no LF: END alone may stand at the very end */
			break;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (first) {
			if (!cv_span_eq_str(line, CV_SSHSIG_BEGIN))
				break;
			first = false;
			continue;
		}
		if (cv_span_eq_str(line, CV_SSHSIG_END))
			return s.n == 0 ? cv_buf_ok(out, "the armor", e)
					: cv_fail(e, CV_R_MALFORMED,
						  "found text after \"" CV_SSHSIG_END "\"");
		cv_buf_add(out, line.p, line.n);
	}
	return cv_fail(e, CV_R_MALFORMED,
		       "found no \"%s\" in a line of its own, as an SSH signature has it",
		       first ? CV_SSHSIG_BEGIN : CV_SSHSIG_END);
}

static int
dearmor(struct cv_buf *out, struct cv_span armored, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_SSHSIG_MAX);
	cv_auto(cv_buf_free) struct cv_buf base64 = CV_BUF(CV_SSHSIG_MAX);

	if (armored.n > CV_SSHSIG_MAX - 1)
		return cv_fail(e, CV_R_LIMIT,
			       "found an SSH signature of %zu bytes, want less than %d", armored.n,
			       CV_SSHSIG_MAX);
	while (armored.n > 0 && strchr(" \t\r\n", armored.p[armored.n - 1]) != NULL &&
	       armored.p[armored.n - 1] != 0)
		armored.n--;
	cv_buf_add(&text, armored.p, armored.n);
	cv_buf_byte(&text, '\n');
	if (cv_buf_ok(&text, "the armor", e) != 0 || body(&base64, cv_buf_span(&text), e) != 0)
		return -1;
	if (cv_base64_decode(out, cv_buf_span(&base64), e) != 0)
		return cv_fail_within(e, "SSH signature");
	return cv_buf_ok(out, "the SSH signature", e);
}

/* ---- blob ---- */

static int
read_blob(struct cv_sshsig *r, struct cv_err *e)
{
	struct cv_span s = cv_buf_span(&r->blob), magic, reserved, hash;
	char brief[CV_TEXT_BRIEF];
	uint32_t version;

	magic = cv_span_take(&s, strlen(MAGIC));
	version = cv_span_u32be(&s);
	if (s.bad || !cv_span_eq_str(magic, MAGIC))
		return cv_fail(e, CV_R_MALFORMED, "found no \"" MAGIC "\" at the start");
	if (version != 1)
		return cv_fail(e, CV_R_UNSUPPORTED, "found an SSH signature of version %u, want 1",
			       version);
	r->key = cv_ssh_string(&s);
	r->ns = cv_ssh_string(&s);
	reserved = cv_ssh_string(&s);
	hash = cv_ssh_string(&s);
	r->signature = cv_ssh_string(&s);
	if (!cv_span_done(&s))
		return cv_fail(e, CV_R_MALFORMED,
			       "found an SSH signature that is cut off or has bytes after it");
	if (reserved.n > 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "found %zu bytes in the reserved field, which nobody signed",
			       reserved.n);
	if (r->ns.n == 0 || r->ns.n > CV_SSHSIG_NAMESPACE || memchr(r->ns.p, 0, r->ns.n) != NULL)
		return cv_fail(e, CV_R_MALFORMED,
			       "found a namespace that is empty, over %d bytes or has a NUL",
			       CV_SSHSIG_NAMESPACE);
	r->hash = cv_alg_parse(hash);
	if (r->hash != CV_SHA256 && r->hash != CV_SHA512)
		return cv_fail(e, CV_R_UNSUPPORTED, "found the hash %s, want sha256 or sha512",
			       cv_text_brief(brief, hash));
	return 0;
}

int
cv_sshsig_parse(struct cv_sshsig *ret, struct cv_span armored, struct cv_err *e)
{
	*ret = (struct cv_sshsig){ .blob = CV_BUF(CV_SSH_MAX_BLOB) };
	return dearmor(&ret->blob, armored, e) != 0 ? -1 : read_blob(ret, e);
}

int
cv_sshsig_parse_blob(struct cv_sshsig *ret, struct cv_span blob, struct cv_err *e)
{
	*ret = (struct cv_sshsig){ .blob = CV_BUF(CV_SSH_MAX_BLOB) };
	cv_buf_add(&ret->blob, blob.p, blob.n);
	return cv_buf_ok(&ret->blob, "the SSH signature", e) != 0 ? -1 : read_blob(ret, e);
}

/* ---- verifying ---- */

static void
add_string(struct cv_buf *b, const void *p, size_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		cv_buf_byte(b, (uint8_t)(n >> shift));
	cv_buf_add(b, p, n);
}

static int
signed_bytes(struct cv_buf *out, const struct cv_sshsig *s, struct cv_message *m, struct cv_err *e)
{
	const char *hash = cv_alg_name(s->hash);
	struct cv_digest d;

	if (cv_message_digest(m, s->hash, &d, e) != 0)
		return -1;
	cv_buf_str(out, MAGIC);
	add_string(out, s->ns.p, s->ns.n);
	add_string(out, "", 0);
	add_string(out, hash, strlen(hash));
	add_string(out, d.b, cv_alg_size(s->hash));
	return cv_buf_ok(out, "the signed bytes", e);
}

int
cv_sshsig_verify(const struct cv_sshsig *s, struct cv_message *m, const char *ns, unsigned need,
		 struct cv_ssh_proven *ret, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf over = CV_BUF(CV_SSHSIG_NAMESPACE + 256);
	struct cv_ssh_proven p = { .certified = cv_ssh_is_cert(s->key), .ns = cv_span_str(ns) };
	char brief[CV_TEXT_BRIEF];

	if (p.certified ? cv_ssh_cert_parse(&p.cert, s->key, e) != 0
			: cv_ssh_key_parse(&p.key, s->key, e) != 0)
		return -1;
	if (p.certified)
		p.key = p.cert.key;
	if (!cv_span_eq_str(s->ns, ns))
		return cv_fail(e, CV_R_RULE, "signed for the namespace \"%s\", want \"%s\"",
			       cv_text_brief(brief, s->ns), ns);
	if (signed_bytes(&over, s, m, e) != 0 ||
	    cv_ssh_verify(&p.key, cv_buf_span(&over), s->signature, need, &p.said, e) != 0 ||
	    (p.certified && cv_ssh_cert_signed(&p.cert, e) != 0))
		return -1;
	*ret = p;
	return 0;
}
