/* SPDX-License-Identifier: Apache-2.0 */
/* rekor.c: see rekor.h. Must never read a body before the log is shown to hold it,
 * nor believe a time that the log did not sign. */
#include "trust/rekor.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"

#include "trust/base/banned.h"

static bool
is_v2(const struct cv_log_entry *en)
{
	return strcmp(en->kind, "hashedrekord") == 0 && strcmp(en->version, "0.0.2") == 0;
}

/* The log of an entry; for one with a time, at that time. */
static int
find(const struct cv_log **ret, const struct cv_log_entry *en, const struct cv_root *root,
     struct cv_err *e)
{
	int64_t ms = en->time > 0 ? en->time * 1000 : -1;
	char when[CV_TIME_TEXT], hex[2 * 32 + 1];
	bool known;

	*ret = cv_log_find(root->log, root->logs, &en->log, ms, &known);
	if (*ret == NULL && known)
		return cv_fail(e, CV_R_EXPIRED,
			       "the log entry is of %s, when the trust root does not have its log",
			       cv_time_text(en->time, when));
	cv_hex_encode(hex, en->log.b, 32);
	if (*ret == NULL)
		return cv_fail(e, CV_R_IDENTITY, "the trust root has no log %s", hex);
	if ((*ret)->key == NULL)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "the key of log %s is of a kind not judged here", hex);
	return 0;
}

/* The bytes that a signed entry timestamp is over: RFC 8785 of four members. */
static int
check_set(const struct cv_log_entry *en, const struct cv_log *log, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(2 * CV_MAX_BUNDLE);
	char hex[2 * 32 + 1];
	struct cv_message m;
	int r;

	cv_hex_encode(hex, en->log.b, 32);
	cv_buf_str(&b, "{\"body\":\"");
	cv_base64_encode(&b, cv_buf_span(&en->body));
	cv_buf_fmt(&b, "\",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":%llu}",
		   (long long)en->time, hex, (unsigned long long)en->index);
	r = cv_buf_ok(&b, "a signed entry timestamp", e);
	if (r == 0) {
		m = cv_message_bytes(cv_buf_span(&b));
		r = cv_pubkey_verify(log->key, &m, cv_buf_span(&en->set), e);
		cv_message_free(&m);
		if (r != 0)
			cv_fail_within(e, "the signed entry timestamp of the log");
	}
	cv_buf_free(&b);
	return r;
}

static int
check_proof(const struct cv_log_entry *en, const struct cv_log *log, bool v2, struct cv_span leaf,
	    struct cv_err *e)
{
	struct cv_checkpoint c;

	if (cv_inclusion_verify(en, leaf, e) != 0 ||
	    cv_note_verify(&c, cv_buf_span(&en->checkpoint), log, v2, e) != 0)
		return -1;
	if (c.size != en->tree_size || memcmp(c.root, en->root, 32) != 0)
		return cv_fail(e, CV_R_SIGNATURE,
			       "the log's checkpoint is of another tree than the inclusion proof");
	return 0;
}

static int
verify_v1(struct cv_logged *ret, const struct cv_log_entry *en, const struct cv_log *log,
	  bool proof, const struct cv_claimed *what, struct cv_err *e)
{
	/* early bundles have proofs without a checkpoint: they show nothing */
	bool shown = en->proof && en->checkpoint.n > 0;

	if (en->body.n == 0)
		return cv_fail(e, CV_R_ABSENT, "the log entry has no body");
	if (proof && !shown)
		return cv_fail(e, CV_R_ABSENT,
			       "the log entry has no inclusion proof with a checkpoint");
	if (!proof && en->set.n == 0)
		return cv_fail(e, CV_R_ABSENT, "the log entry has no signed entry timestamp");
	if (en->set.n > 0 && check_set(en, log, e) != 0)
		return -1;
	if (shown && check_proof(en, log, false, cv_buf_span(&en->body), e) != 0)
		return -1;
	ret->timed = en->set.n > 0 && en->time > 0;
	ret->ms = en->time * 1000;
	return cv_rekor_body(en, what, e);
}

static int
verify_v2(const struct cv_log_entry *en, const struct cv_log *log, const struct cv_claimed *what,
	  struct cv_err *e)
{
	struct cv_buf body = CV_BUF(2 * CV_MAX_CERTIFICATE + 4 * CV_MAX_SIGNATURE);
	int r;

	if (en->set.n > 0 || en->time != 0)
		return cv_fail(e, CV_R_MALFORMED, "a Rekor v2 entry has a time or a promise");
	if (!en->proof || en->checkpoint.n == 0)
		return cv_fail(e, CV_R_ABSENT,
			       "the log entry has no inclusion proof with a checkpoint");
	if (en->index != en->proof_index)
		return cv_fail(e, CV_R_MALFORMED, "a Rekor v2 entry has two numbers");
	r = cv_rekor_rebuild(&body, what, e);
	if (r == 0 && en->body.n > 0 && !cv_span_eq(cv_buf_span(&en->body), cv_buf_span(&body)))
		r = cv_fail(e, CV_R_DIGEST,
			    "the log entry is about another artifact, signature or key");
	if (r == 0)
		r = check_proof(en, log, true, cv_buf_span(&body), e);
	cv_buf_free(&body);
	return r;
}

int
cv_rekor_verify(struct cv_logged *ret, const struct cv_log_entry *en, const struct cv_root *root,
		bool proof, const struct cv_claimed *what, struct cv_err *e)
{
	const struct cv_log *log;

	*ret = (struct cv_logged){ .log = en->log };
	if (find(&log, en, root, e) != 0)
		return -1;
	return is_v2(en) ? verify_v2(en, log, what, e) : verify_v1(ret, en, log, proof, what, e);
}
