/* SPDX-License-Identifier: Apache-2.0 */
/* enc.c: strict encodings. Must never accept two texts for the same bytes. */
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

void
cv_hex_encode(char *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
cv_hex_decode(uint8_t *out, size_t n, struct cv_span text, struct cv_err *e)
{
	if (text.bad || n > SIZE_MAX / 2 || text.n != 2 * n)
		return cv_fail(e, CV_R_MALFORMED, "found %zu characters, want %zu hex digits",
			       text.n, 2 * n);
	for (size_t i = 0; i < text.n; i++)
		if (hex_value(text.p[i]) < 0)
			return cv_fail(e, CV_R_MALFORMED,
				       "found byte 0x%02x at %zu, want lower-case hex digits",
				       text.p[i], i);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
	return 0;
}

/* ---- base64 ---- */

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { PAD_WANTED = 1, PAD_REFUSED = 2, PAD_EITHER = PAD_WANTED | PAD_REFUSED };

/* The value of each character; 0xff for what is not in the alphabet. */
static void
invert(uint8_t table[256], const char *alphabet)
{
	memset(table, 0xff, 256);
	for (uint8_t i = 0; i < 64; i++)
		table[(uint8_t)alphabet[i]] = i;
}

/* The text without its padding; -1 when the padding is wrong. */
static int
unpad(struct cv_span *text, int padding, struct cv_err *e)
{
	size_t pads = 0;

	while (pads < 2 && pads < text->n && text->p[text->n - 1 - pads] == '=')
		pads++;
	if (pads > 0 && (padding & PAD_WANTED) == 0)
		return cv_fail(e, CV_R_MALFORMED, "base64url: found padding, want none");
	if (pads > 0 && text->n % 4 != 0)
		return cv_fail(e, CV_R_MALFORMED, "base64: wrong padding for %zu characters",
			       text->n - pads);
	if (pads == 0 && text->n % 4 != 0 && (padding & PAD_REFUSED) == 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "base64: found %zu characters, want a multiple "
			       "of 4 (with padding)",
			       text->n);
	text->n -= pads;
	if (text->n % 4 == 1)
		return cv_fail(e, CV_R_MALFORMED, "base64: %zu characters encode no bytes",
			       text->n);
	return 0;
}

static int
wrong_character(struct cv_span text, const uint8_t table[256], struct cv_err *e)
{
	size_t i = 0;

	while (i < text.n && table[text.p[i]] < 64)
		i++;
	return cv_fail(e, CV_R_MALFORMED, "base64: byte 0x%02x at %zu is not in the alphabet",
		       i < text.n ? text.p[i] : 0u, i);
}

static int
decode(struct cv_buf *out, struct cv_span text, const char *alphabet, int padding, struct cv_err *e)
{
	uint8_t table[256], wrong = 0, *to;
	const uint8_t *p = text.p;
	uint32_t v = 0;
	size_t full, tail, start = out->n;

	if (text.bad)
		return cv_fail(e, CV_R_MALFORMED, "base64: nothing there");
	if (unpad(&text, padding, e) != 0)
		return -1;
	full = text.n / 4;
	tail = text.n % 4;
	to = cv_buf_extend(out, full * 3 + (tail == 0 ? 0 : tail - 1));
	if (to == NULL)
		return cv_buf_ok(out, "base64", e);
	invert(table, alphabet);
	for (size_t i = 0; i < full; i++, p += 4) {
		uint8_t a = table[p[0]], b = table[p[1]], c = table[p[2]], d = table[p[3]];

		wrong |= (uint8_t)(a | b | c | d);
		*to++ = (uint8_t)(a << 2 | b >> 4);
		*to++ = (uint8_t)(b << 4 | c >> 2);
		*to++ = (uint8_t)(c << 6 | d);
	}
	for (size_t i = 0; i < tail; i++) {
		wrong |= table[p[i]];
		v = v << 6 | table[p[i]];
	}
	if (wrong >= 64 || (tail == 2 && (v & 15) != 0) || (tail == 3 && (v & 3) != 0)) {
		out->n = start;
		out->p[start] = '\0';
		if (wrong >= 64)
			return wrong_character(text, table, e);
		return cv_fail(e, CV_R_MALFORMED, "base64: bits left over at the end are not zero");
	}
	if (tail == 2) {
		*to = (uint8_t)(v >> 4);
	} else if (tail == 3) {
		*to++ = (uint8_t)(v >> 10);
		*to = (uint8_t)(v >> 2);
	}
	return 0;
}

int
cv_base64_decode(struct cv_buf *out, struct cv_span text, struct cv_err *e)
{
	return decode(out, text, standard, PAD_WANTED, e);
}

int
cv_base64url_decode(struct cv_buf *out, struct cv_span text, struct cv_err *e)
{
	return decode(out, text, urlsafe, PAD_REFUSED, e);
}

int
cv_base64_decode_dsse(struct cv_buf *out, struct cv_span text, struct cv_err *e)
{
	bool url = text.n != 0 &&
		   (memchr(text.p, '-', text.n) != NULL || memchr(text.p, '_', text.n) != NULL);

	/* A text with characters of both fails at the first of the other one. */
	return decode(out, text, url ? urlsafe : standard, PAD_EITHER, e);
}

static void
encode(struct cv_buf *out, struct cv_span in, const char *alphabet, bool pad)
{
	size_t tail = in.n % 3, full = in.n / 3;
	size_t extra = tail == 0 ? 0 : pad ? 4 : tail + 1;
	uint8_t *to = NULL;
	const uint8_t *p = in.p;

	if (full <= (SIZE_MAX - 4) / 4)
		to = cv_buf_extend(out, full * 4 + extra);
	if (to == NULL)
		return;
	for (size_t i = 0; i < full; i++, p += 3) {
		*to++ = (uint8_t)alphabet[p[0] >> 2];
		*to++ = (uint8_t)alphabet[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = (uint8_t)alphabet[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = (uint8_t)alphabet[p[2] & 63];
	}
	if (tail == 0)
		return;
	*to++ = (uint8_t)alphabet[p[0] >> 2];
	if (tail == 1) {
		*to++ = (uint8_t)alphabet[(p[0] & 3) << 4];
	} else {
		*to++ = (uint8_t)alphabet[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = (uint8_t)alphabet[(p[1] & 15) << 2];
	}
	for (size_t i = tail; pad && i < 3; i++)
		*to++ = '=';
}

void
cv_base64_encode(struct cv_buf *out, struct cv_span in)
{
	encode(out, in, standard, true);
}

void
cv_base64url_encode(struct cv_buf *out, struct cv_span in)
{
	encode(out, in, urlsafe, false);
}

/* ---- numbers ---- */

int
cv_u64_parse(uint64_t *ret, struct cv_span text, uint64_t max, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	uint64_t v = 0;
	bool good = !text.bad && text.n > 0 && (text.p[0] != '0' || text.n == 1);

	for (size_t i = 0; good && i < text.n; i++) {
		uint8_t digit = (uint8_t)(text.p[i] - '0');

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			good = false;
		else
			v = v * 10 + digit;
	}
	if (!good || v > max)
		return cv_fail(e, CV_R_MALFORMED,
			       "found \"%s\", want a decimal number from 0 to %llu",
			       cv_text_brief(brief, text), (unsigned long long)max);
	*ret = v;
	return 0;
}

/* ---- UTF-8 (RFC 3629) ---- */

/* Table 3-7 of the Unicode Standard: only the first continuation byte has a
 * range of its own. */
static size_t
lead(uint8_t c, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef) {
		if (c == 0xe0)
			*low = 0xa0;
		if (c == 0xed)
			*high = 0x9f;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		if (c == 0xf0)
			*low = 0x90;
		if (c == 0xf4)
			*high = 0x8f;
		return 4;
	}
	return 0;
}

uint32_t
cv_utf8_next(struct cv_span *s)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint8_t low, high;
	uint32_t cp;
	size_t n;

	n = s->bad || s->n == 0 ? 0 : lead(s->p[0], &low, &high);
	if (n == 0 || n > s->n) {
		s->bad = true;
		s->n = 0;
		return 0;
	}
	cp = s->p[0] & mask[n];
	for (size_t i = 1; i < n; i++) {
		if (s->p[i] < low || s->p[i] > high) {
			s->bad = true;
			s->n = 0;
			return 0;
		}
		low = 0x80;
		high = 0xbf;
		cp = cp << 6 | (s->p[i] & 0x3f);
	}
	s->p += n;
	s->n -= n;
	return cp;
}

bool
cv_utf8_valid(struct cv_span text)
{
	uint64_t eight;

	while (text.n > 0 && !text.bad) {
		if (text.n >= 8) { /* most text is ASCII */
			memcpy(&eight, text.p, 8);
			if ((eight & 0x8080808080808080u) == 0) {
				text.p += 8;
				text.n -= 8;
				continue;
			}
		}
		cv_utf8_next(&text);
	}
	return !text.bad;
}
