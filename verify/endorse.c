/* SPDX-License-Identifier: Apache-2.0 */
/* endorse.c: see endorse.h. Must never endorse what a check is against. */
#include "verify/endorse.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/statement.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

/* satisfied_by_it: checks that fail for want of an endorsement. */
static bool
satisfied_by_it(const char *check)
{
	static const char *const ids[] = { "basis.insufficient", "endorse.expired",
					   "endorse.invalid", "sig.absent" };
	size_t i;

	for (i = 0; i < CV_COUNT(ids); i++)
		if (strcmp(check, ids[i]) == 0)
			return true;
	return false;
}

static bool
satisfies(enum cv_outcome o)
{
	return o == CV_PASS || o == CV_WAIVED || o == CV_NOT_APPLICABLE;
}

/* answered: a planned check has an answer. */
static bool
answered(const struct cv_r_artifact *a, const char *check)
{
	size_t i;

	for (i = 0; i < a->nfindings; i++)
		if (strcmp(a->findings[i].a.f.check, check) == 0)
			return true;
	return false;
}

int
cv_endorse_clean(const struct cv_r_artifact *a, struct cv_err *e)
{
	unsigned passed = 0;
	size_t i;

	if (a->digest.alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_UNDECIDED, "%s: was not found", a->name);
	for (i = 0; i < a->nfindings; i++) {
		const struct cv_answer *f = &a->findings[i].a;

		passed += f->f.outcome == CV_PASS;
		if (f->required && !satisfies(f->f.outcome) && !satisfied_by_it(f->f.check))
			return cv_fail(e, f->f.reason, "%s: %s is against it", a->name, f->f.check);
	}
	for (i = 0; i < a->nplan; i++)
		if (a->plan[i].required && !satisfied_by_it(a->plan[i].check) &&
		    !answered(a, a->plan[i].check))
			return cv_fail(e, CV_R_UNDECIDED, "%s: %s was not answered", a->name,
				       a->plan[i].check);
	if (passed == 0)
		return cv_fail(e, CV_R_UNDECIDED, "%s: no check passed", a->name);
	return 0;
}

/* ---- making ---- */

static json_t *
passed_checks(const struct cv_r_artifact *a)
{
	json_t *list = json_array();
	size_t i, k;

	for (i = 0; i < a->nfindings; i++) {
		const struct cv_finding *f = &a->findings[i].a.f;
		bool before = false;

		if (f->outcome != CV_PASS)
			continue;
		for (k = 0; k < i && !before; k++)
			before = strcmp(a->findings[k].a.f.check, f->check) == 0 &&
				 a->findings[k].a.f.outcome == CV_PASS;
		if (!before && json_array_append_new(list, json_string(f->check)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
subjects(const struct cv_r_artifact *a)
{
	json_t *list = json_array();
	int r = 0;

	if (a->manifest.alg == CV_ALG_NONE) {
		r = cv_json_subject(list, a->name, &a->digest);
	} else {
		char name[96];

		(void)snprintf(name, sizeof(name), "%s/index", a->name);
		r = cv_json_subject(list, name, &a->index);
		(void)snprintf(name, sizeof(name), "%s/manifest", a->name);
		if (r == 0)
			r = cv_json_subject(list, name, &a->manifest);
	}
	if (r == 0)
		return list;
	json_decref(list);
	return NULL;
}

int
cv_endorse_make(const struct cv_endorse *in, const struct cv_signkey *key, struct cv_buf *out,
		struct cv_err *e)
{
	const struct cv_r_artifact *a = in->artifact;
	json_t *predicate = json_pack("{s:s,s:s,s:o,s:o}", "name", a->name, "type",
				      cv_atype_word(a->decl->type), "expires",
				      cv_json_time(in->expires), "checks", passed_checks(a));
	cv_auto(cv_json_drop) json_t *v = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);

	if (predicate != NULL && in->previous.alg != CV_ALG_NONE &&
	    json_object_set_new(predicate, "previous", cv_json_digest(&in->previous)) != 0)
		cv_json_drop(&predicate);
	v = json_pack("{s:s,s:o,s:s,s:o}", "_type", CV_STATEMENT_V1, "subject", subjects(a),
		      "predicateType", CV_ENDORSE_PREDICATE, "predicate", predicate);
	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_canonical(&text, v, e) != 0)
		return -1;
	return cv_dsse_sign(key, CV_INTOTO_PAYLOAD, cv_buf_span(&text), out, e);
}

/* ---- the last one ---- */

static int
read_statement(struct cv_endorse_last *ret, struct cv_span payload, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_jv root;
	const char *hex, *expires;

	if (cv_json_parse(&doc, "endorsement", payload, CV_JSON_FOLD_KEYS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (cv_jv_str(cv_jv_get(cv_jv_get(cv_jv_at(cv_jv_get(root, "subject"), 0), "digest"),
				"sha256"),
		      &hex, e) != 0 ||
	    cv_digest_hex(&ret->subject, CV_SHA256, cv_span_str(hex), e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_jv_get(root, "predicate"), "expires"), &expires, e) != 0)
		return -1;
	(void)snprintf(ret->expires, sizeof(ret->expires), "%.60s", expires);
	return 0;
}

int
cv_endorse_read(struct cv_endorse_last *ret, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const char *base64, *keyid;
	struct cv_jv first;
	int r = cv_conf_read(&text, AT_FDCWD, path, CV_MAX_JSON_DOM, e);

	if (r <= 0)
		return r;
	if (cv_json_parse(&doc, path, cv_buf_span(&text), 0, e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_json_root(doc), "payload"), &base64, e) != 0 ||
	    cv_base64_decode(&payload, cv_span_str(base64), e) != 0 ||
	    read_statement(ret, cv_buf_span(&payload), e) != 0)
		return cv_conf_reason(e);
	first = cv_jv_at(cv_jv_get(cv_json_root(doc), "signatures"), 0);
	ret->keyid[0] = '\0';
	if (cv_jv_str(cv_jv_get(first, "keyid"), &keyid, NULL) == 0)
		(void)snprintf(ret->keyid, sizeof(ret->keyid), "%.100s", keyid);
	return 1;
}
