/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_tree.c: which trees there are, and that a tree has one digest. */
#include "tests/support/t.h"
#include "trust/base/limits.h"
#include "verify/tree.h"

#include <stdlib.h>

static struct cv_digest content;

static int
add(struct cv_tree *t, enum cv_tree_kind kind, const char *path, const char *target,
    struct cv_err *e)
{
	struct cv_tree_entry x = { .path = path, .kind = kind, .size = 7, .target = target };

	x.digest = content;
	return cv_tree_add(t, &x, e);
}

static struct cv_tree *
open_tree(void)
{
	struct cv_tree *t = NULL;
	struct cv_err e;

	T_OK(cv_digest_of(&content, CV_SHA256, cv_span_str("content"), &e), e);
	T_OK(cv_tree_open(&t, "tree", &e), e);
	return t;
}

/* ---- paths ---- */

static void
paths(void)
{
	static const char *const bad[] = {
		"",
		"/a",
		"a/",
		"a//b",
		".",
		"..",
		"a/.",
		"./a",
		"a/./b",
		"a/../b",
		"../a",
		"a/..",
		"a\nb",
		"a\x7f",
		"a\x1b",
		"a\xff",
		"\xc0\xaf",
		"\xed\xa0\x80",
		"a\xe2\x80\xae"
		"b",
		"\xe2\x81\xa6",
		"a\xc2\x85"
		"b",
		"a\xe2\x80\xa8",
		"a\xd8\x9c",
	};
	static const char *const good[] = { "a",        "a/b", "...", "a..",  ".hidden", "a b",
					    "\xc3\xbc", "a:b", "-rf", "a\\b", "~" };
	char *deep = calloc(1, 2 * 257 + 2), *component = calloc(1, 257), *path = calloc(1, 4200);
	struct cv_tree *t = open_tree();
	struct cv_err e;

	T(deep != NULL && component != NULL && path != NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cv_tree_path_wrong(bad[i]) == NULL)
			t_fail(__FILE__, __LINE__, "case %zu: \"%s\" was accepted", i, bad[i]);
		T_NO(add(t, CV_TREE_FILE, bad[i], NULL, &e), e, CV_R_MALFORMED);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (cv_tree_path_wrong(good[i]) != NULL)
			t_fail(__FILE__, __LINE__, "\"%s\": %s", good[i],
			       cv_tree_path_wrong(good[i]));
	memset(component, 'a', 255);
	T(cv_tree_path_wrong(component) == NULL);
	component[255] = 'a';
	T(cv_tree_path_wrong(component) != NULL);
	for (size_t i = 0; i < 257; i++)
		memcpy(deep + 2 * i, "a/", 3);
	deep[2 * 256 - 1] = '\0';
	T(cv_tree_path_wrong(deep) == NULL); /* 256 */
	deep[2 * 256 - 1] = '/';
	deep[2 * 257 - 1] = '\0';
	T(cv_tree_path_wrong(deep) != NULL);
	for (size_t i = 0; i < 4097; i++)
		path[i] = i % 200 == 199 ? '/' : 'a';
	T(cv_tree_path_wrong(path) != NULL);
	path[4096] = '\0';
	T(cv_tree_path_wrong(path) == NULL);
	free(deep);
	free(component);
	free(path);
	cv_tree_free(&t);
}

/* ---- links ---- */

static const struct {
	const char *path, *target;
	bool good;
} links[] = {
	{ "l", "a", true },          { "l", "a/b", true },
	{ "d/l", "../a", true },     { "d/e/l", "../../a", true },
	{ "d/l", "..", true },       { "l", "", false },
	{ "l", "/a", false },        { "l", "/", false },
	{ "l", "..", false },        { "l", "../a", false },
	{ "d/l", "../../a", false }, { "d/l", "a/../../b", false }, /* climbs in the middle */
	{ "d/l", "a/..", false },    { "d/l", "./a", false },
	{ "d/l", "../../", false },  { "d/l", "a//b", false },
	{ "l", "a\nb", false },      { "l", "a\xff", false },
};

static void
link_targets(void)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct cv_tree *t = open_tree();
		struct cv_err e = { 0 };
		int ret = add(t, CV_TREE_LINK, links[i].path, links[i].target, &e);

		if ((ret == 0) != links[i].good)
			t_fail(__FILE__, __LINE__, "%s -> \"%s\": %d %s", links[i].path,
			       links[i].target, ret, e.text);
		cv_tree_free(&t);
	}
}

/* ---- collisions ---- */

