/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fetch worker without a network, for tests: the REF of a CV_T_MANIFEST task
 * says what it shall do, the text itself is the answer otherwise. It counts the
 * tasks that it has served, so that one can see whether it was kept.
 */
#include "trust/base/sandbox.h"
#include "trust/base/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

struct state {
	char ref[CV_MAX_REF + 1];
	char name[CV_MAX_REF + 1];
	int out;
};

static void
take(struct cv_frame *f, uint8_t tag, char to[CV_MAX_REF + 1])
{
	const char *s;

	if (!cv_frame_has(f, tag))
		return;
	s = cv_frame_str(f, tag, CV_MAX_REF);
	memcpy(to, s, strlen(s) + 1);
}

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct state *s = calloc(1, sizeof(*s));

	(void)w;
	if (s == NULL)
		return cv_fail_memory(e);
	*state = s;
	s->out = -1;
	if (cv_frame_has(task, CV_TAG_OUT))
		s->out = cv_frame_fd(task, CV_TAG_OUT);
	take(task, CV_TAG_REF, s->ref);
	take(task, CV_TAG_NAME, s->name);
	return cv_frame_done(task, "task", e);
}

static int
say(struct state *s, const char *text, struct cv_err *e)
{
	return cv_write_all(s->out, text, strlen(text), "out", e);
}

static int
login(struct cv_worker *w, struct state *s, const char *host, struct cv_err *e)
{
	static struct cv_given g;
	char text[1000];

	cv_out_str(cv_w_need(w, CV_N_CRED), CV_TAG_NAME, host);
	if (cv_w_ask(w, &g, e) != 0)
		return -1;
	if (g.status == CV_S_FAILED)
		return cv_fail(e, g.err.reason, "%s", g.err.text);
	snprintf(text, sizeof(text), "%d %s %.100s", (int)g.cred, g.user, g.secret);
	return say(s, text, e);
}

static int
answer(struct cv_worker *w, struct state *s, struct cv_err *e)
{
	char text[100];

	if (strncmp(s->ref, "login:", 6) == 0)
		return login(w, s, s->ref + 6, e);
	if (strcmp(s->ref, "throttled") == 0)
		return cv_fail(e, CV_R_THROTTLED, "come back later");
	if (strcmp(s->ref, "die") == 0)
		_exit(0);
	while (strcmp(s->ref, "endless") == 0)
		if (say(s, "0123456789", e) != 0)
			return -1;
	while (strcmp(s->ref, "silent") == 0)
		sleep(1);
	if (strcmp(s->ref, "count") == 0) {
		snprintf(text, sizeof(text), "%d", *(int *)cv_w_ctx(w));
		return say(s, text, e);
	}
	return s->out < 0 ? 0 : say(s, s->ref, e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct state *s = state;
	struct cv_digest d = { .alg = CV_SHA256, .b = { 1, 2, 3 } };
	int rc;

	++*(int *)cv_w_ctx(w);
	rc = answer(w, s, e);
	cv_closep(&s->out);
	if (rc != 0)
		return -1;
	cv_out_u64(cv_w_done_extra(w), CV_TAG_STATUS,
		   strcmp(s->ref, "absent") == 0 ? CV_S_ABSENT : CV_S_GIVEN);
	cv_out_str(cv_w_done_extra(w), CV_TAG_MEDIA, "text/x");
	if (strcmp(s->ref, "announces") == 0)
		cv_out_digest(cv_w_done_extra(w), CV_TAG_DIGEST, &d);
	return 0;
}

static void
end(void *state)
{
	struct state *s = state;

	if (s != NULL)
		cv_closep(&s->out);
	free(s);
}

int
main(int argc, char **argv)
{
	static const struct cv_task_def tasks[] = {
		{ CV_T_MANIFEST, start, NULL, run, end },  { CV_T_GETBLOB, start, NULL, run, end },
		{ CV_T_REFERRERS, start, NULL, run, end }, { CV_T_RESOLVE, start, NULL, run, end },
		{ CV_T_URL, start, NULL, run, end },       { 0 },
	};
	int served = 0;
	const struct cv_worker_def def = {
		.name = "fetch", .seal = CV_SEAL_NET, .many = true, .tasks = tasks, .ctx = &served
	};

	return cv_worker_main(&def, argc, argv);
}
