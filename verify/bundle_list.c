/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_list.c: bundle.json. Must never accept two writings of one list. */
#include "verify/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

static const char *const kind_words[] = { "0444", "0555", "link", "dir", NULL };

int
cv_members_add(struct cv_members *m, const struct cv_member *one, struct cv_err *e)
{
	struct cv_member *to;

	if (m->n == m->room) {
		size_t room = m->room == 0 ? 64 : 2 * m->room;
		struct cv_member *v = reallocarray(m->v, room, sizeof(*v));

		if (v == NULL)
			return cv_fail_memory(e);
		m->v = v;
		m->room = room;
	}
	to = &m->v[m->n];
	*to = *one;
	if ((to->path = cv_mem_str(&m->mem, one->path, e)) == NULL ||
	    (to->role = cv_mem_str(&m->mem, one->role, e)) == NULL)
		return -1;
	if (one->target != NULL && (to->target = cv_mem_str(&m->mem, one->target, e)) == NULL)
		return -1;
	m->n++;
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct cv_member *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int
cv_members_sort(struct cv_members *m, struct cv_err *e)
{
	size_t i;

	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_path);
	for (i = 1; i < m->n; i++)
		if (strcmp(m->v[i - 1].path, m->v[i].path) == 0)
			return cv_fail(e, CV_R_BUG, "a bundle with two members %s", m->v[i].path);
	return 0;
}

const struct cv_member *
cv_members_find(const struct cv_members *m, const char *path)
{
	const struct cv_member key = { .path = path };

	return m->n == 0 ? NULL : bsearch(&key, m->v, m->n, sizeof(*m->v), by_path);
}

void
cv_members_free(struct cv_members *m)
{
	free(m->v);
	cv_mem_free(&m->mem);
	*m = (struct cv_members){ 0 };
}

/* ---- writing ---- */

static json_t *
member_json(const struct cv_member *m)
{
	json_t *v = json_pack("{s:s,s:s,s:s,s:I}", "path", m->path, "role", m->role, "mode",
			      kind_words[m->kind - 1], "size", (json_int_t)m->size);

	if (v != NULL && m->kind != CV_M_DIR &&
	    json_object_set_new(v, "digest", cv_json_digest(&m->digest)) != 0)
		cv_json_drop(&v);
	if (v != NULL && m->kind == CV_M_LINK &&
	    json_object_set_new(v, "target", json_string(m->target)) != 0)
		cv_json_drop(&v);
	return v;
}

int
cv_members_emit(const struct cv_members *m, const char *agent, const struct cv_digest *set,
		struct cv_buf *out, struct cv_err *e)
{
	json_t *list = json_array();
	cv_auto(cv_json_drop) json_t *v =
		json_pack("{s:s,s:s,s:o,s:o}", "schema", CV_BUNDLE_SCHEMA, "agent", agent,
			  "launch_set", cv_json_digest(set), "members", list);
	size_t i;

	if (v == NULL)
		return cv_fail_memory(e);
	for (i = 0; i < m->n; i++)
		if (json_array_append_new(list, member_json(&m->v[i])) != 0)
			return cv_fail_memory(e);
	return cv_json_canonical(out, v, e);
}

/* ---- reading ---- */

/* path_wrong: NULL, or why this cannot be a member's path. The rules of trees
 * (tree.h); what may not be listed is named too. */
static const char *
path_wrong(const char *path)
{
	const char *wrong = cv_tree_path_wrong(path);

	if (wrong != NULL)
		return wrong;
	if (strcmp(path, CV_BUNDLE_INDEX) == 0 || strcmp(path, CV_BUNDLE_VSA) == 0 ||
	    strcmp(path, CV_BUNDLE_REPORT) == 0)
		return "is not a member";
	return NULL;
}

