/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort.h: sorting in place, without memory, recursion or a bad case.
 *
 * For tables that hostile files fill. glibc's qsort() takes a second table of
 * the same size, and asks the kernel how much memory there is, which a sealed
 * worker need not be allowed to.
 */
#ifndef CV_FOUND_SORT_H
#define CV_FOUND_SORT_H

#include <stddef.h>

/* cv_sort: heap sort of n elements of `size` (at most CV_SORT_SIZE) bytes; not
 * stable. */
#define CV_SORT_SIZE 64
void cv_sort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

#endif
