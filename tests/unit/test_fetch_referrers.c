/* SPDX-License-Identifier: Apache-2.0 */
/* What refers to an image: all of it, or a reason why that is not known. */
#include "tests/net/rig.h"
#include "trust/base/json.h"

static void
not_looked(void)
{
	static const struct {
		const char *repo;
		enum cv_reason reason;
		const char *text;
	} faults[] = {
		{ "ref-down", CV_R_UNREACHABLE, "HTTP 503, 5 tries" },
		{ "ref-busy", CV_R_THROTTLED, "HTTP 429" },
		{ "ref-denied", CV_R_DENIED, "HTTP 403" },
		{ "ref-half", CV_R_UNREACHABLE, "HTTP 500" },
		{ "ref-half404", CV_R_UNREACHABLE, "HTTP 404" },
		{ "ref-self", CV_R_UNREACHABLE, "a page that follows itself" },
		{ "ref-circle", CV_R_LIMIT, "more than 16 pages" },
		{ "ref-away", CV_R_UNREACHABLE, "Link leads to another origin" },
		{ "ref-oddlink", CV_R_UNREACHABLE, "Link is not understood" },
		{ "ref-many", CV_R_LIMIT, "more than 256 referrers" },
		{ "ref-junk", CV_R_MALFORMED, "" },
		{ "ref-both", CV_R_AMBIGUOUS, "" },
		{ "ref-tag-down", CV_R_UNREACHABLE, "GET manifest sha256-0000" },
		{ "ref-tag-image", CV_R_MALFORMED, "is not an index" },
	};
	struct shot s;
	size_t i;

	for (i = 0; i < CV_COUNT(faults); i++) {
		s = rig_referrers(faults[i].repo);
		if (s.rc != -1 || s.e.reason != faults[i].reason ||
		    strstr(s.e.text, faults[i].text) == NULL || s.n != 0)
			t_fail(__FILE__, __LINE__, "%s: %d %s (%s), want %s", faults[i].repo, s.rc,
			       cv_reason_word(s.e.reason), s.e.text,
			       cv_reason_word(faults[i].reason));
	}
}

/* entries: how many the document delivered lists; -1 if it is none. */
static int
entries(const struct shot *s, struct cv_index **keep)
{
	struct cv_index *index = NULL;
	struct cv_err e = { 0 };
	int n;

	if (cv_index_parse(&index, cv_span(s->got, s->n), s->a.media, &e) != 0)
		return -1;
	n = (int)index->n;
	if (keep != NULL)
		*keep = index;
	else
		cv_index_free(&index);
	return n;
}

static void
by_api(void)
{
	struct shot s;

	s = rig_referrers("ref-none");
	RIG_GIVEN(s);
	T_INT(entries(&s, NULL), 0);
	T_INT(s.a.by, CV_REFERRERS_API);
	T_STR(s.a.media, CV_MT_OCI_INDEX);
	s = rig_referrers("ref-two");
	RIG_GIVEN(s);
	T_INT(entries(&s, NULL), 2);
	T_HAS((char *)s.got, "\"annotations\": {\n        \"n\": \"1\"");
	T_INT(t_server_count(&rig.server, "/v2/ref-two/manifests", NULL), 0);
	s = rig_referrers("ref-full");
	RIG_GIVEN(s);
	T_INT(entries(&s, NULL), 256);
}

static void
pages(void)
{
	static const unsigned want[] = { 0, 1, 2, 3, 4, 9 };
	struct cv_index *index = NULL;
	struct shot s;
	size_t i;

	s = rig_referrers("ref-pages");
	RIG_GIVEN(s);
	T_INT(entries(&s, &index), CV_COUNT(want));
	for (i = 0; i < CV_COUNT(want); i++) {
		T_INT(index->entry[i].digest.b[31], want[i]);
		T_INT(index->entry[i].size, 100 + want[i]);
	}
	cv_index_free(&index);
	T_INT(t_server_count(&rig.server, "/v2/ref-pages/", NULL), 3);
}

static void
by_tag(void)
{
	struct shot s;

	s = rig_referrers("ref-tag");
	RIG_GIVEN(s);
	T_INT(s.a.by, CV_REFERRERS_TAG);
	T_INT(entries(&s, NULL), 4);
	s = rig_referrers("ref-html");
	RIG_GIVEN(s);
	T_INT(s.a.by, CV_REFERRERS_TAG);
	RIG_ABSENT(rig_referrers("ref-405"));
	RIG_ABSENT(rig_referrers("none"));
}

/* The answer is bounded by what was asked for, too. */
static void
too_long(void)
{
	struct cv_ask q = { .max = 200 };
	struct shot s;

	rig_digest(&q.digest, 0x1000);
	rig_repo(&q, "ref-two");
	s = rig_ask(NULL, cv_registry_referrers, &q);
	RIG_FAILS(s, CV_R_LIMIT, "at most 200 are accepted");
	T_INT(s.n, 0);
}

static const struct t_case cases[] = {
	{ "not-looked", not_looked }, { "by-api", by_api },     { "pages", pages },
	{ "by-tag", by_tag },         { "too-long", too_long },
};
T_MAIN(cases)
