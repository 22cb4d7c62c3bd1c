/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvss.c: base scores of CVSS v3.0 and v3.1 (specification 7.1, 8) as words. Only
 * orders and labels findings; never decides one.
 */
#include "osv.h"

#include <string.h>

#include "trust/base/banned.h"

struct metric {
	const char *key;
	const char *values; /* one letter each */
	double weight[4];
};

enum { AV, AC, PR, UI, S, C, I, A, METRICS };

static const struct metric metrics[METRICS] = {
	[AV] = { "AV", "NALP", { 0.85, 0.62, 0.55, 0.2 } },
	[AC] = { "AC", "LH", { 0.77, 0.44 } },
	[PR] = { "PR", "NLH", { 0.85, 0.62, 0.27 } },
	[UI] = { "UI", "NR", { 0.85, 0.62 } },
	[S] = { "S", "UC", { 0, 1 } },
	[C] = { "C", "HLN", { 0.56, 0.22, 0 } },
	[I] = { "I", "HLN", { 0.56, 0.22, 0 } },
	[A] = { "A", "HLN", { 0.56, 0.22, 0 } },
};

/* Each base metric exactly once; temporal and environmental ones are passed over. */
static bool
parse(struct cv_span s, double w[METRICS])
{
	unsigned seen = 0;

	while (s.n > 0) {
		size_t n = 0;
		while (n < s.n && s.p[n] != '/')
			n++;
		struct cv_span value = cv_span_take(&s, n);
		if (s.n > 0)
			(void)cv_span_u8(&s);
		struct cv_span key = cv_span_until(&value, ':');
		for (unsigned m = 0; m < METRICS; m++) {
			if (!cv_span_eq_str(key, metrics[m].key))
				continue;
			const char *at =
				value.n == 1 ? strchr(metrics[m].values, value.p[0]) : NULL;
			if (at == NULL || value.p[0] == '\0' || (seen & 1u << m))
				return false;
			seen |= 1u << m;
			w[m] = metrics[m].weight[at - metrics[m].values];
		}
	}
	return seen == (1u << METRICS) - 1;
}

/* v3.1, appendix A: round up to one decimal, robust against binary fractions. */
static double
roundup(double v)
{
	long i = (long)(v * 100000 + 0.5);

	return i % 10000 == 0 ? (double)i / 100000 : ((double)(i / 10000) + 1) / 10;
}

static double
power15(double v)
{
	double r = 1;

	for (int i = 0; i < 15; i++)
		r *= v;
	return r;
}

static double
score3(const double w[METRICS])
{
	bool changed = w[S] > 0.5;
	double iss = 1 - (1 - w[C]) * (1 - w[I]) * (1 - w[A]);
	double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * power15(iss - 0.02) : 6.42 * iss;
	double pr = w[PR];

	if (changed && pr < 0.8)
		pr = pr > 0.5 ? 0.68 : 0.5;
	double sum = impact + 8.22 * w[AV] * w[AC] * pr * w[UI];
	if (impact <= 0)
		return 0;
	if (changed)
		sum *= 1.08;
	return roundup(sum > 10 ? 10 : sum);
}

const char *
cv_cvss_word(const char *vector)
{
	struct cv_span s = cv_span_str(vector);
	double w[METRICS];

	if (!cv_span_has_prefix(s, "CVSS:3.0/") && !cv_span_has_prefix(s, "CVSS:3.1/"))
		return NULL;
	(void)cv_span_take(&s, 9);
	if (!parse(s, w))
		return NULL;
	double score = score3(w);
	return score >= 9   ? "CRITICAL"
	       : score >= 7 ? "HIGH"
	       : score >= 4 ? "MEDIUM"
	       : score > 0  ? "LOW"
			    : "NONE";
}
