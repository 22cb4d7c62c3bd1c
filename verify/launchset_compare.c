/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launchset_compare.c: is a launch what was verified? Must never take silence
 * of a request for agreement (launchset.h names the three exceptions).
 */
#include "verify/launchset.h"

#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

struct compare {
	const struct cv_launchset *set, *req;
	const struct cv_policy *policy;
	int (*fn)(void *ctx, const struct cv_finding *f, struct cv_err *e);
	void *ctx;
};

/* differ: one finding; found NULL is "nothing". */
static int
differ(const struct compare *c, const char *check, const char *where, const char *expected,
       const char *found, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, CV_R_RULE);

	cv_finding_where(&f, "%s", where);
	cv_finding_expected(&f, "%s", expected == NULL ? "nothing" : expected);
	cv_finding_found(&f, "%s", found == NULL ? "nothing" : found);
	return c->fn(c->ctx, &f, e);
}

static int
mismatch(const struct compare *c, const char *where, const char *expected, const char *found,
	 struct cv_err *e)
{
	return differ(c, "launch.set-mismatch", where, expected, found, e);
}

/* ---- image ---- */

static int
same_digest(const struct compare *c, const char *check, const char *where,
	    const struct cv_digest *want, const struct cv_digest *found, struct cv_err *e)
{
	char a[CV_DIGEST_TEXT], b[CV_DIGEST_TEXT];

	if (cv_digest_eq(want, found))
		return 0;
	return differ(c, check, where, want->alg != CV_ALG_NONE ? cv_digest_text(want, a) : NULL,
		      found->alg != CV_ALG_NONE ? cv_digest_text(found, b) : NULL, e);
}

static int
compare_image(const struct compare *c, struct cv_err *e)
{
	const char *id = "launch.image-mismatch";
	const struct cv_ls_image *want = &c->set->image, *is = &c->req->image;

	if (is->manifest.alg == CV_ALG_NONE && is->config.alg == CV_ALG_NONE)
		return same_digest(c, id, "image", &want->manifest, &is->manifest, e);
	if (is->index.alg != CV_ALG_NONE &&
	    same_digest(c, id, "image.index", &want->index, &is->index, e) != 0)
		return -1;
	if (is->manifest.alg != CV_ALG_NONE &&
	    same_digest(c, id, "image.manifest", &want->manifest, &is->manifest, e) != 0)
		return -1;
	if (is->config.alg == CV_ALG_NONE)
		return 0;
	return same_digest(c, id, "image.config", &want->config, &is->config, e);
}

/* ---- texts ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int
compare_text(const struct compare *c, const char *where, const char *want, const char *found,
	     struct cv_err *e)
{
	return same_text(want, found) ? 0 : mismatch(c, where, want, found, e);
}

static int
compare_texts(const struct compare *c, const char *where, bool want, const struct cv_items *a,
	      bool has, const struct cv_items *b, struct cv_err *e)
{
	bool same = want == has && a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->v[i].text, b->v[i].text) == 0;
	if (same)
		return 0;
	return mismatch(c, where, want ? "what the launch set has" : "the image's own",
			has ? "something else" : "the image's own", e);
}

static int
compare_process(const struct compare *c, struct cv_err *e)
{
	const struct cv_launchset *s = c->set, *r = c->req;

	if ((r->agent != NULL && compare_text(c, "agent", s->agent, r->agent, e) != 0) ||
	    (r->platform != NULL && compare_text(c, "platform", s->platform, r->platform, e) != 0))
		return -1;
	if (compare_texts(c, "command", s->has_command, &s->command, r->has_command, &r->command,
			  e) != 0 ||
	    compare_texts(c, "entrypoint", s->has_entrypoint, &s->entrypoint, r->has_entrypoint,
			  &r->entrypoint, e) != 0 ||
	    compare_text(c, "workdir", s->workdir, r->workdir, e) != 0)
		return -1;
	return compare_text(c, "user", s->user, r->user, e);
}

/* ---- artifacts and mounts: both sorted ---- */

