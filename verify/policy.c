/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.c: policy.json, read together with the preset that it extends and with
 * its keys. Must never be laxer than what was written: what is left out is
 * taken from the preset, else the strictest.
 */
#include "verify/policy_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "trust/base/limits.h"
#include "verify/embed.h"

#include "trust/base/banned.h"

#define VALID_FOR (24 * 3600) /* seconds */

/* What one of the two files has stated; the other does not change it. */
struct stated {
	bool confinement, mode, valid_for;
};

/* ---- signers ---- */

static int
by_signer(const void *a, const void *b)
{
	return strcmp(((const struct cv_signer *)a)->name, ((const struct cv_signer *)b)->name);
}

static int
read_signer(struct cv_policy *p, struct cv_signer *s, struct cv_jv v, int dirfd, struct cv_err *e)
{
	static const char *const keys[] = { "description", "keys",     "identities", "root",
					    "ssh",         "minisign", "signify",    NULL };
	struct cv_jv description = cv_jv_get(v, "description"), own = cv_jv_get(v, "keys");

	s->name = cv_jv_key(v);
	s->pos = cv_jv_key_pos(v);
	if (!cv_name_valid(s->name))
		return cv_conf_at(e, p->file, s->pos,
				  "found signer name \"%s\", want at most 64 of a-z, 0-9, '.', "
				  "'_', '-', starting with a letter or digit",
				  s->name);
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (!description.absent && cv_jv_str(description, &s->description, e) != 0)
		return -1;
	if (cv_policy_read_tools(p, s, v, dirfd, e) != 0)
		return -1;
	if (own.absent && cv_jv_get(v, "identities").absent && s->ntools == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "want \"keys\", \"identities\", \"ssh\", \"minisign\" or "
				  "\"signify\" of the signer");
	if (!own.absent &&
	    cv_keys_read(&p->mem, own, dirfd, &s->keys, &s->nkeys, &p->external_keys, e) != 0)
		return -1;
	return cv_policy_read_identities(p, s, v, e);
}

/* shared: one key under two names would be two signers to a threshold; an identity
 * too. */
static int
shared(const struct cv_policy *p, const struct cv_signer *a, const struct cv_signer *b,
       struct cv_err *e)
{
	for (size_t i = 0; i < a->nkeys; i++)
		for (size_t k = 0; k < b->nkeys; k++)
			if (cv_digest_eq(&a->keys[i].id, &b->keys[k].id))
				return cv_conf_at(e, p->file, b->keys[k].pos,
						  "found a key of signer \"%s\" again in \"%s\", "
						  "want each key once",
						  a->name, b->name);
	for (size_t i = 0; i < a->nidentities; i++)
		for (size_t k = 0; k < b->nidentities; k++)
			if (strcmp(a->identities[i].text, b->identities[k].text) == 0)
				return cv_conf_at(
					e, p->file, b->identities[k].pos,
					"found an identity of signer \"%s\" again in \"%s\", "
					"want each identity once",
					a->name, b->name);
	for (size_t i = 0; i < a->ntools; i++)
		for (size_t k = 0; k < b->ntools; k++)
			if (cv_tool_same(&a->tools[i], &b->tools[k]))
				return cv_conf_at(e, p->file, b->tools[k].pos,
						  "found what signer \"%s\" signs with again in "
						  "\"%s\", want each once",
						  a->name, b->name);
	return 0;
}

static int
read_signers(struct cv_policy *p, struct cv_jv v, int dirfd, struct cv_err *e)
{
	size_t keys = 0, tools = 0;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_KEYS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu signers, want at most %d",
				  cv_jv_len(v), CV_MAX_KEYS);
	p->signers = cv_mem_get(&p->mem, cv_jv_len(v), sizeof(*p->signers), e);
	if (p->signers == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_signer *s = &p->signers[p->nsigners];

		if (read_signer(p, s, i, dirfd, e) != 0)
			return -1;
		for (size_t k = 0; k < p->nsigners; k++)
			if (shared(p, &p->signers[k], s, e) != 0)
				return -1;
		keys += s->nkeys;
		if (keys > CV_MAX_KEYS) /* whichever rule names whom, one task takes them */
			return cv_jv_fail(i, e, CV_R_CONFIG,
					  "found %zu keys up to here, want at most %d in all "
					  "signers together",
					  keys, CV_MAX_KEYS);
		tools += s->ntools;
		if (tools > CV_MAX_TOOLS)
			return cv_jv_fail(i, e, CV_R_CONFIG,
					  "found %zu keys of other programs up to here, want at "
					  "most %d in all signers together",
					  tools, CV_MAX_TOOLS);
		p->nsigners++;
	}
	qsort(p->signers, p->nsigners, sizeof(*p->signers), by_signer);
	return 0;
}

