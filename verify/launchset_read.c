/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launchset_read.c: launch sets and launch requests. They come from elsewhere
 * (a bundle, a launcher), so their mistakes are MALFORMED, not CONFIG. A set is
 * its canonical form and nothing else; a request is any strict JSON.
 */
#include "verify/launchset.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

/* open_map: room for the members of an optional object. */
static int
open_map(struct cv_launchset *s, struct cv_jv v, void **ret, size_t size, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_LIMIT, "found %zu members, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	*ret = cv_mem_get(&s->mem, cv_jv_len(v), size, e);
	return *ret != NULL ? 0 : -1;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const struct cv_item *)a)->text, ((const struct cv_item *)b)->text);
}

static int
read_sorted(struct cv_launchset *s, struct cv_jv v, struct cv_items *ret, struct cv_err *e)
{
	if (cv_conf_items(&s->mem, v, ret, e) != 0)
		return -1;
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
	return 0;
}

static int
optional_digest(struct cv_jv v, struct cv_digest *ret, struct cv_err *e)
{
	return v.absent ? 0 : cv_conf_digest(v, ret, e);
}

static int
read_image(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "config", "index", "manifest", NULL };

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    optional_digest(cv_jv_get(v, "index"), &s->image.index, e) != 0 ||
	    optional_digest(cv_jv_get(v, "manifest"), &s->image.manifest, e) != 0)
		return -1;
	return optional_digest(cv_jv_get(v, "config"), &s->image.config, e);
}

static int
by_artifact(const void *a, const void *b)
{
	return strcmp(((const struct cv_ls_artifact *)a)->name,
		      ((const struct cv_ls_artifact *)b)->name);
}

static int
read_artifacts(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "digest", "type", "url", NULL };
	void *room = NULL;
	size_t type;

	if (open_map(s, v, &room, sizeof(*s->artifacts), e) != 0)
		return -1;
	s->artifacts = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_ls_artifact *a = &s->artifacts[s->nartifacts++];
		struct cv_jv url = cv_jv_get(i, "url"), digest = cv_jv_get(i, "digest");

		a->name = cv_jv_key(i);
		if (cv_jv_want(i, CV_J_OBJECT, e) != 0 || cv_jv_keys(i, keys, e) != 0 ||
		    cv_jv_choice(cv_jv_get(i, "type"), cv_atype_words, &type, e) != 0)
			return -1;
		a->type = (enum cv_atype)(type + 1);
		if (!cv_name_valid(a->name))
			return cv_jv_fail(
				i, e, CV_R_MALFORMED,
				"found artifact name \"%s\", want a-z, 0-9, '.', '_', '-'",
				a->name);
		if (a->type == CV_A_MCP_REMOTE || a->type == CV_A_MODEL_HOSTED) {
			if (!digest.absent)
				return cv_jv_fail(digest, e, CV_R_MALFORMED,
						  "found a digest of %s \"%s\", want its \"url\"",
						  cv_atype_word(a->type), a->name);
			if (cv_jv_str(url, &a->url, e) != 0)
				return -1;
			continue;
		}
		if (!url.absent)
			return cv_jv_fail(url, e, CV_R_MALFORMED,
					  "found a \"url\" of %s \"%s\", want its \"digest\"",
					  cv_atype_word(a->type), a->name);
		if (cv_conf_digest(digest, &a->digest, e) != 0)
			return -1;
	}
	if (s->nartifacts > 1)
		qsort(s->artifacts, s->nartifacts, sizeof(*s->artifacts), by_artifact);
	return 0;
}

/* ---- environment ---- */

static int
by_env(const void *a, const void *b)
{
	return strcmp(((const struct cv_ls_env *)a)->name, ((const struct cv_ls_env *)b)->name);
}

static int
env_rule(struct cv_ls_env *env, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "free", "prefix", "value", NULL };
	struct cv_jv value = cv_jv_get(v, "value"), prefix = cv_jv_get(v, "prefix");
	struct cv_jv free_ = cv_jv_get(v, "free");
	bool yes;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (!value.absent + !prefix.absent + !free_.absent != 1)
		return cv_jv_fail(v, e, CV_R_MALFORMED,
				  "want one of \"value\", \"prefix\" and \"free\"");
	if (!value.absent) {
		env->rule = CV_BOUND;
		return cv_jv_text(value, &env->value, e);
	}
	if (!prefix.absent) {
		env->rule = CV_PREFIX;
		return cv_jv_str(prefix, &env->value, e);
	}
	env->rule = CV_FREE;
	if (cv_jv_bool(free_, &yes, e) != 0)
		return -1;
	return yes ? 0 : cv_jv_fail(free_, e, CV_R_MALFORMED, "found false, want true");
}

