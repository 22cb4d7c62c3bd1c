/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_rule.c: the rules of a policy: reading them, and which one applies.
 * Must never choose between two rules by anything but what policy.h says.
 */
#include "verify/policy_int.h"

#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

const char *const cv_severity_words[] = { "any", "low", "medium", "high", "critical", NULL };
const char *const cv_basis_words[] = { "pinned", "endorsed", "signed", NULL };
const char *const cv_generation_words[] = { "bundle", "legacy", NULL };
const char *const cv_subject_words[] = { "index", "manifest", NULL };
const char *const cv_format_words[] = { "safetensors", "gguf", "data", "code", NULL };

/* ---- reading ---- */

static int
read_glob(struct cv_jv v, const char **ret, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_str(v, ret, e) != 0)
		return -1;
	if (strlen(*ret) > CV_MAX_GLOB)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found a pattern of %zu bytes, want at most %d", strlen(*ret),
				  CV_MAX_GLOB);
	return 0;
}

static int
read_match(struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "type", "name", "source", NULL };
	struct cv_jv type = cv_jv_get(v, "type");
	unsigned mask = 0;
	size_t word;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (cv_jv_type(type) == CV_J_STRING) {
		if (cv_jv_choice(type, cv_atype_words, &word, e) != 0)
			return -1;
		mask = 1u << word;
	} else if (!type.absent && cv_conf_mask(type, cv_atype_words, &mask, e) != 0) {
		return -1;
	}
	r->types = mask << CV_A_IMAGE; /* the words begin with that of 1 */
	if (read_glob(cv_jv_get(v, "name"), &r->match_name, e) != 0)
		return -1;
	return read_glob(cv_jv_get(v, "source"), &r->match_source, e);
}

/* read_bits: an optional list of words, its first word the bit `first`. */
static int
read_bits(struct cv_rule *r, struct cv_jv v, const char *const *words, unsigned first,
	  unsigned field, unsigned *ret, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_conf_mask(v, words, ret, e) != 0)
		return -1;
	*ret *= first;
	r->set |= field;
	return 0;
}

static int
read_signed_by(struct cv_policy *p, struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	struct cv_jv by = cv_jv_get(v, "signed_by"), threshold = cv_jv_get(v, "threshold");
	uint64_t n;

	if (!by.absent) {
		if (cv_policy_signers(p, by, &r->signed_by, &r->nsigned_by, e) != 0)
			return -1;
		if (r->nsigned_by == 0)
			return cv_jv_fail(by, e, CV_R_CONFIG,
					  "found an empty list, want at least one signer");
		r->set |= CV_RULE_SIGNED_BY;
		/* policy.h: who says who signs wants a signature */
		if ((r->set & CV_RULE_BASIS) == 0) {
			r->set |= CV_RULE_BASIS;
			r->basis = CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED;
		}
	}
	if (threshold.absent)
		return 0;
	if (cv_jv_u64(threshold, CV_MAX_KEYS, &n, e) != 0)
		return -1;
	if (n < 1 || n > r->nsigned_by)
		return cv_jv_fail(threshold, e, CV_R_CONFIG,
				  "found %llu of %zu signers of \"signed_by\", want 1 to %zu",
				  (unsigned long long)n, r->nsigned_by, r->nsigned_by);
	r->threshold = (unsigned)n;
	r->set |= CV_RULE_THRESHOLD;
	return 0;
}

static int
read_attestation(struct cv_policy *p, struct cv_want_attestation *w, struct cv_jv v,
		 struct cv_err *e)
{
	static const char *const keys[] = { "predicate_type", "signed_by", NULL };

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "predicate_type"), &w->predicate_type, e) != 0)
		return -1;
	if (strlen(w->predicate_type) > CV_MAX_PREDICATE_TYPE)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found a type of %zu bytes, want at most %d",
				  strlen(w->predicate_type), CV_MAX_PREDICATE_TYPE);
	w->pos = cv_jv_pos(v);
	return cv_policy_signers(p, cv_jv_get(v, "signed_by"), &w->signed_by, &w->nsigned_by, e);
}

