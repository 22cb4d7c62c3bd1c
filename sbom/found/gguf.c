/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.c: header and key-value pairs. Must never believe a count or a length
 * that the rest of the file could not hold.
 */
#include "sbom/found/gguf_priv.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

enum gguf_type {
	T_U8,
	T_I8,
	T_U16,
	T_I16,
	T_U32,
	T_I32,
	T_F32,
	T_BOOL,
	T_STRING,
	T_ARRAY,
	T_U64,
	T_I64,
	T_F64,
	T_COUNT
};

/* Bytes of a value; of a string and an array the least they can have. */
static const uint8_t width[T_COUNT] = { 1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8 };
static const char *const type_name[T_COUNT] = { "u8",  "i8",  "u16",  "i16",    "u32",
						"i32", "f32", "bool", "string", "array",
						"u64", "i64", "f64" };

/* one value: a scalar's number (sign lost) or an array's or string's shape */
struct value {
	uint32_t type;
	uint32_t element; /* array */
	uint64_t n;       /* array: elements; string: bytes */
	uint64_t number;  /* scalar integers and bool */
	uint64_t place;   /* string: where its bytes are */
};

#define U(x) ((unsigned long long)(x))

int
cv_gguf_string(struct cv_gguf_reader *r, const char *what, uint64_t *len, struct cv_err *e)
{
	*len = cv_window_u64le(&r->w);
	if (cv_window_ok(&r->w, "gguf", what, e) != 0)
		return -1;
	if (*len > CV_MAX_GGUF_STRING)
		return cv_fail(e, CV_R_LIMIT, "gguf: byte %llu: %s of %llu bytes, at most %llu",
			       U(cv_window_pos(&r->w)), what, U(*len), CV_MAX_GGUF_STRING);
	if (*len > cv_window_left(&r->w))
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: byte %llu: %s of %llu bytes, but the file has %llu more",
			       U(cv_window_pos(&r->w)), what, U(*len), U(cv_window_left(&r->w)));
	return 0;
}

int
cv_gguf_name(struct cv_gguf_reader *r, const char *what, size_t max, struct cv_span *ret,
	     struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	uint64_t n;

	if (cv_gguf_string(r, what, &n, e) != 0)
		return -1;
	if (n == 0 || n > max)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: byte %llu: %s of %llu bytes, want 1 to %zu",
			       U(cv_window_pos(&r->w)), what, U(n), max);
	*ret = cv_window_take(&r->w, (size_t)n);
	if (cv_window_ok(&r->w, "gguf", what, e) != 0)
		return -1;
	cv_text_fmt(r->key, sizeof r->key, "%s", cv_text_brief(brief, *ret));
	return 0;
}

/* ---- values ---- */

static int
check_bools(struct cv_gguf_reader *r, uint64_t n, struct cv_err *e)
{
	while (n-- > 0)
		if (cv_window_u8(&r->w) > 1)
			return cv_fail(e, CV_R_MALFORMED,
				       "gguf: \"%s\": a bool that is neither 0 nor 1", r->key);
	return 0;
}

static int
read_array(struct cv_gguf_reader *r, struct value *v, struct cv_err *e)
{
	v->element = cv_window_u32le(&r->w);
	v->n = cv_window_u64le(&r->w);
	if (cv_window_ok(&r->w, "gguf", "an array", e) != 0)
		return -1;
	if (v->element >= T_COUNT || v->element == T_ARRAY)
		return cv_fail(e, CV_R_MALFORMED, "gguf: \"%s\": an array of type %u, which is %s",
			       r->key, v->element, v->element == T_ARRAY ? "an array" : "no type");
	if (v->n > CV_MAX_GGUF_ARRAY)
		return cv_fail(e, CV_R_LIMIT, "gguf: \"%s\": %llu elements, at most %llu", r->key,
			       U(v->n), CV_MAX_GGUF_ARRAY);
	if (v->n > cv_window_left(&r->w) / width[v->element])
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: \"%s\": %llu elements of %u bytes or more, but the file has "
			       "%llu bytes more",
			       r->key, U(v->n), width[v->element], U(cv_window_left(&r->w)));
	if (v->element == T_BOOL)
		return check_bools(r, v->n, e);
	if (v->element != T_STRING) {
		cv_window_skip(&r->w, v->n * width[v->element]);
		return 0;
	}
	for (uint64_t i = 0; i < v->n; i++) {
		uint64_t len;

		if (cv_gguf_string(r, "a string of an array", &len, e) != 0)
			return -1;
		cv_window_skip(&r->w, len);
	}
	return 0;
}

