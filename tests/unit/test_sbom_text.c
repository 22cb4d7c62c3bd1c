/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_text.c: hidden characters: what is refused, and what ordinary text needs. */
#include "sbom/found/unicode.h"
#include "tests/support/t.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <unistd.h>

static struct cv_text_scan
scan(struct cv_span text)
{
	struct cv_text_scan s;
	struct cv_err e = { 0 };
	int fd = t_memfd(text.p, text.n);

	T_OK(cv_text_scan(&s, (struct cv_blob){ .fd = fd, .len = text.n }, &e), e);
	(void)close(fd);
	return s;
}

static void
put(struct cv_buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		cv_buf_byte(b, (uint8_t)cp);
	} else if (cp < 0x800) {
		cv_buf_byte(b, (uint8_t)(0xc0 | cp >> 6));
		cv_buf_byte(b, (uint8_t)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		cv_buf_byte(b, (uint8_t)(0xe0 | cp >> 12));
		cv_buf_byte(b, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
		cv_buf_byte(b, (uint8_t)(0x80 | (cp & 0x3f)));
	} else {
		cv_buf_byte(b, (uint8_t)(0xf0 | cp >> 18));
		cv_buf_byte(b, (uint8_t)(0x80 | (cp >> 12 & 0x3f)));
		cv_buf_byte(b, (uint8_t)(0x80 | (cp >> 6 & 0x3f)));
		cv_buf_byte(b, (uint8_t)(0x80 | (cp & 0x3f)));
	}
}

struct row {
	const char *what;
	uint32_t cp[16]; /* ends with 0 */
	unsigned column; /* of the first that is refused */
	unsigned count;  /* refused */
};

static void
table(const struct row *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cv_buf b = CV_BUF(4096);
		struct cv_text_scan s;

		for (size_t k = 0; k < 16 && t[i].cp[k] != 0; k++)
			put(&b, t[i].cp[k]);
		s = scan(cv_buf_span(&b));
		if (s.hidden != t[i].count || s.invalid != 0 ||
		    (s.hidden > 0 && s.hidden_at.column != t[i].column))
			t_fail(__FILE__, __LINE__,
			       "%s: %llu hidden at %llu (U+%04X), %llu invalid, want %u at %u",
			       t[i].what, (unsigned long long)s.hidden,
			       (unsigned long long)s.hidden_at.column, (unsigned)s.cp,
			       (unsigned long long)s.invalid, t[i].count, t[i].column);
		cv_buf_free(&b);
	}
}

