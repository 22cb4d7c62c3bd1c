/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gatecfg.h: the host's gate.json, "clawverify.gate-config/1": which policies a
 * gate accepts, and what no policy may loosen (DESIGN 4, "Authority"). (The
 * gate's answer is another document: "clawverify.gate/1".)
 *
 * A policy is accepted when gate.json names it (by its path on this host, or by
 * the SHA-256 of its bytes) or when one of the policy signers signed it, as the
 * payload of a DSSE envelope of type CV_POLICY_PAYLOAD. The signature is proven
 * by the trust worker; here is said what has to be proven. Then its version, its
 * end and the final fields are compared. Not accepted: CV_R_UNAUTHORISED, check
 * id policy.not-authorised.
 *
 * Mistakes in gate.json itself are CV_R_CONFIG.
 */
#ifndef CV_GATECFG_H
#define CV_GATECFG_H

#include "verify/policy.h"

#define CV_GATECFG_SCHEMA "clawverify.gate-config/1"
#define CV_GATECFG_PATH   "/etc/clawverify/gate.json"

struct cv_gate_policy {
	const char *name;
	const char *path;        /* absolute, or NULL */
	struct cv_digest sha256; /* of the file's bytes, or alg 0 */
	struct cv_jpos pos;
};

/* A field that may only be tightened, and its loosest value. */
struct cv_gate_final {
	const char *pointer; /* one of cv_final_words */
	struct cv_jv value;
	struct cv_jpos pos;
};

struct cv_gate_adapter {
	const char *name;    /* "docker" */
	const char *program; /* absolute path, or NULL */
	const char *host;    /* "unix:///path", or NULL */
	struct cv_jpos pos;
};

struct cv_gatecfg {
	struct cv_key *policy_signers;
	size_t npolicy_signers;
	struct cv_gate_policy *policies;
	size_t npolicies;
	uint64_t min_version;
	struct cv_gate_final *final;
	size_t nfinal;
	struct cv_key *bundle_keys; /* whose VSAs (sealed bundles) are believed */
	size_t nbundle_keys;
	struct cv_gate_adapter *adapters;
	size_t nadapters;
	struct cv_digest digest; /* of the file's bytes */
	const char *file;

	struct cv_jdoc *doc;
	struct cv_mem mem;
};

/* The pointers that can be final, NULL-terminated. For each its value is of the
 * policy field's own type:
 *   /confinement "required"      /mode "enforce"          /valid_for "24h" (at most)
 *   /version 3 (at least)        /endorsers: at most these, by the ids of their
 *   keys ("sha256:..."); /uncovered/accept, /launch/allow,
 *   /launch/capabilities, /launch/network: at most these, as they are written
 *   /launch/limits/memory, .../cpus, .../pids: at most
 *   /launch/required_controls: at least these
 *   /rules/basis, /rules/formats, /rules/generations: at most these, in every rule
 *   /rules/scripts "deny"        /rules/vulnerabilities "deny" (of any severity)
 *   /rules/threshold 2 (at least)
 *   /checks ["vuln.known"]: these stay required
 */
extern const char *const cv_final_words[];

/* cv_gatecfg_parse: key files relative to dirfd. */
int cv_gatecfg_parse(struct cv_gatecfg **ret, const char *name, struct cv_span in, int dirfd,
		     struct cv_err *e) cv_must;
/* cv_gatecfg_load: it and its key files have to be guarded.h's. */
int cv_gatecfg_load(struct cv_gatecfg **ret, const char *path, struct cv_err *e) cv_must;
void cv_gatecfg_free(struct cv_gatecfg **g);

enum cv_gate_by {
	CV_GATE_NO = 0,
	CV_GATE_BY_PATH,   /* named by its path */
	CV_GATE_BY_SHA256, /* named by its digest */
	CV_GATE_BY_SIGNER, /* only if the trust worker proves, with exactly the
			      keys in policy_signers, that the envelope's payload
			      is these bytes and its type is CV_POLICY_PAYLOAD */
};

/* cv_gatecfg_authority: who could vouch for this policy. `path` is absolute and
 * resolved (NULL: it did not come from a file of this host); `bytes` is the
 * policy, taken out of its envelope if `enveloped`. CV_R_UNAUTHORISED when
 * nobody could. */
int cv_gatecfg_authority(const struct cv_gatecfg *g, const char *path, struct cv_span bytes,
			 bool enveloped, enum cv_gate_by *ret, struct cv_err *e) cv_must;

/* cv_gatecfg_check: the parsed policy against min_version and the final
 * fields. A policy vouched for by digest or signature has to hold its keys
 * itself, since the files beside it are not covered. CV_R_UNAUTHORISED. */
int cv_gatecfg_check(const struct cv_gatecfg *g, const struct cv_policy *p, enum cv_gate_by by,
		     struct cv_err *e) cv_must;

#endif
