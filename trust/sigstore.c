/* SPDX-License-Identifier: Apache-2.0 */
/* sigstore.c: see sigstore.h. Must never count one log or authority twice, nor go on
 * after a known one was found wrong. */
#include "trust/sigstore.h"
#include "trust/sct.h"

#include <string.h>

#include "trust/base/clock.h"

#include "trust/base/banned.h"

struct judged {
	struct cv_logged log[CV_MAX_TLOG_ENTRIES];
	struct cv_stamp stamp[CV_MAX_TLOG_ENTRIES];
	size_t logs, stamps;
	struct cv_err passed_over; /* the first that counted for nothing */
	struct cv_trace *trace;    /* or NULL */
};

void
cv_trace_clear(struct cv_trace *t)
{
	cv_identity_free(&t->id);
	*t = (struct cv_trace){ .ms = -1 };
}

static void
reach(const struct judged *j, enum cv_step step)
{
	if (j->trace != NULL)
		j->trace->step = step;
}

/* What logs and authorities of time said, once enough of them did. */
static void
keep_times(const struct judged *j)
{
	struct cv_trace *t = j->trace;

	if (t == NULL)
		return;
	memcpy(t->log, j->log, sizeof(t->log));
	memcpy(t->stamp, j->stamp, sizeof(t->stamp));
	t->logs = j->logs;
	t->stamps = j->stamps;
	t->ms = -1;
	for (size_t i = 0; i < j->logs; i++)
		if (j->log[i].timed && (t->ms < 0 || j->log[i].ms < t->ms))
			t->ms = j->log[i].ms;
	for (size_t i = 0; i < j->stamps; i++)
		if (t->ms < 0 || j->stamp[i].ms < t->ms)
			t->ms = j->stamp[i].ms;
}

static void
pass_over(struct judged *j, const struct cv_err *why)
{
	if (j->passed_over.reason == CV_R_NONE)
		j->passed_over = *why;
}

static int
judge_logs(struct judged *j, const struct cv_bundle *b, const struct cv_claimed *what,
	   const struct cv_sigstore *want, struct cv_err *e)
{
	for (size_t i = 0; i < b->logs; i++) {
		struct cv_err why;

		if (cv_rekor_verify(&j->log[j->logs], b->entry[i], want->root, b->minor >= 2, what,
				    &why) == 0)
			j->logs++;
		else if (why.reason == CV_R_IDENTITY)
			pass_over(j, &why);
		else
			return cv_fail(e, why.reason, "%s", why.text);
	}
	return 0;
}

static int
judge_stamps(struct judged *j, const struct cv_bundle *b, const struct cv_claimed *what,
	     const struct cv_sigstore *want, struct cv_err *e)
{
	for (size_t i = 0; i < b->timestamps; i++) {
		struct cv_err why;

		if (cv_tsa_verify(&j->stamp[j->stamps], want->root, cv_buf_span(&b->stamp[i]),
				  what->signature, &why) == 0)
			j->stamps++;
		else if (why.reason == CV_R_IDENTITY)
			pass_over(j, &why);
		else
			return cv_fail(e, why.reason, "%s", why.text);
	}
	return 0;
}

static size_t
different_logs(const struct judged *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->logs; i++) {
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before || cv_digest_eq(&j->log[i].log, &j->log[k].log);
		n += !before;
	}
	return n;
}

/* By the authority's key: windows can cut one authority into several entries. */
static size_t
different_stamps(const struct judged *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->stamps; i++) {
		const struct cv_pubkey *key = cv_cert_key(j->stamp[i].tsa->cert[0]);
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before ||
				 cv_digest_eq(cv_pubkey_id(key),
					      cv_pubkey_id(cv_cert_key(j->stamp[k].tsa->cert[0])));
		n += !before;
	}
	return n;
}

static int
too_few(const struct judged *j, const char *what, size_t found, unsigned want, struct cv_err *e)
{
	if (j->passed_over.reason != CV_R_NONE)
		return cv_fail(e, found == 0 ? j->passed_over.reason : CV_R_ABSENT,
			       "found %zu %s that count, want %u: %s", found, what, want,
			       j->passed_over.text);
	return cv_fail(e, CV_R_ABSENT, "found %zu %s that count, want %u", found, what, want);
}

