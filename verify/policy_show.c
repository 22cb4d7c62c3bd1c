/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_show.c: a policy with its preset, keys and roots as one document. Must never
 * leave out what a decision depends on: its digest is the policy's.
 */
#include "verify/policy_int.h"

#include <string.h>

#include "trust/base/clock.h"

#include "trust/base/banned.h"

#define SCHEMA "clawverify.effective-policy/1"

/* set: o[key] = v, taking v. Out of memory, or v NULL, sticks in *bad. */
static void
set(json_t *o, const char *key, json_t *v, bool *bad)
{
	if (json_object_set_new(o, key, v) != 0)
		*bad = true;
}

static void
add(json_t *a, json_t *v, bool *bad)
{
	if (json_array_append_new(a, v) != 0)
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
	set(o, key, json_integer((json_int_t)v), bad);
}

static json_t *
items(const struct cv_items *v, bool *bad)
{
	json_t *a = json_array();

	for (size_t i = 0; i < v->n; i++)
		add(a, json_string(v->v[i].text), bad);
	return a;
}

/* words: the words of the bits first << index. */
static json_t *
words(unsigned mask, unsigned first, const char *const *all, bool *bad)
{
	json_t *a = json_array();

	for (size_t i = 0; all[i] != NULL; i++)
		if ((mask & first << i) != 0)
			add(a, json_string(all[i]), bad);
	return a;
}

static json_t *
names(const struct cv_signer **v, size_t n, bool *bad)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		add(a, json_string(v[i]->name), bad);
	return a;
}

/* levels: the first word about a check is the one that counts. */
static json_t *
levels(const struct cv_check_level *v, size_t n, bool *bad)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++)
		if (json_object_get(o, v[i].check) == NULL)
			set(o, v[i].check, json_string(v[i].required ? "required" : "advisory"),
			    bad);
	return o;
}

static json_t *
key(const struct cv_key *k, bool *bad)
{
	char text[CV_DIGEST_TEXT];
	json_t *o = json_object();

	set(o, "id", json_string(cv_digest_text(&k->id, text)), bad);
	set(o, "pem", json_string(k->pem), bad);
	return o;
}

/* root: by its digest: the document itself is long, and this is what it is. */
static json_t *
root(const struct cv_sigroot *r, bool *bad)
{
	char text[CV_DIGEST_TEXT], time[CV_TIME_TEXT];
	json_t *o = json_object();

	set(o, "digest", json_string(cv_digest_text(&r->digest, text)), bad);
	if (r->logs > 0)
		set_u64(o, "logs", r->logs, bad);
	if (r->timestamps > 0)
		set_u64(o, "timestamps", r->timestamps, bad);
	if (r->without_log)
		set(o, "without_log", json_true(), bad);
	if (r->without_sct)
		set(o, "without_sct", json_true(), bad);
	if (r->has_expires)
		set(o, "expires", json_string(cv_time_text(r->expires, time)), bad);
	return o;
}

/* roots: those that judge somebody. */
static json_t *
roots(const struct cv_policy *p, bool *bad)
{
	json_t *all = json_object();

	for (size_t i = 0; i < p->nroots; i++)
		if (p->roots[i].used)
			set(all, p->roots[i].name, root(&p->roots[i], bad), bad);
	return all;
}

static void
identities(json_t *o, const struct cv_signer *s, bool *bad)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->nidentities; i++)
		add(list, cv_identity_json(s->identities[i].at), bad);
	set(o, "identities", list, bad);
}

