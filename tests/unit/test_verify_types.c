/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_types.c: in each of our own documents, each value in turn is
 * replaced by what no place wants: null, alone, in a list, in an object. It is
 * refused every time, and for that reason, since all else is right.
 */
#include "tests/support/t.h"
#include "verify/gatecfg.h"
#include "verify/launchset.h"
#include "verify/lock.h"

#include <fcntl.h>

static int
agent(struct cv_span in, struct cv_err *e)
{
	struct cv_agent *a = NULL;
	int ret = cv_agent_parse(&a, "f", in, e);

	cv_agent_free(&a);
	return ret;
}

static int
policy(struct cv_span in, struct cv_err *e)
{
	struct cv_policy *p = NULL;
	int ret = cv_policy_parse(&p, "f", in, -1, e);

	cv_policy_free(&p);
	return ret;
}

static int
lock(struct cv_span in, struct cv_err *e)
{
	struct cv_lock *l = NULL;
	int ret = cv_lock_parse(&l, "f", in, e);

	cv_lock_free(&l);
	return ret;
}

static int
gate(struct cv_span in, struct cv_err *e)
{
	struct cv_gatecfg *g = NULL;
	int ret = cv_gatecfg_parse(&g, "f", in, -1, e);

	cv_gatecfg_free(&g);
	return ret;
}

static int
set(struct cv_span in, struct cv_err *e)
{
	struct cv_launchset *s = NULL;
	struct cv_buf text = CV_BUF(1 << 20);
	struct cv_jdoc *doc = NULL;
	int ret = cv_json_parse(&doc, "f", in, 0, e);

	if (ret == 0)
		ret = cv_json_canonical(&text, cv_jv_json(cv_json_root(doc)), e);
	if (ret == 0)
		ret = cv_launchset_parse(&s, cv_buf_span(&text), e);
	cv_launchset_free(&s);
	cv_json_free(&doc);
	cv_buf_free(&text);
	return ret;
}

static int
request(struct cv_span in, struct cv_err *e)
{
	struct cv_launchset *s = NULL;
	int ret = cv_launchreq_parse(&s, "f", in, e);

	cv_launchset_free(&s);
	return ret;
}

static const struct {
	const char *kind;
	int (*read)(struct cv_span in, struct cv_err *e);
	enum cv_reason reason;
} documents[] = {
	{ "agent", agent, CV_R_CONFIG },       { "policy", policy, CV_R_CONFIG },
	{ "lock", lock, CV_R_CONFIG },         { "gate-config", gate, CV_R_CONFIG },
	{ "launch-set", set, CV_R_MALFORMED }, { "launch-request", request, CV_R_MALFORMED },
};

/* example: the one of that kind in docs/formats.md. */
static json_t *
example(const char *kind)
{
	struct cv_buf text = CV_BUF(1 << 20);
	struct cv_jdoc *doc = NULL;
	char mark[64];
	const char *p, *end;
	json_t *copy;
	struct cv_err e;

	T_INT(cv_conf_read(&text, AT_FDCWD, "docs/formats.md", 1 << 20, &e), 1);
	snprintf(mark, sizeof(mark), "<!-- example: %s -->", kind);
	p = strstr(cv_buf_text(&text), mark);
	T(p != NULL && (p = strstr(p, "```json\n")) != NULL);
	p += strlen("```json\n");
	end = strstr(p, "\n```");
	T(end != NULL);
	T_OK(cv_json_parse(&doc, kind, cv_span(p, (size_t)(end + 1 - p)), CV_JSON_HUMAN, &e), e);
	copy = json_deep_copy(cv_jv_json(cv_json_root(doc)));
	T(copy != NULL);
	cv_json_free(&doc);
	cv_buf_free(&text);
	return copy;
}

static json_t *
wrong(int how)
{
	switch (how) {
	case 0:
		return json_null();
	case 1:
		return json_pack("[n]");
	default:
		return json_pack("{s:n}", "zz");
	}
}

/* replace: the n-th value below v; what is left of n is in *n. */
static bool
replace(json_t *v, size_t *n, int how)
{
	const char *key;
	json_t *child;
	size_t i;

	json_array_foreach(v, i, child)
	{
		if ((*n)-- == 0)
			return json_array_set_new(v, i, wrong(how)) == 0;
		if (replace(child, n, how))
			return true;
	}
	json_object_foreach(v, key, child)
	{
		if ((*n)-- == 0)
			return json_object_set_new(v, key, wrong(how)) == 0;
		if (replace(child, n, how))
			return true;
	}
	return false;
}

static void
try(size_t d, size_t n, int how, struct cv_buf *text)
{
	struct cv_err e = { 0 };

	if (documents[d].read(cv_buf_span(text), &e) == 0)
		t_fail(__FILE__, __LINE__, "%s, value %zu, way %d: was accepted:\n%s",
		       documents[d].kind, n, how, cv_buf_text(text));
	if (e.reason != documents[d].reason)
		t_fail(__FILE__, __LINE__, "%s, value %zu, way %d: %s: %s", documents[d].kind, n,
		       how, cv_reason_word(e.reason), e.text);
	/* the reader itself says so, with a place, not a later comparison */
	if (strncmp(e.text, "f:", 2) != 0 && strncmp(e.text, "launch set:", 11) != 0)
		t_fail(__FILE__, __LINE__, "%s, value %zu: no place: %s", documents[d].kind, n,
		       e.text);
}

static void
each_value(void)
{
	for (size_t d = 0; d < sizeof(documents) / sizeof(documents[0]); d++) {
		json_t *good = example(documents[d].kind);
		struct cv_buf text = CV_BUF(1 << 20);
		size_t n = 0;
		struct cv_err e;

		T_OK(cv_json_emit(&text, good, &e), e);
		T_OK(documents[d].read(cv_buf_span(&text), &e), e);
		for (;; n++) {
			bool there = false;

			for (int how = 0; how < 3; how++) {
				json_t *bad = json_deep_copy(good);
				size_t left = n;

				there = replace(bad, &left, how);
				cv_buf_reset(&text);
				T_OK(cv_json_emit(&text, bad, &e), e);
				json_decref(bad);
				if (there)
					try(d, n, how, &text);
			}
			if (!there)
				break;
		}
		T(n > 10);
		json_decref(good);
		cv_buf_free(&text);
	}
}

static const struct t_case cases[] = {
	{ "null is wanted nowhere", each_value },
};
T_MAIN(cases)
