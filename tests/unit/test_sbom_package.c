/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_package.c: npm tarballs and zip packages: what is refused, what runs at
 * install, and that EXPAND hands over what PACKAGE named. */
#include "sbom/found/npm.h"
#include "sbom/found/package.h"
#include "sbom/found/tasks.h"
#include "tests/support/ask.h"
#include "tests/support/mktar.h"
#include "tests/support/mkzip.h"
#include "tests/support/t.h"

#include "trust/base/json.h"
#include "trust/base/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define MANIFEST "{\"name\":\"hello\",\"version\":\"1.0.0\"}"

struct seen {
	size_t n;
	struct cv_finding f[100];
	struct cv_buf files;
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
file(void *ctx, const struct cv_member *m, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	cv_buf_fmt(&s->files, "%o %s %llu%s%s\n", m->mode, m->path, (unsigned long long)m->size,
		   m->link != NULL ? " > " : "", m->link != NULL ? m->link : "");
	return 0;
}

static struct cv_package
walk(struct seen *s, const struct cv_buf *archive)
{
	int fd = t_memfd(archive->p, archive->n);
	const struct cv_member_use use = { .ends = file, .ctx = s };
	const struct cv_sink sink = { .finding = see, .ctx = s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_package p;
	struct cv_err e = { 0 };

	s->n = 0;
	s->files = CV_BUF(1 << 20);
	T_OK(cv_package_walk(&p, (struct cv_blob){ .fd = fd, .len = archive->n }, &use, &a, &e), e);
	T_OK(cv_answers_end(&a, &e), e);
	(void)close(fd);
	return p;
}

static size_t
problems(const struct seen *s, const char *check)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->f[i].outcome != CV_PASS && s->f[i].outcome != CV_NOT_APPLICABLE &&
		     (check == NULL || strcmp(s->f[i].check, check) == 0);
	return n;
}

static struct cv_buf
make(void)
{
	return CV_BUF(16 * CV_MIB);
}

/* A package around what the case puts in, as npm packs one. */
static struct cv_buf
npm_start(const char *manifest)
{
	struct cv_buf b = make();

	mk_file(&b, "package/package.json", manifest);
	mk_file(&b, "package/index.js", "1");
	return b;
}

static struct cv_buf
packed(struct cv_buf *tar)
{
	struct cv_buf z = make();

	mk_end(tar);
	mk_gzip(&z, cv_buf_span(tar));
	cv_buf_free(tar);
	return z;
}

static const char *only; /* what is handed out beside a refused member; NULL: not looked at */

/* refused: that problem alone; the archive is freed. */
static void
refused(struct cv_buf *archive, const char *check, const char *text)
{
	struct seen s;

	(void)walk(&s, archive);
	for (size_t i = 0; i < s.n; i++) {
		if (s.f[i].outcome == CV_PASS || s.f[i].outcome == CV_NOT_APPLICABLE) {
			T(strcmp(s.f[i].check, check) != 0);
			continue;
		}
		if (strcmp(s.f[i].check, check) != 0)
			t_fail(__FILE__, __LINE__, "%s: %s (%s)", s.f[i].check, s.f[i].found,
			       s.f[i].where);
		T(s.f[i].outcome == CV_FAIL);
		T_HAS(s.f[i].found, text);
	}
	T_INT(problems(&s, NULL), 1);
	if (only != NULL)
		T_STR(cv_buf_text(&s.files), only);
	cv_buf_free(&s.files);
	cv_buf_free(archive);
}

static void
npm_refused(struct cv_buf *tar, const char *check, const char *text)
{
	struct cv_buf z = packed(tar);

	refused(&z, check, text);
}

static void
npm_entry(const char *name, char kind, const char *target, const char *check, const char *text)
{
	struct cv_buf b = npm_start(MANIFEST);
	struct mk_header h = mk_header(name, kind, 0);

	if (target != NULL)
		mk_link(&h, target);
	mk_block(&b, &h, "", 0);
	npm_refused(&b, check, text);
}

/* ---- names ---- */

static const struct {
	const char *name, *check;
} bad_names[] = {
	{ "package/../x", "archive.traversal" },
	{ "../x", "archive.traversal" },
	{ "/etc/passwd", "archive.traversal" },
	{ "package/a\\b", "archive.traversal" },
	{ "package/c:x", "archive.traversal" },
	{ "package/a/..", "archive.traversal" },
	{ "package//x", "archive.ambiguous" },
	{ "./package/x", "archive.ambiguous" },
	{ "package/./x", "archive.ambiguous" },
	{ "package/a\nb", "archive.ambiguous" },
	{ "package/nul", "archive.ambiguous" },
	{ "package/Aux.js", "archive.ambiguous" },
	{ "package/x.", "archive.ambiguous" },
	{ "package/x ", "archive.ambiguous" },
	{ "package/\342\200\256js", "archive.ambiguous" },
	{ "package/\xff", "archive.ambiguous" },
	{ "package/\342\200\213x", "archive.ambiguous" },
};

static void
test_names(void)
{
	only = "100644 package.json 34\n100644 index.js 1\n";
	for (size_t i = 0; i < CV_COUNT(bad_names); i++)
		npm_entry(bad_names[i].name, '0', NULL, bad_names[i].check, "the name ");
	npm_entry("other/x", '0', NULL, "archive.ambiguous", "a second top folder");
	npm_entry("Package/x", '0', NULL, "archive.ambiguous", "a second top folder");
	npm_entry("other/", '5', NULL, "archive.ambiguous", "a second top folder");
	npm_entry("package", '0', NULL, "archive.ambiguous", "outside of a top folder");
	only = NULL;
}

static void
test_collisions(void)
{
	static const char *const same[] = { "package/index.js", "package/INDEX.js",
					    "package/Index.JS", "package/index.js/x",
					    "package/Index.js/x" };
	struct cv_buf b;

	for (size_t i = 0; i < CV_COUNT(same); i++)
		npm_entry(same[i], '0', NULL, "archive.ambiguous",
			  "two members that take one place");
	npm_entry("package/index.js/", '5', NULL, "archive.ambiguous", "one place");
	b = npm_start(MANIFEST);
	mk_file(&b, "package/lib/a", "1");
	mk_file(&b, "package/LIB/b", "1"); /* two directories or one */
	npm_refused(&b, "archive.ambiguous", "one place");
	b = npm_start(MANIFEST);
	mk_file(&b, "package/\303\244", "1");
	mk_file(&b, "package/\303\204", "1");
	npm_refused(&b, "archive.ambiguous", "one place");
}

static void
test_kinds(void)
{
	npm_entry("package/l", '2', "index.js", "archive.unsafe-member", "a symlink");
	npm_entry("package/l", '2', "/etc/passwd", "archive.unsafe-member", "a symlink");
	npm_entry("package/l", '1', "package/index.js", "archive.unsafe-member", "a hard link");
	npm_entry("package/l", '3', NULL, "archive.unsafe-member", "a device");
	npm_entry("package/l", '4', NULL, "archive.unsafe-member", "a device");
	npm_entry("package/l", '6', NULL, "archive.unsafe-member", "a fifo");
}

/* ---- the archive ---- */

static void
test_archive(void)
{
	struct cv_buf b = npm_start(MANIFEST), z = packed(&b), two = make();

	cv_buf_add(&two, z.p, z.n);
	cv_buf_add(&two, z.p, z.n);
	refused(&two, "archive.ambiguous", "a second gzip member");
	cv_buf_byte(&z, 0);
	cv_buf_byte(&z, 0);
	refused(&z, "archive.malformed", "behind the gzip data");
	b = npm_start(MANIFEST);
	mk_end(&b);
	mk_file(&b, "package/hidden", "1");
	npm_refused(&b, "archive.malformed", "behind the end");
	b = npm_start(MANIFEST); /* not compressed */
	mk_end(&b);
	refused(&b, "archive.malformed", "neither");
	b = make();
	refused(&b, "archive.malformed", "neither");
	b = npm_start(MANIFEST);
	z = packed(&b);
	z.p[z.n - 1] ^= 1;
	refused(&z, "archive.malformed", "gzip length");
	b = npm_start(MANIFEST);
	struct mk_header h = mk_header("package/big", '0', 5ull << 30);
	mk_block(&b, &h, "", 0);
	npm_refused(&b, "archive.bomb", "more than 4294967296 bytes");
}

static void
test_limits(void)
{
	struct cv_buf b = CV_BUF(128 * CV_MIB), z = CV_BUF(128 * CV_MIB);
	char name[400];

	mk_file(&b, "package/package.json", MANIFEST);
	for (int i = 0; i < CV_MAX_PACKAGE_ENTRIES; i++) {
		(void)snprintf(name, sizeof(name), "package/%d", i);
		mk_file(&b, name, "");
	}
	mk_end(&b);
	mk_gzip(&z, cv_buf_span(&b));
	cv_buf_free(&b);
	refused(&z, "archive.bomb", "more than 100000 members");
	b = npm_start(MANIFEST);
	(void)snprintf(name, sizeof(name), "package/%0256d", 1);
	mk_long(&b, 'L', name);
	mk_file(&b, "x", "1");
	npm_refused(&b, "archive.malformed", "longer than 255 bytes");
	b = make(); /* a manifest of more than 1 MiB, right in all else */
	char *text = malloc(CV_NPM_MANIFEST + 100);
	T(text != NULL);
	memset(text, ' ', CV_NPM_MANIFEST + 1);
	text[CV_NPM_MANIFEST + 1] = '\0';
	memcpy(text, MANIFEST, strlen(MANIFEST));
	mk_file(&b, "package/package.json", text);
	npm_refused(&b, "tool.manifest-invalid", "more than 1 MiB");
	free(text);
}

/* ---- the manifest ---- */

static void
with_manifest(const char *manifest, const char *check, const char *text)
{
	struct cv_buf b = npm_start(manifest);

	npm_refused(&b, check, text);
}

static void
test_manifest(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"1",
		"{",
		"{\"name\":\"a\"}",
		"{\"version\":\"1.0.0\"}",
		"{\"name\":\"a\",\"version\":\"1.0.0\",}",
		"{\"name\":1,\"version\":\"1.0.0\"}",
		"{\"name\":\"a\",\"version\":\"1.0\"}",
		"{\"name\":\"a\",\"version\":\"v1.0.0\"}",
		"{\"name\":\"a\",\"version\":\"01.0.0\"}",
		"{\"name\":\"a\",\"version\":\"1.0.0 \"}",
		"{\"name\":\"../a\",\"version\":\"1.0.0\"}",
		"{\"name\":\"a/b\",\"version\":\"1.0.0\"}",
		"{\"name\":\"@a\",\"version\":\"1.0.0\"}",
		"{\"name\":\"@/b\",\"version\":\"1.0.0\"}",
		"{\"name\":\".a\",\"version\":\"1.0.0\"}",
		"{\"name\":\"\",\"version\":\"1.0.0\"}",
		"{\"name\":\"a\",\"name\":\"b\",\"version\":\"1.0.0\"}",
		"{\"name\":\"a\",\"version\":\"1.0.0\",\"scripts\":[]}",
		"{\"name\":\"a\",\"version\":\"1.0.0\",\"scripts\":{\"install\":1}}",
		"{\"name\":\"a\",\"version\":\"1.0.0\",\"scripts\":{},\"scripts\":{}}",
	};

