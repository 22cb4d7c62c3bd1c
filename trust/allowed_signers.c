/* SPDX-License-Identifier: Apache-2.0 */
/* allowed_signers.c: see allowed_signers.h. Must never let a line that it did not
 * understand allow anybody. */
#include "trust/allowed_signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

struct entry {
	struct cv_span principals, namespaces;
	bool ca, limited; /* limited: namespaces are given */
	bool has_after, has_before;
	int64_t after, before;
	struct cv_buf blob;
	struct cv_ssh_key key;
};

struct cv_signers {
	struct cv_buf text;
	struct entry *v;
	size_t n, cap;
};

void
cv_signers_free(struct cv_signers **s)
{
	if (*s == NULL)
		return;
	for (size_t i = 0; i < (*s)->n; i++)
		cv_buf_free(&(*s)->v[i].blob);
	free((*s)->v);
	cv_buf_free(&(*s)->text);
	free(*s);
	*s = NULL;
}

size_t
cv_signers_count(const struct cv_signers *s)
{
	return s->n;
}

/* ---- patterns ---- */

/* * and ?; the last star is the only one worth going back to. */
static bool
glob(struct cv_span text, struct cv_span pattern)
{
	size_t t = 0, p = 0, star = SIZE_MAX, mark = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

int
cv_ssh_pattern_list(struct cv_span text, struct cv_span patterns)
{
	int found = 0;

	while (patterns.n > 0) {
		const void *comma = memchr(patterns.p, ',', patterns.n);
		struct cv_span p = comma != NULL ? cv_span_until(&patterns, ',')
						 : cv_span_take(&patterns, patterns.n);
		bool negated = p.n > 0 && p.p[0] == '!';

		if (negated)
			cv_span_take(&p, 1);
		if (!glob(text, p))
			continue;
		if (negated)
			return -1;
		found = 1;
	}
	return found;
}

/* ---- fields of a line ---- */

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void
skip_blanks(struct cv_span *s)
{
	while (s->n > 0 && blank(s->p[0]))
		cv_span_take(s, 1);
}

/* Up to the next blank that is not within double quotes, and the blanks after it. */
static struct cv_span
field(struct cv_span *s)
{
	size_t n = 0;
	bool quoted = false;
	struct cv_span r;

	for (; n < s->n && (quoted || !blank(s->p[n])); n++)
		if (s->p[n] == '"')
			quoted = !quoted;
	if (quoted)
		s->bad = true;
	r = cv_span_take(s, n);
	skip_blanks(s);
	return r;
}

/* Patterns in quotes, or without any. */
static int
unquote(struct cv_span *s, const char *what, struct cv_err *e)
{
	if (s->n >= 2 && s->p[0] == '"' && s->p[s->n - 1] == '"')
		*s = cv_span(s->p + 1, s->n - 2);
	if (s->n == 0 || memchr(s->p, '"', s->n) != NULL || memchr(s->p, '\\', s->n) != NULL)
		return cv_fail(e, CV_R_MALFORMED,
			       "the %s are empty, or have a quote or backslash inside", what);
	return 0;
}

static int
no_time(struct cv_span text, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];

	return cv_fail(e, CV_R_MALFORMED, "found the time %s, want YYYYMMDD[HHMM[SS]][Z]",
		       cv_text_brief(brief, text));
}

static int
read_time(int64_t *ret, struct cv_span text, int zone, struct cv_err *e)
{
	char digits[15] = "00000000000000", rfc[32];
	struct cv_span s = text;
	bool utc = cv_span_has_suffix(s, "Z");

	s.n -= utc;
	if (s.n != 8 && s.n != 12 && s.n != 14)
		return no_time(text, e);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return no_time(text, e);
		digits[i] = (char)s.p[i];
	}
	if (!utc && zone == CV_ZONE_NONE)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "found the time %s in an unnamed time zone, want it in UTC, with a "
			       "Z at its end",
			       digits);
	(void)snprintf(rfc, sizeof(rfc), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", digits, digits + 4,
		       digits + 6, digits + 8, digits + 10, digits + 12);
	if (cv_time_parse(ret, cv_span_str(rfc), NULL) != 0)
		return no_time(text, e);
	if (!utc)
		*ret -= (int64_t)zone * 60;
	return 0;
}

/* ---- options ---- */

static bool
is_word(struct cv_span s, const char *word)
{
	if (s.n != strlen(word))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		if (c != (uint8_t)word[i])
			return false;
	}
	return true;
}

static int
twice(const char *word, struct cv_err *e)
{
	return cv_fail(e, CV_R_MALFORMED, "found the option %s twice", word);
}

