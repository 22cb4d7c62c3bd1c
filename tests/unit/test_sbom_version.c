/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_version.c: version orders, by hand and by the public vectors. */
#include "sbom/known/version.h"
#include "tests/support/t.h"

#include <stdlib.h>

struct order {
	const char *a;
	char op;
	const char *b;
};

static int
sign(int v)
{
	return (v > 0) - (v < 0);
}

/* Both ways round, and each against itself. */
static const char *
check(enum cv_vscheme s, struct cv_span a, char op, struct cv_span b)
{
	int want = op == '<' ? -1 : op == '>' ? 1 : 0, c;

	if (!cv_version_cmp(s, a, b, &c))
		return "cannot be compared";
	if (sign(c) != want)
		return "wrong order";
	if (!cv_version_cmp(s, b, a, &c) || sign(c) != -want)
		return "wrong order when swapped";
	if (!cv_version_cmp(s, a, a, &c) || c != 0)
		return "not equal to itself";
	return NULL;
}

static void
table(enum cv_vscheme s, const struct order *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *bad = check(s, cv_span_str(t[i].a), t[i].op, cv_span_str(t[i].b));
		if (bad != NULL)
			t_fail(__FILE__, __LINE__, "%s %c %s: %s", t[i].a, t[i].op, t[i].b, bad);
	}
}

static void
semver(void)
{
	static const struct order t[] = {
		{ "1.0.0-alpha", '<', "1.0.0-alpha.1" },
		{ "1.0.0-alpha.1", '<', "1.0.0-alpha.beta" },
		{ "1.0.0-beta.2", '<', "1.0.0-beta.11" },
		{ "1.0.0-rc.1", '<', "1.0.0" },
		{ "v1.2.3", '=', "1.2.3" },
		{ "1.2", '=', "1.2.0" },
		{ "2.0.0+incompatible", '=', "2.0.0" },
		{ "0.0.0-20220906165146-f3363e06e74c", '<', "0.0.0-20220907000000-aaaaaaaaaaaa" },
		{ "0.0.0-20220906165146-f3363e06e74c", '<', "0.0.1" },
		{ "1.19.0-0", '<', "1.19.0-rc.1" },
		{ "1.22rc1", '<', "1.22.0" },
		{ "1.9.0", '<', "1.10.0" },
		{ "18446744073709551616.0.0", '>', "18446744073709551615.9.9" },
		{ "0", '<', "0.0.1" },
	};

	table(CV_V_SEMVER, t, CV_COUNT(t));
	T(cv_version_ok(CV_V_SEMVER, cv_span_str("1.2.3")));
	T(!cv_version_ok(CV_V_SEMVER, cv_span_str("(devel)")));
	T(!cv_version_ok(CV_V_SEMVER, cv_span_str("")));
	T(!cv_version_ok(CV_V_SEMVER, cv_span_str("latest")));
	T(!cv_version_ok(CV_V_SEMVER, cv_span_str("1.2 .3")));
	int c;
	T(!cv_version_cmp(CV_V_SEMVER, cv_span_str("(devel)"), cv_span_str("1.0.0"), &c));
	T(!cv_version_cmp(CV_V_NONE, cv_span_str("1"), cv_span_str("1"), &c));
}

static void
pep440(void)
{
	static const struct order t[] = {
		{ "1.0.dev456", '<', "1.0a1" },
		{ "1.0a1", '<', "1.0a2.dev456" },
		{ "1.0a2.dev456", '<', "1.0a12" },
		{ "1.0a12", '<', "1.0b1.dev456" },
		{ "1.0b2", '<', "1.0b2.post345.dev456" },
		{ "1.0b2.post345", '<', "1.0rc1.dev456" },
		{ "1.0rc1", '<', "1.0" },
		{ "1.0", '<', "1.0+abc.5" },
		{ "1.0+abc.5", '<', "1.0+abc.7" },
		{ "1.0+abc.7", '<', "1.0+5" },
		{ "1.0+5", '<', "1.0.post456.dev34" },
		{ "1.0.post456", '<', "1.1.dev1" },
		{ "2.0", '<', "1!1.0" },
		{ "1.0", '=', "1.0.0" },
		{ "v1.0", '=', "1" },
		{ "1.0-1", '=', "1.0.post1" },
		{ "1.0RC1", '=', "1.0c1" },
		{ "1.0-preview_2", '=', "1.0rc2" },
		{ "1.0alpha", '=', "1.0a0" },
		{ "1.0_r3", '=', "1.0.post3" },
		{ "01.00", '=', "1" },
		{ "1.0+ABC", '=', "1.0+abc" },
		{ "1.0+a-b", '=', "1.0+a.b" },
		{ "not a version", '<', "0.0.dev0" },
	};

	table(CV_V_PEP440, t, CV_COUNT(t));
	T(cv_version_ok(CV_V_PEP440, cv_span_str(" 1.0.post1 ")));
	T(!cv_version_ok(CV_V_PEP440, cv_span_str("1.0+")));
	T(!cv_version_ok(CV_V_PEP440, cv_span_str("1.0-x")));
	T(!cv_version_ok(CV_V_PEP440, cv_span_str("1.")));
	T(!cv_version_ok(CV_V_PEP440, cv_span_str("0.7.10p1")));
}

