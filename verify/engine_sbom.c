/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_sbom.c: SBOM statements of an artifact, matched against the advisory
 * index. Only a document out of a proven statement about this artifact counts,
 * by a signer whom the rule names. No index is "unknown", never "clean".
 */
#include "verify/engine_vouch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define MAX_DOCUMENTS 16

struct sbom {
	struct cv_job *job;
	const struct cv_statement_fact *s;
	char *format;
	uint64_t components, matched, uncovered;
	int64_t db_built;        /* 0: not told */
	struct cv_r_vuln *vulns; /* strings owned */
	size_t nvulns;
	enum cv_severity worst;
};

static int
send_subject(struct cv_role *r, const struct cv_digest *d, struct cv_err *e)
{
	struct cv_out *o;

	if (d->alg == CV_ALG_NONE)
		return 0;
	o = cv_role_frame(r, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_SUBJECT);
	cv_out_digest(o, CV_TAG_DIGEST, d);
	return cv_role_send(r, e);
}

static int
send_sbom(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	const struct sbom *b = c->ctx;
	const struct cv_request *rq = c->job->run->rq;
	const struct cv_r_artifact *a = c->job->a;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_SBOM);
	cv_out_blob(o, CV_TAG_BLOB, b->s->blob);
	cv_out_str(o, CV_TAG_MEDIA, b->s->predicate);
	cv_out_str(o, CV_TAG_NAME, c->job->decl->name);
	cv_out_u64(o, CV_TAG_NOW, (uint64_t)rq->now);
	cv_out_u64(o, CV_TAG_MAX, (uint64_t)c->job->rule->sbom_max_index_age);
	if (cv_role_send(r, e) != 0 || send_subject(r, &a->index, e) != 0 ||
	    send_subject(r, &a->manifest, e) != 0 || send_subject(r, &a->config, e) != 0)
		return -1;
	if (c->job->decl->type != CV_A_IMAGE &&
	    (send_subject(r, &a->digest, e) != 0 || send_subject(r, &a->archive, e) != 0))
		return -1;
	if (rq->db.fd < 0)
		return 0;
	o = cv_role_frame(r, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_DB);
	cv_out_blob(o, CV_TAG_BLOB, rq->db);
	return cv_role_send(r, e);
}

/* severity: of a word in a VULN fact; one that is not known weighs most. */
static enum cv_severity
severity(const char *word)
{
	size_t i;

	for (i = CV_SEV_LOW; i <= CV_SEV_CRITICAL; i++)
		if (strcasecmp(cv_severity_words[i], word) == 0)
			return (enum cv_severity)i;
	return CV_SEV_CRITICAL;
}

static int
vuln_fact(struct sbom *b, struct cv_frame *f, struct cv_err *e)
{
	struct cv_r_vuln *v = reallocarray(b->vulns, b->nvulns + 1, sizeof(*v));
	const char *word;

	if (v == NULL)
		return cv_fail_memory(e);
	b->vulns = v;
	v = &v[b->nvulns++];
	*v = (struct cv_r_vuln){ 0 };
	word = cv_frame_has(f, CV_TAG_TEXT) ? cv_frame_str(f, CV_TAG_TEXT, 64) : "";
	if (severity(word) > b->worst)
		b->worst = severity(word);
	v->severity = strdup(word);
	v->purl = strdup(cv_frame_str(f, CV_TAG_NAME, CV_MAX_PURL));
	v->id = strdup(cv_frame_str(f, CV_TAG_REF, 256));
	v->fixed = strdup(cv_frame_has(f, CV_TAG_VERSION)
				  ? cv_frame_str(f, CV_TAG_VERSION, CV_MAX_VERSION)
				  : "");
	v->summary = strdup(cv_frame_has(f, CV_TAG_NOTE) ? cv_frame_str(f, CV_TAG_NOTE, 4096) : "");
	if (v->severity == NULL || v->purl == NULL || v->id == NULL || v->fixed == NULL ||
	    v->summary == NULL)
		return cv_fail_memory(e);
	if (b->nvulns > CV_MAX_COMPONENTS)
		return cv_fail(e, CV_R_WORKER, "contents: too many VULN facts");
	return cv_frame_done(f, "contents: VULN", e);
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct sbom *b = ctx;

	switch (cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED)) {
	case CV_F_VULN:
		return vuln_fact(b, f, e);
	case CV_F_SBOM:
		free(b->format);
		b->format = strdup(cv_frame_str(f, CV_TAG_MEDIA, 64));
		b->components = cv_frame_u64(f, CV_TAG_COUNT, UINT64_MAX);
		b->matched = cv_frame_u64(f, CV_TAG_VALUE, UINT64_MAX);
		b->uncovered = cv_frame_u64(f, CV_TAG_SIZE, UINT64_MAX);
		if (cv_frame_has(f, CV_TAG_NOW))
			b->db_built = (int64_t)cv_frame_u64(f, CV_TAG_NOW, INT64_MAX);
		if (b->format == NULL)
			return cv_fail_memory(e);
		return cv_frame_done(f, "contents: SBOM", e);
	default:
		return 0;
	}
}