/* One option: a word, or word="value". */
static int
option(struct entry *n, struct cv_span o, int zone, struct cv_err *e)
{
	const uint8_t *eq = o.n > 0 ? memchr(o.p, '=', o.n) : NULL;
	struct cv_span word = eq != NULL ? cv_span(o.p, (size_t)(eq - o.p)) : o, value;
	char brief[CV_TEXT_BRIEF];

	if (eq == NULL && is_word(word, "cert-authority")) {
		if (n->ca)
			return twice("cert-authority", e);
		n->ca = true;
		return 0;
	}
	if (eq == NULL || (!is_word(word, "namespaces") && !is_word(word, "valid-after") &&
			   !is_word(word, "valid-before")))
		return cv_fail(e, CV_R_MALFORMED,
			       "found an option %s that ssh-keygen(1) does not have",
			       cv_text_brief(brief, o));
	value = cv_span(eq + 1, o.n - word.n - 1);
	if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"')
		return cv_fail(e, CV_R_MALFORMED, "found %s, want its value in double quotes",
			       cv_text_brief(brief, o));
	if (unquote(&value, "values of an option", e) != 0)
		return -1;
	if (is_word(word, "namespaces")) {
		if (n->limited)
			return twice("namespaces", e);
		n->limited = true;
		n->namespaces = value;
		return 0;
	}
	if (is_word(word, "valid-after")) {
		if (n->has_after)
			return twice("valid-after", e);
		n->has_after = true;
		return read_time(&n->after, value, zone, e);
	}
	if (n->has_before)
		return twice("valid-before", e);
	n->has_before = true;
	return read_time(&n->before, value, zone, e);
}

static int
options(struct entry *n, struct cv_span s, int zone, struct cv_err *e)
{
	bool quoted = false;
	size_t from = 0;

	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] == '"')
			quoted = !quoted;
		if (i < s.n && (quoted || s.p[i] != ','))
			continue;
		if (option(n, cv_span(s.p + from, i - from), zone, e) != 0)
			return -1;
		from = i + 1;
	}
	if (n->has_after && n->has_before && n->before <= n->after)
		return cv_fail(e, CV_R_MALFORMED,
			       "found a valid-before that is not after the "
			       "valid-after");
	return 0;
}

/* ---- lines ---- */

static bool
is_key_type(struct cv_span s)
{
	return cv_span_has_prefix(s, "ssh-") || cv_span_has_prefix(s, "ecdsa-") ||
	       cv_span_has_prefix(s, "sk-");
}

/* 1: a key that cannot match. */
static int
read_key(struct entry *n, struct cv_span type, struct cv_span base64, struct cv_err *e)
{
	struct cv_span name, s;
	struct cv_err why;

	if (cv_base64_decode(&n->blob, base64, e) != 0 || cv_buf_ok(&n->blob, "a key", e) != 0)
		return -1;
	s = cv_buf_span(&n->blob);
	name = cv_ssh_string(&s);
	if (s.bad || !cv_span_eq(name, type))
		return cv_fail(e, CV_R_MALFORMED,
			       "found a key that is not of the kind its line says");
	if (cv_ssh_key_parse(&n->key, cv_buf_span(&n->blob), &why) == 0)
		return 0;
	if (why.reason == CV_R_UNSUPPORTED || why.reason == CV_R_RULE)
		return 1;
	return cv_fail(e, why.reason, "%s", why.text);
}

static int
read_line(struct entry *n, struct cv_span s, int zone, struct cv_err *e)
{
	struct cv_span type;

	n->principals = field(&s);
	type = field(&s);
	if (s.bad)
		return cv_fail(e, CV_R_MALFORMED, "found a quote that is not closed");
	if (unquote(&n->principals, "principals", e) != 0)
		return -1;
	if (!is_key_type(type)) {
		if (type.n == 0 || options(n, type, zone, e) != 0)
			return type.n > 0 ? -1
					  : cv_fail(e, CV_R_MALFORMED, "found principals alone");
		type = field(&s);
	}
	if (!is_key_type(type))
		return cv_fail(e, CV_R_MALFORMED, "found no key after the options");
	return read_key(n, type, field(&s), e);
}

static int
add(struct cv_signers *s, struct cv_span line, int zone, struct cv_err *e)
{
	struct entry n = { .blob = CV_BUF(CV_SSH_MAX_BLOB) };
	int r;

	if (s->n == s->cap) {
		size_t cap = s->cap > 0 ? s->cap * 2 : 8;
		struct entry *v;

		if (cap > CV_SIGNERS_ENTRIES)
			return cv_fail(e, CV_R_LIMIT, "found more than %d keys",
				       CV_SIGNERS_ENTRIES);
		v = realloc(s->v, cap * sizeof(*v));
		if (v == NULL)
			return cv_fail_memory(e);
		s->v = v;
		s->cap = cap;
	}
	r = read_line(&n, line, zone, e);
	if (r == 0)
		s->v[s->n++] = n;
	else
		cv_buf_free(&n.blob);
	return r < 0 ? -1 : 0;
}

int
cv_signers_parse(struct cv_signers **ret, const char *name, struct cv_span text, int zone,
		 struct cv_err *e)
{
	cv_auto(cv_signers_free) struct cv_signers *s = calloc(1, sizeof(*s));
	struct cv_span rest;

