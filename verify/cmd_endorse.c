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

/* beside: a path below the agent file's directory. */
static int
beside(const struct cv_session *s, const char *name, char out[CV_PATH_ROOM], struct cv_err *e)
{
	const char *slash = strrchr(s->agent_path, '/');
	int n = slash == NULL ? 0 : (int)(slash - s->agent_path) + 1;

	if (n > CV_PATH_ROOM - 256)
		return cv_fail(e, CV_R_USAGE, "too long a path");
	(void)snprintf(out, CV_PATH_ROOM, "%.*s%s", n, s->agent_path, name);
	return 0;
}

/* What is signed, and with what: known before anything is looked at. */
struct signing {
	struct cv_signkey *key;
	struct cv_endorse in;
	struct cv_endorse_last last;
	bool had;
	char path[CV_PATH_ROOM];
};

/* place: where this key's endorsement goes: under the artifact's name, but not over
 * what another key says there. The last one is this key's, or the one that is there. */
static int
place(struct signing *g, const struct cv_session *s, const char *name, struct cv_err *e)
{
	struct cv_endorse_last own = { .expires = "" };
	char file[CV_ENDORSE_PATH], id[CV_DIGEST_TEXT];
	int first, rc;

	cv_endorse_path(file, name, NULL);
	if (beside(s, file, g->path, e) != 0)
		return -1;
	first = cv_endorse_read(&g->last, g->path, e);
	if (first < 0)
		return -1;
	g->had = first > 0;
	if (g->had && strcmp(g->last.keyid, cv_digest_text(cv_signkey_id(g->key), id)) != 0) {
		cv_endorse_path(file, name, cv_signkey_id(g->key));
		if (beside(s, file, g->path, e) != 0)
			return -1;
		rc = cv_endorse_read(&own, g->path, e);
		if (rc < 0)
			return -1;
		if (rc > 0)
			g->last = own;
	}
	return 0;
}

