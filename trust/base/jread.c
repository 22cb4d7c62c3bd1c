/* SPDX-License-Identifier: Apache-2.0 */
/* jread.c: see jread.h. Must never let a text through as JSON: that is the
 * door's word alone, over everything that was not cut. */
#include "trust/base/jread.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* Go's folding, as far as it ends in an ASCII letter. */
static uint32_t
fold(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 'a';
	if (c == 0x212A)
		return 'k';
	if (c == 0x017F)
		return 's';
	return c;
}

static bool
same_folded(const char *a, const char *b)
{
	struct cv_span x = cv_span_str(a), y = cv_span_str(b);

	while (x.n > 0 && y.n > 0) {
		if (fold(cv_utf8_next(&x)) != fold(cv_utf8_next(&y)))
			return false;
		if (x.bad || y.bad)
			return false;
	}
	return x.n == 0 && y.n == 0;
}

int
cv_jread_known(struct cv_jv object, const char *const *known, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];

	if (cv_jv_type(object) != CV_J_OBJECT)
		return 0;
	for (struct cv_jv v = cv_jv_first(object); !v.absent; v = cv_jv_next(v)) {
		const char *key = cv_jv_key(v);

		for (size_t i = 0; known[i] != NULL; i++) {
			if (strcmp(key, known[i]) == 0 || !same_folded(key, known[i]))
				continue;
			return cv_jv_fail(v, e, CV_R_AMBIGUOUS,
					  "found the key \"%s\", which some readers take for "
					  "\"%s\" and some do not",
					  cv_text_brief(brief, cv_span_str(key)), known[i]);
		}
	}
	return 0;
}

int
cv_jread_opt(struct cv_jv object, const char *key, const char **ret, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(object, key);

	*ret = "";
	if (v.absent || cv_jv_type(v) == CV_J_NULL)
		return 0;
	return cv_jv_text(v, ret, e);
}

static bool
is_base64(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
}

/* Bytes up to the quote that ends a string, escapes passed over; *plain says
 * whether they are of the base64 alphabets alone. bad: the text ends first. */
static struct cv_span
string_inside(struct cv_span *s, bool *plain)
{
	struct cv_span start = *s;
	size_t n = 0;

	*plain = true;
	while (n < s->n && s->p[n] != '"') {
		if (!is_base64(s->p[n]))
			*plain = false;
		n += s->p[n] == '\\' ? 2 : 1;
	}
	cv_span_take(s, n); /* sets bad when a backslash was last */
	if (cv_span_u8(s) != '"' || s->bad)
		s->bad = true;
	return s->bad ? cv_span(NULL, 0) : cv_span(start.p, n);
}

static void
remember(struct cv_jslim *s, struct cv_span raw)
{
	s->cut[s->n].at = s->text.n;
	s->cut[s->n].raw = raw;
	s->n++;
}

int
cv_jslim_strings(struct cv_jslim *s, struct cv_span in, struct cv_err *e)
{
	struct cv_span rest = in;

	s->text = CV_BUF(CV_MAX_JSON_DOM);
	s->n = 0;
	while (rest.n > 0) {
		struct cv_span from = rest, inside;
		bool plain;

		while (rest.n > 0 && rest.p[0] != '"')
			cv_span_take(&rest, 1);
		cv_buf_add(&s->text, from.p, from.n - rest.n);
		if (rest.n == 0)
			break;
		from = rest;
		cv_span_take(&rest, 1);
		inside = string_inside(&rest, &plain);
		if (rest.bad) { /* unterminated: the door will say where */
			cv_buf_add(&s->text, from.p, from.n);
			break;
		}
		if (plain && inside.n >= CV_JSLIM_STRING && s->n < CV_JSLIM_CUTS) {
			remember(s, inside);
			cv_buf_str(&s->text, "\"\"");
		} else {
			cv_buf_add(&s->text, from.p, from.n - rest.n);
		}
	}
	return cv_buf_ok(&s->text, "the document without its long strings", e);
}

static void
skip_space(struct cv_span *s)
{
	while (s->n > 0 &&
	       (s->p[0] == ' ' || s->p[0] == '\t' || s->p[0] == '\n' || s->p[0] == '\r'))
		cv_span_take(s, 1);
}

