/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_emit.c: writing and comparing locks. Must never write what cv_lock_parse
 * would not give back equal.
 */
#include "verify/lock_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

/* ---- building the document; *bad sticks when memory is out ---- */

static void
set(json_t *o, const char *key, json_t *v, bool *bad)
{
	if (json_object_set_new(o, key, v) != 0)
		*bad = true;
}

static void
set_text(json_t *o, const char *key, const char *text, bool *bad)
{
	if (text != NULL)
		set(o, key, json_string(text), bad);
}

static void
set_u64(json_t *o, const char *key, uint64_t v, bool *bad)
{
	set(o, key, json_integer((json_int_t)v), bad);
}

static void
set_digest(json_t *o, const char *key, const struct cv_digest *d, bool *bad)
{
	char text[CV_DIGEST_TEXT];

	if (d->alg != CV_ALG_NONE)
		set(o, key, json_string(cv_digest_text(d, text)), bad);
}

static void
add(json_t *a, json_t *v, bool *bad)
{
	if (json_array_append_new(a, v) != 0)
		*bad = true;
}

static json_t *
image(const struct cv_lock_artifact *a, bool *bad)
{
	json_t *o = json_object(), *layers = json_array();

	set_digest(o, "index", &a->index, bad);
	set_digest(o, "manifest", &a->manifest, bad);
	set_digest(o, "config", &a->config, bad);
	set_text(o, "platform", a->platform, bad);
	for (size_t i = 0; i < a->nlayers; i++) {
		json_t *y = json_object();

		set_digest(y, "digest", &a->layers[i].digest, bad);
		set_digest(y, "diffid", &a->layers[i].diffid, bad);
		set_u64(y, "size", a->layers[i].size, bad);
		set_text(y, "media", a->layers[i].media, bad);
		add(layers, y, bad);
	}
	set(o, "layers", layers, bad);
	return o;
}

static json_t *
entry(const struct cv_tree_entry *x)
{
	char digest[CV_DIGEST_TEXT];

	switch (x->kind) {
	case CV_TREE_LINK:
		return json_sprintf("link %s", x->target);
	case CV_TREE_DIR:
		return json_string("dir");
	case CV_TREE_FILE:
	case CV_TREE_EXEC:
		break;
	}
	return json_sprintf("%s %llu %s", cv_tree_word(x->kind), (unsigned long long)x->size,
			    cv_digest_text(&x->digest, digest));
}

static json_t *
tree(const struct cv_tree *t, bool *bad)
{
	json_t *o = json_object(), *files = json_object();

	set_text(o, "algorithm", CV_TREE_ALGORITHM, bad);
	set_digest(o, "digest", cv_tree_digest(t), bad);
	for (size_t i = 0; i < cv_tree_count(t); i++)
		set(files, cv_tree_at(t, i)->path, entry(cv_tree_at(t, i)), bad);
	set(o, "files", files, bad);
	return o;
}

static json_t *
signers(const struct cv_lock_artifact *a, bool *bad)
{
	json_t *all = json_array();

	for (size_t i = 0; i < a->nsigners; i++) {
		json_t *o = json_object();

		set_text(o, "identity", a->signers[i].identity, bad);
		set_text(o, "issuer", a->signers[i].issuer, bad);
		set_text(o, "keyid", a->signers[i].keyid, bad);
		set_text(o, "name", a->signers[i].name, bad);
		set_text(o, "predicate", a->signers[i].predicate, bad);
		add(all, o, bad);
	}
	return all;
}

static json_t *
evidence(const struct cv_lock_artifact *a, bool *bad)
{
	json_t *all = json_array();

	for (size_t i = 0; i < a->nevidence; i++) {
		json_t *o = json_object();

		set_digest(o, "digest", &a->evidence[i].digest, bad);
		set_text(o, "role", a->evidence[i].role, bad);
		add(all, o, bad);
	}
	return all;
}

