/* SPDX-License-Identifier: Apache-2.0 */
/* docker.c: see docker.h: the command line. Must never start anything that the
 * contract does not say, nor leave out a limit that it says. */
#include "verify/docker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* ---- lists of words ---- */

void
cv_args_add(struct cv_args *a, const char *fmt, ...)
{
	struct cv_err ignored;
	char *text = NULL;
	va_list ap;
	int n;

	if (a->failed)
		return;
	if (a->n + 2 > a->room) {
		size_t room = a->room == 0 ? 64 : 2 * a->room;
		const char **v = reallocarray(a->v, room, sizeof(*v));

		if (v == NULL) {
			a->failed = true;
			return;
		}
		a->v = v;
		a->room = room;
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->failed = true;
		return;
	}
	a->v[a->n] = cv_mem_str(&a->mem, text, &ignored);
	free(text);
	if (a->v[a->n] == NULL) {
		a->failed = true;
		return;
	}
	a->v[++a->n] = NULL;
}

int
cv_args_ok(const struct cv_args *a, struct cv_err *e)
{
	return a->failed || a->v == NULL ? cv_fail_memory(e) : 0;
}

void
cv_args_free(struct cv_args *a)
{
	free(a->v);
	cv_mem_free(&a->mem);
	*a = (struct cv_args){ 0 };
}

/* harmless: a terminal shows these bytes as they are. */
static bool
harmless(const char *text)
{
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(16 * CV_MIB);

	cv_text_safe(&safe, cv_span_str(text), 0);
	return safe.failed == CV_R_NONE && strcmp(cv_buf_text(&safe), text) == 0;
}

static void
quote_plain(struct cv_buf *out, const char *p)
{
	cv_buf_byte(out, '\'');
	for (; *p != '\0'; p++) {
		if (*p == '\'')
			cv_buf_str(out, "'\\''");
		else
			cv_buf_byte(out, (uint8_t)*p);
	}
	cv_buf_byte(out, '\'');
}

/* quote_bytes: dollar-single-quotes (POSIX.1-2024 XCU 2.2.4), each odd byte in octal. */
static void
quote_bytes(struct cv_buf *out, const char *p)
{
	cv_buf_str(out, "$'");
	for (; *p != '\0'; p++) {
		if (*p == '\'' || *p == '\\')
			cv_buf_fmt(out, "\\%c", *p);
		else if (*p >= ' ' && *p <= '~')
			cv_buf_byte(out, (uint8_t)*p);
		else
			cv_buf_fmt(out, "\\%03o", (unsigned)(uint8_t)*p);
	}
	cv_buf_byte(out, '\'');
}

void
cv_args_quoted(const struct cv_args *a, struct cv_buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_@%+=:,./-";
	size_t i;

	for (i = 0; i < a->n; i++) {
		const char *p = a->v[i];

		if (i > 0)
			cv_buf_byte(out, ' ');
		if (*p != '\0' && strspn(p, plain) == strlen(p))
			cv_buf_str(out, p);
		else if (harmless(p))
			quote_plain(out, p);
		else
			quote_bytes(out, p);
	}
}

/* ---- the program ---- */

int
cv_docker_find(char out[4096], const char *configured, const char *path, struct cv_err *e)
{
	const char *p = path != NULL ? path : "";

	if (configured != NULL) {
		if (configured[0] == '/' && access(configured, X_OK) == 0 &&
		    snprintf(out, 4096, "%s", configured) < 4096)
			return 0;
		return cv_fail(e, CV_R_UNREACHABLE, "%s: the docker program cannot be executed",
			       configured);
	}
	while (*p != '\0') {
		size_t n = strcspn(p, ":");

		/* a relative directory would mean another program tomorrow */
		if (n > 0 && p[0] == '/' && snprintf(out, 4096, "%.*s/docker", (int)n, p) < 4096 &&
		    access(out, X_OK) == 0)
			return 0;
		p += n + (p[n] == ':');
	}
	return cv_fail(e, CV_R_UNREACHABLE, "there is no docker program in PATH");
}