static const struct {
	const char *paths[3]; /* a '/' at the end: a directory, '@': a link */
	enum cv_reason reason;
} sets[] = {
	{ { "a", "b", NULL }, CV_R_NONE },
	{ { "a", "a", NULL }, CV_R_AMBIGUOUS },
	{ { "a", "A", NULL }, CV_R_AMBIGUOUS },
	{ { "a/x", "A/y", NULL }, CV_R_AMBIGUOUS },
	{ { "a/x", "A", NULL }, CV_R_AMBIGUOUS },
	{ { "A/", "a/y", NULL }, CV_R_AMBIGUOUS },
	{ { "\xc3\xbc", "\xc3\x9c", NULL }, CV_R_AMBIGUOUS }, /* u with two dots */
	{ { "\xce\xa3", "\xcf\x82", NULL }, CV_R_AMBIGUOUS }, /* sigma, final sigma */
	{ { "\xd0\x96", "\xd0\xb6", NULL }, CV_R_AMBIGUOUS }, /* zhe */
	{ { "\xd0\x81", "\xd1\x91", NULL }, CV_R_AMBIGUOUS }, /* yo */
	{ { "\xc3\x97", "\xc3\xb7", NULL }, CV_R_NONE },      /* times, divided by */
	{ { "a", "a/b", NULL }, CV_R_AMBIGUOUS },             /* below a file */
	{ { "a@", "a/b", NULL }, CV_R_AMBIGUOUS },            /* below a link */
	{ { "a/", "a/b", NULL }, CV_R_NONE },
	{ { "a/", "a/b/", "a/b/c" }, CV_R_NONE },
	{ { "a/", "a/", NULL }, CV_R_AMBIGUOUS },
	{ { "a", "a-b", "a/b" }, CV_R_AMBIGUOUS }, /* not neighbours by bytes */
	{ { "a-b", "a/b", "aB" }, CV_R_NONE },
	{ { NULL, NULL, NULL }, CV_R_MALFORMED }, /* nothing at all */
};

static void
add_word(struct cv_tree *t, const char *word)
{
	char path[64];
	size_t n = strlen(word);
	enum cv_tree_kind kind = word[n - 1] == '/'   ? CV_TREE_DIR
				 : word[n - 1] == '@' ? CV_TREE_LINK
						      : CV_TREE_FILE;
	struct cv_err e;

	snprintf(path, sizeof(path), "%.*s", (int)(n - (kind != CV_TREE_FILE)), word);
	T_OK(add(t, kind, path, kind == CV_TREE_LINK ? "x" : NULL, &e), e);
}

static void
collisions(void)
{
	/* in every order of what is added */
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		for (size_t o = 0; o < 6; o++) {
			struct cv_tree *t = open_tree();
			struct cv_digest d;
			struct cv_err e = { 0 };
			int ret;

			for (size_t k = 0; k < 3; k++)
				if (sets[i].paths[orders[o][k]] != NULL)
					add_word(t, sets[i].paths[orders[o][k]]);
			ret = cv_tree_end(t, &d, &e);
			if ((ret == 0) != (sets[i].reason == CV_R_NONE) ||
			    (ret != 0 && e.reason != sets[i].reason))
				t_fail(__FILE__, __LINE__, "set %zu, order %zu: %d %s", i, o, ret,
				       e.text);
			cv_tree_free(&t);
		}
}

/* ---- the digest ---- */

static struct cv_digest
digest_of(const char *const *words, size_t n, bool backwards)
{
	struct cv_tree *t = open_tree();
	struct cv_digest d;
	struct cv_err e;

	for (size_t i = 0; i < n; i++)
		add_word(t, words[backwards ? n - 1 - i : i]);
	T_OK(cv_tree_end(t, &d, &e), e);
	cv_tree_free(&t);
	return d;
}

static void
one_digest(void)
{
	static const char *const a[] = { "b", "a/x", "a/y/", "c@" };
	static const char *const with_dirs[] = { "a/", "b", "a/x", "a/y/", "c@" };
	struct cv_digest d = digest_of(a, 4, false), x = digest_of(a, 4, true);

	T(cv_digest_eq(&d, &x));
	/* directories that hold something say nothing */
	x = digest_of(with_dirs, 5, false);
	T(cv_digest_eq(&d, &x));
	/* one less */
	x = digest_of(a, 3, false);
	T(!cv_digest_eq(&d, &x));
	x = digest_of(a + 1, 3, false);
	T(!cv_digest_eq(&d, &x));
}

