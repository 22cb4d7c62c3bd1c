/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.c: agent.json, but for its launch section. Must never let one writing
 * be taken for two things: an artifact has exactly one origin, and what its
 * type cannot have is an error, not ignored.
 */
#include "verify/agent_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/oci.h"
#include "trust/base/ref.h"
#include "verify/embed.h"
#include "verify/tree.h"

#include "trust/base/banned.h"

#define URL_MAX 2048

const char *const cv_atype_words[] = { "image", "model",      "mcp",          "skill", "prompt",
				       "file",  "mcp-remote", "model-hosted", NULL };

static const char *const evidence_words[] = { "bundle", "signature", "dsse", NULL };

const char *
cv_atype_word(enum cv_atype type)
{
	if (type < CV_A_IMAGE || type > CV_A_MODEL_HOSTED)
		return "invalid";
	return cv_atype_words[type - 1];
}

bool
cv_artifact_covered(const struct cv_artifact *a)
{
	return a->type != CV_A_MCP_REMOTE && a->type != CV_A_MODEL_HOSTED;
}

/* ---- where an artifact is ---- */

/* loopback: does the host at p, up to ':', '/' or the end, name this machine? */
static bool
loopback(const char *p)
{
	size_t n = p[0] == '[' ? strcspn(p, "]") + 1 : strcspn(p, ":/?");
	struct cv_span host = cv_span(p, n);

	return cv_span_eq_str(host, "localhost") || cv_span_eq_str(host, "127.0.0.1") ||
	       cv_span_eq_str(host, "[::1]");
}

static const char *
url_wrong(const char *s)
{
	const char *host = NULL;

	if (strncmp(s, "https://", 8) == 0)
		host = s + 8;
	else if (strncmp(s, "http://", 7) == 0 && loopback(s + 7))
		host = s + 7;
	if (host == NULL)
		return "it does not start with \"https://\"";
	if (strlen(s) > URL_MAX)
		return "it is longer than 2048 characters";
	if (strcspn(host, ":/?#") == 0)
		return "it has no host";
	for (const char *p = s; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p) != NULL)
			return "it has a character that has to be written as %XX";
		if (*p == '#')
			return "it has a fragment";
	}
	if (memchr(host, '@', strcspn(host, "/?")) != NULL)
		return "it has a user name";
	return NULL;
}

static int
read_url(struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	const char *wrong;

	if (cv_jv_str(v, &a->asked, e) != 0)
		return -1;
	wrong = url_wrong(a->asked);
	if (wrong != NULL)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", want an https address: %s",
				  a->asked, wrong);
	a->source = a->asked;
	a->origin = cv_artifact_covered(a) ? CV_O_URL : CV_O_REMOTE;
	return 0;
}

static int
read_path(struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	if (cv_conf_relative(v, &a->asked, e) != 0)
		return -1;
	a->path = a->source = a->asked;
	a->origin = CV_O_PATH;
	return 0;
}

static int
layout_dir(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v,
	   const struct cv_image_ref *ref, struct cv_err *e)
{
	const char *wrong = strcmp(ref->dir, ".") == 0 ? NULL : cv_tree_path_wrong(ref->dir);

	if (wrong != NULL)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found layout \"%s\", want a path below this file's "
				  "directory: %s",
				  ref->dir, wrong);
	a->origin = CV_O_LAYOUT;
	a->path = cv_mem_str(&g->mem, ref->dir, e);
	a->source = cv_mem_fmt(&g->mem, e, "oci-layout:%s", ref->dir);
	return a->path != NULL && a->source != NULL ? 0 : -1;
}

