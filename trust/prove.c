/* SPDX-License-Identifier: Apache-2.0 */
/* prove.c: see proven.h. Must never make a proof without cv_pubkey_verify()
 * having said 0 over the very bytes that the proof holds. */
#include "trust/proven.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"
#include "trust/dsse.h"
#include "trust/sigstore.h"

#include "trust/base/banned.h"

struct cv_proven {
	struct cv_buf signed_bytes; /* the pre-authentication encoding; empty for a message */
	struct cv_span payload;     /* its last part */
	char *type;
	const struct cv_ring_key *key[CV_MAX_KEYS];
	size_t n;
	struct cv_ring_key *own; /* found in evidence and allowed by the ring's tools */
	size_t owns;
	struct cv_identity *identity;                       /* of a certificate; then n is 0 */
	const struct cv_expected *match[CV_MAX_IDENTITIES]; /* whom of policy's it is */
	size_t matches;
	int64_t ms;
};

struct cv_verified {
	struct cv_proven *proof;
	struct cv_statement *statement;
};

void
cv_proven_free(struct cv_proven **p)
{
	if (*p == NULL)
		return;
	cv_buf_free(&(*p)->signed_bytes);
	free((*p)->type);
	for (size_t i = 0; i < (*p)->owns; i++)
		cv_pubkey_free(&(*p)->own[i].key);
	free((*p)->own);
	cv_identity_free(&(*p)->identity);
	free(*p);
	*p = NULL;
}

struct cv_span
cv_proven_payload(const struct cv_proven *p)
{
	return p->payload;
}

const char *
cv_proven_type(const struct cv_proven *p)
{
	return p->type == NULL ? "" : p->type;
}

size_t
cv_proven_keys(const struct cv_proven *p)
{
	return p->n;
}

const struct cv_ring_key *
cv_proven_key(const struct cv_proven *p, size_t i)
{
	return p->key[i];
}

const struct cv_identity *
cv_proven_identity(const struct cv_proven *p)
{
	return p->identity;
}

size_t
cv_proven_matches(const struct cv_proven *p)
{
	return p->matches;
}

const struct cv_expected *
cv_proven_match(const struct cv_proven *p, size_t i)
{
	return p->match[i];
}

int64_t
cv_proven_ms(const struct cv_proven *p)
{
	return p->ms;
}

/* ---- which key ---- */

/* A key that has to be in a root's logs counts only where that root judges. */
static bool
usable(const struct cv_ring_key *k, const struct cv_root *root)
{
	return k->root == NULL || k->root->root == root;
}

enum hint { HINT_NONE, HINT_OURS, HINT_FOREIGN };

/* A hint that has the form of a key id: base64 of a SHA-256 (cosign), the same
 * after "SHA256:" and unpadded (npm, ssh), or hex (securesystemslib, ours). Other
 * words may stand for any key. */
static bool
hint_id(struct cv_digest *ret, const char *hint)
{
	struct cv_span s = cv_span_str(hint);
	struct cv_buf b = CV_BUF(64);
	bool good;

	if (cv_digest_parse(ret, s, NULL) == 0 || cv_digest_hex(ret, CV_SHA256, s, NULL) == 0)
		return ret->alg == CV_SHA256;
	if (cv_span_has_prefix(s, "SHA256:"))
		cv_span_take(&s, strlen("SHA256:"));
	good = s.n >= 43 && s.n <= 44 && cv_base64_decode_dsse(&b, s, NULL) == 0 && b.n == 32;
	if (good) {
		*ret = (struct cv_digest){ .alg = CV_SHA256 };
		memcpy(ret->b, b.p, 32);
	}
	cv_buf_free(&b);
	return good;
}

static enum hint
judge_hint(const char *hint, const struct cv_keyring *ring, struct cv_digest *id)
{
	if (*hint == '\0' || !hint_id(id, hint))
		return HINT_NONE;
	for (size_t i = 0; i < ring->n; i++)
		if (cv_digest_eq(cv_pubkey_id(ring->key[i].key), id))
			return HINT_OURS;
	return HINT_FOREIGN;
}

/* Every holder of that key material, once. */
static void
remember(struct cv_proven *p, const struct cv_keyring *ring, const struct cv_root *root,
	 const struct cv_pubkey *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (cv_digest_eq(cv_pubkey_id(p->key[i]->key), cv_pubkey_id(key)))
			return;
	for (size_t i = 0; i < ring->n; i++)
		if (usable(&ring->key[i], root) &&
		    cv_digest_eq(cv_pubkey_id(ring->key[i].key), cv_pubkey_id(key)))
			p->key[p->n++] = &ring->key[i];
}

