/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf_tensor.c: tensor infos of GGUF. Must never believe a product of
 * dimensions unchecked, nor leave a byte of the data to no tensor or to two.
 */
#include "sbom/found/gguf_priv.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

/* ggml.h, enum ggml_type, and the block sizes of ggml-common.h: elements and
 * bytes of a block, by number. No elements: a type that was removed. */
static const struct {
	const char *name;
	uint16_t elements, bytes;
} types[] = {
	{ "F32", 1, 4 },        { "F16", 1, 2 },        { "Q4_0", 32, 18 },
	{ "Q4_1", 32, 20 },     { NULL, 0, 0 },         { NULL, 0, 0 },
	{ "Q5_0", 32, 22 },     { "Q5_1", 32, 24 },     { "Q8_0", 32, 34 },
	{ "Q8_1", 32, 36 },     { "Q2_K", 256, 84 },    { "Q3_K", 256, 110 },
	{ "Q4_K", 256, 144 },   { "Q5_K", 256, 176 },   { "Q6_K", 256, 210 },
	{ "Q8_K", 256, 292 },   { "IQ2_XXS", 256, 66 }, { "IQ2_XS", 256, 74 },
	{ "IQ3_XXS", 256, 98 }, { "IQ1_S", 256, 50 },   { "IQ4_NL", 32, 18 },
	{ "IQ3_S", 256, 110 },  { "IQ2_S", 256, 82 },   { "IQ4_XS", 256, 136 },
	{ "I8", 1, 1 },         { "I16", 1, 2 },        { "I32", 1, 4 },
	{ "I64", 1, 8 },        { "F64", 1, 8 },        { "IQ1_M", 256, 56 },
	{ "BF16", 1, 2 },       { NULL, 0, 0 },         { NULL, 0, 0 },
	{ NULL, 0, 0 },         { "TQ1_0", 256, 54 },   { "TQ2_0", 256, 66 },
	{ NULL, 0, 0 },         { NULL, 0, 0 },         { NULL, 0, 0 },
	{ "MXFP4", 32, 17 },    { "NVFP4", 64, 36 },    { "Q1_0", 128, 18 },
	{ "Q2_0", 64, 18 },
};

#define U(x)           ((unsigned long long)(x))
#define NAME_MAX_BYTES 63
#define DIMS_MAX       4

static bool
has_control(struct cv_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f ||
		    (s.p[i] == 0xc2 && i + 1 < s.n && s.p[i + 1] < 0xa0))
			return true;
	return false;
}

/* size: bytes of the tensor; 2^63 is the reference reader's own limit */
static int
tensor_size(const struct cv_gguf_reader *r, const uint64_t ne[DIMS_MAX], uint32_t type,
	    uint64_t *ret, struct cv_err *e)
{
	uint64_t elements = 1, bytes;

	if (type >= CV_COUNT(types))
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "gguf: tensor \"%s\": type %u is newer than this program (%zu)",
			       r->key, type, CV_COUNT(types) - 1);
	if (types[type].elements == 0)
		return cv_fail(e, CV_R_MALFORMED, "gguf: tensor \"%s\": type %u was removed",
			       r->key, type);
	for (int i = 0; i < DIMS_MAX; i++)
		if (ne[i] == 0 || __builtin_mul_overflow(elements, ne[i], &elements) ||
		    elements > INT64_MAX)
			return cv_fail(e, CV_R_MALFORMED,
				       "gguf: tensor \"%s\": %s: %llu x %llu x %llu x %llu", r->key,
				       ne[i] == 0 ? "a dimension of 0"
						  : "more elements than 63 bits can count",
				       U(ne[0]), U(ne[1]), U(ne[2]), U(ne[3]));
	if (ne[0] % types[type].elements != 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: tensor \"%s\": rows of %llu elements, but a block of %s "
			       "has %u",
			       r->key, U(ne[0]), types[type].name, types[type].elements);
	if (__builtin_mul_overflow(elements / types[type].elements, (uint64_t)types[type].bytes,
				   &bytes) ||
	    bytes > r->w.blob.len)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: tensor \"%s\": %llu elements of %s do not fit a file of "
			       "%llu bytes: cut short?",
			       r->key, U(elements), types[type].name, U(r->w.blob.len));
	*ret = bytes;
	return 0;
}

