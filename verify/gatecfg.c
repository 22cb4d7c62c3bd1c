/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gatecfg.c: gate.json. Must never let an agent's side choose its judge: who is
 * not named here is not accepted.
 */
#include "verify/gatecfg_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"
#include "verify/guarded.h"

#include "trust/base/banned.h"

/* ---- reading ---- */

/* open_list: room for the elements of an optional array. */
static int
open_list(struct cv_gatecfg *g, struct cv_jv v, void **ret, size_t size, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu elements, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	*ret = cv_mem_get(&g->mem, cv_jv_len(v), size, e);
	return *ret != NULL ? 0 : -1;
}

static int
read_policy(struct cv_gate_policy *p, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "name", "path", "sha256", NULL };
	struct cv_jv path = cv_jv_get(v, "path"), sha256 = cv_jv_get(v, "sha256");

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "name"), &p->name, e) != 0)
		return -1;
	p->pos = cv_jv_pos(v);
	if (path.absent && sha256.absent)
		return cv_jv_fail(
			v, e, CV_R_CONFIG,
			"policy \"%s\" has no \"path\" and no \"sha256\", want one of them",
			p->name);
	if (!path.absent && cv_conf_absolute(path, &p->path, e) != 0)
		return -1;
	if (sha256.absent)
		return 0;
	if (cv_conf_digest(sha256, &p->sha256, e) != 0)
		return -1;
	if (p->sha256.alg != CV_SHA256)
		return cv_jv_fail(sha256, e, CV_R_CONFIG, "found %s, want sha256",
				  cv_alg_name(p->sha256.alg));
	return 0;
}

static int
read_policies(struct cv_gatecfg *g, struct cv_jv v, struct cv_err *e)
{
	void *room = NULL;

	if (open_list(g, v, &room, sizeof(*g->policies), e) != 0)
		return -1;
	g->policies = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_gate_policy *p = &g->policies[g->npolicies];

		if (read_policy(p, i, e) != 0)
			return -1;
		for (size_t k = 0; k < g->npolicies; k++)
			if (strcmp(g->policies[k].name, p->name) == 0)
				return cv_jv_fail(i, e, CV_R_CONFIG,
						  "found policy \"%s\" twice, want each once",
						  p->name);
		g->npolicies++;
	}
	return 0;
}

static int
read_adapter(struct cv_gate_adapter *a, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "name", "program", "host", NULL };
	struct cv_jv program = cv_jv_get(v, "program"), host = cv_jv_get(v, "host");

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "name"), &a->name, e) != 0)
		return -1;
	a->pos = cv_jv_pos(v);
	if (!program.absent && cv_conf_absolute(program, &a->program, e) != 0)
		return -1;
	if (host.absent)
		return 0;
	if (cv_jv_str(host, &a->host, e) != 0)
		return -1;
	if (strncmp(a->host, "unix://", 7) != 0 || cv_path_wrong(a->host + 7) != NULL)
		return cv_jv_fail(host, e, CV_R_CONFIG,
				  "found \"%s\", want \"unix://\" and an absolute path", a->host);
	return 0;
}

static int
read_adapters(struct cv_gatecfg *g, struct cv_jv v, struct cv_err *e)
{
	void *room = NULL;

	if (open_list(g, v, &room, sizeof(*g->adapters), e) != 0)
		return -1;
	g->adapters = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_gate_adapter *a = &g->adapters[g->nadapters];

		if (read_adapter(a, i, e) != 0)
			return -1;
		for (size_t k = 0; k < g->nadapters; k++)
			if (strcmp(g->adapters[k].name, a->name) == 0)
				return cv_jv_fail(i, e, CV_R_CONFIG,
						  "found adapter \"%s\" twice, want each once",
						  a->name);
		g->nadapters++;
	}
	return 0;
}

static int
read_final(struct cv_gatecfg *g, struct cv_jv v, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, cv_final_words, e) != 0)
		return -1;
	g->final = cv_mem_get(&g->mem, cv_jv_len(v), sizeof(*g->final), e);
	if (g->final == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_gate_final *f = &g->final[g->nfinal++];

		*f = (struct cv_gate_final){ .pointer = cv_jv_key(i),
					     .value = i,
					     .pos = cv_jv_pos(i) };
		/* a remark is no rule: here a key that cv_jv_keys lets pass is
		 * a field that nobody would guard */
		if (f->pointer[0] != '/')
			return cv_jv_fail(i, e, CV_R_CONFIG,
					  "found \"%s\", want one of the fields that can be final",
					  f->pointer);
		if (cv_gate_final_check(f, NULL, e) != 0)
			return -1;
	}
	return 0;
}

static int
read_keys(struct cv_gatecfg *g, struct cv_jv v, int dirfd, struct cv_key **ret, size_t *n,
	  struct cv_err *e)
{
	bool external = false;

	if (v.absent)
		return 0;
	return cv_keys_read(&g->mem, v, dirfd, ret, n, &external, e);
}

static int
read_root(struct cv_gatecfg *g, struct cv_jv root, int dirfd, struct cv_err *e)
{
	static const char *const keys[] = { "schema", "policy_signers", "policies", "min_version",
					    "final",  "bundle_keys",    "adapters", NULL };
	struct cv_jv version = cv_jv_get(root, "min_version");

	if (cv_jv_keys(root, keys, e) != 0 ||
	    read_keys(g, cv_jv_get(root, "policy_signers"), dirfd, &g->policy_signers,
		      &g->npolicy_signers, e) != 0 ||
	    read_keys(g, cv_jv_get(root, "bundle_keys"), dirfd, &g->bundle_keys, &g->nbundle_keys,
		      e) != 0)
		return -1;
	if (read_policies(g, cv_jv_get(root, "policies"), e) != 0 ||
	    read_final(g, cv_jv_get(root, "final"), e) != 0 ||
	    read_adapters(g, cv_jv_get(root, "adapters"), e) != 0)
		return -1;
	return version.absent ? 0 : cv_jv_u64(version, INT64_MAX, &g->min_version, e);
}

