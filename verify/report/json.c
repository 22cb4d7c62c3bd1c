/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: the report for programs; see report.h. A value that is not known is
 * left out; an empty string is never written for "unknown". */
#include "verify/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static void
release(json_t **v)
{
	json_decref(*v);
}

/* The document under construction. `failed` is sticky: out of memory. */
struct doc {
	bool failed;
};

static void
put(struct doc *d, json_t *object, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(object, key, value) != 0)
		d->failed = true;
}

static void
push(struct doc *d, json_t *array, json_t *value)
{
	if (value == NULL || json_array_append_new(array, value) != 0)
		d->failed = true;
}

/* put_text: a string that may hold hostile bytes; NULL and "" are left out. */
static void
put_text(struct doc *d, json_t *object, const char *key, const char *text)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);

	if (text == NULL || text[0] == '\0')
		return;
	cv_text_safe(&b, cv_span_str(text), 0);
	if (b.failed != CV_R_NONE) {
		d->failed = true;
		return;
	}
	put(d, object, key, json_string(cv_buf_text(&b)));
}

static void
put_digest(struct doc *d, json_t *object, const char *key, const struct cv_digest *digest)
{
	char text[CV_DIGEST_TEXT];

	if (digest->alg != CV_ALG_NONE)
		put(d, object, key, json_string(cv_digest_text(digest, text)));
}

static void
put_int(struct doc *d, json_t *object, const char *key, uint64_t v)
{
	put(d, object, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

static void
put_time(struct doc *d, json_t *object, const char *key, int64_t t)
{
	char text[CV_TIME_TEXT];

	put(d, object, key, json_string(cv_time_text(t, text)));
}

/* ---- checks ---- */

static int
by_check(const void *x, const void *y)
{
	const struct cv_r_finding *a = *(const struct cv_r_finding *const *)x;
	const struct cv_r_finding *b = *(const struct cv_r_finding *const *)y;
	int c = strcmp(a->a.f.check, b->a.f.check);

	if (c == 0)
		c = (int)a->a.f.outcome - (int)b->a.f.outcome;
	if (c == 0)
		c = strcmp(a->a.f.where, b->a.f.where);
	return c != 0 ? c : strcmp(a->a.f.found, b->a.f.found);
}

static json_t *
check_json(struct doc *d, const struct cv_result *r, const struct cv_r_finding *f,
	   const char *artifact)
{
	const struct cv_finding *x = &f->a.f;
	const struct cv_check *check = cv_check_find(x->check);
	bool good = x->outcome == CV_PASS || x->outcome == CV_NOT_APPLICABLE;
	char next[CV_NEXT_TEXT];
	json_t *v = json_object();

	put(d, v, "id", json_string(x->check));
	put(d, v, "outcome", json_string(cv_outcome_word(x->outcome)));
	put(d, v, "required", json_boolean(f->a.required));
	if (!good) {
		put(d, v, "reason", json_string(cv_reason_word(x->reason)));
		put_text(d, v, "message", check != NULL ? check->title : NULL);
		put_text(d, v, "next",
			 cv_next_text(next, x->check, x->outcome, x->reason, artifact,
				      r->agent_path));
	}
	put_text(d, v, "expected", x->expected);
	put_text(d, v, "found", x->found);
	put_text(d, v, "where", x->where);
	put_text(d, v, "note", x->note);
	put_digest(d, v, "evidence", &x->evidence);
	if (f->pos.line != 0 && r->agent_path != NULL) {
		json_t *place = json_object();

		put_text(d, place, "file", r->agent_path);
		put_int(d, place, "line", f->pos.line);
		put_int(d, place, "column", f->pos.column);
		put(d, v, "location", place);
	}
	return v;
}

/* unanswered_json: a planned check without an answer is told, not left out. */
static json_t *
unanswered_json(struct doc *d, const struct cv_result *r, const struct cv_planned *p,
		const char *artifact)
{
	char next[CV_NEXT_TEXT];
	json_t *v = json_object();

	put(d, v, "id", json_string(p->check));
	put(d, v, "outcome", json_string("unknown"));
	put(d, v, "required", json_boolean(p->required));
	put(d, v, "reason", json_string(cv_reason_word(CV_R_UNDECIDED)));
	put(d, v, "message", json_string("the check was planned and did not come to an end"));
	put_text(d, v, "next",
		 cv_next_text(next, p->check, CV_UNKNOWN, CV_R_UNDECIDED, artifact, r->agent_path));
	return v;
}

/* by_plan: the order in which unanswered checks are told. */
static int
by_plan(const void *x, const void *y)
{
	const struct cv_planned *a = *(const struct cv_planned *const *)x;
	const struct cv_planned *b = *(const struct cv_planned *const *)y;

	return strcmp(a->check, b->check);
}

static bool
answered(const struct cv_planned *p, const struct cv_r_finding *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(f[i].a.f.check, p->check) == 0)
			return true;
	}
	return false;
}