static int
read_ref(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	char text[CV_REPO_TEXT];
	struct cv_image_ref ref;
	struct cv_err why;

	if (cv_jv_str(v, &a->asked, e) != 0)
		return -1;
	if (cv_image_ref_parse(&ref, cv_span_str(a->asked), &why) != 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	a->digest = ref.digest;
	if (ref.tag[0] != '\0') {
		a->tag = cv_mem_str(&g->mem, ref.tag, e);
		if (a->tag == NULL)
			return -1;
	}
	if (ref.layout)
		return layout_dir(g, a, v, &ref, e);
	a->origin = CV_O_REGISTRY;
	a->source = cv_mem_str(&g->mem, cv_repo_text(&ref.repo, text), e);
	return a->source != NULL ? 0 : -1;
}

/* wants: which key says where an artifact of this type is. */
static const char *
wants(enum cv_atype type)
{
	switch (type) {
	case CV_A_IMAGE:
		return "\"ref\"";
	case CV_A_MCP_REMOTE:
	case CV_A_MODEL_HOSTED:
		return "\"url\"";
	case CV_A_MODEL:
	case CV_A_MCP:
	case CV_A_SKILL:
	case CV_A_PROMPT:
	case CV_A_FILE:
	default:
		return "\"path\", or \"url\" and \"digest\"";
	}
}

static int
read_origin(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv ref = cv_jv_get(v, "ref"), path = cv_jv_get(v, "path");
	struct cv_jv url = cv_jv_get(v, "url");
	int said = !ref.absent + !path.absent + !url.absent;
	bool image = a->type == CV_A_IMAGE, covered = cv_artifact_covered(a);

	if (said == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "%s \"%s\" does not say where it is, want %s",
				  cv_atype_word(a->type), a->name, wants(a->type));
	if (said > 1)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "%s \"%s\" has %d of \"ref\", \"path\" and \"url\", want %s",
				  cv_atype_word(a->type), a->name, said, wants(a->type));
	if (image == ref.absent || (!covered && url.absent))
		return cv_jv_fail(!ref.absent    ? ref
				  : !path.absent ? path
						 : url,
				  e, CV_R_CONFIG, "found \"%s\" in %s \"%s\", want %s",
				  !ref.absent    ? "ref"
				  : !path.absent ? "path"
						 : "url",
				  cv_atype_word(a->type), a->name, wants(a->type));
	a->asked_pos = cv_jv_pos(!ref.absent ? ref : !path.absent ? path : url);
	if (!ref.absent)
		return read_ref(g, a, ref, e);
	return !path.absent ? read_path(a, path, e) : read_url(a, url, e);
}

static int
read_digest(struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv d = cv_jv_get(v, "digest");
	struct cv_digest digest;

	a->digest_pos = a->asked_pos;
	if (d.absent && a->origin == CV_O_URL)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "\"%s\" has a \"url\" and no \"digest\", want the digest of the "
				  "file at that address",
				  a->name);
	if (d.absent)
		return 0;
	if (cv_conf_digest(d, &digest, e) != 0)
		return -1;
	if (a->digest.alg != CV_ALG_NONE && !cv_digest_eq(&a->digest, &digest))
		return cv_jv_fail(d, e, CV_R_CONFIG,
				  "\"digest\" differs from the one in \"ref\", want one of them");
	if (digest.alg != CV_SHA256 && a->type != CV_A_IMAGE)
		return cv_jv_fail(d, e, CV_R_CONFIG, "found %s, want sha256",
				  cv_alg_name(digest.alg));
	a->digest = digest;
	a->digest_pos = cv_jv_pos(d);
	return 0;
}

/* ---- the rest of an artifact ---- */

static int
read_platform(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	char text[CV_PLATFORM_TEXT];
	struct cv_platform p;
	const char *asked;

	if (v.absent)
		return 0;
	if (cv_jv_str(v, &asked, e) != 0)
		return -1;
	if (cv_platform_parse(&p, cv_span_str(asked), NULL) != 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want a platform like \"linux/amd64\"", asked);
	a->platform = cv_mem_str(&g->mem, cv_platform_text(&p, text), e);
	return a->platform != NULL ? 0 : -1;
}

