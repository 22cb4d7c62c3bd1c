/* SPDX-License-Identifier: Apache-2.0 */
/* policy_int.h: the parts of the reader of policy.json. */
#ifndef CV_POLICY_INT_H
#define CV_POLICY_INT_H

#include "verify/policy.h"

/* cv_policy_checks: append the levels of an object {"check id": "required"}. */
int cv_policy_checks(struct cv_policy *p, struct cv_jv v, struct cv_check_level **ret, size_t *n,
		     struct cv_err *e) cv_must;

/* cv_policy_signers: an array of names of p->signers; absent gives none. */
int cv_policy_signers(struct cv_policy *p, struct cv_jv v, const struct cv_signer ***ret, size_t *n,
		      struct cv_err *e) cv_must;

/* cv_policy_read_roots: the section "roots", with the public instance's in any case.
 * cv_policy_read_identities: the members "root" and "identities" of a signer. */
int cv_policy_read_roots(struct cv_policy *p, struct cv_jv v, int dirfd, struct cv_err *e) cv_must;
/* cv_policy_read_tools: "ssh", "minisign", "signify" of a signer (policy_tools.c).
 * cv_tool_same: two of them are one. */
int cv_policy_read_tools(struct cv_policy *p, struct cv_signer *s, struct cv_jv signer, int dirfd,
			 struct cv_err *e) cv_must;
bool cv_tool_same(const struct cv_tool_want *a, const struct cv_tool_want *b);

int cv_policy_read_identities(struct cv_policy *p, struct cv_signer *s, struct cv_jv signer,
			      struct cv_err *e) cv_must;

/* cv_identity_json: an identity's entry without remarks; new reference, NULL without
 * memory. */
json_t *cv_identity_json(struct cv_jv at);

/* cv_policy_read_rules: append the rules of one file. */
int cv_policy_read_rules(struct cv_policy *p, struct cv_jv v, bool preset,
			 struct cv_err *e) cv_must;

/* cv_policy_read_launch, cv_policy_read_accept: the sections "launch" and
 * "uncovered"; what p has already stated stays. */
int cv_policy_read_launch(struct cv_policy *p, struct cv_jv v, struct cv_err *e) cv_must;
int cv_policy_read_accept(struct cv_policy *p, struct cv_jv v, struct cv_err *e) cv_must;

/* The words of a rule's fields, in the order of their bits. */
extern const char *const cv_basis_words[];      /* CV_ACCEPT_PINNED << index */
extern const char *const cv_generation_words[]; /* CV_IMG_BUNDLES << index */
extern const char *const cv_subject_words[];    /* CV_SUBJECT_INDEX << index */
extern const char *const cv_format_words[];     /* CV_FMT_SAFETENSORS << index */

#endif
