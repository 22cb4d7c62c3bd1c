/* SPDX-License-Identifier: Apache-2.0 */
/* referrers.c: what refers to a manifest (distribution-spec 1.1, "Listing
 * Referrers"). Must never lose an entry without saying so: a signature that is
 * not listed is a signature that is not there. */
#include "fetch/registry.h"

#include <string.h>

#include "fetch/header.h"
#include "trust/base/json.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define WHAT 256

/* The joined list while pages come in. */
struct list {
	json_t *entries; /* array of descriptors as they were written */
	struct cv_digest seen[CV_MAX_REFERRERS];
	size_t n;
};

static void
list_free(struct list *l)
{
	json_decref(l->entries);
	l->entries = NULL;
}

static bool
known(const struct list *l, const struct cv_digest *d)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (cv_digest_eq(&l->seen[i], d))
			return true;
	return false;
}

static int
add_entry(struct list *l, const struct cv_digest *d, json_t *entry, struct cv_err *e)
{
	if (known(l, d))
		return 0;
	if (l->n == CV_MAX_REFERRERS)
		return cv_fail(e, CV_R_LIMIT, "more than %d referrers", CV_MAX_REFERRERS);
	l->seen[l->n++] = *d;
	return json_array_append(l->entries, entry) == 0 ? 0 : cv_fail_memory(e);
}

/* add_page: the reader of indexes judges the page; what is kept of an entry is
 * all that it says, annotations too. */
static int
add_page(struct list *l, const char *name, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_index_free) struct cv_index *index = NULL;
	struct cv_jv v;
	size_t i = 0;

	if (cv_index_parse(&index, text, CV_MT_OCI_INDEX, e) != 0 ||
	    cv_json_parse(&doc, name, text, CV_JSON_REALS, e) != 0)
		return -1;
	v = cv_jv_first(cv_jv_get(cv_json_root(doc), "manifests"));
	for (; !v.absent && i < index->n; v = cv_jv_next(v), i++)
		if (add_entry(l, &index->entry[i].digest, cv_jv_json(v), e) != 0)
			return -1;
	if (!v.absent || i != index->n)
		return cv_fail(e, CV_R_BUG, "referrers: two readers count differently");
	return 0;
}

/* deliver: the joined index, as one document. */
static int
deliver(const struct list *l, const struct cv_ask *q, struct cv_answer *ret, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(CV_MAX_MANIFEST);
	json_t *doc = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", CV_MT_OCI_INDEX,
				"manifests", l->entries);
	int rc;

	if (doc == NULL)
		return cv_fail_memory(e);
	rc = cv_json_emit(&out, doc, e);
	json_decref(doc);
	if (rc != 0)
		return -1;
	if (out.n > q->max)
		return cv_fail(e, CV_R_LIMIT, "referrers: %zu bytes, at most %llu are accepted",
			       out.n, (unsigned long long)q->max);
	if (q->out >= 0 && cv_write_all(q->out, out.p, out.n, "the pipe to verify", e) != 0)
		return -1;
	*ret = (struct cv_answer){
		.status = CV_S_GIVEN, .size = out.n, .by = ret->by, .media = CV_MT_OCI_INDEX
	};
	return 0;
}

/* is_index: an API that answers 200 with something else is not the API. */
static bool
is_index(const struct cv_get *g)
{
	char media[CV_MEDIA_MAX + 1];

	cv_header_media(media, cv_span_str(cv_reply_text(&g->reply, CV_H_TYPE)));
	return strcmp(media, CV_MT_OCI_INDEX) == 0;
}

/* next_page: 1 and the next URL, 0 for the last page. A page elsewhere is not
 * the registry's answer. */
static int
next_page(const struct cv_get *g, struct cv_url *next, struct cv_err *e)
{
	char target[CV_MAX_URL + 1], where[CV_HOSTPORT];
	int rc = cv_header_next(target, sizeof(target),
				cv_span_str(cv_reply_text(&g->reply, CV_H_LINK)));

	if (rc == 0)
		return 0;
	cv_url_hostport(&g->url, where);
	if (rc < 0)
		return cv_fail(e, CV_R_UNREACHABLE, "%s: %s: Link is not understood", where,
			       g->what);
	if (cv_url_join(next, &g->url, target, e) != 0) {
		e->reason = CV_R_UNREACHABLE;
		return cv_fail_within(e, "%s: %s: Link", where, g->what);
	}
	if (!cv_url_same_origin(next, &g->url))
		return cv_fail(e, CV_R_UNREACHABLE, "%s: %s: Link leads to another origin, %s",
			       where, g->what, next->host);
	if (strcmp(next->text, g->url.text) == 0)
		return cv_fail(e, CV_R_UNREACHABLE, "%s: %s: a page that follows itself", where,
			       g->what);
	return 1;
}

