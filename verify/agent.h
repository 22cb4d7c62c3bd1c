/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.h: agent.json, "clawverify.agent/1": what an agent is made of and what
 * it wants at its launch (verify/schema/agent-1.json; docs/formats.md).
 *
 * Everything an agent points to belongs to it and lives until cv_agent_free().
 * Each item keeps its place in the file (pos.line 0: not written there). The
 * file is the user's own: every mistake is CV_R_CONFIG with file, line, column,
 * found and wanted. What the agent may not have (privileged, devices, host
 * namespaces, binds) is read, not refused here: policy decides, by check id.
 */
#ifndef CV_AGENT_H
#define CV_AGENT_H

#include "trust/base/json.h"
#include "trust/base/proto.h"
#include "verify/conf.h"

#define CV_AGENT_SCHEMA "clawverify.agent/1"

enum cv_atype {
	CV_A_IMAGE = 1,
	CV_A_MODEL,
	CV_A_MCP,
	CV_A_SKILL,
	CV_A_PROMPT,
	CV_A_FILE,
	CV_A_MCP_REMOTE,   /* not ours to hold: listed as uncovered */
	CV_A_MODEL_HOSTED, /* the same */
};

/* The words of enum cv_atype from 1 on: "image", ... NULL-terminated. */
extern const char *const cv_atype_words[];
const char *cv_atype_word(enum cv_atype type); /* "invalid" out of range */

/* Where the bytes come from. */
enum cv_origin {
	CV_O_REGISTRY = 1, /* ref: source "host/path", tag, digest */
	CV_O_LAYOUT,       /* ref: path of the layout, tag, digest */
	CV_O_PATH,         /* path: a file or a directory */
	CV_O_URL,          /* url: https, digest always set */
	CV_O_REMOTE,       /* url: runs elsewhere; no bytes */
	CV_O_DIGEST,       /* no agent file says this: bytes that are known by their
			      digest alone, for what is attested about them */
};

struct cv_agent_evidence {
	enum cv_evidence kind;
	const char *path; /* relative to the agent's directory */
	struct cv_jpos pos;
};

struct cv_artifact {
	const char *name;
	enum cv_atype type;
	enum cv_origin origin;
	const char *asked;       /* the ref, path or url as it is written */
	const char *source;      /* what a policy's "source" is matched with: image
				    "host/path" without tag, "oci-layout:DIR", path,
				    url */
	const char *path;        /* PATH, LAYOUT: relative to the agent's directory */
	const char *tag;         /* images: tag as written, or NULL */
	struct cv_digest digest; /* asked for (by ref or "digest"); alg 0: none.
				    images: of index or manifest; a file: its
				    bytes; a directory: tree digest */
	const char *platform;    /* images: "linux/amd64", or NULL: the caller's */
	struct cv_agent_evidence *evidence;
	size_t nevidence;
	struct cv_items files;     /* models: globs of the files that belong to it */
	struct cv_items tools;     /* tool names; recorded */
	struct cv_jpos pos;        /* of the name */
	struct cv_jpos asked_pos;  /* of the ref, path or url */
	struct cv_jpos digest_pos; /* of "digest", else of the ref */
};

/* true for the types whose bytes exist before the launch */
bool cv_artifact_covered(const struct cv_artifact *a);

/* How much freedom a value has at launch (DESIGN 4, "The launch set"). */
enum cv_bind_rule {
	CV_BOUND = 1, /* equal to value */
	CV_PREFIX,    /* starts with value */
	CV_FREE,      /* anything */
};

struct cv_env {
	const char *name;
	enum cv_bind_rule rule;
	const char *value; /* the value, the prefix, or NULL */
	struct cv_jpos pos;
};

struct cv_mount {
	const char *target;
	const struct cv_artifact *artifact;
	struct cv_jpos pos;
};

enum cv_writable_kind { CV_W_TMPFS = 1, CV_W_VOLUME };
extern const char *const cv_writable_words[]; /* "tmpfs", "volume", NULL */

struct cv_writable {
	const char *path;
	enum cv_writable_kind kind;
	uint64_t size; /* bytes; 0: not limited (volumes only) */
	struct cv_jpos pos;
};

struct cv_hostbind {
	const char *source, *target;
	bool readonly;
	struct cv_jpos pos;
};