static bool
tried_before(const struct cv_keyring *ring, const struct cv_root *root, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (usable(&ring->key[k], root) &&
		    cv_digest_eq(cv_pubkey_id(ring->key[k].key), cv_pubkey_id(ring->key[i].key)))
			return true;
	return false;
}

/* Why the signature counts for nothing, as far as its hint tells. */
static int
explain(const char *hint, const struct cv_keyring *ring, struct cv_span sig, struct cv_err *e)
{
	struct cv_digest id;
	char text[CV_DIGEST_TEXT];

	if (ring->n == 0)
		return cv_fail(e, CV_R_IDENTITY, "no key is trusted here, whoever signed it");
	switch (judge_hint(hint, ring, &id)) {
	case HINT_OURS:
		return cv_fail(e, CV_R_SIGNATURE,
			       "the signature does not verify, though it names the trusted key %s: "
			       "what was signed was changed, or the signature was",
			       cv_digest_text(&id, text));
	case HINT_FOREIGN:
		return cv_fail(e, CV_R_IDENTITY,
			       "the signature names the key %s, which is not trusted here",
			       cv_digest_text(&id, text));
	case HINT_NONE:
		break;
	}
	if (!cv_signature_plausible(sig))
		return cv_fail(e, CV_R_MALFORMED,
			       "found %zu bytes that are no signature of a supported kind", sig.n);
	return cv_fail(e, CV_R_SIGNATURE,
		       "the signature verifies with none of the trusted keys: another key made it, "
		       "or something was changed since");
}

/* All keys over one signature. 0 if one verifies. */
static int
try_keys(struct cv_proven *p, struct cv_message *message, struct cv_span sig, const char *hint,
	 const struct cv_keyring *ring, const struct cv_root *root, struct cv_err *e)
{
	struct cv_err why, cannot = { .reason = CV_R_NONE };

	for (size_t i = 0; i < ring->n; i++) {
		if (!usable(&ring->key[i], root) || tried_before(ring, root, i))
			continue;
		if (cv_pubkey_verify(ring->key[i].key, message, sig, &why) == 0) {
			remember(p, ring, root, ring->key[i].key);
			return 0;
		}
		if (why.reason == CV_R_UNSUPPORTED)
			cannot = why;
		else if (why.reason != CV_R_SIGNATURE)
			return cv_fail(e, why.reason, "%s", why.text);
	}
	if (cannot.reason != CV_R_NONE)
		return cv_fail(e, cannot.reason, "%s", cannot.text);
	return explain(hint, ring, sig, e);
}

/* A certificate is judged with all that stands behind it (cv_prove_bundle), or not. */
static int
by_key(const struct cv_material *m, struct cv_err *e)
{
	if (m->kind != CV_MATERIAL_CERTIFICATE)
		return 0;
	return cv_fail(e, CV_R_IDENTITY,
		       "it was signed with a certificate, and no identity is trusted here");
}

/* ---- proofs ---- */

/* Of several failures the one that tells most. */
static unsigned
weight(enum cv_reason r)
{
	return r == CV_R_SIGNATURE ? 4 : r == CV_R_IDENTITY ? 3 : r == CV_R_MALFORMED ? 2 : 1;
}

static bool
is_answer(enum cv_reason r)
{
	return r == CV_R_SIGNATURE || r == CV_R_IDENTITY || r == CV_R_MALFORMED ||
	       r == CV_R_UNSUPPORTED;
}

/* PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body */
static int
encode(struct cv_proven *p, struct cv_envelope *env, struct cv_err *e)
{
	size_t n = env->payload.n;

	p->signed_bytes = CV_BUF(n + strlen(env->type) + 64);
	cv_buf_fmt(&p->signed_bytes, "DSSEv1 %zu ", strlen(env->type));
	cv_buf_str(&p->signed_bytes, env->type);
	cv_buf_fmt(&p->signed_bytes, " %zu ", n);
	cv_buf_add(&p->signed_bytes, env->payload.p, n);
	cv_buf_free(&env->payload);
	if (cv_buf_ok(&p->signed_bytes, "what the envelope's signature is over", e) != 0)
		return -1;
	p->payload = cv_span(p->signed_bytes.p + p->signed_bytes.n - n, n);
	p->type = env->type;
	env->type = NULL;
	return 0;
}