	for (size_t i = 0; i < CV_COUNT(bad); i++)
		with_manifest(bad[i], "tool.manifest-invalid", "");
	char text[600];
	(void)snprintf(text, sizeof(text), "{\"name\":\"%0215d\",\"version\":\"1.0.0\"}", 1);
	with_manifest(text, "tool.manifest-invalid", "want a package name");
	(void)snprintf(text, sizeof(text), "{\"name\":\"a\",\"version\":\"1.0.0-%0252d\"}", 1);
	with_manifest(text, "tool.manifest-invalid", "want a version");
	struct cv_buf b = make();
	mk_file(&b, "package/Package.json", MANIFEST); /* another name to Linux */
	npm_refused(&b, "tool.manifest-invalid", "no package.json");
	b = make();
	mk_file(&b, "package/sub/package.json", MANIFEST);
	npm_refused(&b, "tool.manifest-invalid", "no package.json");
}

static void
test_scripts(void)
{
	static const char *const events[] = { "preinstall", "install", "postinstall" };
	char text[200];
	struct cv_buf b;

	for (size_t i = 0; i < CV_COUNT(events); i++) {
		(void)snprintf(
			text, sizeof(text),
			"{\"name\":\"a\",\"version\":\"1.0.0\",\"scripts\":{\"%s\":\"node x.js\"}}",
			events[i]);
		with_manifest(text, "tool.lifecycle-script", "node x.js");
	}
	npm_entry("package/binding.gyp", '0', NULL, "tool.lifecycle-script", "node-gyp");
	/* of a bundled package, however deep */
	static const char *const places[] = {
		"package/node_modules/x/package.json", "package/node_modules/@s/x/package.json",
		"package/node_modules/y/node_modules/x/package.json"
	};
	for (size_t i = 0; i < CV_COUNT(places); i++) {
		b = npm_start(
			"{\"name\":\"a\",\"version\":\"1.0.0\",\"bundleDependencies\":[\"x\"]}");
		mk_file(&b, places[i], "{\"scripts\":{\"install\":\"evil\"}}");
		npm_refused(&b, "tool.lifecycle-script", "evil");
	}
	b = npm_start("{\"name\":\"a\",\"version\":\"1.0.0\",\"bundledDependencies\":[\"x\"]}");
	mk_file(&b, "package/node_modules/x/binding.gyp", "{}");
	npm_refused(&b, "tool.lifecycle-script", "node-gyp");
	b = npm_start(MANIFEST);
	mk_file(&b, "package/node_modules/x/index.js", "1");
	npm_refused(&b, "archive.ambiguous", "its manifest says nothing");
}