	if (s == NULL)
		return cv_fail_memory(e);
	if (text.n > 0 && memchr(text.p, 0, text.n) != NULL)
		return cv_fail(e, CV_R_MALFORMED, "%s: found a NUL byte", name);
	s->text = CV_BUF(CV_SIGNERS_MAX);
	cv_buf_add(&s->text, text.p, text.n);
	if (cv_buf_ok(&s->text, name, e) != 0)
		return -1;
	rest = cv_buf_span(&s->text);
	for (unsigned number = 1; rest.n > 0; number++) {
		bool last = memchr(rest.p, '\n', rest.n) == NULL;
		struct cv_span line =
			last ? cv_span_take(&rest, rest.n) : cv_span_until(&rest, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		skip_blanks(&line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (add(s, line, zone, e) != 0)
			return cv_fail_within(e, "%s:%u", name, number);
	}
	*ret = cv_steal(s);
	return 0;
}

/* ---- answers ---- */

static bool
has_key(const struct entry *n, const struct cv_ssh_proven *p)
{
	/* a certificate does not count as its plain key, nor a CA line as a signer's */
	return n->ca ? p->certified && cv_ssh_key_eq(&n->key, &p->cert.ca)
		     : !p->certified && cv_ssh_key_eq(&n->key, &p->key);
}

struct cv_span
cv_signers_who(const struct cv_signers *s, const struct cv_ssh_proven *p)
{
	for (size_t i = 0; i < s->n; i++)
		if (has_key(&s->v[i], p))
			return s->v[i].principals;
	return cv_span(NULL, 0);
}

static int
outside(const char *what, int64_t when, const char *side, uint64_t limit, struct cv_err *e)
{
	char a[CV_TIME_TEXT], b[CV_TIME_TEXT];

	return cv_fail(e, CV_R_EXPIRED, "%s is not valid at %s: %s %s", what, cv_time_text(when, a),
		       side, cv_time_text(limit > INT64_MAX ? INT64_MAX : (int64_t)limit, b));
}

/* PROTOCOL.certkeys: valid after <= now < valid before; a principal, literally. */
static int
certificate(const struct cv_ssh_cert *c, struct cv_span principal, int64_t when, struct cv_err *e)
{
	char brief[CV_SSH_NAME_TEXT];
	struct cv_span names = c->principals;

	if (c->type != 1)
		return cv_fail(e, CV_R_RULE, "found a host's certificate, want a user's");
	if (c->critical.n > 0)
		return cv_fail(e, CV_R_RULE,
			       "the certificate has the critical option %s, and a signature can "
			       "fulfil none",
			       cv_ssh_name(c->critical, brief));
	if (when < 0 || (uint64_t)when < c->after)
		return outside("the certificate", when, "valid from", c->after, e);
	if ((uint64_t)when >= c->before)
		return outside("the certificate", when, "expired at", c->before, e);
	while (names.n > 0)
		if (cv_span_eq(cv_ssh_string(&names), principal))
			return 0;
	return cv_fail(e, CV_R_IDENTITY, "the certificate is not for %s",
		       cv_text_brief(brief, principal));
}

static int
allows(const struct entry *n, const struct cv_ssh_proven *p, struct cv_span principal, int64_t when,
       struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];

	if (n->ca && certificate(&p->cert, principal, when, e) != 0)
		return -1;
	if (n->limited && cv_ssh_pattern_list(p->ns, n->namespaces) != 1)
		return cv_fail(e, CV_R_RULE, "the key is not allowed for the namespace %s",
			       cv_text_brief(brief, p->ns));
	if (n->has_after && when < n->after)
		return outside("the key", when, "valid-after", (uint64_t)n->after, e);
	if (n->has_before && when > n->before)
		return outside("the key", when, "valid-before", (uint64_t)n->before, e);
	return 0;
}

int
cv_signers_allow(const struct cv_signers *s, const struct cv_ssh_proven *p,
		 struct cv_span principal, int64_t when, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF], other[CV_TEXT_BRIEF];
	struct cv_span who = cv_signers_who(s, p);
	struct cv_err why = { 0 };

	for (size_t i = 0; principal.n > 0 && i < s->n; i++) {
		if (cv_ssh_pattern_list(principal, s->v[i].principals) != 1 ||
		    !has_key(&s->v[i], p))
			continue;
		if (allows(&s->v[i], p, principal, when, &why) == 0)
			return 0;
	}
	if (why.reason != CV_R_NONE)
		return cv_fail(e, why.reason, "%s", why.text);
	if (who.n > 0)
		return cv_fail(e, CV_R_IDENTITY, "signed by a key of %s, want one of %s",
			       cv_text_brief(other, who), cv_text_brief(brief, principal));
	return cv_fail(e, CV_R_IDENTITY,
		       "signed by a key (%s) that nobody is listed with, want "
		       "one of %s",
		       p->key.name, cv_text_brief(brief, principal));
}
