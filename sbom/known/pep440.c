/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pep440.c: the order of Python versions. Works on the text in place: nothing is
 * allocated, nothing is converted.
 */
#include "version_priv.h"

#include "trust/base/auto.h"

#include <string.h>

#include "trust/base/banned.h"

/* Where a segment that is not there sorts among its kind (PEP 440, and the sort
 * key of its reference implementation). */
enum rank { BEFORE = -1, PRESENT = 0, AFTER = 1 };

struct pep {
	struct cv_span epoch;
	struct cv_span release; /* "1.2.3" */
	int pre;                /* 'a', 'b', 'c'; 0 none */
	struct cv_span pre_n;
	bool post, dev;
	struct cv_span post_n, dev_n;
	struct cv_span local; /* without "+" */
};

static uint8_t
fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static struct cv_span
trim(struct cv_span s)
{
	while (s.n > 0 && s.p[0] <= ' ')
		(void)cv_span_u8(&s);
	while (s.n > 0 && s.p[s.n - 1] <= ' ')
		s.n--;
	return s;
}

static bool
separator(struct cv_span s)
{
	return s.n > 0 && (s.p[0] == '.' || s.p[0] == '-' || s.p[0] == '_');
}

static bool
take_word(struct cv_span *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fold(s->p[i]) != (uint8_t)word[i])
			return false;
	(void)cv_span_take(s, n);
	return true;
}

/* [sep]word[[sep]N]: true if one of the words is there; *which is its index. A
 * separator after the word is only taken with a number behind it. */
static bool
take_segment(struct cv_span *s, const char *const *words, size_t n, size_t *which,
	     struct cv_span *number)
{
	struct cv_span at = *s;

	if (separator(at))
		(void)cv_span_u8(&at);
	for (size_t i = 0; i < n; i++) {
		if (!take_word(&at, words[i]))
			continue;
		struct cv_span tail = at;
		if (separator(tail))
			(void)cv_span_u8(&tail);
		*number = cv_v_digits(&tail);
		*s = number->n > 0 ? tail : at;
		*which = i;
		return true;
	}
	return false;
}

static bool
take_release(struct cv_span *s, struct cv_span *release)
{
	struct cv_span start = *s;

	if (cv_v_digits(s).n == 0)
		return false;
	while (s->n > 1 && s->p[0] == '.' && cv_v_digit(s->p[1])) {
		(void)cv_span_u8(s);
		(void)cv_v_digits(s);
	}
	*release = cv_span(start.p, start.n - s->n);
	return true;
}

static bool
local_ok(struct cv_span s)
{
	bool fresh = true;

	for (size_t i = 0; i < s.n; i++) {
		bool word = cv_v_digit(s.p[i]) || cv_v_alpha(s.p[i]);
		if (!word && (fresh || !separator(cv_span(s.p + i, 1))))
			return false;
		fresh = !word;
	}
	return s.n > 0 && !fresh;
}

/* PEP 440, appendix B: the regular expression, by hand. */
static bool
parse(struct cv_span s, struct pep *v)
{
	static const char *const pre_words[] = { "alpha",   "a",   "beta", "b",
						 "preview", "pre", "rc",   "c" };
	static const char pre_kinds[] = { 'a', 'a', 'b', 'b', 'c', 'c', 'c', 'c' };
	static const char *const post_words[] = { "post", "rev", "r" };
	static const char *const dev_words[] = { "dev" };
	size_t which;

	*v = (struct pep){ .pre = 0 };
	s = trim(s);
	(void)take_word(&s, "v");
	struct cv_span at = s, epoch = cv_v_digits(&at);
	if (epoch.n > 0 && at.n > 0 && at.p[0] == '!') {
		v->epoch = epoch;
		(void)cv_span_u8(&at);
		s = at;
	}
	if (!take_release(&s, &v->release))
		return false;
	if (take_segment(&s, pre_words, CV_COUNT(pre_words), &which, &v->pre_n))
		v->pre = pre_kinds[which];
	if (s.n > 1 && s.p[0] == '-' && cv_v_digit(s.p[1])) {
		(void)cv_span_u8(&s);
		v->post = true;
		v->post_n = cv_v_digits(&s);
	} else {
		v->post = take_segment(&s, post_words, CV_COUNT(post_words), &which, &v->post_n);
	}
	v->dev = take_segment(&s, dev_words, 1, &which, &v->dev_n);
	if (s.n > 0 && s.p[0] == '+') {
		(void)cv_span_u8(&s);
		v->local = s;
		return local_ok(s);
	}
	return s.n == 0;
}

bool
cv_pep440_ok(struct cv_span v)
{
	struct pep p;

	return parse(v, &p);
}

static struct cv_span
number(struct cv_span *release)
{
	struct cv_span n = cv_v_digits(release);

	if (release->n > 0)
		(void)cv_span_u8(release);
	return n;
}

static int
cmp_release(struct cv_span a, struct cv_span b)
{
	int c = 0;

	while (c == 0 && (a.n > 0 || b.n > 0))
		c = cv_v_cmp_digits(number(&a), number(&b));
	return c;
}

static struct cv_span
local_part(struct cv_span *s)
{
	size_t n = 0;

	while (n < s->n && !separator(cv_span(s->p + n, 1)))
		n++;
	struct cv_span part = cv_span_take(s, n);
	if (s->n > 0)
		(void)cv_span_u8(s);
	return part;
}

