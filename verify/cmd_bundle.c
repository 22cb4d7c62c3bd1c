/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_bundle.c: seal what passed, and look at what was sealed. */
#include "verify/cmdline.h"
#include "verify/launch_cmd.h"

#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

static int
sealed_json(const struct cv_lc_sealed *s, struct cv_err *e)
{
	cv_auto(cv_json_drop) json_t *v = json_pack(
		"{s:s,s:s,s:i,s:o,s:s,s:s,s:o}", "schema", "clawverify.bundle-check/1", "outcome",
		"pass", "exit_code", 0, "bundle", cv_json_digest(&s->bundle), "agent", s->agent,
		"path", s->path, "valid_until", cv_json_time(s->valid_until));
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);

	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_emit(&out, v, e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&out), stdout);
	return 0;
}

static int
create(struct cv_cmdline *c, struct cv_err *e)
{
	struct cv_lc_sealed sealed;
	int r = cv_lc_seal(&sealed, c, cv_cl_arg(c, 1), !cv_cl_json(c), e);

	if (r > 0)
		return sealed.exit_code;
	if (r == 0 && cv_cl_json(c))
		r = sealed_json(&sealed, e);
	if (r != 0)
		return cv_cmd_failed(c, e);
	if (!cv_cl_json(c) && !cv_cl_flag(c, "quiet"))
		(void)printf("sealed in %s\n", sealed.path);
	return CV_EXIT_PASS;
}

/* ---- looking ---- */

static json_t *
bundle_json(const struct cv_bundle *b, bool members)
{
	json_t *list = json_array();
	json_t *v = json_pack("{s:s,s:s,s:i,s:o,s:o,s:s,s:s,s:s,s:o,s:o,s:o}", "schema",
			      "clawverify.bundle-check/1", "outcome", "pass", "exit_code", 0,
			      "bundle", cv_json_digest(&b->digest), "launch_set",
			      cv_json_digest(&b->set_digest), "agent", b->agent, "path", b->path,
			      "key", b->keyid, "valid_from", cv_json_time(b->vsa.not_before),
			      "valid_until", cv_json_time(b->vsa.not_after), "members", list);
	size_t i;

	for (i = 0; v != NULL && members && i < b->members.n; i++)
		if (json_array_append_new(list,
					  json_pack("{s:s,s:s,s:I}", "path", b->members.v[i].path,
						    "role", b->members.v[i].role, "size",
						    (json_int_t)b->members.v[i].size)) != 0)
			cv_json_drop(&v);
	return v;
}

static int
print_json(const struct cv_bundle *b, bool members, struct cv_err *e)
{
	cv_auto(cv_json_drop) json_t *v = bundle_json(b, members);
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(64 * CV_MIB);

	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_emit(&out, v, e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&out), stdout);
	return 0;
}

static void
print_text(const struct cv_bundle *b, bool members)
{
	char text[CV_DIGEST_TEXT], at[CV_TIME_TEXT];
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < b->members.n; i++) {
		bytes += b->members.v[i].size;
		if (members) /* paths are free of controls: the list was read strictly */
			(void)printf("  %-10s %12llu  %s\n", b->members.v[i].role,
				     (unsigned long long)b->members.v[i].size,
				     b->members.v[i].path);
	}
	(void)printf("bundle      %s\n", cv_digest_text(&b->digest, text));
	(void)printf("launch set  %s\n", cv_digest_text(&b->set_digest, text));
	(void)printf("sealed by   %s\n", b->keyid);
	(void)printf("PASS  %s: %zu members, %llu bytes, valid until %s\n", b->agent, b->members.n,
		     (unsigned long long)bytes, cv_time_text(b->vsa.not_after, at));
}

static int
look(struct cv_cmdline *c, bool members, struct cv_err *e)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	struct cv_lc_trust t;
	char path[CV_PATH_ROOM];
	const char *check = NULL;
	int r;

	if (cv_cl_nargs(c) != 2) {
		cv_fail(e, CV_R_USAGE, "bundle %s: want one bundle", cv_cl_arg(c, 0));
		return cv_cmd_failed(c, e);
	}
	r = cv_lc_find(c, cv_cl_arg(c, 1), path, e);
	if (r == 0)
		cv_fail(e, CV_R_USAGE, "%s: no sealed bundle", cv_cl_arg(c, 1));
	if (r <= 0 || cv_lc_trust_open(&t, c, e) != 0)
		return cv_cmd_failed(c, e);
	r = cv_bundle_open(&b, path, &t.trust, &check, e);
	cv_lc_trust_close(&t);
	if (r != 0)
		return cv_lc_failed(c, check, e);
	if (!cv_cl_json(c))
		print_text(b, members);
	else if (print_json(b, members, e) != 0)
		return cv_cmd_failed(c, e);
	return CV_EXIT_PASS;
}

static int
run_bundle(struct cv_cmdline *c, struct cv_err *e)
{
	const char *what = cv_cl_arg(c, 0);

	if (strcmp(what, "create") == 0)
		return create(c, e);
	if (strcmp(what, "verify") == 0)
		return look(c, false, e);
	if (strcmp(what, "show") == 0)
		return look(c, true, e);
	cv_fail(e, CV_R_USAGE, "bundle %s: want create, verify or show", what);
	return cv_cmd_failed(c, e);
}

static const struct cv_opt opts[] = {
	CV_LC_OPT_KEY("create: sign with it; verify, show: believe it"),
	CV_LC_OPT_OUT,
	CV_LC_OPT_GATE,
	CV_LC_OPT_SESSION,
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_bundle = {
	.name = "bundle",
	.args = "create [AGENT] | verify BUNDLE | show BUNDLE",
	.summary = "seal a verified agent for launchers, and check what was sealed",
	.text = "create verifies AGENT and writes exactly what passed into a directory that is\n"
		"named by its digest: image, files, evidence, the signed verdict with its end,\n"
		"launch.json. It is signed with --key, else with this host's local key\n"
		"(clawverify trust keygen). verify proves every byte and the signature; show\n"
		"lists the members as well. They believe the bundle_keys of gate.json, without\n"
		"one --key, else the local key. BUNDLE is the directory, or sha256:... of one\n"
		"below --out.\n",
	.examples = "  clawverify bundle create\n"
		    "  clawverify bundle create agents/invoice --key ci.key --out /srv/bundles\n"
		    "  clawverify bundle verify /srv/bundles/sha256-4f1c... --key ci.pub\n",
	.opts = opts,
	.min_args = 1,
	.max_args = 2,
	.run = run_bundle,
};
