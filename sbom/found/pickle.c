/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle.c: look for pickles in a file and in what it contains. Must never load
 * one, and never decide by a name that there is none.
 */
#include "sbom/found/deflate.h"
#include "sbom/found/pickle_priv.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

/* look: stream or array at the window's place, which moves */
static void
look(struct cv_pickle *ret, struct cv_window *w, unsigned sure)
{
	if (cv_span_has_prefix(cv_window_look(w, 6), "\x93NUMPY"))
		cv_pickle_npy(ret, w);
	else
		cv_pickle_ops(ret, w, sure);
}

static bool
pickle_name(const char *name)
{
	static const char *const ext[] = { ".pkl", ".pickle", ".joblib", ".dill", ".p" };

	for (size_t i = 0; i < CV_COUNT(ext); i++)
		if (cv_span_has_suffix(cv_span_str(name), ext[i]))
			return true;
	return false;
}

bool
cv_pickle_sniff(struct cv_span head, const char *name)
{
	struct cv_pickle found;
	struct cv_window w;

	cv_window_open_bytes(&w, head);
	look(&found, &w, pickle_name(name) ? 1 : CV_PICKLE_SURE);
	return found.rule != NULL;
}

int
cv_pickle_stream(struct cv_pickle *ret, struct cv_blob blob, struct cv_err *e)
{
	struct cv_window w;

	cv_window_open(&w, blob);
	look(ret, &w, CV_PICKLE_SURE);
	if (w.err.reason != CV_R_NONE)
		return cv_window_ok(&w, "looking for pickles", "", e);
	return 0;
}

/* ---- containers ---- */

static void
join(char out[CV_PICKLE_WHERE], const char *outer, struct cv_span name)
{
	cv_text_fmt(out, CV_PICKLE_WHERE, "%s%s%.*s", outer, outer[0] != '\0' ? "!" : "",
		    (int)(name.n < 300 ? name.n : 300), (const char *)name.p);
}

/* later: look into a container when its turn comes */
static void
later(struct cv_pickle_search *s, const struct cv_pickle_job *in, const char *path,
      struct cv_blob blob)
{
	struct cv_pickle_job *job;

	if (s->njobs == CV_PICKLE_JOBS || in->depth + 1 >= CV_PICKLE_DEPTH) {
		s->unseen++;
		return;
	}
	job = &s->job[s->njobs++];
	job->blob = blob;
	job->depth = in->depth + 1;
	memcpy(job->path, path, sizeof job->path);
}

/* unpack_head: the first bytes of a raw DEFLATE stream; what is broken behind
 * them does not matter here. */
static int
unpack_head(struct cv_pickle_search *s, struct cv_window *w, size_t *made, struct cv_err *e)
{
	cv_auto(cv_deflate_free) struct cv_deflate *d = NULL;
	struct cv_err ignored;
	bool end = false;

	*made = 0;
	if (cv_deflate_open(&d, CV_ENGINE_BEST, e) != 0)
		return -1;
	while (!end && *made < sizeof s->head) {
		struct cv_span in = cv_window_look(w, 4096);
		int64_t used = 0;
		size_t n = 0;

		if (in.n == 0)
			break;
		if (cv_deflate_run(d, in, s->head + *made, sizeof s->head - *made, &used, &n, &end,
				   &ignored) != 0)
			break;
		*made += n;
		if (used <= 0 && n == 0)
			break;
		cv_window_skip(w, used > 0 ? (uint64_t)used : 0);
	}
	return 0;
}

static int
look_unpacked(struct cv_pickle_search *s, struct cv_blob packed, enum cv_pickle_method method,
	      struct cv_pickle *found, struct cv_err *e)
{
	size_t made;

	cv_window_open(&s->inner, packed);
	if (method == CV_PACKED_ZLIB)
		cv_window_skip(&s->inner, 2);
	if (unpack_head(s, &s->inner, &made, e) != 0)
		return -1;
	if (s->inner.err.reason != CV_R_NONE)
		return cv_window_ok(&s->inner, "looking for pickles", "", e);
	cv_window_open_bytes(&s->inner, cv_span(s->head, made));
	look(found, &s->inner, CV_PICKLE_SURE);
	if (found->rule != NULL)
		return 0;
	/* only the head is unpacked: what an archive in there holds was not seen */
	cv_window_open_bytes(&s->inner, cv_span(s->head, made));
	if (cv_pickle_is_tar(&s->inner) || cv_span_has_prefix(cv_span(s->head, made), "PK\3\4"))
		s->unseen++;
	return 0;
}

