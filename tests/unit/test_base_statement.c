/* SPDX-License-Identifier: Apache-2.0 */
/* in-toto statements: each refusal is one change of a text that is accepted; and the
 * range of the predicate, however it is written. */
#include "tests/support/t.h"
#include "trust/base/statement.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define HEX "455ea64c0ef9d93b96ff799625947c7b9be1a5c282565b0253e085ce3db1cdcd"
#define GOOD                                                                                       \
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"a\",\"digest\":{" \
	"\"sha256\":\"" HEX                                                                        \
	"\"}}],\"predicateType\":\"https://example/p\",\"predicate\":{\"b\":1}}"

static struct cv_statement *
read_changed(const char *from, const char *to, struct cv_buf *b, struct cv_err *e)
{
	const char *at = strstr(GOOD, from);
	struct cv_statement *s = NULL;

	if (at == NULL)
		t_fail(__FILE__, __LINE__, "\"%s\" is not there", from);
	cv_buf_reset(b);
	cv_buf_add(b, GOOD, (size_t)(at - GOOD));
	cv_buf_str(b, to);
	cv_buf_str(b, at + strlen(from));
	e->reason = CV_R_NONE;
	(void)!cv_statement_parse(&s, "statement", cv_buf_span(b), e);
	return s;
}

static void
statements(void)
{
	static const struct {
		const char *from, *to;
		enum cv_reason want;
	} c[] = {
		{ "Statement/v1", "Statement/v0.1", CV_R_NONE },
		{ "Statement/v1", "Statement/v2", CV_R_UNSUPPORTED },
		{ "Statement/v1", "Statement/V1", CV_R_UNSUPPORTED },
		{ "\"_type\":\"https://in-toto.io/Statement/v1\",", "", CV_R_MALFORMED },
		{ "\"_type\"", "\"_TYPE\":\"x\",\"_type\"", CV_R_AMBIGUOUS },
		{ "\"subject\"", "\"subject\":[],\"subject\"", CV_R_AMBIGUOUS },
		{ "\"subject\"", "\"\\u017fubject\":[],\"subject\"", CV_R_AMBIGUOUS },
		{ "[{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX "\"}}]", "[]", CV_R_MALFORMED },
		{ "[{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX "\"}}]", "{}", CV_R_MALFORMED },
		{ "{\"sha256\":\"" HEX "\"}", "{}", CV_R_MALFORMED },
		{ "{\"sha256\":\"" HEX "\"}", "[]", CV_R_MALFORMED },
		{ "455ea", "455EA", CV_R_MALFORMED },
		{ "455ea", "455e", CV_R_MALFORMED },
		{ "\"sha256\"", "\"sha1\"", CV_R_NONE }, /* matches nothing */
		{ "\"sha256\"", "\"SHA256\"", CV_R_AMBIGUOUS },
		{ "\"sha256\":", "\"sha256\":\"" HEX "\",\"sha256\":", CV_R_AMBIGUOUS },
		{ "\"name\":\"a\",", "", CV_R_NONE },
		{ "\"a\"", "1", CV_R_MALFORMED },
		{ "\"predicateType\":\"https://example/p\",", "", CV_R_MALFORMED },
		{ "https://example/p", "", CV_R_MALFORMED },
		{ ",\"predicate\":{\"b\":1}", "", CV_R_NONE },
		{ "{\"b\":1}", "{\"b\":1,\"b\":2}", CV_R_AMBIGUOUS },
		{ "{\"b\":1}", "{\"b\":}", CV_R_MALFORMED },
		{ "{\"b\":1}", "{\"b\":1", CV_R_MALFORMED },
		{ "{\"b\":1}", "", CV_R_MALFORMED },
		{ "\"predicate\":", "\"predicate\":1,\"predicate\":", CV_R_AMBIGUOUS },
		{ "\"predicate\":", "\"predic\\u0061te\":", CV_R_AMBIGUOUS },
		{ "\"predicate\":", "\"Predicate\":1,\"predicate\":", CV_R_AMBIGUOUS },
		{ "\"predicate\":", "\"x\":{\"predicate\":2},\"predicate\":", CV_R_NONE },
		{ "{\"_type\"", "[{\"_type\"", CV_R_MALFORMED },
	};
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 16);

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		struct cv_err e = { 0 };
		struct cv_statement *s = read_changed(c[i].from, c[i].to, &b, &e);

		if ((s != NULL) != (c[i].want == CV_R_NONE) || e.reason != c[i].want)
			t_fail(__FILE__, __LINE__, "%s -> %s: %s (%s), want %s", c[i].from, c[i].to,
			       cv_reason_word(e.reason), e.text, cv_reason_word(c[i].want));
		cv_statement_free(&s);
	}
}

