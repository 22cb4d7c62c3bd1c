/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_evidence.c: evidence that lies beside the agent: signature files of
 * its artifacts, and endorsements. It is copied into the store first, so that
 * what was proven is what the bundle gets. An endorsement counts only if its
 * predicate, out of a proven statement, names this artifact and has not ended.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/engine_vouch.h"
#include "verify/local.h"

#include "trust/base/banned.h"

/* keep: copied into the store, from the start of a file. */
static int
keep_bytes(struct cv_job *j, int fd, const char *name, struct cv_blob *ret, struct cv_err *e)
{
	cv_auto(cv_put_drop) struct cv_put *put = NULL;
	cv_auto(cv_freep) uint8_t *b = malloc(CV_MIB);
	off_t at = 0;
	ssize_t n = 0;
	int rc;

	if (b == NULL)
		return cv_fail_memory(e);
	rc = cv_put_open(&put, j->run->rq->store, CV_MAX_BUNDLE, e);
	while (rc == 0 && (n = pread(fd, b, CV_MIB, at)) > 0) {
		rc = cv_put_add(put, b, (size_t)n, e);
		at += n;
	}
	if (rc == 0 && n < 0)
		rc = cv_fail_errno(e, "%s: read", name);
	return rc != 0 ? -1 : cv_put_end(&put, NULL, CV_SIZE_ANY, NULL, ret, e);
}

/* keep_file: 1: copied into the store; 0: there is no such file; -1. */
static int
keep_file(struct cv_job *j, const char *path, struct cv_blob *ret, const char **check,
	  struct cv_err *e)
{
	struct cv_blob file = CV_NO_BLOB;
	int rc;

	rc = cv_local_file(j->run->rq->base_fd, path, CV_MAX_BUNDLE, &file, check, e);
	if (rc <= 0)
		return rc;
	rc = keep_bytes(j, file.fd, path, ret, e);
	cv_closep(&file.fd);
	return rc != 0 ? -1 : 1;
}

/* ---- one CV_T_BLOB task ---- */

struct piece {
	enum cv_evidence kind;
	const char *name;
	char *own;           /* the name, if it is nobody else's; owned */
	struct cv_blob blob; /* owned */
};

struct asking {
	struct cv_job *job;
	const struct cv_digest *about;
	struct cv_blob bytes;
	const struct cv_signer *const *signers; /* NULL: the rule's */
	size_t nsigners;
	struct piece *piece;
	size_t n;
};

static void
drop_pieces(struct asking *a)
{
	for (size_t i = 0; i < a->n; i++) {
		cv_closep(&a->piece[i].blob.fd);
		free(a->piece[i].own);
	}
}

static int
send_pieces(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct asking *a = c->ctx;
	size_t i;

	for (i = 0; i < a->n; i++) {
		struct cv_out *o = cv_role_frame(r, CV_K_ITEM);

		cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_EVIDENCE);
		cv_out_u64(o, CV_TAG_KIND, a->piece[i].kind);
		cv_out_str(o, CV_TAG_NAME, a->piece[i].name);
		cv_out_blob(o, CV_TAG_BLOB, a->piece[i].blob);
		if (cv_role_send(r, e) != 0)
			return -1;
	}
	return 0;
}

static int
send_blob(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct asking *a = c->ctx;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);
	int rc;

	cv_out_u64(o, CV_TAG_TASK, CV_T_BLOB);
	cv_out_digest(o, CV_TAG_DIGEST, a->about);
	if (a->bytes.fd >= 0)
		cv_out_blob(o, CV_TAG_BLOB, a->bytes);
	cv_out_str(o, CV_TAG_NAME, a->job->decl->name);
	cv_out_u64(o, CV_TAG_NOW, (uint64_t)c->job->run->rq->now);
	if (cv_role_send(r, e) != 0)
		return -1;
	rc = a->signers != NULL ? cv_vouch_keys(r, a->job, a->signers, a->nsigners, e)
				: cv_vouch_rule_keys(r, a->job, e);
	return rc != 0 ? -1 : send_pieces(c, r, e);
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	return cv_vouch_fact(((struct asking *)ctx)->job, f, e);
}

/* ask: facts are in the job once this returns 0; the findings in c. */
static int
ask(struct asking *a, struct cv_call *c, struct cv_err *e)
{
	size_t nsigners = a->job->a->nsigners, nstatements = a->job->nstatements;

	*c = (struct cv_call){ .job = a->job,
			       .kind = CV_ROLE_TRUST,
			       .ctx = a,
			       .send = send_blob,
			       .fact = on_fact,
			       .pipe_fd = -1 };
	if (cv_call_run(c, e) == 0)
		return 0;
	cv_vouch_forget(a->job, nsigners, nstatements);
	return -1;
}

/* ---- the agent's evidence files ---- */

static void
hold_absent(struct cv_job *j, const char *path)
{
	struct cv_finding f = cv_finding_no("sig.absent", CV_R_ABSENT);
	struct cv_err e = { 0 };

	cv_finding_where(&f, "%s", path);
	cv_finding_found(&f, "there is no such file");
	if (cv_vouch_hold(j, &f) != 0) {
		cv_fail_memory(&e);
		cv_run_break(j->run, &e);
	}
}

