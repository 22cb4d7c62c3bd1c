/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_vouch.c: what vouches for an artifact. The trust worker proves who
 * signed what; here is decided whether that is whom policy wants, about the
 * right digest. Must never count one key or identity twice, nor a signature about
 * something else.
 *
 * An artifact passes by the strongest basis that its rule accepts and that
 * holds. sig. findings explain: they decide only where the basis is not enough,
 * so that garbage which anybody may push beside a good signature changes
 * nothing.
 */
#include "verify/engine_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/engine_vouch.h"
#include "verify/local.h"

#include "trust/base/banned.h"

#define MAX_STATEMENTS 256
#define MAX_COUNTED    64 /* signers of one rule that are told apart */

/* ---- facts ---- */

/* text_of: a text field into out, NULL if it is absent or empty. The accessors'
 * strings live in the frame, and one call may take the other's place. */
static char *
text_of(struct cv_frame *f, uint8_t tag, char *out, size_t size)
{
	out[0] = '\0';
	if (cv_frame_has(f, tag))
		cv_text_fmt(out, size, "%s", cv_frame_str(f, tag, size - 1));
	return out[0] == '\0' ? NULL : out;
}

static int
signer_fact(struct cv_job *j, struct cv_frame *f, struct cv_err *e)
{
	struct cv_r_signer s = { 0 };
	char predicate[1024], keyid[128], name[128], identity[4096], issuer[4096];

	s.name = text_of(f, CV_TAG_NAME, name, sizeof(name));
	s.keyid = text_of(f, CV_TAG_KEYID, keyid, sizeof(keyid));
	s.predicate = text_of(f, CV_TAG_MEDIA, predicate, sizeof(predicate));
	s.identity = text_of(f, CV_TAG_USER, identity, sizeof(identity));
	s.issuer = text_of(f, CV_TAG_TEXT, issuer, sizeof(issuer));
	if (cv_frame_has(f, CV_TAG_NOW))
		s.signed_at = (int64_t)cv_frame_u64(f, CV_TAG_NOW, INT64_MAX);
	s.kind = (enum cv_signed)cv_frame_u64(f, CV_TAG_KIND, CV_SIGNED_ENVELOPE);
	s.subject = cv_frame_digest(f, CV_TAG_DIGEST);
	s.evidence = cv_frame_digest(f, CV_TAG_EVIDENCE);
	if (cv_frame_done(f, "trust: SIGNER", e) != 0)
		return -1;
	if (s.name == NULL || s.keyid == NULL)
		return cv_fail(e, CV_R_WORKER, "trust: a SIGNER fact without a name");
	if (j->a->nsigners >= CV_MAX_SIGNATURES * 4)
		return cv_fail(e, CV_R_WORKER, "trust: too many SIGNER facts");
	return cv_result_signer(j->a, &s, e);
}

static int
statement_fact(struct cv_job *j, struct cv_frame *f, struct cv_err *e)
{
	struct cv_statement_fact *v, *s;

	if (j->nstatements >= MAX_STATEMENTS)
		return cv_fail(e, CV_R_WORKER, "trust: too many STATEMENT facts");
	v = reallocarray(j->statements, j->nstatements + 1, sizeof(*v));
	if (v == NULL)
		return cv_fail_memory(e);
	j->statements = v;
	s = &v[j->nstatements];
	*s = (struct cv_statement_fact){ .blob = CV_NO_BLOB };
	s->subject = cv_frame_digest(f, CV_TAG_DIGEST);
	s->evidence = cv_frame_digest(f, CV_TAG_EVIDENCE);
	s->predicate = strdup(cv_frame_str(f, CV_TAG_MEDIA, 1023));
	s->signer = strdup(cv_frame_str(f, CV_TAG_NAME, 127));
	s->blob = cv_frame_blob(f, CV_TAG_BLOB, CV_MAX_ENVELOPE);
	j->nstatements++; /* what it has is released with it */
	if (s->predicate == NULL || s->signer == NULL)
		return cv_fail_memory(e);
	return cv_frame_done(f, "trust: STATEMENT", e);
}

/* observed_fact: unproven, for `inspect`. */
static int
observed_fact(struct cv_job *j, struct cv_frame *f, struct cv_err *e)
{
	const char *where = cv_frame_str(f, CV_TAG_NAME, 4096);
	const char *text = cv_frame_str(f, CV_TAG_TEXT, CV_ERR_TEXT);

	if (cv_frame_done(f, "trust: OBSERVED", e) != 0)
		return -1;
	return cv_result_observed(j->a, where, text, e);
}

