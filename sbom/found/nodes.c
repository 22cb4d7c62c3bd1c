/* SPDX-License-Identifier: Apache-2.0 */
/* nodes.c: see nodes.h. Must never find what lies below something dead. */
#include "sbom/found/nodes.h"
#include "sbom/found/names.h"
#include "sbom/found/table.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

const struct cv_tnode cv_node_implied = { .kind = CV_ROW_DIR, .mode = 0755 };

static struct cv_span
node_name(const struct cv_nodes *t, const struct cv_tnode *x)
{
	return cv_span(t->names.p + x->name, x->name_len);
}

static uint32_t
slot(const struct cv_nodes *t, uint32_t parent, struct cv_span name)
{
	uint64_t h = cv_names_hash(name) ^ (uint64_t)parent * 0x9e3779b97f4a7c15u;

	h ^= h >> 29;
	return (uint32_t)h & (t->heads - 1);
}

uint32_t
cv_nodes_find(const struct cv_nodes *t, uint32_t parent, struct cv_span name)
{
	uint32_t i = t->head[slot(t, parent, name)];

	while (i != CV_NODE_NONE &&
	       (t->v[i].parent != parent || !cv_span_eq(node_name(t, &t->v[i]), name)))
		i = t->v[i].next;
	return i;
}

static int
grow(struct cv_nodes *t, struct cv_err *e)
{
	uint32_t cap = t->cap == 0 ? 1024 : 2 * t->cap;
	struct cv_tnode *v = reallocarray(t->v, cap, sizeof(*v));

	if (v == NULL)
		return cv_fail_memory(e);
	t->v = v;
	t->cap = cap;
	uint32_t *head = malloc((size_t)cap * sizeof(*head));
	if (head == NULL)
		return cv_fail_memory(e);
	free(t->head);
	t->head = head;
	t->heads = cap;
	memset(head, 0xff, (size_t)cap * sizeof(*head));
	for (uint32_t i = 0; i < t->n; i++) {
		struct cv_tnode *x = &t->v[i];

		if ((x->flags & CV_NODE_DEAD) != 0 || x->parent == CV_NODE_NONE)
			continue;
		uint32_t s = slot(t, x->parent, node_name(t, x));
		x->next = head[s];
		head[s] = i;
	}
	return 0;
}

/* bury: take a node out of its chain; what lies below it can no longer be found. */
static void
bury(struct cv_nodes *t, uint32_t i)
{
	struct cv_tnode *x = &t->v[i];

	if (x->parent != CV_NODE_NONE) {
		uint32_t *at = &t->head[slot(t, x->parent, node_name(t, x))];

		while (*at != i)
			at = &t->v[*at].next;
		*at = x->next;
	}
	x->flags |= CV_NODE_DEAD;
}

int
cv_nodes_make(struct cv_nodes *t, uint32_t parent, struct cv_span name, const struct cv_tnode *like,
	      uint32_t *ret, struct cv_err *e)
{
	if (t->n == t->cap && grow(t, e) < 0)
		return -1;
	size_t at = t->names.n;
	cv_buf_add(&t->names, name.p, name.n);
	if (cv_buf_ok(&t->names, "the names of an image", e) < 0)
		return -1;
	struct cv_tnode *x = &t->v[t->n];
	*x = *like;
	x->parent = parent;
	x->name = (uint32_t)at;
	x->name_len = (uint16_t)name.n;
	x->next = CV_NODE_NONE;
	x->layer = t->layer;
	x->touched = 0;
	if (parent != CV_NODE_NONE) {
		uint32_t s = slot(t, parent, name);

		x->next = t->head[s];
		t->head[s] = t->n;
		t->v[parent].touched = t->layer;
	}
	*ret = t->n++;
	return 0;
}

/* The bytes of its name are used again. */
int
cv_nodes_remake(struct cv_nodes *t, uint32_t old, const struct cv_tnode *like, uint32_t *ret,
		struct cv_err *e)
{
	struct cv_tnode was = t->v[old];

