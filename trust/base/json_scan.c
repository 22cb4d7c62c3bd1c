/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_scan.c: the strict tokenizer (RFC 8259). Every byte of the text passes
 * here before anything is built from it. Must never recurse, never accept two
 * texts that readers disagree about, never go on after a complaint.
 */
#include "trust/base/enc.h"
#include "trust/base/json_int.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

struct level {
	uint32_t node; /* the array or object */
	uint32_t last; /* its last member so far, CV_J_NONE */
};

struct scan {
	struct cv_jdoc *doc;
	const uint8_t *p;
	size_t n, i; /* bytes, the next one */
	unsigned flags;
	struct level level[CV_MAX_JSON_DEPTH];
	unsigned depth;
	uint32_t *scratch; /* to sort the keys of one object */
	uint32_t scratch_room;
	const char *key; /* of the member whose value comes next */
	uint32_t key_at;
	struct cv_err *e;
};

#define FAIL(s, at, ...)  cv_json_fail_at((s)->doc, at, (s)->e, CV_R_MALFORMED, __VA_ARGS__)
#define LIMIT(s, at, ...) cv_json_fail_at((s)->doc, at, (s)->e, CV_R_LIMIT, __VA_ARGS__)

static bool
word_letter(uint8_t c)
{
	uint8_t lower = c | 0x20;

	return c == '_' || (lower >= 'a' && lower <= 'z');
}

#define FOUND (CV_TEXT_BRIEF + 2)

/* What stands at s->i, for a complaint. */
static const char *
found(const struct scan *s, char out[FOUND])
{
	char brief[CV_TEXT_BRIEF];
	struct cv_span one;
	size_t n = 0;

	if (s->i >= s->n)
		return "the end of the text";
	while (s->i + n < s->n && n < 40 && word_letter(s->p[s->i + n]))
		n++;
	if (n == 0) { /* no word: one character */
		one = cv_span(s->p + s->i, s->n - s->i);
		cv_utf8_next(&one);
		n = s->n - s->i - one.n;
	}
	cv_text_brief(brief, cv_span(s->p + s->i, n));
	cv_text_fmt(out, FOUND, "'%s'", brief);
	return out;
}

static int
want(const struct scan *s, const char *what)
{
	char out[FOUND];

	return FAIL(s, s->i, "found %s, want %s", found(s, out), what);
}

/* ---- what is between values ---- */

static int
comment(struct scan *s)
{
	size_t start = s->i;
	const uint8_t *end;
	uint8_t kind = s->i + 1 < s->n ? s->p[s->i + 1] : 0;

	if (kind != '/' && kind != '*')
		return want(s, "a value or a comment (// or /* */)");
	s->i += 2;
	if (kind == '/') {
		end = memchr(s->p + s->i, '\n', s->n - s->i);
		s->i = end == NULL ? s->n : (size_t)(end - s->p);
		return 0;
	}
	end = memmem(s->p + s->i, s->n - s->i, "*/", 2);
	if (end == NULL)
		return FAIL(s, start, "found a comment without an end, want */");
	s->i = (size_t)(end - s->p) + 2;
	return 0;
}

static int
no_comment(const struct scan *s)
{
	if (s->i + 1 < s->n && (s->p[s->i + 1] == '/' || s->p[s->i + 1] == '*'))
		return FAIL(s, s->i, "found a comment, want none: this file is strict JSON");
	return 0; /* whoever wants a token next complains about the '/' */
}