/* checks_json: answers and what nobody answered, in one list sorted by id. */
static json_t *
checks_json(struct doc *d, const struct cv_result *r, const char *artifact,
	    const struct cv_r_finding *f, size_t n, const struct cv_planned *plan, size_t nplan)
{
	cv_auto(cv_freep) const struct cv_r_finding **said = calloc(n + 1, sizeof(*said));
	cv_auto(cv_freep) const struct cv_planned **unsaid = calloc(nplan + 1, sizeof(*unsaid));
	json_t *list = json_array();
	size_t m = 0, k = 0;

	if (said == NULL || unsaid == NULL) {
		d->failed = true;
		return list;
	}
	for (size_t i = 0; i < n; i++)
		said[i] = &f[i];
	for (size_t i = 0; i < nplan; i++) {
		if (!answered(&plan[i], f, n))
			unsaid[m++] = &plan[i];
	}
	qsort(said, n, sizeof(*said), by_check);
	qsort(unsaid, m, sizeof(*unsaid), by_plan);
	for (size_t i = 0; i < n; i++) {
		while (k < m && strcmp(unsaid[k]->check, said[i]->a.f.check) < 0)
			push(d, list, unanswered_json(d, r, unsaid[k++], artifact));
		push(d, list, check_json(d, r, said[i], artifact));
	}
	while (k < m)
		push(d, list, unanswered_json(d, r, unsaid[k++], artifact));
	return list;
}

/* ---- artifacts ---- */

static const char *
signed_word(enum cv_signed kind)
{
	switch (kind) {
	case CV_SIGNED_SIMPLE:
		return "simple-signing";
	case CV_SIGNED_BUNDLE:
		return "bundle";
	case CV_SIGNED_STATEMENT:
		return "statement";
	case CV_SIGNED_MESSAGE:
		return "message";
	case CV_SIGNED_ENVELOPE:
		return "envelope";
	default:
		return "unknown";
	}
}

static json_t *
signers_json(struct doc *d, const struct cv_r_artifact *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->nsigners; i++) {
		const struct cv_r_signer *s = &a->signers[i];
		json_t *v = json_object();

		put_text(d, v, "name", s->name);
		put_text(d, v, "keyid", s->keyid);
		put_text(d, v, "predicate_type", s->predicate);
		put_text(d, v, "identity", s->identity);
		put_text(d, v, "issuer", s->issuer);
		if (s->signed_at > 0)
			put_time(d, v, "signed_at", s->signed_at);
		put(d, v, "kind", json_string(signed_word(s->kind)));
		put_digest(d, v, "subject", &s->subject);
		put_digest(d, v, "evidence", &s->evidence);
		push(d, list, v);
	}
	return list;
}

static void
image_json(struct doc *d, json_t *v, const struct cv_r_artifact *a)
{
	json_t *list = json_array();

	put_digest(d, v, "index", &a->index);
	put_digest(d, v, "manifest", &a->manifest);
	put_digest(d, v, "config", &a->config);
	put_text(d, v, "platform", a->platform);
	for (size_t i = 0; i < a->nlayers; i++) {
		json_t *layer = json_object();

		put_digest(d, layer, "digest", &a->layers[i].digest);
		put_digest(d, layer, "diff_id", &a->layers[i].diffid);
		put_int(d, layer, "size", a->layers[i].size);
		put_text(d, layer, "media_type", a->layers[i].media);
		push(d, list, layer);
	}
	put(d, v, "layers", list);
}

static json_t *
vulns_json(struct doc *d, const struct cv_r_artifact *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->nvulns; i++) {
		json_t *v = json_object();

		put_text(d, v, "id", a->vulns[i].id);
		put_text(d, v, "purl", a->vulns[i].purl);
		put_text(d, v, "fixed", a->vulns[i].fixed);
		put_text(d, v, "severity", a->vulns[i].severity);
		put_text(d, v, "summary", a->vulns[i].summary);
		push(d, list, v);
	}
	return list;
}

