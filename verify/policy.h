/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h: policy.json, "clawverify.policy/1": what is required of each part
 * of an agent (verify/schema/policy-1.json; docs/formats.md).
 *
 * Which rule applies. A policy has its own rules and, with "extends", those of
 * a preset. Of its own rules that match an artifact the most specific one
 * applies, of the preset's too; what the own rule leaves out is taken from the
 * preset's, what both leave out has the strictest default (below). More
 * specific is, in this order: a name that is literal, then a glob with more
 * literal characters, then none; the same for the source; then fewer types.
 * Two rules equally specific are an error. No rule at all: `default`, reject.
 *
 * Globs: '*' stays within one path segment, "**" crosses. The source of an
 * image is its logical name without tag; of others the path or the URL.
 *
 * Defaults of a rule: basis signed or endorsed; threshold 1; both generations,
 * both subjects; no attestation, SBOM wanted only if stated; vulnerabilities
 * deny; formats safetensors, gguf, data; scripts deny; every check required.
 *
 * A rule that states "signed_by" and no "basis" has the basis signed or
 * endorsed, whatever its preset accepts: who says who signs wants a signature.
 *
 * Whether enough vouches for an artifact is asked once, by the check
 * basis.insufficient: it is CV_R_RULE when the evidence was looked at, and has
 * the reason for which it could not be looked at otherwise.
 *
 * Keys and trust roots are read together with the policy, so that a policy is
 * complete: its digest covers their own bytes and a changed key changes it.
 *
 * A signer is whoever holds one of its keys, whom a certificate names as one of its
 * identities, or whose key one of its files of ssh-keygen, minisign or signify has. A certificate
 * is judged by the signer's root: the public instance's, which is part of the program, or one that
 * the policy brings along. Only the latter may be without a log or certificate log, and says so.
 */
#ifndef CV_POLICY_H
#define CV_POLICY_H

#include "trust/base/proto.h"
#include "verify/agent.h"

#define CV_POLICY_SCHEMA  "clawverify.policy/1"
#define CV_POLICY_PAYLOAD "application/vnd.clawverify.policy.v1+json" /* in a DSSE envelope */

/* Bits of a rule's basis; the order of enum cv_basis (result.h). */
enum {
	CV_ACCEPT_PINNED = 1 << 1,
	CV_ACCEPT_ENDORSED = 1 << 2,
	CV_ACCEPT_SIGNED = 1 << 3,
};

enum { CV_SUBJECT_INDEX = 1, CV_SUBJECT_MANIFEST = 2 };

struct cv_key {
	const char *file;    /* as written, or NULL for an inline key */
	const char *pem;     /* one block "PUBLIC KEY", NUL-terminated */
	struct cv_digest id; /* SHA-256 of its DER form (the SPKI): the key id
				"sha256:<hex>" of signer facts */
	struct cv_jpos pos;
};

#define CV_PUBLIC_GOOD "public-good" /* the root that is there without being named */

struct cv_sigroot {
	const char *name;
	const char *file;          /* as written; NULL: inline, or the program's own */
	struct cv_span text;       /* trusted_root.json */
	struct cv_digest digest;   /* SHA-256 of text */
	unsigned logs, timestamps; /* that have to vouch; 0: what Sigstore wants */
	bool without_log, without_sct;
	bool has_expires;
	int64_t expires; /* first second at which it judges nothing any more */
	bool used;       /* some signer is judged by it */
	struct cv_jpos pos;
};

/* Who may sign, as the policy says it. What a pattern means is the trust worker's
 * business. */
struct cv_identity_want {
	const char *text;              /* the entry as canonical JSON, for the worker */
	const char *identity, *issuer; /* exactly these; NULL: a pattern, or no issuer */
	struct cv_jv at;               /* the entry in the file */
	struct cv_jpos pos;
};

/* Whose detached signatures count that another program makes; what the file says is the
 * trust worker's business. */
struct cv_tool_want {
	enum cv_tool tool;
	const char *file; /* as written, or NULL for one that stands here */
	struct cv_span text;
	struct cv_digest digest;    /* SHA-256 of text */
	const char *principal, *ns; /* of allowed_signers; else "" */
	struct cv_jpos pos;
};

struct cv_signer {
	const char *name;
	const char *description; /* or NULL */
	struct cv_key *keys;
	size_t nkeys;
	struct cv_identity_want *identities;
	size_t nidentities;
	struct cv_tool_want *tools;
	size_t ntools;
	/* what judges the identities; with keys and stated, what their logs are */
	const struct cv_sigroot *root;
	bool keys_logged; /* signatures by its keys have to be in the root's logs */
	struct cv_jpos pos;
};

