/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h: one decision about one agent, as a library call.
 *
 * A request holds all that a run may know: nothing is taken from globals, the
 * environment or the clock. Many requests may run at once in one process, each
 * in a thread of its own; they may share the store, the agent, the policy and
 * the lock, which are only read (the store guards itself).
 *
 * What happens, for each artifact: its reference is resolved (by the lock, else
 * at its source), its bytes are fetched into the store or read from below
 * base_fd, the trust worker proves graph and signatures, only then the contents
 * worker looks inside, and every check that policy plans gets an answer. Bytes
 * of an artifact are hashed once a run.
 *
 * Modes: CV_MODE_LOCK resolves anew and compares with no lock: its result is
 * what `lock` writes down. CV_MODE_VERIFY: what the lock pins must be what is
 * found; an artifact without an entry is lock.absent. CV_MODE_BARE: one
 * artifact without any agent file (`verify REF`): there is no lock to hold
 * against, and no launch: such a result is never launchable.
 *
 * What is looked at when (docs/decisions/engine.md has the reasons):
 *   - layers of an image are fetched and looked into only once its basis holds;
 *     what lies here already is looked into in any case, in the confined worker.
 *   - a model with "files" is the files and links that match one of them;
 *     nothing else belongs to it or is mounted.
 *   - a package's identity is the tree of what is in it; its archive's digest is
 *     pinned too, and is what signatures and "digest" are about.
 *   - an artifact is signed by a plain signature about it. For what is no image a
 *     statement of release about its digest counts as one (cosign's sign, SLSA
 *     provenance, in-toto's release); other attestations do not.
 *   - lock.tag-moved is not planned: the tag is asked for at the end, for at most
 *     five seconds, when one is written and the run is not offline. A registry
 *     that does not answer that question stops no locked agent.
 *   - a task of a worker that ends well and has left out an answer of its list
 *     (trust/base/proto.h) counts as worker.protocol.
 */
#ifndef CV_ENGINE_H
#define CV_ENGINE_H

#include "verify/cred.h"
#include "verify/launchset.h"
#include "verify/lock.h"
#include "verify/policy.h"
#include "verify/registries.h"
#include "verify/result.h"
#include "verify/store.h"

enum cv_mode { CV_MODE_VERIFY = 1, CV_MODE_LOCK, CV_MODE_BARE };

/* What a caller may hear while it waits; called from the request's own thread. */
struct cv_watch {
	void *ctx;
	/* a transfer of this artifact: bytes so far and in all (0 unknown) */
	void (*transfer)(void *ctx, const char *artifact, uint64_t done, uint64_t total);
	/* this artifact has its outcome */
	void (*finished)(void *ctx, const struct cv_r_artifact *a);
};

/* A signature file that was opened by the caller, for MODE_BARE: it may lie anywhere. */
struct cv_request_evidence {
	enum cv_evidence kind;
	const char *name;
	int fd; /* a regular file; borrowed */
};

struct cv_request {
	enum cv_mode mode;
	const char *id;      /* request id, [A-Za-z0-9._-]{1,63}; NULL: made at random */
	int64_t now;         /* wall clock */
	bool historical;     /* now was chosen by the caller: never launchable */
	int64_t deadline;    /* cv_mono_ms scale, 0 none */
	int cancel_fd;       /* readable: give up; -1 none */
	bool offline;        /* no fetch worker is started */
	const char *workers; /* directory of the worker programs */

	struct cv_store *store;
	const struct cv_cred_env *cred;         /* NULL: no credentials */
	const struct cv_registries *registries; /* NULL: no mirrors, no certs.d */
	const char *const *net_env;             /* for fetch: proxy and CA variables */

	const struct cv_agent *agent;
	const struct cv_policy *policy;
	const struct cv_lock *lock; /* NULL: none (MODE_VERIFY: lock.absent) */
	int base_fd;                /* directory that local paths are below */
	const char *platform;       /* for images that name none: "linux/amd64" */
	struct cv_blob db;          /* compiled advisory index; fd -1 none */
	const char *only;           /* artifact to look at alone, or NULL: then
				       the result is never launchable */
	struct cv_watch watch;
	const struct cv_request_evidence *evidence; /* besides what the agent names */
	size_t nevidence;

	/* as shown in reports; may be NULL */
	const char *agent_path, *policy_path, *lock_path;
	enum cv_chosen policy_chosen;
};

/* cv_engine_run: 0 with a decided result, whatever it decided: unreachable
 * sources, dead workers, an expired policy are answers in it. -1 only when there
 * is nothing to report on: CV_R_CONFIG, CV_R_MEMORY, CV_R_BUG and the like. */
int cv_engine_run(struct cv_result **ret, const struct cv_request *rq, struct cv_err *e) cv_must;

/* cv_engine_lock: the lock that a result of MODE_LOCK amounts to. CV_R_ABSENT and
 * the like when an artifact could not be resolved. */
int cv_engine_lock(struct cv_lock **ret, const struct cv_result *r, const struct cv_request *rq,
		   struct cv_err *e) cv_must;

/* cv_engine_launchset: the launch set of a verified agent. CV_R_RULE when the
 * agent has no launch section or an artifact has no digest. */
int cv_engine_launchset(struct cv_launchset **ret, const struct cv_result *r,
			const struct cv_agent *agent, struct cv_err *e) cv_must;

/*
 * Where the bytes of a verified tree or file come from once more (bundle): the
 * tree's regular files in its order, each delivered by open/data/close and
 * hashed again; a byte that differs is CV_R_DIGEST. Links and directories are
 * the caller's to make from the tree.
 */
struct cv_tree_sink {
	void *ctx;
	int (*file)(void *ctx, const struct cv_tree_entry *entry, struct cv_err *e);
	int (*data)(void *ctx, const void *p, size_t n, struct cv_err *e);
	int (*end)(void *ctx, struct cv_err *e);
};
int cv_engine_tree(const struct cv_request *rq, const struct cv_r_artifact *a,
		   const struct cv_tree_sink *sink, struct cv_err *e) cv_must;

/* ENDORSEMENTS: DSSE envelopes beside the agent file, looked for by MODE_VERIFY
 * and MODE_LOCK: CV_ENDORSE_DIR "/" artifact name ".dsse.json", and for each key of an
 * endorser name "@" and the first 16 hex digits of its id ".dsse.json", so that several
 * people can endorse one artifact. cv_endorse_path: keyid NULL for the first. */
#define CV_ENDORSE_PATH 128
void cv_endorse_path(char out[CV_ENDORSE_PATH], const char *name, const struct cv_digest *keyid);
#define CV_ENDORSE_DIR       "endorsements"
#define CV_ENDORSE_PREDICATE "https://clawverify.dev/endorsement/v1"

#endif
