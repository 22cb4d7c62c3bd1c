/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_conf.c: what the readers of our own files share. */
#include "tests/support/t.h"
#include "verify/conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- patterns ---- */

static const struct {
	const char *pattern, *text;
	bool match;
} globs[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "a", true },
	{ "a", "b", false },
	{ "a", "aa", false },
	{ "*", "", true },
	{ "*", "abc", true },
	{ "*", "a/b", false },
	{ "**", "a/b", true },
	{ "**", "", true },
	{ "a*", "abc", true },
	{ "a*", "ab/c", false },
	{ "a/*", "a/", true },
	{ "a/*", "a/b/c", false },
	{ "a/**", "a/b/c", true },
	{ "a/**", "a", false },
	{ "**/c", "a/b/c", true },
	{ "**/c", "c", false },
	{ "*/*", "a/b", true },
	{ "*a*b*", "xxaxxbxx", true },
	{ "*a*b*", "xxbxxaxx", false },
	{ "registry.example/acme/*", "registry.example/acme/bot", true },
	{ "registry.example/acme/*", "registry-example/acme/bot", false },
	{ "registry.example/acme/*", "registry.example/acme-evil/bot", false },
	{ "registry.example/*", "x.registry.example/bot", false },
	{ "*.safetensors", "a.safetensors", true },
	{ "*.safetensors", "a.safetensors.pkl", false },
	{ "a?c", "abc", false }, /* no other wildcard */
	{ "[ab]", "a", false },
	{ "\\*", "*", false },
	{ "***", "a/b", true },
	{ "*a", "aaaaaaaab", false },
};

static void
patterns(void)
{
	char long_[1025] = { 0 };

	for (size_t i = 0; i < sizeof(globs) / sizeof(globs[0]); i++)
		if (cv_glob(globs[i].pattern, globs[i].text) != globs[i].match)
			t_fail(__FILE__, __LINE__, "\"%s\" and \"%s\"", globs[i].pattern,
			       globs[i].text);
	/* at the limit, and in time that does not explode */
	for (size_t i = 0; i < 512; i++)
		long_[i] = i % 2 != 0 ? 'a' : '*';
	T(!cv_glob(long_, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
	memset(long_, '*', 512);
	T(cv_glob(long_, "a/b"));
	long_[512] = '*';
	T(!cv_glob(long_, "a/b")); /* longer than a pattern may be: matches nothing */
}

/* ---- values ---- */

static struct cv_jdoc *doc;

static struct cv_jv
value(const char *text)
{
	struct cv_buf json = CV_BUF(65536);
	struct cv_err e;

	cv_json_free(&doc);
	cv_buf_fmt(&json, "{\"k\": %s}", text);
	T_OK(cv_json_parse(&doc, "f", cv_buf_span(&json), CV_JSON_REALS, &e), e);
	cv_buf_free(&json);
	return cv_jv_get(cv_json_root(doc), "k");
}

static void
sizes(void)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: refused */
	} t[] = {
		{ "1", 1 },
		{ "\"64KiB\"", 65536 },
		{ "\"512MiB\"", 512ull << 20 },
		{ "\"8GiB\"", 8ull << 30 },
		{ "\"1TiB\"", 1ull << 40 },
		{ "0", 0 },
		{ "-1", 0 },
		{ "1.5", 0 },
		{ "true", 0 },
		{ "\"0KiB\"", 0 },
		{ "\"512MB\"", 0 },
		{ "\"512M\"", 0 },
		{ "\"512\"", 0 },
		{ "\"KiB\"", 0 },
		{ "\" 1KiB\"", 0 },
		{ "\"1 KiB\"", 0 },
		{ "\"1.5GiB\"", 0 },
		{ "\"01KiB\"", 0 },
		{ "\"+1KiB\"", 0 },
		{ "\"1kib\"", 0 },
		{ "\"99999999TiB\"", 0 },
		{ "\"\"", 0 },
	};
	struct cv_err e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t bytes = 0;
		int ret = cv_conf_size(value(t[i].text), &bytes, &e);

		if ((ret == 0) != (t[i].bytes > 0) || (ret == 0 && bytes != t[i].bytes))
			t_fail(__FILE__, __LINE__, "%s: %d %llu", t[i].text, ret,
			       (unsigned long long)bytes);
		if (ret != 0)
			T_HAS(e.text, "f:1:7: ");
	}
	cv_json_free(&doc);
}

