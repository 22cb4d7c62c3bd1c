/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launchset.h: the launch set (DESIGN 4): all that will run, as one document
 * with one digest: SHA-256 of its RFC 8785 form, schema
 * "clawverify.launch-set/1" (docs/formats.md). Approvals, waivers and the VSA
 * bind to that digest.
 *
 * Each field is bound (a launch has it exactly so), constrained (a launch
 * satisfies it: a prefix, at most a limit, a subset) or free:
 *
 *   bound        image, platform, artifacts, mounts, entrypoint, command,
 *                workdir, user, env with a value, read_only_root true
 *   constrained  env with a prefix; limits, capabilities, egress, writable,
 *                secrets, devices, namespaces, binds, privileged: at most
 *   free         env marked free
 *
 * A launch request ("clawverify.launch-request/1") is what a launcher is about
 * to start, as it says: the same members, all of them optional, `env` with plain
 * values, lists in any order. Comparing gives findings; no finding is a match.
 * Where a request is silent about a bound field, it differs, but for three that
 * follow from others: agent, platform (the image has it) and artifacts (the
 * image and the mounts have their bytes). It has to state the image by manifest
 * or config: an index alone does not say which of its images runs.
 */
#ifndef CV_LAUNCHSET_H
#define CV_LAUNCHSET_H

#include "trust/base/finding.h"
#include "verify/policy.h"

#define CV_LAUNCHSET_SCHEMA "clawverify.launch-set/1"
#define CV_LAUNCHREQ_SCHEMA "clawverify.launch-request/1"

/* What an artifact was resolved to and proven to be. */
struct cv_ls_artifact {
	const char *name;
	enum cv_atype type;
	struct cv_digest digest; /* manifest, file or tree digest; alg 0 for what
				    is not covered (mcp-remote, model-hosted) */
	const char *url;         /* what is not covered: its URL; else NULL */
};

struct cv_ls_image {
	struct cv_digest index;    /* alg 0: there is no index */
	struct cv_digest manifest; /* image id of engines with containerd's store */
	struct cv_digest config;   /* image id of the others */
};

struct cv_ls_mount {
	const char *target;
	struct cv_digest tree;
};

struct cv_ls_env {
	const char *name;
	enum cv_bind_rule rule;
	const char *value;
};

/* Both a launch set and a request. Lists are sorted and without repetition. */
struct cv_launchset {
	const char *agent; /* NULL in a request that does not say */
	const char *platform;
	struct cv_ls_image image;
	struct cv_ls_artifact *artifacts; /* sorted by name */
	size_t nartifacts;
	struct cv_ls_mount *mounts; /* sorted by target */
	size_t nmounts;
	bool has_command, has_entrypoint;
	struct cv_items command, entrypoint; /* in their own order */
	const char *workdir, *user;          /* NULL: the image's */
	struct cv_ls_env *env;               /* sorted by name; request: all CV_BOUND */
	size_t nenv;
	struct cv_items secrets;
	struct cv_items egress;
	struct cv_items capabilities;
	struct cv_limits limits;
	bool read_only_root;
	struct cv_writable *writable;
	size_t nwritable;
	bool privileged;
	struct cv_items devices;
	unsigned namespaces;
	struct cv_hostbind *binds;
	size_t nbinds;

	struct cv_jdoc *doc;
	struct cv_mem mem;
};

/* cv_launchset_make: from the agent's launch and what its artifacts were
 * resolved to: `resolved` names each artifact of the agent exactly once.
 * `image` are the digests of launch.image. Everything is copied. */
int cv_launchset_make(struct cv_launchset **ret, const struct cv_agent *agent, const char *platform,
		      const struct cv_ls_image *image, const struct cv_ls_artifact *resolved,
		      size_t n, struct cv_err *e) cv_must;

/* cv_launchset_emit: append the canonical form. cv_launchset_json: the same as
 * a JSON object (new reference). */
int cv_launchset_emit(const struct cv_launchset *s, struct cv_buf *out, struct cv_err *e) cv_must;
int cv_launchset_json(const struct cv_launchset *s, json_t **ret, struct cv_err *e) cv_must;
int cv_launchset_digest(const struct cv_launchset *s, struct cv_digest *ret,
			struct cv_err *e) cv_must;

/* cv_launchset_parse: a launch set; only its canonical form is accepted
 * (CV_R_MALFORMED, CV_R_AMBIGUOUS). cv_launchreq_parse: a request, any strict
 * JSON; absent keys are "not asked for". */
int cv_launchset_parse(struct cv_launchset **ret, struct cv_span in, struct cv_err *e) cv_must;
int cv_launchreq_parse(struct cv_launchset **ret, const char *name, struct cv_span in,
		       struct cv_err *e) cv_must;
void cv_launchset_free(struct cv_launchset **s);

/* cv_launchset_compare: call fn with one finding for each way in which `req` is
 * not what `set` allows: launch.image-mismatch, launch.set-mismatch, and the
 * refusals launch.docker-socket, .privileged, .host-namespace, .device,
 * .writable-code for what the set itself does not hold. What the set holds was
 * accepted by policy when it was made, but a policy (may be NULL) is asked
 * again. fn returns 0, or -1 with e set, which ends it. */
int cv_launchset_compare(const struct cv_launchset *set, const struct cv_launchset *req,
			 const struct cv_policy *policy,
			 int (*fn)(void *ctx, const struct cv_finding *f, struct cv_err *e),
			 void *ctx, struct cv_err *e) cv_must;

/* cv_launch_socket: true if this path is, or would show, a container engine's
 * socket (/var/run/docker.sock, /run/containerd/containerd.sock, ..., or a
 * directory above one). */
bool cv_launch_socket(const char *path);

#endif
