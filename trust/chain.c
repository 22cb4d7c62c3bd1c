/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.c: CV_T_CHAIN of proto.h: what one bundle says stands behind it, line by line,
 * and how far the trust roots given bear it out. For people: whoever signed is taken as
 * whom they say they are, so that nothing here says that anybody may. Must never state a
 * fact that a decision could be made by.
 */
#include "trust/believe.h"
#include "trust/need.h"
#include "trust/tasks.h"
#include "trust/x509_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trust/base/claims.h"
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/statement.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define SUBJECTS 20 /* that are shown */

struct chain {
	struct cv_keyring ring;
	struct cv_blob blob;
	struct cv_worker *w;
	struct cv_trace trace;
};

static int
start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	struct chain *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return cv_fail_memory(e);
	*state = c;
	c->w = w;
	c->blob = cv_frame_blob(task, CV_TAG_BLOB, CV_MAX_BUNDLE);
	return cv_frame_done(task, "TASK", e);
}

static int
item(struct cv_worker *w, struct cv_frame *frame, void *state, struct cv_err *e)
{
	(void)w;
	return cv_take_trusted(&((struct chain *)state)->ring, frame, e);
}

static void
end(void *state)
{
	struct chain *c = state;

	if (c == NULL)
		return;
	cv_trace_clear(&c->trace);
	cv_keyring_clear(&c->ring);
	cv_closep(&c->blob.fd);
	free(c);
}

static int line(struct chain *c, unsigned depth, const char *label, struct cv_err *e,
		const char *fmt, ...) cv_printf(5, 6);

static int
line(struct chain *c, unsigned depth, const char *label, struct cv_err *e, const char *fmt, ...)
{
	struct cv_out *o = cv_w_fact(c->w, CV_F_OBSERVED);
	char text[CV_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	cv_out_str(o, CV_TAG_NAME, label);
	cv_out_u64(o, CV_TAG_KIND, CV_SIGNED_BUNDLE);
	cv_out_u64(o, CV_TAG_POS, depth);
	cv_out_str(o, CV_TAG_TEXT, text);
	return cv_w_send(c->w, e);
}

/* ---- what it is about ---- */

static int
statement(struct chain *c, struct cv_span payload, struct cv_err *e)
{
	cv_auto(cv_statement_free) struct cv_statement *s = NULL;
	char text[CV_DIGEST_TEXT];
	struct cv_err why;

	if (cv_statement_parse(&s, "the statement", payload, &why) != 0)
		return line(c, 1, "statement", e, "cannot be read: %s", why.text);
	if (line(c, 1, "predicate", e, "%s", s->predicate_type) != 0)
		return -1;
	for (size_t i = 0; i < s->nsubjects && i < SUBJECTS; i++)
		if (line(c, 1, "about", e, "%s %s",
			 s->subject[i].n > 0 ? cv_digest_text(&s->subject[i].digest[0], text)
					     : "no digest that is judged",
			 s->subject[i].name) != 0)
			return -1;
	return s->nsubjects <= SUBJECTS
		       ? 0
		       : line(c, 1, "about", e, "and %zu more", s->nsubjects - SUBJECTS);
}

static int
artifact(struct chain *c, const struct cv_bundle *b, struct cv_err *e)
{
	char text[CV_DIGEST_TEXT];

	if (b->envelope == NULL)
		return line(c, 0, "artifact", e, "%s",
			    b->digest.alg == CV_ALG_NONE ? "not named: a signature over bytes"
							 : cv_digest_text(&b->digest, text));
	if (line(c, 0, "artifact", e, "a document of type %s", b->envelope->type) != 0)
		return -1;
	if (strcmp(b->envelope->type, CV_INTOTO_PAYLOAD) != 0)
		return 0;
	return statement(c, cv_buf_span(&b->envelope->payload), e);
}

/* ---- who and when ---- */

static void
when(const ASN1_TIME *t, char out[CV_TIME_TEXT])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) == 1)
		cv_time_text((int64_t)timegm(&tm), out);
	else
		cv_text_fmt(out, CV_TIME_TEXT, "no time");
}

static int
certificate(struct chain *c, const struct cv_cert *leaf, const struct cv_identity *id,
	    struct cv_err *e)
{
	char from[CV_TIME_TEXT], to[CV_TIME_TEXT];

	when(X509_get0_notBefore(leaf->x), from);
	when(X509_get0_notAfter(leaf->x), to);
	if (line(c, 2, "certificate", e, "%s", id->subject) != 0 ||
	    line(c, 3, "issuer", e, "%s", id->issuer == NULL ? "none" : id->issuer) != 0 ||
	    line(c, 3, "valid", e, "%s to %s, %s", from, to, cv_pubkey_kind(leaf->key)) != 0)
		return -1;
	for (unsigned i = CV_CLAIM_ISSUER + 1; i < CV_CLAIMS; i++)
		if (id->claim[i] != NULL && cv_claim_word(i) != NULL &&
		    line(c, 3, cv_claim_word(i), e, "%s", id->claim[i]) != 0)
			return -1;
	return 0;
}

