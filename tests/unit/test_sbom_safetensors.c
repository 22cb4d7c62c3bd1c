/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_safetensors.c: one well-formed file, and everything that is not one. */
#include "sbom/found/safetensors.h"
#include "tests/support/t.h"
#include "trust/base/limits.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

static enum cv_reason
check(struct cv_span file, uint64_t *tensors)
{
	struct cv_safetensors s;
	struct cv_err e = { 0 };
	int fd = t_memfd(file.p, file.n);
	int rc = cv_safetensors_check(&s, (struct cv_blob){ .fd = fd, .len = file.n }, &e);

	(void)close(fd);
	if (rc != 0) {
		T(e.reason != CV_R_NONE && e.text[0] != '\0');
		return e.reason;
	}
	if (tensors != NULL)
		*tensors = s.tensors;
	cv_safetensors_free(&s);
	return CV_R_NONE;
}

static void
build(struct cv_buf *b, struct cv_span header, size_t data)
{
	*b = CV_BUF(16 << 20);
	cv_buf_u64le(b, header.n);
	cv_buf_add(b, header.p, header.n);
	for (size_t i = 0; i < data; i++)
		cv_buf_byte(b, 0);
}

/* A quotation mark each: rows are written with ' for ". */
static void
quoted(struct cv_buf *out, const char *text)
{
	*out = CV_BUF(1 << 20);
	for (; *text != '\0'; text++)
		cv_buf_byte(out, *text == '\'' ? '"' : (uint8_t)*text);
}

static void
refused(void)
{
	static const struct {
		const char *header;
		size_t data;
		enum cv_reason want;
	} t[] = {
		{ "", 0, CV_R_MALFORMED },
		{ "{", 0, CV_R_MALFORMED },
		{ " {}", 0, CV_R_MALFORMED },
		{ "\xef\xbb\xbf{}", 0, CV_R_MALFORMED },
		{ "[]", 0, CV_R_MALFORMED },
		{ "{}\n", 0, CV_R_MALFORMED },
		{ "{}\t ", 0, CV_R_MALFORMED },
		{ "{}{}", 0, CV_R_MALFORMED },
		{ "{}", 1, CV_R_MALFORMED }, /* a byte of nobody */
		/* members */
		{ "{'a':{'dtype':'U8','shape':[1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1],'x':1}}", 1,
		  CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1,
		  CV_R_AMBIGUOUS },
		{ "{'a':1}", 0, CV_R_MALFORMED },
		/* names */
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
		  "'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}",
		  2, CV_R_AMBIGUOUS },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
		  "'\\u0061':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}",
		  2, CV_R_AMBIGUOUS },
		{ "{'':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'\\u0000':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1,
		  CV_R_MALFORMED },
		{ "{'a\\n':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'\xff':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		/* dtype, shape */
		{ "{'a':{'dtype':'U9','shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'u8','shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1.0],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1e0],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[01],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[-1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':['1'],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'F4','shape':[1],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[18446744073709551616],'data_offsets':[0,1]}}", 1,
		  CV_R_MALFORMED },
		/* 2^32 * 2^32: the product wraps to 0 */
		{ "{'a':{'dtype':'U8','shape':[4294967296,4294967296],'data_offsets':[0,0]}}", 0,
		  CV_R_MALFORMED },
		{ "{'a':{'dtype':'F64','shape':[2305843009213693953],'data_offsets':[0,8]}}", 8,
		  CV_R_MALFORMED },
		/* offsets */
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1,2]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[1,0]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,2]}}", 2, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}", 2, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]}}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},"
		  "'b':{'dtype':'U8','shape':[2],'data_offsets':[1,3]}}",
		  3, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
		  "'b':{'dtype':'U8','shape':[1],'data_offsets':[2,3]}}",
		  3, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
		  "'b':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}",
		  1, CV_R_MALFORMED },
		/* metadata */
		{ "{'__metadata__':null}", 0, CV_R_MALFORMED },
		{ "{'__metadata__':{'a':1}}", 0, CV_R_MALFORMED },
		{ "{'__metadata__':{'a':'b','a':'c'}}", 0, CV_R_AMBIGUOUS },
		{ "{'__metadata__':{},'__metadata__':{}}", 0, CV_R_AMBIGUOUS },
		/* JSON */
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},}", 1, CV_R_MALFORMED },
		{ "{'a':{'dtype':'U8','shape':[1,],'data_offsets':[0,1]}}", 1, CV_R_MALFORMED },
		{ "{'\\ud800':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1,
		  CV_R_MALFORMED },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_buf h, b;
		enum cv_reason r;

		quoted(&h, t[i].header);
		build(&b, cv_buf_span(&h), t[i].data);
		r = check(cv_buf_span(&b), NULL);
		if (r != t[i].want)
			t_fail(__FILE__, __LINE__, "%s: %s, want %s", t[i].header,
			       cv_reason_word(r), cv_reason_word(t[i].want));
		cv_buf_free(&h);
		cv_buf_free(&b);
	}
}

