/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_set.h: what the files of one model say about each other.
 *
 *   - a shard index (NAME.safetensors.index.json) names for every tensor the file
 *     that holds it: each file is there, each tensor is in it, and it holds no other
 *   - the parts of a split GGUF file carry their numbers in their names, all parts
 *     are there once, and together they hold as many tensors as each one says
 *
 * Sixteen bytes are kept for each tensor, and names of files; the files themselves
 * are not. Paths are compared as bytes.
 */
#ifndef CV_FOUND_FILES_SET_H
#define CV_FOUND_FILES_SET_H

#include "sbom/claimed/arena.h"
#include "sbom/found/gguf.h"
#include "sbom/found/safetensors.h"

#define CV_SET_TENSORS (4 * CV_MAX_TENSORS) /* of all files */
#define CV_SET_SHARDS  4096                 /* files that one index names */

struct cv_set_shard { /* a good safetensors file */
	const char *path;
	struct cv_names names;
	uint64_t listed; /* of its tensors, in the index at hand */
};

struct cv_set_entry { /* one tensor of an index */
	uint64_t tensor;
	uint32_t file; /* of its index */
};

struct cv_set_index {
	const char *path;
	const char **file; /* paths, sorted; [nfiles] */
	uint32_t *number;  /* the number that entries use, of each */
	size_t nfiles, last;
	struct cv_set_entry *entry;
	size_t n, cap;
};

struct cv_set_part { /* a good GGUF file that is one of several */
	const char *path;
	uint64_t part, parts, tensors, tensors_of_all;
};

struct cv_set {
	struct cv_arena arena;
	struct cv_set_shard *shard;
	size_t nshards, shard_cap;
	struct cv_set_index *index;
	size_t nindexes, index_cap;
	struct cv_set_part *part;
	size_t nparts, part_cap;
	uint64_t tensors; /* whose names are kept */
};

/* cv_set_is_index: by its name. */
bool cv_set_is_index(const char *path);

/* Each takes what it needs; the names of s are handed over. CV_R_LIMIT when there
 * are too many; cv_set_index has the reasons of cv_weightmap_check() too. */
int cv_set_shard(struct cv_set *set, const char *path, struct cv_safetensors *s,
		 struct cv_err *e) cv_must;
int cv_set_index(struct cv_set *set, const char *path, struct cv_blob blob,
		 struct cv_err *e) cv_must;
int cv_set_part(struct cv_set *set, const char *path, const struct cv_gguf *g,
		struct cv_err *e) cv_must;

/* cv_set_judge: call `no` for each disagreement. `where` is a path. */
enum cv_set_what { CV_SET_SAFETENSORS, CV_SET_GGUF };
typedef int (*cv_set_no)(void *ctx, enum cv_set_what what, const char *where,
			 const struct cv_err *why, struct cv_err *e);
int cv_set_judge(struct cv_set *set, cv_set_no no, void *ctx, struct cv_err *e) cv_must;

void cv_set_free(struct cv_set *set);

#endif