static int
read_attestations(struct cv_policy *p, struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu elements, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	r->attestations = cv_mem_get(&p->mem, cv_jv_len(v), sizeof(*r->attestations), e);
	if (r->attestations == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_want_attestation *w = &r->attestations[r->nattestations];

		if (read_attestation(p, w, i, e) != 0)
			return -1;
		for (size_t k = 0; k < r->nattestations; k++)
			if (strcmp(r->attestations[k].predicate_type, w->predicate_type) == 0)
				return cv_jv_fail(
					i, e, CV_R_CONFIG,
					"found predicate type \"%s\" twice, want each once",
					w->predicate_type);
		r->nattestations++;
	}
	r->set |= CV_RULE_ATTESTATIONS;
	return 0;
}

/* read_annotations: of rules for images alone, and not where other statements than
 * cosign's sign: nothing else could say them, and would be let in without. */
static int
read_annotations(struct cv_policy *p, struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	if (r->types != 1u << CV_A_IMAGE || r->signature_types.n > 0)
		return cv_jv_fail(
			v, e, CV_R_CONFIG,
			r->types != 1u << CV_A_IMAGE
				? "found annotations, which only signatures on images have, "
				  "want \"match\" with \"type\": \"image\" alone"
				: "found annotations, which only cosign's signatures have, "
				  "want no \"signature_types\" beside them");
	if (cv_jv_len(v) == 0 || cv_jv_len(v) > CV_MAX_ANNOTATIONS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu annotations, want 1 to %d",
				  cv_jv_len(v), CV_MAX_ANNOTATIONS);
	r->annotations = cv_mem_get(&p->mem, cv_jv_len(v), sizeof(*r->annotations), e);
	if (r->annotations == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_annotation *a = &r->annotations[r->nannotations++];

		a->key = cv_jv_key(i);
		if (cv_jv_text(i, &a->value, e) != 0)
			return -1;
		if (a->key[0] == '\0' || strlen(a->key) > CV_MAX_ANNOTATION ||
		    strlen(a->value) > CV_MAX_ANNOTATION)
			return cv_jv_fail(i, e, CV_R_CONFIG,
					  "found an annotation without a name, or longer than %d "
					  "bytes",
					  CV_MAX_ANNOTATION);
	}
	r->set |= CV_RULE_ANNOTATIONS;
	return 0;
}

static int
read_sbom(struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "required", "max_index_age", NULL };
	struct cv_jv required = cv_jv_get(v, "required"), age = cv_jv_get(v, "max_index_age");

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (!required.absent) {
		if (cv_jv_bool(required, &r->sbom_required, e) != 0)
			return -1;
		r->set |= CV_RULE_SBOM_REQUIRED;
	}
	if (!age.absent) {
		if (cv_conf_duration(age, &r->sbom_max_index_age, e) != 0)
			return -1;
		r->set |= CV_RULE_SBOM_AGE;
	}
	return 0;
}

static int
read_contents(struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	static const char *const vulns[] = { "list", "deny", NULL };
	static const char *const scripts[] = { "deny", "allow", NULL };
	struct cv_jv vuln = cv_jv_get(v, "vulnerabilities");
	struct cv_jv severity = cv_jv_get(v, "min_severity"), script = cv_jv_get(v, "scripts");
	struct cv_jv guidance = cv_jv_get(v, "guidance");
	size_t word;

	if (!vuln.absent) {
		if (cv_jv_choice(vuln, vulns, &word, e) != 0)
			return -1;
		r->vulnerabilities_deny = word == 1;
		r->set |= CV_RULE_VULNERABILITIES;
	}
	if (!severity.absent) {
		if (cv_jv_choice(severity, cv_severity_words, &word, e) != 0)
			return -1;
		r->min_severity = (enum cv_severity)word;
		r->set |= CV_RULE_SEVERITY;
	}
	if (!script.absent) {
		if (cv_jv_choice(script, scripts, &word, e) != 0)
			return -1;
		r->scripts_allowed = word == 1;
		r->set |= CV_RULE_SCRIPTS;
	}
	if (guidance.absent)
		return 0;
	r->set |= CV_RULE_GUIDANCE;
	return cv_jv_str(guidance, &r->guidance, e);
}

