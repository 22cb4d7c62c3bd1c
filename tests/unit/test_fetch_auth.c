/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges, credentials and tokens: who learns what. */
#include "tests/net/rig.h"
#include "trust/base/enc.h"

#define BASIC_UP "authorization=Basic dTpw " /* u:p */

static void
denied(void)
{
	static const struct {
		const char *repo;
		enum cv_reason reason;
		const char *text;
	} faults[] = {
		{ "mute401", CV_R_DENIED, "without a challenge that can be answered" },
		{ "odd401", CV_R_DENIED, "WWW-Authenticate: no value" },
		{ "nego401", CV_R_DENIED, "without a challenge that can be answered" },
		{ "basic", CV_R_DENIED, "there are no credentials for 127.0.0.1:" },
		{ "bearer-never", CV_R_DENIED, "HTTP 401, with what its own challenge asked for" },
		{ "bearer-strict", CV_R_DENIED, "GET token: HTTP 401" },
		{ "bearer-junk", CV_R_DENIED, "" },
		{ "bearer-empty", CV_R_DENIED, "access_token" },
		{ "bearer-inject", CV_R_DENIED, "characters that no token has" },
		{ "bearer-twice", CV_R_DENIED, "token" },
		{ "bearer-down", CV_R_UNREACHABLE, "GET token: HTTP 500, 5 tries" },
		{ "bearer-moved", CV_R_UNREACHABLE, "redirected more than 0 times" },
		{ "bearer-plain", CV_R_DENIED,
		  "token realm at registry.example:80 that is not https" },
		{ "bearer-link", CV_R_DENIED, "loopback or link-local address" },
		{ "bearer-user", CV_R_DENIED, "user information" },
	};
	struct shot s;
	size_t i;

	for (i = 0; i < CV_COUNT(faults); i++) {
		s = rig_manifest(NULL, faults[i].repo, 0);
		if (s.rc != -1 || s.e.reason != faults[i].reason ||
		    strstr(s.e.text, faults[i].text) == NULL || s.n != 0)
			t_fail(__FILE__, __LINE__, "%s: %d %s (%s), want %s", faults[i].repo, s.rc,
			       cv_reason_word(s.e.reason), s.e.text,
			       cv_reason_word(faults[i].reason));
	}
	T_INT(t_server_count(&rig.server, "/v2/bearer-never/", NULL), 2);
	T_INT(t_server_count(&rig.server, "/token/down", NULL), CV_MAX_TRIES);
}

static void
wrong_credentials(void)
{
	static const struct {
		unsigned kind;
		const char *user, *secret, *repo, *text;
	} faults[] = {
		{ CV_CRED_BASIC, "u", "x", "basic", "HTTP 401, with" },
		{ CV_CRED_BASIC, "u:", "p", "basic", "user name with a colon" },
		{ CV_CRED_IDENTITY_TOKEN, "", "r", "basic", "asking for user and password" },
		{ CV_CRED_BASIC, "u", "x", "bearer-strict", "GET token: HTTP 401" },
		{ CV_CRED_IDENTITY_TOKEN, "", "x", "bearer-strict", "POST token: HTTP 401" },
		{ CV_CRED_BEARER, "", "x", "bearer", "HTTP 401, with" },
		{ CV_CRED_BEARER, "", "to ken", "bearer", "is none" },
		{ CV_CRED_BEARER, "", "a\r\nX: b", "bearer", "is none" },
	};
	struct cv_net *n;
	struct shot s;
	size_t i;

	for (i = 0; i < CV_COUNT(faults); i++) {
		n = rig_net(faults[i].kind, faults[i].user, faults[i].secret);
		s = rig_manifest(n, faults[i].repo, 0);
		if (s.rc != -1 || s.e.reason != CV_R_DENIED ||
		    strstr(s.e.text, faults[i].text) == NULL)
			t_fail(__FILE__, __LINE__, "%zu %s: %s", i, faults[i].repo, s.e.text);
		cv_net_close(&n);
	}
}

