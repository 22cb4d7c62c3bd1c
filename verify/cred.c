/* SPDX-License-Identifier: Apache-2.0 */
/* cred.c: see cred.h. Must never put a secret into a message, nor give the
 * secret of one host to another. */
#include "verify/cred.h"
#include "verify/cred_int.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/enc.h"
#include "trust/base/json.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* ---- the environment that was handed in ---- */

static int
copy(char **to, const char *from)
{
	*to = from == NULL || *from == '\0' ? NULL : strdup(from);
	return *to == NULL && from != NULL && *from != '\0' ? -1 : 0;
}

static int
copy_list(char ***to, const char *const *from)
{
	size_t n = 0;

	while (from != NULL && from[n] != NULL)
		n++;
	*to = calloc(n + 1, sizeof(**to));
	if (*to == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (((*to)[i] = strdup(from[i])) == NULL)
			return -1;
	return 0;
}

int
cv_cred_env_open(struct cv_cred_env **ret, const struct cv_cred_from *from, struct cv_err *e)
{
	cv_auto(cv_cred_env_free) struct cv_cred_env *env = calloc(1, sizeof(*env));

	if (env == NULL)
		return cv_fail_memory(e);
	env->no_helpers = from->no_helpers;
	if (copy(&env->docker_auth_config, from->docker_auth_config) != 0 ||
	    copy(&env->docker_config, from->docker_config) != 0 ||
	    copy(&env->registry_auth_file, from->registry_auth_file) != 0 ||
	    copy(&env->xdg_runtime_dir, from->xdg_runtime_dir) != 0 ||
	    copy(&env->home, from->home) != 0 || copy(&env->path, from->path) != 0 ||
	    copy_list(&env->helper_env, from->helper_env) != 0)
		return cv_fail_memory(e);
	*ret = cv_steal(env);
	return 0;
}

static void
free_secret(char **p)
{
	if (*p != NULL)
		OPENSSL_cleanse(*p, strlen(*p));
	free(*p);
	*p = NULL;
}

void
cv_cred_env_free(struct cv_cred_env **envp)
{
	struct cv_cred_env *env = *envp;

	if (env == NULL)
		return;
	free_secret(&env->docker_auth_config);
	free(env->docker_config);
	free(env->registry_auth_file);
	free(env->xdg_runtime_dir);
	free(env->home);
	free(env->path);
	for (size_t i = 0; env->helper_env != NULL && env->helper_env[i] != NULL; i++)
		free_secret(&env->helper_env[i]);
	free(env->helper_env);
	free(env);
	*envp = NULL;
}

void
cv_cred_wipe(struct cv_cred_answer *a)
{
	OPENSSL_cleanse(a, sizeof(*a));
	a->kind = CV_CRED_NONE;
}

/* ---- hosts and the keys that name them ---- */

/* Docker Hub goes by several names and is kept under a fourth. */
static bool
is_hub(struct cv_span host)
{
	return cv_span_eq_str(host, "docker.io") || cv_span_eq_str(host, "index.docker.io") ||
	       cv_span_eq_str(host, "registry-1.docker.io");
}

/* The host of a key of auths or credHelpers; empty if it names a repository. */
static struct cv_span
host_of_key(const char *key)
{
	static const char *const tails[] = { "", "/", "/v1", "/v1/", "/v2", "/v2/" };
	struct cv_span s = cv_span_str(key), host;

	if (cv_span_has_prefix(s, "https://"))
		cv_span_take(&s, 8);
	else if (cv_span_has_prefix(s, "http://"))
		cv_span_take(&s, 7);
	host = cv_span_take(&s, strcspn((const char *)s.p, "/"));
	for (size_t i = 0; i < CV_COUNT(tails); i++)
		if (cv_span_eq_str(s, tails[i]))
			return host;
	return cv_span(NULL, 0);
}

static bool
names_host(const char *key, const char *host)
{
	struct cv_span of = host_of_key(key), want = cv_span_str(host);

	if (of.n == 0)
		return false;
	return cv_span_eq(of, want) || (is_hub(of) && is_hub(want));
}

/* The member for this host: the very key if it is there, else the first that
 * means it. */
static struct cv_jv
member_for(struct cv_jv object, const char *host)
{
	struct cv_jv v = cv_jv_get(object, host);

	if (!v.absent)
		return v;
	for (v = cv_jv_first(object); !v.absent; v = cv_jv_next(v))
		if (names_host(cv_jv_key(v), host))
			break;
	return v;
}

/* ---- one entry of auths ---- */

int
cv_cred_take(char *to, size_t size, struct cv_span text, const char *what, struct cv_err *e)
{
	if (text.n >= size)
		return cv_fail(e, CV_R_CONFIG, "credentials: a %s of %zu bytes, want at most %zu",
			       what, text.n, size - 1);
	if (text.n != 0 && memchr(text.p, '\0', text.n) != NULL)
		return cv_fail(e, CV_R_CONFIG, "credentials: a %s with a NUL byte in it", what);
	if (text.n != 0)
		memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	return 0;
}

/* "auth": base64 of user ":" password; old clients pad it with NUL bytes. */
static int
take_auth(struct cv_cred_answer *ret, struct cv_jv v, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(sizeof(ret->user) + sizeof(ret->secret));
	struct cv_span pair, user;
	const char *text;
	int rc = -1;

	if (cv_jv_text(v, &text, e) != 0)
		return -1;
	if (cv_base64_decode(&b, cv_span_str(text), NULL) != 0) {
		cv_jv_fail(v, e, CV_R_CONFIG, "\"auth\" is not base64 of user:password");
		goto out;
	}
	pair = cv_buf_span(&b);
	while (pair.n > 0 && pair.p[pair.n - 1] == '\0')
		pair.n--;
	user = cv_span_until(&pair, ':');
	if (user.bad || pair.bad) {
		cv_jv_fail(v, e, CV_R_CONFIG, "\"auth\" is not base64 of user:password");
		goto out;
	}
	if (cv_cred_take(ret->user, sizeof(ret->user), user, "user name", e) != 0 ||
	    cv_cred_take(ret->secret, sizeof(ret->secret), pair, "password", e) != 0)
		goto out;
	ret->kind = CV_CRED_BASIC;
	rc = 0;
out:
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.n);
	cv_buf_free(&b);
	return rc;
}

