/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries.c: see registries.h. Must never trust an authority for another host
 * than the one it was put there for, nor put a key into a message.
 */
#include "verify/registries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/ref.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define CERTS_D_MAX  4
#define PEM_MAX      (1 * CV_MIB)
#define HUB_API_HOST "registry-1.docker.io"

struct registry {
	const char *host;
	struct cv_items mirrors;
};

struct cv_registries {
	const char *file;
	struct registry *v;
	size_t n;
	const char *certs_d[CERTS_D_MAX];
	struct cv_jdoc *doc; /* of file: whose texts the mirrors are */
	struct cv_mem mem;
};

/* ---- registries.json ---- */

/* name_wrong: a HOST[:PORT] with or without a prefix, as a reference begins. */
static int
name_wrong(struct cv_jv v, const char *text, bool prefix, struct cv_err *e)
{
	char name[CV_NAME_MAX + 3], brief[CV_TEXT_BRIEF];
	struct cv_repo repo;

	if (strlen(text) <= CV_NAME_MAX) {
		cv_text_fmt(name, sizeof(name), "%s/x", text);
		if (cv_repo_parse(&repo, cv_span_str(name), NULL) == 0 &&
		    (prefix || strcmp(repo.host, text) == 0))
			return 0;
	}
	return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", want HOST[:PORT]%s in lower case",
			  cv_text_brief(brief, cv_span_str(text)), prefix ? "[/PREFIX]" : "");
}

static int
read_mirrors(struct cv_registries *r, struct registry *x, struct cv_jv v, struct cv_err *e)
{
	x->host = cv_mem_str(&r->mem, cv_jv_key(v), e);
	if (x->host == NULL || name_wrong(v, x->host, false, e) != 0 ||
	    cv_conf_items(&r->mem, v, &x->mirrors, e) != 0)
		return -1;
	if (x->mirrors.n > CV_MAX_MIRRORS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu mirrors, want at most %d",
				  x->mirrors.n, CV_MAX_MIRRORS);
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		const char *text = NULL;

		if (cv_jv_str(i, &text, e) != 0 || name_wrong(i, text, true, e) != 0)
			return -1;
		if (strcmp(text, x->host) == 0)
			return cv_jv_fail(i, e, CV_R_CONFIG,
					  "found \"%s\" as a mirror of itself, want another", text);
	}
	return 0;
}

