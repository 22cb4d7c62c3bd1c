/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_int.h: what the files of the JSON door (json.h) share, and nobody else.
 *
 * A document is a table of nodes in text order, so a node's parent, and all
 * before it, have smaller numbers. Decoded strings and keys lie NUL-terminated
 * in `arena`: with its quotes, a string is longer in the text than decoded with
 * its NUL, so that an arena of the text's size always suffices.
 */
#ifndef CV_JSON_INT_H
#define CV_JSON_INT_H

#include "json.h"
#include "limits.h"

#define CV_J_NONE UINT32_MAX

struct cv_jnode {
	json_t *json; /* borrowed from the root */
	union {
		bool boolean;
		int64_t integer;
		double real;
		const char *string;
		struct {
			uint32_t count;
			uint32_t kids; /* first of its `count` entries in doc->kids */
		};
	} as;
	const char *key;     /* of an object's member, else NULL */
	uint32_t key_at;     /* where the key's token starts */
	uint32_t start, end; /* of the value's token */
	uint32_t next;       /* next member or element of the same parent, CV_J_NONE */
	uint8_t type;        /* enum cv_jtype */
};

struct cv_jmark { /* the place of every CV_J_STEP-th byte */
	unsigned line, column;
};
#define CV_J_STEP 4096

struct cv_jdoc {
	char *name;
	uint8_t *text;
	size_t n;
	char *arena;
	size_t used; /* of the arena */
	struct cv_jnode *node;
	uint32_t nodes, room;
	uint32_t *kids; /* node numbers, each container's together */
	struct cv_jmark *mark;
	json_t *root;
};

/* cv_json_scan: doc->text to nodes, marks and kids, without jansson. */
int cv_json_scan(struct cv_jdoc *doc, unsigned flags, struct cv_err *e) cv_must;

/* cv_json_number: the number at *at ('-' or a digit stands there) into node, *at
 * behind it. */
int cv_json_number(const struct cv_jdoc *doc, size_t *at, unsigned flags, struct cv_jnode *node,
		   struct cv_err *e) cv_must;

/* cv_json_kids_sort: put node numbers in order of their keys (folding ASCII
 * case if `fold`), equal keys in text order. Never quadratic, never allocates. */
void cv_json_kids_sort(const struct cv_jdoc *doc, uint32_t *kids, uint32_t n, bool fold);

/* cv_json_key_cmp: order of two keys, bytewise; ASCII case ignored if `fold`. */
int cv_json_key_cmp(const char *a, const char *b, bool fold);

/* cv_json_pos: line and column of a byte of the text. */
struct cv_jpos cv_json_pos(const struct cv_jdoc *doc, size_t at);

/* cv_json_fail_at: fail with "NAME:LINE:COLUMN: " before the text. */
int cv_json_fail_at(const struct cv_jdoc *doc, size_t at, struct cv_err *e, enum cv_reason reason,
		    const char *fmt, ...) cv_printf(5, 6);

#endif