int
cv_prove_envelope(struct cv_proven **ret, struct cv_envelope *env, const struct cv_material *m,
		  const struct cv_keyring *ring, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = calloc(1, sizeof(*p));
	struct cv_err why, worst = { .reason = CV_R_NONE };
	struct cv_message message;

	if (p == NULL)
		return cv_fail_memory(e);
	p->ms = -1;
	if (by_key(m, e) != 0 || encode(p, env, e) != 0)
		return -1;
	message = cv_message_bytes(cv_buf_span(&p->signed_bytes));
	for (size_t i = 0; i < env->n; i++) {
		const char *hint = env->sig[i].keyid[0] != '\0' ? env->sig[i].keyid : m->hint;

		if (try_keys(p, &message, cv_buf_span(&env->sig[i].bytes), hint, ring, NULL,
			     &why) == 0)
			continue;
		if (!is_answer(why.reason))
			return cv_fail(e, why.reason, "%s", why.text);
		if (worst.reason == CV_R_NONE || weight(why.reason) > weight(worst.reason))
			worst = why;
	}
	if (p->n == 0)
		return cv_fail(e, worst.reason, "%s", worst.text);
	*ret = cv_steal(p);
	return 0;
}

int
cv_prove_message(struct cv_proven **ret, struct cv_message *message, struct cv_span sig,
		 const struct cv_material *m, const struct cv_keyring *ring, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return cv_fail_memory(e);
	p->ms = -1;
	if (by_key(m, e) != 0 || try_keys(p, message, sig, m->hint, ring, NULL, e) != 0)
		return -1;
	if (message->blob.fd < 0)
		p->payload = message->bytes;
	*ret = cv_steal(p);
	return 0;
}

/* Of tools: a foreign key tells less than a broken rule, and both less than no. */
static unsigned
tool_weight(const struct cv_err *why)
{
	static const enum cv_reason order[] = { CV_R_IDENTITY, CV_R_UNSUPPORTED, CV_R_MALFORMED,
						CV_R_RULE,     CV_R_EXPIRED,     CV_R_SIGNATURE };

	for (unsigned i = 0; i < CV_COUNT(order); i++)
		if (order[i] == why->reason)
			return i + 1;
	return CV_COUNT(order) + 1;
}

int
cv_prove_detached(struct cv_proven **ret, struct cv_message *message, struct cv_span text,
		  const struct cv_keyring *ring, int64_t now, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = calloc(1, sizeof(*p));
	struct cv_err why, worst = { .reason = CV_R_NONE };

	if (p == NULL)
		return cv_fail_memory(e);
	p->ms = -1;
	p->own = calloc(ring->tools + 1, sizeof(*p->own));
	if (p->own == NULL)
		return cv_fail_memory(e);
	if (ring->tools == 0)
		return cv_fail(e, CV_R_IDENTITY,
			       "nobody is trusted here who signs with ssh-keygen, minisign or "
			       "signify");
	for (size_t i = 0; i < ring->tools; i++) {
		struct cv_ring_key *own = &p->own[p->owns];

		if (cv_detached_by(&ring->tool[i], message, text, now, &own->key, &why) == 0) {
			own->name = ring->tool[i].name;
			p->key[p->n++] = own;
			p->owns++;
		} else if (worst.reason == CV_R_NONE || tool_weight(&why) > tool_weight(&worst)) {
			worst = why;
		}
	}
	if (p->n == 0)
		return cv_fail(e, worst.reason, "%s", worst.text);
	*ret = cv_steal(p);
	return 0;
}

/* ---- bundles and what stands behind them ---- */

int
cv_same_message(const struct cv_bundle *b, struct cv_message *m, struct cv_err *e)
{
	struct cv_digest found;
	char one[CV_DIGEST_TEXT], two[CV_DIGEST_TEXT];

	if (b->digest.alg == CV_ALG_NONE)
		return 0;
	if (cv_message_digest(m, b->digest.alg, &found, e) != 0)
		return -1;
	if (cv_digest_eq(&found, &b->digest))
		return 0;
	return cv_fail(e, CV_R_DIGEST, "the bundle is about %s, want %s",
		       cv_digest_text(&b->digest, one), cv_digest_text(&found, two));
}

