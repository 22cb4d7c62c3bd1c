/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c: see explain.h. */
#include "verify/report/explain.h"

#include <string.h>

#include "trust/base/checks.h"

#include "trust/base/banned.h"

static const struct cv_explain table[] = {
#define CV_EXPLAIN(id, why, harmless, next, maker, related)                                        \
	{ (id), (why), (harmless), (next), (maker), (related) },
#include "verify/report/explain.def"
#undef CV_EXPLAIN
};

const struct cv_explain *
cv_explain_find(const char *id)
{
	for (size_t i = 0; i < CV_COUNT(table); i++) {
		if (strcmp(table[i].id, id) == 0)
			return &table[i];
	}
	return NULL;
}

/* columns: of UTF-8 text; every code point counts one. */
static unsigned
columns(const char *p, size_t n)
{
	unsigned c = 0;

	for (size_t i = 0; i < n; i++)
		c += ((unsigned char)p[i] & 0xc0) != 0x80;
	return c;
}

void
cv_wrap(struct cv_buf *out, const char *text, unsigned at, unsigned indent, unsigned width)
{
	bool first = true;

	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, " \n");
		unsigned w = columns(p, n);

		if (n == 0) {
			p++;
			continue;
		}
		if (!first && at + 1 + w > width) {
			cv_buf_fmt(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			cv_buf_byte(out, ' ');
			at++;
		}
		cv_buf_add(out, p, n);
		at += w;
		p += n;
		first = false;
	}
}

static void
section(struct cv_buf *out, const char *title, const char *text, unsigned width)
{
	if (text[0] == '\0')
		return;
	cv_buf_fmt(out, "\n%s\n  ", title);
	cv_wrap(out, text, 2, 2, width);
	cv_buf_byte(out, '\n');
}

void
cv_explain_text(struct cv_buf *out, const struct cv_explain *x, unsigned width)
{
	const struct cv_check *check = cv_check_find(x->id);

	cv_buf_fmt(out, "%s: ", x->id);
	cv_wrap(out, check != NULL ? check->title : "", (unsigned)strlen(x->id) + 2, 2, width);
	cv_buf_byte(out, '\n');
	section(out, "Why it matters", x->why, width);
	section(out, "Often harmless when", x->harmless, width);
	section(out, "What you can do", x->next, width);
	section(out, "What its maker can do", x->maker, width);
	section(out, "See also", x->related, width);
}
