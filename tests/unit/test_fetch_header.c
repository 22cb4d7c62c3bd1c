/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of header fields, challenges and URLs: what a server may send. */
#include "fetch/challenge.h"
#include "fetch/header.h"
#include "fetch/url.h"
#include "tests/support/t.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct cv_span
sp(const char *s)
{
	return cv_span_str(s);
}

/* ---- media types ---- */

static void
media(void)
{
	static const char *const bad[] = {
		"",        "text",           "/x",     "text/", "text/x y",
		"te xt/x", "text/x, text/y", "\x01/x", "a/b/c"
	};
	char out[CV_MEDIA_MAX + 1];
	char big[400];
	size_t i;

	for (i = 0; i < CV_COUNT(bad); i++) {
		cv_header_media(out, sp(bad[i]));
		T_STR(out, "");
	}
	memset(big, 'a', sizeof(big));
	big[10] = '/';
	cv_header_media(out, cv_span(big, 256));
	T_STR(out, "");
	cv_header_media(out, cv_span(big, 255));
	T_INT(strlen(out), 255);
	cv_header_media(out, sp("  Application/Vnd.OCI.image.index.v1+JSON ; charset=utf-8"));
	T_STR(out, "application/vnd.oci.image.index.v1+json");
}

/* ---- ranges ---- */

static void
range(void)
{
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes 0-9",
		"bytes 5-4/10",
		"bytes 0-9/9",
		"bytes 0-9/10x",
		"bytes -1-9/10",
		"bytes 0-/10",
		"bytes */10",
		"items 0-9/10",
		"bytes=0-9/10",
		"bytes 00-9/10",
		"bytes 0-9/99999999999999999999",
		"bytes 0 -9/10",
		"bytes 0-9/",
		"bytes 0-9/10, bytes 0-9/10",
	};
	struct cv_range r;
	size_t i;

	for (i = 0; i < CV_COUNT(bad); i++)
		if (cv_header_range(&r, sp(bad[i])) == 0)
			t_fail(__FILE__, __LINE__, "accepted \"%s\"", bad[i]);
	T_INT(cv_header_range(&r, sp("bytes 5-9/10")), 0);
	T(r.first == 5 && r.last == 9 && r.total == 10);
	T_INT(cv_header_range(&r, sp("Bytes 0-0/*")), 0);
	T(r.first == 0 && r.last == 0 && r.total == UINT64_MAX);
}

/* ---- Retry-After ---- */

static void
retry(void)
{
	static const char *const bad[] = { "",    "-1",          "1.5",  "soon",
					   "1 2", "99999999999", "0x10", "+3" };
	const char *date = "Sun, 06 Nov 1994 08:49:37 GMT";
	int64_t s;
	size_t i;

	for (i = 0; i < CV_COUNT(bad); i++)
		if (cv_header_retry(&s, sp(bad[i]), sp(""), 0) == 0)
			t_fail(__FILE__, __LINE__, "accepted \"%s\" as %lld", bad[i], (long long)s);
	T_INT(cv_header_retry(&s, sp(" 120 "), sp(""), 0), 0);
	T_INT(s, 120);
	/* the server's own clock counts, whatever ours says */
	T_INT(cv_header_retry(&s, sp("Sun, 06 Nov 1994 08:50:07 GMT"), sp(date), 2000000000), 0);
	T_INT(s, 30);
	T_INT(cv_header_retry(&s, sp(date), sp("Sun, 06 Nov 1994 08:50:07 GMT"), 0), 0);
	T_INT(s, 0);
	T_INT(cv_header_retry(&s, sp(date), sp(""), 784111777 - 5), 0);
	T_INT(s, 5);
}

/* ---- Link ---- */

static void
link_next(void)
{
	static const char *const none[] = { "",
					    "</x>; rel=prev",
					    "</x>",
					    "</x>; title=\"rel=next\"",
					    "</x>; rel=prev; rel=next",
					    "</x>;rel=nextish",
					    " , ," };
	static const char *const bad[] = {
		"/x; rel=next",  "</x; rel=next", "</x>; rel=\"next",   "<>; rel=next",
		"</x> rel=next", "</x>; rel=",    "</x>; rel=next </y>"
	};
	static const char *const good[] = { "</x>; rel=next", "</x>;rel=\"next\"",
					    "</y>; rel=prev, </x>; rel=\"last next\"",
					    "</x>; title=\"a,b;<c>\"; REL=Next",
					    ",</x>;rel=next,</z>;rel=next" };
	char out[32];
	size_t i;

	for (i = 0; i < CV_COUNT(none); i++)
		if (cv_header_next(out, sizeof(out), sp(none[i])) != 0)
			t_fail(__FILE__, __LINE__, "found one in %s", none[i]);
	for (i = 0; i < CV_COUNT(bad); i++)
		if (cv_header_next(out, sizeof(out), sp(bad[i])) != -1)
			t_fail(__FILE__, __LINE__, "understood %s", bad[i]);
	T_INT(cv_header_next(out, 2, sp(good[0])), -1);
	for (i = 0; i < CV_COUNT(good); i++) {
		if (cv_header_next(out, sizeof(out), sp(good[i])) != 1)
			t_fail(__FILE__, __LINE__, "not found in %s", good[i]);
		T_STR(out, "/x");
	}
}

