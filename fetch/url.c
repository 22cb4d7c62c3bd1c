/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: see url.h. Must never understand a URL otherwise than libcurl does. */
#include "fetch/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static void
url_free(CURLU **u)
{
	curl_url_cleanup(*u);
	*u = NULL;
}

static void
part_free(char **part)
{
	curl_free(*part);
	*part = NULL;
}

/* bytes_ok: what no URL consists of and parsers treat in different ways. */
static bool
bytes_ok(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '\\')
			return false;
	return true;
}

/* A URL being taken apart. A part that is not there and one for which there was no
 * memory look alike to whoever asks for it: the latter is kept. */
struct parts {
	CURLU *u;
	bool no_memory;
};

static CURLUcode
noted(struct parts *p, CURLUcode code)
{
	p->no_memory = p->no_memory || code == CURLUE_OUT_OF_MEMORY;
	return code;
}

static bool
has_part(struct parts *p, CURLUPart part)
{
	cv_auto(part_free) char *s = NULL;

	return noted(p, curl_url_get(p->u, part, &s, 0)) == CURLUE_OK;
}

/* take: one part into a fixed array; -1 if it is missing or too long. */
static int
take(struct parts *p, CURLUPart part, unsigned flags, char *out, size_t size)
{
	cv_auto(part_free) char *s = NULL;
	size_t n;

	if (noted(p, curl_url_get(p->u, part, &s, flags)) != CURLUE_OK || (n = strlen(s)) >= size)
		return -1;
	memcpy(out, s, n + 1);
	return 0;
}

static int
bad(struct cv_err *e, const char *text, const char *why)
{
	char brief[CV_TEXT_BRIEF];

	return cv_fail(e, CV_R_MALFORMED, "URL \"%s\": %s", cv_text_brief(brief, cv_span_str(text)),
		       why);
}

static int
take_port(struct cv_url *ret, struct parts *p)
{
	char port[8];
	uint64_t v;

	if (take(p, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) != 0 ||
	    cv_u64_parse(&v, cv_span_str(port), 65535, NULL) != 0 || v == 0)
		return -1;
	ret->port = (unsigned)v;
	return 0;
}

static int
take_host(struct cv_url *ret, struct parts *p)
{
	size_t i;

	if (take(p, CURLUPART_HOST, 0, ret->host, sizeof(ret->host)) != 0 || ret->host[0] == '\0' ||
	    !bytes_ok(ret->host) || strchr(ret->host, '%') != NULL)
		return -1;
	for (i = 0; ret->host[i] != '\0'; i++)
		ret->host[i] = (char)tolower((unsigned char)ret->host[i]);
	if (ret->host[i - 1] == '.')
		return -1;
	return noted(p, curl_url_set(p->u, CURLUPART_HOST, ret->host, 0)) == CURLUE_OK ? 0 : -1;
}

/* slashes_ok: libcurl takes one to three slashes after the scheme for two. */
static bool
slashes_ok(const char *text)
{
	const char *rest = NULL;

	if (strncasecmp(text, "http:", 5) == 0)
		rest = text + 5;
	else if (strncasecmp(text, "https:", 6) == 0)
		rest = text + 6;
	return rest == NULL || (rest[0] == '/' && rest[1] == '/' && rest[2] != '/');
}

