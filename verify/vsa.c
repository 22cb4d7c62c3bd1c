/* SPDX-License-Identifier: Apache-2.0 */
/* vsa.c: see vsa.h. Must never write a passed summary for a result that did
 * not pass. */
#include "verify/vsa.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/statement.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

#define LEVEL_UNEVALUATED "SLSA_BUILD_LEVEL_UNEVALUATED"

void
cv_json_drop(json_t **v)
{
	json_decref(*v);
	*v = NULL;
}

json_t *
cv_json_time(int64_t t)
{
	char text[CV_TIME_TEXT];

	return json_string(cv_time_text(t, text));
}

json_t *
cv_json_digest(const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT];

	return json_string(cv_digest_text(d, text));
}

json_t *
cv_json_digestset(const struct cv_digest *d)
{
	char hex[2 * CV_DIGEST_MAX + 1];

	cv_hex_encode(hex, d->b, cv_alg_size(d->alg));
	return json_pack("{s:s}", cv_alg_name(d->alg), hex);
}

int
cv_json_subject(json_t *list, const char *name, const struct cv_digest *d)
{
	if (d->alg == CV_ALG_NONE)
		return 0;
	return json_array_append_new(
		list, json_pack("{s:s,s:o}", "name", name, "digest", cv_json_digestset(d)));
}

/* ---- making ---- */

static int
artifact_subjects(json_t *list, const struct cv_r_artifact *a)
{
	const struct {
		const char *what;
		const struct cv_digest *d;
	} part[] = { { "index", &a->index },
		     { "manifest", &a->manifest },
		     { "config", &a->config } };
	char name[160];
	size_t i;

	if (a->manifest.alg == CV_ALG_NONE) {
		(void)snprintf(name, sizeof(name), "%s:%s", a->tree != NULL ? "tree" : "file",
			       a->name);
		return cv_json_subject(list, name, &a->digest);
	}
	for (i = 0; i < CV_COUNT(part); i++) {
		(void)snprintf(name, sizeof(name), "image:%s/%s", a->name, part[i].what);
		if (cv_json_subject(list, name, part[i].d) != 0)
			return -1;
	}
	return 0;
}

static json_t *
subjects(const struct cv_vsa_in *in)
{
	json_t *list = json_array();
	size_t i;

	if (cv_json_subject(list, "bundle.json", &in->bundle) != 0 ||
	    cv_json_subject(list, "launch-set", &in->set_digest) != 0)
		goto fail;
	for (i = 0; i < in->result->nartifacts; i++)
		if (artifact_subjects(list, &in->result->artifacts[i]) != 0)
			goto fail;
	return list;
fail:
	json_decref(list);
	return NULL;
}

static json_t *
attestations(const struct cv_result *r)
{
	json_t *list = json_array();
	size_t i, k;

	for (i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		for (k = 0; k < a->nevidence; k++) {
			char hex[2 * CV_DIGEST_MAX + 1], uri[32 + sizeof(hex)];
			const struct cv_digest *d = &a->evidence[k].digest;

			cv_hex_encode(hex, d->b, cv_alg_size(d->alg));
			(void)snprintf(uri, sizeof(uri), "evidence/%s", hex);
			if (json_array_append_new(list, json_pack("{s:s,s:o}", "uri", uri, "digest",
								  cv_json_digestset(d))) != 0) {
				json_decref(list);
				return NULL;
			}
		}
	}
	return list;
}

static json_t *
artifacts(const struct cv_result *r)
{
	json_t *map = json_object();
	size_t i;

	for (i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		if (json_object_set_new(map, a->name,
					json_pack("{s:s,s:s}", "basis", cv_basis_word(a->basis),
						  "type", cv_atype_word(a->decl->type))) != 0) {
			json_decref(map);
			return NULL;
		}
	}
	return map;
}

