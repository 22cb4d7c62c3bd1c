/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_identity.c: the parts of policy.json about signers who have a certificate
 * instead of a key: trust roots and identities. Must never accept an identity that
 * leaves open who, or by whose word: a match on nothing is never a match.
 */
#include "verify/policy_int.h"

#include <string.h>

#include "trust/base/claims.h"
#include "trust/base/clock.h"
#include "trust/base/limits.h"
#include "verify/embed.h"

#include "trust/base/banned.h"

#define ROOT_TYPE "application/vnd.dev.sigstore.trustedroot"

/* ---- roots ---- */

/* Enough to say at the file's place that it is no trust root; the trust worker reads
 * all of it. */
static int
check_text(struct cv_span text, const char *what, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const char *type;

	if (cv_json_parse(&doc, what, text, 0, e) != 0 ||
	    cv_jv_want(cv_json_root(doc), CV_J_OBJECT, e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_json_root(doc), "mediaType"), &type, e) != 0)
		return cv_conf_reason(e);
	if (strncmp(type, ROOT_TYPE, strlen(ROOT_TYPE)) != 0)
		return cv_fail(e, CV_R_CONFIG,
			       "%s: found the type \"%.100s\", want \"" ROOT_TYPE "...\"", what,
			       type);
	return 0;
}

static int
keep_text(struct cv_policy *p, struct cv_sigroot *r, struct cv_buf *text, struct cv_err *e)
{
	const char *copy;

	if (cv_buf_ok(text, "a trust root", e) != 0)
		return -1;
	copy = cv_mem_bytes(&p->mem, cv_buf_span(text), e);
	if (copy == NULL)
		return -1;
	r->text = cv_span(copy, text->n);
	return cv_digest_of(&r->digest, CV_SHA256, r->text, e);
}

static int
read_file(struct cv_policy *p, struct cv_sigroot *r, struct cv_jv v, int dirfd, struct cv_buf *text,
	  struct cv_err *e)
{
	struct cv_err why;
	int got;

	if (dirfd == -1)
		return cv_jv_fail(
			v, e, CV_R_CONFIG,
			"want the trust root itself, an object: files beside this one are "
			"not to be had");
	if (cv_conf_relative(v, &r->file, e) != 0)
		return -1;
	got = cv_conf_read(text, dirfd, r->file, CV_MAX_TRUST_ROOT, &why);
	if (got == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", but there is no such file",
				  r->file);
	if (got < 0 || check_text(cv_buf_span(text), r->file, &why) != 0)
		return why.reason != CV_R_CONFIG ? cv_fail(e, why.reason, "%s", why.text)
						 : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	p->external_keys = true;
	return 0;
}

static int
read_text(struct cv_policy *p, struct cv_sigroot *r, struct cv_jv v, int dirfd, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_TRUST_ROOT);

	if (cv_jv_type(v) == CV_J_STRING) {
		if (read_file(p, r, v, dirfd, &text, e) != 0)
			return -1;
	} else {
		struct cv_err why;

		if (cv_jv_want(v, CV_J_OBJECT, e) != 0 ||
		    cv_json_canonical(&text, cv_jv_json(v), e) != 0)
			return -1;
		if (check_text(cv_buf_span(&text), r->name, &why) != 0)
			return cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	}
	return keep_text(p, r, &text, e);
}

static int
read_expires(struct cv_sigroot *r, struct cv_jv v, struct cv_err *e)
{
	const char *text;

	if (v.absent)
		return 0;
	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (cv_time_parse(&r->expires, cv_span_str(text), NULL) != 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want a day like \"2027-03-31\" or a time like "
				  "\"2027-03-31T12:00:00Z\"",
				  text);
	r->has_expires = true;
	return 0;
}

