/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_gguf.c: one well-formed file, and everything that is not one. */
#include "sbom/found/gguf.h"
#include "tests/support/t.h"
#include "trust/base/limits.h"

#include <stdlib.h>
#include <unistd.h>

static enum cv_reason
check(struct cv_span file, struct cv_gguf *ret, char text[CV_ERR_TEXT])
{
	struct cv_gguf g;
	struct cv_err e = { 0 };
	int fd = t_memfd(file.p, file.n);
	int rc = cv_gguf_check(&g, (struct cv_blob){ .fd = fd, .len = file.n }, &e);

	(void)close(fd);
	if (text != NULL)
		memcpy(text, e.text, CV_ERR_TEXT);
	if (rc == 0 && ret != NULL)
		*ret = g;
	T(rc == 0 || (e.reason != CV_R_NONE && e.text[0] != '\0'));
	return rc == 0 ? CV_R_NONE : e.reason;
}

/* ---- building; `loose` marks the bytes that may have another value ---- */

struct made {
	struct cv_buf b;
	bool loose[4096];
};

static void
loose(struct made *m, size_t from)
{
	for (size_t i = from; i < m->b.n; i++)
		m->loose[i] = true;
}

static void
string(struct made *m, const char *s)
{
	size_t at;

	cv_buf_u64le(&m->b, strlen(s));
	at = m->b.n;
	cv_buf_str(&m->b, s);
	loose(m, at);
}

static void
pair_u32(struct made *m, const char *key, uint32_t v)
{
	string(m, key);
	cv_buf_u32le(&m->b, 4);
	cv_buf_u32le(&m->b, v);
}

/* a number that decides nothing, of any type of four bytes */
static void
pair_loose(struct made *m, const char *key, uint32_t v)
{
	size_t at;

	string(m, key);
	at = m->b.n;
	cv_buf_u32le(&m->b, 4);
	cv_buf_u32le(&m->b, v);
	loose(m, at);
}

static void
pair_string(struct made *m, const char *key, const char *v)
{
	string(m, key);
	cv_buf_u32le(&m->b, 8);
	string(m, v);
}

static void
tensor(struct made *m, const char *name, uint64_t n, uint32_t type, uint64_t offset)
{
	string(m, name);
	cv_buf_u32le(&m->b, 1);
	cv_buf_u64le(&m->b, n);
	cv_buf_u32le(&m->b, type);
	cv_buf_u64le(&m->b, offset);
}

static void
begin(struct made *m, uint32_t version, uint64_t tensors, uint64_t pairs)
{
	*m = (struct made){ .b = CV_BUF(1 << 20) };
	cv_buf_str(&m->b, "GGUF");
	cv_buf_u32le(&m->b, version);
	cv_buf_u64le(&m->b, tensors);
	cv_buf_u64le(&m->b, pairs);
}

static void
pad(struct made *m, size_t align)
{
	size_t at = m->b.n;

	while (m->b.n % align != 0)
		cv_buf_byte(&m->b, 0);
	loose(m, at);
}

static void
data(struct made *m, size_t n)
{
	size_t at = m->b.n;

	for (size_t i = 0; i < n; i++)
		cv_buf_byte(&m->b, 7);
	loose(m, at);
}

/* two tensors: 16 F32 (64 bytes) and 32 Q8_0 (34 bytes): no other type of the first
 * is as long with its padding */
static void
good(struct made *m)
{
	begin(m, 3, 2, 4);
	pair_string(m, "general.architecture", "llama");
	pair_u32(m, "general.alignment", 32);
	pair_loose(m, "llama.block_count", 2);
	pair_string(m, "tokenizer.chat_template", "{{ x }}");
	tensor(m, "a", 16, 0, 0);
	tensor(m, "b", 32, 8, 64);
	pad(m, 32);
	data(m, 64 + 34);
}

