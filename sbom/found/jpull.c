/* SPDX-License-Identifier: Apache-2.0 */
/* jpull.c: JSON tokens from a window. Must never accept what RFC 8259 does not. */
#include "sbom/found/jpull.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

/* describe: the byte that comes next, in words */
static const char *
describe(struct cv_window *w, char out[16])
{
	int c = cv_window_peek(w);

	if (c < 0)
		return "the end";
	if (c > ' ' && c < 0x7f)
		cv_text_fmt(out, 16, "'%c'", c);
	else
		cv_text_fmt(out, 16, "byte 0x%02x", (unsigned)c);
	return out;
}

int
cv_jpull_fail(const struct cv_jpull *j, struct cv_err *e, enum cv_reason reason, const char *fmt,
	      ...)
{
	char text[400];
	va_list ap;

	if (j->w->err.reason != CV_R_NONE) /* could not read: nothing else is true */
		return cv_window_ok(j->w, j->name, "", e);
	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof text, fmt, ap);
	va_end(ap);
	return cv_fail(e, reason, "%s: byte %llu: %s", j->name,
		       (unsigned long long)(cv_window_pos(j->w) + j->shift), text);
}

int
cv_jpull_peek(struct cv_jpull *j)
{
	int c;

	while ((c = cv_window_peek(j->w)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		(void)cv_window_next(j->w);
	return c;
}

static int
unexpected(struct cv_jpull *j, const char *want, struct cv_err *e)
{
	char found[16];

	return cv_jpull_fail(j, e, CV_R_MALFORMED, "found %s, want %s", describe(j->w, found),
			     want);
}

int
cv_jpull_mark(struct cv_jpull *j, char mark, struct cv_err *e)
{
	char want[4] = { '\'', mark, '\'', '\0' };

	if (cv_jpull_peek(j) != mark)
		return unexpected(j, want, e);
	(void)cv_window_next(j->w);
	return 0;
}

int
cv_jpull_more(struct cv_jpull *j, char close, bool *first, struct cv_err *e)
{
	char want[16];
	int c = cv_jpull_peek(j);

	if (c == close) {
		(void)cv_window_next(j->w);
		return 0;
	}
	if (*first) {
		*first = false;
		return 1;
	}
	if (c == ',') {
		(void)cv_window_next(j->w);
		if (cv_jpull_peek(j) != close) /* no trailing comma */
			return 1;
		return unexpected(j, "another member", e);
	}
	cv_text_fmt(want, sizeof want, "',' or '%c'", close);
	return unexpected(j, want, e);
}

static int
hex4(struct cv_jpull *j, uint32_t *ret, struct cv_err *e)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int c = cv_window_peek(j->w);

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return unexpected(j, "a hexadecimal digit", e);
		(void)cv_window_next(j->w);
	}
	*ret = v;
	return 0;
}

static void
put_utf8(struct cv_buf *out, uint32_t cp)
{
	if (cp < 0x80) {
		cv_buf_byte(out, (uint8_t)cp);
		return;
	}
	if (cp < 0x800) {
		cv_buf_byte(out, (uint8_t)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			cv_buf_byte(out, (uint8_t)(0xe0 | cp >> 12));
		} else {
			cv_buf_byte(out, (uint8_t)(0xf0 | cp >> 18));
			cv_buf_byte(out, (uint8_t)(0x80 | (cp >> 12 & 0x3f)));
		}
		cv_buf_byte(out, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
	}
	cv_buf_byte(out, (uint8_t)(0x80 | (cp & 0x3f)));
}

/* unicode_escape: after "\u"; surrogates must come in pairs (RFC 8259 8.2) */
static int
unicode_escape(struct cv_jpull *j, struct cv_buf *out, struct cv_err *e)
{
	uint32_t hi, lo;

	if (hex4(j, &hi, e) != 0)
		return -1;
	if (hi >= 0xdc00 && hi <= 0xdfff)
		return cv_jpull_fail(j, e, CV_R_MALFORMED, "a low surrogate stands alone");
	if (hi >= 0xd800 && hi <= 0xdbff) {
		if (cv_window_next(j->w) != '\\' || cv_window_next(j->w) != 'u')
			return cv_jpull_fail(j, e, CV_R_MALFORMED, "a high surrogate stands alone");
		if (hex4(j, &lo, e) != 0)
			return -1;
		if (lo < 0xdc00 || lo > 0xdfff)
			return cv_jpull_fail(j, e, CV_R_MALFORMED, "a high surrogate stands alone");
		hi = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
	}
	put_utf8(out, hi);
	return 0;
}

static int
escape(struct cv_jpull *j, struct cv_buf *out, struct cv_err *e)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = cv_window_peek(j->w);
	const char *at = c > 0 ? strchr(from, c) : NULL;

	if (c == 'u') {
		(void)cv_window_next(j->w);
		return unicode_escape(j, out, e);
	}
	if (at == NULL)
		return unexpected(j, "an escape that JSON knows", e);
	(void)cv_window_next(j->w);
	cv_buf_byte(out, (uint8_t)to[at - from]);
	return 0;
}

