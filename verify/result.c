/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.c: see result.h. Must never lose an answer without saying so, nor
 * call launchable what policy only audits.
 */
#include "verify/result.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

const char *
cv_basis_word(enum cv_basis b)
{
	switch (b) {
	case CV_BASIS_PINNED:
		return "pinned";
	case CV_BASIS_ENDORSED:
		return "endorsed";
	case CV_BASIS_SIGNED:
		return "signed";
	case CV_BASIS_NONE:
		break;
	}
	return "none";
}

int
cv_result_open(struct cv_result **ret, size_t n, struct cv_err *e)
{
	cv_auto(cv_result_free) struct cv_result *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return cv_fail_memory(e);
	r->artifacts = calloc(n > 0 ? n : 1, sizeof(*r->artifacts));
	if (r->artifacts == NULL)
		return cv_fail_memory(e);
	r->nartifacts = n;
	r->landlock = -1;
	for (size_t i = 0; i < n; i++) {
		struct cv_r_artifact *a = &r->artifacts[i];

		a->manifest_blob = a->config_blob = a->archive_blob = CV_NO_BLOB;
	}
	*ret = cv_steal(r);
	return 0;
}

/* ---- adding ---- */

/* room: one more in an array (`array` points to the pointer) that grows by
 * doubling whenever its length is a power of two; the new place is zero. NULL:
 * CV_R_MEMORY. */
static void *
room(void *array, const size_t *n, size_t size, struct cv_err *e)
{
	char *p;

	memcpy(&p, array, sizeof(p));
	if ((*n & (*n - 1)) == 0) {
		p = reallocarray(p, *n > 0 ? 2 * *n : 1, size);
		if (p == NULL) {
			cv_fail_memory(e);
			return NULL;
		}
		memcpy(array, &p, sizeof(p));
	}
	p += *n * size;
	memset(p, 0, size);
	return p;
}

static int
copy(char **ret, const char *text, struct cv_err *e)
{
	*ret = NULL;
	if (text == NULL)
		return 0;
	*ret = strdup(text);
	return *ret != NULL ? 0 : cv_fail_memory(e);
}

static int
add_finding(struct cv_r_finding **v, size_t *n, const struct cv_finding *f, bool required,
	    struct cv_jpos pos, struct cv_err *e)
{
	struct cv_r_finding *to = room(v, n, sizeof(*to), e);

	if (to == NULL)
		return -1;
	to->a = (struct cv_answer){ .f = *f, .required = required };
	to->pos = pos;
	++*n;
	return 0;
}

int
cv_result_answer(struct cv_r_artifact *a, const struct cv_finding *f, bool required,
		 struct cv_err *e)
{
	struct cv_jpos pos = { 0 };

	if (a->decl != NULL)
		pos = a->decl->pos;
	return add_finding(&a->findings, &a->nfindings, f, required, pos, e);
}

int
cv_result_agent_answer(struct cv_result *r, const struct cv_finding *f, bool required,
		       struct cv_jpos pos, struct cv_err *e)
{
	return add_finding(&r->findings, &r->nfindings, f, required, pos, e);
}

static int
add_plan(struct cv_planned **v, size_t *n, const char *check, bool required, bool na_ok,
	 struct cv_err *e)
{
	struct cv_planned *to = room(v, n, sizeof(*to), e);

	if (to == NULL)
		return -1;
	*to = (struct cv_planned){ .check = check, .required = required, .na_ok = na_ok };
	++*n;
	return 0;
}

int
cv_result_plan(struct cv_r_artifact *a, const char *check, bool required, bool na_ok,
	       struct cv_err *e)
{
	return add_plan(&a->plan, &a->nplan, check, required, na_ok, e);
}

int
cv_result_agent_plan(struct cv_result *r, const char *check, bool required, bool na_ok,
		     struct cv_err *e)
{
	return add_plan(&r->plan, &r->nplan, check, required, na_ok, e);
}

