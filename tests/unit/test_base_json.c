/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON door: what it refuses and where, limits, places, typed reading. */
#include "tests/support/t.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"

#include <stdlib.h>

static int
parse(struct cv_jdoc **doc, struct cv_span text, unsigned flags, struct cv_err *e)
{
	return cv_json_parse(doc, "f.json", text, flags, e);
}

struct no_case {
	const char *text;
	unsigned flags;
	const char *want; /* of the complaint, after "f.json:" */
};

static void
refuse(const struct no_case *c, size_t n, enum cv_reason reason)
{
	struct cv_jdoc *doc = NULL;
	struct cv_err e;
	char want[200];

	for (size_t i = 0; i < n; i++) {
		e.reason = CV_R_NONE;
		if (parse(&doc, cv_span_str(c[i].text), c[i].flags, &e) == 0) {
			cv_json_free(&doc);
			t_fail(__FILE__, __LINE__, "accepted: %s", c[i].text);
		}
		if (e.reason != reason)
			t_fail(__FILE__, __LINE__, "%s: %s", c[i].text, e.text);
		snprintf(want, sizeof(want), "f.json:%s", c[i].want);
		if (strncmp(e.text, want, strlen(want)) != 0)
			t_fail(__FILE__, __LINE__, "\"%s\", want \"%s\"", e.text, want);
		T(doc == NULL);
	}
}

