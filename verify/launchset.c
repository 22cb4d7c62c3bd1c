/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launchset.c: making and writing launch sets. Must never leave out of the
 * digest what a launch is bound by.
 */
#include "verify/launchset.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

void
cv_launchset_free(struct cv_launchset **s)
{
	if (*s == NULL)
		return;
	cv_mem_free(&(*s)->mem);
	cv_json_free(&(*s)->doc);
	free(*s);
	*s = NULL;
}

/* ---- making one from an agent ---- */

static int
copy_text(struct cv_launchset *s, const char **ret, const char *text, struct cv_err *e)
{
	*ret = NULL;
	if (text == NULL)
		return 0;
	*ret = cv_mem_str(&s->mem, text, e);
	return *ret != NULL ? 0 : -1;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const struct cv_item *)a)->text, ((const struct cv_item *)b)->text);
}

static int
copy_items(struct cv_launchset *s, struct cv_items *ret, const struct cv_items *from, bool sorted,
	   struct cv_err *e)
{
	ret->v = cv_mem_get(&s->mem, from->n, sizeof(*ret->v), e);
	if (ret->v == NULL)
		return -1;
	for (; ret->n < from->n; ret->n++)
		if (copy_text(s, &ret->v[ret->n].text, from->v[ret->n].text, e) != 0)
			return -1;
	if (sorted && ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
	return 0;
}

/* resolved_to: the one entry of that name. */
static const struct cv_ls_artifact *
resolved_to(const struct cv_ls_artifact *v, size_t n, const char *name)
{
	const struct cv_ls_artifact *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, name) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = &v[i];
	}
	return found;
}

static int
make_artifact(struct cv_launchset *s, const struct cv_artifact *decl,
	      const struct cv_ls_artifact *is, struct cv_err *e)
{
	struct cv_ls_artifact *to = &s->artifacts[s->nartifacts++];

	if (is == NULL)
		return cv_fail(e, CV_R_BUG, "launch set: \"%s\" was not resolved exactly once",
			       decl->name);
	to->type = decl->type;
	if (copy_text(s, &to->name, decl->name, e) != 0)
		return -1;
	if (!cv_artifact_covered(decl))
		return copy_text(s, &to->url, decl->asked, e);
	if (is->digest.alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_RULE, "launch set: \"%s\" has no digest", decl->name);
	to->digest = is->digest;
	return 0;
}

static int
make_env(struct cv_launchset *s, const struct cv_launch *l, struct cv_err *e)
{
	s->env = cv_mem_get(&s->mem, l->nenv, sizeof(*s->env), e);
	if (s->env == NULL)
		return -1;
	for (; s->nenv < l->nenv; s->nenv++) {
		s->env[s->nenv].rule = l->env[s->nenv].rule;
		if (copy_text(s, &s->env[s->nenv].name, l->env[s->nenv].name, e) != 0 ||
		    copy_text(s, &s->env[s->nenv].value, l->env[s->nenv].value, e) != 0)
			return -1;
	}
	return 0;
}

static int
by_bind(const void *a, const void *b)
{
	return strcmp(((const struct cv_hostbind *)a)->target,
		      ((const struct cv_hostbind *)b)->target);
}

static int
make_places(struct cv_launchset *s, const struct cv_launch *l, const struct cv_ls_artifact *v,
	    size_t n, struct cv_err *e)
{
	s->mounts = cv_mem_get(&s->mem, l->nmounts, sizeof(*s->mounts), e);
	s->writable = cv_mem_get(&s->mem, l->nwritable, sizeof(*s->writable), e);
	s->binds = cv_mem_get(&s->mem, l->nbinds, sizeof(*s->binds), e);
	if (s->mounts == NULL || s->writable == NULL || s->binds == NULL)
		return -1;
	for (; s->nmounts < l->nmounts; s->nmounts++) {
		struct cv_ls_mount *to = &s->mounts[s->nmounts];

		to->tree = resolved_to(v, n, l->mounts[s->nmounts].artifact->name)->digest;
		if (copy_text(s, &to->target, l->mounts[s->nmounts].target, e) != 0)
			return -1;
	}
	for (; s->nwritable < l->nwritable; s->nwritable++) {
		struct cv_writable *to = &s->writable[s->nwritable];

		to->kind = l->writable[s->nwritable].kind;
		to->size = l->writable[s->nwritable].size;
		if (copy_text(s, &to->path, l->writable[s->nwritable].path, e) != 0)
			return -1;
	}
	for (; s->nbinds < l->nbinds; s->nbinds++) {
		struct cv_hostbind *to = &s->binds[s->nbinds];

		to->readonly = l->binds[s->nbinds].readonly;
		if (copy_text(s, &to->source, l->binds[s->nbinds].source, e) != 0 ||
		    copy_text(s, &to->target, l->binds[s->nbinds].target, e) != 0)
			return -1;
	}
	if (s->nbinds > 1)
		qsort(s->binds, s->nbinds, sizeof(*s->binds), by_bind);
	return 0;
}

