/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_merge.c: the tree that layers make, and what is refused because two runtimes
 * would make two. */
#include "sbom/found/layer.h"
#include "sbom/found/merge.h"
#include "sbom/found/table.h"
#include "tests/support/mktable.h"
#include "tests/support/t.h"

#include "trust/base/limits.h"
#include "trust/base/oci.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/banned.h"

struct seen {
	size_t n;
	struct cv_finding f[100];
};

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	T(s->n < CV_COUNT(s->f));
	s->f[s->n++] = *f;
	return 0;
}

static int
each(void *ctx, const char *path, uint8_t kind, uint64_t size, struct cv_err *e)
{
	static const char letters[] = "?fhs??dp";
	char(*list)[256] = ctx;
	size_t i = 0;

	(void)e;
	while (list[i][0] != '\0')
		i++;
	T(i < 98);
	(void)snprintf(list[i], 256, kind == CV_ROW_FILE && size > 1 ? "%c %s=%llu" : "%c %s",
		       letters[kind], path, (unsigned long long)size);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* merged: the layers, "|" between; *tree is the sorted list of what is left. */
static struct cv_merge_counts
merged(const char *layers, struct seen *s, char *tree, size_t size)
{
	static char list[100][256];
	const struct cv_sink sink = { .finding = see, .ctx = s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_merge *m = NULL;
	struct cv_merge_counts c;
	struct cv_err e = { 0 };
	char copy[8192], *save = NULL;
	uint64_t pos = 0;
	size_t n = 0, at = 0;

	s->n = 0;
	T_OK(cv_merge_open(&m, &a, &e), e);
	(void)snprintf(copy, sizeof(copy), "%s", layers);
	for (char *l = strtok_r(copy, "|", &save); l != NULL; l = strtok_r(NULL, "|", &save)) {
		int fd = mk_table(l);
		struct stat st;

		T(fstat(fd, &st) == 0);
		T_OK(cv_merge_layer(m, pos++,
				    (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size }, &e),
		     e);
		(void)close(fd);
	}
	T_OK(cv_merge_finish(m, &c, &e), e);
	memset(list, 0, sizeof(list));
	T_OK(cv_merge_each(m, each, list, &e), e);
	while (list[n][0] != '\0')
		n++;
	qsort(list, n, sizeof(list[0]), compare);
	tree[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(tree + at, size - at, "%s%s", i > 0 ? "; " : "", list[i]);
	cv_merge_free(&m);
	return c;
}

static void
tree_is(const char *layers, const char *want)
{
	struct seen s;
	char tree[8192];

	(void)merged(layers, &s, tree, sizeof(tree));
	for (size_t i = 0; i < s.n; i++)
		if (s.f[i].outcome != CV_PASS)
			t_fail(__FILE__, __LINE__, "%s: %s: %s (%s)", layers, s.f[i].check,
			       s.f[i].found, s.f[i].where);
	T_INT(s.n, 5);
	T_STR(tree, want);
}

static void
refused(const char *layers, const char *check, const char *text)
{
	struct seen s;
	char tree[8192];
	size_t found = 0;

	(void)merged(layers, &s, tree, sizeof(tree));
	for (size_t i = 0; i < s.n; i++) {
		if (strcmp(s.f[i].check, check) == 0 && s.f[i].outcome == CV_PASS)
			t_fail(__FILE__, __LINE__, "%s: passed", layers);
		if (s.f[i].outcome == CV_PASS)
			continue;
		found++;
		if (strcmp(s.f[i].check, check) != 0)
			t_fail(__FILE__, __LINE__, "%s: %s: %s", layers, s.f[i].check,
			       s.f[i].found);
		T_HAS(s.f[i].found, text);
		T_HAS(s.f[i].where, "layer ");
	}
	if (found != 1)
		t_fail(__FILE__, __LINE__, "%s: %zu findings", layers, found);
}

/* ---- refusals ---- */

static void
test_links(void)
{
	static const char *const bad[] = {
		"h b>a",                /* nothing there */
		"h b>a; f a",           /* not yet there */
		"d a; h b>a",           /* no file */
		"s a>x; h b>a",         /* no regular file */
		"f x|s l>.|h b>l/x",    /* through a symlink */
		"f d/x; s l>d|h b>l/x", /* the same */
		"f a|w a; h b>a",       /* removed by the same layer */
		"f a|w a|h b>a",        /* removed before */
		"f d/a|o d; h b>d/a",   /* emptied */
		"f a|h a>a",            /* itself */
		"f a; h b>a/c",         /* below a file */
		"f d/x|f d|h b>d/x",    /* its directory became a file */
	};

	for (size_t i = 0; i < CV_COUNT(bad); i++)
		refused(bad[i], "image.link-escape", "a hard link");
}

static void
test_parents(void)
{
	refused("d usr/bin; s bin>usr/bin|f bin/sh", "image.traversal", "below a symlink");
	refused("s x>/etc; f x/passwd", "image.traversal", "below a symlink");
	refused("s x>..|d x/y/z", "image.traversal", "below a symlink");
	refused("f a|f a/b", "image.traversal", "no directory");
	refused("f a; f a/b", "image.traversal", "no directory");
	refused("d d; f d/a|h d/b>d/a|f d/b/c/e", "image.traversal", "no directory");
	/* the link is replaced too late */
	refused("s x>y|f x/a; d x", "image.traversal", "below a symlink");
}

static void
test_removals(void)
{
	refused("d d; s l>d; f d/x|w l/x", "image.whiteout-invalid", "below a symlink");
	refused("d d/e; s l>d; f d/e/x|o l/e", "image.whiteout-invalid", "below a symlink");
	refused("f d/x|w d; f d/y", "image.whiteout-invalid", "the same layer removes");
	refused("f d/e/x|f d/e/y; w d", "image.whiteout-invalid", "the same layer removes");
	refused("s l>d|o l", "image.whiteout-invalid", "no directory");
	refused("f l|o l", "image.whiteout-invalid", "no directory");
}

static void
test_over(void)
{
	refused("f d/x; f d", "image.duplicate-entry", "the same layer");
	refused("d d|f d/x; f d", "image.duplicate-entry", "the same layer");
	refused("d d|f d/e/x; s d/e>/", "image.duplicate-entry", "the same layer");
}

/* ---- trees ---- */

static void
test_trees(void)
{
	tree_is("f a", "f a");
	tree_is("d d; f d/a|f d/b", "d d; f d/a; f d/b");
	tree_is("f d/e/a", "d d; d d/e; f d/e/a");
	tree_is("f a=one|f a=three", "f a=5");
	tree_is("f d/a|f d", "f d"); /* a file over a directory takes all below it */
	tree_is("f d/a|f d|d d; f d/b", "d d; f d/b");
	tree_is("f d/a|s d>x", "s d");
	tree_is("s d>x|d d; f d/a", "d d; f d/a");
	tree_is("f d/a|d d", "d d; f d/a"); /* a directory again keeps them */
	tree_is("f d/a=12; h d/b>d/a|h c>d/b|f d/a=123", "d d; f c; f d/a=3; f d/b");
	tree_is("d ./; d /; f ./a|d ./", "f a");
	tree_is("f a|s l>a; s m>../../x", "f a; s l; s m");
}

static void
test_removed(void)
{
	tree_is("f a; f b|w a", "f b");
	tree_is("f d/a; f d/b|w d/a", "d d; f d/b");
	tree_is("f d/a; f d/e/b|w d", "");
	tree_is("f d/a|w d|f d/b", "d d; f d/b");
	tree_is("f a|w a|f a=12", "f a=2");
	tree_is("f a|w b; w x/y/z", "f a"); /* nothing there */
	tree_is("f a|w a/b", "f a");        /* nor below a file */
	tree_is("f a|w a|w a", "");
	tree_is("f d/a; f d/e/b|o d", "d d");
	tree_is("f d/a|o d; f d/b", "d d; f d/b");
	tree_is("f d/a|f d/b; o d", "d d; f d/b"); /* whatever the order */
	tree_is("f d/a|f d/b|o d; f d/c|f d/e", "d d; f d/c; f d/e");
	tree_is("f a; f b|o ", "");                  /* the root itself */
	tree_is("f a; f b|o ; f c|f e", "f c; f e"); /* and what stays */
	tree_is("f d/e/a|o d; w d/e", "d d");
	/* what overlayfs writes for a link that became a directory */
	tree_is("s d>x|d d; o d; f d/a", "d d; f d/a");
}

static void
test_counts(void)
{
	struct seen s;
	char tree[8192];
	struct cv_merge_counts c =
		merged("f d/a=12345; h d/b>d/a; s l>d|f e/f=12|w l", &s, tree, sizeof(tree));

	T(c.layers == 3 && c.files == 2 && c.hardlinks == 1 && c.symlinks == 0);
	T(c.directories == 2 && c.bytes == 7 && c.setuid == 0);
}

/* A table is another worker's word: broken ones end in an error, not in a finding. */
static void
test_table_untrusted(void)
{
	int good = mk_table("d d; f d/a=123; h d/b>d/a; s l>x; w gone; o d");
	const struct cv_sink sink = { .finding = see, .ctx = &(struct seen){ 0 } };
	uint8_t bytes[4096];
	ssize_t n = pread(good, bytes, sizeof(bytes), 0);
	unsigned errors = 0, fine = 0;

	T(n > 100 && n < (ssize_t)sizeof(bytes));
	for (ssize_t i = 0; i < n * 8; i++) {
		struct cv_answers a = CV_ANSWERS(sink);
		struct cv_merge *m = NULL;
		struct cv_err e = { 0 };

		((struct seen *)sink.ctx)->n = 0;
		bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
		int fd = t_memfd(bytes, (size_t)n);
		T_OK(cv_merge_open(&m, &a, &e), e);
		if (cv_merge_layer(m, 0, (struct cv_blob){ .fd = fd, .len = (uint64_t)n }, &e) <
		    0) {
			T(e.reason == CV_R_WORKER);
			errors++;
		} else {
			fine++;
		}
		cv_merge_free(&m);
		(void)close(fd);
		bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
	}
	(void)close(good);
	printf("# %u changed tables refused, %u read as another table\n", errors, fine);
	T(errors > 1000);
}

/* ---- tables written by hand ---- */

static int
table_with(const struct cv_row *rows, size_t n, uint64_t unpacked)
{
	struct cv_table_out *t = NULL;
	struct cv_err e = { 0 };
	uint64_t place;
	int fd = memfd_create("table", MFD_CLOEXEC);

	T_OK(cv_table_create(&t, fd, &e), e);
	for (size_t i = 0; i < n; i++)
		T_OK(cv_table_add(t, &rows[i], &place, &e), e);
	T_OK(cv_table_finish(t, unpacked, &e), e);
	cv_table_close(&t);
	return fd;
}

static struct cv_blob
blob_of(int fd)
{
	struct stat st;

	T(fstat(fd, &st) == 0);
	return (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size };
}

/* What a walk of the layer would have refused already is refused here too. */
static void
test_both(void)
{
	const struct cv_row rows[] = {
		{ .kind = CV_ROW_WHITEOUT, .name = cv_span_str("a") },
		{ .kind = CV_ROW_FILE, .name = cv_span_str("a") },
		{ .kind = CV_ROW_FILE, .name = cv_span_str("b") },
		{ .kind = CV_ROW_SYMLINK, .name = cv_span_str("b"), .link = cv_span_str("c") },
	};
	struct seen s = { 0 };
	const struct cv_sink sink = { .finding = see, .ctx = &s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_merge *m = NULL;
	struct cv_err e = { 0 };
	int fd = table_with(rows, CV_COUNT(rows), 1024);

	T_OK(cv_merge_open(&m, &a, &e), e);
	T_OK(cv_merge_layer(m, 0, blob_of(fd), &e), e);
	T_INT(s.n, 2);
	T_STR(s.f[0].check, "image.whiteout-invalid");
	T_STR(s.f[1].check, "image.duplicate-entry");
	cv_merge_free(&m);
	(void)close(fd);
}

static void
test_limits(void)
{
	struct seen s = { 0 };
	const struct cv_sink sink = { .finding = see, .ctx = &s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_merge *m = NULL;
	struct cv_merge_counts c;
	struct cv_err e = { 0 };
	int big = table_with(NULL, 0, CV_MAX_UNPACKED_BYTES / 2 + 1),
	    small = table_with(NULL, 0, 1024);

	T_OK(cv_merge_open(&m, &a, &e), e);
	for (uint64_t k = 0; k < 3; k++)
		T_OK(cv_merge_layer(m, k, blob_of(big), &e), e);
	T_OK(cv_merge_finish(m, &c, &e), e);
	T_INT(s.n, 1); /* and nothing is passed */
	T_STR(s.f[0].check, "image.bomb");
	T_HAS(s.f[0].where, "layer 1");
	cv_merge_free(&m);
	T_OK(cv_merge_open(&m, &a, &e), e);
	for (uint64_t k = 0; k < CV_MAX_LAYERS; k++)
		T_OK(cv_merge_layer(m, k, blob_of(small), &e), e);
	T_NO(cv_merge_layer(m, CV_MAX_LAYERS, blob_of(small), &e), e, CV_R_LIMIT);
	cv_merge_free(&m);
	(void)close(big);
	(void)close(small);
}

/* What a walk leaves behind that did not come to its end. */
static void
test_unfinished(void)
{
	const struct cv_sink sink = { .finding = see, .ctx = &(struct seen){ 0 } };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_merge *m = NULL;
	struct cv_err e = { 0 };
	int fd = memfd_create("table", MFD_CLOEXEC);

	T_OK(cv_merge_open(&m, &a, &e), e);
	T_NO(cv_merge_layer(m, 0, (struct cv_blob){ .fd = fd }, &e), e, CV_R_UNDECIDED);
	T(ftruncate(fd, 200) == 0);
	T_NO(cv_merge_layer(m, 0, (struct cv_blob){ .fd = fd, .len = 200 }, &e), e, CV_R_UNDECIDED);
	cv_merge_free(&m);
	(void)close(fd);
}

static void
test_many(void)
{
	struct cv_buf b = CV_BUF(256 * CV_MIB);
	struct cv_table_out *t = NULL;
	const struct cv_sink sink = { .finding = see, .ctx = &(struct seen){ 0 } };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_merge *m = NULL;
	struct cv_merge_counts c;
	struct cv_err e = { 0 };
	struct stat st;
	uint64_t place;
	char name[64];
	int fd = memfd_create("table", MFD_CLOEXEC);

	T_OK(cv_table_create(&t, fd, &e), e);
	for (int i = 0; i < 200000; i++) {
		(void)snprintf(name, sizeof(name), "d%d/e%d/f%d", i % 10, i % 1000, i);
		struct cv_row r = { .kind = CV_ROW_FILE, .size = 2, .name = cv_span_str(name) };

		r.mode = i % 1000 == 0 ? 06755 : i % 1000 == 1 ? 02644 : 0644;
		r.flags = i % 1000 == 2 ? CV_ROW_CAPABILITY : 0;
		T_OK(cv_table_add(t, &r, &place, &e), e);
	}
	T_OK(cv_table_finish(t, 1, &e), e);
	cv_table_close(&t);
	T(fstat(fd, &st) == 0);
	T_OK(cv_merge_open(&m, &a, &e), e);
	for (uint64_t k = 0; k < 2; k++)
		T_OK(cv_merge_layer(m, k, (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size },
				    &e),
		     e);
	T_OK(cv_merge_finish(m, &c, &e), e);
	T(c.setuid == 200 && c.setgid == 200 && c.capabilities == 200);
	T(c.files == 200000 && c.bytes == 400000 && c.directories == 10 + 1000);
	cv_merge_free(&m);
	cv_buf_free(&b);
	(void)close(fd);
}

static const struct t_case cases[] = {
	{ "hard links to nowhere", test_links },
	{ "entries below what is no directory", test_parents },
	{ "removals that runtimes read differently", test_removals },
	{ "over what the same layer put there", test_over },
	{ "trees", test_trees },
	{ "removals", test_removed },
	{ "counts", test_counts },
	{ "changed tables", test_table_untrusted },
	{ "what a walk would have refused", test_both },
	{ "limits over all layers", test_limits },
	{ "an unfinished table", test_unfinished },
	{ "many entries", test_many },
};
T_MAIN(cases)