static int
read_root(struct cv_registries *r, struct cv_jv root, struct cv_err *e)
{
	static const char *const keys[] = { "schema", "mirrors", NULL };
	struct cv_jv v = cv_jv_get(root, "mirrors");

	if (cv_jv_keys(root, keys, e) != 0)
		return -1;
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	r->v = cv_mem_get(&r->mem, cv_jv_len(v), sizeof(*r->v), e);
	if (r->v == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (read_mirrors(r, &r->v[r->n++], i, e) != 0)
			return -1;
	return 0;
}

/* read_file: 1 it was there and is in order, 0 there is none. */
static int
read_file(struct cv_registries *r, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	int got = path == NULL ? -1 : cv_conf_read(&text, AT_FDCWD, path, CV_MAX_HUMAN_FILE, e);

	if (got <= 0)
		return got;
	if (cv_conf_parse(&r->doc, path, cv_buf_span(&text), CV_JSON_HUMAN, CV_REGISTRIES_SCHEMA,
			  e) != 0)
		return -1;
	if (read_root(r, cv_json_root(r->doc), e) != 0)
		return cv_conf_reason(e);
	r->file = path;
	return 1;
}

/* ---- opening ---- */

/* own: this user's own directory for us; NULL with e->reason NONE: there is none. */
static int
own(struct cv_registries *r, const char *config_home, const char *home, const char *leaf,
    const char **ret, struct cv_err *e)
{
	*ret = NULL;
	/* a relative value counts as unset (XDG base directory specification) */
	if (config_home != NULL && config_home[0] == '/')
		*ret = cv_mem_fmt(&r->mem, e, "%s/clawverify/%s", config_home, leaf);
	else if (home != NULL && home[0] == '/')
		*ret = cv_mem_fmt(&r->mem, e, "%s/.config/clawverify/%s", home, leaf);
	else
		return 0;
	return *ret == NULL ? -1 : 0;
}

static int
find_certs(struct cv_registries *r, const char *config_home, const char *home, struct cv_err *e)
{
	const char *first;
	size_t n = 0;

	if (own(r, config_home, home, "certs.d", &first, e) != 0)
		return -1;
	if (first != NULL)
		r->certs_d[n++] = first;
	if (home != NULL && home[0] == '/') {
		r->certs_d[n] = cv_mem_fmt(&r->mem, e, "%s/.config/containers/certs.d", home);
		if (r->certs_d[n++] == NULL)
			return -1;
	}
	r->certs_d[n++] = "/etc/containers/certs.d";
	r->certs_d[n] = "/etc/docker/certs.d";
	return 0;
}

int
cv_registries_open(struct cv_registries **ret, const char *config_home, const char *home,
		   struct cv_err *e)
{
	cv_auto(cv_registries_free) struct cv_registries *r = calloc(1, sizeof(*r));
	const char *path;
	int got = 0;

	if (r == NULL)
		return cv_fail_memory(e);
	if (find_certs(r, config_home, home, e) != 0 ||
	    own(r, config_home, home, "registries.json", &path, e) != 0)
		return -1;
	if (path != NULL)
		got = read_file(r, path, e);
	if (got == 0)
		got = read_file(r, "/etc/clawverify/registries.json", e);
	if (got < 0)
		return -1;
	*ret = cv_steal(r);
	return 0;
}

void
cv_registries_free(struct cv_registries **r)
{
	if (*r == NULL)
		return;
	cv_json_free(&(*r)->doc);
	cv_mem_free(&(*r)->mem);
	free(*r);
	*r = NULL;
}

const char *
cv_registries_file(const struct cv_registries *r)
{
	return r->file;
}

size_t
cv_registries_count(const struct cv_registries *r)
{
	return r->n;
}

/* ---- hosts ---- */

/* bare: the length of a host without the port that need not be said. */
static size_t
bare(const char *host)
{
	size_t n = strlen(host);

	return n > 4 && strcmp(host + n - 4, ":443") == 0 ? n - 4 : n;
}

bool
cv_registries_same(const char *a, const char *b)
{
	return bare(a) == bare(b) && memcmp(a, b, bare(a)) == 0;
}

const struct cv_items *
cv_registries_mirrors(const struct cv_registries *r, const char *host)
{
	static const struct cv_items none;

	for (size_t i = 0; r != NULL && i < r->n; i++)
		if (cv_registries_same(r->v[i].host, host))
			return &r->v[i].mirrors;
	return &none;
}

/* ---- certs.d ---- */

/* open_host: the directory for that very text, or -1 with errno. */
static int
open_host(const char *certs_d, const char *host, const char *port, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s%s", certs_d, host, port) >= PATH_MAX) {
		errno = ENOENT;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* One directory of a host: what is in it, sorted by name. */
struct host_dir {
	char path[PATH_MAX];
	int fd;
	struct dirent **names;
	int n;
};

static void
host_close(struct host_dir *d)
{
	for (int i = 0; i < d->n; i++)
		free(d->names[i]);
	free(d->names);
	cv_closep(&d->fd);
}

/* find_host: d->fd and d->path, the first directory for a host. A place that this
 * user may not look into is none of this user's (Docker's often is root's alone);
 * without it less is trusted, not more. */
static int
find_host(struct host_dir *d, const struct cv_registries *r, const char *host, struct cv_err *e)
{
	char name[CV_NAME_MAX + 1];

	if (r == NULL || host[0] == '\0' || host[0] == '.' || strchr(host, '/') != NULL ||
	    strlen(host) > CV_NAME_MAX)
		return 0;
	cv_text_fmt(name, sizeof(name), "%.*s", (int)bare(host), host);
	if (strcmp(name, HUB_API_HOST) == 0)
		cv_text_fmt(name, sizeof(name), "docker.io");
	for (size_t i = 0; i < CERTS_D_MAX && r->certs_d[i] != NULL; i++) {
		d->fd = open_host(r->certs_d[i], name, "", d->path);
		if (d->fd < 0 && errno == ENOENT && strchr(name, ':') == NULL)
			d->fd = open_host(r->certs_d[i], name, ":443", d->path);
		if (d->fd >= 0)
			return 1;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return cv_conf_errno(e, "%s", d->path);
	}
	return 0;
}

static int
open_dir(struct host_dir *d, const struct cv_registries *r, const char *host, struct cv_err *e)
{
	int found = find_host(d, r, host, e);

	if (found <= 0)
		return found;
	d->n = scandirat(d->fd, ".", &d->names, NULL, alphasort);
	if (d->n >= 0)
		return 1;
	d->n = 0;
	return cv_conf_errno(e, "%s", d->path);
}

int
cv_registries_tls(const struct cv_registries *r, const char *host, struct cv_err *e)
{
	cv_auto(host_close) struct host_dir d = { .fd = -1 };

	return find_host(&d, r, host, e);
}

static bool
ends(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcmp(s + n - k, end) == 0;
}

/* read_pem: one file, which has to hold a block whose label ends so. */
static int
read_pem(struct cv_buf *out, const struct host_dir *d, const char *name, const char *label,
	 const char *what, struct cv_err *e)
{
	size_t was = out->n;
	struct stat st;
	int got = cv_conf_read(out, d->fd, name, PEM_MAX, e);

	if (got < 0)
		return cv_fail_within(e, "%s", d->path);
	if (got == 0)
		return cv_fail(e, CV_R_CONFIG, "%s/%s: there is no such file", d->path, name);
	if (fstatat(d->fd, name, &st, 0) != 0)
		return cv_conf_errno(e, "%s/%s", d->path, name);
	if ((st.st_mode & S_IWOTH) != 0)
		return cv_fail(e, CV_R_CONFIG, "%s/%s: everybody may write to it (mode %04o)",
			       d->path, name, (unsigned)(st.st_mode & 07777));
	if (memmem(out->p + was, out->n - was, label, strlen(label)) == NULL)
		return cv_fail(e, CV_R_CONFIG, "%s/%s: no %s in PEM", d->path, name, what);
	cv_buf_byte(out, '\n');
	return cv_buf_ok(out, name, e);
}

int
cv_registries_ca(const struct cv_registries *r, const char *host, struct cv_buf *out,
		 struct cv_err *e)
{
	cv_auto(host_close) struct host_dir d = { .fd = -1 };
	int found = open_dir(&d, r, host, e), some = 0;

	if (found <= 0)
		return found;
	for (int i = 0; i < d.n; i++) {
		if (!ends(d.names[i]->d_name, ".crt"))
			continue;
		if (read_pem(out, &d, d.names[i]->d_name, "-----BEGIN CERTIFICATE-----",
			     "certificate", e) != 0)
			return -1;
		some = 1;
	}
	return some;
}

/* client_name: NAME of NAME.cert and NAME.key, which come as a pair and once. */
static int
client_name(const struct host_dir *d, char stem[NAME_MAX + 1], struct cv_err *e)
{
	const char *lone = NULL;
	unsigned certs = 0, keys = 0;

	for (int i = 0; i < d->n; i++) {
		const char *name = d->names[i]->d_name;
		bool cert = ends(name, ".cert"), key = ends(name, ".key");

		if (!cert && !key)
			continue;
		certs += cert;
		keys += key;
		if (lone == NULL)
			cv_text_fmt(stem, NAME_MAX + 1, "%.*s", (int)(strrchr(name, '.') - name),
				    name);
		lone = name;
	}
	if (certs == 0 && keys == 0)
		return 0;
	if (certs > 1 || keys > 1)
		return cv_fail(e, CV_R_CONFIG,
			       "%s: found several client certificates or keys, want one", d->path);
	if (certs != keys)
		return cv_fail(e, CV_R_CONFIG, "%s/%s: its %s.%s is missing", d->path, lone, stem,
			       certs == 0 ? "cert" : "key");
	return 1;
}

int
cv_registries_client(const struct cv_registries *r, const char *host, struct cv_buf *out,
		     struct cv_err *e)
{
	cv_auto(host_close) struct host_dir d = { .fd = -1 };
	char stem[NAME_MAX + 1], name[NAME_MAX + 8];
	int found = open_dir(&d, r, host, e);

	if (found <= 0)
		return found;
	found = client_name(&d, stem, e);
	if (found <= 0)
		return found;
	cv_text_fmt(name, sizeof(name), "%s.cert", stem);
	if (read_pem(out, &d, name, "-----BEGIN CERTIFICATE-----", "certificate", e) != 0)
		return -1;
	cv_text_fmt(name, sizeof(name), "%s.key", stem);
	if (read_pem(out, &d, name, "PRIVATE KEY-----", "private key", e) != 0)
		return -1;
	if (memmem(out->p, out->n, "ENCRYPTED", 9) != NULL)
		return cv_fail(e, CV_R_CONFIG, "%s/%s: the key is encrypted, want one that is not",
			       d.path, name);
	return 1;
}