static int
cmp_words(struct cv_span a, struct cv_span b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return fold(a.p[i]) < fold(b.p[i]) ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* Part by part: numbers after words, none before any. */
static int
cmp_local(struct cv_span a, struct cv_span b)
{
	while (a.n > 0 && b.n > 0) {
		struct cv_span x = local_part(&a), y = local_part(&b), rx = x, ry = y;
		bool nx = cv_v_digits(&rx).n > 0 && rx.n == 0;
		bool ny = cv_v_digits(&ry).n > 0 && ry.n == 0;
		int c;
		if (nx && ny)
			c = cv_v_cmp_digits(x, y);
		else if (nx != ny)
			c = nx ? 1 : -1;
		else
			c = cmp_words(x, y);
		if (c != 0)
			return c;
	}
	return a.n > 0 ? 1 : b.n > 0 ? -1 : 0;
}

/* 1.0.dev1 comes before 1.0a1: without a pre-release, a development release that
 * is no post-release sorts before all pre-releases. */
static enum rank
pre_rank(const struct pep *v)
{
	if (v->pre != 0)
		return PRESENT;
	return v->dev && !v->post ? BEFORE : AFTER;
}

static int
cmp_valid(const struct pep *a, const struct pep *b)
{
	int c = cv_v_cmp_digits(a->epoch, b->epoch);

	if (c == 0)
		c = cmp_release(a->release, b->release);
	if (c == 0)
		c = (int)pre_rank(a) - (int)pre_rank(b);
	if (c == 0 && a->pre != 0)
		c = a->pre != b->pre ? a->pre - b->pre : cv_v_cmp_digits(a->pre_n, b->pre_n);
	if (c == 0)
		c = (int)a->post - (int)b->post;
	if (c == 0)
		c = cv_v_cmp_digits(a->post_n, b->post_n);
	if (c == 0)
		c = (int)b->dev - (int)a->dev;
	if (c == 0)
		c = cv_v_cmp_digits(a->dev_n, b->dev_n);
	return c != 0 ? c : cmp_local(a->local, b->local);
}

/* ---- what is no version by PEP 440 ---- */

/* One part of a legacy text: digits, letters, or a run of something else. */
struct legacy {
	struct cv_span rest;
	bool ended;
	struct cv_span part; /* as compared */
	bool number;
};

static const uint8_t final_text[] = "final", final_dash[] = "final-", pre_text[] = "c",
		     dev_text[] = "@";

static struct cv_span
literal(const uint8_t *p, size_t with_nul)
{
	return cv_span(p, with_nul - 1);
}

static bool
is_word(struct cv_span s, const char *word)
{
	struct cv_span at = s;

	return take_word(&at, word) && at.n == 0;
}

/* The next raw part; dots only separate. At the end comes "final", once. */
static void
legacy_raw(struct legacy *l)
{
	while (l->rest.n > 0 && l->rest.p[0] == '.')
		(void)cv_span_u8(&l->rest);
	if (l->rest.n == 0) {
		l->part = literal(final_text, sizeof(final_text));
		l->number = false;
		l->ended = true;
		return;
	}
	uint8_t c = l->rest.p[0];
	size_t n = 1;
	l->number = cv_v_digit(c);
	if (c != '-')
		while (n < l->rest.n && l->rest.p[n] != '.' && l->rest.p[n] != '-' &&
		       cv_v_digit(l->rest.p[n]) == l->number &&
		       cv_v_alpha(l->rest.p[n]) == cv_v_alpha(c))
			n++;
	l->part = cv_span_take(&l->rest, n);
	if (c == '-')
		l->part = literal(final_dash, sizeof(final_dash));
	else if (is_word(l->part, "pre") || is_word(l->part, "preview") || is_word(l->part, "rc"))
		l->part = literal(pre_text, sizeof(pre_text));
	else if (is_word(l->part, "dev"))
		l->part = literal(dev_text, sizeof(dev_text));
}

/* Words that sort before "final" swallow the dashes before them, every word the
 * zeros before it: so trailing zeros and dashes do not count. */
static void
legacy_next(struct legacy *l)
{
	struct legacy ahead;
	bool droppable;

	do {
		legacy_raw(l);
		bool zero = l->number && cv_v_cmp_digits(l->part, cv_span(NULL, 0)) == 0;
		bool dash = l->part.p == final_dash;
		droppable = false;
		if (!zero && !dash)
			continue;
		ahead = *l;
		for (;;) {
			legacy_raw(&ahead);
			bool z = ahead.number && cv_v_cmp_digits(ahead.part, cv_span(NULL, 0)) == 0;
			bool d = ahead.part.p == final_dash;
			if (zero && z)
				continue;
			bool word = !ahead.number && !d;
			bool low = word && cmp_words(ahead.part,
						     literal(final_text, sizeof(final_text))) < 0;
			droppable = zero ? !ahead.number : low;
			if (dash && d)
				continue;
			break;
		}
	} while (droppable && !l->ended);
}

static int
cmp_legacy(struct cv_span a, struct cv_span b)
{
	struct legacy x = { .rest = trim(a) }, y = { .rest = trim(b) };

	for (;;) {
		if (x.ended || y.ended)
			return (int)y.ended - (int)x.ended;
		legacy_next(&x);
		legacy_next(&y);
		int c;
		/* "*" marks a word in the original key and sorts before digits. */
		if (x.number != y.number)
			c = x.number ? 1 : -1;
		else if (x.number)
			c = cv_v_cmp_digits(x.part, y.part);
		else
			c = cmp_words(x.part, y.part);
		if (c != 0)
			return c;
	}
}

int
cv_pep440_cmp(struct cv_span a, struct cv_span b)
{
	struct pep pa, pb;
	bool va = parse(a, &pa), vb = parse(b, &pb);

	if (va && vb)
		return cmp_valid(&pa, &pb);
	if (va != vb)
		return va ? 1 : -1;
	return cmp_legacy(a, b);
}