/* ---- challenges ---- */

static void
challenge_bad(void)
{
	static const char *const bad[] = {
		"Bearer realm=\"x",   "Bearer realm=\"x\" service=\"y\"", "=x",
		"Bearer realm=",      "Bearer realm=\"a\",realm=\"b\"",   "Bearer realm=a,Realm=b",
		"Bearer\x01realm=x",  "Bearer realm=\"a\",,scope=",       "Basic realm=\"a\\",
		"\"Bearer\" realm=x",
	};
	struct cv_challenge c;
	struct cv_err e = { 0 };
	char big[1200] = "Bearer realm=";
	size_t i;

	for (i = 0; i < CV_COUNT(bad); i++)
		if (cv_challenge_pick(&c, sp(bad[i]), &e) > 0)
			t_fail(__FILE__, __LINE__, "accepted %s", bad[i]);
	memset(big + strlen(big), 'a', 1100);
	T_INT(cv_challenge_pick(&c, sp(big), &e), -1);
	T_INT(e.reason, CV_R_MALFORMED);
	T_INT(cv_challenge_pick(&c, sp(""), &e), 0);
	T_INT(cv_challenge_pick(&c, sp("Negotiate, NTLM abc=="), &e), 0);
	T_INT(cv_challenge_pick(&c, sp("Bearer"), &e), 0);
}

static void
challenge_good(void)
{
	struct cv_challenge c;
	struct cv_err e = { 0 };

	T_INT(cv_challenge_pick(&c,
				sp("bearer Realm=\"https://a/t\", service=\"s\\\"q\" ,"
				   "scope=\"repository:a/b:pull,push\",error=\"x\""),
				&e),
	      1);
	T(c.bearer);
	T_STR(c.realm, "https://a/t");
	T_STR(c.service, "s\"q");
	T_STR(c.scope, "repository:a/b:pull,push");
	T_INT(cv_challenge_pick(&c, sp("Basic realm=\"b\", Negotiate dGVzdA==, Bearer realm=r"),
				&e),
	      1);
	T(c.bearer);
	T_STR(c.realm, "r");
	T_STR(c.scope, "");
	T_INT(cv_challenge_pick(&c, sp("Digest realm=x, qop=\"auth\", BASIC realm=b"), &e), 1);
	T(!c.bearer);
	T_STR(c.realm, "b");
	T_INT(cv_challenge_pick(&c, sp("Basic"), &e), 1);
	T(!c.bearer);
	/* a Bearer without a realm cannot be answered, the Basic beside it can */
	T_INT(cv_challenge_pick(&c, sp("Bearer service=s, Basic realm=b"), &e), 1);
	T(!c.bearer);
}

/* ---- URLs ---- */

static void
url_bad(void)
{
	static const char *const bad[] = {
		"",
		"example.org",
		"//example.org/",
		"ftp://example.org/",
		"file:///etc/passwd",
		"https://",
		"https:///x",
		"https://u@example.org/",
		"https://u:p@example.org/",
		"https://:p@example.org/",
		"https://example.org:0/",
		"https://example.org:65536/",
		"https://example.org:x/",
		"https://exa mple.org/",
		"https://example.org/a b",
		"https://example.org/\r\nX: y",
		"https://example.org\\@evil.org/",
		"https://ex\xc3\xa4mple.org/",
		"https://example.org./",
		"https://[fe80::1%25eth0]/",
		"https://[::1/",
		"https://%65xample%00.org/",
		"gopher://x/",
		"http://0x%41/",
		"http://0x7f%2e1/",
		"https:/example.org",
	};
	struct cv_err e = { 0 };
	struct cv_url u;
	char big[CV_MAX_URL + 100] = "https://example.org/";
	size_t i;

	for (i = 0; i < CV_COUNT(bad); i++)
		if (cv_url_parse(&u, bad[i], &e) == 0)
			t_fail(__FILE__, __LINE__, "accepted %s as %s", bad[i], u.text);
	memset(big + 20, 'a', CV_MAX_URL);
	T_NO(cv_url_parse(&u, big, &e), e, CV_R_MALFORMED);
}