static void
sbom_json(struct doc *d, json_t *v, const struct cv_r_artifact *a)
{
	json_t *s;

	if (a->sbom_format == NULL)
		return;
	s = json_object();
	put_text(d, s, "format", a->sbom_format);
	put_int(d, s, "components", a->components);
	put_int(d, s, "matched", a->matched);
	put_int(d, s, "not_covered", a->uncovered);
	put(d, v, "sbom", s);
	put(d, v, "vulnerabilities", vulns_json(d, a));
}

static json_t *
evidence_json(struct doc *d, const struct cv_r_artifact *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->nevidence; i++) {
		json_t *v = json_object();

		put_digest(d, v, "digest", &a->evidence[i].digest);
		put_text(d, v, "role", a->evidence[i].role);
		push(d, list, v);
	}
	return list;
}

/* seen_json: what the artifact is and what hangs on it; nothing about the policy. */
static json_t *
seen_json(struct doc *d, const struct cv_r_artifact *a)
{
	json_t *v = json_object();

	put_text(d, v, "name", a->name);
	if (a->decl != NULL)
		put(d, v, "type", json_string(cv_atype_word(a->decl->type)));
	put_text(d, v, "ref", a->ref);
	put_digest(d, v, "digest", &a->digest);
	put_int(d, v, "size", a->size);
	put_text(d, v, "media_type", a->media);
	if (a->decl != NULL && a->decl->type == CV_A_IMAGE)
		image_json(d, v, a);
	put_text(d, v, "package", a->package);
	put_text(d, v, "version", a->version);
	put_digest(d, v, "archive", &a->archive);
	if (a->tree != NULL)
		put_int(d, v, "files", cv_tree_files(a->tree));
	put(d, v, "signers", signers_json(d, a));
	put(d, v, "evidence", evidence_json(d, a));
	sbom_json(d, v, a);
	put_text(d, v, "note", a->note);
	return v;
}

static json_t *
artifact_json(struct doc *d, const struct cv_result *r, const struct cv_r_artifact *a)
{
	json_t *v = seen_json(d, a);

	put(d, v, "outcome", json_string(cv_outcome_word(a->outcome)));
	put(d, v, "basis", json_string(cv_basis_word(a->basis)));
	put_text(d, v, "rule", a->rule);
	put_text(d, v, "guidance", a->guidance);
	put(d, v, "checks",
	    checks_json(d, r, a->name, a->findings, a->nfindings, a->plan, a->nplan));
	put_int(d, v, "duration_ms", (uint64_t)(a->ms < 0 ? 0 : a->ms));
	return v;
}

/* ---- the whole ---- */

static json_t *
named_json(struct doc *d, const char *name, const char *path, const struct cv_digest *digest)
{
	json_t *v = json_object();

	put_text(d, v, "name", name);
	put_text(d, v, "path", path);
	put_digest(d, v, "digest", digest);
	return v;
}

static json_t *
policy_json(struct doc *d, const struct cv_result *r)
{
	static const char *const by[] = { [CV_CHOSEN_AGENT] = "agent",
					  [CV_CHOSEN_OPTION] = "option",
					  [CV_CHOSEN_DEFAULT] = "default" };
	json_t *v = named_json(d, r->policy_name, r->policy_path, &r->policy_digest);

	if (r->policy_chosen != CV_CHOSEN_UNSAID)
		put(d, v, "chosen_by", json_string(by[r->policy_chosen]));
	return v;
}

static json_t *
confinement_json(struct doc *d, const struct cv_result *r)
{
	json_t *v = json_object();

	put_int(d, v, "workers", r->workers);
	put(d, v, "landlock", json_boolean(r->workers > 0 && (r->sandbox & CV_SBX_LANDLOCK) != 0));
	put(d, v, "landlock_abi", json_integer(r->workers > 0 ? r->landlock : 0));
	put(d, v, "seccomp", json_boolean(r->workers > 0 && (r->sandbox & CV_SBX_SECCOMP) != 0));
	put(d, v, "rlimits", json_boolean(r->workers > 0 && (r->sandbox & CV_SBX_RLIMITS) != 0));
	put(d, v, "sanitizer_build",
	    json_boolean(r->workers > 0 && (r->sandbox & CV_SBX_SANITIZER) != 0));
	return v;
}