static int
make_lists(struct cv_launchset *s, const struct cv_launch *l, struct cv_err *e)
{
	s->has_command = l->has_command;
	s->has_entrypoint = l->has_entrypoint;
	s->limits = l->limits;
	s->read_only_root = l->read_only_root;
	s->privileged = l->privileged;
	s->namespaces = l->namespaces;
	if (copy_text(s, &s->workdir, l->workdir, e) != 0 ||
	    copy_text(s, &s->user, l->user, e) != 0 ||
	    copy_items(s, &s->command, &l->command, false, e) != 0 ||
	    copy_items(s, &s->entrypoint, &l->entrypoint, false, e) != 0)
		return -1;
	if (copy_items(s, &s->secrets, &l->secrets, true, e) != 0 ||
	    copy_items(s, &s->egress, &l->egress, true, e) != 0 ||
	    copy_items(s, &s->capabilities, &l->capabilities, true, e) != 0)
		return -1;
	return copy_items(s, &s->devices, &l->devices, true, e);
}

int
cv_launchset_make(struct cv_launchset **ret, const struct cv_agent *agent, const char *platform,
		  const struct cv_ls_image *image, const struct cv_ls_artifact *resolved, size_t n,
		  struct cv_err *e)
{
	cv_auto(cv_launchset_free) struct cv_launchset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	if (!agent->has_launch)
		return cv_fail(e, CV_R_RULE, "%s: the agent has no \"launch\"", agent->file);
	if (n != agent->nartifacts)
		return cv_fail(e, CV_R_BUG, "launch set: %zu artifacts resolved of %zu", n,
			       agent->nartifacts);
	if (image->manifest.alg == CV_ALG_NONE || image->config.alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_RULE, "launch set: the image has no digest");
	s->image = *image;
	s->artifacts = cv_mem_get(&s->mem, n, sizeof(*s->artifacts), e);
	if (s->artifacts == NULL || copy_text(s, &s->agent, agent->name, e) != 0 ||
	    copy_text(s, &s->platform, platform, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (make_artifact(s, &agent->artifacts[i],
				  resolved_to(resolved, n, agent->artifacts[i].name), e) != 0)
			return -1;
	if (make_env(s, &agent->launch, e) != 0 ||
	    make_places(s, &agent->launch, resolved, n, e) != 0 ||
	    make_lists(s, &agent->launch, e) != 0)
		return -1;
	*ret = cv_steal(s);
	return 0;
}

/* ---- writing; *bad sticks when memory is out ---- */

static void
set(json_t *o, const char *key, json_t *v, bool *bad)
{
	if (json_object_set_new(o, key, v) != 0)
		*bad = true;
}

static void
set_text(json_t *o, const char *key, const char *text, bool *bad)
{
	if (text != NULL)
		set(o, key, json_string(text), bad);
}

static void
set_u64(json_t *o, const char *key, uint64_t v, bool *bad)
{
	if (v != 0)
		set(o, key, json_integer((json_int_t)v), bad);
}

static void
set_digest(json_t *o, const char *key, const struct cv_digest *d, bool *bad)
{
	char text[CV_DIGEST_TEXT];

	if (d->alg != CV_ALG_NONE)
		set(o, key, json_string(cv_digest_text(d, text)), bad);
}

static void
set_items(json_t *o, const char *key, const struct cv_items *items, bool *bad)
{
	json_t *a = json_array();

	for (size_t i = 0; i < items->n; i++)
		if (json_array_append_new(a, json_string(items->v[i].text)) != 0)
			*bad = true;
	set(o, key, a, bad);
}

static void
set_artifacts(json_t *o, const struct cv_launchset *s, bool *bad)
{
	json_t *all = json_object();

	for (size_t i = 0; i < s->nartifacts; i++) {
		json_t *x = json_object();

		set_text(x, "type", cv_atype_word(s->artifacts[i].type), bad);
		set_digest(x, "digest", &s->artifacts[i].digest, bad);
		set_text(x, "url", s->artifacts[i].url, bad);
		set(all, s->artifacts[i].name, x, bad);
	}
	set(o, "artifacts", all, bad);
}

static void
set_env(json_t *o, const struct cv_launchset *s, bool *bad)
{
	json_t *all = json_object();

	for (size_t i = 0; i < s->nenv; i++) {
		json_t *x = json_object();

		if (s->env[i].rule == CV_FREE)
			set(x, "free", json_true(), bad);
		else
			set(x, s->env[i].rule == CV_PREFIX ? "prefix" : "value",
			    json_string(s->env[i].value), bad);
		set(all, s->env[i].name, x, bad);
	}
	set(o, "env", all, bad);
}

static void
set_places(json_t *o, const struct cv_launchset *s, bool *bad)
{
	json_t *mounts = json_object(), *writable = json_object(), *binds = json_array();

	for (size_t i = 0; i < s->nmounts; i++)
		set_digest(mounts, s->mounts[i].target, &s->mounts[i].tree, bad);
	for (size_t i = 0; i < s->nwritable; i++) {
		json_t *x = json_object();

		set_text(x, "kind", cv_writable_words[s->writable[i].kind - 1], bad);
		set_u64(x, "size", s->writable[i].size, bad);
		set(writable, s->writable[i].path, x, bad);
	}
	for (size_t i = 0; i < s->nbinds; i++) {
		json_t *x = json_object();

		set_text(x, "source", s->binds[i].source, bad);
		set_text(x, "target", s->binds[i].target, bad);
		set(x, "readonly", json_boolean(s->binds[i].readonly), bad);
		if (json_array_append_new(binds, x) != 0)
			*bad = true;
	}
	set(o, "mounts", mounts, bad);
	set(o, "writable", writable, bad);
	set(o, "binds", binds, bad);
}

static void
set_privileges(json_t *o, const struct cv_launchset *s, bool *bad)
{
	/* sorted, as every list of the form */
	static const enum cv_ns order[] = { CV_NS_IPC, CV_NS_NET, CV_NS_PID, CV_NS_USER,
					    CV_NS_UTS };
	json_t *limits = json_object(), *ns = json_array();

	set_u64(limits, "memory", s->limits.memory, bad);
	set_u64(limits, "cpus_thousandths", s->limits.cpus, bad);
	set_u64(limits, "pids", s->limits.pids, bad);
	set(o, "limits", limits, bad);
	for (size_t i = 0; i < CV_COUNT(order); i++)
		if ((s->namespaces & 1u << order[i]) != 0 &&
		    json_array_append_new(ns, json_string(cv_ns_words[order[i]])) != 0)
			*bad = true;
	set(o, "namespaces", ns, bad);
	set(o, "privileged", json_boolean(s->privileged), bad);
	set(o, "read_only_root", json_boolean(s->read_only_root), bad);
	set_items(o, "capabilities", &s->capabilities, bad);
	set_items(o, "devices", &s->devices, bad);
	set_items(o, "egress", &s->egress, bad);
	set_items(o, "secrets", &s->secrets, bad);
}

int
cv_launchset_json(const struct cv_launchset *s, json_t **ret, struct cv_err *e)
{
	json_t *o = json_object(), *image = json_object();
	bool bad = o == NULL;

	set_text(o, "schema", CV_LAUNCHSET_SCHEMA, &bad);
	set_text(o, "agent", s->agent, &bad);
	set_text(o, "platform", s->platform, &bad);
	set_digest(image, "index", &s->image.index, &bad);
	set_digest(image, "manifest", &s->image.manifest, &bad);
	set_digest(image, "config", &s->image.config, &bad);
	set(o, "image", image, &bad);
	set_artifacts(o, s, &bad);
	if (s->has_command)
		set_items(o, "command", &s->command, &bad);
	if (s->has_entrypoint)
		set_items(o, "entrypoint", &s->entrypoint, &bad);
	set_text(o, "workdir", s->workdir, &bad);
	set_text(o, "user", s->user, &bad);
	set_env(o, s, &bad);
	set_places(o, s, &bad);
	set_privileges(o, s, &bad);
	if (bad) {
		json_decref(o);
		return cv_fail_memory(e);
	}
	*ret = o;
	return 0;
}

int
cv_launchset_emit(const struct cv_launchset *s, struct cv_buf *out, struct cv_err *e)
{
	json_t *o;
	int ret;

	if (cv_launchset_json(s, &o, e) != 0)
		return -1;
	ret = cv_json_canonical(out, o, e);
	json_decref(o);
	return ret;
}

int
cv_launchset_digest(const struct cv_launchset *s, struct cv_digest *ret, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(4 * CV_MAX_HUMAN_FILE);

	if (cv_launchset_emit(s, &text, e) != 0)
		return -1;
	return cv_digest_of(ret, CV_SHA256, cv_buf_span(&text), e);
}
