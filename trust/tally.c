/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c: see tally.h. Must never state a signer without a proof in hand, nor
 * say "absent" of what could not be looked at. */
#include "trust/tally.h"

#include <string.h>
#include <unistd.h>

#include "trust/base/text.h"
#include "trust/identity.h"
#include "trust/need.h"

#include "trust/base/banned.h"

/* ---- evidence that does not count ---- */

/* The problem that a reason is. Order: the later one tells more. */
static const struct {
	const char *id;
	bool certificate; /* of a signature by one alone: keys have no end, and no name */
	bool only_told;   /* states no pass: not every task asks it */
} checks[] = {
	{ "sig.absent", false, false },
	{ "sig.unsupported-algorithm", false, false },
	{ "sig.malformed", false, false },
	{ "sig.untrusted-key", false, false },
	{ "sig.log-unproven", true, false },
	{ "sig.time-unproven", true, false },
	{ "sig.certificate-untrusted", true, false },
	{ "sig.certificate-unlogged", true, false },
	{ "sig.subject-mismatch", false, false },
	{ "sig.annotation-mismatch", false, true },
	{ "sig.identity-mismatch", true, false },
	{ "sig.expired", true, false },
	{ "sig.invalid", false, false },
	{ "sig.unavailable", false, false },
};

static const char *
check_of(enum cv_reason r)
{
	switch (r) {
	case CV_R_SIGNATURE:
		return "sig.invalid";
	case CV_R_DIGEST:
		return "sig.subject-mismatch";
	case CV_R_IDENTITY:
		return "sig.untrusted-key";
	case CV_R_EXPIRED:
		return "sig.expired";
	case CV_R_MALFORMED:
	case CV_R_AMBIGUOUS:
	case CV_R_LIMIT:
	case CV_R_RULE:
		return "sig.malformed";
	case CV_R_UNSUPPORTED:
		return "sig.unsupported-algorithm";
	case CV_R_ABSENT:
		return "sig.absent";
	default:
		return "sig.unavailable";
	}
}

static unsigned
rank_of(const char *check)
{
	for (unsigned i = 0; i < CV_COUNT(checks); i++)
		if (strcmp(checks[i].id, check) == 0)
			return i + 1;
	return 0;
}

static int
observe(struct cv_tally *t, const struct cv_place *at, const char *text, struct cv_err *e)
{
	struct cv_out *o = cv_w_fact(t->w, CV_F_OBSERVED);

	cv_out_str(o, CV_TAG_NAME, at->where);
	cv_out_u64(o, CV_TAG_KIND, at->form);
	cv_out_str(o, CV_TAG_TEXT, text);
	if (at->evidence.alg != CV_ALG_NONE)
		cv_out_digest(o, CV_TAG_EVIDENCE, &at->evidence);
	return cv_w_send(t->w, e);
}

int
cv_tally_note(struct cv_tally *t, const struct cv_place *at, struct cv_err *e, const char *fmt, ...)
{
	char text[CV_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	return observe(t, at, text, e);
}

static void
keep(struct cv_why *best, unsigned rank, const struct cv_finding *f)
{
	if (rank > best->rank) {
		best->rank = rank;
		best->f = *f;
	}
}

static int
no(struct cv_tally *t, const struct cv_place *at, const char *check, const struct cv_err *why,
   struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, why->reason);
	char names[400], text[CV_ERR_TEXT];

	cv_finding_expected(&f, "a signature by %s over %s",
			    cv_keyring_words(t->ring, names, sizeof(names)), t->about);
	cv_finding_found(&f, "%s", why->text);
	cv_finding_where(&f, "%s", at->where);
	f.evidence = at->evidence;
	if (at->kinds & CV_TALLY_SIGNATURE)
		keep(&t->signature, rank_of(check), &f);
	if (at->kinds & CV_TALLY_STATEMENT)
		keep(&t->statement, rank_of(check), &f);
	cv_text_fmt(text, sizeof(text), "%s: %s", check, why->text);
	return observe(t, at, text, e);
}

int
cv_tally_no(struct cv_tally *t, const struct cv_place *at, const struct cv_err *why,
	    struct cv_err *e)
{
	if (cv_is_ours(why->reason))
		return cv_fail(e, why->reason, "%s", why->text);
	return no(t, at, at->check != NULL ? at->check : check_of(why->reason), why, e);
}

