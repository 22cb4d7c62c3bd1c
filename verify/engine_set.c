/* SPDX-License-Identifier: Apache-2.0 */
/* engine_set.c: the launch set of a verified agent. */
#include <stdlib.h>
#include <string.h>

#include "verify/engine.h"

#include "trust/base/banned.h"

static const struct cv_r_artifact *
find(const struct cv_result *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nartifacts; i++)
		if (strcmp(r->artifacts[i].name, name) == 0)
			return &r->artifacts[i];
	return NULL;
}

static int
resolve(struct cv_ls_artifact *to, const struct cv_artifact *d, const struct cv_result *r,
	struct cv_err *e)
{
	const struct cv_r_artifact *a;

	*to = (struct cv_ls_artifact){ .name = d->name, .type = d->type };
	if (!cv_artifact_covered(d)) {
		to->url = d->asked;
		return 0;
	}
	a = find(r, d->name);
	if (a == NULL || a->digest.alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_RULE, "%s: has no digest, so nothing can be launched",
			       d->name);
	to->digest = a->digest;
	return 0;
}

int
cv_engine_launchset(struct cv_launchset **ret, const struct cv_result *r,
		    const struct cv_agent *agent, struct cv_err *e)
{
	cv_auto(cv_freep) struct cv_ls_artifact *v = NULL;
	const struct cv_r_artifact *image;
	struct cv_ls_image ids;
	size_t i;

	if (!agent->has_launch)
		return cv_fail(e, CV_R_RULE, "%s: has no \"launch\", so there is nothing to launch",
			       agent->name);
	v = calloc(agent->nartifacts + 1, sizeof(*v));
	if (v == NULL)
		return cv_fail_memory(e);
	for (i = 0; i < agent->nartifacts; i++)
		if (resolve(&v[i], &agent->artifacts[i], r, e) != 0)
			return -1;
	image = find(r, agent->launch.image->name);
	if (image == NULL || image->platform == NULL)
		return cv_fail(e, CV_R_RULE, "%s: the image to launch was not resolved",
			       agent->launch.image->name);
	ids = (struct cv_ls_image){ .index = image->index,
				    .manifest = image->manifest,
				    .config = image->config };
	return cv_launchset_make(ret, agent, image->platform, &ids, v, agent->nartifacts, e);
}