/* A secret is asked for only after a challenge, once, and whatever it is, it is
 * not in what is said about it. */
static void
asked_once(void)
{
	struct cv_net *n = rig_net(CV_CRED_BASIC, "u", "p");
	unsigned tokens;

	RIG_GIVEN(rig_manifest(n, "any", 0));
	RIG_ABSENT(rig_manifest(n, "none", 0));
	T_INT(rig.asked, 0);
	RIG_GIVEN(rig_manifest(n, "basic", 0));
	T_INT(rig.asked, 1);
	RIG_GIVEN(rig_manifest(n, "bearer", 0));
	RIG_GIVEN(rig_manifest(n, "bearer-two", 0));
	T_INT(rig.asked, 1);
	/* the token is kept for its repository, and sent without being asked */
	tokens = t_server_count(&rig.server, "GET /token?", NULL);
	RIG_GIVEN(rig_manifest(n, "bearer", 0));
	T_INT(t_server_count(&rig.server, "GET /token?", NULL), tokens);
	T_INT(t_server_count(&rig.server, "GET /v2/bearer/", "authorization=Bearer token ", NULL),
	      2);
	T_INT(t_server_count(&rig.server, "/v2/any/", "authorization", NULL), 0);
	cv_net_close(&n);
}

static void
tokens(void)
{
	struct cv_net *n = rig_net(0, NULL, NULL);

	/* anonymous */
	RIG_GIVEN(rig_manifest(n, "bearer-other", 0));
	T_INT(t_server_count(
		      &rig.server,
		      "other GET /token?service=here&scope=repository%3Abearer-other%3Apull ",
		      NULL),
	      1);
	T_INT(t_server_count(&rig.server, "other GET /token", "authorization", NULL), 0);
	RIG_GIVEN(rig_manifest(n, "bearer-scope", 0));
	T_INT(t_server_count(&rig.server, "/token/scope?a=b&service=here&scope=odd%3Ascope%20x ",
			     NULL),
	      1);
	cv_net_close(&n);
	/* user and password */
	n = rig_net(CV_CRED_BASIC, "u", "p");
	RIG_GIVEN(rig_manifest(n, "bearer-strict", 0));
	T_INT(t_server_count(&rig.server, "GET /token/strict?", BASIC_UP, NULL), 1);
	T_INT(t_server_count(&rig.server, "/v2/bearer-strict/", "Basic", NULL), 0);
	cv_net_close(&n);
	/* an identity token is posted */
	n = rig_net(CV_CRED_IDENTITY_TOKEN, "", "r");
	RIG_GIVEN(rig_manifest(n, "bearer-strict", 0));
	T_INT(t_server_count(&rig.server, "POST /token/strict ", "body=service=here&scope=",
			     "&grant_type=refresh_token&refresh_token=r", NULL),
	      1);
	T_INT(t_server_count(&rig.server, "refresh_token=r", NULL),
	      t_server_count(&rig.server, "POST /token/strict ", "refresh_token=r", NULL));
	cv_net_close(&n);
	/* a token of the user's own is sent as it is */
	n = rig_net(CV_CRED_BEARER, "", "token");
	RIG_GIVEN(rig_manifest(n, "bearer", 0));
	cv_net_close(&n);
}

/* A token that stops being accepted is replaced once. */
static void
rotates(void)
{
	struct cv_net *n = rig_net(0, NULL, NULL);

	RIG_GIVEN(rig_manifest(n, "bearer-rotates", 0));
	RIG_GIVEN(rig_manifest(n, "bearer-rotates", 0));
	T_INT(t_server_count(&rig.server, "/v2/bearer-rotates/", "Bearer one ", NULL), 2);
	T_INT(t_server_count(&rig.server, "/v2/bearer-rotates/", "Bearer two ", NULL), 1);
	cv_net_close(&n);
}

