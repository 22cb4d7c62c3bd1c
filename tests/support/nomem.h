/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nomem.h: one allocation of this program fails. For exactly one file of a test
 * program: it defines the C library's allocator (glibc's own is behind it), so
 * that libraries' allocations fail too. Sanitizers have their own: there
 * T_NOMEM is 0 and a test skips.
 *
 *     for (size_t k = 1; t_nomem(k), ran = call(), t_nomem_hit(); k++)
 *         ... the k-th allocation failed: ran has to be a failure
 */
#ifndef CV_T_NOMEM_H
#define CV_T_NOMEM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define T_NOMEM 0
#endif
#endif
#if !defined(T_NOMEM) && (defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__))
#define T_NOMEM 0
#endif
#ifndef T_NOMEM
#define T_NOMEM 1
#endif

static size_t t_nomem_left; /* 0: none fails */
static bool t_nomem_was;

/* t_nomem: the k-th allocation from now on fails, once; 0 none. */
static inline void
t_nomem(size_t k)
{
	t_nomem_left = k;
	t_nomem_was = false;
}

/* t_nomem_hit: did one fail? No more will. */
static inline bool
t_nomem_hit(void)
{
	t_nomem_left = 0;
	return t_nomem_was;
}

#if T_NOMEM
static inline bool
t_nomem_now(void)
{
	if (t_nomem_left == 0 || --t_nomem_left > 0)
		return false;
	t_nomem_was = true;
	errno = ENOMEM;
	return true;
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	return t_nomem_now() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return t_nomem_now() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return t_nomem_now() ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || t_nomem_now()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, bytes);
}
#endif

#endif
