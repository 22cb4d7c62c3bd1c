/* SPDX-License-Identifier: Apache-2.0 */
/* match.c: see match.h. Must never count a component as covered that some rule
 * about its name could not be compared with. */
#include "match.h"

#include "trust/base/text.h"

#include "sbom/found/sort.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

struct raw { /* one rule that speaks of the version at hand */
	int64_t vuln;
	const char *fixed;
};

struct matching {
	struct cv_match *m;
	struct cv_db *db;
	const struct cv_component *c;
	struct cv_pkg pkg;
	struct raw *raw;
	size_t nraw, raw_cap;
	bool version_gap, rule_gap;
	size_t first;             /* hits of the component at hand begin here */
	struct cv_db_vuln **vuln; /* advisories met so far, by their number in the index */
	size_t vuln_cap;
};

const char *
cv_gap_text(enum cv_gap gap)
{
	static const char *const text[CV_GAP__COUNT] = {
		[CV_GAP_NO_PURL] = "without a package URL",
		[CV_GAP_BAD_PURL] = "with a package URL that breaks its format",
		[CV_GAP_KIND] = "of a kind that is not matched",
		[CV_GAP_RELEASE] = "of a distribution whose release is not said",
		[CV_GAP_SOURCE] = "whose source package is not said",
		[CV_GAP_VERSION] = "with advisories, and without a version that can be compared",
		[CV_GAP_ECOSYSTEM] = "of an ecosystem that the index has no advisories for",
		[CV_GAP_RULE] = "with an advisory whose versions cannot be compared",
		[CV_GAP_NO_INDEX] = "to match, and no index to match them with",
	};

	return (unsigned)gap < CV_GAP__COUNT && text[gap] != NULL ? text[gap] : "";
}

/* ---- gaps ---- */

static void
add_gap(struct matching *x, enum cv_gap gap, const char *kind)
{
	struct cv_match *m = x->m;
	size_t i;

	m->uncovered++;
	for (i = 0; i < m->ngaps; i++)
		if (m->gap[i].gap == gap && strcmp(m->gap[i].kind, kind) == 0)
			break;
	if (i == CV_MATCH_GAPS)
		i--;
	if (i == m->ngaps) {
		m->ngaps++;
		m->gap[i].gap = gap;
		m->gap[i].n = 0;
		cv_text_fmt(m->gap[i].kind, sizeof m->gap[i].kind, "%s", kind);
		m->gap[i].first = x->c->purl[0] != '\0' ? x->c->purl : x->c->name;
	}
	m->gap[i].n++;
}

/* ---- hits ---- */

static int
rank(const char *severity)
{
	static const char *const order[] = { "NONE", "LOW",      "MEDIUM",   "UNKNOWN",
					     "HIGH", "CRITICAL", "MALICIOUS" };

	for (size_t i = 0; i < CV_COUNT(order); i++)
		if (strcmp(severity, order[i]) == 0)
			return (int)i;
	return 3;
}

static bool
known_severity(const char *severity)
{
	return strcmp(severity, "UNKNOWN") != 0;
}

/* keep: a copy in the result */
static int
keep(struct matching *x, const char *text, const char **ret, struct cv_err *e)
{
	*ret = cv_arena_keep(&x->m->arena, cv_span_str(text));
	return *ret == NULL ? cv_fail_memory(e) : 0;
}