static void
take_files(struct cv_job *j, struct piece *piece, size_t *n)
{
	size_t i;

	for (i = 0; i < j->decl->nevidence && i < CV_MAX_EVIDENCE_ITEMS; i++) {
		const struct cv_agent_evidence *ev = &j->decl->evidence[i];
		struct cv_err e = { 0 };
		const char *check = NULL;
		int rc;

		rc = keep_file(j, ev->path, &piece[*n].blob, &check, &e);
		if (rc == 0) {
			hold_absent(j, ev->path);
		} else if (rc < 0) {
			j->sig_trouble = e.reason;
			cv_job_err(j, check, "file.unsafe", &e);
		} else {
			piece[*n].kind = ev->kind;
			piece[*n].name = ev->path;
			++*n;
		}
	}
}

static void
take_given(struct cv_job *j, struct piece *piece, size_t *n)
{
	const struct cv_request *rq = j->run->rq;
	size_t i;

	for (i = 0; i < rq->nevidence && *n < CV_MAX_EVIDENCE_ITEMS; i++) {
		const struct cv_request_evidence *ev = &rq->evidence[i];
		struct cv_err e = { 0 };

		if (keep_bytes(j, ev->fd, ev->name, &piece[*n].blob, &e) != 0) {
			j->sig_trouble = e.reason;
			cv_job_err(j, NULL, "file.unsafe", &e);
		} else {
			piece[*n].kind = ev->kind;
			piece[*n].name = ev->name;
			++*n;
		}
	}
}

bool
cv_vouch_has_files(const struct cv_job *j)
{
	return j->decl->nevidence > 0 || j->run->rq->nevidence > 0;
}

void
cv_vouch_files(struct cv_job *j, const struct cv_digest *about, struct cv_blob blob)
{
	cv_auto(cv_freep) struct piece *piece = calloc(CV_MAX_EVIDENCE_ITEMS, sizeof(*piece));
	struct asking a = { .job = j, .about = about, .bytes = blob };
	struct cv_call c = { .pipe_fd = -1 };
	struct cv_err e = { 0 };

	if (!cv_vouch_has_files(j))
		return;
	if (piece == NULL) {
		cv_fail_memory(&e);
		cv_job_err(j, NULL, NULL, &e);
		return;
	}
	a.piece = piece;
	take_files(j, piece, &a.n);
	take_given(j, piece, &a.n);
	if (a.n > 0 && ask(&a, &c, &e) != 0) {
		j->sig_trouble = e.reason;
		cv_job_err(j, c.check, "sig.unavailable", &e);
	} else if (a.n > 0) {
		cv_vouch_tell(&c);
	}
	cv_call_free(&c);
	drop_pieces(&a);
}

/* ---- endorsements ---- */

/* read_predicate: what the endorsement says: name, type, expires. */
static int
read_predicate(const struct cv_job *j, const struct cv_statement_fact *s, const char **check,
	       struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_JSON_DOM);
	const char *name, *type, *expires;
	struct cv_jv root;
	int64_t end;

	*check = "endorse.invalid";
	if (cv_buf_pread(&b, s->blob.fd, s->blob.off, s->blob.len, "endorsement", e) != 0 ||
	    cv_json_parse(&doc, "endorsement", cv_buf_span(&b), CV_JSON_FOLD_KEYS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (cv_jv_str(cv_jv_get(root, "name"), &name, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "type"), &type, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "expires"), &expires, e) != 0 ||
	    cv_time_parse(&end, cv_span_str(expires), e) != 0)
		return -1;
	if (strcmp(name, j->decl->name) != 0 || strcmp(type, cv_atype_word(j->decl->type)) != 0)
		return cv_fail(e, CV_R_IDENTITY, "it endorses the %s \"%s\", want the %s \"%s\"",
			       type, name, cv_atype_word(j->decl->type), j->decl->name);
	if (j->run->rq->now < end)
		return 0;
	*check = "endorse.expired";
	return cv_fail(e, CV_R_EXPIRED, "it ended at %s", expires);
}

/* say_no: every sig. finding of the task, as what it means here. */
static void
say_no(struct cv_job *j, const struct cv_call *c)
{
	size_t i;

	for (i = 0; i < c->nsaid; i++) {
		struct cv_finding f = c->said[i];

		if (f.outcome != CV_FAIL && f.outcome != CV_UNKNOWN)
			continue;
		cv_finding_note(&f, "%s", f.check);
		f.check = "endorse.invalid";
		cv_job_say(j, &f);
	}
}