int
cv_result_signer(struct cv_r_artifact *a, const struct cv_r_signer *s, struct cv_err *e)
{
	struct cv_r_signer *to = room(&a->signers, &a->nsigners, sizeof(*to), e);

	if (to == NULL)
		return -1;
	to->kind = s->kind;
	to->subject = s->subject;
	to->evidence = s->evidence;
	to->signed_at = s->signed_at;
	a->nsigners++; /* what is copied so far is released with it */
	if (copy(&to->name, s->name, e) != 0 || copy(&to->keyid, s->keyid, e) != 0 ||
	    copy(&to->identity, s->identity, e) != 0 || copy(&to->issuer, s->issuer, e) != 0)
		return -1;
	return copy(&to->predicate, s->predicate, e);
}

int
cv_result_evidence(struct cv_r_artifact *a, const struct cv_digest *d, struct cv_blob blob,
		   const char *role, struct cv_err *e)
{
	struct cv_r_evidence *to;

	/* one blob, one entry: the same bundle may prove several things */
	for (size_t i = 0; i < a->nevidence; i++)
		if (cv_digest_eq(&a->evidence[i].digest, d) &&
		    strcmp(a->evidence[i].role, role) == 0)
			return 0;
	to = room(&a->evidence, &a->nevidence, sizeof(*to), e);
	if (to == NULL)
		return -1;
	to->digest = *d;
	to->blob = CV_NO_BLOB;
	if (copy(&to->role, role, e) != 0)
		return -1;
	a->nevidence++;
	if (blob.fd < 0)
		return 0;
	to->blob = blob;
	to->blob.fd = fcntl(blob.fd, F_DUPFD_CLOEXEC, 3);
	if (to->blob.fd < 0)
		return cv_fail_errno(e, "evidence of %s", a->name);
	return 0;
}

int
cv_result_vuln(struct cv_r_artifact *a, const struct cv_r_vuln *v, struct cv_err *e)
{
	struct cv_r_vuln *to = room(&a->vulns, &a->nvulns, sizeof(*to), e);

	if (to == NULL)
		return -1;
	a->nvulns++;
	if (copy(&to->purl, v->purl, e) != 0 || copy(&to->id, v->id, e) != 0 ||
	    copy(&to->fixed, v->fixed, e) != 0 || copy(&to->severity, v->severity, e) != 0)
		return -1;
	return copy(&to->summary, v->summary, e);
}

int
cv_result_observed(struct cv_r_artifact *a, const char *where, const char *text, struct cv_err *e)
{
	struct cv_r_observed *to;

	if (a->nobserved >= CV_MAX_OBSERVED)
		return 0;
	to = room(&a->observed, &a->nobserved, sizeof(*to), e);
	if (to == NULL)
		return -1;
	a->nobserved++;
	if (copy(&to->where, where, e) != 0)
		return -1;
	return copy(&to->text, text, e);
}

int
cv_result_uncovered(struct cv_result *r, const char *what, bool accepted, struct cv_err *e,
		    const char *why)
{
	struct cv_r_uncovered *to = room(&r->uncovered, &r->nuncovered, sizeof(*to), e);

	if (to == NULL)
		return -1;
	to->accepted = accepted;
	r->nuncovered++;
	if (copy(&to->what, what, e) != 0)
		return -1;
	return copy(&to->why, why, e);
}

/* ---- deciding ---- */