/* tools: by the digests of their files. */
static void
tools(json_t *o, const struct cv_signer *s, bool *bad)
{
	static const char *const keys[] = { "ssh", "minisign", "signify" };

	for (unsigned k = 0; k < CV_COUNT(keys); k++) {
		json_t *list = json_array();

		for (size_t i = 0; i < s->ntools; i++) {
			const struct cv_tool_want *w = &s->tools[i];
			char text[CV_DIGEST_TEXT];
			json_t *one = json_object();

			if (w->tool != (enum cv_tool)(CV_TOOL_SSH + k)) {
				json_decref(one);
				continue;
			}
			set(one, "digest", json_string(cv_digest_text(&w->digest, text)), bad);
			if (w->tool == CV_TOOL_SSH) {
				set(one, "principal", json_string(w->principal), bad);
				set(one, "namespace", json_string(w->ns), bad);
			}
			add(list, one, bad);
		}
		if (json_array_size(list) > 0)
			set(o, keys[k], json_incref(list), bad);
		json_decref(list);
	}
}

static json_t *
signers(const struct cv_policy *p, bool *bad)
{
	json_t *all = json_object();

	for (size_t i = 0; i < p->nsigners; i++) {
		const struct cv_signer *s = &p->signers[i];
		json_t *o = json_object(), *keys = json_array();

		for (size_t k = 0; k < s->nkeys; k++)
			add(keys, key(&s->keys[k], bad), bad);
		set_text(o, "description", s->description, bad);
		set(o, "keys", keys, bad);
		if (s->nidentities > 0)
			identities(o, s, bad);
		tools(o, s, bad);
		if (s->nidentities > 0 || s->keys_logged)
			set(o, "root", json_string(s->root->name), bad);
		set(all, s->name, o, bad);
	}
	return all;
}

static json_t *
match(const struct cv_rule *r, bool *bad)
{
	json_t *o = json_object();

	if (r->types != 0)
		set(o, "type", words(r->types, 1u << CV_A_IMAGE, cv_atype_words, bad), bad);
	set_text(o, "name", r->match_name, bad);
	set_text(o, "source", r->match_source, bad);
	return o;
}

static json_t *
attestations(const struct cv_rule *r, bool *bad)
{
	json_t *a = json_array();

	for (size_t i = 0; i < r->nattestations; i++) {
		const struct cv_want_attestation *w = &r->attestations[i];
		json_t *o = json_object();

		set(o, "predicate_type", json_string(w->predicate_type), bad);
		if (w->nsigned_by > 0)
			set(o, "signed_by", names(w->signed_by, w->nsigned_by, bad), bad);
		add(a, o, bad);
	}
	return a;
}

static void
rule_contents(json_t *o, const struct cv_rule *r, bool *bad)
{
	if (r->set & CV_RULE_SBOM_REQUIRED)
		set(o, "sbom_required", json_boolean(r->sbom_required), bad);
	if (r->set & CV_RULE_SBOM_AGE)
		set_u64(o, "sbom_max_index_age", (uint64_t)r->sbom_max_index_age, bad);
	if (r->set & CV_RULE_VULNERABILITIES)
		set_text(o, "vulnerabilities", r->vulnerabilities_deny ? "deny" : "list", bad);
	if (r->set & CV_RULE_SEVERITY)
		set_text(o, "min_severity", cv_severity_words[r->min_severity], bad);
	if (r->set & CV_RULE_FORMATS)
		set(o, "formats", words(r->formats, CV_FMT_SAFETENSORS, cv_format_words, bad), bad);
	if (r->set & CV_RULE_SCRIPTS)
		set_text(o, "scripts", r->scripts_allowed ? "allow" : "deny", bad);
	if (r->set & CV_RULE_GUIDANCE)
		set_text(o, "guidance", r->guidance, bad);
}

static json_t *
annotations(const struct cv_rule *r, bool *bad)
{
	json_t *o = json_object();

	for (size_t i = 0; i < r->nannotations; i++)
		set(o, r->annotations[i].key, json_string(r->annotations[i].value), bad);
	return o;
}

