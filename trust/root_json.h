/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root_json.h: trusted_root.json (sigstore/protobuf-specs sigstore_trustroot.proto in
 * its JSON form), version 0.1 under both of its types, and 0.2.
 *
 *     tlogs, ctlogs                 { baseUrl, logId.keyId, publicKey { rawBytes,
 *                                     keyDetails, validFor } }
 *     certificateAuthorities,
 *     timestampAuthorities          { certChain.certificates[].rawBytes, validFor }
 *
 * validFor is closed at both ends; its start is required (a log without one is a
 * malformed root, not one valid for ever), no end is none. A list that is missing is
 * empty. A log's id has to be one of the two that its key gives: SHA-256 of the
 * SubjectPublicKeyInfo, or the note key id of its origin and an Ed25519 key. Unknown
 * members are passed over. Who hands out the file has checked where it is from.
 */
#ifndef CV_TRUST_ROOT_JSON_H
#define CV_TRUST_ROOT_JSON_H

#include "trust/x509.h"

#define CV_MAX_ROOT_ITEMS 64 /* of each list */

struct cv_log {
	char origin[256]; /* its URL without scheme and trailing slashes */
	struct cv_digest id;
	uint8_t note_id[4];    /* of its line in a checkpoint */
	struct cv_pubkey *key; /* NULL: of a kind that this build cannot judge */
	struct cv_window valid;
};

struct cv_root {
	struct cv_log log[CV_MAX_ROOT_ITEMS], ctlog[CV_MAX_ROOT_ITEMS];
	struct cv_ca ca[CV_MAX_ROOT_ITEMS], tsa[CV_MAX_ROOT_ITEMS];
	size_t logs, ctlogs, cas, tsas;
};

/* cv_root_parse: CV_R_MALFORMED, CV_R_AMBIGUOUS, CV_R_LIMIT, CV_R_UNSUPPORTED. */
int cv_root_parse(struct cv_root **ret, const char *name, struct cv_span text,
		  struct cv_err *e) cv_must;
void cv_root_free(struct cv_root **r);

/* cv_log_find: the log with that id whose window holds ms (ms < 0: any). NULL and
 * *known when there is one with that id, at other times. */
const struct cv_log *cv_log_find(const struct cv_log *list, size_t n, const struct cv_digest *id,
				 int64_t ms, bool *known);

/* cv_log_named: a checkpoint by this name is the log's: its host, with or without
 * the port, or all of its URL. */
bool cv_log_named(const struct cv_log *l, struct cv_span name);

#endif
