/* SPDX-License-Identifier: Apache-2.0 */
/* checks.c: the catalogue as a sorted table. */
#include "trust/base/checks.h"
#include "trust/base/auto.h"

#include <string.h>

#include "trust/base/banned.h"

static const struct cv_check checks[] = {
#define CV_CHECK(name, emitters, text) { .id = name, .by = emitters, .title = text },
#include "trust/base/checks.def"
#undef CV_CHECK
};

const struct cv_check *
cv_check_find(const char *id)
{
	size_t low = 0, high = CV_COUNT(checks);

	while (id != NULL && low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(id, checks[mid].id);

		if (order == 0)
			return &checks[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct cv_check *
cv_check_all(size_t *n)
{
	*n = CV_COUNT(checks);
	return checks;
}
