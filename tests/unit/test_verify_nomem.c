/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_nomem.c: each allocation of the readers of our own files fails in
 * turn. Each time the call fails too, with CV_R_MEMORY, or gives the same as ever
 * (libcrypto does without some): nothing is read as less than it says, nothing is
 * called a mistake of the user.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/nomem.h"
#include "tests/support/t.h"
#include "verify/gatecfg.h"
#include "verify/launchset.h"
#include "verify/lock.h"
#include "verify/result.h"

#include <fcntl.h>

static struct cv_buf agent_text, policy_text, lock_text, gate_text, set_text, request_text;

/* example: the one of that kind in docs/formats.md. */
static void
example(const char *doc, const char *kind, struct cv_buf *out)
{
	const char *p = strstr(doc, kind), *end;

	T(p != NULL && (p = strstr(p, "```json\n")) != NULL);
	p += strlen("```json\n");
	end = strstr(p, "\n```");
	T(end != NULL);
	*out = CV_BUF(1 << 20);
	cv_buf_add(out, p, (size_t)(end + 1 - p));
}

static void
load(void)
{
	struct cv_buf text = CV_BUF(1 << 20);
	struct cv_jdoc *doc = NULL;
	const char *p;
	struct cv_err e;

	if (!T_NOMEM)
		t_skip("a sanitizer's allocator");
	T_INT(cv_conf_read(&text, AT_FDCWD, "docs/formats.md", 1 << 20, &e), 1);
	p = cv_buf_text(&text);
	example(p, "<!-- example: agent -->", &agent_text);
	example(p, "<!-- example: policy -->", &policy_text);
	example(p, "<!-- example: lock -->", &lock_text);
	example(p, "<!-- example: gate-config -->", &gate_text);
	example(p, "<!-- example: launch-request -->", &request_text);
	example(p, "<!-- example: launch-set -->", &text);
	T_OK(cv_json_parse(&doc, "s", cv_buf_span(&text), 0, &e), e);
	set_text = CV_BUF(1 << 20);
	T_OK(cv_json_canonical(&set_text, cv_jv_json(cv_json_root(doc)), &e), e);
	cv_json_free(&doc);
	cv_buf_free(&text);
}

static int
agent(struct cv_digest *d, struct cv_err *e)
{
	struct cv_agent *a = NULL;
	int ret = cv_agent_parse(&a, "agent.json", cv_buf_span(&agent_text), e);

	if (ret == 0)
		*d = a->digest;
	cv_agent_free(&a);
	return ret;
}

static int
policy(struct cv_digest *d, struct cv_err *e)
{
	struct cv_policy *p = NULL;
	int ret = cv_policy_parse(&p, "policy.json", cv_buf_span(&policy_text), -1, e);

	if (ret == 0)
		*d = p->digest;
	cv_policy_free(&p);
	return ret;
}

static int
line(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e)
{
	struct cv_digest *d = ctx;

	(void)artifact, (void)pins, (void)text, (void)e;
	d->b[0]++;
	return 0;
}

static int
lock(struct cv_digest *d, struct cv_err *e)
{
	struct cv_lock *l = NULL;
	struct cv_lock *none = NULL;
	int ret = cv_lock_parse(&l, "lock", cv_buf_span(&lock_text), e);

	if (ret == 0) {
		*d = l->digest;
		ret = cv_lock_open(&none, 0, e);
	}
	if (ret == 0)
		ret = cv_lock_diff(l, none, line, d, e);
	cv_lock_free(&none);
	cv_lock_free(&l);
	return ret;
}

static int
gate(struct cv_digest *d, struct cv_err *e)
{
	struct cv_gatecfg *g = NULL;
	int ret = cv_gatecfg_parse(&g, "gate.json", cv_buf_span(&gate_text), -1, e);

	if (ret == 0) {
		*d = g->policy_signers[0].id;
		d->b[0] = (uint8_t)g->nfinal;
		d->b[1] = (uint8_t)g->npolicies;
	}
	cv_gatecfg_free(&g);
	return ret;
}

static int
set(struct cv_digest *d, struct cv_err *e)
{
	struct cv_launchset *s = NULL;
	int ret = cv_launchset_parse(&s, cv_buf_span(&set_text), e);

	if (ret == 0)
		ret = cv_launchset_digest(s, d, e);
	cv_launchset_free(&s);
	return ret;
}

static int
against(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_digest *d = ctx;

	(void)f, (void)e;
	d->b[0]++;
	return 0;
}

static int
compare(struct cv_digest *d, struct cv_err *e)
{
	struct cv_launchset *s = NULL, *r = NULL;
	struct cv_policy *p = NULL;
	int ret = cv_launchset_parse(&s, cv_buf_span(&set_text), e);

	if (ret == 0)
		ret = cv_launchreq_parse(&r, "r", cv_buf_span(&request_text), e);
	if (ret == 0)
		ret = cv_policy_parse(&p, "p", cv_buf_span(&policy_text), -1, e);
	*d = (struct cv_digest){ .alg = CV_SHA256 };
	if (ret == 0)
		ret = cv_launchset_compare(s, r, p, against, d, e);
	cv_policy_free(&p);
	cv_launchset_free(&r);
	cv_launchset_free(&s);
	return ret;
}

