/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_verify.c: the gate. */
#include "verify/cmdline.h"
#include "verify/outputs.h"
#include "verify/progress.h"
#include "verify/session_signer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "trust/base/banned.h"

/* is_agent: an agent file, or a directory that holds one. Anything else is one
 * artifact by itself. */
static bool
is_agent(const char *target)
{
	size_t n = strlen(target);
	struct stat st;
	char path[4096];

	if (n > 5 && strcmp(target + n - 5, ".json") == 0)
		return true;
	(void)snprintf(path, sizeof(path), "%s/agent.json", target);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* said: who signed, or where the evidence is: then it is one artifact by itself,
 * whatever its name ends with. */
static bool
said(const struct cv_cmdline *c)
{
	size_t bundles, signatures;

	(void)cv_cl_values(c, "bundle", &bundles);
	(void)cv_cl_values(c, "signature", &signatures);
	return bundles + signatures > 0 || cv_signer_said(c);
}

static int
run(struct cv_cmdline *c, const char *target, bool bare, struct cv_err *e)
{
	struct cv_session s;
	struct cv_progress progress;
	struct cv_result *r = NULL;
	int rc;

	if (cv_progress_open(&progress, c, e) != 0 ||
	    (bare ? cv_session_bare(&s, c, target, e) : cv_session_open(&s, c, target, e)) != 0)
		return cv_cmd_failed(c, e);
	s.rq.mode = bare ? CV_MODE_BARE : CV_MODE_VERIFY;
	s.rq.watch = cv_progress_watch(&progress);
	rc = cv_session_run(&s, &r, e);
	cv_progress_close(&progress);
	if (rc == 0)
		rc = cv_outputs_write(c, r, e);
	rc = rc == 0 ? (int)r->decision.exit : cv_cmd_failed(c, e);
	cv_result_free(&r);
	cv_session_close(&s);
	return rc;
}

static int
run_verify(struct cv_cmdline *c, struct cv_err *e)
{
	const char *target = cv_cl_arg(c, 0);

	if (target == NULL && said(c)) {
		cv_fail(e, CV_R_USAGE,
			"verify: want what was signed: a PATH, or a REF of an image");
		return cv_cmd_failed(c, e);
	}
	return run(c, target, target != NULL && (said(c) || !is_agent(target)), e);
}

int
cv_verify_bundle(struct cv_cmdline *c, const char *path, struct cv_err *e)
{
	size_t n;

	(void)cv_cl_values(c, "bundle", &n);
	if (n == 0 || !cv_signer_said(c)) {
		cv_fail(e, CV_R_USAGE,
			"trust verify-bundle: want --bundle FILE, and who signed: --identity NAME "
			"--issuer URL, or --key FILE");
		return cv_cmd_failed(c, e);
	}
	return run(c, path, true, e);
}

static const struct cv_opt opts[] = {
	{ "policy", 'p', CV_OPT_VALUE, "FILE", "another policy, or preset:strict|standard|audit" },
	{ "lock", 0, CV_OPT_VALUE, "FILE", "instead of clawverify.lock beside the agent" },
	{ "db", 0, CV_OPT_VALUE, "FILE", "another advisory index" },
	{ "platform", 0, CV_OPT_VALUE, "OS/ARCH", "for images that name none" },
	{ "at", 0, CV_OPT_VALUE, "TIME", "decide as of then; never launchable" },
	CV_SIGNER_OPTS,
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_verify = {
	.name = "verify",
	.args = "[AGENT | REF | PATH | DIGEST]",
	.summary = "decide whether an agent may be launched",
	.text = "AGENT is an agent file or the directory it is in; without it ./agent.json. The\n"
		"exit code is the verdict: 0 pass, 1 fail, 2 nothing was checked, 3 unknown.\n"
		"A REF of an image or a PATH is judged alone, by the policy's rules for it, or by\n"
		"who has to have signed it: --identity and --issuer, or --key, and nothing else.\n"
		"A DIGEST (sha256:HEX) stands for bytes elsewhere: what does a --bundle attest?\n",
	.examples = "  clawverify verify\n"
		    "  clawverify verify agents/invoice -o json=result.json\n"
		    "  clawverify verify registry.example/acme/agent:1.4 --policy policy.json\n",
	.opts = opts,
	.max_args = 1,
	.run = run_verify,
};