static int
read_rule(struct cv_policy *p, struct cv_rule *r, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "name",         "match",
					    "basis",        "signed_by",
					    "threshold",    "generations",
					    "subjects",     "attestations",
					    "sbom",         "vulnerabilities",
					    "min_severity", "formats",
					    "scripts",      "guidance",
					    "checks",       "signature_types",
					    "annotations",  NULL };
	struct cv_jv types = cv_jv_get(v, "signature_types");

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "name"), &r->name, e) != 0)
		return -1;
	r->pos = cv_jv_pos(v);
	if (!cv_name_valid(r->name))
		return cv_jv_fail(cv_jv_get(v, "name"), e, CV_R_CONFIG,
				  "found \"%s\", want at most 64 of a-z, 0-9, '.', '_', '-', "
				  "starting with a letter or digit",
				  r->name);
	if (read_match(r, cv_jv_get(v, "match"), e) != 0 ||
	    read_bits(r, cv_jv_get(v, "basis"), cv_basis_words, CV_ACCEPT_PINNED, CV_RULE_BASIS,
		      &r->basis, e) != 0 ||
	    read_signed_by(p, r, v, e) != 0 ||
	    cv_conf_items(&p->mem, types, &r->signature_types, e) != 0)
		return -1;
	if (!types.absent)
		r->set |= CV_RULE_SIGNATURE_TYPES;
	if (read_bits(r, cv_jv_get(v, "generations"), cv_generation_words, CV_IMG_BUNDLES,
		      CV_RULE_GENERATIONS, &r->generations, e) != 0 ||
	    read_bits(r, cv_jv_get(v, "subjects"), cv_subject_words, CV_SUBJECT_INDEX,
		      CV_RULE_SUBJECTS, &r->subjects, e) != 0 ||
	    read_bits(r, cv_jv_get(v, "formats"), cv_format_words, CV_FMT_SAFETENSORS,
		      CV_RULE_FORMATS, &r->formats, e) != 0)
		return -1;
	if (read_annotations(p, r, cv_jv_get(v, "annotations"), e) != 0 ||
	    read_attestations(p, r, cv_jv_get(v, "attestations"), e) != 0 ||
	    read_sbom(r, cv_jv_get(v, "sbom"), e) != 0 || read_contents(r, v, e) != 0)
		return -1;
	return cv_policy_checks(p, cv_jv_get(v, "checks"), &r->checks, &r->nchecks, e);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* clash: two rules of one file that can never be told apart. */
static int
clash(const struct cv_rule *a, const struct cv_rule *b, struct cv_jv v, struct cv_err *e)
{
	if (strcmp(a->name, b->name) == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found rule \"%s\" twice, want each name once",
				  b->name);
	if (a->types == b->types && same_text(a->match_name, b->match_name) &&
	    same_text(a->match_source, b->match_source))
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "rules \"%s\" and \"%s\" match the same, want one of them to be "
				  "more specific",
				  a->name, b->name);
	return 0;
}

int
cv_policy_read_rules(struct cv_policy *p, struct cv_jv v, bool preset, struct cv_err *e)
{
	size_t start = p->nrules;
	struct cv_rule *rules;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu rules, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	rules = cv_mem_get(&p->mem, start + cv_jv_len(v), sizeof(*rules), e);
	if (rules == NULL)
		return -1;
	if (start > 0)
		memcpy(rules, p->rules, start * sizeof(*rules));
	p->rules = rules;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_rule *r = &rules[p->nrules];

		r->preset = preset;
		if (read_rule(p, r, i, e) != 0)
			return -1;
		for (size_t k = start; k < p->nrules; k++)
			if (clash(&rules[k], r, i, e) != 0)
				return -1;
		p->nrules++;
	}
	return 0;
}