static int
read_evidence_item(struct cv_agent_evidence *ev, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "kind", "path", NULL };
	size_t kind;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (cv_jv_choice(cv_jv_get(v, "kind"), evidence_words, &kind, e) != 0)
		return -1;
	if (cv_conf_relative(cv_jv_get(v, "path"), &ev->path, e) != 0)
		return -1;
	ev->kind = (enum cv_evidence)(kind + 1);
	ev->pos = cv_jv_pos(v);
	return 0;
}

static int
read_evidence(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_EVIDENCE_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu elements, want at most %d",
				  cv_jv_len(v), CV_MAX_EVIDENCE_ITEMS);
	a->evidence = cv_mem_get(&g->mem, cv_jv_len(v), sizeof(*a->evidence), e);
	if (a->evidence == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (read_evidence_item(&a->evidence[a->nevidence++], i, e) != 0)
			return -1;
	return 0;
}

static int
read_files(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	if (cv_conf_items(&g->mem, v, &a->files, e) != 0)
		return -1;
	if (!v.absent && a->files.n == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found an empty list, want a pattern, or no "
				  "\"files\" for all of them");
	for (size_t i = 0; i < a->files.n; i++)
		if (strlen(a->files.v[i].text) > CV_MAX_GLOB)
			return cv_conf_at(e, g->file, a->files.v[i].pos,
					  "found a pattern of %zu bytes, want at most %d",
					  strlen(a->files.v[i].text), CV_MAX_GLOB);
	return 0;
}

/* keys_of: what an artifact of this type may have. */
static const char *const *
keys_of(enum cv_atype type)
{
	static const char *const image[] = { "type", "ref", "digest", "platform", NULL };
	static const char *const model[] = { "type",  "path",     "url", "digest",
					     "files", "evidence", NULL };
	static const char *const mcp[] = { "type",  "path",     "url", "digest",
					   "tools", "evidence", NULL };
	static const char *const other[] = { "type", "path", "url", "digest", "evidence", NULL };
	static const char *const remote[] = { "type", "url", "tools", NULL };
	static const char *const hosted[] = { "type", "url", NULL };

	switch (type) {
	case CV_A_IMAGE:
		return image;
	case CV_A_MODEL:
		return model;
	case CV_A_MCP:
		return mcp;
	case CV_A_MCP_REMOTE:
		return remote;
	case CV_A_MODEL_HOSTED:
		return hosted;
	case CV_A_SKILL:
	case CV_A_PROMPT:
	case CV_A_FILE:
	default:
		return other;
	}
}

static int
read_artifact(struct cv_agent *g, struct cv_artifact *a, struct cv_jv v, struct cv_err *e)
{
	size_t type;

	a->name = cv_jv_key(v);
	a->pos = cv_jv_key_pos(v);
	if (!cv_name_valid(a->name))
		return cv_conf_at(e, g->file, a->pos,
				  "found artifact name \"%s\", want at most 64 of a-z, 0-9, "
				  "'.', '_', '-', starting with a letter or digit",
				  a->name);
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 ||
	    cv_jv_choice(cv_jv_get(v, "type"), cv_atype_words, &type, e) != 0)
		return -1;
	a->type = (enum cv_atype)(type + 1);
	if (read_origin(g, a, v, e) != 0 || cv_jv_keys(v, keys_of(a->type), e) != 0)
		return -1;
	if (read_digest(a, v, e) != 0 || read_platform(g, a, cv_jv_get(v, "platform"), e) != 0 ||
	    read_evidence(g, a, cv_jv_get(v, "evidence"), e) != 0 ||
	    read_files(g, a, cv_jv_get(v, "files"), e) != 0)
		return -1;
	return cv_conf_items(&g->mem, cv_jv_get(v, "tools"), &a->tools, e);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct cv_artifact *)a)->name, ((const struct cv_artifact *)b)->name);
}

