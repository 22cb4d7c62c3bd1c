/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c: see gate.h. Must never allow what it could not find out. */
#include "verify/gate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/clock.h"
#include "verify/bundle_dir.h"
#include "verify/guarded.h"
#include "trust/base/banned.h"

void
cv_gate_no(struct cv_gate_answer *a, const char *check, const struct cv_err *why)
{
	enum cv_exit code = cv_reason_exit(why->reason);
	/* what forbids weighs more than what was not found out */
	static const int weight[] = { [CV_EXIT_PASS] = 4, /* an error is no pass */
				      [CV_EXIT_FAIL] = 3,
				      [CV_EXIT_USAGE] = 5,
				      [CV_EXIT_UNKNOWN] = 1,
				      [CV_EXIT_INTERNAL] = 2 };

	if (code == CV_EXIT_PASS)
		code = CV_EXIT_INTERNAL;
	if (a->nreasons == 0 || weight[code] > weight[a->exit])
		a->exit = code;
	if (a->nreasons == CV_GATE_MAX_REASONS) {
		a->more++;
		return;
	}
	a->reasons[a->nreasons].check = check;
	a->reasons[a->nreasons].reason = why->reason;
	(void)snprintf(a->reasons[a->nreasons].text, CV_ERR_TEXT, "%s", why->text);
	a->nreasons++;
}

void
cv_gate_answer_free(struct cv_gate_answer *a)
{
	cv_contract_free(&a->contract);
	cv_bundle_close(&a->bundle);
}

/* ---- the question ---- */

struct question {
	const char *bundle;
	const char *image;     /* NULL: a whole launch */
	struct cv_span launch; /* text of the launch request */
	struct cv_jv sources;  /* absent, or target: path */
	unsigned enforced;     /* bits 1 << enum cv_control */
};

static int
read_question(struct question *q, struct cv_jdoc **doc, struct cv_span in, struct cv_err *e)
{
	static const char *const keys[] = { "schema",   "bundle", "launch", "sources",
					    "enforced", "image",  NULL };
	struct cv_jv root, launch, image;
	const char *schema;

	if (cv_json_parse(doc, "request", in, CV_JSON_FOLD_KEYS, e) != 0)
		return -1;
	root = cv_json_root(*doc);
	launch = cv_jv_get(root, "launch");
	image = cv_jv_get(root, "image");
	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "schema"), &schema, e) != 0)
		return -1;
	if (strcmp(schema, CV_GATEREQ_SCHEMA) != 0)
		return cv_jv_fail(cv_jv_get(root, "schema"), e, CV_R_MALFORMED,
				  "found \"%s\", want \"%s\"", schema, CV_GATEREQ_SCHEMA);
	if (cv_jv_keys(root, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "bundle"), &q->bundle, e) != 0)
		return -1;
	if (launch.absent == image.absent)
		return cv_jv_fail(root, e, CV_R_MALFORMED, "want one of \"launch\" and \"image\"");
	if (!image.absent)
		return cv_jv_str(image, &q->image, e);
	q->sources = cv_jv_get(root, "sources");
	if (!q->sources.absent && cv_jv_want(q->sources, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_want(launch, CV_J_OBJECT, e) != 0)
		return -1;
	q->launch = cv_span(in.p + cv_jv_pos(launch).start,
			    cv_jv_pos(launch).end - cv_jv_pos(launch).start);
	if (cv_jv_get(root, "enforced").absent)
		return 0;
	return cv_controls_read(cv_jv_get(root, "enforced"), &q->enforced, e);
}

/* where: the directory of the bundle that is asked about. */
static int
where(const struct cv_gate_in *in, const char *bundle, char path[4096], struct cv_err *e)
{
	char name[CV_BUNDLE_NAME];
	struct cv_digest d;
	int n;

	if (bundle[0] == '/') {
		n = snprintf(path, 4096, "%s", bundle);
	} else {
		if (cv_digest_parse(&d, cv_span_str(bundle), e) != 0)
			return cv_fail_within(e,
					      "bundle: want \"sha256:<hex>\" or an absolute path");
		if (d.alg != CV_SHA256)
			return cv_fail(e, CV_R_MALFORMED, "bundle: want a sha256 digest");
		n = snprintf(path, 4096, "%s/%s", in->bundles, cv_bundle_name(&d, name));
	}
	return n < 4096 ? 0 : cv_fail(e, CV_R_MALFORMED, "bundle: too long a path");
}