static void
refused(void)
{
	static const struct row t[] = {
		{ "tags", { 'a', 0xe0041, 0xe0042 }, 2, 2 },
		{ "a tag behind a flag that spells nothing",
		  { 0x1f3f4, 0xe0068, 0xe0069, 0xe007f },
		  2,
		  1 },
		{ "a flag that is not ended",
		  { 0x1f3f4, 0xe0067, 0xe0062, 0xe0065, 0xe006e, 0xe0067, 'x' },
		  2,
		  1 },
		{ "a flag at the end of the text", { 0x1f3f4, 0xe0067, 0xe0062 }, 2, 1 },
		{ "a flag and more",
		  { 0x1f3f4, 0xe0067, 0xe0062, 0xe0065, 0xe006e, 0xe0067, 0xe007f, 0xe0041 },
		  8,
		  1 },
		{ "Texas", { 0x1f3f4, 0xe0075, 0xe0073, 0xe0074, 0xe0078, 0xe007f }, 2, 1 },
		{ "override", { 'a', 0x202e, 'b' }, 2, 1 },
		{ "embedding", { 0x202a }, 1, 1 },
		{ "isolate", { 0x2066, 'x', 0x2069 }, 1, 2 },
		{ "right-to-left mark", { 0x5d0, 0x200f }, 2, 1 },
		{ "Arabic letter mark", { 0x627, 0x61c }, 2, 1 },
		{ "zero width space", { 'a', 0x200b, 'b' }, 2, 1 },
		{ "zero width space in Thai", { 0xe01, 0x200b, 0xe02 }, 2, 1 },
		{ "word joiner", { 0x2060 }, 1, 1 },
		{ "invisible times", { 'a', 0x2062, 'b' }, 2, 1 },
		{ "soft hyphen", { 'a', 0xad, 'b' }, 2, 1 },
		{ "Hangul filler", { 0x3164 }, 1, 1 },
		{ "BOM inside", { 'a', 0xfeff }, 2, 1 },
		{ "two BOMs", { 0xfeff, 0xfeff }, 2, 1 },
		{ "selector behind a letter", { 'a', 0xfe0f }, 2, 1 },
		{ "selector first", { 0xfe0f }, 1, 1 },
		{ "selector run", { 0x2764, 0xfe0f, 0xfe0f, 0xfe0e }, 3, 2 },
		{ "other selector behind an emoji", { 0x2764, 0xfe00 }, 2, 1 },
		{ "supplementary selector", { 0x2764, 0xe0100 }, 2, 1 },
		{ "supplementary selector on an ideograph", { 0x845b, 0xe0100 }, 2, 1 },
		{ "Mongolian selector behind Latin", { 'a', 0x180b }, 2, 1 },
		{ "joiner in Latin", { 'a', 0x200d, 'b' }, 2, 1 },
		{ "non-joiner in Latin", { 'a', 0x200c, 'b' }, 2, 1 },
		{ "joiner first", { 0x200d, 0x1f4bb }, 1, 1 },
		{ "joiner behind an emoji alone", { 0x1f469, 0x200d }, 2, 1 },
		{ "joiner between an emoji and a letter", { 0x1f469, 0x200d, 'x' }, 2, 1 },
		{ "two joiners between emoji", { 0x1f469, 0x200d, 0x200d, 0x1f4bb }, 2, 2 },
		{ "non-joiner between emoji", { 0x1f469, 0x200c, 0x1f4bb }, 2, 1 },
		{ "two joiners in Devanagari", { 0x915, 0x94d, 0x200d, 0x200d }, 4, 1 },
		{ "escape", { 'a', 0x1b, '[', '2', 'J' }, 2, 1 },
		{ "backspace", { 'a', 8 }, 2, 1 },
		{ "DEL", { 'a', 0x7f }, 2, 1 },
		{ "next line", { 'a', 0x85, 'b' }, 2, 1 },
		{ "line separator", { 'a', 0x2028 }, 2, 1 },
		{ "a return alone", { 'a', '\r', 'b' }, 2, 1 },
		{ "two returns", { 'a', '\r', '\r', '\n' }, 2, 1 },
		{ "a return last", { 'a', '\r' }, 2, 1 },
		{ "a return before a space", { 'a', '\r', ' ', '\n' }, 2, 1 },
		{ "returns before letters", { '\r', 0xe9, '\r', 0x4e2d }, 1, 2 },
		{ "hieroglyph controls", { 0x13000, 0x13430, 0x13001, 0x13440, 0x13455 }, 2, 3 },
		{ "hieroglyph blank", { 'a', 0x13441 }, 2, 1 },
		{ "Hangul fillers", { 0x115f, 0x1160, 0xffa0 }, 1, 3 },
		{ "noncharacters", { 0xfdd0, 0xffff, 0x1fffe, 0x10ffff }, 1, 4 },
		{ "musical and shorthand", { 0x1d173, 0x1bca0 }, 1, 2 },
		{ "grapheme joiner, Mongolian, Khmer", { 'a', 0x34f, 0x180e, 0x17b4 }, 2, 3 },
		{ "annotation", { 0xfff9, 'a', 0xfffb }, 1, 2 },
	};

	table(t, CV_COUNT(t));
}

