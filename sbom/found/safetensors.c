/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.c: the header, strictly. Must never accept a byte of the file that
 * is neither header nor exactly one tensor's, nor believe a product unchecked.
 */
#include "sbom/found/safetensors.h"
#include "sbom/found/jpull.h"
#include "sbom/found/sort.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define HEADER "safetensors header"

/* The dtypes of the Rust reader and how many bits an element has. */
static const struct {
	const char *name;
	unsigned bits;
} dtypes[] = {
	{ "BOOL", 8 },    { "F4", 4 },          { "F6_E2M3", 6 },     { "F6_E3M2", 6 },
	{ "U8", 8 },      { "I8", 8 },          { "F8_E5M2", 8 },     { "F8_E4M3", 8 },
	{ "F8_E8M0", 8 }, { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 }, { "I16", 16 },
	{ "U16", 16 },    { "F16", 16 },        { "BF16", 16 },       { "I32", 32 },
	{ "U32", 32 },    { "F32", 32 },        { "C64", 64 },        { "F64", 64 },
	{ "I64", 64 },    { "U64", 64 },
};

/* where a tensor's bytes are; `place` is its name's, for complaints */
struct range {
	uint64_t begin, end, place;
};

struct reader {
	struct cv_jpull j;
	struct cv_window w;
	struct cv_names names, meta;
	struct range *range;
	size_t nrange, cap;
	uint64_t data; /* bytes behind the header */
	struct cv_buf text, name;
	char quoted[CV_TEXT_BRIEF]; /* the name of the tensor at hand */
};

struct tensor {
	bool dtype, shape, offsets; /* seen */
	unsigned bits;
	bool overflow;
	uint64_t elements, begin, end;
};

static void
reader_free(struct reader **rp)
{
	struct reader *r = *rp;

	if (r == NULL)
		return;
	cv_names_free(&r->names);
	cv_names_free(&r->meta);
	free(r->range);
	cv_buf_free(&r->text);
	cv_buf_free(&r->name);
	free(r);
	*rp = NULL;
}

static int
read_dtype(struct reader *r, struct tensor *t, struct cv_err *e)
{
	char quoted[CV_TEXT_BRIEF];

	if (cv_jpull_string(&r->j, &r->text, CV_MAX_TENSOR_NAME, NULL, e) != 0)
		return -1;
	for (size_t i = 0; i < CV_COUNT(dtypes); i++)
		if (cv_span_eq_str(cv_buf_span(&r->text), dtypes[i].name)) {
			t->bits = dtypes[i].bits;
			return 0;
		}
	return cv_jpull_fail(&r->j, e, CV_R_MALFORMED, "tensor \"%s\": unknown dtype \"%s\"",
			     r->quoted, cv_text_brief(quoted, cv_buf_span(&r->text)));
}

/* An empty shape is a scalar: one element. A dimension of 0 makes the product 0
 * whatever the others are, but the others must not overflow before it either:
 * readers differ in the order they multiply. */
static int
read_shape(struct reader *r, struct tensor *t, struct cv_err *e)
{
	bool first = true, zero = false;
	uint64_t dim, product = 1;
	size_t n = 0;
	int more;

	if (cv_jpull_mark(&r->j, '[', e) != 0)
		return -1;
	while ((more = cv_jpull_more(&r->j, ']', &first, e)) > 0) {
		if (cv_jpull_u64(&r->j, &dim, e) != 0)
			return -1;
		if (++n > CV_MAX_TENSOR_DIMS)
			return cv_jpull_fail(&r->j, e, CV_R_LIMIT,
					     "tensor \"%s\": more than %d dimensions", r->quoted,
					     CV_MAX_TENSOR_DIMS);
		if (dim == 0)
			zero = true;
		else if (__builtin_mul_overflow(product, dim, &product))
			t->overflow = true;
	}
	t->elements = zero ? 0 : product;
	return more;
}

static int
read_offsets(struct reader *r, struct tensor *t, struct cv_err *e)
{
	if (cv_jpull_mark(&r->j, '[', e) != 0 || cv_jpull_u64(&r->j, &t->begin, e) != 0 ||
	    cv_jpull_mark(&r->j, ',', e) != 0 || cv_jpull_u64(&r->j, &t->end, e) != 0 ||
	    cv_jpull_mark(&r->j, ']', e) != 0)
		return -1;
	return 0;
}