/* same_digest: a bundle asked for by digest is that one, whatever its directory
 * is called. */
static int
same_digest(const struct cv_bundle *b, const char *asked, struct cv_err *e)
{
	char x[CV_DIGEST_TEXT];
	struct cv_digest d;

	if (asked[0] == '/')
		return 0;
	if (cv_digest_parse(&d, cv_span_str(asked), e) != 0)
		return -1;
	if (!cv_digest_eq(&d, &b->digest))
		return cv_fail(e, CV_R_DIGEST, "found bundle %s, want %s",
			       cv_digest_text(&b->digest, x), asked);
	return 0;
}

/* ---- authority ---- */

/* by_path: a policy that gate.json names on this host, if the bundle's is it. */
static int
by_path(struct cv_policy **ret, const struct cv_gatecfg *g, const struct cv_bundle *b,
	struct cv_err *e)
{
	size_t i;

	for (i = 0; i < g->npolicies; i++) {
		cv_auto(cv_policy_free) struct cv_policy *p = NULL;
		cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
		enum cv_gate_by by = CV_GATE_NO;
		struct cv_err why;
		const char *path = g->policies[i].path;

		if (path == NULL)
			continue;
		if (cv_policy_load(&p, path, e) != 0) {
			if (cv_reason_exit(e->reason) == CV_EXIT_INTERNAL)
				return -1;
			continue; /* another one may be the bundle's */
		}
		if (!cv_digest_eq(&p->digest, &b->vsa.policy))
			continue;
		if (cv_conf_read(&text, AT_FDCWD, path, CV_MAX_HUMAN_FILE, e) < 0 ||
		    cv_gatecfg_authority(g, path, cv_buf_span(&text), false, &by, e) != 0)
			return -1;
		/* its digest says what it is; its path alone does only if it is ours */
		if (by == CV_GATE_BY_PATH && cv_guarded(AT_FDCWD, path, &why) != 0)
			return cv_fail(e, CV_R_UNAUTHORISED, "%s", why.text);
		if (cv_gatecfg_check(g, p, by, e) != 0)
			return -1;
		*ret = cv_steal(p);
		return 1;
	}
	return 0;
}

/* signed_by: the policy in the bundle is what a policy signer put into the envelope
 * that lies beside it. 1, 0 there is none, -1. */
static int
signed_by(const struct cv_gatecfg *g, const struct cv_bundle *b, struct cv_span policy, int64_t now,
	  const struct cv_role_opts *role, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf envelope = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(CV_MAX_JSON_DOM);

	if (g->npolicy_signers == 0 ||
	    cv_members_find(&b->members, CV_BUNDLE_POLICY_SIGNED) == NULL)
		return 0;
	if (cv_bundle_read(b, CV_BUNDLE_POLICY_SIGNED, &envelope, e) != 0)
		return -1;
	if (cv_dsse_open(role, CV_BUNDLE_POLICY_SIGNED, cv_buf_span(&envelope), CV_POLICY_PAYLOAD,
			 g->policy_signers, g->npolicy_signers, now, &payload, NULL, e) != 0) {
		if (cv_reason_exit(e->reason) == CV_EXIT_FAIL)
			e->reason = CV_R_UNAUTHORISED;
		return -1;
	}
	if (!cv_span_eq(cv_buf_span(&payload), policy))
		return cv_fail(e, CV_R_UNAUTHORISED, "what was signed is another policy than %s",
			       CV_BUNDLE_POLICY);
	return 1;
}

/* by_itself: the policy that lies in the bundle, if gate.json names its bytes or
 * one of its signers. */