static void
dpkg(void)
{
	static const struct order t[] = {
		{ "1.0", '=', "1.0-0" },
		{ "0:1.0", '=', "1.0" },
		{ "1:0.1", '>', "9.9" },
		{ "1.0~rc1", '<', "1.0" },
		{ "1.0~~", '<', "1.0~" },
		{ "1.0a", '<', "1.0+" },
		{ "1.0", '<', "1.0a" },
		{ "1.0-1", '<', "1.0-1+b1" },
		{ "1.0-1~deb12u1", '<', "1.0-1" },
		{ "1.9", '<', "1.10" },
		{ "1.001", '=', "1.1" },
		{ "1-2-3", '>', "1-2-2" },
		{ "3.0.11-1~deb12u2", '<', "3.0.11-1~deb12u10" },
		{ "99999999999999999999999", '<', "99999999999999999999999.0.1" },
	};

	table(CV_V_DPKG, t, CV_COUNT(t));
	T(!cv_version_ok(CV_V_DPKG, cv_span_str("a:1")));
	T(!cv_version_ok(CV_V_DPKG, cv_span_str(":1")));
	T(!cv_version_ok(CV_V_DPKG, cv_span_str("1:")));
	T(!cv_version_ok(CV_V_DPKG, cv_span_str("1 2")));
}

static void
too_long(void)
{
	char text[2000];
	int c;

	memset(text, '1', sizeof(text));
	T(!cv_version_ok(CV_V_SEMVER, cv_span(text, sizeof(text))));
	T(!cv_version_cmp(CV_V_DPKG, cv_span(text, sizeof(text)), cv_span_str("1"), &c));
}

/* ---- the public vectors: "A op B" a line ---- */

static size_t
file(enum cv_vscheme s, const char *name)
{
	const char *dir = getenv("CV_SHARED");
	char path[512], line[2048];
	size_t n = 0, at = 0;

	(void)snprintf(path, sizeof(path), "%s/data/version-order/%s", dir ? dir : "../shared",
		       name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		t_skip("%s is not here", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		at++;
		char *end = line + strcspn(line, "\r\n");
		*end = '\0';
		if (line[0] == '\0' || line[0] == '#' || strncmp(line, "//", 2) == 0)
			continue;
		char *op = strstr(line, " < ");
		op = op != NULL ? op : strstr(line, " > ");
		op = op != NULL ? op : strstr(line, " = ");
		T(op != NULL);
		const char *bad =
			check(s, cv_span(line, (size_t)(op - line)), op[1], cv_span_str(op + 3));
		if (bad != NULL)
			t_fail(__FILE__, __LINE__, "%s:%zu: %s: %s", name, at, line, bad);
		n++;
	}
	(void)fclose(f);
	printf("# %s: %zu lines in %zu\n", name, n, at);
	T(n > 10);
	return n;
}

static void
shared_semver(void)
{
	(void)file(CV_V_SEMVER, "semver-versions.txt");
}

static void
shared_pypi(void)
{
	(void)file(CV_V_PEP440, "pypi-versions.txt");
	(void)file(CV_V_PEP440, "pypi-versions-generated.txt");
}

static void
shared_debian(void)
{
	(void)file(CV_V_DPKG, "debian-versions.txt");
	(void)file(CV_V_DPKG, "debian-versions-generated.txt");
}

static const struct t_case cases[] = {
	{ "semver", semver },
	{ "pep440", pep440 },
	{ "dpkg", dpkg },
	{ "too long", too_long },
	{ "shared semver", shared_semver },
	{ "shared pypi", shared_pypi },
	{ "shared debian", shared_debian },
};
T_MAIN(cases)
