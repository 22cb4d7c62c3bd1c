/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes.h: a tree of names in memory, for merge.c: without content, made to be changed
 * layer by layer, and to be thrown away as a whole.
 *
 * A node that is removed or replaced is marked dead and leaves the table of names, so that
 * nothing below it can be found any more; what lies below it dies when the tree is
 * finished. About 40 bytes a node and its name.
 */
#ifndef CV_FOUND_NODES_H
#define CV_FOUND_NODES_H

#include "trust/base/buf.h"
#include "trust/base/limits.h"

#define CV_NODE_NONE UINT32_MAX

enum {
	CV_NODE_DEAD = 1,    /* removed or replaced; so is all below it */
	CV_NODE_LINK = 2,    /* a hard link: its bytes are another's */
	CV_NODE_REMOVED = 4, /* nothing is here: a layer removed it */
	CV_NODE_CAPABLE = 8, /* a file with capabilities */
};

struct cv_tnode {
	uint32_t parent;
	uint32_t next; /* of the hash chain */
	uint32_t name; /* in names */
	uint16_t name_len;
	uint16_t mode;
	uint16_t layer;   /* that put it here */
	uint16_t touched; /* last layer that put something below it */
	uint8_t kind;     /* table.h */
	uint8_t flags;
	uint64_t size; /* a symlink: where its target stands in names, cv_nodes_link() */
};

struct cv_nodes {
	struct cv_tnode *v;
	uint32_t n, cap;
	uint32_t *head; /* hash chains; a power of two */
	uint32_t heads;
	uint32_t root;
	uint16_t layer; /* 1, 2, ...: what is made now belongs to it */
	struct cv_buf names;
};

/* A directory that nobody named. */
extern const struct cv_tnode cv_node_implied;

int cv_nodes_open(struct cv_nodes *t, struct cv_err *e) cv_must;
void cv_nodes_free(struct cv_nodes *t);

/* cv_nodes_find: the node of that name in a directory; CV_NODE_NONE. One that is marked
 * CV_NODE_REMOVED is found too. */
uint32_t cv_nodes_find(const struct cv_nodes *t, uint32_t parent, struct cv_span name);

/* cv_nodes_make: a new node like `like`. cv_nodes_remake: another at the place of `old`,
 * which is dead then. Pointers into t->v do not survive either. */
int cv_nodes_make(struct cv_nodes *t, uint32_t parent, struct cv_span name,
		  const struct cv_tnode *like, uint32_t *ret, struct cv_err *e) cv_must;
int cv_nodes_remake(struct cv_nodes *t, uint32_t old, const struct cv_tnode *like, uint32_t *ret,
		    struct cv_err *e) cv_must;

/* cv_nodes_component: take the first component of a normalised path. */
struct cv_span cv_nodes_component(struct cv_span *path);

/* cv_nodes_look: where a path leads in the tree as it is, without following anything. *dir
 * and *last are its parent and name once the parent was found, else NONE and empty. */
enum cv_way { CV_WAY_FOUND, CV_WAY_NOTHING, CV_WAY_SYMLINK, CV_WAY_BLOCKED };
enum cv_way cv_nodes_look(const struct cv_nodes *t, struct cv_span path, uint32_t *dir,
			  struct cv_span *last, uint32_t *ret);

/* cv_nodes_text: keep a symlink's target; returns what its node has as size. cv_nodes_link:
 * that target. */
uint64_t cv_nodes_text(struct cv_nodes *t, struct cv_span target);
struct cv_span cv_nodes_link(const struct cv_nodes *t, const struct cv_tnode *x);

/*
 * cv_nodes_resolve: the place that a program inside would reach by this path, as an absolute
 * path without links, "." and ".."; what is not there is taken as it stands. NULL for the
 * tree: by the text alone. *node (may be NULL) is what is there, or NONE. CV_R_LIMIT: more than
 * CV_MAX_LINKS links, or CV_MAX_PATH bytes.
 */
#define CV_MAX_LINKS 40 /* as the kernel has it, path_resolution(7) */
int cv_nodes_resolve(const struct cv_nodes *t, const char *path, char out[CV_MAX_PATH + 1],
		     uint32_t *node, struct cv_err *e) cv_must;

/* cv_nodes_filled: a file, or a directory that something lies in. After settling. */
bool cv_nodes_filled(const struct cv_nodes *t, uint32_t i);

/* cv_nodes_settle: mark what lies below the dead. cv_nodes_here: the node is part of the
 * settled tree, and not its root. */
void cv_nodes_settle(struct cv_nodes *t);
bool cv_nodes_here(const struct cv_nodes *t, uint32_t i);

int cv_nodes_path(const struct cv_nodes *t, uint32_t i, char out[CV_MAX_PATH + 1],
		  struct cv_err *e) cv_must;

#endif
