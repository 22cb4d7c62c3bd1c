/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: the report for people; see report.h. The last line is the one that
 * counts, and its first word is the only one in red or green. */
#include "verify/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "verify/report/explain.h"

#include "trust/base/banned.h"

#define LABEL 13 /* column where the value of "   expected  " begins */

struct text {
	struct cv_buf *out;
	const struct cv_result *r;
	const struct cv_report_opts *o;
};

/* safe: neutralised into a fixed array, cut at CV_TEXT_FIELD characters. */
static const char *
safe(char out[CV_TEXT_FIELD * 12 + 4], const char *s)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_TEXT_FIELD * 12 + 3);

	cv_text_safe(&b, cv_span_str(s != NULL ? s : ""), CV_TEXT_FIELD);
	(void)snprintf(out, CV_TEXT_FIELD * 12 + 4, "%s", cv_buf_text(&b));
	return out;
}
#define SAFE_TEXT (CV_TEXT_FIELD * 12 + 4)

/* age: "11 h old", "3 d old", "from the future". */
static void
age(struct cv_buf *out, int64_t then, int64_t now)
{
	int64_t s = now - then;

	if (s < 0)
		cv_buf_str(out, "from the future");
	else if (s < 172800)
		cv_buf_fmt(out, "%lld h old", (long long)(s / 3600));
	else
		cv_buf_fmt(out, "%lld d old", (long long)(s / 86400));
}

static void
head(const struct text *t)
{
	const struct cv_result *r = t->r;
	char name[SAFE_TEXT], path[SAFE_TEXT], digest[CV_DIGEST_TEXT], conf[128];

	cv_digest_text(&r->policy_digest, digest);
	cv_buf_fmt(t->out, "policy %s@%.7s%s  ", safe(name, r->policy_name),
		   r->policy_digest.alg != 0 ? digest + strlen("sha256:") : digest,
		   r->audit ? " (audit: never launchable)" : "");
	if (r->have_db && r->db_built == 0) {
		cv_buf_str(t->out, "advisories not looked at");
	} else if (r->have_db) {
		cv_buf_str(t->out, "advisories ");
		age(t->out, r->db_built, r->now);
	} else {
		cv_buf_str(t->out, "no advisory index");
	}
	if (r->policy_chosen == CV_CHOSEN_DEFAULT && r->agent_path != NULL)
		cv_buf_fmt(t->out, "\n%s names no policy: %s decides", safe(name, r->agent_path),
			   safe(path, r->policy_path));
	else if (r->policy_chosen == CV_CHOSEN_DEFAULT)
		cv_buf_fmt(t->out, "\nno --policy is given: %s decides",
			   safe(path, r->policy_path));
	cv_buf_fmt(t->out, "\n%s%s%s\n", cv_confinement_text(r, conf),
		   r->offline ? ", offline" : "",
		   r->historical ? ", at a chosen time: never launchable" : "");
}

/* ---- the table ---- */

