/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cred.h: the user's own credentials for a registry, where docker and podman
 * keep them. Nothing here reads the environment: its values are handed in.
 *
 * Places, the first that knows the host decides:
 *
 *     $DOCKER_AUTH_CONFIG                       the JSON text itself
 *     $DOCKER_CONFIG/config.json                else ~/.docker/config.json
 *     $REGISTRY_AUTH_FILE
 *     $XDG_RUNTIME_DIR/containers/auth.json
 *     ~/.config/containers/auth.json
 *
 * In each of them: credHelpers[host], then credsStore, then auths[host]
 * (containers-auth.json(5); docker login). A helper is the program
 * docker-credential-NAME in one of the absolute directories of $PATH, run with
 * "get" and the host on its standard input; NAME is letters, digits, ".", "_"
 * and "-". A key of auths may have a scheme and end in /v1/ or /v2/; a key for
 * one repository (a longer path) is not used. Docker Hub is known by the name
 * "https://index.docker.io/v1/".
 *
 * "There are none" and "they could not be got" are different answers. Secrets
 * are overwritten before their memory is given back.
 */
#ifndef CV_CRED_H
#define CV_CRED_H

#include "trust/base/proto.h"

/* Values of the environment; NULL what is not set. Borrowed while copying. */
struct cv_cred_from {
	const char *docker_auth_config, *docker_config, *registry_auth_file;
	const char *xdg_runtime_dir, *home, *path;
	const char *const *helper_env; /* "NAME=value" for helpers, NULL-terminated */
	bool no_helpers;               /* a helper that would be needed is CV_R_DENIED */
};

struct cv_cred_env;

/* cv_cred_env_open: copies everything. */
int cv_cred_env_open(struct cv_cred_env **ret, const struct cv_cred_from *from,
		     struct cv_err *e) cv_must;
void cv_cred_env_free(struct cv_cred_env **env);

struct cv_cred_answer {
	enum cv_cred kind; /* CV_CRED_NONE: the rest is "" */
	char user[256];
	char secret[16384];
};

/* cv_cred_find: `host` is a registry's host[:port]. 0 also when there are none
 * (CV_CRED_NONE). CV_R_CONFIG: a file is malformed or may be written by all;
 * CV_R_DENIED: a helper failed; CV_R_DEADLINE, CV_R_CANCELLED. Safe to call from
 * several threads. The caller wipes *ret, in every case. */
int cv_cred_find(struct cv_cred_answer *ret, const struct cv_cred_env *env, const char *host,
		 int64_t deadline, int cancel_fd, struct cv_err *e) cv_must;
void cv_cred_wipe(struct cv_cred_answer *a);

#endif
