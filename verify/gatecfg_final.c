/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gatecfg_final.c: is a policy at least as tight as its host wants? Must never
 * take an unlimited value for a small one: 0 and "not stated" are the loosest.
 */
#include "verify/gatecfg_int.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/checks.h"
#include "trust/base/limits.h"
#include "verify/policy_int.h"

#include "trust/base/banned.h"

typedef int (*check_fn)(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e);

static int
looser(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e,
       const char *found, const char *want)
{
	return cv_fail(e, CV_R_UNAUTHORISED, "%s:%u:%u: %s of policy \"%s\": found %s, want %s",
		       cv_json_name(f->value.doc), f->pos.line, f->pos.column, f->pointer, p->name,
		       found, want);
}

/* ---- words, numbers ---- */

static int
word(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e, const char *tight,
     bool is_tight, const char *found)
{
	const char *const words[] = { tight, NULL };
	size_t which;

	if (cv_jv_choice(f->value, words, &which, e) != 0)
		return -1;
	return p == NULL || is_tight ? 0 : looser(f, p, e, found, tight);
}

static int
confinement(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return word(f, p, e, "required", p != NULL && p->confinement_required, "\"best-effort\"");
}

static int
mode(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return word(f, p, e, "enforce", p != NULL && !p->audit, "\"audit\"");
}

/* every: is it so in each rule that stays in force? A rule that leaves the
 * field out takes the preset's, which is judged itself, or the strictest. */
static int
every(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e, const char *tight,
      bool (*loose)(const struct cv_rule *r), const char *found)
{
	char text[128];

	if (word(f, NULL, e, tight, true, found) != 0)
		return -1;
	for (size_t i = 0; p != NULL && i < p->nrules; i++)
		if (loose(&p->rules[i])) {
			snprintf(text, sizeof(text), "%s in rule \"%s\"", found, p->rules[i].name);
			return looser(f, p, e, text, tight);
		}
	return 0;
}

static bool
scripts_loose(const struct cv_rule *r)
{
	return (r->set & CV_RULE_SCRIPTS) != 0 && r->scripts_allowed;
}

static int
scripts(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return every(f, p, e, "deny", scripts_loose, "\"allow\"");
}

/* A list of vulnerabilities that begins at a severity lets lesser ones pass. */
static bool
vulnerabilities_loose(const struct cv_rule *r)
{
	return ((r->set & CV_RULE_VULNERABILITIES) != 0 && !r->vulnerabilities_deny) ||
	       ((r->set & CV_RULE_SEVERITY) != 0 && r->min_severity > CV_SEV_ANY);
}

static int
vulnerabilities(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return every(f, p, e, "deny", vulnerabilities_loose, "\"list\" or a \"min_severity\"");
}

/* at_most: is 0 unlimited; so is at_least's 0 the least. */
static int
at_most(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e, uint64_t is,
	uint64_t most)
{
	char found[64], want[64];

	if (is > 0 && is <= most)
		return 0;
	snprintf(found, sizeof(found), "%llu", (unsigned long long)is);
	snprintf(want, sizeof(want), "at most %llu", (unsigned long long)most);
	return looser(f, p, e, is > 0 ? found : "no limit", want);
}

static int
valid_for(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	int64_t most;

	if (cv_conf_duration(f->value, &most, e) != 0)
		return -1;
	return p == NULL ? 0 : at_most(f, p, e, (uint64_t)p->valid_for, (uint64_t)most);
}

static int
memory(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	uint64_t most;

	if (cv_conf_size(f->value, &most, e) != 0)
		return -1;
	return p == NULL ? 0 : at_most(f, p, e, p->max.memory, most);
}

static int
cpus(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	uint64_t most;

	if (cv_conf_cpus(f->value, &most, e) != 0)
		return -1;
	return p == NULL ? 0 : at_most(f, p, e, p->max.cpus, most);
}

static int
pids(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	uint64_t most;

	if (cv_jv_u64(f->value, INT64_MAX, &most, e) != 0)
		return -1;
	return p == NULL ? 0 : at_most(f, p, e, p->max.pids, most);
}

static int
version(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	char found[64], want[64];
	uint64_t least;

	if (cv_jv_u64(f->value, INT64_MAX, &least, e) != 0)
		return -1;
	if (p == NULL || p->version >= least)
		return 0;
	snprintf(found, sizeof(found), "%llu", (unsigned long long)p->version);
	snprintf(want, sizeof(want), "at least %llu", (unsigned long long)least);
	return looser(f, p, e, found, want);
}