static int
by_itself(struct cv_policy **ret, const struct cv_gatecfg *g, const struct cv_bundle *b,
	  int64_t now, const struct cv_role_opts *role, struct cv_err *e)
{
	cv_auto(cv_policy_free) struct cv_policy *p = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	enum cv_gate_by by = CV_GATE_NO;
	char x[CV_DIGEST_TEXT], y[CV_DIGEST_TEXT];
	int is_signed;

	if (cv_bundle_read(b, CV_BUNDLE_POLICY, &text, e) != 0)
		return -1;
	is_signed = signed_by(g, b, cv_buf_span(&text), now, role, e);
	if (is_signed < 0 ||
	    cv_gatecfg_authority(g, NULL, cv_buf_span(&text), is_signed > 0, &by, e) != 0)
		return -1;
	if (by != CV_GATE_BY_SHA256 && (by != CV_GATE_BY_SIGNER || is_signed == 0))
		return cv_fail(e, CV_R_UNAUTHORISED,
			       "gate.json neither names the bundle's policy %s nor its signer",
			       cv_digest_text(&b->vsa.policy, x));
	if (cv_policy_parse(&p, CV_BUNDLE_POLICY, cv_buf_span(&text), -1, e) != 0)
		return -1;
	if (!cv_digest_eq(&p->digest, &b->vsa.policy))
		return cv_fail(e, CV_R_UNAUTHORISED,
			       "the bundle was sealed under policy %s, and the policy in it is %s",
			       cv_digest_text(&b->vsa.policy, x), cv_digest_text(&p->digest, y));
	if (cv_gatecfg_check(g, p, by, e) != 0)
		return -1;
	*ret = cv_steal(p);
	return 0;
}

int
cv_gate_policy(struct cv_policy **ret, const struct cv_gatecfg *g, const struct cv_bundle *b,
	       int64_t now, const struct cv_role_opts *role, const char **check, struct cv_err *e)
{
	cv_auto(cv_policy_free) struct cv_policy *p = NULL;
	char at[CV_TIME_TEXT];
	int r = by_path(&p, g, b, e);

	*check = "policy.not-authorised";
	if (r == 0)
		r = by_itself(&p, g, b, now, role, e) == 0 ? 1 : -1;
	if (r < 0)
		return -1;
	if (p->audit)
		return cv_fail(e, CV_R_UNAUTHORISED, "a policy of mode audit allows no launch");
	if (p->has_expires && now >= p->expires) {
		*check = "policy.expired";
		return cv_fail(e, CV_R_EXPIRED, "the policy ended at %s",
			       cv_time_text(p->expires, at));
	}
	*check = NULL;
	*ret = cv_steal(p);
	return 0;
}

/* ---- the launch ---- */

static int
on_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_gate_answer *a = ctx;
	struct cv_err why;

	(void)e;
	cv_fail(&why, f->reason, "%s%s%s%s%s%s", f->where, f->where[0] != '\0' ? ": " : "",
		f->found[0] != '\0' ? "found " : "", f->found,
		f->expected[0] != '\0' ? ", want " : "", f->expected);
	cv_gate_no(a, f->check, &why);
	return 0;
}

/* as_states: what the launcher says it enforces, in the form of an adapter. */
static void
as_states(unsigned enforced, struct cv_control_state s[CV_CTL_COUNT])
{
	size_t i;

	for (i = 0; i < CV_CTL_COUNT; i++)
		s[i] = (struct cv_control_state){
			.enforced = (enforced & 1u << i) != 0,
			.why = (enforced & 1u << i) != 0 ? "the launcher says so"
							 : "the launcher does not say that it "
							   "enforces it"
		};
}

/* judge_sources: where the launcher takes the mounts from, as far as it says. */
static int
judge_sources(struct cv_gate_answer *a, const struct question *q, struct cv_err *e)
{
	const struct cv_contract *c = &a->contract;
	struct cv_jv v;

	for (v = cv_jv_first(q->sources); !v.absent; v = cv_jv_next(v)) {
		struct cv_finding f = cv_finding_no("launch.set-mismatch", CV_R_RULE);
		char want[8192] = "no such mount";
		const char *text;
		size_t i;

		if (cv_jv_str(v, &text, e) != 0)
			return -1;
		for (i = 0; i < c->set->nmounts; i++)
			if (strcmp(c->set->mounts[i].target, cv_jv_key(v)) == 0)
				(void)snprintf(want, sizeof(want), "%s/%s", a->bundle->path,
					       c->sources[i]);
		if (strcmp(want, text) == 0)
			continue;
		cv_finding_where(&f, "sources %s", cv_jv_key(v));
		cv_finding_found(&f, "%s", text);
		cv_finding_expected(&f, "%s", want);
		if (on_finding(a, &f, e) != 0)
			return -1;
	}
	return 0;
}