/* The words of an advisory, read and copied once. */
static int
words_of(struct matching *x, int64_t id, const struct cv_db_vuln **ret, struct cv_err *e)
{
	struct cv_db_vuln v, *own;
	size_t cap;

	if (id < 0 || id > CV_MAX_ADVISORIES)
		return cv_fail(e, CV_R_MALFORMED, "advisory index: a number of an advisory");
	if ((size_t)id >= x->vuln_cap) {
		struct cv_db_vuln **more;

		cap = 2 * ((size_t)id + 1);
		more = reallocarray(x->vuln, cap, sizeof(struct cv_db_vuln *));
		if (more == NULL)
			return cv_fail_memory(e);
		for (size_t i = x->vuln_cap; i < cap; i++)
			more[i] = NULL;
		x->vuln = more;
		x->vuln_cap = cap;
	}
	if (x->vuln[id] == NULL) {
		own = cv_arena_bytes(&x->m->arena, sizeof *own);
		if (own == NULL)
			return cv_fail_memory(e);
		if (cv_db_vuln(x->db, id, &v, e) != 0 || keep(x, v.osv, &own->osv, e) != 0 ||
		    keep(x, v.cve, &own->cve, e) != 0 ||
		    keep(x, v.severity, &own->severity, e) != 0 ||
		    keep(x, v.summary, &own->summary, e) != 0)
			return -1;
		own->group = v.group;
		x->vuln[id] = own;
	}
	*ret = x->vuln[id];
	return 0;
}

/* The same weakness told by another advisory: the words that say more. */
static void
merge(struct cv_hit *h, const struct cv_db_vuln *v, const char *fixed)
{
	if (known_severity(v->severity) &&
	    (!known_severity(h->severity) || rank(v->severity) > h->rank))
		h->severity = v->severity;
	h->rank = rank(h->severity);
	if (h->cve[0] == '\0')
		h->cve = v->cve;
	if (h->summary[0] == '\0')
		h->summary = v->summary;
	if (h->fixed[0] == '\0')
		h->fixed = fixed;
}

static int
grow(struct cv_match *m, struct cv_err *e)
{
	size_t cap = m->cap == 0 ? 64 : 2 * m->cap;
	struct cv_hit *more;

	if (m->n < m->cap)
		return 0;
	more = reallocarray(m->hit, cap, sizeof *more);
	if (more == NULL)
		return cv_fail_memory(e);
	m->hit = more;
	m->cap = cap;
	return 0;
}

static int
add_hit(struct matching *x, const struct raw *r, struct cv_err *e)
{
	struct cv_match *m = x->m;
	const struct cv_db_vuln *v = NULL;

	if (words_of(x, r->vuln, &v, e) != 0)
		return -1;
	for (size_t i = x->first; i < m->n; i++)
		if (m->hit[i].group == v->group) {
			merge(&m->hit[i], v, r->fixed);
			return 0;
		}
	if (m->n == CV_MATCH_HITS) {
		m->more++;
		return 0;
	}
	if (grow(m, e) != 0)
		return -1;
	m->hit[m->n++] = (struct cv_hit){ .purl = x->c->purl,
					  .osv = v->osv,
					  .cve = v->cve,
					  .severity = v->severity,
					  .summary = v->summary,
					  .fixed = r->fixed,
					  .group = v->group,
					  .rank = rank(v->severity) };
	return 0;
}

static int
worst_first(const void *a, const void *b)
{
	const struct cv_hit *x = a, *y = b;
	int c;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	c = strcmp(x->purl, y->purl);
	if (c != 0)
		return c;
	return (x->group > y->group) - (x->group < y->group);
}

/* One package in several places is one hit. */
static void
sort_hits(struct cv_match *m)
{
	size_t kept = 0;

	cv_sort(m->hit, m->n, sizeof *m->hit, worst_first);
	for (size_t i = 0; i < m->n; i++)
		if (kept == 0 || worst_first(&m->hit[kept - 1], &m->hit[i]) != 0)
			m->hit[kept++] = m->hit[i];
	m->n = kept;
}

/* ---- one component ---- */

