/* SPDX-License-Identifier: Apache-2.0 */
/* rekor_read.c: tlogEntries of a bundle; see rekor.h. Must never take a number that
 * is out of its range for another one. */
#include "trust/rekor.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const entry_keys[] = { "logIndex",
					  "logId",
					  "keyId",
					  "kindVersion",
					  "kind",
					  "version",
					  "integratedTime",
					  "inclusionPromise",
					  "signedEntryTimestamp",
					  "inclusionProof",
					  "rootHash",
					  "treeSize",
					  "hashes",
					  "checkpoint",
					  "envelope",
					  "canonicalizedBody",
					  NULL };

void
cv_log_entry_free(struct cv_log_entry **en)
{
	if (*en == NULL)
		return;
	cv_buf_free(&(*en)->set);
	cv_buf_free(&(*en)->body);
	cv_buf_free(&(*en)->checkpoint);
	free(*en);
	*en = NULL;
}

static bool
is_set(struct cv_jv v)
{
	return !v.absent && cv_jv_type(v) != CV_J_NULL;
}

static int
object(struct cv_jv v, struct cv_err *e)
{
	return cv_jv_want(v, CV_J_OBJECT, e) != 0 ? -1 : cv_jread_known(v, entry_keys, e);
}

/* int64 of protobuf's JSON: a string of digits, or a number; none is 0 */
static int
number(uint64_t *ret, struct cv_jv v, struct cv_err *e)
{
	const char *text;

	*ret = 0;
	if (!is_set(v))
		return 0;
	if (cv_jv_type(v) == CV_J_INT)
		return cv_jv_u64(v, INT64_MAX, ret, e);
	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (cv_u64_parse(ret, cv_span_str(text), INT64_MAX, e) != 0)
		return cv_fail_within(e, "%s:%u: \"%s\"", cv_json_name(v.doc), cv_jv_pos(v).line,
				      cv_jv_key(v));
	return 0;
}

static int
bytes_of(struct cv_buf *out, struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_span text;

	if (cv_jslim_text(slim, v, &text, e) != 0)
		return -1;
	if (cv_base64_decode(out, text, e) != 0)
		return cv_fail_within(e, "%s:%u: \"%s\"", cv_json_name(v.doc), cv_jv_pos(v).line,
				      cv_jv_key(v));
	return 0;
}

static int
hash_of(uint8_t out[32], struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(64);
	int r = bytes_of(&b, v, slim, e);

	if (r == 0 && b.n != 32)
		r = cv_jv_fail(v, e, CV_R_MALFORMED, "found a hash of %zu bytes, want 32", b.n);
	if (r == 0)
		memcpy(out, b.p, 32);
	cv_buf_free(&b);
	return r;
}

static int
word(char *out, size_t size, struct cv_jv v, struct cv_err *e)
{
	const char *text;

	if (cv_jv_str(v, &text, e) != 0)
		return -1;
	if (strlen(text) >= size)
		return cv_jv_fail(v, e, CV_R_UNSUPPORTED, "found a kind of entry of %zu characters",
				  strlen(text));
	cv_text_fmt(out, size, "%s", text);
	return 0;
}

static int
read_hashes(struct cv_log_entry *en, struct cv_jv list, const struct cv_jslim *slim,
	    struct cv_err *e)
{
	if (!is_set(list))
		return 0;
	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(list) > CV_MAX_PROOF_HASHES)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu hashes, want at most %d",
				  cv_jv_len(list), CV_MAX_PROOF_HASHES);
	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v))
		if (hash_of(en->hash[en->hashes++], v, slim, e) != 0)
			return -1;
	return 0;
}

static int
read_proof(struct cv_log_entry *en, struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_jv checkpoint = cv_jv_get(v, "checkpoint");
	const char *text;

	en->proof = is_set(v);
	if (!en->proof)
		return 0;
	if (object(v, e) != 0 || number(&en->proof_index, cv_jv_get(v, "logIndex"), e) != 0 ||
	    number(&en->tree_size, cv_jv_get(v, "treeSize"), e) != 0 ||
	    hash_of(en->root, cv_jv_get(v, "rootHash"), slim, e) != 0 ||
	    read_hashes(en, cv_jv_get(v, "hashes"), slim, e) != 0)
		return -1;
	if (!is_set(checkpoint))
		return 0;
	if (object(checkpoint, e) != 0 || cv_jread_opt(checkpoint, "envelope", &text, e) != 0)
		return -1;
	cv_buf_str(&en->checkpoint, text);
	return cv_buf_ok(&en->checkpoint, "a checkpoint", e);
}

static int
read_entry(struct cv_log_entry *en, struct cv_jv v, const struct cv_jslim *slim, struct cv_err *e)
{
	struct cv_jv kind = cv_jv_get(v, "kindVersion"), id = cv_jv_get(v, "logId");
	struct cv_jv promise = cv_jv_get(v, "inclusionPromise");
	struct cv_jv body = cv_jv_get(v, "canonicalizedBody");
	uint64_t time;

	if (object(v, e) != 0 || number(&en->index, cv_jv_get(v, "logIndex"), e) != 0 ||
	    object(id, e) != 0 || hash_of(en->log.b, cv_jv_get(id, "keyId"), slim, e) != 0 ||
	    object(kind, e) != 0 ||
	    word(en->kind, sizeof(en->kind), cv_jv_get(kind, "kind"), e) != 0 ||
	    word(en->version, sizeof(en->version), cv_jv_get(kind, "version"), e) != 0 ||
	    number(&time, cv_jv_get(v, "integratedTime"), e) != 0)
		return -1;
	en->log.alg = CV_SHA256;
	if (time > INT64_MAX / 1000)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found a time out of all range");
	en->time = (int64_t)time;
	if (is_set(promise) &&
	    (object(promise, e) != 0 ||
	     bytes_of(&en->set, cv_jv_get(promise, "signedEntryTimestamp"), slim, e) != 0))
		return -1;
	if (is_set(body) && bytes_of(&en->body, body, slim, e) != 0)
		return -1;
	return read_proof(en, cv_jv_get(v, "inclusionProof"), slim, e);
}

int
cv_log_entry_read(struct cv_log_entry **ret, struct cv_jv v, const struct cv_jslim *slim,
		  struct cv_err *e)
{
	cv_auto(cv_log_entry_free) struct cv_log_entry *en = calloc(1, sizeof(*en));

	if (en == NULL)
		return cv_fail_memory(e);
	en->set = CV_BUF(CV_MAX_SIGNATURE);
	en->body = CV_BUF(CV_MAX_BUNDLE);
	en->checkpoint = CV_BUF(CV_MAX_NOTE);
	if (read_entry(en, v, slim, e) != 0)
		return -1;
	*ret = cv_steal(en);
	return 0;
}
