/* SPDX-License-Identifier: Apache-2.0 */
/* launch.c: see launch.h. Must never let launch.json say more than the launch
 * set that was signed. */
#include "verify/launch.h"

#include <stdio.h>
#include <string.h>

#include "verify/tree.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

/* ---- launch.json ---- */

static json_t *
mounts_json(const struct cv_contract *c)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < c->set->nmounts; i++) {
		const struct cv_ls_mount *m = &c->set->mounts[i];

		if (json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:b}", "target", m->target,
							  "source", c->sources[i], "tree",
							  cv_json_digest(&m->tree), "readonly",
							  1)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
controls_json(unsigned bits)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < CV_CTL_COUNT; i++)
		if ((bits & 1u << i) != 0 &&
		    json_array_append_new(list, json_string(cv_control_words[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

int
cv_contract_emit(const struct cv_contract *c, struct cv_buf *out, struct cv_err *e)
{
	cv_auto(cv_json_drop) json_t *v = NULL;
	struct cv_digest digest;

	if (cv_launchset_digest(c->set, &digest, e) != 0 || cv_launchset_json(c->set, &v, e) != 0)
		return -1;
	if (json_object_set_new(v, "schema", json_string(CV_LAUNCH_SCHEMA)) != 0 ||
	    json_object_set_new(v, "launch_set", cv_json_digest(&digest)) != 0 ||
	    json_object_set_new(v, "oci", json_string(CV_LAUNCH_OCI)) != 0 ||
	    json_object_set_new(v, "mounts", mounts_json(c)) != 0 ||
	    json_object_set_new(v, "required_controls", controls_json(c->required)) != 0)
		return cv_fail_memory(e);
	return cv_json_canonical(out, v, e);
}

/* read_mounts: the sources; that all else agrees is found by writing it again. */
static int
read_mounts(struct cv_contract *c, struct cv_jv list, struct cv_err *e)
{
	size_t i = 0;
	struct cv_jv v;

	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(list) != c->set->nmounts)
		return cv_jv_fail(list, e, CV_R_RULE, "found %zu mounts, want %zu", cv_jv_len(list),
				  c->set->nmounts);
	c->sources = cv_mem_get(&c->mem, c->set->nmounts, sizeof(*c->sources), e);
	if (c->sources == NULL)
		return -1;
	for (v = cv_jv_first(list); !v.absent; v = cv_jv_next(v), i++) {
		const char *text, *wrong;

		if (cv_jv_str(cv_jv_get(v, "source"), &text, e) != 0)
			return -1;
		wrong = cv_tree_path_wrong(text);
		if (wrong == NULL && strncmp(text, "trees/", 6) != 0)
			wrong = "it is not among the trees";
		if (wrong != NULL)
			return cv_jv_fail(v, e, CV_R_RULE, "source: %s", wrong);
		if ((c->sources[i] = cv_mem_str(&c->mem, text, e)) == NULL)
			return -1;
	}
	return 0;
}

int
cv_contract_parse(struct cv_contract *ret, const struct cv_launchset *set, struct cv_span in,
		  struct cv_err *e)
{
	cv_auto(cv_contract_free) struct cv_contract c = { .set = set };
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf again = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_jv root;

	if (cv_json_parse(&doc, "launch.json", in, 0, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (read_mounts(&c, cv_jv_get(root, "mounts"), e) != 0 ||
	    cv_controls_read(cv_jv_get(root, "required_controls"), &c.required, e) != 0 ||
	    cv_contract_emit(&c, &again, e) != 0)
		return -1;
	if (!cv_span_eq(cv_buf_span(&again), in))
		return cv_fail(e, CV_R_RULE, "launch.json says something else than the launch set");
	*ret = c;
	c = (struct cv_contract){ 0 };
	return 0;
}

void
cv_contract_free(struct cv_contract *c)
{
	cv_mem_free(&c->mem);
	*c = (struct cv_contract){ 0 };
}

/* ---- controls ---- */

int
cv_controls_read(struct cv_jv v, unsigned *ret, struct cv_err *e)
{
	*ret = 0;
	if (cv_jv_type(v) == CV_J_ARRAY && cv_jv_len(v) == 0)
		return 0;
	return cv_conf_mask(v, cv_control_words, ret, e);
}

unsigned
cv_controls_missing(unsigned required, const struct cv_control_state s[CV_CTL_COUNT])
{
	unsigned missing = 0, i;

	for (i = 0; i < CV_CTL_COUNT; i++)
		if ((required & 1u << i) != 0 && !s[i].enforced)
			missing |= 1u << i;
	/* a control that this build does not know is not enforced either */
	return missing | (required & ~((1u << CV_CTL_COUNT) - 1));
}

struct cv_finding
cv_controls_finding(unsigned missing, const struct cv_control_state s[CV_CTL_COUNT])
{
	struct cv_finding f = cv_finding_no("launch.control-unenforced", CV_R_RULE);
	cv_auto(cv_buf_free) struct cv_buf names = CV_BUF(400);
	cv_auto(cv_buf_free) struct cv_buf why = CV_BUF(400);
	unsigned i;

	for (i = 0; i < CV_CTL_COUNT; i++) {
		if ((missing & 1u << i) == 0)
			continue;
		cv_buf_fmt(&names, "%s%s", names.n > 0 ? ", " : "", cv_control_words[i]);
		cv_buf_fmt(&why, "%s%s: %s", why.n > 0 ? "; " : "", cv_control_words[i],
			   s[i].why != NULL ? s[i].why : "not enforced");
	}
	cv_finding_expected(&f, "enforced: %s", cv_buf_text(&names));
	cv_finding_found(&f, "%s", cv_buf_text(&why));
	return f;
}

json_t *
cv_controls_json(const struct cv_control_state s[CV_CTL_COUNT])
{
	json_t *v = json_object();
	size_t i;

	for (i = 0; i < CV_CTL_COUNT; i++)
		if (json_object_set_new(v, cv_control_words[i],
					json_pack("{s:s,s:s}", "state",
						  s[i].enforced ? "enforced" : "unenforced", "how",
						  s[i].why != NULL ? s[i].why : "")) != 0) {
			json_decref(v);
			return NULL;
		}
	return v;
}