static json_t *
artifact(const struct cv_lock_artifact *a, bool *bad)
{
	json_t *o = json_object();

	set_text(o, "type", cv_atype_word(a->type), bad);
	set_text(o, "origin", cv_lock_origin_words[a->origin - CV_O_REGISTRY], bad);
	set_text(o, "asked", a->asked, bad);
	set_digest(o, "digest", &a->digest, bad);
	set_u64(o, "size", a->size, bad);
	set_text(o, "media", a->media, bad);
	if (a->type == CV_A_IMAGE)
		set(o, "image", image(a, bad), bad);
	if (a->tree != NULL)
		set(o, "tree", tree(a->tree, bad), bad);
	set_digest(o, "archive", &a->archive, bad);
	set_text(o, "package", a->package, bad);
	set_text(o, "version", a->version, bad);
	if (a->nsigners > 0)
		set(o, "signers", signers(a, bad), bad);
	if (a->nevidence > 0)
		set(o, "evidence", evidence(a, bad), bad);
	return o;
}

/* ---- order: the same lock has the same text ---- */

static int
text_order(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct cv_lock_artifact *)a)->name,
		      ((const struct cv_lock_artifact *)b)->name);
}

static int
by_signer(const void *a, const void *b)
{
	const struct cv_lock_signer *x = a, *y = b;
	int order = strcmp(x->keyid, y->keyid);

	if (order == 0)
		order = text_order(x->name, y->name);
	/* a key id stands for one identity; a lock that says otherwise keeps both */
	if (order == 0)
		order = text_order(x->identity, y->identity);
	if (order == 0)
		order = text_order(x->issuer, y->issuer);
	return order != 0 ? order : text_order(x->predicate, y->predicate);
}

static int
by_evidence(const void *a, const void *b)
{
	const struct cv_lock_evidence *x = a, *y = b;
	int order = cv_digest_cmp(&x->digest, &y->digest);

	return order != 0 ? order : strcmp(x->role, y->role);
}

/* sort: and drop what is there twice. */
static size_t
sort(void *v, size_t n, size_t size, int (*order)(const void *, const void *))
{
	char *p = v;
	size_t kept = n > 0 ? 1 : 0;

	if (n > 1)
		qsort(v, n, size, order);
	for (size_t i = 1; i < n; i++)
		if (order(p + (kept - 1) * size, p + i * size) != 0)
			memmove(p + kept++ * size, p + i * size, size);
	return kept;
}

int
cv_lock_emit(struct cv_lock *l, struct cv_buf *out, struct cv_err *e)
{
	json_t *root = json_object(), *all = json_object();
	bool bad = root == NULL;
	int ret;

	if (l->nartifacts > 1)
		qsort(l->artifacts, l->nartifacts, sizeof(*l->artifacts), by_name);
	for (size_t i = 0; i < l->nartifacts; i++) {
		struct cv_lock_artifact *a = &l->artifacts[i];

		a->nsigners = sort(a->signers, a->nsigners, sizeof(*a->signers), by_signer);
		a->nevidence = sort(a->evidence, a->nevidence, sizeof(*a->evidence), by_evidence);
		set(all, a->name, artifact(a, &bad), &bad);
	}
	set_text(root, "schema", CV_LOCK_SCHEMA, &bad);
	set_digest(root, "agent", &l->agent, &bad);
	set_digest(root, "policy", &l->policy, &bad);
	set(root, "artifacts", all, &bad);
	ret = bad ? cv_fail_memory(e) : cv_json_emit(out, root, e);
	json_decref(root);
	if (ret == 0 && out->n > CV_MAX_LOCK_FILE)
		return cv_fail(e, CV_R_LIMIT, "the lock would be longer than %llu bytes",
			       CV_MAX_LOCK_FILE);
	return ret;
}

int
cv_lock_save(struct cv_lock *l, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_LOCK_FILE);

	if (cv_lock_emit(l, &text, e) != 0)
		return -1;
	return cv_conf_write(path, cv_buf_span(&text), e);
}

/* ---- differences ---- */

struct diff {
	int (*fn)(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e);
	void *ctx;
	const char *artifact;
};

