/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c: see auth.h. Must never send a secret anywhere else. */
#include "fetch/auth.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/challenge.h"
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/json.h"
#include "trust/base/proto.h"

#include "trust/base/banned.h"

#define SECRET_MAX   (32 * CV_KIB)
#define LIFE_DEFAULT 60   /* seconds, where the answer does not say */
#define LIFE_MAX     3600 /* whatever the answer says */
#define LIFE_MARGIN  10   /* a token in flight must not expire */

/* An Authorization value for a repository. */
struct token {
	struct token *next;
	struct cv_repo repo;
	char *header;
	int64_t until; /* cv_mono_ms scale, 0 no end */
};

struct host {
	struct host *next;
	char name[CV_NAME_MAX + 1];
	struct cv_login login;
};

struct cv_auth {
	struct token *tokens;
	struct host *hosts;
};

static void
secret_free(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

static void
secret_buf_free(struct cv_buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	cv_buf_free(b);
}

static void
get_free(struct cv_get *g)
{
	cv_get_free(g);
}

int
cv_auth_open(struct cv_auth **ret, struct cv_err *e)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret == NULL ? cv_fail_memory(e) : 0;
}

static void
token_free(struct token *t)
{
	secret_free(&t->header);
	free(t);
}

void
cv_auth_close(struct cv_auth **a)
{
	struct token *t;
	struct host *h;

	if (*a == NULL)
		return;
	while ((t = (*a)->tokens) != NULL) {
		(*a)->tokens = t->next;
		token_free(t);
	}
	while ((h = (*a)->hosts) != NULL) {
		(*a)->hosts = h->next;
		secret_free(&h->login.user);
		secret_free(&h->login.secret);
		free(h);
	}
	free(*a);
	*a = NULL;
}

static struct token **
find(struct cv_auth *a, const struct cv_repo *repo)
{
	struct token **t = &a->tokens;

	while (*t != NULL && (strcmp((*t)->repo.host, repo->host) != 0 ||
			      strcmp((*t)->repo.path, repo->path) != 0))
		t = &(*t)->next;
	return t;
}

void
cv_auth_forget(struct cv_auth *a, const struct cv_repo *repo)
{
	struct token **at = find(a, repo), *t = *at;

	if (t == NULL)
		return;
	*at = t->next;
	token_free(t);
}

const char *
cv_auth_header(struct cv_auth *a, const struct cv_repo *repo)
{
	struct token *t = *find(a, repo);

	if (t == NULL)
		return NULL;
	if (t->until == 0 || cv_mono_left(t->until) > 0)
		return t->header;
	cv_auth_forget(a, repo);
	return NULL;
}

/* remember: takes what is in `header`. */
static int
remember(struct cv_auth *a, const struct cv_repo *repo, struct cv_buf *header, int64_t until,
	 struct cv_err *e)
{
	struct token *t;

	if (cv_buf_ok(header, "Authorization", e) != 0)
		return -1;
	cv_auth_forget(a, repo);
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return cv_fail_memory(e);
	t->repo = *repo;
	t->until = until;
	t->header = cv_buf_steal(header);
	t->next = a->tokens;
	a->tokens = t;
	return 0;
}

/* login_of: the credentials for a host, asked for once. */
static int
login_of(struct cv_net *n, const char *name, const struct cv_login **ret, struct cv_err *e)
{
	struct host *h = n->auth->hosts;

	while (h != NULL && strcmp(h->name, name) != 0)
		h = h->next;
	if (h == NULL) {
		if ((h = calloc(1, sizeof(*h))) == NULL)
			return cv_fail_memory(e);
		memcpy(h->name, name, strlen(name) + 1);
		h->next = n->auth->hosts;
		n->auth->hosts = h;
	}
	if (h->login.kind == 0 && n->o.login == NULL)
		h->login.kind = CV_CRED_NONE;
	if (h->login.kind == 0 && n->o.login(n->o.ctx, name, &h->login, e) != 0)
		return cv_fail_within(e, "credentials for %s", name);
	*ret = &h->login;
	return 0;
}