static void
is_good(void)
{
	struct made m;
	struct cv_gguf g;

	good(&m);
	T_INT(check(cv_buf_span(&m.b), &g, NULL), CV_R_NONE);
	T_INT(g.tensors, 2);
	T_INT(g.pairs, 4);
	T_STR(g.architecture, "llama");
	T_INT(g.chat_template.len, 7);
	T(memcmp(m.b.p + g.chat_template.off, "{{ x }}", 7) == 0);
	/* the padding of the last tensor may be there too */
	data(&m, 30);
	T_INT(check(cv_buf_span(&m.b), NULL, NULL), CV_R_NONE);
	data(&m, 1);
	T_INT(check(cv_buf_span(&m.b), NULL, NULL), CV_R_MALFORMED);
	cv_buf_free(&m.b);
}

static void
header(void)
{
	static const struct {
		uint32_t version;
		uint64_t tensors, pairs;
		enum cv_reason want;
	} t[] = {
		{ 0, 0, 1, CV_R_MALFORMED },
		{ 1, 0, 1, CV_R_UNSUPPORTED },
		{ 4, 0, 1, CV_R_UNSUPPORTED },
		{ 0x03000000, 0, 1, CV_R_UNSUPPORTED },
		{ 3, 1, 1, CV_R_MALFORMED },
		{ 3, 0, 2, CV_R_MALFORMED },
		{ 3, 0, 0, CV_R_MALFORMED },
		{ 3, UINT64_MAX, 1, CV_R_MALFORMED },
		{ 3, 0, UINT64_MAX, CV_R_MALFORMED },
		{ 3, UINT64_MAX / 33, 1, CV_R_MALFORMED },
		{ 2, 0, 1, CV_R_NONE },
		{ 3, 0, 1, CV_R_NONE },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct made m;
		enum cv_reason r;

		begin(&m, t[i].version, t[i].tensors, t[i].pairs);
		pair_string(&m, "general.architecture", "x");
		r = check(cv_buf_span(&m.b), NULL, NULL);
		if (r != t[i].want)
			t_fail(__FILE__, __LINE__, "row %zu: %s", i, cv_reason_word(r));
		cv_buf_free(&m.b);
	}
	T_INT(check(cv_span("GGUF", 4), NULL, NULL), CV_R_MALFORMED);
	T_INT(check(cv_span("GGML\3\0\0\0", 8), NULL, NULL), CV_R_MALFORMED);
}

