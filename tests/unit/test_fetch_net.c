/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are wrong, late, cut, too long or somewhere else: what becomes of
 * a question to the network. */
#include "tests/net/rig.h"

/* every: each repository fails for that reason, and delivers at most `most`. */
struct fault {
	const char *repo;
	enum cv_reason reason;
	const char *text;
};

static void
manifests_fail(const struct fault *f, size_t n)
{
	struct shot s;
	size_t i;

	for (i = 0; i < n; i++) {
		s = rig_manifest(NULL, f[i].repo, 0);
		if (s.rc != -1 || s.e.reason != f[i].reason || strstr(s.e.text, f[i].text) == NULL)
			t_fail(__FILE__, __LINE__, "%s: %d %s (%s), want %s (...%s...)", f[i].repo,
			       s.rc, cv_reason_word(s.e.reason), s.e.text,
			       cv_reason_word(f[i].reason), f[i].text);
	}
}

static void
statuses(void)
{
	static const struct fault faults[] = {
		{ "forbidden", CV_R_DENIED, "HTTP 403, 1 try" },
		{ "teapot", CV_R_UNREACHABLE, "HTTP 418" },
		{ "nothing", CV_R_UNREACHABLE, "HTTP 204, 1 try" },
		{ "down", CV_R_UNREACHABLE, "GET manifest v1: HTTP 502, 5 tries" },
		{ "down-text", CV_R_UNREACHABLE, "HTTP 500 with an endless text" },
		{ "busy", CV_R_THROTTLED, "HTTP 429, 5 tries" },
		{ "busy-long", CV_R_THROTTLED, "Retry-After 3600 s, 1 try, longer than" },
		{ "busy-date", CV_R_THROTTLED, "HTTP 503, Retry-After 3600 s, 1 try" },
	};
	char host[40];
	struct shot s;

	manifests_fail(faults, CV_COUNT(faults));
	s = rig_manifest(NULL, "down", 0);
	snprintf(host, sizeof(host), "127.0.0.1:%u: GET ", rig.server.main);
	T_HAS(s.e.text, host);
	T_INT(t_server_count(&rig.server, "/v2/forbidden/", NULL), 1);
	T_INT(t_server_count(&rig.server, "/v2/busy-long/", NULL), 1);
	T_INT(t_server_count(&rig.server, "/v2/busy/", NULL), CV_MAX_TRIES);
	RIG_ABSENT(rig_manifest(NULL, "none", 0));
	RIG_ABSENT(rig_manifest(NULL, "gone", 0));
	RIG_ABSENT(rig_blob(NULL, "none", 10, 10));
}

static void
later(void)
{
	struct shot s;
	int64_t before;

	s = rig_manifest(NULL, "busy-2", 0);
	RIG_GIVEN(s);
	T(s.n > 0);
	RIG_GIVEN(rig_manifest(NULL, "down-2", 0));
	T_INT(t_server_count(&rig.server, "/v2/down-2/", NULL), 3);
	RIG_GIVEN(rig_manifest(NULL, "close-2", 0));
	/* what it says is waited for, unless the time does not reach */
	before = cv_mono_ms();
	s = rig_manifest(NULL, "busy-second", 500);
	RIG_FAILS(s, CV_R_THROTTLED, "Retry-After 1 s, 1 try, no time for another");
	T(cv_mono_ms() - before < 400);
}

static void
no_http(void)
{
	static const struct fault faults[] = {
		{ "close", CV_R_UNREACHABLE, "5 tries" },
		{ "garbage", CV_R_UNREACHABLE, "1 try" },
		{ "http09", CV_R_UNREACHABLE, "1 try" },
		{ "half-header", CV_R_UNREACHABLE, "" },
		{ "no-length", CV_R_UNREACHABLE, "" },
		{ "smuggle", CV_R_UNREACHABLE, "two different fields Content-Type" },
		{ "two-digests", CV_R_UNREACHABLE, "two different fields Docker-Content-Digest" },
		{ "big-header", CV_R_UNREACHABLE, "field Link longer than" },
		{ "many-headers", CV_R_UNREACHABLE, "bytes of header" },
		{ "gzip", CV_R_UNREACHABLE, "Content-Encoding \"gzip\"" },
	};
	struct cv_ask q = { .ref = "v1", .plain = true };
	struct cv_err e = { 0 };
	struct shot s;

	manifests_fail(faults, CV_COUNT(faults));
	T_OK(cv_repo_parse(&q.repo, cv_span_str("127.0.0.1:1/x"), &e), e);
	s = rig_ask(NULL, cv_registry_manifest, &q);
	RIG_FAILS(s, CV_R_UNREACHABLE, "127.0.0.1:1: GET manifest v1: ");
	T_HAS(s.e.text, "5 tries");
	s = rig_manifest(NULL, "interim", 0);
	RIG_GIVEN(s);
	T_STR(s.a.media, "text/late");
	T_INT(s.n, 3);
	T(t_server_count(&rig.server, "/v2/gzip/", "accept-encoding=identity", NULL) == 1);
}

