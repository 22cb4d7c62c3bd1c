/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_number.c: numbers of the strict tokenizer (RFC 8259 6; see json_scan.c). Must
 * never round an integer, nor read what its neighbour would read differently.
 */
#include "trust/base/json_int.h"

#include <float.h>
#include <locale.h>
#include <stdlib.h>

#include "trust/base/banned.h"

struct number {
	const struct cv_jdoc *doc;
	const uint8_t *p;
	size_t n, i; /* bytes of the text, the next one */
	struct cv_err *e;
};

#define FAIL(s, at, ...) cv_json_fail_at((s)->doc, at, (s)->e, CV_R_MALFORMED, __VA_ARGS__)

static size_t
digits(struct number *s)
{
	size_t start = s->i;

	while (s->i < s->n && s->p[s->i] >= '0' && s->p[s->i] <= '9')
		s->i++;
	return s->i - start;
}

/* RFC 8259 6: the fraction and exponent, if any. */
static int
fraction(struct number *s, size_t start, bool *real)
{
	if (s->i < s->n && s->p[s->i] == '.') {
		*real = true;
		s->i++;
		if (digits(s) == 0)
			return FAIL(s, start, "found a number without digits after its point");
	}
	if (s->i < s->n && (s->p[s->i] | 0x20) == 'e') {
		*real = true;
		s->i++;
		if (s->i < s->n && (s->p[s->i] == '+' || s->p[s->i] == '-'))
			s->i++;
		if (digits(s) == 0)
			return FAIL(s, start, "found a number without digits in its exponent");
	}
	return 0;
}

static int
integer(const struct number *s, size_t start, bool minus, int64_t *ret)
{
	/* Built up as a negative number, of which there is one more. */
	int64_t v = 0;

	for (size_t i = start + (minus ? 1 : 0); i < s->i; i++) {
		int digit = s->p[i] - '0';

		if (v < (INT64_MIN + digit) / 10)
			return FAIL(s, start, "found an integer out of range, want %lld to %lld",
				    (long long)INT64_MIN, (long long)INT64_MAX);
		v = v * 10 - digit;
	}
	if (!minus && v == INT64_MIN)
		return FAIL(s, start, "found an integer out of range, want %lld to %lld",
			    (long long)INT64_MIN, (long long)INT64_MAX);
	*ret = minus ? v : -v;
	return 0;
}

/* The grammar was checked; the text ends with a NUL, so strtod stops. */
static int
real(const struct number *s, size_t start, double *ret)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a point, not a comma */
	char *end;
	double v;

	if (c == (locale_t)0)
		return cv_fail_memory(s->e);
	v = strtod_l((const char *)s->p + start, &end, c);
	freelocale(c);
	if ((const uint8_t *)end != s->p + s->i)
		return cv_fail(s->e, CV_R_BUG, "%s: two readings of a number differ", s->doc->name);
	if (v > DBL_MAX || v < -DBL_MAX)
		return FAIL(s, start, "found a number too large for a double");
	*ret = v;
	return 0;
}

int
cv_json_number(const struct cv_jdoc *doc, size_t *at, unsigned flags, struct cv_jnode *node,
	       struct cv_err *e)
{
	struct number s = { .doc = doc, .p = doc->text, .n = doc->n, .i = *at, .e = e };
	bool minus = s.p[s.i] == '-', is_real = false;
	size_t start = s.i, n;

	if (minus)
		s.i++;
	n = digits(&s);
	if (n == 0)
		return FAIL(&s, start, "found '-' without digits, want a number");
	if (n > 1 && s.p[s.i - n] == '0')
		return FAIL(&s, start, "found a number with a leading zero, want none");
	if (fraction(&s, start, &is_real) != 0)
		return -1;
	*at = s.i;
	if (!is_real) {
		node->type = CV_J_INT;
		return integer(&s, start, minus, &node->as.integer);
	}
	if ((flags & CV_JSON_REALS) == 0)
		return FAIL(&s, start, "found a number with fraction or exponent, want an integer");
	if (s.i - start > 400)
		return cv_json_fail_at(doc, start, e, CV_R_LIMIT,
				       "found a number of %zu characters, at most 400 are accepted",
				       s.i - start);
	node->type = CV_J_REAL;
	return real(&s, start, &node->as.real);
}
