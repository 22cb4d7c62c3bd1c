/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.c: see merge.h. Must never let the order of a layer's own entries, or a link,
 * decide what a path names without saying so.
 */
#include "sbom/found/merge.h"
#include "sbom/found/names.h"
#include "sbom/found/table.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define NONE UINT32_MAX

enum {
	N_DEAD = 1,    /* removed or replaced; so is all below it */
	N_LINK = 2,    /* a hard link: its bytes are another's */
	N_REMOVED = 4, /* nothing is here: a layer removed it */
	N_CAPABLE = 8,
};

struct node {
	uint32_t parent;
	uint32_t next; /* of the hash chain */
	uint32_t name; /* in names */
	uint16_t name_len;
	uint16_t mode;
	uint16_t layer;   /* that put it here */
	uint16_t touched; /* last layer that put something below it */
	uint8_t kind;     /* table.h */
	uint8_t flags;
	uint64_t size;
};

struct cv_merge {
	struct cv_answers *a;
	struct node *v;
	uint32_t n, cap;
	uint32_t *head; /* hash chains; a power of two */
	uint32_t heads;
	uint32_t root;
	struct cv_buf names;
	uint16_t layer; /* 1, 2, ... */
	uint64_t pos;   /* of the present layer, for messages */
	uint64_t rows, unpacked;
	bool over; /* a limit was passed: no more is read */
	struct cv_table_in in;
};

static const char *const all_checks[] = {
	"image.link-escape",     "image.traversal", "image.whiteout-invalid",
	"image.duplicate-entry", "image.bomb",      NULL,
};

/* ---- nodes ---- */

static struct cv_span
node_name(const struct cv_merge *m, const struct node *x)
{
	return cv_span(m->names.p + x->name, x->name_len);
}

static uint32_t
slot(const struct cv_merge *m, uint32_t parent, struct cv_span name)
{
	uint64_t h = cv_names_hash(name) ^ (uint64_t)parent * 0x9e3779b97f4a7c15u;

	h ^= h >> 29;
	return (uint32_t)h & (m->heads - 1);
}

static uint32_t
find(const struct cv_merge *m, uint32_t parent, struct cv_span name)
{
	uint32_t i = m->head[slot(m, parent, name)];

	while (i != NONE && (m->v[i].parent != parent || !cv_span_eq(node_name(m, &m->v[i]), name)))
		i = m->v[i].next;
	return i;
}

static int
grow(struct cv_merge *m, struct cv_err *e)
{
	uint32_t cap = m->cap == 0 ? 1024 : 2 * m->cap;
	struct node *v = reallocarray(m->v, cap, sizeof(*v));

	if (v == NULL)
		return cv_fail_memory(e);
	m->v = v;
	m->cap = cap;
	uint32_t *head = malloc((size_t)cap * sizeof(*head));
	if (head == NULL)
		return cv_fail_memory(e);
	free(m->head);
	m->head = head;
	m->heads = cap;
	memset(head, 0xff, (size_t)cap * sizeof(*head));
	for (uint32_t i = 0; i < m->n; i++) {
		struct node *x = &m->v[i];

		if ((x->flags & N_DEAD) != 0 || x->parent == NONE)
			continue;
		uint32_t s = slot(m, x->parent, node_name(m, x));
		x->next = head[s];
		head[s] = i;
	}
	return 0;
}

/* unlink: take a node out of its chain; what lies below it can no longer be found. */
static void
bury(struct cv_merge *m, uint32_t i)
{
	struct node *x = &m->v[i];

	if (x->parent != NONE) {
		uint32_t *at = &m->head[slot(m, x->parent, node_name(m, x))];

		while (*at != i)
			at = &m->v[*at].next;
		*at = x->next;
	}
	x->flags |= N_DEAD;
}

