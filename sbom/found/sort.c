/* SPDX-License-Identifier: Apache-2.0 */
/* sort.c: heap sort. Must never need memory. */
#include "sbom/found/sort.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "trust/base/banned.h"

/* sift: let the element at `root` sink to its place in the heap b[0..n) */
static void
sift(uint8_t *b, size_t root, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	uint8_t hold[CV_SORT_SIZE];
	size_t child;

	memcpy(hold, b + root * size, size);
	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && compare(b + child * size, b + (child + 1) * size) < 0)
			child++;
		if (compare(hold, b + child * size) >= 0)
			break;
		memcpy(b + root * size, b + child * size, size);
		root = child;
	}
	memcpy(b + root * size, hold, size);
}

void
cv_sort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	uint8_t *b = base, hold[CV_SORT_SIZE];

	assert(size <= CV_SORT_SIZE);
	for (size_t i = n / 2; i-- > 0;)
		sift(b, i, n, size, compare);
	for (size_t end = n; end-- > 1;) {
		memcpy(hold, b, size);
		memcpy(b, b + end * size, size);
		memcpy(b + end * size, hold, size);
		sift(b, 0, end, size, compare);
	}
}