/* judge_launch: -1 only when it could not be judged. */
static int
judge_launch(struct cv_gate_answer *a, const struct question *q, const struct cv_policy *policy,
	     const char **check, struct cv_err *e)
{
	cv_auto(cv_launchset_free) struct cv_launchset *request = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_control_state states[CV_CTL_COUNT];
	unsigned missing;

	*check = "gate.malformed";
	if (cv_launchreq_parse(&request, "launch", q->launch, e) != 0)
		return -1;
	*check = "bundle.changed";
	if (cv_bundle_read(a->bundle, CV_BUNDLE_LAUNCH, &text, e) != 0 ||
	    cv_contract_parse(&a->contract, a->bundle->set, cv_buf_span(&text), e) != 0)
		return -1;
	*check = NULL;
	if (cv_launchset_compare(a->bundle->set, request, policy, on_finding, a, e) != 0 ||
	    judge_sources(a, q, e) != 0)
		return -1;
	as_states(q->enforced, states);
	missing = cv_controls_missing(a->contract.required | policy->required_controls, states);
	if (missing != 0) {
		struct cv_finding f = cv_controls_finding(missing, states);

		return on_finding(a, &f, e);
	}
	return 0;
}

static int
judge_image(struct cv_gate_answer *a, const char *image, const char **check, struct cv_err *e)
{
	const struct cv_ls_image *want = &a->bundle->set->image;
	char x[CV_DIGEST_TEXT], y[CV_DIGEST_TEXT];
	struct cv_digest d;

	a->image_only = true;
	*check = "gate.malformed";
	if (cv_digest_parse(&d, cv_span_str(image), e) != 0)
		return cv_fail_within(e, "image: want an id, a name with a tag proves nothing");
	*check = "launch.image-mismatch";
	if (!cv_digest_eq(&d, &want->config) && !cv_digest_eq(&d, &want->manifest) &&
	    !cv_digest_eq(&d, &want->index))
		return cv_fail(e, CV_R_DIGEST, "found %s, want %s or %s", image,
			       cv_digest_text(&want->config, x),
			       cv_digest_text(&want->manifest, y));
	*check = NULL;
	return 0;
}

static int
open_bundle(struct cv_gate_answer *a, const struct cv_gate_in *in, const char *asked,
	    const char **check, struct cv_err *e)
{
	const struct cv_bundle_trust trust = { .keys = in->gate->bundle_keys,
					       .nkeys = in->gate->nbundle_keys,
					       .now = in->now,
					       .role = in->role };
	char path[4096];

	*check = "gate.malformed";
	if (where(in, asked, path, e) != 0)
		return -1;
	if (cv_bundle_open(&a->bundle, path, &trust, check, e) != 0) {
		if (e->reason == CV_R_USAGE) { /* it is the request that names it */
			*check = "bundle.untrusted";
			e->reason = CV_R_ABSENT;
		}
		return -1;
	}
	*check = "bundle.changed";
	if (same_digest(a->bundle, asked, e) != 0)
		return -1;
	*check = "bundle.untrusted";
	return cv_dir_guarded(a->bundle->path, e);
}

static int
decide(struct cv_gate_answer *a, const struct cv_gate_in *in, const char **check, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_policy_free) struct cv_policy *policy = NULL;
	struct question q = { .sources = { .absent = true } };

	*check = "gate.malformed";
	if (read_question(&q, &doc, in->request, e) != 0)
		return -1;
	a->image_only = q.image != NULL;
	if (open_bundle(a, in, q.bundle, check, e) != 0 ||
	    cv_gate_policy(&policy, in->gate, a->bundle, in->now, &in->role, check, e) != 0)
		return -1;
	a->valid_until = a->bundle->vsa.not_after;
	if (policy->has_expires && policy->expires < a->valid_until)
		a->valid_until = policy->expires;
	return q.image != NULL ? judge_image(a, q.image, check, e)
			       : judge_launch(a, &q, policy, check, e);
}

void
cv_gate_ask(struct cv_gate_answer *a, const struct cv_gate_in *in)
{
	struct cv_err e = { .reason = CV_R_NONE };
	const char *check = NULL;

	*a = (struct cv_gate_answer){ .exit = CV_EXIT_INTERNAL };
	if (decide(a, in, &check, &e) != 0) {
		/* a question that cannot be understood was not looked into */
		if (check != NULL && strcmp(check, "gate.malformed") == 0 &&
		    cv_reason_exit(e.reason) != CV_EXIT_INTERNAL)
			e.reason = CV_R_USAGE;
		cv_gate_no(a, check, &e);
	} else if (a->nreasons == 0 && a->bundle != NULL)
		a->exit = CV_EXIT_PASS;
}
