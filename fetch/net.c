/* SPDX-License-Identifier: Apache-2.0 */
/* net.c: see net.h. Must never deliver a byte twice or out of its place, nor
 * take a secret to another origin. */
#include "fetch/net.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "fetch/auth.h"
#include "fetch/header.h"
#include "fetch/tls.h"
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define NEW_START   (1 * CV_MIB)  /* progress that makes a failed try not count */
#define ERROR_BODY  (64 * CV_KIB) /* of an answer that is not wanted, drained */
#define PROGRESS_MS 100

/* A question under way. */
struct state {
	struct cv_net *n;
	struct cv_get *g;

	struct cv_url at; /* where the present hop goes */
	unsigned hops;
	bool home_known;
	enum cv_reach home;
	bool fresh; /* the token in use was made for this question */

	unsigned tries;    /* in a row without progress */
	uint64_t tried_at; /* bytes delivered when the row began */
	bool again;        /* another try may do better */
	int64_t wait_s;    /* Retry-After; -1 none */
	char etag[256];    /* of the first 200, if strong */
	bool has_total;
	uint64_t total; /* its length */

	uint64_t skip; /* bytes of this body that were delivered before */
	uint64_t body; /* bytes of this body so far */
	bool wanted;   /* this body is the one asked for */
	int64_t shown; /* when progress was last told */
};

int
cv_net_open(struct cv_net **ret, const struct cv_net_opts *opts, struct cv_err *e)
{
	struct cv_net *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return cv_fail_memory(e);
	n->o = *opts;
	if (cv_http_open(&n->http, &opts->http, e) != 0 || cv_auth_open(&n->auth, e) != 0) {
		cv_net_close(&n);
		return -1;
	}
	*ret = n;
	return 0;
}

void
cv_net_close(struct cv_net **n)
{
	if (*n == NULL)
		return;
	cv_http_close(&(*n)->http);
	cv_auth_close(&(*n)->auth);
	cv_tls_close(&(*n)->tls);
	free(*n);
	*n = NULL;
}

void
cv_get_free(struct cv_get *g)
{
	cv_reply_free(&g->reply);
}

bool
cv_get_absent(const struct cv_get *g)
{
	return g->reply.status == 404 || g->reply.status == 410;
}

static const char *
method_name(const struct cv_get *g)
{
	static const char *const names[] = { "GET", "HEAD", "POST" };

	return names[g->method];
}

int
cv_get_refused(const struct cv_get *g, struct cv_err *e)
{
	char where[CV_HOSTPORT];

	return cv_fail(e, CV_R_UNREACHABLE, "%s: %s %s: HTTP %ld", cv_url_hostport(&g->url, where),
		       method_name(g), g->what, g->reply.status);
}

/* ---- the body ---- */

static int
too_large(const struct cv_get *g, uint64_t found, const char *by, struct cv_err *e)
{
	return cv_fail(e, CV_R_LIMIT, "%s%llu bytes, at most %llu are accepted", by,
		       (unsigned long long)found, (unsigned long long)g->max);
}

/* strong_etag: W/ tags compare equal for different bytes (RFC 9110 8.8.1). */
static const char *
strong_etag(const struct cv_reply *r)
{
	const char *tag = cv_reply_text(r, CV_H_ETAG);

	return tag[0] == '"' && strlen(tag) < sizeof(((struct state *)0)->etag) ? tag : "";
}

static int
changed(struct cv_err *e)
{
	return cv_fail(e, CV_R_CUTOFF,
		       "the answer broke off, and what the server has now is not "
		       "what it had before");
}

/* whole: a 200. If part of it was delivered before, it must be the same thing,
 * and that part is skipped. */
static int
whole(struct state *s, const struct cv_reply *r, bool has_length, uint64_t length, struct cv_err *e)
{
	const char *tag = strong_etag(r);

	if (has_length && length > s->g->max)
		return too_large(s->g, length, "Content-Length says ", e);
	if (s->g->size > 0 && (strcmp(tag, s->etag) != 0 || has_length != s->has_total ||
			       (has_length && length != s->total)))
		return changed(e);
	memcpy(s->etag, tag, strlen(tag) + 1);
	s->has_total = has_length;
	s->total = length;
	s->skip = s->g->size;
	return 0;
}