static int
tell(const struct diff *d, bool pins, const char *field, const char *from, const char *to,
     struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(4 * CV_MAX_PATH);

	if (text_order(from, to) == 0)
		return 0;
	cv_buf_fmt(&text, "%s  %s -> %s", field, from == NULL || *from == '\0' ? "(none)" : from,
		   to == NULL || *to == '\0' ? "(none)" : to);
	if (cv_buf_ok(&text, "a difference", e) != 0)
		return -1;
	return d->fn(d->ctx, d->artifact, pins, cv_buf_text(&text), e);
}

static int
tell_digest(const struct diff *d, bool pins, const char *field, const struct cv_digest *from,
	    const struct cv_digest *to, struct cv_err *e)
{
	char a[CV_DIGEST_TEXT] = "", b[CV_DIGEST_TEXT] = "";

	if (from->alg != CV_ALG_NONE)
		cv_digest_text(from, a);
	if (to->alg != CV_ALG_NONE)
		cv_digest_text(to, b);
	return tell(d, pins, field, a, b, e);
}

static int
tell_u64(const struct diff *d, bool pins, const char *field, uint64_t from, uint64_t to,
	 struct cv_err *e)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%llu", (unsigned long long)from);
	snprintf(b, sizeof(b), "%llu", (unsigned long long)to);
	return tell(d, pins, field, a, b, e);
}

static int
tell_entry(const struct diff *d, const struct cv_tree_entry *from, const struct cv_tree_entry *to,
	   struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf field = CV_BUF(2 * CV_MAX_PATH);
	json_t *a = from != NULL ? entry(from) : NULL, *b = to != NULL ? entry(to) : NULL;
	int ret = -1;

	cv_buf_fmt(&field, "file %s", from != NULL ? from->path : to->path);
	if ((from != NULL && a == NULL) || (to != NULL && b == NULL))
		cv_fail_memory(e);
	else if (cv_buf_ok(&field, "a difference", e) == 0)
		ret = tell(d, true, cv_buf_text(&field), json_string_value(a), json_string_value(b),
			   e);
	json_decref(a);
	json_decref(b);
	return ret;
}

/* tell_trees: both are sorted by path. */
static int
tell_trees(const struct diff *d, const struct cv_tree *from, const struct cv_tree *to,
	   struct cv_err *e)
{
	size_t n = from != NULL ? cv_tree_count(from) : 0, m = to != NULL ? cv_tree_count(to) : 0;
	size_t i = 0, k = 0;

	while (i < n || k < m) {
		const struct cv_tree_entry *a = i < n ? cv_tree_at(from, i) : NULL;
		const struct cv_tree_entry *b = k < m ? cv_tree_at(to, k) : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->path, b->path);

		if (tell_entry(d, order <= 0 ? a : NULL, order >= 0 ? b : NULL, e) != 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

static int
tell_layers(const struct diff *d, const struct cv_lock_artifact *a,
	    const struct cv_lock_artifact *b, struct cv_err *e)
{
	static const struct cv_lock_layer none;
	char field[64];

	for (size_t i = 0; i < a->nlayers || i < b->nlayers; i++) {
		const struct cv_lock_layer *x = i < a->nlayers ? &a->layers[i] : &none;
		const struct cv_lock_layer *y = i < b->nlayers ? &b->layers[i] : &none;

		snprintf(field, sizeof(field), "layer %zu", i + 1);
		if (tell_digest(d, true, field, &x->digest, &y->digest, e) != 0)
			return -1;
		snprintf(field, sizeof(field), "layer %zu diffid", i + 1);
		if (tell_digest(d, true, field, &x->diffid, &y->diffid, e) != 0)
			return -1;
		snprintf(field, sizeof(field), "layer %zu size", i + 1);
		if (tell_u64(d, true, field, x->size, y->size, e) != 0)
			return -1;
		snprintf(field, sizeof(field), "layer %zu media", i + 1);
		if (tell(d, true, field, x->media, y->media, e) != 0)
			return -1;
	}
	return 0;
}

/* same_set: do two lists hold the same, in any order? */
static bool
same_set(const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++) {
		bool found = false;

		for (size_t k = 0; k < json_array_size(b) && !found; k++)
			found = json_equal(json_array_get(a, i), json_array_get(b, k));
		if (!found)
			return false;
	}
	return true;
}

/* tell_seen: takes both lists. */
static int
tell_seen(const struct diff *d, const char *field, json_t *from, json_t *to, bool bad,
	  struct cv_err *e)
{
	size_t n = json_array_size(from), m = json_array_size(to);
	bool same = same_set(from, to);
	char x[64], y[64];

