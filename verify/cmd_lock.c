/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_lock.c: resolve what the agent is made of, and pin it. */
#include "verify/cmdline.h"
#include "verify/progress.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/text.h"
#include "verify/report/report.h"

#include "trust/base/banned.h"

struct shown {
	size_t lines; /* differences in all */
	size_t pins;  /* those that change what is pinned */
	bool print;
};

static int
show_diff(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e)
{
	struct shown *s = ctx;
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(65536);

	s->lines++;
	s->pins += pins;
	if (!s->print)
		return 0;
	cv_text_safe(&safe, cv_span_str(artifact[0] != '\0' ? artifact : "agent"), CV_TEXT_FIELD);
	cv_buf_str(&safe, "  ");
	cv_text_safe(&safe, cv_span_str(text), 0);
	cv_buf_byte(&safe, '\n');
	if (cv_buf_ok(&safe, "a difference", e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&safe), stdout);
	return 0;
}

/* keep_others: with --update, entries that are not named stay as they were,
 * if they were made for what the agent asks now. The structs change places, so
 * that each tree still has one owner. */
static int
keep_others(struct cv_lock *to, struct cv_lock *from, const struct cv_agent *agent,
	    const char *const *names, size_t n, struct cv_err *e)
{
	for (size_t k = 0; k < n; k++) {
		char shown[CV_TEXT_BRIEF];

		if (cv_agent_find(agent, names[k]) == NULL)
			return cv_fail(e, CV_R_USAGE,
				       "--update %s: the agent has no artifact of that name",
				       cv_text_brief(shown, cv_span_str(names[k])));
	}
	for (size_t i = 0; i < to->nartifacts; i++) {
		const struct cv_artifact *decl = cv_agent_find(agent, to->artifacts[i].name);
		bool named = false;

		for (size_t k = 0; k < n && !named; k++)
			named = strcmp(names[k], to->artifacts[i].name) == 0;
		for (size_t j = 0; j < from->nartifacts && !named; j++) {
			struct cv_lock_artifact was = from->artifacts[j];

			if (strcmp(was.name, to->artifacts[i].name) != 0 || decl == NULL ||
			    !cv_lock_asks(&was, decl))
				continue;
			from->artifacts[j] = to->artifacts[i];
			to->artifacts[i] = was;
			break;
		}
	}
	return 0;
}

/* unresolved: say which artifact could not be resolved, and why. */
static int
unresolved(const struct cv_cmdline *c, const struct cv_result *r, const struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(1 << 20);
	struct cv_report_opts o = { .quiet = true };
	struct cv_err ignored;

	if (r->decision.outcome != CV_PASS && cv_report_text(&out, r, &o, &ignored) == 0)
		(void)fputs(cv_buf_text(&out), stderr);
	return cv_cmd_failed(c, e);
}

static const struct cv_err *
internal(const struct cv_result *r, struct cv_err *e)
{
	(void)cv_fail(e, r->decision.reason,
		      "nothing was locked: clawverify itself could not go on");
	return e;
}

static int
finish(struct cv_cmdline *c, struct cv_session *s, struct cv_lock *made, struct cv_err *e)
{
	struct shown shown = { .print = cv_cl_flag(c, "diff") || s->lock != NULL };
	cv_auto(cv_lock_free) struct cv_lock *none = NULL;
	const struct cv_lock *before = s->lock;
	bool check = cv_cl_flag(c, "check"), diff = cv_cl_flag(c, "diff");

	if (before == NULL) {
		if (cv_lock_open(&none, 0, e) != 0)
			return cv_cmd_failed(c, e);
		before = none;
	}
	if (cv_lock_diff(before, made, show_diff, &shown, e) != 0)
		return cv_cmd_failed(c, e);
	if (check || diff) {
		cv_say(c, shown.lines == 0 ? "%s is up to date" : "%s would change", s->lock_path);
		return check && shown.lines > 0 ? CV_EXIT_FAIL : CV_EXIT_PASS;
	}
	if (shown.lines == 0 && s->lock != NULL) {
		cv_say(c, "%s is up to date", s->lock_path);
		return CV_EXIT_PASS;
	}
	if (cv_lock_save(made, s->lock_path, e) != 0)
		return cv_cmd_failed(c, e);
	cv_say(c, "%s: %zu artifacts pinned. This trusts nobody; next: clawverify verify",
	       s->lock_path, made->nartifacts);
	return CV_EXIT_PASS;
}

static int
lock_session(struct cv_cmdline *c, struct cv_session *s, struct cv_err *e)
{
	struct cv_progress progress;
	struct cv_result *r = NULL;
	cv_auto(cv_lock_free) struct cv_lock *made = NULL;
	const char *const *names;
	size_t n;
	int rc;

	if (cv_progress_open(&progress, c, e) != 0)
		return cv_cmd_failed(c, e);
	s->rq.mode = CV_MODE_LOCK;
	s->rq.lock = NULL;
	s->rq.watch = cv_progress_watch(&progress);
	rc = cv_session_run(s, &r, e);
	cv_progress_close(&progress);
	if (rc != 0)
		return cv_cmd_failed(c, e);
	names = cv_cl_values(c, "update", &n);
	if (r->decision.exit == CV_EXIT_INTERNAL)
		/* a lock made while memory or disk failed would lack what was not seen */
		rc = unresolved(c, r, internal(r, e));
	else if (cv_engine_lock(&made, r, &s->rq, e) != 0)
		rc = unresolved(c, r, e);
	else if (n > 0 && s->lock != NULL && keep_others(made, s->lock, s->agent, names, n, e) != 0)
		rc = cv_cmd_failed(c, e);
	else
		rc = finish(c, s, made, e);
	/* entries may have changed places: this one goes first, its strings with it */
	cv_lock_free(&made);
	cv_result_free(&r);
	return rc;
}

static int
run_lock(struct cv_cmdline *c, struct cv_err *e)
{
	struct cv_session s;
	int rc;

	if (cv_session_open(&s, c, cv_cl_arg(c, 0), e) != 0)
		return cv_cmd_failed(c, e);
	rc = lock_session(c, &s, e);
	cv_session_close(&s);
	return rc;
}

static const struct cv_opt opts[] = {
	{ "update", 'u', CV_OPT_MANY, "NAME", "resolve this one anew, keep the others" },
	{ "check", 0, CV_OPT_FLAG, NULL, "write nothing; exit 1 if the lock would change" },
	{ "diff", 0, CV_OPT_FLAG, NULL, "write nothing; show what would change" },
	{ "policy", 'p', CV_OPT_VALUE, "FILE", "another policy than the agent names" },
	{ "lock", 0, CV_OPT_VALUE, "FILE", "instead of clawverify.lock beside the agent" },
	{ "platform", 0, CV_OPT_VALUE, "OS/ARCH", "for images that name none" },
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_lock = {
	.name = "lock",
	.args = "[AGENT]",
	.summary = "resolve what an agent is made of and write clawverify.lock",
	.text = "A lock pins bytes and trusts nobody. Signers in it are what was seen.\n",
	.examples = "  clawverify lock\n"
		    "  clawverify lock --update runtime\n"
		    "  clawverify lock --check\n",
	.opts = opts,
	.max_args = 1,
	.run = run_lock,
};
