/* SPDX-License-Identifier: Apache-2.0 */
/* names.c: a set of name hashes. Must never take two equal names for different. */
#include "sbom/found/names.h"
#include "sbom/found/sort.h"

#include <stdlib.h>

#include "trust/base/banned.h"

uint64_t
cv_names_hash(struct cv_span name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then a mixing of all bits */

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ name.p[i]) * 0x100000001b3u;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	return h;
}

int
cv_names_add(struct cv_names *s, struct cv_span name, uint64_t place, struct cv_err *e)
{
	if (s->n == s->max)
		return cv_fail(e, CV_R_LIMIT, "more than %zu names", s->max);
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
		struct cv_name *v = reallocarray(s->v, cap, sizeof *v);

		if (v == NULL)
			return cv_fail_memory(e);
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct cv_name){ .hash = cv_names_hash(name), .place = place };
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct cv_name *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

void
cv_names_sort(struct cv_names *s)
{
	cv_sort(s->v, s->n, sizeof *s->v, compare);
}

bool
cv_names_twins(const struct cv_names *s, struct cv_name *a, struct cv_name *b)
{
	for (size_t i = 1; i < s->n; i++)
		if (s->v[i - 1].hash == s->v[i].hash) {
			*a = s->v[i - 1];
			*b = s->v[i];
			return true;
		}
	return false;
}

size_t
cv_names_group(const struct cv_names *s, size_t *from, size_t *at)
{
	for (size_t i = *from; i < s->n; i = *from) {
		size_t end = i + 1;

		while (end < s->n && s->v[end].hash == s->v[i].hash)
			end++;
		*from = end;
		*at = i;
		if (end - i > 1)
			return end - i;
	}
	return 0;
}

bool
cv_names_has(const struct cv_names *s, uint64_t hash)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->v[mid].hash == hash)
			return true;
		if (s->v[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

void
cv_names_free(struct cv_names *s)
{
	free(s->v);
	s->v = NULL;
	s->n = s->cap = 0;
}
