/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rekor.h: entries of a transparency log, as a bundle carries them (sigstore/
 * protobuf-specs sigstore_rekor.proto).
 *
 * Rekor v1: the body is JSON of kind hashedrekord 0.0.1, dsse 0.0.1 or intoto 0.0.2.
 * It is the log's if the signed entry timestamp (SET) verifies, which also makes its
 * integrated time good, or if an inclusion proof (RFC 6962 2.1.1) leads to a
 * checkpoint that the log signed. Then the body is compared with what is verified:
 * same digest, same signature, same key or certificate.
 *
 * Rekor v2 (hashedrekord 0.0.2): the body is never read: it is built from what is
 * verified and hashed as the leaf. It has no SET and no time of its own, and its
 * checkpoint is by the log's name as well as key.
 *
 * A checkpoint is a signed note (C2SP signed-note.md, tlog-checkpoint.md): lines by
 * others (witnesses, foreign keys) are passed over, one by the log's own key that
 * does not verify spoils it.
 */
#ifndef CV_TRUST_REKOR_H
#define CV_TRUST_REKOR_H

#include "trust/base/jread.h"
#include "trust/root_json.h"

#define CV_MAX_PROOF_HASHES 64
#define CV_MAX_NOTE         (64 * CV_KIB)
#define CV_MAX_NOTE_LINES   64 /* signatures */

struct cv_log_entry {
	struct cv_digest log; /* its id */
	char kind[24], version[16];
	uint64_t index; /* of all shards */
	int64_t time;   /* integrated, seconds; 0 none */
	struct cv_buf set, body;
	bool proof; /* the following is there */
	uint64_t proof_index, tree_size;
	uint8_t root[32];
	uint8_t hash[CV_MAX_PROOF_HASHES][32];
	size_t hashes;
	struct cv_buf checkpoint; /* empty: none */
};

/* cv_log_entry_read: one of tlogEntries. CV_R_MALFORMED, CV_R_LIMIT. */
int cv_log_entry_read(struct cv_log_entry **ret, struct cv_jv v, const struct cv_jslim *slim,
		      struct cv_err *e) cv_must;
void cv_log_entry_free(struct cv_log_entry **en);

/* What is being verified, which an entry has to be about. Borrowed. */
struct cv_claimed {
	struct cv_message *message; /* what the signature is over */
	bool dsse;                  /* it is the pre-authentication encoding of: */
	struct cv_span payload;
	struct cv_span signature;
	const struct cv_cert *leaf; /* NULL: a key alone */
	const struct cv_pubkey *key;
};

struct cv_logged {
	struct cv_digest log;
	bool timed;
	int64_t ms; /* timed: when the log says that it took it in */
};

/* cv_rekor_verify: a log of the root holds an entry about all of `what`. `proof`: an
 * inclusion proof with a checkpoint is required (bundles from 0.2), else the SET is.
 * CV_R_IDENTITY: a log that the root does not have. CV_R_EXPIRED: it has, at other
 * times. CV_R_DIGEST: genuine, about something else. CV_R_ABSENT: the proof or SET
 * is not there. CV_R_SIGNATURE, CV_R_MALFORMED, CV_R_UNSUPPORTED. */
int cv_rekor_verify(struct cv_logged *ret, const struct cv_log_entry *en,
		    const struct cv_root *root, bool proof, const struct cv_claimed *what,
		    struct cv_err *e) cv_must;

/* ---- the parts ---- */

struct cv_checkpoint {
	uint64_t size;
	uint8_t root[32];
};

/* cv_note_verify: a checkpoint signed by the log; `named`: under its own name too
 * (private Rekor v1 instances sign under the name of a machine). */
int cv_note_verify(struct cv_checkpoint *ret, struct cv_span note, const struct cv_log *log,
		   bool named, struct cv_err *e) cv_must;

/* cv_inclusion_verify: the leaf is number proof_index of the tree with en->root. */
int cv_inclusion_verify(const struct cv_log_entry *en, struct cv_span leaf,
			struct cv_err *e) cv_must;

/* cv_rekor_body: a v1 body about `what`. cv_rekor_rebuild: append the body that v2
 * has for `what`. */
int cv_rekor_body(const struct cv_log_entry *en, const struct cv_claimed *what,
		  struct cv_err *e) cv_must;
int cv_rekor_rebuild(struct cv_buf *out, const struct cv_claimed *what, struct cv_err *e) cv_must;

#endif