static int
no_signer(const struct cv_policy *p, const struct cv_item *name, struct cv_err *e)
{
	const char *words[CV_MAX_KEYS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < p->nsigners; i++)
		words[i] = p->signers[i].name;
	near = cv_word_near(name->text, words);
	if (near != NULL)
		return cv_conf_at(e, p->file, name->pos,
				  "found \"%s\", want a name of \"signers\"; did you mean \"%s\"?",
				  name->text, near);
	return cv_conf_at(e, p->file, name->pos, "found \"%s\", want a name of \"signers\"",
			  name->text);
}

int
cv_policy_signers(struct cv_policy *p, struct cv_jv v, const struct cv_signer ***ret, size_t *n,
		  struct cv_err *e)
{
	struct cv_items names;

	*ret = NULL;
	*n = 0;
	if (cv_conf_items(&p->mem, v, &names, e) != 0)
		return -1;
	*ret = cv_mem_get(&p->mem, names.n, sizeof(**ret), e);
	if (*ret == NULL)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const struct cv_signer key = { .name = names.v[i].text };
		const struct cv_signer *s = NULL;

		if (p->nsigners > 0)
			s = bsearch(&key, p->signers, p->nsigners, sizeof(key), by_signer);
		if (s == NULL)
			return no_signer(p, &names.v[i], e);
		(*ret)[(*n)++] = s;
	}
	return 0;
}

/* ---- levels of checks ---- */

static int
unknown_check(struct cv_jv v, const char *file, struct cv_err *e)
{
	const char *words[512] = { NULL };
	const struct cv_check *all;
	const char *near;
	size_t n;

	all = cv_check_all(&n);
	for (size_t i = 0; i < n && i < CV_COUNT(words) - 1; i++)
		words[i] = all[i].id;
	near = cv_word_near(cv_jv_key(v), words);
	if (near != NULL)
		return cv_conf_at(e, file, cv_jv_key_pos(v),
				  "found check \"%s\", want an id that `clawverify explain` lists; "
				  "did you mean \"%s\"?",
				  cv_jv_key(v), near);
	return cv_conf_at(e, file, cv_jv_key_pos(v),
			  "found check \"%s\", want an id that `clawverify explain` lists",
			  cv_jv_key(v));
}

static int
read_level(struct cv_check_level *l, struct cv_jv v, struct cv_err *e)
{
	static const char *const words[] = { "advisory", "required", NULL };
	const struct cv_check *check = cv_check_find(cv_jv_key(v));
	size_t word;

	if (check == NULL)
		return unknown_check(v, cv_json_name(v.doc), e);
	if (cv_jv_choice(v, words, &word, e) != 0)
		return -1;
	l->check = check->id;
	l->required = word == 1;
	l->pos = cv_jv_key_pos(v);
	if (!l->required && strcmp(check->id, "sandbox.unavailable") == 0)
		return cv_conf_at(e, cv_json_name(v.doc), l->pos,
				  "found \"%s\", want \"confinement\" to say it", check->id);
	if (!l->required && cv_check_is_fixed(check->id))
		return cv_conf_at(e, cv_json_name(v.doc), l->pos,
				  "\"%s\" cannot be made advisory: without it the other answers "
				  "would be about something else",
				  check->id);
	return 0;
}

int
cv_policy_checks(struct cv_policy *p, struct cv_jv v, struct cv_check_level **ret, size_t *n,
		 struct cv_err *e)
{
	struct cv_check_level *levels;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	levels = cv_mem_get(&p->mem, *n + cv_jv_len(v), sizeof(*levels), e);
	if (levels == NULL)
		return -1;
	if (*n > 0)
		memcpy(levels, *ret, *n * sizeof(*levels));
	*ret = levels;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (read_level(&levels[(*n)++], i, e) != 0)
			return -1;
	return 0;
}

/* ---- one file ---- */