static void
allowed(void)
{
	static const struct row t[] = {
		{ "white space", { 'a', '\t', '\r', '\n', '\f', 'b', '\r', '\n' }, 0, 0 },
		{ "hieroglyphs", { 0x13000, 0x1342f, 0x13460 }, 0, 0 },
		{ "BOM first", { 0xfeff, 'a' }, 0, 0 },
		{ "heart", { 0x2764, 0xfe0f, ' ', 0x26a0, 0xfe0f, 0x2139, 0xfe0e }, 0, 0 },
		{ "keycap", { '1', 0xfe0f, 0x20e3, '#', 0xfe0f, 0x20e3 }, 0, 0 },
		{ "technologist", { 0x1f469, 0x1f3fd, 0x200d, 0x1f4bb }, 0, 0 },
		{ "heart on fire", { 0x2764, 0xfe0f, 0x200d, 0x1f525 }, 0, 0 },
		{ "family", { 0x1f468, 0x200d, 0x1f469, 0x200d, 0x1f467, 0x200d, 0x1f466 }, 0, 0 },
		{ "rainbow flag", { 0x1f3f3, 0xfe0f, 0x200d, 0x1f308 }, 0, 0 },
		{ "nodding", { 0x1f642, 0x200d, 0x2194, 0xfe0f }, 0, 0 },
		{ "Scotland",
		  { 0x1f3f4, 0xe0067, 0xe0062, 0xe0073, 0xe0063, 0xe0074, 0xe007f, ' ' },
		  0,
		  0 },
		{ "England, Wales",
		  { 0x1f3f4, 0xe0067, 0xe0062, 0xe0065, 0xe006e, 0xe0067, 0xe007f, 0x1f3f4, 0xe0067,
		    0xe0062, 0xe0077, 0xe006c, 0xe0073, 0xe007f },
		  0,
		  0 },
		{ "Persian", { 0x645, 0x6cc, 0x200c, 0x62e, 0x648, 0x627, 0x647, 0x645 }, 0, 0 },
		{ "Devanagari", { 0x915, 0x94d, 0x200d, 0x937 }, 0, 0 },
		{ "Sinhala", { 0xdc1, 0xdca, 0x200d, 0xdbb, 0xdd3 }, 0, 0 },
		{ "Malayalam", { 0xd28, 0xd4d, 0x200d, ' ' }, 0, 0 },
		{ "Kannada", { 0xcb0, 0xccd, 0x200c, 0xcaf }, 0, 0 },
		{ "Mongolian", { 0x1820, 0x180b, 0x1821 }, 0, 0 },
		{ "Chinese, Korean, Thai", { 0x4e2d, 0x6587, 0xd55c, 0xe01, 0xe33 }, 0, 0 },
		{ "accents", { 'e', 0x301, 0xe9, 0x1eb9, 0xfffd, 0xfffc - 0x10 }, 0, 0 },
	};

	table(t, CV_COUNT(t));
}

/* Every character that cv_text_hidden() names is refused between letters. */
static void
all_of_them(void)
{
	unsigned n = 0;

	for (uint32_t cp = 1; cp < 0x110000; cp++) {
		struct cv_buf b = CV_BUF(64);
		struct cv_text_scan s;

		if (cv_text_hidden(cp) == NULL || (cp >= 0xe0200 && cp < 0xe0ff0))
			continue;
		cv_buf_str(&b, "ab");
		put(&b, cp);
		cv_buf_str(&b, "c");
		s = scan(cv_buf_span(&b));
		if ((s.hidden == 0) != (cp == '\t' || cp == '\n' || cp == '\f'))
			t_fail(__FILE__, __LINE__, "U+%04X", (unsigned)cp);
		n += s.hidden > 0;
		cv_buf_free(&b);
	}
	T(n > 400);
}

/* The Unicode character database as python has it, a line for each code point that has
 * to be refused, and for each that looks so and is drawn. */
static const char oracle[] =
	"import re, unicodedata as u\n"
	"drawn = {0x600,0x601,0x602,0x603,0x604,0x605,0x6dd,0x70f,0x890,0x891,0x8e2,0x110bd,"
	"0x110cd}\n" /* Prepended_Concatenation_Mark */
	"for c in range(0x110000):\n"
	"  g, n = u.category(chr(c)), u.name(chr(c), '')\n"
	"  bad = g in ('Cc', 'Cf', 'Zl', 'Zp') or 'VARIATION SELECTOR' in n or re.search('HANGUL.* "
	"FILLER', n) or "
	"n in ('COMBINING GRAPHEME JOINER', 'KHMER VOWEL INHERENT AQ', 'KHMER VOWEL INHERENT AA')"
	" or 0xe0000 <= c < 0xe1000 or 0xfff0 <= c < 0xfff9 or 0x2060 <= c < 0x2070"
	" or 0xfdd0 <= c < 0xfdf0 or c & 0xfffe == 0xfffe or 0x13430 <= c < 0x13456\n"
	"  if g != 'Cs': print(int(bad and c not in drawn))\n";