/* visible: a token or secret that may stand in a header field as it is. */
static bool
visible(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static int
basic_header(struct cv_buf *out, const struct cv_login *l, struct cv_err *e)
{
	cv_auto(secret_buf_free) struct cv_buf pair = CV_BUF(SECRET_MAX);

	if (strchr(l->user, ':') != NULL)
		return cv_fail(e, CV_R_DENIED, "user name with a colon: Basic cannot say it");
	cv_buf_fmt(&pair, "%s:%s", l->user, l->secret);
	if (cv_buf_ok(&pair, "credentials", e) != 0)
		return -1;
	cv_buf_str(out, "Basic ");
	cv_base64_encode(out, cv_buf_span(&pair));
	return cv_buf_ok(out, "credentials", e);
}

static int
answer_basic(struct cv_net *n, const struct cv_get *g, const struct cv_login *l, struct cv_err *e)
{
	cv_auto(secret_buf_free) struct cv_buf header = CV_BUF(SECRET_MAX * 2);

	if (l->kind == CV_CRED_NONE)
		return cv_fail(e, CV_R_DENIED, "HTTP 401, and there are no credentials for %s",
			       g->repo->host);
	if (l->kind != CV_CRED_BASIC)
		return cv_fail(e, CV_R_DENIED,
			       "HTTP 401 asking for user and password, and %s has a token",
			       g->repo->host);
	if (basic_header(&header, l, e) != 0)
		return -1;
	return remember(n->auth, g->repo, &header, 0, e);
}

/* ---- tokens ---- */

/* add_query: "name=value", encoded as a form does it. */
static void
add_query(struct cv_buf *b, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	uint8_t last = b->n > 0 ? b->p[b->n - 1] : '?';

	if (last != '?' && last != '&')
		cv_buf_byte(b, '&');
	cv_buf_fmt(b, "%s=", name);
	for (; *value != '\0'; value++) {
		uint8_t c = (uint8_t)*value;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    strchr("-._~", c) != NULL) {
			cv_buf_byte(b, c);
		} else {
			cv_buf_byte(b, '%');
			cv_buf_byte(b, (uint8_t)hex[c >> 4]);
			cv_buf_byte(b, (uint8_t)hex[c & 15]);
		}
	}
}

/* realm_ok: where credentials may be sent, see auth.h. */
static int
realm_ok(const struct cv_get *g, const struct cv_url *realm, enum cv_reach home, struct cv_err *e)
{
	enum cv_reach reach = cv_reach_host(realm->host);
	char where[CV_HOSTPORT];

	cv_url_hostport(realm, where);
	if (reach != CV_REACH_OTHER && reach != home)
		return cv_fail(e, CV_R_DENIED,
			       "HTTP 401 with a token realm at %s, a loopback or link-local "
			       "address, which is refused",
			       where);
	if (realm->https || (!g->url.https && reach == CV_REACH_LOOPBACK) ||
	    (!g->url.https && g->plain && strcmp(realm->host, g->url.host) == 0))
		return 0;
	return cv_fail(e, CV_R_DENIED, "HTTP 401 with a token realm at %s that is not https",
		       where);
}

static void
scope_of(const struct cv_get *g, const struct cv_challenge *c, struct cv_buf *out)
{
	if (c->scope[0] != '\0')
		cv_buf_str(out, c->scope);
	else
		cv_buf_fmt(out, "repository:%s:pull", g->repo->path);
}

/* start_token: the request as distribution's "Token Authentication" has it: a
 * GET, or for an identity token the POST of its "OAuth 2" variant. */
static int
start_token(struct cv_get *t, const struct cv_get *g, const struct cv_challenge *c,
	    const struct cv_login *l, struct cv_buf *form, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf scope = CV_BUF(2048);
	cv_auto(cv_buf_free) struct cv_buf url = CV_BUF(CV_MAX_URL);
	bool post = l->kind == CV_CRED_IDENTITY_TOKEN;
	struct cv_buf *query = post ? form : &url;

	scope_of(g, c, &scope);
	cv_buf_str(&url, t->url.text);
	if (!post)
		cv_buf_byte(&url, strchr(t->url.text, '?') == NULL ? '?' : '&');
	if (c->service[0] != '\0')
		add_query(query, "service", c->service);
	add_query(query, "scope", cv_buf_text(&scope));
	if (post) {
		add_query(form, "client_id", "clawverify");
		add_query(form, "grant_type", "refresh_token");
		add_query(form, "refresh_token", l->secret);
		t->method = CV_POST;
		t->form = cv_buf_text(form);
	}
	if (cv_buf_ok(&scope, "scope", e) != 0 || cv_buf_ok(form, "token request", e) != 0 ||
	    cv_buf_ok(&url, "token request", e) != 0)
		return -1;
	return cv_url_parse(&t->url, cv_buf_text(&url), e);
}