/* judge: does one of the statements from `first` on endorse this artifact? */
static bool
judge(struct cv_job *j, const struct asking *a, size_t first)
{
	const char *check = "endorse.invalid";
	struct cv_err e = { 0 };
	size_t i;

	cv_fail(&e, CV_R_ABSENT, "the envelope holds no endorsement of %s by an endorser",
		j->decl->name);
	for (i = first; i < j->nstatements; i++) {
		const struct cv_statement_fact *s = &j->statements[i];

		if (strcmp(s->predicate, CV_ENDORSE_PREDICATE) != 0 ||
		    !cv_vouch_by(a->signers, a->nsigners, s->signer) ||
		    !cv_digest_eq(&s->subject, a->about))
			continue;
		if (read_predicate(j, s, &check, &e) != 0)
			continue;
		cv_job_pass(j, "endorse.invalid");
		cv_job_pass(j, "endorse.expired");
		return true;
	}
	cv_job_err(j, check, NULL, &e);
	return false;
}

void
cv_endorse_path(char out[CV_ENDORSE_PATH], const char *name, const struct cv_digest *keyid)
{
	char id[CV_DIGEST_TEXT] = "";

	if (keyid != NULL)
		cv_digest_text(keyid, id);
	cv_text_fmt(out, CV_ENDORSE_PATH, CV_ENDORSE_DIR "/%s%s%.16s.dsse.json", name,
		    keyid != NULL ? "@" : "", keyid != NULL ? id + strlen("sha256:") : "");
}

/* take_endorsement: one more piece, if it is there. */
static int
take_endorsement(struct asking *a, const struct cv_digest *keyid, const char **check,
		 struct cv_err *e)
{
	struct piece *p = &a->piece[a->n];
	char path[CV_ENDORSE_PATH];
	int rc;

	cv_endorse_path(path, a->job->decl->name, keyid);
	if (a->n == CV_MAX_EVIDENCE_ITEMS) {
		*check = "endorse.invalid";
		return cv_fail(e, CV_R_LIMIT, "more than %d endorsements", CV_MAX_EVIDENCE_ITEMS);
	}
	rc = keep_file(a->job, path, &p->blob, check, e);
	if (rc <= 0)
		return rc;
	p->kind = CV_EV_DSSE;
	p->name = p->own = strdup(path);
	a->n++;
	return p->own == NULL ? cv_fail_memory(e) : 0;
}

/* take_endorsements: the one under the artifact's name, and those of each key. */
static int
take_endorsements(struct asking *a, const char **check, struct cv_err *e)
{
	if (take_endorsement(a, NULL, check, e) != 0)
		return -1;
	for (size_t i = 0; i < a->nsigners; i++)
		for (size_t k = 0; k < a->signers[i]->nkeys; k++)
			if (take_endorsement(a, &a->signers[i]->keys[k].id, check, e) != 0)
				return -1;
	return 0;
}

bool
cv_vouch_endorsed(struct cv_job *j)
{
	const struct cv_policy *p = j->run->rq->policy;
	cv_auto(cv_freep) struct piece *piece = NULL;
	struct asking a = { .job = j,
			    .about = &j->a->digest,
			    .bytes = CV_NO_BLOB,
			    .signers = p->endorsers,
			    .nsigners = p->nendorsers };
	struct cv_call c = { .pipe_fd = -1 };
	const char *check = NULL;
	struct cv_err e = { 0 };
	size_t first = j->nstatements;
	bool yes = false;
	int rc;

	if ((j->rule->basis & CV_ACCEPT_ENDORSED) == 0 || p->nendorsers == 0 ||
	    j->run->rq->base_fd < 0 || j->a->digest.alg == CV_ALG_NONE)
		return false;
	a.piece = piece = calloc(CV_MAX_EVIDENCE_ITEMS, sizeof(*piece));
	rc = piece == NULL ? cv_fail_memory(&e) : take_endorsements(&a, &check, &e);
	if (rc != 0 || (a.n > 0 && ask(&a, &c, &e) != 0)) {
		j->sig_trouble = e.reason;
		cv_job_err(j, rc < 0 ? check : NULL, "endorse.invalid", &e);
	} else if (a.n > 0) {
		yes = judge(j, &a, first);
		if (!yes)
			say_no(j, &c);
	}
	cv_call_free(&c);
	drop_pieces(&a);
	return yes;
}

/* ---- what the bundle keeps ---- */

static void
keep(struct cv_job *j, const struct cv_digest *d, const char *role)
{
	struct cv_blob b = CV_NO_BLOB;
	struct cv_err e = { 0 };

	if (cv_store_find(j->run->rq->store, d, CV_SIZE_ANY, &b, &e) < 0) {
		cv_job_err(j, NULL, NULL, &e);
		return;
	}
	if (cv_result_evidence(j->a, d, b, role, &e) != 0)
		cv_run_break(j->run, &e);
	cv_closep(&b.fd);
}

static const char *
role_of(const struct cv_r_signer *s)
{
	if (s->kind != CV_SIGNED_STATEMENT || s->predicate == NULL)
		return "signature";
	if (strcmp(s->predicate, CV_ENDORSE_PREDICATE) == 0)
		return "endorsement";
	return cv_vouch_is_sbom(s->predicate) ? "sbom" : "attestation";
}

void
cv_vouch_keep(struct cv_job *j)
{
	size_t i;

	for (i = 0; i < j->a->nsigners; i++)
		keep(j, &j->a->signers[i].evidence, role_of(&j->a->signers[i]));
}