static int
read_env(struct cv_launchset *s, struct cv_jv v, bool request, struct cv_err *e)
{
	void *room = NULL;

	if (open_map(s, v, &room, sizeof(*s->env), e) != 0)
		return -1;
	s->env = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_ls_env *env = &s->env[s->nenv++];

		env->name = cv_jv_key(i);
		env->rule = CV_BOUND;
		if (*env->name == '\0' || strchr(env->name, '=') != NULL)
			return cv_jv_fail(i, e, CV_R_MALFORMED,
					  "found \"%s\", want the name of a variable", env->name);
		if ((request ? cv_jv_text(i, &env->value, e) : env_rule(env, i, e)) != 0)
			return -1;
	}
	if (s->nenv > 1)
		qsort(s->env, s->nenv, sizeof(*s->env), by_env);
	return 0;
}

/* ---- places ---- */

static int
read_target(struct cv_jv v, const char **ret, struct cv_err *e)
{
	const char *wrong;

	*ret = cv_jv_key(v);
	wrong = cv_path_wrong(*ret);
	if (wrong != NULL)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found \"%s\", want an absolute path: %s",
				  *ret, wrong);
	return 0;
}

static int
by_target(const void *a, const void *b)
{
	return strcmp(((const struct cv_ls_mount *)a)->target,
		      ((const struct cv_ls_mount *)b)->target);
}

static int
read_mounts(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	void *room = NULL;

	if (open_map(s, v, &room, sizeof(*s->mounts), e) != 0)
		return -1;
	s->mounts = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_ls_mount *m = &s->mounts[s->nmounts++];

		if (read_target(i, &m->target, e) != 0 || cv_conf_digest(i, &m->tree, e) != 0)
			return -1;
	}
	if (s->nmounts > 1)
		qsort(s->mounts, s->nmounts, sizeof(*s->mounts), by_target);
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct cv_writable *)a)->path, ((const struct cv_writable *)b)->path);
}

static int
read_writable(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "kind", "size", NULL };
	void *room = NULL;
	size_t kind;

	if (open_map(s, v, &room, sizeof(*s->writable), e) != 0)
		return -1;
	s->writable = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_writable *w = &s->writable[s->nwritable++];
		struct cv_jv size = cv_jv_get(i, "size");

		if (read_target(i, &w->path, e) != 0 || cv_jv_want(i, CV_J_OBJECT, e) != 0 ||
		    cv_jv_keys(i, keys, e) != 0 ||
		    cv_jv_choice(cv_jv_get(i, "kind"), cv_writable_words, &kind, e) != 0)
			return -1;
		w->kind = (enum cv_writable_kind)(kind + 1);
		if (!size.absent && cv_jv_u64(size, INT64_MAX, &w->size, e) != 0)
			return -1;
	}
	if (s->nwritable > 1)
		qsort(s->writable, s->nwritable, sizeof(*s->writable), by_path);
	return 0;
}

static int
by_bind(const void *a, const void *b)
{
	return strcmp(((const struct cv_hostbind *)a)->target,
		      ((const struct cv_hostbind *)b)->target);
}

static int
read_binds(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "readonly", "source", "target", NULL };

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_LIMIT, "found %zu elements, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	s->binds = cv_mem_get(&s->mem, cv_jv_len(v), sizeof(*s->binds), e);
	if (s->binds == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_hostbind *b = &s->binds[s->nbinds++];

		if (cv_jv_want(i, CV_J_OBJECT, e) != 0 || cv_jv_keys(i, keys, e) != 0 ||
		    cv_conf_absolute(cv_jv_get(i, "source"), &b->source, e) != 0 ||
		    cv_conf_absolute(cv_jv_get(i, "target"), &b->target, e) != 0 ||
		    cv_jv_bool(cv_jv_get(i, "readonly"), &b->readonly, e) != 0)
			return -1;
	}
	if (s->nbinds > 1)
		qsort(s->binds, s->nbinds, sizeof(*s->binds), by_bind);
	for (size_t i = 1; i < s->nbinds; i++)
		if (strcmp(s->binds[i - 1].target, s->binds[i].target) == 0)
			return cv_jv_fail(v, e, CV_R_MALFORMED, "found target \"%s\" twice",
					  s->binds[i].target);
	return 0;
}

/* ---- the rest ---- */

static int
read_limits(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "cpus_thousandths", "memory", "pids", NULL };
	const struct {
		const char *key;
		uint64_t *to;
	} all[] = {
		{ "memory", &s->limits.memory },
		{ "cpus_thousandths", &s->limits.cpus },
		{ "pids", &s->limits.pids },
	};

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	for (size_t i = 0; i < CV_COUNT(all); i++) {
		struct cv_jv limit = cv_jv_get(v, all[i].key);

		if (!limit.absent && cv_jv_u64(limit, INT64_MAX, all[i].to, e) != 0)
			return -1;
	}
	return 0;
}

