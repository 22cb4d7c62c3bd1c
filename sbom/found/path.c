/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Member names of archives. Never touches a file system: a name is only ever
 * judged as bytes.
 */
#include "sbom/found/path.h"

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

static const char *const flaw_text[CV_PATH__COUNT] = {
	[CV_PATH_FINE] = "is fine",
	[CV_PATH_EMPTY] = "is empty",
	[CV_PATH_NUL] = "holds a NUL byte",
	[CV_PATH_ABSOLUTE] = "is absolute",
	[CV_PATH_DOTDOT] = "climbs out with \"..\"",
	[CV_PATH_LONG] = "is longer than 4096 bytes",
	[CV_PATH_COMPONENT_LONG] = "has a component longer than 255 bytes",
	[CV_PATH_DEEP] = "has more than 256 components",
	[CV_PATH_DOT] = "has an empty or \".\" component",
	[CV_PATH_BACKSLASH] = "holds a backslash",
	[CV_PATH_COLON] = "holds a colon",
	[CV_PATH_CONTROL] = "holds a control or invisible character",
	[CV_PATH_NOT_UTF8] = "is not valid UTF-8",
	[CV_PATH_RESERVED] = "is a reserved name, or ends in a dot or space",
};

const char *
cv_path_flaw_text(enum cv_path_flaw flaw)
{
	if (flaw < 0 || flaw >= CV_PATH__COUNT)
		return "is flawed";
	return flaw_text[flaw];
}

bool
cv_path_escapes(enum cv_path_flaw flaw)
{
	return flaw == CV_PATH_ABSOLUTE || flaw == CV_PATH_DOTDOT || flaw == CV_PATH_NUL ||
	       flaw == CV_PATH_BACKSLASH || flaw == CV_PATH_COLON;
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Device names exist in every directory of Windows, with any extension. */
static bool
reserved(struct cv_span c)
{
	static const char *const names[] = { "con", "prn", "aux", "nul", "com", "lpt" };
	char low[4] = "";
	size_t stem = 0;

	if (c.p[c.n - 1] == '.' || c.p[c.n - 1] == ' ')
		return true;
	while (stem < c.n && c.p[stem] != '.')
		stem++;
	while (stem > 0 && c.p[stem - 1] == ' ')
		stem--;
	if (stem != 3 && stem != 4)
		return false;
	for (size_t i = 0; i < 3; i++)
		low[i] = lower(c.p[i]);
	for (size_t i = 0; i < CV_COUNT(names); i++) {
		if (memcmp(low, names[i], 3) != 0)
			continue;
		if (i < 4)
			return stem == 3;
		return stem == 4 && c.p[3] >= '1' && c.p[3] <= '9';
	}
	return false;
}

static enum cv_path_flaw
check_characters(struct cv_span raw)
{
	while (raw.n > 0) {
		uint32_t cp = cv_utf8_next(&raw);

		if (raw.bad)
			return CV_PATH_NOT_UTF8;
		if (cp == '\\')
			return CV_PATH_BACKSLASH;
		if (cp == ':')
			return CV_PATH_COLON;
		if (cp < 0x20 || cp == 0x7f || cv_text_hidden(cp) != NULL)
			return CV_PATH_CONTROL;
	}
	return CV_PATH_FINE;
}

static enum cv_path_flaw
check_component(struct cv_span c, bool last, bool package)
{
	if (cv_span_eq_str(c, ".."))
		return CV_PATH_DOTDOT;
	if (c.n > CV_MAX_COMPONENT)
		return CV_PATH_COMPONENT_LONG;
	if (!package)
		return CV_PATH_FINE;
	if ((c.n == 0 && !last) || cv_span_eq_str(c, "."))
		return CV_PATH_DOT;
	if (c.n > 0 && reserved(c))
		return CV_PATH_RESERVED;
	return CV_PATH_FINE;
}

enum cv_path_flaw
cv_path_parse(struct cv_path *ret, struct cv_span raw, enum cv_path_profile profile)
{
	bool package = profile != CV_PATH_IMAGE;
	enum cv_path_flaw flaw;
	size_t depth = 0, at = 0;

	ret->n = 0;
	ret->slash = false;
	ret->s[0] = '\0';
	if (raw.n == 0)
		return CV_PATH_EMPTY;
	if (raw.n > CV_MAX_PATH)
		return CV_PATH_LONG;
	if (memchr(raw.p, 0, raw.n) != NULL)
		return CV_PATH_NUL;
	if (package && raw.p[0] == '/')
		return CV_PATH_ABSOLUTE;
	if (package) {
		flaw = check_characters(raw);
		if (flaw != CV_PATH_FINE)
			return flaw;
	}
	ret->slash = raw.p[raw.n - 1] == '/';
	while (at <= raw.n) {
		const uint8_t *slash = at < raw.n ? memchr(raw.p + at, '/', raw.n - at) : NULL;
		size_t end = slash != NULL ? (size_t)(slash - raw.p) : raw.n;
		struct cv_span c = cv_span(raw.p + at, end - at);

		flaw = check_component(c, end == raw.n, package);
		if (flaw != CV_PATH_FINE)
			return flaw;
		at = end + 1;
		if (c.n == 0 || cv_span_eq_str(c, "."))
			continue;
		if (++depth > CV_MAX_PATH_DEPTH)
			return CV_PATH_DEEP;
		if (ret->n > 0)
			ret->s[ret->n++] = '/';
		memcpy(ret->s + ret->n, c.p, c.n);
		ret->n += c.n;
	}
	ret->s[ret->n] = '\0';
	if (package && ret->n == 0)
		return CV_PATH_DOT;
	return CV_PATH_FINE;
}

/* Simple lower case where it is arithmetic (Unicode, CaseFolding.txt, status C). */
static uint32_t
fold(uint32_t c)
{
	if (c < 0x80)
		return (uint32_t)(uint8_t)lower((uint8_t)c);
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
	    (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) ||
	    (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) ||
	    (c >= 0x4d0 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1e95) ||
	    (c >= 0x1ea0 && c <= 0x1eff))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if (c == 0x17f) /* long s */
		return 's';
	if (c == 0x212a) /* Kelvin sign */
		return 'k';
	if (c == 0x3c2) /* final sigma */
		return 0x3c3;
	return c;
}

void
cv_path_fold(struct cv_buf *out, struct cv_span path)
{
	while (path.n > 0) {
		uint32_t c = fold(cv_utf8_next(&path));

		if (c < 0x80) {
			cv_buf_byte(out, (uint8_t)c);
		} else if (c < 0x800) {
			cv_buf_byte(out, (uint8_t)(0xc0 | (c >> 6)));
			cv_buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
		} else {
			/* only a key: three or four bytes need not differ in form */
			cv_buf_byte(out, (uint8_t)(0xe0 | (c >> 18)));
			cv_buf_byte(out, (uint8_t)(0x80 | ((c >> 12) & 0x3f)));
			cv_buf_byte(out, (uint8_t)(0x80 | ((c >> 6) & 0x3f)));
			cv_buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
		}
	}
}