static unsigned
width_of(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
pad(struct cv_buf *out, const char *s, unsigned width)
{
	unsigned w = width_of(s);

	cv_buf_str(out, s);
	cv_buf_fmt(out, "%*s", (int)(w < width ? width - w : 0) + 2, "");
}

static void
table(const struct text *t)
{
	unsigned wide = 8;
	char name[SAFE_TEXT], note[SAFE_TEXT], checks[48];

	for (size_t i = 0; i < t->r->nartifacts; i++) {
		unsigned w = width_of(safe(name, t->r->artifacts[i].name));

		wide = w > wide ? w : wide;
	}
	cv_buf_str(t->out, "\n  ");
	pad(t->out, "ARTIFACT", wide);
	cv_buf_str(t->out, "TYPE    RESULT   BASIS     CHECKS  NOTE\n");
	for (size_t i = 0; i < t->r->nartifacts; i++) {
		const struct cv_r_artifact *a = &t->r->artifacts[i];
		const struct cv_counts *n = &a->counts;

		(void)snprintf(checks, sizeof(checks), "%zu/%zu", n->passed,
			       n->passed + n->failed + n->unknown + n->waived + n->unanswered);
		cv_buf_str(t->out, "  ");
		pad(t->out, safe(name, a->name), wide);
		pad(t->out, a->decl != NULL ? cv_atype_word(a->decl->type) : "", 6);
		pad(t->out, cv_outcome_shout(a->outcome), 7);
		pad(t->out, cv_basis_word(a->basis), 8);
		safe(note, a->note);
		if (note[0] != '\0')
			pad(t->out, checks, 6);
		cv_buf_fmt(t->out, "%s\n", note[0] != '\0' ? note : checks);
	}
}

/* ---- problems ---- */

static void
field(const struct text *t, const char *label, const char *value)
{
	char shown[SAFE_TEXT * 5];
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(sizeof(shown) - 1);

	if (value == NULL || value[0] == '\0')
		return;
	/* twice the usual: paths and identities are what people compare */
	cv_text_safe(&b, cv_span_str(value), (size_t)CV_TEXT_FIELD * 2);
	cv_buf_fmt(t->out, "   %-9s ", label);
	cv_wrap(t->out, cv_buf_text(&b), LABEL, LABEL, CV_REPORT_WIDTH);
	cv_buf_byte(t->out, '\n');
}

static void
problem_head(const struct text *t, size_t number, const struct cv_problem *p)
{
	char name[SAFE_TEXT], place[96] = "", left[SAFE_TEXT + 96];
	unsigned w;

	(void)snprintf(left, sizeof(left), "%zu. %s  %s%s%s", number,
		       p->artifact[0] != '\0' ? safe(name, p->artifact) : "agent", p->check,
		       p->outcome == CV_UNKNOWN  ? "  (unknown)"
		       : p->outcome == CV_WAIVED ? "  (waived)"
						 : "",
		       p->required ? "" : "  (advisory)");
	if (p->pos.line != 0 && t->r->agent_path != NULL) {
		char file[SAFE_TEXT];

		(void)snprintf(place, sizeof(place), "%.64s:%u", safe(file, t->r->agent_path),
			       p->pos.line);
	}
	w = width_of(left) + width_of(place);
	cv_buf_fmt(t->out, "\n%s%*s%s\n", left,
		   place[0] == '\0' ? 0 : (int)(w + 2 < CV_REPORT_WIDTH ? CV_REPORT_WIDTH - w : 2),
		   "", place);
}

static void
problem(const struct text *t, size_t number, const struct cv_problem *p)
{
	const struct cv_explain *x = cv_explain_find(p->check);
	char next[CV_NEXT_TEXT];

	problem_head(t, number, p);
	field(t, "expected", p->f->expected);
	field(t, "found", p->f->found);
	field(t, "where", p->f->where);
	field(t, "note", p->f->note);
	if (x != NULL && !cv_undecided(p->check, p->outcome)) {
		cv_buf_str(t->out, "   ");
		cv_wrap(t->out, x->why, 3, 3, CV_REPORT_WIDTH);
		cv_buf_byte(t->out, '\n');
	}
	field(t, "next",
	      cv_next_text(next, p->check, p->outcome, p->f->reason, p->artifact,
			   t->r->agent_path));
}

static void
problem_line(const struct text *t, const struct cv_problem *p)
{
	const struct cv_check *check = cv_check_find(p->check);
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(SAFE_TEXT * 2);
	char name[SAFE_TEXT];

	safe(name, p->artifact[0] != '\0' ? p->artifact : "agent");
	cv_buf_fmt(t->out, "   %s  ", name);
	cv_buf_fmt(&b, "%s%s: ", p->check, p->outcome == CV_UNKNOWN ? " (unknown)" : "");
	if (check != NULL && !cv_undecided(p->check, p->outcome))
		cv_buf_fmt(&b, "%s: ", check->title);
	cv_text_safe(&b, cv_span_str(p->f->found[0] != '\0' ? p->f->found : p->f->where),
		     CV_TEXT_FIELD);
	cv_wrap(t->out, cv_buf_text(&b), 5 + width_of(name), 6, CV_REPORT_WIDTH);
	cv_buf_byte(t->out, '\n');
}

/* not_made: checks of one artifact that nothing answered, in one line: they
 * follow from what is told above them. Returns how many of p were taken. */
static size_t
not_made(const struct text *t, const struct cv_problem *p, size_t n)
{
	char name[SAFE_TEXT];
	size_t k = 0;

	while (k < n && p[k].f == NULL && p[k].required == p[0].required &&
	       strcmp(p[k].artifact, p[0].artifact) == 0)
		k++;
	cv_buf_fmt(t->out, "   %s  %zu check%s not made (%s%s)\n",
		   p[0].artifact[0] != '\0' ? safe(name, p[0].artifact) : "agent", k,
		   k == 1 ? "" : "s", p[0].check, k == 1 ? "" : ", ...");
	return k;
}

/* at_length: whether p[i] is told at length: a decisive answer, the first of its
 * kind, that does not merely follow from another one of the same artifact. */
static bool
at_length(const struct cv_problem *p, size_t i)
{
	bool alone = i == 0 || strcmp(p[i].artifact, p[i - 1].artifact) != 0;

	if (!p[i].required || p[i].f == NULL)
		return false;
	/* without any lock it is said once, of the agent */
	if (strcmp(p[i].check, "lock.absent") == 0 && strcmp(p[0].check, "agent.changed") == 0)
		return false;
	return alone || (strcmp(p[i].check, p[i - 1].check) != 0 && !cv_problem_derived(&p[i]));
}

/* lines: what is not told at length, a line each. */
static void
lines(const struct text *t, const struct cv_problem *p, size_t n)
{
	size_t detailed = 0, shown = 0, left = 0;
	bool said_and = false, said_advisory = false;

	for (size_t i = 0; i < n; i++) {
		if (at_length(p, i) && detailed++ < CV_REPORT_DETAILS)
			continue;
		if (!p[i].required && !said_advisory) {
			cv_buf_str(t->out, "\nadvisory, not decisive\n");
			said_advisory = true;
		} else if (p[i].required && !said_and) {
			cv_buf_str(t->out, detailed > 0 ? "\nand with that\n" : "\n");
			said_and = true;
		}
		if (++shown > 20)
			left++;
		else if (p[i].f == NULL)
			i += not_made(t, &p[i], n - i) - 1;
		else
			problem_line(t, &p[i]);
	}
	if (left > 0)
		cv_buf_fmt(t->out, "   and %zu more, all in -o json\n", left);
}

/* problems: the decisive ones at length, at most CV_REPORT_DETAILS of them, then
 * the others a line each. */
static void
problems(const struct text *t, const struct cv_problem *p, size_t n)
{
	size_t detailed = 0;

	for (size_t i = 0; i < n && detailed < CV_REPORT_DETAILS; i++) {
		if (at_length(p, i))
			problem(t, ++detailed, &p[i]);
	}
	lines(t, p, n);
}

static void
uncovered(const struct text *t)
{
	char what[SAFE_TEXT], why[SAFE_TEXT];

	if (t->r->nuncovered == 0)
		return;
	cv_buf_str(t->out, "\nuncovered: cannot be known before the launch\n");
	for (size_t i = 0; i < t->r->nuncovered; i++) {
		const struct cv_r_uncovered *u = &t->r->uncovered[i];

		cv_buf_fmt(t->out, "   %s  (%s)\n      ", safe(what, u->what),
			   u->accepted ? "accepted by policy" : "open");
		cv_wrap(t->out, safe(why, u->why), 6, 6, CV_REPORT_WIDTH);
		cv_buf_byte(t->out, '\n');
	}
}

static void
all_checks(const struct text *t, const char *name, const struct cv_r_finding *f, size_t n)
{
	char shown[SAFE_TEXT];

	for (size_t i = 0; i < n; i++)
		cv_buf_fmt(t->out, "   %-16s %-28s %s%s\n",
			   name[0] != '\0' ? safe(shown, name) : "agent", f[i].a.f.check,
			   cv_outcome_word(f[i].a.f.outcome), f[i].a.required ? "" : " (advisory)");
}

/* ---- the last line ---- */

static void
verdict_word(const struct text *t)
{
	const char *word = cv_outcome_shout(t->r->decision.outcome);

	if (t->o->color)
		cv_buf_fmt(t->out, "\033[1;%dm%s\033[0m",
			   t->r->decision.outcome == CV_PASS ? 32 : 31, word);
	else
		cv_buf_str(t->out, word);
}

/* kinds: "mcp-remote, egress": each kind once, in the order of the list. */
static void
kinds(const struct text *t)
{
	const struct cv_r_uncovered *u = t->r->uncovered;
	const char *comma = "";

	for (size_t i = 0; i < t->r->nuncovered; i++) {
		size_t len = strcspn(u[i].what, ":");
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = strcspn(u[k].what, ":") == len &&
				strncmp(u[k].what, u[i].what, len) == 0;
		if (again)
			continue;
		cv_buf_str(t->out, comma);
		cv_text_safe(t->out, cv_span(u[i].what, len), CV_TEXT_FIELD);
		comma = ", ";
	}
}

/* uncovered_brief: how many and of which kinds, since a pass says nothing about
 * them; their names and reasons are told above. */
static void
uncovered_brief(const struct text *t)
{
	const struct cv_result *r = t->r;
	size_t open = 0;

	for (size_t i = 0; i < r->nuncovered; i++)
		open += !r->uncovered[i].accepted;
	if (r->nuncovered == 0) {
		cv_buf_str(t->out, "nothing uncovered");
		return;
	}
	cv_buf_fmt(t->out, "%zu uncovered (", r->nuncovered);
	kinds(t);
	if (open > 0)
		cv_buf_fmt(t->out, "; %zu open", open);
	cv_buf_byte(t->out, ')');
}

static void
last_pass(const struct text *t, const char *name)
{
	const struct cv_result *r = t->r;
	char took[CV_SIZE_TEXT], until[CV_TIME_TEXT], digest[CV_DIGEST_TEXT];
	size_t checks = r->counts.passed + r->counts.waived;

	cv_buf_fmt(t->out, "      valid until %s", cv_time_text(r->valid_until, until));
	if (r->bundle.alg != 0)
		cv_buf_fmt(t->out, "  bundle %s", cv_digest_text(&r->bundle, digest));
	cv_buf_byte(t->out, '\n');
	verdict_word(t);
	cv_buf_fmt(t->out, "  %s: %zu artifact%s, %zu check%s, ", name, r->nartifacts,
		   r->nartifacts == 1 ? "" : "s", checks, checks == 1 ? "" : "s");
	if (r->counts.waived > 0)
		cv_buf_fmt(t->out, "%zu of them waived, ", r->counts.waived);
	uncovered_brief(t);
	cv_buf_fmt(t->out, ", %s%s\n", cv_ms_text(r->ms, took),
		   cv_result_launchable(r) ? "" : " (not launchable)");
}

static void
last_no(const struct text *t, const char *name, const char *check)
{
	const struct cv_result *r = t->r;
	size_t undecided = r->counts.unknown + r->counts.unanswered;
	char took[CV_SIZE_TEXT];

	if (check != NULL)
		cv_buf_fmt(t->out, "      more: clawverify explain %s\n", check);
	verdict_word(t);
	if (r->decision.outcome == CV_FAIL)
		cv_buf_fmt(t->out, "  %s: do not launch: %zu failed, ", name, r->counts.failed);
	else
		cv_buf_fmt(t->out, "  %s: not verified: ", name);
	if (undecided > 0 || r->decision.outcome != CV_FAIL)
		cv_buf_fmt(t->out, "%zu undecided, ", undecided);
	cv_buf_fmt(t->out, "%zu passed, %zu uncovered, %s\n", r->counts.passed + r->counts.waived,
		   r->nuncovered, cv_ms_text(r->ms, took));
}

int
cv_report_text(struct cv_buf *out, const struct cv_result *r, const struct cv_report_opts *o,
	       struct cv_err *e)
{
	struct text t = { .out = out, .r = r, .o = o };
	cv_auto(cv_freep) struct cv_problem *p = NULL;
	char name[SAFE_TEXT];
	size_t n;

	if (o->quiet && r->decision.outcome == CV_PASS)
		return 0;
	if (cv_problems(r, &p, &n, e) != 0)
		return -1;
	if (!o->quiet) {
		head(&t);
		table(&t);
	}
	if (o->verbose && !o->quiet) {
		cv_buf_str(out, "\nchecks\n");
		all_checks(&t, "", r->findings, r->nfindings);
		for (size_t i = 0; i < r->nartifacts; i++)
			all_checks(&t, r->artifacts[i].name, r->artifacts[i].findings,
				   r->artifacts[i].nfindings);
	}
	problems(&t, p, n);
	if (!o->quiet)
		uncovered(&t);
	cv_buf_byte(out, '\n');
	safe(name, r->agent_name);
	if (r->decision.outcome == CV_PASS)
		last_pass(&t, name);
	else
		last_no(&t, name, n > 0 ? p[0].check : NULL);
	return cv_buf_ok(out, "the report", e);
}
