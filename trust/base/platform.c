/* SPDX-License-Identifier: Apache-2.0 */
/* platform.c: platforms of oci.h. Must never let an image for another machine
 * pass as one for this. */
#include "trust/base/oci.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* Architectures whose variants are numbered, and which one is meant by none. */
static const struct {
	const char *arch;
	unsigned usual;
} numbered[] = { { "amd64", 1 }, { "arm", 7 }, { "arm64", 8 } };

static const struct {
	const char *from, *to;
} aliases[] = { { "x86_64", "amd64" },
		{ "x86-64", "amd64" },
		{ "aarch64", "arm64" },
		{ "armhf", "arm" },
		{ "i386", "386" } };

static bool
word_valid(struct cv_span s)
{
	if (s.n == 0 || s.n > 63)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' &&
		    c != '-')
			return false;
	}
	return true;
}

static unsigned
usual_variant(const char *arch)
{
	for (size_t i = 0; i < CV_COUNT(numbered); i++)
		if (strcmp(arch, numbered[i].arch) == 0)
			return numbered[i].usual;
	return 0;
}

/* The N of "vN", the usual one for "", 0 for anything else. */
static unsigned
level(const struct cv_platform *p)
{
	uint64_t n;

	if (p->variant[0] == '\0')
		return usual_variant(p->arch);
	if (p->variant[0] != 'v' || cv_u64_parse(&n, cv_span_str(p->variant + 1), 99, NULL) != 0)
		return 0;
	return (unsigned)n;
}

static void
normalise(struct cv_platform *p)
{
	for (size_t i = 0; i < CV_COUNT(aliases); i++)
		if (strcmp(p->arch, aliases[i].from) == 0)
			cv_text_fmt(p->arch, sizeof(p->arch), "%s", aliases[i].to);
	if (strcmp(p->os, "macos") == 0)
		cv_text_fmt(p->os, sizeof(p->os), "darwin");
	/* the usual variant is written by leaving it out, except on 32-bit arm */
	if (p->variant[0] != '\0' && level(p) == usual_variant(p->arch) && level(p) != 0)
		p->variant[0] = '\0';
	if (strcmp(p->arch, "arm") == 0 && p->variant[0] == '\0')
		cv_text_fmt(p->variant, sizeof(p->variant), "v7");
}

int
cv_platform_parse(struct cv_platform *ret, struct cv_span text, struct cv_err *e)
{
	struct cv_platform p = { .os = "" };
	char *const part[] = { p.os, p.arch, p.variant };
	char brief[CV_TEXT_BRIEF];
	struct cv_span rest = text;
	size_t n = 0;

	for (bool more = true; more; n++) {
		struct cv_span word = rest;

		more = rest.n > 0 && memchr(rest.p, '/', rest.n) != NULL;
		if (more)
			word = cv_span_until(&rest, '/');
		if (n == CV_COUNT(part) || !word_valid(word))
			goto wrong;
		memcpy(part[n], word.p, word.n);
	}
	if (n < 2)
		goto wrong;
	p.variant_said = p.variant[0] != '\0';
	normalise(&p);
	*ret = p;
	return 0;
wrong:
	return cv_fail(e, CV_R_MALFORMED,
		       "found the platform \"%s\", want OS/ARCHITECTURE[/VARIANT] of a-z, 0-9, "
		       "'.', '_', '-', such as linux/amd64",
		       cv_text_brief(brief, text));
}

const char *
cv_platform_text(const struct cv_platform *p, char out[CV_PLATFORM_TEXT])
{
	cv_text_fmt(out, CV_PLATFORM_TEXT, "%s/%s%s%s", p->os, p->arch,
		    p->variant[0] == '\0' ? "" : "/", p->variant);
	return out;
}

unsigned
cv_platform_serves(const struct cv_platform *want, const struct cv_platform *have)
{
	unsigned w, h;

	if (strcmp(want->os, have->os) != 0 || strcmp(want->arch, have->arch) != 0)
		return 0;
	if (strcmp(want->variant, have->variant) == 0)
		return 100;
	w = level(want);
	h = level(have);
	if (w == 0 || h == 0 || h > w)
		return 0;
	if (strcmp(want->arch, "arm") == 0 && h < 5)
		return 0;
	return h;
}

bool
cv_platform_agree(const struct cv_platform *a, const struct cv_platform *b)
{
	if (strcmp(a->os, b->os) != 0 || strcmp(a->arch, b->arch) != 0)
		return false;
	return !a->variant_said || !b->variant_said || strcmp(a->variant, b->variant) == 0;
}