static void
url_good(void)
{
	struct cv_err e = { 0 };
	struct cv_url u, v;
	char where[CV_HOSTPORT];

	T_OK(cv_url_parse(&u, "HTTPS://Example.ORG/a/../b?c=d#frag", &e), e);
	T(u.https);
	T_STR(u.host, "example.org");
	T_INT(u.port, 443);
	T_STR(cv_url_hostport(&u, where), "example.org:443");
	T(strchr(u.text, '#') == NULL);
	T_OK(cv_url_join(&v, &u, "/x?y", &e), e);
	T_STR(v.text, "https://example.org/x?y");
	T(cv_url_same_origin(&u, &v));
	T_OK(cv_url_join(&v, &u, "https://example.org:443/", &e), e);
	T(cv_url_same_origin(&u, &v));
	T_OK(cv_url_join(&v, &u, "//other.org/z", &e), e);
	T_STR(v.text, "https://other.org/z");
	T(!cv_url_same_origin(&u, &v));
	T_OK(cv_url_join(&v, &u, "http://example.org/", &e), e);
	T(!cv_url_same_origin(&u, &v));
	T_OK(cv_url_parse(&v, "https://example.org:444/", &e), e);
	T(!cv_url_same_origin(&u, &v));
	T_NO(cv_url_join(&v, &u, "https://u@example.org/", &e), e, CV_R_MALFORMED);
	T_NO(cv_url_join(&v, &u, "javascript:x", &e), e, CV_R_MALFORMED);
}

static void
reach(void)
{
	static const struct {
		const char *host;
		enum cv_reach want;
	} hosts[] = {
		{ "127.0.0.1", CV_REACH_LOOPBACK },
		{ "127.9.8.7", CV_REACH_LOOPBACK },
		{ "0.0.0.0", CV_REACH_LOOPBACK },
		{ "[::1]", CV_REACH_LOOPBACK },
		{ "[::]", CV_REACH_LOOPBACK },
		{ "localhost", CV_REACH_LOOPBACK },
		{ "a.LocalHost", CV_REACH_LOOPBACK },
		{ "[::ffff:127.0.0.1]", CV_REACH_LOOPBACK },
		{ "[64:ff9b::7f00:1]", CV_REACH_LOOPBACK },
		{ "169.254.169.254", CV_REACH_LINK },
		{ "[fe80::1]", CV_REACH_LINK },
		{ "[febf::1]", CV_REACH_LINK },
		{ "[::ffff:169.254.1.1]", CV_REACH_LINK },
		{ "[fd00:ec2::254]", CV_REACH_LINK },
		{ "100.100.100.200", CV_REACH_LINK },
		{ "10.0.0.1", CV_REACH_OTHER },
		{ "notlocalhost", CV_REACH_OTHER },
		{ "[2001:db8::1]", CV_REACH_OTHER },
		{ "example.org", CV_REACH_OTHER },
		{ "[fec0::1]", CV_REACH_OTHER },
	};
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un_like {
		sa_family_t family;
		char path[30];
	} un = { .family = AF_UNIX };
	struct cv_err e = { 0 };
	struct cv_url u;
	size_t i;

	for (i = 0; i < CV_COUNT(hosts); i++)
		if (cv_reach_host(hosts[i].host) != hosts[i].want)
			t_fail(__FILE__, __LINE__, "%s", hosts[i].host);
	in.sin_addr.s_addr = htonl(0xa9fea9fe);
	T_INT(cv_reach_addr((const struct sockaddr *)&in), CV_REACH_LINK);
	T_INT(cv_reach_addr((const struct sockaddr *)(const void *)&un), CV_REACH_LOOPBACK);
	/* other ways to write an IPv4 address are brought into one */
	T_OK(cv_url_parse(&u, "http://0x7f.1/", &e), e);
	T_INT(cv_reach_host(u.host), CV_REACH_LOOPBACK);
	T_OK(cv_url_parse(&u, "http://2852039166/", &e), e);
	T_INT(cv_reach_host(u.host), CV_REACH_LINK);
	T_OK(cv_url_parse(&u, "http://%31%32%37.0.0.1/", &e), e);
	T_INT(cv_reach_host(u.host), CV_REACH_LOOPBACK);
	T_OK(cv_url_parse(&u, "http://[0:0:0:0:0:ffff:7f00:1]/", &e), e);
	T_INT(cv_reach_host(u.host), CV_REACH_LOOPBACK);
}

static const struct t_case cases[] = {
	{ "media", media },
	{ "range", range },
	{ "retry", retry },
	{ "link", link_next },
	{ "challenge-bad", challenge_bad },
	{ "challenge-good", challenge_good },
	{ "url-bad", url_bad },
	{ "url-good", url_good },
	{ "reach", reach },
};
T_MAIN(cases)
