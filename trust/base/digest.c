/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.c: the only file that hashes. It must never hand out a digest of fewer
 * bytes than it was asked for.
 *
 * By OpenSSL's SHA2 functions themselves, which its newer interface would find by
 * way of providers, fetching and locks: that costs every process most of a
 * millisecond and is one more thing that wants memory. The functions are the same;
 * 3.0 calls them deprecated.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/base/digest.h"
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* Fits the second-level cache, so that what pread copied is hashed before it
 * leaves; measured against 16 KiB to 4 MiB. */
#define CHUNK (128 * 1024)

static const struct {
	const char *name;
	size_t size;
} algs[] = {
	[CV_ALG_NONE] = { "none", 0 },
	[CV_SHA256] = { "sha256", 32 },
	[CV_SHA384] = { "sha384", 48 },
	[CV_SHA512] = { "sha512", 64 },
};

static bool
known(enum cv_alg alg)
{
	return alg == CV_SHA256 || alg == CV_SHA384 || alg == CV_SHA512;
}

size_t
cv_alg_size(enum cv_alg alg)
{
	return known(alg) ? algs[alg].size : 0;
}

const char *
cv_alg_name(enum cv_alg alg)
{
	return known(alg) ? algs[alg].name : "none";
}

enum cv_alg
cv_alg_parse(struct cv_span s)
{
	for (unsigned i = CV_SHA256; i < CV_COUNT(algs); i++)
		if (cv_span_eq_str(s, algs[i].name))
			return (enum cv_alg)i;
	return CV_ALG_NONE;
}

int
cv_digest_hex(struct cv_digest *ret, enum cv_alg alg, struct cv_span hex, struct cv_err *e)
{
	struct cv_digest d = { .alg = alg };

	if (!known(alg))
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "digest: no known algorithm, want sha256, "
			       "sha384 or sha512");
	if (cv_hex_decode(d.b, cv_alg_size(alg), hex, e) != 0)
		return cv_fail_within(e, "%s digest", cv_alg_name(alg));
	*ret = d;
	return 0;
}

/* OCI image-spec descriptor.md: algorithm ::= component (separator component)*,
 * component ::= [a-z0-9]+, separator ::= [+._-] */
static bool
algorithm_grammar(struct cv_span s)
{
	bool after_component = false;

	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9'))
			after_component = true;
		else if (after_component && memchr("+._-", s.p[i], 4) != NULL)
			after_component = false;
		else
			return false;
	}
	return after_component;
}

int
cv_digest_parse(struct cv_digest *ret, struct cv_span text, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	struct cv_span rest = text, name = cv_span_until(&rest, ':');
	enum cv_alg alg = cv_alg_parse(name);

	if (rest.bad || !algorithm_grammar(name))
		return cv_fail(e, CV_R_MALFORMED, "found \"%s\", want a digest (sha256:<hex>)",
			       cv_text_brief(brief, text));
	if (alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "digest algorithm \"%s\", want sha256, sha384 or sha512",
			       cv_text_brief(brief, name));
	return cv_digest_hex(ret, alg, rest, e);
}

const char *
cv_digest_text(const struct cv_digest *d, char out[CV_DIGEST_TEXT])
{
	const char *name = cv_alg_name(d->alg);
	size_t n = strlen(name);

	memcpy(out, name, n + 1);
	if (known(d->alg)) {
		out[n] = ':';
		cv_hex_encode(out + n + 1, d->b, cv_alg_size(d->alg));
	}
	return out;
}

bool
cv_digest_eq(const struct cv_digest *a, const struct cv_digest *b)
{
	return known(a->alg) && a->alg == b->alg && memcmp(a->b, b->b, cv_alg_size(a->alg)) == 0;
}

int
cv_digest_cmp(const struct cv_digest *a, const struct cv_digest *b)
{
	if (a->alg != b->alg)
		return a->alg < b->alg ? -1 : 1;
	return memcmp(a->b, b->b, cv_alg_size(a->alg));
}

struct cv_hash {
	enum cv_alg alg;
	union {
		SHA256_CTX small;
		SHA512_CTX large; /* SHA-384 too */
	} ctx;
	bool ended;
};

int
cv_hash_open(struct cv_hash **ret, enum cv_alg alg, struct cv_err *e)
{
	struct cv_hash *h;

	if (!known(alg))
		return cv_fail(e, CV_R_BUG, "hashing with no algorithm");
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return cv_fail_memory(e);
	h->alg = alg;
	if (alg == CV_SHA256)
		(void)SHA256_Init(&h->ctx.small);
	else if (alg == CV_SHA384)
		(void)SHA384_Init(&h->ctx.large);
	else
		(void)SHA512_Init(&h->ctx.large);
	*ret = h;
	return 0;
}