static json_t *
uncovered(const struct cv_result *r)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < r->nuncovered; i++)
		if (json_array_append_new(list, json_pack("{s:s,s:b}", "what", r->uncovered[i].what,
							  "accepted",
							  r->uncovered[i].accepted ? 1 : 0)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
extension(const struct cv_vsa_in *in)
{
	json_t *x = json_pack("{s:o,s:o,s:s,s:s,s:{s:o,s:o},s:o,s:o}", "notBefore",
			      cv_json_time(in->not_before), "notAfter", cv_json_time(in->not_after),
			      "platform", in->set->platform, "agent", in->set->agent, "imageIds",
			      "graphdriver", cv_json_digest(&in->set->image.config), "containerd",
			      cv_json_digest(&in->set->image.manifest), "artifacts",
			      artifacts(in->result), "uncovered", uncovered(in->result));

	if (x != NULL && in->report.alg != CV_ALG_NONE &&
	    json_object_set_new(x, "report", cv_json_digestset(&in->report)) != 0)
		cv_json_drop(&x);
	return x;
}

/* resource: what this is about, by immutable name. */
static void
resource(const struct cv_vsa_in *in, char *out, size_t n)
{
	char text[CV_DIGEST_TEXT];

	(void)snprintf(out, n, "clawverify:%s@%s", in->set->agent,
		       cv_digest_text(&in->set_digest, text));
}

static json_t *
predicate(const struct cv_vsa_in *in)
{
	const struct cv_result *r = in->result;
	char uri[512];

	resource(in, uri, sizeof(uri));
	return json_pack("{s:{s:s,s:{s:s}},s:o,s:s,s:{s:s,s:o},s:o,s:s,s:[s],s:s,s:o}", "verifier",
			 "id", CV_VSA_VERIFIER, "version", "clawverify", CV_VERSION, "timeVerified",
			 cv_json_time(r->now), "resourceUri", uri, "policy", "uri",
			 r->policy_name != NULL ? r->policy_name : "policy", "digest",
			 cv_json_digestset(&r->policy_digest), "inputAttestations", attestations(r),
			 "verificationResult", "PASSED", "verifiedLevels", LEVEL_UNEVALUATED,
			 "slsaVersion", "1.1", CV_VSA_EXTENSION, extension(in));
}

int
cv_vsa_make(struct cv_buf *out, const struct cv_vsa_in *in, struct cv_err *e)
{
	const struct cv_result *r = in->result;
	cv_auto(cv_json_drop) json_t *v = NULL;

	if (!cv_allows(r->decision.verdict) || r->audit || r->historical)
		return cv_fail(e, CV_R_BUG, "a summary was asked for of what may not be launched");
	v = json_pack("{s:s,s:o,s:s,s:o}", "_type", CV_STATEMENT_V1, "subject", subjects(in),
		      "predicateType", CV_VSA_PREDICATE, "predicate", predicate(in));
	if (v == NULL)
		return cv_fail_memory(e);
	return cv_json_canonical(out, v, e);
}

/* ---- reading ---- */

/* One named subject, by its SHA-256. */
static int
subject_named(struct cv_jv subjects_v, const char *name, struct cv_digest *ret, struct cv_err *e)
{
	bool found = false;
	struct cv_jv v;

	for (v = cv_jv_first(subjects_v); !v.absent; v = cv_jv_next(v)) {
		const char *text;

		if (cv_jv_str(cv_jv_get(v, "name"), &text, e) != 0)
			return -1;
		if (strcmp(text, name) != 0)
			continue;
		if (found)
			return cv_jv_fail(v, e, CV_R_AMBIGUOUS, "a second subject %s", name);
		if (cv_jv_str(cv_jv_get(cv_jv_get(v, "digest"), "sha256"), &text, e) != 0 ||
		    cv_digest_hex(ret, CV_SHA256, cv_span_str(text), e) != 0)
			return -1;
		found = true;
	}
	if (!found)
		return cv_fail(e, CV_R_RULE, "the summary is not about %s", name);
	return 0;
}

static int
time_of(struct cv_jv v, int64_t *ret, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	return cv_time_parse(ret, cv_span_str(text), e);
}

static int
text_is(struct cv_jv v, const char *want, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (strcmp(text, want) != 0)
		return cv_jv_fail(v, e, CV_R_RULE, "found \"%s\", want \"%s\"", text, want);
	return 0;
}

static int
text_copy(struct cv_jv v, char *out, size_t n, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (snprintf(out, n, "%s", text) >= (int)n)
		return cv_jv_fail(v, e, CV_R_LIMIT, "more than %zu characters", n - 1);
	return 0;
}

static int
read_predicate(struct cv_vsa *ret, struct cv_jv p, struct cv_err *e)
{
	struct cv_jv x = cv_jv_get(p, CV_VSA_EXTENSION), report = cv_jv_get(x, "report");
	const char *hex;

	if (text_is(cv_jv_get(cv_jv_get(p, "verifier"), "id"), CV_VSA_VERIFIER, e) != 0 ||
	    text_is(cv_jv_get(p, "verificationResult"), "PASSED", e) != 0 ||
	    cv_jv_want(x, CV_J_OBJECT, e) != 0 ||
	    time_of(cv_jv_get(p, "timeVerified"), &ret->verified, e) != 0 ||
	    time_of(cv_jv_get(x, "notBefore"), &ret->not_before, e) != 0 ||
	    time_of(cv_jv_get(x, "notAfter"), &ret->not_after, e) != 0 ||
	    text_copy(cv_jv_get(x, "platform"), ret->platform, sizeof(ret->platform), e) != 0 ||
	    text_copy(cv_jv_get(p, "resourceUri"), ret->resource, sizeof(ret->resource), e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_jv_get(cv_jv_get(p, "policy"), "digest"), "sha256"), &hex, e) !=
		    0 ||
	    cv_digest_hex(&ret->policy, CV_SHA256, cv_span_str(hex), e) != 0)
		return -1;
	if (report.absent)
		return 0;
	if (cv_jv_str(cv_jv_get(report, "sha256"), &hex, e) != 0)
		return -1;
	return cv_digest_hex(&ret->report, CV_SHA256, cv_span_str(hex), e);
}

int
cv_vsa_read(struct cv_vsa *ret, struct cv_span payload, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_vsa got = { 0 };
	struct cv_jv root;

	if (cv_json_parse(&doc, "vsa.dsse.json", payload, CV_JSON_FOLD_KEYS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (text_is(cv_jv_get(root, "_type"), CV_STATEMENT_V1, e) != 0 ||
	    text_is(cv_jv_get(root, "predicateType"), CV_VSA_PREDICATE, e) != 0 ||
	    cv_jv_want(cv_jv_get(root, "subject"), CV_J_ARRAY, e) != 0 ||
	    subject_named(cv_jv_get(root, "subject"), "bundle.json", &got.bundle, e) != 0 ||
	    subject_named(cv_jv_get(root, "subject"), "launch-set", &got.set, e) != 0 ||
	    read_predicate(&got, cv_jv_get(root, "predicate"), e) != 0)
		return -1;
	*ret = got;
	return 0;
}