static void
slow(void)
{
	int64_t before = cv_mono_ms();
	struct shot s;

	RIG_FAILS(rig_manifest(NULL, "silent", 300), CV_R_DEADLINE, "time");
	RIG_FAILS(rig_manifest(NULL, "dribble", 300), CV_R_DEADLINE, "time");
	T(cv_mono_ms() - before < 2000);
	/* no deadline: silence for stall_s is a failed try */
	s = rig_manifest(NULL, "silent-1", 0);
	RIG_GIVEN(s);
	T_INT(t_server_count(&rig.server, "/v2/silent-1/", NULL), 2);
}

static void
limits(void)
{
	struct shot s;

	s = rig_blob(NULL, "any", 1001, 1000);
	RIG_FAILS(s, CV_R_LIMIT, "Content-Length says 1001 bytes, at most 1000");
	T_INT(s.n, 0);
	s = rig_blob(NULL, "endless", 1001, 5000);
	RIG_FAILS(s, CV_R_LIMIT, "at most 5000 are accepted");
	T(s.n <= 5000);
	s = rig_blob(NULL, "chunked", 5001, 5000);
	RIG_FAILS(s, CV_R_LIMIT, "at most 5000 are accepted");
	s = rig_blob(NULL, "any", 1000, 1000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 1000));
	T_INT(s.a.size, 1000);
}

static void
cut_refused(void)
{
	static const struct {
		const char *repo, *text;
	} faults[] = {
		{ "cut-forever", "broke off" },
		{ "cut-changed", "not what it had before" },
		{ "cut-shrunk", "not what it had before" },
		{ "cut-416", "not what it had before" },
		{ "lie-start", "byte 70000, and its rest came with Content-Range \"bytes 60000-" },
		{ "lie-total",
		  "byte 70000, and its rest came with Content-Range \"bytes 70000-99999/200000\"" },
		{ "lie-end",
		  "byte 70000, and its rest came with Content-Range \"bytes 70000-89999/100000\"" },
		{ "lie-length",
		  "byte 70000, and its rest came with Content-Range \"bytes 70000-99999/100000\"" },
		{ "lie-none", "Content-Range \"\"" },
		{ "chunked-open", "broke off" },
	};
	struct shot s;
	size_t i, j;

	for (i = 0; i < CV_COUNT(faults); i++) {
		s = rig_blob(NULL, faults[i].repo, 100000, 100000);
		if (s.rc != -1 || s.e.reason != CV_R_CUTOFF ||
		    strstr(s.e.text, faults[i].text) == NULL)
			t_fail(__FILE__, __LINE__, "%s: %d %s (%s)", faults[i].repo, s.rc,
			       cv_reason_word(s.e.reason), s.e.text);
		for (j = 0; j < s.n; j++) /* what was delivered is a true beginning */
			if (s.got[j] != t_pattern(j))
				t_fail(__FILE__, __LINE__, "%s: byte %zu", faults[i].repo, j);
	}
	RIG_FAILS(rig_blob(NULL, "lie-first", 100000, 100000), CV_R_UNREACHABLE, "HTTP 206");
	RIG_FAILS(rig_blob(NULL, "cut-denied", 100000, 100000), CV_R_DENIED, "HTTP 403");
	RIG_FAILS(rig_blob(NULL, "cut-always", 100000, 100000), CV_R_CUTOFF, "5 tries");
}

/* A blob that was there and is not any more is not absent: part of it came. */
static void
cut_gone(void)
{
	struct shot s = rig_blob(NULL, "cut-gone", 100000, 100000);

	RIG_FAILS(s, CV_R_CUTOFF, "not what it had before");
}

