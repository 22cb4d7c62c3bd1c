/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: documents: from the scanner's table to jansson values, and the way
 * about in them. Must never hand out a document of which a part is missing.
 *
 * jansson's own reader is not used: it drops characters without a word when
 * memory runs out in the middle of a token (2.14: lex_save ignores the answer
 * of strbuffer_append_byte). Its constructors all say so.
 */
#include "trust/base/json_int.h"
#include "trust/base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

/* ---- places ---- */

struct cv_jpos
cv_json_pos(const struct cv_jdoc *doc, size_t at)
{
	const struct cv_jmark *mark = &doc->mark[at / CV_J_STEP];
	struct cv_jpos pos = { .line = mark->line, .column = mark->column, .start = at, .end = at };

	for (size_t i = at / CV_J_STEP * CV_J_STEP; i < at; i++) {
		if (doc->text[i] == '\n') {
			pos.line++;
			pos.column = 1;
		} else if ((doc->text[i] & 0xc0) != 0x80) {
			pos.column++;
		}
	}
	return pos;
}

static int cv_printf(5, 0) vfail_at(const struct cv_jdoc *doc, size_t at, struct cv_err *e,
				    enum cv_reason reason, const char *fmt, va_list ap)
{
	struct cv_jpos pos = cv_json_pos(doc, at);
	char text[CV_ERR_TEXT];

	cv_text_vfmt(text, sizeof(text), fmt, ap);
	return cv_fail(e, reason, "%s:%u:%u: %s", doc->name, pos.line, pos.column, text);
}

