/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h: has this name occurred before? For headers with a million names.
 *
 * Sixteen bytes a name: a hash and the place where the name stands. Two names
 * with one hash are reported as twins; the caller looks at both places to say
 * whether they are the same name, and refuses the file either way, because a
 * collision of 64 bits does not happen to an honest file.
 */
#ifndef CV_FOUND_NAMES_H
#define CV_FOUND_NAMES_H

#include "trust/base/err.h"
#include "trust/base/span.h"

struct cv_name {
	uint64_t hash;
	uint64_t place;
};

struct cv_names {
	struct cv_name *v;
	size_t n, cap;
	size_t max; /* more are CV_R_LIMIT */
};

#define CV_NAMES(maximum) ((struct cv_names){ .max = (maximum) })

uint64_t cv_names_hash(struct cv_span name);
int cv_names_add(struct cv_names *s, struct cv_span name, uint64_t place, struct cv_err *e) cv_must;

/* cv_names_sort: by hash, then place; to be called before the following two. */
void cv_names_sort(struct cv_names *s);
/* cv_names_twins: true if two names share a hash; the first such pair. */
bool cv_names_twins(const struct cv_names *s, struct cv_name *a, struct cv_name *b);
/* cv_names_group: the names from *from on that share one hash: how many, from *at on;
 * 0 when there are no more. *from moves behind them. Single names are passed over. */
size_t cv_names_group(const struct cv_names *s, size_t *from, size_t *at);
bool cv_names_has(const struct cv_names *s, uint64_t hash);

void cv_names_free(struct cv_names *s);

#endif