static int
read_value(struct cv_gguf_reader *r, struct value *v, struct cv_err *e)
{
	struct cv_span s;

	*v = (struct value){ .type = cv_window_u32le(&r->w) };
	if (cv_window_ok(&r->w, "gguf", "a value's type", e) != 0)
		return -1;
	switch (v->type) {
	case T_STRING:
		if (cv_gguf_string(r, "a string", &v->n, e) != 0)
			return -1;
		v->place = cv_window_pos(&r->w);
		cv_window_skip(&r->w, v->n);
		break;
	case T_ARRAY:
		if (read_array(r, v, e) != 0)
			return -1;
		break;
	default:
		if (v->type >= T_COUNT)
			return cv_fail(e, CV_R_MALFORMED,
				       "gguf: \"%s\": value type %u, want 0 to %d", r->key, v->type,
				       T_COUNT - 1);
		s = cv_window_take(&r->w, width[v->type]);
		for (size_t i = s.n; i-- > 0;)
			v->number = v->number << 8 | s.p[i];
		if (v->type == T_BOOL && v->number > 1)
			return cv_fail(e, CV_R_MALFORMED,
				       "gguf: \"%s\": a bool that is neither 0 nor 1", r->key);
	}
	return cv_window_ok(&r->w, "gguf", "a value", e);
}

/* ---- keys whose meaning this program knows ---- */

static int
want_type(const struct cv_gguf_reader *r, const struct value *v, uint32_t type, uint32_t element,
	  struct cv_err *e)
{
	if (v->type == type && (type != T_ARRAY || v->element == element))
		return 0;
	return cv_fail(e, CV_R_MALFORMED, "gguf: \"%s\" is %s%s, want %s%s", r->key,
		       v->type == T_ARRAY ? "an array of " : "",
		       type_name[v->type == T_ARRAY ? v->element : v->type],
		       type == T_ARRAY ? "an array of " : "",
		       type_name[type == T_ARRAY ? element : type]);
}

static int
take_alignment(struct cv_gguf_reader *r, const struct value *v, struct cv_err *e)
{
	if (want_type(r, v, T_U32, 0, e) != 0)
		return -1;
	if (v->number < 8 || v->number > CV_MAX_GGUF_ALIGN || (v->number & (v->number - 1)) != 0)
		return cv_fail(
			e, CV_R_MALFORMED,
			"gguf: general.alignment is %llu, want a power of two from 8 to %llu",
			U(v->number), CV_MAX_GGUF_ALIGN);
	r->align = v->number;
	return 0;
}

static int
take_architecture(struct cv_gguf_reader *r, const struct value *v, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	uint64_t after = cv_window_pos(&r->w);
	struct cv_span s;

	if (want_type(r, v, T_STRING, 0, e) != 0)
		return -1;
	cv_window_seek(&r->w, v->place);
	s = cv_window_look(&r->w, v->n < 64 ? (size_t)v->n : 64);
	cv_text_fmt(r->out.architecture, sizeof r->out.architecture, "%s", cv_text_brief(brief, s));
	cv_window_seek(&r->w, after);
	r->architecture = true;
	return cv_window_ok(&r->w, "gguf", "general.architecture", e);
}

static int
take_vocabulary(struct cv_gguf_reader *r, size_t which, const struct value *v, struct cv_err *e)
{
	static const uint32_t element[3] = { T_STRING, T_F32, T_I32 };

	if (want_type(r, v, T_ARRAY, element[which], e) != 0)
		return -1;
	r->vocabulary_seen[which] = true;
	r->vocabulary[which] = v->n;
	return 0;
}

/* split.*: gguf-split writes u16, u16 and i32 */
static int
take_split(struct cv_gguf_reader *r, uint64_t *ret, const struct value *v, struct cv_err *e)
{
	if (v->type == T_STRING || v->type == T_ARRAY || v->type == T_F32 || v->type == T_F64 ||
	    v->type == T_BOOL)
		return want_type(r, v, T_U32, 0, e);
	*ret = v->number;
	return 0;
}

