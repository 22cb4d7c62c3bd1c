/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c: whom a task trusts; see proven.h. Must never take an identity that says
 * less than who and by whose word. */
#include "trust/identity.h"
#include "trust/proven.h"
#include "trust/root_json.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/claims.h"
#include "trust/base/json.h"

#include "trust/base/text.h"

#include "trust/base/banned.h"

static bool
holds(const struct cv_keyring *r, const char *name, const struct cv_pubkey *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->key[i].name, name) == 0 &&
		    cv_digest_eq(cv_pubkey_id(r->key[i].key), cv_pubkey_id(key)))
			return true;
	return false;
}

int
cv_keyring_add(struct cv_keyring *r, const char *name, const struct cv_ring_root *root,
	       struct cv_span pem, struct cv_err *e)
{
	cv_auto(cv_pubkey_free) struct cv_pubkey *key = NULL;
	char what[CV_TEXT_BRIEF + 8], brief[CV_TEXT_BRIEF];

	if (r->n == CV_MAX_KEYS)
		return cv_fail(e, CV_R_LIMIT, "found more than %d keys", CV_MAX_KEYS);
	cv_text_fmt(what, sizeof(what), "key of %s", cv_text_brief(brief, cv_span_str(name)));
	if (cv_pubkey_load(&key, what, pem, e) != 0)
		return -1;
	if (holds(r, name, key))
		return 0;
	r->key[r->n].name = strdup(name);
	if (r->key[r->n].name == NULL)
		return cv_fail_memory(e);
	r->key[r->n].root = root;
	r->key[r->n++].key = cv_steal(key);
	return 0;
}

/* ---- roots and identities ---- */

/* What a struct cv_expected borrows from. */
struct cv_ring_who {
	struct cv_jdoc *doc;
	struct cv_pattern *subject, *issuer;
	char *name;
};

struct cv_ring_root *
cv_keyring_root(struct cv_keyring *r, const char *name)
{
	for (size_t i = 0; i < r->roots; i++)
		if (strcmp(r->root[i].name, name) == 0)
			return &r->root[i];
	return NULL;
}

bool
cv_keyring_has_identities(const struct cv_keyring *r)
{
	for (size_t i = 0; i < r->roots; i++)
		if (r->root[i].n > 0)
			return true;
	return false;
}

int
cv_keyring_add_root(struct cv_keyring *r, const char *name, struct cv_span text,
		    struct cv_ring_root **ret, struct cv_err *e)
{
	struct cv_ring_root *root = &r->root[r->roots];
	char what[CV_TEXT_BRIEF + 16], brief[CV_TEXT_BRIEF];

	if (r->roots == CV_MAX_ROOTS)
		return cv_fail(e, CV_R_LIMIT, "found more than %d trust roots", CV_MAX_ROOTS);
	*root = (struct cv_ring_root){ .name = strdup(name) };
	if (root->name == NULL)
		return cv_fail_memory(e);
	r->roots++;
	cv_text_fmt(what, sizeof(what), "trust root %s", cv_text_brief(brief, cv_span_str(name)));
	if (cv_root_parse(&root->root, what, text, e) != 0) {
		if (cv_reason_exit(e->reason) == CV_EXIT_FAIL)
			return cv_fail(e, CV_R_UNSUPPORTED, "%s", e->text);
		return -1;
	}
	*ret = root;
	return 0;
}

static int
text_or_pattern(struct cv_jv text, struct cv_jv pattern, const char **is, struct cv_pattern **like,
		struct cv_err *e)
{
	const char *s;

	if (text.absent == pattern.absent)
		return cv_jv_fail(text.absent ? pattern : text, e, CV_R_MALFORMED,
				  "want either a text or a pattern");
	if (!text.absent)
		return cv_jv_str(text, is, e);
	return cv_jv_str(pattern, &s, e) != 0 ? -1 : cv_pattern_compile(like, s, e);
}

static int
read_claims(struct cv_expected *x, struct cv_jv v, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		unsigned number = cv_claim_number(cv_jv_key(i));

		if (number == 0 || x->n == CV_COUNT(x->claim))
			return cv_jv_fail(i, e, CV_R_MALFORMED, "found the claim \"%s\"",
					  cv_jv_key(i));
		x->claim[x->n].number = number;
		if (cv_jv_str(i, &x->claim[x->n++].value, e) != 0)
			return -1;
	}
	return 0;
}

static int
read_identity(struct cv_expected *x, struct cv_ring_who *who, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "identity", "identity_pattern",
					    "issuer",   "issuer_pattern",
					    "claims",   "no_issuer",
					    NULL };
	struct cv_jv none = cv_jv_get(v, "no_issuer");

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    text_or_pattern(cv_jv_get(v, "identity"), cv_jv_get(v, "identity_pattern"), &x->subject,
			    &who->subject, e) != 0)
		return -1;
	if (!none.absent && cv_jv_bool(none, &x->no_issuer, e) != 0)
		return -1;
	if (!x->no_issuer && text_or_pattern(cv_jv_get(v, "issuer"), cv_jv_get(v, "issuer_pattern"),
					     &x->issuer, &who->issuer, e) != 0)
		return -1;
	x->subject_pattern = who->subject;
	x->issuer_pattern = who->issuer;
	x->name = who->name;
	return read_claims(x, cv_jv_get(v, "claims"), e);
}

