/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detached.h: detached signatures of other tools, judged by what policy says of them:
 * ssh-keygen -Y (sshsig.h, allowed_signers.h), minisign and signify (minisign.h).
 *
 * A key of one form proves nothing in another: minisign's "Ed" and "ED" differ in what
 * is signed, so that a file that is the BLAKE2b-512 of another would carry the other's
 * signature as signify's. Policy says which program the key is for.
 *
 * SSH: the time at which allowed_signers and certificates are judged is now: nothing
 * proves when the signature was made. FIDO keys have to have been touched.
 */
#ifndef CV_TRUST_DETACHED_H
#define CV_TRUST_DETACHED_H

#include "trust/base/proto.h"
#include "trust/key.h"
#include "trust/minisign.h"

struct cv_signers; /* allowed_signers.h */

/* Who may sign in one of these ways. */
struct cv_ring_tool {
	char *name; /* of the signer */
	enum cv_tool tool;
	struct cv_signers *signers; /* CV_TOOL_SSH, with both of these */
	char *principal, *ns;
	struct cv_minisign_key key; /* the others */
};

/* cv_tool_read: all but the name; CV_R_UNSUPPORTED: what cannot be read. */
int cv_tool_read(struct cv_ring_tool *t, const char *what, struct cv_span text,
		 const char *principal, const char *ns, struct cv_err *e) cv_must;
void cv_tool_clear(struct cv_ring_tool *t);

/* cv_detached_is: by its first bytes, the signature file of one of these tools. */
bool cv_detached_is(struct cv_span text);

/* cv_detached_by: 0 if and only if text is a signature over m by whom t allows, and *key
 * is whose. CV_R_SIGNATURE, _IDENTITY, _EXPIRED, _RULE, _MALFORMED, _UNSUPPORTED. */
int cv_detached_by(const struct cv_ring_tool *t, struct cv_message *m, struct cv_span text,
		   int64_t now, struct cv_pubkey **key, struct cv_err *e) cv_must;

#endif