static void
processors(void)
{
	static const struct {
		const char *text;
		uint64_t thousandths;
	} t[] = {
		{ "2", 2000 },       { "\"2\"", 2000 }, { "\"1.5\"", 1500 }, { "\"0.25\"", 250 },
		{ "\"0.001\"", 1 },  { "0", 0 },        { "-1", 0 },         { "1.5", 0 },
		{ "\"0\"", 0 },      { "\"0.0\"", 0 },  { "\"1.\"", 0 },     { "\".5\"", 0 },
		{ "\"1.2345\"", 0 }, { "\"1,5\"", 0 },  { "\"1.5.1\"", 0 },  { "\"5000\"", 0 },
		{ "5000", 0 },       { "\"1e3\"", 0 },  { "null", 0 },
	};
	struct cv_err e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t cpus = 0;
		int ret = cv_conf_cpus(value(t[i].text), &cpus, &e);

		if ((ret == 0) != (t[i].thousandths > 0) || (ret == 0 && cpus != t[i].thousandths))
			t_fail(__FILE__, __LINE__, "%s: %d", t[i].text, ret);
	}
	cv_json_free(&doc);
}

static void
times(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} t[] = {
		{ "\"90s\"", 90 },
		{ "\"15m\"", 900 },
		{ "\"24h\"", 86400 },
		{ "\"5d\"", 432000 },
		{ "\"3653d\"", 315619200 },
		{ "\"3654d\"", 0 },
		{ "\"0s\"", 0 },
		{ "\"-1s\"", 0 },
		{ "\"1\"", 0 },
		{ "\"s\"", 0 },
		{ "\"1w\"", 0 },
		{ "\"1h30m\"", 0 },
		{ "\"1.5h\"", 0 },
		{ "90", 0 },
		{ "\"99999999999999999999d\"", 0 },
	};
	struct cv_err e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t seconds = 0;
		int ret = cv_conf_duration(value(t[i].text), &seconds, &e);

		if ((ret == 0) != (t[i].seconds > 0) || (ret == 0 && seconds != t[i].seconds))
			t_fail(__FILE__, __LINE__, "%s: %d", t[i].text, ret);
	}
	cv_json_free(&doc);
}

static void
places(void)
{
	static const char *const relative_bad[] = { "\"\"",       "\"/a\"", "\"../a\"",
						    "\"a/../b\"", "\"a/\"", "\"a//b\"",
						    "\"./a\"",    "\"..\"", "\"a\\nb\"",
						    "1" };
	static const char *const absolute_bad[] = { "\"\"",      "\"a\"",     "\"/a/\"", "\"//\"",
						    "\"/a//b\"", "\"/a/..\"", "\"/.\"",  "1" };
	const char *path;
	struct cv_err e;

	for (size_t i = 0; i < sizeof(relative_bad) / sizeof(relative_bad[0]); i++)
		T(cv_conf_relative(value(relative_bad[i]), &path, &e) == -1);
	for (size_t i = 0; i < sizeof(absolute_bad) / sizeof(absolute_bad[0]); i++)
		T(cv_conf_absolute(value(absolute_bad[i]), &path, &e) == -1);
	T_OK(cv_conf_relative(value("\"a/b\""), &path, &e), e);
	T_OK(cv_conf_relative(value("\".\""), &path, &e), e);
	T_OK(cv_conf_absolute(value("\"/\""), &path, &e), e);
	T_OK(cv_conf_absolute(value("\"/a/b\""), &path, &e), e);
	T_STR(path, "/a/b");
	cv_json_free(&doc);
}