/* ---- good ones ---- */

static void
test_good(void)
{
	struct cv_buf b = make(), z;
	struct seen s;
	struct mk_header h = mk_header("package/bin/run", '0', 2);

	mk_dir(&b, "package/");
	mk_file(&b, "package/package.json",
		"{\"name\":\"@acme/hello\",\"version\":\"1.2.3-rc.1+b\",\"scripts\":{"
		"\"test\":\"x\",\"prepare\":\"husky\",\"install\":\"\"},\"weight\":1.5}");
	mk_octal(&h, 100, 8, 06755);
	mk_sum(&h);
	mk_block(&b, &h, "#!", 2);
	mk_dir(&b, "package/empty/");
	mk_file(&b, "package/test/package.json", "no JSON at all"); /* nobody reads it */
	mk_file(&b, "package/lib/nested/\303\244.js", "1");
	z = packed(&b);
	struct cv_package p = walk(&s, &z);
	if (problems(&s, NULL) > 0)
		t_fail(__FILE__, __LINE__, "%s: %s", s.f[0].check, s.f[0].found);
	T(p.whole && p.kind == CV_PACKAGE_TAR);
	T_INT(s.n, 7);
	T_STR(p.name, "@acme/hello");
	T_STR(p.version, "1.2.3-rc.1+b");
	T_HAS(cv_buf_text(&s.files),
	      "100755 bin/run 2\n40755 empty 0\n100644 test/package.json 14\n"
	      "100644 lib/nested/\303\244.js 1\n");
	cv_buf_free(&s.files);
	cv_buf_free(&z);
}

