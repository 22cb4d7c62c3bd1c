/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c: the streaming JSON reader. Never holds more of a document than its
 * window, never recurses, never accepts what trust/base/json.h would refuse.
 */
#include "stream_priv.h"

#include "trust/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define NUMBER_MAX 1024

/* ---- structure ---- */

static void
took_value(struct cv_js *js)
{
	js->want_value = false;
	if (js->depth == 0)
		js->done = true;
}

static bool
ready(struct cv_js *js)
{
	if (js->err.reason != CV_R_NONE)
		return false;
	if (js->want_value && !js->in_string)
		return true;
	cv_js_fail(js, CV_R_BUG, "a value was taken where none is due");
	return false;
}

enum cv_js_type
cv_js_peek(struct cv_js *js)
{
	if (!ready(js))
		return CV_JS_NOTHING;
	int c = cv_js_look_past_space(js);
	switch (c) {
	case '{':
		return CV_JS_OBJECT;
	case '[':
		return CV_JS_ARRAY;
	case '"':
		return CV_JS_STRING;
	case 't':
	case 'f':
		return CV_JS_BOOL;
	case 'n':
		return CV_JS_NULL;
	default:
		if (c == '-' || (c >= '0' && c <= '9'))
			return CV_JS_NUMBER;
		if ((js->flags & CV_JS_PYTHON) != 0 && (c == 'N' || c == 'I'))
			return CV_JS_NUMBER;
		cv_js_malformed(js, c, "a value");
		return CV_JS_NOTHING;
	}
}

bool
cv_js_is_false(struct cv_js *js)
{
	return cv_js_peek(js) == CV_JS_BOOL && cv_js_look(js) == 'f';
}

const char *
cv_js_type_word(enum cv_js_type t)
{
	static const char *const words[] = { "nothing",  "an object", "an array", "a string",
					     "a number", "a boolean", "null" };

	return (size_t)t < CV_COUNT(words) ? words[t] : "nothing";
}

static bool
want(struct cv_js *js, enum cv_js_type type)
{
	enum cv_js_type found = cv_js_peek(js);

	if (found == type)
		return true;
	cv_js_fail(js, CV_R_MALFORMED, "found %s, want %s", cv_js_type_word(found),
		   cv_js_type_word(type));
	return false;
}

static void
enter(struct cv_js *js, enum cv_js_type type)
{
	if (!want(js, type))
		return;
	if (js->depth == CV_MAX_JSON_DEPTH) {
		cv_js_fail(js, CV_R_LIMIT, "nested deeper than %d", CV_MAX_JSON_DEPTH);
		return;
	}
	js->pos++;
	js->level[js->depth++] =
		(struct cv_js_level){ .object = type == CV_JS_OBJECT, .keys = js->keys.n };
	js->want_value = false;
}

void
cv_js_object(struct cv_js *js)
{
	enter(js, CV_JS_OBJECT);
}

void
cv_js_array(struct cv_js *js)
{
	enter(js, CV_JS_ARRAY);
}

/* At a member or element, or the closing bracket (which is then taken): true when
 * there is one more. */
static bool
one_more(struct cv_js *js, bool object)
{
	if (js->err.reason != CV_R_NONE)
		return false;
	struct cv_js_level *l = js->depth > 0 ? &js->level[js->depth - 1] : NULL;
	if (l == NULL || l->object != object || js->want_value || js->in_string) {
		cv_js_fail(js, CV_R_BUG, "read out of order");
		return false;
	}
	int c = cv_js_look_past_space(js);
	if (c == (object ? '}' : ']')) {
		js->pos++;
		cv_keyset_drop(&js->keys, l->keys);
		js->depth--;
		took_value(js);
		return false;
	}
	if (l->any) {
		if (c != ',') {
			cv_js_malformed(js, c, object ? "',' or '}'" : "',' or ']'");
			return false;
		}
		js->pos++;
		c = cv_js_look_past_space(js);
	}
	l->any = true;
	if (c < 0 || c == '}' || c == ']' || c == ',') {
		cv_js_malformed(js, c, object ? "a key" : "a value");
		return false;
	}
	return js->err.reason == CV_R_NONE;
}

const char *
cv_js_key(struct cv_js *js)
{
	if (!one_more(js, true))
		return NULL;
	int c = cv_js_look(js);
	if (c != '"') {
		cv_js_malformed(js, c, "a key");
		return NULL;
	}
	js->pos++;
	js->in_string = true;
	size_t n = cv_js_some(js, (uint8_t *)js->key, CV_JS_KEY);
	if (js->err.reason != CV_R_NONE)
		return NULL;
	if (js->in_string) {
		cv_js_fail(js, CV_R_LIMIT, "a key longer than %d bytes", CV_JS_KEY - 4);
		return NULL;
	}
	js->key[n] = '\0';
	struct cv_err e = { 0 };
	int rc = cv_keyset_add(&js->keys, js->level[js->depth - 1].keys, js->key, n,
			       (js->flags & CV_JS_FOLD_KEYS) != 0, &e);
	if (rc < 0) {
		cv_js_fail(js, e.reason, "%s", e.text);
		return NULL;
	}
	if (rc > 0) {
		cv_js_fail(js, CV_R_AMBIGUOUS, "the key \"%.80s\" is there twice", js->key);
		return NULL;
	}
	c = cv_js_look_past_space(js);
	if (c != ':') {
		cv_js_malformed(js, c, "':'");
		return NULL;
	}
	js->pos++;
	js->want_value = true;
	return js->key;
}

