/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c: which checks have to be answered about what. The ids of a worker's
 * task are those that trust/base/proto.h names ("Answers"). A planned check
 * that nobody answers makes its artifact undecided, so a part that was skipped,
 * whatever the reason, can never pass.
 */
#include "verify/engine_int.h"

#include <string.h>

#include "trust/base/banned.h"

const char *const cv_layer_checks[] = {
	"image.layer-malformed", "image.traversal",         "image.device-node",
	"image.duplicate-entry", "image.whiteout-invalid",  "image.bomb",
	"image.diffid-mismatch", "image.unsupported-layer", NULL,
};

const char *const cv_launch_checks[] = {
	"launch.capability",     "launch.device",        "launch.docker-socket",
	"launch.host-namespace", "launch.limits",        "launch.network",
	"launch.privileged",     "launch.writable-code", NULL,
};

const char *const cv_graph_checks[] = { "oci.malformed",     "oci.ambiguous",
					"oci.unsupported",   "oci.platform-missing",
					"oci.edge-mismatch", NULL };
const char *const cv_merge_checks[] = { "image.link-escape", "image.place-unsafe", NULL };
const char *const cv_config_checks[] = { "image.config-unsafe", NULL };
const char *const cv_package_checks[] = {
	"archive.malformed",     "archive.ambiguous", "archive.traversal",
	"archive.unsafe-member", "archive.bomb",      "tool.manifest-invalid",
	"tool.lifecycle-script", "model.pickle",      NULL,
};
const char *const cv_sbom_checks[] = { "sbom.malformed",        "sbom.unsupported",
				       "sbom.subject-mismatch", "vuln.known",
				       "vuln.no-coverage",      NULL };

static const char *const model_checks[] = { "model.pickle", "model.format-refused",
					    "model.code-beside-weights", NULL };
static const char *const model_maybe[] = { "model.safetensors-invalid", "model.gguf-invalid",
					   NULL };
static const char *const skill_checks[] = { "skill.manifest-missing", "model.pickle",
					    "text.invalid-utf8", "text.hidden-unicode", NULL };
static const char *const prompt_checks[] = { "model.pickle", "text.invalid-utf8",
					     "text.hidden-unicode", NULL };
static const char *const plain_checks[] = { "model.pickle", NULL };
static const char *const local_checks[] = { "file.unsafe", "file.changed", NULL };
static const char *const sbom_maybe[] = { "vuln.index-absent", "vuln.index-stale", NULL };

const char *const *
cv_files_checks(enum cv_atype type)
{
	switch (type) {
	case CV_A_MODEL:
		return model_checks;
	case CV_A_SKILL:
		return skill_checks;
	case CV_A_PROMPT:
		return prompt_checks;
	case CV_A_FILE:
		return plain_checks;
	case CV_A_IMAGE:
	case CV_A_MCP:
	case CV_A_MCP_REMOTE:
	case CV_A_MODEL_HOSTED:
		break;
	}
	return NULL;
}

static int
plan(struct cv_job *j, const char *const *checks, bool na_ok, struct cv_err *e)
{
	for (; *checks != NULL; checks++)
		if (cv_result_plan(j->a, *checks, cv_job_required(j, *checks), na_ok, e) != 0)
			return -1;
	return 0;
}

static int
plan_one(struct cv_job *j, const char *check, bool na_ok, struct cv_err *e)
{
	const char *const checks[] = { check, NULL };

	return plan(j, checks, na_ok, e);
}

static int
plan_image(struct cv_job *j, struct cv_err *e)
{
	if (plan(j, cv_graph_checks, false, e) != 0 || plan(j, cv_layer_checks, false, e) != 0 ||
	    plan(j, cv_merge_checks, false, e) != 0 || plan(j, cv_config_checks, false, e) != 0)
		return -1;
	return plan_one(j, "fetch.digest-mismatch", false, e);
}

static int
plan_contents(struct cv_job *j, struct cv_err *e)
{
	const char *const *files = cv_files_checks(j->decl->type);

	if (j->decl->origin == CV_O_DIGEST)
		return 0;
	if (j->decl->type == CV_A_IMAGE)
		return plan_image(j, e);
	if (j->decl->type == CV_A_MCP)
		return plan(j, cv_package_checks, false, e);
	if (files == NULL)
		return 0;
	if (plan(j, files, false, e) != 0)
		return -1;
	return j->decl->type == CV_A_MODEL ? plan(j, model_maybe, true, e) : 0;
}

static int
plan_origin(struct cv_job *j, struct cv_err *e)
{
	if (j->decl->origin == CV_O_PATH && plan(j, local_checks, false, e) != 0)
		return -1;
	if (j->decl->type != CV_A_IMAGE && j->decl->origin != CV_O_DIGEST &&
	    j->decl->digest.alg != CV_ALG_NONE)
		return plan_one(j, "fetch.digest-mismatch", false, e);
	return 0;
}

static int
plan_vouch(struct cv_job *j, struct cv_err *e)
{
	if (plan_one(j, "basis.insufficient", false, e) != 0)
		return -1;
	if (j->run->rq->mode == CV_MODE_VERIFY &&
	    (plan_one(j, "lock.absent", false, e) != 0 ||
	     plan_one(j, "lock.digest-mismatch", true, e) != 0))
		return -1;
	if (j->rule->nattestations > 0 && plan_one(j, "sig.attestation-absent", false, e) != 0)
		return -1;
	if (!j->rule->sbom_required)
		return 0;
	if (plan_one(j, "sbom.absent", false, e) != 0 || plan(j, cv_sbom_checks, false, e) != 0)
		return -1;
	return plan(j, sbom_maybe, true, e);
}

int
cv_plan_artifact(struct cv_job *j, struct cv_err *e)
{
	if (plan_one(j, "policy.no-rule", false, e) != 0)
		return -1;
	if (j->rule == NULL)
		return 0;
	if (plan_vouch(j, e) != 0 || plan_origin(j, e) != 0)
		return -1;
	return plan_contents(j, e);
}

static int
agent_one(struct cv_run *run, const char *check, struct cv_err *e)
{
	return cv_result_agent_plan(run->res, check,
				    cv_policy_required(run->rq->policy, NULL, check), false, e);
}

int
cv_plan_agent(struct cv_run *run, struct cv_err *e)
{
	size_t i;

	if (agent_one(run, "policy.expired", e) != 0 || agent_one(run, "agent.uncovered", e) != 0)
		return -1;
	if (run->rq->mode == CV_MODE_VERIFY && agent_one(run, "agent.changed", e) != 0)
		return -1;
	if (run->rq->policy->confinement_required && agent_one(run, "sandbox.unavailable", e) != 0)
		return -1;
	if (!run->rq->agent->has_launch)
		return 0;
	for (i = 0; cv_launch_checks[i] != NULL; i++)
		if (agent_one(run, cv_launch_checks[i], e) != 0)
			return -1;
	return 0;
}