int
cv_vouch_fact(struct cv_job *j, struct cv_frame *f, struct cv_err *e)
{
	switch (cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED)) {
	case CV_F_SIGNER:
		return signer_fact(j, f, e);
	case CV_F_STATEMENT:
		return statement_fact(j, f, e);
	case CV_F_OBSERVED:
		return observed_fact(j, f, e);
	default:
		return cv_fail(e, CV_R_WORKER, "trust: a fact of a kind that was not asked for");
	}
}

void
cv_vouch_forget(struct cv_job *j, size_t nsigners, size_t nstatements)
{
	struct cv_r_artifact *a = j->a;

	while (a->nsigners > nsigners) {
		a->nsigners--;
		cv_result_signer_free(&a->signers[a->nsigners]);
	}
	while (j->nstatements > nstatements) {
		j->nstatements--;
		free(j->statements[j->nstatements].predicate);
		free(j->statements[j->nstatements].signer);
		cv_closep(&j->statements[j->nstatements].blob.fd);
	}
}

bool
cv_vouch_by(const struct cv_signer *const *signers, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(signers[i]->name, name) == 0)
			return true;
	return false;
}

bool
cv_vouch_subject(const struct cv_job *j, const struct cv_digest *subject)
{
	const struct cv_r_artifact *a = j->a;

	if (j->decl->type != CV_A_IMAGE)
		return cv_digest_eq(subject, &a->digest) || cv_digest_eq(subject, &a->archive);
	return ((j->rule->subjects & CV_SUBJECT_INDEX) != 0 && cv_digest_eq(subject, &a->index)) ||
	       ((j->rule->subjects & CV_SUBJECT_MANIFEST) != 0 &&
		cv_digest_eq(subject, &a->manifest));
}

bool
cv_vouch_is_sbom(const char *predicate)
{
	static const char *const types[] = { "https://cyclonedx.org/bom",
					     "https://spdx.dev/Document" };
	size_t i, n;

	for (i = 0; i < CV_COUNT(types); i++) {
		n = strlen(types[i]);
		if (strncmp(predicate, types[i], n) == 0 &&
		    (predicate[n] == '\0' || predicate[n] == '/'))
			return true;
	}
	return false;
}

/* ---- sig. findings ---- */

void
cv_vouch_tell(struct cv_call *c)
{
	struct cv_job *j = c->job;
	size_t i;

	for (i = 0; i < c->nsaid; i++) {
		const struct cv_finding *f = &c->said[i];

		if (strncmp(f->check, "sig.", 4) != 0) {
			cv_job_say(j, f);
		} else if (cv_vouch_hold(j, f) != 0) {
			struct cv_err e = { 0 };

			cv_fail_memory(&e);
			cv_run_break(j->run, &e);
		}
	}
}

int
cv_vouch_hold(struct cv_job *j, const struct cv_finding *f)
{
	struct cv_finding *v = reallocarray(j->held, j->nheld + 1, sizeof(*v));

	if (v == NULL)
		return -1;
	j->held = v;
	v[j->nheld++] = *f;
	if (f->outcome != CV_FAIL && f->outcome != CV_UNKNOWN)
		return 0;
	if (cv_reason_exit(f->reason) != CV_EXIT_FAIL)
		j->sig_trouble = f->reason;
	return 0;
}

/* ---- the three kinds of basis ---- */

static const struct cv_signer *
signer_of(const struct cv_job *j, const char *name)
{
	size_t i;

	for (i = 0; i < j->rule->nsigned_by; i++)
		if (strcmp(j->rule->signed_by[i]->name, name) == 0)
			return j->rule->signed_by[i];
	return NULL;
}

/* own_key: the key that made it is one that policy gave to this signer. */
static bool
own_key(const struct cv_signer *s, const char *keyid)
{
	char text[CV_DIGEST_TEXT];
	size_t i;

	for (i = 0; i < s->nkeys; i++)
		if (strcmp(cv_digest_text(&s->keys[i].id, text), keyid) == 0)
			return true;
	/* which keys a signer's files of other programs hold, the trust worker alone knows */
	return s->ntools > 0;
}

/* own_identity: the same of who the certificate names, as far as policy says it in
 * so many letters; patterns and claims are for the trust worker alone. */
