/* SPDX-License-Identifier: Apache-2.0 */
/* engine_lock.c: what a result amounts to as a lock. Must never write down what
 * was not found. */
#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"
#include "verify/engine.h"

#include "trust/base/banned.h"

/* str: an optional string into the lock's memory. */
static int
str(struct cv_lock *l, const char **ret, const char *s, struct cv_err *e)
{
	*ret = NULL;
	if (s == NULL)
		return 0;
	*ret = cv_mem_str(&l->mem, s, e);
	return *ret == NULL ? -1 : 0;
}

/* copy_tree: the lock owns its tree. */
static int
copy_tree(struct cv_tree **ret, const struct cv_tree *from, struct cv_err *e)
{
	cv_auto(cv_tree_free) struct cv_tree *t = NULL;
	struct cv_digest d;
	size_t i;

	if (from == NULL)
		return 0;
	if (cv_tree_open(&t, "lock", e) != 0)
		return -1;
	for (i = 0; i < cv_tree_count(from); i++)
		if (cv_tree_add(t, cv_tree_at(from, i), e) != 0)
			return -1;
	if (cv_tree_end(t, &d, e) != 0)
		return -1;
	if (!cv_digest_eq(&d, cv_tree_digest(from)))
		return cv_fail(e, CV_R_BUG, "a copied tree has another digest");
	*ret = cv_steal(t);
	return 0;
}

static int
fill_layers(struct cv_lock *l, struct cv_lock_artifact *to, const struct cv_r_artifact *a,
	    struct cv_err *e)
{
	size_t i;

	to->layers = cv_mem_get(&l->mem, a->nlayers, sizeof(*to->layers), e);
	if (to->layers == NULL)
		return -1;
	for (i = 0; i < a->nlayers; i++) {
		to->layers[i].digest = a->layers[i].digest;
		to->layers[i].diffid = a->layers[i].diffid;
		to->layers[i].size = a->layers[i].size;
		if (str(l, &to->layers[i].media, a->layers[i].media, e) != 0)
			return -1;
	}
	to->nlayers = a->nlayers;
	return 0;
}

/* shown: somebody else's text, for whoever reads the lock: hidden characters of it as
 * what they are. */
static int
shown(struct cv_lock *l, const char **to, const char *text, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 16);

	if (text == NULL || text[0] == '\0')
		return 0;
	cv_text_safe(&b, cv_span_str(text), 0);
	if (cv_buf_ok(&b, "an identity", e) != 0)
		return -1;
	return str(l, to, cv_buf_text(&b), e);
}

static int
fill_evidence(struct cv_lock *l, struct cv_lock_artifact *to, const struct cv_r_artifact *a,
	      struct cv_err *e)
{
	size_t i;

	to->signers = cv_mem_get(&l->mem, a->nsigners, sizeof(*to->signers), e);
	to->evidence = cv_mem_get(&l->mem, a->nevidence, sizeof(*to->evidence), e);
	if (to->signers == NULL || to->evidence == NULL)
		return -1;
	for (i = 0; i < a->nsigners; i++) {
		if (str(l, &to->signers[i].keyid, a->signers[i].keyid, e) != 0 ||
		    str(l, &to->signers[i].name, a->signers[i].name, e) != 0 ||
		    shown(l, &to->signers[i].identity, a->signers[i].identity, e) != 0 ||
		    shown(l, &to->signers[i].issuer, a->signers[i].issuer, e) != 0 ||
		    str(l, &to->signers[i].predicate, a->signers[i].predicate, e) != 0)
			return -1;
	}
	to->nsigners = a->nsigners;
	for (i = 0; i < a->nevidence; i++) {
		to->evidence[i].digest = a->evidence[i].digest;
		if (str(l, &to->evidence[i].role, a->evidence[i].role, e) != 0)
			return -1;
	}
	to->nevidence = a->nevidence;
	return 0;
}

static int
fill(struct cv_lock *l, struct cv_lock_artifact *to, const struct cv_r_artifact *a,
     struct cv_err *e)
{
	const struct cv_artifact *d = a->decl;

	if (a->digest.alg == CV_ALG_NONE)
		return cv_fail(e, a->reason != CV_R_NONE ? a->reason : CV_R_UNDECIDED,
			       "%s: was not resolved, so there is nothing to lock", a->name);
	to->type = d->type;
	to->origin = d->origin;
	to->digest = a->digest;
	to->size = a->size;
	to->index = a->index;
	to->manifest = a->manifest;
	to->config = a->config;
	to->archive = a->archive;
	if (str(l, &to->name, a->name, e) != 0 || str(l, &to->asked, d->asked, e) != 0 ||
	    str(l, &to->media, a->media, e) != 0 || str(l, &to->platform, a->platform, e) != 0 ||
	    str(l, &to->package, a->package, e) != 0 || str(l, &to->version, a->version, e) != 0)
		return -1;
	if (fill_layers(l, to, a, e) != 0 || fill_evidence(l, to, a, e) != 0)
		return -1;
	return copy_tree(&to->tree, a->tree, e);
}

int
cv_engine_lock(struct cv_lock **ret, const struct cv_result *r, const struct cv_request *rq,
	       struct cv_err *e)
{
	cv_auto(cv_lock_free) struct cv_lock *l = NULL;
	size_t i;

	if (cv_lock_open(&l, r->nartifacts, e) != 0)
		return -1;
	l->agent = rq->agent->digest;
	l->policy = rq->policy->digest;
	for (i = 0; i < r->nartifacts; i++) {
		l->nartifacts = i + 1; /* a tree given away is released with the lock */
		if (fill(l, &l->artifacts[i], &r->artifacts[i], e) != 0)
			return -1;
	}
	*ret = cv_steal(l);
	return 0;
}
