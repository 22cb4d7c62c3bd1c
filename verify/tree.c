/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c: see tree.h. Must never give one digest to two trees that a launcher
 * would build differently, nor accept a name that leads out of the tree.
 */
#include "verify/tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/conf.h"

#include "trust/base/banned.h"

struct cv_tree {
	char name[128];
	struct cv_tree_entry *v;
	size_t n, cap;
	size_t files;
	uint64_t bytes;
	bool done;
	struct cv_digest digest;
	struct cv_mem mem;
};

int
cv_tree_open(struct cv_tree **ret, const char *name, struct cv_err *e)
{
	struct cv_tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return cv_fail_memory(e);
	cv_text_fmt(t->name, sizeof(t->name), "%s", name);
	*ret = t;
	return 0;
}

void
cv_tree_free(struct cv_tree **t)
{
	if (*t == NULL)
		return;
	cv_mem_free(&(*t)->mem);
	free((*t)->v);
	free(*t);
	*t = NULL;
}

const char *
cv_tree_word(enum cv_tree_kind kind)
{
	switch (kind) {
	case CV_TREE_FILE:
		return "0644";
	case CV_TREE_EXEC:
		return "0755";
	case CV_TREE_LINK:
		return "link";
	case CV_TREE_DIR:
		return "dir";
	}
	return "invalid";
}

/* ---- names ---- */

static const char *
text_wrong(const char *text)
{
	struct cv_span s = cv_span_str(text);

	while (s.n > 0) {
		uint32_t cp = cv_utf8_next(&s);
		const char *hidden = cv_text_hidden(cp);

		if (s.bad)
			return "it is not UTF-8";
		/* U+2028, U+2029: some readers end a line there */
		if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x2028 || cp == 0x2029)
			return "it has a control character";
		if (hidden != NULL && strcmp(hidden, "bidirectional control") == 0)
			return "it has a character that changes the direction of text";
	}
	return NULL;
}

static const char *
component_wrong(const char *p, size_t n)
{
	if (n == 0)
		return "it has an empty component";
	if (n > CV_MAX_COMPONENT)
		return "a component is longer than 255 bytes";
	if (n == 1 && p[0] == '.')
		return "it has a \".\" component";
	if (n == 2 && p[0] == '.' && p[1] == '.')
		return "it has a \"..\" component";
	return NULL;
}

const char *
cv_tree_path_wrong(const char *path)
{
	const char *wrong = text_wrong(path), *p = path;

	if (wrong != NULL)
		return wrong;
	if (path[0] == '/')
		return "it is absolute";
	if (strlen(path) > CV_MAX_PATH)
		return "it is longer than 4096 bytes";
	for (size_t depth = 1;; depth++) {
		size_t n = strcspn(p, "/");

		wrong = component_wrong(p, n);
		if (wrong != NULL)
			return wrong;
		if (depth > CV_MAX_PATH_DEPTH)
			return "it is deeper than 256 directories";
		if (p[n] == '\0')
			return NULL;
		p += n + 1;
	}
}

/*
 * target_wrong: a link at `path` may climb at most to the root, and only at the
 * start of its target. Its own directory is a real one (nothing lies below a
 * link), so after the climb it stands in the tree; what follows goes down, or
 * through other links of which the same is true.
 */
static const char *
target_wrong(const char *path, const char *target)
{
	size_t depth = 0;

	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	if (target[0] == '\0')
		return "its target is empty";
	if (strlen(target) > CV_MAX_PATH)
		return "its target is longer than 4096 bytes";
	while (strncmp(target, "../", 3) == 0 || strcmp(target, "..") == 0) {
		if (depth-- == 0)
			return "its target leads out of the tree";
		target += target[2] == '/' ? 3 : 2;
	}
	return target[0] == '\0' ? NULL : cv_tree_path_wrong(target);
}

/* ---- adding ---- */

static int
grow(struct cv_tree *t, struct cv_err *e)
{
	size_t cap = t->cap == 0 ? 16 : t->cap * 2;
	struct cv_tree_entry *v;

	if (t->n < t->cap)
		return 0;
	v = realloc(t->v, cap * sizeof(*v));
	if (v == NULL)
		return cv_fail_memory(e);
	t->v = v;
	t->cap = cap;
	return 0;
}

/* fill: what the kind wants of the other fields, or makes of them. */
static int
fill(struct cv_tree *t, struct cv_tree_entry *x, struct cv_err *e)
{
	const char *wrong;

	switch (x->kind) {
	case CV_TREE_FILE:
	case CV_TREE_EXEC:
		x->target = NULL;
		if (x->digest.alg != CV_SHA256)
			return cv_fail(e, CV_R_BUG, "%s: %s: no SHA-256", t->name, x->path);
		return 0;
	case CV_TREE_DIR:
		x->target = NULL;
		x->size = 0;
		x->digest = (struct cv_digest){ 0 };
		return 0;
	case CV_TREE_LINK:
		wrong = target_wrong(x->path, x->target != NULL ? x->target : "");
		if (wrong != NULL)
			return cv_fail(e, CV_R_MALFORMED, "%s: link \"%s\" to \"%s\": %s", t->name,
				       x->path, x->target != NULL ? x->target : "", wrong);
		x->target = cv_mem_str(&t->mem, x->target, e);
		if (x->target == NULL)
			return -1;
		x->size = strlen(x->target);
		return cv_digest_of(&x->digest, CV_SHA256, cv_span_str(x->target), e);
	}
	return cv_fail(e, CV_R_BUG, "%s: %s: unknown kind", t->name, x->path);
}

