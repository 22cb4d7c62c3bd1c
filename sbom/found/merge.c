/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c: see merge.h. Must never let the order of a layer's own entries, or a link,
 * decide what a path names without saying so.
 */
#include "sbom/found/merge.h"
#include "sbom/found/nodes.h"
#include "sbom/found/table.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

struct cv_merge {
	struct cv_answers *a;
	struct cv_nodes t;
	uint64_t pos; /* of the present layer, for messages */
	uint64_t rows, unpacked;
	bool over; /* a limit was passed: no more is read */
	struct cv_table_in in;
};

static const char *const all_checks[] = {
	"image.link-escape",     "image.traversal", "image.whiteout-invalid",
	"image.duplicate-entry", "image.bomb",      NULL,
};

/* ---- findings ---- */

static int
problem(struct cv_merge *m, const struct cv_row *row, const char *check, enum cv_reason reason,
	const char *what, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, reason);

	cv_finding_found(&f, "%s", what);
	cv_finding_where(&f, "layer %llu, %.*s (header at byte %llu)", (unsigned long long)m->pos,
			 (int)(row->name.n < 256 ? row->name.n : 256), (const char *)row->name.p,
			 (unsigned long long)row->at);
	if (row->link.n > 0)
		cv_finding_note(&f, "the link's target is %.*s",
				(int)(row->link.n < 256 ? row->link.n : 256),
				(const char *)row->link.p);
	return cv_answer(m->a, &f, e);
}

/* ---- paths ---- */

/* parent_of: the directory that an entry goes into, made where it is missing. *ret is
 * CV_NODE_NONE when a problem was stated. */
static int
parent_of(struct cv_merge *m, const struct cv_row *row, uint32_t *ret, struct cv_span *last,
	  struct cv_err *e)
{
	struct cv_span path = row->name, c = cv_nodes_component(&path);
	uint32_t at = m->t.root, next;

	*ret = CV_NODE_NONE;
	for (; path.n > 0; c = cv_nodes_component(&path)) {
		next = cv_nodes_find(&m->t, at, c);
		if (next == CV_NODE_NONE) {
			if (cv_nodes_make(&m->t, at, c, &cv_node_implied, &next, e) < 0)
				return -1;
		} else if ((m->t.v[next].flags & CV_NODE_REMOVED) != 0) {
			if (m->t.v[next].layer == m->t.layer)
				return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
					       "below a directory that the same layer removes", e);
			if (cv_nodes_remake(&m->t, next, &cv_node_implied, &next, e) < 0)
				return -1;
		} else if (m->t.v[next].kind == CV_ROW_SYMLINK) {
			return problem(m, row, "image.traversal", CV_R_AMBIGUOUS,
				       "below a symlink, which one runtime replaces and another "
				       "follows",
				       e);
		} else if (m->t.v[next].kind != CV_ROW_DIR) {
			return problem(m, row, "image.traversal", CV_R_AMBIGUOUS,
				       "below something that is no directory", e);
		}
		m->t.v[at].touched = m->t.layer;
		at = next;
	}
	*last = c;
	*ret = at;
	return 0;
}

/* ---- removals ---- */

static int
opaque(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	uint32_t dir, at;
	struct cv_span last;
	enum cv_way way = cv_nodes_look(&m->t, row->name, &dir, &last, &at);

	/* a symlink or file may be replaced by this layer's directory: opaque_after() */
	if (way != CV_WAY_FOUND || m->t.v[at].kind != CV_ROW_DIR)
		return 0;
	struct cv_tnode same = m->t.v[at];
	uint16_t layer = same.layer;
	uint32_t fresh;
	if (cv_nodes_remake(&m->t, at, &same, &fresh, e) < 0)
		return -1;
	m->t.v[fresh].layer = layer;
	if (at == m->t.root)
		m->t.root = fresh;
	return 0;
}

static int
whiteout(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	static const struct cv_tnode removed = { .kind = CV_ROW_WHITEOUT,
						 .flags = CV_NODE_REMOVED };
	uint32_t dir, at = CV_NODE_NONE, marker;
	struct cv_span last;
	enum cv_way way = cv_nodes_look(&m->t, row->name, &dir, &last, &at);

	if (way == CV_WAY_SYMLINK)
		return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
			       "removes something below a symlink", e);
	if (dir == CV_NODE_NONE)
		return 0;
	if (at != CV_NODE_NONE)
		return cv_nodes_remake(&m->t, at, &removed, &marker, e);
	return cv_nodes_make(&m->t, dir, last, &removed, &marker, e);
}

