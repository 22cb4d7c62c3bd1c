/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_launch.c: verify, seal, and start exactly that. Must never start anything
 * after a step that failed. */
#include "verify/cmdline.h"
#include "verify/launch_cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "verify/bundle_dir.h"
#include "verify/docker.h"
#include "verify/gate.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

#define ENGINE_SECONDS (30 * 60) /* for loading an image, where no --timeout is given */

/* A launch on its way. */
struct launch {
	struct cv_cmdline *c;
	struct cv_lc_trust *trust;
	struct cv_bundle *bundle;
	struct cv_policy *policy; /* with a gate.json; else NULL */
	struct cv_contract contract;
	struct cv_control_state states[CV_CTL_COUNT];
	struct cv_docker docker;
	char program[CV_PATH_ROOM];
	struct cv_digest image;
	const char *check;
};

static void
launch_end(struct launch *l)
{
	cv_contract_free(&l->contract);
	cv_policy_free(&l->policy);
	cv_bundle_close(&l->bundle);
}

/* ---- the adapter ---- */

/* engine_deadline: until when load and inspect have to be done. */
static int
engine_deadline(const struct cv_cmdline *c, int64_t *ret, struct cv_err *e)
{
	int64_t seconds = ENGINE_SECONDS;

	if (cv_cl_seconds(c, "timeout", CV_MAX_TIMEOUT, &seconds, e) != 0)
		return -1;
	*ret = cv_mono_ms() + seconds * 1000;
	return 0;
}

/* adapter: gate.json may name the program and the engine; then no other. */
static int
adapter(struct launch *l, struct cv_err *e)
{
	const struct cv_gatecfg *g = l->trust->gate;
	const char *host = cv_cl_value(l->c, "host"), *program = NULL;
	size_t i;

	for (i = 0; g != NULL && i < g->nadapters; i++) {
		const struct cv_gate_adapter *a = &g->adapters[i];

		if (strcmp(a->name, "docker") != 0)
			continue;
		program = a->program;
		if (a->host == NULL)
			continue;
		if (host != NULL && strcmp(host, a->host) != 0)
			return cv_fail(e, CV_R_UNAUTHORISED,
				       "--host %s: gate.json wants the engine %s", host, a->host);
		host = a->host;
	}
	if (cv_docker_find(l->program, program, cv_cl_env(l->c, "PATH"), e) != 0)
		return -1;
	l->docker = (struct cv_docker){ .program = l->program,
					.host = host,
					.environ = (const char *const *)environ,
					.cancel_fd = -1,
					.interactive = cv_cl_flag(l->c, "interactive"),
					.tty = cv_cl_flag(l->c, "tty") };
	return engine_deadline(l->c, &l->docker.deadline, e);
}

/* ---- what is allowed ---- */

static int
on_policy(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct launch *l = ctx;

	l->check = f->check;
	return cv_fail(e, f->reason, "%s: found %s, want %s", f->where, f->found, f->expected);
}

/* authorised: under a gate.json, the policy of the bundle is one that it accepts
 * and still lets the agent have what it asks for. */
static int
authorised(struct launch *l, struct cv_err *e)
{
	if (l->trust->gate == NULL)
		return 0;
	if (cv_gate_policy(&l->policy, l->trust->gate, l->bundle, l->trust->trust.now,
			   &l->trust->trust.role, &l->check, e) != 0)
		return -1;
	return cv_launchset_compare(l->bundle->set, l->bundle->set, l->policy, on_policy, l, e);
}

/* controls: every required one is enforced, as far as is known by now. */
static int
controls(struct launch *l, struct cv_err *e)
{
	unsigned missing, required = l->contract.required;
	struct cv_finding f;

	if (l->policy != NULL)
		required |= l->policy->required_controls;
	missing = cv_controls_missing(required, l->states);
	if (missing == 0)
		return 0;
	f = cv_controls_finding(missing, l->states);
	l->check = f.check;
	return cv_fail(e, f.reason, "found %s; want %s", f.found, f.expected);
}

