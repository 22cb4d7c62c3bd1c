/* SPDX-License-Identifier: Apache-2.0 */
/* session_cred.c: where this user's registry credentials are, and what else is said
 * of registries; see cred.h and registries.h. */
#include "verify/cmdline.h"

#include <unistd.h>

#include "trust/base/banned.h"

int
cv_session_cred(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	struct cv_cred_from from = {
		.docker_auth_config = cv_cl_env(c, "DOCKER_AUTH_CONFIG"),
		.docker_config = cv_cl_env(c, "DOCKER_CONFIG"),
		.registry_auth_file = cv_cl_env(c, "REGISTRY_AUTH_FILE"),
		.xdg_runtime_dir = cv_cl_env(c, "XDG_RUNTIME_DIR"),
		.home = cv_cl_env(c, "HOME"),
		.path = cv_cl_env(c, "PATH"),
		/* helpers of cloud registries want settings of their own */
		.helper_env = (const char *const *)environ,
	};

	if (cv_cred_env_open(&s->cred, &from, e) != 0)
		return -1;
	s->rq.cred = s->cred;
	if (cv_registries_open(&s->registries, cv_cl_env(c, "XDG_CONFIG_HOME"), from.home, e) != 0)
		return -1;
	s->rq.registries = s->registries;
	return 0;
}