/* plain: the bytes that stand for themselves, as far as they are in the window */
static void
plain(struct cv_jpull *j, struct cv_buf *out, size_t max)
{
	struct cv_window *w = j->w;
	size_t from = w->at;

	while (w->at < w->have && w->buf[w->at] >= 0x20 && w->buf[w->at] != '"' &&
	       w->buf[w->at] != '\\' && out->n + (w->at - from) <= max)
		w->at++;
	cv_buf_add(out, w->buf + from, w->at - from);
}

int
cv_jpull_string(struct cv_jpull *j, struct cv_buf *out, size_t max, uint64_t *place,
		struct cv_err *e)
{
	int c;

	if (cv_jpull_peek(j) != '"')
		return unexpected(j, "a string", e);
	if (place != NULL)
		*place = cv_window_pos(j->w);
	(void)cv_window_next(j->w);
	cv_buf_reset(out);
	while ((c = cv_window_peek(j->w)) != '"') {
		if (c < 0x20)
			return unexpected(j, "the string's end or a character", e);
		if (c == '\\') {
			(void)cv_window_next(j->w);
			if (escape(j, out, e) != 0)
				return -1;
		} else {
			plain(j, out, max);
		}
		if (cv_buf_ok(out, j->name, e) != 0)
			return -1;
		if (out->n > max)
			return cv_jpull_fail(j, e, CV_R_LIMIT, "a string of more than %zu bytes",
					     max);
	}
	(void)cv_window_next(j->w);
	if (!cv_utf8_valid(cv_buf_span(out)))
		return cv_jpull_fail(j, e, CV_R_MALFORMED, "a string that is not UTF-8");
	return 0;
}

int
cv_jpull_u64(struct cv_jpull *j, uint64_t *ret, struct cv_err *e)
{
	uint64_t v = 0;
	int c = cv_jpull_peek(j);

	if (c < '0' || c > '9')
		return unexpected(j, "a whole number that is not negative", e);
	(void)cv_window_next(j->w);
	v = (uint64_t)(c - '0');
	while ((c = cv_window_peek(j->w)) >= '0' && c <= '9') {
		if (v == 0)
			return unexpected(j, "a number without a leading zero", e);
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
			return cv_jpull_fail(j, e, CV_R_MALFORMED,
					     "a number that does not fit 64 bits");
		(void)cv_window_next(j->w);
	}
	if (c == '.' || c == 'e' || c == 'E')
		return unexpected(j, "a whole number", e);
	*ret = v;
	return 0;
}

static int
digits(struct cv_jpull *j, struct cv_err *e)
{
	int c = cv_window_peek(j->w);

	if (c < '0' || c > '9')
		return unexpected(j, "a digit", e);
	while (c >= '0' && c <= '9') {
		(void)cv_window_next(j->w);
		c = cv_window_peek(j->w);
	}
	return 0;
}

static int
number(struct cv_jpull *j, struct cv_err *e)
{
	int c;

	if (cv_window_peek(j->w) == '-')
		(void)cv_window_next(j->w);
	if (cv_window_peek(j->w) == '0') {
		(void)cv_window_next(j->w);
		c = cv_window_peek(j->w);
		if (c >= '0' && c <= '9')
			return unexpected(j, "a number without a leading zero", e);
	} else if (digits(j, e) != 0) {
		return -1;
	}
	if (cv_window_peek(j->w) == '.') {
		(void)cv_window_next(j->w);
		if (digits(j, e) != 0)
			return -1;
	}
	c = cv_window_peek(j->w);
	if (c == 'e' || c == 'E') {
		(void)cv_window_next(j->w);
		c = cv_window_peek(j->w);
		if (c == '+' || c == '-')
			(void)cv_window_next(j->w);
		return digits(j, e);
	}
	return 0;
}

int
cv_jpull_scalar(struct cv_jpull *j, struct cv_buf *scratch, size_t max, struct cv_err *e)
{
	static const char *const words[] = { "true", "false", "null" };
	int c = cv_jpull_peek(j);

	if (c == '"')
		return cv_jpull_string(j, scratch, max, NULL, e);
	if (c == '-' || (c >= '0' && c <= '9'))
		return number(j, e);
	for (size_t i = 0; i < CV_COUNT(words); i++) {
		struct cv_span s = cv_window_look(j->w, strlen(words[i]));

		if (cv_span_eq_str(s, words[i])) {
			cv_window_skip(j->w, s.n);
			return 0;
		}
	}
	return unexpected(j, "a string, a number, true, false or null", e);
}
