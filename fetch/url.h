/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.h: http and https URLs (RFC 3986), and where they may lead.
 *
 * libcurl's own parser reads them and its normalised text is what is requested,
 * so that what was checked and what is connected to cannot differ. Refused on
 * top of it: user information, zone identifiers, a host that ends in a dot,
 * control characters, spaces, backslashes, bytes above 0x7e. A fragment is
 * dropped.
 */
#ifndef CV_FETCH_URL_H
#define CV_FETCH_URL_H

#include "trust/base/err.h"
#include "trust/base/limits.h"
#include "trust/base/span.h"

#include <sys/socket.h>

#define CV_HOST_MAX 255
#define CV_HOSTPORT (CV_HOST_MAX + 8)

struct cv_url {
	bool https;
	char host[CV_HOST_MAX + 1]; /* lower case; an IPv6 address in brackets */
	unsigned port;              /* never 0: the scheme's own if none was written */
	char text[CV_MAX_URL + 1];
};

/* cv_url_parse: an absolute URL. cv_url_join: `ref` as it stands in a document
 * that came from `base` (RFC 3986 section 5). CV_R_MALFORMED. */
int cv_url_parse(struct cv_url *ret, const char *text, struct cv_err *e) cv_must;
int cv_url_join(struct cv_url *ret, const struct cv_url *base, const char *ref,
		struct cv_err *e) cv_must;

/* cv_url_same_origin: scheme, host and port are equal (RFC 6454): the only
 * place that a secret meant for one may be sent to. */
bool cv_url_same_origin(const struct cv_url *a, const struct cv_url *b);

/* cv_url_hostport: "host:port", as messages name it; returns out. */
const char *cv_url_hostport(const struct cv_url *u, char out[CV_HOSTPORT]);

/* What an address reaches. An answer from elsewhere must not lead a client to
 * services of its own machine, nor to those that clouds put on the link and
 * that hand out the machine's identity (169.254.169.254 and its like). Private
 * networks are ordinary: registries and their object stores live there. */
enum cv_reach {
	CV_REACH_OTHER = 0,
	CV_REACH_LOOPBACK, /* 127/8, ::1, unspecified, localhost, *.localhost */
	CV_REACH_LINK,     /* 169.254/16, fe80::/10, metadata addresses elsewhere */
};

/* cv_reach_host: by the text of a host; a name that is not an address nor
 * localhost is CV_REACH_OTHER, whatever it may resolve to. */
enum cv_reach cv_reach_host(const char *host);
enum cv_reach cv_reach_addr(const struct sockaddr *sa);

#endif