static int
read_artifacts(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_len(v) == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found no artifact, want at least one");
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu artifacts, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	g->artifacts = cv_mem_get(&g->mem, cv_jv_len(v), sizeof(*g->artifacts), e);
	if (g->artifacts == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (read_artifact(g, &g->artifacts[g->nartifacts++], i, e) != 0)
			return -1;
	qsort(g->artifacts, g->nartifacts, sizeof(*g->artifacts), by_name);
	return 0;
}

/* ---- the file ---- */

static int
read_policy(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	const char *text;

	/* who does not choose gets the strictest */
	g->policy = "preset:strict";
	if (v.absent)
		return 0;
	g->policy_pos = cv_jv_pos(v);
	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (strncmp(text, "preset:", 7) == 0) {
		if (cv_embed_preset(text + 7).n == 0)
			return cv_jv_fail(v, e, CV_R_CONFIG,
					  "found \"%s\", want \"preset:strict\", "
					  "\"preset:standard\", \"preset:audit\" or a file",
					  text);
		g->policy = text;
		return 0;
	}
	return cv_conf_relative(v, &g->policy, e);
}

static int
read_root(struct cv_agent *g, struct cv_jv root, struct cv_err *e)
{
	static const char *const keys[] = {
		"schema", "name", "policy", "artifacts", "launch", NULL
	};
	struct cv_jv name = cv_jv_get(root, "name"), launch = cv_jv_get(root, "launch");

	if (cv_jv_keys(root, keys, e) != 0 || cv_jv_str(name, &g->name, e) != 0)
		return -1;
	if (!cv_name_valid(g->name))
		return cv_jv_fail(name, e, CV_R_CONFIG,
				  "found \"%s\", want at most 64 of a-z, 0-9, '.', '_', '-', "
				  "starting with a letter or digit",
				  g->name);
	if (read_policy(g, cv_jv_get(root, "policy"), e) != 0 ||
	    read_artifacts(g, cv_jv_get(root, "artifacts"), e) != 0)
		return -1;
	if (launch.absent)
		return 0;
	g->has_launch = true;
	return cv_agent_launch(g, launch, e);
}

static int
hash(struct cv_agent *g, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(2 * CV_MAX_HUMAN_FILE);

	if (cv_agent_canonical(g, &text, e) != 0)
		return -1;
	return cv_digest_of(&g->digest, CV_SHA256, cv_buf_span(&text), e);
}

int
cv_agent_parse(struct cv_agent **ret, const char *name, struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_agent_free) struct cv_agent *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return cv_fail_memory(e);
	if (in.n > CV_MAX_HUMAN_FILE)
		return cv_fail(e, CV_R_CONFIG, "%s: found %zu bytes, want at most %llu", name, in.n,
			       CV_MAX_HUMAN_FILE);
	if (cv_conf_parse(&g->doc, name, in, CV_JSON_HUMAN, CV_AGENT_SCHEMA, e) != 0)
		return -1;
	g->file = cv_json_name(g->doc);
	if (read_root(g, cv_json_root(g->doc), e) != 0 || hash(g, e) != 0)
		return cv_conf_reason(e);
	*ret = cv_steal(g);
	return 0;
}

int
cv_agent_load(struct cv_agent **ret, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	int got = cv_conf_read(&text, AT_FDCWD, path, CV_MAX_HUMAN_FILE, e);

	if (got == 0)
		return cv_fail(e, CV_R_CONFIG, "%s: there is no such file", path);
	if (got < 0)
		return -1;
	return cv_agent_parse(ret, path, cv_buf_span(&text), e);
}

void
cv_agent_free(struct cv_agent **a)
{
	if (*a == NULL)
		return;
	cv_mem_free(&(*a)->mem);
	cv_json_free(&(*a)->doc);
	free(*a);
	*a = NULL;
}

const struct cv_artifact *
cv_agent_find(const struct cv_agent *a, const char *name)
{
	struct cv_artifact key = { .name = name };

	return bsearch(&key, a->artifacts, a->nartifacts, sizeof(*a->artifacts), by_name);
}