/* member: one of the three, each once */
static int
read_member(struct reader *r, struct tensor *t, struct cv_err *e)
{
	static const struct {
		const char *key;
		int (*read)(struct reader *r, struct tensor *t, struct cv_err *e);
		size_t seen;
	} members[] = {
		{ "dtype", read_dtype, offsetof(struct tensor, dtype) },
		{ "shape", read_shape, offsetof(struct tensor, shape) },
		{ "data_offsets", read_offsets, offsetof(struct tensor, offsets) },
	};
	char quoted[CV_TEXT_BRIEF];

	if (cv_jpull_string(&r->j, &r->text, CV_MAX_TENSOR_NAME, NULL, e) != 0 ||
	    cv_jpull_mark(&r->j, ':', e) != 0)
		return -1;
	for (size_t i = 0; i < CV_COUNT(members); i++) {
		bool *seen = (bool *)(void *)((char *)t + members[i].seen);

		if (!cv_span_eq_str(cv_buf_span(&r->text), members[i].key))
			continue;
		if (*seen)
			return cv_jpull_fail(&r->j, e, CV_R_AMBIGUOUS,
					     "tensor \"%s\": \"%s\" is there twice", r->quoted,
					     members[i].key);
		*seen = true;
		return members[i].read(r, t, e);
	}
	return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
			     "tensor \"%s\": unknown member \"%s\"; dtype, shape and data_offsets "
			     "are all there may be",
			     r->quoted, cv_text_brief(quoted, cv_buf_span(&r->text)));
}

/* judge: what the three members say fits together */
static int
judge_tensor(struct reader *r, const struct tensor *t, struct cv_err *e)
{
	uint64_t bits;

	if (!t->dtype || !t->shape || !t->offsets)
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED, "tensor \"%s\" has no \"%s\"",
				     r->quoted,
				     !t->dtype   ? "dtype"
				     : !t->shape ? "shape"
						 : "data_offsets");
	if (t->overflow || __builtin_mul_overflow(t->elements, (uint64_t)t->bits, &bits))
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
				     "tensor \"%s\": its shape is larger than 64 bits can count",
				     r->quoted);
	if (bits % 8 != 0)
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
				     "tensor \"%s\": %llu bits, which do not fill whole bytes",
				     r->quoted, (unsigned long long)bits);
	if (t->end < t->begin || t->end - t->begin != bits / 8)
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
				     "tensor \"%s\": offsets %llu to %llu, but dtype and shape "
				     "want %llu bytes",
				     r->quoted, (unsigned long long)t->begin,
				     (unsigned long long)t->end, (unsigned long long)(bits / 8));
	if (t->end > r->data)
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
				     "tensor \"%s\": ends at data byte %llu, but the file has %llu "
				     "data bytes: cut short?",
				     r->quoted, (unsigned long long)t->end,
				     (unsigned long long)r->data);
	return 0;
}

static int
add_range(struct reader *r, struct range add, struct cv_err *e)
{
	if (r->nrange == r->cap) {
		size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
		struct range *v = reallocarray(r->range, cap, sizeof *v);

		if (v == NULL)
			return cv_fail_memory(e);
		r->range = v;
		r->cap = cap;
	}
	r->range[r->nrange++] = add;
	return 0;
}

/* control: a control character in a name would end it for C readers, or move a
 * terminal's cursor */
static bool
has_control(struct cv_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f ||
		    (s.p[i] == 0xc2 && i + 1 < s.n && s.p[i + 1] < 0xa0))
			return true;
	return false;
}