/* prepare: the bundle, whole, trusted, ours; its contract; what docker can do. */
static int
prepare(struct launch *l, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);

	if (cv_bundle_open(&l->bundle, path, &l->trust->trust, &l->check, e) != 0)
		return -1;
	l->check = "bundle.untrusted";
	if (cv_dir_guarded(l->bundle->path, e) != 0)
		return -1;
	l->check = "bundle.changed";
	if (cv_bundle_read(l->bundle, CV_BUNDLE_LAUNCH, &text, e) != 0 ||
	    cv_contract_parse(&l->contract, l->bundle->set, cv_buf_span(&text), e) != 0)
		return -1;
	l->check = NULL;
	cv_docker_controls(&l->contract, l->states);
	if (authorised(l, e) != 0 || controls(l, e) != 0 || adapter(l, e) != 0)
		return -1;
	return cv_docker_binds(&l->docker, l->bundle->set, &l->check, e);
}

/* ---- saying ---- */

static int
report_json(const struct launch *l, const struct cv_args *args, bool started, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(16 * CV_MIB);
	json_t *words = json_array();
	cv_auto(cv_json_drop) json_t *v = json_pack(
		"{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "schema", "clawverify.launch-report/1",
		"agent", l->bundle->agent, "bundle", cv_json_digest(&l->bundle->digest),
		"launch_set", cv_json_digest(&l->bundle->set_digest), "image_id",
		cv_json_digest(&l->image), "valid_until", cv_json_time(l->bundle->vsa.not_after),
		"controls", cv_controls_json(l->states), "command", words, "starting",
		started ? 1 : 0);
	size_t i;

	for (i = 0; v != NULL && i < args->n; i++)
		if (json_array_append_new(words, json_string(args->v[i])) != 0)
			return cv_fail_memory(e);
	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_emit(&out, v, e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&out), stdout);
	return 0;
}

static void
report_text(const struct launch *l)
{
	size_t i;

	for (i = 0; i < CV_CTL_COUNT; i++)
		cv_say(l->c, "  %-18s %-10s  %s", cv_control_words[i],
		       l->states[i].enforced ? "enforced" : "unenforced", l->states[i].why);
}

static int
print_only(struct launch *l, struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args args = { 0 };
	cv_auto(cv_buf_free) struct cv_buf line = CV_BUF(16 * CV_MIB);

	l->image = l->bundle->set->image.config;
	if (cv_docker_args(&args, &l->docker, l->bundle, &l->contract, &l->image, e) != 0)
		return -1;
	if (cv_cl_json(l->c))
		return report_json(l, &args, false, e);
	report_text(l);
	cv_args_quoted(&args, &line);
	cv_buf_byte(&line, '\n');
	if (cv_buf_ok(&line, "the command", e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&line), stdout);
	return 0;
}

/* ---- starting ---- */

/* still: the last look before the start, when loading may have taken long. */
static int
still(struct launch *l, struct cv_err *e)
{
	cv_auto(cv_bundle_close) struct cv_bundle *again = NULL;
	struct cv_bundle_trust now = l->trust->trust;

	now.now = (int64_t)time(NULL);
	if (cv_bundle_open(&again, l->bundle->path, &now, &l->check, e) != 0)
		return -1;
	if (cv_digest_eq(&again->digest, &l->bundle->digest))
		return 0;
	l->check = "bundle.changed";
	return cv_fail(e, CV_R_DIGEST, "%s: another bundle now than before", l->bundle->path);
}

static int
start(struct launch *l, struct cv_err *e)
{
	cv_auto(cv_args_free) struct cv_args args = { 0 }, env = { 0 };
	char id[CV_DIGEST_TEXT];
	union {
		const char **words;
		char *const *exec;
	} argv, envp;

	if (cv_docker_image(&l->docker, l->bundle, &l->image, &l->check, e) != 0 ||
	    cv_docker_able(&l->docker, l->bundle, &l->image, l->states, e) != 0 ||
	    controls(l, e) != 0)
		return -1;
	if (cv_docker_args(&args, &l->docker, l->bundle, &l->contract, &l->image, e) != 0 ||
	    cv_docker_env(&env, &l->docker, &l->contract, e) != 0 || still(l, e) != 0)
		return -1;
	if (cv_cl_json(l->c) && report_json(l, &args, true, e) != 0)
		return -1;
	report_text(l);
	cv_say(l->c, "clawverify: starting %s, image %s; what follows is the container's",
	       l->bundle->agent, cv_digest_text(&l->image, id));
	if (fflush(stdout) != 0)
		return cv_fail(e, CV_R_DISK, "standard output: the report could not be written");
	argv.words = args.v; /* exec(2) does not write to them */
	envp.words = env.v;
	/* In our place: signals, the terminal and the exit code are docker's own. */
	(void)execve(l->program, argv.exec, envp.exec);
	return cv_fail(e, CV_R_UNREACHABLE, "%s: cannot be executed: %s", l->program,
		       strerrordesc_np(errno));
}

