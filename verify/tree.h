/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h: a tree of files as a list and as one digest, "clawverify-tree-v1"
 * (docs/formats.md). The digest is SHA-256 over the header line
 *
 *     "clawverify-tree-v1" LF
 *
 * and one line for each entry, sorted by the bytes of the path:
 *
 *     TYPE NUL MODE NUL PATH NUL SIZE NUL HASH LF
 *
 *     file  0644 or 0755   size of the content   hex SHA-256 of the content
 *     link  0777           length of the target  hex SHA-256 of the target
 *     dir   0755           0                     "-"    only empty directories
 *
 * A directory that holds something is implied by what it holds: an archive that
 * lists its directories and one that does not give the same digest. Owners,
 * times and further mode bits are not part of it. Nothing is left out.
 *
 * Paths are relative, UTF-8 without control and direction-changing characters,
 * without empty, "." and ".." components, within CV_MAX_PATH and the like. Two
 * paths that differ in case alone (ASCII, Latin-1, Greek, Cyrillic), in any
 * component, are refused; so is a path below a file or a link. A link's target
 * is relative, has ".." only at its start and stays inside the tree, so that no
 * chain of links can lead out. A tree without entries is refused.
 *
 * A builder is used by one thread; a finished tree is constant.
 */
#ifndef CV_TREE_H
#define CV_TREE_H

#include "trust/base/digest.h"

#define CV_TREE_ALGORITHM "clawverify-tree-v1"

enum cv_tree_kind {
	CV_TREE_FILE = 1, /* 0644 */
	CV_TREE_EXEC,     /* 0755: the owner may execute it */
	CV_TREE_LINK,
	CV_TREE_DIR, /* empty */
};

struct cv_tree_entry {
	const char *path;
	enum cv_tree_kind kind;
	uint64_t size;           /* content; links: length of target; dirs: 0 */
	struct cv_digest digest; /* SHA-256 of content or target; dirs: none */
	const char *target;      /* links; else NULL */
};

struct cv_tree;

/* cv_tree_open: an empty tree; `name` is for messages (copied, cut). */
int cv_tree_open(struct cv_tree **ret, const char *name, struct cv_err *e) cv_must;
void cv_tree_free(struct cv_tree **t);

/* cv_tree_add: in any order; everything is copied. A link's size and digest are
 * computed from its target. CV_R_MALFORMED for a path or target that is not
 * allowed, CV_R_LIMIT for too many (CV_MAX_TREE_FILES) or too long. */
int cv_tree_add(struct cv_tree *t, const struct cv_tree_entry *entry, struct cv_err *e) cv_must;

/* cv_tree_add_mode: the kind from a Unix mode (0100644, 0100755, 0040755,
 * 0120777 ...); other kinds of file are CV_R_MALFORMED. */
int cv_tree_add_mode(struct cv_tree *t, const char *path, uint64_t mode, uint64_t size,
		     const struct cv_digest *digest, const char *target, struct cv_err *e) cv_must;

/* cv_tree_end: sort, drop directories that are not empty, refuse collisions
 * (CV_R_AMBIGUOUS), compute the digest. To be called once; nothing can be added
 * after it. The accessors below are for finished trees. */
int cv_tree_end(struct cv_tree *t, struct cv_digest *ret, struct cv_err *e) cv_must;

const struct cv_digest *cv_tree_digest(const struct cv_tree *t);
size_t cv_tree_count(const struct cv_tree *t);
const struct cv_tree_entry *cv_tree_at(const struct cv_tree *t, size_t i);
const struct cv_tree_entry *cv_tree_find(const struct cv_tree *t, const char *path);
uint64_t cv_tree_bytes(const struct cv_tree *t); /* sum of the files' sizes */
size_t cv_tree_files(const struct cv_tree *t);   /* regular files */

/* cv_tree_emit: the hashed text itself, for a bundle's .list file. */
int cv_tree_emit(const struct cv_tree *t, struct cv_buf *out, struct cv_err *e) cv_must;

/* cv_tree_word: "0644", "0755", "link", "dir": how lock and reports say it. */
const char *cv_tree_word(enum cv_tree_kind kind);

/* cv_tree_path_wrong: NULL, or what is wrong with a path; the same rules. */
const char *cv_tree_path_wrong(const char *path);

#endif