/* The stack of open brackets: one bit each, 1 for an object. */
struct nest {
	uint64_t bits;
	unsigned depth;
};

static bool
nest_step(struct nest *n, uint8_t c)
{
	bool object = c == '{' || c == '}';

	if (c == '{' || c == '[') {
		if (n->depth == CV_MAX_JSON_DEPTH)
			return false;
		n->bits = n->bits << 1 | (object ? 1u : 0u);
		n->depth++;
	} else if (c == '}' || c == ']') {
		if (n->depth == 0 || (n->bits & 1u) != (object ? 1u : 0u))
			return false;
		n->bits >>= 1;
		n->depth--;
	}
	return true;
}
_Static_assert(CV_MAX_JSON_DEPTH <= 64, "a bit for each level");

/* One value, without looking at more of it than where it ends. */
static bool
take_value(struct cv_span *s, struct cv_span *ret)
{
	struct cv_span start = *s;
	struct nest nest = { 0 };
	bool plain;

	do {
		uint8_t c = s->n > 0 ? s->p[0] : 0;

		if (s->n == 0)
			return false;
		if (nest.depth == 0 && (c == ',' || c == '}' || c == ']'))
			break;
		cv_span_take(s, 1);
		if (c == '"')
			string_inside(s, &plain);
		if (s->bad || !nest_step(&nest, c))
			return false;
		/* a closed bracket or a string ends a value, a number does not */
		if (nest.depth == 0 && (c == '"' || c == '}' || c == ']'))
			break;
	} while (true);
	*ret = cv_span(start.p, start.n - s->n);
	return ret->n > 0;
}

/* True after the key of a member of the outermost object, if it is `key`. */
static bool
at_member(struct cv_span *s, const struct nest *nest, struct cv_span inside, const char *key)
{
	struct cv_span look = *s;

	if (nest->depth != 1 || (nest->bits & 1u) == 0 || !cv_span_eq_str(inside, key))
		return false;
	skip_space(&look);
	if (look.n == 0 || look.p[0] != ':')
		return false;
	cv_span_take(&look, 1);
	skip_space(&look);
	*s = look;
	return true;
}

int
cv_jslim_member(struct cv_jslim *s, struct cv_span in, const char *key, struct cv_err *e)
{
	struct cv_span rest = in;
	struct nest nest = { 0 };

	s->text = CV_BUF(CV_MAX_JSON_DOM);
	s->n = 0;
	while (rest.n > 0) {
		struct cv_span from = rest, inside, value;
		uint8_t c = cv_span_u8(&rest);
		bool plain, cut = false;

		if (c == '"') {
			inside = string_inside(&rest, &plain);
			cut = !rest.bad && s->n == 0 && at_member(&rest, &nest, inside, key);
		}
		if (rest.bad || !nest_step(&nest, c))
			return cv_fail(e, CV_R_MALFORMED,
				       "byte %zu: found a string or bracket without its end, or "
				       "more than %d levels; want JSON",
				       in.n - from.n, CV_MAX_JSON_DEPTH);
		cv_buf_add(&s->text, from.p, from.n - rest.n);
		if (!cut)
			continue;
		if (!take_value(&rest, &value))
			return cv_fail(e, CV_R_MALFORMED,
				       "byte %zu: found no whole value for \"%s\"", in.n - from.n,
				       key);
		remember(s, value);
		cv_buf_str(&s->text, "null");
	}
	return cv_buf_ok(&s->text, "the document without its large member", e);
}

const struct cv_jcut *
cv_jslim_find(const struct cv_jslim *s, struct cv_jv v)
{
	if (s == NULL || v.absent)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		if (s->cut[i].at == cv_jv_pos(v).start)
			return &s->cut[i];
	return NULL;
}

int
cv_jslim_text(const struct cv_jslim *s, struct cv_jv v, struct cv_span *ret, struct cv_err *e)
{
	const struct cv_jcut *cut = cv_jslim_find(s, v);
	const char *text;

	if (cut != NULL) {
		*ret = cut->raw;
		return 0;
	}
	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	*ret = cv_span_str(text);
	return 0;
}

void
cv_jslim_free(struct cv_jslim *s)
{
	cv_buf_free(&s->text);
	s->n = 0;
}
