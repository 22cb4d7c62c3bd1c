/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_vouch.h: signatures, endorsements and attestations of one artifact.
 * engine_vouch.c judges facts; engine_evidence.c asks the trust worker about
 * files beside the agent. Used by the parts of the engine only.
 */
#ifndef CV_ENGINE_VOUCH_H
#define CV_ENGINE_VOUCH_H

#include "verify/engine_int.h"

/* cv_vouch_keys: ITEM KEY for each key of the signers, ROOT and IDENTITY for who has a
 * certificate. A root that has ended is held against the artifact (sig.root-expired)
 * and not sent. */
int cv_vouch_keys(struct cv_role *r, struct cv_job *j, const struct cv_signer *const *signers,
		  size_t n, struct cv_err *e) cv_must;

/* cv_vouch_root: ITEM ROOT. */
int cv_vouch_root(struct cv_role *r, const struct cv_sigroot *root, struct cv_err *e) cv_must;

/* cv_vouch_rule_keys: the same of everyone whom the rule names, each once. */
int cv_vouch_rule_keys(struct cv_role *r, struct cv_job *j, struct cv_err *e) cv_must;

/* cv_vouch_fact: a SIGNER or STATEMENT fact into the artifact. When the task
 * fails afterwards, cv_vouch_forget() takes back all beyond these counts. */
int cv_vouch_fact(struct cv_job *j, struct cv_frame *f, struct cv_err *e) cv_must;
void cv_vouch_forget(struct cv_job *j, size_t nsigners, size_t nstatements);

/* cv_vouch_tell: as cv_call_tell(), but sig. findings are held until it is
 * known whether they matter. cv_vouch_hold: hold one; -1 out of memory. */
void cv_vouch_tell(struct cv_call *c);
int cv_vouch_hold(struct cv_job *j, const struct cv_finding *f) cv_must;

/* cv_vouch_basis: what the artifact passes by; answers basis.insufficient,
 * endorse.*, sig.*. True if all that the rule wants is there. */
bool cv_vouch_basis(struct cv_job *j);

/* cv_vouch_by: is this signer one of them? cv_vouch_subject: is a statement
 * about this digest one about the artifact, as the rule has it? */
bool cv_vouch_by(const struct cv_signer *const *signers, size_t n, const char *name);
bool cv_vouch_subject(const struct cv_job *j, const struct cv_digest *subject);

/* cv_vouch_is_sbom: a predicate type of CycloneDX or SPDX. */
bool cv_vouch_is_sbom(const char *predicate);

/* ---- engine_evidence.c ---- */

/* cv_vouch_has_files: is there anything for cv_vouch_files() to look at? */
bool cv_vouch_has_files(const struct cv_job *j);

/* cv_vouch_files: the agent's evidence files about this artifact; `about` is the
 * digest, blob its bytes (fd -1: a tree). */
void cv_vouch_files(struct cv_job *j, const struct cv_digest *about, struct cv_blob blob);

/* cv_vouch_endorsed: is there an endorsement that holds? Answers endorse.* */
bool cv_vouch_endorsed(struct cv_job *j);

/* cv_vouch_keep: the evidence blobs of signers and statements, for the bundle. */
void cv_vouch_keep(struct cv_job *j);

#endif