static bool
own_identity(const struct cv_signer *s, const struct cv_r_signer *by)
{
	const char *issuer = by->issuer != NULL ? by->issuer : "";
	size_t i;

	for (i = 0; i < s->nidentities; i++) {
		const struct cv_identity_want *w = &s->identities[i];

		if ((w->identity == NULL || strcmp(w->identity, by->identity) == 0) &&
		    (w->issuer == NULL || strcmp(w->issuer, issuer) == 0))
			return true;
	}
	return false;
}

static bool
own(const struct cv_signer *s, const struct cv_r_signer *by)
{
	return by->identity != NULL ? own_identity(s, by) : own_key(s, by->keyid);
}

/* release_statement: predicates by which a maker says "this is mine", for what
 * cannot carry a plain signature (a tree has no bytes of its own). Any other
 * attestation, a scan report say, is not a signature. */
static bool
release_statement(const char *predicate)
{
	static const char *const types[] = {
		"https://sigstore.dev/cosign/sign/v1",
		"https://slsa.dev/provenance/v1",
		"https://slsa.dev/provenance/v0.2",
		"https://in-toto.io/attestation/release/v0.1",
	};
	size_t i;

	for (i = 0; i < CV_COUNT(types); i++)
		if (strcmp(predicate, types[i]) == 0)
			return true;
	return false;
}

static bool
is_signature(const struct cv_job *j, const struct cv_r_signer *s)
{
	switch (s->kind) {
	case CV_SIGNED_SIMPLE:
	case CV_SIGNED_BUNDLE:
	case CV_SIGNED_MESSAGE:
		return true;
	case CV_SIGNED_STATEMENT:
		if (s->predicate == NULL)
			return false;
		return cv_items_has(&j->rule->signature_types, s->predicate) ||
		       (j->decl->type != CV_A_IMAGE && release_statement(s->predicate));
	case CV_SIGNED_ENVELOPE:
		break;
	}
	return false;
}

/* is_signed: enough signers, each by a key or identity of its own. */
static bool
is_signed(const struct cv_job *j)
{
	const struct cv_r_signer *counted[MAX_COUNTED];
	unsigned n = 0, k;
	size_t i;

	for (i = 0; i < j->a->nsigners && n < MAX_COUNTED; i++) {
		const struct cv_r_signer *s = &j->a->signers[i];
		const struct cv_signer *who = signer_of(j, s->name);

		if (who == NULL || !own(who, s) || !is_signature(j, s) ||
		    !cv_vouch_subject(j, &s->subject))
			continue;
		for (k = 0; k < n; k++)
			if (strcmp(counted[k]->name, s->name) == 0 ||
			    strcmp(counted[k]->keyid, s->keyid) == 0)
				break;
		if (k == n)
			counted[n++] = s;
	}
	return n > 0 && n >= j->rule->threshold;
}

/* is_pinned: the lock holds these very bytes; while locking, it is going to.
 * Without an agent file the reference's own digest is the pin. */
static bool
is_pinned(const struct cv_job *j)
{
	if (j->differs || j->a->digest.alg == CV_ALG_NONE)
		return false;
	switch (j->run->rq->mode) {
	case CV_MODE_LOCK:
		return true;
	case CV_MODE_VERIFY:
		return j->compared;
	case CV_MODE_BARE:
		return j->decl->digest.alg != CV_ALG_NONE;
	}
	return false;
}

/* ---- the answer ---- */

static const char *
basis_words(unsigned accept, char out[64])
{
	cv_text_fmt(out, 64, "%s%s%s%s%s", (accept & CV_ACCEPT_SIGNED) != 0 ? "signed" : "",
		    (accept & CV_ACCEPT_SIGNED) != 0 && (accept & CV_ACCEPT_ENDORSED) != 0 ? " or "
											   : "",
		    (accept & CV_ACCEPT_ENDORSED) != 0 ? "endorsed" : "",
		    (accept & CV_ACCEPT_PINNED) != 0 &&
				    (accept & (CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED)) != 0
			    ? " or "
			    : "",
		    (accept & CV_ACCEPT_PINNED) != 0 ? "pinned" : "");
	return out;
}

/* weak_reason: evidence that could not be looked at might have been enough, so
 * that is unknown; else the sources answered, and it is a no. */
static enum cv_reason
weak_reason(const struct cv_job *j, enum cv_reason no)
{
	return j->sig_trouble != CV_R_NONE ? j->sig_trouble : no;
}