static void
cut_resumed(void)
{
	struct shot s;

	s = rig_blob(NULL, "cut", 100000, 100000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 100000));
	T_INT(t_server_count(&rig.server, "/v2/cut/", "range=bytes=70000-", "if-range=\"", NULL),
	      1);
	s = rig_blob(NULL, "cut-often", 100000, 100000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 100000));
	T_INT(t_server_count(&rig.server, "/v2/cut-often/", "range=bytes=4000-", NULL), 1);
	/* a server without ranges sends all again; the reader sees each byte once */
	s = rig_blob(NULL, "cut-whole", 100000, 100000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 100000));
	/* a weak tag says nothing about bytes and is not sent */
	s = rig_blob(NULL, "cut-weak", 100000, 100000);
	RIG_GIVEN(s);
	T_INT(t_server_count(&rig.server, "/v2/cut-weak/", "if-range", NULL), 0);
	/* progress makes a failed try not count */
	s = rig_blob(NULL, "cut-progress", 10000000, 10000000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 10000000));
	s = rig_blob(NULL, "chunked", 100000, 100000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 100000));
	T_STR(s.a.media, "application/octet-stream"); /* and not the trailer's */
}

static void
moved_refused(void)
{
	static const struct fault faults[] = {
		{ "loop", CV_R_UNREACHABLE, "redirected more than 5 times" },
		{ "moved-nowhere", CV_R_UNREACHABLE, "HTTP 302 without Location" },
		{ "moved-link", CV_R_UNREACHABLE, "link-local address, which is refused" },
		{ "moved-out", CV_R_UNREACHABLE, "plain http at registry.example:80" },
		{ "moved-ftp", CV_R_UNREACHABLE, "neither https nor http" },
		{ "moved-file", CV_R_UNREACHABLE, "redirected: URL" },
		{ "moved-user", CV_R_UNREACHABLE, "user information" },
		{ "moved-503", CV_R_UNREACHABLE, "(redirected to 127.0.0.1:" },
		{ "moved-401", CV_R_DENIED, "HTTP 401" },
	};

	manifests_fail(faults, CV_COUNT(faults));
	T_INT(t_server_count(&rig.server, "/v2/loop/", NULL), CV_MAX_REDIRECTS + 1);
	RIG_ABSENT(rig_manifest(NULL, "moved-404", 0));
}

static void
moved(void)
{
	struct shot s;

	s = rig_manifest(NULL, "moved", 0);
	RIG_GIVEN(s);
	T_INT(t_server_count(&rig.server, "other GET /v2/moved/", NULL), 1);
	RIG_GIVEN(rig_manifest(NULL, "moved-rel", 0));
	/* cut off twice at the other place: asked for again from the beginning */
	s = rig_blob(NULL, "moved-cut", 300000, 300000);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 300000));
	T_INT(t_server_count(&rig.server, "main GET /v2/moved-cut/", NULL), 3);
	T_INT(t_server_count(&rig.server, "other GET /file/300000 range=bytes=200000-", NULL), 1);
}

/* A name may lead anywhere: what counts is the address that is connected to. */
static void
guarded(void)
{
	struct cv_net *n = rig_net(0, NULL, NULL);
	cv_auto(cv_buf_free) struct cv_buf body = CV_BUF(100);
	struct cv_get g = { .method = CV_GET,
			    .what = "x",
			    .guarded = true,
			    .home = CV_REACH_OTHER,
			    .max = 100,
			    .out = -1,
			    .mem = &body };
	struct cv_err e = { 0 };
	char url[100];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/file/9", rig.server.main);
	T_OK(cv_url_parse(&g.url, url, &e), e);
	T_NO(cv_get(n, &g, &e), e, CV_R_UNREACHABLE);
	T_HAS(e.text, "loopback or link-local address, which is refused, 1 try");
	g.home = CV_REACH_LINK;
	T_NO(cv_get(n, &g, &e), e, CV_R_UNREACHABLE);
	g.home = CV_REACH_LOOPBACK;
	T_OK(cv_get(n, &g, &e), e);
	T_INT(body.n, 9);
	cv_get_free(&g);
	cv_net_close(&n);
}

static void
hints(void)
{
	struct shot s;
	struct cv_digest d;
	struct cv_err e = { 0 };

	s = rig_manifest(NULL, "any", 0);
	RIG_GIVEN(s);
	T_STR(s.a.media, CV_MT_OCI_MANIFEST);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(s.got, s.n), &e), e);
	T(cv_digest_eq(&d, &s.a.digest));
	s = rig_manifest(NULL, "odd-type", 0);
	RIG_GIVEN(s);
	T_STR(s.a.media, "");
	T_INT(s.a.digest.alg, CV_ALG_NONE);
	/* wrong bytes are delivered as they are: verify hashes them */
	s = rig_manifest(NULL, "flipped", 0);
	RIG_GIVEN(s);
	T_STR(s.a.media, "text/plain");
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(s.got, s.n), &e), e);
	T(!cv_digest_eq(&d, &s.a.digest));
}

