/* SPDX-License-Identifier: Apache-2.0 */
/* files_set.c: see files_set.h. Must never take a file that is not there for one
 * that agrees. */
#include "sbom/found/files_set.h"
#include "sbom/found/sort.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define U(v) ((unsigned long long)(v))

/* more: room for one element more; NULL leaves the list as it is */
static void *
more(void *list, size_t n, size_t *cap, size_t size, struct cv_err *e)
{
	size_t want = *cap == 0 ? 16 : 2 * *cap;
	void *grown;

	if (n < *cap)
		return list;
	grown = reallocarray(list, want, size);
	if (grown == NULL)
		(void)cv_fail_memory(e);
	else
		*cap = want;
	return grown;
}

static int
keep(struct cv_set *set, struct cv_span text, const char **ret, struct cv_err *e)
{
	*ret = cv_arena_keep(&set->arena, text);
	return *ret == NULL ? cv_fail_memory(e) : 0;
}

static int
count_tensors(struct cv_set *set, uint64_t n, struct cv_err *e)
{
	set->tensors += n;
	if (set->tensors > CV_SET_TENSORS)
		return cv_fail(e, CV_R_LIMIT, "more than %d tensors in all files", CV_SET_TENSORS);
	return 0;
}

bool
cv_set_is_index(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base != NULL ? base : path;
	return strstr(base, ".safetensors.index.") != NULL &&
	       cv_span_has_suffix(cv_span_str(base), ".json");
}

/* ---- taking ---- */

int
cv_set_shard(struct cv_set *set, const char *path, struct cv_safetensors *s, struct cv_err *e)
{
	struct cv_set_shard *list =
		more(set->shard, set->nshards, &set->shard_cap, sizeof *list, e);
	const char *kept;

	if (list == NULL)
		return -1;
	set->shard = list;
	if (count_tensors(set, s->names.n, e) != 0 || keep(set, cv_span_str(path), &kept, e) != 0)
		return -1;
	list[set->nshards++] = (struct cv_set_shard){ .path = kept, .names = s->names };
	s->names = CV_NAMES(0); /* handed over */
	return 0;
}

int
cv_set_part(struct cv_set *set, const char *path, const struct cv_gguf *g, struct cv_err *e)
{
	struct cv_set_part *list = more(set->part, set->nparts, &set->part_cap, sizeof *list, e);
	const char *kept;

	if (list == NULL)
		return -1;
	set->part = list;
	if (keep(set, cv_span_str(path), &kept, e) != 0)
		return -1;
	list[set->nparts++] = (struct cv_set_part){ .path = kept,
						    .part = g->part,
						    .parts = g->parts,
						    .tensors = g->tensors,
						    .tensors_of_all = g->tensors_of_all };
	return 0;
}

struct taking {
	struct cv_set *set;
	struct cv_set_index index;
	size_t dir; /* bytes of the index's path up to its last slash, included */
};

static bool
same_file(const struct taking *t, const char *path, struct cv_span file)
{
	return strlen(path + t->dir) == file.n && memcmp(path + t->dir, file.p, file.n) == 0;
}

/* insert: a file met for the first time, at its place in the sorted list */
static int
insert(struct taking *t, size_t at, struct cv_span file, struct cv_err *e)
{
	struct cv_set_index *x = &t->index;
	struct cv_buf b = CV_BUF(2 * CV_MAX_PATH);
	int rc;

	if (x->nfiles == CV_SET_SHARDS)
		return cv_fail(e, CV_R_LIMIT, "%s: names more than %d files", x->path,
			       CV_SET_SHARDS);
	cv_buf_add(&b, x->path, t->dir);
	cv_buf_add(&b, file.p, file.n);
	rc = cv_buf_ok(&b, x->path, e);
	memmove(x->file + at + 1, x->file + at, (x->nfiles - at) * sizeof *x->file);
	memmove(x->number + at + 1, x->number + at, (x->nfiles - at) * sizeof *x->number);
	if (rc == 0)
		rc = keep(t->set, cv_buf_span(&b), &x->file[at], e);
	cv_buf_free(&b);
	x->number[at] = (uint32_t)x->nfiles;
	if (rc == 0)
		x->nfiles++;
	return rc;
}

static int
compare_file(const struct taking *t, const char *path, struct cv_span file)
{
	size_t n = strlen(path + t->dir);
	int c = memcmp(path + t->dir, file.p, n < file.n ? n : file.n);

	return c != 0 ? c : (n > file.n) - (n < file.n);
}

