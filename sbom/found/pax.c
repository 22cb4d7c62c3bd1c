/* SPDX-License-Identifier: Apache-2.0 */
/* pax.c: see pax.h. Must never take a record for another than a lenient reader
 * would: what could be read in two ways is refused. */
#include "sbom/found/pax.h"

#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

struct record {
	struct cv_span key, value;
};

/* "LENGTH KEY=VALUE\n"; LENGTH counts itself. */
static int
next_record(struct cv_span *text, struct record *ret, struct cv_err *e)
{
	const uint8_t *start = text->p;
	struct cv_span all = *text, digits = cv_span_until(&all, ' '), body;
	uint64_t len;

	if (all.bad || digits.n > 7 || cv_u64_parse(&len, digits, text->n, NULL) < 0 ||
	    len < digits.n + 1 + 3)
		return cv_fail(e, CV_R_MALFORMED, "a pax record without a proper length");
	body = cv_span(start + digits.n + 1, (size_t)len - digits.n - 1);
	if (body.p[body.n - 1] != '\n')
		return cv_fail(e, CV_R_MALFORMED, "a pax record that does not end with a newline");
	body.n--;
	ret->key = cv_span_until(&body, '=');
	if (body.bad || ret->key.n == 0 || memchr(ret->key.p, 0, ret->key.n) != NULL)
		return cv_fail(e, CV_R_MALFORMED, "a pax record without a proper key");
	ret->value = body;
	(void)cv_span_take(text, (size_t)len);
	return 0;
}

static int
refuse(const struct record *r, const char *why, enum cv_reason reason, struct cv_err *e)
{
	char key[CV_TEXT_BRIEF], value[CV_TEXT_BRIEF];

	return cv_fail(e, reason, "pax record %s=%s: %s", cv_text_brief(key, r->key),
		       cv_text_brief(value, r->value), why);
}

static int
once(struct cv_pax *p, unsigned bit, const struct record *r, struct cv_err *e)
{
	if ((p->has & bit) != 0)
		return refuse(r, "the same key twice", CV_R_AMBIGUOUS, e);
	if (r->value.n == 0)
		return refuse(r, "empty, which some readers take for absent", CV_R_AMBIGUOUS, e);
	if (memchr(r->value.p, 0, r->value.n) != NULL)
		return refuse(r, "a NUL byte, where some readers stop", CV_R_AMBIGUOUS, e);
	p->has |= bit;
	return 0;
}

static int
number(struct cv_pax *p, unsigned bit, const struct record *r, uint64_t max, uint64_t *ret,
       struct cv_err *e)
{
	if (once(p, bit, r, e) < 0)
		return -1;
	if (cv_u64_parse(ret, r->value, max, NULL) < 0)
		return refuse(r, "want a plain decimal number in range", CV_R_MALFORMED, e);
	return 0;
}

static int
text_value(struct cv_pax *p, unsigned bit, const struct record *r, struct cv_span *ret,
	   struct cv_err *e)
{
	if (once(p, bit, r, e) < 0)
		return -1;
	if (r->value.n > CV_MAX_PATH)
		return refuse(r, "longer than 4096 bytes", CV_R_LIMIT, e);
	*ret = r->value;
	return 0;
}

/* Keys of vendors, "VENDOR.keyword". */
static int
vendor(struct cv_pax *p, const struct record *r, struct cv_err *e)
{
	static const char *const other_meaning[] = {
		/* files with holes, parts of files, other sizes and types */
		"GNU.sparse.",     "GNU.volume.",     "SCHILY.realsize", "SCHILY.offset",
		"SCHILY.filetype", "SCHILY.devmajor", "SCHILY.devminor", "SUN.",
	};
	static const char *const overlay[] = {
		"SCHILY.xattr.trusted.overlay.",
		"SCHILY.xattr.user.overlay.",
		"LIBARCHIVE.xattr.trusted.overlay.",
		"LIBARCHIVE.xattr.user.overlay.",
	};

	for (size_t i = 0; i < CV_COUNT(other_meaning); i++)
		if (cv_span_has_prefix(r->key, other_meaning[i]))
			return refuse(r, "changes what the entry is for some readers only",
				      CV_R_AMBIGUOUS, e);
	for (size_t i = 0; i < CV_COUNT(overlay); i++)
		if (cv_span_has_prefix(r->key, overlay[i]))
			p->has |= CV_PAX_OVERLAY;
	if (cv_span_eq_str(r->key, "SCHILY.xattr.security.capability") ||
	    cv_span_eq_str(r->key, "LIBARCHIVE.xattr.security.capability"))
		p->has |= CV_PAX_CAPABILITY;
	return 0;
}

static int
one_record(struct cv_pax *p, const struct record *r, struct cv_err *e)
{
	static const char *const harmless[] = { "atime", "ctime", "mtime",
						"uname", "gname", "comment" };
	uint64_t n = 0;

	if (cv_span_eq_str(r->key, "path"))
		return text_value(p, CV_PAX_PATH, r, &p->path, e);
	if (cv_span_eq_str(r->key, "linkpath"))
		return text_value(p, CV_PAX_LINK, r, &p->link, e);
	if (cv_span_eq_str(r->key, "size"))
		return number(p, CV_PAX_SIZE, r, INT64_MAX, &p->size, e);
	if (cv_span_eq_str(r->key, "uid") || cv_span_eq_str(r->key, "gid")) {
		bool user = r->key.p[0] == 'u';

		if (number(p, user ? CV_PAX_UID : CV_PAX_GID, r, INT32_MAX, &n, e) < 0)
			return -1;
		*(user ? &p->uid : &p->gid) = (uint32_t)n;
		return 0;
	}
	if (cv_span_eq_str(r->key, "hdrcharset")) {
		/* bsdtar says so of names that are not UTF-8; a name is bytes here */
		if (once(p, CV_PAX_CHARSET, r, e) < 0)
			return -1;
		if (!cv_span_eq_str(r->value, "BINARY") &&
		    !cv_span_eq_str(r->value, "ISO-IR 10646 2000 UTF-8"))
			return refuse(r, "an unknown character set", CV_R_AMBIGUOUS, e);
		return 0;
	}
	for (size_t i = 0; i < CV_COUNT(harmless); i++)
		if (cv_span_eq_str(r->key, harmless[i]))
			return 0;
	if (memchr(r->key.p, '.', r->key.n) == NULL)
		return refuse(r, "not a key that POSIX knows", CV_R_AMBIGUOUS, e);
	return vendor(p, r, e);
}

int
cv_pax_parse(struct cv_pax *ret, struct cv_span text, struct cv_err *e)
{
	struct record r;

	*ret = (struct cv_pax){ 0 };
	while (text.n > 0)
		if (next_record(&text, &r, e) < 0 || one_record(ret, &r, e) < 0)
			return -1;
	return 0;
}

int
cv_pax_global(struct cv_span text, struct cv_err *e)
{
	struct record r;

	while (text.n > 0) {
		if (next_record(&text, &r, e) < 0)
			return -1;
		if (!cv_span_eq_str(r.key, "comment"))
			return refuse(&r,
				      "a global header that some readers honour and some do not",
				      CV_R_AMBIGUOUS, e);
	}
	return 0;
}
