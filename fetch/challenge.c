/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.c: see challenge.h. Must never take a parameter of one challenge
 * for that of another. */
#include "fetch/challenge.h"

#include <ctype.h>
#include <string.h>

#include "fetch/header.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

enum { SEEN_REALM = 1, SEEN_SERVICE = 2, SEEN_SCOPE = 4 };

static int
bad(struct cv_err *e, struct cv_span at, const char *what)
{
	char brief[CV_TEXT_BRIEF];

	return cv_fail(e, CV_R_MALFORMED, "WWW-Authenticate: %s at \"%s\"", what,
		       cv_text_brief(brief, at));
}

/* token68: credentials in one word, as of Negotiate; it is told from a
 * parameter by what follows it. Takes it if it is one. */
static bool
token68(struct cv_span *s)
{
	struct cv_span r = *s;
	size_t n = 0;

	while (n < r.n && (isalnum(r.p[n]) || (r.p[n] != '\0' && strchr("-._~+/", r.p[n]))))
		n++;
	if (n == 0)
		return false;
	while (n < r.n && r.p[n] == '=')
		n++;
	(void)cv_span_take(&r, n);
	cv_header_space(&r);
	if (r.n > 0 && r.p[0] != ',')
		return false;
	*s = r;
	return true;
}

static int
set_param(struct cv_challenge *c, unsigned *seen, struct cv_span name, struct cv_span *s,
	  struct cv_err *e)
{
	char other[4096];
	struct cv_span at = *s;
	char *out = other;
	size_t size = sizeof(other);
	unsigned bit = 0;

	if (cv_header_is(name, "realm")) {
		bit = SEEN_REALM;
		out = c->realm;
		size = sizeof(c->realm);
	} else if (cv_header_is(name, "service")) {
		bit = SEEN_SERVICE;
		out = c->service;
		size = sizeof(c->service);
	} else if (cv_header_is(name, "scope")) {
		bit = SEEN_SCOPE;
		out = c->scope;
		size = sizeof(c->scope);
	}
	if ((*seen & bit) != 0)
		return bad(e, name, "a parameter twice,");
	*seen |= bit;
	if (cv_header_value(out, size, s) != 0)
		return bad(e, at, "no value, or one that is too long,");
	return 0;
}

static void
commas(struct cv_span *s)
{
	cv_header_space(s);
	while (s->n > 0 && s->p[0] == ',') {
		(void)cv_span_take(s, 1);
		cv_header_space(s);
	}
}

/* params: "name = value" pairs up to the end or to a word that is the next
 * challenge's scheme, which is left there. */
static int
params(struct cv_challenge *c, struct cv_span *s, struct cv_err *e)
{
	struct cv_span r, name;
	unsigned seen = 0;

	for (;;) {
		commas(s);
		r = *s;
		name = cv_header_token(&r);
		cv_header_space(&r);
		if (name.n == 0 || r.n == 0 || r.p[0] != '=')
			return 0;
		(void)cv_span_take(&r, 1);
		cv_header_space(&r);
		if (set_param(c, &seen, name, &r, e) != 0)
			return -1;
		*s = r;
		cv_header_space(s);
		if (s->n > 0 && s->p[0] != ',')
			return bad(e, *s, "no comma");
	}
}

int
cv_challenge_pick(struct cv_challenge *ret, struct cv_span value, struct cv_err *e)
{
	struct cv_challenge c;
	struct cv_span s = value, scheme;
	int found = 0;

	for (;;) {
		commas(&s);
		if (s.n == 0)
			return found;
		c = (struct cv_challenge){ 0 };
		scheme = cv_header_token(&s);
		if (scheme.n == 0 || (s.n > 0 && s.p[0] != ' ' && s.p[0] != '\t' && s.p[0] != ','))
			return bad(e, s, "no scheme");
		cv_header_space(&s);
		if (!token68(&s) && params(&c, &s, e) != 0)
			return -1;
		c.bearer = cv_header_is(scheme, "Bearer") && c.realm[0] != '\0';
		if (!c.bearer && !cv_header_is(scheme, "Basic"))
			continue;
		if (found == 0 || (c.bearer && !ret->bearer)) {
			*ret = c;
			found = 1;
		}
	}
}
