/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.h: what in a directory looks like a part of an agent, for `init`. A
 * guess to start from, written down for a person to correct: by names alone, no
 * file is read but a directory's list.
 *
 *   a directory with a file oci-layout        image
 *   a directory with SKILL.md                 skill
 *   a directory with *.safetensors, *.gguf    model
 *   *.safetensors, *.gguf                     model
 *   *.tgz, *.mcpb                             mcp (a packed tool server)
 *   *prompt*.md, *prompt*.txt                 prompt
 *
 * Looks one level down into skills/, models/, tools/, prompts/. Hidden entries
 * are passed over; what has a name that agent.json cannot hold is left out, and
 * counted; so is a directory in tools/ with package.json or manifest.json: a tool
 * server that nobody packed yet.
 */
#ifndef CV_DISCOVER_H
#define CV_DISCOVER_H

#include "verify/agent.h"

#define CV_DISCOVER_MAX 256

struct cv_found {
	enum cv_atype type;
	char name[65];             /* cv_name_valid(), unique */
	char path[CV_MAX_REF + 1]; /* relative to the directory */
};

struct cv_discovered {
	struct cv_found v[CV_DISCOVER_MAX]; /* sorted by path */
	size_t n;
	size_t dropped;                     /* more than that */
	size_t odd;                         /* parts whose path cv_tree_path_wrong() refuses */
	char odd_path[CV_MAX_REF + 1];      /* the first of them, as it is on disk */
	size_t unpacked;                    /* tool servers that are directories */
	char unpacked_path[CV_MAX_REF + 1]; /* the first of them */
};

int cv_discover(struct cv_discovered *ret, const char *dir, struct cv_err *e) cv_must;

/* cv_discover_add: one more, its name made from `wish` and unique. */
struct cv_found *cv_discover_add(struct cv_discovered *d, enum cv_atype type, const char *wish,
				 const char *path);

#endif