static int
read_tensor(struct reader *r, uint64_t place, struct cv_err *e)
{
	struct cv_span name = cv_buf_span(&r->name);
	struct tensor t = { .bits = 0 };
	bool first = true;
	int more;

	(void)cv_text_brief(r->quoted, name);
	if (name.n == 0 || has_control(name))
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED, "a tensor name %s: \"%s\"",
				     name.n == 0 ? "that is empty" : "with a control character",
				     r->quoted);
	if (cv_names_add(&r->names, name, place, e) != 0)
		return cv_fail_within(e, "safetensors: tensors");
	if (cv_jpull_mark(&r->j, '{', e) != 0)
		return -1;
	while ((more = cv_jpull_more(&r->j, '}', &first, e)) > 0)
		if (read_member(r, &t, e) != 0)
			return -1;
	if (more < 0 || judge_tensor(r, &t, e) != 0)
		return -1;
	return add_range(r, (struct range){ .begin = t.begin, .end = t.end, .place = place }, e);
}

/* metadata: strings only, which no reader interprets; capped, because they are
 * the one place in the format where anything can be put */
static int
read_metadata(struct reader *r, struct cv_err *e)
{
	bool first = true;
	size_t total = 0;
	uint64_t place;
	int more;

	if (cv_jpull_mark(&r->j, '{', e) != 0)
		return -1;
	while ((more = cv_jpull_more(&r->j, '}', &first, e)) > 0) {
		if (cv_jpull_string(&r->j, &r->text, CV_MAX_SAFETENSORS_METADATA, &place, e) != 0)
			return -1;
		total += r->text.n;
		if (cv_names_add(&r->meta, cv_buf_span(&r->text), place, e) != 0)
			return cv_fail_within(e, "safetensors: metadata");
		if (cv_jpull_mark(&r->j, ':', e) != 0 ||
		    cv_jpull_string(&r->j, &r->text, CV_MAX_SAFETENSORS_METADATA, NULL, e) != 0)
			return -1;
		total += r->text.n;
		if (total > CV_MAX_SAFETENSORS_METADATA)
			return cv_jpull_fail(&r->j, e, CV_R_LIMIT,
					     "__metadata__ of more than %llu bytes",
					     CV_MAX_SAFETENSORS_METADATA);
	}
	return more;
}

static int
read_header(struct reader *r, struct cv_err *e)
{
	bool first = true, metadata = false;
	uint64_t place;
	int more;

	if (cv_window_peek(&r->w) != '{') /* README: "MUST begin with a {" */
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
				     "the header does not begin with '{'");
	(void)cv_window_next(&r->w);
	while ((more = cv_jpull_more(&r->j, '}', &first, e)) > 0) {
		if (cv_jpull_string(&r->j, &r->name, CV_MAX_TENSOR_NAME, &place, e) != 0 ||
		    cv_jpull_mark(&r->j, ':', e) != 0)
			return -1;
		if (!cv_span_eq_str(cv_buf_span(&r->name), "__metadata__")) {
			if (read_tensor(r, place, e) != 0)
				return -1;
			continue;
		}
		if (metadata)
			return cv_jpull_fail(&r->j, e, CV_R_AMBIGUOUS,
					     "__metadata__ is there twice");
		metadata = true;
		if (read_metadata(r, e) != 0)
			return -1;
	}
	if (more < 0)
		return -1;
	while (cv_window_peek(&r->w) == ' ') /* README: padded with 0x20 */
		(void)cv_window_next(&r->w);
	if (cv_window_peek(&r->w) >= 0 || r->w.err.reason != CV_R_NONE)
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
				     "something other than spaces behind the header's last brace");
	return 0;
}

/* quote_at: the name that stands at `place` once more, for a complaint */
static int
quote_at(struct reader *r, uint64_t place, struct cv_err *e)
{
	cv_window_seek(&r->w, place);
	if (cv_jpull_string(&r->j, &r->text, CV_MAX_SAFETENSORS_METADATA, NULL, e) != 0)
		return -1;
	(void)cv_text_brief(r->quoted, cv_buf_span(&r->text));
	return 0;
}

