/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proven.h: what a key of the given set signed, as a type of its own.
 *
 * An envelope, a bundle, a payload (dsse.h, bundle.h, simple.h) say what somebody
 * wrote. A struct cv_proven says that a key of the ring signed exactly these
 * bytes; a struct cv_verified, that they are an in-toto statement. Both are
 * opaque and made in prove.c alone, so that nothing unproven can be passed where
 * they are wanted. Neither says that it is about the artifact at hand: that is
 * for whoever compares the subject.
 *
 * Why a proof fails is in the reason:
 *   CV_R_SIGNATURE    no signature verifies, and none names a foreign key
 *   CV_R_IDENTITY     it names a key that is none of the ring's
 *   CV_R_MALFORMED    the signature is nothing that any key could have made
 *   CV_R_UNSUPPORTED  keyless, or an algorithm or size that is not judged here
 */
#ifndef CV_TRUST_PROVEN_H
#define CV_TRUST_PROVEN_H

#include "trust/base/statement.h"
#include "trust/detached.h"

/* ---- the keys of a task ---- */

struct cv_root;     /* root_json.h */
struct cv_expected; /* identity.h */
struct cv_ring_who;

/* A trust root, what is wanted of bundles that it judges, and who may sign them. */
struct cv_ring_root {
	char *name;
	struct cv_root *root;
	unsigned logs, stamps; /* as in sigstore.h */
	bool without_log, without_sct;
	struct cv_expected *expect; /* identities; texts are who's */
	struct cv_ring_who *who;
	size_t n;
};

struct cv_ring_key {
	char *name; /* of the signer; several signers may hold one key, and one several */
	struct cv_pubkey *key;
	/* its signatures have to be in the logs of this root; NULL: need not */
	const struct cv_ring_root *root;
};

struct cv_keyring {
	struct cv_ring_key key[CV_MAX_KEYS];
	size_t n;
	struct cv_ring_root root[CV_MAX_ROOTS];
	size_t roots;
	struct cv_ring_tool tool[CV_MAX_TOOLS];
	size_t tools;
};

/* cv_keyring_add: the reasons of cv_pubkey_load(). Whoever read the policy has asked
 * the same function before: a worker has no say about configuration. `root`: see
 * cv_ring_key; NULL none. */
int cv_keyring_add(struct cv_keyring *r, const char *name, const struct cv_ring_root *root,
		   struct cv_span pem, struct cv_err *e) cv_must;

/* cv_keyring_root: one of the ring's roots, NULL if there is none of that name. */
struct cv_ring_root *cv_keyring_root(struct cv_keyring *r, const char *name);

/* cv_keyring_add_root: a trusted_root.json (root_json.h); *ret is empty but for name
 * and root. cv_keyring_add_identity: who may sign, as policy says it: a JSON object of
 * "identity" or "identity_pattern"; "issuer", "issuer_pattern" or "no_issuer": true;
 * "claims" by their words (trust/base/claims.h). What this build cannot judge, a root
 * or pattern that cannot be read among it, is CV_R_UNSUPPORTED. */
int cv_keyring_add_root(struct cv_keyring *r, const char *name, struct cv_span text,
			struct cv_ring_root **ret, struct cv_err *e) cv_must;
int cv_keyring_add_identity(struct cv_ring_root *root, const char *signer, struct cv_span text,
			    struct cv_err *e) cv_must;

/* cv_keyring_add_tool: see cv_tool_read(). */
int cv_keyring_add_tool(struct cv_keyring *r, const char *signer, enum cv_tool tool,
			struct cv_span text, const char *principal, const char *ns,
			struct cv_err *e) cv_must;
void cv_keyring_clear(struct cv_keyring *r);

/* cv_keyring_words: "a, b and 3 more" for messages; returns out. */
const char *cv_keyring_words(const struct cv_keyring *r, char *out, size_t size);

bool cv_keyring_has_identities(const struct cv_keyring *r);

/* ---- evidence, not yet proven ---- */

