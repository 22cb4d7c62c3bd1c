/* SPDX-License-Identifier: Apache-2.0 */
/* skill.c: the front matter of a SKILL.md. Never interprets what a value says. */
#include "sbom/found/skill.h"

#include <string.h>

#include "trust/base/banned.h"

enum { NAME, DESCRIPTION, FIELDS };

static const char *const fields[FIELDS] = { "name", "description" };

struct matter {
	bool seen[FIELDS];
	bool filled[FIELDS];
	int open; /* the field whose value may go on in indented lines, -1 none */
};

/* take_line: up to the next LF, which is consumed; a CR before it is dropped.
 * False at the end of the text. */
static bool
take_line(struct cv_span *text, struct cv_span *line)
{
	const uint8_t *lf;

	if (text->n == 0)
		return false;
	lf = memchr(text->p, '\n', text->n);
	*line = cv_span_take(text, lf != NULL ? (size_t)(lf - text->p) : text->n);
	if (text->n > 0)
		(void)cv_span_u8(text);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static struct cv_span
trim(struct cv_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		(void)cv_span_u8(&s);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool
is_fence(struct cv_span line)
{
	return cv_span_has_prefix(line, "---") && trim(line).n == 3;
}

/* Something is there: not only quotes, a block mark (">-", "|2"), or a comment. */
static bool
has_value(struct cv_span s, bool first)
{
	s = trim(s);
	if (first && s.n > 0 && (s.p[0] == '|' || s.p[0] == '>'))
		return false;
	if (s.n > 0 && s.p[0] == '#')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '"' && s.p[i] != '\'')
			return true;
	return false;
}

static int
key_of(struct cv_span line, struct cv_span *value)
{
	for (int i = 0; i < FIELDS; i++) {
		size_t n = strlen(fields[i]);

		if (!cv_span_has_prefix(line, fields[i]) || line.n <= n || line.p[n] != ':')
			continue;
		if (line.n > n + 1 && line.p[n + 1] != ' ' && line.p[n + 1] != '\t')
			continue;
		*value = cv_span(line.p + n + 1, line.n - n - 1);
		return i;
	}
	return -1;
}

static int
matter_line(struct matter *m, struct cv_span line, unsigned number, struct cv_err *e)
{
	struct cv_span value;
	int key;

	if (trim(line).n == 0)
		return 0;
	if (line.p[0] == ' ' || line.p[0] == '\t') {
		if (m->open >= 0 && has_value(line, false))
			m->filled[m->open] = true;
		return 0;
	}
	key = key_of(line, &value);
	m->open = key;
	if (key < 0)
		return 0;
	if (m->seen[key])
		return cv_fail(e, CV_R_AMBIGUOUS, "line %u: a second \"%s\"", number, fields[key]);
	m->seen[key] = true;
	m->filled[key] = has_value(value, true);
	return 0;
}

static int
judge(const struct matter *m, struct cv_err *e)
{
	for (int i = 0; i < FIELDS; i++)
		if (!m->filled[i])
			return cv_fail(e, CV_R_MALFORMED, "the front matter has %s \"%s\"",
				       m->seen[i] ? "an empty" : "no", fields[i]);
	return 0;
}

static int
read_matter(struct cv_span text, bool cut, struct cv_err *e)
{
	struct matter m = { .open = -1 };
	struct cv_span line;
	unsigned number = 1;

	if (cv_span_has_prefix(text, "\xef\xbb\xbf"))
		(void)cv_span_take(&text, 3);
	if (!take_line(&text, &line) || !is_fence(line))
		return cv_fail(e, CV_R_MALFORMED,
			       "line 1: no front matter, want a line \"---\" first");
	while (take_line(&text, &line)) {
		number++;
		if (is_fence(line))
			return judge(&m, e);
		if (matter_line(&m, line, number, e) != 0)
			return -1;
	}
	if (cut)
		return cv_fail(e, CV_R_LIMIT, "the front matter does not end within %d bytes",
			       CV_SKILL_HEAD);
	return cv_fail(e, CV_R_MALFORMED,
		       "the front matter does not end: want a second line \"---\"");
}

int
cv_skill_check(struct cv_blob blob, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(CV_SKILL_HEAD);
	uint64_t n = blob.len < CV_SKILL_HEAD ? blob.len : CV_SKILL_HEAD;
	int rc = cv_buf_pread(&b, blob.fd, blob.off, n, "SKILL.md", e);

	if (rc == 0)
		rc = read_matter(cv_buf_span(&b), blob.len > n, e);
	cv_buf_free(&b);
	return rc;
}
