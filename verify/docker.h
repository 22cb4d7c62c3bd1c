/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.h: the launcher adapter for Docker: the docker CLI, executed directly
 * (no shell), told everything that launch.json says and nothing else.
 *
 * What is not left to chance: --pull=never and the image by its id, which the
 * engine computed from the bytes loaded from the bundle; every option in a form
 * that the CLI cannot take apart differently (CSV fields are quoted); a
 * configuration directory without a configuration (the user's own one may put
 * proxy variables into every container, choose another engine, run plugins) and
 * an environment of few names. Secrets and free values go through the
 * environment, never on the command line.
 *
 * The engine itself, and whoever may speak to it, is trusted.
 */
#ifndef CV_DOCKER_H
#define CV_DOCKER_H

#include "verify/bundle.h"
#include "verify/launch.h"

/* Grows by itself; `failed` is sticky. v ends with NULL. */
struct cv_args {
	const char **v;
	size_t n, room;
	bool failed;
	struct cv_mem mem;
};
void cv_args_add(struct cv_args *a, const char *fmt, ...) cv_printf(2, 3);
int cv_args_ok(const struct cv_args *a, struct cv_err *e) cv_must;
void cv_args_free(struct cv_args *a);

/* cv_args_quoted: append the words so that a shell reads them back: what a terminal would
 * act on or not show is written in octal inside $'...' (POSIX.1-2024; bash, zsh, ksh). */
void cv_args_quoted(const struct cv_args *a, struct cv_buf *out);

struct cv_docker {
	const char *program;        /* absolute path of the CLI */
	const char *host;           /* "unix:///run/docker.sock", or NULL: the CLI's own */
	const char *const *environ; /* what this process was started with */
	bool interactive, tty;
	int64_t deadline; /* of load and inspect; cv_mono_ms scale, 0 none */
	int cancel_fd;
};

/* cv_docker_find: the program: `configured` if not NULL, else the first "docker"
 * in the absolute directories of `path`. CV_R_UNREACHABLE if there is none. */
int cv_docker_find(char out[4096], const char *configured, const char *path,
		   struct cv_err *e) cv_must;

/* cv_docker_controls: what the command of cv_docker_args makes the engine do. */
void cv_docker_controls(const struct cv_contract *c, struct cv_control_state s[CV_CTL_COUNT]);

/* cv_docker_args: the whole command that starts the container. CV_R_UNSUPPORTED
 * for what docker cannot be told; CV_R_USAGE for a secret that is not set and a
 * value that has not the agreed prefix. */
int cv_docker_args(struct cv_args *out, const struct cv_docker *d, const struct cv_bundle *b,
		   const struct cv_contract *c, const struct cv_digest *image,
		   struct cv_err *e) cv_must;

/* cv_docker_env: the environment that goes with it. c NULL: of load, inspect. */
int cv_docker_env(struct cv_args *out, const struct cv_docker *d, const struct cv_contract *c,
		  struct cv_err *e) cv_must;

/* cv_docker_image: make sure that the engine holds the image, loading it from the
 * bundle if need be; *id is what the engine calls it, one of the two digests
 * that can be its id. CV_R_DIGEST with *check launch.image-mismatch if it is
 * another; CV_R_UNREACHABLE if the engine does not answer, CV_R_IO if it would
 * not load it. */
int cv_docker_image(const struct cv_docker *d, const struct cv_bundle *b, struct cv_digest *id,
		    const char **check, struct cv_err *e) cv_must;

/* cv_docker_binds: what the launch binds from the host, by what its paths are now: links
 * followed, no socket, and no directory that shows an engine's, nor that of the engine in
 * use. Only for an engine on this host. CV_R_RULE with *check launch.docker-socket; what
 * cannot be looked at is what errno says. Whoever can change the host's files between this
 * and the start is not held. */
int cv_docker_binds(const struct cv_docker *d, const struct cv_launchset *l, const char **check,
		    struct cv_err *e) cv_must;

/* cv_docker_env_find: a variable of d->environ; NULL. */
const char *cv_docker_env_find(const struct cv_docker *d, const char *name);

/* cv_docker_able: ask the engine which limits it can enforce on this host, and
 * whether the image declares volumes, which docker makes writable whatever the
 * command says. What it cannot enforce becomes unenforced in s. */
int cv_docker_able(const struct cv_docker *d, const struct cv_bundle *b,
		   const struct cv_digest *image, struct cv_control_state s[CV_CTL_COUNT],
		   struct cv_err *e) cv_must;

/* cv_docker_tar: the bundle's oci/ as a tar stream (POSIX ustar, members in order
 * of their names, no owners, no times) into a stream socket, each member hashed
 * while it is sent: CV_R_DIGEST before the end of the archive is written. */
int cv_docker_tar(const struct cv_bundle *b, int sock, int64_t deadline, int cancel_fd,
		  struct cv_err *e) cv_must;

#endif