static int
compare_artifacts(const struct compare *c, struct cv_err *e)
{
	const struct cv_launchset *s = c->set, *r = c->req;
	char where[512];

	for (size_t i = 0, k = 0; r->nartifacts > 0 && (i < s->nartifacts || k < r->nartifacts);) {
		const struct cv_ls_artifact *a = i < s->nartifacts ? &s->artifacts[i] : NULL;
		const struct cv_ls_artifact *b = k < r->nartifacts ? &r->artifacts[k] : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->name, b->name);
		bool same = order == 0 && a->type == b->type && same_text(a->url, b->url) &&
			    (a->url != NULL || cv_digest_eq(&a->digest, &b->digest));
		char want[CV_DIGEST_TEXT], found[CV_DIGEST_TEXT];

		cv_text_fmt(where, sizeof(where), "artifacts.%s", order <= 0 ? a->name : b->name);
		if (!same && mismatch(c, where,
				      order > 0        ? NULL
				      : a->url != NULL ? a->url
						       : cv_digest_text(&a->digest, want),
				      order < 0        ? NULL
				      : b->url != NULL ? b->url
						       : cv_digest_text(&b->digest, found),
				      e) != 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

static int
compare_mounts(const struct compare *c, struct cv_err *e)
{
	static const struct cv_digest none;
	const struct cv_launchset *s = c->set, *r = c->req;
	char where[512];

	for (size_t i = 0, k = 0; i < s->nmounts || k < r->nmounts;) {
		const struct cv_ls_mount *a = i < s->nmounts ? &s->mounts[i] : NULL;
		const struct cv_ls_mount *b = k < r->nmounts ? &r->mounts[k] : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a->target, b->target);

		cv_text_fmt(where, sizeof(where), "mounts.%s", order <= 0 ? a->target : b->target);
		if (same_digest(c, "launch.set-mismatch", where, order <= 0 ? &a->tree : &none,
				order >= 0 ? &b->tree : &none, e) != 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

/* ---- environment ---- */

static const struct cv_ls_env *
env_find(const struct cv_launchset *s, const char *name)
{
	for (size_t i = 0; i < s->nenv; i++)
		if (strcmp(s->env[i].name, name) == 0)
			return &s->env[i];
	return NULL;
}

static bool
env_meets(const struct cv_ls_env *rule, const struct cv_ls_env *is)
{
	switch (rule->rule) {
	case CV_FREE:
		return true;
	case CV_PREFIX:
		return is != NULL && strncmp(is->value, rule->value, strlen(rule->value)) == 0;
	case CV_BOUND:
		return is != NULL && strcmp(is->value, rule->value) == 0;
	}
	return false;
}

static int
compare_env(const struct compare *c, struct cv_err *e)
{
	char where[512], want[512];

	for (size_t i = 0; i < c->set->nenv; i++) {
		const struct cv_ls_env *rule = &c->set->env[i];
		const struct cv_ls_env *is = env_find(c->req, rule->name);

		if (env_meets(rule, is))
			continue;
		cv_text_fmt(where, sizeof(where), "env.%s", rule->name);
		cv_text_fmt(want, sizeof(want), "%s\"%s\"",
			    rule->rule == CV_PREFIX ? "a value that starts with " : "",
			    rule->value);
		if (mismatch(c, where, want, is != NULL ? is->value : NULL, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < c->req->nenv; i++) {
		const struct cv_ls_env *is = &c->req->env[i];

		if (env_find(c->set, is->name) != NULL || cv_items_has(&c->set->secrets, is->name))
			continue;
		cv_text_fmt(where, sizeof(where), "env.%s", is->name);
		/* its value may be a secret: not shown */
		if (mismatch(c, where, NULL, "a value", e) != 0)
			return -1;
	}
	return 0;
}

/* ---- at most ---- */

static int
compare_limit(const struct compare *c, const char *where, uint64_t most, uint64_t is,
	      struct cv_err *e)
{
	char want[64], found[64];

	if (most == 0 || (is > 0 && is <= most))
		return 0;
	cv_text_fmt(want, sizeof(want), "at most %llu", (unsigned long long)most);
	cv_text_fmt(found, sizeof(found), "%llu", (unsigned long long)is);
	return mismatch(c, where, want, is > 0 ? found : "no limit", e);
}

static int
compare_subset(const struct compare *c, const char *where, const struct cv_items *most,
	       const struct cv_items *is, struct cv_err *e)
{
	for (size_t i = 0; i < is->n; i++)
		if (!cv_items_has(most, is->v[i].text) &&
		    mismatch(c, where, NULL, is->v[i].text, e) != 0)
			return -1;
	return 0;
}

static int
compare_writable(const struct compare *c, struct cv_err *e)
{
	char where[512];

	for (size_t i = 0; i < c->req->nwritable; i++) {
		const struct cv_writable *is = &c->req->writable[i], *may = NULL;

		for (size_t k = 0; k < c->set->nwritable; k++)
			if (strcmp(c->set->writable[k].path, is->path) == 0)
				may = &c->set->writable[k];
		cv_text_fmt(where, sizeof(where), "writable.%s", is->path);
		if (may == NULL || may->kind != is->kind) {
			if (mismatch(c, where,
				     may == NULL ? NULL : cv_writable_words[may->kind - 1],
				     cv_writable_words[is->kind - 1], e) != 0)
				return -1;
			continue;
		}
		if (compare_limit(c, where, may->size, is->size, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- what undoes the sandbox ---- */

/* refused: what the set does not hold; a policy that does not allow it says so
 * itself (cv_policy_launch, below). */
static int
refused(const struct compare *c, const char *check, const char *allow, const char *where,
	const char *found, struct cv_err *e)
{
	if (c->policy != NULL && !cv_policy_allows(c->policy, allow))
		return 0;
	return differ(c, check, where, NULL, found, e);
}

static bool
bind_held(const struct cv_launchset *s, const struct cv_hostbind *is)
{
	for (size_t i = 0; i < s->nbinds; i++) {
		const struct cv_hostbind *b = &s->binds[i];

		if (strcmp(b->source, is->source) == 0 && strcmp(b->target, is->target) == 0)
			return is->readonly || !b->readonly;
	}
	return false;
}

static int
compare_binds(const struct compare *c, struct cv_err *e)
{
	char text[512];

	for (size_t i = 0; i < c->req->nbinds; i++) {
		const struct cv_hostbind *b = &c->req->binds[i];

		if (bind_held(c->set, b))
			continue;
		cv_text_fmt(text, sizeof(text), "%s as %s%s", b->source, b->target,
			    b->readonly ? "" : ", writable");
		if (cv_launch_socket(b->source)) {
			if (refused(c, "launch.docker-socket", "docker-socket", "binds", text, e) !=
			    0)
				return -1;
		} else if (!b->readonly) {
			if (refused(c, "launch.writable-code", "writable-code", "binds", text, e) !=
			    0)
				return -1;
		}
		/* and whoever allows such binds has not seen this one */
		if (mismatch(c, "binds", NULL, text, e) != 0)
			return -1;
	}
	return 0;
}

static int
compare_privileges(const struct compare *c, struct cv_err *e)
{
	char allow[512];

	if (c->req->privileged && !c->set->privileged &&
	    refused(c, "launch.privileged", "privileged", "privileged", "true", e) != 0)
		return -1;
	for (size_t i = 0; i < CV_NS_COUNT; i++) {
		if ((c->req->namespaces & ~c->set->namespaces & 1u << i) == 0)
			continue;
		cv_text_fmt(allow, sizeof(allow), "host-namespace:%s", cv_ns_words[i]);
		if (refused(c, "launch.host-namespace", allow, "namespaces", cv_ns_words[i], e) !=
		    0)
			return -1;
	}
	for (size_t i = 0; i < c->req->devices.n; i++) {
		const char *device = c->req->devices.v[i].text;

		if (cv_items_has(&c->set->devices, device))
			continue;
		cv_text_fmt(allow, sizeof(allow), "device:%s", device);
		if (refused(c, "launch.device", allow, "devices", device, e) != 0)
			return -1;
	}
	if (c->set->read_only_root && !c->req->read_only_root)
		return mismatch(c, "read_only_root", "true", "false", e);
	return 0;
}

/* ---- policy, asked again about what is to start ---- */

static int
policy_says(void *ctx, const struct cv_finding *f, struct cv_jpos pos, struct cv_err *e)
{
	const struct compare *c = ctx;

	(void)pos;
	return c->fn(c->ctx, f, e);
}

static int
ask_policy(struct compare *c, struct cv_err *e)
{
	const struct cv_launchset *r = c->req;
	struct cv_mem m = { 0 };
	struct cv_agent a = { .has_launch = true };
	int ret = -1;

	a.launch = (struct cv_launch){
		.has_command = r->has_command,
		.command = r->command,
		.entrypoint = r->entrypoint,
		.writable = r->writable,
		.nwritable = r->nwritable,
		.egress = r->egress,
		.limits = r->limits,
		.capabilities = r->capabilities,
		.read_only_root = r->read_only_root,
		.privileged = r->privileged,
		.devices = r->devices,
		.namespaces = r->namespaces,
		.binds = r->binds,
		.nbinds = r->nbinds,
	};
	a.launch.mounts = cv_mem_get(&m, r->nmounts, sizeof(*a.launch.mounts), e);
	if (a.launch.mounts != NULL) {
		for (size_t i = 0; i < r->nmounts; i++)
			a.launch.mounts[i].target = r->mounts[i].target;
		a.launch.nmounts = r->nmounts;
		ret = cv_policy_launch(c->policy, &a, policy_says, c, e);
	}
	cv_mem_free(&m);
	return ret;
}

int
cv_launchset_compare(const struct cv_launchset *set, const struct cv_launchset *req,
		     const struct cv_policy *policy,
		     int (*fn)(void *ctx, const struct cv_finding *f, struct cv_err *e), void *ctx,
		     struct cv_err *e)
{
	struct compare c = { .set = set, .req = req, .policy = policy, .fn = fn, .ctx = ctx };

	if (compare_image(&c, e) != 0 || compare_process(&c, e) != 0 ||
	    compare_artifacts(&c, e) != 0 || compare_mounts(&c, e) != 0 || compare_env(&c, e) != 0)
		return -1;
	if (compare_limit(&c, "limits.memory", set->limits.memory, req->limits.memory, e) != 0 ||
	    compare_limit(&c, "limits.cpus", set->limits.cpus, req->limits.cpus, e) != 0 ||
	    compare_limit(&c, "limits.pids", set->limits.pids, req->limits.pids, e) != 0)
		return -1;
	if (compare_subset(&c, "capabilities", &set->capabilities, &req->capabilities, e) != 0 ||
	    compare_subset(&c, "egress", &set->egress, &req->egress, e) != 0 ||
	    compare_subset(&c, "secrets", &set->secrets, &req->secrets, e) != 0 ||
	    compare_writable(&c, e) != 0)
		return -1;
	if (compare_binds(&c, e) != 0 || compare_privileges(&c, e) != 0)
		return -1;
	return policy != NULL ? ask_policy(&c, e) : 0;
}