static int
space(struct scan *s)
{
	while (s->i < s->n) {
		switch (s->p[s->i]) {
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			s->i++;
			break;
		case '/':
			if ((s->flags & CV_JSON_HUMAN) == 0)
				return no_comment(s);
			if (comment(s) != 0)
				return -1;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

/* ---- strings ---- */

/* Four hex digits at s->i; -1 when they are not there. */
static int32_t
hex4(struct scan *s)
{
	int32_t v = 0;

	for (int k = 0; k < 4; k++, s->i++) {
		uint8_t c = s->i < s->n ? s->p[s->i] : 0, lower = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			v = v << 4 | (lower - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static char *
put_utf8(char *to, uint32_t cp)
{
	if (cp < 0x80) {
		*to++ = (char)cp;
	} else if (cp < 0x800) {
		*to++ = (char)(0xc0 | cp >> 6);
		*to++ = (char)(0x80 | (cp & 0x3f));
	} else if (cp < 0x10000) {
		*to++ = (char)(0xe0 | cp >> 12);
		*to++ = (char)(0x80 | (cp >> 6 & 0x3f));
		*to++ = (char)(0x80 | (cp & 0x3f));
	} else {
		*to++ = (char)(0xf0 | cp >> 18);
		*to++ = (char)(0x80 | (cp >> 12 & 0x3f));
		*to++ = (char)(0x80 | (cp >> 6 & 0x3f));
		*to++ = (char)(0x80 | (cp & 0x3f));
	}
	return to;
}

/* After "\u", which began at `at`. */
static int
unicode_escape(struct scan *s, size_t at, char **to)
{
	int32_t high = hex4(s), low;

	if (high < 0)
		return FAIL(s, at, "found a broken \\u escape, want four hex digits");
	if (high == 0)
		return FAIL(s, at, "found \\u0000, want text without NUL");
	if (high >= 0xdc00 && high <= 0xdfff)
		return FAIL(s, at, "found a lone low surrogate \\u%04x, want a pair",
			    (unsigned)high);
	if (high < 0xd800 || high > 0xdbff) {
		*to = put_utf8(*to, (uint32_t)high);
		return 0;
	}
	low = -1;
	if (s->n - s->i >= 2 && s->p[s->i] == '\\' && s->p[s->i + 1] == 'u') {
		s->i += 2;
		low = hex4(s);
	}
	if (low < 0xdc00 || low > 0xdfff)
		return FAIL(s, at, "found a lone high surrogate \\u%04x, want a pair",
			    (unsigned)high);
	*to = put_utf8(*to, 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
	return 0;
}

static int
escape(struct scan *s, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	size_t at = s->i++;
	uint8_t c = s->i < s->n ? s->p[s->i] : 0;
	const char *which = c == 0 ? NULL : strchr(from, c);

	if (c == 'u') {
		s->i++;
		return unicode_escape(s, at, to);
	}
	if (which == NULL)
		return FAIL(s, at,
			    "found an unknown escape, want one of \\\" \\\\ \\/ \\b \\f \\n \\r "
			    "\\t \\uXXXX");
	s->i++;
	*(*to)++ = into[which - from];
	return 0;
}

/* Decode the string token at s->i into the arena. */
static int
string(struct scan *s, const char **ret)
{
	size_t start = s->i++, run;
	char *from = s->doc->arena + s->doc->used, *to = from;

	for (;;) {
		for (run = s->i;
		     run < s->n && s->p[run] >= 0x20 && s->p[run] != '"' && s->p[run] != '\\';)
			run++;
		memcpy(to, s->p + s->i, run - s->i);
		to += run - s->i;
		s->i = run;
		if ((size_t)(to - from) > CV_MAX_JSON_STRING)
			return LIMIT(s, start,
				     "found a string of more than %llu bytes, the most accepted",
				     CV_MAX_JSON_STRING);
		if (s->i >= s->n)
			return FAIL(s, start,
				    "found a string without an end, want a closing quote");
		if (s->p[s->i] == '"')
			break;
		if (s->p[s->i] < 0x20)
			return FAIL(s, s->i,
				    "found control character 0x%02x in a string, want \\u%04x",
				    s->p[s->i], s->p[s->i]);
		if (escape(s, &to) != 0)
			return -1;
	}
	s->i++;
	*to++ = '\0';
	s->doc->used += (size_t)(to - from);
	*ret = from;
	return 0;
}

/* ---- the table ---- */

static int
add_node(struct scan *s, uint32_t *ret)
{
	struct cv_jdoc *doc = s->doc;
	struct level *up = s->depth > 0 ? &s->level[s->depth - 1] : NULL;
	struct cv_jnode *grown;
	uint32_t room, most = s->flags & CV_JSON_LARGE ? CV_MAX_JSON_MANY : CV_MAX_JSON_NODES;

	if (doc->nodes >= most)
		return LIMIT(s, s->i, "found more than %u values, the most accepted", most);
	if (doc->nodes == doc->room) {
		room = doc->room < 32 ? 32 : doc->room * 2;
		grown = realloc(doc->node, room * sizeof(*grown));
		if (grown == NULL)
			return cv_fail_memory(s->e);
		doc->node = grown;
		doc->room = room;
	}
	*ret = doc->nodes++;
	doc->node[*ret] = (struct cv_jnode){
		.key = s->key,
		.key_at = s->key_at,
		.start = (uint32_t)s->i,
		.next = CV_J_NONE,
	};
	if (up != NULL) {
		if (up->last != CV_J_NONE)
			doc->node[up->last].next = *ret;
		up->last = *ret;
		doc->node[up->node].as.count++;
	}
	s->key = NULL;
	return 0;
}

static int
say_duplicate(const struct scan *s, uint32_t first, uint32_t second)
{
	const struct cv_jnode *a = &s->doc->node[first], *b = &s->doc->node[second];
	struct cv_jpos pos = cv_json_pos(s->doc, a->key_at);
	char one[CV_TEXT_BRIEF], two[CV_TEXT_BRIEF];

	cv_text_brief(one, cv_span_str(a->key));
	if (strcmp(a->key, b->key) == 0)
		return cv_json_fail_at(s->doc, b->key_at, s->e, CV_R_AMBIGUOUS,
				       "found key \"%s\" twice, first at %u:%u, want it once", one,
				       pos.line, pos.column);
	return cv_json_fail_at(
		s->doc, b->key_at, s->e, CV_R_AMBIGUOUS,
		"found key \"%s\", which but for case is \"%s\" at %u:%u; want one of "
		"them",
		cv_text_brief(two, cv_span_str(b->key)), one, pos.line, pos.column);
}

#define PAIRWISE 8 /* so few keys are compared each with each */

static int
no_duplicates_few(const struct scan *s, uint32_t first, bool folding)
{
	const struct cv_jnode *node = s->doc->node;

	for (uint32_t b = node[first].next; b != CV_J_NONE; b = node[b].next)
		for (uint32_t a = first; a != b; a = node[a].next)
			if (cv_json_key_cmp(node[a].key, node[b].key, folding) == 0)
				return say_duplicate(s, a, b);
	return 0;
}

/* RFC 8259 4 leaves repeated names open; here they are an error. */
static int
no_duplicates(struct scan *s, uint32_t object)
{
	const struct cv_jnode *node = s->doc->node;
	uint32_t count = node[object].as.count, n = 0, first = CV_J_NONE, second = CV_J_NONE;
	bool folding = (s->flags & CV_JSON_FOLD_KEYS) != 0;
	uint32_t *grown;

	if (count < 2)
		return 0;
	if (count <= PAIRWISE)
		return no_duplicates_few(s, object + 1, folding);
	if (count > s->scratch_room) {
		grown = realloc(s->scratch, (size_t)count * 2 * sizeof(*grown));
		if (grown == NULL)
			return cv_fail_memory(s->e);
		s->scratch = grown;
		s->scratch_room = count * 2;
	}
	for (uint32_t k = object + 1; k != CV_J_NONE; k = node[k].next)
		s->scratch[n++] = k;
	cv_json_kids_sort(s->doc, s->scratch, n, folding);
	for (uint32_t k = 1; k < n; k++)
		if (s->scratch[k] < second &&
		    cv_json_key_cmp(node[s->scratch[k - 1]].key, node[s->scratch[k]].key,
				    folding) == 0) {
			first = s->scratch[k - 1];
			second = s->scratch[k];
		}
	return second == CV_J_NONE ? 0 : say_duplicate(s, first, second);
}

/* ---- values ---- */

static bool
word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if (s->n - s->i < n || memcmp(s->p + s->i, w, n) != 0)
		return false;
	s->i += n;
	return true;
}

static int
open_container(struct scan *s, uint32_t id)
{
	if (s->depth == CV_MAX_JSON_DEPTH)
		return LIMIT(s, s->i, "found more than %d levels of nesting, the most accepted",
			     CV_MAX_JSON_DEPTH);
	s->doc->node[id].type = s->p[s->i] == '{' ? CV_J_OBJECT : CV_J_ARRAY;
	s->level[s->depth++] = (struct level){ .node = id, .last = CV_J_NONE };
	s->i++;
	return 0;
}

static int
value(struct scan *s)
{
	struct cv_jnode *node;
	uint32_t id = 0;

	if (s->i >= s->n)
		return want(s, "a value");
	if (add_node(s, &id) != 0)
		return -1;
	node = &s->doc->node[id];
	switch (s->p[s->i]) {
	case '{':
	case '[':
		return open_container(s, id);
	case '"':
		node->type = CV_J_STRING;
		if (string(s, &node->as.string) != 0)
			return -1;
		break;
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		if (cv_json_number(s->doc, &s->i, s->flags, node, s->e) != 0)
			return -1;
		break;
	default:
		node->type = CV_J_BOOL;
		if (word(s, "true"))
			node->as.boolean = true;
		else if (word(s, "null"))
			node->type = CV_J_NULL;
		else if (!word(s, "false"))
			return want(s, "a value");
	}
	node->end = (uint32_t)s->i;
	return 0;
}

static int
close_container(struct scan *s)
{
	uint32_t id = s->level[s->depth - 1].node;

	s->i++;
	s->depth--;
	s->doc->node[id].end = (uint32_t)s->i;
	return s->doc->node[id].type == CV_J_OBJECT ? no_duplicates(s, id) : 0;
}

static int
key(struct scan *s)
{
	s->key_at = (uint32_t)s->i;
	if (s->i >= s->n || s->p[s->i] != '"')
		return want(s, "a key in double quotes");
	if (string(s, &s->key) != 0 || space(s) != 0)
		return -1;
	if (s->i >= s->n || s->p[s->i] != ':')
		return want(s, "':' after the key");
	s->i++;
	return space(s);
}

/* One step inside the innermost array or object: a member, or its end. */
static int
step(struct scan *s)
{
	struct level *in = &s->level[s->depth - 1];
	bool object = s->doc->node[in->node].type == CV_J_OBJECT, empty = in->last == CV_J_NONE;
	uint8_t end = object ? '}' : ']';
	size_t comma = s->i;

	if (!empty && (s->i >= s->n || (s->p[s->i] != ',' && s->p[s->i] != end)))
		return want(s, object ? "',' or '}'" : "',' or ']'");
	if (!empty && s->p[s->i] == ',') {
		s->i++;
		if (space(s) != 0)
			return -1;
		if (s->i < s->n && s->p[s->i] == end && (s->flags & CV_JSON_HUMAN) == 0)
			return FAIL(s, comma,
				    "found a trailing comma, want none: this file is strict "
				    "JSON");
	}
	if (s->i < s->n && s->p[s->i] == end)
		return close_container(s);
	if (object && key(s) != 0)
		return -1;
	return value(s);
}

static int
all(struct scan *s)
{
	if (space(s) != 0 || value(s) != 0 || space(s) != 0)
		return -1;
	while (s->depth > 0)
		if (step(s) != 0 || space(s) != 0)
			return -1;
	if (s->i < s->n)
		return want(s, "nothing after the value");
	return 0;
}

/* ---- around it ---- */

static int
check_bytes(const struct scan *s)
{
	struct cv_span left = cv_span(s->p, s->n), next;

	if (s->n >= 3 && memcmp(s->p, "\xef\xbb\xbf", 3) == 0)
		return FAIL(s, 0, "found a byte order mark, want UTF-8 without one");
	if (cv_utf8_valid(left))
		return 0;
	for (next = left; !next.bad; cv_utf8_next(&next))
		left = next;
	return FAIL(s, (size_t)(left.p - s->p), "found byte 0x%02x, which is not UTF-8 here",
		    left.p[0]);
}

/* Places, so that cv_json_pos costs the same anywhere in the text. */
static int
make_marks(struct cv_jdoc *doc, struct cv_err *e)
{
	struct cv_jmark at = { 1, 1 };

	doc->mark = malloc((doc->n / CV_J_STEP + 1) * sizeof(*doc->mark));
	if (doc->mark == NULL)
		return cv_fail_memory(e);
	for (size_t i = 0; i <= doc->n; i++) {
		if (i % CV_J_STEP == 0)
			doc->mark[i / CV_J_STEP] = at;
		if (i == doc->n)
			break;
		if (doc->text[i] == '\n') {
			at.line++;
			at.column = 1;
		} else if ((doc->text[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return 0;
}

static int
make_kids(struct cv_jdoc *doc, struct cv_err *e)
{
	uint32_t used = 0;

	doc->kids = malloc(doc->nodes * sizeof(*doc->kids));
	if (doc->kids == NULL)
		return cv_fail_memory(e);
	for (uint32_t i = 0; i < doc->nodes; i++) {
		struct cv_jnode *node = &doc->node[i];

		if (node->type != CV_J_ARRAY && node->type != CV_J_OBJECT)
			continue;
		node->as.kids = used;
		if (node->as.count == 0)
			continue;
		for (uint32_t k = i + 1; k != CV_J_NONE; k = doc->node[k].next)
			doc->kids[used++] = k;
	}
	return 0;
}

int
cv_json_scan(struct cv_jdoc *doc, unsigned flags, struct cv_err *e)
{
	struct scan s = { .doc = doc, .p = doc->text, .n = doc->n, .flags = flags, .e = e };
	int rc;

	if (make_marks(doc, e) != 0)
		return -1;
	rc = check_bytes(&s);
	if (rc == 0)
		rc = all(&s);
	free(s.scratch);
	return rc == 0 ? make_kids(doc, e) : -1;
}