static int
file_number(struct taking *t, struct cv_span file, uint32_t *ret, struct cv_err *e)
{
	struct cv_set_index *x = &t->index;
	size_t lo = 0, hi = x->nfiles;

	if (x->last < x->nfiles && same_file(t, x->file[x->last], file)) {
		*ret = x->number[x->last];
		return 0;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_file(t, x->file[mid], file) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if ((lo == x->nfiles || !same_file(t, x->file[lo], file)) && insert(t, lo, file, e) != 0)
		return -1;
	x->last = lo;
	*ret = x->number[lo];
	return 0;
}

static int
take_entry(void *ctx, struct cv_span tensor, struct cv_span file, struct cv_err *e)
{
	struct taking *t = ctx;
	struct cv_set_index *x = &t->index;
	struct cv_set_entry *list = more(x->entry, x->n, &x->cap, sizeof *list, e);
	uint32_t number;

	if (list == NULL)
		return -1;
	x->entry = list;
	if (file_number(t, file, &number, e) != 0)
		return -1;
	x->entry[x->n++] = (struct cv_set_entry){ cv_names_hash(tensor), number };
	return 0;
}

static void
index_free(struct cv_set_index *x)
{
	free(x->file);
	free(x->number);
	free(x->entry);
	*x = (struct cv_set_index){ .path = "" };
}

int
cv_set_index(struct cv_set *set, const char *path, struct cv_blob blob, struct cv_err *e)
{
	struct taking t = { .set = set, .index = { .path = path } };
	struct cv_set_index *list =
		more(set->index, set->nindexes, &set->index_cap, sizeof *list, e);
	const char *slash = strrchr(path, '/');
	int rc;

	if (list == NULL)
		return -1;
	set->index = list;
	t.dir = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	if (t.dir > CV_MAX_PATH)
		return cv_fail(e, CV_R_LIMIT, "a path of more than %d bytes", CV_MAX_PATH);
	t.index.file = calloc(CV_SET_SHARDS, sizeof *t.index.file);
	t.index.number = calloc(CV_SET_SHARDS, sizeof *t.index.number);
	rc = t.index.file == NULL || t.index.number == NULL ? cv_fail_memory(e) : 0;
	if (rc == 0)
		rc = keep(set, cv_span_str(path), &t.index.path, e);
	if (rc == 0)
		rc = cv_weightmap_check(blob, path, take_entry, &t, e);
	if (rc == 0)
		rc = count_tensors(set, t.index.n, e);
	if (rc == 0)
		list[set->nindexes++] = t.index;
	else
		index_free(&t.index);
	return rc;
}

/* ---- judging an index ---- */

struct judging {
	struct cv_set *set;
	cv_set_no no;
	void *ctx;
};

static int
say(const struct judging *j, enum cv_set_what what, const char *where, struct cv_err *why,
    struct cv_err *e)
{
	return j->no(j->ctx, what, where, why, e);
}

static int
by_path(const void *a, const void *b)
{
	const struct cv_set_shard *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static struct cv_set_shard *
find_shard(struct cv_set *set, const char *path)
{
	struct cv_set_shard key = { .path = path };

	return set->nshards == 0 ? NULL
				 : bsearch(&key, set->shard, set->nshards, sizeof key, by_path);
}

struct tally {
	struct cv_set_shard *shard;
	uint64_t wrong; /* tensors that are not in it */
};

static int
judge_file(const struct judging *j, const struct cv_set_index *x, const char *path,
	   const struct tally *t, struct cv_err *e)
{
	char quoted[CV_TEXT_BRIEF];
	struct cv_err why;

	cv_text_brief(quoted, cv_span_str(path));
	if (t->shard == NULL) {
		(void)cv_fail(&why, CV_R_ABSENT,
			      "the index names \"%s\", which is not there as a good safetensors "
			      "file",
			      quoted);
		return say(j, CV_SET_SAFETENSORS, x->path, &why, e);
	}
	if (t->wrong > 0) {
		(void)cv_fail(&why, CV_R_MALFORMED,
			      "%llu tensors that the index places in \"%s\" "
			      "are not in it",
			      U(t->wrong), quoted);
		return say(j, CV_SET_SAFETENSORS, x->path, &why, e);
	}
	if (t->shard->listed < t->shard->names.n) {
		(void)cv_fail(&why, CV_R_MALFORMED, "%llu tensors of \"%s\" are not in the index",
			      U(t->shard->names.n - t->shard->listed), quoted);
		return say(j, CV_SET_SAFETENSORS, x->path, &why, e);
	}
	return 0;
}

static int
judge_index(const struct judging *j, const struct cv_set_index *x, struct cv_err *e)
{
	struct tally *t = calloc(x->nfiles > 0 ? x->nfiles : 1, sizeof *t);
	int rc = 0;

	if (t == NULL)
		return cv_fail_memory(e);
	for (size_t i = 0; i < x->nfiles; i++) {
		struct cv_set_shard *s = find_shard(j->set, x->file[i]);

		t[x->number[i]].shard = s;
		if (s != NULL)
			s->listed = 0;
	}
	for (size_t i = 0; i < x->n; i++) {
		struct tally *one = &t[x->entry[i].file];

		if (one->shard == NULL)
			continue;
		if (cv_names_has(&one->shard->names, x->entry[i].tensor))
			one->shard->listed++;
		else
			one->wrong++;
	}
	for (size_t i = 0; i < x->nfiles && rc == 0; i++)
		rc = judge_file(j, x, x->file[i], &t[x->number[i]], e);
	free(t);
	return rc;
}

/* ---- judging the parts of a GGUF file ---- */

#define PART_TAIL 20 /* "-00001-of-00003.gguf" */

static size_t
stem(const struct cv_set_part *p)
{
	size_t n = strlen(p->path);

	return cv_gguf_part_name(p->path, p->part + 1, p->parts) && n > PART_TAIL ? n - PART_TAIL
										  : n;
}

static int
by_part(const void *a, const void *b)
{
	const struct cv_set_part *x = a, *y = b;
	size_t nx = stem(x), ny = stem(y);
	int c = memcmp(x->path, y->path, nx < ny ? nx : ny);

	if (c != 0)
		return c;
	if (nx != ny)
		return nx < ny ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

static bool
same_stem(const struct cv_set_part *a, const struct cv_set_part *b)
{
	size_t n = stem(a);

	return n == stem(b) && memcmp(a->path, b->path, n) == 0;
}

/* judge_parts: n neighbours of one stem, in order */
static int
judge_parts(const struct judging *j, const struct cv_set_part *p, size_t n, struct cv_err *e)
{
	uint64_t tensors = 0;
	struct cv_err why = { .reason = CV_R_NONE };

	for (size_t i = 0; i < n && why.reason == CV_R_NONE; i++) {
		tensors += p[i].tensors;
		if (!cv_gguf_part_name(p[i].path, p[i].part + 1, p[i].parts))
			(void)cv_fail(&why, CV_R_MALFORMED,
				      "says that it is part %llu of %llu, and its name says "
				      "something else",
				      U(p[i].part + 1), U(p[i].parts));
		else if (p[i].parts != p[0].parts || p[i].tensors_of_all != p[0].tensors_of_all)
			(void)cv_fail(&why, CV_R_MALFORMED,
				      "says that there are %llu parts with %llu tensors, another "
				      "part says %llu with %llu",
				      U(p[i].parts), U(p[i].tensors_of_all), U(p[0].parts),
				      U(p[0].tensors_of_all));
		else if (p[i].part != i)
			(void)cv_fail(&why, CV_R_ABSENT, "part %llu of %llu is not there", U(i + 1),
				      U(p[0].parts));
	}
	if (why.reason == CV_R_NONE && n != p[0].parts)
		(void)cv_fail(&why, CV_R_ABSENT, "part %llu of %llu is not there", U(n + 1),
			      U(p[0].parts));
	else if (why.reason == CV_R_NONE && tensors != p[0].tensors_of_all)
		(void)cv_fail(&why, CV_R_MALFORMED,
			      "the parts hold %llu tensors, each says that there are %llu",
			      U(tensors), U(p[0].tensors_of_all));
	return why.reason == CV_R_NONE ? 0 : say(j, CV_SET_GGUF, p[0].path, &why, e);
}

int
cv_set_judge(struct cv_set *set, cv_set_no no, void *ctx, struct cv_err *e)
{
	struct judging j = { .set = set, .no = no, .ctx = ctx };

	cv_sort(set->shard, set->nshards, sizeof *set->shard, by_path);
	for (size_t i = 0; i < set->nindexes; i++)
		if (judge_index(&j, &set->index[i], e) != 0)
			return -1;
	cv_sort(set->part, set->nparts, sizeof *set->part, by_part);
	for (size_t from = 0, to; from < set->nparts; from = to) {
		for (to = from + 1; to < set->nparts; to++)
			if (!same_stem(&set->part[from], &set->part[to]))
				break;
		if (judge_parts(&j, &set->part[from], to - from, e) != 0)
			return -1;
	}
	return 0;
}

void
cv_set_free(struct cv_set *set)
{
	for (size_t i = 0; i < set->nshards; i++)
		cv_names_free(&set->shard[i].names);
	for (size_t i = 0; i < set->nindexes; i++)
		index_free(&set->index[i]);
	free(set->shard);
	free(set->index);
	free(set->part);
	cv_arena_free(&set->arena);
	*set = (struct cv_set){ .shard = NULL };
}