static int
thresholds(const struct judged *j, const struct cv_sigstore *want, struct cv_err *e)
{
	size_t logs = different_logs(j), stamps = different_stamps(j);
	unsigned want_logs = want->logs == 0 && !want->without_log ? 1 : want->logs;

	if (logs < want_logs) {
		reach(j, CV_STEP_LOG);
		return too_few(j, "log entries", logs, want_logs, e);
	}
	if (stamps < want->stamps)
		return too_few(j, "timestamps", stamps, want->stamps, e);
	return 0;
}

/* An entry without a time of its own: the log was trusted when others say that the
 * signature was made. */
static int
logs_at(const struct judged *j, const struct cv_root *root, struct cv_err *e)
{
	char when[CV_TIME_TEXT];
	bool known;

	for (size_t i = 0; i < j->logs; i++)
		for (size_t k = 0; !j->log[i].timed && k < j->stamps; k++)
			if (cv_log_find(root->log, root->logs, &j->log[i].log, j->stamp[k].ms,
					&known) == NULL)
				return cv_fail(e, CV_R_EXPIRED,
					       "it was signed at %s, when the trust root does not "
					       "have its log",
					       cv_time_text(j->stamp[k].ms / 1000, when));
	return 0;
}

/* ---- the certificate ---- */

static int
chain_at(const struct cv_ca *ca, const struct cv_cert *leaf, int64_t ms, struct cv_digest *issuer,
	 struct cv_err *e)
{
	struct cv_digest before = *issuer;

	if (cv_chain_at(ca, leaf, ms, issuer, e) != 0)
		return -1;
	if (before.alg != CV_ALG_NONE && !cv_digest_eq(&before, issuer))
		return cv_fail(e, CV_R_AMBIGUOUS, "the certificate has two issuers");
	return 0;
}

