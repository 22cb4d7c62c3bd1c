/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation on the way from an SSH signature to an answer fails in turn: the
 * answer is "out of memory" or the same as ever, never "does not verify". */
#include <stdlib.h>

#include "tests/support/nomem.h"
#include "tests/support/ssh.h"
#include "trust/allowed_signers.h"
#include "trust/git_object.h"

#include "trust/base/banned.h"

#define WHO "dev@example.com"

static const char head[] =
	"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
	"author A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n";

/* A commit signed with a certificate, and the list that has its CA. */
static void
make(struct cv_buf *raw, struct cv_buf *list, enum cv_ssh_kind kind)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(kind);
	cv_auto(s_key_free) struct s_key *ca = s_key_new(kind);
	cv_auto(cv_buf_free) struct cv_buf cert = CV_BUF(9000), sig = CV_BUF(20000),
					   armor = CV_BUF(20000), payload = CV_BUF(2000);
	struct cv_span lines;

	s_certificate(&cert, k, ca, &(struct s_cert){ .principals = { WHO } });
	cv_buf_fmt(&payload, "%s\nwords\n", head);
	s_sshsig(&sig, k, cv_buf_span(&payload),
		 &(struct s_sig){ .ns = "git", .cert = cv_buf_span(&cert) });
	s_armor(&armor, cv_buf_span(&sig));
	cv_buf_fmt(raw, "%sgpgsig", head);
	for (lines = cv_buf_span(&armor); lines.n > 0;) {
		struct cv_span line = cv_span_until(&lines, '\n');

		cv_buf_fmt(raw, " %.*s\n", (int)line.n, (const char *)line.p);
	}
	cv_buf_str(raw, "\nwords\n");
	cv_buf_str(list, "* cert-authority ");
	s_public_line(list, ca);
}

static int
ask(struct cv_span raw, struct cv_span list, struct cv_err *e)
{
	cv_auto(cv_git_free) struct cv_git_object o;
	cv_auto(cv_sshsig_free) struct cv_sshsig s = { 0 };
	cv_auto(cv_signers_free) struct cv_signers *l = NULL;
	struct cv_ssh_proven p;

	if (cv_git_parse(&o, CV_GIT_COMMIT, CV_GIT_SHA1, raw, e) != 0 ||
	    cv_git_verify(&o, CV_SSH_PRESENT, &s, &p, e) != 0 ||
	    cv_signers_parse(&l, "list", list, CV_ZONE_NONE, e) != 0)
		return -1;
	return cv_signers_allow(l, &p, cv_span_str(WHO), 1700000000, e);
}

static void
every_allocation(void)
{
	if (!T_NOMEM)
		t_skip("a sanitizer's allocator");
	for (enum cv_ssh_kind kind = CV_SSH_ED25519; kind <= CV_SSH_SK_P256; kind++) {
		cv_auto(cv_buf_free) struct cv_buf raw = CV_BUF(20000), list = CV_BUF(9000);
		struct cv_err e = { 0 };
		size_t k;
		int r;

		make(&raw, &list, kind);
		T_OK(ask(cv_buf_span(&raw), cv_buf_span(&list), &e), e);
		for (k = 1;
		     t_nomem(k), r = ask(cv_buf_span(&raw), cv_buf_span(&list), &e), t_nomem_hit();
		     k++)
			if (r != 0 && e.reason != CV_R_MEMORY)
				t_fail(__FILE__, __LINE__, "kind %d, allocation %zu: %s: %s",
				       (int)kind, k, cv_reason_word(e.reason), e.text);
		T(k > 10);
		T_INT(r, 0);
	}
}

static const struct t_case cases[] = {
	{ "every allocation fails in turn", every_allocation },
};

T_MAIN(cases)
