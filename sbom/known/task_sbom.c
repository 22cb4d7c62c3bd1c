/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task_sbom.c: CV_T_SBOM: one document read, bound to the image, and matched. Must
 * never call an image clean that was not compared with anything.
 */
#include "match.h"
#include "tasks.h"

#include "sbom/found/answers.h"
#include "trust/base/clock.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define SUBJECTS 64
#define U(v)     ((unsigned long long)(v))

struct task {
	struct cv_answers a;
	char name[512], media[256];
	int64_t now, max_age;
	struct cv_blob document, index; /* descriptors are ours */
	struct cv_digest subject[SUBJECTS];
	size_t nsubjects;
	struct cv_sbom *sbom;
	struct cv_db *db;
	struct cv_match match;
};

/* ---- findings ---- */

static int
no(struct task *t, struct cv_finding *f, struct cv_err *e)
{
	if (f->where[0] == '\0')
		cv_finding_where(f, "%s", t->name);
	return cv_answer(&t->a, f, e);
}

static bool
about_it(enum cv_reason r)
{
	return cv_reason_exit(r) == CV_EXIT_FAIL || r == CV_R_UNSUPPORTED;
}

/* ---- the document ---- */

/* What the statement calls the predicate has to be what it is. */
static int
check_media(const struct task *t, struct cv_err *e)
{
	static const struct {
		const char *type;
		enum cv_sbom_format format;
	} types[] = { { "https://spdx.dev/Document", CV_SBOM_SPDX },
		      { "https://cyclonedx.org/bom", CV_SBOM_CYCLONEDX } };

	for (size_t i = 0; i < CV_COUNT(types); i++)
		if (cv_span_has_prefix(cv_span_str(t->media), types[i].type) &&
		    t->sbom->format != types[i].format)
			return cv_fail(e, CV_R_AMBIGUOUS,
				       "the statement calls it %s, the document is %s", t->media,
				       t->sbom->format == CV_SBOM_SPDX ? "SPDX" : "CycloneDX");
	return 0;
}

/* read_document: 1 read, 0 refused and stated, -1 */
static int
read_document(struct task *t, struct cv_err *e)
{
	struct cv_err why;
	struct cv_finding f;
	bool unsupported;

	if (cv_sbom_read(&t->sbom, t->document, t->name, &why) == 0 && check_media(t, &why) == 0)
		return 1;
	if (!about_it(why.reason)) {
		*e = why;
		return -1;
	}
	unsupported = why.reason == CV_R_UNSUPPORTED;
	f = cv_finding_no(unsupported ? "sbom.unsupported" : "sbom.malformed", why.reason);
	cv_finding_found(&f, "%s", why.text);
	cv_finding_expected(&f, "CycloneDX JSON 1.2 to 1.7 or SPDX JSON 2.2 or 2.3");
	return no(t, &f, e) != 0 ? -1 : 0;
}

static int
bind_subject(struct task *t, struct cv_err *e)
{
	const struct cv_sbom_digest *d;
	struct cv_finding f;
	char text[CV_DIGEST_TEXT], want[CV_DIGEST_TEXT];

	if (t->nsubjects == 0) {
		f = cv_finding_no("sbom.subject-mismatch", CV_R_UNDECIDED);
		cv_finding_found(&f, "no digest of the image was given to compare with");
		return no(t, &f, e);
	}
	if (cv_sbom_bind(t->sbom, t->subject, t->nsubjects, &d) != CV_BIND_OTHER)
		return 0;
	f = cv_finding_no("sbom.subject-mismatch", CV_R_DIGEST);
	cv_finding_found(&f, "%s in the %s", cv_digest_text(&d->digest, text), d->where);
	cv_finding_expected(&f, "%s%s", cv_digest_text(&t->subject[0], want),
			    t->nsubjects > 1 ? ", or another digest of this image" : "");
	return no(t, &f, e);
}

/* ---- the index ---- */

static int
open_index(struct task *t, struct cv_err *e)
{
	struct cv_finding f;
	struct cv_err why;

	if (t->index.fd < 0) {
		f = cv_finding_no("vuln.index-absent", CV_R_NO_COVERAGE);
		cv_finding_where(&f, "advisory index");
		cv_finding_found(&f, "no index was given");
		cv_finding_expected(&f, "an index compiled by \"clawverify db import\"");
		return no(t, &f, e);
	}
	if (cv_db_open(&t->db, t->index, false, &why) == 0)
		return 0;
	if (!about_it(why.reason)) {
		*e = why;
		return -1;
	}
	f = cv_finding_no("vuln.index-absent", why.reason);
	cv_finding_where(&f, "advisory index");
	cv_finding_found(&f, "%s", why.text);
	cv_finding_expected(&f, "an index compiled by \"clawverify db import\"");
	return no(t, &f, e);
}