	if (t->n == t->cap && grow(t, e) < 0)
		return -1;
	bury(t, old);
	struct cv_tnode *x = &t->v[t->n];
	*x = *like;
	x->parent = was.parent;
	x->name = was.name;
	x->name_len = was.name_len;
	x->next = CV_NODE_NONE;
	x->layer = t->layer;
	x->touched = 0;
	if (was.parent != CV_NODE_NONE) {
		uint32_t s = slot(t, was.parent, node_name(t, x));

		x->next = t->head[s];
		t->head[s] = t->n;
		t->v[was.parent].touched = t->layer;
	}
	*ret = t->n++;
	return 0;
}

struct cv_span
cv_nodes_component(struct cv_span *path)
{
	const uint8_t *slash = memchr(path->p, '/', path->n);
	struct cv_span c = cv_span_take(path, slash != NULL ? (size_t)(slash - path->p) : path->n);

	if (path->n > 0)
		(void)cv_span_u8(path);
	return c;
}

enum cv_way
cv_nodes_look(const struct cv_nodes *t, struct cv_span path, uint32_t *dir, struct cv_span *last,
	      uint32_t *ret)
{
	uint32_t at = t->root;

	*dir = CV_NODE_NONE;
	*last = cv_span(NULL, 0);
	while (path.n > 0) {
		struct cv_span c = cv_nodes_component(&path);

		if (t->v[at].kind == CV_ROW_SYMLINK)
			return CV_WAY_SYMLINK;
		if (t->v[at].kind != CV_ROW_DIR)
			return CV_WAY_BLOCKED;
		uint32_t next = cv_nodes_find(t, at, c);
		if (path.n == 0) {
			*dir = at;
			*last = c;
		}
		if (next == CV_NODE_NONE || (t->v[next].flags & CV_NODE_REMOVED) != 0) {
			*ret = next;
			return CV_WAY_NOTHING;
		}
		at = next;
	}
	*ret = at;
	return CV_WAY_FOUND;
}

uint64_t
cv_nodes_text(struct cv_nodes *t, struct cv_span target)
{
	uint64_t at = t->names.n;

	cv_buf_add(&t->names, target.p, target.n);
	return at << 16 | target.n;
}

struct cv_span
cv_nodes_link(const struct cv_nodes *t, const struct cv_tnode *x)
{
	return cv_span(t->names.p + (x->size >> 16), x->size & 0xffff);
}

/* What is still to be walked, and how far the walk has come. */
struct walk {
	const struct cv_nodes *t;
	char *out;
	size_t n;       /* of out */
	uint32_t at;    /* the last node that is there */
	unsigned below; /* components below it, which are not */
	unsigned links;
	char rest[2 * CV_MAX_PATH + 2];
};

static void
up(struct walk *w)
{
	while (w->n > 0 && w->out[--w->n] != '/')
		;
	if (w->below > 0)
		w->below--;
	else if (w->t != NULL && w->at != w->t->root)
		w->at = w->t->v[w->at].parent;
}

static int
through(struct walk *w, struct cv_span link, const char *after, struct cv_err *e)
{
	char again[sizeof(w->rest)];

	if (++w->links > CV_MAX_LINKS)
		return cv_fail(e, CV_R_LIMIT, "more than %d links, or links in a circle",
			       CV_MAX_LINKS);
	if (link.n + strlen(after) + 1 > sizeof(again))
		return cv_fail(e, CV_R_LIMIT, "a path of more than %d bytes", CV_MAX_PATH);
	memcpy(again, link.p, link.n);
	memcpy(again + link.n, after, strlen(after) + 1);
	memcpy(w->rest, again, link.n + strlen(after) + 1);
	if (link.n > 0 && link.p[0] == '/') {
		w->n = 0;
		w->at = w->t->root;
		w->below = 0;
	}
	return 0;
}