static void
unicode_says_so(void)
{
	char name[4096], command[4200];
	FILE *f;
	int c;

	(void)snprintf(name, sizeof name, "%s/oracle.py", t_tmpdir());
	t_write_file(name, oracle, sizeof oracle - 1);
	(void)snprintf(command, sizeof command, "python3 %s 2>/dev/null", name);
	f = popen(command, "r");
	T(f != NULL);
	c = getc(f);
	if (c == EOF) {
		(void)pclose(f);
		t_skip("no python3");
	}
	for (uint32_t cp = 0; cp < 0x110000; cp++) {
		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		if ((cv_text_hidden(cp) != NULL) != (c == '1'))
			t_fail(__FILE__, __LINE__, "U+%04X: %c", (unsigned)cp, c);
		T(getc(f) == '\n');
		c = getc(f);
	}
	T(c == EOF);
	(void)pclose(f);
}

static void
unclear(void)
{
	static const uint32_t some[] = { 0x2800,  0xe000,   0xf8ff,  0xf0000,
					 0xffffd, 0x100000, 0x10fffd };
	static const uint32_t none[] = { 0x2801, 0x28ff, 0xf900, 0xe9, 0x20, 0xefffd, 0xfffd };

	for (size_t i = 0; i < CV_COUNT(some) + CV_COUNT(none); i++) {
		bool yes = i < CV_COUNT(some);
		uint32_t cp = yes ? some[i] : none[i - CV_COUNT(some)];
		struct cv_buf b = CV_BUF(64);
		struct cv_text_scan s;

		cv_buf_str(&b, "a\nb");
		put(&b, cp);
		put(&b, cp);
		s = scan(cv_buf_span(&b));
		T_INT(s.hidden, 0);
		T_INT(s.unclear, yes ? 2 : 0);
		if (yes)
			T(s.unclear_cp == cp && s.unclear_at.line == 2 && s.unclear_at.column == 2);
		cv_buf_free(&b);
	}
}

static void
places(void)
{
	struct cv_text_scan s = scan(cv_span_str("one\ntwo \xc3\xa9\xe2\x80\x8bx\n\xe2\x80\x8b"));

	T_INT(s.hidden, 2);
	T_INT(s.hidden_at.line, 2);
	T_INT(s.hidden_at.column, 6);
	T_INT(s.cp, 0x200b);
	T_STR(s.class, "zero width");
	s = scan(cv_span("a\n\xff\xfe\xc3", 5));
	T_INT(s.invalid, 3);
	T_INT(s.byte, 0xff);
	T_INT(s.invalid_at.line, 2);
	T_INT(s.invalid_at.column, 1);
	/* behind what is malformed the search goes on */
	s = scan(cv_span("\xc3\xe2\x80\x8b", 4));
	T_INT(s.invalid, 1);
	T_INT(s.hidden, 1);
	s = scan(cv_span("\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80", 9));
	T_INT(s.invalid, 9);
	s = scan(cv_span("", 0));
	T_INT(s.hidden + s.invalid, 0);
}

/* Characters that lie across the end of the buffer that files are read through. */
static void
across_windows(void)
{
	struct cv_buf b = CV_BUF(1 << 20);

	for (size_t at = 65530; at < 65540; at++) {
		struct cv_text_scan s;

		cv_buf_reset(&b);
		for (size_t i = 0; i < at; i++)
			cv_buf_byte(&b, i % 80 == 79 ? '\n' : 'a');
		put(&b, 0x1f469);
		put(&b, 0x200d);
		put(&b, 0x1f4bb);
		put(&b, 0xe0041);
		s = scan(cv_buf_span(&b));
		T_INT(s.invalid, 0);
		T_INT(s.hidden, 1);
		T_INT(s.hidden_at.line, at / 80 + 1);
		T_INT(s.hidden_at.column, at % 80 + 4);
	}
	cv_buf_free(&b);
}

static const struct t_case cases[] = {
	{ "refused", refused },
	{ "allowed", allowed },
	{ "all_of_them", all_of_them },
	{ "unicode_says_so", unicode_says_so },
	{ "unclear", unclear },
	{ "places", places },
	{ "across_windows", across_windows },
};

T_MAIN(cases)