static void
names(void)
{
	static const char *const good[] = { "a", "0", "a.b", "a_b", "a-b", "a0", "x-ray" };
	static const char *const bad[] = { "",    "A",   ".a",       "-a", "_a",
					   "a b", "a/b", "\xc3\xbc", "a:b" };
	char n[66] = { 0 };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		T(cv_name_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T(!cv_name_valid(bad[i]));
	memset(n, 'a', 64);
	T(cv_name_valid(n));
	n[64] = 'a';
	T(!cv_name_valid(n));
}

static void
addresses(void)
{
	static const struct {
		const char *text;
		bool plain, glob; /* valid as an address, as a pattern */
	} t[] = {
		{ "a.example:443", true, true },
		{ "[::1]:443", true, true },
		{ "10.0.0.1:1", true, true },
		{ "a:65535", true, true },
		{ "*.example:443", false, true },
		{ "a.example:*", false, true },
		{ "*:*", false, true },
		{ "a.example", false, false },
		{ "a.example:0", false, false },
		{ "a.example:65536", false, false },
		{ "a.example:", false, false },
		{ ":443", false, false },
		{ "", false, false },
		{ "A.example:443", false, false },
		{ "a.example:443/x", false, false },
		{ "https://a.example:443", false, false },
		{ "a.example:0443", false, false },
		{ "-a:443", false, false },
		{ "a.:443", false, false },
		{ "[::1]", false, false },
		{ "[::1]443", false, false },
		{ "[]:443", false, false },
		{ "[::g]:443", false, false },
		{ "::1:443", false, false },
		{ "a b:443", false, false },
		{ "a:443:443", false, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if ((cv_egress_wrong(t[i].text, false) == NULL) != t[i].plain)
			t_fail(__FILE__, __LINE__, "%s", t[i].text);
		if ((cv_egress_wrong(t[i].text, true) == NULL) != t[i].glob)
			t_fail(__FILE__, __LINE__, "%s as a pattern", t[i].text);
	}
}

static void
lists(void)
{
	static const char *const words[] = { "one", "two", NULL };
	struct cv_mem m = { 0 };
	struct cv_items items;
	unsigned mask;
	struct cv_err e;

	T_OK(cv_conf_items(&m, value("[\"a\", \"b\"]"), &items, &e), e);
	T(items.n == 2 && cv_items_has(&items, "b") && !cv_items_has(&items, "c"));
	T_INT(items.v[1].pos.column, 13);
	T(cv_conf_items(&m, value("[\"a\", \"a\"]"), &items, &e) == -1);
	T(cv_conf_items(&m, value("[\"a\", \"\"]"), &items, &e) == -1);
	T(cv_conf_items(&m, value("[1]"), &items, &e) == -1);
	T(cv_conf_items(&m, value("\"a\""), &items, &e) == -1);
	T_OK(cv_conf_texts(&m, value("[\"a\", \"a\", \"\"]"), &items, &e), e);
	T_INT(items.n, 3);
	T_OK(cv_conf_items(&m, cv_jv_get(cv_json_root(doc), "none"), &items, &e), e);
	T_INT(items.n, 0);
	T_OK(cv_conf_mask(value("[\"two\", \"one\"]"), words, &mask, &e), e);
	T_INT(mask, 3);
	T(cv_conf_mask(value("[]"), words, &mask, &e) == -1);
	T(cv_conf_mask(value("[\"one\", \"one\"]"), words, &mask, &e) == -1);
	T(cv_conf_mask(value("[\"onee\"]"), words, &mask, &e) == -1);
	T_HAS(e.text, "did you mean \"one\"");
	cv_mem_free(&m);
	cv_json_free(&doc);
}

/* ---- files ---- */

static void
reading(void)
{
	struct cv_buf out = CV_BUF(100);
	char path[512];
	struct cv_err e;

	snprintf(path, sizeof(path), "%s/f", t_tmpdir());
	T_INT(cv_conf_read(&out, AT_FDCWD, path, 100, &e), 0);
	snprintf(path, sizeof(path), "%s/f/g", t_tmpdir());
	T_INT(cv_conf_read(&out, AT_FDCWD, path, 100, &e), 0);
	snprintf(path, sizeof(path), "%s/f", t_tmpdir());
	t_write_file(path, "0123456789", 10);
	T_INT(cv_conf_read(&out, AT_FDCWD, path, 10, &e), 1);
	T_STR(cv_buf_text(&out), "0123456789");
	T_INT(cv_conf_read(&out, AT_FDCWD, path, 9, &e), -1);
	T_INT(e.reason, CV_R_CONFIG);
	T_HAS(e.text, "10 bytes");
	T_INT(cv_conf_read(&out, AT_FDCWD, t_tmpdir(), 100, &e), -1);
	T_INT(e.reason, CV_R_CONFIG);
	T_HAS(e.text, "a directory");
	T_INT(cv_conf_read(&out, AT_FDCWD, "/dev/null", 100, &e), -1);
	T_INT(e.reason, CV_R_CONFIG);
	/* a pipe without a writer must not hang us */
	snprintf(path, sizeof(path), "%s/fifo", t_tmpdir());
	T(mkfifo(path, 0600) == 0);
	T_INT(cv_conf_read(&out, AT_FDCWD, path, 100, &e), -1);
	cv_buf_free(&out);
}

static void
same_bytes(const char *path, const char *want)
{
	struct cv_buf out = CV_BUF(1000);
	struct cv_err e;

	T_INT(cv_conf_read(&out, AT_FDCWD, path, 1000, &e), 1);
	T_STR(cv_buf_text(&out), want);
	cv_buf_free(&out);
}

static void
writing(void)
{
	char path[512], link_[512];
	struct stat st;
	struct cv_err e;

	snprintf(path, sizeof(path), "%s/w", t_tmpdir());
	snprintf(link_, sizeof(link_), "%s/l", t_tmpdir());
	T_OK(cv_conf_write(path, cv_span_str("one"), &e), e);
	T_OK(cv_conf_write(path, cv_span_str("two"), &e), e);
	same_bytes(path, "two");
	/* a link is replaced, what it pointed to stays */
	T(symlink(path, link_) == 0);
	T_OK(cv_conf_write(link_, cv_span_str("three"), &e), e);
	same_bytes(path, "two");
	same_bytes(link_, "three");
	T(lstat(link_, &st) == 0 && S_ISREG(st.st_mode));
	T_NO(cv_conf_write("/nowhere/f", cv_span_str("x"), &e), e, CV_R_CONFIG);
	T_NO(cv_conf_write("", cv_span_str("x"), &e), e, CV_R_USAGE);
	T_NO(cv_conf_write("/", cv_span_str("x"), &e), e, CV_R_USAGE);
	T_NO(cv_conf_write("a/..", cv_span_str("x"), &e), e, CV_R_USAGE);
	/* a directory in its place: nothing is left beside it */
	T(mkdir(link_, 0700) == -1 && unlink(link_) == 0 && mkdir(link_, 0700) == 0);
	T(cv_conf_write(link_, cv_span_str("x"), &e) == -1);
	T(rmdir(link_) == 0);
}

static void
reasons(void)
{
	struct cv_err e = { .reason = CV_R_MALFORMED };

	T_INT(cv_conf_reason(&e), -1);
	T_INT(e.reason, CV_R_CONFIG);
	e.reason = CV_R_LIMIT;
	T_INT(cv_conf_reason(&e), -1);
	T_INT(e.reason, CV_R_CONFIG);
	e.reason = CV_R_MEMORY; /* our trouble is not a mistake of the user */
	T_INT(cv_conf_reason(&e), -1);
	T_INT(e.reason, CV_R_MEMORY);
	e.reason = CV_R_DISK;
	T_INT(cv_conf_reason(&e), -1);
	T_INT(e.reason, CV_R_DISK);
	T_INT(cv_conf_reason(NULL), -1);
	T_INT(cv_conf_at(&e, "f", (struct cv_jpos){ .line = 3, .column = 4 }, "found %d", 5), -1);
	T_STR(e.text, "f:3:4: found 5");
	T_INT(cv_conf_at(&e, "f", (struct cv_jpos){ 0 }, "x"), -1);
	T_STR(e.text, "f: x");
	T_INT(e.reason, CV_R_CONFIG);
}

static const struct t_case cases[] = {
	{ "patterns", patterns },
	{ "sizes", sizes },
	{ "processors", processors },
	{ "times", times },
	{ "paths", places },
	{ "names", names },
	{ "addresses", addresses },
	{ "lists", lists },
	{ "reading a file", reading },
	{ "writing a file", writing },
	{ "whose fault it is", reasons },
};
T_MAIN(cases)