static int
take_blocks(struct cv_gguf_reader *r, const struct value *v, struct cv_err *e)
{
	if (v->type == T_ARRAY || v->type == T_STRING || v->type == T_F32 || v->type == T_F64)
		return want_type(r, v, T_U32, 0, e);
	if (v->number > CV_MAX_GGUF_BLOCKS)
		return cv_fail(e, CV_R_LIMIT, "gguf: \"%s\" is %llu, at most %d", r->key,
			       U(v->number), CV_MAX_GGUF_BLOCKS);
	return 0;
}

static int
take_template(struct cv_gguf_reader *r, const struct value *v, struct cv_err *e)
{
	if (want_type(r, v, T_STRING, 0, e) != 0)
		return -1;
	return cv_blob_part(&r->out.chat_template, r->w.blob, v->place, v->n, e);
}

enum known {
	K_NONE,
	K_ALIGNMENT,
	K_ARCHITECTURE,
	K_TOKENS,
	K_SCORES,
	K_TOKEN_TYPE,
	K_MERGES,
	K_TEMPLATE,
	K_PART,
	K_PARTS,
	K_PARTS_TENSORS,
	K_BLOCKS
};

static enum known
known_key(struct cv_span key)
{
	static const struct {
		const char *key;
		enum known known;
	} table[] = {
		{ "general.alignment", K_ALIGNMENT },
		{ "general.architecture", K_ARCHITECTURE },
		{ "tokenizer.ggml.tokens", K_TOKENS },
		{ "tokenizer.ggml.scores", K_SCORES },
		{ "tokenizer.ggml.token_type", K_TOKEN_TYPE },
		{ "tokenizer.ggml.merges", K_MERGES },
		{ "tokenizer.chat_template", K_TEMPLATE },
		{ "split.no", K_PART },
		{ "split.count", K_PARTS },
		{ "split.tensors.count", K_PARTS_TENSORS },
	};

	for (size_t i = 0; i < CV_COUNT(table); i++)
		if (cv_span_eq_str(key, table[i].key))
			return table[i].known;
	return cv_span_has_suffix(key, ".block_count") ? K_BLOCKS : K_NONE;
}

static int
take_known(struct cv_gguf_reader *r, enum known known, const struct value *v, struct cv_err *e)
{
	switch (known) {
	case K_ALIGNMENT:
		return take_alignment(r, v, e);
	case K_ARCHITECTURE:
		return take_architecture(r, v, e);
	case K_TOKENS:
	case K_SCORES:
	case K_TOKEN_TYPE:
		return take_vocabulary(r, (size_t)(known - K_TOKENS), v, e);
	case K_MERGES:
		return want_type(r, v, T_ARRAY, T_STRING, e);
	case K_TEMPLATE:
		return take_template(r, v, e);
	case K_PART:
		return take_split(r, &r->out.part, v, e);
	case K_PARTS:
		return take_split(r, &r->out.parts, v, e);
	case K_PARTS_TENSORS:
		return take_split(r, &r->out.tensors_of_all, v, e);
	case K_BLOCKS:
		return take_blocks(r, v, e);
	default:
		return 0;
	}
}

/* ---- pairs ---- */

static bool
key_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

static int
read_pair(struct cv_gguf_reader *r, struct cv_names *names, struct cv_err *e)
{
	uint64_t place = cv_window_pos(&r->w);
	enum known known;
	struct cv_span key;
	struct value v;

	if (cv_gguf_name(r, "a key", CV_MAX_GGUF_KEY, &key, e) != 0)
		return -1;
	for (size_t i = 0; i < key.n; i++)
		if (!key_byte(key.p[i]))
			return cv_fail(e, CV_R_MALFORMED,
				       "gguf: byte %llu: key \"%s\", want letters, digits, '_', "
				       "'.' and '-'",
				       U(place), r->key);
	if (cv_names_add(names, key, place, e) != 0)
		return cv_fail_within(e, "gguf: keys");
	known = known_key(key); /* before the next read, which moves the window */
	if (read_value(r, &v, e) != 0)
		return -1;
	return take_known(r, known, &v, e);
}

