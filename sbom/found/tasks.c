/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks.c: CV_T_LAYER, CV_T_MERGE and CV_T_CONFIG: fields in, walk, facts and findings
 * out (proto.h). The judging is layer.c's, merge.c's and config.c's.
 */
#include "sbom/found/tasks.h"
#include "sbom/found/config.h"
#include "sbom/found/layer.h"
#include "sbom/found/merge.h"
#include "sbom/found/places.h"
#include "sbom/found/table.h"

#include "trust/base/oci.h"
#include "trust/base/text.h"

#include <stdlib.h>

#include "trust/base/banned.h"

/* More is not told: it is for people. */
#define MAX_OBSERVED 1000
#define MAX_TEXT     4096

static int
progress(void *ctx, uint64_t done, uint64_t total, struct cv_err *e)
{
	return cv_w_progress(ctx, done, total, e);
}

/* ---- CV_T_LAYER ---- */

struct layer_state {
	struct cv_layer_job job;
	char media[CV_MEDIA_MAX + 1];
};

static int
layer_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct layer_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	*state = s;
	s->job.out = -1;
	s->job.blob = cv_frame_blob(task, CV_TAG_BLOB, CV_MAX_LAYER_BYTES);
	cv_text_fmt(s->media, sizeof(s->media), "%s",
		    cv_frame_str(task, CV_TAG_MEDIA, CV_MEDIA_MAX));
	s->job.media = s->media;
	s->job.diff_id = cv_frame_digest(task, CV_TAG_DIFFID);
	s->job.pos = cv_frame_u64(task, CV_TAG_POS, CV_MAX_LAYERS);
	s->job.out = cv_frame_fd(task, CV_TAG_OUT);
	s->job.progress = progress;
	s->job.ctx = w;
	return cv_frame_done(task, "the layer task", e);
}

static int
layer_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct layer_state *s = state;
	struct cv_answers a = CV_ANSWERS(cv_sink_worker(w));
	struct cv_layer found;

	if (cv_layer_walk(&found, &s->job, &a, e) < 0 || cv_answers_end(&a, e) < 0)
		return -1;
	if (!found.whole)
		return 0;
	struct cv_out *o = cv_w_fact(w, CV_F_LAYER);
	cv_out_u64(o, CV_TAG_POS, s->job.pos);
	cv_out_u64(o, CV_TAG_COUNT, found.entries);
	cv_out_u64(o, CV_TAG_SIZE, found.unpacked);
	cv_out_digest(o, CV_TAG_DIFFID, &found.diff_id);
	return cv_w_send(w, e);
}

static void
layer_end(void *state)
{
	struct layer_state *s = state;

	if (s == NULL)
		return;
	cv_closep(&s->job.blob.fd);
	cv_closep(&s->job.out);
	free(s);
}

const struct cv_task_def cv_task_layer = {
	.task = CV_T_LAYER, .start = layer_start, .run = layer_run, .end = layer_end
};

/* ---- CV_T_MERGE ---- */

struct merge_state {
	struct cv_answers a;
	struct cv_merge *m;
	struct cv_places *places;
	struct cv_buf config;
	uint64_t layers, seen, next;
};

static int
merge_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct merge_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	*state = s;
	s->a = CV_ANSWERS(cv_sink_worker(w));
	s->config = CV_BUF(CV_MAX_CONFIG);
	s->layers = cv_frame_u64(task, CV_TAG_COUNT, CV_MAX_LAYERS);
	uint64_t flags =
		cv_frame_u64(task, CV_TAG_FLAGS, CV_MERGE_LAUNCHED | CV_MERGE_CODE_WRITABLE);
	if (cv_frame_done(task, "the merge task", e) < 0 ||
	    cv_places_open(&s->places, flags, e) < 0)
		return -1;
	return cv_merge_open(&s->m, &s->a, e);
}

/* Layers come in their order, lowest first: POS goes up by one, from 0 or 1. */
static int
merge_layer(struct merge_state *s, struct cv_frame *item, struct cv_err *e)
{
	uint64_t pos = cv_frame_u64(item, CV_TAG_POS, CV_MAX_LAYERS);
	struct cv_blob table = cv_frame_blob(item, CV_TAG_BLOB, INT64_MAX);
	int rc = cv_frame_done(item, "a layer", e);

	if (rc == 0 && (s->seen > 0 ? pos != s->next : pos > 1))
		rc = cv_fail(e, CV_R_WORKER, "layer %llu out of order", (unsigned long long)pos);
	s->seen++;
	s->next = pos + 1;
	if (rc == 0)
		rc = cv_merge_layer(s->m, pos, table, e);
	cv_closep(&table.fd);
	return rc;
}

static int
merge_config(struct merge_state *s, struct cv_frame *item, struct cv_err *e)
{
	struct cv_blob blob = cv_frame_blob(item, CV_TAG_BLOB, CV_MAX_CONFIG);
	int rc = cv_frame_done(item, "the configuration", e);

	if (rc == 0)
		rc = cv_buf_pread(&s->config, blob.fd, blob.off, blob.len, "the configuration", e);
	cv_closep(&blob.fd);
	return rc;
}

