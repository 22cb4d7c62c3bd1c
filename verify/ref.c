/* SPDX-License-Identifier: Apache-2.0 */
/* ref.c: see ref.h. Must never guess a registry, nor let a digest or tag that
 * is not well-formed into a path or a URL. */
#include "verify/ref.h"

#include <string.h>

#include "trust/base/enc.h"
#include "verify/tree.h"

static bool
is_lower(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* path_component: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool
path_component(struct cv_span s)
{
	size_t i = 0;

	for (;;) {
		size_t start = i, n;

		while (i < s.n && is_lower(s.p[i]))
			i++;
		if (i == start)
			return false;
		if (i == s.n)
			return true;
		for (n = 0; i + n < s.n && s.p[i + n] == s.p[i]; n++)
			;
		if (!(s.p[i] == '-' || (s.p[i] == '.' && n == 1) || (s.p[i] == '_' && n <= 2)))
			return false;
		i += n;
	}
}

static bool
tag_valid(struct cv_span s)
{
	if (s.n == 0 || s.n > 128 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!is_lower(c) && !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

/* host_valid: letters of a name or address, at most one port. */
static bool
host_valid(struct cv_span s)
{
	struct cv_span rest = s, host = s;
	uint64_t port;

	if (memchr(s.p, ':', s.n) != NULL) {
		host = cv_span_until(&rest, ':');
		if (cv_u64_parse(&port, rest, 65535, NULL) != 0 || port == 0)
			return false;
	}
	if (host.n == 0 || host.n > 253 || !is_lower(host.p[0]) || !is_lower(host.p[host.n - 1]))
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (!is_lower(host.p[i]) && host.p[i] != '.' && host.p[i] != '-')
			return false;
	return host.n < s.n || memchr(s.p, '.', s.n) != NULL || cv_span_eq_str(s, "localhost");
}

static int
check_name(const char *text, struct cv_span name, struct cv_err *e)
{
	struct cv_span rest = name, host = name;

	if (name.n == 0 || memchr(name.p, '/', name.n) == NULL)
		return cv_fail(e, CV_R_USAGE,
			       "found \"%s\", want HOST/PATH[:TAG][@DIGEST]: the registry is "
			       "never guessed",
			       text);
	host = cv_span_until(&rest, '/');
	if (!host_valid(host))
		return cv_fail(e, CV_R_USAGE,
			       "found \"%s\", want a registry host (with a dot, a port, or "
			       "localhost) before the first '/'",
			       text);
	while (memchr(rest.p, '/', rest.n) != NULL)
		if (!path_component(cv_span_until(&rest, '/')))
			goto wrong;
	if (path_component(rest))
		return 0;
wrong:
	return cv_fail(e, CV_R_USAGE,
		       "found \"%s\", want path components of a-z, 0-9 with single separators "
		       "'.', '_', '__', '-' between",
		       text);
}

/* last: the span before and after the last `byte`; false if there is none. */
static bool
last(struct cv_span s, uint8_t byte, struct cv_span *before, struct cv_span *after)
{
	const uint8_t *p = s.n > 0 ? memrchr(s.p, byte, s.n) : NULL;

	if (p == NULL)
		return false;
	*before = cv_span(s.p, (size_t)(p - s.p));
	*after = cv_span(p + 1, s.n - before->n - 1);
	return true;
}

static int
take_tag(struct cv_ref *r, const char *text, struct cv_span *name, struct cv_err *e)
{
	struct cv_span before, tag;

	/* a ':' before the last '/' is a port */
	if (!last(*name, ':', &before, &tag) || memchr(tag.p, '/', tag.n) != NULL)
		return 0;
	if (!tag_valid(tag))
		return cv_fail(e, CV_R_USAGE,
			       "found \"%s\", want a tag of 1 to 128 letters, digits, '.', '_', "
			       "'-' after ':'",
			       text);
	memcpy(r->tag, tag.p, tag.n);
	*name = before;
	return 0;
}

int
cv_ref_parse(struct cv_ref *ret, const char *text, struct cv_err *e)
{
	struct cv_ref r = { 0 };
	struct cv_span name = cv_span_str(text), digest;
	const char *wrong;

	if (name.n > CV_MAX_REF)
		return cv_fail(e, CV_R_USAGE, "found a reference of %zu bytes, want at most %d",
			       name.n, CV_MAX_REF);
	r.layout = cv_span_has_prefix(name, "oci-layout:");
	if (r.layout)
		cv_span_take(&name, strlen("oci-layout:"));
	if (last(name, '@', &name, &digest) && cv_digest_parse(&r.digest, digest, NULL) != 0)
		return cv_fail(e, CV_R_USAGE,
			       "found \"%s\", want \"sha256:\" and 64 lower-case hex digits after "
			       "'@'",
			       text);
	if (take_tag(&r, text, &name, e) != 0)
		return -1;
	if (!r.layout && check_name(text, name, e) != 0)
		return -1;
	if (name.n > 0)
		memcpy(r.source, name.p, name.n);
	wrong = r.layout && strcmp(r.source, ".") != 0 ? cv_tree_path_wrong(r.source) : NULL;
	if (wrong != NULL)
		return cv_fail(e, CV_R_USAGE,
			       "found \"%s\", want a directory below this file's own after "
			       "\"oci-layout:\": %s",
			       text, wrong);
	*ret = r;
	return 0;
}
