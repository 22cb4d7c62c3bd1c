/* SPDX-License-Identifier: Apache-2.0 */
/* installs.c: see installs.h. Must never pass a package of a kind that nobody here knows. */
#include "sbom/found/installs.h"
#include "sbom/found/npm.h"

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

#define INVALID "tool.manifest-invalid"
#define SCRIPT  "tool.lifecycle-script"

/* ---- names ---- */

static const char *
last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static size_t
depth(const char *path)
{
	size_t n = 0;

	for (; *path != '\0'; path++)
		n += *path == '/';
	return n;
}

/* near: the file of that name at the top, or in a zip also in a folder there: many wrap
 * all they hold in one. */
static bool
near(const struct cv_installs *s, const char *path, const char *name)
{
	return strcmp(last(path), name) == 0 && depth(path) <= (s->tar ? 0u : 1u);
}

/* dist_info: "X.dist-info/NAME" */
static bool
dist_info(const struct cv_installs *s, const char *path, const char *name)
{
	size_t n = (size_t)(last(path) - path);

	return !s->tar && depth(path) == 1 && strcmp(last(path), name) == 0 &&
	       cv_span_has_suffix(cv_span(path, n), ".dist-info/");
}

static bool
below_modules(const char *path)
{
	return strncmp(path, "node_modules/", 13) == 0 || strstr(path, "/node_modules/") != NULL;
}

/* npm_file: a file of that name that npm would look at. */
static bool
npm_file(const struct cv_installs *s, const char *path, const char *name)
{
	if (s->tar || below_modules(path))
		return cv_npm_place(path, name) != 0;
	return strcmp(last(path), name) == 0;
}

bool
cv_installs_wants(const struct cv_installs *s, const char *path)
{
	return npm_file(s, path, "package.json") || near(s, path, "PKG-INFO") ||
	       dist_info(s, path, "METADATA") || dist_info(s, path, "WHEEL") ||
	       (!s->tar && strcmp(path, "manifest.json") == 0);
}

/* ---- findings ---- */

static int
no(struct cv_installs *s, const char *check, enum cv_reason reason, const char *where,
   const char *found, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, reason);

	cv_finding_found(&f, "%s", found);
	cv_finding_where(&f, "%s", where);
	return cv_answer(s->a, &f, e);
}

static int
runs(struct cv_installs *s, const char *where, const char *found, struct cv_err *e)
{
	return no(s, SCRIPT, CV_R_RULE, where, found, e);
}

/* ---- Python ---- */

/* startup: what module site of Python runs at every start: .pth files, and these two
 * modules; where they count is a matter of what the path will be. */
static int
startup(struct cv_installs *s, const char *path, struct cv_err *e)
{
	static const char *const dirs[] = { "purelib/", "platlib/", "site-packages/" };
	const char *name = last(path);
	bool module =
		strcmp(name, "sitecustomize.py") == 0 || strcmp(name, "usercustomize.py") == 0;
	bool there = name == path;

	if (cv_span_has_suffix(cv_span_str(name), ".pth"))
		return runs(s, path, "a .pth file: Python runs its import lines at every start", e);
	for (size_t i = 0; i < CV_COUNT(dirs); i++)
		there = there || cv_span_has_suffix(cv_span(path, (size_t)(name - path)), dirs[i]);
	return module && there ? runs(s, path, "Python runs this module at every start", e) : 0;
}

/* header: the one line "KEY: value" of core metadata, before the first empty line. False:
 * none, or several. */
static bool
header(struct cv_span text, const char *key, struct cv_span *ret)
{
	size_t n = strlen(key), found = 0;

	while (text.n > 0) {
		const uint8_t *lf = memchr(text.p, '\n', text.n);
		struct cv_span line =
			cv_span_take(&text, lf != NULL ? (size_t)(lf - text.p) : text.n);

		if (text.n > 0)
			(void)cv_span_u8(&text);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			break;
		if (line.n <= n || strncasecmp((const char *)line.p, key, n) != 0 ||
		    line.p[n] != ':')
			continue;
		(void)cv_span_take(&line, n + 1);
		while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
			(void)cv_span_u8(&line);
		*ret = line;
		found++;
	}
	return found == 1 && ret->n > 0;
}