static int
take_apart(struct cv_url *ret, struct parts *p, const char *text, struct cv_err *e)
{
	char scheme[16];

	if (take(p, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) != 0 ||
	    (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
		return bad(e, text, "scheme is neither https nor http");
	ret->https = scheme[4] == 's';
	if (has_part(p, CURLUPART_USER) || has_part(p, CURLUPART_PASSWORD) ||
	    has_part(p, CURLUPART_OPTIONS))
		return bad(e, text, "has user information, which is refused");
	if (has_part(p, CURLUPART_ZONEID))
		return bad(e, text, "has a zone identifier, which is refused");
	if (take_host(ret, p) != 0)
		return bad(e, text, "no acceptable host");
	if (take_port(ret, p) != 0)
		return bad(e, text, "no acceptable port");
	if (noted(p, curl_url_set(p->u, CURLUPART_FRAGMENT, NULL, 0)) != CURLUE_OK ||
	    take(p, CURLUPART_URL, 0, ret->text, sizeof(ret->text)) != 0)
		return bad(e, text, "longer than is accepted");
	return 0;
}

static int
read_once(struct cv_url *ret, const char *base, const char *text, struct cv_err *e)
{
	cv_auto(url_free) CURLU *u = curl_url();
	struct parts p = { .u = u };
	CURLUcode code;
	int rc;

	*ret = (struct cv_url){ 0 };
	if (u == NULL)
		return cv_fail_memory(e);
	if (!bytes_ok(text))
		return bad(e, text, "has a byte that no URL has");
	if (!slashes_ok(text))
		return bad(e, text, "want two slashes after the scheme");
	if (strlen(text) > CV_MAX_URL)
		return bad(e, text, "longer than is accepted");
	code = base != NULL ? curl_url_set(u, CURLUPART_URL, base, 0) : CURLUE_OK;
	if (code == CURLUE_OUT_OF_MEMORY)
		return cv_fail_memory(e);
	if (code != CURLUE_OK)
		return bad(e, base, "cannot be a base");
	code = curl_url_set(u, CURLUPART_URL, text, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		return cv_fail_memory(e);
	if (code != CURLUE_OK)
		return bad(e, text, curl_url_strerror(code));
	rc = take_apart(ret, &p, text, e);
	return p.no_memory ? cv_fail_memory(e) : rc;
}

/* parse: the normalised text is read again when it is connected to, and has to
 * mean the same then: of the host "0x%41" a first reading makes the name "0xa",
 * and a second one the address 0.0.0.10. */
static int
parse(struct cv_url *ret, const char *base, const char *text, struct cv_err *e)
{
	struct cv_url again;

	if (read_once(ret, base, text, e) != 0 || read_once(&again, NULL, ret->text, e) != 0)
		return -1;
	if (!cv_url_same_origin(ret, &again) || strcmp(ret->text, again.text) != 0)
		return bad(e, text, "reads differently a second time");
	return 0;
}

int
cv_url_parse(struct cv_url *ret, const char *text, struct cv_err *e)
{
	return parse(ret, NULL, text, e);
}

int
cv_url_join(struct cv_url *ret, const struct cv_url *base, const char *ref, struct cv_err *e)
{
	return parse(ret, base->text, ref, e);
}

bool
cv_url_same_origin(const struct cv_url *a, const struct cv_url *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

const char *
cv_url_hostport(const struct cv_url *u, char out[CV_HOSTPORT])
{
	(void)snprintf(out, CV_HOSTPORT, "%s:%u", u->host, u->port);
	return out;
}

/* ---- addresses ---- */

static enum cv_reach
reach4(const uint8_t a[4])
{
	static const uint8_t alibaba[4] = { 100, 100, 100, 200 }; /* its metadata service */

	if (a[0] == 127 || a[0] == 0)
		return CV_REACH_LOOPBACK;
	if ((a[0] == 169 && a[1] == 254) || memcmp(a, alibaba, 4) == 0)
		return CV_REACH_LINK;
	return CV_REACH_OTHER;
}

static enum cv_reach
reach6(const uint8_t a[16])
{
	static const uint8_t zero[15];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	/* the IPv6 form of one cloud's metadata service, fd00:ec2::254 */
	static const uint8_t ec2[16] = { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 };

	if (memcmp(a, zero, 15) == 0 && a[15] <= 1)
		return CV_REACH_LOOPBACK;
	if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0 || memcmp(a, zero, 12) == 0)
		return reach4(a + 12);
	if ((a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || memcmp(a, ec2, 16) == 0)
		return CV_REACH_LINK;
	return CV_REACH_OTHER;
}

enum cv_reach
cv_reach_addr(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		return reach4((const uint8_t *)&in.sin_addr);
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		return reach6(in6.sin6_addr.s6_addr);
	}
	return CV_REACH_LOOPBACK; /* a local socket of some kind */
}

enum cv_reach
cv_reach_host(const char *host)
{
	static const char local[] = "localhost";
	size_t n = strlen(host), m = sizeof(local) - 1;
	char plain[CV_HOST_MAX + 1];
	uint8_t a[16];

	if (n >= m && strcasecmp(host + n - m, local) == 0 && (n == m || host[n - m - 1] == '.'))
		return CV_REACH_LOOPBACK;
	if (inet_pton(AF_INET, host, a) == 1)
		return reach4(a);
	if (n > 2 && n < sizeof(plain) && host[0] == '[') {
		memcpy(plain, host + 1, n - 2);
		plain[n - 2] = '\0';
		if (inet_pton(AF_INET6, plain, a) == 1)
			return reach6(a);
	}
	return CV_REACH_OTHER;
}