int
cv_tally_not_had(struct cv_tally *t, const struct cv_place *at, const struct cv_got *g,
		 struct cv_err *e)
{
	if (g->edge)
		return no(t, at, "sig.malformed", &g->why, e);
	if (g->why.reason == CV_R_ABSENT)
		return no(t, at, "sig.absent", &g->why, e);
	return no(t, at, "sig.unavailable", &g->why, e);
}

/* ---- evidence that counts ---- */

static int
add(struct cv_hash *h, const char *text, struct cv_err *e)
{
	return cv_hash_add(h, text, strlen(text) + 1, e);
}

/* Who made it: a key of the ring, or whom of policy's the certificate means. */
struct maker {
	const char *name;
	char id[CV_DIGEST_TEXT];
	const struct cv_identity *who; /* NULL: a key */
	int64_t ms;
};

static size_t
makers(const struct cv_proven *p)
{
	return cv_proven_identity(p) != NULL ? cv_proven_matches(p) : cv_proven_keys(p);
}

static int
maker(struct maker *m, const struct cv_proven *p, size_t i, struct cv_err *e)
{
	struct cv_digest d;

	*m = (struct maker){ .who = cv_proven_identity(p), .ms = cv_proven_ms(p) };
	if (m->who == NULL) {
		m->name = cv_proven_key(p, i)->name;
		cv_digest_text(cv_pubkey_id(cv_proven_key(p, i)->key), m->id);
		return 0;
	}
	m->name = cv_proven_match(p, i)->name;
	if (cv_identity_id(m->who, &d, e) != 0)
		return -1;
	cv_digest_text(&d, m->id);
	return 0;
}

/* *fresh: this fact, in all that matters to who reads it, was not stated before. */
static int
note_fact(struct cv_tally *t, enum cv_signed form, const struct maker *m,
	  const struct cv_digest *about, const char *media, struct cv_span bytes, bool *fresh,
	  struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;
	char subject[CV_DIGEST_TEXT], kind[2] = { (char)('0' + (int)form), 0 };
	struct cv_digest d;

	if (cv_hash_open(&h, CV_SHA256, e) != 0 || add(h, kind, e) != 0 ||
	    add(h, m->name, e) != 0 || add(h, m->id, e) != 0 ||
	    add(h, about == NULL ? "" : cv_digest_text(about, subject), e) != 0 ||
	    add(h, media, e) != 0 || cv_hash_add(h, bytes.p, bytes.n, e) != 0 ||
	    cv_hash_end(h, &d, e) != 0)
		return -1;
	*fresh = false;
	for (size_t i = 0; i < t->nstated; i++)
		if (cv_digest_eq(&t->stated[i], &d))
			return 0;
	if (t->nstated == CV_MAX_DISTINCT)
		return cv_fail(e, CV_R_LIMIT, "found more than %d different statements",
			       CV_MAX_DISTINCT);
	t->stated[t->nstated++] = d;
	*fresh = true;
	return 0;
}

static int
signer(struct cv_tally *t, const struct cv_place *at, enum cv_signed form, const struct maker *m,
       const struct cv_digest *about, const char *media, struct cv_err *e)
{
	struct cv_out *o;
	bool fresh;

	if (note_fact(t, form, m, about, media, cv_span(NULL, 0), &fresh, e) != 0)
		return -1;
	if (!fresh)
		return 0;
	o = cv_w_fact(t->w, CV_F_SIGNER);
	cv_out_str(o, CV_TAG_NAME, m->name);
	cv_out_u64(o, CV_TAG_KIND, form);
	cv_out_digest(o, CV_TAG_DIGEST, about);
	cv_out_digest(o, CV_TAG_EVIDENCE, &at->evidence);
	cv_out_str(o, CV_TAG_KEYID, m->id);
	cv_out_str(o, CV_TAG_MEDIA, media);
	if (m->who != NULL) {
		cv_out_str(o, CV_TAG_USER, m->who->subject);
		cv_out_str(o, CV_TAG_TEXT, m->who->issuer == NULL ? "" : m->who->issuer);
	}
	if (m->ms >= 0)
		cv_out_u64(o, CV_TAG_NOW, (uint64_t)m->ms / 1000);
	return cv_w_send(t->w, e);
}

static int
signers(struct cv_tally *t, const struct cv_place *at, enum cv_signed form,
	const struct cv_proven *p, const struct cv_digest *about, const char *media,
	struct cv_err *e)
{
	struct maker m;

