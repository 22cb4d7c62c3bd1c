/* SPDX-License-Identifier: Apache-2.0 */
/* detached.c: see detached.h. Must never let a key of one tool judge another's. */
#include "trust/detached.h"

#include <stdlib.h>
#include <string.h>

#include "trust/allowed_signers.h"

#include "trust/base/banned.h"

#define COMMENT "untrusted comment: "
#define TRUSTED "\ntrusted comment: "

int
cv_tool_read(struct cv_ring_tool *t, const char *what, struct cv_span text, const char *principal,
	     const char *ns, struct cv_err *e)
{
	int r;

	if (t->tool != CV_TOOL_SSH) {
		r = cv_minisign_key_parse(&t->key, text, e);
	} else {
		r = cv_signers_parse(&t->signers, what, text, CV_ZONE_NONE, e);
		t->principal = strdup(principal);
		t->ns = strdup(ns);
		if (r == 0 && (t->principal == NULL || t->ns == NULL))
			r = cv_fail_memory(e);
	}
	/* a policy that cannot be judged by is no word about the artifact */
	if (r != 0 && cv_reason_exit(e->reason) == CV_EXIT_FAIL)
		e->reason = CV_R_UNSUPPORTED;
	return r;
}

void
cv_tool_clear(struct cv_ring_tool *t)
{
	cv_signers_free(&t->signers);
	free(t->name);
	free(t->principal);
	free(t->ns);
	*t = (struct cv_ring_tool){ .name = NULL };
}

bool
cv_detached_is(struct cv_span text)
{
	return cv_span_has_prefix(text, CV_SSHSIG_BEGIN) || cv_span_has_prefix(text, COMMENT);
}

/* ---- SSH ---- */

static int
by_ssh(const struct cv_ring_tool *t, struct cv_message *m, struct cv_span text, int64_t now,
       struct cv_pubkey **key, struct cv_err *e)
{
	struct cv_sshsig s = { .hash = CV_ALG_NONE };
	struct cv_buf der = CV_BUF(CV_MAX_KEY_PEM);
	struct cv_ssh_proven p;
	int r = cv_sshsig_parse(&s, text, e);

	if (r == 0)
		r = cv_sshsig_verify(&s, m, t->ns, CV_SSH_PRESENT, &p, e);
	if (r == 0)
		r = cv_signers_allow(t->signers, &p, cv_span_str(t->principal), now, e);
	if (r == 0)
		r = cv_ssh_key_der(&der, &p.key, e);
	if (r == 0)
		r = cv_pubkey_load_der(key, "the key that signed", cv_buf_span(&der), e);
	cv_buf_free(&der);
	cv_sshsig_free(&s);
	return r;
}

/* ---- minisign, signify ---- */

/* RFC 8410 4: what stands before the 32 bytes of an Ed25519 key. */
static int
ed25519_key(struct cv_pubkey **ret, const uint8_t key[32], struct cv_err *e)
{
	uint8_t der[44] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0 };

	memcpy(der + 12, key, 32);
	return cv_pubkey_load_der(ret, "the key that signed", cv_span(der, sizeof(der)), e);
}

static bool
has_trusted(struct cv_span text)
{
	return memmem(text.p, text.n, TRUSTED, strlen(TRUSTED)) != NULL;
}

static int
parse(struct cv_minisign *s, enum cv_tool tool, struct cv_span text, struct cv_err *e)
{
	if (has_trusted(text) != (tool == CV_TOOL_MINISIGN))
		return cv_fail(e, CV_R_IDENTITY, "found a signature of %s, want one of %s",
			       tool == CV_TOOL_MINISIGN ? "signify" : "minisign",
			       tool == CV_TOOL_MINISIGN ? "minisign" : "signify");
	if (tool == CV_TOOL_MINISIGN)
		return cv_minisign_parse(s, text, e);
	if (cv_signify_parse(s, text, e) != 0)
		return -1;
	if (s->embedded.n > 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "found %zu bytes after the signature, want it detached",
			       s->embedded.n);
	return 0;
}

static int
by_comment(const struct cv_ring_tool *t, struct cv_message *m, struct cv_span text,
	   struct cv_pubkey **key, struct cv_err *e)
{
	struct cv_minisign s = { .signify = false };
	struct cv_minisign_proven p;
	struct cv_span bytes;

	if (parse(&s, t->tool, text, e) != 0)
		return -1;
	if (memcmp(s.number, t->key.number, sizeof(s.number)) == 0) {
		if (cv_message_all(m, &bytes, e) != 0)
			return -1;
	} else {
		bytes = cv_span("", 0); /* another key's: nothing to read for it */
	}
	if (cv_minisign_verify(&t->key, &s, bytes, false, &p, e) != 0)
		return -1;
	return ed25519_key(key, t->key.key, e);
}

int
cv_detached_by(const struct cv_ring_tool *t, struct cv_message *m, struct cv_span text, int64_t now,
	       struct cv_pubkey **key, struct cv_err *e)
{
	bool ssh = cv_span_has_prefix(text, CV_SSHSIG_BEGIN);

	if (ssh != (t->tool == CV_TOOL_SSH))
		return cv_fail(e, CV_R_IDENTITY, "found a signature of %s, want one of %s",
			       ssh ? "ssh-keygen" : "minisign or signify",
			       ssh ? "minisign or signify" : "ssh-keygen");
	return ssh ? by_ssh(t, m, text, now, key, e) : by_comment(t, m, text, key, e);
}
