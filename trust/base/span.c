/* SPDX-License-Identifier: Apache-2.0 */
/* span.c: the cursor over untrusted bytes. Never reads outside [p, p + n). */
#include "trust/base/span.h"

#include <string.h>

#include "trust/base/banned.h"

struct cv_span
cv_span_str(const char *s)
{
	return s == NULL ? cv_span(NULL, 0) : cv_span(s, strlen(s));
}

static struct cv_span
gone(struct cv_span *s)
{
	s->bad = true;
	s->n = 0;
	/* what was cut from a bad span is bad too, so cv_span_done of it fails */
	return (struct cv_span){ .p = s->p, .n = 0, .bad = true };
}

struct cv_span
cv_span_take(struct cv_span *s, size_t n)
{
	struct cv_span part;

	if (s->bad || n > s->n)
		return gone(s);
	part = cv_span(s->p, n);
	if (n != 0) { /* NULL + 0 is undefined in C11 */
		s->p += n;
		s->n -= n;
	}
	return part;
}

static uint64_t
take_le(struct cv_span *s, size_t n)
{
	struct cv_span part = cv_span_take(s, n);
	uint64_t v = 0;

	for (size_t i = part.n; i > 0; i--)
		v = v << 8 | part.p[i - 1];
	return v;
}

static uint64_t
take_be(struct cv_span *s, size_t n)
{
	struct cv_span part = cv_span_take(s, n);
	uint64_t v = 0;

	for (size_t i = 0; i < part.n; i++)
		v = v << 8 | part.p[i];
	return v;
}

uint8_t
cv_span_u8(struct cv_span *s)
{
	return (uint8_t)take_le(s, 1);
}

uint16_t
cv_span_u16le(struct cv_span *s)
{
	return (uint16_t)take_le(s, 2);
}

uint32_t
cv_span_u32le(struct cv_span *s)
{
	return (uint32_t)take_le(s, 4);
}

uint64_t
cv_span_u64le(struct cv_span *s)
{
	return take_le(s, 8);
}

uint16_t
cv_span_u16be(struct cv_span *s)
{
	return (uint16_t)take_be(s, 2);
}

uint32_t
cv_span_u32be(struct cv_span *s)
{
	return (uint32_t)take_be(s, 4);
}

uint64_t
cv_span_u64be(struct cv_span *s)
{
	return take_be(s, 8);
}

struct cv_span
cv_span_until(struct cv_span *s, uint8_t byte)
{
	const uint8_t *end = s->bad || s->n == 0 ? NULL : memchr(s->p, byte, s->n);
	struct cv_span part;

	if (end == NULL)
		return gone(s);
	part = cv_span_take(s, (size_t)(end - s->p));
	cv_span_take(s, 1);
	return part;
}

bool
cv_span_done(const struct cv_span *s)
{
	return !s->bad && s->n == 0;
}

static bool
equal(const uint8_t *a, const void *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

/* What is bad equals nothing: a missing field must not match a wanted "". */
bool
cv_span_eq(struct cv_span a, struct cv_span b)
{
	return !a.bad && !b.bad && a.n == b.n && equal(a.p, b.p, a.n);
}

bool
cv_span_eq_str(struct cv_span a, const char *s)
{
	return cv_span_eq(a, cv_span_str(s));
}

bool
cv_span_has_prefix(struct cv_span a, const char *prefix)
{
	size_t n = strlen(prefix);

	return !a.bad && a.n >= n && equal(a.p, prefix, n);
}

bool
cv_span_has_suffix(struct cv_span a, const char *suffix)
{
	size_t n = strlen(suffix);

	return !a.bad && a.n >= n && (n == 0 || memcmp(a.p + (a.n - n), suffix, n) == 0);
}
