/* SPDX-License-Identifier: Apache-2.0 */
/* minisign.c: see minisign.h. Must never hand out a comment or a message before the
 * signature over it was verified. */
#include "trust/minisign.h"
#include "trust/ed25519.h"
#include "trust/base/ssl.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define UNTRUSTED "untrusted comment: "
#define TRUSTED   "trusted comment: "

const char *
cv_minisign_number(const uint8_t number[8], char out[CV_MINISIGN_NUMBER])
{
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(out + 2 * i, 3, "%02X", (unsigned)number[7 - i]);
	return out;
}

/* A line without its LF; the file's end ends the last one. */
static struct cv_span
line(struct cv_span *s)
{
	const void *lf = s->n > 0 ? memchr(s->p, '\n', s->n) : NULL;

	return lf != NULL ? cv_span_until(s, '\n') : cv_span_take(s, s->n);
}

static int
comment(struct cv_span *s, const char *prefix, size_t max, struct cv_span *ret, struct cv_err *e)
{
	struct cv_span text = line(s), rest;

	if (!cv_span_has_prefix(text, prefix))
		return cv_fail(e, CV_R_MALFORMED, "found no line that starts with \"%s\"", prefix);
	cv_span_take(&text, strlen(prefix));
	if (text.n > max)
		return cv_fail(e, CV_R_LIMIT, "found a comment of %zu bytes, want at most %zu",
			       text.n, max);
	for (rest = text; rest.n > 0;) {
		uint32_t cp = cv_utf8_next(&rest);

		if (rest.bad || (cp != '\t' && cv_text_hidden(cp) != NULL))
			return cv_fail(e, CV_R_MALFORMED,
				       "the %.*s holds bytes that are not UTF-8, or characters "
				       "that cannot be seen",
				       (int)strlen(prefix) - 2, prefix);
	}
	*ret = text;
	return 0;
}

/* A line of base64 that is exactly n bytes. */
static int
decode(uint8_t *out, size_t n, struct cv_span text, const char *what, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(n);

	if (text.n != (n + 2) / 3 * 4)
		return cv_fail(e, CV_R_MALFORMED,
			       "found a %s of %zu characters, want %zu, of base64", what, text.n,
			       (n + 2) / 3 * 4);
	if (cv_base64_decode(&b, text, e) != 0 || cv_buf_ok(&b, what, e) != 0)
		return cv_fail_within(e, "%s", what);
	if (b.n != n)
		return cv_fail(e, CV_R_MALFORMED, "found a %s of %zu bytes, want %zu", what, b.n,
			       n);
	memcpy(out, b.p, n);
	return 0;
}

int
cv_minisign_key_parse(struct cv_minisign_key *ret, struct cv_span text, struct cv_err *e)
{
	uint8_t raw[42];
	struct cv_span ignored, body;

	if (cv_span_has_prefix(text, UNTRUSTED) &&
	    comment(&text, UNTRUSTED, CV_MINISIGN_COMMENT, &ignored, e) != 0)
		return -1;
	body = line(&text);
	if (text.n > 0)
		return cv_fail(e, CV_R_MALFORMED, "found %zu bytes after the key", text.n);
	if (decode(raw, sizeof(raw), body, "public key", e) != 0)
		return -1;
	if (memcmp(raw, "Ed", 2) != 0)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "found a key of algorithm %02x%02x, want \"Ed\" (Ed25519)", raw[0],
			       raw[1]);
	memcpy(ret->number, raw + 2, 8);
	memcpy(ret->key, raw + 10, 32);
	return cv_ed25519_key(cv_span(ret->key, sizeof(ret->key)), e);
}

/* The two lines that both formats begin with. */
static int
head(struct cv_minisign *s, struct cv_span *text, struct cv_err *e)
{
	struct cv_span ignored;
	uint8_t raw[74];

	*s = (struct cv_minisign){ 0 };
	if (comment(text, UNTRUSTED, CV_MINISIGN_COMMENT, &ignored, e) != 0 ||
	    decode(raw, sizeof(raw), line(text), "signature", e) != 0)
		return -1;
	s->prehashed = memcmp(raw, "ED", 2) == 0;
	if (!s->prehashed && memcmp(raw, "Ed", 2) != 0)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "found a signature of algorithm %02x%02x, want \"ED\" or \"Ed\"",
			       raw[0], raw[1]);
	memcpy(s->number, raw + 2, 8);
	memcpy(s->sig, raw + 10, 64);
	return 0;
}

int
cv_minisign_parse(struct cv_minisign *ret, struct cv_span text, struct cv_err *e)
{
	if (head(ret, &text, e) != 0 ||
	    comment(&text, TRUSTED, CV_MINISIGN_TRUSTED, &ret->trusted, e) != 0 ||
	    decode(ret->global, sizeof(ret->global), line(&text), "global signature", e) != 0)
		return -1;
	if (text.n > 0)
		return cv_fail(e, CV_R_MALFORMED, "found %zu bytes after the global signature",
			       text.n);
	return 0;
}

