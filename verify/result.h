/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.h: everything a run found out: what each artifact is, what vouches for
 * it, each check's answer, and the verdict. The engine fills it; lock, report,
 * bundle and launch read it. Renderers take nothing but this.
 *
 * All strings are owned by the result and may hold hostile bytes.
 */
#ifndef CV_RESULT_H
#define CV_RESULT_H

#include "trust/base/proto.h"
#include "verify/agent.h"
#include "verify/decide.h"
#include "verify/tree.h"

/* What an artifact passes by (DESIGN 4, "Basis"). */
enum cv_basis {
	CV_BASIS_NONE = 0,
	CV_BASIS_PINNED,   /* the lock alone; never called verified */
	CV_BASIS_ENDORSED, /* our own signature over its digest */
	CV_BASIS_SIGNED,   /* its maker's signature */
};

const char *cv_basis_word(enum cv_basis b); /* "pinned"; "none" */

struct cv_r_layer {
	struct cv_digest digest;
	struct cv_digest diffid;
	uint64_t size;
	char *media;
};

/* A proven signature. */
struct cv_r_signer {
	char *name; /* as policy names the signer */
	char *keyid;
	char *predicate;         /* predicate type of a statement, else NULL */
	char *identity, *issuer; /* of a certificate; NULL: signed with a key */
	int64_t signed_at;       /* the earliest time that is proven; 0 none */
	enum cv_signed kind;
	struct cv_digest subject;
	struct cv_digest evidence;
};

/* A blob that is part of the evidence; kept for the bundle. */
struct cv_r_evidence {
	struct cv_digest digest;
	struct cv_blob blob; /* owned; fd -1 when not kept */
	char *role;          /* "signature", "attestation", "sbom", "endorsement" */
};

/* Something that a worker saw and that proves nothing: for `inspect`. */
struct cv_r_observed {
	char *where, *text;
};

#define CV_MAX_OBSERVED 256 /* of one artifact; the rest is not kept */

struct cv_r_vuln {
	char *purl, *id, *fixed, *severity, *summary;
};

struct cv_r_finding {
	struct cv_answer a;
	struct cv_jpos pos; /* line 0: none; place in the agent file */
};

struct cv_r_artifact {
	const struct cv_artifact *decl; /* lives as long as the result's agent */
	const char *name;               /* decl->name */
	char *rule;                     /* policy rule that applied, or NULL */
	char *guidance;                 /* that rule's guidance, or NULL */

	enum cv_basis basis;
	struct cv_digest digest; /* identity: manifest, file or tree digest */
	uint64_t size;
	char *media;
	char *ref; /* logical name without tag, or path or URL */

	/* images */
	struct cv_digest index, manifest, config;
	char *platform;
	struct cv_r_layer *layers;
	size_t nlayers;
	struct cv_blob manifest_blob, config_blob; /* owned, kept for the bundle */

	/* trees: models, skills, prompts, unpacked packages */
	struct cv_tree *tree; /* owned; NULL for images */
	char *package, *version;
	struct cv_digest archive;    /* of the packed file, or alg 0 */
	struct cv_blob archive_blob; /* owned; fd -1: none */

	struct cv_r_signer *signers;
	size_t nsigners;
	struct cv_r_evidence *evidence;
	size_t nevidence;

	/* SBOM and advisories */
	char *sbom_format;
	uint64_t components, matched, uncovered;
	struct cv_r_vuln *vulns;
	size_t nvulns;

	struct cv_r_observed *observed;
	size_t nobserved;

	char note[160]; /* the NOTE column: "7 files, 15.0 GiB, safetensors" */

	struct cv_planned *plan;
	size_t nplan;
	struct cv_r_finding *findings;
	size_t nfindings;

	enum cv_outcome outcome;
	enum cv_reason reason;
	struct cv_counts counts;
	int64_t ms;
};

