/* SPDX-License-Identifier: Apache-2.0 */
/* header.c: see header.h. Must never guess at what does not follow the grammar. */
#include "fetch/header.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "trust/base/enc.h"

#include "trust/base/banned.h"

#define RETRY_MAX ((int64_t)10 * 365 * 86400) /* seconds; no server means more */

static bool
is_token(uint8_t c)
{
	return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void
skip(struct cv_span *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static bool
next_is(const struct cv_span *s, uint8_t c)
{
	return s->n > 0 && s->p[0] == c;
}

void
cv_header_space(struct cv_span *s)
{
	while (next_is(s, ' ') || next_is(s, '\t'))
		skip(s, 1);
}

struct cv_span
cv_header_trim(struct cv_span s)
{
	cv_header_space(&s);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

struct cv_span
cv_header_token(struct cv_span *s)
{
	size_t n = 0;

	while (n < s->n && is_token(s->p[n]))
		n++;
	return cv_span_take(s, n);
}

bool
cv_header_is(struct cv_span token, const char *word)
{
	return token.n == strlen(word) && strncasecmp((const char *)token.p, word, token.n) == 0;
}

/* quoted: what stands between the quotes; the first one is already taken. */
static int
quoted(char *out, size_t size, struct cv_span *s)
{
	size_t n = 0;
	uint8_t c;

	while (s->n > 0 && s->p[0] != '"') {
		if (s->p[0] == '\\')
			skip(s, 1);
		c = cv_span_u8(s);
		if (s->bad || (c < ' ' && c != '\t') || c == 0x7f || n + 1 >= size)
			return -1;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	cv_span_u8(s);
	return s->bad ? -1 : 0;
}

int
cv_header_value(char *out, size_t size, struct cv_span *s)
{
	struct cv_span t;

	if (next_is(s, '"')) {
		skip(s, 1);
		return quoted(out, size, s);
	}
	t = cv_header_token(s);
	if (t.n == 0 || t.n >= size)
		return -1;
	memcpy(out, t.p, t.n);
	out[t.n] = '\0';
	return 0;
}

void
cv_header_media(char out[CV_MEDIA_MAX + 1], struct cv_span value)
{
	struct cv_span rest = cv_header_trim(value);
	struct cv_span type = cv_header_token(&rest), sub;
	size_t i, n;

	out[0] = '\0';
	if (type.n == 0 || !next_is(&rest, '/'))
		return;
	skip(&rest, 1);
	sub = cv_header_token(&rest);
	cv_header_space(&rest);
	n = type.n + 1 + sub.n;
	if (sub.n == 0 || n > CV_MEDIA_MAX || (rest.n > 0 && rest.p[0] != ';'))
		return;
	for (i = 0; i < n; i++)
		out[i] = (char)tolower(type.p[i]); /* type, '/' and subtype are adjacent */
	out[n] = '\0';
}

/* number: decimal digits from the front. */
static int
number(uint64_t *ret, struct cv_span *s)
{
	size_t n = 0;

	while (n < s->n && isdigit(s->p[n]))
		n++;
	return cv_u64_parse(ret, cv_span_take(s, n), INT64_MAX, NULL);
}

static int
literal(struct cv_span *s, char c)
{
	if (!next_is(s, (uint8_t)c))
		return -1;
	skip(s, 1);
	return 0;
}

int
cv_header_range(struct cv_range *ret, struct cv_span value)
{
	struct cv_span s = cv_header_trim(value);

	if (!cv_header_is(cv_header_token(&s), "bytes") || literal(&s, ' ') != 0 ||
	    number(&ret->first, &s) != 0 || literal(&s, '-') != 0 || number(&ret->last, &s) != 0 ||
	    literal(&s, '/') != 0)
		return -1;
	ret->total = UINT64_MAX;
	if (next_is(&s, '*'))
		skip(&s, 1);
	else if (number(&ret->total, &s) != 0)
		return -1;
	if (s.n > 0 || ret->last < ret->first || ret->total <= ret->last)
		return -1;
	return 0;
}

/* date: an HTTP date (RFC 9110 5.6.7) as seconds since the epoch. */
static int
date(int64_t *ret, struct cv_span s)
{
	char text[64];

	s = cv_header_trim(s);
	if (s.n == 0 || s.n >= sizeof(text) || isdigit(s.p[0]))
		return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*ret = curl_getdate(text, NULL);
	return *ret < 0 ? -1 : 0;
}

int
cv_header_retry(int64_t *ret, struct cv_span value, struct cv_span sent, int64_t now)
{
	struct cv_span s = cv_header_trim(value);
	int64_t when, from;
	uint64_t seconds;

	if (cv_u64_parse(&seconds, s, RETRY_MAX, NULL) == 0) {
		*ret = (int64_t)seconds;
		return 0;
	}
	if (date(&when, s) != 0)
		return -1;
	if (date(&from, sent) != 0)
		from = now;
	*ret = when <= from ? 0 : when - from;
	return *ret > RETRY_MAX ? -1 : 0;
}

/* has_next: "next" is one of the relations in a rel parameter. */
static bool
has_next(const char *rel)
{
	struct cv_span s = cv_span_str(rel), word;
	size_t n;

	while (s.n > 0) {
		for (n = 0; n < s.n && s.p[n] != ' ' && s.p[n] != '\t'; n++)
			;
		word = cv_span_take(&s, n);
		if (cv_header_is(word, "next"))
			return true;
		cv_header_space(&s);
	}
	return false;
}

/* link_params: the parameters of one link; *next says whether its relation is
 * "next". Of several rel parameters the first counts (RFC 8288 3.3). */
static int
link_params(struct cv_span *s, bool *next)
{
	char value[1024];
	struct cv_span name;
	bool seen = false;

	*next = false;
	for (;;) {
		cv_header_space(s);
		if (!next_is(s, ';'))
			return 0;
		skip(s, 1);
		cv_header_space(s);
		name = cv_header_token(s);
		cv_header_space(s);
		value[0] = '\0';
		if (next_is(s, '=')) {
			skip(s, 1);
			cv_header_space(s);
			if (cv_header_value(value, sizeof(value), s) != 0)
				return -1;
		}
		if (cv_header_is(name, "rel") && !seen) {
			seen = true;
			*next = has_next(value);
		}
	}
}

int
cv_header_next(char *out, size_t size, struct cv_span value)
{
	struct cv_span s = value, target;
	bool next;

	for (;;) {
		cv_header_space(&s);
		if (next_is(&s, ',')) { /* empty list elements are allowed */
			skip(&s, 1);
			continue;
		}
		if (s.n == 0)
			return 0;
		if (literal(&s, '<') != 0)
			return -1;
		target = cv_span_until(&s, '>');
		if (s.bad || link_params(&s, &next) != 0 || (s.n > 0 && s.p[0] != ','))
			return -1;
		if (!next)
			continue;
		if (target.n == 0 || target.n >= size || memchr(target.p, 0, target.n) != NULL)
			return -1;
		memcpy(out, target.p, target.n);
		out[target.n] = '\0';
		return 1;
	}
}