static int
make(struct cv_digest *d, struct cv_err *e)
{
	const struct cv_ls_image image = { .manifest = { .alg = CV_SHA256 },
					   .config = { .alg = CV_SHA256 } };
	struct cv_ls_artifact resolved[16];
	struct cv_launchset *s = NULL;
	struct cv_agent *a = NULL;
	int ret = cv_agent_parse(&a, "agent.json", cv_buf_span(&agent_text), e);

	for (size_t i = 0; ret == 0 && i < a->nartifacts; i++)
		resolved[i] = (struct cv_ls_artifact){ .name = a->artifacts[i].name,
						       .type = a->artifacts[i].type,
						       .digest = { .alg = CV_SHA256 } };
	if (ret == 0)
		ret = cv_launchset_make(&s, a, "linux/amd64", &image, resolved, a->nartifacts, e);
	if (ret == 0)
		ret = cv_launchset_digest(s, d, e);
	cv_launchset_free(&s);
	cv_agent_free(&a);
	return ret;
}

static int
fill(struct cv_result *r, struct cv_err *e)
{
	struct cv_finding f = cv_finding_pass("lock.absent");
	struct cv_r_signer s = { .name = (char[]){ "acme" }, .keyid = (char[]){ "k" } };
	struct cv_r_vuln v = { .id = (char[]){ "X-1" }, .purl = (char[]){ "pkg:x/y@1" } };
	struct cv_digest d = { .alg = CV_SHA256 };
	struct cv_r_artifact *a = &r->artifacts[0];

	a->name = "a";
	if (cv_result_plan(a, f.check, true, false, e) != 0 ||
	    cv_result_answer(a, &f, true, e) != 0 || cv_result_signer(a, &s, e) != 0 ||
	    cv_result_vuln(a, &v, e) != 0 || cv_result_evidence(a, &d, CV_NO_BLOB, "sbom", e) != 0)
		return -1;
	if (cv_result_uncovered(r, "secret:X", true, e, "why") != 0 ||
	    cv_result_agent_plan(r, f.check, true, false, e) != 0 ||
	    cv_result_agent_answer(r, &f, true, (struct cv_jpos){ 0 }, e) != 0)
		return -1;
	return cv_result_decide(r, e);
}

static int
result(struct cv_digest *d, struct cv_err *e)
{
	struct cv_result *r = NULL;
	int ret = cv_result_open(&r, 1, e);

	*d = (struct cv_digest){ .alg = CV_SHA256 };
	if (ret == 0)
		ret = fill(r, e);
	if (ret == 0)
		d->b[0] = r->counts.passed == 2 && r->nuncovered == 1 &&
			  r->uncovered[0].what != NULL && r->uncovered[0].why != NULL &&
			  r->artifacts[0].signers[0].name != NULL &&
			  r->artifacts[0].signers[0].keyid != NULL &&
			  r->artifacts[0].vulns[0].id != NULL &&
			  r->artifacts[0].vulns[0].purl != NULL && r->artifacts[0].nevidence == 1;
	/* whatever failed, a verdict that was not reached is no */
	if (r != NULL && ret != 0 && cv_allows(r->decision.verdict))
		ret = 0;
	cv_result_free(&r);
	return ret;
}

static const struct {
	const char *name;
	int (*run)(struct cv_digest *d, struct cv_err *e);
} calls[] = {
	{ "agent", agent },    { "policy", policy },   { "lock", lock }, { "gate", gate },
	{ "launch set", set }, { "compare", compare }, { "make", make }, { "result", result },
};

static void
each_allocation(void)
{
	load();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct cv_digest want, is;
		struct cv_err e = { 0 };
		size_t k = 0, failed = 0;
		int ret;

		T_OK(calls[i].run(&want, &e), e); /* what is done once is done */
		for (;;) {
			bool hit;

			e.reason = CV_R_NONE;
			t_nomem(++k);
			ret = calls[i].run(&is, &e);
			hit = t_nomem_hit();
			if (!hit)
				break;
			failed += ret != 0;
			if (ret == 0 ? !cv_digest_eq(&want, &is) : e.reason != CV_R_MEMORY)
				t_fail(__FILE__, __LINE__, "%s, allocation %zu: %d %s: %s",
				       calls[i].name, k, ret, cv_reason_word(e.reason), e.text);
		}
		T_INT(ret, 0);
		/* a key that could not be loaded is tried once more: that may succeed */
		T(failed > k / 8);
	}
}

static const struct t_case cases[] = {
	{ "each allocation fails in turn", each_allocation },
};
T_MAIN(cases)