static int
look_stored(struct cv_pickle_search *s, const struct cv_pickle_job *in, const char *path,
	    struct cv_blob blob, struct cv_pickle *found, struct cv_err *e)
{
	cv_window_open(&s->inner, blob);
	look(found, &s->inner, CV_PICKLE_SURE);
	if (s->inner.err.reason == CV_R_NONE && found->rule == NULL) {
		cv_window_open(&s->inner, blob);
		if (in->depth < CV_PICKLE_DEPTH &&
		    (cv_pickle_is_tar(&s->inner) || cv_pickle_is_zip(&s->inner)))
			later(s, in, path, blob);
	}
	if (s->inner.err.reason != CV_R_NONE)
		return cv_window_ok(&s->inner, "looking for pickles", "", e);
	return 0;
}

int
cv_pickle_member(struct cv_pickle_search *s, const struct cv_pickle_job *in, struct cv_span name,
		 struct cv_blob packed, enum cv_pickle_method method, struct cv_err *e)
{
	struct cv_pickle found = { .protocol = -1 };
	char path[CV_PICKLE_WHERE];
	int rc = 0;

	join(path, in->path, name);
	if (method == CV_PACKED_STORED) {
		rc = look_stored(s, in, path, packed, &found, e);
	} else if (method != CV_PACKED_UNKNOWN) {
		rc = look_unpacked(s, packed, method, &found, e);
	} else {
		s->unseen++;
	}
	if (rc == 0 && found.rule == NULL && found.lost)
		s->unseen++;
	/* torch loads this member whatever it looks like */
	if (rc == 0 && found.rule == NULL && method == CV_PACKED_UNKNOWN &&
	    cv_span_has_suffix(name, "data.pkl"))
		found.rule = "torch's data.pkl, packed so that it cannot be looked into";
	if (rc != 0 || found.rule == NULL)
		return rc;
	memcpy(found.member, path, sizeof found.member);
	return s->hit(s->ctx, &found, e);
}

static int
search(struct cv_pickle_search *s, const struct cv_pickle_job *job, struct cv_err *e)
{
	struct cv_span head;
	bool tar, zip, gzip, zlib;

	cv_window_open(&s->w, job->blob);
	zip = cv_pickle_is_zip(&s->w);
	cv_window_open(&s->w, job->blob);
	tar = cv_pickle_is_tar(&s->w);
	cv_window_open(&s->w, job->blob);
	head = cv_window_look(&s->w, 3);
	if (s->w.err.reason != CV_R_NONE)
		return cv_window_ok(&s->w, "looking for pickles", "", e);
	gzip = head.n == 3 && head.p[0] == 0x1f && head.p[1] == 0x8b && head.p[2] == 8;
	zlib = head.n == 3 && (head.p[0] & 0x8f) == 8 && (head.p[0] * 256u + head.p[1]) % 31 == 0 &&
	       (head.p[1] & 0x20) == 0;
	if (zip && cv_pickle_zip(s, job, e) != 0)
		return -1;
	if (tar && cv_pickle_tar(s, job, e) != 0)
		return -1;
	if (gzip)
		return cv_pickle_gzip(s, job, e);
	if (zlib)
		return cv_pickle_member(s, job, cv_span_str("(zlib)"), job->blob, CV_PACKED_ZLIB,
					e);
	return 0;
}

static void
search_free(struct cv_pickle_search **sp)
{
	if (*sp != NULL)
		cv_names_free(&(*sp)->seen);
	free(*sp);
	*sp = NULL;
}

int
cv_pickle_find(struct cv_blob blob,
	       int (*hit)(void *ctx, const struct cv_pickle *p, struct cv_err *e), void *ctx,
	       uint64_t *unseen, struct cv_err *e)
{
	cv_auto(search_free) struct cv_pickle_search *s = NULL;
	struct cv_pickle_job job = { .blob = blob };
	struct cv_pickle found;

	if (cv_pickle_stream(&found, blob, e) != 0)
		return -1;
	if (found.rule != NULL && hit(ctx, &found, e) != 0)
		return -1;
	if (found.rule == NULL && found.lost)
		++*unseen;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return cv_fail_memory(e);
	s->hit = hit;
	s->ctx = ctx;
	s->seen = CV_NAMES(2 * CV_MAX_MEMBERS);
	if (search(s, &job, e) != 0)
		return -1;
	while (s->njobs > 0) {
		job = s->job[--s->njobs];
		if (search(s, &job, e) != 0)
			return -1;
	}
	*unseen += s->unseen;
	return 0;
}