static int
check_unique(struct reader *r, struct cv_names *names, const char *what, struct cv_err *e)
{
	struct cv_name a, b;

	cv_names_sort(names);
	if (!cv_names_twins(names, &a, &b))
		return 0;
	if (quote_at(r, b.place, e) != 0)
		return -1;
	return cv_fail(e, CV_R_AMBIGUOUS,
		       HEADER ": %s \"%s\" is there twice, at bytes %llu and %llu", what, r->quoted,
		       (unsigned long long)(a.place + r->j.shift),
		       (unsigned long long)(b.place + r->j.shift));
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

/* check_cover: sorted, each range begins where the last one ended, from the
 * first data byte to the last */
static int
check_cover(struct reader *r, struct cv_err *e)
{
	uint64_t at = 0;

	cv_sort(r->range, r->nrange, sizeof *r->range, compare_ranges);
	for (size_t i = 0; i < r->nrange; i++) {
		if (r->range[i].begin != at) {
			if (quote_at(r, r->range[i].place, e) != 0)
				return -1;
			return cv_fail(e, CV_R_MALFORMED,
				       "safetensors: tensor \"%s\" begins at data byte %llu, want "
				       "%llu: %s",
				       r->quoted, (unsigned long long)r->range[i].begin,
				       (unsigned long long)at,
				       r->range[i].begin < at ? "tensors overlap"
							      : "bytes that belong to no tensor");
		}
		at = r->range[i].end;
	}
	if (at != r->data)
		return cv_fail(e, CV_R_MALFORMED,
			       "safetensors: the tensors end at data byte %llu, the file at %llu: "
			       "bytes that belong to no tensor",
			       (unsigned long long)at, (unsigned long long)r->data);
	return 0;
}

/* open_header: the length field, and a window over the header alone */
static int
open_header(struct reader *r, struct cv_blob blob, uint64_t *header, struct cv_err *e)
{
	struct cv_blob part;
	uint64_t n;

	cv_window_open(&r->w, blob);
	n = cv_window_u64le(&r->w);
	if (cv_window_ok(&r->w, "safetensors", "the header's length", e) != 0)
		return -1;
	if (n < 2)
		return cv_fail(e, CV_R_MALFORMED,
			       "safetensors: a header of %llu bytes, want 2 or more",
			       (unsigned long long)n);
	if (n > CV_MAX_SAFETENSORS_HEADER)
		return cv_fail(e, CV_R_LIMIT, "safetensors: a header of %llu bytes, at most %llu",
			       (unsigned long long)n, CV_MAX_SAFETENSORS_HEADER);
	if (n > blob.len - 8)
		return cv_fail(e, CV_R_MALFORMED,
			       "safetensors: a header of %llu bytes in a file of %llu: cut short?",
			       (unsigned long long)n, (unsigned long long)blob.len);
	if (cv_blob_part(&part, blob, 8, n, e) != 0)
		return -1;
	cv_window_open(&r->w, part);
	r->j = (struct cv_jpull){ .w = &r->w, .name = HEADER, .shift = 8 };
	r->data = blob.len - 8 - n;
	*header = n;
	return 0;
}

int
cv_safetensors_check(struct cv_safetensors *ret, struct cv_blob blob, struct cv_err *e)
{
	cv_auto(reader_free) struct reader *r = calloc(1, sizeof *r);
	uint64_t header = 0;

	if (r == NULL)
		return cv_fail_memory(e);
	r->names = CV_NAMES(CV_MAX_TENSORS);
	r->meta = CV_NAMES(CV_MAX_TENSORS);
	r->text = CV_BUF(2 * CV_MAX_SAFETENSORS_METADATA);
	r->name = CV_BUF(2 * CV_MAX_SAFETENSORS_METADATA);
	if (open_header(r, blob, &header, e) != 0 || read_header(r, e) != 0 ||
	    check_unique(r, &r->names, "tensor", e) != 0 ||
	    check_unique(r, &r->meta, "metadata", e) != 0 || check_cover(r, e) != 0)
		return -1;
	*ret = (struct cv_safetensors){
		.tensors = r->nrange, .header = header, .data = r->data, .names = r->names
	};
	r->names = CV_NAMES(0); /* handed over */
	return 0;
}

void
cv_safetensors_free(struct cv_safetensors *s)
{
	cv_names_free(&s->names);
}

bool
cv_safetensors_like(struct cv_span head)
{
	uint64_t n = cv_span_u64le(&head);

	return !head.bad && head.n > 0 && n <= CV_MAX_SAFETENSORS_HEADER && head.p[0] == '{';
}