int
cv_json_fail_at(const struct cv_jdoc *doc, size_t at, struct cv_err *e, enum cv_reason reason,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail_at(doc, at, e, reason, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- order of keys ---- */

static unsigned char
letter(char c, bool fold)
{
	return (unsigned char)(fold && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

int
cv_json_key_cmp(const char *a, const char *b, bool fold)
{
	while (*a != '\0' && letter(*a, fold) == letter(*b, fold)) {
		a++;
		b++;
	}
	return letter(*a, fold) - letter(*b, fold);
}

static int
key_order(const struct cv_jdoc *doc, uint32_t a, uint32_t b, bool fold)
{
	int order = cv_json_key_cmp(doc->node[a].key, doc->node[b].key, fold);

	if (order != 0)
		return order;
	return a < b ? -1 : a > b;
}

/* Let the node at `i` of a heap of n sink to its place. */
static void
sink(const struct cv_jdoc *doc, uint32_t *kids, uint32_t i, uint32_t n, bool fold)
{
	uint32_t moved = kids[i], child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && key_order(doc, kids[child], kids[child + 1], fold) < 0)
			child++;
		if (key_order(doc, moved, kids[child], fold) >= 0)
			break;
		kids[i] = kids[child];
		i = child;
	}
	kids[i] = moved;
}

/* Heapsort: its worst case is its usual case. (qsort's is not, and it asks the
 * kernel for the size of the memory, which a sealed worker may not.) */
void
cv_json_kids_sort(const struct cv_jdoc *doc, uint32_t *kids, uint32_t n, bool fold)
{
	uint32_t top;

	for (uint32_t i = n / 2; i > 0; i--)
		sink(doc, kids, i - 1, n, fold);
	for (uint32_t end = n; end > 1; end--) {
		top = kids[0];
		kids[0] = kids[end - 1];
		kids[end - 1] = top;
		sink(doc, kids, 0, end - 1, fold);
	}
}

/* ---- building ---- */

static json_t *
make_value(const struct cv_jnode *node)
{
	switch ((enum cv_jtype)node->type) {
	case CV_J_NULL:
		return json_null();
	case CV_J_BOOL:
		return json_boolean(node->as.boolean);
	case CV_J_INT:
		return json_integer(node->as.integer);
	case CV_J_REAL:
		return json_real(node->as.real);
	case CV_J_STRING:
		return json_string_nocheck(node->as.string);
	case CV_J_ARRAY:
		return json_array();
	case CV_J_OBJECT:
		return json_object();
	case CV_J_ABSENT:
		break;
	}
	return NULL;
}

static int
attach(json_t *parent, const struct cv_jnode *node)
{
	/* both take the value over, also when they fail */
	if (node->key != NULL)
		return json_object_set_new_nocheck(parent, node->key, node->json);
	return json_array_append_new(parent, node->json);
}

/* All jansson values, from the root down. Every parent has a smaller number
 * than its children, so a parent exists when they are made. */
static int
build(struct cv_jdoc *doc, struct cv_err *e)
{
	doc->root = doc->node[0].json = make_value(&doc->node[0]);
	if (doc->root == NULL)
		return cv_fail_memory(e);
	for (uint32_t i = 0; i < doc->nodes; i++) {
		const struct cv_jnode *up = &doc->node[i];
		uint32_t count =
			up->type == CV_J_ARRAY || up->type == CV_J_OBJECT ? up->as.count : 0;

		for (uint32_t k = 0; k < count; k++) {
			struct cv_jnode *node = &doc->node[doc->kids[up->as.kids + k]];

			node->json = make_value(node);
			if (node->json == NULL || attach(up->json, node) != 0)
				return cv_fail_memory(e);
		}
	}
	return 0;
}

int
cv_json_parse(struct cv_jdoc **ret, const char *name, struct cv_span in, unsigned flags,
	      struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	unsigned long long most = flags & CV_JSON_LARGE ? CV_MAX_JSON_LARGE : CV_MAX_JSON_DOM;

	if (in.bad)
		return cv_fail(e, CV_R_BUG, "%s: reading JSON that was not there", name);
	if (in.n > most)
		return cv_fail(e, CV_R_LIMIT, "%s:1:1: found %zu bytes, at most %llu are accepted",
			       name, in.n, most);
	doc = calloc(1, sizeof(*doc));
	if (doc == NULL)
		return cv_fail_memory(e);
	doc->n = in.n;
	doc->name = strdup(name);
	doc->text = malloc(in.n + 1);
	doc->arena = malloc(in.n + 1);
	if (doc->name == NULL || doc->text == NULL || doc->arena == NULL)
		return cv_fail_memory(e);
	if (in.n != 0)
		memcpy(doc->text, in.p, in.n);
	doc->text[in.n] = '\0';
	if (cv_json_scan(doc, flags, e) != 0 || build(doc, e) != 0)
		return -1;
	*ret = cv_steal(doc);
	return 0;
}

void
cv_json_free(struct cv_jdoc **doc)
{
	if (*doc == NULL)
		return;
	json_decref((*doc)->root);
	free((*doc)->name);
	free((*doc)->text);
	free((*doc)->arena);
	free((*doc)->node);
	free((*doc)->kids);
	free((*doc)->mark);
	free(*doc);
	*doc = NULL;
}

void
cv_json_free_secret(struct cv_jdoc **doc)
{
	struct cv_jdoc *d = *doc;
	const char *s;
	char *w;

	for (uint32_t i = 0; d != NULL && i < d->nodes; i++) {
		s = json_string_value(d->node[i].json);
		memcpy(&w, &s, sizeof(w)); /* nobody else holds these values */
		if (s != NULL)
			OPENSSL_cleanse(w, strlen(w));
	}
	if (d != NULL) {
		OPENSSL_cleanse(d->text, d->n);
		OPENSSL_cleanse(d->arena, d->n);
	}
	cv_json_free(doc);
}

void
cv_json_warm(void)
{
	json_object_seed(0);
}

/* ---- the way about ---- */

static const struct cv_jnode *
node_of(struct cv_jv v)
{
	return v.absent || v.doc == NULL ? NULL : &v.doc->node[v.node];
}

static bool
container(const struct cv_jnode *node)
{
	return node != NULL && (node->type == CV_J_ARRAY || node->type == CV_J_OBJECT);
}

static struct cv_jv
at(struct cv_jv v, uint32_t node)
{
	return (struct cv_jv){ .doc = v.doc, .node = node };
}

/* What is absent keeps the place where it was looked for, and the key. */
static struct cv_jv
absent(struct cv_jv v, const char *key)
{
	if (!v.absent)
		v.missing = key;
	v.absent = true;
	return v;
}

struct cv_jv
cv_json_root(const struct cv_jdoc *doc)
{
	return (struct cv_jv){ .doc = doc };
}

const char *
cv_json_name(const struct cv_jdoc *doc)
{
	return doc->name;
}

enum cv_jtype
cv_jv_type(struct cv_jv v)
{
	const struct cv_jnode *node = node_of(v);

	return node == NULL ? CV_J_ABSENT : (enum cv_jtype)node->type;
}

struct cv_jv
cv_jv_get(struct cv_jv object, const char *key)
{
	const struct cv_jnode *node = node_of(object);

	if (node != NULL && node->type == CV_J_OBJECT && node->as.count > 0)
		for (uint32_t k = object.node + 1; k != CV_J_NONE; k = object.doc->node[k].next)
			if (strcmp(object.doc->node[k].key, key) == 0)
				return at(object, k);
	return absent(object, key);
}

bool
cv_jv_has(struct cv_jv object, const char *key)
{
	return !cv_jv_get(object, key).absent;
}

size_t
cv_jv_len(struct cv_jv v)
{
	const struct cv_jnode *node = node_of(v);

	return container(node) ? node->as.count : 0;
}

struct cv_jv
cv_jv_at(struct cv_jv v, size_t i)
{
	const struct cv_jnode *node = node_of(v);

	if (!container(node) || i >= node->as.count)
		return absent(v, NULL);
	return at(v, v.doc->kids[node->as.kids + i]);
}

struct cv_jv
cv_jv_first(struct cv_jv v)
{
	return cv_jv_at(v, 0);
}

struct cv_jv
cv_jv_next(struct cv_jv v)
{
	const struct cv_jnode *node = node_of(v);

	if (node == NULL || node->next == CV_J_NONE)
		return absent(v, NULL);
	return at(v, node->next);
}

const char *
cv_jv_key(struct cv_jv member)
{
	const struct cv_jnode *node = node_of(member);

	return node == NULL || node->key == NULL ? "" : node->key;
}

json_t *
cv_jv_json(struct cv_jv v)
{
	const struct cv_jnode *node = node_of(v);

	return node == NULL ? NULL : node->json;
}

struct cv_jpos
cv_jv_pos(struct cv_jv v)
{
	struct cv_jpos pos = { .line = 1, .column = 1 };

	if (v.doc == NULL)
		return pos;
	pos = cv_json_pos(v.doc, v.doc->node[v.node].start);
	pos.end = v.doc->node[v.node].end;
	return pos;
}

struct cv_jpos
cv_jv_key_pos(struct cv_jv member)
{
	const struct cv_jnode *node = node_of(member);

	if (node == NULL || node->key == NULL)
		return cv_jv_pos(member);
	return cv_json_pos(member.doc, node->key_at);
}

int
cv_jv_fail(struct cv_jv v, struct cv_err *e, enum cv_reason reason, const char *fmt, ...)
{
	char text[CV_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	if (v.doc != NULL) {
		vfail_at(v.doc, v.doc->node[v.node].start, e, reason, fmt, ap);
	} else {
		cv_text_vfmt(text, sizeof(text), fmt, ap);
		cv_fail(e, reason, "%s", text);
	}
	va_end(ap);
	return -1;
}
