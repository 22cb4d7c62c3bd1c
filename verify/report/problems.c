/* SPDX-License-Identifier: Apache-2.0 */
/* problems.c: what both reports need; see report.h. */
#include "verify/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

bool
cv_result_launchable(const struct cv_result *r)
{
	return cv_allows(r->decision.verdict) && !r->audit && !r->historical && !r->partial;
}

const char *
cv_outcome_shout(enum cv_outcome o)
{
	switch (o) {
	case CV_PASS:
		return "PASS";
	case CV_FAIL:
		return "FAIL";
	case CV_WAIVED:
		return "WAIVED";
	case CV_NOT_APPLICABLE:
		return "N/A";
	case CV_UNKNOWN:
	default:
		return "UNKNOWN";
	}
}

const char *
cv_size_text(uint64_t bytes, char out[CV_SIZE_TEXT])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths = bytes * 10 / 1024;
	size_t u = 0;

	if (bytes < 1024) {
		(void)snprintf(out, CV_SIZE_TEXT, "%llu bytes", (unsigned long long)bytes);
		return out;
	}
	if (bytes > UINT64_MAX / 10) /* the unit is then the largest one anyway */
		tenths = bytes / 1024 * 10;
	while (tenths >= 10240 && u + 1 < CV_COUNT(units)) {
		tenths /= 1024;
		u++;
	}
	(void)snprintf(out, CV_SIZE_TEXT, "%llu.%llu %s", (unsigned long long)(tenths / 10),
		       (unsigned long long)(tenths % 10), units[u]);
	return out;
}

const char *
cv_ms_text(int64_t ms, char out[CV_SIZE_TEXT])
{
	if (ms < 1000)
		(void)snprintf(out, CV_SIZE_TEXT, "%lld ms", (long long)(ms < 0 ? 0 : ms));
	else
		(void)snprintf(out, CV_SIZE_TEXT, "%lld.%lld s", (long long)(ms / 1000),
			       (long long)(ms % 1000 / 100));
	return out;
}

const char *
cv_confinement_text(const struct cv_result *r, char out[128])
{
	unsigned want = CV_SBX_LANDLOCK | CV_SBX_SECCOMP;

	if (r->workers == 0)
		(void)snprintf(out, 128, "no worker ran");
	else if ((r->sandbox & CV_SBX_SANITIZER) != 0)
		(void)snprintf(out, 128, "WORKERS NOT CONFINED (sanitizer build)");
	else if ((r->sandbox & want) == want)
		(void)snprintf(out, 128, "workers confined (landlock %d, seccomp)", r->landlock);
	else
		(void)snprintf(out, 128, "WORKERS NOT CONFINED (%s%s%s)",
			       (r->sandbox & CV_SBX_LANDLOCK) == 0 ? "no landlock" : "",
			       (r->sandbox & want) == 0 ? ", " : "",
			       (r->sandbox & CV_SBX_SECCOMP) == 0 ? "no seccomp" : "");
	return out;
}

/* ---- problems ---- */

/* rank: causes before what follows from them: first why the bytes are not there
 * or not the agreed ones, then what is in them, then who vouches. */
static int
rank(const char *check)
{
	static const struct {
		const char *prefix;
		int rank;
	} ranks[] = {
		{ "internal.", 0 },     { "worker.", 0 },      { "sandbox.", 0 },
		{ "run.", 0 },          { "fetch.", 1 },       { "file.", 1 },
		{ "agent.changed", 2 }, { "lock.", 2 },        { "oci.", 3 },
		{ "archive.", 3 },      { "model.pickle", 4 }, { "tool.lifecycle-script", 4 },
		{ "sig.", 6 },          { "endorse.", 6 },     { "sbom.", 7 },
		{ "vuln.", 8 },         { "basis.", 9 },
	};

	for (size_t i = 0; i < CV_COUNT(ranks); i++) {
		if (strncmp(check, ranks[i].prefix, strlen(ranks[i].prefix)) == 0)
			return ranks[i].rank;
	}
	return 5;
}

bool
cv_problem_derived(const struct cv_problem *p)
{
	return strcmp(p->check, "basis.insufficient") == 0 ||
	       strcmp(p->check, "sbom.absent") == 0 || cv_undecided(p->check, p->outcome);
}

static int
by_gravity(const void *x, const void *y)
{
	const struct cv_problem *a = x, *b = y;
	int fa = a->outcome == CV_FAIL, fb = b->outcome == CV_FAIL;
	int c;

	if (a->required != b->required)
		return a->required ? -1 : 1;
	if (fa != fb)
		return fb - fa;
	/* what was found out before what was never asked */
	if ((a->f == NULL) != (b->f == NULL))
		return (a->f == NULL) - (b->f == NULL);
	if ((c = strcmp(a->artifact, b->artifact)) != 0 ||
	    (c = rank(a->check) - rank(b->check)) != 0 || (c = strcmp(a->check, b->check)) != 0)
		return c;
	if (a->f == NULL || b->f == NULL)
		return 0;
	if ((c = strcmp(a->f->where, b->f->where)) != 0)
		return c;
	return strcmp(a->f->found, b->f->found);
}

struct gather {
	struct cv_problem *v;
	size_t n;
};

static void
gather(struct gather *g, const char *artifact, const struct cv_r_finding *f, size_t nf,
       const struct cv_planned *plan, size_t nplan)
{
	for (size_t i = 0; i < nf; i++) {
		if (f[i].a.f.outcome == CV_PASS || f[i].a.f.outcome == CV_NOT_APPLICABLE)
			continue;
		g->v[g->n++] = (struct cv_problem){ .artifact = artifact,
						    .check = f[i].a.f.check,
						    .required = f[i].a.required,
						    .outcome = f[i].a.f.outcome,
						    .f = &f[i].a.f,
						    .pos = f[i].pos };
	}
	for (size_t i = 0; i < nplan; i++) {
		bool answered = false;

		for (size_t k = 0; k < nf && !answered; k++)
			answered = strcmp(f[k].a.f.check, plan[i].check) == 0;
		if (!answered)
			g->v[g->n++] = (struct cv_problem){ .artifact = artifact,
							    .check = plan[i].check,
							    .required = plan[i].required,
							    .outcome = CV_UNKNOWN };
	}
}

int
cv_problems(const struct cv_result *r, struct cv_problem **ret, size_t *n, struct cv_err *e)
{
	struct gather g = { .n = 0 };
	size_t room = r->nfindings + r->nplan + 1;

	for (size_t i = 0; i < r->nartifacts; i++)
		room += r->artifacts[i].nfindings + r->artifacts[i].nplan;
	g.v = calloc(room, sizeof(*g.v));
	if (g.v == NULL)
		return cv_fail_memory(e);
	gather(&g, "", r->findings, r->nfindings, r->plan, r->nplan);
	for (size_t i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		gather(&g, a->name, a->findings, a->nfindings, a->plan, a->nplan);
	}
	qsort(g.v, g.n, sizeof(*g.v), by_gravity);
	*ret = g.v;
	*n = g.n;
	return 0;
}