/* ---- which rule applies ---- */

static bool
matches(const struct cv_rule *r, const struct cv_artifact *a)
{
	if (r->types != 0 && (r->types & 1u << a->type) == 0)
		return false;
	if (r->match_name != NULL && !cv_glob(r->match_name, a->name))
		return false;
	return r->match_source == NULL || cv_glob(r->match_source, a->source);
}

/* precise: how specific a pattern is: none 0, a glob 1 + its literal
 * characters, a literal more than any glob. */
static unsigned
precise(const char *glob)
{
	unsigned literal = 0;

	if (glob == NULL)
		return 0;
	for (const char *p = glob; *p != '\0'; p++)
		literal += *p != '*';
	return strchr(glob, '*') == NULL ? CV_MAX_GLOB + 2 : 1 + literal;
}

static unsigned
breadth(const struct cv_rule *r)
{
	return r->types == 0 ? 32 : (unsigned)__builtin_popcount(r->types);
}

/* more: > 0 if a is more specific than b, 0 if neither is. */
static int
more(const struct cv_rule *a, const struct cv_rule *b)
{
	unsigned an = precise(a->match_name), bn = precise(b->match_name);
	unsigned as = precise(a->match_source), bs = precise(b->match_source);

	if (an != bn)
		return an > bn ? 1 : -1;
	if (as != bs)
		return as > bs ? 1 : -1;
	return (int)breadth(b) - (int)breadth(a);
}

/* best: of rules [from, to) the most specific one that matches, or NULL. */
static int
best(const struct cv_policy *p, size_t from, size_t to, const struct cv_artifact *a,
     const struct cv_rule **ret, struct cv_err *e)
{
	const struct cv_rule *found = NULL, *tie = NULL;

	for (size_t i = from; i < to; i++) {
		const struct cv_rule *r = &p->rules[i];

		if (!matches(r, a))
			continue;
		if (found == NULL || more(r, found) > 0) {
			found = r;
			tie = NULL;
		} else if (more(r, found) == 0) {
			tie = r;
		}
	}
	*ret = found;
	if (tie == NULL)
		return 0;
	return cv_conf_at(e, p->file, tie->preset ? (struct cv_jpos){ 0 } : tie->pos,
			  "rules \"%s\" and \"%s\" are equally specific about %s \"%s\", want one "
			  "of them to be more specific",
			  found->name, tie->name, cv_atype_word(a->type), a->name);
}

/* take: the field from whichever states it first, else as it is. */
#define TAKE(field, bit)                                                                           \
	do {                                                                                       \
		if (own != NULL && (own->set & (bit)) != 0)                                        \
			ret->field = own->field;                                                   \
		else if (preset != NULL && (preset->set & (bit)) != 0)                             \
			ret->field = preset->field;                                                \
	} while (0)

