/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weightmap.c: the index of a sharded model (transformers, *.index.json). Must
 * never pass on a file name that leads out of the model's own directory.
 */
#include "sbom/found/jpull.h"
#include "sbom/found/safetensors.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

struct reader {
	struct cv_jpull j;
	struct cv_window w;
	struct cv_names names, meta;
	struct cv_buf key, value;
	int (*entry)(void *ctx, struct cv_span tensor, struct cv_span file, struct cv_err *e);
	void *ctx;
};

static void
reader_free(struct reader **rp)
{
	struct reader *r = *rp;

	if (r == NULL)
		return;
	cv_names_free(&r->names);
	cv_names_free(&r->meta);
	cv_buf_free(&r->key);
	cv_buf_free(&r->value);
	free(r);
	*rp = NULL;
}

static int
read_key(struct reader *r, struct cv_names *names, struct cv_err *e)
{
	uint64_t place;

	if (cv_jpull_string(&r->j, &r->key, CV_MAX_TENSOR_NAME, &place, e) != 0 ||
	    cv_jpull_mark(&r->j, ':', e) != 0)
		return -1;
	if (cv_names_add(names, cv_buf_span(&r->key), place, e) != 0)
		return cv_fail_within(e, "%s", r->j.name);
	return 0;
}

static bool
plain_name(struct cv_span s)
{
	return s.n > 0 && s.p[0] != '.' && memchr(s.p, '/', s.n) == NULL &&
	       memchr(s.p, '\\', s.n) == NULL && memchr(s.p, '\0', s.n) == NULL;
}

static int
read_map(struct reader *r, struct cv_err *e)
{
	char quoted[CV_TEXT_BRIEF];
	bool first = true;
	int more;

	if (cv_jpull_mark(&r->j, '{', e) != 0)
		return -1;
	while ((more = cv_jpull_more(&r->j, '}', &first, e)) > 0) {
		if (read_key(r, &r->names, e) != 0 ||
		    cv_jpull_string(&r->j, &r->value, CV_MAX_COMPONENT, NULL, e) != 0)
			return -1;
		if (!plain_name(cv_buf_span(&r->value)))
			return cv_jpull_fail(&r->j, e, CV_R_RULE,
					     "file \"%s\", want a name of the same directory",
					     cv_text_brief(quoted, cv_buf_span(&r->value)));
		if (r->entry(r->ctx, cv_buf_span(&r->key), cv_buf_span(&r->value), e) != 0)
			return -1;
	}
	return more;
}

static int
read_metadata(struct reader *r, struct cv_err *e)
{
	bool first = true;
	int more;

	if (cv_jpull_mark(&r->j, '{', e) != 0)
		return -1;
	while ((more = cv_jpull_more(&r->j, '}', &first, e)) > 0)
		if (read_key(r, &r->meta, e) != 0 ||
		    cv_jpull_scalar(&r->j, &r->value, CV_MAX_TENSOR_NAME, e) != 0)
			return -1;
	return more;
}

static int
read_document(struct reader *r, struct cv_err *e)
{
	bool first = true, map = false, metadata = false;
	char quoted[CV_TEXT_BRIEF];
	int more;

	if (cv_jpull_mark(&r->j, '{', e) != 0)
		return -1;
	while ((more = cv_jpull_more(&r->j, '}', &first, e)) > 0) {
		struct cv_span key;
		bool is_map;

		if (cv_jpull_string(&r->j, &r->key, CV_MAX_TENSOR_NAME, NULL, e) != 0 ||
		    cv_jpull_mark(&r->j, ':', e) != 0)
			return -1;
		key = cv_buf_span(&r->key);
		is_map = cv_span_eq_str(key, "weight_map");
		if (!is_map && !cv_span_eq_str(key, "metadata"))
			return cv_jpull_fail(&r->j, e, CV_R_MALFORMED,
					     "unknown member \"%s\", want metadata and weight_map",
					     cv_text_brief(quoted, key));
		if (is_map ? map : metadata)
			return cv_jpull_fail(&r->j, e, CV_R_AMBIGUOUS, "\"%s\" is there twice",
					     is_map ? "weight_map" : "metadata");
		*(is_map ? &map : &metadata) = true;
		if ((is_map ? read_map(r, e) : read_metadata(r, e)) != 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (!map)
		return cv_fail(e, CV_R_MALFORMED, "%s: has no weight_map", r->j.name);
	if (cv_jpull_peek(&r->j) >= 0 || r->w.err.reason != CV_R_NONE)
		return cv_jpull_fail(&r->j, e, CV_R_MALFORMED, "something behind the last brace");
	return 0;
}

static int
check_unique(struct reader *r, struct cv_names *names, struct cv_err *e)
{
	struct cv_name a, b;

	cv_names_sort(names);
	if (!cv_names_twins(names, &a, &b))
		return 0;
	return cv_fail(e, CV_R_AMBIGUOUS, "%s: one key is there twice, at bytes %llu and %llu",
		       r->j.name, (unsigned long long)a.place, (unsigned long long)b.place);
}

int
cv_weightmap_check(struct cv_blob blob, const char *name,
		   int (*entry)(void *ctx, struct cv_span tensor, struct cv_span file,
				struct cv_err *e),
		   void *ctx, struct cv_err *e)
{
	cv_auto(reader_free) struct reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return cv_fail_memory(e);
	if (blob.len > CV_MAX_SAFETENSORS_HEADER)
		return cv_fail(e, CV_R_LIMIT, "%s: %llu bytes, at most %llu", name,
			       (unsigned long long)blob.len, CV_MAX_SAFETENSORS_HEADER);
	cv_window_open(&r->w, blob);
	r->j = (struct cv_jpull){ .w = &r->w, .name = name };
	r->names = CV_NAMES(CV_MAX_TENSORS);
	r->meta = CV_NAMES(CV_MAX_TENSORS);
	r->key = CV_BUF(4 * CV_MAX_TENSOR_NAME);
	r->value = CV_BUF(4 * CV_MAX_TENSOR_NAME);
	r->entry = entry;
	r->ctx = ctx;
	if (read_document(r, e) != 0 || check_unique(r, &r->names, e) != 0)
		return -1;
	return check_unique(r, &r->meta, e);
}