static int
down(struct walk *w, struct cv_span c, uint32_t next, struct cv_err *e)
{
	if (w->n + 1 + c.n > CV_MAX_PATH)
		return cv_fail(e, CV_R_LIMIT, "a path of more than %d bytes", CV_MAX_PATH);
	w->out[w->n] = '/';
	memcpy(w->out + w->n + 1, c.p, c.n);
	w->n += 1 + c.n;
	if (next == CV_NODE_NONE)
		w->below++;
	else
		w->at = next;
	return 0;
}

int
cv_nodes_resolve(const struct cv_nodes *t, const char *path, char out[CV_MAX_PATH + 1],
		 uint32_t *node, struct cv_err *e)
{
	struct walk w = { .t = t, .out = out, .at = t != NULL ? t->root : CV_NODE_NONE };
	const char *p = w.rest;

	if (strlen(path) > CV_MAX_PATH)
		return cv_fail(e, CV_R_LIMIT, "a path of more than %d bytes", CV_MAX_PATH);
	memcpy(w.rest, path, strlen(path) + 1);
	while (p += strspn(p, "/"), *p != '\0') {
		struct cv_span c = cv_span(p, strcspn(p, "/"));
		uint32_t next = CV_NODE_NONE;

		p += c.n;
		if (cv_span_eq_str(c, "."))
			continue;
		if (cv_span_eq_str(c, "..")) {
			up(&w);
			continue;
		}
		if (t != NULL && w.below == 0 && t->v[w.at].kind == CV_ROW_DIR)
			next = cv_nodes_find(t, w.at, c);
		if (next != CV_NODE_NONE && (t->v[next].flags & CV_NODE_REMOVED) != 0)
			next = CV_NODE_NONE;
		if (next != CV_NODE_NONE && t->v[next].kind == CV_ROW_SYMLINK) {
			if (through(&w, cv_nodes_link(t, &t->v[next]), p, e) != 0)
				return -1;
			p = w.rest;
		} else if (down(&w, c, next, e) != 0) {
			return -1;
		}
	}
	if (w.n == 0)
		out[w.n++] = '/';
	out[w.n] = '\0';
	if (node != NULL)
		*node = w.below == 0 ? w.at : CV_NODE_NONE;
	return 0;
}

bool
cv_nodes_filled(const struct cv_nodes *t, uint32_t i)
{
	if (t->v[i].kind != CV_ROW_DIR)
		return true;
	for (uint32_t k = 0; k < t->n; k++)
		if (t->v[k].parent == i && cv_nodes_here(t, k))
			return true;
	return false;
}

/* Parents are made before what lies in them, so one pass forward tells what lives. */
void
cv_nodes_settle(struct cv_nodes *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct cv_tnode *x = &t->v[i];

		if (x->parent != CV_NODE_NONE && (t->v[x->parent].flags & CV_NODE_DEAD) != 0)
			x->flags |= CV_NODE_DEAD;
	}
}

bool
cv_nodes_here(const struct cv_nodes *t, uint32_t i)
{
	return i != t->root && (t->v[i].flags & (CV_NODE_DEAD | CV_NODE_REMOVED)) == 0;
}

int
cv_nodes_path(const struct cv_nodes *t, uint32_t i, char out[CV_MAX_PATH + 1], struct cv_err *e)
{
	size_t at = CV_MAX_PATH;

	out[at] = '\0';
	for (; i != t->root; i = t->v[i].parent) {
		struct cv_span s = node_name(t, &t->v[i]);

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
cv_nodes_open(struct cv_nodes *t, struct cv_err *e)
{
	*t = (struct cv_nodes){ .names = CV_BUF(UINT32_MAX) };
	if (grow(t, e) < 0)
		return -1;
	return cv_nodes_make(t, CV_NODE_NONE, cv_span(NULL, 0), &cv_node_implied, &t->root, e);
}

void
cv_nodes_free(struct cv_nodes *t)
{
	free(t->v);
	free(t->head);
	cv_buf_free(&t->names);
	*t = (struct cv_nodes){ 0 };
}