static int
read_tensor(struct cv_gguf_reader *r, struct cv_names *names, uint64_t *end, struct cv_err *e)
{
	uint64_t ne[DIMS_MAX] = { 1, 1, 1, 1 }, place = cv_window_pos(&r->w), offset, size = 0;
	struct cv_span name;
	uint32_t dims, type;

	if (cv_gguf_name(r, "a tensor name", NAME_MAX_BYTES, &name, e) != 0)
		return -1;
	if (!cv_utf8_valid(name) || has_control(name))
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: byte %llu: tensor name \"%s\" is not plain UTF-8", U(place),
			       r->key);
	if (cv_names_add(names, name, place, e) != 0)
		return cv_fail_within(e, "gguf: tensors");
	dims = cv_window_u32le(&r->w);
	if (cv_window_ok(&r->w, "gguf", "a tensor", e) != 0)
		return -1;
	if (dims < 1 || dims > DIMS_MAX)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: tensor \"%s\": %u dimensions, want 1 to %d", r->key, dims,
			       DIMS_MAX);
	for (uint32_t i = 0; i < dims; i++)
		ne[i] = cv_window_u64le(&r->w);
	type = cv_window_u32le(&r->w);
	offset = cv_window_u64le(&r->w);
	if (cv_window_ok(&r->w, "gguf", "a tensor", e) != 0 ||
	    tensor_size(r, ne, type, &size, e) != 0)
		return -1;
	*end = (*end + r->align - 1) / r->align * r->align; /* below 2 * file: no overflow */
	if (offset != *end)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: tensor \"%s\" begins at data byte %llu, want %llu: %s",
			       r->key, U(offset), U(*end),
			       offset < *end ? "tensors overlap"
					     : "bytes that belong to no tensor");
	*end += size;
	if (*end > r->w.blob.len)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: tensor \"%s\" ends at data byte %llu, in a file of %llu "
			       "bytes: cut short?",
			       r->key, U(*end), U(r->w.blob.len));
	return 0;
}

/* judge_end: the data, and nothing but it, follows the padded header. A file
 * without tensors (a vocabulary) may end right behind its header. */
static int
judge_end(const struct cv_gguf_reader *r, uint64_t end, struct cv_err *e)
{
	uint64_t head = cv_window_pos(&r->w), size = r->w.blob.len;
	uint64_t data = (head + r->align - 1) / r->align * r->align;
	uint64_t last = data + end, padded = (last + r->align - 1) / r->align * r->align;

	if (r->out.tensors == 0 && size == head)
		return 0;
	if (size < last)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: the tensors end at byte %llu, the file at %llu: cut short?",
			       U(last), U(size));
	if (size > padded)
		return cv_fail(e, CV_R_MALFORMED,
			       "gguf: the tensors end at byte %llu, the file at %llu: bytes that "
			       "belong to no tensor",
			       U(last), U(size));
	return 0;
}

int
cv_gguf_tensors(struct cv_gguf_reader *r, struct cv_err *e)
{
	cv_auto(cv_names_free) struct cv_names names = CV_NAMES(CV_MAX_GGUF_TENSORS);
	struct cv_name a, b;
	uint64_t end = 0; /* of the tensors so far, from the start of the data */

	for (uint64_t i = 0; i < r->out.tensors; i++)
		if (read_tensor(r, &names, &end, e) != 0)
			return -1;
	cv_names_sort(&names);
	if (cv_names_twins(&names, &a, &b))
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "gguf: one tensor name is there twice, at bytes %llu and %llu",
			       U(a.place), U(b.place));
	return judge_end(r, end, e);
}
