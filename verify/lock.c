/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c: reading clawverify.lock. Must never take a pin from a file that says
 * it in two ways: only the exact text that we write is a lock.
 */
#include "verify/lock_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"

#include "trust/base/banned.h"

const char *const cv_lock_origin_words[] = { "registry", "layout", "path", "url", NULL };

/* ---- memory ---- */

int
cv_lock_open(struct cv_lock **ret, size_t n, struct cv_err *e)
{
	cv_auto(cv_lock_free) struct cv_lock *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return cv_fail_memory(e);
	l->artifacts = cv_mem_get(&l->mem, n, sizeof(*l->artifacts), e);
	if (l->artifacts == NULL)
		return -1;
	l->file = CV_LOCK_NAME;
	*ret = cv_steal(l);
	return 0;
}

void
cv_lock_free(struct cv_lock **l)
{
	if (*l == NULL)
		return;
	for (size_t i = 0; (*l)->artifacts != NULL && i < (*l)->nartifacts; i++)
		cv_tree_free(&(*l)->artifacts[i].tree);
	cv_mem_free(&(*l)->mem);
	cv_json_free(&(*l)->doc);
	free(*l);
	*l = NULL;
}

/* not bsearch: a lock that is being built need not be sorted yet */
const struct cv_lock_artifact *
cv_lock_find(const struct cv_lock *l, const char *name)
{
	for (size_t i = 0; i < l->nartifacts; i++)
		if (strcmp(l->artifacts[i].name, name) == 0)
			return &l->artifacts[i];
	return NULL;
}

/* ---- values ---- */

static int
optional_text(struct cv_jv v, const char **ret, struct cv_err *e)
{
	return v.absent ? 0 : cv_jv_str(v, ret, e);
}

static int
optional_digest(struct cv_jv v, struct cv_digest *ret, struct cv_err *e)
{
	return v.absent ? 0 : cv_conf_digest(v, ret, e);
}

/* open_list: room for the elements of an optional array. */
static int
open_list(struct cv_lock *l, struct cv_jv v, void **ret, size_t size, size_t max, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > max)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu elements, want at most %zu",
				  cv_jv_len(v), max);
	*ret = cv_mem_get(&l->mem, cv_jv_len(v), size, e);
	return *ret != NULL ? 0 : -1;
}

/* ---- images ---- */

static int
read_layer(struct cv_lock_layer *y, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "diffid", "digest", "media", "size", NULL };

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_conf_digest(cv_jv_get(v, "digest"), &y->digest, e) != 0 ||
	    cv_conf_digest(cv_jv_get(v, "diffid"), &y->diffid, e) != 0)
		return -1;
	if (cv_jv_u64(cv_jv_get(v, "size"), INT64_MAX, &y->size, e) != 0)
		return -1;
	return cv_jv_str(cv_jv_get(v, "media"), &y->media, e);
}

static int
read_image(struct cv_lock *l, struct cv_lock_artifact *a, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "config",   "index",    "layers",
					    "manifest", "platform", NULL };
	struct cv_jv layers = cv_jv_get(v, "layers");
	void *room = NULL;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    optional_digest(cv_jv_get(v, "index"), &a->index, e) != 0 ||
	    cv_conf_digest(cv_jv_get(v, "manifest"), &a->manifest, e) != 0 ||
	    cv_conf_digest(cv_jv_get(v, "config"), &a->config, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "platform"), &a->platform, e) != 0)
		return -1;
	if (cv_jv_want(layers, CV_J_ARRAY, e) != 0 ||
	    open_list(l, layers, &room, sizeof(*a->layers), CV_MAX_LAYERS, e) != 0)
		return -1;
	a->layers = room;
	for (struct cv_jv i = cv_jv_first(layers); !i.absent; i = cv_jv_next(i))
		if (read_layer(&a->layers[a->nlayers++], i, e) != 0)
			return -1;
	if (!cv_digest_eq(&a->digest, &a->manifest))
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "the \"manifest\" of \"%s\" is not its \"digest\"", a->name);
	return 0;
}