static int
take_text(char *to, size_t size, struct cv_jv v, const char *what, struct cv_err *e)
{
	const char *text;

	if (cv_jv_text(v, &text, e) != 0)
		return -1;
	return cv_cred_take(to, size, cv_span_str(text), what, e);
}

static bool
filled(struct cv_jv entry, const char *key)
{
	const char *text;
	struct cv_jv v = cv_jv_get(entry, key);

	/* another type is a mistake that its reader will name */
	return !v.absent && (cv_jv_text(v, &text, NULL) != 0 || *text != '\0');
}

static int
take_entry(struct cv_cred_answer *ret, struct cv_jv entry, struct cv_err *e)
{
	if (cv_jv_want(entry, CV_J_OBJECT, e) != 0)
		return -1;
	if (filled(entry, "identitytoken")) {
		if (take_text(ret->secret, sizeof(ret->secret), cv_jv_get(entry, "identitytoken"),
			      "token", e) != 0)
			return -1;
		ret->kind = CV_CRED_IDENTITY_TOKEN;
	} else if (filled(entry, "registrytoken")) {
		if (take_text(ret->secret, sizeof(ret->secret), cv_jv_get(entry, "registrytoken"),
			      "token", e) != 0)
			return -1;
		ret->kind = CV_CRED_BEARER;
	} else if (filled(entry, "auth")) {
		return take_auth(ret, cv_jv_get(entry, "auth"), e);
	} else if (filled(entry, "username") && filled(entry, "password")) {
		if (take_text(ret->user, sizeof(ret->user), cv_jv_get(entry, "username"),
			      "user name", e) != 0 ||
		    take_text(ret->secret, sizeof(ret->secret), cv_jv_get(entry, "password"),
			      "password", e) != 0)
			return -1;
		ret->kind = CV_CRED_BASIC;
	}
	return 0;
}

/* ---- one file ---- */

static int
ask_helper(struct cv_cred_answer *ret, const struct cv_cred_env *env, struct cv_jv name,
	   const char *host, const struct cv_cred_wait *wait, struct cv_err *e)
{
	const char *text;

	if (cv_jv_text(name, &text, e) != 0)
		return -1;
	if (*text == '\0')
		return 0;
	if (env->no_helpers)
		return cv_fail(e, CV_R_DENIED,
			       "credentials for %s are kept by a helper program, which is not "
			       "allowed here",
			       host);
	return cv_cred_helper(ret, env, text, is_hub(cv_span_str(host)) ? CV_CRED_HUB : host, wait,
			      e);
}