int
cv_gatecfg_parse(struct cv_gatecfg **ret, const char *name, struct cv_span in, int dirfd,
		 struct cv_err *e)
{
	cv_auto(cv_gatecfg_free) struct cv_gatecfg *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return cv_fail_memory(e);
	if (in.n > CV_MAX_HUMAN_FILE)
		return cv_fail(e, CV_R_CONFIG, "%s: found %zu bytes, want at most %llu", name, in.n,
			       CV_MAX_HUMAN_FILE);
	if (cv_conf_parse(&g->doc, name, in, CV_JSON_HUMAN, CV_GATECFG_SCHEMA, e) != 0)
		return -1;
	g->file = cv_json_name(g->doc);
	if (read_root(g, cv_json_root(g->doc), dirfd, e) != 0)
		return cv_conf_reason(e);
	if (cv_digest_of(&g->digest, CV_SHA256, in, e) != 0)
		return -1;
	*ret = cv_steal(g);
	return 0;
}

static int
keys_guarded(const struct cv_key *keys, size_t n, int dirfd, struct cv_err *e)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].file != NULL && cv_guarded(dirfd, keys[i].file, e) != 0)
			return -1;
	return 0;
}

int
cv_gatecfg_load(struct cv_gatecfg **ret, const char *path, struct cv_err *e)
{
	cv_auto(cv_gatecfg_free) struct cv_gatecfg *g = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	cv_auto(cv_closep) int dir = -1;
	int got;

	if (cv_guarded(AT_FDCWD, path, e) != 0)
		return -1;
	got = cv_conf_read(&text, AT_FDCWD, path, CV_MAX_HUMAN_FILE, e);
	if (got == 0)
		return cv_fail(e, CV_R_CONFIG, "%s: there is no such file", path);
	if (got < 0)
		return -1;
	dir = cv_conf_dir(path, e);
	if (dir < 0 || cv_gatecfg_parse(&g, path, cv_buf_span(&text), dir, e) != 0 ||
	    keys_guarded(g->policy_signers, g->npolicy_signers, dir, e) != 0 ||
	    keys_guarded(g->bundle_keys, g->nbundle_keys, dir, e) != 0)
		return -1;
	*ret = cv_steal(g);
	return 0;
}

void
cv_gatecfg_free(struct cv_gatecfg **g)
{
	if (*g == NULL)
		return;
	cv_mem_free(&(*g)->mem);
	cv_json_free(&(*g)->doc);
	free(*g);
	*g = NULL;
}

/* ---- who may vouch ---- */

int
cv_gatecfg_authority(const struct cv_gatecfg *g, const char *path, struct cv_span bytes,
		     bool enveloped, enum cv_gate_by *ret, struct cv_err *e)
{
	char text[CV_DIGEST_TEXT];
	struct cv_digest digest;

	*ret = CV_GATE_NO;
	if (cv_digest_of(&digest, CV_SHA256, bytes, e) != 0)
		return -1;
	for (size_t i = 0; i < g->npolicies; i++)
		if (g->policies[i].sha256.alg != CV_ALG_NONE &&
		    cv_digest_eq(&g->policies[i].sha256, &digest)) {
			*ret = CV_GATE_BY_SHA256;
			return 0;
		}
	/* a path vouches for the file that lies there, not for what an envelope
	 * there says; with a digest beside it, it vouches for nothing else */
	for (size_t i = 0; path != NULL && !enveloped && i < g->npolicies; i++)
		if (g->policies[i].path != NULL && g->policies[i].sha256.alg == CV_ALG_NONE &&
		    strcmp(g->policies[i].path, path) == 0) {
			*ret = CV_GATE_BY_PATH;
			return 0;
		}
	if (enveloped && g->npolicy_signers > 0) {
		*ret = CV_GATE_BY_SIGNER;
		return 0;
	}
	return cv_fail(e, CV_R_UNAUTHORISED,
		       "%s: found policy %s (%s), want one that this file names by path or sha256, "
		       "or one signed by a policy signer",
		       g->file, cv_digest_text(&digest, text), path != NULL ? path : "not a file");
}

int
cv_gatecfg_check(const struct cv_gatecfg *g, const struct cv_policy *p, enum cv_gate_by by,
		 struct cv_err *e)
{
	if (by == CV_GATE_NO)
		return cv_fail(e, CV_R_UNAUTHORISED, "%s: nobody vouched for policy \"%s\"",
			       g->file, p->name);
	if (by != CV_GATE_BY_PATH && p->external_keys)
		return cv_fail(
			e, CV_R_UNAUTHORISED,
			"%s: policy \"%s\" takes keys from files beside it, which its %s does "
			"not cover; want the keys in the policy",
			g->file, p->name, by == CV_GATE_BY_SHA256 ? "digest" : "signature");
	if (p->version < g->min_version)
		return cv_fail(e, CV_R_UNAUTHORISED,
			       "%s: policy \"%s\" has version %llu, want at least %llu", g->file,
			       p->name, (unsigned long long)p->version,
			       (unsigned long long)g->min_version);
	for (size_t i = 0; i < g->nfinal; i++)
		if (cv_gate_final_check(&g->final[i], p, e) != 0)
			return -1;
	return 0;
}