/* Something that cannot be known before the launch. */
struct cv_r_uncovered {
	char *what;    /* "mcp-remote:crm", "egress:host:port", "writable:/work" */
	char *why;     /* one sentence */
	bool accepted; /* policy names it */
};

/* Who chose the policy that decided. */
enum cv_chosen {
	CV_CHOSEN_UNSAID = 0, /* a caller that does not say */
	CV_CHOSEN_AGENT,      /* the agent file names it */
	CV_CHOSEN_OPTION,     /* the command line does */
	CV_CHOSEN_DEFAULT,    /* nobody did: preset:strict */
};

struct cv_result {
	char request_id[64];
	char *agent_name;
	char *agent_path, *policy_path, *lock_path; /* as given, or NULL */
	struct cv_digest agent_digest, policy_digest, lock_digest;
	char *policy_name;
	enum cv_chosen policy_chosen;
	bool audit;      /* policy mode audit: never launchable */
	bool historical; /* --at: never launchable */
	bool partial;    /* not all artifacts were looked at: never launchable */
	bool offline;
	int64_t now;
	int64_t valid_until;

	struct cv_r_artifact *artifacts; /* sorted by name */
	size_t nartifacts;
	struct cv_r_uncovered *uncovered;
	size_t nuncovered;

	/* findings about the agent as a whole */
	struct cv_planned *plan;
	size_t nplan;
	struct cv_r_finding *findings;
	size_t nfindings;
	struct cv_counts agent_counts;

	/* confinement: flags that held in every worker, and ABI; -1 none ran */
	unsigned sandbox;
	int landlock;
	unsigned workers;

	/* advisory index */
	bool have_db;
	int64_t db_built;
	struct cv_digest db_digest;

	struct cv_decision decision;
	struct cv_counts counts; /* sum over the artifacts and the agent */
	int64_t ms;
	struct cv_digest bundle; /* set by bundle creation */
};

/* cv_result_open: an empty result with n artifacts that hold nothing yet. */
int cv_result_open(struct cv_result **ret, size_t n, struct cv_err *e) cv_must;

/* Adding to a result: CV_R_MEMORY only (evidence: CV_R_IO too). `required` is
 * policy's word; `check` is the catalogue's own id. */
int cv_result_answer(struct cv_r_artifact *a, const struct cv_finding *f, bool required,
		     struct cv_err *e) cv_must;
int cv_result_agent_answer(struct cv_result *r, const struct cv_finding *f, bool required,
			   struct cv_jpos pos, struct cv_err *e) cv_must;
int cv_result_plan(struct cv_r_artifact *a, const char *check, bool required, bool na_ok,
		   struct cv_err *e) cv_must;
int cv_result_agent_plan(struct cv_result *r, const char *check, bool required, bool na_ok,
			 struct cv_err *e) cv_must;
int cv_result_signer(struct cv_r_artifact *a, const struct cv_r_signer *s,
		     struct cv_err *e) cv_must;    /* strings copied */
void cv_result_signer_free(struct cv_r_signer *s); /* its strings */
int cv_result_evidence(struct cv_r_artifact *a, const struct cv_digest *d, struct cv_blob blob,
		       const char *role, struct cv_err *e) cv_must; /* fd duplicated */
int cv_result_vuln(struct cv_r_artifact *a, const struct cv_r_vuln *v,
		   struct cv_err *e) cv_must; /* strings copied */
int cv_result_observed(struct cv_r_artifact *a, const char *where, const char *text,
		       struct cv_err *e) cv_must; /* strings copied */
int cv_result_uncovered(struct cv_result *r, const char *what, bool accepted, struct cv_err *e,
			const char *why) cv_must;

/* cv_result_decide: fill outcome, counts and decision from what was added. With
 * `audit`, `historical` or `partial` the verdict stays "no" (cv_allows), whatever the
 * outcome: it cannot be launched. */
int cv_result_decide(struct cv_result *r, struct cv_err *e) cv_must;

void cv_result_free(struct cv_result **r);

#endif