bool
cv_js_more(struct cv_js *js)
{
	if (!one_more(js, false))
		return false;
	js->want_value = true;
	return true;
}

void
cv_js_string(struct cv_js *js, struct cv_buf *out)
{
	uint8_t some[4096];

	if (!want(js, CV_JS_STRING))
		return;
	js->pos++;
	js->in_string = true;
	while (js->in_string && js->err.reason == CV_R_NONE) {
		size_t n = cv_js_some(js, some, sizeof(some));
		cv_buf_add(out, some, n);
		if (out->failed == CV_R_LIMIT)
			cv_js_fail(js, CV_R_LIMIT, "a string longer than %zu bytes", out->max);
		else if (out->failed != CV_R_NONE)
			cv_js_fail(js, out->failed, "out of memory");
	}
	took_value(js);
}

static void
skip_string(struct cv_js *js)
{
	uint8_t some[4096];

	js->pos++;
	js->in_string = true;
	while (js->in_string && js->err.reason == CV_R_NONE)
		(void)cv_js_some(js, some, sizeof(some));
	took_value(js);
}

static void
skip_word(struct cv_js *js)
{
	int first = cv_js_look(js);
	const char *word = first == 't'   ? "true"
			   : first == 'f' ? "false"
			   : first == 'N' ? "NaN"
			   : first == 'I' ? "Infinity"
					  : "null";

	for (const char *w = word; *w != '\0'; w++) {
		int c = cv_js_take(js);
		if (c != *w) {
			cv_js_malformed(js, c, word);
			return;
		}
	}
	took_value(js);
}

static unsigned
skip_digits(struct cv_js *js)
{
	unsigned n = 0;

	for (int c = cv_js_look(js); c >= '0' && c <= '9' && n <= NUMBER_MAX; c = cv_js_look(js)) {
		js->pos++;
		n++;
	}
	if (n > NUMBER_MAX)
		cv_js_fail(js, CV_R_LIMIT, "a number of more than %d digits", NUMBER_MAX);
	return n;
}

/* RFC 8259 6: no leading zeros, digits on both sides of the point. */
static void
skip_number(struct cv_js *js)
{
	if (cv_js_look(js) == '-')
		js->pos++;
	if ((js->flags & CV_JS_PYTHON) != 0 && (cv_js_look(js) == 'N' || cv_js_look(js) == 'I')) {
		skip_word(js);
		return;
	}
	bool zero = cv_js_look(js) == '0';
	unsigned n = skip_digits(js);
	if (n == 0 || (zero && n > 1)) {
		cv_js_fail(js, CV_R_MALFORMED, "not a number");
		return;
	}
	if (cv_js_look(js) == '.') {
		js->pos++;
		if (skip_digits(js) == 0)
			cv_js_fail(js, CV_R_MALFORMED, "a point without digits");
	}
	int c = cv_js_look(js);
	if (c == 'e' || c == 'E') {
		js->pos++;
		c = cv_js_look(js);
		if (c == '+' || c == '-')
			js->pos++;
		if (skip_digits(js) == 0)
			cv_js_fail(js, CV_R_MALFORMED, "an exponent without digits");
	}
	took_value(js);
}

/* A value that is no container. */
static void
skip_plain(struct cv_js *js, enum cv_js_type t)
{
	if (t == CV_JS_STRING)
		skip_string(js);
	else if (t == CV_JS_NUMBER)
		skip_number(js);
	else if (t != CV_JS_NOTHING)
		skip_word(js);
}

void
cv_js_skip(struct cv_js *js)
{
	unsigned outside = js->depth;
	enum cv_js_type t = cv_js_peek(js);

	for (;;) {
		if (t == CV_JS_OBJECT || t == CV_JS_ARRAY)
			enter(js, t);
		else
			skip_plain(js, t);
		/* Leave what has ended; stop when that was the value itself. */
		while (js->err.reason == CV_R_NONE && js->depth > outside) {
			bool object = js->level[js->depth - 1].object;
			if (object ? cv_js_key(js) != NULL : cv_js_more(js))
				break;
		}
		if (js->err.reason != CV_R_NONE || js->depth == outside)
			return;
		t = cv_js_peek(js);
	}
}

/* ---- opening and ending ---- */

