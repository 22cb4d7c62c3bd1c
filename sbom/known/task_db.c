/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task_db.c: CV_T_DBIMPORT compiles advisories, CV_T_DBSTATUS says what an index
 * holds. Must never leave half an index that looks like a whole one: an import that
 * fails ends with ERROR, and the image is written at the end, with its checksum last.
 */
#include "db.h"
#include "dbwrite.h"
#include "tasks.h"

#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

static int
send_count(struct cv_worker *w, const char *name, uint64_t n, struct cv_err *e)
{
	struct cv_out *o = cv_w_fact(w, CV_F_COUNTS);

	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_COUNT, n);
	return cv_w_send(w, e);
}

/* ---- import ---- */

struct import {
	struct cv_dbw *w;
	int out;
};

static void
import_end(void *state)
{
	struct import *im = state;

	if (im == NULL)
		return;
	cv_dbw_free(&im->w);
	cv_closep(&im->out);
	free(im);
}

static int
import_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	uint64_t now = cv_frame_u64(task, CV_TAG_NOW, INT64_MAX / 2);
	const char *name = cv_frame_str(task, CV_TAG_NAME, CV_MAX_PATH);
	struct import *im = calloc(1, sizeof *im);

	(void)w;
	if (im == NULL)
		return cv_fail_memory(e);
	*state = im;
	im->out = cv_frame_fd(task, CV_TAG_OUT);
	if (cv_frame_done(task, "a task to import advisories", e) != 0)
		return -1;
	return cv_dbw_open(&im->w, (int64_t)now, name, e);
}

static int
import_item(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e)
{
	struct import *im = state;
	uint64_t role = cv_frame_u64(item, CV_TAG_ROLE, CV_ROLE_ADVISORIES);
	const char *name = cv_frame_str(item, CV_TAG_NAME, CV_MAX_PATH);
	struct cv_blob blob = cv_frame_blob(item, CV_TAG_BLOB, UINT64_MAX);
	cv_auto(cv_closep) int fd = blob.fd; /* closed at the end */

	(void)w;
	(void)fd;
	if (cv_frame_done(item, "a file of advisories", e) != 0)
		return -1;
	if (role != CV_ROLE_ADVISORIES)
		return cv_fail(e, CV_R_WORKER, "an item of role %llu, want advisories",
			       (unsigned long long)role);
	return cv_dbw_import(im->w, blob, name, e);
}

static int
import_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct import *im = state;
	const struct cv_dbw_counts *c;

	if (cv_dbw_finish(im->w, im->out, e) != 0)
		return -1;
	c = cv_dbw_counts(im->w);
	if (send_count(w, "records", c->records, e) != 0 ||
	    send_count(w, "withdrawn", c->withdrawn, e) != 0 ||
	    send_count(w, "duplicates", c->duplicates, e) != 0 ||
	    send_count(w, "rejected", c->rejected, e) != 0 ||
	    send_count(w, "packages", c->packages, e) != 0 ||
	    send_count(w, "rules", c->rules, e) != 0)
		return -1;
	return send_count(w, "bytes", c->bytes, e);
}

const struct cv_task_def cv_task_dbimport = {
	.task = CV_T_DBIMPORT,
	.start = import_start,
	.item = import_item,
	.run = import_run,
	.end = import_end,
};

/* ---- status ---- */

static void
status_end(void *state)
{
	struct cv_db *db = state;

	cv_db_close(&db);
}

static int
status_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct cv_blob blob = cv_frame_blob(task, CV_TAG_BLOB, UINT64_MAX);
	cv_auto(cv_closep) int fd = blob.fd; /* closed at the end */
	struct cv_db *db = NULL;

	(void)w;
	(void)fd;
	if (cv_frame_done(task, "a task to describe an index", e) != 0 ||
	    cv_db_open(&db, blob, false, e) != 0)
		return -1;
	*state = db;
	return 0;
}

static int
status_item(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e)
{
	(void)w;
	(void)item;
	(void)state;
	return cv_fail(e, CV_R_WORKER, "a task to describe an index takes no items");
}

static int
on_ecosystem(void *ctx, const char *name, bool covered, uint64_t records, const char *newest,
	     struct cv_err *e)
{
	char text[300];

	(void)newest;
	cv_text_fmt(text, sizeof text, "%s:%s", covered ? "covered" : "unmatched", name);
	return send_count(ctx, text, records, e);
}

static int
status_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct cv_db *db = state;
	const struct cv_db_info *info = cv_db_info(db);

	if (send_count(w, "built", (uint64_t)info->built, e) != 0 ||
	    send_count(w, "records", info->records, e) != 0 ||
	    send_count(w, "rejected", info->rejected, e) != 0)
		return -1;
	return cv_db_ecosystems(db, on_ecosystem, w, e);
}

const struct cv_task_def cv_task_dbstatus = {
	.task = CV_T_DBSTATUS,
	.start = status_start,
	.item = status_item,
	.run = status_run,
	.end = status_end,
};
