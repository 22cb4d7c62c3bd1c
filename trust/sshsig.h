/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshsig.h: signatures of "ssh-keygen -Y sign" (OpenSSH's PROTOCOL.sshsig).
 *
 *   -----BEGIN SSH SIGNATURE-----, base64 in lines of any length, -----END ...
 *   blob = "SSHSIG" ‖ u32 1 ‖ string public key or certificate ‖ string namespace
 *          ‖ string reserved ‖ string hash ("sha256", "sha512") ‖ string signature
 *   signed = "SSHSIG" ‖ string namespace ‖ string "" ‖ string hash ‖ string H(message)
 *
 * The armor's lines end with LF or CRLF; white space alone may follow it (ssh-keygen
 * lets anything follow). The reserved field is not signed: it must be empty, which
 * ssh-keygen does not ask. A namespace is never empty, and the reader names the one
 * that it wants: a signature made for mail is none for a file.
 *
 * What is proven here: this key signed this message for this namespace. Whose key it
 * is, is allowed_signers.h's matter.
 */
#ifndef CV_TRUST_SSHSIG_H
#define CV_TRUST_SSHSIG_H

#include "trust/key.h"
#include "trust/ssh_wire.h"

#define CV_SSHSIG_BEGIN     "-----BEGIN SSH SIGNATURE-----"
#define CV_SSHSIG_END       "-----END SSH SIGNATURE-----"
#define CV_SSHSIG_MAX       (96 * 1024) /* bytes of armor */
#define CV_SSHSIG_NAMESPACE 256         /* bytes */

/* What a signature says; nothing of it is proven. Spans point into blob. */
struct cv_sshsig {
	struct cv_buf blob;
	struct cv_span key, ns, signature;
	enum cv_alg hash;
};

/* cv_sshsig_parse: armored; cv_sshsig_parse_blob: without armor. Free in any case. */
int cv_sshsig_parse(struct cv_sshsig *ret, struct cv_span armored, struct cv_err *e) cv_must;
int cv_sshsig_parse_blob(struct cv_sshsig *ret, struct cv_span blob, struct cv_err *e) cv_must;
void cv_sshsig_free(struct cv_sshsig *s);

/* What holds. Spans point into the cv_sshsig's blob and the namespace wanted. */
struct cv_ssh_proven {
	struct cv_ssh_key key; /* whose signature it is */
	bool certified;        /* with `cert`, signed by the CA it names, which is trusted
				* by nobody yet */
	struct cv_ssh_cert cert;
	struct cv_span ns;
	struct cv_ssh_said said;
};

/* cv_sshsig_verify: 0 if and only if s is over m, for namespace ns. `need`: flags of
 * FIDO keys, CV_SSH_PRESENT or more (ssh-keygen -Y verify asks for none). CV_R_RULE:
 * another namespace, missing flags, SHA-1; CV_R_SIGNATURE; CV_R_UNSUPPORTED. */
int cv_sshsig_verify(const struct cv_sshsig *s, struct cv_message *m, const char *ns, unsigned need,
		     struct cv_ssh_proven *ret, struct cv_err *e) cv_must;

#endif
