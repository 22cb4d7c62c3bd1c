/* SPDX-License-Identifier: Apache-2.0 */
/* ref.c: see ref.h. Must never assume a registry, nor let a character through
 * that means something in a path or URL. */
#include "trust/base/ref.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static bool
is_lower(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The separator at s: '.', '_', "__" or any number of '-'; 0 if it is none. */
static size_t
separator(struct cv_span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == s.p[0])
		n++;
	if (n > 0 && (s.p[0] == '-' || (s.p[0] == '.' && n == 1) || (s.p[0] == '_' && n <= 2)))
		return n;
	return 0;
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool
component_valid(struct cv_span s)
{
	for (;;) {
		size_t n = 0, gap;

		while (n < s.n && is_lower(s.p[n]))
			n++;
		if (n == 0)
			return false;
		cv_span_take(&s, n);
		if (s.n == 0)
			return true;
		gap = separator(s);
		if (gap == 0)
			return false;
		cv_span_take(&s, gap);
	}
}

static bool
path_valid(struct cv_span s)
{
	for (;;) {
		size_t n = 0;

		while (n < s.n && s.p[n] != '/')
			n++;
		if (!component_valid(cv_span(s.p, n)))
			return false;
		if (n == s.n)
			return true;
		cv_span_take(&s, n + 1);
	}
}

/* Labels of letters, digits and inner '-' (RFC 1123 2.1), one port at most. */
static bool
host_valid(struct cv_span s)
{
	struct cv_span rest = s, name = s;
	bool dot = false, port = false;
	uint64_t number;

	if (s.n > 0 && memchr(s.p, ':', s.n) != NULL) {
		port = true;
		name = cv_span_until(&rest, ':');
		if (cv_u64_parse(&number, rest, 65535, NULL) != 0 || number == 0)
			return false;
	}
	if (name.n == 0 || name.n > 253)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		bool edge =
			i == 0 || i + 1 == name.n || name.p[i - 1] == '.' || name.p[i + 1] == '.';

		if (!is_lower(c) && (edge || (c != '-' && c != '.')))
			return false;
		dot = dot || c == '.';
	}
	return dot || port || cv_span_eq_str(name, "localhost");
}

