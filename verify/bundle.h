/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h: the sealed bundle (DESIGN 4; docs/bundle.md): exactly the verified
 * bytes of an agent, for a launcher.
 *
 *     sha256-<hex of bundle.json>/
 *       bundle.json        every other member but the next two: path, role, size,
 *                          digest, mode; canonical JSON
 *       vsa.dsse.json      the signed verdict (vsa.h), whose subject it is
 *       report.json        the whole result, for people; named by the VSA, may be missing
 *       launch-set.json    all that will run (launchset.h)
 *       launch.json        the contract for a launcher (launch.h)
 *       agent.json, policy.json, policy.effective.json, clawverify.lock
 *       policy.dsse.json   if somebody signed policy.json
 *       oci/               OCI image layout, and manifest.json that agrees with it
 *       trees/NAME/...     files of model, skill, tool, prompt NAME
 *       evidence/<hex>     signatures, attestations, SBOMs that were used
 *
 * Files are 0444, executable ones 0555, directories 0555. The same agent sealed
 * twice gives the same bundle.json. A bundle is there as a whole or not at all.
 */
#ifndef CV_BUNDLE_H
#define CV_BUNDLE_H

#include "verify/engine.h"
#include "verify/sign.h"
#include "verify/vsa.h"

#define CV_BUNDLE_SCHEMA        "clawverify.bundle/1"
#define CV_BUNDLE_INDEX         "bundle.json"
#define CV_BUNDLE_VSA           "vsa.dsse.json"
#define CV_BUNDLE_REPORT        "report.json"
#define CV_BUNDLE_SET           "launch-set.json"
#define CV_BUNDLE_LAUNCH        "launch.json"
#define CV_BUNDLE_POLICY        "policy.json"
#define CV_BUNDLE_POLICY_SIGNED "policy.dsse.json"
#define CV_BUNDLE_NAME          (7 + 64 + 1) /* "sha256-<hex>" and NUL */

/* ---- the list of members ---- */

enum cv_member_kind { CV_M_FILE = 1, CV_M_EXEC, CV_M_LINK, CV_M_DIR };

struct cv_member {
	const char *path;
	const char *role; /* "launch-set", "oci", "tree", "evidence", ... */
	enum cv_member_kind kind;
	uint64_t size;
	struct cv_digest digest; /* SHA-256 of the bytes or the link's target */
	const char *target;      /* links */
};

struct cv_members {
	struct cv_member *v; /* sorted by path once cv_members_sort was called */
	size_t n, room;
	struct cv_mem mem;
};

/* cv_members_add: everything is copied. */
int cv_members_add(struct cv_members *m, const struct cv_member *one, struct cv_err *e) cv_must;

/* cv_members_sort: CV_R_BUG if a path is there twice. */
int cv_members_sort(struct cv_members *m, struct cv_err *e) cv_must;
const struct cv_member *cv_members_find(const struct cv_members *m, const char *path);
void cv_members_free(struct cv_members *m);

/* cv_members_emit: bundle.json. cv_members_parse: only what emit writes. */
int cv_members_emit(const struct cv_members *m, const char *agent, const struct cv_digest *set,
		    struct cv_buf *out, struct cv_err *e) cv_must;
int cv_members_parse(struct cv_members *ret, char agent[65], struct cv_digest *set,
		     struct cv_span in, struct cv_err *e) cv_must;

/* ---- sealing ---- */

struct cv_seal {
	const struct cv_request *rq;
	const struct cv_result *result; /* passed, launchable */
	const char *dir;                /* where bundles lie; made if missing */
	const struct cv_signkey *key;
	struct cv_span policy;        /* the policy file as it was read */
	struct cv_span policy_signed; /* the envelope beside it; n 0: none */
	struct cv_span lock;          /* the lock file as it was read */
	struct cv_span report;        /* report.json; n 0: none */
};

/* cv_bundle_seal: write the bundle; *digest is that of its bundle.json, path gets
 * where it is. If it is there already, whole, only its verdict is renewed. A
 * result that may not be launched is CV_R_RULE. */
int cv_bundle_seal(const struct cv_seal *s, struct cv_digest *digest, char path[4096],
		   struct cv_err *e) cv_must;

/* ---- opening ---- */

/* Whom to believe. Keys are borrowed. */
struct cv_bundle_trust {
	const struct cv_key *keys;
	size_t nkeys;
	int64_t now;
	struct cv_role_opts role; /* the trust worker judges the signature */
};

struct cv_bundle {
	char path[4096]; /* absolute and resolved */
	int fd;
	struct cv_digest digest; /* of bundle.json */
	struct cv_members members;
	char agent[65];
	struct cv_launchset *set;
	struct cv_digest set_digest;
	struct cv_vsa vsa;
	char keyid[CV_DIGEST_TEXT]; /* of the key that signed it */
};

/*
 * cv_bundle_open: open a bundle and prove all of it: the signature of a trusted
 * key over the verdict, the verdict's subjects and times, each member's digest,
 * mode and kind, nothing beside them; that a directory named by a digest is named by
 * its own. On failure *check is the id that says it
 * best: bundle.changed, bundle.untrusted, bundle.expired, else NULL. CV_R_USAGE
 * if there is no directory at path.
 */
int cv_bundle_open(struct cv_bundle **ret, const char *path, const struct cv_bundle_trust *trust,
		   const char **check, struct cv_err *e) cv_must;
void cv_bundle_close(struct cv_bundle **b);

/* cv_bundle_read: append a member's bytes, proven again. */
int cv_bundle_read(const struct cv_bundle *b, const char *path, struct cv_buf *out,
		   struct cv_err *e) cv_must;

/* cv_bundle_name: "sha256-<hex>". */
const char *cv_bundle_name(const struct cv_digest *d, char out[CV_BUNDLE_NAME]);

#endif