static void
test_zip(void)
{
	struct mk_zip z = { 0 };
	struct cv_buf b = make();
	struct seen s;

	(void)mk_zip_add(&z, "package.json", MANIFEST);
	(void)mk_zip_add(&z, "scripts/", "");
	mk_zip_add(&z, "scripts/run.sh", "#!")->attributes = 0100755u << 16;
	mk_zip_write(&b, &z);
	struct cv_package p = walk(&s, &b);
	T(p.whole && p.kind == CV_PACKAGE_ZIP && problems(&s, NULL) == 0);
	T_INT(s.n, 7);
	T_STR(cv_buf_text(&s.files),
	      "100644 package.json 34\n40755 scripts 0\n100755 scripts/run.sh 2\n");
	cv_buf_free(&s.files);
	cv_buf_free(&b);
	only = "100644 package.json 34\n40755 scripts 0\n100755 scripts/run.sh 2\n";
	for (size_t i = 0; i < CV_COUNT(bad_names); i++) {
		struct mk_zip bad = z;
		struct mk_zip_entry *e = mk_zip_add(&bad, bad_names[i].name, "x");
		e->flags = e->local_flags = 0x800;
		b = make();
		mk_zip_write(&b, &bad);
		refused(&b, bad_names[i].check, "the name ");
	}
	struct mk_zip bad = z;
	mk_zip_add(&bad, "link", "package.json")->attributes = 0120777u << 16;
	b = make();
	mk_zip_write(&b, &bad);
	refused(&b, "archive.unsafe-member", "a symlink");
	only = NULL;
	bad = z;
	(void)mk_zip_add(&bad, "Package.json", "{}");
	b = make();
	mk_zip_write(&b, &bad);
	refused(&b, "archive.ambiguous", "one place");
	bad = z;
	(void)mk_zip_add(&bad, "package.json", "{}");
	b = make();
	mk_zip_write(&b, &bad);
	refused(&b, "archive.ambiguous", "one place");
}