static int
merge_place(struct merge_state *s, struct cv_frame *item, struct cv_err *e)
{
	uint64_t kind = cv_frame_u64(item, CV_TAG_KIND, CV_PLACE_BIND);
	const char *path = cv_frame_str(item, CV_TAG_NAME, CV_MAX_PATH);

	if (cv_frame_done(item, "a place", e) < 0)
		return -1;
	if (kind < CV_PLACE_MOUNT || path[0] != '/')
		return cv_fail(e, CV_R_WORKER, "a place that is none");
	return cv_places_put(s->places, (enum cv_placed)kind, path, e);
}

static int
merge_program(struct merge_state *s, struct cv_frame *item, struct cv_err *e)
{
	uint64_t kind = cv_frame_u64(item, CV_TAG_KIND, CV_PROGRAM_PATH);
	const char *text = cv_frame_str(item, CV_TAG_TEXT, CV_MAX_FRAME);

	if (cv_frame_done(item, "a word about the program", e) < 0)
		return -1;
	if (kind < CV_PROGRAM_ENTRYPOINT)
		return cv_fail(e, CV_R_WORKER, "a word about the program that is none");
	return cv_places_say(s->places, (enum cv_program)kind, text, e);
}

static int
merge_item(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e)
{
	(void)w;
	switch (cv_frame_u64(item, CV_TAG_ROLE, CV_ROLE_PROGRAM)) {
	case CV_ROLE_LAYER:
		return merge_layer(state, item, e);
	case CV_ROLE_CONFIG:
		return merge_config(state, item, e);
	case CV_ROLE_PLACE:
		return merge_place(state, item, e);
	case CV_ROLE_PROGRAM:
		return merge_program(state, item, e);
	default:
		return cv_fail(e, CV_R_WORKER, "an item that the merge task does not take");
	}
}

static int
send_count(struct cv_worker *w, const char *name, uint64_t n, struct cv_err *e)
{
	struct cv_out *o = cv_w_fact(w, CV_F_COUNTS);

	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_COUNT, n);
	return cv_w_send(w, e);
}

static int
merge_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct merge_state *s = state;
	struct cv_merge_counts c;

	if (s->seen != s->layers)
		return cv_fail(e, CV_R_WORKER, "%llu layers, want %llu",
			       (unsigned long long)s->seen, (unsigned long long)s->layers);
	if (cv_merge_finish(s->m, &c, e) < 0)
		return -1;
	if (cv_merge_tree(s->m) != NULL &&
	    cv_places_judge(s->places, cv_merge_tree(s->m), cv_buf_span(&s->config), &s->a, e) < 0)
		return -1;
	if (cv_answers_end(&s->a, e) < 0)
		return -1;
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {
		{ "layers", c.layers },
		{ "files", c.files },
		{ "directories", c.directories },
		{ "symlinks", c.symlinks },
		{ "hardlinks", c.hardlinks },
		{ "fifos", c.fifos },
		{ "setuid", c.setuid },
		{ "setgid", c.setgid },
		{ "capabilities", c.capabilities },
		{ "bytes", c.bytes },
	};
	for (size_t i = 0; i < CV_COUNT(counts); i++)
		if (send_count(w, counts[i].name, counts[i].n, e) < 0)
			return -1;
	return 0;
}

static void
merge_end(void *state)
{
	struct merge_state *s = state;

	if (s == NULL)
		return;
	cv_merge_free(&s->m);
	cv_places_free(&s->places);
	cv_buf_free(&s->config);
	free(s);
}

const struct cv_task_def cv_task_merge = { .task = CV_T_MERGE,
					   .start = merge_start,
					   .item = merge_item,
					   .run = merge_run,
					   .end = merge_end };

/* ---- CV_T_CONFIG ---- */

struct config_state {
	struct cv_worker *w;
	struct cv_buf text;
	unsigned told;
};

static int
config_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct config_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	*state = s;
	s->w = w;
	s->text = CV_BUF(CV_MAX_CONFIG);
	struct cv_blob blob = cv_frame_blob(task, CV_TAG_BLOB, CV_MAX_CONFIG);
	int rc = cv_frame_done(task, "the configuration task", e);
	if (rc == 0)
		rc = cv_buf_pread(&s->text, blob.fd, blob.off, blob.len, "the configuration", e);
	cv_closep(&blob.fd);
	return rc;
}

static int
config_seen(void *ctx, const char *name, uint64_t pos, const char *text, struct cv_err *e)
{
	struct config_state *s = ctx;
	char cut[MAX_TEXT];

	if (text[0] == '\0' || s->told++ >= MAX_OBSERVED)
		return 0;
	cv_text_fmt(cut, sizeof(cut), "%s", text);
	struct cv_out *o = cv_w_fact(s->w, CV_F_OBSERVED);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_KIND, pos);
	cv_out_str(o, CV_TAG_TEXT, cut);
	return cv_w_send(s->w, e);
}

static int
config_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct config_state *s = state;
	struct cv_answers a = CV_ANSWERS(cv_sink_worker(w));
	const struct cv_config_seen seen = { .seen = config_seen, .ctx = s };

	if (cv_config_lint(cv_buf_span(&s->text), &a, &seen, e) < 0)
		return -1;
	return cv_answers_end(&a, e);
}

static void
config_end(void *state)
{
	struct config_state *s = state;

	if (s == NULL)
		return;
	cv_buf_free(&s->text);
	free(s);
}

const struct cv_task_def cv_task_config = {
	.task = CV_T_CONFIG, .start = config_start, .run = config_run, .end = config_end
};
