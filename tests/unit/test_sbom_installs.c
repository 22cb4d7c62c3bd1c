/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_installs.c: packages of each kind, in tarballs and zips: what would run when
 * they are installed is found, and what nobody here knows is no pass. */
#include "sbom/found/installs.h"
#include "sbom/found/package.h"
#include "tests/support/mktar.h"
#include "tests/support/mkzip.h"
#include "tests/support/t.h"

#include "trust/base/limits.h"

#include <unistd.h>

#include "trust/base/banned.h"

#define INVALID "tool.manifest-invalid"
#define SCRIPT  "tool.lifecycle-script"
#define PICKLE  "model.pickle"
#define MEMBERS 6

struct member {
	const char *name, *content;
};

/* The one problem that is wanted; check NULL: none. */
struct want {
	const char *check;
	enum cv_outcome outcome;
	const char *where, *found;
};

struct seen {
	size_t n;
	struct cv_finding f[64];
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

static struct cv_buf
pack(bool tar, const struct member *m)
{
	struct cv_buf b = CV_BUF(1 << 20), z = CV_BUF(1 << 20);
	struct mk_zip zip = { 0 };
	char name[200];

	for (; m->name != NULL; m++) {
		(void)snprintf(name, sizeof(name), "%s%s", tar ? "top/" : "", m->name);
		if (tar)
			mk_file(&b, name, m->content);
		else
			(void)mk_zip_add(&zip, name, m->content);
	}
	if (!tar) {
		mk_zip_write(&b, &zip);
		return b;
	}
	mk_end(&b);
	mk_gzip(&z, cv_buf_span(&b));
	cv_buf_free(&b);
	return z;
}

static struct cv_package
walk(struct seen *s, const struct cv_buf *archive)
{
	int fd = t_memfd(archive->p, archive->n), scratch = t_memfd("", 0);
	const struct cv_member_use use = { .look = true, .scratch = scratch };
	const struct cv_sink sink = { .finding = see, .ctx = s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_package p;
	struct cv_err e = { 0 };

	s->n = 0;
	T_OK(cv_package_walk(&p, (struct cv_blob){ .fd = fd, .len = archive->n }, &use, &a, &e), e);
	T_OK(cv_answers_end(&a, &e), e);
	(void)close(fd);
	(void)close(scratch);
	return p;
}

static void
judge(bool tar, const struct member *m, const struct want *want, size_t nwant, const char *word)
{
	struct cv_buf b = pack(tar, m);
	struct seen s;
	struct cv_package p = walk(&s, &b);
	size_t n = 0;

	T(p.whole);
	for (size_t i = 0; i < s.n; i++) {
		const struct cv_finding *f = &s.f[i];

		if (f->outcome == CV_PASS)
			continue;
		T(f->outcome != CV_NOT_APPLICABLE);
		if (n >= nwant || strcmp(f->check, want[n].check) != 0 ||
		    f->outcome != want[n].outcome || strstr(f->found, want[n].found) == NULL ||
		    strstr(f->where, want[n].where) == NULL)
			t_fail(__FILE__, __LINE__, "%s %s: %s %s: %s (%s)", tar ? "tar" : "zip",
			       m->name, f->check, cv_outcome_word(f->outcome), f->found, f->where);
		n++;
	}
	if (n != nwant)
		t_fail(__FILE__, __LINE__, "%s %s: %zu problems, want %zu", tar ? "tar" : "zip",
		       m->name, n, nwant);
	T_STR(p.word, word);
	cv_buf_free(&b);
}

static void
one(bool tar, const struct member *m, const char *check, const char *where, const char *found,
    const char *word)
{
	const struct want want = { check, CV_FAIL, where, found };

	judge(tar, m, &want, check != NULL ? 1 : 0, word);
}

#define M(...) ((const struct member[]){ __VA_ARGS__, { NULL, NULL } })

#define NPM_NAME "\"name\":\"hello\",\"version\":\"1.0.0\""
#define NPM(s)   "{" NPM_NAME ",\"scripts\":{" s "}}"

static void
test_npm_in_zip(void)
{
	static const char *const events[] = { "preinstall",   "install",   "postinstall",
					      "preprepare",   "prepare",   "postprepare",
					      "dependencies", "prepublish" };
	static const char *const places[] = { "package/package.json", "a/b/c/package.json",
					      "packages/x/package.json" };
	char text[200];

	for (size_t i = 0; i < CV_COUNT(events); i++) {
		(void)snprintf(text, sizeof(text), NPM("\"%s\":\"node evil.js\""), events[i]);
		one(false, M({ "package.json", text }), SCRIPT, "package.json", "node evil.js",
		    "npm");
	}
	for (size_t i = 0; i < CV_COUNT(places); i++)
		one(false, M({ "package.json", "{}" }, { places[i], text }), SCRIPT, places[i],
		    "evil", "npm");
	one(false,
	    M({ "package.json", "{}" },
	      { "node_modules/x/package.json", NPM("\"install\":\"evil\"") }),
	    SCRIPT, "node_modules/x/package.json", "evil", "npm");
	one(false, M({ "package.json", "{}" }, { "binding.gyp", "{}" }), SCRIPT, "binding.gyp",
	    "node-gyp", "npm");
	one(false, M({ "package.json", "{" }), INVALID, "package.json", "", "npm");
	one(false, M({ "package.json", "{\"scripts\":{\"install\":1}}" }), INVALID, "", "", "npm");
	one(false, M({ "package.json", "{}" }, { "x/package.json", "{\"a\":1,\"a\":2}" }), INVALID,
	    "x/package.json", "", "npm");
	/* good ones */
	one(false, M({ "package.json", "{}" }), NULL, "", "", "npm");
	one(false, M({ "package.json", NPM("\"test\":\"x\",\"install\":\"\"") }), NULL, "", "",
	    "npm");
	one(false,
	    M({ "package.json", "{}" },
	      { "node_modules/x/package.json", NPM("\"prepare\":\"tsc\"") }),
	    NULL, "", "", "npm");
	one(false, M({ "package.json", "{}" }, { "node_modules/x/test/package.json", "no JSON" }),
	    NULL, "", "", "npm");
}

#define METADATA "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n\nName: other\n"
#define WHEEL    "Wheel-Version: 1.0\nGenerator: x\n"
#define INFO     "hello-1.0.dist-info/"
#define GOOD_WHEEL                                                                                 \
	{ INFO "METADATA", METADATA }, { INFO "WHEEL", WHEEL }, { INFO "RECORD", "" },             \
	{                                                                                          \
		"hello/__init__.py", "x = 1"                                                       \
	}

static void
test_wheel(void)
{
	static const char *const start[] = {
		"hello.pth",
		"hello-1.0.data/purelib/x.pth",
		"deep/er/x.pth",
		"sitecustomize.py",
		"usercustomize.py",
		"hello-1.0.data/platlib/sitecustomize.py",
		"hello-1.0.data/data/lib/site-packages/sitecustomize.py"
	};

	one(false, M(GOOD_WHEEL), NULL, "", "", "wheel");
	/* modules of these names, which nothing runs by itself */
	one(false, M(GOOD_WHEEL, { "hello/setup.py", "" }), NULL, "", "", "wheel");
	one(false, M(GOOD_WHEEL, { "hello/sitecustomize.py", "" }), NULL, "", "", "wheel");
	for (size_t i = 0; i < CV_COUNT(start); i++)
		one(false, M(GOOD_WHEEL, { start[i], "import os\n" }), SCRIPT, start[i],
		    "at every start", "wheel");
	one(false, M(GOOD_WHEEL, { "setup.py", "" }), SCRIPT, "setup.py", "runs it", "wheel");
	one(false, M({ INFO "WHEEL", WHEEL }, { INFO "RECORD", "" }), INVALID, INFO, "no METADATA",
	    "wheel");
	one(false, M({ INFO "WHEEL", WHEEL }, { INFO "METADATA", METADATA }), INVALID, INFO,
	    "no RECORD", "wheel");
	one(false,
	    M({ INFO "WHEEL", WHEEL }, { INFO "RECORD", "" }, { INFO "METADATA", "Name: a\n" }),
	    INVALID, INFO "METADATA", "one Version", "wheel");
	one(false,
	    M({ INFO "WHEEL", WHEEL }, { INFO "RECORD", "" },
	      { INFO "METADATA", "Name: a\nName: b\nVersion: 1\n" }),
	    INVALID, INFO "METADATA", "one Name", "wheel");
	one(false, M(GOOD_WHEEL, { "other-1.dist-info/WHEEL", WHEEL }), INVALID, ".dist-info/",
	    "a second", "wheel");
	const struct want newer = { INVALID, CV_UNKNOWN, INFO "WHEEL", "no Wheel-Version 1" };
	judge(false,
	      M({ INFO "METADATA", METADATA }, { INFO "RECORD", "" },
		{ INFO "WHEEL", "Wheel-Version: 2.0\n" }),
	      &newer, 1, "wheel");
}

static void
test_sources(void)
{
	const struct want bare[] = { { SCRIPT, CV_FAIL, "setup.py", "runs it" },
				     { INVALID, CV_FAIL, "PKG-INFO", "without a PKG-INFO" } };
	const struct want project[] = { { SCRIPT, CV_FAIL, "pyproject.toml", "the build" },
					{ INVALID, CV_FAIL, "PKG-INFO", "without a PKG-INFO" } };

	for (unsigned tar = 0; tar < 2; tar++) {
		one(tar, M({ "PKG-INFO", METADATA }, { "setup.py", "" }), SCRIPT, "setup.py",
		    "runs it", "source");
		one(tar, M({ "PKG-INFO", METADATA }, { "pyproject.toml", "" }), SCRIPT, "",
		    "the build", "source");
		one(tar, M({ "PKG-INFO", METADATA }), SCRIPT, "PKG-INFO", "the build", "source");
		judge(tar, M({ "setup.py", "" }), bare, 2, "source");
		judge(tar, M({ "pyproject.toml", "" }), project, 2, "source");
		one(tar, M({ "package.json", NPM("") }, { "setup.py", "" }), SCRIPT, "setup.py",
		    "runs it", "npm");
		one(tar, M({ "package.json", NPM("") }, { "pyproject.toml", "" }), NULL, "", "",
		    "npm");
	}
	judge(false, M({ "top/setup.py", "" }), bare, 2, "source");
	one(false, M({ "hello-1.0/PKG-INFO", METADATA }, { "hello-1.0/setup.py", "" }), SCRIPT,
	    "hello-1.0/setup.py", "runs it", "source");
	/* not at a place where anybody would run it */
	one(true, M({ "package.json", NPM("") }, { "deps/gyp/setup.py", "" }), NULL, "", "", "npm");
}

#define SERVER(type, entry, more)                                                                  \
	"{\"manifest_version\":\"0.3\",\"name\":\"hello\",\"version\":\"1.0.0\",\"description\":"  \
	"\"d\",\"author\":{\"name\":\"a\"},\"server\":{\"type\":\"" type                           \
	"\",\"entry_point\":\"" entry "\"" more "}}"
#define COMMAND(c) ",\"mcp_config\":{\"command\":\"" c "\",\"args\":[]}"
#define OVERRIDE(c)                                                                                \
	",\"mcp_config\":{\"command\":\"node\",\"platform_overrides\":{\"win32\":{\"command\":"    \
	"\"" c "\"}}}"

static void
mcpb(const char *manifest, const char *check, const char *found)
{
	one(false, M({ "manifest.json", manifest }, { "server/index.js", "1" }), check,
	    check != NULL ? "manifest.json" : "", found, "mcpb");
}

static void
test_mcpb(void)
{
	mcpb(SERVER("node", "server/index.js", COMMAND("node")), NULL, "");
	mcpb(SERVER("node", "./server/index.js", COMMAND("${__dirname}/server/run")), NULL, "");
	mcpb(SERVER("binary", "server/index.js", ""), NULL, "");
	mcpb(SERVER("uv", "server/index.js", ""), SCRIPT, "fetched when it starts");
	mcpb(SERVER("node", "server/index.js", COMMAND("npx")), SCRIPT, "npx: fetches");
	mcpb(SERVER("node", "server/index.js", COMMAND("/usr/bin/uvx")), SCRIPT, "uvx: fetches");
	mcpb(SERVER("node", "server/index.js", COMMAND("bash")), SCRIPT, "bash: runs whatever");
	mcpb(SERVER("node", "server/index.js", OVERRIDE("C:\\\\Windows\\\\CMD.EXE")), SCRIPT,
	     "platform_overrides");
	mcpb(SERVER("node", "server/other.js", ""), INVALID, "entry_point server/other.js");
	mcpb(SERVER("ruby", "server/index.js", ""), INVALID, "ruby");
	mcpb("{\"manifest_version\":\"0.3\"}", INVALID, "");
	mcpb("{\"dxt_version\":\"0.1\",\"name\":\"a\",\"version\":\"1\"}", INVALID, "");
	mcpb("{\"manifest_version\":\"0.1\",\"manifest_version\":\"0.2\"}", INVALID, "");
	mcpb("not JSON", INVALID, "");
	/* npm's manifest in a bundle is held to npm's rules; a pyproject.toml only describes */
	one(false,
	    M({ "manifest.json", SERVER("node", "server/index.js", "") }, { "server/index.js", "" },
	      { "package.json", NPM("\"postinstall\":\"evil\"") }),
	    SCRIPT, "package.json", "evil", "mcpb");
	one(false,
	    M({ "manifest.json", SERVER("python", "server/index.js", "") },
	      { "server/index.js", "" }, { "pyproject.toml", "" }),
	    NULL, "", "", "mcpb");
}

/* Of a kind that nobody here knows: not a pass, not "does not apply". */
static void
test_unknown(void)
{
	const struct want want[] = { { INVALID, CV_UNKNOWN, "", "no manifest of a known kind" },
				     { SCRIPT, CV_UNKNOWN, "", "not known" } };

	judge(false, M({ "SKILL.md", "# a skill" }), want, 2, "unknown");
	judge(false, M({ "a/b.js", "1" }), want, 2, "unknown");
	judge(false, M({ "META-INF/MANIFEST.MF", "x" }), want, 2, "unknown");
	judge(false, M({ "EGG-INFO/PKG-INFO.x", "x" }), want, 2, "unknown");
	judge(false, M({ "manifest.json", "{\"name\":\"a browser's extension\"}" }), want, 2,
	      "unknown");
	judge(false, M({ "a/b/c/x.dist-info/WHEEL", WHEEL }), want, 2, "unknown");
	one(true, M({ "index.js", "1" }), INVALID, "package.json", "no package.json", "unknown");
}

/* ---- pickles in members ---- */

#define P0 "cos\nsystem\n(S'id'\ntR."

static void
test_pickles(void)
{
	static const char *const names[] = { "data.pkl", "README.md", "lib/x.bin", "a.txt" };

	for (unsigned tar = 0; tar < 2; tar++) {
		for (size_t i = 0; i < CV_COUNT(names); i++)
			one(tar, M({ "package.json", NPM("") }, { names[i], P0 }), PICKLE, names[i],
			    "it imports os.system", "npm");
		one(tar, M({ "package.json", NPM("") }, { "x.joblib", "?" }, { "y", "text" }),
		    PICKLE, "x.joblib", "by its name", "npm");
		one(tar,
		    M({ "package.json", NPM("") }, { "x.js", "import pickle" }, { "empty", "" }),
		    NULL, "", "", "npm");
		const struct want sealed = { PICKLE, CV_UNKNOWN, "x.dat", "bzip2" };
		judge(tar, M({ "package.json", NPM("") }, { "x.dat", "BZh91AY&SY" }), &sealed, 1,
		      "npm");
	}
	one(false, M(GOOD_WHEEL, { "hello/x.npy", P0 }), PICKLE, "hello/x.npy", "os.system",
	    "wheel");
}

/* More than fits into a window, with the call behind it: all of a member is searched. */
static void
test_long_member(void)
{
	static char text[200000];
	size_t n = sizeof(text) - 64;

	text[0] = 'V';
	memset(text + 1, 'a', n);
	(void)snprintf(text + 1 + n, 60, "\n0%s", P0);
	one(true, M({ "package.json", NPM("") }, { "x.txt", text }), PICKLE, "x.txt", "os.system",
	    "npm");
}

static const struct t_case cases[] = {
	{ "npm in a zip", test_npm_in_zip },   { "wheels", test_wheel },
	{ "sources", test_sources },           { "MCP bundles", test_mcpb },
	{ "unknown kinds", test_unknown },     { "pickles in members", test_pickles },
	{ "a long member", test_long_member },
};
T_MAIN(cases)