static int
read_privileges(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv privileged = cv_jv_get(v, "privileged"), ro = cv_jv_get(v, "read_only_root");
	struct cv_jv ns = cv_jv_get(v, "namespaces");

	if (!privileged.absent && cv_jv_bool(privileged, &s->privileged, e) != 0)
		return -1;
	if (!ro.absent && cv_jv_bool(ro, &s->read_only_root, e) != 0)
		return -1;
	if (cv_jv_len(ns) > 0 || (!ns.absent && cv_jv_type(ns) != CV_J_ARRAY))
		if (cv_conf_mask(ns, cv_ns_words, &s->namespaces, e) != 0)
			return -1;
	if (read_limits(s, cv_jv_get(v, "limits"), e) != 0 ||
	    read_sorted(s, cv_jv_get(v, "capabilities"), &s->capabilities, e) != 0 ||
	    read_sorted(s, cv_jv_get(v, "devices"), &s->devices, e) != 0 ||
	    read_sorted(s, cv_jv_get(v, "egress"), &s->egress, e) != 0)
		return -1;
	return read_sorted(s, cv_jv_get(v, "secrets"), &s->secrets, e);
}

static int
optional_text(struct cv_jv v, const char **ret, struct cv_err *e)
{
	return v.absent ? 0 : cv_jv_str(v, ret, e);
}

static int
read_process(struct cv_launchset *s, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv command = cv_jv_get(v, "command"), entry = cv_jv_get(v, "entrypoint");

	s->has_command = !command.absent;
	s->has_entrypoint = !entry.absent;
	if (optional_text(cv_jv_get(v, "agent"), &s->agent, e) != 0 ||
	    optional_text(cv_jv_get(v, "platform"), &s->platform, e) != 0 ||
	    optional_text(cv_jv_get(v, "workdir"), &s->workdir, e) != 0 ||
	    optional_text(cv_jv_get(v, "user"), &s->user, e) != 0)
		return -1;
	if (cv_conf_texts(&s->mem, command, &s->command, e) != 0)
		return -1;
	return cv_conf_texts(&s->mem, entry, &s->entrypoint, e);
}

static int
read_root(struct cv_launchset *s, bool request, struct cv_err *e)
{
	static const char *const keys[] = {
		"agent",          "artifacts", "binds",      "capabilities", "command",
		"devices",        "egress",    "entrypoint", "env",          "image",
		"limits",         "mounts",    "namespaces", "platform",     "privileged",
		"read_only_root", "schema",    "secrets",    "user",         "workdir",
		"writable",       NULL
	};
	struct cv_jv root = cv_json_root(s->doc);

	if (cv_jv_keys(root, keys, e) != 0 || read_process(s, root, e) != 0 ||
	    read_image(s, cv_jv_get(root, "image"), e) != 0 ||
	    read_artifacts(s, cv_jv_get(root, "artifacts"), e) != 0 ||
	    read_env(s, cv_jv_get(root, "env"), request, e) != 0)
		return -1;
	if (read_mounts(s, cv_jv_get(root, "mounts"), e) != 0 ||
	    read_writable(s, cv_jv_get(root, "writable"), e) != 0 ||
	    read_binds(s, cv_jv_get(root, "binds"), e) != 0)
		return -1;
	return read_privileges(s, root, e);
}

/* theirs: a mistake in it is not one of our own files'. */
static int
theirs(struct cv_err *e)
{
	if (e != NULL && e->reason == CV_R_CONFIG)
		e->reason = CV_R_MALFORMED;
	return -1;
}

static int
parse(struct cv_launchset **ret, const char *name, struct cv_span in, const char *schema,
      bool request, struct cv_err *e)
{
	cv_auto(cv_launchset_free) struct cv_launchset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	if (cv_conf_parse(&s->doc, name, in, 0, schema, e) != 0 || read_root(s, request, e) != 0)
		return theirs(e);
	*ret = cv_steal(s);
	return 0;
}

int
cv_launchset_parse(struct cv_launchset **ret, struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_launchset_free) struct cv_launchset *s = NULL;
	cv_auto(cv_buf_free) struct cv_buf own = CV_BUF(4 * CV_MAX_HUMAN_FILE);

	if (parse(&s, "launch set", in, CV_LAUNCHSET_SCHEMA, false, e) != 0)
		return -1;
	if (s->agent == NULL || s->platform == NULL || s->image.manifest.alg == CV_ALG_NONE ||
	    s->image.config.alg == CV_ALG_NONE || s->nartifacts == 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "launch set: it lacks one of \"agent\", "
			       "\"artifacts\", \"image\" and \"platform\"");
	if (cv_launchset_emit(s, &own, e) != 0)
		return -1;
	if (!cv_span_eq(cv_buf_span(&own), in))
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "launch set: found another writing, want the "
			       "canonical form (RFC 8785) with every member");
	*ret = cv_steal(s);
	return 0;
}

int
cv_launchreq_parse(struct cv_launchset **ret, const char *name, struct cv_span in, struct cv_err *e)
{
	return parse(ret, name, in, CV_LAUNCHREQ_SCHEMA, true, e);
}