static int
read_modes(struct cv_policy *p, struct cv_jv root, struct stated *said, struct cv_err *e)
{
	static const char *const confinement[] = { "best-effort", "required", NULL };
	static const char *const modes[] = { "enforce", "audit", NULL };
	struct cv_jv c = cv_jv_get(root, "confinement"), m = cv_jv_get(root, "mode");
	struct cv_jv valid = cv_jv_get(root, "valid_for");
	int64_t seconds;
	size_t word;

	if (!c.absent && cv_jv_choice(c, confinement, &word, e) != 0)
		return -1;
	if (!c.absent && !said->confinement)
		p->confinement_required = word == 1;
	if (!m.absent && cv_jv_choice(m, modes, &word, e) != 0)
		return -1;
	if (!m.absent && !said->mode)
		p->audit = word == 1;
	if (!valid.absent && cv_conf_duration(valid, &seconds, e) != 0)
		return -1;
	if (!valid.absent && !said->valid_for)
		p->valid_for = seconds;
	said->confinement = said->confinement || !c.absent;
	said->mode = said->mode || !m.absent;
	said->valid_for = said->valid_for || !valid.absent;
	return 0;
}

static int
read_default(struct cv_jv v, struct cv_err *e)
{
	static const char *const words[] = { "reject", NULL };
	size_t word;

	return v.absent ? 0 : cv_jv_choice(v, words, &word, e);
}

/* read_half: what may stand in both files. */
static int
read_half(struct cv_policy *p, struct cv_jv root, bool preset, struct stated *said,
	  struct cv_err *e)
{
	static const char *const keys[] = { "schema",  "name",        "version", "expires",
					    "extends", "confinement", "mode",    "valid_for",
					    "signers", "endorsers",   "rules",   "default",
					    "checks",  "uncovered",   "launch",  "roots",
					    NULL };

	if (cv_jv_keys(root, keys, e) != 0 || read_modes(p, root, said, e) != 0)
		return -1;
	if (cv_policy_read_rules(p, cv_jv_get(root, "rules"), preset, e) != 0 ||
	    read_default(cv_jv_get(root, "default"), e) != 0 ||
	    cv_policy_checks(p, cv_jv_get(root, "checks"), &p->checks, &p->nchecks, e) != 0)
		return -1;
	if (cv_policy_read_accept(p, cv_jv_get(root, "uncovered"), e) != 0)
		return -1;
	return cv_policy_read_launch(p, cv_jv_get(root, "launch"), e);
}

static int
read_name(struct cv_policy *p, struct cv_jv root, struct cv_err *e)
{
	struct cv_jv name = cv_jv_get(root, "name"), version = cv_jv_get(root, "version");
	struct cv_jv expires = cv_jv_get(root, "expires");
	const char *text;

	if (cv_jv_str(name, &p->name, e) != 0)
		return -1;
	if (!cv_name_valid(p->name))
		return cv_jv_fail(name, e, CV_R_CONFIG,
				  "found \"%s\", want at most 64 of a-z, 0-9, '.', '_', '-', "
				  "starting with a letter or digit",
				  p->name);
	if (!version.absent && cv_jv_u64(version, INT64_MAX, &p->version, e) != 0)
		return -1;
	if (!version.absent && p->version == 0)
		return cv_jv_fail(version, e, CV_R_CONFIG, "found 0, want a version from 1 on");
	if (expires.absent)
		return 0;
	if (cv_jv_str(expires, &text, e) != 0)
		return -1;
	if (cv_time_parse(&p->expires, cv_span_str(text), NULL) != 0)
		return cv_jv_fail(expires, e, CV_R_CONFIG,
				  "found \"%s\", want a day like \"2027-03-31\" or a time like "
				  "\"2027-03-31T12:00:00Z\"",
				  text);
	p->has_expires = true;
	return 0;
}

/* read_extends: open the preset, or leave p->preset_doc NULL. */
static int
read_extends(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	struct cv_span text = { 0 };

	if (v.absent)
		return 0;
	if (cv_jv_str(v, &p->extends, e) != 0)
		return -1;
	if (strncmp(p->extends, "preset:", 7) == 0)
		text = cv_embed_preset(p->extends + 7);
	if (text.n == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want \"preset:strict\", \"preset:standard\" or "
				  "\"preset:audit\"",
				  p->extends);
	return cv_conf_parse(&p->preset_doc, p->extends, text, CV_JSON_HUMAN, CV_POLICY_SCHEMA, e);
}