/* ---- trees ---- */

/* read_entry: "0644 SIZE sha256:HEX", "link TARGET" or "dir". */
static int
read_entry(struct cv_tree *t, struct cv_jv v, struct cv_err *e)
{
	struct cv_tree_entry entry = { .path = cv_jv_key(v) };
	struct cv_span s, size;
	const char *text;
	struct cv_err why;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	s = cv_span_str(text);
	if (strcmp(text, "dir") == 0) {
		entry.kind = CV_TREE_DIR;
	} else if (strncmp(text, "link ", 5) == 0) {
		entry.kind = CV_TREE_LINK;
		entry.target = text + 5;
	} else {
		entry.kind = cv_span_has_prefix(s, "0755 ") ? CV_TREE_EXEC : CV_TREE_FILE;
		if (!cv_span_has_prefix(s, entry.kind == CV_TREE_EXEC ? "0755 " : "0644 "))
			goto bad;
		cv_span_take(&s, 5);
		size = cv_span_until(&s, ' ');
		if (s.bad || cv_u64_parse(&entry.size, size, INT64_MAX, NULL) != 0 ||
		    cv_digest_parse(&entry.digest, s, NULL) != 0 || entry.digest.alg != CV_SHA256)
			goto bad;
	}
	if (cv_tree_add(t, &entry, &why) != 0)
		return why.reason == CV_R_MEMORY ? cv_fail_memory(e)
						 : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	return 0;
bad:
	return cv_jv_fail(v, e, CV_R_CONFIG,
			  "found \"%s\", want \"0644 SIZE sha256:HEX\", \"0755 ...\", \"link "
			  "TARGET\" or \"dir\"",
			  text);
}

static int
read_tree(struct cv_lock_artifact *a, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "algorithm", "digest", "files", NULL };
	static const char *const algorithms[] = { CV_TREE_ALGORITHM, NULL };
	struct cv_jv files = cv_jv_get(v, "files");
	struct cv_digest said, is;
	struct cv_err why;
	size_t word;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_choice(cv_jv_get(v, "algorithm"), algorithms, &word, e) != 0 ||
	    cv_conf_digest(cv_jv_get(v, "digest"), &said, e) != 0 ||
	    cv_jv_want(files, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_tree_open(&a->tree, a->name, e) != 0)
		return -1;
	for (struct cv_jv i = cv_jv_first(files); !i.absent; i = cv_jv_next(i))
		if (read_entry(a->tree, i, e) != 0)
			return -1;
	if (cv_tree_end(a->tree, &is, &why) != 0)
		return why.reason == CV_R_MEMORY ? cv_fail_memory(e)
						 : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	if (!cv_digest_eq(&said, &is))
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "the files of \"%s\" do not give its tree digest", a->name);
	if (!cv_digest_eq(&a->digest, &is) && !cv_digest_eq(&a->digest, &a->archive))
		return cv_jv_fail(v, e, CV_R_CONFIG, "the tree of \"%s\" is not its \"digest\"",
				  a->name);
	return 0;
}

/* ---- what was seen ---- */

static int
read_signers(struct cv_lock *l, struct cv_lock_artifact *a, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = {
		"identity", "issuer", "keyid", "name", "predicate", NULL
	};
	void *room = NULL;

	if (open_list(l, v, &room, sizeof(*a->signers), CV_MAX_LIST_ITEMS, e) != 0)
		return -1;
	a->signers = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_lock_signer *s = &a->signers[a->nsigners++];

		if (cv_jv_want(i, CV_J_OBJECT, e) != 0 || cv_jv_keys(i, keys, e) != 0 ||
		    cv_jv_str(cv_jv_get(i, "keyid"), &s->keyid, e) != 0 ||
		    optional_text(cv_jv_get(i, "identity"), &s->identity, e) != 0 ||
		    optional_text(cv_jv_get(i, "issuer"), &s->issuer, e) != 0 ||
		    optional_text(cv_jv_get(i, "name"), &s->name, e) != 0 ||
		    optional_text(cv_jv_get(i, "predicate"), &s->predicate, e) != 0)
			return -1;
	}
	return 0;
}

