/* SPDX-License-Identifier: Apache-2.0 */
/*
 * osv_eval.c: answers whether a rule of an advisory speaks of a version. Never
 * answers no when a part of the rule could not be compared.
 */
#include "osv.h"

#include "trust/base/banned.h"

static bool
is_zero(struct cv_span s)
{
	return cv_span_eq_str(s, "0");
}

/* An event and the version: "0" as the beginning is before everything. */
static bool
cmp_event(enum cv_vscheme scheme, struct cv_span event, struct cv_span v, int *c)
{
	if (is_zero(event)) {
		*c = is_zero(v) ? 0 : -1;
		return true;
	}
	return cv_version_cmp(scheme, event, v, c);
}

/* Two events: "0" is before "0.0.0-2022", which as a version it is not. */
static bool
cmp_events(enum cv_vscheme scheme, struct cv_span a, struct cv_span b, int *c)
{
	if (is_zero(a) || is_zero(b)) {
		*c = (int)is_zero(b) - (int)is_zero(a);
		return true;
	}
	return cv_version_cmp(scheme, a, b, c);
}

/* A walk over the events of one range, without sorting: the last event, in
 * version order, that applies to the version decides; of equals the later one. */
struct walk {
	struct cv_span best;
	bool any, in;
	bool unsure, limited, below_limit;
	struct cv_span fixed;
};

static void
nearest_fix(struct walk *w, enum cv_vscheme scheme, struct cv_span fix)
{
	int c;

	if (w->fixed.n == 0 || (cmp_events(scheme, fix, w->fixed, &c) && c < 0))
		w->fixed = fix;
}

static void
step(struct walk *w, enum cv_vscheme scheme, uint8_t code, struct cv_span at, struct cv_span v)
{
	int c, order;

	if (!cmp_event(scheme, at, v, &c)) {
		w->unsure = true;
		return;
	}
	if (code == CV_OSV_LIMIT) {
		w->limited = true;
		w->below_limit = w->below_limit || c > 0;
		return;
	}
	if (code == CV_OSV_FIXED && c > 0)
		nearest_fix(w, scheme, at);
	if (code == CV_OSV_LAST ? c >= 0 : c > 0)
		return;
	if (w->any && (!cmp_events(scheme, at, w->best, &order) || order < 0))
		return;
	w->any = true;
	w->best = at;
	w->in = code == CV_OSV_INTRODUCED;
}

static bool
same_version(enum cv_vscheme scheme, struct cv_span a, struct cv_span b)
{
	int c;

	if (a.n > 0 && (a.p[0] == 'v' || a.p[0] == 'V') && scheme == CV_V_SEMVER)
		(void)cv_span_u8(&a);
	if (b.n > 0 && (b.p[0] == 'v' || b.p[0] == 'V') && scheme == CV_V_SEMVER)
		(void)cv_span_u8(&b);
	if (cv_span_eq(a, b))
		return true;
	return scheme == CV_V_PEP440 && cv_version_cmp(scheme, a, b, &c) && c == 0;
}

struct eval {
	enum cv_vscheme scheme;
	struct cv_span version;
	bool yes, unsure;
	struct cv_span fixed;
};

static void
end_range(struct eval *ev, struct walk *w)
{
	if (w->in && (!w->limited || w->below_limit)) {
		ev->yes = true;
		if (ev->fixed.n == 0)
			ev->fixed = w->fixed;
	}
	ev->unsure = ev->unsure || w->unsure;
	*w = (struct walk){ .any = false };
}

enum cv_osv_answer
cv_osv_eval(enum cv_vscheme scheme, struct cv_span rule, struct cv_span version,
	    struct cv_span *fixed)
{
	struct eval ev = { .scheme = scheme, .version = version };
	struct walk w = { .any = false };
	bool ordered = cv_version_ok(scheme, version);

	while (rule.n > 0 && !rule.bad) {
		uint8_t code = cv_span_u8(&rule);
		struct cv_span arg = cv_span_take(&rule, cv_span_u16le(&rule));
		switch (code) {
		case CV_OSV_RANGE:
			end_range(&ev, &w);
			break;
		case CV_OSV_UNSURE:
			ev.unsure = true;
			break;
		case CV_OSV_VERSION:
			ev.yes = ev.yes || same_version(scheme, arg, version);
			break;
		case CV_OSV_INTRODUCED:
		case CV_OSV_FIXED:
		case CV_OSV_LAST:
		case CV_OSV_LIMIT:
			if (ordered)
				step(&w, scheme, code, arg, version);
			else
				ev.unsure = true;
			break;
		default:
			return CV_OSV_BROKEN;
		}
	}
	if (rule.bad)
		return CV_OSV_BROKEN;
	end_range(&ev, &w);
	*fixed = ev.fixed;
	return ev.yes ? CV_OSV_YES : ev.unsure ? CV_OSV_CANNOT_TELL : CV_OSV_NO;
}