/* one pair more than the architecture, by its raw bytes behind the key */
static void
pairs(void)
{
	static const struct {
		const char *key, *bytes;
		size_t n;
		enum cv_reason want;
	} t[] = {
		{ "k", "\x0d\0\0\0\0", 5, CV_R_MALFORMED }, /* type 13 */
		{ "k", "\7\0\0\0\2", 5, CV_R_MALFORMED },   /* bool 2 */
		{ "k", "\7\0\0\0\1", 5, CV_R_NONE },
		{ "", "\7\0\0\0\1", 5, CV_R_MALFORMED },
		{ "k k", "\7\0\0\0\1", 5, CV_R_MALFORMED },
		{ "k\xff", "\7\0\0\0\1", 5, CV_R_MALFORMED },
		{ "general.architecture", "\7\0\0\0\1", 5, CV_R_MALFORMED },
		{ "general.architecture", "\x08\0\0\0\1\0\0\0\0\0\0\0x", 13, CV_R_AMBIGUOUS },
		{ "general.alignment", "\4\0\0\0\7\0\0\0", 8, CV_R_MALFORMED },
		{ "general.alignment", "\4\0\0\0\0\0\0\0", 8, CV_R_MALFORMED },
		{ "general.alignment", "\4\0\0\0\x0c\0\0\0", 8, CV_R_MALFORMED },
		{ "general.alignment", "\5\0\0\0\x10\0\0\0", 8, CV_R_MALFORMED },
		{ "general.alignment", "\4\0\0\0\x10\0\0\0", 8, CV_R_NONE },
		{ "a.block_count", "\4\0\0\0\1\2\0\0", 8, CV_R_LIMIT },
		{ "a.block_count", "\4\0\0\0\0\2\0\0", 8, CV_R_NONE },
		{ "a.block_count", "\6\0\0\0\0\0\0\0", 8, CV_R_MALFORMED },
		{ "k", "\x08\0\0\0\xff\xff\xff\xff\0\0\0\0", 12, CV_R_LIMIT },
		{ "k", "\x08\0\0\0\5\0\0\0\0\0\0\0abcd", 16, CV_R_MALFORMED },
		{ "k", "\x09\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0", 16, CV_R_MALFORMED },
		{ "k", "\x09\0\0\0\x0d\0\0\0\0\0\0\0\0\0\0\0", 16, CV_R_MALFORMED },
		{ "k", "\x09\0\0\0\4\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16, CV_R_LIMIT },
		{ "k", "\x09\0\0\0\4\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0", 20, CV_R_MALFORMED },
		{ "k", "\x09\0\0\0\4\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0", 20, CV_R_NONE },
		{ "k", "\x09\0\0\0\7\0\0\0\1\0\0\0\0\0\0\0\2", 17, CV_R_MALFORMED },
		{ "tokenizer.ggml.tokens", "\x09\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0", 16,
		  CV_R_MALFORMED },
		{ "tokenizer.ggml.scores", "\x09\0\0\0\6\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 20,
		  CV_R_MALFORMED }, /* scores without tokens */
		{ "tokenizer.chat_template", "\7\0\0\0\1", 5, CV_R_MALFORMED },
		{ "split.count", "\x08\0\0\0\1\0\0\0\0\0\0\0x", 13, CV_R_MALFORMED },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct made m;
		char text[CV_ERR_TEXT];
		enum cv_reason r;

		begin(&m, 3, 0, 2);
		pair_string(&m, "general.architecture", "x");
		string(&m, t[i].key);
		cv_buf_add(&m.b, t[i].bytes, t[i].n);
		r = check(cv_buf_span(&m.b), NULL, text);
		if (r != t[i].want)
			t_fail(__FILE__, __LINE__, "row %zu, %s: %s (%s), want %s", i, t[i].key,
			       cv_reason_word(r), text, cv_reason_word(t[i].want));
		cv_buf_free(&m.b);
	}
}

/* one tensor info by its raw bytes behind the name, and some data */
static void
tensors(void)
{
	static const struct {
		const char *name;
		uint32_t dims;
		uint64_t ne[4];
		uint32_t type;
		uint64_t offset;
		size_t data;
		enum cv_reason want;
	} t[] = {
		{ "", 1, { 8 }, 0, 0, 32, CV_R_MALFORMED },
		{ "a\n", 1, { 8 }, 0, 0, 32, CV_R_MALFORMED },
		{ "a\xff", 1, { 8 }, 0, 0, 32, CV_R_MALFORMED },
		{ "0123456789012345678901234567890123456789012345678901234567890123",
		  1,
		  { 8 },
		  0,
		  0,
		  32,
		  CV_R_MALFORMED },
		{ "a", 0, { 0 }, 0, 0, 0, CV_R_MALFORMED },
		{ "a", 5, { 1 }, 0, 0, 32, CV_R_MALFORMED },
		{ "a", 1, { 0 }, 0, 0, 0, CV_R_MALFORMED },
		{ "a", 1, { 8 }, 4, 0, 32, CV_R_MALFORMED },  /* Q4_2: removed */
		{ "a", 1, { 8 }, 31, 0, 32, CV_R_MALFORMED }, /* removed */
		{ "a", 1, { 8 }, 99, 0, 32, CV_R_UNSUPPORTED },
		{ "a", 1, { 8 }, 8, 0, 34, CV_R_MALFORMED },  /* a quarter of a block */
		{ "a", 1, { 8 }, 0, 32, 64, CV_R_MALFORMED }, /* a hole */
		{ "a", 1, { 8 }, 0, 1, 33, CV_R_MALFORMED },
		{ "a", 1, { 9 }, 0, 0, 32, CV_R_MALFORMED }, /* cut short */
		{ "a", 1, { 8 }, 0, 0, 33, CV_R_MALFORMED }, /* a byte of nobody */
		{ "a", 2, { 1ull << 32, 1ull << 32 }, 0, 0, 0, CV_R_MALFORMED },
		{ "a", 4, { 1ull << 62, 2, 2, 1 }, 0, 0, 0, CV_R_MALFORMED },
		{ "a", 1, { UINT64_MAX }, 0, 0, 0, CV_R_MALFORMED },
		{ "a", 1, { 8 }, 0, 0, 32, CV_R_NONE },
		{ "a", 4, { 2, 2, 2, 1 }, 0, 0, 32, CV_R_NONE },
		{ "a", 1, { 64 }, 2, 0, 36, CV_R_NONE },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct made m;
		char text[CV_ERR_TEXT];
		enum cv_reason r;

		begin(&m, 3, 1, 1);
		pair_string(&m, "general.architecture", "x");
		string(&m, t[i].name);
		cv_buf_u32le(&m.b, t[i].dims);
		for (size_t k = 0; k < t[i].dims && k < 4; k++)
			cv_buf_u64le(&m.b, t[i].ne[k]);
		cv_buf_u32le(&m.b, t[i].type);
		cv_buf_u64le(&m.b, t[i].offset);
		pad(&m, 32);
		data(&m, t[i].data);
		r = check(cv_buf_span(&m.b), NULL, text);
		if (r != t[i].want)
			t_fail(__FILE__, __LINE__, "row %zu: %s (%s), want %s", i,
			       cv_reason_word(r), text, cv_reason_word(t[i].want));
		cv_buf_free(&m.b);
	}
}

static void
two_tensors(void)
{
	struct made m;

	begin(&m, 3, 2, 1);
	pair_string(&m, "general.architecture", "x");
	tensor(&m, "a", 8, 0, 0);
	tensor(&m, "a", 8, 0, 32);
	pad(&m, 32);
	data(&m, 64);
	T_INT(check(cv_buf_span(&m.b), NULL, NULL), CV_R_AMBIGUOUS);
	cv_buf_free(&m.b);
	begin(&m, 3, 2, 1);
	pair_string(&m, "general.architecture", "x");
	tensor(&m, "a", 8, 0, 0);
	tensor(&m, "b", 8, 0, 0);
	pad(&m, 32);
	data(&m, 32);
	T_INT(check(cv_buf_span(&m.b), NULL, NULL), CV_R_MALFORMED);
	cv_buf_free(&m.b);
}

/* Whatever is cut, or flipped in what is not a name, a text, padding or data, is
 * noticed. */
static void
sweep(void)
{
	struct made m;
	unsigned passed = 0;

	good(&m);
	for (size_t n = 0; n < m.b.n; n++)
		T(check(cv_span(m.b.p, n), NULL, NULL) != CV_R_NONE);
	for (size_t i = 0; i < m.b.n * 8; i++) {
		enum cv_reason r;

		m.b.p[i / 8] ^= (uint8_t)(1u << i % 8);
		r = check(cv_buf_span(&m.b), NULL, NULL);
		passed += r == CV_R_NONE;
		if (r == CV_R_NONE && !m.loose[i / 8] && i != 4 * 8) /* version 2 */
			t_fail(__FILE__, __LINE__, "byte %zu, bit %zu: taken", i / 8, i % 8);
		m.b.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	printf("# %zu bits flipped, %u files still well-formed (names, texts, data)\n", m.b.n * 8,
	       passed);
	cv_buf_free(&m.b);
}

static void
part_names(void)
{
	T(cv_gguf_part_name("m-00001-of-00003.gguf", 1, 3));
	T(!cv_gguf_part_name("m-00001-of-00003.gguf", 2, 3));
	T(!cv_gguf_part_name("m-1-of-3.gguf", 1, 3));
	T(!cv_gguf_part_name("00001-of-00003.gguf", 1, 3));
	T(!cv_gguf_part_name("", 1, 3));
}

static const struct t_case cases[] = {
	{ "is_good", is_good },       { "header", header },           { "pairs", pairs },
	{ "tensors", tensors },       { "two_tensors", two_tensors }, { "sweep", sweep },
	{ "part_names", part_names },
};

T_MAIN(cases)
