/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: see http.h. Must never send more than it was told to, nor weaken TLS. */
#include "fetch/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fetch/header.h"
#include "trust/base/clock.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define CLOCK_SLACK 20 /* ms: libcurl's clock and ours are read at two moments */

struct cv_http {
	CURL *curl; /* made by the first request; keeps connections for the next */
	struct cv_http_opts o;
};

/* One exchange under way. */
struct live {
	const struct cv_request *q;
	struct cv_reply *r;
	struct cv_err *e;
	CURL *curl;
	size_t header_bytes;
	bool proxied;
	bool stopped;  /* a callback set e */
	bool refused;  /* an address was not to be connected to */
	long verified; /* what OpenSSL said of the server's certificate, see explain_tls */
	struct curl_slist *fields;
	char detail[CURL_ERROR_SIZE];
};

static const struct {
	const char *name;
	bool list;
} fields[CV_H__COUNT] = {
	[CV_H_TYPE] = { "Content-Type", false },
	[CV_H_LENGTH] = { "Content-Length", false },
	[CV_H_RANGE] = { "Content-Range", false },
	[CV_H_ENCODING] = { "Content-Encoding", true },
	[CV_H_LOCATION] = { "Location", false },
	[CV_H_CHALLENGE] = { "WWW-Authenticate", true },
	[CV_H_RETRY] = { "Retry-After", false },
	[CV_H_DATE] = { "Date", false },
	[CV_H_DIGEST] = { "Docker-Content-Digest", false },
	[CV_H_LINK] = { "Link", true },
	[CV_H_ETAG] = { "ETag", false },
};

const char *
cv_reply_text(const struct cv_reply *r, enum cv_field f)
{
	return cv_buf_text(&r->field[f]);
}

void
cv_reply_free(struct cv_reply *r)
{
	size_t i;

	for (i = 0; i < CV_H__COUNT; i++)
		cv_buf_free(&r->field[i]);
	*r = (struct cv_reply){ 0 };
}

static void
reply_start(struct cv_reply *r)
{
	size_t i;

	cv_reply_free(r);
	for (i = 0; i < CV_H__COUNT; i++)
		r->field[i] = CV_BUF(CV_MAX_HTTP_FIELD);
}

int
cv_http_open(struct cv_http **ret, const struct cv_http_opts *opts, struct cv_err *e)
{
	struct cv_http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return cv_fail_memory(e);
	h->o = *opts;
	*ret = h;
	return 0;
}

void
cv_http_close(struct cv_http **h)
{
	if (*h == NULL)
		return;
	curl_easy_cleanup((*h)->curl);
	free(*h);
	*h = NULL;
}

/* ---- what libcurl calls ---- */

static size_t
stop(struct live *l)
{
	l->stopped = true;
	return 0; /* fewer bytes than offered: libcurl ends the transfer */
}

static int
keep_field(struct live *l, struct cv_span line)
{
	struct cv_span name = cv_header_token(&line), value;
	struct cv_buf *b;
	size_t i;

	if (name.n == 0 || line.n == 0 || line.p[0] != ':')
		return 0;
	value = cv_header_trim(cv_span(line.p + 1, line.n - 1));
	for (i = 0; i < CV_H__COUNT && !cv_header_is(name, fields[i].name); i++)
		;
	if (i == CV_H__COUNT)
		return 0;
	b = &l->r->field[i];
	if (memchr(value.p, '\0', value.n) != NULL)
		return cv_fail(l->e, CV_R_UNREACHABLE, "a NUL byte in the field %s",
			       fields[i].name);
	if (b->n > 0 && !fields[i].list && !cv_span_eq(cv_buf_span(b), value))
		return cv_fail(l->e, CV_R_UNREACHABLE, "two different fields %s", fields[i].name);
	if (b->n > 0 && !fields[i].list)
		return 0;
	if (b->n > 0)
		cv_buf_str(b, ", ");
	cv_buf_add(b, value.p, value.n);
	if (b->failed == CV_R_LIMIT)
		return cv_fail(l->e, CV_R_UNREACHABLE, "field %s longer than %llu bytes",
			       fields[i].name, CV_MAX_HTTP_FIELD);
	return cv_buf_ok(b, "header field", l->e);
}