/* Another origin never sees what is meant for the registry. */
static void
stays_home(void)
{
	struct cv_net *n = rig_net(CV_CRED_BASIC, "u", "p");
	struct shot s;

	/* the first answer teaches the header, the second request carries it and is
	 * sent elsewhere */
	s = rig_blob(n, "auth-moved", 0x1001, 5000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 5000));
	T_INT(t_server_count(&rig.server, "main GET /v2/auth-moved/", BASIC_UP, NULL), 1);
	T_INT(t_server_count(&rig.server, "other GET /file/5000", NULL), 1);
	T_INT(t_server_count(&rig.server, "other GET /file/5000", "uthorization", NULL), 0);
	/* and its challenge is not answered either */
	RIG_GIVEN(rig_manifest(n, "basic", 0));
	RIG_FAILS(rig_manifest(n, "moved-401", 0), CV_R_DENIED, "(redirected to 127.0.0.1:");
	T_INT(t_server_count(&rig.server, "other GET /v2/basic/", NULL), 1);
	T_INT(t_server_count(&rig.server, "other ", "Basic", NULL), 0);
	cv_net_close(&n);
}

static void
tls(void)
{
	struct cv_net *n = rig_net(0, NULL, NULL);
	struct shot s;

	RIG_FAILS(rig_url(n, "https://127.0.0.1:PORT/file/10", rig.server.tls), CV_R_UNREACHABLE,
		  "subject name");
	RIG_FAILS(rig_url(n, "https://localhost:PORT/down", rig.server.tls), CV_R_UNREACHABLE,
		  "redirected from https to http at 127.0.0.1:");
	T_INT(t_server_count(&rig.server, "main GET /file/10", NULL), 0);
	RIG_FAILS(rig_url(n, "https://localhost:PORT/file/10", rig.server.main), CV_R_UNREACHABLE,
		  "");
	s = rig_url(n, "https://localhost:PORT/file/10", rig.server.tls);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 10));
	s = rig_url(n, "http://127.0.0.1:PORT/up", rig.server.main);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 11));
	cv_net_close(&n);
}

/* An authority that signed nothing here. */
static void
tls_untrusted(void)
{
	struct cv_net_opts o = { .http = { .connect_ms = 2000, .stall_s = 1, .stall_bytes = 1 },
				 .pause_ms = 1 };
	cv_auto(cv_buf_free) struct cv_buf pem = CV_BUF(CV_MIB);
	struct cv_err e = { 0 };
	struct cv_net *n = NULL;
	char path[300], command[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/other.pem", t_tmpdir());
	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
		 " -subj '/CN=test authority' -keyout %s.key -out %s 2>/dev/null",
		 path, path);
	T(system(command) == 0);
	f = fopen(path, "r");
	T(f != NULL);
	T_OK(cv_buf_read_fd(&pem, fileno(f), path, &e), e);
	fclose(f);
	o.http.ca = cv_buf_span(&pem);
	T_OK(cv_net_open(&n, &o, &e), e);
	RIG_FAILS(rig_url(n, "https://localhost:PORT/file/10", rig.server.tls), CV_R_UNREACHABLE,
		  "certificate");
	cv_net_close(&n);
	/* and a list of authorities that is none */
	o.http.ca = cv_span_str("nothing in PEM");
	T_OK(cv_net_open(&n, &o, &e), e);
	RIG_FAILS(rig_url(n, "https://localhost:PORT/file/10", rig.server.tls), CV_R_UNREACHABLE,
		  "");
	cv_net_close(&n);
}

static void
with_tls(void)
{
	rig_start(true);
	T(rig.server.tls != 0);
}

static const struct t_case cases[] = {
	{ "start", with_tls },
	{ "denied", denied },
	{ "wrong-credentials", wrong_credentials },
	{ "asked-once", asked_once },
	{ "tokens", tokens },
	{ "rotates", rotates },
	{ "stays-home", stays_home },
	{ "tls", tls },
	{ "tls-untrusted", tls_untrusted },
};
T_MAIN(cases)