static void
the_predicate_is_a_range(void)
{
	static const char *const values[] = { "{\"b\":1}",   "{}",  "[1,{\"predicate\":\"}\"}]",
					      "\"a\\\"b}\"", "17",  "-1.5e3",
					      "true",        "null" };
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 16);

	for (size_t i = 0; i < CV_COUNT(values); i++) {
		struct cv_err e = { 0 };
		struct cv_statement *s = read_changed("{\"b\":1}", values[i], &b, &e);

		if (s == NULL || !cv_span_eq_str(s->predicate, values[i]))
			t_fail(__FILE__, __LINE__, "%s: %s", values[i], e.text);
		cv_statement_free(&s);
	}
	{
		struct cv_err e = { 0 };
		struct cv_statement *s = read_changed(",\"predicate\":{\"b\":1}", "", &b, &e);

		T(s != NULL);
		T_INT(s->predicate.n, 0);
		cv_statement_free(&s);
	}
}

static void
subjects_match_by_any_good_digest(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 16);
	struct cv_err e = { 0 };
	struct cv_statement *s;
	struct cv_digest d, other, none = { .alg = CV_ALG_NONE };

	T_OK(cv_digest_parse(&d, cv_span_str("sha256:" HEX), &e), e);
	other = d;
	other.b[0] ^= 1;
	s = read_changed("\"sha256\":", "\"sha1\":\"00\",\"sha256\":", &b, &e);
	T(s != NULL);
	T(cv_statement_about(s, &other) == NULL);
	T(cv_statement_about(s, &none) == NULL);
	T(cv_statement_about(s, &d) != NULL);
	T_STR(cv_statement_about(s, &d)->name, "a");
	cv_statement_free(&s);
	s = read_changed("\"sha256\":", "\"sha1\":", &b, &e);
	T(s != NULL);
	T(cv_statement_about(s, &d) == NULL);
	cv_statement_free(&s);
}

static void
limits(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);
	struct cv_statement *s = NULL;
	struct cv_err e;

	cv_buf_str(&b, "{\"_type\":\"" CV_STATEMENT_V1 "\",\"predicateType\":\"p\",\"subject\":[");
	for (int i = 0; i <= CV_MAX_SUBJECTS; i++)
		cv_buf_fmt(&b, "%s{\"digest\":{\"sha256\":\"" HEX "\"}}", i == 0 ? "" : ",");
	cv_buf_str(&b, "]}");
	T_NO(cv_statement_parse(&s, "statement", cv_buf_span(&b), &e), e, CV_R_LIMIT);
	cv_buf_reset(&b);
	cv_buf_str(&b, "{\"_type\":\"" CV_STATEMENT_V1 "\",\"predicateType\":\"");
	for (int i = 0; i <= CV_MAX_PREDICATE_TYPE; i++)
		cv_buf_byte(&b, 'p');
	cv_buf_str(&b, "\",\"subject\":[{\"digest\":{\"sha256\":\"" HEX "\"}}]}");
	T_NO(cv_statement_parse(&s, "statement", cv_buf_span(&b), &e), e, CV_R_LIMIT);
	cv_buf_reset(&b);
	cv_buf_str(&b, "{\"_type\":\"" CV_STATEMENT_V1 "\",\"predicateType\":\"p\",\"subject\":[{"
		       "\"digest\":{");
	for (int i = 0; i <= CV_MAX_SUBJECT_DIGESTS; i++)
		cv_buf_fmt(&b, "%s\"d%d\":\"00\"", i == 0 ? "" : ",", i);
	cv_buf_str(&b, "}}]}");
	T_NO(cv_statement_parse(&s, "statement", cv_buf_span(&b), &e), e, CV_R_LIMIT);
}

static const struct t_case cases[] = {
	{ "statements", statements },
	{ "the predicate is a range", the_predicate_is_a_range },
	{ "subjects match by any good digest", subjects_match_by_any_good_digest },
	{ "limits", limits },
};

T_MAIN(cases)