static void
each_field(void)
{
	struct cv_tree_entry x[5];
	struct cv_digest d[5], other;
	struct cv_tree *t;
	struct cv_err e;

	T_OK(cv_digest_of(&other, CV_SHA256, cv_span_str("other"), &e), e);
	t = open_tree();
	cv_tree_free(&t);
	for (size_t i = 0; i < 5; i++)
		x[i] = (struct cv_tree_entry){
			.path = "a", .kind = CV_TREE_FILE, .size = 7, .digest = content
		};
	x[1].path = "b";
	x[2].kind = CV_TREE_EXEC;
	x[3].size = 8;
	x[4].digest = other;
	for (size_t i = 0; i < 5; i++) {
		t = open_tree();
		T_OK(cv_tree_add(t, &x[i], &e), e);
		T_OK(cv_tree_end(t, &d[i], &e), e);
		cv_tree_free(&t);
		for (size_t k = 0; k < i; k++)
			T(!cv_digest_eq(&d[i], &d[k]));
	}
}

/* ---- modes, looking, misuse ---- */

static void
modes(void)
{
	static const struct {
		uint64_t mode;
		const char *word; /* NULL: refused */
	} t[] = {
		{ 0100644, "0644" }, { 0100600, "0644" }, { 0100755, "0755" }, { 0100700, "0755" },
		{ 0100655, "0644" }, { 0104755, "0755" }, { 0120777, "link" }, { 0040755, "dir" },
		{ 0020666, NULL },   { 0060666, NULL },   { 0010644, NULL },   { 0140755, NULL },
		{ 0644, NULL },      { 0, NULL },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct cv_tree *tree = open_tree();
		struct cv_err e = { 0 };
		int ret = cv_tree_add_mode(tree, "a", t[i].mode, 7, &content, "x", &e);

		if ((ret == 0) != (t[i].word != NULL))
			t_fail(__FILE__, __LINE__, "mode %llo: %d", (unsigned long long)t[i].mode,
			       ret);
		if (ret != 0)
			T_INT(e.reason, CV_R_MALFORMED);
		if (ret == 0) {
			T_OK(cv_tree_end(tree, NULL, &e), e);
			T_STR(cv_tree_word(cv_tree_at(tree, 0)->kind), t[i].word);
		}
		cv_tree_free(&tree);
	}
}

static void
looking(void)
{
	struct cv_tree *t = open_tree();
	struct cv_buf out = CV_BUF(4096);
	struct cv_err e;

	T(cv_tree_find(t, "a") == NULL);
	T_NO(cv_tree_emit(t, &out, &e), e, CV_R_BUG);
	T_OK(add(t, CV_TREE_FILE, "b", NULL, &e), e);
	T_OK(add(t, CV_TREE_LINK, "a", "b", &e), e);
	T_OK(cv_tree_end(t, NULL, &e), e);
	T_NO(cv_tree_end(t, NULL, &e), e, CV_R_BUG);
	T_NO(add(t, CV_TREE_FILE, "c", NULL, &e), e, CV_R_BUG);
	T_INT(cv_tree_count(t), 2);
	T_INT(cv_tree_files(t), 1);
	T_INT(cv_tree_bytes(t), 7);
	T_STR(cv_tree_at(t, 0)->path, "a");
	T_STR(cv_tree_find(t, "a")->target, "b");
	T_INT(cv_tree_find(t, "a")->size, 1);
	T(cv_tree_at(t, 2) == NULL && cv_tree_find(t, "c") == NULL);
	cv_tree_free(&t);
	T(t == NULL);
	cv_buf_free(&out);
}

static void
too_many(void)
{
	struct cv_tree *t = open_tree();
	char path[32];
	struct cv_err e;

	for (unsigned i = 0; i < CV_MAX_TREE_FILES; i++) {
		snprintf(path, sizeof(path), "d%u/f%u", i % 100, i);
		T_OK(add(t, CV_TREE_FILE, path, NULL, &e), e);
	}
	T_NO(add(t, CV_TREE_FILE, "one-more", NULL, &e), e, CV_R_LIMIT);
	T_OK(cv_tree_end(t, NULL, &e), e);
	cv_tree_free(&t);
	t = open_tree();
	T_OK(cv_tree_add(t,
			 &(struct cv_tree_entry){ .path = "a",
						  .kind = CV_TREE_FILE,
						  .size = UINT64_MAX,
						  .digest = content },
			 &e),
	     e);
	T_NO(add(t, CV_TREE_FILE, "b", NULL, &e), e, CV_R_LIMIT);
	cv_tree_free(&t);
}

static const struct t_case cases[] = {
	{ "paths", paths },
	{ "links stay inside", link_targets },
	{ "collisions, in any order", collisions },
	{ "one tree, one digest", one_digest },
	{ "each field is in the digest", each_field },
	{ "kinds of files", modes },
	{ "looking, and misuse", looking },
	{ "too many, too much", too_many },
};
T_MAIN(cases)
