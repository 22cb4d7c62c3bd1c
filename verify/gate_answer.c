/* SPDX-License-Identifier: Apache-2.0 */
/* gate_answer.c: the answer as JSON. Must never write "allow" for an answer
 * that has a reason against it. */
#include "verify/gate.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

static const char *
word(const struct cv_gate_answer *a)
{
	if (a->exit == CV_EXIT_PASS && a->nreasons == 0 && a->bundle != NULL)
		return "allow";
	return a->exit == CV_EXIT_FAIL || a->exit == CV_EXIT_USAGE ? "deny" : "retry";
}

/* decision_id: the same question, bundle and answer give the same one, so that a
 * launcher that asks every minute tells its people once. */
static int
decision_id(const struct cv_gate_answer *a, struct cv_span request, char out[33], struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;
	struct cv_digest d;
	size_t i;

	if (cv_hash_open(&h, CV_SHA256, e) != 0 || cv_hash_add(h, request.p, request.n, e) != 0 ||
	    cv_hash_add(h, word(a), strlen(word(a)) + 1, e) != 0)
		return -1;
	if (a->bundle != NULL && cv_hash_add(h, a->bundle->digest.b, 32, e) != 0)
		return -1;
	for (i = 0; i < a->nreasons; i++) {
		const char *check = a->reasons[i].check != NULL ? a->reasons[i].check : "";

		if (cv_hash_add(h, check, strlen(check) + 1, e) != 0)
			return -1;
	}
	if (cv_hash_end(h, &d, e) != 0)
		return -1;
	cv_hex_encode(out, d.b, 16);
	return 0;
}

static json_t *
mounts(const struct cv_gate_answer *a)
{
	json_t *list = json_array();
	const struct cv_contract *c = &a->contract;
	char source[8192];
	size_t i;

	for (i = 0; c->set != NULL && i < c->set->nmounts; i++) {
		(void)snprintf(source, sizeof(source), "%s/%s", a->bundle->path, c->sources[i]);
		if (json_array_append_new(list,
					  json_pack("{s:s,s:s,s:o,s:b}", "target",
						    c->set->mounts[i].target, "source", source,
						    "tree", cv_json_digest(&c->set->mounts[i].tree),
						    "readonly", 1)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
reasons(const struct cv_gate_answer *a)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < a->nreasons; i++) {
		const struct cv_gate_reason *r = &a->reasons[i];
		cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(16 * CV_ERR_TEXT);

		cv_text_safe(&safe, cv_span_str(r->text), 0);
		if (json_array_append_new(list, json_pack("{s:s*,s:s,s:s}", "check", r->check,
							  "reason", cv_reason_word(r->reason),
							  "message", cv_buf_text(&safe))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* add_pass: what only an allowed launch is told. */
static int
add_pass(json_t *v, const struct cv_gate_answer *a)
{
	const struct cv_launchset *set = a->bundle->set;

	return json_object_set_new(v, "bundle", cv_json_digest(&a->bundle->digest)) != 0 ||
			       json_object_set_new(v, "launch_set",
						   cv_json_digest(&a->bundle->set_digest)) != 0 ||
			       json_object_set_new(v, "valid_until",
						   cv_json_time(a->valid_until)) != 0 ||
			       json_object_set_new(
				       v, "image_ids",
				       json_pack("[o,o]", cv_json_digest(&set->image.config),
						 cv_json_digest(&set->image.manifest))) != 0 ||
			       json_object_set_new(v, "mounts",
						   a->image_only ? json_array() : mounts(a)) != 0
		       ? -1
		       : 0;
}

int
cv_gate_emit(const struct cv_gate_answer *a, struct cv_span request, struct cv_buf *out,
	     struct cv_err *e)
{
	const char *decision = word(a);
	cv_auto(cv_json_drop) json_t *v = NULL;
	char id[33];

	if (decision_id(a, request, id, e) != 0)
		return -1;
	v = json_pack("{s:s,s:s,s:s,s:s,s:[],s:[],s:n,s:n,s:o}", "schema", CV_GATE_SCHEMA,
		      "decision", decision, "decision_id", id, "scope",
		      a->image_only ? "image-only" : "launch", "image_ids", "mounts", "valid_until",
		      "retry_after", "reasons", reasons(a));
	if (v == NULL)
		return cv_fail_memory(e);
	if (strcmp(decision, "retry") == 0 &&
	    json_object_set_new(v, "retry_after", json_integer(CV_GATE_RETRY_AFTER)) != 0)
		return cv_fail_memory(e);
	if (a->more > 0 &&
	    json_object_set_new(v, "more_reasons", json_integer((json_int_t)a->more)) != 0)
		return cv_fail_memory(e);
	if (strcmp(decision, "allow") == 0 && add_pass(v, a) != 0)
		return cv_fail_memory(e);
	if (cv_json_canonical(out, v, e) != 0)
		return -1;
	cv_buf_byte(out, '\n');
	return cv_buf_ok(out, "the answer", e);
}