/* plain: PEP 508 and 440: letters, digits and a few signs. */
static bool
plain(struct cv_span s, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], low = c | 0x20;

		if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
		      memchr("._-+!", c, 5) != NULL))
			return false;
	}
	return s.n > 0 && s.n <= max;
}

static int
metadata(struct cv_installs *s, const char *path, struct cv_span text, struct cv_err *e)
{
	struct cv_span name = { 0 }, version = { 0 };

	if (!header(text, "Name", &name) || !header(text, "Version", &version) ||
	    !plain(name, 214) || !plain(version, 256))
		return no(s, INVALID, CV_R_MALFORMED, path,
			  "not exactly one Name and one Version of letters, digits and \"._-+!\"",
			  e);
	cv_text_fmt(s->name, sizeof(s->name), "%.*s", (int)name.n, (const char *)name.p);
	cv_text_fmt(s->version, sizeof(s->version), "%.*s", (int)version.n,
		    (const char *)version.p);
	return 0;
}

static int
wheel(struct cv_installs *s, const char *path, struct cv_span text, struct cv_err *e)
{
	struct cv_span version = { 0 };
	size_t n = (size_t)(last(path) - path);

	s->kinds |= CV_KIND_WHEEL;
	if (s->dist_info[0] != '\0')
		s->more_dist_infos = true;
	cv_text_fmt(s->dist_info, sizeof(s->dist_info), "%.*s", (int)n, path);
	if (!header(text, "Wheel-Version", &version) || !cv_span_has_prefix(version, "1."))
		return no(s, INVALID, CV_R_UNSUPPORTED, path, "no Wheel-Version 1", e);
	return 0;
}

static int
python(struct cv_installs *s, const char *path, struct cv_span text, struct cv_err *e)
{
	if (near(s, path, "setup.py") && (s->setup[0] == '\0' || depth(path) == 0)) {
		cv_text_fmt(s->setup, sizeof(s->setup), "%s", path);
		s->setup_below = depth(path) > 0;
	}
	if (near(s, path, "pyproject.toml"))
		cv_text_fmt(s->project, sizeof(s->project), "%s", path);
	s->has_record = s->has_record || dist_info(s, path, "RECORD");
	if (dist_info(s, path, "WHEEL"))
		return wheel(s, path, text, e);
	if (dist_info(s, path, "METADATA")) {
		s->has_metadata = true;
		return metadata(s, path, text, e);
	}
	if (!near(s, path, "PKG-INFO"))
		return startup(s, path, e);
	s->kinds |= CV_KIND_SOURCE;
	s->has_pkg_info = true;
	cv_text_fmt(s->project, sizeof(s->project), "%s", path);
	return metadata(s, path, text, e);
}

/* ---- npm, MCP bundles ---- */

static int
npm(struct cv_installs *s, const char *path, struct cv_span text, struct cv_err *e)
{
	bool below = below_modules(path), main = depth(path) == 0;
	unsigned flags = main && s->tar ? CV_NPM_MAIN : 0;
	struct cv_npm npm;

	if (!s->tar && !below)
		flags |= CV_NPM_DIRECTORY;
	if (!below && near(s, path, "package.json"))
		s->kinds |= CV_KIND_NPM;
	if (cv_npm_manifest(&npm, text, path, flags, s->a, e) < 0)
		return -1;
	if (!main)
		return 0;
	s->bundles = npm.bundles;
	cv_text_fmt(s->name, sizeof(s->name), "%s", npm.name);
	cv_text_fmt(s->version, sizeof(s->version), "%s", npm.version);
	return 0;
}

static int
bundle(struct cv_installs *s, const char *path, struct cv_span text, struct cv_err *e)
{
	bool is;

	if (cv_mcpb_manifest(&s->mcpb, &is, text, path, s->a, e) < 0)
		return -1;
	s->kinds |= is ? CV_KIND_MCPB : 0;
	return 0;
}

int
cv_installs_member(struct cv_installs *s, const char *path, struct cv_span text, struct cv_err *e)
{
	if (npm_file(s, path, "package.json"))
		return npm(s, path, text, e);
	if (npm_file(s, path, "binding.gyp"))
		return cv_npm_gyp(path, s->a, e);
	if (!s->tar && strcmp(path, "manifest.json") == 0)
		return bundle(s, path, text, e);
	return python(s, path, text, e);
}