int
cv_signify_parse(struct cv_minisign *ret, struct cv_span text, struct cv_err *e)
{
	if (head(ret, &text, e) != 0)
		return -1;
	if (ret->prehashed)
		return cv_fail(e, CV_R_MALFORMED,
			       "found algorithm \"ED\", which is minisign's, want \"Ed\"");
	ret->signify = true;
	ret->embedded = text;
	return 0;
}

static int
blake2b(uint8_t out[64], struct cv_span m, struct cv_err *e)
{
	static const uint8_t nothing[1];
	unsigned n = 0;

	cv_ssl_clear();
	if (EVP_Digest(m.n > 0 ? m.p : nothing, m.n, out, &n, EVP_blake2b512(), NULL) != 1 ||
	    n != 64)
		return cv_ssl_fail(e, CV_R_UNSUPPORTED, "this OpenSSL has no BLAKE2b-512");
	return 0;
}

/* The second signature, over the first and the trusted comment. */
static int
check_global(const struct cv_minisign_key *k, const struct cv_minisign *s, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(sizeof(s->sig) + CV_MINISIGN_TRUSTED);

	cv_buf_add(&b, s->sig, sizeof(s->sig));
	cv_buf_add(&b, s->trusted.p, s->trusted.n);
	if (cv_buf_ok(&b, "the trusted comment", e) != 0)
		return -1;
	if (cv_ed25519_verify(cv_span(k->key, 32), cv_buf_span(&b), cv_span(s->global, 64), e) != 0)
		return cv_fail_within(e, "trusted comment");
	return 0;
}

int
cv_minisign_verify(const struct cv_minisign_key *k, const struct cv_minisign *s, struct cv_span m,
		   bool legacy, struct cv_minisign_proven *ret, struct cv_err *e)
{
	char found[CV_MINISIGN_NUMBER], want[CV_MINISIGN_NUMBER];
	struct cv_span key = cv_span(k->key, sizeof(k->key)), over;
	uint8_t hash[64];

	if (memcmp(k->number, s->number, sizeof(k->number)) != 0)
		return cv_fail(e, CV_R_IDENTITY, "signed with the key %s, want %s",
			       cv_minisign_number(s->number, found),
			       cv_minisign_number(k->number, want));
	if (!s->signify && !s->prehashed && !legacy)
		return cv_fail(e, CV_R_RULE,
			       "found minisign's legacy form (\"Ed\"), want the prehashed one");
	if (s->embedded.n > 0) {
		if (m.n > 0)
			return cv_fail(e, CV_R_AMBIGUOUS,
				       "the signature holds its message, and another was given");
		m = s->embedded;
	}
	if (m.n > CV_MAX_PURE_MESSAGE)
		return cv_fail(e, CV_R_UNSUPPORTED, "found %zu bytes, more than the %llu held", m.n,
			       CV_MAX_PURE_MESSAGE);
	over = m;
	if (s->prehashed) {
		if (blake2b(hash, m, e) != 0)
			return -1;
		over = cv_span(hash, sizeof(hash));
	}
	if (cv_ed25519_verify(key, over, cv_span(s->sig, sizeof(s->sig)), e) != 0 ||
	    (!s->signify && check_global(k, s, e) != 0))
		return -1;
	*ret = (struct cv_minisign_proven){ .message = m,
					    .comment = s->trusted,
					    .legacy = !s->signify && !s->prehashed };
	return 0;
}

/* ---- checksum lists ---- */

static const struct {
	const char *prefix;
	enum cv_alg alg;
} lists[] = { { "SHA256 (", CV_SHA256 }, { "SHA384 (", CV_SHA384 }, { "SHA512 (", CV_SHA512 } };

/* NAME and digest of one line. A name may hold ") = "; the hex after the last cannot. */
static int
entry(struct cv_digest *d, struct cv_span *name, struct cv_span text, struct cv_err *e)
{
	for (size_t i = 0; i < CV_COUNT(lists); i++) {
		size_t hex = 2 * cv_alg_size(lists[i].alg), head_n = strlen(lists[i].prefix);
		struct cv_span rest = text;

		if (!cv_span_has_prefix(text, lists[i].prefix) || text.n <= head_n + 4 + hex)
			continue;
		cv_span_take(&rest, head_n);
		*name = cv_span_take(&rest, text.n - head_n - 4 - hex);
		if (!cv_span_eq_str(cv_span_take(&rest, 4), ") = "))
			break;
		return cv_digest_hex(d, lists[i].alg, rest, e);
	}
	return cv_fail(e, CV_R_MALFORMED,
		       "found a line that is not \"SHA256 (NAME) = \" and hex digits");
}

int
cv_signify_listed(struct cv_digest *ret, struct cv_span list, struct cv_span name, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	bool found = false;

	while (list.n > 0) {
		struct cv_digest d;
		struct cv_span n;

		if (entry(&d, &n, line(&list), e) != 0)
			return cv_fail_within(e, "checksum list");
		if (!cv_span_eq(n, name))
			continue;
		if (found)
			return cv_fail(e, CV_R_AMBIGUOUS, "checksum list: %s is there twice",
				       cv_text_brief(brief, name));
		found = true;
		*ret = d;
	}
	if (!found)
		return cv_fail(e, CV_R_ABSENT, "checksum list: %s is not there",
			       cv_text_brief(brief, name));
	return 0;
}