/* show: what would be endorsed, beside what was. */
static void
show(const struct cv_cmdline *c, const struct cv_session *s, const struct signing *g)
{
	const struct cv_r_artifact *a = g->in.artifact;
	const struct cv_endorse_last *last = &g->last;
	const struct cv_lock_artifact *l = s->lock != NULL ? cv_lock_find(s->lock, a->name) : NULL;
	char now[CV_DIGEST_TEXT], was[CV_DIGEST_TEXT], at[CV_TIME_TEXT], id[CV_DIGEST_TEXT];
	bool ours = strcmp(last->keyid, cv_digest_text(cv_signkey_id(g->key), id)) == 0;

	cv_say(c, "%s  %s  %s", a->name, cv_atype_word(a->decl->type), a->note);
	cv_say(c, "  now       %s", cv_digest_text(&a->digest, now));
	if (l == NULL)
		cv_say(c, "  locked    nothing");
	else
		cv_say(c, "  locked    %s",
		       cv_digest_eq(&l->digest, &a->digest) ? "the same"
							    : cv_digest_text(&l->digest, was));
	if (!g->had)
		cv_say(c, "  endorsed  never before");
	else
		cv_say(c, "  endorsed  %s, until %s%s",
		       cv_digest_eq(&last->subject, &a->digest) ||
				       cv_digest_eq(&last->subject, &a->index)
			       ? "the same"
			       : cv_digest_text(&last->subject, was),
		       last->expires, ours ? "" : ", by another key");
	cv_say(c, "  until     %s, %zu checks passed", cv_time_text(g->in.expires, at),
	       a->counts.passed);
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
signing_open(struct signing *g, const struct cv_cmdline *c, const struct cv_session *s,
	     const char *name, struct cv_err *e)
{
	int64_t seconds = 90 * DAY;

	*g = (struct signing){ .had = false };
	if (cv_cl_seconds(c, "expires", 3660 * (int64_t)DAY, &seconds, e) != 0)
		return -1;
	g->in.expires = s->rq.now + seconds;
	if (cv_lc_key_path(c, g->path, e) != 0 || cv_signkey_load(&g->key, g->path, e) != 0)
		return -1;
	return place(g, s, name, e);
}

/* put: the envelope into its file, whose directory is made where it is missing. */
static int
put(const struct signing *g, const struct cv_session *s, const struct cv_buf *envelope,
    struct cv_err *e)
{
	char dir[CV_PATH_ROOM];

	if (beside(s, CV_ENDORSE_DIR, dir, e) != 0)
		return -1;
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return cv_conf_errno(e, "%s: cannot make it", dir);
	return cv_conf_write(g->path, cv_buf_span(envelope), e);
}

static int
sign(struct cv_cmdline *c, struct cv_session *s, struct signing *g, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf envelope = CV_BUF(CV_MAX_ENVELOPE);
	const struct cv_r_artifact *a = g->in.artifact;

	if (g->had && !cv_digest_eq(&g->last.subject, &a->digest) &&
	    !cv_digest_eq(&g->last.subject, &a->index))
		g->in.previous = g->last.subject;
	show(c, s, g);
	if (agreed(c, a->name, e) != 0 || cv_endorse_make(&g->in, g->key, &envelope, e) != 0 ||
	    put(g, s, &envelope, e) != 0)
		return -1;
	cv_say(c, "endorsed in %s", g->path);
	if (!is_endorser(s->policy, g->key)) {
		cv_say(c, "note: it does not count yet, since the policy has no endorser with this "
			  "key:");
		cv_say(c, "name its .pub among \"signers\", and that signer in \"endorsers\"");
	}
	return 0;
}

/* judge: only what is clean is offered for signing. */
static int
judge(struct cv_cmdline *c, struct cv_session *s, const struct cv_result *r, const char *name,
      struct signing *g, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(1 << 20);
	struct cv_report_opts o = { .quiet = true };
	struct cv_err ignored;
	size_t i;

	for (i = 0; i < r->nartifacts; i++) {
		if (strcmp(r->artifacts[i].name, name) != 0)
			continue;
		g->in.artifact = &r->artifacts[i];
		if (cv_endorse_clean(&r->artifacts[i], e) == 0)
			return sign(c, s, g, e);
		if (cv_report_text(&out, r, &o, &ignored) == 0)
			(void)fputs(cv_buf_text(&out), stderr);
		return -1;
	}
	return cv_fail(e, CV_R_BUG, "%s: was not looked at", name);
}

/* look: verify this one artifact, and sign what was found. */
static int
look(struct cv_cmdline *c, struct cv_session *s, struct cv_progress *progress, const char *name,
     struct signing *g, struct cv_err *e)
{
	struct cv_result *r = NULL;
	int rc;

	s->rq.only = name;
	s->rq.mode = CV_MODE_VERIFY;
	if (s->lock == NULL || cv_lock_find(s->lock, name) == NULL) {
		s->rq.mode = CV_MODE_LOCK; /* nothing to hold it against yet */
		s->rq.lock = NULL;
	}
	s->rq.watch = cv_progress_watch(progress);
	rc = cv_session_run(s, &r, e);
	cv_progress_close(progress);
	if (rc == 0)
		rc = judge(c, s, r, name, g, e);
	cv_result_free(&r);
	return rc;
}

static int
endorse(struct cv_cmdline *c, struct cv_session *s, const char *name, struct cv_err *e)
{
	const struct cv_artifact *decl = cv_agent_find(s->agent, name);
	struct cv_progress progress;
	struct signing g;
	int rc;

	if (decl == NULL || !cv_artifact_covered(decl))
		return cv_fail(e, CV_R_USAGE,
			       "the agent has no artifact \"%s\" that could be endorsed", name);
	if (s->rq.historical)
		return cv_fail(e, CV_R_USAGE, "an endorsement is for now, not for another time");
	rc = signing_open(&g, c, s, name, e);
	if (rc == 0)
		rc = cv_progress_open(&progress, c, e);
	if (rc == 0)
		rc = look(c, s, &progress, name, &g, e);
	cv_signkey_free(&g.key);
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
		"endorsements/NAME.dsse.json beside the agent file, or beside what another key\n"
		"says there. It counts where the policy names your key among its endorsers.\n",
	.examples = "  clawverify endorse pdf\n"
		    "  clawverify endorse llm --expires 30d --key team.key --yes\n",
	.opts = opts,
	.min_args = 1,
	.max_args = 2,
	.run = run_endorse,
};