static int
judge_pairs(struct cv_gguf_reader *r, struct cv_err *e)
{
	static const char *const names[3] = { "tokens", "scores", "token_type" };

	if (!r->architecture)
		return cv_fail(e, CV_R_MALFORMED, "gguf: has no general.architecture");
	for (size_t i = 1; i < 3; i++)
		if (r->vocabulary_seen[i] &&
		    (!r->vocabulary_seen[0] || r->vocabulary[i] != r->vocabulary[0]))
			return cv_fail(e, CV_R_MALFORMED,
				       "gguf: tokenizer.ggml.%s has %llu elements, tokens has %llu",
				       names[i], U(r->vocabulary[i]), U(r->vocabulary[0]));
	if (r->out.parts > 0 && r->out.part >= r->out.parts)
		return cv_fail(e, CV_R_MALFORMED, "gguf: split.no is %llu of split.count %llu",
			       U(r->out.part), U(r->out.parts));
	return 0;
}

static int
read_pairs(struct cv_gguf_reader *r, struct cv_err *e)
{
	cv_auto(cv_names_free) struct cv_names names = CV_NAMES(CV_MAX_GGUF_KV);
	struct cv_name a, b;

	for (uint64_t i = 0; i < r->out.pairs; i++)
		if (read_pair(r, &names, e) != 0)
			return -1;
	cv_names_sort(&names);
	if (cv_names_twins(&names, &a, &b))
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "gguf: one key is there twice, at bytes %llu and %llu", U(a.place),
			       U(b.place));
	return judge_pairs(r, e);
}

/* counts: 33 and 14 bytes are the least that a tensor info and a pair take */
static int
read_counts(struct cv_gguf_reader *r, struct cv_err *e)
{
	uint32_t version;

	if (!cv_span_eq_str(cv_window_take(&r->w, 4), "GGUF"))
		return cv_fail(e, CV_R_MALFORMED, "gguf: does not begin with \"GGUF\"");
	version = cv_window_u32le(&r->w);
	r->out.tensors = cv_window_u64le(&r->w);
	r->out.pairs = cv_window_u64le(&r->w);
	if (cv_window_ok(&r->w, "gguf", "the header", e) != 0)
		return -1;
	if (version != 0 && (version & 0xffff) == 0)
		return cv_fail(e, CV_R_UNSUPPORTED, "gguf: a big-endian file");
	if (version == 0)
		return cv_fail(e, CV_R_MALFORMED, "gguf: version 0");
	if (version != 2 && version != 3)
		return cv_fail(e, CV_R_UNSUPPORTED, "gguf: version %u, want 2 or 3", version);
	if (r->out.tensors > cv_window_left(&r->w) / 33 ||
	    r->out.pairs > cv_window_left(&r->w) / 14)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: %llu tensors and %llu pairs, which a file of %llu bytes "
			       "cannot hold",
			       U(r->out.tensors), U(r->out.pairs), U(r->w.blob.len));
	if (r->out.tensors > CV_MAX_GGUF_TENSORS || r->out.pairs > CV_MAX_GGUF_KV)
		return cv_fail(
			e, CV_R_LIMIT, "gguf: %llu tensors and %llu pairs, at most %d and %d",
			U(r->out.tensors), U(r->out.pairs), CV_MAX_GGUF_TENSORS, CV_MAX_GGUF_KV);
	return 0;
}

int
cv_gguf_check(struct cv_gguf *ret, struct cv_blob blob, struct cv_err *e)
{
	cv_auto(cv_freep) struct cv_gguf_reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return cv_fail_memory(e);
	cv_window_open(&r->w, blob);
	r->out.chat_template = CV_NO_BLOB;
	r->align = 32;
	if (read_counts(r, e) != 0 || read_pairs(r, e) != 0 || cv_gguf_tensors(r, e) != 0)
		return -1;
	*ret = r->out;
	return 0;
}

bool
cv_gguf_like(struct cv_span head)
{
	return cv_span_has_prefix(head, "GGUF");
}

bool
cv_gguf_part_name(const char *name, uint64_t part, uint64_t parts)
{
	char want[64];

	cv_text_fmt(want, sizeof want, "-%05llu-of-%05llu.gguf", U(part), U(parts));
	return cv_span_has_suffix(cv_span_str(name), want);
}