static void
accepted(void)
{
	static const struct {
		const char *header;
		size_t data;
		uint64_t tensors;
	} t[] = {
		{ "{}", 0, 0 },
		{ "{}      ", 0, 0 },
		{ "{'__metadata__':{'format':'pt','x':'\\ud83d\\ude00'}}", 0, 0 },
		{ "{'a':{'dtype':'F32','shape':[],'data_offsets':[0,4]}}", 4, 1 },
		{ "{'a':{'dtype':'F32','shape':[0,7],'data_offsets':[0,0]}}", 0, 1 },
		{ "{'a':{'dtype':'F4','shape':[2],'data_offsets':[0,1]}}", 1, 1 },
		{ "{'a':{'dtype':'F6_E2M3','shape':[4],'data_offsets':[0,3]}}", 3, 1 },
		{ "{'b':{'data_offsets':[4,6],'shape':[1],'dtype':'BF16'},\n"
		  " 'a':{'dtype':'F32','shape':[1,1],'data_offsets':[0,4]}}  ",
		  6, 2 },
		{ "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
		  "'e':{'dtype':'U8','shape':[0],'data_offsets':[1,1]},"
		  "'b':{'dtype':'C64','shape':[1],'data_offsets':[1,9]}}",
		  9, 3 },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_buf h, b;
		uint64_t n = 99;
		enum cv_reason r;

		quoted(&h, t[i].header);
		build(&b, cv_buf_span(&h), t[i].data);
		r = check(cv_buf_span(&b), &n);
		if (r != CV_R_NONE || n != t[i].tensors)
			t_fail(__FILE__, __LINE__, "%s: %s, %llu tensors", t[i].header,
			       cv_reason_word(r), (unsigned long long)n);
		cv_buf_free(&h);
		cv_buf_free(&b);
	}
}

static void
lengths(void)
{
	struct cv_buf b = CV_BUF(1024);

	T_INT(check(cv_span("\0\0\0\0\0\0\0", 7), NULL), CV_R_MALFORMED);
	T_INT(check(cv_span("\0\0\0\0\0\0\0\0", 8), NULL), CV_R_MALFORMED);
	cv_buf_u64le(&b, 3);
	cv_buf_str(&b, "{}");
	T_INT(check(cv_buf_span(&b), NULL), CV_R_MALFORMED);
	cv_buf_reset(&b);
	cv_buf_u64le(&b, CV_MAX_SAFETENSORS_HEADER + 1);
	cv_buf_str(&b, "{}");
	T(check(cv_buf_span(&b), NULL) != CV_R_NONE);
	cv_buf_reset(&b);
	cv_buf_u64le(&b, UINT64_MAX);
	cv_buf_str(&b, "{}");
	T(check(cv_buf_span(&b), NULL) != CV_R_NONE);
	cv_buf_free(&b);
}

/* ---- a second opinion, by another reader ---- */

