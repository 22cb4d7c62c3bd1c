/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h: one question to the network, asked until it is answered or cannot be:
 * redirects, challenges, further tries, resumed transfers, limits.
 *
 * Redirects (at most CV_MAX_REDIRECTS, RFC 9110 15.4) are followed here and not
 * by libcurl. Refused: from https to http; plain http to anywhere but loopback
 * or the host that was named as plain; to a loopback or link-local address
 * (url.h) unless the question began at such a one. Authorization goes to the
 * origin that it was made for and nowhere else.
 *
 * Tries: at most CV_MAX_TRIES in a row without progress, with a pause that
 * doubles, or as long as Retry-After says, at most CV_MAX_RETRY_WAIT and never
 * past the deadline: rather than wait for what cannot come in time, it gives up
 * with the reason of the last try.
 *
 * The body goes to a stream whose reader sees each byte once. After a cut-off
 * the rest is asked for by Range (with If-Range where there is a strong ETag)
 * and Content-Range must continue at exactly that byte; a server that sends all
 * again has the known part skipped, if ETag and length are what they were.
 */
#ifndef CV_FETCH_NET_H
#define CV_FETCH_NET_H

#include "fetch/http.h"
#include "trust/base/proto.h"
#include "trust/base/ref.h"

struct cv_auth;
struct cv_tls_host;

/* Credentials for a registry, as verify gave them. */
struct cv_login {
	unsigned kind; /* enum cv_cred of proto.h; 0: not asked yet */
	char *user;
	char *secret;
};

struct cv_net_opts {
	struct cv_http_opts http;
	int pause_ms; /* before the second try */
	/* login: credentials for "host[:port]"; strings are malloc'd for the caller */
	int (*login)(void *ctx, const char *host, struct cv_login *ret, struct cv_err *e);
	/* pem: append what `what` (CV_N_CA, CV_N_CLIENT) says of "host[:port]"; nothing
	 * if there is none. NULL: there never is. */
	int (*pem)(void *ctx, enum cv_need what, const char *host, struct cv_buf *out,
		   struct cv_err *e);
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* or NULL; total 0 unknown */
	void *ctx;
};

/* What stays from one task to the next: connections, tokens, credentials. */
struct cv_net {
	struct cv_net_opts o;
	struct cv_http *http;
	struct cv_auth *auth;
	struct cv_tls_host *tls; /* tls.h */
};

int cv_net_open(struct cv_net **ret, const struct cv_net_opts *opts, struct cv_err *e) cv_must;
void cv_net_close(struct cv_net **n);

struct cv_get {
	/* the question */
	enum cv_method method;
	const char *what; /* "manifest v1", for messages */
	struct cv_url url;
	const struct cv_repo *repo; /* whose token may be used; NULL: none is */
	bool plain;                 /* url's host may be spoken to over plain http */
	bool not_last;              /* somebody else is asked next: no try after one
				       that brought nothing */
	const char *accept;         /* or NULL */
	const char *authorization;  /* instead of a token of repo; or NULL */
	const char *form;           /* CV_POST */
	unsigned redirects;         /* how many are followed */
	bool guarded;               /* guard the first hop too, see cv_request */
	enum cv_reach home;         /* guarded: what it began at */
	uint64_t max;               /* bytes of body */
	int64_t deadline;
	int out;            /* the body's bytes are written here, -1: into mem */
	struct cv_buf *mem; /* its own maximum is at least max */

	/* the answer; freed by cv_get_free */
	struct cv_reply reply;
	uint64_t size; /* bytes delivered */
};

/* cv_get: 0 when the server answered: reply.status is 200, or 404 or 410 (it
 * has none), or another 4xx or 501 (it does not do that), which are no errors
 * here. -1: CV_R_DENIED for 401 and 403; CV_R_THROTTLED for 429, and 503 with
 * Retry-After; CV_R_LIMIT; CV_R_CUTOFF; CV_R_DEADLINE; CV_R_UNREACHABLE. Text:
 * "HOST:PORT: GET what: found, N tries". */
int cv_get(struct cv_net *n, struct cv_get *g, struct cv_err *e) cv_must;
void cv_get_free(struct cv_get *g);

/* cv_get_absent: the answer says that there is none. cv_get_refused: fail for
 * a status that is neither that nor 200. */
bool cv_get_absent(const struct cv_get *g);
int cv_get_refused(const struct cv_get *g, struct cv_err *e);

#endif