/* end_of_header: the empty line. Interim answers are followed by another. */
static int
end_of_header(struct live *l)
{
	curl_easy_getinfo(l->curl, CURLINFO_RESPONSE_CODE, &l->r->status);
	if (l->r->status < 200)
		return 0;
	l->r->final = true;
	return l->q->head == NULL ? 0 : l->q->head(l->q->ctx, l->r, l->e);
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct live *l = ctx;
	struct cv_span line = cv_span(p, size * n);
	int rc = 0;

	l->header_bytes += line.n;
	if (l->header_bytes > CV_MAX_HTTP_HEADER) {
		cv_fail(l->e, CV_R_UNREACHABLE, "more than %llu bytes of header",
			CV_MAX_HTTP_HEADER);
		return stop(l);
	}
	if (l->r->final) /* trailers after the body say nothing that counts */
		return size * n;
	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (cv_span_has_prefix(line, "HTTP/"))
		reply_start(l->r);
	else if (line.n == 0)
		rc = end_of_header(l);
	else
		rc = keep_field(l, line);
	return rc == 0 ? size * n : stop(l);
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct live *l = ctx;

	if (!l->r->final) {
		cv_fail(l->e, CV_R_UNREACHABLE, "a body without a header");
		return stop(l);
	}
	if (l->q->body != NULL && l->q->body(l->q->ctx, p, size * n, l->e) != 0)
		return stop(l);
	return size * n;
}

/* on_socket: the address is known here and not before, whatever name led to it
 * (a proxy's address is not the server's, and is the user's own choice). */
static curl_socket_t
on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct live *l = ctx;
	enum cv_reach reach = cv_reach_addr(&a->addr);

	(void)purpose;
	if (l->q->guarded && !l->proxied && reach != CV_REACH_OTHER && reach != l->q->home) {
		l->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- setting up ---- */

static int
add_field(struct live *l, const char *name, const char *value)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(64 * CV_KIB);
	struct curl_slist *more;

	if (value == NULL)
		return 0;
	cv_buf_fmt(&b, "%s: %s", name, value);
	if (cv_buf_ok(&b, "request header", l->e) != 0)
		return -1;
	more = curl_slist_append(l->fields, cv_buf_text(&b));
	explicit_bzero(b.p, b.n); /* it may hold a secret */
	if (more == NULL)
		return cv_fail_memory(l->e);
	l->fields = more;
	return 0;
}

static void
fields_free(struct curl_slist **list)
{
	struct curl_slist *f;

	for (f = *list; f != NULL; f = f->next)
		explicit_bzero(f->data, strlen(f->data));
	curl_slist_free_all(*list);
	*list = NULL;
}

static int
set_fields(struct live *l)
{
	if (add_field(l, "Accept", l->q->accept != NULL ? l->q->accept : "*/*") != 0 ||
	    add_field(l, "Accept-Encoding", "identity") != 0 ||
	    add_field(l, "Authorization", l->q->authorization) != 0 ||
	    add_field(l, "Range", l->q->range) != 0 ||
	    add_field(l, "If-Range", l->q->if_range) != 0)
		return -1;
	curl_easy_setopt(l->curl, CURLOPT_HTTPHEADER, l->fields);
	return 0;
}

static void
set_limits(const struct cv_http *h, const struct live *l)
{
	int left = cv_mono_left(l->q->deadline);
	long connect = h->o.connect_ms;

	if (left >= 0) {
		curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, (long)left);
		connect = left < connect ? left : connect;
	}
	curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS, connect);
	curl_easy_setopt(h->curl, CURLOPT_LOW_SPEED_TIME, (long)h->o.stall_s);
	curl_easy_setopt(h->curl, CURLOPT_LOW_SPEED_LIMIT, (long)h->o.stall_bytes);
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
}

static struct curl_blob
blob_of(struct cv_span s)
{
	struct curl_blob b = { .len = s.n, .flags = CURL_BLOB_NOCOPY };

	/* libcurl only reads it; the field is not const in its interface */
	memcpy(&b.data, &s.p, sizeof(b.data));
	return b;
}

