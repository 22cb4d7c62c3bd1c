/* SPDX-License-Identifier: Apache-2.0 */
/* believe.c: see believe.h. Must never give a bundle that one root refused to another
 * in a state that the first one left. */
#include "trust/believe.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "trust/need.h"

#include "trust/base/banned.h"

struct attempt {
	struct cv_belief *ret;
	struct cv_span text;
	struct cv_message *artifact;
	const struct cv_keyring *ring;
	struct cv_trace *trace;
	/* of the attempt that came furthest */
	bool tried;
	enum cv_step step;
	struct cv_err why;
};

void
cv_belief_free(struct cv_belief *b)
{
	cv_proven_free(&b->proven);
}

const char *
cv_step_check(enum cv_step step, enum cv_reason reason)
{
	if (reason == CV_R_MALFORMED || reason == CV_R_AMBIGUOUS || reason == CV_R_LIMIT ||
	    reason == CV_R_UNSUPPORTED || reason == CV_R_DIGEST || cv_is_ours(reason))
		return NULL;
	switch (step) {
	case CV_STEP_LOG:
		return "sig.log-unproven";
	case CV_STEP_TIME:
		return "sig.time-unproven";
	case CV_STEP_CHAIN:
		return reason == CV_R_EXPIRED ? NULL : "sig.certificate-untrusted";
	case CV_STEP_SCT:
		return "sig.certificate-unlogged";
	case CV_STEP_IDENTITY:
		return "sig.identity-mismatch";
	case CV_STEP_READ:
	case CV_STEP_SIGNATURE:
	case CV_STEP_DONE:
		break;
	}
	return NULL;
}

struct cv_sigstore
cv_ring_want(const struct cv_ring_root *root, struct cv_trace *trace)
{
	return (struct cv_sigstore){ .root = root->root,
				     .expect = root->expect,
				     .nexpect = root->n,
				     .logs = root->logs,
				     .stamps = root->stamps,
				     .without_log = root->without_log,
				     .without_sct = root->without_sct,
				     .trace = trace };
}

/* Of two noes that which came further; of a mismatch, who it is that signed, and when. */
static int
note_no(struct attempt *a, enum cv_step step, const struct cv_err *why, struct cv_err *e)
{
	const struct cv_trace *t = a->trace;
	char who[CV_WHO_WORDS], when[CV_TIME_TEXT];

	if (cv_is_ours(why->reason))
		return cv_fail(e, why->reason, "%s", why->text);
	if (a->tried && step <= a->step)
		return 0;
	a->tried = true;
	a->step = step;
	a->why = *why;
	if (step == CV_STEP_IDENTITY && t->id != NULL && t->ms >= 0)
		cv_fail(&a->why, why->reason, "it was signed by %s at %s: %s",
			cv_identity_words(t->id, who), cv_time_text(t->ms / 1000, when), why->text);
	return 0;
}

/* One root. The bundle is read anew: a proof takes its payload away. */
static int
by_root(struct attempt *a, const struct cv_ring_root *root, bool key, struct cv_err *e)
{
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	struct cv_sigstore want = cv_ring_want(root, a->trace);
	struct cv_err why;

	cv_trace_clear(a->trace);
	if (key)
		want.expect = NULL;
	if (cv_bundle_parse_whole(&b, "the bundle", a->text, &why) == 0 &&
	    cv_prove_bundle(&a->ret->proven, b, a->artifact, a->ring, &want, &why) == 0)
		return 0;
	return note_no(a, a->trace->step, &why, e);
}

bool
cv_ring_has_logged_key(const struct cv_keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->key[i].root != NULL)
			return true;
	return false;
}

static bool
has_key(const struct cv_keyring *ring, const struct cv_ring_root *root)
{
	for (size_t i = 0; i < ring->n; i++)
		if (ring->key[i].root == root)
			return true;
	return false;
}

/* The roots, one after the other. 0 with nothing proven: none did. */
static int
by_roots(struct attempt *a, bool key, struct cv_err *e)
{
	for (size_t i = 0; i < a->ring->roots && a->ret->proven == NULL; i++) {
		const struct cv_ring_root *root = &a->ring->root[i];

		if ((key ? has_key(a->ring, root) : root->n > 0) && by_root(a, root, key, e) != 0)
			return -1;
	}
	return 0;
}

/* The keys that need no log. */
static int
by_key(struct attempt *a, struct cv_bundle *b, struct cv_err *e)
{
	struct cv_err why;
	int r;

	a->ret->logs = b->logs;
	a->ret->stamps = b->timestamps;
	if (b->envelope != NULL)
		r = cv_prove_envelope(&a->ret->proven, b->envelope, &b->material, a->ring, &why);
	else if ((r = cv_same_message(b, a->artifact, &why)) == 0)
		r = cv_prove_message(&a->ret->proven, a->artifact, cv_buf_span(&b->signature),
				     &b->material, a->ring, &why);
	return r == 0 ? 0 : note_no(a, CV_STEP_READ, &why, e);
}

/* Whom the certificate names, for people: nothing here proves it. */
static int
nobody(struct attempt *a, struct cv_err *e)
{
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	cv_auto(cv_identity_free) struct cv_identity *id = NULL;
	char who[CV_WHO_WORDS];
	struct cv_err why;

	if (cv_bundle_parse_whole(&b, "the bundle", a->text, &why) != 0 ||
	    cv_identity_read(&id, b->leaf, &why) != 0)
		return note_no(a, CV_STEP_READ, &why, e);
	cv_fail(&why, CV_R_IDENTITY,
		"it was signed with a certificate, and no identity is trusted here; it says, "
		"unproven, that it is by %s",
		cv_identity_words(id, who));
	return note_no(a, CV_STEP_IDENTITY, &why, e);
}

static int
attempt(struct attempt *a, struct cv_bundle *b, struct cv_err *e)
{
	bool certificate = b->material.kind == CV_MATERIAL_CERTIFICATE;

	a->ret->message = b->envelope == NULL;
	if (certificate && !cv_keyring_has_identities(a->ring))
		return nobody(a, e);
	if (!certificate && by_key(a, b, e) != 0)
		return -1;
	if (a->ret->proven != NULL)
		return 0;
	a->ret->logs = a->ret->stamps = 0;
	return by_roots(a, !certificate, e);
}

int
cv_believe_bundle(struct cv_belief *ret, struct cv_span text, struct cv_message *artifact,
		  const struct cv_keyring *ring, struct cv_err *e)
{
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	cv_auto(cv_freep) struct cv_trace *trace = calloc(1, sizeof(*trace));
	struct attempt a = {
		.ret = ret, .text = text, .artifact = artifact, .ring = ring, .trace = trace
	};
	int r;

	*ret = (struct cv_belief){ .proven = NULL };
	if (trace == NULL)
		return cv_fail_memory(e);
	if (cv_bundle_parse(&b, "the bundle", text, e) != 0) {
		/* an older one is read whole, or not at all */
		if (e->reason != CV_R_UNSUPPORTED ||
		    cv_bundle_parse_whole(&b, "the bundle", text, e) != 0)
			return -1;
	}
	r = attempt(&a, b, e);
	cv_trace_clear(trace);
	if (r != 0 || ret->proven != NULL)
		return r;
	ret->check = cv_step_check(a.step, a.why.reason);
	return cv_fail(e, a.why.reason, "%s", a.why.text);
}