int
cv_installs_large(struct cv_installs *s, const char *path, struct cv_err *e)
{
	s->kinds |= near(s, path, "package.json") ? CV_KIND_NPM : 0;
	return no(s, INVALID, CV_R_LIMIT, path, "a manifest of more than 1 MiB", e);
}

/* ---- the whole ---- */

/* source: a setup.py at the top is run by whoever installs; a wheel has modules of that
 * name in its folders, which nobody does. */
static int
source(struct cv_installs *s, struct cv_err *e)
{
	const unsigned others = CV_KIND_NPM | CV_KIND_WHEEL | CV_KIND_MCPB;
	bool setup = s->setup[0] != '\0' && !(s->setup_below && (s->kinds & CV_KIND_WHEEL) != 0);

	if (!setup && s->project[0] != '\0' && (s->has_pkg_info || (s->kinds & others) == 0)) {
		s->kinds |= CV_KIND_SOURCE;
		return runs(s, s->project,
			    "sources: installing them runs the build that they describe", e);
	}
	if (!setup)
		return 0;
	s->kinds |= CV_KIND_SOURCE;
	return runs(s, s->setup, "setup.py: installing the package runs it", e);
}

static int
whole_wheel(struct cv_installs *s, struct cv_err *e)
{
	if (s->more_dist_infos)
		return no(s, INVALID, CV_R_AMBIGUOUS, s->dist_info, "a second .dist-info folder",
			  e);
	if (!s->has_metadata || !s->has_record)
		return no(s, INVALID, CV_R_ABSENT, s->dist_info,
			  s->has_metadata ? "no RECORD" : "no METADATA", e);
	return 0;
}

static int
whole_bundle(struct cv_installs *s, bool (*has)(void *ctx, const char *path), void *ctx,
	     struct cv_err *e)
{
	char found[600];

	if (s->mcpb.name[0] != '\0') {
		cv_text_fmt(s->name, sizeof(s->name), "%s", s->mcpb.name);
		cv_text_fmt(s->version, sizeof(s->version), "%s", s->mcpb.version);
	}
	if (s->mcpb.entry[0] == '\0' || has(ctx, s->mcpb.entry))
		return 0;
	cv_text_fmt(found, sizeof(found), "entry_point %s, which is not in the bundle",
		    s->mcpb.entry);
	return no(s, INVALID, CV_R_ABSENT, "manifest.json", found, e);
}

/* unknown: none of the kinds that are known. A tarball is npm's then, without its
 * manifest. */
static int
unknown(struct cv_installs *s, struct cv_err *e)
{
	static const char *const words =
		"no manifest of a known kind: package.json, an MCP bundle's manifest.json, a "
		"wheel's .dist-info";

	if (s->tar)
		return no(s, INVALID, CV_R_ABSENT, "package.json",
			  "no package.json in the top folder", e);
	if (no(s, INVALID, CV_R_UNSUPPORTED, "", words, e) < 0)
		return -1;
	return no(s, SCRIPT, CV_R_UNSUPPORTED, "", "what would install this is not known", e);
}

int
cv_installs_end(struct cv_installs *s, bool (*has)(void *ctx, const char *path), void *ctx,
		struct cv_err *e)
{
	static const char *const ids[] = { INVALID, SCRIPT, NULL };

	if (source(s, e) < 0 || ((s->kinds & CV_KIND_WHEEL) != 0 && whole_wheel(s, e) < 0) ||
	    ((s->kinds & CV_KIND_MCPB) != 0 && whole_bundle(s, has, ctx, e) < 0))
		return -1;
	if ((s->kinds & CV_KIND_SOURCE) != 0 && (s->kinds & ~(unsigned)CV_KIND_SOURCE) == 0 &&
	    !s->has_pkg_info &&
	    no(s, INVALID, CV_R_ABSENT, "PKG-INFO", "sources without a PKG-INFO", e) < 0)
		return -1;
	if (s->kinds == 0 && unknown(s, e) < 0)
		return -1;
	return cv_answers_pass(s->a, ids, e);
}

const char *
cv_installs_word(const struct cv_installs *s)
{
	return (s->kinds & CV_KIND_MCPB) != 0     ? "mcpb"
	       : (s->kinds & CV_KIND_NPM) != 0    ? "npm"
	       : (s->kinds & CV_KIND_WHEEL) != 0  ? "wheel"
	       : (s->kinds & CV_KIND_SOURCE) != 0 ? "source"
						  : "unknown";
}