/* read_endorsers: an endorsement is an envelope by a key, and a gate names endorsers
 * by their keys. */
static int
read_endorsers(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	if (cv_policy_signers(p, v, &p->endorsers, &p->nendorsers, e) != 0)
		return -1;
	for (size_t i = 0; i < p->nendorsers; i++)
		if (p->endorsers[i]->nidentities > 0 || p->endorsers[i]->ntools > 0 ||
		    p->endorsers[i]->keys_logged)
			return cv_jv_fail(cv_jv_at(v, i), e, CV_R_CONFIG,
					  "found \"%s\", want a signer of keys alone: endorsements "
					  "are signed with keys",
					  p->endorsers[i]->name);
	return 0;
}

static int
read_root(struct cv_policy *p, struct cv_jv root, int dirfd, struct cv_err *e)
{
	struct stated said = { 0 };

	p->valid_for = VALID_FOR;
	if (read_name(p, root, e) != 0 || read_extends(p, cv_jv_get(root, "extends"), e) != 0 ||
	    cv_policy_read_roots(p, cv_jv_get(root, "roots"), dirfd, e) != 0 ||
	    read_signers(p, cv_jv_get(root, "signers"), dirfd, e) != 0 ||
	    read_endorsers(p, cv_jv_get(root, "endorsers"), e) != 0)
		return -1;
	if (read_half(p, root, false, &said, e) != 0)
		return -1;
	p->nown = p->nrules;
	if (p->preset_doc == NULL)
		return 0;
	return read_half(p, cv_json_root(p->preset_doc), true, &said, e);
}

static void
json_freep(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

static int
hash(struct cv_policy *p, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(64 * CV_MIB);
	cv_auto(json_freep) json_t *effective = NULL;

	if (cv_policy_effective(p, &effective, e) != 0 ||
	    cv_json_canonical(&text, effective, e) != 0)
		return -1;
	return cv_digest_of(&p->digest, CV_SHA256, cv_buf_span(&text), e);
}

int
cv_policy_parse(struct cv_policy **ret, const char *name, struct cv_span in, int dirfd,
		struct cv_err *e)
{
	cv_auto(cv_policy_free) struct cv_policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return cv_fail_memory(e);
	if (in.n > CV_MAX_HUMAN_FILE)
		return cv_fail(e, CV_R_CONFIG, "%s: found %zu bytes, want at most %llu", name, in.n,
			       CV_MAX_HUMAN_FILE);
	if (cv_conf_parse(&p->doc, name, in, CV_JSON_HUMAN, CV_POLICY_SCHEMA, e) != 0)
		return -1;
	p->file = cv_json_name(p->doc);
	if (read_root(p, cv_json_root(p->doc), dirfd, e) != 0 || hash(p, e) != 0)
		return cv_conf_reason(e);
	*ret = cv_steal(p);
	return 0;
}

int
cv_policy_load(struct cv_policy **ret, const char *path, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	cv_auto(cv_closep) int dir = -1;
	int got;

	if (strncmp(path, "preset:", 7) == 0) {
		struct cv_span preset = cv_embed_preset(path + 7);

		if (preset.n == 0)
			return cv_fail(e, CV_R_CONFIG,
				       "found policy \"%s\", want \"preset:strict\", "
				       "\"preset:standard\", \"preset:audit\" or a file",
				       path);
		return cv_policy_parse(ret, path, preset, -1, e);
	}
	got = cv_conf_read(&text, AT_FDCWD, path, CV_MAX_HUMAN_FILE, e);
	if (got == 0)
		return cv_fail(e, CV_R_CONFIG, "%s: there is no such file", path);
	if (got < 0)
		return -1;
	dir = cv_conf_dir(path, e);
	if (dir < 0)
		return -1;
	return cv_policy_parse(ret, path, cv_buf_span(&text), dir, e);
}

void
cv_policy_free(struct cv_policy **p)
{
	if (*p == NULL)
		return;
	cv_mem_free(&(*p)->mem);
	cv_json_free(&(*p)->doc);
	cv_json_free(&(*p)->preset_doc);
	free(*p);
	*p = NULL;
}