static int
member_parse(struct cv_members *ret, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = {
		"path", "role", "mode", "size", "digest", "target", NULL
	};
	struct cv_member m = { 0 };
	const char *text, *wrong;
	size_t kind;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "path"), &m.path, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "role"), &m.role, e) != 0 ||
	    cv_jv_choice(cv_jv_get(v, "mode"), kind_words, &kind, e) != 0 ||
	    cv_jv_u64(cv_jv_get(v, "size"), INT64_MAX, &m.size, e) != 0)
		return -1;
	m.kind = (enum cv_member_kind)(kind + 1);
	wrong = path_wrong(m.path);
	if (wrong != NULL)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "path: %s", wrong);
	if (m.kind == CV_M_LINK && cv_jv_str(cv_jv_get(v, "target"), &m.target, e) != 0)
		return -1;
	if ((m.kind == CV_M_LINK || m.kind == CV_M_DIR) && strncmp(m.path, "trees/", 6) != 0)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "only trees have links and directories");
	if (m.kind != CV_M_DIR) {
		if (cv_jv_str(cv_jv_get(v, "digest"), &text, e) != 0 ||
		    cv_digest_parse(&m.digest, cv_span_str(text), e) != 0)
			return -1;
		if (m.digest.alg != CV_SHA256)
			return cv_jv_fail(v, e, CV_R_MALFORMED, "digest: want sha256");
	}
	if (ret->n > 0 && strcmp(ret->v[ret->n - 1].path, m.path) >= 0)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "members are not sorted");
	return cv_members_add(ret, &m, e);
}

/* canonical: the text is what emit writes for what was read. */
static int
canonical(const struct cv_members *m, const char *agent, const struct cv_digest *set,
	  struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf again = CV_BUF(CV_MAX_JSON_DOM);

	if (cv_members_emit(m, agent, set, &again, e) != 0)
		return -1;
	if (!cv_span_eq(cv_buf_span(&again), in))
		return cv_fail(e, CV_R_AMBIGUOUS, "%s: not in its canonical form", CV_BUNDLE_INDEX);
	return 0;
}

int
cv_members_parse(struct cv_members *ret, char agent[65], struct cv_digest *set, struct cv_span in,
		 struct cv_err *e)
{
	static const char *const keys[] = { "schema", "agent", "launch_set", "members", NULL };
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_members_free) struct cv_members m = { 0 };
	const char *schema, *name, *text;
	struct cv_jv root, v;

	if (cv_json_parse(&doc, CV_BUNDLE_INDEX, in, 0, e) != 0)
		return -1;
	root = cv_json_root(doc);
	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jv_keys(root, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "schema"), &schema, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "agent"), &name, e) != 0 ||
	    cv_jv_str(cv_jv_get(root, "launch_set"), &text, e) != 0 ||
	    cv_digest_parse(set, cv_span_str(text), e) != 0 ||
	    cv_jv_want(cv_jv_get(root, "members"), CV_J_ARRAY, e) != 0)
		return -1;
	if (strcmp(schema, CV_BUNDLE_SCHEMA) != 0)
		return cv_jv_fail(cv_jv_get(root, "schema"), e, CV_R_UNSUPPORTED,
				  "found \"%s\", want \"%s\"", schema, CV_BUNDLE_SCHEMA);
	if (!cv_name_valid(name))
		return cv_jv_fail(cv_jv_get(root, "agent"), e, CV_R_MALFORMED, "not a name");
	for (v = cv_jv_first(cv_jv_get(root, "members")); !v.absent; v = cv_jv_next(v))
		if (member_parse(&m, v, e) != 0)
			return -1;
	if (canonical(&m, name, set, in, e) != 0)
		return -1;
	(void)snprintf(agent, 65, "%s", name);
	*ret = m;
	m = (struct cv_members){ 0 };
	return 0;
}

const char *
cv_bundle_name(const struct cv_digest *d, char out[CV_BUNDLE_NAME])
{
	char hex[2 * CV_DIGEST_MAX + 1];

	cv_hex_encode(hex, d->b, cv_alg_size(d->alg));
	(void)snprintf(out, CV_BUNDLE_NAME, "sha256-%.64s", hex);
	return out;
}
