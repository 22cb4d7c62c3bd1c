/* SPDX-License-Identifier: Apache-2.0 */
/* statement.c: see statement.h. Must never say that a statement is true, nor
 * find a subject in a digest that it did not read strictly. */
#include "trust/base/statement.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/jread.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const top_keys[] = { "_type", "subject", "predicateType", "predicate", NULL };
static const char *const subject_keys[] = { "name", "uri", "digest", "content", NULL };
static const char *const digest_keys[] = { "sha256", "sha384", "sha512", NULL };

void
cv_statement_free(struct cv_statement **s)
{
	if (*s == NULL)
		return;
	for (size_t i = 0; i < (*s)->nsubjects; i++)
		free((*s)->subject[i].name);
	free((*s)->subject);
	free((*s)->predicate_type);
	free(*s);
	*s = NULL;
}

static int
copy_text(char **ret, const char *text, struct cv_err *e)
{
	*ret = strdup(text);
	return *ret == NULL ? cv_fail_memory(e) : 0;
}

static int
read_digests(struct cv_subject *s, struct cv_jv set, struct cv_err *e)
{
	if (cv_jv_want(set, CV_J_OBJECT, e) != 0 || cv_jread_known(set, digest_keys, e) != 0)
		return -1;
	if (cv_jv_len(set) == 0)
		return cv_jv_fail(set, e, CV_R_MALFORMED, "found no digest, want at least one");
	if (cv_jv_len(set) > CV_MAX_SUBJECT_DIGESTS)
		return cv_jv_fail(set, e, CV_R_LIMIT, "found %zu digests, want at most %d",
				  cv_jv_len(set), CV_MAX_SUBJECT_DIGESTS);
	for (struct cv_jv v = cv_jv_first(set); !v.absent; v = cv_jv_next(v)) {
		enum cv_alg alg = cv_alg_parse(cv_span_str(cv_jv_key(v)));
		const char *hex;

		if (cv_jv_str(v, &hex, e) != 0)
			return -1;
		if (alg == CV_ALG_NONE)
			continue;
		if (cv_digest_hex(&s->digest[s->n], alg, cv_span_str(hex), e) != 0)
			return cv_fail_within(e, "subject digest %s", cv_jv_key(v));
		s->n++;
	}
	return 0;
}

static int
read_subject(struct cv_subject *s, struct cv_jv v, struct cv_err *e)
{
	const char *name;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, subject_keys, e) != 0 ||
	    cv_jread_opt(v, "name", &name, e) != 0 || copy_text(&s->name, name, e) != 0)
		return -1;
	return read_digests(s, cv_jv_get(v, "digest"), e);
}

static int
read_subjects(struct cv_statement *s, struct cv_jv list, struct cv_err *e)
{
	size_t n = cv_jv_len(list);

	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (n == 0)
		return cv_jv_fail(list, e, CV_R_MALFORMED, "found no subject, want at least one");
	if (n > CV_MAX_SUBJECTS)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu subjects, want at most %d", n,
				  CV_MAX_SUBJECTS);
	s->subject = calloc(n, sizeof(*s->subject));
	if (s->subject == NULL)
		return cv_fail_memory(e);
	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v))
		if (read_subject(&s->subject[s->nsubjects++], v, e) != 0)
			return -1;
	return 0;
}

static int
read_type(struct cv_statement *s, struct cv_jv root, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(root, "_type");
	char brief[CV_TEXT_BRIEF];
	const char *type, *predicate;

	if (cv_jv_str(v, &type, e) != 0)
		return -1;
	s->v1 = strcmp(type, CV_STATEMENT_V1) == 0;
	if (!s->v1 && strcmp(type, CV_STATEMENT_V01) != 0)
		return cv_jv_fail(v, e, CV_R_UNSUPPORTED, "found \"%s\", want \"%s\" or \"%s\"",
				  cv_text_brief(brief, cv_span_str(type)), CV_STATEMENT_V1,
				  CV_STATEMENT_V01);
	if (cv_jv_str(cv_jv_get(root, "predicateType"), &predicate, e) != 0)
		return -1;
	if (strlen(predicate) > CV_MAX_PREDICATE_TYPE)
		return cv_jv_fail(cv_jv_get(root, "predicateType"), e, CV_R_LIMIT,
				  "found %zu bytes, want at most %d", strlen(predicate),
				  CV_MAX_PREDICATE_TYPE);
	return copy_text(&s->predicate_type, predicate, e);
}

/* The predicate was cut out; what is not too large is read for its form. */
static int
read_predicate(struct cv_statement *s, const char *name, struct cv_jv root,
	       const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(root, "predicate");
	const struct cv_jcut *cut = cv_jslim_find(slim, v);
	struct cv_jdoc *doc = NULL;

	if (v.absent)
		return s->v1 ? 0 : cv_jv_want(v, CV_J_OBJECT, e);
	if (cut == NULL)
		return cv_jv_fail(v, e, CV_R_AMBIGUOUS,
				  "found \"predicate\" written with escapes, want it plain");
	if (cut->raw.n <= CV_MAX_JSON_DOM) {
		if (cv_json_parse(&doc, "predicate", cut->raw, CV_JSON_REALS, e) != 0)
			return cv_fail_within(e, "%s", name);
		cv_json_free(&doc);
	}
	s->predicate = cut->raw;
	return 0;
}

static int
read_statement(struct cv_statement *s, const char *name, const struct cv_jslim *slim,
	       struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root;

	if (cv_json_parse(&doc, name, cv_buf_span(&slim->text), CV_JSON_REALS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jread_known(root, top_keys, e) != 0 ||
	    read_type(s, root, e) != 0 || read_subjects(s, cv_jv_get(root, "subject"), e) != 0)
		return -1;
	return read_predicate(s, name, root, slim, e);
}

int
cv_statement_parse(struct cv_statement **ret, const char *name, struct cv_span text,
		   struct cv_err *e)
{
	cv_auto(cv_statement_free) struct cv_statement *s = calloc(1, sizeof(*s));
	cv_auto(cv_freep) struct cv_jslim *slim = calloc(1, sizeof(*slim));
	int r;

	if (s == NULL || slim == NULL)
		return cv_fail_memory(e);
	r = cv_jslim_member(slim, text, "predicate", e);
	if (r == 0)
		r = read_statement(s, name, slim, e);
	else
		cv_fail_within(e, "%s", name);
	cv_jslim_free(slim);
	if (r != 0)
		return -1;
	*ret = cv_steal(s);
	return 0;
}

const struct cv_subject *
cv_statement_about(const struct cv_statement *s, const struct cv_digest *d)
{
	for (size_t i = 0; i < s->nsubjects; i++)
		for (unsigned k = 0; k < s->subject[i].n; k++)
			if (cv_digest_eq(&s->subject[i].digest[k], d))
				return &s->subject[i];
	return NULL;
}