static void
merge(struct cv_rule *ret, const struct cv_rule *own, const struct cv_rule *preset)
{
	const struct cv_rule *named = own != NULL ? own : preset;

	*ret = (struct cv_rule){
		.name = named->name,
		.preset = named->preset,
		.set = (own != NULL ? own->set : 0) | (preset != NULL ? preset->set : 0),
		.types = named->types,
		.match_name = named->match_name,
		.match_source = named->match_source,
		.pos = named->pos,
		/* policy.h, "Defaults of a rule" */
		.basis = CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED,
		.threshold = 1,
		.generations = CV_IMG_BUNDLES | CV_IMG_LEGACY,
		.subjects = CV_SUBJECT_INDEX | CV_SUBJECT_MANIFEST,
		.vulnerabilities_deny = true,
		.formats = CV_FMT_SAFETENSORS | CV_FMT_GGUF | CV_FMT_DATA,
		.checks = named->checks,
		.nchecks = named->nchecks,
	};
	TAKE(basis, CV_RULE_BASIS);
	TAKE(signed_by, CV_RULE_SIGNED_BY);
	TAKE(nsigned_by, CV_RULE_SIGNED_BY);
	TAKE(threshold, CV_RULE_THRESHOLD);
	TAKE(signature_types, CV_RULE_SIGNATURE_TYPES);
	TAKE(annotations, CV_RULE_ANNOTATIONS);
	TAKE(nannotations, CV_RULE_ANNOTATIONS);
	TAKE(generations, CV_RULE_GENERATIONS);
	TAKE(subjects, CV_RULE_SUBJECTS);
	TAKE(attestations, CV_RULE_ATTESTATIONS);
	TAKE(nattestations, CV_RULE_ATTESTATIONS);
	TAKE(sbom_required, CV_RULE_SBOM_REQUIRED);
	TAKE(sbom_max_index_age, CV_RULE_SBOM_AGE);
	TAKE(vulnerabilities_deny, CV_RULE_VULNERABILITIES);
	TAKE(min_severity, CV_RULE_SEVERITY);
	TAKE(formats, CV_RULE_FORMATS);
	TAKE(scripts_allowed, CV_RULE_SCRIPTS);
	TAKE(guidance, CV_RULE_GUIDANCE);
	if (own != NULL && preset != NULL) {
		ret->base_checks = preset->checks;
		ret->nbase_checks = preset->nchecks;
	}
}

int
cv_policy_rule(const struct cv_policy *p, const struct cv_artifact *a, struct cv_rule *ret,
	       struct cv_err *e)
{
	const struct cv_rule *own, *preset;

	if (best(p, 0, p->nown, a, &own, e) != 0 || best(p, p->nown, p->nrules, a, &preset, e) != 0)
		return -1;
	if (own == NULL && preset == NULL)
		return 0;
	merge(ret, own, preset);
	return 1;
}

/* ---- levels ---- */

bool
cv_check_is_fixed(const char *check)
{
	/* whole families, then single ones; docs/formats.md says why of each */
	static const char *const families[] = { "archive.", "bundle.",   "fetch.",  "file.",
						"gate.",    "internal.", "launch.", "oci.",
						"policy.",  "worker." };
	static const char *const single[] = {
		"agent.changed",         "image.bomb",
		"image.diffid-mismatch", "image.layer-malformed",
		"image.link-escape",     "image.place-unsafe",
		"image.traversal",       "image.unsupported-layer",
		"lock.digest-mismatch",  "sandbox.unavailable",
	};

	for (size_t i = 0; i < CV_COUNT(families); i++)
		if (strncmp(check, families[i], strlen(families[i])) == 0)
			return true;
	for (size_t i = 0; i < CV_COUNT(single); i++)
		if (strcmp(check, single[i]) == 0)
			return true;
	return false;
}

/* stated: what a list of levels says about a check; false: nothing. */
static bool
stated(const struct cv_check_level *v, size_t n, const char *check, bool *required)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].check, check) != 0)
			continue;
		*required = v[i].required;
		return true;
	}
	return false;
}

bool
cv_policy_required(const struct cv_policy *p, const struct cv_rule *rule, const char *check)
{
	bool required;

	if (strcmp(check, "sandbox.unavailable") == 0)
		return p->confinement_required;
	if (cv_check_is_fixed(check))
		return true;
	if (rule != NULL && (stated(rule->checks, rule->nchecks, check, &required) ||
			     stated(rule->base_checks, rule->nbase_checks, check, &required)))
		return required;
	if (stated(p->checks, p->nchecks, check, &required))
		return required;
	return !p->audit;
}