struct cv_want_attestation {
	const char *predicate_type;
	const struct cv_signer **signed_by; /* none: the rule's own signed_by */
	size_t nsigned_by;
	struct cv_jpos pos;
};

/* What a signature on an image has to say besides the image. */
struct cv_annotation {
	const char *key, *value;
};

struct cv_check_level {
	const char *check; /* catalogue's own id */
	bool required;
	struct cv_jpos pos;
};

/* Which fields a rule states itself. */
enum {
	CV_RULE_BASIS = 1,
	CV_RULE_SIGNED_BY = 2,
	CV_RULE_THRESHOLD = 4,
	CV_RULE_GENERATIONS = 8,
	CV_RULE_SUBJECTS = 16,
	CV_RULE_ATTESTATIONS = 32,
	CV_RULE_SBOM_REQUIRED = 64,
	CV_RULE_SBOM_AGE = 128,
	CV_RULE_VULNERABILITIES = 256,
	CV_RULE_SEVERITY = 512,
	CV_RULE_FORMATS = 1024,
	CV_RULE_SCRIPTS = 2048,
	CV_RULE_GUIDANCE = 4096,
	CV_RULE_SIGNATURE_TYPES = 8192,
	CV_RULE_ANNOTATIONS = 16384,
};

enum cv_severity { CV_SEV_ANY, CV_SEV_LOW, CV_SEV_MEDIUM, CV_SEV_HIGH, CV_SEV_CRITICAL };
extern const char *const cv_severity_words[]; /* "any", "low", ... NULL */

struct cv_rule {
	const char *name;
	bool preset; /* of the preset, not of the file */
	unsigned set;

	/* match: 0 types and NULL globs match everything */
	unsigned types; /* bits 1 << enum cv_atype */
	const char *match_name, *match_source;

	unsigned basis;                     /* CV_ACCEPT_* */
	const struct cv_signer **signed_by; /* any key of threshold of them */
	size_t nsigned_by;
	unsigned threshold;
	/* predicate types of statements by which a signer of the rule signs, besides
	 * those that always do */
	struct cv_items signature_types;
	struct cv_annotation *annotations; /* of signatures by cosign, all of them */
	size_t nannotations;
	unsigned generations; /* CV_IMG_BUNDLES, CV_IMG_LEGACY */
	unsigned subjects;    /* CV_SUBJECT_*: whose digest a signature may be about */
	struct cv_want_attestation *attestations;
	size_t nattestations;

	bool sbom_required;
	int64_t sbom_max_index_age; /* seconds; 0: any */
	bool vulnerabilities_deny;
	enum cv_severity min_severity; /* lesser ones are only listed */

	unsigned formats; /* CV_FMT_* */
	bool scripts_allowed;
	const char *guidance; /* or NULL */

	/* levels stated by the rule; cv_policy_required() knows the rest */
	struct cv_check_level *checks;
	size_t nchecks;
	/* levels of the preset's rule beneath, in an effective rule */
	const struct cv_check_level *base_checks;
	size_t nbase_checks;

	struct cv_jpos pos;
};

/* What a launcher may be asked to enforce. The words are those of launch.json. */
enum cv_control {
	/* cv_control_words[] has them as "image", "mounts", "read-only-root",
	 * "capabilities", "no-new-privileges", "user", "namespaces", "memory",
	 * "cpus", "pids", "network-none", "egress" */
	CV_CTL_IMAGE,        /* exactly the verified image */
	CV_CTL_MOUNTS,       /* verified trees, read-only */
	CV_CTL_ROOT,         /* read-only root file system */
	CV_CTL_CAPABILITIES, /* all dropped but those named */
	CV_CTL_NO_NEW_PRIVILEGES,
	CV_CTL_USER,
	CV_CTL_NAMESPACES, /* none of the host's */
	CV_CTL_MEMORY,
	CV_CTL_CPUS,
	CV_CTL_PIDS,
	CV_CTL_NETWORK_NONE, /* no network at all */
	CV_CTL_EGRESS,       /* only the named hosts and ports */
	CV_CTL_COUNT
};
extern const char *const cv_control_words[]; /* "image", ..., NULL */

struct cv_policy {
	const char *name;
	uint64_t version; /* 0: not stated */
	bool has_expires;
	int64_t expires;     /* first second at which it no longer holds */
	const char *extends; /* "preset:strict" ..., or NULL */
	bool confinement_required;
	bool audit;        /* mode audit: never launchable */
	int64_t valid_for; /* seconds that a verdict holds */

