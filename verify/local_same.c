/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_same.c: whether a directory still is what was listed: it is listed
 * again, and the two lists have to be equal. Must never call two equal that a
 * launcher would mount differently.
 */
#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"
#include "verify/local_int.h"

#include "trust/base/banned.h"

static int
by_path(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static const struct entry **
sorted(const struct cv_local *l, struct cv_err *e)
{
	const struct entry **v = calloc(l->n + 1, sizeof(*v));

	if (v == NULL) {
		cv_fail_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < l->n; i++)
		v[i] = &l->v[i];
	qsort(v, l->n, sizeof(*v), by_path);
	return v;
}

static int
differs(const struct cv_local *l, const struct entry *x, const char *how, const char **check,
	struct cv_err *e)
{
	char path[LOCAL_PATH], brief[CV_TEXT_BRIEF];

	*check = "file.changed";
	return cv_fail(e, CV_R_DIGEST, "%s: %s while it was being checked",
		       cv_text_brief(brief, cv_span_str(cv_local_full(l, x->path, path))), how);
}

/*
 * compare: both lists end with NULL. A directory whose times alone changed is
 * told only when nothing says better what happened in it.
 */
static int
compare(const struct cv_local *l, const struct entry **was, const struct entry **is,
	const char **check, struct cv_err *e)
{
	const struct entry *touched = NULL;

	while (*was != NULL || *is != NULL) {
		int c = *was == NULL ? 1 : *is == NULL ? -1 : strcmp((*was)->path, (*is)->path);

		if (c != 0)
			return differs(l, c > 0 ? *is : *was, c > 0 ? "was added" : "went away",
				       check, e);
		if (!cv_local_same_file(&(*was)->st, &(*is)->st)) {
			if (!S_ISDIR((*was)->st.st_mode) || !S_ISDIR((*is)->st.st_mode))
				return differs(l, *is, "changed", check, e);
			touched = touched != NULL ? touched : *is;
		}
		was++;
		is++;
	}
	return touched == NULL ? 0 : differs(l, touched, "changed", check, e);
}

static int
same_tree(const struct cv_local *l, const char **check, struct cv_err *e)
{
	cv_auto(cv_local_free) struct cv_local *again = calloc(1, sizeof(*again));
	cv_auto(cv_freep) const struct entry **was = NULL, **is = NULL;
	char brief[CV_TEXT_BRIEF];

	if (again == NULL)
		return cv_fail_memory(e);
	again->o = l->o;
	again->globs = l->globs;
	again->path = l->path;
	if (cv_local_list(again, check, e) != 0) {
		if (e->reason != CV_R_ABSENT)
			return -1;
		*check = "file.changed";
		return cv_fail(e, CV_R_DIGEST,
			       "%s: something in it went away while it was being "
			       "checked",
			       cv_text_brief(brief, cv_span_str(l->path)));
	}
	was = sorted(l, e);
	is = sorted(again, e);
	if (was == NULL || is == NULL)
		return -1;
	return compare(l, was, is, check, e);
}

int
cv_local_same(const struct cv_local *l, const char **check, struct cv_err *e)
{
	struct cv_blob b = CV_NO_BLOB;

	*check = NULL;
	if (!l->single)
		return same_tree(l, check, e);
	if (cv_local_blob(l, 0, &b, check, e) != 0)
		return -1;
	cv_closep(&b.fd);
	return 0;
}
