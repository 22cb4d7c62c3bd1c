/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_hook.c: the admission hook of launchers. */
#include "verify/launch_cmd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "verify/gates/exec.h"
#include "trust/base/banned.h"

/* prepare: everything but the request. */
static int
prepare(const struct cv_cmdline *c, struct cv_gatecfg **gate, char bundles[CV_PATH_ROOM],
	char workers[CV_PATH_ROOM], const char **check, struct cv_err *e)
{
	int r = cv_lc_gate(gate, c, e);

	*check = "policy.not-authorised";
	if (r == 0)
		return cv_fail(e, CV_R_UNAUTHORISED,
			       "%s: there is no such file, so this host accepts no policy",
			       CV_GATECFG_PATH);
	if (r < 0)
		return -1;
	*check = "internal.error";
	if (cv_lc_bundles(c, bundles, e) != 0)
		return -1;
	return cv_role_dir(workers, CV_PATH_ROOM, e);
}

static int
run_hook(struct cv_cmdline *c, struct cv_err *e)
{
	cv_auto(cv_gatecfg_free) struct cv_gatecfg *gate = NULL;
	cv_auto(cv_gate_answer_free) struct cv_gate_answer a = { .exit = CV_EXIT_INTERNAL };
	cv_auto(cv_buf_free) struct cv_buf request = CV_BUF(CV_GATE_MAX_REQUEST);
	char bundles[CV_PATH_ROOM], workers[CV_PATH_ROOM];
	const char *check = NULL;
	struct cv_gate_in in = { .bundles = bundles, .now = (int64_t)time(NULL) };

	in.role = (struct cv_role_opts){ .dir = workers,
					 .cancel_fd = -1,
					 .deadline = cv_mono_ms() + 60000 };
	if (strcmp(cv_cl_arg(c, 0), "exec") != 0) {
		cv_fail(e, CV_R_USAGE, "hook %s: the hooks are: exec", cv_cl_arg(c, 0));
		return cv_cmd_failed(c, e);
	}
	if (cv_hook_read(STDIN_FILENO, cv_mono_ms() + CV_HOOK_STDIN_MS, &request, e) != 0) {
		if (e->reason == CV_R_LIMIT || e->reason == CV_R_DEADLINE)
			e->reason = CV_R_USAGE; /* nothing was checked */
		cv_gate_no(&a, "gate.malformed", e);
	} else if (prepare(c, &gate, bundles, workers, &check, e) != 0) {
		cv_gate_no(&a, check, e);
	} else {
		in.gate = gate;
		in.request = cv_buf_span(&request);
		cv_gate_ask(&a, &in);
	}
	if (a.nreasons > 0)
		cv_say(c, "clawverify: %s: %s",
		       a.reasons[0].check != NULL ? a.reasons[0].check : "hook", a.reasons[0].text);
	return cv_hook_answer(stdout, &a, cv_buf_span(&request));
}

static const struct cv_opt opts[] = {
	CV_LC_OPT_GATE,
	CV_LC_OPT_OUT,
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_hook = {
	.name = "hook",
	.args = "exec",
	.summary = "answer a launcher before it starts an agent",
	.text = "Reads one JSON request (clawverify.gate-request/1) from standard input and\n"
		"writes one JSON answer (clawverify.gate/1) to standard output, always. Exit\n"
		"code: 0 allow, 1 deny, 2 deny because nothing could be checked, 3 or 4 retry.\n"
		"The bundle that the request names has to be sealed by a key, and under a\n"
		"policy, that gate.json accepts.\n",
	.examples = "  clawverify hook exec < request.json\n"
		    "  clawverify hook exec --gate gate.json --out bundles < request.json\n",
	.opts = opts,
	.min_args = 1,
	.max_args = 1,
	.run = run_hook,
};