static size_t
bits_of(const char *dtype)
{
	static const struct {
		const char *name;
		size_t bits;
	} t[] = { { "F32", 32 }, { "BF16", 16 }, { "U8", 8 },   { "I64", 64 }, { "F64", 64 },
		  { "F16", 16 }, { "U16", 16 },  { "I16", 16 }, { "I8", 8 } };

	for (size_t i = 0; i < CV_COUNT(t); i++)
		if (strcmp(t[i].name, dtype) == 0)
			return t[i].bits;
	return 0;
}

/* fits: the tensors of the header cover the data exactly, read with jansson */
static bool
fits(struct cv_span file)
{
	struct cv_span in = file;
	uint64_t n = cv_span_u64le(&in), sum = 0, data = in.n - n;
	json_t *doc, *v, *dim;
	const char *key;
	size_t i;
	bool good = n <= in.n;

	doc = json_loadb((const char *)in.p, good ? n : 0, JSON_REJECT_DUPLICATES, NULL);
	good = doc != NULL;
	json_object_foreach(doc, key, v)
	{
		json_int_t count = 1, from, to;

		if (strcmp(key, "__metadata__") == 0)
			continue;
		json_array_foreach(json_object_get(v, "shape"), i, dim) count *=
			json_integer_value(dim);
		from = json_integer_value(json_array_get(json_object_get(v, "data_offsets"), 0));
		to = json_integer_value(json_array_get(json_object_get(v, "data_offsets"), 1));
		good = good &&
		       (uint64_t)(to - from) * 8 ==
			       (uint64_t)count *
				       bits_of(json_string_value(json_object_get(v, "dtype")));
		good = good && (uint64_t)to <= data;
		sum += (uint64_t)(to - from);
	}
	json_decref(doc);
	return good && sum == data;
}

static void
sweep(void)
{
	static const char text[] = "{'__metadata__':{'format':'pt'},"
				   "'w.weight':{'dtype':'F32','shape':[2,3],'data_offsets':[0,24]},"
				   "'w.bias':{'dtype':'BF16','shape':[4],'data_offsets':[24,32]},"
				   "'n':{'dtype':'I64','shape':[],'data_offsets':[32,40]}}  ";
	struct cv_buf h, b;
	unsigned passed = 0;

	quoted(&h, text);
	build(&b, cv_buf_span(&h), 40);
	T_INT(check(cv_buf_span(&b), NULL), CV_R_NONE);
	T(fits(cv_buf_span(&b)));
	for (size_t n = 0; n < b.n; n++)
		T(check(cv_span(b.p, n), NULL) != CV_R_NONE);
	for (size_t i = 0; i < (b.n - 40) * 8; i++) {
		b.p[i / 8] ^= (uint8_t)(1u << i % 8);
		if (check(cv_buf_span(&b), NULL) == CV_R_NONE) {
			passed++;
			if (!fits(cv_buf_span(&b)))
				t_fail(__FILE__, __LINE__, "bit %zu: taken, and does not fit", i);
		}
		b.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	printf("# %zu bits flipped, %u files still well-formed (names, metadata)\n", (b.n - 40) * 8,
	       passed);
	T(passed < 250);
	cv_buf_free(&h);
	cv_buf_free(&b);
}

static void
many_tensors(void)
{
	struct cv_buf h = CV_BUF(16 << 20), b;
	uint64_t n = 0;

	cv_buf_str(&h, "{");
	for (unsigned i = 0; i < 50000; i++)
		cv_buf_fmt(&h,
			   "%s\"t%u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
			   i > 0 ? "," : "", i, 49999 - i, 50000 - i);
	cv_buf_str(&h, "}");
	build(&b, cv_buf_span(&h), 50000);
	T_INT(check(cv_buf_span(&b), &n), CV_R_NONE);
	T_INT(n, 50000);
	cv_buf_free(&h);
	cv_buf_free(&b);
}

static const struct t_case cases[] = {
	{ "refused", refused }, { "accepted", accepted },         { "lengths", lengths },
	{ "sweep", sweep },     { "many_tensors", many_tensors },
};

T_MAIN(cases)