/* rest: a 206. It must begin at the next byte and end where the whole did. */
static int
rest(struct state *s, const struct cv_reply *r, bool has_length, uint64_t length, struct cv_err *e)
{
	const char *said = cv_reply_text(r, CV_H_RANGE), *tag = strong_etag(r);
	char brief[CV_TEXT_BRIEF];
	struct cv_range range;

	if (s->g->size == 0)
		return cv_fail(e, CV_R_UNREACHABLE, "HTTP 206 to a question without a range");
	if (tag[0] != '\0' && s->etag[0] != '\0' && strcmp(tag, s->etag) != 0)
		return changed(e);
	if (cv_header_range(&range, cv_span_str(said)) != 0 || range.first != s->g->size ||
	    (s->has_total && range.last != s->total - 1) ||
	    (s->has_total && range.total != UINT64_MAX && range.total != s->total) ||
	    (has_length && length != range.last - range.first + 1))
		return cv_fail(e, CV_R_CUTOFF,
			       "the answer broke off at byte %llu, and its rest came with "
			       "Content-Range \"%s\"",
			       (unsigned long long)s->g->size,
			       cv_text_brief(brief, cv_span_str(said)));
	if (range.last >= s->g->max)
		return too_large(s->g, range.last + 1, "Content-Range says ", e);
	if (!s->has_total) {
		s->has_total = true;
		s->total = range.last + 1;
	}
	return 0;
}

static int
on_head(void *ctx, const struct cv_reply *r, struct cv_err *e)
{
	struct state *s = ctx;
	const char *text = cv_reply_text(r, CV_H_LENGTH), *coding = cv_reply_text(r, CV_H_ENCODING);
	char brief[CV_TEXT_BRIEF];
	uint64_t length = 0;
	bool has_length = text[0] != '\0';

	s->body = 0;
	s->skip = 0;
	s->wanted = r->status == 200 || r->status == 206;
	if (!s->wanted || s->g->method == CV_HEAD)
		return 0;
	if (coding[0] != '\0' && !cv_header_is(cv_span_str(coding), "identity"))
		return cv_fail(e, CV_R_UNREACHABLE, "Content-Encoding \"%s\" was not asked for",
			       cv_text_brief(brief, cv_span_str(coding)));
	if (has_length && cv_u64_parse(&length, cv_span_str(text), INT64_MAX, NULL) != 0)
		return cv_fail(e, CV_R_UNREACHABLE, "Content-Length \"%s\" is no length",
			       cv_text_brief(brief, cv_span_str(text)));
	return r->status == 200 ? whole(s, r, has_length, length, e)
				: rest(s, r, has_length, length, e);
}

static void
show(struct state *s)
{
	int64_t now = cv_mono_ms();

	if (s->n->o.progress == NULL || now - s->shown < PROGRESS_MS)
		return;
	s->shown = now;
	s->n->o.progress(s->n->o.ctx, s->g->size, s->has_total ? s->total : 0);
}

static int
deliver(struct state *s, const uint8_t *p, size_t n, struct cv_err *e)
{
	struct cv_get *g = s->g;

	if (n > g->max - g->size)
		return too_large(g, g->size + n, "it has at least ", e);
	if (g->out >= 0) {
		if (cv_write_all(g->out, p, n, "the pipe to verify", e) != 0)
			return -1;
	} else if (g->mem != NULL) {
		cv_buf_add(g->mem, p, n);
		if (cv_buf_ok(g->mem, "answer", e) != 0)
			return -1;
	}
	g->size += n;
	show(s);
	return 0;
}

static int
on_body(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct state *s = ctx;
	const uint8_t *b = p;
	size_t known;

	s->body += n;
	if (!s->wanted) {
		if (s->body > ERROR_BODY)
			return cv_fail(e, CV_R_UNREACHABLE, "HTTP %ld with an endless text",
				       s->g->reply.status);
		return 0;
	}
	known = s->skip < n ? (size_t)s->skip : n;
	s->skip -= known;
	return n == known ? 0 : deliver(s, b + known, n - known, e);
}

/* ---- one hop ---- */

static const char *
authorization(const struct state *s)
{
	if (!cv_url_same_origin(&s->at, &s->g->url))
		return NULL;
	if (s->g->authorization != NULL)
		return s->g->authorization;
	return s->g->repo != NULL ? cv_auth_header(s->n->auth, s->g->repo) : NULL;
}

