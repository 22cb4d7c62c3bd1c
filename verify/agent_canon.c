/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_canon.c: what of agent.json the lock is bound to, and what of an agent
 * nobody can know before it runs. Must never leave out what changes the agent.
 */
#include "verify/agent.h"

#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

static void
json_freep(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

/* named: objects whose keys are names that the user chose, so that "x-ray" is
 * an artifact there, not a remark. */
static bool
named(const char *key)
{
	return strcmp(key, "artifacts") == 0 || strcmp(key, "env") == 0 ||
	       strcmp(key, "mounts") == 0 || strcmp(key, "writable") == 0;
}

static bool
remark(const char *key)
{
	return strcmp(key, "$schema") == 0 || strcmp(key, "$comment") == 0 ||
	       strncmp(key, "x-", 2) == 0;
}

/* strip: take the remarks out of an object with fixed keys and of what is in
 * it; of one with names only out of what is in it. Depth is json.h's. */
static void
strip(json_t *v, bool names)
{
	const char *key;
	json_t *child;
	void *next;
	size_t i;

	json_array_foreach(v, i, child) strip(child, false);
	json_object_foreach_safe(v, next, key, child)
	{
		if (!names && remark(key))
			json_object_del(v, key);
		else
			strip(child, !names && named(key));
	}
}

int
cv_agent_canonical(const struct cv_agent *a, struct cv_buf *out, struct cv_err *e)
{
	cv_auto(json_freep) json_t *copy = json_deep_copy(cv_jv_json(cv_json_root(a->doc)));
	const char *key;
	json_t *artifact;

	if (copy == NULL)
		return cv_fail_memory(e);
	strip(copy, false);
	/* which policy judges it, and what is shown for it, are not what it is */
	json_object_del(copy, "policy");
	json_object_foreach(json_object_get(copy, "artifacts"), key, artifact)
		json_object_del(artifact, "evidence");
	return cv_json_canonical(out, copy, e);
}

/* ---- what cannot be known ---- */

struct listing {
	int (*fn)(void *ctx, const char *what, const char *why, struct cv_jpos pos,
		  struct cv_err *e);
	void *ctx;
};

static int
tell(const struct listing *l, const char *kind, const char *what, const char *why,
     struct cv_jpos pos, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(2 * CV_MAX_PATH);

	cv_buf_fmt(&text, "%s:%s", kind, what);
	if (cv_buf_ok(&text, "a name of what is not covered", e) != 0)
		return -1;
	return l->fn(l->ctx, cv_buf_text(&text), why, pos, e);
}

static int
tell_items(const struct listing *l, const char *kind, const struct cv_items *items, const char *why,
	   struct cv_err *e)
{
	for (size_t i = 0; i < items->n; i++)
		if (tell(l, kind, items->v[i].text, why, items->v[i].pos, e) != 0)
			return -1;
	return 0;
}

static int
tell_launch(const struct listing *l, const struct cv_launch *launch, struct cv_err *e)
{
	if (tell_items(l, "egress", &launch->egress,
		       "what this host answers is not known before the launch", e) != 0)
		return -1;
	/* a tmpfs starts empty: nothing about it is unknown */
	for (size_t i = 0; i < launch->nwritable; i++)
		if (launch->writable[i].kind == CV_W_VOLUME &&
		    tell(l, "writable", launch->writable[i].path,
			 "the volume keeps what earlier runs wrote", launch->writable[i].pos,
			 e) != 0)
			return -1;
	if (tell_items(l, "secret", &launch->secrets,
		       "its value is given at the launch and not looked at", e) != 0)
		return -1;
	for (size_t i = 0; i < launch->nbinds; i++)
		if (tell(l, "bind", launch->binds[i].source, "files of the host that nobody pinned",
			 launch->binds[i].pos, e) != 0)
			return -1;
	return 0;
}

int
cv_agent_uncovered(const struct cv_agent *a,
		   int (*fn)(void *ctx, const char *what, const char *why, struct cv_jpos pos,
			     struct cv_err *e),
		   void *ctx, struct cv_err *e)
{
	const struct listing l = { .fn = fn, .ctx = ctx };

	for (size_t i = 0; i < a->nartifacts; i++) {
		const struct cv_artifact *x = &a->artifacts[i];

		if (cv_artifact_covered(x))
			continue;
		if (tell(&l, cv_atype_word(x->type), x->name,
			 x->type == CV_A_MCP_REMOTE
				 ? "the server runs elsewhere: its code can change at any time"
				 : "the model runs elsewhere: its weights can change at any time",
			 x->pos, e) != 0)
			return -1;
	}
	return a->has_launch ? tell_launch(&l, &a->launch, e) : 0;
}
