/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minisign.h: detached signatures of minisign and of OpenBSD's signify(1).
 *
 * Key:        untrusted comment: TEXT LF
 *             base64( "Ed" ‖ key number[8] ‖ Ed25519 key[32] ) LF
 * minisign:   untrusted comment: TEXT LF
 *             base64( alg[2] ‖ key number[8] ‖ signature[64] ) LF
 *             trusted comment: TEXT LF
 *             base64( signature[64] over the 64 bytes above ‖ trusted TEXT ) LF
 *             alg "ED": over BLAKE2b-512 of the file; "Ed" (legacy): over the file
 * signify:    the first two lines, "Ed" only; then nothing (detached), or the
 *             signed bytes themselves (embedded, signify -e)
 *
 * Strict: lines end with LF (the last may end with the file), base64 as enc.h says,
 * nothing follows; comments are UTF-8 without control (but tabs) or invisible characters,
 * at most 1024 bytes, a trusted one 8192 (both programs' own limits). The untrusted
 * comment is checked and dropped: nobody signed it. Both minisign's and signify's
 * programs take more than that (CRLF, text that follows); see the tests.
 */
#ifndef CV_TRUST_MINISIGN_H
#define CV_TRUST_MINISIGN_H

#include "trust/base/digest.h"

#define CV_MINISIGN_COMMENT 1024
#define CV_MINISIGN_TRUSTED 8192

struct cv_minisign_key {
	uint8_t number[8];
	uint8_t key[32];
};

/* cv_minisign_key_parse: a key file of either program, or the base64 line alone
 * (minisign -P). CV_R_MALFORMED, CV_R_UNSUPPORTED (another algorithm), CV_R_RULE. */
int cv_minisign_key_parse(struct cv_minisign_key *ret, struct cv_span text,
			  struct cv_err *e) cv_must;

/* What a signature file says; nothing of it is proven. Spans are of the text. */
struct cv_minisign {
	bool signify;   /* two lines: no trusted comment, no global signature */
	bool prehashed; /* over BLAKE2b-512 of the message */
	uint8_t number[8];
	uint8_t sig[64], global[64];
	struct cv_span trusted;  /* minisign */
	struct cv_span embedded; /* signify: what follows; n 0 when detached */
};

int cv_minisign_parse(struct cv_minisign *ret, struct cv_span text, struct cv_err *e) cv_must;
int cv_signify_parse(struct cv_minisign *ret, struct cv_span text, struct cv_err *e) cv_must;

/* What holds. Spans are of the texts that were given. */
struct cv_minisign_proven {
	struct cv_span message; /* the bytes that are signed */
	struct cv_span comment; /* trusted comment, signed too; n 0 for signify */
	bool legacy;            /* minisign's "Ed" */
};

/*
 * cv_minisign_verify: 0 if and only if s is by k over m (embedded signify: m must be
 * empty, the embedded bytes are proven). CV_R_IDENTITY: another key's number;
 * CV_R_SIGNATURE; CV_R_RULE: minisign's legacy form, unless `legacy` allows it.
 */
int cv_minisign_verify(const struct cv_minisign_key *k, const struct cv_minisign *s,
		       struct cv_span m, bool legacy, struct cv_minisign_proven *ret,
		       struct cv_err *e) cv_must;

/* cv_signify_listed: the digest that a proven checksum list (signify -C) has for
 * `name`: lines "SHA256 (NAME) = hex", SHA384 or SHA512. CV_R_ABSENT if it is not
 * listed, CV_R_AMBIGUOUS if it is twice, CV_R_MALFORMED for any other line. */
int cv_signify_listed(struct cv_digest *ret, struct cv_span list, struct cv_span name,
		      struct cv_err *e) cv_must;

/* cv_minisign_number: the key number as minisign shows it, 16 upper-case digits. */
#define CV_MINISIGN_NUMBER 17
const char *cv_minisign_number(const uint8_t number[8], char out[CV_MINISIGN_NUMBER]);

#endif