	json_decref(from);
	json_decref(to);
	if (bad || from == NULL || to == NULL)
		return cv_fail_memory(e);
	if (same)
		return 0;
	snprintf(x, sizeof(x), "%zu", n);
	snprintf(y, sizeof(y), n == m ? "%zu other" : "%zu", m);
	return tell(d, false, field, x, y, e);
}

static int
tell_artifact(const struct diff *d, const struct cv_lock_artifact *a,
	      const struct cv_lock_artifact *b, struct cv_err *e)
{
	json_t *from, *to;
	bool bad = false;

	if (tell(d, true, "type", cv_atype_word(a->type), cv_atype_word(b->type), e) != 0 ||
	    tell(d, true, "origin", cv_lock_origin_words[a->origin - 1],
		 cv_lock_origin_words[b->origin - 1], e) != 0 ||
	    tell(d, true, "asked", a->asked, b->asked, e) != 0 ||
	    tell_digest(d, true, "digest", &a->digest, &b->digest, e) != 0 ||
	    tell_u64(d, true, "size", a->size, b->size, e) != 0 ||
	    tell(d, true, "media", a->media, b->media, e) != 0)
		return -1;
	if (tell_digest(d, true, "index", &a->index, &b->index, e) != 0 ||
	    tell_digest(d, true, "manifest", &a->manifest, &b->manifest, e) != 0 ||
	    tell_digest(d, true, "config", &a->config, &b->config, e) != 0 ||
	    tell(d, true, "platform", a->platform, b->platform, e) != 0 ||
	    tell_layers(d, a, b, e) != 0)
		return -1;
	if (tell_digest(d, true, "archive", &a->archive, &b->archive, e) != 0 ||
	    tell(d, true, "package", a->package, b->package, e) != 0 ||
	    tell(d, true, "version", a->version, b->version, e) != 0 ||
	    tell_trees(d, a->tree, b->tree, e) != 0)
		return -1;
	from = signers(a, &bad);
	to = signers(b, &bad);
	if (tell_seen(d, "signers", from, to, bad, e) != 0)
		return -1;
	from = evidence(a, &bad);
	to = evidence(b, &bad);
	return tell_seen(d, "evidence", from, to, bad, e);
}

/* after: the artifact of the least name after `name` ("" for the first). */
static const struct cv_lock_artifact *
after(const struct cv_lock *l, const char *name)
{
	const struct cv_lock_artifact *best = NULL;

	for (size_t i = 0; i < l->nartifacts; i++)
		if (strcmp(l->artifacts[i].name, name) > 0 &&
		    (best == NULL || strcmp(l->artifacts[i].name, best->name) < 0))
			best = &l->artifacts[i];
	return best;
}

int
cv_lock_diff(const struct cv_lock *from, const struct cv_lock *to,
	     int (*fn)(void *ctx, const char *artifact, bool pins, const char *text,
		       struct cv_err *e),
	     void *ctx, struct cv_err *e)
{
	struct diff d = { .fn = fn, .ctx = ctx, .artifact = "" };

	if (tell_digest(&d, true, "agent", &from->agent, &to->agent, e) != 0 ||
	    tell_digest(&d, false, "policy", &from->policy, &to->policy, e) != 0)
		return -1;
	for (;;) {
		const struct cv_lock_artifact *a = after(from, d.artifact);
		const struct cv_lock_artifact *b = after(to, d.artifact);
		int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->name, b->name);

		if (a == NULL && b == NULL)
			return 0;
		d.artifact = order <= 0 ? a->name : b->name;
		if (order < 0 && fn(ctx, d.artifact, true, "no longer there", e) != 0)
			return -1;
		if (order > 0 && fn(ctx, d.artifact, true, "new", e) != 0)
			return -1;
		if (order == 0 && tell_artifact(&d, a, b, e) != 0)
			return -1;
	}
}
