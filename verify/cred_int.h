/* SPDX-License-Identifier: Apache-2.0 */
/* cred_int.h: between cred.c (files) and cred_helper.c (programs). */
#ifndef CV_CRED_INT_H
#define CV_CRED_INT_H

#include "verify/cred.h"

#define CV_CRED_HUB "https://index.docker.io/v1/"

struct cv_cred_env {
	char *docker_auth_config, *docker_config, *registry_auth_file;
	char *xdg_runtime_dir, *home, *path;
	char **helper_env;
	bool no_helpers;
};

/* How long to wait, for what. */
struct cv_cred_wait {
	int64_t deadline;
	int cancel_fd;
};

/* cv_cred_helper: ask docker-credential-NAME about `server`. CV_CRED_NONE when it
 * says that it has nothing. */
int cv_cred_helper(struct cv_cred_answer *ret, const struct cv_cred_env *env, const char *name,
		   const char *server, const struct cv_cred_wait *wait, struct cv_err *e) cv_must;

/* cv_cred_take: copy text into a field of the answer. */
int cv_cred_take(char *to, size_t size, struct cv_span text, const char *what,
		 struct cv_err *e) cv_must;

#endif
