/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_task.c: CV_T_PATTERNS of proto.h: whether what policy or a command line says
 * are patterns. Asked before anything is checked, so that a slip of whoever wrote one
 * is told as one; an identity is judged by the same function later on.
 */
#include "trust/pattern.h"
#include "trust/tasks.h"

#include <stdlib.h>

#include "trust/base/banned.h"

struct patterns {
	uint64_t n;
};

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	(void)w;
	*state = calloc(1, sizeof(struct patterns));
	if (*state == NULL)
		return cv_fail_memory(e);
	return cv_frame_done(task, "patterns: TASK", e);
}

static int
item(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e)
{
	cv_auto(cv_pattern_free) struct cv_pattern *compiled = NULL;
	struct patterns *p = state;
	const char *text = cv_frame_str(item, CV_TAG_TEXT, CV_MAX_PATTERN);
	struct cv_err why = { 0 };
	struct cv_out *o;

	if (cv_frame_u64(item, CV_TAG_ROLE, UINT32_MAX) != CV_ROLE_PATTERN)
		item->bad = true;
	if (cv_frame_done(item, "patterns: ITEM", e) != 0)
		return -1;
	p->n++;
	if (cv_pattern_compile(&compiled, text, &why) == 0)
		return 0;
	if (why.reason != CV_R_UNSUPPORTED)
		return cv_fail(e, why.reason, "%s", why.text);
	o = cv_w_fact(w, CV_F_OBSERVED);
	cv_out_u64(o, CV_TAG_POS, p->n - 1);
	cv_out_str(o, CV_TAG_TEXT, why.text);
	return cv_w_send(w, e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	(void)w;
	(void)state;
	(void)e;
	return 0;
}

static void
end(void *state)
{
	free(state);
}

const struct cv_task_def cv_task_patterns = {
	.task = CV_T_PATTERNS, .start = start, .item = item, .run = run, .end = end
};
