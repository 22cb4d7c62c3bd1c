/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: see config.h. Must never pass a configuration that it could not read whole. */
#include "sbom/found/config.h"

#include "trust/base/enc.h"
#include "trust/base/jread.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

#define CHECK "image.config-unsafe"

struct lint {
	struct cv_answers *a;
	const struct cv_config_seen *seen;
};

static const char *const known_top[] = { "config", "rootfs", "architecture", "os", NULL };
static const char *const known_config[] = {
	"User",   "ExposedPorts", "Env",         "Entrypoint", "Cmd",     "Volumes", "WorkingDir",
	"Labels", "StopSignal",   "Healthcheck", "Shell",      "OnBuild", NULL,
};

static int
unsafe(struct lint *l, const char *where, const char *text, const char *why, const char *want,
       struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(CHECK, CV_R_RULE);

	if (l->a == NULL)
		return 0;
	cv_finding_found(&f, "\"%s\": %s", text, why);
	cv_finding_expected(&f, "%s", want);
	cv_finding_where(&f, "config.%s", where);
	return cv_answer(l->a, &f, e);
}

static int
told(struct lint *l, const char *name, uint64_t pos, const char *text, struct cv_err *e)
{
	return l->seen == NULL ? 0 : l->seen->seen(l->seen->ctx, name, pos, text, e);
}

/* below: is the path that directory, or something in it? "." and doubled slashes are
 * looked through; ".." is refused before. */
static bool
below(const char *path, const char *dir)
{
	while (*path != '\0') {
		while (*path == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
			path++;
		if (*dir == '\0')
			return true;
		while (*dir == '/')
			dir++;
		size_t n = strcspn(dir, "/");
		if (strncmp(path, dir, n) != 0 || (path[n] != '/' && path[n] != '\0'))
			return false;
		path += n;
		dir += n;
	}
	return *dir == '\0';
}

static bool
climbs(const char *path)
{
	for (const char *s = path; (s = strstr(s, "..")) != NULL; s += 2)
		if ((s == path || s[-1] == '/') && (s[2] == '/' || s[2] == '\0'))
			return true;
	return false;
}

static bool
is_root(const char *path)
{
	return path[strspn(path, "/.")] == '\0';
}

static const char *
path_flaw(const char *path)
{
	if (path[0] != '/')
		return "not absolute";
	if (climbs(path))
		return "climbs out with \"..\"";
	if (below(path, "/proc") || below(path, "/sys"))
		return "in /proc or /sys, where the host's kernel and descriptors are";
	return NULL;
}

static int
lint_volume(struct lint *l, const char *path, uint64_t pos, struct cv_err *e)
{
	static const char *const sockets[] = { "docker.sock", "containerd.sock", "podman.sock",
					       "crio.sock", "buildkitd.sock" };
	const char *flaw = path_flaw(path), *base = strrchr(path, '/');

	base = base != NULL ? base + 1 : path;
	for (size_t i = 0; i < CV_COUNT(sockets); i++)
		if (strcmp(base, sockets[i]) == 0)
			flaw = "the socket of a container engine";
	if (flaw == NULL && is_root(path))
		flaw = "the whole image";
	if (flaw == NULL && below(path, "/dev"))
		flaw = "in /dev";
	if (flaw != NULL &&
	    unsafe(l, "Volumes", path, flaw, "a directory of data of its own", e) < 0)
		return -1;
	return told(l, "Volume", pos, path, e);
}

/* "user", "uid", each also with ":group" or ":gid". */
static int
lint_user(struct lint *l, const char *user, struct cv_err *e)
{
	struct cv_span all = cv_span_str(user), part;

	while (all.n > 0) {
		const uint8_t *colon = memchr(all.p, ':', all.n);
		uint64_t id;
		bool digits = true;

		part = cv_span_take(&all, colon != NULL ? (size_t)(colon - all.p) : all.n);
		(void)cv_span_u8(&all);
		for (size_t i = 0; i < part.n; i++)
			digits = digits && part.p[i] >= '0' && part.p[i] <= '9';
		while (part.n > 1 && part.p[0] == '0')
			(void)cv_span_u8(&part);
		if (part.n > 0 && digits && cv_u64_parse(&id, part, INT32_MAX, NULL) < 0 &&
		    unsafe(l, "User", user, "a number that some engines wrap to root",
			   "at most 2147483647", e) < 0)
			return -1;
	}
	return told(l, "User", 0, user, e);
}

/* ---- the document ---- */

/* list: each string of an array, or each key of an object. */
static int
list(struct lint *l, struct cv_jv v, const char *name,
     int (*each)(struct lint *l, const char *text, uint64_t pos, struct cv_err *e),
     struct cv_err *e)
{
	bool object = cv_jv_type(v) == CV_J_OBJECT;
	uint64_t pos = 0;

	if (v.absent || cv_jv_type(v) == CV_J_NULL)
		return 0;
	if (!object && cv_jv_want(v, CV_J_ARRAY, e) < 0)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		const char *text = cv_jv_key(i);

		if (!object && cv_jv_text(i, &text, e) < 0)
			return -1;
		if ((each != NULL ? each(l, text, pos, e) : told(l, name, pos, text, e)) < 0)
			return -1;
		pos++;
	}
	return 0;
}