static void
test_place(void)
{
	T_INT(cv_npm_place("package.json", "package.json"), 1);
	T_INT(cv_npm_place("node_modules/a/package.json", "package.json"), 2);
	T_INT(cv_npm_place("node_modules/@a/b/package.json", "package.json"), 2);
	T_INT(cv_npm_place("x/node_modules/a/package.json", "package.json"), 2);
	T_INT(cv_npm_place("node_modules/package.json", "package.json"), 0);
	T_INT(cv_npm_place("node_modules/a/b/package.json", "package.json"), 0);
	T_INT(cv_npm_place("node_modules/@a/package.json", "package.json"), 0);
	T_INT(cv_npm_place("lib/package.json", "package.json"), 0);
	T_INT(cv_npm_place("xpackage.json", "package.json"), 0);
}

/* ---- the tasks ---- */

static void
start_task(struct ask *k, uint64_t task, int fd, size_t len, int out)
{
	struct cv_out *o = ask_frame(k, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, task);
	cv_out_str(o, CV_TAG_NAME, "hello-1.0.0.tgz");
	cv_out_str(o, CV_TAG_MEDIA, "");
	cv_out_blob(o, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .len = len });
	cv_out_fd(o, CV_TAG_OUT, out);
	ask_send(k);
}

static void
test_tasks(void)
{
	struct cv_buf b = npm_start(MANIFEST), z;
	int fd, pipes[2];
	char bytes[200];

	mk_dir(&b, "package/d/");
	mk_file(&b, "package/d/x", "ex");
	z = packed(&b);
	fd = t_memfd(z.p, z.n);
	struct ask *k = ask_open(&cv_task_package, cv_json_warm);
	int scratch = t_memfd("", 0);
	start_task(k, CV_T_PACKAGE, fd, z.n, scratch);
	(void)close(scratch);
	ask_run(k);
	if (!k->done)
		t_fail(__FILE__, __LINE__, "%s", k->e.text);
	T_INT(k->nfindings, 8);
	T_INT(k->nfacts, 5);
	T(k->fact[0].fact == CV_F_PACKAGE);
	T_STR(k->fact[0].name, "hello");
	T_STR(k->fact[0].version, "1.0.0");
	T_STR(k->fact[0].media, "npm");
	T_STR(k->fact[1].name, "package.json");
	T_STR(k->fact[4].name, "d/x");
	ask_close(&k);

	T(pipe2(pipes, O_CLOEXEC) == 0);
	k = ask_open(&cv_task_expand, cv_json_warm);
	start_task(k, CV_T_EXPAND, fd, z.n, pipes[1]);
	(void)close(pipes[1]);
	ask_run(k);
	if (!k->done)
		t_fail(__FILE__, __LINE__, "%s", k->e.text);
	T_INT(k->nfacts, 3); /* files alone */
	T_STR(k->fact[2].name, "d/x");
	T(k->fact[2].size == 2);
	ssize_t n = read(pipes[0], bytes, sizeof(bytes));
	T(n == (ssize_t)strlen(MANIFEST) + 1 + 2);
	T(memcmp(bytes, MANIFEST "1ex", (size_t)n) == 0);
	ask_close(&k);
	(void)close(pipes[0]);
	(void)close(fd);

	/* one that is not whole never gets to DONE */
	z.p[z.n - 1] ^= 1;
	fd = t_memfd(z.p, z.n);
	T(pipe2(pipes, O_CLOEXEC) == 0);
	k = ask_open(&cv_task_expand, cv_json_warm);
	start_task(k, CV_T_EXPAND, fd, z.n, pipes[1]);
	ask_run(k);
	T(!k->done && k->e.reason == CV_R_MALFORMED);
	ask_close(&k);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(fd);
	cv_buf_free(&z);
}

