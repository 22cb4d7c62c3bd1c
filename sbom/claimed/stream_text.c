/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_text.c: the bytes of a streamed document: its window, the places in it,
 * white space and strings. Never hands out a byte that is not valid UTF-8.
 */
#include "stream_priv.h"

#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

/* ---- failing ---- */

void
cv_js_fail(struct cv_js *js, enum cv_reason reason, const char *fmt, ...)
{
	char text[CV_ERR_TEXT];
	va_list ap;

	if (js->err.reason != CV_R_NONE)
		return;
	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	uint64_t column = js->base + js->pos - js->line_start - js->tails + 1;
	(void)cv_fail(&js->err, reason, "%s:%u:%llu: %s", js->name, js->line,
		      (unsigned long long)column, text);
}

bool
cv_js_failed(const struct cv_js *js)
{
	return js->err.reason != CV_R_NONE;
}

int
cv_js_status(const struct cv_js *js, struct cv_err *e)
{
	if (js->err.reason == CV_R_NONE)
		return 0;
	if (e != NULL)
		*e = js->err;
	return -1;
}

void
cv_js_malformed(struct cv_js *js, int c, const char *want)
{
	if (c < 0)
		cv_js_fail(js, CV_R_MALFORMED, "the text ends, want %s", want);
	else if (c >= 0x21 && c < 0x7f)
		cv_js_fail(js, CV_R_MALFORMED, "found '%c', want %s", c, want);
	else
		cv_js_fail(js, CV_R_MALFORMED, "found byte 0x%02x, want %s", (unsigned)c, want);
}

/* ---- bytes ---- */

static bool
refill(struct cv_js *js)
{
	struct cv_err e = { 0 };
	size_t got = 0;

	if (js->err.reason != CV_R_NONE || js->ended)
		return false;
	js->base += js->have;
	js->pos = js->have = 0;
	if (js->src.read(js->src.ctx, js->window, sizeof(js->window), &got, &e) < 0) {
		js->err = e;
		if (js->err.reason == CV_R_NONE)
			js->err.reason = CV_R_BUG;
		return false;
	}
	js->have = got;
	js->ended = got == 0;
	return got > 0;
}

/* The next byte without taking it; -1 at the end and after a failure. */
int
cv_js_look(struct cv_js *js)
{
	if (js->pos == js->have && !refill(js))
		return -1;
	return js->err.reason == CV_R_NONE ? js->window[js->pos] : -1;
}

int
cv_js_take(struct cv_js *js)
{
	int c = cv_js_look(js);

	if (c >= 0)
		js->pos++;
	return c;
}

int
cv_js_look_past_space(struct cv_js *js)
{
	for (;;) {
		int c = cv_js_look(js);
		if (c == '\n') {
			js->line++;
			js->line_start = js->base + js->pos + 1;
			js->tails = 0;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return c;
		}
		js->pos++;
	}
}

/* ---- strings ---- */

static size_t
put_utf8(uint8_t *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (uint8_t)(0xe0 | cp >> 12);
		out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | cp >> 18);
	out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (cp & 0x3f));
	return 4;
}

static uint32_t
take_hex4(struct cv_js *js)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int c = cv_js_take(js);
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (uint32_t)(c - 'A' + 10);
		else {
			cv_js_malformed(js, c, "a hexadecimal digit");
			return 0;
		}
	}
	return v;
}

/* After a backslash. RFC 8259 7; surrogates must come in pairs, and U+0000 is
 * refused as the JSON door refuses it. */
static uint32_t
take_escape(struct cv_js *js)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = cv_js_take(js);

	if (c != 'u') {
		const char *at = c > 0 ? strchr(from, c) : NULL;
		if (at != NULL)
			return (uint32_t)to[at - from];
		cv_js_malformed(js, c, "an escape");
		return 0;
	}
	uint32_t cp = take_hex4(js);
	if (cp >= 0xd800 && cp < 0xdc00) {
		if (cv_js_take(js) != '\\' || cv_js_take(js) != 'u') {
			cv_js_fail(js, CV_R_MALFORMED, "half a surrogate pair");
			return 0;
		}
		uint32_t low = take_hex4(js);
		if (low < 0xdc00 || low > 0xdfff) {
			cv_js_fail(js, CV_R_MALFORMED, "half a surrogate pair");
			return 0;
		}
		return 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	if (cp >= 0xdc00 && cp < 0xe000)
		cv_js_fail(js, CV_R_MALFORMED, "half a surrogate pair");
	else if (cp == 0)
		cv_js_fail(js, CV_R_MALFORMED, "a NUL character");
	return cp;
}

/* One character of more than one byte (RFC 3629). */
static size_t
take_utf8(struct cv_js *js, uint8_t *out)
{
	int lead = cv_js_take(js);
	size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	int low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	int high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	if (lead < 0xc2 || lead > 0xf4) {
		cv_js_fail(js, CV_R_MALFORMED, "not valid UTF-8");
		return 0;
	}
	out[0] = (uint8_t)lead;
	for (size_t i = 1; i < n; i++) {
		int c = cv_js_take(js);
		if (c < low || c > high) {
			cv_js_fail(js, CV_R_MALFORMED, "not valid UTF-8");
			return 0;
		}
		js->tails++;
		out[i] = (uint8_t)c;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

/* Plain characters that stand in the window, up to `cap`. */
static size_t
take_plain(struct cv_js *js, uint8_t *out, size_t cap)
{
	size_t n = js->have - js->pos;
	const uint8_t *p = js->window + js->pos;
	size_t i = 0;

	if (n > cap)
		n = cap;
	while (i < n && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
		i++;
	memcpy(out, p, i);
	js->pos += i;
	return i;
}

/* More of the string that is open: up to `cap` (at least 4) decoded bytes. Closes
 * it (in_string) at its quote. Returns how many. */
size_t
cv_js_some(struct cv_js *js, uint8_t *out, size_t cap)
{
	size_t n = 0;

	while (cap - n >= 4) {
		int c = cv_js_look(js);
		if (c == '"') {
			js->pos++;
			js->in_string = false;
			break;
		}
		if (c == '\\') {
			js->pos++;
			uint32_t cp = take_escape(js);
			if (js->err.reason == CV_R_NONE)
				n += put_utf8(out + n, cp);
		} else if (c >= 0x80) {
			n += take_utf8(js, out + n);
		} else if (c >= 0x20) {
			n += take_plain(js, out + n, cap - n);
		} else {
			cv_js_malformed(js, c, "the string's end, or an escape");
		}
		if (js->err.reason != CV_R_NONE)
			break;
	}
	return n;
}