/* tell: the question is whether there is a vulnerability that matters: with none
 * of the rule's severity, or a rule that only lists them, the answer is "pass",
 * and the list is in the result. */
static void
tell(const struct sbom *b, const struct cv_call *c)
{
	struct cv_job *j = b->job;
	bool decisive = j->rule->vulnerabilities_deny &&
			(b->nvulns == 0 || b->worst >= j->rule->min_severity);
	struct cv_finding listed = cv_finding_pass("vuln.known");
	bool told = false;
	size_t i;

	for (i = 0; i < c->nsaid; i++) {
		const struct cv_finding *f = &c->said[i];

		if (strcmp(f->check, "vuln.known") != 0 || f->outcome != CV_FAIL || decisive) {
			cv_job_say(j, f);
		} else if (!told) {
			told = true;
			cv_finding_found(&listed, "%zu known, none that the rule refuses",
					 b->nvulns);
			cv_job_say(j, &listed);
		}
	}
}

/* keep: facts of a task that came to its end. */
static void
keep(struct sbom *b)
{
	struct cv_r_artifact *a = b->job->a;
	struct cv_err e = { 0 };
	size_t i;

	free(a->sbom_format);
	a->sbom_format = cv_steal(b->format);
	a->components += b->components;
	a->matched += b->matched;
	a->uncovered += b->uncovered;
	if (b->db_built != 0)
		cv_run_db_built(b->job->run, b->db_built);
	for (i = 0; i < b->nvulns; i++)
		if (cv_result_vuln(a, &b->vulns[i], &e) != 0)
			cv_run_break(b->job->run, &e);
}

static void
read_one(struct cv_job *j, const struct cv_statement_fact *s)
{
	struct sbom b = { .job = j, .s = s };
	struct cv_call c = { .job = j,
			     .kind = CV_ROLE_CONTENTS,
			     .ctx = &b,
			     .send = send_sbom,
			     .fact = on_fact,
			     .pipe_fd = -1,
			     .answers = cv_sbom_checks };
	struct cv_err e = { 0 };
	size_t i;

	if (cv_call_run(&c, &e) != 0) {
		cv_job_err(j, c.check, "sbom.malformed", &e);
	} else {
		tell(&b, &c);
		keep(&b);
	}
	cv_call_free(&c);
	for (i = 0; i < b.nvulns; i++) {
		free(b.vulns[i].purl);
		free(b.vulns[i].id);
		free(b.vulns[i].fixed);
		free(b.vulns[i].severity);
		free(b.vulns[i].summary);
	}
	free(b.vulns);
	free(b.format);
}

static bool
counts(const struct cv_job *j, const struct cv_statement_fact *s)
{
	return cv_vouch_is_sbom(s->predicate) &&
	       cv_vouch_by(j->rule->signed_by, j->rule->nsigned_by, s->signer) &&
	       cv_vouch_subject(j, &s->subject);
}

/* seen: the same bytes by another signer are read once. */
static bool
seen(const struct cv_job *j, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (counts(j, &j->statements[k]) &&
		    cv_digest_eq(&j->statements[k].evidence, &j->statements[i].evidence))
			return true;
	return false;
}

void
cv_sbom_run(struct cv_job *j)
{
	size_t i, n = 0;

	if (!j->rule->sbom_required)
		return;
	for (i = 0; i < j->nstatements; i++) {
		if (!counts(j, &j->statements[i]) || seen(j, i))
			continue;
		if (++n > MAX_DOCUMENTS) {
			cv_job_no(j, "sbom.unsupported", CV_R_LIMIT, NULL,
				  "more than %d documents about one artifact", MAX_DOCUMENTS);
			return;
		}
		read_one(j, &j->statements[i]);
	}
	if (j->run->rq->db.fd < 0 && n == 0) /* else the worker has said so */
		cv_job_no(j, "vuln.index-absent", CV_R_NO_COVERAGE,
			  "an advisory index (clawverify db import)", "none");
	if (n > 0)
		cv_job_pass(j, "sbom.absent");
	else
		cv_job_no(j, "sbom.absent",
			  j->sig_trouble != CV_R_NONE ? j->sig_trouble : CV_R_ABSENT,
			  "a signed CycloneDX or SPDX statement about this artifact", "none");
}
