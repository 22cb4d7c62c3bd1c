/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_emit.c: values to bytes, in two forms: one for people and diffs, one to
 * be hashed and signed (RFC 8785). What it writes, json_scan.c reads back as
 * the same value. Must never write part of a value and call it whole.
 */
#include "trust/base/enc.h"
#include "trust/base/json_int.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

/* I-JSON (RFC 7493 2.2): integers that every double holds exactly. */
#define SAFE_INTEGER INT64_C(9007199254740991)

struct level {
	json_t *v;
	const char **keys; /* sorted, of an object */
	size_t n, i;       /* members or elements, the next one */
};

struct emit {
	struct cv_buf *out;
	bool canonical;
	struct level level[CV_MAX_JSON_DEPTH];
	unsigned depth;
	struct cv_err *e;
};

/* ---- order of keys ---- */

/* A code point's place in the order of UTF-16 code units (RFC 8785 3.2.3): those
 * written with surrogates (D800 to DFFF) come before E000 to FFFF. */
static uint32_t
utf16_rank(uint32_t cp)
{
	return cp >= 0xe000 && cp <= 0xffff ? cp + 0x110000 : cp;
}

static int
key_order(const char *a, const char *b, bool utf16)
{
	struct cv_span x = cv_span_str(a), y = cv_span_str(b);
	uint32_t p, q;

	if (!utf16)
		return strcmp(a, b);
	while (x.n > 0 && y.n > 0) {
		p = utf16_rank(cv_utf8_next(&x));
		q = utf16_rank(cv_utf8_next(&y));
		if (p != q)
			return p < q ? -1 : 1;
	}
	return (x.n > 0) - (y.n > 0);
}

static void
sink(const char **keys, size_t i, size_t n, bool utf16)
{
	const char *moved = keys[i];
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && key_order(keys[child], keys[child + 1], utf16) < 0)
			child++;
		if (key_order(moved, keys[child], utf16) >= 0)
			break;
		keys[i] = keys[child];
		i = child;
	}
	keys[i] = moved;
}

/* Heapsort, for the reasons given in json.c. */
static void
sort(const char **keys, size_t n, bool utf16)
{
	const char *top;

	for (size_t i = n / 2; i > 0; i--)
		sink(keys, i - 1, n, utf16);
	for (size_t end = n; end > 1; end--) {
		top = keys[0];
		keys[0] = keys[end - 1];
		keys[end - 1] = top;
		sink(keys, 0, end - 1, utf16);
	}
}

static int
take_keys(struct level *in, const struct emit *x)
{
	size_t k = 0;

	in->keys = malloc((in->n + 1) * sizeof(*in->keys));
	if (in->keys == NULL)
		return cv_fail_memory(x->e);
	for (void *it = json_object_iter(in->v); it != NULL && k < in->n;
	     it = json_object_iter_next(in->v, it)) {
		in->keys[k] = json_object_iter_key(it);
		if (!cv_utf8_valid(cv_span_str(in->keys[k])))
			return cv_fail(x->e, CV_R_MALFORMED, "writing JSON: a key is not UTF-8");
		k++;
	}
	if (k != in->n)
		return cv_fail(x->e, CV_R_BUG, "writing JSON: an object changed its size");
	sort(in->keys, in->n, x->canonical);
	return 0;
}

/* ---- values ---- */

static void
put_string(struct cv_buf *out, struct cv_span s)
{
	static const char from[] = "\b\t\n\f\r\"\\", into[] = "btnfr\"\\";
	size_t run;

	cv_buf_byte(out, '"');
	while (s.n > 0) {
		for (run = 0; run < s.n && s.p[run] >= 0x20 && s.p[run] != '"' && s.p[run] != '\\';)
			run++;
		cv_buf_add(out, s.p, run);
		cv_span_take(&s, run);
		if (s.n > 0) {
			uint8_t c = cv_span_u8(&s);
			const char *which = c == 0 ? NULL : strchr(from, c);

			if (which != NULL)
				cv_buf_fmt(out, "\\%c", into[which - from]);
			else
				cv_buf_fmt(out, "\\u%04x", c);
		}
	}
	cv_buf_byte(out, '"');
}