/* one_page: 1 there is another at *url, 0 it was the last, 2 this registry does
 * not have the API. */
static int
one_page(struct cv_net *n, struct cv_get *g, struct list *l, bool first, struct cv_err *e)
{
	char where[CV_HOSTPORT];
	struct cv_url next;
	int rc;

	if (cv_get(n, g, e) != 0)
		return -1;
	if (first && (g->reply.status != 200 || !is_index(g)))
		return 2;
	if (g->reply.status != 200)
		return cv_get_refused(g, e);
	cv_url_hostport(&g->url, where);
	if (add_page(l, where, cv_buf_span(g->mem), e) != 0)
		return cv_fail_within(e, "%s: %s", where, g->what);
	rc = next_page(g, &next, e);
	if (rc == 1)
		g->url = next;
	return rc;
}

/* by_api: 0 all pages are in the list, 2 there is no such API, -1 failed. */
static int
by_api(struct cv_net *n, const struct cv_ask *q, struct list *l, const char *digest,
       struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf body = CV_BUF(CV_MAX_MANIFEST);
	char what[WHAT];
	struct cv_get g;
	unsigned page;
	int rc = 1;

	cv_text_fmt(what, WHAT, "referrers of %s", digest);
	g = cv_registry_get(q, CV_GET, what);
	g.accept = CV_MT_OCI_INDEX;
	g.out = -1;
	g.mem = &body;
	g.max = CV_MAX_MANIFEST;
	if (cv_registry_url(&g.url, q, "referrers", digest, e) != 0)
		return -1;
	for (page = 0; rc == 1 && page < CV_MAX_REFERRER_PAGES; page++)
		rc = one_page(n, &g, l, page == 0, e);
	cv_get_free(&g);
	if (rc == 1)
		return cv_fail(e, CV_R_LIMIT, "%s: more than %d pages", what,
			       CV_MAX_REFERRER_PAGES);
	return rc;
}

/* by_tag: 0 given, 1 there is no such tag, -1 failed. */
static int
by_tag(struct cv_net *n, const struct cv_ask *q, struct list *l, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf body = CV_BUF(CV_MAX_MANIFEST);
	char tag[CV_DIGEST_TAG], what[WHAT], where[CV_HOSTPORT];
	struct cv_get g;
	int rc;

	cv_text_fmt(what, WHAT, "manifest %s", cv_digest_tag(&q->digest, "", tag));
	g = cv_registry_get(q, CV_GET, what);
	g.accept = CV_MT_OCI_INDEX;
	g.out = -1;
	g.mem = &body;
	g.max = CV_MAX_MANIFEST;
	if (cv_registry_url(&g.url, q, "manifests", tag, e) != 0)
		return -1;
	cv_url_hostport(&g.url, where);
	rc = cv_get(n, &g, e);
	if (rc == 0 && cv_get_absent(&g))
		rc = 1;
	else if (rc == 0 && g.reply.status != 200)
		rc = cv_get_refused(&g, e);
	else if (rc == 0 && !is_index(&g))
		rc = cv_fail(e, CV_R_MALFORMED, "%s: %s is not an index", where, what);
	else if (rc == 0 && add_page(l, where, cv_buf_span(&body), e) != 0)
		rc = cv_fail_within(e, "%s: %s", where, what);
	cv_get_free(&g);
	return rc;
}

int
cv_registry_referrers(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
		      struct cv_err *e)
{
	cv_auto(list_free) struct list l = { .entries = json_array() };
	char digest[CV_DIGEST_TEXT];
	int rc;

	if (l.entries == NULL)
		return cv_fail_memory(e);
	*ret = (struct cv_answer){ .status = CV_S_ABSENT, .by = CV_REFERRERS_API };
	rc = by_api(n, q, &l, cv_digest_text(&q->digest, digest), e);
	if (rc == 2) {
		ret->by = CV_REFERRERS_TAG;
		rc = by_tag(n, q, &l, e);
	}
	if (rc != 0)
		return rc == 1 ? 0 : -1;
	return deliver(&l, q, ret, e);
}