/* ---- entries ---- */

static int
link_target(struct cv_merge *m, const struct cv_row *row, bool *ok, struct cv_err *e)
{
	uint32_t dir, at = CV_NODE_NONE;
	struct cv_span last;
	const char *wrong = NULL;

	switch (cv_nodes_look(&m->t, row->link, &dir, &last, &at)) {
	case CV_WAY_SYMLINK:
		wrong = "a hard link through a symlink";
		break;
	case CV_WAY_BLOCKED:
	case CV_WAY_NOTHING:
		wrong = "a hard link to what is not there, or not yet";
		break;
	case CV_WAY_FOUND:
		if (m->t.v[at].kind != CV_ROW_FILE)
			wrong = "a hard link to what is no regular file";
		else if (cv_span_eq(row->link, row->name))
			wrong = "a hard link to itself";
	}
	*ok = wrong == NULL;
	return *ok ? 0 : problem(m, row, "image.link-escape", CV_R_RULE, wrong, e);
}

/* place: put `like` at `last` in `dir`, over whatever a lower layer has there. */
static int
place(struct cv_merge *m, const struct cv_row *row, uint32_t dir, struct cv_span last,
      const struct cv_tnode *like, struct cv_err *e)
{
	uint32_t old = cv_nodes_find(&m->t, dir, last), fresh;

	if (old == CV_NODE_NONE)
		return cv_nodes_make(&m->t, dir, last, like, &fresh, e);
	struct cv_tnode *x = &m->t.v[old];
	bool gone = (x->flags & CV_NODE_REMOVED) != 0;
	if (gone && x->layer == m->t.layer)
		return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
			       "removed and added by the same layer", e);
	if (!gone && x->kind == CV_ROW_DIR && like->kind == CV_ROW_DIR) {
		x->mode = like->mode;
		x->layer = m->t.layer;
		return 0;
	}
	if (!gone &&
	    (x->layer == m->t.layer || (x->kind == CV_ROW_DIR && x->touched == m->t.layer)))
		return problem(m, row, "image.duplicate-entry", CV_R_AMBIGUOUS,
			       "over something that the same layer put there", e);
	return cv_nodes_remake(&m->t, old, like, &fresh, e);
}

static int
add(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	struct cv_tnode like = { .kind = row->kind, .mode = row->mode, .size = row->size };
	struct cv_span last;
	uint32_t dir;
	bool ok = true;

	if (row->name.n == 0) {
		m->t.v[m->t.root].mode = row->mode;
		return 0;
	}
	if (parent_of(m, row, &dir, &last, e) < 0)
		return -1;
	if (dir == CV_NODE_NONE)
		return 0;
	if (row->kind == CV_ROW_HARDLINK) {
		if (link_target(m, row, &ok, e) < 0)
			return -1;
		if (!ok)
			return 0;
		like.kind = CV_ROW_FILE;
		like.flags = CV_NODE_LINK;
	}
	if (row->kind == CV_ROW_SYMLINK)
		like.size = cv_nodes_text(&m->t, row->link);
	if ((row->flags & CV_ROW_CAPABILITY) != 0)
		like.flags |= CV_NODE_CAPABLE;
	return place(m, row, dir, last, &like, e);
}

/* still_symlink: an emptied directory has to be one now that the layer is applied. */
static int
opaque_after(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	uint32_t dir, at;
	struct cv_span last;
	enum cv_way way = cv_nodes_look(&m->t, row->name, &dir, &last, &at);

	if (way == CV_WAY_NOTHING || (way == CV_WAY_FOUND && m->t.v[at].kind == CV_ROW_DIR))
		return 0;
	return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
		       way == CV_WAY_SYMLINK ? "empties a directory below a symlink"
					     : "empties what is no directory",
		       e);
}

/* ---- layers ---- */

enum phase { PHASE_OPAQUE, PHASE_WHITEOUT, PHASE_ADD, PHASE_AFTER };

static int
row_in(struct cv_merge *m, const struct cv_row *row, enum phase phase, struct cv_err *e)
{
	switch (row->kind) {
	case CV_ROW_OPAQUE:
		return phase == PHASE_OPAQUE  ? opaque(m, row, e)
		       : phase == PHASE_AFTER ? opaque_after(m, row, e)
					      : 0;
	case CV_ROW_WHITEOUT:
		return phase == PHASE_WHITEOUT ? whiteout(m, row, e) : 0;
	default:
		return phase == PHASE_ADD ? add(m, row, e) : 0;
	}
}

