/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c: SemVer and dpkg order, and the choice of the order. Never converts
 * a number to an integer, never calls two versions equal because one of them
 * could not be read.
 */
#include "version.h"

#include "version_priv.h"

#include "trust/base/limits.h"

#include <string.h>

#include "trust/base/banned.h"

struct cv_span
cv_v_digits(struct cv_span *s)
{
	size_t n = 0;

	while (n < s->n && cv_v_digit(s->p[n]))
		n++;
	return cv_span_take(s, n);
}

int
cv_v_cmp_digits(struct cv_span a, struct cv_span b)
{
	while (a.n > 0 && a.p[0] == '0')
		(void)cv_span_u8(&a);
	while (b.n > 0 && b.p[0] == '0')
		(void)cv_span_u8(&b);
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

/* ---- SemVer ---- */

static struct cv_span
semver_strip(struct cv_span v)
{
	if (v.n > 0 && (v.p[0] == 'v' || v.p[0] == 'V'))
		(void)cv_span_u8(&v);
	return v;
}

static bool
semver_ok(struct cv_span v)
{
	v = semver_strip(v);
	if (v.n == 0 || !cv_v_digit(v.p[0]))
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f)
			return false;
	return true;
}

/* The numbers at the front, the pre-release after them, without build metadata.
 * What follows the numbers without a hyphen ("1.22rc1") is a pre-release too. */
static void
semver_split(struct cv_span v, struct cv_span *core, struct cv_span *pre)
{
	const uint8_t *plus = v.n > 0 ? memchr(v.p, '+', v.n) : NULL;
	size_t n = 0;

	if (plus != NULL)
		v.n = (size_t)(plus - v.p);
	while (n < v.n && (cv_v_digit(v.p[n]) || v.p[n] == '.'))
		n++;
	*core = cv_span_take(&v, n);
	if (v.n > 0 && v.p[0] == '-')
		(void)cv_span_u8(&v);
	*pre = v;
}

/* The next identifier up to a ".". */
static struct cv_span
dotted(struct cv_span *s)
{
	size_t n = 0;

	while (n < s->n && s->p[n] != '.')
		n++;
	struct cv_span id = cv_span_take(s, n);
	if (s->n > 0)
		(void)cv_span_u8(s);
	return id;
}

static bool
all_digits(struct cv_span s)
{
	struct cv_span rest = s;

	(void)cv_v_digits(&rest);
	return s.n > 0 && rest.n == 0;
}

static int
cmp_bytes(struct cv_span a, struct cv_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* SemVer 2.0.0 11.4: numbers before words, words in ASCII order, more identifiers
 * after fewer; 11.3: a pre-release before the release. */
static int
semver_cmp_pre(struct cv_span a, struct cv_span b)
{
	if (a.n == 0 || b.n == 0)
		return a.n != 0 ? -1 : b.n != 0;
	while (a.n > 0 && b.n > 0) {
		struct cv_span x = dotted(&a), y = dotted(&b);
		bool nx = all_digits(x), ny = all_digits(y);
		int c;
		if (nx && ny)
			c = cv_v_cmp_digits(x, y);
		else if (nx != ny)
			c = nx ? -1 : 1;
		else
			c = cmp_bytes(x, y);
		if (c != 0)
			return c;
	}
	return a.n > 0 ? 1 : b.n > 0 ? -1 : 0;
}

static int
semver_cmp(struct cv_span a, struct cv_span b)
{
	struct cv_span ca, pa, cb, pb;

	semver_split(semver_strip(a), &ca, &pa);
	semver_split(semver_strip(b), &cb, &pb);
	while (ca.n > 0 || cb.n > 0) {
		int c = cv_v_cmp_digits(dotted(&ca), dotted(&cb));
		if (c != 0)
			return c;
	}
	return semver_cmp_pre(pa, pb);
}

/* ---- dpkg ---- */

struct dpkg {
	struct cv_span epoch, upstream, revision;
};

/* deb-version(7): [epoch:]upstream[-revision]; the epoch is before the first
 * colon, the revision after the last hyphen. */
static bool
dpkg_split(struct cv_span v, struct dpkg *d)
{
	struct cv_span rest = v;

	*d = (struct dpkg){ .epoch = cv_span(NULL, 0) };
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f)
			return false;
	struct cv_span head = cv_v_digits(&rest);
	if (memchr(v.p, ':', v.n) != NULL) {
		if (head.n == 0 || rest.n == 0 || rest.p[0] != ':')
			return false;
		(void)cv_span_u8(&rest);
		d->epoch = head;
		v = rest;
	}
	d->upstream = v;
	for (size_t i = v.n; i > 0; i--) {
		if (v.p[i - 1] != '-')
			continue;
		d->upstream.n = i - 1;
		d->revision = cv_span(v.p + i, v.n - i);
		break;
	}
	return d->upstream.n > 0;
}

/* "~" before the end of the text, the end before letters, letters before all
 * else. */
static int
dpkg_weight(struct cv_span s)
{
	if (s.n == 0 || cv_v_digit(s.p[0]))
		return 0;
	if (s.p[0] == '~')
		return -1;
	return cv_v_alpha(s.p[0]) ? s.p[0] : s.p[0] + 256;
}

static int
dpkg_cmp_part(struct cv_span a, struct cv_span b)
{
	while (a.n > 0 || b.n > 0) {
		while ((a.n > 0 && !cv_v_digit(a.p[0])) || (b.n > 0 && !cv_v_digit(b.p[0]))) {
			int c = dpkg_weight(a) - dpkg_weight(b);
			if (c != 0)
				return c;
			if (a.n > 0)
				(void)cv_span_u8(&a);
			if (b.n > 0)
				(void)cv_span_u8(&b);
		}
		int c = cv_v_cmp_digits(cv_v_digits(&a), cv_v_digits(&b));
		if (c != 0)
			return c;
	}
	return 0;
}

static int
dpkg_cmp(const struct dpkg *a, const struct dpkg *b)
{
	int c = cv_v_cmp_digits(a->epoch, b->epoch);

	if (c == 0)
		c = dpkg_cmp_part(a->upstream, b->upstream);
	if (c == 0)
		c = dpkg_cmp_part(a->revision, b->revision);
	return c;
}

/* ---- the choice ---- */

bool
cv_version_ok(enum cv_vscheme scheme, struct cv_span v)
{
	struct dpkg d;

	if (v.n == 0 || v.n > CV_MAX_VERSION)
		return false;
	switch (scheme) {
	case CV_V_SEMVER:
		return semver_ok(v);
	case CV_V_PEP440:
		return cv_pep440_ok(v);
	case CV_V_DPKG:
		return dpkg_split(v, &d);
	case CV_V_NONE:
		break;
	}
	return false;
}

bool
cv_version_cmp(enum cv_vscheme scheme, struct cv_span a, struct cv_span b, int *ret)
{
	struct dpkg da, db;

	if (a.n == 0 || b.n == 0 || a.n > CV_MAX_VERSION || b.n > CV_MAX_VERSION)
		return false;
	switch (scheme) {
	case CV_V_SEMVER:
		if (!semver_ok(a) || !semver_ok(b))
			return false;
		*ret = semver_cmp(a, b);
		return true;
	case CV_V_PEP440:
		*ret = cv_pep440_cmp(a, b);
		return true;
	case CV_V_DPKG:
		if (!dpkg_split(a, &da) || !dpkg_split(b, &db))
			return false;
		*ret = dpkg_cmp(&da, &db);
		return true;
	case CV_V_NONE:
		break;
	}
	return false;
}
