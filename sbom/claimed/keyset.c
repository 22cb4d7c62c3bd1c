/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyset.c: a hash table with stack discipline. Removal in exactly the reverse
 * order of insertion may simply clear the slot: nothing that was placed later is
 * left behind it. Never lets a duplicate pass.
 */
#include "keyset.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "trust/base/banned.h"

/* 16 random bytes that the kernel put beside the program's arguments: no system
 * call and no file, which a sealed worker could not use. */
static uint64_t
seed(void)
{
	unsigned long at = getauxval(AT_RANDOM);
	uint64_t v = 0x9e3779b97f4a7c15u;

	if (at != 0)
		memcpy(&v, (const void *)at, sizeof(v));
	return v;
}

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

/* The object is part of the hash: the same key in another object is another. */
static uint64_t
hash(const char *key, size_t len, size_t object, bool fold)
{
	uint64_t h = mix(seed() ^ object);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)key[i];
		if (fold && c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		h = (h ^ c) * 0x100000001b3u;
		h ^= h >> 29;
	}
	return mix(h ^ len);
}

/* Where h is, or the free slot where it would go. */
static size_t
find(const struct cv_keyset *k, uint64_t h)
{
	size_t mask = k->slots - 1, i = (size_t)h & mask;

	while (k->slot[i] != 0 && k->stack[k->slot[i] - 1] != h)
		i = (i + 1) & mask;
	return i;
}

static int
grow(struct cv_keyset *k, struct cv_err *e)
{
	size_t cap = k->cap == 0 ? 256 : k->cap * 2;
	uint64_t *stack = realloc(k->stack, cap * sizeof(*stack));

	if (stack == NULL)
		return cv_fail_memory(e);
	k->stack = stack;
	uint32_t *at = realloc(k->at, cap * sizeof(*at));
	if (at == NULL)
		return cv_fail_memory(e);
	k->at = at;
	uint32_t *slot = calloc(cap * 2, sizeof(*slot));
	if (slot == NULL)
		return cv_fail_memory(e);
	free(k->slot);
	k->slot = slot;
	k->slots = cap * 2;
	k->cap = cap;
	for (size_t i = 0; i < k->n; i++) {
		size_t s = find(k, k->stack[i]);
		k->slot[s] = (uint32_t)(i + 1);
		k->at[i] = (uint32_t)s;
	}
	return 0;
}

int
cv_keyset_add(struct cv_keyset *k, size_t from, const char *key, size_t len, bool fold,
	      struct cv_err *e)
{
	uint64_t h = hash(key, len, from, fold);

	if (k->n == CV_MAX_SBOM_KEYS)
		return cv_fail(e, CV_R_LIMIT, "more than %d keys in open objects",
			       CV_MAX_SBOM_KEYS);
	if (k->n == k->cap && grow(k, e) < 0)
		return -1;
	size_t s = find(k, h);
	if (k->slot[s] != 0)
		return 1;
	k->slot[s] = (uint32_t)(k->n + 1);
	k->at[k->n] = (uint32_t)s;
	k->stack[k->n++] = h;
	return 0;
}

void
cv_keyset_drop(struct cv_keyset *k, size_t to)
{
	while (k->n > to)
		k->slot[k->at[--k->n]] = 0;
}

void
cv_keyset_free(struct cv_keyset *k)
{
	free(k->stack);
	free(k->slot);
	free(k->at);
	*k = (struct cv_keyset){ 0 };
}
