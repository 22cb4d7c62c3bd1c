/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_signer.h: who has to have signed, and the evidence for it, said on the
 * command line instead of in a policy: what a user of `cosign verify-blob` has at
 * hand. The policy is made of the options and read like a written one.
 */
#ifndef CV_SESSION_SIGNER_H
#define CV_SESSION_SIGNER_H

#include "verify/cmd.h"

/* The options, for the table of a verb. */
#define CV_SIGNER_OPTS                                                                             \
	{ "bundle", 0, CV_OPT_MANY, "FILE", "Sigstore bundle about PATH" },                        \
		{ "signature", 0, CV_OPT_MANY, "FILE", "detached signature of PATH" },             \
		{ "identity", 0, CV_OPT_VALUE, "NAME",                                             \
		  "who signed: the name in the certificate" },                                     \
		{ "identity-pattern", 0, CV_OPT_VALUE, "RE", "the same, as an anchored pattern" }, \
		{ "issuer", 0, CV_OPT_VALUE, "URL", "who vouched for that name" },                 \
		{ "issuer-pattern", 0, CV_OPT_VALUE, "RE", "the same, as an anchored pattern" },   \
		{ "annotation", 'a', CV_OPT_MANY, "KEY=VALUE",                                     \
		  "that the image was signed with; may be repeated" },                             \
		{ "claim", 0, CV_OPT_MANY, "WORD=VALUE", "of the certificate; may be repeated" },  \
		{ "key", 0, CV_OPT_MANY, "FILE", "public key (PEM) of who signed" },               \
		{ "allowed-signers", 0, CV_OPT_VALUE, "FILE", "of ssh-keygen: who may sign" },     \
		{ "principal", 0, CV_OPT_VALUE, "NAME", "with it: who has to have signed" },       \
		{ "namespace", 0, CV_OPT_VALUE, "NAME", "with it: for what, as in \"file\"" },     \
		{ "minisign-key", 0, CV_OPT_VALUE, "FILE",                                         \
		  "minisign's public key of who signed" },                                         \
		{ "signify-key", 0, CV_OPT_VALUE, "FILE", "signify's public key of who signed" },  \
		{ "root", 0, CV_OPT_VALUE, "FILE", "trusted_root.json; without, public-good" },    \
	{                                                                                          \
		"type", 0, CV_OPT_VALUE, "URI", "predicate type: an attestation is wanted"         \
	}

/* cv_signer_said: does the command line say who? cv_signer_policy: the policy that it
 * amounts to; CV_R_USAGE. */
bool cv_signer_said(const struct cv_cmdline *c);
int cv_signer_policy(struct cv_policy **ret, const struct cv_cmdline *c, struct cv_err *e) cv_must;

/* cv_verify_bundle: `trust verify-bundle`, which is `verify PATH` with a bundle and who
 * signed it; an exit code (cmd_verify.c). */
int cv_verify_bundle(struct cv_cmdline *c, const char *path, struct cv_err *e);

/* cv_signer_evidence: open --bundle and --signature into the session's request. */
int cv_signer_evidence(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e) cv_must;
void cv_signer_evidence_close(struct cv_session *s);

#endif
