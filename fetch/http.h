/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: one request and its answer, over libcurl. No redirect is followed, no
 * answer to a challenge given, nothing tried again: that is net.h.
 *
 * TLS 1.2 or later with the certificate and the host always checked, our own
 * certificate where there is one and the server asks for it, HTTP/1.1,
 * no compression, no cookies, no netrc, no HTTP/0.9. Proxies are those of the
 * environment (https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY, as libcurl reads
 * them); never for a loopback host, whose bytes must not leave the machine.
 */
#ifndef CV_FETCH_HTTP_H
#define CV_FETCH_HTTP_H

#include "fetch/url.h"
#include "trust/base/buf.h"

struct cv_http;

struct cv_http_opts {
	struct cv_span ca;    /* PEM; borrowed. Empty: https cannot be spoken, ... */
	struct cv_err ca_err; /* ... for this reason, if there is one */
	bool proxied;         /* the environment names a proxy */
	int connect_ms;       /* for name, TCP and TLS together */
	int stall_s;          /* give up when it is slower than stall_bytes/s for so long */
	int stall_bytes;
};

enum cv_field {
	CV_H_TYPE,
	CV_H_LENGTH,
	CV_H_RANGE,
	CV_H_ENCODING,
	CV_H_LOCATION,
	CV_H_CHALLENGE,
	CV_H_RETRY,
	CV_H_DATE,
	CV_H_DIGEST,
	CV_H_LINK,
	CV_H_ETAG,
	CV_H__COUNT
};

/* The header of the final answer: fields that are lists are joined by commas.
 * All zero before its first use; freed by cv_reply_free. */
struct cv_reply {
	long status;
	struct cv_buf field[CV_H__COUNT];
	bool final;          /* a header was complete, and no interim (1xx) one */
	enum cv_reach reach; /* of the address that answered */
};

/* cv_reply_text: a field's value; "" if it is missing. */
const char *cv_reply_text(const struct cv_reply *r, enum cv_field f);
void cv_reply_free(struct cv_reply *r);

enum cv_method { CV_GET, CV_HEAD, CV_POST };

struct cv_request {
	enum cv_method method;
	const struct cv_url *url;
	const char *accept;        /* or NULL */
	const char *authorization; /* the whole value, or NULL */
	const char *form;          /* CV_POST: an encoded form */
	const char *range;         /* "bytes=N-", or NULL */
	const char *if_range;      /* or NULL */
	bool guarded;              /* connect only to CV_REACH_OTHER and to `home` (url.h) */
	enum cv_reach home;
	struct cv_span ca;     /* PEM, instead of the handle's; empty: the handle's */
	struct cv_span client; /* PEM, our certificate and key; empty: none */
	int64_t deadline;      /* cv_mono_ms scale, 0 none */
	/* head: called once, before any body. body: called for each piece. -1 with
	 * e set ends the exchange with that error. */
	int (*head)(void *ctx, const struct cv_reply *r, struct cv_err *e);
	int (*body)(void *ctx, const void *p, size_t n, struct cv_err *e);
	void *ctx;
};

int cv_http_open(struct cv_http **ret, const struct cv_http_opts *opts, struct cv_err *e) cv_must;
void cv_http_close(struct cv_http **h);

/* cv_http_do: 0 when the answer came whole. -1: *again says whether another try
 * may do better. CV_R_CUTOFF when it ended before its end, CV_R_DEADLINE,
 * CV_R_UNREACHABLE for all else that goes wrong between us and the server. */
int cv_http_do(struct cv_http *h, const struct cv_request *q, struct cv_reply *r, bool *again,
	       struct cv_err *e) cv_must;

#endif