int
cv_js_end(struct cv_js *js, struct cv_err *e)
{
	if (js->err.reason == CV_R_NONE && !js->done)
		cv_js_fail(js, CV_R_BUG, "not all was read");
	if (js->err.reason == CV_R_NONE && cv_js_look_past_space(js) >= 0)
		cv_js_fail(js, CV_R_MALFORMED, "more text after the end");
	if (js->err.reason != CV_R_NONE && js->outer != NULL && js->outer->err.reason == CV_R_NONE)
		js->outer->err = js->err;
	return cv_js_status(js, e);
}

static int
sub_read(void *ctx, uint8_t *out, size_t n, size_t *got, struct cv_err *e)
{
	struct cv_js *outer = ctx;

	*got = 0;
	while (outer->in_string && *got == 0 && outer->err.reason == CV_R_NONE)
		*got = cv_js_some(outer, out, n);
	if (outer->err.reason == CV_R_NONE && !outer->in_string && outer->want_value)
		took_value(outer);
	return cv_js_status(outer, e);
}

int
cv_js_open(struct cv_js **ret, const char *name, struct cv_js_source src, unsigned flags,
	   struct cv_err *e)
{
	struct cv_js *js = malloc(sizeof(*js));

	if (js == NULL)
		return cv_fail_memory(e);
	/* All but the window. */
	memset(js, 0, offsetof(struct cv_js, window));
	memset(&js->pos, 0, sizeof(*js) - offsetof(struct cv_js, pos));
	cv_text_fmt(js->name, sizeof(js->name), "%s", name);
	js->src = src;
	js->flags = flags;
	js->line = 1;
	js->want_value = true;
	*ret = js;
	return 0;
}

struct cv_js *
cv_js_sub(struct cv_js *js)
{
	struct cv_js_source src = { .read = sub_read, .ctx = js };
	struct cv_js *sub = NULL;
	struct cv_err e = { 0 };
	char name[sizeof(js->name) + 16];

	if (!want(js, CV_JS_STRING))
		return NULL;
	cv_text_fmt(name, sizeof(name), "%.100s (inside)", js->name);
	if (cv_js_open(&sub, name, src, js->flags, &e) < 0) {
		js->err = e;
		return NULL;
	}
	js->pos++;
	js->in_string = true;
	sub->outer = js;
	return sub;
}

/* Reads to the end of the string even when the document in it is over: that it is
 * over is then checked, and the outer reader stands behind the string. */
void
cv_js_sub_end(struct cv_js **sub)
{
	struct cv_err e;

	if (*sub == NULL)
		return;
	if (cv_js_end(*sub, &e) != 0 && (*sub)->outer->err.reason == CV_R_NONE)
		(*sub)->outer->err = e;
	cv_js_free(sub);
}

static int
span_read(void *ctx, uint8_t *out, size_t n, size_t *got, struct cv_err *e)
{
	struct span_source *s = ctx;
	struct cv_span part = cv_span_take(&s->in, n < s->in.n ? n : s->in.n);

	(void)e;
	if (part.n > 0)
		memcpy(out, part.p, part.n);
	*got = part.n;
	return 0;
}

int
cv_js_open_span(struct cv_js **ret, const char *name, struct cv_span in, unsigned flags,
		struct cv_err *e)
{
	struct cv_js *js = NULL;

	if (cv_js_open(&js, name, (struct cv_js_source){ .read = span_read }, flags, e) < 0)
		return -1;
	js->span.in = in;
	js->src.ctx = &js->span;
	*ret = js;
	return 0;
}

static int
blob_read(void *ctx, uint8_t *out, size_t n, size_t *got, struct cv_err *e)
{
	struct blob_source *s = ctx;
	uint64_t left = s->blob.len - s->done;

	if (n > left)
		n = (size_t)left;
	*got = 0;
	if (n == 0)
		return 0;
	ssize_t r = TEMP_FAILURE_RETRY(pread(s->blob.fd, out, n, (off_t)(s->blob.off + s->done)));
	if (r < 0)
		return cv_fail_errno(e, "reading a document");
	if (r == 0)
		return cv_fail(e, CV_R_CUTOFF, "the document ends after %llu of %llu bytes",
			       (unsigned long long)s->done, (unsigned long long)s->blob.len);
	s->done += (uint64_t)r;
	*got = (size_t)r;
	return 0;
}

int
cv_js_open_blob(struct cv_js **ret, const char *name, struct cv_blob blob, unsigned flags,
		struct cv_err *e)
{
	struct cv_js *js = NULL;

	if (cv_js_open(&js, name, (struct cv_js_source){ .read = blob_read }, flags, e) < 0)
		return -1;
	js->blob.blob = blob;
	js->src.ctx = &js->blob;
	*ret = js;
	return 0;
}

void
cv_js_free(struct cv_js **js)
{
	if (*js == NULL)
		return;
	cv_keyset_free(&(*js)->keys);
	free(*js);
	*js = NULL;
}
