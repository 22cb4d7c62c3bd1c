/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h: the questions of OCI distribution-spec 1.1 to a registry, and one
 * to any https server. Answers are hints and bytes: what they are worth is
 * found out by verify, which hashes them.
 */
#ifndef CV_FETCH_REGISTRY_H
#define CV_FETCH_REGISTRY_H

#include "fetch/net.h"
#include "trust/base/oci.h"
#include "trust/base/proto.h"

/* A question; what is not needed is zero. */
struct cv_ask {
	struct cv_repo repo;
	bool plain;              /* speak plain http to this registry */
	bool not_last;           /* a mirror: see cv_get */
	const char *ref;         /* manifest, resolve: a tag or a digest */
	struct cv_digest digest; /* blob, referrers */
	const char *url;         /* url */
	uint64_t max;            /* bytes that are accepted */
	int64_t deadline;
	int out; /* where bytes go; resolve: -1 */
};

enum cv_referrers_by { CV_REFERRERS_API = 1, CV_REFERRERS_TAG = 2 };

struct cv_answer {
	enum cv_status status; /* CV_S_GIVEN or CV_S_ABSENT */
	char media[CV_MEDIA_MAX + 1];
	struct cv_digest digest; /* Docker-Content-Digest, or alg 0 */
	uint64_t size;
	enum cv_referrers_by by; /* referrers */
};

/* All: 0 with *ret, or -1 as cv_get() fails, or CV_R_UNREACHABLE for a status
 * that is neither 200 nor "not found". */

/* cv_registry_manifest: GET by tag or digest. */
int cv_registry_manifest(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
			 struct cv_err *e) cv_must;

/* cv_registry_resolve: what a tag names now: HEAD; where the registry does not
 * do that or does not say the digest, GET and hash. */
int cv_registry_resolve(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
			struct cv_err *e) cv_must;

int cv_registry_blob(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
		     struct cv_err *e) cv_must;

/* cv_registry_referrers: one index of what refers to the digest, all pages
 * joined, an entry that occurs on several once. By the referrers API; where the
 * registry does not have it (404, another 4xx but 401, 403, 408 and 429, 501, or
 * an answer that is no index) by the fallback tag ("Referrers Tag Schema").
 * CV_S_ABSENT only if that tag does not exist; an empty list is given as an
 * index without entries. CV_R_MALFORMED for a page or tag that is no index,
 * CV_R_LIMIT for more than CV_MAX_REFERRERS or CV_MAX_REFERRER_PAGES. */
int cv_registry_referrers(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
			  struct cv_err *e) cv_must;

int cv_fetch_url(struct cv_net *n, const struct cv_ask *q, struct cv_answer *ret,
		 struct cv_err *e) cv_must;

/* ---- for referrers.c ---- */

/* cv_registry_url: "/v2/PATH/KIND/LEAF" at the registry's API. */
int cv_registry_url(struct cv_url *ret, const struct cv_ask *q, const char *kind, const char *leaf,
		    struct cv_err *e) cv_must;

/* cv_registry_get: the part of a cv_get that all questions share. */
struct cv_get cv_registry_get(const struct cv_ask *q, enum cv_method method, const char *what);

/* cv_registry_answer: media type, digest and size out of a finished cv_get. */
void cv_registry_answer(const struct cv_get *g, struct cv_answer *ret);

#endif
