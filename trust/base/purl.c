/* SPDX-License-Identifier: Apache-2.0 */
/*
 * purl.c: reads and writes package URLs. Never resolves one, never builds a
 * path or an address from one.
 */
#include "purl.h"

#include "enc.h"

#include <stdlib.h>
#include <string.h>

#include "banned.h"

/* What a type's definition says beyond the general rules (purl-spec, types/). */
enum {
	LOWER_NS = 1,
	LOWER_NAME = 2,
	LOWER_VERSION = 4,
	NS_REQUIRED = 8,
	NS_PROHIBITED = 16,
	DASH_NAME = 32,    /* "_" is "-" */
	NAME_IS_PATH = 64, /* the namespace is one segment, the name all others */
	UUID_REQUIRED = 128,
	NO_COLONS = 256,   /* a module name is no distribution name */
	CHROME = 512,      /* an extension id, and at most four numbers */
	DATABRICKS = 1024, /* the registry decides whether case counts */
};

struct type_rule {
	const char *type;
	unsigned rules;
};

static const struct type_rule type_rules[] = {
	{ "alpm", LOWER_NS | LOWER_NAME },
	{ "apk", LOWER_NS | LOWER_NAME },
	{ "bitbucket", LOWER_NS | LOWER_NAME },
	{ "bitnami", LOWER_NAME },
	{ "brew", LOWER_NS | LOWER_NAME },
	{ "chrome-extension", NS_PROHIBITED | CHROME },
	{ "composer", LOWER_NS | LOWER_NAME },
	{ "cpan", NO_COLONS },
	{ "deb", LOWER_NS | LOWER_NAME },
	{ "git", LOWER_NS | LOWER_NAME | NAME_IS_PATH },
	{ "github", LOWER_NS | LOWER_NAME },
	{ "gitlab", LOWER_NS | LOWER_NAME },
	{ "hex", LOWER_NS | LOWER_NAME },
	{ "huggingface", LOWER_VERSION },
	{ "julia", UUID_REQUIRED },
	{ "mlflow", DATABRICKS },
	{ "oci", LOWER_NAME },
	{ "otp", NS_PROHIBITED },
	{ "pub", LOWER_NAME },
	{ "pypi", LOWER_NAME | DASH_NAME },
	{ "qpkg", LOWER_NS },
	{ "rpm", LOWER_NS },
	{ "swift", NS_REQUIRED },
	{ "vcpkg", NS_PROHIBITED },
	{ "vscode-extension", NS_REQUIRED },
};