static int
threshold(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	char found[128], want[64];
	uint64_t least;

	if (cv_jv_u64(f->value, CV_MAX_KEYS, &least, e) != 0)
		return -1;
	for (size_t i = 0; p != NULL && i < p->nrules; i++) {
		const struct cv_rule *r = &p->rules[i];
		unsigned is = (r->set & CV_RULE_THRESHOLD) != 0 ? r->threshold : 1;

		/* without signers of its own nothing passes by them */
		if ((r->set & CV_RULE_SIGNED_BY) == 0 || is >= least)
			continue;
		snprintf(found, sizeof(found), "%u in rule \"%s\"", is, r->name);
		snprintf(want, sizeof(want), "at least %llu", (unsigned long long)least);
		return looser(f, p, e, found, want);
	}
	return 0;
}

/* ---- sets of words ---- */

/* bits_of: the words of a list; unlike cv_conf_mask it may be empty. */
static int
bits_of(struct cv_jv v, const char *const *words, unsigned *ret, struct cv_err *e)
{
	*ret = 0;
	if (cv_jv_type(v) == CV_J_ARRAY && cv_jv_len(v) == 0)
		return 0;
	return cv_conf_mask(v, words, ret, e);
}

/* rule_bits: the bits that a rule states, from its first word on; 0: none. */
static int
rules_within(const struct cv_gate_final *f, const struct cv_policy *p, const char *const *words,
	     unsigned (*bits)(const struct cv_rule *r), struct cv_err *e)
{
	unsigned most;
	char found[128];

	if (bits_of(f->value, words, &most, e) != 0)
		return -1;
	for (size_t i = 0; p != NULL && i < p->nrules; i++) {
		unsigned beyond = bits(&p->rules[i]) & ~most;

		if (beyond == 0)
			continue;
		snprintf(found, sizeof(found), "\"%s\" in rule \"%s\"",
			 words[__builtin_ctz(beyond)], p->rules[i].name);
		return looser(f, p, e, found, "only words of this list");
	}
	return 0;
}

/* What a rule leaves out falls to the preset's rule or to policy.h's defaults,
 * which are not the tightest there are: they are judged as if stated. */
static unsigned
basis_bits(const struct cv_rule *r)
{
	unsigned bits = CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED;

	if ((r->set & CV_RULE_BASIS) != 0)
		bits = r->basis;
	return bits / CV_ACCEPT_PINNED;
}

static int
basis(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return rules_within(f, p, cv_basis_words, basis_bits, e);
}

static unsigned
format_bits(const struct cv_rule *r)
{
	unsigned bits = CV_FMT_SAFETENSORS | CV_FMT_GGUF | CV_FMT_DATA;

	if ((r->set & CV_RULE_FORMATS) != 0)
		bits = r->formats;
	return bits / CV_FMT_SAFETENSORS;
}

static int
formats(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return rules_within(f, p, cv_format_words, format_bits, e);
}

static unsigned
generation_bits(const struct cv_rule *r)
{
	unsigned bits = CV_IMG_BUNDLES | CV_IMG_LEGACY;

	if ((r->set & CV_RULE_GENERATIONS) != 0)
		bits = r->generations;
	return bits / CV_IMG_BUNDLES;
}

static int
generations(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return rules_within(f, p, cv_generation_words, generation_bits, e);
}

static int
required_controls(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	unsigned least, missing;
	char want[64];

	if (bits_of(f->value, cv_control_words, &least, e) != 0)
		return -1;
	missing = p != NULL ? least & ~p->required_controls : 0;
	if (missing == 0)
		return 0;
	snprintf(want, sizeof(want), "\"%s\" too", cv_control_words[__builtin_ctz(missing)]);
	return looser(f, p, e, "fewer controls", want);
}

/* ---- lists ---- */

static int
list_of(const struct cv_gate_final *f, struct cv_mem *m, struct cv_items *ret, struct cv_err *e)
{
	if (cv_jv_want(f->value, CV_J_ARRAY, e) != 0)
		return -1;
	return cv_conf_items(m, f->value, ret, e);
}

/* within: every text of `is` is in the final list, as written: a pattern that
 * is not there could reach further than those that are. */