static int
read_number(struct cv_jv v, unsigned *ret, struct cv_err *e)
{
	uint64_t n;

	if (v.absent)
		return 0;
	if (cv_jv_u64(v, CV_MAX_TLOG_ENTRIES, &n, e) != 0)
		return -1;
	if (n == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found 0, want how many have to vouch, from 1");
	*ret = (unsigned)n;
	return 0;
}

static int
read_flag(struct cv_jv v, bool *ret, struct cv_err *e)
{
	return v.absent ? 0 : cv_jv_bool(v, ret, e);
}

/* What a private instance says about itself. The public one is as it is. */
static int
read_private(struct cv_policy *p, struct cv_sigroot *r, struct cv_jv v, int dirfd, struct cv_err *e)
{
	struct cv_jv log = cv_jv_get(v, "without_log"), sct = cv_jv_get(v, "without_sct");
	struct cv_jv text = cv_jv_get(v, "trusted_root"), expires = cv_jv_get(v, "expires");

	if (strcmp(r->name, CV_PUBLIC_GOOD) == 0) {
		struct cv_jv any = !log.absent    ? log
				   : !sct.absent  ? sct
				   : !text.absent ? text
						  : expires;

		return any.absent
			       ? 0
			       : cv_jv_fail(any, e, CV_R_CONFIG,
					    "found \"%s\" of \"" CV_PUBLIC_GOOD "\", want it of a "
					    "root of your own: the public instance is as it is",
					    cv_jv_key(any));
	}
	if (read_flag(log, &r->without_log, e) != 0 || read_flag(sct, &r->without_sct, e) != 0 ||
	    read_expires(r, expires, e) != 0 || read_text(p, r, text, dirfd, e) != 0)
		return -1;
	if (r->without_log && r->logs > 0)
		return cv_jv_fail(log, e, CV_R_CONFIG,
				  "found true, and \"logs\" that have to vouch");
	return 0;
}

static int
read_sigroot(struct cv_policy *p, struct cv_sigroot *r, struct cv_jv v, int dirfd, struct cv_err *e)
{
	static const char *const keys[] = { "trusted_root", "logs",    "timestamps", "without_log",
					    "without_sct",  "expires", NULL };

	r->pos = cv_jv_key_pos(v);
	if (!cv_name_valid(r->name))
		return cv_conf_at(e, p->file, r->pos,
				  "found root name \"%s\", want at most 64 of a-z, 0-9, '.', '_', "
				  "'-', starting with a letter or digit",
				  r->name);
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    read_number(cv_jv_get(v, "logs"), &r->logs, e) != 0 ||
	    read_number(cv_jv_get(v, "timestamps"), &r->timestamps, e) != 0)
		return -1;
	return read_private(p, r, v, dirfd, e);
}

/* The public instance's root: the program's own. */
static int
public_good(struct cv_sigroot *r, struct cv_err *e)
{
	*r = (struct cv_sigroot){ .name = CV_PUBLIC_GOOD,
				  .text = cv_embed_root(),
				  .has_expires = true };
	if (cv_time_parse(&r->expires, cv_span_str(CV_EMBED_ROOT_EXPIRES), e) != 0)
		return -1;
	return cv_digest_of(&r->digest, CV_SHA256, r->text, e);
}

int
cv_policy_read_roots(struct cv_policy *p, struct cv_jv v, int dirfd, struct cv_err *e)
{
	if (!v.absent && cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_len(v) >= CV_MAX_ROOTS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu roots, want at most %d",
				  cv_jv_len(v), CV_MAX_ROOTS - 1);
	p->roots = cv_mem_get(&p->mem, cv_jv_len(v) + 1, sizeof(*p->roots), e);
	if (p->roots == NULL || public_good(&p->roots[0], e) != 0)
		return -1;
	p->nroots = 1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_sigroot *r = &p->roots[p->nroots];

		if (strcmp(cv_jv_key(i), CV_PUBLIC_GOOD) == 0)
			r = &p->roots[0];
		else
			p->nroots++;
		r->name = cv_jv_key(i);
		if (read_sigroot(p, r, i, dirfd, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- identities ---- */

/* A pattern of nothing but signs that stand for anything. */
static bool
names_nobody(const char *pattern)
{
	return pattern[strspn(pattern, ".*+?^$()|[]{},0123456789\\wsSWdDAzZ")] == '\0';
}

static int
read_pattern(struct cv_jv v, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (strlen(text) > CV_MAX_GLOB)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found a pattern of %zu bytes, want at most %d", strlen(text),
				  CV_MAX_GLOB);
	if (names_nobody(text))
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want a pattern that names somebody: a match on "
				  "anything is none",
				  text);
	return 0;
}

/* one_of: exactly one of a text, a pattern and, if there may be one, a "none". */
static int
one_of(struct cv_jv v, const char *key, const char *pattern_key, struct cv_jv none,
       const char **text, struct cv_err *e)
{
	struct cv_jv exact = cv_jv_get(v, key), pattern = cv_jv_get(v, pattern_key);
	int n = !exact.absent + !pattern.absent + !none.absent;

	if (n != 1)
		return cv_jv_fail(
			v, e, CV_R_CONFIG,
			"found %s, want exactly one of \"%s\" and \"%s\": a match on nothing "
			"is never a match",
			n == 0 ? "neither" : "more than one", key, pattern_key);
	if (!exact.absent)
		return cv_jv_str(exact, text, e);
	return pattern.absent ? 0 : read_pattern(pattern, e);
}

static int
read_claims(struct cv_jv v, struct cv_err *e)
{
	const char *value;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, cv_claim_words, e) != 0)
		return -1;
	if (cv_jv_len(v) == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found no claim, want at least one");
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		if (cv_claim_number(cv_jv_key(i)) == 0)
			return cv_jv_fail(i, e, CV_R_CONFIG, "found \"%s\", want a claim",
					  cv_jv_key(i));
		if (cv_jv_str(i, &value, e) != 0)
			return -1;
	}
	return 0;
}

