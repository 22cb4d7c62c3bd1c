/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: see tls.h. Must never show one host what belongs to another. */
#include "fetch/tls.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

struct cv_tls_host {
	struct cv_tls_host *next;
	char name[CV_HOSTPORT];
	struct cv_buf ca; /* with the system's; empty: the system's alone */
	struct cv_buf client;
};

void
cv_tls_close(struct cv_tls_host **list)
{
	struct cv_tls_host *h;

	while ((h = *list) != NULL) {
		*list = h->next;
		if (h->client.p != NULL)
			explicit_bzero(h->client.p, h->client.cap);
		cv_buf_free(&h->client);
		cv_buf_free(&h->ca);
		free(h);
	}
}

/* host_new: asks for its authorities, and puts the system's behind them. */
static struct cv_tls_host *
host_new(struct cv_net *n, const char *name, struct cv_err *e)
{
	struct cv_tls_host *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL) {
		cv_fail_memory(e);
		return NULL;
	}
	cv_text_fmt(h->name, sizeof(h->name), "%s", name);
	h->ca = CV_BUF(2 * CV_MAX_CA_BYTES);
	h->client = CV_BUF(CV_MAX_CA_BYTES);
	rc = n->o.pem(n->o.ctx, CV_N_CA, name, &h->ca, e);
	if (rc == 0 && h->ca.n > 0) {
		cv_buf_byte(&h->ca, '\n');
		cv_buf_add(&h->ca, n->o.http.ca.p, n->o.http.ca.n);
	}
	if (rc != 0 || cv_buf_ok(&h->ca, "certificate authorities", e) != 0) {
		cv_tls_close(&h);
		return NULL;
	}
	h->next = n->tls;
	n->tls = h;
	return h;
}

int
cv_tls_of(struct cv_net *n, const struct cv_url *at, struct cv_request *q, struct cv_err *e)
{
	struct cv_tls_host *h = n->tls;
	char name[CV_HOSTPORT];

	if (!at->https || n->o.pem == NULL)
		return 0;
	if (at->port == 443)
		cv_text_fmt(name, sizeof(name), "%s", at->host);
	else
		cv_url_hostport(at, name);
	while (h != NULL && strcmp(h->name, name) != 0)
		h = h->next;
	if (h == NULL && (h = host_new(n, name, e)) == NULL)
		return -1;
	/* asked for again as long as there is none: whether a host is the one that a
	 * task is about changes from task to task */
	if (h->client.n == 0 && (n->o.pem(n->o.ctx, CV_N_CLIENT, name, &h->client, e) != 0 ||
				 cv_buf_ok(&h->client, "client certificate", e) != 0))
		return -1;
	q->ca = cv_buf_span(&h->ca);
	q->client = cv_buf_span(&h->client);
	return 0;
}
