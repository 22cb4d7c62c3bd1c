/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_endorse.c: sign what an artifact is, after looking at it. */
#include "verify/cmdline.h"
#include "verify/launch_cmd.h"
#include "verify/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "verify/endorse.h"
#include "verify/report/report.h"
#include "trust/base/banned.h"

#define DAY (24 * 60 * 60)

/* place: endorsements/NAME.dsse.json beside the agent file; makes the directory. */
static int
place(const struct cv_session *s, const char *name, bool make, char out[CV_PATH_ROOM],
      struct cv_err *e)
{
	const char *slash = strrchr(s->agent_path, '/');
	int n = slash == NULL ? 0 : (int)(slash - s->agent_path) + 1;

	if (n > CV_PATH_ROOM - 256)
		return cv_fail(e, CV_R_USAGE, "too long a path");
	(void)snprintf(out, CV_PATH_ROOM, "%.*s" CV_ENDORSE_DIR, n, s->agent_path);
	if (make && mkdir(out, 0755) != 0 && errno != EEXIST)
		return cv_fail_errno(e, "%s: cannot make it", out);
	(void)snprintf(out, CV_PATH_ROOM, "%.*s" CV_ENDORSE_DIR "/%s.dsse.json", n, s->agent_path,
		       name);
	return 0;
}

/* show: what would be endorsed, beside what was. */
static void
show(const struct cv_cmdline *c, const struct cv_session *s, const struct cv_r_artifact *a,
     const struct cv_endorse_last *last, int64_t expires)
{
	const struct cv_lock_artifact *l = s->lock != NULL ? cv_lock_find(s->lock, a->name) : NULL;
	char now[CV_DIGEST_TEXT], was[CV_DIGEST_TEXT], at[CV_TIME_TEXT];

	cv_say(c, "%s  %s  %s", a->name, cv_atype_word(a->decl->type), a->note);
	cv_say(c, "  now       %s", cv_digest_text(&a->digest, now));
	if (l == NULL)
		cv_say(c, "  locked    nothing");
	else
		cv_say(c, "  locked    %s",
		       cv_digest_eq(&l->digest, &a->digest) ? "the same"
							    : cv_digest_text(&l->digest, was));
	if (last == NULL)
		cv_say(c, "  endorsed  never before");
	else
		cv_say(c, "  endorsed  %s, until %s",
		       cv_digest_eq(&last->subject, &a->digest) ||
				       cv_digest_eq(&last->subject, &a->index)
			       ? "the same"
			       : cv_digest_text(&last->subject, was),
		       last->expires);
	cv_say(c, "  until     %s, %zu checks passed", cv_time_text(expires, at), a->counts.passed);
}

/* agreed: by --yes, or by a person at a terminal. */
static int
agreed(const struct cv_cmdline *c, const char *name, struct cv_err *e)
{
	char answer[16] = "";

	if (cv_cl_flag(c, "yes"))
		return 0;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return cv_fail(e, CV_R_USAGE,
			       "endorse %s: nobody is there to agree; give --yes if you do", name);
	(void)fprintf(stderr, "Sign that this is what you agreed to run? [y/N] ");
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return 0;
	return cv_fail(e, CV_R_USAGE, "endorse %s: not agreed, nothing was written", name);
}

static bool
is_endorser(const struct cv_policy *p, const struct cv_signkey *k)
{
	size_t i, j;

	for (i = 0; i < p->nendorsers; i++)
		for (j = 0; j < p->endorsers[i]->nkeys; j++)
			if (cv_digest_eq(&p->endorsers[i]->keys[j].id, cv_signkey_id(k)))
				return true;
	return false;
}

static int
read_expires(const struct cv_cmdline *c, int64_t now, int64_t *ret, struct cv_err *e)
{
	const char *text = cv_cl_value(c, "expires");
	int64_t seconds = 90 * DAY;

	if (text != NULL &&
	    cv_duration_parse(&seconds, cv_span_str(text), 3660 * (int64_t)DAY, e) != 0) {
		e->reason = CV_R_USAGE;
		return cv_fail_within(e, "--expires");
	}
	*ret = now + seconds;
	return 0;
}