static int
within(const struct cv_gate_final *f, const struct cv_policy *p, const struct cv_items *is,
       bool stated, struct cv_err *e)
{
	struct cv_mem m = { 0 };
	struct cv_items most;
	int ret = list_of(f, &m, &most, e);

	if (ret == 0 && p != NULL && !stated)
		ret = looser(f, p, e, "no such list (anything)", "a list");
	for (size_t i = 0; ret == 0 && p != NULL && i < is->n; i++)
		if (!cv_items_has(&most, is->v[i].text))
			ret = looser(f, p, e, is->v[i].text, "only what this list holds");
	cv_mem_free(&m);
	return ret;
}

static int
accept(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return within(f, p, p != NULL ? &p->accept : NULL, true, e);
}

static int
allow(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return within(f, p, p != NULL ? &p->allow : NULL, true, e);
}

static int
capabilities(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return within(f, p, p != NULL ? &p->capabilities : NULL, p != NULL && p->has_capabilities,
		      e);
}

static int
network(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	return within(f, p, p != NULL ? &p->network : NULL, p != NULL && p->has_network, e);
}

/* endorsers: by the ids of their keys: a name in a policy is the policy's own
 * word. The list holds "sha256:..." of public keys. */
static int
endorsers(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	struct cv_mem m = { 0 };
	char text[CV_DIGEST_TEXT];
	struct cv_items most;
	struct cv_digest id;
	int ret = list_of(f, &m, &most, e);

	for (struct cv_jv i = cv_jv_first(f->value); ret == 0 && !i.absent; i = cv_jv_next(i))
		ret = cv_conf_digest(i, &id, e);
	for (size_t i = 0; ret == 0 && p != NULL && i < p->nendorsers; i++)
		for (size_t k = 0; ret == 0 && k < p->endorsers[i]->nkeys; k++)
			if (!cv_items_has(&most,
					  cv_digest_text(&p->endorsers[i]->keys[k].id, text)))
				ret = looser(f, p, e, text, "only keys of this list");
	cv_mem_free(&m);
	return ret;
}

/* checks: none of these is made advisory anywhere. */
static int
checks(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	struct cv_mem m = { 0 };
	struct cv_items ids;
	char found[128];
	int ret = list_of(f, &m, &ids, e);

	for (size_t i = 0; ret == 0 && i < ids.n; i++) {
		const char *id = ids.v[i].text;

		if (cv_check_find(id) == NULL)
			ret = cv_conf_at(e, cv_json_name(f->value.doc), ids.v[i].pos,
					 "found check \"%s\", want an id that `clawverify explain` "
					 "lists",
					 id);
		if (ret != 0 || p == NULL)
			continue;
		if (!cv_policy_required(p, NULL, id))
			ret = looser(f, p, e, id, "it required");
		for (size_t k = 0; ret == 0 && k < p->nrules; k++) {
			if (cv_policy_required(p, &p->rules[k], id))
				continue;
			snprintf(found, sizeof(found), "%s advisory in rule \"%s\"", id,
				 p->rules[k].name);
			ret = looser(f, p, e, found, "it required");
		}
	}
	cv_mem_free(&m);
	return ret;
}

/* ---- the table ---- */

const char *const cv_final_words[] = {
	"/checks",
	"/confinement",
	"/endorsers",
	"/launch/allow",
	"/launch/capabilities",
	"/launch/limits/cpus",
	"/launch/limits/memory",
	"/launch/limits/pids",
	"/launch/network",
	"/launch/required_controls",
	"/mode",
	"/rules/basis",
	"/rules/formats",
	"/rules/generations",
	"/rules/scripts",
	"/rules/threshold",
	"/rules/vulnerabilities",
	"/uncovered/accept",
	"/valid_for",
	"/version",
	NULL,
};

static const check_fn functions[] = {
	checks,  confinement, endorsers,         allow,  capabilities, cpus,    memory,
	pids,    network,     required_controls, mode,   basis,        formats, generations,
	scripts, threshold,   vulnerabilities,   accept, valid_for,    version,
};
_Static_assert(CV_COUNT(functions) + 1 == CV_COUNT(cv_final_words), "one function a word");

int
cv_gate_final_check(const struct cv_gate_final *f, const struct cv_policy *p, struct cv_err *e)
{
	for (size_t i = 0; cv_final_words[i] != NULL; i++)
		if (strcmp(cv_final_words[i], f->pointer) == 0)
			return functions[i](f, p, e);
	return cv_fail(e, CV_R_BUG, "%s: no such final field", f->pointer);
}