static int
lint_label(struct lint *l, const char *key, uint64_t pos, struct cv_err *e)
{
	if (cv_span_has_prefix(cv_span_str(key), "containerd.io/restart.") &&
	    unsafe(l, "Labels", key, "containerd's restart monitor acts on it, on the host",
		   "no label of the engine's own", e) < 0)
		return -1;
	return told(l, "Label", pos, key, e);
}

static int
lint_env(struct lint *l, const char *text, uint64_t pos, struct cv_err *e)
{
	char name[256];

	if (strncmp(text, "PATH=", 5) == 0 && told(l, "Path", 0, text + 5, e) < 0)
		return -1;
	cv_text_fmt(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
	return told(l, "Env", pos, name, e);
}

static int
read_config(struct lint *l, struct cv_jv c, struct cv_err *e)
{
	const char *user, *dir, *signal;

	if (cv_jread_known(c, known_config, e) < 0 || cv_jread_opt(c, "User", &user, e) < 0 ||
	    cv_jread_opt(c, "WorkingDir", &dir, e) < 0 ||
	    cv_jread_opt(c, "StopSignal", &signal, e) < 0)
		return -1;
	if (lint_user(l, user, e) < 0 || told(l, "WorkingDir", 0, dir, e) < 0)
		return -1;
	if (dir[0] != '\0' && path_flaw(dir) != NULL &&
	    unsafe(l, "WorkingDir", dir, path_flaw(dir), "a directory of the image", e) < 0)
		return -1;
	if (signal[0] != '\0' && told(l, "StopSignal", 0, signal, e) < 0)
		return -1;
	if (list(l, cv_jv_get(c, "Entrypoint"), "Entrypoint", NULL, e) < 0 ||
	    list(l, cv_jv_get(c, "Cmd"), "Cmd", NULL, e) < 0 ||
	    list(l, cv_jv_get(c, "Env"), "Env", lint_env, e) < 0 ||
	    list(l, cv_jv_get(c, "ExposedPorts"), "ExposedPort", NULL, e) < 0)
		return -1;
	if (list(l, cv_jv_get(c, "Volumes"), "Volume", lint_volume, e) < 0)
		return -1;
	return list(l, cv_jv_get(c, "Labels"), "Label", lint_label, e);
}

static int
read_document(struct lint *l, struct cv_span text, struct cv_jdoc **doc, struct cv_err *e)
{
	if (cv_json_parse(doc, "config", text, CV_JSON_REALS, e) < 0)
		return -1;
	struct cv_jv top = cv_json_root(*doc), c = cv_jv_get(top, "config");
	if (cv_jv_want(top, CV_J_OBJECT, e) < 0 || cv_jread_known(top, known_top, e) < 0)
		return -1;
	if (c.absent || cv_jv_type(c) == CV_J_NULL)
		return 0;
	return cv_jv_want(c, CV_J_OBJECT, e) < 0 ? -1 : read_config(l, c, e);
}

int
cv_config_lint(struct cv_span text, struct cv_answers *a, const struct cv_config_seen *seen,
	       struct cv_err *e)
{
	static const char *const checks[] = { CHECK, NULL };
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct lint l = { .a = a, .seen = seen };
	struct cv_err why = { 0 };

	if (read_document(&l, text, &doc, &why) < 0) {
		if (a != NULL && cv_answers_about_content(why.reason))
			return cv_answer_err(a, CHECK, "config", &why, e);
		if (e != NULL)
			*e = why;
		return -1;
	}
	return a == NULL ? 0 : cv_answers_pass(a, checks, e);
}
