/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_result.c: what a run found out, and that nothing of it is lost. */
#include "tests/support/t.h"
#include "verify/result.h"

#include <unistd.h>

static struct cv_result *
open_two(void)
{
	struct cv_result *r = NULL;
	struct cv_err e;

	T_OK(cv_result_open(&r, 2, &e), e);
	r->artifacts[0].name = "a";
	r->artifacts[1].name = "b";
	return r;
}

static void
answer(struct cv_r_artifact *a, struct cv_finding f)
{
	struct cv_err e;

	T_OK(cv_result_plan(a, f.check, true, false, &e), e);
	T_OK(cv_result_answer(a, &f, true, &e), e);
}

static void
nothing_is_no(void)
{
	struct cv_result *r = NULL;
	struct cv_err e;

	T_OK(cv_result_open(&r, 0, &e), e);
	T(!cv_allows(r->decision.verdict));
	T_OK(cv_result_decide(r, &e), e);
	T_INT(r->decision.outcome, CV_UNKNOWN);
	T(!cv_allows(r->decision.verdict));
	cv_result_free(&r);
	r = open_two();
	T_OK(cv_result_decide(r, &e), e);
	T_INT(r->decision.outcome, CV_UNKNOWN);
	answer(&r->artifacts[0], cv_finding_pass("fetch.digest-mismatch"));
	T_OK(cv_result_decide(r, &e), e); /* the other one has no answer */
	T_INT(r->decision.outcome, CV_UNKNOWN);
	cv_result_free(&r);
	T(r == NULL);
}

static void
verdicts(void)
{
	struct cv_result *r = open_two();
	struct cv_finding no = cv_finding_no("agent.uncovered", CV_R_RULE);
	struct cv_err e;

	answer(&r->artifacts[0], cv_finding_pass("fetch.digest-mismatch"));
	answer(&r->artifacts[1], cv_finding_pass("fetch.digest-mismatch"));
	T_OK(cv_result_decide(r, &e), e);
	T(cv_allows(r->decision.verdict));
	T_INT(r->counts.passed, 2);

	r->audit = true;
	T_OK(cv_result_decide(r, &e), e);
	T(!cv_allows(r->decision.verdict));
	T_INT(r->decision.exit, 0);
	r->audit = false;
	r->historical = true;
	T_OK(cv_result_decide(r, &e), e);
	T(!cv_allows(r->decision.verdict));
	r->historical = false;

	T_OK(cv_result_agent_answer(r, &no, false, (struct cv_jpos){ 0 }, &e), e);
	T_OK(cv_result_decide(r, &e), e);
	T(cv_allows(r->decision.verdict));
	T_INT(r->counts.warned, 1);
	T_OK(cv_result_agent_answer(r, &no, true, (struct cv_jpos){ 0 }, &e), e);
	T_OK(cv_result_decide(r, &e), e);
	T(!cv_allows(r->decision.verdict));
	T_INT(r->decision.exit, 1);
	cv_result_free(&r);
}

static void
many(void)
{
	struct cv_result *r = open_two();
	struct cv_r_artifact *a = &r->artifacts[0];
	struct cv_err e;

	for (int i = 0; i < 1000; i++) {
		struct cv_finding f = cv_finding_pass("vuln.known");

		cv_finding_where(&f, "%d", i);
		T_OK(cv_result_answer(a, &f, true, &e), e);
		T_OK(cv_result_uncovered(r, "egress:a:1", i == 7, &e, "why"), e);
	}
	T_INT(a->nfindings, 1000);
	T_STR(a->findings[0].a.f.where, "0");
	T_STR(a->findings[999].a.f.where, "999");
	T(r->uncovered[7].accepted && !r->uncovered[8].accepted);
	cv_result_free(&r);
}

static void
copies(void)
{
	struct cv_result *r = open_two();
	struct cv_r_artifact *a = &r->artifacts[0];
	char keyid[] = "sha256:ab";
	struct cv_r_signer s = { .name = NULL, .keyid = keyid };
	char fixed[] = "1.2";
	struct cv_r_vuln v = { .purl = keyid, .id = keyid, .fixed = fixed };
	struct cv_digest d;
	int fd = t_memfd("x", 1);
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("x"), &e), e);
	T_OK(cv_result_signer(a, &s, &e), e);
	T_OK(cv_result_vuln(a, &v, &e), e);
	T_OK(cv_result_evidence(a, &d, (struct cv_blob){ .fd = fd, .len = 1 }, "signature", &e), e);
	T_OK(cv_result_evidence(a, &d, (struct cv_blob){ .fd = fd, .len = 1 }, "signature", &e), e);
	T_OK(cv_result_evidence(a, &d, CV_NO_BLOB, "sbom", &e), e);
	keyid[0] = fixed[0] = '!';
	close(fd);
	T_STR(a->signers[0].keyid, "sha256:ab");
	T(a->signers[0].name == NULL);
	T_STR(a->vulns[0].fixed, "1.2");
	T(a->vulns[0].summary == NULL);
	T_INT(a->nevidence, 2);
	T(a->evidence[0].blob.fd > 2 && lseek(a->evidence[0].blob.fd, 0, SEEK_END) == 1);
	T_INT(a->evidence[1].blob.fd, -1);
	cv_result_free(&r);
}

static void
words(void)
{
	T_STR(cv_basis_word(CV_BASIS_NONE), "none");
	T_STR(cv_basis_word(CV_BASIS_PINNED), "pinned");
	T_STR(cv_basis_word(CV_BASIS_ENDORSED), "endorsed");
	T_STR(cv_basis_word(CV_BASIS_SIGNED), "signed");
}

static const struct t_case cases[] = {
	{ "without answers it is never a pass", nothing_is_no },
	{ "the verdict follows; audit and --at cannot be launched", verdicts },
	{ "many answers", many },
	{ "what is added is copied", copies },
	{ "words of the basis", words },
};
T_MAIN(cases)