#define DAY 86400

static int
check_age(struct task *t, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("vuln.index-stale", CV_R_STALE);
	char built[CV_TIME_TEXT];
	int64_t at;

	if (t->db == NULL)
		return 0;
	at = cv_db_info(t->db)->built;
	cv_time_text(at, built);
	cv_finding_where(&f, "advisory index");
	if (at > t->now + DAY) {
		cv_finding_found(&f, "compiled on %s, which is in the future", built);
		cv_finding_expected(&f, "a clock and an index that agree");
	} else if (t->max_age > 0 && t->now - at > t->max_age) {
		cv_finding_found(&f, "compiled on %s, %llu hours ago", built,
				 U((t->now - at) / 3600));
		cv_finding_expected(&f, "at most %llu hours ago", U(t->max_age / 3600));
	} else {
		return 0;
	}
	return no(t, &f, e);
}

/* ---- what was matched ---- */

static int
state_gaps(struct task *t, struct cv_err *e)
{
	const struct cv_match *m = &t->match;
	struct cv_finding f = cv_finding_no("vuln.no-coverage", CV_R_NO_COVERAGE);

	cv_finding_expected(&f, "every component compared with all advisories about it");
	if (m->counted == 0) {
		cv_finding_found(&f, "the document names no component that could be matched");
		return no(t, &f, e);
	}
	for (size_t i = 0; i < m->ngaps; i++) {
		const struct cv_match_gap *g = &m->gap[i];

		cv_finding_found(&f, "%llu of %llu components %s%s%s%s", U(g->n), U(m->counted),
				 cv_gap_text(g->gap), g->kind[0] != '\0' ? " (" : "", g->kind,
				 g->kind[0] != '\0' ? ")" : "");
		cv_finding_note(&f, "the first is %.300s", g->first);
		if (no(t, &f, e) != 0)
			return -1;
	}
	return 0;
}

static int
send_vuln(struct cv_worker *w, const struct cv_hit *h, struct cv_err *e)
{
	struct cv_out *o = cv_w_fact(w, CV_F_VULN);
	char note[700];

	cv_text_fmt(note, sizeof note, "%s%s%s", h->cve,
		    h->cve[0] != '\0' && h->summary[0] != '\0' ? ": " : "", h->summary);
	cv_out_str(o, CV_TAG_NAME, h->purl);
	cv_out_str(o, CV_TAG_REF, h->osv);
	cv_out_str(o, CV_TAG_VERSION, h->fixed);
	cv_out_str(o, CV_TAG_TEXT, h->severity);
	cv_out_str(o, CV_TAG_NOTE, note);
	return cv_w_send(w, e);
}

static int
state_hit(struct task *t, const struct cv_hit *h, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("vuln.known", CV_R_RULE);

	cv_finding_where(&f, "%s", h->purl);
	cv_finding_found(&f, "%s%s%s%s, severity %s", h->osv, h->cve[0] != '\0' ? " (" : "", h->cve,
			 h->cve[0] != '\0' ? ")" : "", h->severity);
	if (h->fixed[0] != '\0')
		cv_finding_expected(&f, "version %s or later", h->fixed);
	else
		cv_finding_expected(&f, "a version that is not affected; none is named");
	cv_finding_note(&f, "%s", h->summary);
	return no(t, &f, e);
}

static int
state_hits(struct cv_worker *w, struct task *t, struct cv_err *e)
{
	const struct cv_match *m = &t->match;
	struct cv_finding f;

	for (size_t i = 0; i < m->n; i++)
		if (send_vuln(w, &m->hit[i], e) != 0 || state_hit(t, &m->hit[i], e) != 0)
			return -1;
	cv_answers_more(&t->a, "vuln.known", m->more);
	if (m->n > 0 || m->covered > 0)
		return 0;
	f = cv_finding_no("vuln.known", CV_R_NO_COVERAGE);
	cv_finding_found(&f, "none of %llu components could be matched", U(m->counted));
	cv_finding_expected(&f, "components compared with known advisories");
	return no(t, &f, e);
}