static int
read_evidence(struct cv_lock *l, struct cv_lock_artifact *a, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "digest", "role", NULL };
	static const char *const roles[] = { "attestation", "endorsement", "sbom", "signature",
					     NULL };
	void *room = NULL;
	size_t role;

	if (open_list(l, v, &room, sizeof(*a->evidence), CV_MAX_LIST_ITEMS, e) != 0)
		return -1;
	a->evidence = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_lock_evidence *x = &a->evidence[a->nevidence++];

		if (cv_jv_want(i, CV_J_OBJECT, e) != 0 || cv_jv_keys(i, keys, e) != 0 ||
		    cv_conf_digest(cv_jv_get(i, "digest"), &x->digest, e) != 0 ||
		    cv_jv_choice(cv_jv_get(i, "role"), roles, &role, e) != 0)
			return -1;
		x->role = roles[role];
	}
	return 0;
}

/* ---- artifacts ---- */

static int
read_identity(struct cv_lock_artifact *a, struct cv_jv v, struct cv_err *e)
{
	size_t type, origin;

	a->name = cv_jv_key(v);
	a->pos = cv_jv_key_pos(v);
	if (!cv_name_valid(a->name))
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found artifact name \"%s\", want a-z, 0-9, "
				  "'.', '_', '-'",
				  a->name);
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 ||
	    cv_jv_choice(cv_jv_get(v, "type"), cv_atype_words, &type, e) != 0 ||
	    cv_jv_choice(cv_jv_get(v, "origin"), cv_lock_origin_words, &origin, e) != 0)
		return -1;
	a->type = (enum cv_atype)(type + 1);
	a->origin = (enum cv_origin)(origin + 1);
	if (a->type == CV_A_MCP_REMOTE || a->type == CV_A_MODEL_HOSTED)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found a %s, which has nothing to lock",
				  cv_atype_word(a->type));
	if ((a->type == CV_A_IMAGE) != (a->origin == CV_O_REGISTRY || a->origin == CV_O_LAYOUT))
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %s \"%s\" with origin \"%s\"",
				  cv_atype_word(a->type), a->name, cv_lock_origin_words[origin]);
	if (cv_jv_str(cv_jv_get(v, "asked"), &a->asked, e) != 0 ||
	    cv_conf_digest(cv_jv_get(v, "digest"), &a->digest, e) != 0 ||
	    cv_jv_u64(cv_jv_get(v, "size"), INT64_MAX, &a->size, e) != 0)
		return -1;
	return optional_text(cv_jv_get(v, "media"), &a->media, e);
}

static int
read_artifact(struct cv_lock *l, struct cv_lock_artifact *a, struct cv_jv v, struct cv_err *e)
{
	static const char *const image_keys[] = { "asked",  "digest",  "evidence", "image", "media",
						  "origin", "signers", "size",     "type",  NULL };
	static const char *const file_keys[] = { "archive", "asked",  "digest",  "evidence",
						 "media",   "origin", "package", "signers",
						 "size",    "tree",   "type",    "version",
						 NULL };
	struct cv_jv tree = cv_jv_get(v, "tree");
	bool image;

	if (read_identity(a, v, e) != 0)
		return -1;
	image = a->type == CV_A_IMAGE;
	if (cv_jv_keys(v, image ? image_keys : file_keys, e) != 0 ||
	    optional_digest(cv_jv_get(v, "archive"), &a->archive, e) != 0 ||
	    optional_text(cv_jv_get(v, "package"), &a->package, e) != 0 ||
	    optional_text(cv_jv_get(v, "version"), &a->version, e) != 0)
		return -1;
	if (image && read_image(l, a, cv_jv_get(v, "image"), e) != 0)
		return -1;
	if (!tree.absent && read_tree(a, tree, e) != 0)
		return -1;
	if (read_signers(l, a, cv_jv_get(v, "signers"), e) != 0)
		return -1;
	return read_evidence(l, a, cv_jv_get(v, "evidence"), e);
}

