/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h: what verify knows of a server's authorities and of our certificate there,
 * asked for once a host. Authorities of a host are trusted for it besides the
 * system's (ca.h), and for no other; a client certificate is given out by verify for
 * the registry that the task is about, and shown to no other server.
 */
#ifndef CV_FETCH_TLS_H
#define CV_FETCH_TLS_H

#include "fetch/net.h"

/* cv_tls_of: fill q->ca and q->client for a request to `at`; nothing for plain http.
 * What they point to lives as long as n. */
int cv_tls_of(struct cv_net *n, const struct cv_url *at, struct cv_request *q,
	      struct cv_err *e) cv_must;
void cv_tls_close(struct cv_tls_host **h);

#endif