/* answers: decide.h's view of the findings. */
static struct cv_answer *
answers(const struct cv_r_finding *v, size_t n, struct cv_err *e)
{
	struct cv_answer *to = calloc(n > 0 ? n : 1, sizeof(*to));

	if (to == NULL) {
		cv_fail_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		to[i] = v[i].a;
	return to;
}

static int
decide_artifact(struct cv_r_artifact *a, struct cv_err *e)
{
	cv_auto(cv_freep) struct cv_answer *v = answers(a->findings, a->nfindings, e);
	struct cv_subject_state s = { .plan = a->plan,
				      .nplan = a->nplan,
				      .nanswers = a->nfindings };

	if (v == NULL)
		return -1;
	s.answers = v;
	a->outcome = cv_decide_subject(&s, &a->counts, &a->reason);
	return 0;
}

static void
add_counts(struct cv_counts *sum, const struct cv_counts *c)
{
	sum->passed += c->passed;
	sum->failed += c->failed;
	sum->unknown += c->unknown;
	sum->waived += c->waived;
	sum->not_applicable += c->not_applicable;
	sum->warned += c->warned;
	sum->unanswered += c->unanswered;
}

int
cv_result_decide(struct cv_result *r, struct cv_err *e)
{
	size_t n = r->nartifacts;
	cv_auto(cv_freep) enum cv_outcome *outcomes = calloc(n + 1, sizeof(*outcomes));
	cv_auto(cv_freep) enum cv_reason *reasons = calloc(n + 1, sizeof(*reasons));
	cv_auto(cv_freep) struct cv_answer *own = answers(r->findings, r->nfindings, e);
	struct cv_subject_state agent = {
		.plan = r->plan, .nplan = r->nplan, .answers = own, .nanswers = r->nfindings
	};

	r->decision = (struct cv_decision){ 0 };
	r->counts = (struct cv_counts){ 0 };
	if (outcomes == NULL || reasons == NULL || own == NULL)
		return cv_fail_memory(e);
	for (size_t i = 0; i < n; i++) {
		if (decide_artifact(&r->artifacts[i], e) != 0)
			return -1;
		outcomes[i] = r->artifacts[i].outcome;
		reasons[i] = r->artifacts[i].reason;
		add_counts(&r->counts, &r->artifacts[i].counts);
	}
	r->decision = cv_decide(outcomes, reasons, n, &agent, &r->agent_counts);
	add_counts(&r->counts, &r->agent_counts);
	if (r->audit || r->historical || r->partial)
		r->decision.verdict = (cv_verdict){ 0 };
	return 0;
}

/* ---- releasing ---- */

/* 0 to 2 are never ours: an all-zero blob is none. */
static void
close_blob(struct cv_blob *b)
{
	if (b->fd > 2)
		close(b->fd);
	*b = CV_NO_BLOB;
}

void
cv_result_signer_free(struct cv_r_signer *s)
{
	free(s->name);
	free(s->keyid);
	free(s->predicate);
	free(s->identity);
	free(s->issuer);
}

static void
free_artifact(struct cv_r_artifact *a)
{
	for (size_t i = 0; i < a->nlayers; i++)
		free(a->layers[i].media);
	for (size_t i = 0; i < a->nsigners; i++)
		cv_result_signer_free(&a->signers[i]);
	for (size_t i = 0; i < a->nevidence; i++) {
		free(a->evidence[i].role);
		close_blob(&a->evidence[i].blob);
	}
	for (size_t i = 0; i < a->nvulns; i++) {
		struct cv_r_vuln *v = &a->vulns[i];

		free(v->purl);
		free(v->id);
		free(v->fixed);
		free(v->severity);
		free(v->summary);
	}
	close_blob(&a->manifest_blob);
	close_blob(&a->config_blob);
	close_blob(&a->archive_blob);
	cv_tree_free(&a->tree);
	for (size_t i = 0; i < a->nobserved; i++) {
		free(a->observed[i].where);
		free(a->observed[i].text);
	}
	free(a->observed);
	free(a->layers);
	free(a->signers);
	free(a->evidence);
	free(a->vulns);
	free(a->plan);
	free(a->findings);
	free(a->rule);
	free(a->guidance);
	free(a->media);
	free(a->ref);
	free(a->platform);
	free(a->package);
	free(a->version);
	free(a->sbom_format);
}

void
cv_result_free(struct cv_result **ret)
{
	struct cv_result *r = *ret;

	if (r == NULL)
		return;
	for (size_t i = 0; r->artifacts != NULL && i < r->nartifacts; i++)
		free_artifact(&r->artifacts[i]);
	for (size_t i = 0; i < r->nuncovered; i++) {
		free(r->uncovered[i].what);
		free(r->uncovered[i].why);
	}
	free(r->artifacts);
	free(r->uncovered);
	free(r->plan);
	free(r->findings);
	free(r->agent_name);
	free(r->agent_path);
	free(r->policy_path);
	free(r->lock_path);
	free(r->policy_name);
	free(r);
	*ret = NULL;
}
