/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: hostile text made harmless. What it writes must never hold a control
 * character, a character that hides or reorders others, or malformed UTF-8. */
#include "trust/base/text.h"
#include "trust/base/enc.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/banned.h"

static const struct {
	uint32_t first, last;
	const char *class;
} hidden[] = {
	/* sorted; together: Default_Ignorable_Code_Point of Unicode 15, the
	 * Bidi_Control property, controls, separators, annotation marks, the
	 * controls and blanks of hieroglyphs, noncharacters (below) */
	{ 0x0, 0x1f, "control" },
	{ 0x7f, 0x9f, "control" },
	{ 0xad, 0xad, "zero width" },
	{ 0x34f, 0x34f, "zero width" },
	{ 0x61c, 0x61c, "bidirectional control" },
	{ 0x115f, 0x1160, "zero width" },
	{ 0x17b4, 0x17b5, "zero width" },
	{ 0x180b, 0x180d, "variation selector" },
	{ 0x180e, 0x180e, "zero width" },
	{ 0x180f, 0x180f, "variation selector" },
	{ 0x200b, 0x200d, "zero width" },
	{ 0x200e, 0x200f, "bidirectional control" },
	{ 0x2028, 0x2029, "control" },
	{ 0x202a, 0x202e, "bidirectional control" },
	{ 0x2060, 0x2065, "zero width" },
	{ 0x2066, 0x2069, "bidirectional control" },
	{ 0x206a, 0x206f, "zero width" },
	{ 0x3164, 0x3164, "zero width" },
	{ 0xfdd0, 0xfdef, "noncharacter" },
	{ 0xfe00, 0xfe0f, "variation selector" },
	{ 0xfeff, 0xfeff, "zero width" },
	{ 0xffa0, 0xffa0, "zero width" },
	{ 0xfff0, 0xfffb, "zero width" },
	{ 0x13430, 0x13455, "format control" },
	{ 0x1bca0, 0x1bca3, "zero width" },
	{ 0x1d173, 0x1d17a, "zero width" },
	{ 0xe0000, 0xe007f, "tag character" },
	{ 0xe0080, 0xe00ff, "zero width" },
	{ 0xe0100, 0xe01ef, "variation selector" },
	{ 0xe01f0, 0xe0fff, "zero width" },
};

const char *
cv_text_hidden(uint32_t cp)
{
	if (cp >= 0x20 && cp < 0x7f)
		return NULL;
	for (size_t i = 0; i < CV_COUNT(hidden) && cp >= hidden[i].first; i++)
		if (cp <= hidden[i].last)
			return hidden[i].class;
	return (cp & 0xfffe) == 0xfffe ? "noncharacter" : NULL; /* the last two of a plane */
}

#define ONE 12 /* the longest form of a character, \u{10ffff}, and a NUL */

/* Take one character; its harmless form goes to out, its length is returned. */
static size_t
take_safe(struct cv_span *s, char out[ONE])
{
	struct cv_span next = *s;
	uint32_t cp = cv_utf8_next(&next);
	size_t n;

	if (next.bad || (cp < 0x80 && cv_text_hidden(cp) != NULL)) {
		cv_text_fmt(out, ONE, "\\x%02x", cv_span_u8(s));
		return strlen(out);
	}
	if (cv_text_hidden(cp) != NULL) {
		*s = next;
		cv_text_fmt(out, ONE, "\\u{%x}", cp);
		return strlen(out);
	}
	n = s->n - next.n;
	memcpy(out, s->p, n);
	*s = next;
	return n;
}

/* The leading bytes that need no change, at most max: the common case. */
static size_t
plain(struct cv_span in, size_t max)
{
	size_t n = 0;

	while (n < in.n && n < max && in.p[n] >= 0x20 && in.p[n] < 0x7f)
		n++;
	return n;
}

void
cv_text_safe(struct cv_buf *out, struct cv_span in, size_t max)
{
	size_t left = max == 0 ? SIZE_MAX : max, n;
	char one[ONE];

	while (in.n > 0 && left > 0) {
		n = plain(in, left);
		if (n > 0) {
			cv_buf_add(out, in.p, n);
			cv_span_take(&in, n);
			left -= n;
			continue;
		}
		n = take_safe(&in, one);
		cv_buf_add(out, one, n);
		left--;
	}
	if (in.n > 0)
		cv_buf_str(out, "...");
}

const char *
cv_text_brief(char out[CV_TEXT_BRIEF], struct cv_span in)
{
	size_t at = 0;
	char one[ONE];

	for (size_t i = 0; in.n > 0 && i < CV_TEXT_QUOTE; i++) {
		size_t n = take_safe(&in, one);

		memcpy(out + at, one, n);
		at += n;
	}
	memcpy(out + at, in.n > 0 ? "..." : "", in.n > 0 ? 4 : 1);
	return out;
}

void
cv_text_vfmt(char *out, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, size, fmt, ap);
	size_t at;

	if (size < 4)
		return;
	if (n < 0) {
		memcpy(out, "...", 4);
	} else if ((size_t)n >= size) {
		at = size - 4;
		/* not in the middle of a UTF-8 sequence */
		for (int i = 0; i < 3 && at > 0 && ((uint8_t)out[at] & 0xc0) == 0x80; i++)
			at--;
		memcpy(out + at, "...", 4);
	}
}

void
cv_text_fmt(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(out, size, fmt, ap);
	va_end(ap);
}