static int
add_raw(struct matching *x, int64_t vuln, struct cv_span fixed, struct cv_err *e)
{
	const char *text = cv_arena_keep(&x->m->arena, fixed);

	if (text == NULL)
		return cv_fail_memory(e);
	if (x->nraw == x->raw_cap) {
		size_t cap = x->raw_cap == 0 ? 64 : 2 * x->raw_cap;
		struct raw *more = reallocarray(x->raw, cap, sizeof *more);

		if (more == NULL)
			return cv_fail_memory(e);
		x->raw = more;
		x->raw_cap = cap;
	}
	x->raw[x->nraw++] = (struct raw){ vuln, text };
	return 0;
}

static int
on_rule(void *ctx, const struct cv_db_rule *rule, struct cv_err *e)
{
	struct matching *x = ctx;
	struct cv_span fixed = cv_span(NULL, 0), version = cv_buf_span(&x->pkg.version);
	enum cv_vscheme scheme = cv_eco_scheme(x->pkg.eco);

	if (x->pkg.release[0] != '\0' && rule->release[0] != '\0' &&
	    strcmp(x->pkg.release, rule->release) != 0)
		return 0;
	switch (cv_osv_eval(scheme, rule->rule, version, &fixed)) {
	case CV_OSV_NO:
		return 0;
	case CV_OSV_YES:
		return add_raw(x, rule->vuln, fixed, e);
	case CV_OSV_CANNOT_TELL:
		if (cv_version_ok(scheme, version))
			x->rule_gap = true;
		else
			x->version_gap = true;
		return 0;
	default:
		return cv_fail(e, CV_R_MALFORMED, "advisory index: a rule breaks its format");
	}
}

static int
look_up(struct matching *x, struct cv_err *e)
{
	struct cv_pkg *p = &x->pkg;
	bool known = false;
	int covers = cv_db_covers(x->db, p->eco, p->release, e);

	if (covers < 0)
		return -1;
	if (covers == 0) {
		add_gap(x, CV_GAP_ECOSYSTEM, p->kind);
		return 0;
	}
	x->nraw = 0;
	x->version_gap = x->rule_gap = false;
	x->first = x->m->n;
	if (cv_db_lookup(x->db, p->eco, cv_buf_text(&p->key), &known, on_rule, x, e) < 0)
		return -1;
	for (size_t i = 0; i < x->nraw; i++)
		if (add_hit(x, &x->raw[i], e) != 0)
			return -1;
	if (!known && p->guessed)
		add_gap(x, CV_GAP_SOURCE, p->kind);
	else if (x->version_gap)
		add_gap(x, CV_GAP_VERSION, p->kind);
	else if (x->rule_gap)
		add_gap(x, CV_GAP_RULE, p->kind);
	else
		x->m->covered++;
	return 0;
}

static int
one(struct matching *x, const struct cv_sbom *sbom, struct cv_err *e)
{
	if (cv_pkg_of(&x->pkg, sbom, x->c, e) != 0)
		return -1;
	if (cv_pkg_skipped(&x->pkg, x->c))
		return 0;
	x->m->counted++;
	if (x->db == NULL)
		add_gap(x, CV_GAP_NO_INDEX, "");
	else if (x->pkg.gap != CV_GAP_NONE)
		add_gap(x, x->pkg.gap, x->pkg.kind);
	else
		return look_up(x, e);
	return 0;
}

int
cv_match(struct cv_match *ret, const struct cv_sbom *sbom, struct cv_db *db, struct cv_err *e)
{
	struct matching x = { .m = ret, .db = db, .pkg = CV_PKG };
	int rc = 0;

	*ret = (struct cv_match){ .hit = NULL };
	for (size_t i = 0; i < sbom->n && rc == 0; i++) {
		x.c = &sbom->comp[i];
		rc = one(&x, sbom, e);
	}
	free(x.raw);
	free(x.vuln);
	cv_pkg_free(&x.pkg);
	if (rc == 0)
		sort_hits(ret);
	else
		cv_match_free(ret);
	return rc;
}

void
cv_match_free(struct cv_match *m)
{
	free(m->hit);
	cv_arena_free(&m->arena);
	*m = (struct cv_match){ .hit = NULL };
}