static int
hop(struct state *s, struct cv_err *e)
{
	struct cv_get *g = s->g;
	char range[40];
	struct cv_request q = { .method = g->method,
				.url = &s->at,
				.accept = g->accept,
				.authorization = authorization(s),
				.form = g->form,
				.guarded = g->guarded || s->hops > 0,
				.home = s->home,
				.deadline = g->deadline,
				.head = on_head,
				.body = on_body,
				.ctx = s };

	if (g->size > 0) {
		cv_text_fmt(range, sizeof(range), "bytes=%llu-", (unsigned long long)g->size);
		q.range = range;
		q.if_range = s->etag[0] != '\0' ? s->etag : NULL;
	}
	if (cv_tls_of(s->n, &s->at, &q, e) != 0 ||
	    cv_http_do(s->n->http, &q, &g->reply, &s->again, e) != 0)
		return -1;
	if (!s->home_known) {
		s->home_known = true;
		s->home = g->reply.reach;
	}
	return 0;
}

/* may_go: whether an answer from s->at may lead us to `to`. */
static int
may_go(const struct state *s, const struct cv_url *to, struct cv_err *e)
{
	enum cv_reach reach = cv_reach_host(to->host);
	char where[CV_HOSTPORT];

	cv_url_hostport(to, where);
	if (reach != CV_REACH_OTHER && reach != s->home)
		return cv_fail(
			e, CV_R_UNREACHABLE,
			"redirected to %s, a loopback or link-local address, which is refused",
			where);
	if (to->https)
		return 0;
	if (s->at.https)
		return cv_fail(e, CV_R_UNREACHABLE,
			       "redirected from https to http at %s, which is refused", where);
	if (reach == CV_REACH_LOOPBACK || (s->g->plain && strcmp(to->host, s->g->url.host) == 0))
		return 0;
	return cv_fail(e, CV_R_UNREACHABLE, "redirected to plain http at %s, which is refused",
		       where);
}

static int
redirect(struct state *s, struct cv_err *e)
{
	const char *to = cv_reply_text(&s->g->reply, CV_H_LOCATION);
	struct cv_url next;

	if (to[0] == '\0')
		return cv_fail(e, CV_R_UNREACHABLE, "HTTP %ld without Location",
			       s->g->reply.status);
	if (s->hops >= s->g->redirects)
		return cv_fail(e, CV_R_UNREACHABLE, "redirected more than %u times",
			       s->g->redirects);
	if (cv_url_join(&next, &s->at, to, e) != 0) {
		e->reason = CV_R_UNREACHABLE;
		return cv_fail_within(e, "redirected");
	}
	if (may_go(s, &next, e) != 0)
		return -1;
	s->at = next;
	s->hops++;
	return 0;
}

/* challenged: a 401. 0: ask again with what was got. */
static int
challenged(struct state *s, struct cv_err *e)
{
	if (s->g->repo == NULL || s->g->authorization != NULL ||
	    !cv_url_same_origin(&s->at, &s->g->url))
		return cv_fail(e, CV_R_DENIED, "HTTP 401");
	if (s->fresh) {
		cv_auth_forget(s->n->auth, s->g->repo);
		return cv_fail(e, CV_R_DENIED, "HTTP 401, with what its own challenge asked for");
	}
	if (cv_auth_answer(s->n, s->g, &s->g->reply, e) != 0)
		return -1;
	s->fresh = true;
	return 0;
}

/* ---- one try: hops until an answer ---- */

static int
put_off(struct state *s, struct cv_err *e)
{
	const struct cv_reply *r = &s->g->reply;
	const char *after = cv_reply_text(r, CV_H_RETRY);
	bool told = after[0] != '\0' &&
		    cv_header_retry(&s->wait_s, cv_span_str(after),
				    cv_span_str(cv_reply_text(r, CV_H_DATE)), time(NULL)) == 0;

	s->again = true;
	if (!told)
		s->wait_s = -1;
	if (r->status != 429 && !(r->status == 503 && told))
		return cv_fail(e, CV_R_UNREACHABLE, "HTTP %ld", r->status);
	if (!told)
		return cv_fail(e, CV_R_THROTTLED, "HTTP %ld", r->status);
	return cv_fail(e, CV_R_THROTTLED, "HTTP %ld, Retry-After %lld s", r->status,
		       (long long)s->wait_s);
}

/* complete: the body that was wanted came to its end. */
static int
complete(struct state *s, struct cv_err *e)
{
	if (s->g->method == CV_HEAD)
		return 0;
	if (s->skip > 0 || (s->has_total && s->g->size != s->total)) {
		s->again = true;
		return cv_fail(e, CV_R_CUTOFF, "the answer ended after %llu bytes of %llu",
			       (unsigned long long)s->g->size, (unsigned long long)s->total);
	}
	s->g->reply.status = 200; /* a 206 that was the rest makes the whole */
	return 0;
}

