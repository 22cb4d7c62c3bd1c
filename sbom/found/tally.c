/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c: see tally.h. Must never state a check as held that had a problem. */
#include "sbom/found/tally.h"

#include <string.h>

#include "trust/base/banned.h"

static struct cv_tally_check *
find(struct cv_tally *t, const char *check)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->check[i].check, check) == 0)
			return &t->check[i];
	return NULL;
}

static void
add(struct cv_tally *t, const char *check, bool applies, bool silent)
{
	if (t->n < CV_TALLY_CHECKS)
		t->check[t->n++] = (struct cv_tally_check){ .check = check,
							    .applies = applies,
							    .silent = silent };
}

void
cv_tally_add(struct cv_tally *t, const char *check)
{
	add(t, check, true, false);
}

void
cv_tally_maybe(struct cv_tally *t, const char *check)
{
	add(t, check, false, false);
}

void
cv_tally_silent(struct cv_tally *t, const char *check)
{
	add(t, check, true, true);
}

void
cv_tally_met(struct cv_tally *t, const char *check)
{
	struct cv_tally_check *c = find(t, check);

	if (c != NULL)
		c->applies = true;
}

int
cv_tally_no(struct cv_tally *t, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_tally_check *c = find(t, f->check);

	if (c == NULL)
		return cv_fail(e, CV_R_BUG, "a finding \"%s\" that this task does not answer",
			       f->check);
	if (c->held) {
		c->more++;
		return 0;
	}
	if (c->said + 1 < t->max) {
		c->said++;
		return cv_w_finding(t->w, f, e);
	}
	c->held = true;
	c->last = *f;
	return 0;
}

void
cv_tally_more(struct cv_tally *t, const char *check, uint64_t n)
{
	struct cv_tally_check *c = find(t, check);

	if (c != NULL)
		c->more += n;
}

bool
cv_tally_failed(struct cv_tally *t, const char *check)
{
	const struct cv_tally_check *c = find(t, check);

	return c == NULL || c->said > 0 || c->held;
}

static int
end_one(struct cv_tally *t, struct cv_tally_check *c, struct cv_err *e)
{
	struct cv_finding f;

	if (c->held) {
		if (c->more > 0)
			cv_finding_note(&c->last, "and %llu more of these that are not listed",
					(unsigned long long)c->more);
		return cv_w_finding(t->w, &c->last, e);
	}
	if (c->said > 0 || c->silent)
		return 0;
	f = cv_finding_pass(c->check);
	if (!c->applies)
		f.outcome = CV_NOT_APPLICABLE;
	return cv_w_finding(t->w, &f, e);
}

int
cv_tally_end(struct cv_tally *t, struct cv_err *e)
{
	for (size_t i = 0; i < t->n; i++)
		if (end_one(t, &t->check[i], e) != 0)
			return -1;
	return 0;
}
