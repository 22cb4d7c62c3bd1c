/* SPDX-License-Identifier: Apache-2.0 */
/* policy_pattern.c: see policy_pattern.h. */
#include "verify/policy_pattern.h"

#include <string.h>

#include "trust/base/proto.h"

#include "trust/base/banned.h"

static const struct {
	const char *key, *option;
} kinds[] = { { "identity_pattern", "identity-pattern" }, { "issuer_pattern", "issuer-pattern" } };

/* The worker's answer: the first pattern that is none. */
struct answer {
	bool any;
	uint64_t pos;
	struct cv_err why;
};

typedef int each_pattern(void *ctx, size_t i, struct cv_jv v, size_t kind, struct cv_err *e);

/* each: all patterns, numbered in the order of the policy; stops at what is not 0. */
static int
each(const struct cv_policy *p, each_pattern *take, void *ctx, struct cv_err *e)
{
	size_t n = 0;
	int rc = 0;

	for (size_t s = 0; s < p->nsigners; s++)
		for (size_t i = 0; i < p->signers[s].nidentities; i++)
			for (size_t k = 0; k < CV_COUNT(kinds) && rc == 0; k++) {
				struct cv_jv v =
					cv_jv_get(p->signers[s].identities[i].at, kinds[k].key);

				if (!v.absent)
					rc = take(ctx, n++, v, k, e);
			}
	return rc;
}

static int
is_there(void *ctx, size_t i, struct cv_jv v, size_t kind, struct cv_err *e)
{
	(void)ctx;
	(void)i;
	(void)v;
	(void)kind;
	(void)e;
	return 1;
}

static int
send(void *ctx, size_t i, struct cv_jv v, size_t kind, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(ctx, CV_K_ITEM);
	const char *text = NULL;

	(void)i;
	(void)kind;
	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_PATTERN);
	cv_out_str(o, CV_TAG_TEXT, text);
	return cv_role_send(ctx, e);
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct answer *a = ctx;
	uint64_t pos = cv_frame_u64(f, CV_TAG_POS, UINT32_MAX);
	const char *text = cv_frame_str(f, CV_TAG_TEXT, CV_ERR_TEXT - 1);

	if (!a->any) {
		a->any = true;
		a->pos = pos;
		(void)cv_fail(&a->why, CV_R_CONFIG, "%s", text);
	}
	return cv_frame_done(f, "trust: OBSERVED", e);
}

struct place {
	const struct answer *a;
	bool options;
};

static int
tell(void *ctx, size_t i, struct cv_jv v, size_t kind, struct cv_err *e)
{
	const struct place *p = ctx;

	if (i != p->a->pos)
		return 0;
	if (p->options)
		return cv_fail(e, CV_R_USAGE, "--%s: %s", kinds[kind].option, p->a->why.text);
	return cv_jv_fail(v, e, CV_R_CONFIG, "%s", p->a->why.text);
}

int
cv_policy_patterns(const struct cv_policy *p, const struct cv_role_opts *role, bool options,
		   struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct answer a = { .any = false };
	struct cv_role_on on = { .ctx = &a, .fact = on_fact, .pipe_fd = -1 };
	struct place at = { .a = &a, .options = options };

	if (each(p, is_there, NULL, e) == 0)
		return 0;
	if (cv_role_start(&r, CV_ROLE_TRUST, role, e) != 0)
		return -1;
	cv_out_u64(cv_role_frame(r, CV_K_TASK), CV_TAG_TASK, CV_T_PATTERNS);
	if (cv_role_send(r, e) != 0 || each(p, send, r, e) != 0 ||
	    cv_role_run(r, &on, NULL, e) != 0)
		return -1;
	if (!a.any)
		return 0;
	if (each(p, tell, &at, e) == 0)
		return cv_fail(e, CV_R_WORKER,
			       "trust: a word about a pattern that nobody asked for");
	return -1;
}
