/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h: a read-only cursor over untrusted bytes, with sticky failure.
 *
 * Taking more than is there sets `bad`, empties the span and yields zeros or
 * an empty span; later takes do the same. So a reader takes all its fields and
 * tests `bad` once. "Everything was consumed" is cv_span_done(), not a habit.
 * A span owns nothing.
 */
#ifndef CV_SPAN_H
#define CV_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cv_span {
	const uint8_t *p; /* never dereferenced when n == 0 */
	size_t n;         /* bytes left */
	bool bad;         /* something was taken that was not there */
};

static inline struct cv_span
cv_span(const void *p, size_t n)
{
	return (struct cv_span){ .p = p, .n = n, .bad = false };
}

/* cv_span_str: the bytes of a C string, without its NUL; "" for NULL. */
struct cv_span cv_span_str(const char *s);

struct cv_span cv_span_take(struct cv_span *s, size_t n);
uint8_t cv_span_u8(struct cv_span *s);
uint16_t cv_span_u16le(struct cv_span *s);
uint32_t cv_span_u32le(struct cv_span *s);
uint64_t cv_span_u64le(struct cv_span *s);
uint16_t cv_span_u16be(struct cv_span *s);
uint32_t cv_span_u32be(struct cv_span *s);
uint64_t cv_span_u64be(struct cv_span *s);

/* cv_span_until: bytes before the next `byte`, which is consumed too; sets bad
 * when there is none. */
struct cv_span cv_span_until(struct cv_span *s, uint8_t byte);

/* cv_span_done: true if nothing went wrong and nothing is left. */
bool cv_span_done(const struct cv_span *s);

bool cv_span_eq(struct cv_span a, struct cv_span b);
bool cv_span_eq_str(struct cv_span a, const char *s);
bool cv_span_has_prefix(struct cv_span a, const char *prefix);
bool cv_span_has_suffix(struct cv_span a, const char *suffix);

#endif