bool
cv_tag_valid(struct cv_span s)
{
	if (s.n == 0 || s.n > CV_REF_TAG_MAX || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!is_lower(c) && !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static void
copy(char *out, struct cv_span s)
{
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

/* What to write instead of a name without a host. */
static int
no_host(struct cv_span text, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	bool bare = text.n == 0 || memchr(text.p, '/', text.n) == NULL;

	cv_text_brief(brief, text);
	if (bare ? component_valid(text) : path_valid(text))
		return cv_fail(e, CV_R_MALFORMED,
			       "found \"%s\", which names no registry; want HOST/PATH, for example "
			       "docker.io/%s%s",
			       brief, bare ? "library/" : "", brief);
	return cv_fail(e, CV_R_MALFORMED,
		       "found \"%s\", want HOST[:PORT]/PATH: a host with a dot, a port, or "
		       "\"localhost\", then '/' and a path",
		       brief);
}

static bool
is_docker_hub(const char *host)
{
	return strcmp(host, "docker.io") == 0 || strcmp(host, "index.docker.io") == 0 ||
	       strcmp(host, "registry-1.docker.io") == 0;
}

int
cv_repo_parse(struct cv_repo *ret, struct cv_span text, struct cv_err *e)
{
	struct cv_repo r = { .host = "" };
	struct cv_span path = text, host;
	char brief[CV_TEXT_BRIEF], quoted[CV_TEXT_BRIEF];
	size_t room = sizeof(r.path) - 1;
	const char *library = "library/";

	if (text.n > CV_NAME_MAX)
		return cv_fail(e, CV_R_MALFORMED, "found a name of %zu bytes, want at most %d",
			       text.n, CV_NAME_MAX);
	host = cv_span_until(&path, '/');
	if (host.bad || !host_valid(host))
		return no_host(text, e);
	if (!path_valid(path))
		return cv_fail(e, CV_R_MALFORMED,
			       "found the path \"%s\" in \"%s\", want components of a-z and 0-9 "
			       "with single '.', '_', \"__\" or any '-' between",
			       cv_text_brief(brief, path), cv_text_brief(quoted, text));
	copy(r.host, host);
	if (!is_docker_hub(r.host)) {
		copy(r.path, path);
	} else {
		copy(r.host, cv_span_str("docker.io"));
		if (memchr(path.p, '/', path.n) != NULL)
			library = "";
		if (strlen(library) + path.n > room)
			return cv_fail(e, CV_R_MALFORMED,
				       "found a path of %zu bytes, want at most %zu",
				       strlen(library) + path.n, room);
		copy(r.path, cv_span_str(library));
		copy(r.path + strlen(library), path);
	}
	*ret = r;
	return 0;
}

const char *
cv_repo_text(const struct cv_repo *r, char out[CV_REPO_TEXT])
{
	cv_text_fmt(out, CV_REPO_TEXT, "%s/%s", r->host, r->path);
	return out;
}

/* Split at the last `byte` of s; false if there is none. */
static bool
split_last(struct cv_span s, uint8_t byte, struct cv_span *before, struct cv_span *after)
{
	const uint8_t *p = s.n > 0 ? memrchr(s.p, byte, s.n) : NULL;

	if (p == NULL)
		return false;
	*before = cv_span(s.p, (size_t)(p - s.p));
	*after = cv_span(p + 1, s.n - before->n - 1);
	return true;
}

static int
take_tag(struct cv_image_ref *r, struct cv_span *name, struct cv_err *e)
{
	struct cv_span before, tag;
	char brief[CV_TEXT_BRIEF];

	/* a ':' before the last '/' belongs to a port or to a directory */
	if (!split_last(*name, ':', &before, &tag) ||
	    (tag.n > 0 && memchr(tag.p, '/', tag.n) != NULL))
		return 0;
	if (!cv_tag_valid(tag))
		return cv_fail(
			e, CV_R_MALFORMED,
			"found the tag \"%s\", want 1 to %d of A-Z, a-z, 0-9, '_', '.', '-', "
			"not starting with '.' or '-'",
			cv_text_brief(brief, tag), CV_REF_TAG_MAX);
	copy(r->tag, tag);
	*name = before;
	return 0;
}

static int
take_dir(struct cv_image_ref *r, struct cv_span name, struct cv_err *e)
{
	if (name.n == 0 || memchr(name.p, '\0', name.n) != NULL)
		return cv_fail(e, CV_R_MALFORMED,
			       "found no directory, want oci-layout:DIR[:TAG][@DIGEST]");
	copy(r->dir, name);
	return 0;
}

int
cv_image_ref_parse(struct cv_image_ref *ret, struct cv_span text, struct cv_err *e)
{
	struct cv_image_ref r = { .layout = cv_span_has_prefix(text, "oci-layout:") };
	struct cv_span name = text, digest;

	if (text.n > CV_MAX_REF)
		return cv_fail(e, CV_R_MALFORMED, "found a reference of %zu bytes, want at most %d",
			       text.n, CV_MAX_REF);
	if (r.layout)
		cv_span_take(&name, strlen("oci-layout:"));
	if (split_last(name, '@', &name, &digest) && cv_digest_parse(&r.digest, digest, e) != 0)
		return -1;
	if (take_tag(&r, &name, e) != 0)
		return -1;
	if ((r.layout ? take_dir(&r, name, e) : cv_repo_parse(&r.repo, name, e)) != 0)
		return -1;
	*ret = r;
	return 0;
}

const char *
cv_digest_tag(const struct cv_digest *d, const char *suffix, char out[CV_DIGEST_TAG])
{
	char hex[2 * CV_DIGEST_MAX + 1];

	cv_hex_encode(hex, d->b, cv_alg_size(d->alg));
	cv_text_fmt(out, CV_DIGEST_TAG, "%s-%.*s%s", cv_alg_name(d->alg),
		    *suffix == '\0' ? 64 : 128, hex, suffix);
	return out;
}