static int
sign(struct cv_cmdline *c, struct cv_session *s, const struct cv_r_artifact *a, struct cv_err *e)
{
	struct cv_endorse in = { .artifact = a };
	struct cv_endorse_last last = { .expires = "" };
	cv_auto(cv_signkey_free) struct cv_signkey *key = NULL;
	cv_auto(cv_buf_free) struct cv_buf envelope = CV_BUF(CV_MAX_ENVELOPE);
	char path[CV_PATH_ROOM];
	int had;

	if (read_expires(c, s->rq.now, &in.expires, e) != 0 || cv_lc_key_path(c, path, e) != 0 ||
	    cv_signkey_load(&key, path, e) != 0 || place(s, a->name, false, path, e) != 0)
		return -1;
	had = cv_endorse_read(&last, path, e);
	if (had < 0)
		return -1;
	if (had > 0 && !cv_digest_eq(&last.subject, &a->digest) &&
	    !cv_digest_eq(&last.subject, &a->index))
		in.previous = last.subject;
	show(c, s, a, had > 0 ? &last : NULL, in.expires);
	if (agreed(c, a->name, e) != 0 || cv_endorse_make(&in, key, &envelope, e) != 0 ||
	    place(s, a->name, true, path, e) != 0 ||
	    cv_conf_write(path, cv_buf_span(&envelope), e) != 0)
		return -1;
	cv_say(c, "endorsed in %s", path);
	if (!is_endorser(s->policy, key)) {
		cv_say(c, "note: it does not count yet, since the policy has no endorser with this "
			  "key:");
		cv_say(c, "name its .pub among \"signers\", and that signer in \"endorsers\"");
	}
	return 0;
}

/* judge: only what is clean is offered for signing. */
static int
judge(struct cv_cmdline *c, struct cv_session *s, const struct cv_result *r, const char *name,
      struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(1 << 20);
	struct cv_report_opts o = { .quiet = true };
	struct cv_err ignored;
	size_t i;

	for (i = 0; i < r->nartifacts; i++) {
		if (strcmp(r->artifacts[i].name, name) != 0)
			continue;
		if (cv_endorse_clean(&r->artifacts[i], e) == 0)
			return sign(c, s, &r->artifacts[i], e);
		if (cv_report_text(&out, r, &o, &ignored) == 0)
			(void)fputs(cv_buf_text(&out), stderr);
		return -1;
	}
	return cv_fail(e, CV_R_BUG, "%s: was not looked at", name);
}

static int
endorse(struct cv_cmdline *c, struct cv_session *s, const char *name, struct cv_err *e)
{
	const struct cv_artifact *decl = cv_agent_find(s->agent, name);
	struct cv_progress progress;
	struct cv_result *r = NULL;
	int rc;

	if (decl == NULL || !cv_artifact_covered(decl))
		return cv_fail(e, CV_R_USAGE,
			       "the agent has no artifact \"%s\" that could be endorsed", name);
	if (s->rq.historical)
		return cv_fail(e, CV_R_USAGE, "an endorsement is for now, not for another time");
	if (cv_progress_open(&progress, c, e) != 0)
		return -1;
	s->rq.only = name;
	s->rq.mode = CV_MODE_VERIFY;
	if (s->lock == NULL || cv_lock_find(s->lock, name) == NULL) {
		s->rq.mode = CV_MODE_LOCK; /* nothing to hold it against yet */
		s->rq.lock = NULL;
	}
	s->rq.watch = cv_progress_watch(&progress);
	rc = cv_session_run(s, &r, e);
	cv_progress_close(&progress);
	if (rc == 0)
		rc = judge(c, s, r, name, e);
	cv_result_free(&r);
	return rc;
}

static int
run_endorse(struct cv_cmdline *c, struct cv_err *e)
{
	struct cv_session s;
	int rc;

	if (cv_session_open(&s, c, cv_cl_arg(c, 1), e) != 0)
		return cv_cmd_failed(c, e);
	rc = endorse(c, &s, cv_cl_arg(c, 0), e) == 0 ? CV_EXIT_PASS : cv_cmd_failed(c, e);
	cv_session_close(&s);
	return rc;
}

static const struct cv_opt opts[] = {
	{ "expires", 0, CV_OPT_VALUE, "TIME", "how long it holds: 90d if nothing is said" },
	CV_LC_OPT_KEY("sign with it"),
	{ "yes", 'y', CV_OPT_FLAG, NULL, "do not ask" },
	CV_LC_OPT_SESSION,
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_endorse = {
	.name = "endorse",
	.args = "NAME [AGENT]",
	.summary = "sign that an artifact is what you agreed to run",
	.text = "For what its maker does not sign. The artifact is verified by the policy's\n"
		"rules; only when nothing but a signature is missing, and you agree, is a\n"
		"statement about its digest signed, with an end, into\n"
		"endorsements/NAME.dsse.json beside the agent file. It counts where the policy\n"
		"names your key among its endorsers.\n",
	.examples = "  clawverify endorse pdf\n"
		    "  clawverify endorse llm --expires 30d --key team.key --yes\n",
	.opts = opts,
	.min_args = 1,
	.max_args = 2,
	.run = run_endorse,
};