static struct shot
resolve(const char *repo)
{
	struct cv_ask q = { .ref = "v1" };

	rig_repo(&q, repo);
	return rig_ask(NULL, cv_registry_resolve, &q);
}

static void
resolving(void)
{
	struct cv_digest d;
	struct shot s;
	unsigned got;

	RIG_ABSENT(resolve("none"));
	got = t_server_count(&rig.server, "GET /v2/any/manifests", NULL);
	RIG_ABSENT(resolve("head-lost"));
	RIG_FAILS(resolve("down"), CV_R_UNREACHABLE, "HEAD manifest v1: HTTP 502, 5 tries");
	RIG_FAILS(resolve("forbidden"), CV_R_DENIED, "HTTP 403");
	s = resolve("any");
	RIG_GIVEN(s);
	d = s.a.digest;
	T_INT(d.alg, CV_SHA256);
	T_STR(s.a.media, CV_MT_OCI_MANIFEST);
	T(s.a.size > 100);
	T_INT(t_server_count(&rig.server, "GET /v2/any/manifests", NULL), got);
	s = resolve("head-no");
	RIG_GIVEN(s);
	T(cv_digest_eq(&d, &s.a.digest));
	s = resolve("head-mute");
	RIG_GIVEN(s);
	T(cv_digest_eq(&d, &s.a.digest));
}

static void
addresses(void)
{
	static const struct {
		const char *name, *want;
		bool plain;
	} names[] = {
		{ "docker.io/library/x", "https://registry-1.docker.io/v2/library/x/manifests/v1",
		  false },
		{ "registry.example:5000/a/b", "https://registry.example:5000/v2/a/b/manifests/v1",
		  false },
		{ "localhost:5000/a", "http://localhost:5000/v2/a/manifests/v1", true },
	};
	struct cv_err e = { 0 };
	struct cv_url u;
	size_t i;

	for (i = 0; i < CV_COUNT(names); i++) {
		struct cv_ask q = { .plain = names[i].plain };

		T_OK(cv_repo_parse(&q.repo, cv_span_str(names[i].name), &e), e);
		T_OK(cv_registry_url(&u, &q, "manifests", "v1", &e), e);
		T_STR(u.text, names[i].want);
	}
}

static void
questions(void)
{
	static const char *const refs[] = { "",
					    "a b",
					    "../x",
					    "-x",
					    "v1/y",
					    "sha256:12",
					    "md5:d41d8cd98f00b204e9800998ecf8427e",
					    "v1?x=y" };
	struct cv_ask q = { 0 };
	struct shot s;
	size_t i;

	rig_repo(&q, "any");
	for (i = 0; i < CV_COUNT(refs); i++) {
		q.ref = refs[i];
		s = rig_ask(NULL, cv_registry_manifest, &q);
		if (s.rc != -1 || (s.e.reason != CV_R_MALFORMED && s.e.reason != CV_R_UNSUPPORTED))
			t_fail(__FILE__, __LINE__, "\"%s\": %s", refs[i], s.e.text);
	}
	RIG_FAILS(rig_url(NULL, "http://registry.example/x", 0), CV_R_UNREACHABLE,
		  "plain http is for loopback only");
	RIG_FAILS(rig_url(NULL, "https://u:p@registry.example/x", 0), CV_R_MALFORMED, "user");
	RIG_FAILS(rig_url(NULL, "file:///etc/passwd", 0), CV_R_MALFORMED, "scheme");
	s = rig_url(NULL, "http://127.0.0.1:PORT/file/77", rig.server.main);
	RIG_GIVEN(s);
	T(rig_is_pattern(&s, 77));
	s = rig_url(NULL, "http://localhost:PORT/file/78", rig.server.main);
	RIG_GIVEN(s);
	RIG_ABSENT(rig_url(NULL, "http://127.0.0.1:PORT/nothing", rig.server.main));
	/* no authority is trusted: no https at all */
	RIG_FAILS(rig_url(NULL, "https://127.0.0.1:PORT/", rig.server.main), CV_R_UNREACHABLE,
		  "no certificate authorities");
}

static const struct t_case cases[] = {
	{ "statuses", statuses },
	{ "later", later },
	{ "no-http", no_http },
	{ "slow", slow },
	{ "limits", limits },
	{ "cut-refused", cut_refused },
	{ "cut-gone", cut_gone },
	{ "cut-resumed", cut_resumed },
	{ "moved-refused", moved_refused },
	{ "moved", moved },
	{ "guarded", guarded },
	{ "hints", hints },
	{ "resolve", resolving },
	{ "addresses", addresses },
	{ "questions", questions },
};
T_MAIN(cases)