/* set_tls: what it points to outlives the exchange; libcurl keeps the small structs
 * themselves as copies. A connection is used again for equal authorities and an equal
 * certificate only: libcurl compares them. */
static void
set_tls(const struct cv_http *h, const struct cv_request *q)
{
	struct curl_blob ca = blob_of(q->ca.n > 0 ? q->ca : h->o.ca);
	struct curl_blob client = blob_of(q->client);

	curl_easy_setopt(h->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	/* these alone, and not what libcurl was built to trust */
	curl_easy_setopt(h->curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(h->curl, CURLOPT_CAINFO_BLOB, &ca);
	if (q->client.n == 0)
		return;
	curl_easy_setopt(h->curl, CURLOPT_SSLCERTTYPE, "PEM");
	curl_easy_setopt(h->curl, CURLOPT_SSLKEYTYPE, "PEM");
	curl_easy_setopt(h->curl, CURLOPT_SSLCERT_BLOB, &client);
	curl_easy_setopt(h->curl, CURLOPT_SSLKEY_BLOB, &client);
}

static void
set_request(const struct cv_http *h, const struct cv_request *q)
{
	CURL *c = h->curl;

	curl_easy_setopt(c, CURLOPT_URL, q->url->text);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, q->url->https ? "https" : "http");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "clawverify/" CV_VERSION);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 128L * 1024);
	if (cv_reach_host(q->url->host) == CV_REACH_LOOPBACK)
		curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	if (q->method == CV_HEAD)
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	if (q->method == CV_POST) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->form);
	}
}

static void
set_callbacks(struct live *l)
{
	curl_easy_setopt(l->curl, CURLOPT_ERRORBUFFER, l->detail);
	curl_easy_setopt(l->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(l->curl, CURLOPT_HEADERDATA, l);
	curl_easy_setopt(l->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(l->curl, CURLOPT_WRITEDATA, l);
	curl_easy_setopt(l->curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(l->curl, CURLOPT_OPENSOCKETDATA, l);
}

/* ---- what came of it ---- */

static bool
worth_another_try(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return true;
	default:
		return false;
	}
}

/* What OpenSSL found wrong with a certificate: X509_V_ERR_* of x509_vfy.h, numbers
 * that never change and that libcurl hands on (CURLINFO_SSL_VERIFYRESULT). */
enum {
	NO_ISSUER = 2,
	NOT_YET_VALID = 9,
	EXPIRED = 10,
	SELF_SIGNED = 18,
	SELF_SIGNED_ROOT = 19,
	NO_LOCAL_ISSUER = 20,
	NO_FIRST_SIGNATURE = 21,
};

/* explain_tls: false: it was not TLS. Nothing of it gets better by asking again. */
static bool
explain_tls(const struct live *l, CURLcode code, const char *said)
{
	char where[CV_HOSTPORT];

	cv_url_hostport(l->q->url, where);
	if (code == CURLE_SSL_CERTPROBLEM)
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "TLS: our certificate or key for this server cannot be used: %s",
			       said) != 0;
	if (strstr(said, "alert certificate required") != NULL ||
	    (l->q->client.n == 0 && strstr(said, "alert handshake failure") != NULL))
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "TLS: the server wants a client certificate; it goes into "
			       "certs.d/%s/client.cert and client.key (%s)",
			       where, said) != 0;
	if (strstr(said, "protocol version") != NULL ||
	    strstr(said, "unsupported protocol") != NULL)
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "TLS: the server has nothing that is accepted, want TLS 1.2 or "
			       "later (%s)",
			       said) != 0;
	if (code != CURLE_PEER_FAILED_VERIFICATION)
		return false;
	switch (l->verified) {
	case EXPIRED:
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "TLS: the server's certificate has expired, or the clock here is "
			       "wrong") != 0;
	case NOT_YET_VALID:
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "TLS: the server's certificate is not valid yet, or the clock here "
			       "is wrong") != 0;
	case NO_ISSUER:
	case SELF_SIGNED:
	case SELF_SIGNED_ROOT:
	case NO_LOCAL_ISSUER:
	case NO_FIRST_SIGNATURE:
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "TLS: the server's certificate comes from nobody who is trusted "
			       "here; a private registry's authority goes into "
			       "certs.d/%s/ca.crt (%s)",
			       where, said) != 0;
	default:
		return cv_fail(l->e, CV_R_UNREACHABLE, "TLS: %s", said) != 0;
	}
}

