/* SPDX-License-Identifier: Apache-2.0 */
/* npm.c: see npm.h. Must never overlook a script that an installer would run. */
#include "sbom/found/npm.h"

#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

#define INVALID "tool.manifest-invalid"
#define SCRIPT  "tool.lifecycle-script"

static int
runs(const char *where, const char *event, const char *command, struct cv_answers *a,
     struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(SCRIPT, CV_R_RULE);

	cv_finding_found(&f, "%s: %s", event, command);
	cv_finding_expected(&f, "no program that runs when the package is installed");
	cv_finding_where(&f, "%s", where);
	return cv_answer(a, &f, e);
}

int
cv_npm_gyp(const char *where, struct cv_answers *a, struct cv_err *e)
{
	return runs(where, "binding.gyp", "installing the package runs node-gyp", a, e);
}

/* npm's scripts documentation, "npm install": what runs for a package from a registry,
 * and, from `preprepare` on, what else runs in a directory. */
static int
scripts(struct cv_jv v, const char *where, unsigned flags, struct cv_answers *a, struct cv_err *why,
	struct cv_err *e)
{
	static const char *const events[] = { "preinstall", "install",     "postinstall",
					      "preprepare", "prepare",     "postprepare",
					      "prepublish", "dependencies" };
	const size_t n = (flags & CV_NPM_DIRECTORY) != 0 ? CV_COUNT(events) : 3;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, why) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct cv_jv s = cv_jv_get(v, events[i]);
		const char *command;

		if (s.absent)
			continue;
		if (cv_jv_text(s, &command, why) < 0)
			return -1;
		/* npm takes an empty one for none */
		if (command[0] != '\0' && runs(where, events[i], command, a, e) < 0)
			return -1;
	}
	return 0;
}

/* npm: at most 214 characters, safe in a URL; "@scope/name". Upper case occurs in old
 * names. */
static bool
good_name(const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
	size_t n = strlen(s);

	if (n == 0 || n > 214)
		return false;
	if (s[0] == '@') {
		size_t scope = strspn(s + 1, letters);

		if (scope == 0 || s[1] == '.' || s[1 + scope] != '/')
			return false;
		s += scope + 2;
	}
	return s[0] != '\0' && s[0] != '.' && s[0] != '_' && s[strspn(s, letters)] == '\0';
}

/* semver.org: three numbers, then "-" and "+" parts of [0-9A-Za-z.-]. */
static bool
good_version(const char *s)
{
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.+";

	if (strlen(s) > 256)
		return false;
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, "0123456789");

		if (n == 0 || (n > 1 && s[0] == '0') || (i < 2 && s[n] != '.'))
			return false;
		s += i < 2 ? n + 1 : n;
	}
	return s[0] == '\0' || ((s[0] == '-' || s[0] == '+') && s[strspn(s, rest)] == '\0');
}

static int
identity(struct cv_npm *ret, struct cv_jv top, struct cv_err *why)
{
	char brief[CV_TEXT_BRIEF];
	const char *name, *version;

	if (cv_jv_str(cv_jv_get(top, "name"), &name, why) < 0 ||
	    cv_jv_str(cv_jv_get(top, "version"), &version, why) < 0)
		return -1;
	if (!good_name(name))
		return cv_jv_fail(cv_jv_get(top, "name"), why, CV_R_MALFORMED,
				  "found \"%s\", want a package name",
				  cv_text_brief(brief, cv_span_str(name)));
	if (!good_version(version))
		return cv_jv_fail(cv_jv_get(top, "version"), why, CV_R_MALFORMED,
				  "found \"%s\", want a version like 1.2.3",
				  cv_text_brief(brief, cv_span_str(version)));
	cv_text_fmt(ret->name, sizeof(ret->name), "%s", name);
	cv_text_fmt(ret->version, sizeof(ret->version), "%s", version);
	return 0;
}

/* read: `why` is set when the manifest is at fault, else e is. */
static int
read_manifest(struct cv_npm *ret, struct cv_jdoc *doc, const char *where, unsigned flags,
	      struct cv_answers *a, struct cv_err *why, struct cv_err *e)
{
	struct cv_jv top = cv_json_root(doc);

	if (cv_jv_want(top, CV_J_OBJECT, why) < 0)
		return -1;
	/* both spellings are npm's own */
	ret->bundles =
		cv_jv_has(top, "bundleDependencies") || cv_jv_has(top, "bundledDependencies");
	if (scripts(cv_jv_get(top, "scripts"), where, flags, a, why, e) < 0)
		return -1;
	if ((flags & CV_NPM_MAIN) != 0)
		return identity(ret, top, why);
	(void)identity(ret, top, NULL); /* a directory may do without */
	return 0;
}

int
cv_npm_manifest(struct cv_npm *ret, struct cv_span text, const char *where, unsigned flags,
		struct cv_answers *a, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_err why = { 0 };

	*ret = (struct cv_npm){ 0 };
	if (cv_json_parse(&doc, "package.json", text, CV_JSON_REALS, &why) == 0 &&
	    read_manifest(ret, doc, where, flags, a, &why, e) == 0)
		return 0;
	if (why.reason == CV_R_NONE)
		return -1;
	if (cv_answers_about_content(why.reason))
		return cv_answer_err(a, INVALID, where, &why, e);
	if (e != NULL)
		*e = why;
	return -1;
}

int
cv_npm_place(const char *path, const char *name)
{
	const char *last = strrchr(path, '/'), *in;

	if (last == NULL)
		return strcmp(path, name) == 0 ? 1 : 0;
	if (strcmp(last + 1, name) != 0)
		return 0;
	/* "[.../]node_modules/NAME/" or "[.../]node_modules/@SCOPE/NAME/" */
	for (in = path; in != NULL && in < last; in = strchr(in, '/')) {
		in += *in == '/';
		if (strncmp(in, "node_modules/", 13) != 0)
			continue;
		const char *dep = in + 13, *end = strchr(dep, '/');
		if (dep[0] == '@' && end != NULL)
			end = strchr(end + 1, '/');
		if (end == last)
			return 2;
	}
	return 0;
}
