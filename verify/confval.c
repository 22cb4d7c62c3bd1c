/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confval.c: the values in our own files (conf.h): lists, sizes, paths,
 * patterns. Must never take a value for another than its writer meant.
 */
#include "verify/conf.h"

#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "verify/tree.h"

#include "trust/base/banned.h"

#define TEN_YEARS (3653ll * 24 * 3600)

/* ---- lists ---- */

bool
cv_items_has(const struct cv_items *items, const char *text)
{
	for (size_t i = 0; i < items->n; i++)
		if (strcmp(items->v[i].text, text) == 0)
			return true;
	return false;
}

static int
read_items(struct cv_mem *m, struct cv_jv v, bool distinct, struct cv_items *ret, struct cv_err *e)
{
	size_t n = cv_jv_len(v);

	*ret = (struct cv_items){ 0 };
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (n > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu elements, want at most %d", n,
				  CV_MAX_LIST_ITEMS);
	ret->v = cv_mem_get(m, n, sizeof(*ret->v), e);
	if (ret->v == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		const char *text;

		if ((distinct ? cv_jv_str(i, &text, e) : cv_jv_text(i, &text, e)) != 0)
			return -1;
		if (distinct && cv_items_has(ret, text))
			return cv_jv_fail(i, e, CV_R_CONFIG, "found \"%s\" twice, want each once",
					  text);
		ret->v[ret->n++] = (struct cv_item){ .text = text, .pos = cv_jv_pos(i) };
	}
	return 0;
}

int
cv_conf_items(struct cv_mem *m, struct cv_jv v, struct cv_items *ret, struct cv_err *e)
{
	return read_items(m, v, true, ret, e);
}

int
cv_conf_texts(struct cv_mem *m, struct cv_jv v, struct cv_items *ret, struct cv_err *e)
{
	return read_items(m, v, false, ret, e);
}

int
cv_conf_mask(struct cv_jv v, const char *const *words, unsigned *ret, struct cv_err *e)
{
	unsigned mask = 0;

	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		size_t word;

		if (cv_jv_choice(i, words, &word, e) != 0)
			return -1;
		if ((mask & 1u << word) != 0)
			return cv_jv_fail(i, e, CV_R_CONFIG, "found \"%s\" twice, want each once",
					  words[word]);
		mask |= 1u << word;
	}
	if (mask == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found an empty list, want at least one word");
	*ret = mask;
	return 0;
}

/* ---- numbers ---- */

int
cv_conf_digest(struct cv_jv v, struct cv_digest *ret, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (cv_digest_parse(ret, cv_span_str(text), NULL) != 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want \"sha256:\" and 64 lower-case hex digits",
				  text);
	return 0;
}

static bool
size_text(const char *text, uint64_t *ret)
{
	static const struct {
		const char *unit;
		unsigned shift;
	} units[] = { { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "TiB", 40 } };
	struct cv_span s = cv_span_str(text);
	uint64_t n;

	for (size_t i = 0; i < CV_COUNT(units); i++) {
		if (!cv_span_has_suffix(s, units[i].unit))
			continue;
		if (cv_u64_parse(&n, cv_span(s.p, s.n - 3), 1ull << 20, NULL) != 0 || n == 0)
			return false;
		*ret = n << units[i].shift;
		return true;
	}
	return false;
}