static json_t *
rule(const struct cv_rule *r, bool *bad)
{
	json_t *o = json_object();

	set(o, "name", json_string(r->name), bad);
	set(o, "preset", json_boolean(r->preset), bad);
	set(o, "match", match(r, bad), bad);
	if (r->set & CV_RULE_BASIS)
		set(o, "basis", words(r->basis, CV_ACCEPT_PINNED, cv_basis_words, bad), bad);
	if (r->set & CV_RULE_SIGNED_BY)
		set(o, "signed_by", names(r->signed_by, r->nsigned_by, bad), bad);
	if (r->set & CV_RULE_THRESHOLD)
		set_u64(o, "threshold", r->threshold, bad);
	if (r->set & CV_RULE_SIGNATURE_TYPES)
		set(o, "signature_types", items(&r->signature_types, bad), bad);
	if (r->set & CV_RULE_ANNOTATIONS)
		set(o, "annotations", annotations(r, bad), bad);
	if (r->set & CV_RULE_GENERATIONS)
		set(o, "generations",
		    words(r->generations, CV_IMG_BUNDLES, cv_generation_words, bad), bad);
	if (r->set & CV_RULE_SUBJECTS)
		set(o, "subjects", words(r->subjects, CV_SUBJECT_INDEX, cv_subject_words, bad),
		    bad);
	if (r->set & CV_RULE_ATTESTATIONS)
		set(o, "attestations", attestations(r, bad), bad);
	rule_contents(o, r, bad);
	if (r->nchecks > 0)
		set(o, "checks", levels(r->checks, r->nchecks, bad), bad);
	return o;
}

static json_t *
launch(const struct cv_policy *p, bool *bad)
{
	json_t *o = json_object(), *limits = json_object();

	set(o, "allow", items(&p->allow, bad), bad);
	if (p->max.memory > 0)
		set_u64(limits, "memory", p->max.memory, bad);
	if (p->max.cpus > 0)
		set_u64(limits, "cpus_thousandths", p->max.cpus, bad);
	if (p->max.pids > 0)
		set_u64(limits, "pids", p->max.pids, bad);
	set(o, "limits", limits, bad);
	if (p->has_capabilities)
		set(o, "capabilities", items(&p->capabilities, bad), bad);
	if (p->has_network)
		set(o, "network", items(&p->network, bad), bad);
	set(o, "required_controls", words(p->required_controls, 1, cv_control_words, bad), bad);
	return o;
}

static void
head(json_t *o, const struct cv_policy *p, bool *bad)
{
	char time[CV_TIME_TEXT];

	set(o, "schema", json_string(SCHEMA), bad);
	set(o, "name", json_string(p->name), bad);
	if (p->version > 0)
		set_u64(o, "version", p->version, bad);
	if (p->has_expires)
		set(o, "expires", json_string(cv_time_text(p->expires, time)), bad);
	set_text(o, "extends", p->extends, bad);
	set_text(o, "confinement", p->confinement_required ? "required" : "best-effort", bad);
	set_text(o, "mode", p->audit ? "audit" : "enforce", bad);
	set_u64(o, "valid_for", (uint64_t)p->valid_for, bad);
}

int
cv_policy_effective(const struct cv_policy *p, json_t **ret, struct cv_err *e)
{
	json_t *o = json_object(), *rules = json_array(), *uncovered = json_object(), *r;
	bool bad = false;

	head(o, p, &bad);
	r = roots(p, &bad);
	if (json_object_size(r) > 0)
		set(o, "roots", json_incref(r), &bad);
	json_decref(r);
	set(o, "signers", signers(p, &bad), &bad);
	set(o, "endorsers", names(p->endorsers, p->nendorsers, &bad), &bad);
	for (size_t i = 0; i < p->nrules; i++)
		add(rules, rule(&p->rules[i], &bad), &bad);
	set(o, "rules", rules, &bad);
	set(o, "checks", levels(p->checks, p->nchecks, &bad), &bad);
	set(uncovered, "accept", items(&p->accept, &bad), &bad);
	set(o, "uncovered", uncovered, &bad);
	set(o, "launch", launch(p, &bad), &bad);
	if (o == NULL || bad) {
		json_decref(o);
		return cv_fail_memory(e);
	}
	*ret = o;
	return 0;
}