/* read_token: {"token" or "access_token", "expires_in"?}. */
static int
read_token(struct cv_buf *header, int64_t *until, const char *where, struct cv_span body,
	   struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	uint64_t life = LIFE_DEFAULT;
	struct cv_jv root, v;
	const char *token;

	if (cv_json_parse(&doc, where, body, CV_JSON_REALS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	v = cv_jv_get(root, cv_jv_has(root, "token") ? "token" : "access_token");
	if (cv_jv_str(v, &token, e) != 0)
		return -1;
	v = cv_jv_get(root, "expires_in");
	if (cv_jv_type(v) == CV_J_INT && cv_jv_u64(v, INT64_MAX, &life, e) != 0)
		life = LIFE_DEFAULT;
	life = life < LIFE_DEFAULT ? LIFE_DEFAULT : life > LIFE_MAX ? LIFE_MAX : life;
	if (!visible(token))
		return cv_jv_fail(root, e, CV_R_MALFORMED,
				  "the token has characters that no token has");
	*until = cv_mono_ms() + (int64_t)(life - LIFE_MARGIN) * 1000;
	cv_buf_fmt(header, "Bearer %s", token);
	return cv_buf_ok(header, "token", e);
}

/* as_denied: a realm that answers no, or nothing that is a token, gave none. */
static int
as_denied(struct cv_err *e)
{
	if (e->reason == CV_R_MALFORMED || e->reason == CV_R_AMBIGUOUS)
		e->reason = CV_R_DENIED;
	return -1;
}

static int
ask_token(struct cv_net *n, struct cv_get *t, struct cv_buf *header, int64_t *until,
	  struct cv_err *e)
{
	char where[CV_HOSTPORT];

	if (cv_get(n, t, e) != 0)
		return -1;
	if (t->reply.status != 200) {
		(void)cv_get_refused(t, e);
		e->reason = CV_R_DENIED;
		return -1;
	}
	if (read_token(header, until, cv_url_hostport(&t->url, where), cv_buf_span(t->mem), e) != 0)
		return as_denied(e);
	return 0;
}

static int
answer_bearer(struct cv_net *n, const struct cv_get *g, const struct cv_challenge *c,
	      enum cv_reach home, const struct cv_login *l, struct cv_err *e)
{
	cv_auto(secret_buf_free) struct cv_buf header = CV_BUF(CV_MAX_TOKEN_BODY);
	cv_auto(secret_buf_free) struct cv_buf basic = CV_BUF(SECRET_MAX * 2);
	cv_auto(secret_buf_free) struct cv_buf form = CV_BUF(SECRET_MAX * 3);
	cv_auto(secret_buf_free) struct cv_buf body = CV_BUF(CV_MAX_TOKEN_BODY);
	cv_auto(get_free) struct cv_get t = { .method = CV_GET,
					      .what = "token",
					      .guarded = true,
					      .home = home,
					      .plain = g->plain,
					      .max = CV_MAX_TOKEN_BODY,
					      .deadline = g->deadline,
					      .out = -1,
					      .mem = &body };
	int64_t until = 0;

	if (l->kind == CV_CRED_BEARER) {
		if (!visible(l->secret))
			return cv_fail(e, CV_R_DENIED, "the token for %s is none", g->repo->host);
		cv_buf_fmt(&header, "Bearer %s", l->secret);
		return remember(n->auth, g->repo, &header, 0, e);
	}
	if (cv_url_parse(&t.url, c->realm, e) != 0)
		return as_denied(e);
	if (realm_ok(g, &t.url, home, e) != 0 || start_token(&t, g, c, l, &form, e) != 0)
		return as_denied(e);
	if (l->kind == CV_CRED_BASIC) {
		if (basic_header(&basic, l, e) != 0)
			return -1;
		t.authorization = cv_buf_text(&basic);
	}
	if (ask_token(n, &t, &header, &until, e) != 0)
		return -1;
	return remember(n->auth, g->repo, &header, until, e);
}

int
cv_auth_answer(struct cv_net *n, const struct cv_get *g, const struct cv_reply *reply,
	       struct cv_err *e)
{
	const struct cv_login *l = NULL;
	struct cv_challenge c;
	int found;

	found = cv_challenge_pick(&c, cv_span_str(cv_reply_text(reply, CV_H_CHALLENGE)), e);
	if (found < 0)
		return as_denied(e);
	if (found == 0)
		return cv_fail(e, CV_R_DENIED, "HTTP 401 without a challenge that can be answered");
	if (login_of(n, g->repo->host, &l, e) != 0)
		return -1;
	return c.bearer ? answer_bearer(n, g, &c, reply->reach, l, e) : answer_basic(n, g, l, e);
}