static int
launch(struct cv_cmdline *c, const char *path, struct cv_err *e)
{
	struct cv_lc_trust trust;
	struct launch l = { .c = c, .trust = &trust };
	int r;

	if (cv_lc_trust_open(&trust, c, e) != 0)
		return cv_cmd_failed(c, e);
	r = prepare(&l, path, e);
	if (r == 0)
		r = cv_cl_flag(c, "print") ? print_only(&l, e) : start(&l, e);
	r = r == 0 ? CV_EXIT_PASS : cv_lc_failed(c, l.check, e);
	launch_end(&l);
	cv_lc_trust_close(&trust);
	return r;
}

static int
run_launch(struct cv_cmdline *c, struct cv_err *e)
{
	const char *with = cv_cl_value(c, "with"), *target = cv_cl_arg(c, 0);
	struct cv_lc_sealed sealed;
	char path[CV_PATH_ROOM];
	int r;

	if (with != NULL && strcmp(with, "docker") != 0) {
		cv_fail(e, CV_R_USAGE, "--with %s: the launchers are: docker", with);
		return cv_cmd_failed(c, e);
	}
	r = target != NULL ? cv_lc_find(c, target, path, e) : 0;
	if (r < 0)
		return cv_cmd_failed(c, e);
	if (r > 0)
		return launch(c, path, e);
	/* a pass is said on standard error: standard output is the container's */
	r = cv_lc_seal(&sealed, c, target, false, e);
	if (r != 0)
		return r > 0 ? sealed.exit_code : cv_cmd_failed(c, e);
	cv_say(c, "verified %s: %zu artifacts, sealed in %s", sealed.agent, sealed.artifacts,
	       sealed.path);
	return launch(c, sealed.path, e);
}

static const struct cv_opt opts[] = {
	{ "with", 0, CV_OPT_VALUE, "LAUNCHER", "docker, which is also the default" },
	{ "print", 0, CV_OPT_FLAG, NULL, "show the command, start nothing" },
	{ "interactive", 'i', CV_OPT_FLAG, NULL, "give it this standard input" },
	{ "tty", 't', CV_OPT_FLAG, NULL, "give it a terminal" },
	{ "host", 0, CV_OPT_VALUE, "ADDRESS", "the engine, as docker --host takes it" },
	CV_LC_OPT_KEY("an agent: seal with it; a bundle: believe it"),
	CV_LC_OPT_OUT,
	CV_LC_OPT_GATE,
	CV_LC_OPT_SESSION,
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_launch = {
	.name = "launch",
	.args = "[BUNDLE | AGENT]",
	.summary = "verify, seal and start an agent, or start a sealed bundle",
	.text = "An AGENT (without it ./agent.json) is verified and sealed first. The bundle is\n"
		"proven whole and still valid right before the start. The image is loaded from\n"
		"it and started by its id, with the mounts, limits and capabilities of\n"
		"launch.json; each control is reported enforced or unenforced, and a required\n"
		"one that docker cannot enforce refuses the launch. Secrets and free values come\n"
		"from this environment. Once it says \"starting\", the exit code is docker's: the\n"
		"container's own, or 125 to 127 if docker could not start it.\n",
	.examples = "  clawverify launch --with docker\n"
		    "  clawverify launch --print agents/invoice\n"
		    "  clawverify launch sha256:4f1c... --out /srv/bundles\n",
	.opts = opts,
	.max_args = 1,
	.run = run_launch,
};
