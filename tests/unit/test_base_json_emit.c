/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written: for people, and for hashing (RFC 8785). */
#include "tests/support/t.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"

static void
canonical(const char *text, const char *want)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(10000);
	struct cv_err e;

	T_OK(cv_json_parse(&doc, "in", cv_span_str(text), 0, &e), e);
	T_OK(cv_json_canonical(&b, cv_jv_json(cv_json_root(doc)), &e), e);
	T_STR(cv_buf_text(&b), want);
}

static void
rfc_8785(void)
{
	canonical("null", "null");
	canonical(" [ ] ", "[]");
	canonical("{ }", "{}");
	canonical("[true, false , null, -0, 12, -9007199254740991, 9007199254740991]",
		  "[true,false,null,0,12,-9007199254740991,9007199254740991]");
	/* RFC 8785 3.2.2, the string of the example */
	canonical("{\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"}",
		  "{\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
	canonical("\"\\b\\f\\n\\r\\t\\u001f\\u007f\\u0080\"", "\"\\b\\f\\n\\r\\t\\u001f\x7f\xc2\x80\"");
	/* RFC 8785 3.2.3: by UTF-16 code units: U+1F600 (d83d) before U+FB33 */
	canonical("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
		  "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
		  "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
		  "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
		  "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
		  "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\","
		  "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
		  "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
	canonical("{\"b\":[{\"z\":1,\"a\":{}}],\"a\":[[]],\"aa\":1,\"\":0}",
		  "{\"\":0,\"a\":[[]],\"aa\":1,\"b\":[{\"a\":{},\"z\":1}]}");
}

static void
canonical_refuses_what_differs_between_readers(void)
{
	static const char *const no[] = { "[1.5]", "[1e2]", "[9007199254740992]", "[-9007199254740992]",
					  "{\"a\":[{\"b\":9223372036854775807}]}" };
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(no); i++) {
		cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1000);

		cv_buf_str(&b, "before");
		T_OK(cv_json_parse(&doc, "in", cv_span_str(no[i]), CV_JSON_REALS, &e), e);
		T_NO(cv_json_canonical(&b, cv_jv_json(cv_json_root(doc)), &e), e, CV_R_UNSUPPORTED);
		T_STR(cv_buf_text(&b), "before"); /* nothing half done */
	}
}

static void
for_people(void)
{
	static const char text[] = "{\"b\":[1,{\"y\":null,\"x\":1.5}],\"\\ufb33\":0,\"\\ud83d\\ude00\":0,"
				   "\"a\":{},\"c\":[],\"r\":[0.1,1e300,-2.0,1e-7]}";
	static const char want[] = "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"x\": 1.5,\n"
				   "      \"y\": null\n    }\n  ],\n  \"c\": [],\n  \"r\": [\n    0.1,\n"
				   "    1e300,\n    -2.0,\n    1e-7\n  ],\n"
				   "  \"\xef\xac\xb3\": 0,\n  \"\xf0\x9f\x98\x80\": 0\n}\n";
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL, *again = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1000), small = CV_BUF(20), twice = CV_BUF(1000);
	struct cv_err e;

	T_OK(cv_json_parse(&doc, "in", cv_span_str(text), CV_JSON_REALS, &e), e);
	T_OK(cv_json_emit(&b, cv_jv_json(cv_json_root(doc)), &e), e);
	T_STR(cv_buf_text(&b), want);
	T_NO(cv_json_emit(&small, cv_jv_json(cv_json_root(doc)), &e), e, CV_R_LIMIT);
	T_OK(cv_json_parse(&again, "out", cv_buf_span(&b), CV_JSON_REALS, &e), e);
	T(json_equal(cv_jv_json(cv_json_root(doc)), cv_jv_json(cv_json_root(again))));
	T_OK(cv_json_emit(&twice, cv_jv_json(cv_json_root(again)), &e), e);
	T_STR(cv_buf_text(&twice), cv_buf_text(&b));
}

static void
values_of_our_own_are_checked_too(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(10000);
	json_t *v, *inner;
	struct cv_err e;

	T_NO(cv_json_emit(&b, NULL, &e), e, CV_R_BUG);
	v = json_stringn_nocheck("a\0b", 3);
	T_OK(cv_json_canonical(&b, v, &e), e);
	T_STR(cv_buf_text(&b), "\"a\\u0000b\"");
	json_decref(v);
	v = json_string_nocheck("a\xff");
	T_NO(cv_json_emit(&b, v, &e), e, CV_R_MALFORMED);
	json_decref(v);
	v = json_object();
	json_object_set_new_nocheck(v, "\xff", json_null());
	T_NO(cv_json_emit(&b, v, &e), e, CV_R_MALFORMED);
	json_decref(v);
	v = inner = json_array();
	for (int i = 1; i < CV_MAX_JSON_DEPTH; i++) {
		json_t *next = json_array();

		json_array_append_new(inner, next);
		inner = next;
	}
	cv_buf_reset(&b);
	T_OK(cv_json_canonical(&b, v, &e), e);
	T_INT(b.n, 2 * CV_MAX_JSON_DEPTH);
	json_array_append_new(inner, json_array());
	T_NO(cv_json_emit(&b, v, &e), e, CV_R_LIMIT);
	json_decref(v);
}

static const struct t_case cases[] = {
	{ "RFC 8785", rfc_8785 },
	{ "canonical refuses what differs between readers",
	  canonical_refuses_what_differs_between_readers },
	{ "for people", for_people },
	{ "values of our own are checked too", values_of_our_own_are_checked_too },
};
T_MAIN(cases)
