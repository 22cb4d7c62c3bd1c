/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unicode.c: looks for hidden characters. Must never pass over one because of what
 * stands around it, unless unicode.h names that exception.
 *
 * Sources: Unicode 15 emoji-data.txt and emoji-sequences.txt (UTS #51), the
 * Join_Control property (UAX #31, 2.3).
 */
#include "sbom/found/unicode.h"
#include "sbom/found/window.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

#define ZWNJ   0x200cu
#define ZWJ    0x200du
#define BOM    0xfeffu
#define FLAG   0x1f3f4u
#define CANCEL 0xe007fu

#define TAGS 6 /* "gbeng" and the cancel tag */

struct scan {
	struct cv_text_scan *ret;
	struct cv_text_place at; /* of the character at hand */
	uint32_t prev;           /* the character before it, 0 at the beginning */
	uint32_t base;           /* the same, but for an emoji selector what it belongs to */
	bool first;
	bool returned;               /* prev is a CR that wants an LF next */
	struct cv_text_place cr_at;  /* where it stands */
	bool joining;                /* prev is a ZWJ that wants a pictograph next */
	struct cv_text_place joined; /* where it stands */
	char tag[TAGS];              /* of a flag that has begun, as ASCII */
	size_t ntags;
	bool in_tags;
	struct cv_text_place tags_at;
};

struct range {
	uint32_t first, last;
};

static bool
among(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n && cp >= r[i].first; i++)
		if (cp <= r[i].last)
			return true;
	return false;
}

/* Blocks of symbols with emoji among them: a selector behind one is no secret. */
static bool
pictograph(uint32_t cp)
{
	static const struct range r[] = {
		{ 0xa9, 0xa9 },     { 0xae, 0xae },       { 0x203c, 0x203c }, { 0x2049, 0x2049 },
		{ 0x20e3, 0x20e3 }, { 0x2122, 0x2122 },   { 0x2139, 0x2139 }, { 0x2190, 0x21ff },
		{ 0x2300, 0x23ff }, { 0x2460, 0x24ff },   { 0x25a0, 0x27bf }, { 0x2900, 0x297f },
		{ 0x2b00, 0x2bff }, { 0x3030, 0x3030 },   { 0x303d, 0x303d }, { 0x3297, 0x3297 },
		{ 0x3299, 0x3299 }, { 0x1f000, 0x1faff },
	};

	return among(cp, r, CV_COUNT(r));
}

static bool
emoji_base(uint32_t cp)
{
	return pictograph(cp) || cp == '#' || cp == '*' || (cp >= '0' && cp <= '9');
}

/* Scripts whose letters change their form by their neighbours, so that a joiner or
 * non-joiner is spelling: Arabic, Syriac, N'Ko, Mandaic; the Indic ones; Tibetan,
 * Myanmar, Khmer, Mongolian. */
static bool
joining_script(uint32_t cp)
{
	static const struct range r[] = {
		{ 0x620, 0x6ff },   { 0x710, 0x77f },     { 0x7ca, 0x7ff },   { 0x840, 0x86a },
		{ 0x8a0, 0x8ff },   { 0x900, 0xdff },     { 0xf00, 0xfff },   { 0x1000, 0x109f },
		{ 0x1780, 0x17b3 }, { 0x17b6, 0x17df },   { 0x1820, 0x18aa }, { 0x1b00, 0x1b7f },
		{ 0xa840, 0xa877 }, { 0xa8e0, 0xa8ff },   { 0xa980, 0xa9df }, { 0xfb50, 0xfdff },
		{ 0xfe70, 0xfefc }, { 0x11000, 0x11fff },
	};

	return among(cp, r, CV_COUNT(r));
}

static void
refuse(struct scan *s, uint32_t cp, struct cv_text_place at, const char *class)
{
	if (s->ret->hidden++ > 0)
		return;
	s->ret->cp = cp;
	s->ret->class = class;
	s->ret->hidden_at = at;
}

static void
note_unclear(struct scan *s, uint32_t cp)
{
	bool private = (cp >= 0xe000 && cp <= 0xf8ff) || cp >= 0xf0000;

	if ((!private && cp != 0x2800) || cv_text_hidden(cp) != NULL || s->ret->unclear++ > 0)
		return;
	s->ret->unclear_cp = cp;
	s->ret->unclear_class = private ? "private use" : "a blank that is no space";
	s->ret->unclear_at = s->at;
}

/* ---- flags spelled with tag characters ---- */

static bool
is_tag(uint32_t cp)
{
	return cp >= 0xe0000 && cp <= 0xe007f;
}

static void
end_tags(struct scan *s, bool cancelled)
{
	static const char *const flags[] = { "gbeng", "gbsct", "gbwls" };
	bool good = false;

	for (size_t i = 0; i < CV_COUNT(flags); i++)
		good = good || (s->ntags == 5 && memcmp(s->tag, flags[i], 5) == 0);
	s->in_tags = false;
	if (!good || !cancelled)
		refuse(s, 0xe0000, s->tags_at, "tag character");
}

static void
take_tag(struct scan *s, uint32_t cp)
{
	if (!s->in_tags && s->prev != FLAG) {
		refuse(s, cp, s->at, "tag character");
		return;
	}
	if (!s->in_tags) {
		s->in_tags = true;
		s->ntags = 0;
		s->tags_at = s->at;
	}
	if (cp == CANCEL)
		end_tags(s, true);
	else if (s->ntags < TAGS)
		s->tag[s->ntags++] = (char)(cp - 0xe0000);
}

/* ---- the other exceptions ---- */

static bool
selector_fits(const struct scan *s, uint32_t cp)
{
	if (cp == 0xfe0e || cp == 0xfe0f)
		return emoji_base(s->prev);
	if ((cp >= 0x180b && cp <= 0x180d) || cp == 0x180f)
		return s->prev >= 0x1820 && s->prev <= 0x18aa;
	return false;
}

static bool
allowed(struct scan *s, uint32_t cp)
{
	switch (cp) {
	case '\t':
	case '\n':
	case '\f':
		return true;
	case '\r':
		s->returned = true;
		s->cr_at = s->at;
		return true;
	case BOM:
		return s->first;
	case ZWNJ:
		return joining_script(s->prev);
	case ZWJ:
		if (joining_script(s->prev))
			return true;
		s->joining = pictograph(s->base);
		s->joined = s->at;
		return s->joining;
	default:
		return selector_fits(s, cp);
	}
}

static void
take(struct scan *s, uint32_t cp)
{
	const char *class = cv_text_hidden(cp);

	if (s->returned && cp != '\n')
		refuse(s, '\r', s->cr_at, "control");
	s->returned = false;
	if (s->joining && !pictograph(cp))
		refuse(s, ZWJ, s->joined, "zero width");
	s->joining = false;
	if (s->in_tags && !is_tag(cp))
		end_tags(s, false);
	if (is_tag(cp))
		take_tag(s, cp);
	else if (class != NULL && !allowed(s, cp))
		refuse(s, cp, s->at, class);
	note_unclear(s, cp);
	/* what a joiner behind a selector would join */
	if (class == NULL)
		s->base = cp;
	else if (cp != 0xfe0e && cp != 0xfe0f)
		s->base = 0;
	s->prev = cp;
	s->first = false;
	s->at.column++;
	if (cp == '\n') {
		s->at.line++;
		s->at.column = 1;
	}
}

/* Most text is printable ASCII, which only has to be counted. */
static void
take_plain(struct scan *s, struct cv_window *w)
{
	size_t from = w->at;

	while (w->at < w->have && w->buf[w->at] >= 0x20 && w->buf[w->at] < 0x7f)
		w->at++;
	if (w->at == from)
		return;
	take(s, w->buf[from]);
	s->at.column += w->at - from - 1;
	s->prev = s->base = w->buf[w->at - 1];
}

static void
take_byte(struct scan *s, uint8_t byte)
{
	if (s->ret->invalid++ == 0) {
		s->ret->byte = byte;
		s->ret->invalid_at = s->at;
	}
	take(s, 0xfffd);
}

int
cv_text_scan(struct cv_text_scan *ret, struct cv_blob blob, struct cv_err *e)
{
	struct cv_window w;
	struct scan s = { .ret = ret, .at = { 1, 1 }, .first = true };

	*ret = (struct cv_text_scan){ .class = "", .unclear_class = "" };
	cv_window_open(&w, blob);
	while (cv_window_fill(&w)) {
		struct cv_span next, from;
		uint32_t cp;

		take_plain(&s, &w);
		from = next = cv_window_look(&w, 4);
		if (from.n == 0)
			continue;
		cp = cv_utf8_next(&next);
		if (next.bad)
			take_byte(&s, cv_window_u8(&w));
		else {
			cv_window_skip(&w, from.n - next.n);
			take(&s, cp);
		}
	}
	if (s.returned)
		refuse(&s, '\r', s.cr_at, "control");
	if (s.joining)
		refuse(&s, ZWJ, s.joined, "zero width");
	if (s.in_tags)
		end_tags(&s, false);
	if (w.err.reason != CV_R_NONE)
		return cv_window_ok(&w, "looking for hidden text", "", e);
	return 0;
}
