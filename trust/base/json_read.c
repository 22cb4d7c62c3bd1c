/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.c: typed reading, and complaints that help. Must never read a value
 * as another type, nor what is absent as a default. */
#include "trust/base/json_int.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

static const char *const type_words[] = {
	[CV_J_ABSENT] = "nothing",
	[CV_J_NULL] = "null",
	[CV_J_BOOL] = "a boolean (true or false)",
	[CV_J_INT] = "an integer",
	[CV_J_REAL] = "a real number",
	[CV_J_STRING] = "a string",
	[CV_J_ARRAY] = "an array",
	[CV_J_OBJECT] = "an object",
};

const char *
cv_jv_type_word(struct cv_jv v)
{
	return type_words[cv_jv_type(v)];
}

#define SUBJECT (CV_TEXT_BRIEF + 8)

/* What a complaint about v begins with: `"key" is`, or `found`. */
static const char *
subject(struct cv_jv v, char out[SUBJECT])
{
	char key[CV_TEXT_BRIEF];

	if (cv_jv_key(v)[0] == '\0')
		return "found";
	cv_text_brief(key, cv_span_str(cv_jv_key(v)));
	cv_text_fmt(out, SUBJECT, "\"%s\" is", key);
	return out;
}

static int
missing(struct cv_jv v, struct cv_err *e, const char *wanted)
{
	char key[CV_TEXT_BRIEF];
	struct cv_jv where = v; /* the value that v was looked for in */

	where.absent = v.doc == NULL;
	if (v.missing == NULL)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found nothing, want %s", wanted);
	cv_text_brief(key, cv_span_str(v.missing));
	if (cv_jv_type(where) == CV_J_OBJECT)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found no \"%s\", want %s", key, wanted);
	return cv_jv_fail(v, e, CV_R_MALFORMED, "found %s, want an object with \"%s\", %s",
			  cv_jv_type_word(where), key, wanted);
}

static int
unlike(struct cv_jv v, struct cv_err *e, const char *wanted)
{
	char who[SUBJECT];

	if (v.absent)
		return missing(v, e, wanted);
	return cv_jv_fail(v, e, CV_R_MALFORMED, "%s %s, want %s", subject(v, who),
			  cv_jv_type_word(v), wanted);
}

int
cv_jv_want(struct cv_jv v, enum cv_jtype type, struct cv_err *e)
{
	if ((unsigned)type >= CV_COUNT(type_words))
		return cv_fail(e, CV_R_BUG, "no such JSON type");
	return cv_jv_type(v) == type ? 0 : unlike(v, e, type_words[type]);
}

int
cv_jv_text(struct cv_jv v, const char **ret, struct cv_err *e)
{
	if (cv_jv_want(v, CV_J_STRING, e) != 0)
		return -1;
	*ret = v.doc->node[v.node].as.string;
	return 0;
}

int
cv_jv_str(struct cv_jv v, const char **ret, struct cv_err *e)
{
	char who[SUBJECT];
	const char *s;

	if (cv_jv_text(v, &s, e) != 0)
		return -1;
	if (*s == '\0')
		return cv_jv_fail(v, e, CV_R_MALFORMED,
				  "%s an empty string, want at least one character",
				  subject(v, who));
	*ret = s;
	return 0;
}

int
cv_jv_u64(struct cv_jv v, uint64_t max, uint64_t *ret, struct cv_err *e)
{
	char who[SUBJECT];
	int64_t i;

	if (cv_jv_want(v, CV_J_INT, e) != 0)
		return -1;
	i = v.doc->node[v.node].as.integer;
	if (i < 0 || (uint64_t)i > max)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "%s %lld, want an integer from 0 to %llu",
				  subject(v, who), (long long)i, (unsigned long long)max);
	*ret = (uint64_t)i;
	return 0;
}

int
cv_jv_bool(struct cv_jv v, bool *ret, struct cv_err *e)
{
	if (cv_jv_want(v, CV_J_BOOL, e) != 0)
		return -1;
	*ret = v.doc->node[v.node].as.boolean;
	return 0;
}

/* ---- words ---- */

#define NEAR_MAX 48 /* longer words are not compared */

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool
same_letter(char a, char b)
{
	if (a >= 'A' && a <= 'Z')
		a = (char)(a | 0x20);
	if (b >= 'A' && b <= 'Z')
		b = (char)(b | 0x20);
	return a == b;
}

/* Damerau-Levenshtein (optimal string alignment): insertions, deletions,
 * changes and swaps of neighbours; case does not count. */
static unsigned
distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[3][NEAR_MAX + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned change = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;

			now[j] = least(last[j - 1] + change, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

const char *
cv_word_near(const char *word, const char *const *words)
{
	size_t n = strnlen(word, NEAR_MAX + 1), m;
	unsigned best = 3, d;
	const char *found = NULL;

	for (; n <= NEAR_MAX && *words != NULL; words++) {
		m = strnlen(*words, NEAR_MAX + 1);
		if (m > NEAR_MAX || m > n + 2 || n > m + 2)
			continue;
		d = distance(word, n, *words, m);
		if (d < best && 2 * d < (n > m ? n : m)) {
			best = d;
			found = *words;
		}
	}
	return found;
}

/* "a, b, c; did you mean "b"?" */
static void
list_words(char *out, size_t size, const char *word, const char *const *words)
{
	const char *near = cv_word_near(word, words);
	/* long lists are cut, but not the guess */
	size_t used = 0, most = size - NEAR_MAX - 24;

	out[0] = '\0';
	for (const char *const *w = words; *w != NULL && used + 4 < most; w++) {
		cv_text_fmt(out + used, most - used, "%s%s", w == words ? "" : ", ", *w);
		used += strlen(out + used);
	}
	if (near != NULL)
		cv_text_fmt(out + used, size - used, "; did you mean \"%s\"?", near);
}

/* Keys that every one of our files may have anywhere. */
static bool
always_allowed(const char *key)
{
	return strcmp(key, "$comment") == 0 || strcmp(key, "$schema") == 0 ||
	       strncmp(key, "x-", 2) == 0;
}

static bool
one_of(const char *word, const char *const *words, size_t *ret)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

int
cv_jv_keys(struct cv_jv object, const char *const *allowed, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF], list[CV_ERR_TEXT / 2];
	size_t which;

	if (cv_jv_want(object, CV_J_OBJECT, e) != 0)
		return -1;
	for (struct cv_jv v = cv_jv_first(object); !v.absent; v = cv_jv_next(v)) {
		const char *key = cv_jv_key(v);

		if (always_allowed(key) || one_of(key, allowed, &which))
			continue;
		list_words(list, sizeof(list), key, allowed);
		cv_text_brief(brief, cv_span_str(key));
		return cv_json_fail_at(v.doc, v.doc->node[v.node].key_at, e, CV_R_MALFORMED,
				       "unknown key \"%s\", want %s%s", brief,
				       allowed[0] == NULL ? "none" : "one of ", list);
	}
	return 0;
}

int
cv_jv_choice(struct cv_jv v, const char *const *words, size_t *ret, struct cv_err *e)
{
	char who[SUBJECT], brief[CV_TEXT_BRIEF], list[CV_ERR_TEXT / 2];
	const char *s;

	if (cv_jv_text(v, &s, e) != 0)
		return -1;
	if (one_of(s, words, ret))
		return 0;
	list_words(list, sizeof(list), s, words);
	return cv_jv_fail(v, e, CV_R_MALFORMED, "%s \"%s\", want one of %s", subject(v, who),
			  cv_text_brief(brief, cv_span_str(s)), list);
}
