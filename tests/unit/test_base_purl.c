/* SPDX-License-Identifier: Apache-2.0 */
/* test_base_purl.c: package URLs, by hand and by the public suite. */
#include "tests/support/t.h"
#include "trust/base/purl.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>

static const char *
canonical(const char *text, unsigned flags, struct cv_buf *out, struct cv_err *e)
{
	struct cv_purl p;

	cv_buf_reset(out);
	if (cv_purl_parse(&p, cv_span_str(text), flags, e) < 0)
		return NULL;
	cv_purl_emit(out, &p);
	cv_purl_free(&p);
	return cv_buf_text(out);
}

static void
normalised(void)
{
	static const char *const t[][2] = {
		{ "pkg:npm/%40scope/name@1.0.0", "pkg:npm/%40scope/name@1.0.0" },
		{ "pkg:npm/@scope/name", "pkg:npm/%40scope/name" },
		{ "pkg:npm/@scope/name@1.0.0", "pkg:npm/%40scope/name@1.0.0" },
		{ "pkg:PyPI/Django_Rest", "pkg:pypi/django-rest" },
		{ "pkg:deb/Debian/OpenSSL@1%3A3.0?distro=debian-12&arch=amd64",
		  "pkg:deb/debian/openssl@1:3.0?arch=amd64&distro=debian-12" },
		{ "pkg:golang/github.com/Masterminds/sprig@v2.0.0+incompatible",
		  "pkg:golang/github.com/Masterminds/sprig@v2.0.0%2Bincompatible" },
		{ "pkg://generic//a//b@1", "pkg:generic/a/b@1" },
		{ "pkg:generic/a?b=&c=d", "pkg:generic/a?c=d" },
		{ "pkg:generic/a#./x/../y/", "pkg:generic/a#x/y" },
		{ "pkg:generic/a%20b", "pkg:generic/a%20b" },
	};
	struct cv_buf out = CV_BUF(8192);
	struct cv_err e = { 0 };

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		const char *got = canonical(t[i][0], 0, &out, &e);
		if (got == NULL)
			t_fail(__FILE__, __LINE__, "%s: %s", t[i][0], e.text);
		T_STR(got, t[i][1]);
	}
	cv_buf_free(&out);
}

static void
refused(void)
{
	static const char *const t[] = {
		"",
		"pkg:",
		"pkg:npm",
		"pkg:npm/",
		"pkg:/npm",
		"npm/a",
		"PKG:npm/a",
		"pkg:1npm/a",
		"pkg:n pm/a",
		"pkg:npm/a%",
		"pkg:npm/a%4",
		"pkg:npm/a%4g",
		"pkg:npm/a%00",
		"pkg:npm/a%ff",
		"pkg:npm/x%2Fy/a",
		"pkg:npm/a?b",
		"pkg:npm/a?=b",
		"pkg:npm/a?1=b",
		"pkg:npm/a?b=1&b=2",
		"pkg:npm/a?b=1&bB=2&Bb=3",
		"pkg:npm/a?Arch=1",
		"pkg:vcpkg/a/b",
		"pkg:swift/a",
		"pkg:julia/a",
		"pkg:npm/@1.0.0",
		"pkg:git/a%2Fb",
		"pkg:git/a/b%2F",
		"pkg:git/a/%2Fb",
	};
	struct cv_purl p;
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(t); i++)
		if (cv_purl_parse(&p, cv_span_str(t[i]), 0, &e) != -1 ||
		    e.reason != CV_R_MALFORMED)
			t_fail(__FILE__, __LINE__, "\"%s\" was taken", t[i]);
}

static void
limits(void)
{
	char text[CV_MAX_PURL + 2];
	struct cv_buf many = CV_BUF(8192);
	struct cv_purl p;
	struct cv_err e = { 0 };

	memset(text, 'a', sizeof(text));
	memcpy(text, "pkg:npm/", 8);
	T_NO(cv_purl_parse(&p, cv_span(text, CV_MAX_PURL + 1), 0, &e), e, CV_R_LIMIT);
	T_OK(cv_purl_parse(&p, cv_span(text, CV_MAX_PURL), 0, &e), e);
	cv_purl_free(&p);
	cv_buf_str(&many, "pkg:npm/a?");
	for (int i = 0; i < CV_MAX_PURL_QUALIFIERS; i++)
		cv_buf_fmt(&many, "%sk%d=v", i > 0 ? "&" : "", i);
	T_OK(cv_purl_parse(&p, cv_buf_span(&many), 0, &e), e);
	T_INT(p.nqual, CV_MAX_PURL_QUALIFIERS);
	T_STR(cv_purl_qual(&p, "k9"), "v");
	T(cv_purl_qual(&p, "k99") == NULL);
	cv_purl_free(&p);
	cv_buf_str(&many, "&kk=v");
	T_NO(cv_purl_parse(&p, cv_buf_span(&many), 0, &e), e, CV_R_LIMIT);
	cv_buf_free(&many);
}