static int
send_sbom(struct cv_worker *w, const struct task *t, struct cv_err *e)
{
	struct cv_out *o = cv_w_fact(w, CV_F_SBOM);
	char format[32];

	cv_text_fmt(format, sizeof format, "%s %s",
		    t->sbom->format == CV_SBOM_SPDX ? "SPDX" : "CycloneDX", t->sbom->spec);
	cv_out_str(o, CV_TAG_MEDIA, format);
	cv_out_u64(o, CV_TAG_COUNT, t->match.counted);
	cv_out_u64(o, CV_TAG_VALUE, t->match.covered);
	cv_out_u64(o, CV_TAG_SIZE, t->match.uncovered);
	if (t->db != NULL && cv_db_info(t->db)->built >= 0)
		cv_out_u64(o, CV_TAG_NOW, (uint64_t)cv_db_info(t->db)->built);
	return cv_w_send(w, e);
}

/* ---- the task ---- */

static void
sbom_end(void *state)
{
	struct task *t = state;

	if (t == NULL)
		return;
	cv_match_free(&t->match);
	cv_sbom_free(&t->sbom);
	cv_db_close(&t->db);
	cv_closep(&t->document.fd);
	cv_closep(&t->index.fd);
	free(t);
}

static int
sbom_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct task *t = calloc(1, sizeof *t);

	if (t == NULL)
		return cv_fail_memory(e);
	*state = t;
	t->index = CV_NO_BLOB;
	t->document = cv_frame_blob(task, CV_TAG_BLOB, CV_MAX_ENVELOPE);
	cv_text_fmt(t->name, sizeof t->name, "%s", cv_frame_str(task, CV_TAG_NAME, CV_MAX_PATH));
	cv_text_fmt(t->media, sizeof t->media, "%s", cv_frame_str(task, CV_TAG_MEDIA, 255));
	t->now = (int64_t)cv_frame_u64(task, CV_TAG_NOW, INT64_MAX / 2);
	if (cv_frame_has(task, CV_TAG_MAX))
		t->max_age = (int64_t)cv_frame_u64(task, CV_TAG_MAX, INT64_MAX / 2);
	t->a = CV_ANSWERS(cv_sink_worker(w));
	t->a.max = CV_MAX_VULN_FINDINGS;
	return cv_frame_done(task, "a task to read an SBOM", e);
}

static int
sbom_item(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e)
{
	struct task *t = state;
	uint64_t role = cv_frame_u64(item, CV_TAG_ROLE, CV_ROLE_ADVISORIES);

	(void)w;
	if (role == CV_ROLE_SUBJECT) {
		if (t->nsubjects == SUBJECTS)
			return cv_fail(e, CV_R_LIMIT, "more than %d subjects", SUBJECTS);
		t->subject[t->nsubjects++] = cv_frame_digest(item, CV_TAG_DIGEST);
	} else if (role == CV_ROLE_DB && t->index.fd < 0) {
		t->index = cv_frame_blob(item, CV_TAG_BLOB, UINT64_MAX);
	} else {
		return cv_fail(e, CV_R_WORKER, "an item of role %llu, want subjects and one index",
			       U(role));
	}
	return cv_frame_done(item, "an item of an SBOM task", e);
}

/* answer: what was asked and had no problem. How old an index is that is not there,
 * nobody asked. */
static int
answer(struct task *t, struct cv_err *e)
{
	static const char *const ids[] = { "sbom.malformed",
					   "sbom.unsupported",
					   "sbom.subject-mismatch",
					   "vuln.known",
					   "vuln.no-coverage",
					   "vuln.index-absent",
					   NULL };
	static const char *const stale[] = { "vuln.index-stale", NULL };

	if (cv_answers_pass(&t->a, ids, e) < 0 ||
	    (t->db != NULL ? cv_answers_pass(&t->a, stale, e)
			   : cv_answers_none(&t->a, stale[0], e)) < 0)
		return -1;
	return cv_answers_end(&t->a, e);
}

static int
sbom_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct task *t = state;
	int rc = read_document(t, e);

	if (rc == 0)
		return cv_answers_end(&t->a, e); /* the rest stays unanswered */
	if (rc < 0)
		return -1;
	if (bind_subject(t, e) != 0 || open_index(t, e) != 0 || check_age(t, e) != 0 ||
	    cv_match(&t->match, t->sbom, t->db, e) != 0 || state_hits(w, t, e) != 0 ||
	    state_gaps(t, e) != 0 || answer(t, e) != 0)
		return -1;
	return send_sbom(w, t, e);
}

const struct cv_task_def cv_task_sbom = {
	.task = CV_T_SBOM,
	.start = sbom_start,
	.item = sbom_item,
	.run = sbom_run,
	.end = sbom_end,
};