	t->certificates = t->certificates || cv_proven_identity(p) != NULL;
	for (size_t i = 0; i < makers(p); i++)
		if (maker(&m, p, i, e) != 0 || signer(t, at, form, &m, about, media, e) != 0)
			return -1;
	return 0;
}

int
cv_tally_signed(struct cv_tally *t, const struct cv_place *at, const struct cv_proven *p,
		const struct cv_digest *about, const char *media, struct cv_err *e)
{
	t->signatures++;
	return signers(t, at, at->form, p, about, media, e);
}

/* One fact for each signer, all with the same bytes. */
static int
statements(struct cv_tally *t, const struct cv_place *at, const struct cv_proven *p,
	   const struct cv_digest *about, const char *media, struct cv_span bytes, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = -1;
	struct maker m;

	if (cv_sealed_memfd(&fd, bytes, e) != 0)
		return -1;
	for (size_t i = 0; i < makers(p); i++) {
		struct cv_out *o;
		bool fresh;

		if (maker(&m, p, i, e) != 0 ||
		    note_fact(t, 0, &m, about, media, bytes, &fresh, e) != 0)
			return -1;
		if (!fresh)
			continue;
		o = cv_w_fact(t->w, CV_F_STATEMENT);
		cv_out_str(o, CV_TAG_MEDIA, media);
		if (about != NULL)
			cv_out_digest(o, CV_TAG_DIGEST, about);
		cv_out_str(o, CV_TAG_NAME, m.name);
		cv_out_str(o, CV_TAG_KEYID, m.id);
		cv_out_digest(o, CV_TAG_EVIDENCE, &at->evidence);
		cv_out_blob(o, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .len = bytes.n });
		if (cv_w_send(t->w, e) != 0)
			return -1;
	}
	t->statements++;
	return 0;
}

int
cv_tally_statement(struct cv_tally *t, const struct cv_place *at, const struct cv_verified *v,
		   const struct cv_digest *about, struct cv_err *e)
{
	const struct cv_statement *s = cv_verified_statement(v);
	const struct cv_proven *p = cv_verified_proof(v);

	if (strcmp(s->predicate_type, CV_PREDICATE_SIGN) == 0) {
		t->signatures++;
		return signers(t, at, CV_SIGNED_BUNDLE, p, about, s->predicate_type, e);
	}
	if (signers(t, at, CV_SIGNED_STATEMENT, p, about, s->predicate_type, e) != 0)
		return -1;
	return statements(t, at, p, about, s->predicate_type, s->predicate, e);
}

int
cv_tally_payload(struct cv_tally *t, const struct cv_place *at, const struct cv_proven *p,
		 struct cv_err *e)
{
	return statements(t, at, p, NULL, cv_proven_type(p), cv_proven_payload(p), e);
}

/* ---- findings ---- */

static int
passes(struct cv_tally *t, struct cv_err *e)
{
	for (size_t i = 0; i < CV_COUNT(checks); i++) {
		struct cv_finding f = cv_finding_pass(checks[i].id);

		if ((checks[i].certificate && !t->certificates) || checks[i].only_told)
			continue;
		cv_finding_expected(&f, "a signature over %s", t->about);
		cv_finding_found(&f, "%zu that count", t->signatures + t->statements);
		if (cv_w_finding(t->w, &f, e) != 0)
			return -1;
	}
	return 0;
}

static int
absent(struct cv_tally *t, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("sig.absent", CV_R_ABSENT);
	char names[400];

	cv_finding_expected(&f, "a signature by %s over %s",
			    cv_keyring_words(t->ring, names, sizeof(names)), t->about);
	cv_finding_found(&f, t->statements > 0 ? "attestations, and no signature" : "none");
	return cv_w_finding(t->w, &f, e);
}

int
cv_tally_finish(struct cv_tally *t, unsigned wanted, struct cv_err *e)
{
	bool told = false;

	if (wanted & CV_TALLY_SIGNATURE) {
		if (t->signatures > 0)
			return passes(t, e);
		if (t->signature.rank == 0)
			return absent(t, e);
		if (cv_w_finding(t->w, &t->signature.f, e) != 0)
			return -1;
		told = true;
	}
	if (!(wanted & CV_TALLY_STATEMENT) || t->statement.rank == 0)
		return 0;
	if (t->statements > 0 || (told && strcmp(t->signature.f.check, t->statement.f.check) == 0))
		return 0;
	return cv_w_finding(t->w, &t->statement.f, e);
}