static int
chain_below(const struct cv_ca *ca, const struct judged *j, const struct cv_cert *leaf,
	    struct cv_digest *issuer, size_t *times, struct cv_err *e)
{
	*issuer = (struct cv_digest){ .alg = CV_ALG_NONE };
	*times = 0;
	for (size_t i = 0; i < j->logs; i++) {
		if (!j->log[i].timed)
			continue;
		++*times;
		if (chain_at(ca, leaf, j->log[i].ms, issuer, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < j->stamps; i++) {
		++*times;
		if (chain_at(ca, leaf, j->stamp[i].ms, issuer, e) != 0)
			return -1;
	}
	return 0;
}

static int
no_time(const struct judged *j, struct cv_err *e)
{
	bool other = j->passed_over.reason != CV_R_NONE;

	return cv_fail(e, other ? j->passed_over.reason : CV_R_ABSENT,
		       "nothing proves when it was signed: found no timestamp and no log entry "
		       "with a time that count%s%s",
		       other ? "; " : "", other ? j->passed_over.text : "");
}

/* Below one authority at every time. Of several noes that of the authority that
 * issued it tells more than that of a stranger. */
static int
judge_chain(const struct judged *j, const struct cv_cert *leaf, const struct cv_sigstore *want,
	    struct cv_digest *issuer, struct cv_err *e)
{
	struct cv_err why, worst = { .reason = CV_R_NONE };
	size_t times;

	for (size_t i = 0; i < want->root->cas; i++) {
		if (chain_below(&want->root->ca[i], j, leaf, issuer, &times, &why) == 0) {
			if (times == 0) {
				reach(j, CV_STEP_TIME);
				return no_time(j, e);
			}
			if (j->trace != NULL)
				j->trace->ca = &want->root->ca[i];
			return 0;
		}
		if (worst.reason == CV_R_NONE || worst.reason == CV_R_IDENTITY)
			worst = why;
	}
	if (worst.reason == CV_R_NONE)
		return cv_fail(e, CV_R_IDENTITY, "the trust root has no authority of certificates");
	return cv_fail(e, worst.reason, "%s", worst.text);
}

/* One of those whom policy wants. What could not be found out of one of them is no
 * mismatch, and told unless another one is it. */
static int
is_wanted(const struct cv_identity *id, const struct cv_sigstore *want, struct cv_err *e)
{
	size_t n = want->nexpect == 0 ? 1 : want->nexpect;
	struct cv_err why = { .reason = CV_R_IDENTITY }, worst = { .reason = CV_R_IDENTITY };
	char who[CV_WHO_WORDS];

	for (size_t i = 0; i < n; i++) {
		if (cv_identity_match(id, &want->expect[i], &why) == 0)
			return 0;
		if (why.reason != CV_R_IDENTITY)
			worst = why;
	}
	if (n == 1 || worst.reason != CV_R_IDENTITY)
		return n == 1 ? cv_fail(e, why.reason, "%s", why.text)
			      : cv_fail(e, worst.reason, "%s", worst.text);
	return cv_fail(e, CV_R_IDENTITY, "it is by none of %zu who may sign: found %s", n,
		       cv_identity_words(id, who));
}

static int
judge_leaf(struct cv_identity **ret, const struct judged *j, const struct cv_cert *leaf,
	   const struct cv_sigstore *want, struct cv_err *e)
{
	cv_auto(cv_identity_free) struct cv_identity *id = NULL;
	struct cv_digest issuer;

	reach(j, CV_STEP_CHAIN);
	if (cv_cert_signs_code(leaf, e) != 0 || judge_chain(j, leaf, want, &issuer, e) != 0)
		return -1;
	reach(j, CV_STEP_SCT);
	if (!want->without_sct && cv_sct_verify(leaf, &issuer, want->root, e) != 0)
		return -1;
	reach(j, CV_STEP_IDENTITY);
	if (cv_identity_read(&id, leaf, e) != 0)
		return -1;
	/* a second reading, so that whom the trace shows is not whom the proof has */
	if (j->trace != NULL && cv_identity_read(&j->trace->id, leaf, e) != 0)
		return -1;
	if (is_wanted(id, want, e) != 0)
		return -1;
	*ret = cv_steal(id);
	return 0;
}

static int
judge(struct cv_identity **ret, const struct cv_bundle *b, const struct cv_claimed *what,
      const struct cv_sigstore *want, struct cv_err *e)
{
	struct judged j = { .trace = want->trace };

	if (j.trace != NULL)
		cv_trace_clear(j.trace);
	if ((what->leaf != NULL) != (want->expect != NULL))
		return cv_fail(e, CV_R_IDENTITY,
			       what->leaf != NULL
				       ? "it was signed with a certificate, want one with a key"
				       : "it was signed with a key, want one with a certificate");
	reach(&j, CV_STEP_LOG);
	if (judge_logs(&j, b, what, want, e) != 0)
		return -1;
	reach(&j, CV_STEP_TIME);
	if (judge_stamps(&j, b, what, want, e) != 0)
		return -1;
	if (thresholds(&j, want, e) != 0)
		return -1;
	reach(&j, CV_STEP_LOG);
	if (logs_at(&j, want->root, e) != 0)
		return -1;
	keep_times(&j);
	if (what->leaf != NULL && judge_leaf(ret, &j, what->leaf, want, e) != 0)
		return -1;
	reach(&j, CV_STEP_SIGNATURE);
	return 0;
}

/* OpenSSL's chains and timestamps say no when memory runs out, and not always leave a
 * trace of it. As in key.h a no is asked for twice: it cannot become a yes by that. */
int
cv_sigstore_judge(struct cv_identity **ret, const struct cv_bundle *b,
		  const struct cv_claimed *what, const struct cv_sigstore *want, struct cv_err *e)
{
	struct cv_err why;

	if (judge(ret, b, what, want, &why) == 0)
		return 0;
	if (why.reason == CV_R_MEMORY)
		return cv_fail_memory(e);
	return judge(ret, b, what, want, e);
}