static void
weak(struct cv_job *j)
{
	struct cv_finding f = cv_finding_no("basis.insufficient", weak_reason(j, CV_R_RULE));
	char words[64];

	cv_finding_expected(&f, "%s", basis_words(j->rule->basis, words));
	cv_finding_found(&f, "%s",
			 j->a->basis == CV_BASIS_NONE ? "nothing that vouches for these bytes"
						      : cv_basis_word(j->a->basis));
	if ((j->rule->basis & CV_ACCEPT_SIGNED) != 0 && j->rule->nsigned_by == 0)
		cv_finding_note(&f, "the rule names no signer under \"signed_by\"");
	else if ((j->rule->basis & CV_ACCEPT_SIGNED) != 0 && j->rule->threshold > 1)
		cv_finding_note(&f, "%u of the rule's signers have to sign", j->rule->threshold);
	cv_job_say(j, &f);
}

/* stale: a root could not judge: that others do not vouch is no answer then. */
static bool
stale(const struct cv_job *j)
{
	for (size_t i = 0; i < j->nheld; i++)
		if (strcmp(j->held[i].check, "sig.root-expired") == 0)
			return true;
	return false;
}

/* tell_held: sig. findings: advice where the basis is enough; where it is not,
 * they are why, and decide as it does. */
static void
tell_held(struct cv_job *j, bool enough)
{
	bool decisive = cv_job_required(j, "basis.insufficient"), old = stale(j);
	size_t i;

	for (i = 0; i < j->nheld; i++) {
		const struct cv_finding *f = &j->held[i];

		if ((enough || (old && f->reason != CV_R_STALE)) && f->outcome != CV_PASS)
			cv_job_say_as(j, f, false);
		else if (f->outcome != CV_PASS && decisive)
			cv_job_say_as(j, f, true);
		else
			cv_job_say(j, f);
	}
	free(j->held);
	j->held = NULL;
	j->nheld = 0;
}

static bool
attested(const struct cv_job *j, const struct cv_want_attestation *w)
{
	const struct cv_signer *const *by = w->nsigned_by > 0 ? w->signed_by : j->rule->signed_by;
	size_t i, n = w->nsigned_by > 0 ? w->nsigned_by : j->rule->nsigned_by;

	for (i = 0; i < j->nstatements; i++) {
		const struct cv_statement_fact *s = &j->statements[i];

		if (strcmp(s->predicate, w->predicate_type) == 0 && cv_vouch_by(by, n, s->signer) &&
		    cv_vouch_subject(j, &s->subject))
			return true;
	}
	return false;
}

/* attestations: true if all that the rule wants are there. */
static bool
attestations(struct cv_job *j)
{
	enum cv_reason why = weak_reason(j, CV_R_ABSENT);
	bool all = true;
	size_t i;

	if (j->rule->nattestations == 0)
		return true;
	for (i = 0; i < j->rule->nattestations; i++) {
		if (attested(j, &j->rule->attestations[i]))
			continue;
		all = false;
		cv_job_no(j, "sig.attestation-absent", why, j->rule->attestations[i].predicate_type,
			  "no such statement about this artifact by a signer of the rule");
	}
	if (all)
		cv_job_pass(j, "sig.attestation-absent");
	return all;
}

bool
cv_vouch_basis(struct cv_job *j)
{
	unsigned have = 0, good;
	bool enough;

	if (is_pinned(j))
		have |= CV_ACCEPT_PINNED;
	if (is_signed(j))
		have |= CV_ACCEPT_SIGNED;
	/* only looked for where it is needed: an old endorsement of a signed
	 * artifact is nobody's concern */
	if ((have & j->rule->basis) == 0 && cv_vouch_endorsed(j))
		have |= CV_ACCEPT_ENDORSED;
	good = have & j->rule->basis;
	enough = good != 0;
	if (!enough)
		good = have;
	if ((good & CV_ACCEPT_SIGNED) != 0)
		j->a->basis = CV_BASIS_SIGNED;
	else if ((good & CV_ACCEPT_ENDORSED) != 0)
		j->a->basis = CV_BASIS_ENDORSED;
	else if ((good & CV_ACCEPT_PINNED) != 0)
		j->a->basis = CV_BASIS_PINNED;
	tell_held(j, enough);
	if (enough)
		cv_job_pass(j, "basis.insufficient");
	else
		weak(j);
	return attestations(j) && enough;
}