static int
read_root(struct cv_lock *l, struct cv_jv root, struct cv_err *e)
{
	static const char *const keys[] = { "agent", "artifacts", "policy", "schema", NULL };
	struct cv_jv all = cv_jv_get(root, "artifacts");

	if (cv_jv_keys(root, keys, e) != 0 ||
	    cv_conf_digest(cv_jv_get(root, "agent"), &l->agent, e) != 0 ||
	    cv_conf_digest(cv_jv_get(root, "policy"), &l->policy, e) != 0 ||
	    cv_jv_want(all, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_len(all) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(all, e, CV_R_CONFIG, "found %zu artifacts, want at most %d",
				  cv_jv_len(all), CV_MAX_LIST_ITEMS);
	l->artifacts = cv_mem_get(&l->mem, cv_jv_len(all), sizeof(*l->artifacts), e);
	if (l->artifacts == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(all); !i.absent; i = cv_jv_next(i))
		if (read_artifact(l, &l->artifacts[l->nartifacts++], i, e) != 0)
			return -1;
	return 0;
}

/* exact: is this text what we would write? So there is one text for one lock:
 * sorted, without remarks, no number or escape in two ways. */
static int
exact(struct cv_lock *l, struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf own = CV_BUF(CV_MAX_LOCK_FILE);
	struct cv_jpos pos = { .line = 1, .column = 1 };

	if (cv_lock_emit(l, &own, e) != 0)
		return -1;
	for (size_t i = 0; i < in.n || i < own.n; i++) {
		if (i >= in.n || i >= own.n || in.p[i] != own.p[i])
			return cv_conf_at(
				e, l->file, pos,
				"this is not as `clawverify lock` writes it (keys sorted, "
				"two spaces, nothing else); write it anew");
		pos.column = in.p[i] == '\n' ? 1 : pos.column + ((in.p[i] & 0xc0) != 0x80);
		pos.line += in.p[i] == '\n';
	}
	return 0;
}

int
cv_lock_parse(struct cv_lock **ret, const char *name, struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_lock_free) struct cv_lock *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return cv_fail_memory(e);
	if (in.n > CV_MAX_LOCK_FILE)
		return cv_fail(e, CV_R_CONFIG, "%s: found %zu bytes, want at most %llu", name, in.n,
			       CV_MAX_LOCK_FILE);
	if (cv_conf_parse(&l->doc, name, in, 0, CV_LOCK_SCHEMA, e) != 0)
		return -1;
	l->file = cv_json_name(l->doc);
	if (read_root(l, cv_json_root(l->doc), e) != 0 || exact(l, in, e) != 0)
		return cv_conf_reason(e);
	if (cv_digest_of(&l->digest, CV_SHA256, in, e) != 0)
		return -1;
	*ret = cv_steal(l);
	return 0;
}

int
cv_lock_load(struct cv_lock **ret, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_LOCK_FILE);
	int got = cv_conf_read(&text, AT_FDCWD, path, CV_MAX_LOCK_FILE, e);

	if (got <= 0)
		return got;
	return cv_lock_parse(ret, path, cv_buf_span(&text), e) == 0 ? 1 : -1;
}

bool
cv_lock_asks(const struct cv_lock_artifact *l, const struct cv_artifact *a)
{
	if (l->type != a->type || l->origin != a->origin || strcmp(l->asked, a->asked) != 0)
		return false;
	/* an image locked for the caller's platform serves one that names none */
	return a->platform == NULL ||
	       (l->platform != NULL && strcmp(l->platform, a->platform) == 0);
}