/* explain: libcurl's code as a reason. An answer that broke off in its body was
 * cut off; one that broke off before was none. */
static int
explain(const struct live *l, CURLcode code, bool *again)
{
	const char *said = l->detail[0] != '\0' ? l->detail : curl_easy_strerror(code);
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(4 * CV_KIB);

	if (code == CURLE_OUT_OF_MEMORY)
		return cv_fail_memory(l->e);
	if (l->refused)
		return cv_fail(l->e, CV_R_UNREACHABLE,
			       "led to a loopback or link-local address, which is refused");
	if (code == CURLE_OPERATION_TIMEDOUT && l->q->deadline != 0 &&
	    cv_mono_left(l->q->deadline) <= CLOCK_SLACK)
		return cv_fail(l->e, CV_R_DEADLINE, "not done in the time that was given");
	cv_text_safe(&text, cv_span_str(said), CV_TEXT_FIELD);
	if (!l->r->final && l->q->url->https && explain_tls(l, code, cv_buf_text(&text)))
		return -1;
	*again = worth_another_try(code);
	cv_fail(l->e, CV_R_UNREACHABLE, "%s", cv_buf_text(&text));
	if (l->r->final && *again) {
		l->e->reason = CV_R_CUTOFF;
		cv_fail_within(l->e, "the answer broke off");
	}
	return -1;
}

static void
note_address(struct live *l)
{
	char *ip = NULL, host[64];

	if (curl_easy_getinfo(l->curl, CURLINFO_PRIMARY_IP, &ip) != CURLE_OK || ip == NULL ||
	    l->proxied)
		l->r->reach = cv_reach_host(l->q->url->host);
	else {
		(void)snprintf(host, sizeof(host), strchr(ip, ':') != NULL ? "[%s]" : "%s", ip);
		l->r->reach = cv_reach_host(host);
	}
}

static int
no_authorities(const struct cv_http *h, struct cv_err *e)
{
	if (h->o.ca_err.reason != CV_R_NONE)
		return cv_fail(e, CV_R_UNREACHABLE, "%s", h->o.ca_err.text);
	return cv_fail(e, CV_R_UNREACHABLE,
		       "no certificate authorities: none of the usual files is there, and "
		       "SSL_CERT_FILE is not set");
}

int
cv_http_do(struct cv_http *h, const struct cv_request *q, struct cv_reply *r, bool *again,
	   struct cv_err *e)
{
	struct live l = { .q = q, .r = r, .e = e, .proxied = h->o.proxied };
	CURLcode code;

	*again = false;
	reply_start(r);
	if (h->curl == NULL && (h->curl = curl_easy_init()) == NULL)
		return cv_fail_memory(e);
	l.curl = h->curl;
	if (cv_mono_left(q->deadline) == 0)
		return cv_fail(e, CV_R_DEADLINE, "not done in the time that was given");
	if (q->url->https && h->o.ca.n == 0 && q->ca.n == 0)
		return no_authorities(h, e);
	curl_easy_reset(h->curl);
	set_request(h, q);
	set_limits(h, &l);
	set_tls(h, q);
	set_callbacks(&l);
	if (set_fields(&l) != 0) {
		fields_free(&l.fields);
		return -1;
	}
	code = curl_easy_perform(h->curl);
	if (code == CURLE_OK)
		note_address(&l);
	else
		curl_easy_getinfo(h->curl, CURLINFO_SSL_VERIFYRESULT, &l.verified);
	curl_easy_reset(h->curl); /* it must not keep pointers to what ends here */
	fields_free(&l.fields);
	if (l.stopped)
		return -1;
	if (code != CURLE_OK)
		return explain(&l, code, again);
	return r->final ? 0 : cv_fail(e, CV_R_UNREACHABLE, "no answer in HTTP");
}