/* Host namespaces asked for: bits 1 << enum cv_ns. */
enum cv_ns { CV_NS_PID, CV_NS_NET, CV_NS_IPC, CV_NS_UTS, CV_NS_USER, CV_NS_COUNT };
extern const char *const cv_ns_words[]; /* "pid", ..., NULL */

extern const char *const cv_capability_words[]; /* "CAP_CHOWN", ..., NULL; sorted */

struct cv_limits {
	uint64_t memory; /* bytes; 0: not stated */
	uint64_t cpus;   /* thousandths of a processor; 0: not stated */
	uint64_t pids;   /* 0: not stated */
};

struct cv_launch {
	const struct cv_artifact *image;  /* never NULL in a launch that is there */
	bool has_command, has_entrypoint; /* else the image's own */
	struct cv_items command, entrypoint;
	const char *workdir, *user; /* NULL: the image's own */
	struct cv_env *env;         /* sorted by name */
	size_t nenv;
	struct cv_mount *mounts; /* sorted by target */
	size_t nmounts;
	struct cv_writable *writable; /* sorted by path */
	size_t nwritable;
	struct cv_items egress; /* "host:port"; none: no network */
	struct cv_limits limits;
	struct cv_items capabilities; /* "CAP_NET_BIND_SERVICE" */
	bool read_only_root;
	struct cv_items secrets; /* environment names given at launch */

	/* refused unless policy names them */
	bool privileged;
	struct cv_items devices;
	unsigned namespaces; /* bits 1 << enum cv_ns */
	struct cv_hostbind *binds;
	size_t nbinds;

	struct cv_jpos pos;
	struct cv_jpos privileged_pos, namespaces_pos, limits_pos, network_pos;
};

struct cv_agent {
	const char *name;
	const char *policy;            /* relative path, or "preset:strict" ...; never NULL: who
					  does not choose gets "preset:strict" */
	struct cv_jpos policy_pos;     /* line 0: the file names none */
	struct cv_artifact *artifacts; /* at least one; sorted by name */
	size_t nartifacts;
	bool has_launch;
	struct cv_launch launch;
	struct cv_digest digest; /* of cv_agent_canonical() */
	const char *file;        /* name for messages */

	struct cv_jdoc *doc; /* owner of the strings */
	struct cv_mem mem;
};

/* cv_agent_parse: `name` is what messages call the file. */
int cv_agent_parse(struct cv_agent **ret, const char *name, struct cv_span in,
		   struct cv_err *e) cv_must;

/* cv_agent_load: from a path; a missing file is CV_R_CONFIG too. */
int cv_agent_load(struct cv_agent **ret, const char *path, struct cv_err *e) cv_must;
void cv_agent_free(struct cv_agent **a);

/* What other files of ours share with this one: {"memory", "cpus", "pids"}, and a
 * list of capabilities. Absent: none. */
int cv_conf_limits(struct cv_jv v, struct cv_limits *ret, struct cv_err *e) cv_must;
int cv_conf_capabilities(struct cv_mem *m, struct cv_jv v, struct cv_items *ret,
			 struct cv_err *e) cv_must;

/* NULL if there is none of that name. */
const struct cv_artifact *cv_agent_find(const struct cv_agent *a, const char *name);

/* cv_agent_canonical: what agent->digest is the SHA-256 of: the document in
 * RFC 8785 form without comments, "x-" keys, "$schema", "policy" and the
 * artifacts' "evidence". The lock is bound to it. */
int cv_agent_canonical(const struct cv_agent *a, struct cv_buf *out, struct cv_err *e) cv_must;

/* cv_agent_uncovered: call `fn` for each thing that cannot be known before the
 * launch, in a stable order: what = "mcp-remote:crm", "model-hosted:llm",
 * "egress:host:port", "writable:/path" (volumes; a tmpfs starts empty),
 * "secret:NAME", "bind:/source"; why is one sentence. fn returns 0, or -1 with e set, which ends
 * it. */
int cv_agent_uncovered(const struct cv_agent *a,
		       int (*fn)(void *ctx, const char *what, const char *why, struct cv_jpos pos,
				 struct cv_err *e),
		       void *ctx, struct cv_err *e) cv_must;

#endif