enum next { ANSWERED, GO_ON, FAILED };

static enum next
judge(struct state *s, struct cv_err *e)
{
	long status = s->g->reply.status;

	switch (status) {
	case 200:
	case 206:
		return complete(s, e) == 0 ? ANSWERED : FAILED;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return redirect(s, e) == 0 ? GO_ON : FAILED;
	case 401:
		return challenged(s, e) == 0 ? GO_ON : FAILED;
	case 403:
		cv_fail(e, CV_R_DENIED, "HTTP 403");
		return FAILED;
	case 408:
	case 429:
		put_off(s, e);
		return FAILED;
	default:
		break;
	}
	if (status < 500 && s->g->size > 0) /* it was there, and part of it came */
		changed(e);
	else if (status == 501)
		return ANSWERED;
	else if (status >= 500)
		put_off(s, e);
	else if (status < 400)
		cv_fail(e, CV_R_UNREACHABLE, "HTTP %ld", status);
	else
		return ANSWERED;
	return FAILED;
}

static int
attempt(struct state *s, struct cv_err *e)
{
	enum next next = GO_ON;

	s->at = s->g->url;
	s->hops = 0;
	s->wait_s = -1;
	if (s->g->mem != NULL) { /* nobody saw it yet: small, and better from one answer */
		cv_buf_reset(s->g->mem);
		s->g->size = 0;
	}
	while (next == GO_ON) {
		s->again = false;
		if (hop(s, e) != 0)
			return -1;
		next = judge(s, e);
	}
	return next == ANSWERED ? 0 : -1;
}

/* ---- tries ---- */

/* jitter: of clients that failed together not all come back together. */
static int64_t
jitter(int64_t ms)
{
	uint8_t r = 0;

	if (getrandom(&r, 1, GRND_NONBLOCK) != 1)
		r = 0;
	return ms + ms * r / 1024;
}

static void
pause_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
			      .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0)
		;
}

/* wait_for_next: false if another try is not to be made. The error of the last
 * one stays and gains the reason why there is no other. */
static bool
wait_for_next(struct state *s, const char **why)
{
	int64_t ms = jitter((int64_t)s->n->o.pause_ms << (s->tries - 1));
	int left = cv_mono_left(s->g->deadline);

	*why = "";
	if (!s->again || (s->g->not_last && s->g->size == s->tried_at))
		return false;
	if (s->g->size - s->tried_at >= NEW_START) {
		s->tried_at = s->g->size;
		s->tries = 1;
	}
	if (s->tries >= CV_MAX_TRIES)
		return false;
	if (s->wait_s > CV_MAX_RETRY_WAIT) {
		*why = ", longer than is waited for";
		return false;
	}
	if (s->wait_s >= 0)
		ms = s->wait_s * 1000;
	if (left >= 0 && ms >= left) {
		*why = ", no time for another";
		return false;
	}
	pause_ms(ms);
	return true;
}

/* say: the whole sentence. */
static int
say(const struct state *s, unsigned tries, const char *why, struct cv_err *e)
{
	char where[CV_HOSTPORT], via[CV_HOSTPORT + 32] = "", text[CV_ERR_TEXT];

	if (e->reason == CV_R_BUG || e->reason == CV_R_MEMORY)
		return -1;
	memcpy(text, e->text, sizeof(text));
	if (!cv_url_same_origin(&s->at, &s->g->url)) {
		cv_url_hostport(&s->at, where);
		cv_text_fmt(via, sizeof(via), " (redirected to %s)", where);
	}
	cv_url_hostport(&s->g->url, where);
	return cv_fail(e, e->reason, "%s: %s %s%s: %s, %u %s%s", where, method_name(s->g),
		       s->g->what, via, text, tries, tries == 1 ? "try" : "tries", why);
}

int
cv_get(struct cv_net *n, struct cv_get *g, struct cv_err *e)
{
	struct state s = {
		.n = n, .g = g, .home_known = g->guarded, .home = g->home, .shown = cv_mono_ms()
	};
	const char *why = "";
	unsigned all = 0;

	g->size = 0;
	do {
		s.tries++;
		all++;
		if (attempt(&s, e) == 0)
			return 0;
	} while (wait_for_next(&s, &why));
	return say(&s, all, why, e);
}