static int
run_phase(struct cv_merge *m, struct cv_blob table, enum phase phase, struct cv_err *e)
{
	struct cv_row row;
	int rc;

	if (cv_table_open(&m->in, table, e) < 0)
		return -1;
	while ((rc = cv_table_next(&m->in, &row, e)) == 1)
		if (row_in(m, &row, phase, e) < 0)
			return -1;
	return rc;
}

static int
too_much(struct cv_merge *m, const char *what, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("image.bomb", CV_R_LIMIT);

	m->over = true;
	cv_finding_found(&f, "%s", what);
	cv_finding_where(&f, "layer %llu", (unsigned long long)m->pos);
	return cv_answer(m->a, &f, e);
}

int
cv_merge_layer(struct cv_merge *m, uint64_t pos, struct cv_blob table, struct cv_err *e)
{
	if (m->over)
		return 0;
	if (m->t.layer == CV_MAX_LAYERS)
		return cv_fail(e, CV_R_LIMIT, "more than %d layers", CV_MAX_LAYERS);
	m->t.layer++;
	m->pos = pos;
	if (cv_table_open(&m->in, table, e) < 0)
		return -1;
	m->rows += m->in.rows;
	m->unpacked += m->in.unpacked;
	if (m->rows > CV_MAX_ENTRIES)
		return too_much(m, "more entries in all layers than are allowed", e);
	if (m->unpacked > CV_MAX_UNPACKED_BYTES)
		return too_much(m, "more unpacked bytes in all layers than are allowed", e);
	bool removals = m->in.removals > 0;
	if (removals && (run_phase(m, table, PHASE_OPAQUE, e) < 0 ||
			 run_phase(m, table, PHASE_WHITEOUT, e) < 0))
		return -1;
	if (run_phase(m, table, PHASE_ADD, e) < 0)
		return -1;
	return removals ? run_phase(m, table, PHASE_AFTER, e) : 0;
}

static void
count(struct cv_merge_counts *c, const struct cv_tnode *x)
{
	switch (x->kind) {
	case CV_ROW_DIR:
		c->directories++;
		return;
	case CV_ROW_SYMLINK:
		c->symlinks++;
		return;
	case CV_ROW_FIFO:
		c->fifos++;
		return;
	case CV_ROW_FILE:
		break;
	default:
		return;
	}
	if ((x->flags & CV_NODE_LINK) != 0) {
		c->hardlinks++;
		return;
	}
	c->files++;
	c->bytes += x->size;
	c->setuid += (x->mode & 04000) != 0;
	c->setgid += (x->mode & 02010) == 02010; /* without group execution: locking */
	c->capabilities += (x->flags & CV_NODE_CAPABLE) != 0;
}

int
cv_merge_finish(struct cv_merge *m, struct cv_merge_counts *ret, struct cv_err *e)
{
	*ret = (struct cv_merge_counts){ .layers = m->t.layer };
	if (m->over)
		return 0;
	cv_nodes_settle(&m->t);
	for (uint32_t i = 0; i < m->t.n; i++)
		if (cv_nodes_here(&m->t, i))
			count(ret, &m->t.v[i]);
	return cv_answers_pass(m->a, all_checks, e);
}

int
cv_merge_each(struct cv_merge *m,
	      int (*each)(void *ctx, const char *path, uint8_t kind, uint64_t size,
			  struct cv_err *e),
	      void *ctx, struct cv_err *e)
{
	char path[CV_MAX_PATH + 1];

	cv_nodes_settle(&m->t);
	for (uint32_t i = 0; i < m->t.n; i++) {
		if (!cv_nodes_here(&m->t, i))
			continue;
		if (cv_nodes_path(&m->t, i, path, e) < 0 ||
		    each(ctx, path, m->t.v[i].kind,
			 m->t.v[i].kind == CV_ROW_SYMLINK ? 0 : m->t.v[i].size, e) < 0)
			return -1;
	}
	return 0;
}

const struct cv_nodes *
cv_merge_tree(const struct cv_merge *m)
{
	return m->over ? NULL : &m->t;
}

int
cv_merge_open(struct cv_merge **ret, struct cv_answers *a, struct cv_err *e)
{
	cv_auto(cv_merge_free) struct cv_merge *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return cv_fail_memory(e);
	m->a = a;
	if (cv_nodes_open(&m->t, e) < 0)
		return -1;
	*ret = cv_steal(m);
	return 0;
}

void
cv_merge_free(struct cv_merge **m)
{
	if (*m == NULL)
		return;
	cv_nodes_free(&(*m)->t);
	free(*m);
	*m = NULL;
}