int
cv_hash_add(struct cv_hash *h, const void *p, size_t n, struct cv_err *e)
{
	int ok = 1;

	if (h->ended)
		return cv_fail(e, CV_R_BUG, "hashing after the end");
	if (n != 0 && h->alg == CV_SHA256)
		ok = SHA256_Update(&h->ctx.small, p, n);
	else if (n != 0 && h->alg == CV_SHA384)
		ok = SHA384_Update(&h->ctx.large, p, n);
	else if (n != 0)
		ok = SHA512_Update(&h->ctx.large, p, n);
	return ok == 1 ? 0 : cv_fail(e, CV_R_BUG, "cannot go on with %s", algs[h->alg].name);
}

int
cv_hash_end(struct cv_hash *h, struct cv_digest *ret, struct cv_err *e)
{
	struct cv_digest d = { .alg = h->alg };
	int ok;

	if (h->ended)
		return cv_fail(e, CV_R_BUG, "hashing after the end");
	h->ended = true;
	if (h->alg == CV_SHA256)
		ok = SHA256_Final(d.b, &h->ctx.small);
	else if (h->alg == CV_SHA384)
		ok = SHA384_Final(d.b, &h->ctx.large);
	else
		ok = SHA512_Final(d.b, &h->ctx.large);
	if (ok != 1)
		return cv_fail(e, CV_R_BUG, "cannot end %s", algs[h->alg].name);
	*ret = d;
	return 0;
}

void
cv_hash_free(struct cv_hash **h)
{
	free(*h);
	*h = NULL;
}

int
cv_digest_of(struct cv_digest *ret, enum cv_alg alg, struct cv_span in, struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;

	if (in.bad)
		return cv_fail(e, CV_R_BUG, "hashing what was not there");
	if (cv_hash_open(&h, alg, e) != 0 || cv_hash_add(h, in.p, in.n, e) != 0)
		return -1;
	return cv_hash_end(h, ret, e);
}

/* When to give up. */
struct until {
	int64_t deadline;
	int cancel_fd;
};

static int
in_time(const struct until *u, struct cv_err *e)
{
	struct pollfd p = { .fd = u->cancel_fd, .events = POLLIN };

	if (cv_mono_left(u->deadline) == 0)
		return cv_fail(e, CV_R_DEADLINE, "hashing: out of time");
	if (u->cancel_fd >= 0 && poll(&p, 1, 0) > 0)
		return cv_fail(e, CV_R_CANCELLED, "cancelled");
	return 0;
}

static int
add_range(struct cv_hash *h, int fd, uint64_t off, uint64_t len, const struct until *u,
	  struct cv_err *e)
{
	cv_auto(cv_freep) uint8_t *chunk = malloc(len < CHUNK ? (size_t)len + 1 : CHUNK);
	uint64_t done = 0;
	ssize_t got;

	if (chunk == NULL)
		return cv_fail_memory(e);
	while (done < len) {
		if (in_time(u, e) != 0)
			return -1;
		got = pread(fd, chunk, len - done < CHUNK ? (size_t)(len - done) : CHUNK,
			    (off_t)(off + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cv_fail_errno(e, "hashing: cannot read");
		if (got == 0)
			return cv_fail(e, CV_R_CUTOFF, "hashing: ends after %llu bytes, want %llu",
				       (unsigned long long)done, (unsigned long long)len);
		if (cv_hash_add(h, chunk, (size_t)got, e) != 0)
			return -1;
		done += (uint64_t)got;
	}
	return 0;
}

int
cv_digest_fd(struct cv_digest *ret, enum cv_alg alg, int fd, uint64_t off, uint64_t len,
	     struct cv_err *e)
{
	return cv_digest_fd_until(ret, alg, fd, off, len, 0, -1, e);
}

int
cv_digest_fd_until(struct cv_digest *ret, enum cv_alg alg, int fd, uint64_t off, uint64_t len,
		   int64_t deadline, int cancel_fd, struct cv_err *e)
{
	struct until u = { .deadline = deadline, .cancel_fd = cancel_fd };
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;

	if (len > INT64_MAX || off > INT64_MAX - len)
		return cv_fail(e, CV_R_CUTOFF, "hashing: no file has %llu bytes from %llu",
			       (unsigned long long)len, (unsigned long long)off);
	/* A hint; a pipe or memfd that does not know it fails at pread or not at all. */
	if (len > CHUNK)
		(void)posix_fadvise(fd, (off_t)off, (off_t)len, POSIX_FADV_SEQUENTIAL);
	if (cv_hash_open(&h, alg, e) != 0 || add_range(h, fd, off, len, &u, e) != 0)
		return -1;
	return cv_hash_end(h, ret, e);
}