static json_t *
counts_json(struct doc *d, const struct cv_counts *n)
{
	json_t *v = json_object();

	put_int(d, v, "passed", n->passed);
	put_int(d, v, "failed", n->failed);
	put_int(d, v, "unknown", n->unknown);
	put_int(d, v, "waived", n->waived);
	put_int(d, v, "not_applicable", n->not_applicable);
	put_int(d, v, "advisory_problems", n->warned);
	put_int(d, v, "unanswered", n->unanswered);
	return v;
}

static json_t *
uncovered_json(struct doc *d, const struct cv_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->nuncovered; i++) {
		json_t *v = json_object();

		put_text(d, v, "what", r->uncovered[i].what);
		put_text(d, v, "why", r->uncovered[i].why);
		put(d, v, "accepted", json_boolean(r->uncovered[i].accepted));
		push(d, list, v);
	}
	return list;
}

static void
verdict_json(struct doc *d, json_t *v, const struct cv_result *r)
{
	put(d, v, "schema", json_string(CV_RESULT_SCHEMA));
	put(d, v, "outcome", json_string(cv_outcome_word(r->decision.outcome)));
	put(d, v, "exit_code", json_integer((json_int_t)r->decision.exit));
	put(d, v, "launchable", json_boolean(cv_result_launchable(r)));
	put(d, v, "mode", json_string(r->audit ? "audit" : "enforce"));
	put(d, v, "historical", json_boolean(r->historical));
	put(d, v, "offline", json_boolean(r->offline));
	put_text(d, v, "request_id", r->request_id);
	put_time(d, v, "time", r->now);
	if (r->decision.outcome == CV_PASS)
		put_time(d, v, "valid_until", r->valid_until);
	else
		put(d, v, "reason", json_string(cv_reason_word(r->decision.reason)));
}

int
cv_report_json(struct cv_buf *out, const struct cv_result *r, struct cv_err *e)
{
	struct doc d = { .failed = false };
	cv_auto(release) json_t *v = json_object();
	json_t *list = json_array();

	verdict_json(&d, v, r);
	put(&d, v, "tool", json_pack("{s:s, s:s}", "name", "clawverify", "version", CV_VERSION));
	put(&d, v, "agent", named_json(&d, r->agent_name, r->agent_path, &r->agent_digest));
	put(&d, v, "policy", policy_json(&d, r));
	if (r->lock_path != NULL)
		put(&d, v, "lock", named_json(&d, NULL, r->lock_path, &r->lock_digest));
	put(&d, v, "confinement", confinement_json(&d, r));
	if (r->have_db && r->db_built != 0) {
		json_t *db = json_object();

		put_time(&d, db, "built", r->db_built);
		put_digest(&d, db, "digest", &r->db_digest);
		put(&d, v, "advisories", db);
	}
	for (size_t i = 0; i < r->nartifacts; i++)
		push(&d, list, artifact_json(&d, r, &r->artifacts[i]));
	put(&d, v, "artifacts", list);
	put(&d, v, "checks", checks_json(&d, r, "", r->findings, r->nfindings, r->plan, r->nplan));
	put(&d, v, "uncovered", uncovered_json(&d, r));
	put(&d, v, "counts", counts_json(&d, &r->counts));
	put_digest(&d, v, "bundle", &r->bundle);
	put_int(&d, v, "duration_ms", (uint64_t)(r->ms < 0 ? 0 : r->ms));
	if (d.failed)
		return cv_fail_memory(e);
	return cv_json_emit(out, v, e);
}

int
cv_report_inspect(struct cv_buf *out, const struct cv_result *r, struct cv_err *e)
{
	struct doc d = { .failed = false };
	cv_auto(release) json_t *v = json_object();
	json_t *list = json_array();

	put(&d, v, "schema", json_string("clawverify.inspect/1"));
	for (size_t i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];
		json_t *seen = seen_json(&d, a), *notes = json_array();

		for (size_t k = 0; k < a->nobserved; k++) {
			json_t *note = json_object();

			put_text(&d, note, "where", a->observed[k].where);
			put_text(&d, note, "text", a->observed[k].text);
			push(&d, notes, note);
		}
		put(&d, seen, "observed", notes);
		push(&d, list, seen);
	}
	put(&d, v, "artifacts", list);
	if (d.failed)
		return cv_fail_memory(e);
	return cv_json_emit(out, v, e);
}