int
cv_conf_size(struct cv_jv v, uint64_t *ret, struct cv_err *e)
{
	const char *text;

	if (cv_jv_type(v) == CV_J_STRING) {
		if (cv_jv_str(v, &text, e) != 0)
			return -1;
		if (!size_text(text, ret))
			return cv_jv_fail(v, e, CV_R_CONFIG,
					  "found \"%s\", want a number of bytes or \"512MiB\" "
					  "(KiB, MiB, GiB, TiB)",
					  text);
		return 0;
	}
	if (cv_jv_u64(v, 1ull << 60, ret, e) != 0)
		return -1;
	if (*ret == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found 0, want at least 1 byte");
	return 0;
}

/* cpus_text: "N" or "N.F" with up to three digits after the point. */
static bool
cpus_text(const char *text, uint64_t *ret)
{
	const char *dot = strchr(text, '.');
	size_t whole = dot != NULL ? (size_t)(dot - text) : strlen(text);
	uint64_t n, scale = 100;

	if (cv_u64_parse(&n, cv_span(text, whole), 4096, NULL) != 0)
		return false;
	n *= 1000;
	if (dot != NULL && (dot[1] == '\0' || strlen(dot + 1) > 3))
		return false;
	for (const char *p = dot != NULL ? dot + 1 : ""; *p != '\0'; p++, scale /= 10) {
		if (*p < '0' || *p > '9')
			return false;
		n += (uint64_t)(*p - '0') * scale;
	}
	*ret = n;
	return n > 0;
}

int
cv_conf_cpus(struct cv_jv v, uint64_t *ret, struct cv_err *e)
{
	const char *text;
	uint64_t n;

	if (cv_jv_type(v) == CV_J_STRING) {
		if (cv_jv_str(v, &text, e) != 0)
			return -1;
		if (!cpus_text(text, ret))
			return cv_jv_fail(v, e, CV_R_CONFIG,
					  "found \"%s\", want a number of processors like 2 or "
					  "\"1.5\"",
					  text);
		return 0;
	}
	if (cv_jv_u64(v, 4096, &n, e) != 0)
		return -1;
	if (n == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found 0, want a number of processors");
	*ret = n * 1000;
	return 0;
}

int
cv_conf_duration(struct cv_jv v, int64_t *ret, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (cv_duration_parse(ret, cv_span_str(text), TEN_YEARS, NULL) != 0 || *ret < 1)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want a time like \"90s\", \"15m\", \"24h\", "
				  "\"5d\", at most ten years",
				  text);
	return 0;
}

/* ---- names and paths ---- */

bool
cv_name_valid(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 64)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

const char *
cv_path_wrong(const char *s)
{
	if (s[0] != '/')
		return "it is not absolute";
	if (s[1] == '\0')
		return NULL;
	return cv_tree_path_wrong(s + 1);
}

int
cv_conf_relative(struct cv_jv v, const char **ret, struct cv_err *e)
{
	const char *text, *wrong;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	wrong = strcmp(text, ".") == 0 ? NULL : cv_tree_path_wrong(text);
	if (wrong != NULL)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want a path below this file's directory: %s", text,
				  wrong);
	*ret = text;
	return 0;
}

int
cv_conf_absolute(struct cv_jv v, const char **ret, struct cv_err *e)
{
	const char *text, *wrong;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	wrong = cv_path_wrong(text);
	if (wrong != NULL)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", want an absolute path: %s",
				  text, wrong);
	*ret = text;
	return 0;
}

/* ---- patterns ---- */

/* star: how long the wildcard at p is: 0 none, 1 for '*', 2 for "**". */
static size_t
star(const char *p)
{
	if (p[0] != '*')
		return 0;
	return p[1] == '*' ? 2 : 1;
}

bool
cv_glob(const char *pattern, const char *s)
{
	bool at[CV_MAX_GLOB + 3] = { true }; /* may the match stand before pattern[i]? */
	size_t n = strlen(pattern);

	if (n > CV_MAX_GLOB)
		return false;
	for (;; s++) {
		bool next[CV_MAX_GLOB + 3] = { false };

		for (size_t i = 0; i < n; i++)
			if (at[i] && star(pattern + i) > 0)
				at[i + star(pattern + i)] = true; /* it may match nothing */
		if (*s == '\0')
			return at[n];
		for (size_t i = 0; i < n; i++) {
			if (!at[i])
				continue;
			if (star(pattern + i) == 2 || (star(pattern + i) == 1 && *s != '/'))
				next[i] = true;
			else if (star(pattern + i) == 0 && pattern[i] == *s)
				next[i + 1] = true;
		}
		memcpy(at, next, sizeof(at));
	}
}

static bool
host_char(char c, bool v6, bool glob)
{
	if ((c >= 'a' && c <= (v6 ? 'f' : 'z')) || (c >= '0' && c <= '9') || c == '.')
		return true;
	return v6 ? c == ':' : c == '-' || (glob && c == '*');
}

const char *
cv_egress_wrong(const char *s, bool glob)
{
	bool v6 = s[0] == '[';
	const char *end = v6 ? strchr(s, ']') : strchr(s, ':');
	const char *host = v6 ? s + 1 : s;
	uint64_t port;

	if (end == NULL || end == host)
		return "want \"host:port\"";
	if ((size_t)(end - host) > 253)
		return "the host is too long";
	for (const char *p = host; p < end; p++)
		if (!host_char(*p, v6, glob))
			return "the host has a character that is not allowed (lower-case "
			       "letters, digits, '-', '.')";
	if (!v6 && (*host == '.' || *host == '-' || end[-1] == '.' || end[-1] == '-'))
		return "the host starts or ends with '.' or '-'";
	end += v6 ? 1 : 0;
	if (*end != ':')
		return "want \"host:port\"";
	if (glob && strcmp(end + 1, "*") == 0)
		return NULL;
	if (cv_u64_parse(&port, cv_span_str(end + 1), 65535, NULL) != 0 || port == 0)
		return "want a port from 1 to 65535";
	return NULL;
}