int
cv_keyring_add_identity(struct cv_ring_root *root, const char *signer, struct cv_span text,
			struct cv_err *e)
{
	struct cv_ring_who *who;
	struct cv_expected *x;

	if (root->n == CV_MAX_IDENTITIES)
		return cv_fail(e, CV_R_LIMIT, "found more than %d identities", CV_MAX_IDENTITIES);
	who = reallocarray(root->who, root->n + 1, sizeof(*who));
	if (who == NULL)
		return cv_fail_memory(e);
	root->who = who;
	x = reallocarray(root->expect, root->n + 1, sizeof(*x));
	if (x == NULL)
		return cv_fail_memory(e);
	root->expect = x;
	who += root->n;
	x += root->n++;
	*x = (struct cv_expected){ .name = NULL };
	*who = (struct cv_ring_who){ .name = strdup(signer) };
	if (who->name == NULL)
		return cv_fail_memory(e);
	if (cv_json_parse(&who->doc, signer, text, 0, e) == 0 &&
	    read_identity(x, who, cv_json_root(who->doc), e) == 0)
		return 0;
	if (cv_reason_exit(e->reason) == CV_EXIT_FAIL || e->reason == CV_R_UNSUPPORTED)
		return cv_fail(e, CV_R_UNSUPPORTED, "signer %s: %s", signer, e->text);
	return -1;
}

int
cv_keyring_add_tool(struct cv_keyring *r, const char *signer, enum cv_tool tool,
		    struct cv_span text, const char *principal, const char *ns, struct cv_err *e)
{
	struct cv_ring_tool *t = &r->tool[r->tools];
	char brief[CV_TEXT_BRIEF];

	if (r->tools == CV_MAX_TOOLS)
		return cv_fail(e, CV_R_LIMIT, "found more than %d keys of other programs",
			       CV_MAX_TOOLS);
	r->tools++;
	*t = (struct cv_ring_tool){ .name = strdup(signer), .tool = tool };
	if (t->name == NULL)
		return cv_fail_memory(e);
	if (cv_tool_read(t, "allowed_signers", text, principal, ns, e) != 0)
		return cv_fail_within(e, "signer %s", cv_text_brief(brief, cv_span_str(signer)));
	return 0;
}

static void
clear_root(struct cv_ring_root *root)
{
	for (size_t i = 0; i < root->n; i++) {
		cv_json_free(&root->who[i].doc);
		cv_pattern_free(&root->who[i].subject);
		cv_pattern_free(&root->who[i].issuer);
		free(root->who[i].name);
	}
	free(root->who);
	free(root->expect);
	free(root->name);
	cv_root_free(&root->root);
}

void
cv_keyring_clear(struct cv_keyring *r)
{
	for (size_t i = 0; i < r->roots; i++)
		clear_root(&r->root[i]);
	r->roots = 0;
	for (size_t i = 0; i < r->n; i++) {
		free(r->key[i].name);
		cv_pubkey_free(&r->key[i].key);
	}
	r->n = 0;
	for (size_t i = 0; i < r->tools; i++)
		cv_tool_clear(&r->tool[i]);
	r->tools = 0;
}

/* ---- words ---- */

struct names {
	const char *seen[3]; /* whom the text names */
	size_t n;            /* all */
	struct cv_buf out;
};

/* A signer with several keys is named once. */
static void
name(struct names *l, const char *who)
{
	char brief[CV_TEXT_BRIEF];

	for (size_t i = 0; i < l->n && i < CV_COUNT(l->seen); i++)
		if (strcmp(l->seen[i], who) == 0)
			return;
	if (l->n < CV_COUNT(l->seen)) {
		l->seen[l->n] = who;
		cv_buf_fmt(&l->out, "%s%s", l->n == 0 ? "" : ", ",
			   cv_text_brief(brief, cv_span_str(who)));
	}
	l->n++;
}

/* The words of who is meant: of one identity alone all of it. */
static bool
one_identity(const struct cv_keyring *r, const struct cv_expected **ret)
{
	size_t n = r->n;

	for (size_t i = 0; i < r->roots; i++) {
		n += r->root[i].n;
		if (r->root[i].n > 0)
			*ret = &r->root[i].expect[0];
	}
	return n == 1 && r->n == 0 && r->tools == 0;
}

const char *
cv_keyring_words(const struct cv_keyring *r, char *out, size_t size)
{
	struct names l = { .out = CV_BUF(size - 1) };
	const struct cv_expected *one = NULL;
	char who[CV_WHO_WORDS];

	for (size_t i = 0; i < r->n; i++)
		name(&l, r->key[i].name);
	for (size_t i = 0; i < r->tools; i++)
		name(&l, r->tool[i].name);
	for (size_t i = 0; i < r->roots; i++)
		for (size_t k = 0; k < r->root[i].n; k++)
			name(&l, r->root[i].expect[k].name);
	if (l.n > CV_COUNT(l.seen))
		cv_buf_fmt(&l.out, " and %zu more", l.n - CV_COUNT(l.seen));
	if (one_identity(r, &one))
		cv_text_fmt(out, size, "%s, %s", cv_buf_text(&l.out), cv_expected_words(one, who));
	else
		cv_text_fmt(out, size, "%s",
			    l.n == 0 ? "somebody whom policy names" : cv_buf_text(&l.out));
	cv_buf_free(&l.out);
	return out;
}
