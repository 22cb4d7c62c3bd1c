/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h: clawverify.lock, "clawverify.lock/1": what the agent's references
 * were resolved to (verify/schema/lock-1.json; docs/formats.md).
 *
 * Strict JSON written by us: sorted keys, two spaces, one artifact a block, so
 * that a change is a small diff. A lock pins bytes and trusts nobody: signers in
 * it are what was seen. A mistake in it is CV_R_CONFIG; so is a tree whose files
 * do not give its digest. All memory belongs to the lock.
 */
#ifndef CV_LOCK_H
#define CV_LOCK_H

#include "verify/agent.h"
#include "verify/tree.h"

#define CV_LOCK_SCHEMA "clawverify.lock/1"
#define CV_LOCK_NAME   "clawverify.lock"

struct cv_lock_layer {
	struct cv_digest digest, diffid;
	uint64_t size;
	const char *media;
};

struct cv_lock_signer {
	const char *keyid;     /* "sha256:<hex of SPKI>", of a certificate the identity's */
	const char *name;      /* as policy named it then, or NULL */
	const char *identity;  /* whom the certificate names, or NULL: a key */
	const char *issuer;    /* and who vouched for that, or NULL */
	const char *predicate; /* predicate type of a statement, or NULL */
};

struct cv_lock_evidence {
	struct cv_digest digest;
	const char *role; /* "signature", "attestation", "sbom", "endorsement" */
};

struct cv_lock_artifact {
	const char *name;
	enum cv_atype type;
	enum cv_origin origin;
	const char *asked;       /* ref, path or url as the agent file had it */
	struct cv_digest digest; /* identity: manifest, file or tree digest */
	uint64_t size;           /* bytes of it: manifest, file, sum of a tree */
	const char *media;       /* or NULL */

	/* images */
	struct cv_digest index, manifest, config; /* index: alg 0 if none */
	const char *platform;
	struct cv_lock_layer *layers;
	size_t nlayers;

	/* trees and packages; tree is owned and finished, or NULL */
	struct cv_tree *tree;
	struct cv_digest archive; /* of the packed file, or alg 0 */
	const char *package, *version;

	struct cv_lock_signer *signers; /* observed, not trusted */
	size_t nsigners;
	struct cv_lock_evidence *evidence;
	size_t nevidence;

	struct cv_jpos pos; /* of its name in the lock file */
};

struct cv_lock {
	struct cv_digest agent;             /* cv_agent.digest when locked */
	struct cv_digest policy;            /* cv_policy.digest when locked */
	struct cv_lock_artifact *artifacts; /* sorted by name */
	size_t nartifacts;
	const char *file;
	struct cv_digest digest; /* of the file's bytes; alg 0 if built */

	struct cv_jdoc *doc;
	struct cv_mem mem;
};

int cv_lock_parse(struct cv_lock **ret, const char *name, struct cv_span in,
		  struct cv_err *e) cv_must;

/* cv_lock_load: 1 loaded, 0 there is no such file, -1 failed. */
int cv_lock_load(struct cv_lock **ret, const char *path, struct cv_err *e) cv_must;
void cv_lock_free(struct cv_lock **l);

const struct cv_lock_artifact *cv_lock_find(const struct cv_lock *l, const char *name);

/* Building: open with room for n artifacts, fill artifacts[i] (memory from
 * cv_mem_* of &lock->mem; give trees away), nartifacts counts them; emit sorts
 * by name. */
int cv_lock_open(struct cv_lock **ret, size_t n, struct cv_err *e) cv_must;

/* cv_lock_emit: the file's text. CV_R_LIMIT over CV_MAX_LOCK_FILE. What it
 * writes, cv_lock_parse accepts and gives back equal. */
int cv_lock_emit(struct cv_lock *l, struct cv_buf *out, struct cv_err *e) cv_must;

/* cv_lock_save: emit and replace the file in one step. */
int cv_lock_save(struct cv_lock *l, const char *path, struct cv_err *e) cv_must;

/* cv_lock_diff: one line for each thing that differs, in order of artifact and
 * field; text like "digest  sha256:ab.. -> sha256:cd..". artifact is "" for the
 * file as a whole. Nothing is called when both pin the same. Signers, evidence
 * and policy are differences too, with pins false. fn returns 0, or -1 to end. */
int cv_lock_diff(const struct cv_lock *from, const struct cv_lock *to,
		 int (*fn)(void *ctx, const char *artifact, bool pins, const char *text,
			   struct cv_err *e),
		 void *ctx, struct cv_err *e) cv_must;

/* cv_lock_asks: true if the entry was made for what the artifact asks now
 * (type, ref, path or url, platform). */
bool cv_lock_asks(const struct cv_lock_artifact *l, const struct cv_artifact *a);

#endif