/* The shortest of 15, 16 and 17 digits that reads back as the same number. */
static size_t
real_text(const json_t *v, char *text, size_t size)
{
	size_t n = 0;

	for (size_t digits = 15; digits <= 17; digits++) {
		json_t *back;
		bool same;

		n = json_dumpb(v, text, size, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
		if (n == 0 || n > size)
			return n;
		back = json_loadb(text, n, JSON_DECODE_ANY, NULL);
		same = back != NULL && json_equal(back, v) != 0;
		json_decref(back);
		if (same)
			break;
	}
	return n;
}

static int
put_real(const struct emit *x, const json_t *v)
{
	char text[64];
	size_t n;

	if (x->canonical)
		return cv_fail(x->e, CV_R_UNSUPPORTED,
			       "canonical JSON (RFC 8785) of a number with fraction or exponent, "
			       "want integers");
	n = real_text(v, text, sizeof(text));
	if (n == 0)
		return cv_fail_memory(x->e);
	if (n > sizeof(text))
		return cv_fail(x->e, CV_R_BUG, "writing JSON: a number of %zu characters", n);
	cv_buf_add(x->out, text, n);
	return 0;
}

static int
put_scalar(const struct emit *x, const json_t *v)
{
	struct cv_span s;
	json_int_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		s = cv_span(json_string_value(v), json_string_length(v));
		if (!cv_utf8_valid(s))
			return cv_fail(x->e, CV_R_MALFORMED, "writing JSON: a string is not UTF-8");
		put_string(x->out, s);
		return 0;
	case JSON_INTEGER:
		i = json_integer_value(v);
		if (x->canonical && (i > SAFE_INTEGER || i < -SAFE_INTEGER))
			return cv_fail(x->e, CV_R_UNSUPPORTED,
				       "canonical JSON (RFC 8785) of %lld, want integers that a "
				       "double holds exactly, -%lld to %lld",
				       (long long)i, (long long)SAFE_INTEGER,
				       (long long)SAFE_INTEGER);
		cv_buf_fmt(x->out, "%lld", (long long)i);
		return 0;
	case JSON_REAL:
		return put_real(x, v);
	case JSON_TRUE:
		cv_buf_str(x->out, "true");
		return 0;
	case JSON_FALSE:
		cv_buf_str(x->out, "false");
		return 0;
	case JSON_NULL:
		cv_buf_str(x->out, "null");
		return 0;
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return cv_fail(x->e, CV_R_BUG, "writing JSON: no such type");
}

static void
new_line(const struct emit *x)
{
	if (x->canonical)
		return;
	cv_buf_byte(x->out, '\n');
	for (unsigned i = 0; i < x->depth; i++)
		cv_buf_str(x->out, "  ");
}

/* A scalar whole; of an array or object the beginning. */
static int
put_value(struct emit *x, json_t *v)
{
	struct level *in;

	if (v == NULL)
		return cv_fail(x->e, CV_R_BUG, "writing JSON: a value is missing");
	if (!json_is_object(v) && !json_is_array(v))
		return put_scalar(x, v);
	if (x->depth == CV_MAX_JSON_DEPTH)
		return cv_fail(x->e, CV_R_LIMIT,
			       "writing JSON: more than %d levels of nesting, the most accepted",
			       CV_MAX_JSON_DEPTH);
	in = &x->level[x->depth++];
	*in = (struct level){ .v = v };
	in->n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
	cv_buf_byte(x->out, json_is_object(v) ? '{' : '[');
	return json_is_object(v) ? take_keys(in, x) : 0;
}

static void
end_container(struct emit *x)
{
	struct level *in = &x->level[--x->depth];

	if (in->n > 0)
		new_line(x);
	cv_buf_byte(x->out, json_is_object(in->v) ? '}' : ']');
	free(in->keys);
	in->keys = NULL;
}

static int
step(struct emit *x)
{
	struct level *in = &x->level[x->depth - 1];
	const char *key;

	if (in->i == in->n) {
		end_container(x);
		return 0;
	}
	if (in->i > 0)
		cv_buf_byte(x->out, ',');
	new_line(x);
	if (!json_is_object(in->v))
		return put_value(x, json_array_get(in->v, in->i++));
	key = in->keys[in->i++];
	put_string(x->out, cv_span_str(key));
	cv_buf_str(x->out, x->canonical ? ":" : ": ");
	return put_value(x, json_object_get(in->v, key));
}

static int
emit(struct cv_buf *out, const json_t *v, bool canonical, struct cv_err *e)
{
	struct emit x = { .out = out, .canonical = canonical, .e = e };
	size_t before = out->n;
	json_t *root;
	int rc;

	memcpy(&root, &v, sizeof(root)); /* jansson's iterators take no const */
	rc = put_value(&x, root);
	while (rc == 0 && x.depth > 0)
		rc = out->failed != CV_R_NONE ? cv_buf_ok(out, "JSON", e) : step(&x);
	for (unsigned i = 0; i < x.depth; i++)
		free(x.level[i].keys);
	if (rc == 0 && !canonical)
		cv_buf_byte(out, '\n');
	if (rc == 0)
		rc = cv_buf_ok(out, "JSON", e);
	if (rc != 0 && out->p != NULL) {
		out->n = before;
		out->p[before] = '\0';
	}
	return rc;
}

int
cv_json_emit(struct cv_buf *out, const json_t *v, struct cv_err *e)
{
	return emit(out, v, false, e);
}

int
cv_json_canonical(struct cv_buf *out, const json_t *v, struct cv_err *e)
{
	return emit(out, v, true, e);
}