static void
built(void)
{
	struct cv_purl_qual q[] = { { "b", "2" }, { "a", "x/y" } };
	struct cv_purl_parts parts = { .type = "deb",
				       .ns = "debian",
				       .name = "libssl3",
				       .version = "1:3.0+b1",
				       .qual = q,
				       .nqual = 2 };
	struct cv_buf out = CV_BUF(8192);
	struct cv_err e = { 0 };
	struct cv_purl p;

	T_OK(cv_purl_build(&p, &parts, &e), e);
	cv_purl_emit(&out, &p);
	T_STR(cv_buf_text(&out), "pkg:deb/debian/libssl3@1:3.0%2Bb1?a=x%2Fy&b=2");
	cv_purl_free(&p);
	cv_buf_free(&out);
	parts.type = "deb/debian";
	T_NO(cv_purl_build(&p, &parts, &e), e, CV_R_MALFORMED);
	parts.type = "deb";
	q[0].key = "b=3&c";
	T_NO(cv_purl_build(&p, &parts, &e), e, CV_R_MALFORMED);
}

/* ---- the public suite ---- */

struct tally {
	size_t run, failed;
};

static bool
same(const json_t *want, const char *got)
{
	if (!json_is_string(want))
		return got == NULL;
	return got != NULL && strcmp(json_string_value(want), got) == 0;
}

static bool
same_parts(const json_t *want, const struct cv_purl *p)
{
	json_t *quals = json_object_get(want, "qualifiers");
	bool good = same(json_object_get(want, "type"), p->type) &&
		    same(json_object_get(want, "namespace"), p->ns) &&
		    same(json_object_get(want, "name"), p->name) &&
		    same(json_object_get(want, "version"), p->version) &&
		    same(json_object_get(want, "subpath"), p->subpath) &&
		    json_object_size(quals) == p->nqual;

	for (size_t i = 0; good && i < p->nqual; i++)
		good = same(json_object_get(quals, p->qual[i].key), p->qual[i].value);
	return good;
}

static bool
run_build(const json_t *in, struct cv_purl *p)
{
	struct cv_purl_qual q[CV_MAX_PURL_QUALIFIERS];
	struct cv_purl_parts parts = {
		.type = json_string_value(json_object_get(in, "type")),
		.ns = json_string_value(json_object_get(in, "namespace")),
		.name = json_string_value(json_object_get(in, "name")),
		.version = json_string_value(json_object_get(in, "version")),
		.subpath = json_string_value(json_object_get(in, "subpath")),
		.qual = q,
	};
	json_t *quals = json_object_get(in, "qualifiers"), *v;
	const char *key;
	struct cv_err e;

	json_object_foreach (quals, key, v)
		q[parts.nqual++] = (struct cv_purl_qual){ key, json_string_value(v) };
	return cv_purl_build(p, &parts, &e) == 0;
}

static void
run_case(const json_t *t, const char *name, size_t i, struct tally *tally)
{
	const char *type = json_string_value(json_object_get(t, "test_type"));
	const json_t *in = json_object_get(t, "input"), *want = json_object_get(t, "expected_output");
	bool no = json_is_true(json_object_get(t, "expected_failure"));
	bool parse = strcmp(type, "parse") == 0, build = strcmp(type, "build") == 0;
	struct cv_buf out = CV_BUF(8192);
	struct cv_purl p = { 0 };
	struct cv_err e = { 0 };
	bool took, good;

	if (build)
		took = run_build(in, &p);
	else
		took = cv_purl_parse(&p, cv_span_str(json_string_value(in)),
				     parse ? 0 : CV_PURL_LENIENT, &e) == 0;
	if (took)
		cv_purl_emit(&out, &p);
	good = took != no;
	if (good && took)
		good = parse ? same_parts(want, &p) : same(want, cv_buf_text(&out));
	tally->run++;
	if (!good) {
		tally->failed++;
		printf("# %s[%zu] %s: %s, got %s %s\n", name, i, type,
		       json_string_value(json_object_get(t, "description")),
		       took ? cv_buf_text(&out) : "a refusal", e.text);
	}
	cv_purl_free(&p);
	cv_buf_free(&out);
}

static void
run_file(const char *path, struct tally *tally)
{
	json_t *doc = json_load_file(path, 0, NULL), *t;
	size_t i;

	T(doc != NULL);
	json_array_foreach (json_object_get(doc, "tests"), i, t)
		run_case(t, strrchr(path, '/') + 1, i, tally);
	json_decref(doc);
}

static void
shared_suite(void)
{
	const char *data = getenv("CV_SHARED");
	struct tally tally = { 0 };
	char path[1024];
	size_t files = 1;

	data = data != NULL ? data : "../shared";
	(void)snprintf(path, sizeof(path), "%s/data/purl/tests/types", data);
	DIR *d = opendir(path);
	if (d == NULL)
		t_skip("%s is not here", path);
	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		if (strstr(f->d_name, ".json") == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/data/purl/tests/types/%s", data, f->d_name);
		run_file(path, &tally);
		files++;
	}
	(void)closedir(d);
	(void)snprintf(path, sizeof(path), "%s/data/purl/tests/spec/specification-test.json", data);
	run_file(path, &tally);
	printf("# package URL suite: %zu cases in %zu files, %zu failed\n", tally.run, files,
	       tally.failed);
	T(tally.run > 500);
	T_INT(tally.failed, 0);
}

static const struct t_case cases[] = {
	{ "normalised", normalised }, { "refused", refused },
	{ "limits", limits },	      { "built", built },
	{ "shared suite", shared_suite },
};
T_MAIN(cases)
