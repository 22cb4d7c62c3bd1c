/* SPDX-License-Identifier: Apache-2.0 */
/* discover.c: see discover.h. */
#include "verify/discover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/tree.h"

#include "trust/base/banned.h"

#define LAYOUT "oci-layout:"

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

static bool
ends(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcasecmp(s + n - k, end) == 0;
}

/* ---- names ---- */

/* fit: a valid name from any text: lower case, other characters become '-'. */
static void
fit(char *out, size_t room, const char *wish)
{
	size_t n = 0;

	for (; *wish != '\0' && n + 1 < room; wish++) {
		char c = *wish >= 'A' && *wish <= 'Z' ? (char)(*wish + 32) : *wish;
		bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			  (n > 0 && (c == '-' || c == '_' || c == '.'));

		if (ok)
			out[n++] = c;
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n > 0 && strchr("-_.", out[n - 1]) != NULL)
		n--;
	out[n] = '\0';
	if (n == 0)
		(void)snprintf(out, room, "part");
}

static bool
taken(const struct cv_discovered *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->v[i].name, name) == 0)
			return true;
	}
	return false;
}

struct cv_found *
cv_discover_add(struct cv_discovered *d, enum cv_atype type, const char *wish, const char *path)
{
	struct cv_found *f;
	char base[56];

	if (d->n == CV_DISCOVER_MAX || strlen(path) > CV_MAX_REF) {
		d->dropped++;
		return NULL;
	}
	fit(base, sizeof(base), wish);
	f = &d->v[d->n];
	*f = (struct cv_found){ .type = type };
	(void)snprintf(f->name, sizeof(f->name), "%s", base);
	for (unsigned k = 2; taken(d, f->name); k++)
		(void)snprintf(f->name, sizeof(f->name), "%s-%u", base, k);
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	d->n++;
	return f;
}

/* add: one more part that was found, if agent.json can hold its path. */
static void
add(struct cv_discovered *d, enum cv_atype type, const char *wish, const char *path)
{
	const char *dir = strncmp(path, LAYOUT, strlen(LAYOUT)) == 0 ? path + strlen(LAYOUT) : path;

	if (cv_tree_path_wrong(dir) == NULL) {
		(void)cv_discover_add(d, type, wish, path);
		return;
	}
	if (d->odd++ == 0)
		(void)snprintf(d->odd_path, sizeof(d->odd_path), "%s", dir);
}

/* stem: a file's name without its last ending; npm's version stays. */
static void
stem(char *out, size_t room, const char *file)
{
	const char *dot = strrchr(file, '.');

	(void)snprintf(out, room, "%.*s", (int)(dot != NULL ? dot - file : (long)strlen(file)),
		       file);
}

/* ---- looking ---- */

static bool
prompt_like(const char *name)
{
	return (ends(name, ".md") || ends(name, ".txt")) && strcasestr(name, "prompt") != NULL;
}

static void
look_file(struct cv_discovered *d, const char *name, const char *path, bool in_prompts)
{
	char wish[256];

	stem(wish, sizeof(wish), name);
	if (ends(name, ".safetensors") || ends(name, ".gguf"))
		add(d, CV_A_MODEL, wish, path);
	else if (ends(name, ".tgz") || ends(name, ".mcpb"))
		add(d, CV_A_MCP, wish, path);
	else if (prompt_like(name) || (in_prompts && (ends(name, ".md") || ends(name, ".txt"))))
		add(d, CV_A_PROMPT, wish, path);
}

/* type_of_dir: by what lies directly in it; 0 if nothing tells. */
static int
type_of_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cv_auto(close_dir) DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	int type = 0;

	if (fd < 0)
		return 0;
	if (fstatat(fd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = CV_A_IMAGE;
	else if (fstatat(fd, "SKILL.md", &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = CV_A_SKILL;
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return type;
	}
	while (type == 0 && (entry = readdir(dir)) != NULL) {
		if (ends(entry->d_name, ".safetensors") || ends(entry->d_name, ".gguf"))
			type = CV_A_MODEL;
	}
	return type;
}

/* unpacked: a tool server's directory, as npm or an MCP bundle has it. */
static bool
unpacked(int at, const char *name)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool is;

	if (fd < 0)
		return false;
	is = fstatat(fd, "package.json", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	     fstatat(fd, "manifest.json", &st, AT_SYMLINK_NOFOLLOW) == 0;
	(void)close(fd);
	return is;
}

static const char *const below[] = { "skills", "models", "tools", "prompts", NULL };

static bool
is_below(const char *name)
{
	for (size_t i = 0; below[i] != NULL; i++) {
		if (strcmp(below[i], name) == 0)
			return true;
	}
	return false;
}

static int
skip_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int look(struct cv_discovered *d, int at, const char *name, const char *prefix,
		struct cv_err *e);

static int
look_entry(struct cv_discovered *d, int fd, const char *name, const char *prefix, bool in_prompts,
	   struct cv_err *e)
{
	char path[CV_MAX_REF + 1];
	struct stat st;
	int type;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", prefix, name) >= sizeof(path) ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (S_ISREG(st.st_mode)) {
		look_file(d, name, path, in_prompts);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	type = type_of_dir(fd, name);
	if (type != 0) {
		char layout[CV_MAX_REF + 1];

		if (type == CV_A_IMAGE &&
		    (size_t)snprintf(layout, sizeof(layout), LAYOUT "%s", path) < sizeof(layout))
			add(d, CV_A_IMAGE, name, layout);
		else if (type != CV_A_IMAGE)
			add(d, (enum cv_atype)type, name, path);
		return 0;
	}
	if (strcmp(prefix, "tools/") == 0 && unpacked(fd, name) && d->unpacked++ == 0)
		(void)snprintf(d->unpacked_path, sizeof(d->unpacked_path), "%s", path);
	return prefix[0] == '\0' && is_below(name) ? look(d, fd, name, name, e) : 0;
}

static int
look(struct cv_discovered *d, int at, const char *name, const char *prefix, struct cv_err *e)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char below_it[64] = "";
	struct dirent **list = NULL;
	int n, rc = 0;

	if (fd < 0)
		return cv_fail_errno(e, "%s", name);
	n = scandirat(fd, ".", &list, skip_hidden, alphasort);
	if (n < 0) {
		rc = cv_fail_errno(e, "%s", name);
		(void)close(fd);
		return rc;
	}
	if (prefix[0] != '\0')
		(void)snprintf(below_it, sizeof(below_it), "%s/", prefix);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = look_entry(d, fd, list[i]->d_name, below_it,
					strcmp(prefix, "prompts") == 0, e);
		free(list[i]);
	}
	free(list);
	(void)close(fd);
	return rc;
}

int
cv_discover(struct cv_discovered *ret, const char *dir, struct cv_err *e)
{
	return look(ret, AT_FDCWD, dir, "", e);
}