static void
structure_is_strict(void)
{
	static const struct no_case c[] = {
		{ "", 0, "1:1: found the end of the text, want a value" },
		{ " \n ", 0, "2:2: found the end of the text" },
		{ "[", 0, "1:2: found the end of the text, want a value" },
		{ "[1", 0, "1:3: found the end of the text, want ',' or ']'" },
		{ "[1,", 0, "1:4: found the end of the text, want a value" },
		{ "[1 2]", 0, "1:4: found '2', want ',' or ']'" },
		{ "[1}", 0, "1:3: found '}', want ',' or ']'" },
		{ "[,1]", 0, "1:2: found ',', want a value" },
		{ "[1,,2]", 0, "1:4: found ',', want a value" },
		{ "[1,]", 0, "1:3: found a trailing comma, want none: this file is strict JSON" },
		{ "]", 0, "1:1: found ']', want a value" },
		{ "{", 0, "1:2: found the end of the text, want a key in double quotes" },
		{ "{\"a\"", 0, "1:5: found the end of the text, want ':' after the key" },
		{ "{\"a\":", 0, "1:6: found the end of the text, want a value" },
		{ "{\"a\":1", 0, "1:7: found the end of the text, want ',' or '}'" },
		{ "{\"a\":1]", 0, "1:7: found ']', want ',' or '}'" },
		{ "{\"a\" 1}", 0, "1:6: found '1', want ':' after the key" },
		{ "{\"a\":1,}", 0, "1:7: found a trailing comma" },
		{ "{,}", 0, "1:2: found ',', want a key in double quotes" },
		{ "{a:1}", 0, "1:2: found 'a', want a key in double quotes" },
		{ "{'a':1}", 0, "1:2: found ''', want a key in double quotes" },
		{ "{1:1}", 0, "1:2: found '1', want a key in double quotes" },
		{ "{\"a\":1 \"b\":2}", 0, "1:8: found '\"', want ',' or '}'" },
		{ "1 2", 0, "1:3: found '2', want nothing after the value" },
		{ "{}\n\n x", 0, "3:2: found 'x', want nothing after the value" },
		{ "{}}", 0, "1:3: found '}', want nothing after the value" },
		{ "True", 0, "1:1: found 'True', want a value" },
		{ "tru", 0, "1:1: found 'tru', want a value" },
		{ "truely", 0, "1:5: found 'ly', want nothing after the value" },
		{ "nul", 0, "1:1: found 'nul'" },
		{ "undefined", 0, "1:1: found 'undefined'" },
		{ "NaN", CV_JSON_REALS, "1:1: found 'NaN'" },
		{ "Infinity", CV_JSON_REALS, "1:1: found 'Infinity'" },
		{ "[\f]", 0, "1:2: found '\\x0c', want a value" },
		{ "[\v1]", 0, "1:2: found '\\x0b', want a value" },
		{ "[\xc2\xa0" "1]", 0, "1:2: found '\xc2\xa0', want a value" },
		{ "\xef\xbb\xbf{}", 0, "1:1: found a byte order mark, want UTF-8 without one" },
		{ "\xef\xbb\xbf{}", CV_JSON_HUMAN, "1:1: found a byte order mark" },
		{ "[\"\xc3\xa9\xc3\xa9\", \xff]", 0, "1:8: found byte 0xff, which is not UTF-8 here" },
		{ "\n[\"\xed\xa0\x80\"]", 0, "2:3: found byte 0xed" },
		{ "[\"\xc0\xaf\"]", 0, "1:3: found byte 0xc0" },
		{ "[\"\xf4\x90\x80\x80\"]", 0, "1:3: found byte 0xf4" } };
	struct cv_jdoc *doc = NULL;
	struct cv_err e;

	refuse(c, CV_COUNT(c), CV_R_MALFORMED);
	T_NO(parse(&doc, cv_span("[\0]", 3), 0, &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "f.json:1:2: found '\\x00'");
	T_NO(parse(&doc, cv_span("{}\0", 3), 0, &e), e, CV_R_MALFORMED);
	T_NO(parse(&doc, (struct cv_span){ .bad = true }, 0, &e), e, CV_R_BUG);
}

static void
comments_only_for_people(void)
{
	static const struct no_case strict[] = {
		{ "// x\n{}", 0, "1:1: found a comment, want none: this file is strict JSON" },
		{ "{} /* x */", 0, "1:4: found a comment, want none" },
		{ "[1 / 2]", 0, "1:4: found '/', want ',' or ']'" },
		{ "/", 0, "1:1: found '/', want a value" } };
	static const struct no_case human[] = {
		{ "[1]\n/* x", CV_JSON_HUMAN, "2:1: found a comment without an end, want */" },
		{ "/* x *", CV_JSON_HUMAN, "1:1: found a comment without an end" },
		{ "/*/", CV_JSON_HUMAN, "1:1: found a comment without an end" },
		{ "/", CV_JSON_HUMAN, "1:1: found '/', want a value or a comment" },
		{ "[1 / 2]", CV_JSON_HUMAN, "1:4: found '/', want a value or a comment" },
		{ "// only", CV_JSON_HUMAN, "1:8: found the end of the text" },
		{ "# x\n{}", CV_JSON_HUMAN, "1:1: found '#', want a value" },
		{ "[1,,]", CV_JSON_HUMAN, "1:4: found ',', want a value" },
		{ "[,]", CV_JSON_HUMAN, "1:2: found ',', want a value" },
		{ "{,}", CV_JSON_HUMAN, "1:2: found ',', want a key" },
		{ "[1],", CV_JSON_HUMAN, "1:4: found ',', want nothing after the value" },
		{ "{\"a\":,}", CV_JSON_HUMAN, "1:6: found ',', want a value" } };
	static const char text[] = "// one\n{ /* two */ \"a\" /**/ : [1, /* , */ 2, // x\n ],\n"
				   " \"b\": \"// no /* comment */\", /***/ }\n// end";
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const char *s;
	struct cv_err e;

	refuse(strict, CV_COUNT(strict), CV_R_MALFORMED);
	refuse(human, CV_COUNT(human), CV_R_MALFORMED);
	T_OK(parse(&doc, cv_span_str(text), CV_JSON_HUMAN, &e), e);
	T_INT(cv_jv_len(cv_json_root(doc)), 2);
	T_INT(cv_jv_len(cv_jv_get(cv_json_root(doc), "a")), 2);
	T_OK(cv_jv_str(cv_jv_get(cv_json_root(doc), "b"), &s, &e), e);
	T_STR(s, "// no /* comment */");
}

static void
strings_are_strict(void)
{
	static const struct no_case c[] = {
		{ "[\"a", 0, "1:2: found a string without an end, want a closing quote" },
		{ "[\"a\\\"]", 0, "1:2: found a string without an end" },
		{ "[\"a\nb\"]", 0, "1:4: found control character 0x0a in a string, want \\u000a" },
		{ "[\"\x1f\"]", 0, "1:3: found control character 0x1f" },
		{ "[\"\\", 0, "1:3: found an unknown escape" },
		{ "[\"\\x41\"]", 0, "1:3: found an unknown escape, want one of" },
		{ "[\"\\'\"]", 0, "1:3: found an unknown escape" },
		{ "[\"\\U0041\"]", 0, "1:3: found an unknown escape" },
		{ "[\"ab\\u12\"]", 0, "1:5: found a broken \\u escape, want four hex digits" },
		{ "[\"\\u12g4\"]", 0, "1:3: found a broken \\u escape" },
		{ "[\"\\u", 0, "1:3: found a broken \\u escape" },
		{ "[\"\\u+123\"]", 0, "1:3: found a broken \\u escape" },
		{ "[\"a\\u0000b\"]", 0, "1:4: found \\u0000, want text without NUL" },
		{ "{\"a\\u0000b\":1}", 0, "1:4: found \\u0000, want text without NUL" },
		{ "[\"\\ud800\"]", 0, "1:3: found a lone high surrogate \\ud800, want a pair" },
		{ "[\"\\ud800x\"]", 0, "1:3: found a lone high surrogate" },
		{ "[\"\\ud800\\n\"]", 0, "1:3: found a lone high surrogate" },
		{ "[\"\\ud800\\u0041\"]", 0, "1:3: found a lone high surrogate" },
		{ "[\"\\ud800\\ud800\"]", 0, "1:3: found a lone high surrogate" },
		{ "[\"\\udc00\"]", 0, "1:3: found a lone low surrogate \\udc00, want a pair" },
		{ "[\"\\udfff\\ud800\"]", 0, "1:3: found a lone low surrogate" },
		{ "['a']", 0, "1:2: found '''" } };
	static const char text[] = "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\x7f"
				   "\xc3\xa9\xf0\x9f\x98\x80\"]";
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const char *s;
	struct cv_err e;

	refuse(c, CV_COUNT(c), CV_R_MALFORMED);
	T_OK(parse(&doc, cv_span_str(text), 0, &e), e);
	T_OK(cv_jv_str(cv_jv_at(cv_json_root(doc), 0), &s, &e), e);
	T_STR(s, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\xc3\xa9\xf0\x9f\x98\x80");
	T_STR(json_string_value(cv_jv_json(cv_jv_at(cv_json_root(doc), 0))), s);
}

static void
numbers_are_strict(void)
{
	static const struct no_case c[] = {
		{ "[01]", 0, "1:2: found a number with a leading zero, want none" },
		{ "[-01]", 0, "1:2: found a number with a leading zero" },
		{ "[00]", 0, "1:2: found a number with a leading zero" },
		{ "[-]", 0, "1:2: found '-' without digits, want a number" },
		{ "[+1]", 0, "1:2: found '+', want a value" },
		{ "[.5]", CV_JSON_REALS, "1:2: found '.', want a value" },
		{ "[5.]", CV_JSON_REALS, "1:2: found a number without digits after its point" },
		{ "[5.e1]", CV_JSON_REALS, "1:2: found a number without digits after its point" },
		{ "[1e]", CV_JSON_REALS, "1:2: found a number without digits in its exponent" },
		{ "[1e+]", CV_JSON_REALS, "1:2: found a number without digits in its exponent" },
		{ "[1.5]", 0, "1:2: found a number with fraction or exponent, want an integer" },
		{ "[1e2]", 0, "1:2: found a number with fraction or exponent, want an integer" },
		{ "[1E0]", 0, "1:2: found a number with fraction or exponent, want an integer" },
		{ "[-0.0]", 0, "1:2: found a number with fraction or exponent, want an integer" },
		{ "[1e400]", CV_JSON_REALS, "1:2: found a number too large for a double" },
		{ "[-1e400]", CV_JSON_REALS, "1:2: found a number too large for a double" },
		{ "[0x10]", 0, "1:3: found 'x', want ',' or ']'" },
		{ "[1_000]", 0, "1:3: found '_', want" },
		{ "[9223372036854775808]", 0,
		  "1:2: found an integer out of range, want -9223372036854775808 to "
		  "9223372036854775807" },
		{ "[-9223372036854775809]", 0, "1:2: found an integer out of range" },
		{ "[18446744073709551616]", 0, "1:2: found an integer out of range" },
		{ "[100000000000000000000000000000]", CV_JSON_REALS,
		  "1:2: found an integer out of range" } };
	static const char text[] = "[9223372036854775807,-9223372036854775808,0,-0,-1,1.5,-2e3,1e-400]";
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root;
	uint64_t u = 5;
	struct cv_err e;

	refuse(c, CV_COUNT(c), CV_R_MALFORMED);
	T_OK(parse(&doc, cv_span_str(text), CV_JSON_REALS, &e), e);
	root = cv_json_root(doc);
	T_OK(cv_jv_u64(cv_jv_at(root, 0), UINT64_MAX, &u, &e), e);
	T(u == INT64_MAX);
	T(json_integer_value(cv_jv_json(cv_jv_at(root, 1))) == INT64_MIN);
	T_OK(cv_jv_u64(cv_jv_at(root, 3), 0, &u, &e), e); /* -0 is the integer 0 */
	T_INT(u, 0);
	T_NO(cv_jv_u64(cv_jv_at(root, 4), UINT64_MAX, &u, &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "found -1, want an integer from 0 to 18446744073709551615");
	T_NO(cv_jv_u64(cv_jv_at(root, 5), UINT64_MAX, &u, &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "found a real number, want an integer");
	T_INT(cv_jv_type(cv_jv_at(root, 6)), CV_J_REAL);
	T(json_real_value(cv_jv_json(cv_jv_at(root, 6))) == -2000.0);
	T(json_real_value(cv_jv_json(cv_jv_at(root, 7))) == 0.0);
}

static void
duplicate_keys_name_both_places(void)
{
	static const struct no_case c[] = {
		{ "{\"a\":1,\n \"b\":2, \"a\":3}", 0,
		  "2:9: found key \"a\" twice, first at 1:2, want it once" },
		{ "{\"a\":1,\"\\u0061\":3}", 0, "1:8: found key \"a\" twice, first at 1:2" },
		{ "{\"\":1,\"\":1}", 0, "1:7: found key \"\" twice, first at 1:2" },
		{ "[{\"x\":{\"k\":[],\"k\":{}}}]", 0, "1:15: found key \"k\" twice, first at 1:8" },
		{ "{\"a\":{\"a\":1},\"a\":1}", 0, "1:14: found key \"a\" twice, first at 1:2" },
		{ "{\"layers\":1,\"Layers\":2}", CV_JSON_FOLD_KEYS,
		  "1:13: found key \"Layers\", which but for case is \"layers\" at 1:2; want one of" },
		/* more than are compared each with each */
		{ "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"c\":0,"
		  "\"a\":0}", 0, "1:56: found key \"c\" twice, first at 1:14" },
		{ "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"C\":0}",
		  CV_JSON_FOLD_KEYS, "1:56: found key \"C\", which but for case is \"c\" at 1:14" } };
	static const char *const yes[] = {
		"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", "[{\"a\":1},{\"a\":1}]",
		"{\"a\":1,\"A\":2}",
		"{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"C\":0,\"ab\":0}" };
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_err e;

	refuse(c, CV_COUNT(c), CV_R_AMBIGUOUS);
	for (size_t i = 0; i < CV_COUNT(yes); i++) {
		T_OK(parse(&doc, cv_span_str(yes[i]), 0, &e), e);
		cv_json_free(&doc);
	}
	/* only ASCII letters fold */
	T_OK(parse(&doc, cv_span_str("{\"\xc3\xa9\":1,\"\xc3\x89\":2,\"[\":1,\"{\":2}"),
		   CV_JSON_FOLD_KEYS, &e), e);
}

/* ---- limits: each at its maximum, and one more ---- */

static void
depth_is_limited(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	char text[2 * CV_MAX_JSON_DEPTH + 3];
	struct cv_err e;

	for (size_t n = CV_MAX_JSON_DEPTH; n <= CV_MAX_JSON_DEPTH + 1; n++) {
		memset(text, '[', n);
		memset(text + n, ']', n);
		if (n == CV_MAX_JSON_DEPTH) {
			T_OK(parse(&doc, cv_span(text, 2 * n), 0, &e), e);
			continue;
		}
		cv_json_free(&doc);
		T_NO(parse(&doc, cv_span(text, 2 * n), 0, &e), e, CV_R_LIMIT);
		T_STR(e.text, "f.json:1:65: found more than 64 levels of nesting, the most accepted");
	}
}

static void
nodes_are_limited(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_err e;

	cv_buf_byte(&b, '[');
	for (int i = 1; i < CV_MAX_JSON_NODES; i++) /* the array is one as well */
		cv_buf_str(&b, i == 1 ? "1" : ",1");
	cv_buf_byte(&b, ']');
	T_OK(parse(&doc, cv_buf_span(&b), 0, &e), e);
	T_INT(cv_jv_len(cv_json_root(doc)), CV_MAX_JSON_NODES - 1);
	cv_json_free(&doc);
	b.n--;
	cv_buf_str(&b, ",1]");
	T_NO(parse(&doc, cv_buf_span(&b), 0, &e), e, CV_R_LIMIT);
	T_HAS(e.text, "found more than 400000 values, the most accepted");
	T_OK(parse(&doc, cv_buf_span(&b), CV_JSON_LARGE, &e), e);
}

static void
strings_are_limited(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	size_t n = CV_MAX_JSON_STRING;
	char *text = malloc(n + 3);
	struct cv_err e;
	int rc;

	T(text != NULL);
	memset(text, 'x', n + 3);
	text[0] = text[n + 1] = '"';
	T_OK(parse(&doc, cv_span(text, n + 2), 0, &e), e);
	cv_json_free(&doc);
	text[n + 1] = 'x';
	text[n + 2] = '"';
	rc = parse(&doc, cv_span(text, n + 3), 0, &e);
	free(text);
	T_INT(rc, -1);
	T_INT(e.reason, CV_R_LIMIT);
	T_STR(e.text, "f.json:1:1: found a string of more than 1048576 bytes, the most accepted");
}

static void
size_is_limited(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	size_t n = CV_MAX_JSON_DOM;
	char *text = malloc(n + 1);
	struct cv_err e;
	int rc;

	T(text != NULL);
	memset(text, ' ', n + 1);
	text[0] = '0';
	T_OK(parse(&doc, cv_span(text, n), 0, &e), e);
	cv_json_free(&doc);
	rc = parse(&doc, cv_span(text, n + 1), 0, &e);
	T_INT(rc, -1);
	T_INT(e.reason, CV_R_LIMIT);
	T_STR(e.text, "f.json:1:1: found 4194305 bytes, at most 4194304 are accepted");
	rc = parse(&doc, cv_span(text, n + 1), CV_JSON_LARGE, &e);
	free(text);
	T_INT(rc, 0);
}

static void
large_is_limited(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	size_t n = CV_MAX_JSON_LARGE;
	char *text = malloc(n + 1);
	struct cv_err e;
	int rc;

	T(text != NULL);
	memset(text, ' ', n + 1);
	text[0] = '0';
	rc = parse(&doc, cv_span(text, n + 1), CV_JSON_LARGE, &e);
	free(text);
	T_INT(rc, -1);
	T_STR(e.text, "f.json:1:1: found 16777217 bytes, at most 16777216 are accepted");
}

static void
a_long_number_is_refused(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	char text[500];
	struct cv_err e;

	memset(text, '1', sizeof(text));
	text[1] = '.';
	T_OK(parse(&doc, cv_span(text, 400), CV_JSON_REALS, &e), e);
	cv_json_free(&doc);
	T_NO(parse(&doc, cv_span(text, 401), CV_JSON_REALS, &e), e, CV_R_LIMIT);
}

/* An object with all the nodes there can be, in an order that is bad for naive
 * sorting, and keys that share long beginnings: not a matter of seconds. */
static void
many_keys_are_no_trouble(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_err e;

	cv_buf_byte(&b, '{');
	for (unsigned i = 0; i < 200000; i++)
		cv_buf_fmt(&b, "%s\"kkkkkk%06x\":1", i == 0 ? "" : ",", 200000 - i);
	cv_buf_byte(&b, '}');
	T_OK(parse(&doc, cv_buf_span(&b), CV_JSON_FOLD_KEYS, &e), e);
	T_INT(cv_jv_len(cv_json_root(doc)), 200000);
	T_STR(cv_jv_key(cv_jv_at(cv_json_root(doc), 199999)), "kkkkkk000001");
	cv_json_free(&doc);
	b.n--;
	cv_buf_str(&b, ",\"kkkkkk000001\":1}");
	T_NO(parse(&doc, cv_buf_span(&b), 0, &e), e, CV_R_AMBIGUOUS);
	T_HAS(e.text, "found key \"kkkkkk000001\" twice, first at 1:");
}

/* ---- the way about ---- */

static void
values_have_places(void)
{
	static const char text[] = "{\n  \"\xc3\xa9\xc3\xa9\": [true, \"x\"],\n\t\"b\" : null}";
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root, a, x, b;
	struct cv_jpos pos;
	struct cv_err e;

	T_OK(parse(&doc, cv_span_str(text), 0, &e), e);
	T_STR(cv_json_name(doc), "f.json");
	root = cv_json_root(doc);
	a = cv_jv_first(root);
	x = cv_jv_at(a, 1);
	b = cv_jv_next(a);
	pos = cv_jv_pos(root);
	T(pos.line == 1 && pos.column == 1 && pos.start == 0 && pos.end == sizeof(text) - 1);
	pos = cv_jv_key_pos(a);
	T(pos.line == 2 && pos.column == 3);
	pos = cv_jv_pos(a);
	T(pos.line == 2 && pos.column == 9); /* code points, not bytes */
	T(strncmp(text + pos.start, "[true, \"x\"]", pos.end - pos.start) == 0);
	T_INT(pos.end - pos.start, 11);
	pos = cv_jv_pos(x);
	T(pos.line == 2 && pos.column == 16);
	T(strncmp(text + pos.start, "\"x\"", pos.end - pos.start) == 0);
	pos = cv_jv_key_pos(b);
	T(pos.line == 3 && pos.column == 2);
	pos = cv_jv_key_pos(x); /* no member: its own place */
	T(pos.line == 2 && pos.column == 16);
	T_INT(cv_jv_fail(b, &e, CV_R_RULE, "no %s", "good"), -1);
	T_STR(e.text, "f.json:3:8: no good");
	T_INT(e.reason, CV_R_RULE);
}

static void
places_hold_far_into_a_text(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_err e;
	struct cv_jv v;
	unsigned i = 0;

	cv_buf_byte(&b, '[');
	for (; i < 3000; i++)
		cv_buf_fmt(&b, "%s\"\xe2\x82\xac\", %u", i == 0 ? "" : i % 7 == 0 ? ",\n " : ", ", i);
	cv_buf_byte(&b, ']');
	T_OK(parse(&doc, cv_buf_span(&b), 0, &e), e);
	i = 0;
	for (v = cv_jv_first(cv_json_root(doc)); !v.absent; v = cv_jv_next(v), i++) {
		struct cv_jpos pos = cv_jv_pos(v);
		unsigned line = 1, column = 1;

		for (size_t k = 0; k < pos.start; k++) {
			column += (b.p[k] & 0xc0) != 0x80;
			if (b.p[k] == '\n') {
				line++;
				column = 1;
			}
		}
		T_INT(pos.line, line);
		T_INT(pos.column, column);
	}
	T_INT(i, 6000);
}

static void
what_is_absent_stays_absent(void)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root, none = { .absent = true };
	const char *s = "old";
	bool yes = true;
	uint64_t u;
	size_t w;
	static const char *const words[] = { "a", NULL };
	struct cv_err e;

	T_OK(parse(&doc, cv_span_str("{\n\"a\":[],\"b\":{},\"n\":null,\"s\":\"\"}"), 0, &e), e);
	root = cv_json_root(doc);
	T_INT(cv_jv_type(none), CV_J_ABSENT);
	T(cv_jv_json(none) == NULL);
	T(cv_jv_get(none, "a").absent && cv_jv_first(none).absent && cv_jv_next(none).absent);
	T(cv_jv_at(none, 0).absent && cv_jv_len(none) == 0);
	T_STR(cv_jv_key(none), "");
	T_INT(cv_jv_pos(none).line, 1);
	T_NO(cv_jv_str(none, &s, &e), e, CV_R_MALFORMED);
	T_INT(cv_jv_fail(none, &e, CV_R_RULE, "x"), -1);
	T(cv_jv_has(root, "n") && !cv_jv_has(root, "z"));
	T(cv_jv_get(root, "z").absent && cv_jv_get(cv_jv_get(root, "z"), "y").absent);
	T(cv_jv_first(cv_jv_get(root, "a")).absent && cv_jv_first(cv_jv_get(root, "b")).absent);
	T(cv_jv_at(cv_jv_get(root, "a"), 0).absent && cv_jv_at(root, 4).absent);
	T(cv_jv_get(cv_jv_get(root, "n"), "x").absent);
	T(cv_jv_next(root).absent);

	/* each typed reader says what it looked for, and leaves its answer alone */
	T_NO(cv_jv_str(cv_jv_get(root, "z"), &s, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:1:1: found no \"z\", want a string");
	T_NO(cv_jv_str(cv_jv_get(cv_jv_get(root, "z"), "y"), &s, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:1:1: found no \"z\", want a string");
	T_NO(cv_jv_str(cv_jv_get(cv_jv_get(root, "a"), "y"), &s, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:2:5: found an array, want an object with \"y\", a string");
	T_NO(cv_jv_text(cv_jv_get(root, "n"), &s, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:2:19: \"n\" is null, want a string");
	T_NO(cv_jv_str(cv_jv_get(root, "s"), &s, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:2:28: \"s\" is an empty string, want at least one character");
	T_STR(s, "old");
	T_OK(cv_jv_text(cv_jv_get(root, "s"), &s, &e), e);
	T_STR(s, "");
	T_NO(cv_jv_u64(cv_jv_get(root, "z"), 1, &u, &e), e, CV_R_MALFORMED);
	T_NO(cv_jv_u64(cv_jv_get(root, "n"), 1, &u, &e), e, CV_R_MALFORMED);
	T_NO(cv_jv_bool(cv_jv_get(root, "z"), &yes, &e), e, CV_R_MALFORMED);
	T_NO(cv_jv_bool(cv_jv_get(root, "n"), &yes, &e), e, CV_R_MALFORMED);
	T(yes);
	T_NO(cv_jv_choice(cv_jv_get(root, "z"), words, &w, &e), e, CV_R_MALFORMED);
	T_NO(cv_jv_keys(cv_jv_get(root, "z"), words, &e), e, CV_R_MALFORMED);
	T_NO(cv_jv_keys(cv_jv_get(root, "a"), words, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:2:5: \"a\" is an array, want an object");
	T_NO(cv_jv_want(cv_jv_get(root, "a"), CV_J_OBJECT, &e), e, CV_R_MALFORMED);
	T_NO(cv_jv_want(root, (enum cv_jtype)99, &e), e, CV_R_BUG);
	T_OK(cv_jv_want(cv_jv_get(root, "z"), CV_J_ABSENT, &e), e);
	T_OK(cv_jv_want(root, CV_J_OBJECT, &e), e);
	T_STR(cv_jv_type_word(cv_jv_get(root, "z")), "nothing");
}

static void
unknown_keys_get_a_guess(void)
{
	static const char *const allowed[] = { "schema", "identity", "artifacts", NULL };
	static const char *const nothing[] = { NULL };
	static const char *const words[] = { "signed", "endorsed", "pinned", NULL };
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root;
	size_t which = 9;
	struct cv_err e;

	T_OK(parse(&doc, cv_span_str("{\"$comment\":1,\"$schema\":1,\"x-any\":1,\"identity\":\"sgined\""
				     "}"), 0, &e), e);
	root = cv_json_root(doc);
	T_OK(cv_jv_keys(root, allowed, &e), e);
	T_NO(cv_jv_keys(root, nothing, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:1:37: unknown key \"identity\", want none");
	T_NO(cv_jv_choice(cv_jv_get(root, "identity"), words, &which, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:1:48: \"identity\" is \"sgined\", want one of signed, endorsed, pinned; "
		      "did you mean \"signed\"?");
	T_INT(which, 9);
	cv_json_free(&doc);
	T_OK(parse(&doc, cv_span_str("{\n  \"indentity\": \"pinned\"}"), 0, &e), e);
	root = cv_json_root(doc);
	T_NO(cv_jv_keys(root, allowed, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:2:3: unknown key \"indentity\", want one of schema, identity, artifacts; "
		      "did you mean \"identity\"?");
	T_OK(cv_jv_choice(cv_jv_first(root), words, &which, &e), e);
	T_INT(which, 2);
	cv_json_free(&doc);
	T_OK(parse(&doc, cv_span_str("{\"a\\nb\":1}"), 0, &e), e);
	T_NO(cv_jv_keys(cv_json_root(doc), allowed, &e), e, CV_R_MALFORMED);
	T_STR(e.text, "f.json:1:2: unknown key \"a\\x0ab\", want one of schema, identity, artifacts");
}

static void
near_words(void)
{
	static const char *const words[] = { "id", "image", "identity", "endorsed", "key", NULL };
	static const struct {
		const char *word, *near;
	} c[] = { { "imgae", "image" },	   { "imag", "image" },	  { "images", "image" },
		  { "Image", "image" },	   { "IMAGE", "image" },  { "iamgee", "image" },
		  { "ids", "id" },	   { "kye", "key" },	  { "ky", "key" },
		  { "indentity", "identity" },
		  { "xyz", NULL },	   { "", NULL },	  { "i", NULL },
		  { "k", NULL },	   { "imxxx", NULL },	  { "endoxxed", "endorsed" },
		  { "endoxxxd", NULL },	   { "a-very-long-word-that-is-longer-than-any-key-we-know", NULL } };

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		const char *near = cv_word_near(c[i].word, words);

		T_STR(near == NULL ? "(none)" : near, c[i].near == NULL ? "(none)" : c[i].near);
	}
}

static void
long_lists_of_words_are_cut_but_the_guess_stays(void)
{
	static char names[200][24];
	const char *words[201];
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_err e;

	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "candidate%03d", i);
		words[i] = names[i];
	}
	words[200] = NULL;
	T_OK(parse(&doc, cv_span_str("{\"candidat199\":1}"), 0, &e), e);
	T_NO(cv_jv_keys(cv_json_root(doc), words, &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "...; did you mean \"candidate199\"?");
}

static const struct t_case cases[] = {
	{ "structure is strict", structure_is_strict },
	{ "comments only for people", comments_only_for_people },
	{ "strings are strict", strings_are_strict },
	{ "numbers are strict", numbers_are_strict },
	{ "duplicate keys name both places", duplicate_keys_name_both_places },
	{ "depth is limited", depth_is_limited },
	{ "nodes are limited", nodes_are_limited },
	{ "strings are limited", strings_are_limited },
	{ "size is limited", size_is_limited },
	{ "large is limited", large_is_limited },
	{ "a long number is refused", a_long_number_is_refused },
	{ "many keys are no trouble", many_keys_are_no_trouble },
	{ "values have places", values_have_places },
	{ "places hold far into a text", places_hold_far_into_a_text },
	{ "what is absent stays absent", what_is_absent_stays_absent },
	{ "unknown keys get a guess", unknown_keys_get_a_guess },
	{ "near words", near_words },
	{ "long lists of words are cut, but the guess stays",
	  long_lists_of_words_are_cut_but_the_guess_stays },
};
T_MAIN(cases)