static int
from_object(struct cv_cred_answer *ret, const struct cv_cred_env *env, struct cv_jv root,
	    const char *host, const struct cv_cred_wait *wait, struct cv_err *e)
{
	struct cv_jv v;

	if (cv_jv_want(root, CV_J_OBJECT, e) != 0)
		return -1;
	v = member_for(cv_jv_get(root, "credHelpers"), host);
	if (!v.absent)
		return ask_helper(ret, env, v, host, wait, e);
	v = cv_jv_get(root, "credsStore");
	if (!v.absent && ask_helper(ret, env, v, host, wait, e) != 0)
		return -1;
	if (ret->kind != CV_CRED_NONE)
		return 0;
	v = member_for(cv_jv_get(root, "auths"), host);
	return v.absent ? 0 : take_entry(ret, v, e);
}

static int
from_text(struct cv_cred_answer *ret, const struct cv_cred_env *env, const char *name,
	  struct cv_span text, const char *host, const struct cv_cred_wait *wait, struct cv_err *e)
{
	cv_auto(cv_json_free_secret) struct cv_jdoc *doc = NULL;
	enum cv_reason reason;

	if (cv_json_parse(&doc, name, text, CV_JSON_REALS, e) == 0 &&
	    from_object(ret, env, cv_json_root(doc), host, wait, e) == 0)
		return 0;
	reason = e->reason;
	cv_cred_wipe(ret);
	/* a mistake in a configuration file of the user's */
	if (reason == CV_R_MALFORMED || reason == CV_R_AMBIGUOUS || reason == CV_R_LIMIT)
		e->reason = CV_R_CONFIG;
	return -1;
}

static int
read_file(struct cv_buf *b, const char *path, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0) {
		cv_fail_errno(e, "credentials: cannot read %s", path);
		if (e->reason == CV_R_IO)
			e->reason = CV_R_CONFIG;
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		return cv_fail(e, CV_R_CONFIG, "credentials: %s is not a regular file", path);
	if ((st.st_mode & S_IWOTH) != 0)
		return cv_fail(e, CV_R_CONFIG,
			       "credentials: everybody may write to %s (mode %04o), want 0600",
			       path, (unsigned)(st.st_mode & 07777));
	if (cv_buf_read_fd(b, fd, path, e) != 0) {
		if (e->reason == CV_R_LIMIT)
			e->reason = CV_R_CONFIG;
		return -1;
	}
	return 1;
}

/* A file that is not there knows nothing. */
static int
from_file(struct cv_cred_answer *ret, const struct cv_cred_env *env, const char *dir,
	  const char *file, const char *host, const struct cv_cred_wait *wait, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(CV_MAX_HUMAN_FILE);
	char path[4096];
	int rc;

	if (dir == NULL || ret->kind != CV_CRED_NONE)
		return 0;
	if (strlen(dir) + strlen(file) >= sizeof(path))
		return cv_fail(e, CV_R_CONFIG, "credentials: the name of a directory is too long");
	cv_text_fmt(path, sizeof(path), "%s%s", dir, file);
	rc = read_file(&b, path, e);
	if (rc > 0)
		rc = from_text(ret, env, path, cv_buf_span(&b), host, wait, e);
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.n);
	cv_buf_free(&b);
	return rc;
}

int
cv_cred_find(struct cv_cred_answer *ret, const struct cv_cred_env *env, const char *host,
	     int64_t deadline, int cancel_fd, struct cv_err *e)
{
	struct cv_cred_wait wait = { .deadline = deadline, .cancel_fd = cancel_fd };
	struct cv_err own = { 0 };

	if (e == NULL)
		e = &own;
	*ret = (struct cv_cred_answer){ .kind = CV_CRED_NONE };
	if (env->docker_auth_config != NULL &&
	    from_text(ret, env, "DOCKER_AUTH_CONFIG", cv_span_str(env->docker_auth_config), host,
		      &wait, e) != 0)
		return -1;
	if (env->docker_config != NULL) {
		if (from_file(ret, env, env->docker_config, "/config.json", host, &wait, e) != 0)
			return -1;
	} else if (from_file(ret, env, env->home, "/.docker/config.json", host, &wait, e) != 0) {
		return -1;
	}
	if (from_file(ret, env, env->registry_auth_file, "", host, &wait, e) != 0 ||
	    from_file(ret, env, env->xdg_runtime_dir, "/containers/auth.json", host, &wait, e) !=
		    0 ||
	    from_file(ret, env, env->home, "/.config/containers/auth.json", host, &wait, e) != 0)
		return -1;
	return 0;
}
