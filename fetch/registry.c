/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c: see registry.h. Must never take "could not look" for "there is none". */
#include "fetch/registry.h"

#include <string.h>

#include "fetch/header.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define WHAT 256

/* Without this list some registries answer 404 for what they have. Schema 1 is
 * not in it: it cannot be identified by its bytes. */
static const char *const accept_manifests =
	CV_MT_OCI_INDEX ", " CV_MT_OCI_MANIFEST ", " CV_MT_DOCKER_LIST ", " CV_MT_DOCKER_MANIFEST;

/* api_host: where a registry of that name answers. One has another host for
 * its API than the name by which it is known. */
static const char *
api_host(const struct cv_repo *repo)
{
	return strcmp(repo->host, "docker.io") == 0 ? "registry-1.docker.io" : repo->host;
}

int
cv_registry_url(struct cv_url *ret, const struct cv_ask *q, const char *kind, const char *leaf,
		struct cv_err *e)
{
	char text[4 * CV_NAME_MAX];

	/* path, tag and digest came through their parsers: nothing to escape */
	cv_text_fmt(text, sizeof(text), "%s://%s/v2/%s/%s/%s", q->plain ? "http" : "https",
		    api_host(&q->repo), q->repo.path, kind, leaf);
	return cv_url_parse(ret, text, e);
}

struct cv_get
cv_registry_get(const struct cv_ask *q, enum cv_method method, const char *what)
{
	return (struct cv_get){ .method = method,
				.what = what,
				.repo = &q->repo,
				.plain = q->plain,
				.not_last = q->not_last,
				.redirects = CV_MAX_REDIRECTS,
				.max = q->max,
				.deadline = q->deadline,
				.out = q->out };
}

void
cv_registry_answer(const struct cv_get *g, struct cv_answer *ret)
{
	const char *digest = cv_reply_text(&g->reply, CV_H_DIGEST);

	*ret = (struct cv_answer){ .status = cv_get_absent(g) ? CV_S_ABSENT : CV_S_GIVEN };
	if (ret->status == CV_S_ABSENT)
		return;
	cv_header_media(ret->media, cv_span_str(cv_reply_text(&g->reply, CV_H_TYPE)));
	if (cv_digest_parse(&ret->digest, cv_span_str(digest), NULL) != 0)
		ret->digest = (struct cv_digest){ 0 };
	ret->size = g->size;
	if (g->method == CV_HEAD &&
	    cv_u64_parse(&ret->size, cv_span_str(cv_reply_text(&g->reply, CV_H_LENGTH)), INT64_MAX,
			 NULL) != 0)
		ret->size = 0;
}

/* finish: run it, and make an answer of 200 and 404. */
static int
finish(struct cv_net *n, struct cv_get *g, struct cv_answer *ret, struct cv_err *e)
{
	int rc = cv_get(n, g, e);

	if (rc == 0 && g->reply.status != 200 && !cv_get_absent(g))
		rc = cv_get_refused(g, e);
	if (rc == 0)
		cv_registry_answer(g, ret);
	cv_get_free(g);
	return rc;
}

static int
ref_ok(const char *ref, struct cv_err *e)
{
	struct cv_digest d;
	char brief[CV_TEXT_BRIEF];

	if (strchr(ref, ':') != NULL)
		return cv_digest_parse(&d, cv_span_str(ref), e);
	if (cv_tag_valid(cv_span_str(ref)))
		return 0;
	return cv_fail(e, CV_R_MALFORMED, "\"%s\" is neither a tag nor a digest",
		       cv_text_brief(brief, cv_span_str(ref)));
}

static int
start_manifest(struct cv_get *g, const struct cv_ask *q, enum cv_method method, char what[WHAT],
	       struct cv_err *e)
{
	cv_text_fmt(what, WHAT, "manifest %s", q->ref);
	*g = cv_registry_get(q, method, what);
	g->accept = accept_manifests;
	if (ref_ok(q->ref, e) != 0)
		return -1;
	return cv_registry_url(&g->url, q, "manifests", q->ref, e);
}

int
cv_registry_manifest(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
		     struct cv_err *e)
{
	char what[WHAT];
	struct cv_get g;

	if (start_manifest(&g, q, CV_GET, what, e) != 0)
		return -1;
	return finish(n, &g, ret, e);
}

/* resolve_by_get: for registries without HEAD or without the digest in it. */
static int
resolve_by_get(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf body = CV_BUF(CV_MAX_MANIFEST);
	char what[WHAT];
	struct cv_get g;

	if (start_manifest(&g, q, CV_GET, what, e) != 0)
		return -1;
	g.out = -1;
	g.mem = &body;
	g.max = q->max < CV_MAX_MANIFEST ? q->max : CV_MAX_MANIFEST;
	if (finish(n, &g, ret, e) != 0 || ret->status == CV_S_ABSENT)
		return ret->status == CV_S_ABSENT ? 0 : -1;
	return cv_digest_of(&ret->digest, CV_SHA256, cv_buf_span(&body), e);
}

int
cv_registry_resolve(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
		    struct cv_err *e)
{
	char what[WHAT];
	struct cv_get g;
	long status;
	int rc;

	if (start_manifest(&g, q, CV_HEAD, what, e) != 0)
		return -1;
	rc = cv_get(n, &g, e);
	status = g.reply.status;
	if (rc == 0)
		cv_registry_answer(&g, ret);
	cv_get_free(&g);
	if (rc != 0 || status == 404 || status == 410)
		return rc;
	if (status == 200 && ret->digest.alg != CV_ALG_NONE)
		return 0;
	return resolve_by_get(n, q, ret, e);
}

int
cv_registry_blob(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret, struct cv_err *e)
{
	char what[WHAT], digest[CV_DIGEST_TEXT];
	struct cv_get g;

	cv_text_fmt(what, WHAT, "blob %s", cv_digest_text(&q->digest, digest));
	g = cv_registry_get(q, CV_GET, what);
	if (cv_registry_url(&g.url, q, "blobs", digest, e) != 0)
		return -1;
	return finish(n, &g, ret, e);
}

int
cv_fetch_url(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret, struct cv_err *e)
{
	struct cv_get g = cv_registry_get(q, CV_GET, "");
	char brief[CV_TEXT_BRIEF];

	g.repo = NULL;
	g.plain = false;
	if (cv_url_parse(&g.url, q->url, e) != 0)
		return -1;
	g.what = cv_text_brief(brief, cv_span_str(g.url.text));
	if (!g.url.https && cv_reach_host(g.url.host) != CV_REACH_LOOPBACK)
		return cv_fail(e, CV_R_UNREACHABLE,
			       "URL \"%s\": plain http is for loopback only, want https", g.what);
	return finish(n, &g, ret, e);
}