/* What evidence says it can be verified with. Nobody signed that. */
struct cv_material {
	enum { CV_MATERIAL_UNSAID, CV_MATERIAL_KEY, CV_MATERIAL_CERTIFICATE } kind;
	char hint[256]; /* KEY: whatever names it; "" none */
};

struct cv_raw_signature {
	struct cv_buf bytes;
	char keyid[256]; /* a hint, "" none */
};

struct cv_envelope; /* dsse.h */

/* ---- proofs ---- */

struct cv_proven;
struct cv_verified;

/* cv_prove_envelope: the DSSE protocol (protocol.md): the pre-authentication
 * encoding over the decoded payload, verified before anything reads it. Any one
 * signature by a key of the ring is enough; others are passed over. The payload
 * moves from the envelope to the proof. The ring outlives *ret. */
int cv_prove_envelope(struct cv_proven **ret, struct cv_envelope *env, const struct cv_material *m,
		      const struct cv_keyring *ring, struct cv_err *e) cv_must;

/* cv_prove_message: one signature over the bytes themselves. The payload of the
 * result is the message's bytes (borrowed), empty for one in a descriptor. */
int cv_prove_message(struct cv_proven **ret, struct cv_message *message, struct cv_span sig,
		     const struct cv_material *m, const struct cv_keyring *ring,
		     struct cv_err *e) cv_must;

/* cv_prove_detached: the signature file of another tool (detached.h), by all of the
 * ring's tools that allow it. Also CV_R_EXPIRED and CV_R_RULE. */
int cv_prove_detached(struct cv_proven **ret, struct cv_message *message, struct cv_span text,
		      const struct cv_keyring *ring, int64_t now, struct cv_err *e) cv_must;

struct cv_bundle;   /* bundle.h */
struct cv_sigstore; /* sigstore.h */
struct cv_identity; /* identity.h */

/* cv_prove_bundle: a bundle read whole, with all that stands behind its signature
 * (sigstore.h): by a key of the ring where want->expect is NULL, else by the
 * certificate. `artifact` is what a message signature is over; a DSSE payload moves
 * from the bundle to the proof. Other reasons than above: CV_R_EXPIRED, CV_R_ABSENT
 * (of a proof that is wanted), CV_R_DIGEST, CV_R_RULE. */
int cv_prove_bundle(struct cv_proven **ret, struct cv_bundle *b, struct cv_message *artifact,
		    const struct cv_keyring *ring, const struct cv_sigstore *want,
		    struct cv_err *e) cv_must;

/* cv_proven_identity: who the certificate was issued to; NULL: signed by a key.
 * cv_proven_match: whom of want->expect that is, at least one. cv_proven_ms: the
 * earliest time that logs and authorities prove, -1 if want->trace was NULL or none
 * does. */
const struct cv_identity *cv_proven_identity(const struct cv_proven *p);
size_t cv_proven_matches(const struct cv_proven *p);
const struct cv_expected *cv_proven_match(const struct cv_proven *p, size_t i);
int64_t cv_proven_ms(const struct cv_proven *p);

/* cv_same_message: the digest that a bundle says its message has, nobody signed it,
 * and a wrong one is wrong all the same: CV_R_DIGEST. */
int cv_same_message(const struct cv_bundle *b, struct cv_message *m, struct cv_err *e) cv_must;

void cv_proven_free(struct cv_proven **p);

struct cv_span cv_proven_payload(const struct cv_proven *p);
const char *cv_proven_type(const struct cv_proven *p); /* payloadType; "" a message */
size_t cv_proven_keys(const struct cv_proven *p);      /* at least 1; 0: by a certificate */
const struct cv_ring_key *cv_proven_key(const struct cv_proven *p, size_t i);

/* cv_verify_statement: the payload read as an in-toto statement; takes *p, also
 * when it fails. CV_R_UNSUPPORTED for another payload type. */
int cv_verify_statement(struct cv_verified **ret, struct cv_proven **p, const char *name,
			struct cv_err *e) cv_must;
void cv_verified_free(struct cv_verified **v);

const struct cv_proven *cv_verified_proof(const struct cv_verified *v);
const struct cv_statement *cv_verified_statement(const struct cv_verified *v);

#endif