int
cv_tree_add(struct cv_tree *t, const struct cv_tree_entry *entry, struct cv_err *e)
{
	struct cv_tree_entry x = *entry;
	const char *wrong = cv_tree_path_wrong(x.path);
	bool regular = x.kind == CV_TREE_FILE || x.kind == CV_TREE_EXEC;

	if (t->done)
		return cv_fail(e, CV_R_BUG, "%s: added to a finished tree", t->name);
	if (wrong != NULL)
		return cv_fail(e, CV_R_MALFORMED, "%s: path \"%s\": %s", t->name, x.path, wrong);
	if (t->n >= CV_MAX_TREE_FILES)
		return cv_fail(e, CV_R_LIMIT, "%s: found more than %d files", t->name,
			       CV_MAX_TREE_FILES);
	if (regular && x.size > UINT64_MAX - t->bytes)
		return cv_fail(e, CV_R_LIMIT, "%s: sizes add up to too much", t->name);
	if (grow(t, e) != 0 || fill(t, &x, e) != 0)
		return -1;
	x.path = cv_mem_str(&t->mem, x.path, e);
	if (x.path == NULL)
		return -1;
	t->bytes += regular ? x.size : 0;
	t->files += regular;
	t->v[t->n++] = x;
	return 0;
}

int
cv_tree_add_mode(struct cv_tree *t, const char *path, uint64_t mode, uint64_t size,
		 const struct cv_digest *digest, const char *target, struct cv_err *e)
{
	struct cv_tree_entry x = { .path = path, .size = size, .target = target };

	if (digest != NULL)
		x.digest = *digest;
	switch (mode & S_IFMT) {
	case S_IFREG:
		x.kind = (mode & S_IXUSR) != 0 ? CV_TREE_EXEC : CV_TREE_FILE;
		break;
	case S_IFLNK:
		x.kind = CV_TREE_LINK;
		break;
	case S_IFDIR:
		x.kind = CV_TREE_DIR;
		break;
	default:
		return cv_fail(e, CV_R_MALFORMED,
			       "%s: path \"%s\": found a file of mode %llo, want a regular file, "
			       "a link or a directory",
			       t->name, path, (unsigned long long)mode);
	}
	return cv_tree_add(t, &x, e);
}

/* ---- finishing ---- */

/*
 * fold: the character that stands for all its cases: simple case folding of
 * ASCII, Latin-1, Greek and Cyrillic. '/' sorts lowest, so that everything
 * below a directory stands together and right behind it.
 */
static uint32_t
fold(uint32_t cp)
{
	if (cp == '/')
		return 0;
	if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0xde && cp != 0xd7) ||
	    (cp >= 0x391 && cp <= 0x3a9) || (cp >= 0x410 && cp <= 0x42f))
		return cp + 32;
	if (cp >= 0x400 && cp <= 0x40f)
		return cp + 80;
	if (cp == 0x3c2) /* final sigma */
		return 0x3c3;
	return cp;
}

static int
cmp_folded(const void *va, const void *vb)
{
	const struct cv_tree_entry *a = va, *b = vb;
	struct cv_span x = cv_span_str(a->path), y = cv_span_str(b->path);

	while (x.n > 0 && y.n > 0) {
		uint32_t p = fold(cv_utf8_next(&x)), q = fold(cv_utf8_next(&y));

		if (p != q)
			return p < q ? -1 : 1;
	}
	if (x.n != y.n)
		return x.n < y.n ? -1 : 1;
	return strcmp(a->path, b->path);
}

static int
cmp_bytes(const void *va, const void *vb)
{
	const struct cv_tree_entry *a = va, *b = vb;

	return strcmp(a->path, b->path); /* strcmp compares as unsigned char */
}

/* collide: two neighbours in folded order. Their common components have to be
 * the same bytes, and one may be below the other only if that is a directory,
 * which then is dropped (*below). */