static void
test_npm_itself(void)
{
	const char *dir = t_tmpdir();
	char cmd[4096], path[4096];
	struct cv_buf b = make();
	struct seen s;
	struct cv_err e = { 0 };

	if (system("npm --version >/dev/null 2>&1") != 0)
		t_skip("no npm");
	(void)snprintf(
		cmd, sizeof(cmd),
		"cd %s && mkdir -p p/lib && echo '{\"name\":\"@acme/packed\",\"version\":\"2.0.0\","
		"\"bin\":\"cli.js\"}' > p/package.json && echo 1 > p/lib/a.js && "
		"echo 1 > p/cli.js && cd p && HOME=%s npm pack --offline --ignore-scripts "
		">/dev/null 2>&1",
		dir, dir);
	T_INT(system(cmd), 0);
	(void)snprintf(path, sizeof(path), "%s/p/acme-packed-2.0.0.tgz", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	T(fd >= 0);
	T_OK(cv_buf_read_fd(&b, fd, "the package", &e), e);
	(void)close(fd);
	struct cv_package p = walk(&s, &b);
	T(p.whole && problems(&s, NULL) == 0);
	T_STR(p.name, "@acme/packed");
	T_HAS(cv_buf_text(&s.files), " lib/a.js 2\n");
	cv_buf_free(&s.files);
	cv_buf_free(&b);
}

static const struct t_case cases[] = {
	{ "npm: names", test_names },
	{ "npm: two members in one place", test_collisions },
	{ "npm: kinds of members", test_kinds },
	{ "npm: the archive", test_archive },
	{ "npm: limits", test_limits },
	{ "npm: the manifest", test_manifest },
	{ "npm: what runs at install", test_scripts },
	{ "npm: a good package", test_good },
	{ "npm: places of manifests", test_place },
	{ "zip packages", test_zip },
	{ "the tasks", test_tasks },
	{ "npm's own packing", test_npm_itself },
};
T_MAIN(cases)