static unsigned
rules_of(const char *type)
{
	for (size_t i = 0; i < CV_COUNT(type_rules); i++)
		if (strcmp(type_rules[i].type, type) == 0)
			return type_rules[i].rules;
	return 0;
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
fold(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static void
lower(char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		*s = fold(*s);
}

/* ---- parsing ---- */

/* A parse under way. Decoding never makes text longer, so that `at` stays inside
 * the memory that was sized from the input. */
struct parse {
	char *at;
	struct cv_purl p;
	unsigned flags;
	struct cv_err *e;
};

static int
malformed(struct parse *ps, const char *what)
{
	return cv_fail(ps->e, CV_R_MALFORMED, "package URL: %s", what);
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The bytes of `s`, percent-decoded, appended at ps->at without a NUL. */
static int
decode(struct parse *ps, struct cv_span s)
{
	char *start = ps->at;

	for (size_t i = 0; i < s.n; i++) {
		char c = (char)s.p[i];
		if (c == '%') {
			int hi = i + 2 < s.n ? hex_value((char)s.p[i + 1]) : -1;
			int lo = i + 2 < s.n ? hex_value((char)s.p[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return malformed(ps, "\"%\" without two hexadecimal digits");
			c = (char)(hi * 16 + lo);
			i += 2;
		}
		if (c == '\0')
			return malformed(ps, "a NUL byte");
		*ps->at++ = c;
	}
	if (!cv_utf8_valid(cv_span(start, (size_t)(ps->at - start))))
		return malformed(ps, "not valid UTF-8 once decoded");
	return 0;
}

/* One field, with its NUL; NULL when it is empty. */
static int
field(struct parse *ps, struct cv_span s, const char **ret)
{
	char *start = ps->at;

	if (decode(ps, s) < 0)
		return -1;
	if (ps->at == start) {
		*ret = NULL;
		return 0;
	}
	*ps->at++ = '\0';
	*ret = start;
	return 0;
}

/* Segments between slashes, empty ones dropped; `dots`: "." and ".." too. */
static int
segments(struct parse *ps, struct cv_span s, bool dots, const char **ret)
{
	char *start = ps->at;

	while (s.n > 0) {
		size_t n = 0;
		while (n < s.n && s.p[n] != '/')
			n++;
		struct cv_span seg = cv_span_take(&s, n);
		if (s.n > 0)
			(void)cv_span_u8(&s);
		if (seg.n == 0)
			continue;
		char *at = ps->at;
		if (at != start)
			*ps->at++ = '/';
		char *text = ps->at;
		if (decode(ps, seg) < 0)
			return -1;
		size_t len = (size_t)(ps->at - text);
		if (memchr(text, '/', len) != NULL)
			return malformed(ps, "an encoded \"/\" inside a segment");
		if (dots && (len == 1 || len == 2) && memcmp(text, "..", len) == 0)
			ps->at = at;
	}
	if (ps->at == start) {
		*ret = NULL;
		return 0;
	}
	*ps->at++ = '\0';
	*ret = start;
	return 0;
}

/* A type: letters, digits, "." and "-", not beginning with a digit. */
static int
type_field(struct parse *ps, struct cv_span s)
{
	ps->p.type = ps->at;
	for (size_t i = 0; i < s.n; i++) {
		char c = fold((char)s.p[i]);
		bool good = is_lower(c) || (i > 0 && (is_digit(c) || c == '.' || c == '-'));
		if (!good)
			return malformed(ps, "the type is not letters, digits, \".\" and \"-\"");
		*ps->at++ = c;
	}
	if (s.n == 0)
		return malformed(ps, "no type");
	*ps->at++ = '\0';
	return 0;
}

/* cv_purl_qual keys: letters, digits, ".", "-", "_", beginning with a letter. */
static bool
key_ok(struct cv_span key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = fold((char)key.p[i]);
		bool good =
			is_lower(c) || (i > 0 && (is_digit(c) || c == '.' || c == '-' || c == '_'));
		if (!good)
			return false;
	}
	return key.n > 0;
}

/* Insertion in order keeps the list sorted; it has at most 32 entries. */
static int
add_qualifier(struct parse *ps, const char *key, const char *value)
{
	struct cv_purl *p = &ps->p;
	size_t i = p->nqual;

	for (; i > 0; i--) {
		int order = strcmp(p->qual[i - 1].key, key);
		if (order == 0)
			return malformed(ps, "the same qualifier twice");
		if (order < 0)
			break;
	}
	if (p->nqual == CV_MAX_PURL_QUALIFIERS)
		return cv_fail(ps->e, CV_R_LIMIT, "package URL: more than %d qualifiers",
			       CV_MAX_PURL_QUALIFIERS);
	memmove(&p->qual[i + 1], &p->qual[i], (p->nqual - i) * sizeof(p->qual[0]));
	p->qual[i] = (struct cv_purl_qual){ .key = key, .value = value };
	p->nqual++;
	return 0;
}

static int
qualifiers(struct parse *ps, struct cv_span s)
{
	while (s.n > 0) {
		size_t n = 0;
		while (n < s.n && s.p[n] != '&')
			n++;
		struct cv_span pair = cv_span_take(&s, n);
		if (s.n > 0)
			(void)cv_span_u8(&s);
		struct cv_span key = cv_span_until(&pair, '=');
		if (pair.bad || !key_ok(key))
			return malformed(ps, "a qualifier that is not key=value");
		if (is_upper((char)key.p[0]) && (ps->flags & CV_PURL_LENIENT) == 0)
			return malformed(ps, "a qualifier key that is not lower case");
		char *k = ps->at;
		for (size_t i = 0; i < key.n; i++)
			*ps->at++ = fold((char)key.p[i]);
		*ps->at++ = '\0';
		const char *value;
		if (field(ps, pair, &value) < 0)
			return -1;
		/* An empty value is the same as no qualifier at all. */
		if (value != NULL && add_qualifier(ps, k, value) < 0)
			return -1;
	}
	return 0;
}

/* The last `byte` in s: what follows it goes to *tail, what precedes stays. */
static bool
split_last(struct cv_span *s, uint8_t byte, struct cv_span *tail)
{
	for (size_t i = s->n; i > 0; i--) {
		if (s->p[i - 1] != byte)
			continue;
		*tail = cv_span(s->p + i, s->n - i);
		s->n = i - 1;
		return true;
	}
	return false;
}

/* "@" before the version. npm scopes are met with a bare "@" too: one that begins
 * a segment and is not in the last one belongs to the namespace. */
static bool
split_version(struct cv_span *s, struct cv_span *version)
{
	struct cv_span head = *s, tail;

	if (!split_last(&head, '@', &tail))
		return false;
	bool begins = head.n == 0 || head.p[head.n - 1] == '/';
	if (begins && tail.n > 0 && memchr(tail.p, '/', tail.n) != NULL)
		return false;
	*s = head;
	*version = tail;
	return true;
}

static bool
chrome_ok(const struct cv_purl *p)
{
	unsigned dots = 0;

	for (size_t i = 0; i < 32; i++)
		if (p->name[i] < 'a' || p->name[i] > 'p')
			return false;
	if (p->name[32] != '\0')
		return false;
	for (const char *v = p->version; v != NULL && *v != '\0'; v++) {
		if (*v == '.')
			dots++;
		else if (!is_digit(*v))
			return false;
	}
	return dots <= 3;
}

/* A name that is a path is written with its slashes: it needs a namespace before
 * it, lest its own first part be taken for one, and an end that is not a slash. */
static bool
path_name_ok(const char *ns, const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '/') == NULL || (ns != NULL && name[0] != '/' && name[n - 1] != '/');
}

/* The type's own rules, on the decoded fields (which are ours to change). */
static int
apply_type(struct parse *ps, char *ns, char *name, char *version)
{
	struct cv_purl *p = &ps->p;
	unsigned rules = rules_of(p->type);
	const char *url = cv_purl_qual(p, "repository_url");

	if ((rules & NS_REQUIRED) && ns == NULL)
		return malformed(ps, "this type needs a namespace");
	if ((rules & NS_PROHIBITED) && ns != NULL)
		return malformed(ps, "this type has no namespace");
	if ((rules & NAME_IS_PATH) && !path_name_ok(ns, name))
		return malformed(ps, "a path that reads differently when written again");
	if ((rules & UUID_REQUIRED) && cv_purl_qual(p, "uuid") == NULL)
		return malformed(ps, "this type needs a uuid qualifier");
	if ((rules & NO_COLONS) && strstr(name, "::") != NULL)
		return malformed(ps, "a module name where a distribution is wanted");
	if ((rules & CHROME) && !chrome_ok(p))
		return malformed(ps, "not an extension's id or version");
	if (rules & LOWER_NS)
		lower(ns);
	if (rules & LOWER_NAME)
		lower(name);
	if ((rules & DATABRICKS) && url != NULL && strstr(url, "azuredatabricks.net") != NULL)
		lower(name);
	if (rules & LOWER_VERSION)
		lower(version);
	for (char *c = name; (rules & DASH_NAME) && *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
	return 0;
}

/* Namespace and name: everything between the type and the version. */
static int
names(struct parse *ps, struct cv_span rest, struct cv_span version)
{
	struct cv_span ns = cv_span(NULL, 0), name = rest;

	while (name.n > 0 && name.p[name.n - 1] == '/')
		return malformed(ps, "no name");
	if (rules_of(ps->p.type) & NAME_IS_PATH) {
		while (name.n > 0 && name.p[0] == '/')
			(void)cv_span_u8(&name);
		size_t n = 0;
		while (n < name.n && name.p[n] != '/')
			n++;
		if (n < name.n) {
			ns = cv_span_take(&name, n);
			(void)cv_span_u8(&name);
		}
	} else if (split_last(&rest, '/', &name)) {
		ns = rest;
	}
	char *ns_at = ps->at;
	if (segments(ps, ns, false, &ps->p.ns) < 0)
		return -1;
	char *name_at = ps->at;
	if (field(ps, name, &ps->p.name) < 0)
		return -1;
	if (ps->p.name == NULL)
		return malformed(ps, "no name");
	char *version_at = ps->at;
	if (field(ps, version, &ps->p.version) < 0)
		return -1;
	return apply_type(ps, ps->p.ns != NULL ? ns_at : NULL, name_at,
			  ps->p.version != NULL ? version_at : NULL);
}

static int
parse_text(struct parse *ps, struct cv_span s)
{
	struct cv_span sub = cv_span(NULL, 0), quals = sub, version = sub;

	(void)split_last(&s, '#', &sub);
	(void)split_last(&s, '?', &quals);
	if (!cv_span_has_prefix(s, "pkg:"))
		return malformed(ps, "does not begin with \"pkg:\"");
	(void)cv_span_take(&s, 4);
	while (s.n > 0 && s.p[0] == '/')
		(void)cv_span_u8(&s);
	struct cv_span type = cv_span_until(&s, '/');
	if (s.bad)
		return malformed(ps, "no type, or no name after it");
	if (type_field(ps, type) < 0 || qualifiers(ps, quals) < 0)
		return -1;
	(void)split_version(&s, &version);
	if (names(ps, s, version) < 0)
		return -1;
	return segments(ps, sub, true, &ps->p.subpath);
}

int
cv_purl_parse(struct cv_purl *ret, struct cv_span text, unsigned flags, struct cv_err *e)
{
	struct parse ps = { .flags = flags, .e = e };

	if (text.n > CV_MAX_PURL)
		return cv_fail(e, CV_R_LIMIT, "package URL: %zu bytes, want at most %d", text.n,
			       CV_MAX_PURL);
	/* Decoded text is no longer than the input; each separator makes room for
	 * one NUL, and the last field needs one more. */
	ps.p.mem = malloc(2 * text.n + 8);
	if (ps.p.mem == NULL)
		return cv_fail_memory(e);
	ps.at = ps.p.mem;
	if (parse_text(&ps, text) < 0) {
		free(ps.p.mem);
		return -1;
	}
	*ret = ps.p;
	return 0;
}

/* ---- writing ---- */

/* Unreserved characters and ":" stand as they are; `also` is one more. */
static void
encode(struct cv_buf *out, const char *s, char also)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s != '\0'; s++) {
		char c = *s;
		if (is_lower(c) || is_upper(c) || is_digit(c) || strchr("-._~:", c) != NULL ||
		    c == also) {
			cv_buf_byte(out, (uint8_t)c);
			continue;
		}
		cv_buf_byte(out, '%');
		cv_buf_byte(out, (uint8_t)hex[(uint8_t)c >> 4]);
		cv_buf_byte(out, (uint8_t)hex[(uint8_t)c & 15]);
	}
}

static void
emit_parts(struct cv_buf *out, const struct cv_purl_parts *p)
{
	cv_buf_str(out, "pkg:");
	cv_buf_str(out, p->type);
	cv_buf_byte(out, '/');
	if (p->ns != NULL && *p->ns != '\0') {
		encode(out, p->ns, '/');
		cv_buf_byte(out, '/');
	}
	encode(out, p->name, rules_of(p->type) & NAME_IS_PATH ? '/' : 'x');
	if (p->version != NULL && *p->version != '\0') {
		cv_buf_byte(out, '@');
		encode(out, p->version, 'x');
	}
	for (size_t i = 0; i < p->nqual; i++) {
		cv_buf_byte(out, i == 0 ? '?' : '&');
		cv_buf_str(out, p->qual[i].key);
		cv_buf_byte(out, '=');
		encode(out, p->qual[i].value, 'x');
	}
	if (p->subpath != NULL && *p->subpath != '\0') {
		cv_buf_byte(out, '#');
		encode(out, p->subpath, '/');
	}
}

void
cv_purl_emit(struct cv_buf *out, const struct cv_purl *p)
{
	struct cv_purl_parts parts = { .type = p->type,
				       .ns = p->ns,
				       .name = p->name,
				       .version = p->version,
				       .subpath = p->subpath,
				       .qual = p->qual,
				       .nqual = p->nqual };

	emit_parts(out, &parts);
}

int
cv_purl_build(struct cv_purl *ret, const struct cv_purl_parts *parts, struct cv_err *e)
{
	struct cv_buf text = CV_BUF(CV_MAX_PURL);
	int rc;

	if (parts->type == NULL || *parts->type == '\0')
		return cv_fail(e, CV_R_MALFORMED, "package URL: no type");
	if (parts->name == NULL || *parts->name == '\0')
		return cv_fail(e, CV_R_MALFORMED, "package URL: no name");
	/* Type and keys are not encoded: nothing in them may look like structure. */
	for (const char *c = parts->type; *c != '\0'; c++)
		if (strchr("/?#@%", *c) != NULL)
			return cv_fail(e, CV_R_MALFORMED, "package URL: bad type");
	for (size_t i = 0; i < parts->nqual; i++)
		if (!key_ok(cv_span_str(parts->qual[i].key)))
			return cv_fail(e, CV_R_MALFORMED, "package URL: bad qualifier key");
	emit_parts(&text, parts);
	rc = cv_buf_ok(&text, "a package URL", e);
	if (rc == 0)
		rc = cv_purl_parse(ret, cv_buf_span(&text), CV_PURL_LENIENT, e);
	cv_buf_free(&text);
	return rc;
}

const char *
cv_purl_qual(const struct cv_purl *p, const char *key)
{
	for (size_t i = 0; i < p->nqual; i++)
		if (strcmp(p->qual[i].key, key) == 0)
			return p->qual[i].value;
	return NULL;
}

void
cv_purl_free(struct cv_purl *p)
{
	free(p->mem);
	*p = (struct cv_purl){ 0 };
}
