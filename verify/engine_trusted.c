/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_trusted.c: whom a rule trusts, told to the trust worker. Must never send a
 * root that has ended, nor an identity without the root that judges it.
 */
#include <string.h>

#include "trust/base/clock.h"
#include "verify/engine_vouch.h"

#include "trust/base/banned.h"

#define WARN_DAYS 30 /* before a root's end */
#define DAY       (24 * 3600)

/* ---- roots ---- */

/* held: this root was spoken of already. */
static bool
held(const struct cv_job *j, const char *check, const char *where)
{
	for (size_t i = 0; i < j->nheld; i++)
		if (strcmp(j->held[i].check, check) == 0 && strcmp(j->held[i].where, where) == 0)
			return true;
	return false;
}

static int
root_ended(struct cv_job *j, const struct cv_sigroot *root, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("sig.root-expired", CV_R_STALE);
	char when[CV_TIME_TEXT];

	cv_finding_expected(&f, "a trust root that is not past its end");
	cv_finding_found(&f, "the trust root \"%s\" ended at %s", root->name,
			 cv_time_text(root->expires, when));
	cv_finding_where(&f, "%s", root->name);
	if (held(j, f.check, f.where))
		return 0;
	return cv_vouch_hold(j, &f) == 0 ? 0 : cv_fail_memory(e);
}

/* root_ends: a remark, while there is time to do something about it. */
static void
root_ends(struct cv_job *j, const struct cv_sigroot *root)
{
	struct cv_finding f = cv_finding_no("sig.root-expiring", CV_R_STALE);
	char when[CV_TIME_TEXT];

	cv_finding_expected(&f, "a trust root with more than %d days to go", WARN_DAYS);
	cv_finding_found(&f, "the trust root \"%s\" ends at %s", root->name,
			 cv_time_text(root->expires, when));
	cv_finding_where(&f, "%s", root->name);
	for (size_t i = 0; i < j->a->nfindings; i++)
		if (strcmp(j->a->findings[i].a.f.check, f.check) == 0)
			return;
	cv_job_say_as(j, &f, false);
}

/* root_holds: 1 it judges, 0 it has ended. */
static int
root_holds(struct cv_job *j, const struct cv_sigroot *root, struct cv_err *e)
{
	int64_t now = j->run->rq->now;

	if (!root->has_expires)
		return 1;
	if (now >= root->expires)
		return root_ended(j, root, e);
	if (now >= root->expires - WARN_DAYS * (int64_t)DAY)
		root_ends(j, root);
	return 1;
}

int
cv_vouch_root(struct cv_role *r, const struct cv_sigroot *root, struct cv_err *e)
{
	struct cv_blob b = CV_NO_BLOB;
	struct cv_out *o;
	int rc;

	if (cv_role_bytes(&b, root->text, e) != 0)
		return -1;
	o = cv_role_frame(r, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_ROOT);
	cv_out_str(o, CV_TAG_NAME, root->name);
	cv_out_blob(o, CV_TAG_BLOB, b);
	cv_out_u64(o, CV_TAG_FLAGS,
		   (root->without_log ? CV_ROOT_WITHOUT_LOG : 0u) |
			   (root->without_sct ? CV_ROOT_WITHOUT_SCT : 0u));
	cv_out_u64(o, CV_TAG_COUNT, root->logs);
	cv_out_u64(o, CV_TAG_VALUE, root->timestamps);
	rc = cv_role_send(r, e);
	cv_closep(&b.fd);
	return rc;
}

/* ---- signers ---- */

static int
send_key(struct cv_role *r, const struct cv_signer *s, const struct cv_key *key, struct cv_err *e)
{
	struct cv_blob b = CV_NO_BLOB;
	struct cv_out *o;
	int rc;

	if (cv_role_bytes(&b, cv_span_str(key->pem), e) != 0)
		return -1;
	o = cv_role_frame(r, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_KEY);
	cv_out_str(o, CV_TAG_NAME, s->name);
	if (s->keys_logged)
		cv_out_str(o, CV_TAG_REF, s->root->name);
	cv_out_blob(o, CV_TAG_BLOB, b);
	rc = cv_role_send(r, e);
	cv_closep(&b.fd);
	return rc;
}