/* ---- controls ---- */

static void
say(struct cv_control_state s[CV_CTL_COUNT], enum cv_control c, bool enforced, const char *yes,
    const char *no)
{
	s[c] = (struct cv_control_state){ .enforced = enforced, .why = enforced ? yes : no };
}

void
cv_docker_controls(const struct cv_contract *c, struct cv_control_state s[CV_CTL_COUNT])
{
	const struct cv_launchset *l = c->set;
	bool host_net = (l->namespaces & 1u << CV_NS_NET) != 0;
	bool none = l->egress.n == 0 && !host_net;

	say(s, CV_CTL_IMAGE, true, "started by its id, --pull=never", "");
	say(s, CV_CTL_MOUNTS, true, "the bundle's own trees, read-only", "");
	say(s, CV_CTL_ROOT, l->read_only_root, "--read-only",
	    "the launch asks for a writable root");
	say(s, CV_CTL_CAPABILITIES, !l->privileged, "--cap-drop=ALL and those named",
	    "the launch is privileged");
	say(s, CV_CTL_NO_NEW_PRIVILEGES, true, "--security-opt=no-new-privileges", "");
	say(s, CV_CTL_USER, true, l->user != NULL ? "--user" : "the image's own user", "");
	say(s, CV_CTL_NAMESPACES, l->namespaces == 0 && !l->privileged, "namespaces of its own",
	    "the launch has namespaces of the host");
	say(s, CV_CTL_MEMORY, l->limits.memory != 0, "--memory", "the launch states no limit");
	say(s, CV_CTL_CPUS, l->limits.cpus != 0, "--cpus", "the launch states no limit");
	say(s, CV_CTL_PIDS, l->limits.pids != 0, "--pids-limit", "the launch states no limit");
	say(s, CV_CTL_NETWORK_NONE, none, "--network=none", "the launch needs a network");
	say(s, CV_CTL_EGRESS, none, "--network=none", "docker cannot filter by host and port");
}

/* ---- the environment ---- */

const char *
cv_docker_env_find(const struct cv_docker *d, const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; d->environ != NULL && d->environ[i] != NULL; i++)
		if (strncmp(d->environ[i], name, n) == 0 && d->environ[i][n] == '=')
			return d->environ[i] + n + 1;
	return NULL;
}

int
cv_docker_env(struct cv_args *out, const struct cv_docker *d, const struct cv_contract *c,
	      struct cv_err *e)
{
	/* what the CLI needs to find its engine, and no more */
	static const char *const own[] = { "PATH",
					   "HOME",
					   "DOCKER_HOST",
					   "DOCKER_TLS_VERIFY",
					   "DOCKER_CERT_PATH",
					   "DOCKER_API_VERSION",
					   "XDG_RUNTIME_DIR",
					   "SSH_AUTH_SOCK",
					   "TERM" };
	const char *value;
	size_t i;

	for (i = 0; i < CV_COUNT(own); i++)
		if ((value = cv_docker_env_find(d, own[i])) != NULL)
			cv_args_add(out, "%s=%s", own[i], value);
	for (i = 0; c != NULL && i < c->set->secrets.n; i++)
		if ((value = cv_docker_env_find(d, c->set->secrets.v[i].text)) != NULL)
			cv_args_add(out, "%s=%s", c->set->secrets.v[i].text, value);
	for (i = 0; c != NULL && i < c->set->nenv; i++)
		if (c->set->env[i].rule != CV_BOUND &&
		    (value = cv_docker_env_find(d, c->set->env[i].name)) != NULL)
			cv_args_add(out, "%s=%s", c->set->env[i].name, value);
	if (out->n == 0)
		cv_args_add(out, "PATH=/usr/bin:/bin");
	return cv_args_ok(out, e);
}

/* ---- the command ---- */

/* csv: a field of --mount as encoding/csv wants it (RFC 4180): the whole field
 * in quotes when it holds one of their characters. */