static const char *
log_name(const struct chain *c, const struct cv_digest *id, char hex[65])
{
	bool known;

	for (size_t i = 0; i < c->ring.roots; i++) {
		const struct cv_root *r = c->ring.root[i].root;
		const struct cv_log *log = cv_log_find(r->log, r->logs, id, -1, &known);

		if (log != NULL)
			return log->origin;
	}
	cv_hex_encode(hex, id->b, 32);
	return hex;
}

static int
logs(struct chain *c, const struct cv_bundle *b, struct cv_err *e)
{
	char hex[65], time[CV_TIME_TEXT];

	for (size_t i = 0; i < b->logs; i++) {
		const struct cv_log_entry *en = b->entry[i];

		if (line(c, 2, "log", e, "%s, entry %llu, %s %s", log_name(c, &en->log, hex),
			 (unsigned long long)en->index, en->kind, en->version) != 0 ||
		    line(c, 3, "time", e, "%s",
			 en->time > 0 ? cv_time_text(en->time, time) : "none of its own") != 0)
			return -1;
	}
	return b->timestamps == 0 ? 0
				  : line(c, 2, "timestamps", e, "%zu (RFC 3161)", b->timestamps);
}

/* ---- what a root makes of it ---- */

static const char *const steps[] = {
	[CV_STEP_READ] = "reading",        [CV_STEP_LOG] = "transparency log",
	[CV_STEP_TIME] = "time",           [CV_STEP_CHAIN] = "certificate chain",
	[CV_STEP_SCT] = "certificate log", [CV_STEP_IDENTITY] = "identity",
	[CV_STEP_SIGNATURE] = "signature", [CV_STEP_DONE] = "done",
};

static int
told(struct chain *c, const struct cv_ring_root *root, struct cv_bundle *b,
     const struct cv_identity *id, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	struct cv_expected self = { .subject = id->subject,
				    .issuer = id->issuer,
				    .no_issuer = id->issuer == NULL };
	struct cv_sigstore want = cv_ring_want(root, &c->trace);
	struct cv_message m = cv_message_blob(CV_NO_BLOB);
	struct cv_keyring *none = calloc(1, sizeof(*none));
	char time[CV_TIME_TEXT];
	struct cv_err why;
	int r;

	if (none == NULL)
		return cv_fail_memory(e);
	want.expect = &self;
	want.nexpect = 1;
	if (b->digest.alg != CV_ALG_NONE)
		m = cv_message_known(&b->digest);
	cv_trace_clear(&c->trace);
	r = cv_prove_bundle(&p, b, &m, none, &want, &why);
	free(none);
	cv_message_free(&m);
	if (r != 0 && cv_is_ours(why.reason))
		return cv_fail(e, why.reason, "%s", why.text);
	if (r != 0)
		return line(c, 1, "root", e, "%s: does not bear it out, at the step \"%s\": %s",
			    root->name, steps[c->trace.step], why.text);
	return line(c, 1, "root", e, "%s: bears all of it out, signed at %s", root->name,
		    cv_time_text(c->trace.ms / 1000, time));
}

static int
by_roots(struct chain *c, struct cv_span text, const struct cv_identity *id, struct cv_err *e)
{
	for (size_t i = 0; i < c->ring.roots; i++) {
		cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;

		if (cv_bundle_parse_whole(&b, "the bundle", text, e) != 0 ||
		    told(c, &c->ring.root[i], b, id, e) != 0)
			return -1;
	}
	return 0;
}

static int
by_certificate(struct chain *c, struct cv_span text, const struct cv_bundle *b, struct cv_err *e)
{
	cv_auto(cv_identity_free) struct cv_identity *id = NULL;
	struct cv_err why;

	if (cv_identity_read(&id, b->leaf, &why) != 0)
		return cv_is_ours(why.reason) ? cv_fail(e, why.reason, "%s", why.text)
					      : line(c, 2, "certificate", e, "%s", why.text);
	if (certificate(c, b->leaf, id, e) != 0 || logs(c, b, e) != 0)
		return -1;
	return by_roots(c, text, id, e);
}

static int
tell(struct chain *c, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	const char *hint;

	if (cv_bundle_parse_whole(&b, "the bundle", text, e) != 0 || artifact(c, b, e) != 0 ||
	    line(c, 1, "signature", e, "over %s, in a bundle of version 0.%u",
		 b->envelope != NULL ? "the document" : "the artifact's bytes", b->minor) != 0)
		return -1;
	if (b->leaf != NULL)
		return by_certificate(c, text, b, e);
	hint = b->envelope != NULL && b->envelope->sig[0].keyid[0] != '\0'
		       ? b->envelope->sig[0].keyid
		       : b->material.hint;
	if (line(c, 2, "key", e, "%s", hint[0] == '\0' ? "not named" : hint) != 0)
		return -1;
	return logs(c, b, e);
}

static int
run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct chain *c = state;
	struct cv_buf text = CV_BUF(CV_MAX_BUNDLE);
	int r = cv_buf_pread(&text, c->blob.fd, c->blob.off, c->blob.len, "the bundle", e);

	(void)w;
	if (r == 0)
		r = tell(c, cv_buf_span(&text), e);
	cv_buf_free(&text);
	return r;
}

const struct cv_task_def cv_task_chain = {
	.task = CV_T_CHAIN, .start = start, .item = item, .run = run, .end = end
};