	struct cv_sigroot *roots; /* the first is the public instance's */
	size_t nroots;
	struct cv_signer *signers; /* sorted by name */
	size_t nsigners;
	const struct cv_signer **endorsers;
	size_t nendorsers;
	bool external_keys; /* a key or root came from a file beside the policy */

	struct cv_rule *rules; /* own, then the preset's */
	size_t nrules, nown;

	struct cv_check_level *checks; /* of the whole policy */
	size_t nchecks;

	struct cv_items accept; /* uncovered things that are accepted; globs */

	struct cv_items allow;              /* "docker-socket", "privileged",
					       "host-namespace:pid", "device:/dev/kvm",
					       "writable-code"; exactly these */
	struct cv_limits max;               /* most that a launch may ask for; 0: any */
	bool has_capabilities, has_network; /* stated: only these */
	struct cv_items capabilities;
	struct cv_items network; /* globs of host:port */
	bool has_controls;
	unsigned required_controls; /* bits 1 << enum cv_control */
	struct cv_digest digest;    /* of cv_policy_effective() */
	const char *file;

	struct cv_jdoc *doc, *preset_doc;
	struct cv_mem mem;
};

/* cv_policy_parse: key files are opened relative to dirfd; with -1 every key has
 * to be inline. */
int cv_policy_parse(struct cv_policy **ret, const char *name, struct cv_span in, int dirfd,
		    struct cv_err *e) cv_must;

/* cv_policy_load: a path, or "preset:strict|standard|audit". */
int cv_policy_load(struct cv_policy **ret, const char *path, struct cv_err *e) cv_must;
void cv_policy_free(struct cv_policy **p);

/* cv_policy_rule: the effective rule for one artifact, all fields filled (set
 * keeps telling which were stated by either rule). Its name is the own rule's
 * if there is one. 1 found, 0 none (policy.no-rule), -1: two equally specific
 * rules (CV_R_CONFIG). Borrowed from the policy. */
int cv_policy_rule(const struct cv_policy *p, const struct cv_artifact *a, struct cv_rule *ret,
		   struct cv_err *e) cv_must;

/* cv_policy_required: is this check required? rule NULL: about the agent. The
 * rule's word, then its preset's, then the policy's; else, in mode audit, no;
 * else yes. Always yes where cv_check_is_fixed(); but sandbox.unavailable is
 * what "confinement" says. */
bool cv_policy_required(const struct cv_policy *p, const struct cv_rule *rule, const char *check);

/* cv_check_is_fixed: no policy can make this check advisory (docs/formats.md
 * lists them): without it the other answers would be about something else. */
bool cv_check_is_fixed(const char *check);

/* cv_policy_accepts: is this uncovered thing ("egress:host:port") accepted? A
 * pattern is the text itself, or a kind alone ("egress", "secret"), or has '*'
 * within what follows the kind. */
bool cv_policy_accepts(const struct cv_policy *p, const char *what);

/* cv_policy_allows: does launch.allow name this ("device:/dev/kvm")? */
bool cv_policy_allows(const struct cv_policy *p, const char *what);

/* cv_policy_launch: what the agent's launch asks for against what policy lets
 * it have: docker socket, privileges, namespaces, devices, writable code,
 * limits, capabilities, network, a writable root. fn is called with each
 * finding, all of them against it; none is called if all is well. */
int cv_policy_launch(const struct cv_policy *p, const struct cv_agent *a,
		     int (*fn)(void *ctx, const struct cv_finding *f, struct cv_jpos pos,
			       struct cv_err *e),
		     void *ctx, struct cv_err *e) cv_must;

/* cv_policy_effective: the merged policy, keys inlined, as a JSON object
 * "clawverify.effective-policy/1" (new reference); for `policy show` with
 * cv_json_emit, and its RFC 8785 form is what policy->digest is of. */
int cv_policy_effective(const struct cv_policy *p, json_t **ret, struct cv_err *e) cv_must;

/* cv_key_parse: a key of the kinds of trust/base/pubkey.h, as PEM; fills pem and id.
 * Any other is CV_R_CONFIG. */
int cv_key_parse(struct cv_mem *m, struct cv_key *ret, struct cv_span pem, const char *what,
		 struct cv_err *e) cv_must;

/* cv_keys_read: an array of file names (relative to dirfd, see above) and
 * inline PEM strings; *external is set when one was a file. */
int cv_keys_read(struct cv_mem *m, struct cv_jv v, int dirfd, struct cv_key **ret, size_t *n,
		 bool *external, struct cv_err *e) cv_must;

#endif