static int
make(struct cv_merge *m, uint32_t parent, struct cv_span name, const struct node *like,
     uint32_t *ret, struct cv_err *e)
{
	if (m->n == m->cap && grow(m, e) < 0)
		return -1;
	size_t at = m->names.n;
	cv_buf_add(&m->names, name.p, name.n);
	if (cv_buf_ok(&m->names, "the names of an image", e) < 0)
		return -1;
	struct node *x = &m->v[m->n];
	*x = *like;
	x->parent = parent;
	x->name = (uint32_t)at;
	x->name_len = (uint16_t)name.n;
	x->next = NONE;
	x->layer = m->layer;
	x->touched = 0;
	if (parent != NONE) {
		uint32_t s = slot(m, parent, name);

		x->next = m->head[s];
		m->head[s] = m->n;
		m->v[parent].touched = m->layer;
	}
	*ret = m->n++;
	return 0;
}

/* remake: another node at the same place; name bytes are used again. */
static int
remake(struct cv_merge *m, uint32_t old, const struct node *like, uint32_t *ret, struct cv_err *e)
{
	struct node was = m->v[old];

	if (m->n == m->cap && grow(m, e) < 0)
		return -1;
	bury(m, old);
	struct node *x = &m->v[m->n];
	*x = *like;
	x->parent = was.parent;
	x->name = was.name;
	x->name_len = was.name_len;
	x->next = NONE;
	x->layer = m->layer;
	x->touched = 0;
	if (was.parent != NONE) {
		uint32_t s = slot(m, was.parent, node_name(m, x));

		x->next = m->head[s];
		m->head[s] = m->n;
		m->v[was.parent].touched = m->layer;
	}
	*ret = m->n++;
	return 0;
}

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

enum way { WAY_FOUND, WAY_NOTHING, WAY_SYMLINK, WAY_BLOCKED };

static struct cv_span
component(struct cv_span *path)
{
	const uint8_t *slash = memchr(path->p, '/', path->n);
	struct cv_span c = cv_span_take(path, slash != NULL ? (size_t)(slash - path->p) : path->n);

	if (path->n > 0)
		(void)cv_span_u8(path);
	return c;
}

/* look: where a path leads in the tree as it is, without following anything. *dir and
 * *last are its parent and name once the parent was found. */
static enum way
look(const struct cv_merge *m, struct cv_span path, uint32_t *dir, struct cv_span *last,
     uint32_t *ret)
{
	uint32_t at = m->root;

	*dir = NONE;
	*last = cv_span(NULL, 0);
	while (path.n > 0) {
		struct cv_span c = component(&path);

		if (m->v[at].kind == CV_ROW_SYMLINK)
			return WAY_SYMLINK;
		if (m->v[at].kind != CV_ROW_DIR)
			return WAY_BLOCKED;
		uint32_t next = find(m, at, c);
		if (path.n == 0) {
			*dir = at;
			*last = c;
		}
		if (next == NONE || (m->v[next].flags & N_REMOVED) != 0) {
			*ret = next;
			return WAY_NOTHING;
		}
		at = next;
	}
	*ret = at;
	return WAY_FOUND;
}

static const struct node implied = { .kind = CV_ROW_DIR, .mode = 0755 };

/* parent_of: the directory that an entry goes into, made where it is missing. *ret is
 * NONE when a problem was stated. */
static int
parent_of(struct cv_merge *m, const struct cv_row *row, uint32_t *ret, struct cv_span *last,
	  struct cv_err *e)
{
	struct cv_span path = row->name, c = component(&path);
	uint32_t at = m->root, next;

	*ret = NONE;
	for (; path.n > 0; c = component(&path)) {
		next = find(m, at, c);
		if (next == NONE) {
			if (make(m, at, c, &implied, &next, e) < 0)
				return -1;
		} else if ((m->v[next].flags & N_REMOVED) != 0) {
			if (m->v[next].layer == m->layer)
				return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
					       "below a directory that the same layer removes", e);
			if (remake(m, next, &implied, &next, e) < 0)
				return -1;
		} else if (m->v[next].kind == CV_ROW_SYMLINK) {
			return problem(m, row, "image.traversal", CV_R_AMBIGUOUS,
				       "below a symlink, which one runtime replaces and another "
				       "follows",
				       e);
		} else if (m->v[next].kind != CV_ROW_DIR) {
			return problem(m, row, "image.traversal", CV_R_AMBIGUOUS,
				       "below something that is no directory", e);
		}
		m->v[at].touched = m->layer;
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
	enum way way = look(m, row->name, &dir, &last, &at);

