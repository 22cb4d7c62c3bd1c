/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyset.h: the keys of the JSON objects that are open, for finding duplicates.
 *
 * Keys are kept as 64-bit hashes, so memory does not depend on their length. A
 * collision would refuse an innocent document (one chance in 2^64 a pair), never
 * miss a duplicate. The hash is seeded from the bytes the kernel gave this
 * process at its start, so that a document cannot be built to make it slow.
 *
 * Used as a stack: an object remembers `n` when it opens and drops back to it
 * when it closes.
 */
#ifndef CV_KEYSET_H
#define CV_KEYSET_H

#include "trust/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cv_keyset {
	uint64_t *stack; /* hashes in the order added, [n] */
	size_t n, cap;
	uint32_t *slot; /* open addressing: index into stack + 1, 0 is free */
	uint32_t *at;   /* the slot of each hash in the stack */
	size_t slots;   /* a power of two, or 0 */
};

/* cv_keyset_add: 0 added; 1 there already since `from` (the object's own first
 * key); -1 more than CV_MAX_SBOM_KEYS, or out of memory. */
int cv_keyset_add(struct cv_keyset *k, size_t from, const char *key, size_t len, bool fold,
		  struct cv_err *e) cv_must;

/* cv_keyset_drop: forget all that was added since n was `to`. */
void cv_keyset_drop(struct cv_keyset *k, size_t to);

void cv_keyset_free(struct cv_keyset *k);

#endif