static void
csv(struct cv_buf *out, const char *key, const char *value)
{
	const char *p;

	if (out->n > 0)
		cv_buf_byte(out, ',');
	if (strpbrk(value, ",\"\r\n") == NULL && value[0] != ' ') {
		cv_buf_fmt(out, "%s=%s", key, value);
		return;
	}
	cv_buf_fmt(out, "\"%s=", key);
	for (p = value; *p != '\0'; p++) {
		if (*p == '"')
			cv_buf_byte(out, '"');
		cv_buf_byte(out, (uint8_t)*p);
	}
	cv_buf_byte(out, '"');
}

static int
add_mount(struct cv_args *out, const char *type, const char *source, const char *target,
	  const char *rest, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(4 * CV_MAX_PATH);

	csv(&text, "type", type);
	if (source != NULL)
		csv(&text, "src", source);
	csv(&text, "dst", target);
	if (rest[0] != '\0')
		cv_buf_fmt(&text, ",%s", rest);
	if (cv_buf_ok(&text, "a mount", e) != 0)
		return -1;
	cv_args_add(out, "--mount=%s", cv_buf_text(&text));
	return 0;
}

static int
add_mounts(struct cv_args *out, const struct cv_bundle *b, const struct cv_contract *c,
	   struct cv_err *e)
{
	const struct cv_launchset *l = c->set;
	char path[2 * CV_MAX_PATH], rest[64];
	size_t i;

	for (i = 0; i < l->nmounts; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->path, c->sources[i]);
		if (add_mount(out, "bind", path, l->mounts[i].target, "readonly", e) != 0)
			return -1;
	}
	for (i = 0; i < l->nwritable; i++) {
		const struct cv_writable *w = &l->writable[i];

		(void)snprintf(rest, sizeof(rest), "tmpfs-size=%llu,tmpfs-mode=1777",
			       (unsigned long long)w->size);
		if (add_mount(out, w->kind == CV_W_TMPFS ? "tmpfs" : "volume", NULL, w->path,
			      w->kind != CV_W_TMPFS ? ""
			      : w->size != 0        ? rest
						    : "tmpfs-mode=1777",
			      e) != 0)
			return -1;
	}
	for (i = 0; i < l->nbinds; i++)
		if (add_mount(out, "bind", l->binds[i].source, l->binds[i].target,
			      l->binds[i].readonly ? "readonly" : "", e) != 0)
			return -1;
	return 0;
}

static int
add_env(struct cv_args *out, const struct cv_docker *d, const struct cv_launchset *l,
	struct cv_err *e)
{
	size_t i;

	for (i = 0; i < l->nenv; i++) {
		const struct cv_ls_env *v = &l->env[i];
		const char *value = cv_docker_env_find(d, v->name);

		if (v->rule == CV_BOUND) {
			cv_args_add(out, "--env=%s=%s", v->name, v->value);
			continue;
		}
		if (value == NULL)
			continue;
		if (v->rule == CV_PREFIX && strncmp(value, v->value, strlen(v->value)) != 0)
			return cv_fail(
				e, CV_R_USAGE,
				"environment %s: its value does not start with \"%s\", as the "
				"agent was agreed to have it",
				v->name, v->value);
		cv_args_add(out, "--env=%s", v->name);
	}
	for (i = 0; i < l->secrets.n; i++) {
		if (cv_docker_env_find(d, l->secrets.v[i].text) == NULL)
			return cv_fail(
				e, CV_R_USAGE,
				"secret %s: not in the environment, from where it is handed on",
				l->secrets.v[i].text);
		cv_args_add(out, "--env=%s", l->secrets.v[i].text);
	}
	return 0;
}