static bool
is_remark(const char *key)
{
	return strcmp(key, "$comment") == 0 || strcmp(key, "$schema") == 0 ||
	       strncmp(key, "x-", 2) == 0;
}

json_t *
cv_identity_json(struct cv_jv at)
{
	json_t *o = json_object();
	bool bad = o == NULL;

	for (struct cv_jv i = cv_jv_first(at); !bad && !i.absent; i = cv_jv_next(i))
		bad = !is_remark(cv_jv_key(i)) &&
		      json_object_set(o, cv_jv_key(i), cv_jv_json(i)) != 0;
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

/* for_worker: the entry in the one form that its text has. */
static const char *
for_worker(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_IDENTITY_TEXT);
	json_t *o = cv_identity_json(v);
	int r = o == NULL ? cv_fail_memory(e) : cv_json_canonical(&text, o, e);

	json_decref(o);
	if (r == 0)
		r = cv_buf_ok(&text, "an identity", e);
	return r == 0 ? cv_mem_bytes(&p->mem, cv_buf_span(&text), e) : NULL;
}

static int
read_identity(struct cv_policy *p, const struct cv_signer *s, struct cv_identity_want *w,
	      struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "identity", "identity_pattern",
					    "issuer",   "issuer_pattern",
					    "claims",   "no_issuer",
					    NULL };
	struct cv_jv none = cv_jv_get(v, "no_issuer"), nothing = cv_jv_get(v, "");
	bool no_issuer = false;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	w->at = v;
	w->pos = cv_jv_pos(v);
	if (read_flag(none, &no_issuer, e) != 0)
		return -1;
	if (!none.absent && (!no_issuer || s->root == &p->roots[0]))
		return cv_jv_fail(none, e, CV_R_CONFIG,
				  no_issuer ? "found true under \"" CV_PUBLIC_GOOD "\", whose "
					      "certificates name their issuer"
					    : "found false, want true or nothing");
	if (one_of(v, "identity", "identity_pattern", nothing, &w->identity, e) != 0 ||
	    one_of(v, "issuer", "issuer_pattern", none, &w->issuer, e) != 0 ||
	    read_claims(cv_jv_get(v, "claims"), e) != 0)
		return -1;
	w->text = for_worker(p, v, e);
	return w->text == NULL ? -1 : 0;
}

static int
find_root(struct cv_policy *p, struct cv_signer *s, struct cv_jv v, struct cv_err *e)
{
	const char *words[CV_MAX_ROOTS + 1] = { NULL }, *name = CV_PUBLIC_GOOD, *near;

	if (!v.absent && cv_jv_str(v, &name, e) != 0)
		return -1;
	for (size_t i = 0; i < p->nroots; i++) {
		words[i] = p->roots[i].name;
		if (strcmp(p->roots[i].name, name) != 0)
			continue;
		s->root = &p->roots[i];
		p->roots[i].used = p->roots[i].used || s->nidentities > 0 || !v.absent;
		return 0;
	}
	near = cv_word_near(name, words);
	return cv_jv_fail(v, e, CV_R_CONFIG,
			  "found \"%s\", want a name of \"roots\", or \"" CV_PUBLIC_GOOD "\"%s%s%s",
			  name, near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
			  near != NULL ? "\"?" : "");
}

int
cv_policy_read_identities(struct cv_policy *p, struct cv_signer *s, struct cv_jv signer,
			  struct cv_err *e)
{
	struct cv_jv list = cv_jv_get(signer, "identities"), root = cv_jv_get(signer, "root");

	s->nidentities = cv_jv_len(list);
	if (!list.absent && cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (!list.absent && (s->nidentities == 0 || s->nidentities > CV_MAX_IDENTITIES))
		return cv_jv_fail(list, e, CV_R_CONFIG, "found %zu identities, want 1 to %d",
				  s->nidentities, CV_MAX_IDENTITIES);
	if (find_root(p, s, root, e) != 0)
		return -1;
	s->keys_logged = s->nkeys > 0 && !root.absent;
	s->identities = cv_mem_get(&p->mem, s->nidentities, sizeof(*s->identities), e);
	if (s->identities == NULL)
		return -1;
	for (size_t i = 0; i < s->nidentities; i++) {
		if (read_identity(p, s, &s->identities[i], cv_jv_at(list, i), e) != 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (strcmp(s->identities[k].text, s->identities[i].text) == 0)
				return cv_jv_fail(cv_jv_at(list, i), e, CV_R_CONFIG,
						  "found the same identity twice, want each once");
	}
	return 0;
}