/* Everybody of policy's who is meant by the certificate's name. */
static int
match_all(struct cv_proven *p, const struct cv_sigstore *want, struct cv_err *e)
{
	size_t n = want->nexpect == 0 ? 1 : want->nexpect;
	struct cv_err why;

	for (size_t i = 0; i < n && p->matches < CV_MAX_IDENTITIES; i++)
		if (cv_identity_match(p->identity, &want->expect[i], &why) == 0)
			p->match[p->matches++] = &want->expect[i];
	if (p->matches == 0)
		return cv_fail(e, CV_R_BUG, "an identity matched and does not any more");
	return 0;
}

/* The signature, by the ring or by the certificate; and all behind it. */
static int
judge_bundle(struct cv_proven *p, const struct cv_bundle *b, struct cv_claimed *what,
	     const char *hint, const struct cv_keyring *ring, const struct cv_sigstore *want,
	     struct cv_err *e)
{
	if (b->leaf == NULL) {
		if (want->expect != NULL)
			return cv_fail(e, CV_R_IDENTITY,
				       "it was signed with a key, want one with a certificate");
		if (try_keys(p, what->message, what->signature, hint, ring, want->root, e) != 0)
			return -1;
		what->key = p->key[0]->key;
		return cv_sigstore_judge(&p->identity, b, what, want, e);
	}
	what->leaf = b->leaf;
	what->key = cv_cert_key(b->leaf);
	if (cv_sigstore_judge(&p->identity, b, what, want, e) != 0)
		return -1;
	if (cv_pubkey_verify(what->key, what->message, what->signature, e) != 0)
		return -1;
	return match_all(p, want, e);
}

int
cv_prove_bundle(struct cv_proven **ret, struct cv_bundle *b, struct cv_message *artifact,
		const struct cv_keyring *ring, const struct cv_sigstore *want, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = calloc(1, sizeof(*p));
	struct cv_claimed what = { .message = artifact, .signature = cv_buf_span(&b->signature) };
	struct cv_message encoded; /* keeps nothing: its bytes are in memory */
	const char *hint = b->material.hint;
	int r;

	if (p == NULL)
		return cv_fail_memory(e);
	if (b->envelope != NULL) {
		if (encode(p, b->envelope, e) != 0)
			return -1;
		if (b->envelope->sig[0].keyid[0] != '\0')
			hint = b->envelope->sig[0].keyid;
		encoded = cv_message_bytes(cv_buf_span(&p->signed_bytes));
		what.message = &encoded;
		what.dsse = true;
		what.payload = p->payload;
		what.signature = cv_buf_span(&b->envelope->sig[0].bytes);
	} else if (cv_same_message(b, artifact, e) != 0) {
		return -1;
	} else if (artifact->blob.fd < 0 && !artifact->absent) {
		p->payload = artifact->bytes;
	}
	r = judge_bundle(p, b, &what, hint, ring, want, e);
	if (r != 0)
		return -1;
	p->ms = want->trace == NULL ? -1 : want->trace->ms;
	if (want->trace != NULL)
		want->trace->step = CV_STEP_DONE;
	*ret = cv_steal(p);
	return 0;
}

/* ---- statements ---- */

void
cv_verified_free(struct cv_verified **v)
{
	if (*v == NULL)
		return;
	cv_statement_free(&(*v)->statement);
	cv_proven_free(&(*v)->proof);
	free(*v);
	*v = NULL;
}

const struct cv_proven *
cv_verified_proof(const struct cv_verified *v)
{
	return v->proof;
}

const struct cv_statement *
cv_verified_statement(const struct cv_verified *v)
{
	return v->statement;
}

int
cv_verify_statement(struct cv_verified **ret, struct cv_proven **p, const char *name,
		    struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *proof = cv_steal(*p);
	cv_auto(cv_verified_free) struct cv_verified *v = NULL;
	char brief[CV_TEXT_BRIEF];

	if (strcmp(cv_proven_type(proof), CV_INTOTO_PAYLOAD) != 0)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "%s: found the payload type \"%s\", want \"" CV_INTOTO_PAYLOAD "\"",
			       name, cv_text_brief(brief, cv_span_str(cv_proven_type(proof))));
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return cv_fail_memory(e);
	v->proof = cv_steal(proof);
	if (cv_statement_parse(&v->statement, name, v->proof->payload, e) != 0)
		return -1;
	*ret = cv_steal(v);
	return 0;
}
