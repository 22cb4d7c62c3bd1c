/* SPDX-License-Identifier: Apache-2.0 */
/* docker_bind.c: what a path of the host that is bound into the container really is, when
 * it is about to be. Must never go by the path's text alone: policy has seen that already. */
#include "verify/docker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trust/base/banned.h"

#define UNIX       "unix://"
#define ENGINE_OWN UNIX "/var/run/docker.sock" /* where the CLI looks if nobody says */

static bool
below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return n == 1 || (strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

static const char *
address(const struct cv_docker *d)
{
	const char *env = cv_docker_env_find(d, "DOCKER_HOST");

	return d->host != NULL ? d->host : env != NULL && env[0] != '\0' ? env : ENGINE_OWN;
}

/* refuse: `why` is one phrase about the source. */
static int
refuse(const char *source, const char *real, const char *why, struct cv_err *e)
{
	if (strcmp(source, real) == 0)
		return cv_fail(e, CV_R_RULE, "bind %s: %s; want files of the agent's own", source,
			       why);
	return cv_fail(e, CV_R_RULE, "bind %s, which is %s: %s; want files of the agent's own",
		       source, real, why);
}

static int
look(const char *source, const char *engine, struct cv_err *e)
{
	cv_auto(cv_freep) char *real = realpath(source, NULL);
	struct stat st;

	if (real == NULL && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return cv_fail(e, CV_R_USAGE,
			       "bind %s: there is nothing on this host, want a "
			       "directory or a file",
			       source);
	if (real == NULL || stat(real, &st) != 0)
		return cv_fail_errno(e, "bind %s", source);
	if (S_ISSOCK(st.st_mode))
		return refuse(source, real,
			      "a socket, at whose other end a container engine may be", e);
	if (cv_launch_socket(real))
		return refuse(source, real, "it shows a container engine's socket", e);
	if (engine != NULL && below(engine, real))
		return refuse(source, real, "it shows the socket of the engine in use", e);
	return 0;
}

int
cv_docker_binds(const struct cv_docker *d, const struct cv_launchset *l, const char **check,
		struct cv_err *e)
{
	const char *at = address(d);
	cv_auto(cv_freep) char *engine = NULL;
	size_t i;

	/* an engine elsewhere has its own files at these paths */
	if (l->nbinds == 0 || strncmp(at, UNIX, strlen(UNIX)) != 0)
		return 0;
	engine = realpath(at + strlen(UNIX), NULL);
	if (engine == NULL && errno == ENOMEM)
		return cv_fail_memory(e);
	for (i = 0; i < l->nbinds; i++)
		/* what is one by its text was policy's to allow, and it did */
		if (!cv_launch_socket(l->binds[i].source) &&
		    look(l->binds[i].source, engine, e) != 0) {
			*check = e->reason == CV_R_RULE ? "launch.docker-socket" : NULL;
			return -1;
		}
	return 0;
}