static int
send_identity(struct cv_role *r, const struct cv_signer *s, const struct cv_identity_want *w,
	      struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(r, CV_K_ITEM);

	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_IDENTITY);
	cv_out_str(o, CV_TAG_NAME, s->name);
	cv_out_str(o, CV_TAG_REF, s->root->name);
	cv_out_str(o, CV_TAG_TEXT, w->text);
	return cv_role_send(r, e);
}

static int
send_tool(struct cv_role *r, const struct cv_signer *s, const struct cv_tool_want *w,
	  struct cv_err *e)
{
	struct cv_blob b = CV_NO_BLOB;
	struct cv_out *o;
	int rc;

	if (cv_role_bytes(&b, w->text, e) != 0)
		return -1;
	o = cv_role_frame(r, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_TOOL);
	cv_out_str(o, CV_TAG_NAME, s->name);
	cv_out_u64(o, CV_TAG_KIND, w->tool);
	cv_out_blob(o, CV_TAG_BLOB, b);
	if (w->tool == CV_TOOL_SSH) {
		cv_out_str(o, CV_TAG_REF, w->principal);
		cv_out_str(o, CV_TAG_TEXT, w->ns);
	}
	rc = cv_role_send(r, e);
	cv_closep(&b.fd);
	return rc;
}

static int
send_signer(struct cv_role *r, struct cv_job *j, const struct cv_signer *s, struct cv_err *e)
{
	bool rooted = s->nidentities > 0 || s->keys_logged;
	int holds = 1;

	if (rooted) {
		holds = root_holds(j, s->root, e);
		if (holds < 0 || (holds > 0 && cv_vouch_root(r, s->root, e) != 0))
			return -1;
	}
	for (size_t i = 0; i < s->nkeys && (holds > 0 || !s->keys_logged); i++)
		if (send_key(r, s, &s->keys[i], e) != 0)
			return -1;
	for (size_t i = 0; i < s->ntools; i++)
		if (send_tool(r, s, &s->tools[i], e) != 0)
			return -1;
	for (size_t i = 0; i < s->nidentities && holds > 0; i++)
		if (send_identity(r, s, &s->identities[i], e) != 0)
			return -1;
	return 0;
}

int
cv_vouch_keys(struct cv_role *r, struct cv_job *j, const struct cv_signer *const *signers, size_t n,
	      struct cv_err *e)
{
	for (size_t i = 0; i < n; i++)
		if (send_signer(r, j, signers[i], e) != 0)
			return -1;
	return 0;
}

/* named_before: a signer of attestation `w` whose keys were sent already. */
static bool
named_before(const struct cv_rule *rule, size_t w, const struct cv_signer *s)
{
	size_t i;

	if (cv_vouch_by(rule->signed_by, rule->nsigned_by, s->name))
		return true;
	for (i = 0; i < w; i++)
		if (cv_vouch_by(rule->attestations[i].signed_by, rule->attestations[i].nsigned_by,
				s->name))
			return true;
	return false;
}

int
cv_vouch_rule_keys(struct cv_role *r, struct cv_job *j, struct cv_err *e)
{
	const struct cv_rule *rule = j->rule;
	size_t i, k;

	if (cv_vouch_keys(r, j, rule->signed_by, rule->nsigned_by, e) != 0)
		return -1;
	for (i = 0; i < rule->nattestations; i++) {
		const struct cv_want_attestation *w = &rule->attestations[i];

		for (k = 0; k < w->nsigned_by; k++)
			if (!named_before(rule, i, w->signed_by[k]) &&
			    cv_vouch_keys(r, j, &w->signed_by[k], 1, e) != 0)
				return -1;
	}
	return 0;
}