static int
collide(const struct cv_tree *t, const struct cv_tree_entry *a, const struct cv_tree_entry *b,
	bool *below, struct cv_err *e)
{
	struct cv_span x = cv_span_str(a->path), y = cv_span_str(b->path);
	bool same = true;

	*below = false;
	while (x.n > 0 && y.n > 0) {
		uint32_t p = cv_utf8_next(&x), q = cv_utf8_next(&y);

		if (fold(p) != fold(q))
			return 0;
		same = same && p == q;
		/* at the end of a component in both: what stood before is one name */
		if (!same && (x.n == 0 || x.p[0] == '/') && (y.n == 0 || y.p[0] == '/'))
			return cv_fail(e, CV_R_AMBIGUOUS,
				       "%s: paths \"%s\" and \"%s\" differ only in case", t->name,
				       a->path, b->path);
	}
	if (x.n == 0 && y.n == 0)
		return cv_fail(e, CV_R_AMBIGUOUS, "%s: path \"%s\" is there twice", t->name,
			       a->path);
	if (x.n == 0 && y.p[0] == '/') {
		*below = true;
		if (a->kind != CV_TREE_DIR)
			return cv_fail(e, CV_R_AMBIGUOUS,
				       "%s: path \"%s\" lies below \"%s\", which is no directory",
				       t->name, b->path, a->path);
	}
	return 0;
}

static int
settle(struct cv_tree *t, struct cv_err *e)
{
	size_t kept = 0;

	qsort(t->v, t->n, sizeof(*t->v), cmp_folded);
	for (size_t i = 0; i < t->n; i++) {
		bool below = false;

		if (i + 1 < t->n && collide(t, &t->v[i], &t->v[i + 1], &below, e) != 0)
			return -1;
		if (!below)
			t->v[kept++] = t->v[i];
	}
	t->n = kept;
	qsort(t->v, t->n, sizeof(*t->v), cmp_bytes);
	return 0;
}

/* line: one entry as it is hashed; at most CV_MAX_PATH + 128 bytes. */
static void
line(struct cv_buf *b, const struct cv_tree_entry *x)
{
	char hex[65] = "-";
	const char *type = "file", *mode = cv_tree_word(x->kind);

	if (x->kind == CV_TREE_LINK) {
		type = "link";
		mode = "0777";
	} else if (x->kind == CV_TREE_DIR) {
		type = "dir";
		mode = "0755";
	}
	if (x->kind != CV_TREE_DIR)
		cv_hex_encode(hex, x->digest.b, 32);
	cv_buf_add(b, type, strlen(type) + 1);
	cv_buf_add(b, mode, strlen(mode) + 1);
	cv_buf_add(b, x->path, strlen(x->path) + 1);
	cv_buf_fmt(b, "%llu", (unsigned long long)x->size);
	cv_buf_byte(b, 0);
	cv_buf_fmt(b, "%s\n", hex);
}

static int
hash(const struct cv_tree *t, struct cv_digest *ret, struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_PATH + 256);

	if (cv_hash_open(&h, CV_SHA256, e) != 0)
		return -1;
	if (cv_hash_add(h, CV_TREE_ALGORITHM "\n", strlen(CV_TREE_ALGORITHM) + 1, e) != 0)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		cv_buf_reset(&b);
		line(&b, &t->v[i]);
		if (cv_buf_ok(&b, "tree line", e) != 0 || cv_hash_add(h, b.p, b.n, e) != 0)
			return -1;
	}
	return cv_hash_end(h, ret, e);
}

int
cv_tree_end(struct cv_tree *t, struct cv_digest *ret, struct cv_err *e)
{
	if (t->done)
		return cv_fail(e, CV_R_BUG, "%s: tree finished twice", t->name);
	if (t->n == 0)
		return cv_fail(e, CV_R_MALFORMED, "%s: found no file at all, want at least one",
			       t->name);
	if (settle(t, e) != 0 || hash(t, &t->digest, e) != 0)
		return -1;
	t->done = true;
	if (ret != NULL)
		*ret = t->digest;
	return 0;
}

/* ---- looking ---- */

const struct cv_digest *
cv_tree_digest(const struct cv_tree *t)
{
	return &t->digest;
}

size_t
cv_tree_count(const struct cv_tree *t)
{
	return t->n;
}

const struct cv_tree_entry *
cv_tree_at(const struct cv_tree *t, size_t i)
{
	return i < t->n ? &t->v[i] : NULL;
}

const struct cv_tree_entry *
cv_tree_find(const struct cv_tree *t, const char *path)
{
	struct cv_tree_entry key = { .path = path };

	if (!t->done)
		return NULL;
	return bsearch(&key, t->v, t->n, sizeof(*t->v), cmp_bytes);
}

uint64_t
cv_tree_bytes(const struct cv_tree *t)
{
	return t->bytes;
}

size_t
cv_tree_files(const struct cv_tree *t)
{
	return t->files;
}

int
cv_tree_emit(const struct cv_tree *t, struct cv_buf *out, struct cv_err *e)
{
	if (!t->done)
		return cv_fail(e, CV_R_BUG, "%s: tree is not finished", t->name);
	cv_buf_str(out, CV_TREE_ALGORITHM "\n");
	for (size_t i = 0; i < t->n; i++)
		line(out, &t->v[i]);
	return cv_buf_ok(out, "tree list", e);
}