	/* a symlink or file may be replaced by this layer's directory: opaque_after() */
	if (way != WAY_FOUND || m->v[at].kind != CV_ROW_DIR)
		return 0;
	struct node same = m->v[at];
	uint16_t layer = same.layer;
	uint32_t fresh;
	if (remake(m, at, &same, &fresh, e) < 0)
		return -1;
	m->v[fresh].layer = layer;
	if (at == m->root)
		m->root = fresh;
	return 0;
}

static int
whiteout(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	static const struct node removed = { .kind = CV_ROW_WHITEOUT, .flags = N_REMOVED };
	uint32_t dir, at = NONE, marker;
	struct cv_span last;
	enum way way = look(m, row->name, &dir, &last, &at);

	if (way == WAY_SYMLINK)
		return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
			       "removes something below a symlink", e);
	if (dir == NONE)
		return 0;
	if (at != NONE)
		return remake(m, at, &removed, &marker, e);
	return make(m, dir, last, &removed, &marker, e);
}

/* ---- entries ---- */

static int
link_target(struct cv_merge *m, const struct cv_row *row, bool *ok, struct cv_err *e)
{
	uint32_t dir, at = NONE;
	struct cv_span last;
	const char *wrong = NULL;

	switch (look(m, row->link, &dir, &last, &at)) {
	case WAY_SYMLINK:
		wrong = "a hard link through a symlink";
		break;
	case WAY_BLOCKED:
	case WAY_NOTHING:
		wrong = "a hard link to what is not there, or not yet";
		break;
	case WAY_FOUND:
		if (m->v[at].kind != CV_ROW_FILE)
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
      const struct node *like, struct cv_err *e)
{
	uint32_t old = find(m, dir, last), fresh;

	if (old == NONE)
		return make(m, dir, last, like, &fresh, e);
	struct node *x = &m->v[old];
	bool gone = (x->flags & N_REMOVED) != 0;
	if (gone && x->layer == m->layer)
		return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
			       "removed and added by the same layer", e);
	if (!gone && x->kind == CV_ROW_DIR && like->kind == CV_ROW_DIR) {
		x->mode = like->mode;
		x->layer = m->layer;
		return 0;
	}
	if (!gone && (x->layer == m->layer || (x->kind == CV_ROW_DIR && x->touched == m->layer)))
		return problem(m, row, "image.duplicate-entry", CV_R_AMBIGUOUS,
			       "over something that the same layer put there", e);
	return remake(m, old, like, &fresh, e);
}

static int
add(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	struct node like = { .kind = row->kind, .mode = row->mode, .size = row->size };
	struct cv_span last;
	uint32_t dir;
	bool ok = true;

	if (row->name.n == 0) {
		m->v[m->root].mode = row->mode;
		return 0;
	}
	if (parent_of(m, row, &dir, &last, e) < 0)
		return -1;
	if (dir == NONE)
		return 0;
	if (row->kind == CV_ROW_HARDLINK) {
		if (link_target(m, row, &ok, e) < 0)
			return -1;
		if (!ok)
			return 0;
		like.kind = CV_ROW_FILE;
		like.flags = N_LINK;
	}
	if ((row->flags & CV_ROW_CAPABILITY) != 0)
		like.flags |= N_CAPABLE;
	return place(m, row, dir, last, &like, e);
}