static void
add_isolation(struct cv_args *out, const struct cv_launchset *l)
{
	static const char *const flag[CV_NS_COUNT] = { "--pid", "--network", "--ipc", "--uts",
						       "--userns" };
	size_t i;

	if (l->read_only_root)
		cv_args_add(out, "--read-only");
	cv_args_add(out, "--cap-drop=ALL");
	for (i = 0; i < l->capabilities.n; i++)
		cv_args_add(out, "--cap-add=%s", l->capabilities.v[i].text);
	cv_args_add(out, "--security-opt=no-new-privileges");
	for (i = 0; i < CV_NS_COUNT; i++)
		if ((l->namespaces & 1u << i) != 0)
			cv_args_add(out, "%s=host", flag[i]);
	if ((l->namespaces & 1u << CV_NS_IPC) == 0)
		cv_args_add(out, "--ipc=private");
	if ((l->namespaces & 1u << CV_NS_NET) == 0)
		cv_args_add(out, "--network=%s", l->egress.n == 0 ? "none" : "bridge");
	if (l->privileged)
		cv_args_add(out, "--privileged");
	for (i = 0; i < l->devices.n; i++)
		cv_args_add(out, "--device=%s", l->devices.v[i].text);
}

static void
add_limits(struct cv_args *out, const struct cv_limits *l)
{
	if (l->memory != 0) {
		cv_args_add(out, "--memory=%llu", (unsigned long long)l->memory);
		/* else as much again in swap */
		cv_args_add(out, "--memory-swap=%llu", (unsigned long long)l->memory);
	}
	if (l->cpus != 0)
		cv_args_add(out, "--cpus=%llu.%03llu", (unsigned long long)(l->cpus / 1000),
			    (unsigned long long)(l->cpus % 1000));
	if (l->pids != 0)
		cv_args_add(out, "--pids-limit=%llu", (unsigned long long)l->pids);
}

/* add_program: entrypoint, image and its arguments. The CLI takes an entrypoint
 * of one word; the others stand before the command. */
static int
add_program(struct cv_args *out, const struct cv_launchset *l, const struct cv_digest *image,
	    struct cv_err *e)
{
	char id[CV_DIGEST_TEXT];
	size_t i;

	if (l->has_command && l->command.n == 0 && !l->has_entrypoint)
		return cv_fail(
			e, CV_R_UNSUPPORTED,
			"an empty command: docker would run the image's own; name an entrypoint");
	if (l->has_entrypoint)
		cv_args_add(out, "--entrypoint=%s",
			    l->entrypoint.n > 0 ? l->entrypoint.v[0].text : "");
	cv_args_add(out, "%s", cv_digest_text(image, id));
	for (i = 1; l->has_entrypoint && i < l->entrypoint.n; i++)
		cv_args_add(out, "%s", l->entrypoint.v[i].text);
	for (i = 0; l->has_command && i < l->command.n; i++)
		cv_args_add(out, "%s", l->command.v[i].text);
	return 0;
}

int
cv_docker_args(struct cv_args *out, const struct cv_docker *d, const struct cv_bundle *b,
	       const struct cv_contract *c, const struct cv_digest *image, struct cv_err *e)
{
	const struct cv_launchset *l = c->set;
	char text[CV_DIGEST_TEXT];

	cv_args_add(out, "%s", d->program);
	cv_args_add(out, "--config=%s", b->path);
	if (d->host != NULL)
		cv_args_add(out, "--host=%s", d->host);
	cv_args_add(out, "run");
	cv_args_add(out, "--rm");
	cv_args_add(out, "--pull=never");
	if (d->interactive)
		cv_args_add(out, "--interactive");
	if (d->tty)
		cv_args_add(out, "--tty");
	cv_args_add(out, "--platform=%s", l->platform);
	cv_args_add(out, "--label=dev.clawverify.bundle=%s", cv_digest_text(&b->digest, text));
	add_isolation(out, l);
	add_limits(out, &l->limits);
	if (l->user != NULL)
		cv_args_add(out, "--user=%s", l->user);
	if (l->workdir != NULL)
		cv_args_add(out, "--workdir=%s", l->workdir);
	if (add_env(out, d, l, e) != 0 || add_mounts(out, b, c, e) != 0 ||
	    add_program(out, l, image, e) != 0)
		return -1;
	return cv_args_ok(out, e);
}