/* still_symlink: an emptied directory has to be one now that the layer is applied. */
static int
opaque_after(struct cv_merge *m, const struct cv_row *row, struct cv_err *e)
{
	uint32_t dir, at;
	struct cv_span last;
	enum way way = look(m, row->name, &dir, &last, &at);

	if (way == WAY_NOTHING || (way == WAY_FOUND && m->v[at].kind == CV_ROW_DIR))
		return 0;
	return problem(m, row, "image.whiteout-invalid", CV_R_AMBIGUOUS,
		       way == WAY_SYMLINK ? "empties a directory below a symlink"
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
	if (m->layer == CV_MAX_LAYERS)
		return cv_fail(e, CV_R_LIMIT, "more than %d layers", CV_MAX_LAYERS);
	m->layer++;
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
count(struct cv_merge_counts *c, const struct node *x)
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
	if ((x->flags & N_LINK) != 0) {
		c->hardlinks++;
		return;
	}
	c->files++;
	c->bytes += x->size;
	c->setuid += (x->mode & 04000) != 0;
	c->setgid += (x->mode & 02010) == 02010; /* without group execution: locking */
	c->capabilities += (x->flags & N_CAPABLE) != 0;
}

/* Parents are made before what lies in them, so one pass forward tells what lives. */
static void
bury_below(struct cv_merge *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		struct node *x = &m->v[i];

		if (x->parent != NONE && (m->v[x->parent].flags & N_DEAD) != 0)
			x->flags |= N_DEAD;
	}
}

int
cv_merge_finish(struct cv_merge *m, struct cv_merge_counts *ret, struct cv_err *e)
{
	*ret = (struct cv_merge_counts){ .layers = m->layer };
	if (m->over)
		return 0;
	bury_below(m);
	for (uint32_t i = 0; i < m->n; i++)
		if ((m->v[i].flags & (N_DEAD | N_REMOVED)) == 0 && i != m->root)
			count(ret, &m->v[i]);
	return cv_answers_pass(m->a, all_checks, e);
}

static int
full_path(const struct cv_merge *m, uint32_t i, char out[CV_MAX_PATH + 1], struct cv_err *e)
{
	size_t at = CV_MAX_PATH;

	out[at] = '\0';
	for (; i != m->root; i = m->v[i].parent) {
		struct cv_span s = node_name(m, &m->v[i]);

		if (s.n + 1 > at)
			return cv_fail(e, CV_R_BUG, "a path of more than %d bytes", CV_MAX_PATH);
		if (out[at] != '\0')
			out[--at] = '/';
		at -= s.n;
		memcpy(out + at, s.p, s.n);
	}
	memmove(out, out + at, CV_MAX_PATH + 1 - at);
	return 0;
}

int
cv_merge_each(struct cv_merge *m,
	      int (*each)(void *ctx, const char *path, uint8_t kind, uint64_t size,
			  struct cv_err *e),
	      void *ctx, struct cv_err *e)
{
	char path[CV_MAX_PATH + 1];

	bury_below(m);
	for (uint32_t i = 0; i < m->n; i++) {
		if ((m->v[i].flags & (N_DEAD | N_REMOVED)) != 0 || i == m->root)
			continue;
		if (full_path(m, i, path, e) < 0 ||
		    each(ctx, path, m->v[i].kind, m->v[i].size, e) < 0)
			return -1;
	}
	return 0;
}

int
cv_merge_open(struct cv_merge **ret, struct cv_answers *a, struct cv_err *e)
{
	cv_auto(cv_merge_free) struct cv_merge *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return cv_fail_memory(e);
	m->a = a;
	m->names = CV_BUF(UINT32_MAX);
	if (grow(m, e) < 0 || make(m, NONE, cv_span(NULL, 0), &implied, &m->root, e) < 0)
		return -1;
	*ret = cv_steal(m);
	return 0;
}

void
cv_merge_free(struct cv_merge **m)
{
	if (*m == NULL)
		return;
	free((*m)->v);
	free((*m)->head);
	cv_buf_free(&(*m)->names);
	free(*m);
	*m = NULL;
}
