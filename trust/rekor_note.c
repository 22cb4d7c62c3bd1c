/* SPDX-License-Identifier: Apache-2.0 */
/* rekor_note.c: checkpoints and inclusion proofs; see rekor.h. Must never take a
 * root or a size from a text that the log's key did not sign. */
#include "trust/rekor.h"

#include <string.h>

#include "trust/base/enc.h"

#include "trust/base/banned.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */

static int
malformed(struct cv_err *e, const char *what)
{
	return cv_fail(e, CV_R_MALFORMED, "the checkpoint: %s", what);
}

/* The text with its last newline, and the signatures after the blank line. */
static int
split(struct cv_span note, struct cv_span *text, struct cv_span *lines, struct cv_err *e)
{
	if (note.n > CV_MAX_NOTE)
		return cv_fail(e, CV_R_LIMIT, "the checkpoint: found %zu bytes, want at most %llu",
			       note.n, CV_MAX_NOTE);
	if (note.n == 0 || note.p[note.n - 1] != '\n' || !cv_utf8_valid(note))
		return malformed(e, "want UTF-8 that ends with a newline");
	for (size_t i = 0; i < note.n; i++)
		if (note.p[i] < 0x20 && note.p[i] != '\n')
			return malformed(e, "found a control character");
	for (size_t i = note.n - 1; i > 0; i--)
		if (note.p[i] == '\n' && note.p[i - 1] == '\n') {
			*text = cv_span(note.p, i);
			*lines = cv_span(note.p + i + 1, note.n - i - 1);
			return 0;
		}
	return malformed(e, "want a blank line before the signatures");
}

static int
read_text(struct cv_checkpoint *ret, struct cv_span text, struct cv_span *origin, struct cv_err *e)
{
	struct cv_span size, root;
	struct cv_buf hash = CV_BUF(64);
	bool good;

	*origin = cv_span_until(&text, '\n');
	size = cv_span_until(&text, '\n');
	root = cv_span_until(&text, '\n');
	if (text.bad || origin->n == 0)
		return malformed(e, "want an origin, a size and a root hash in three lines");
	if (cv_u64_parse(&ret->size, size, INT64_MAX, e) != 0)
		return cv_fail_within(e, "the checkpoint: its size");
	good = cv_base64_decode(&hash, root, e) == 0 && hash.n == 32;
	if (good)
		memcpy(ret->root, hash.p, 32);
	cv_buf_free(&hash);
	return good ? 0 : malformed(e, "want the base64 of 32 bytes as its root hash");
}

/* One line: "<dash> name base64(id || signature)". *ours: by the key id of the log,
 * and by its name where that counts. */
static int
read_line(struct cv_span line, const struct cv_log *log, bool named, struct cv_buf *sig, bool *ours,
	  struct cv_err *e)
{
	struct cv_span name;

	*ours = false;
	if (!cv_span_has_prefix(line, DASH))
		return malformed(e, "found a signature line that is none");
	cv_span_take(&line, strlen(DASH));
	name = cv_span_until(&line, ' ');
	if (line.bad || name.n == 0 || memchr(name.p, '+', name.n) != NULL ||
	    cv_base64_decode(sig, line, NULL) != 0 || sig->n <= 4)
		return malformed(e, "found a signature line that is none");
	*ours = memcmp(sig->p, log->note_id, 4) == 0 && (!named || cv_log_named(log, name));
	return 0;
}

static int
check_line(struct cv_span line, struct cv_span text, const struct cv_log *log, bool named,
	   unsigned *good, struct cv_err *e)
{
	struct cv_buf sig = CV_BUF(CV_MAX_SIGNATURE);
	struct cv_message m = cv_message_bytes(text);
	bool ours;
	int r = read_line(line, log, named, &sig, &ours, e);

	if (r == 0 && ours) {
		r = cv_pubkey_verify(log->key, &m, cv_span(sig.p + 4, sig.n - 4), e);
		if (r != 0)
			cv_fail_within(e, "the log's checkpoint");
		*good += r == 0;
	}
	cv_message_free(&m);
	cv_buf_free(&sig);
	return r;
}

int
cv_note_verify(struct cv_checkpoint *ret, struct cv_span note, const struct cv_log *log, bool named,
	       struct cv_err *e)
{
	struct cv_span text, lines, origin;
	unsigned good = 0, n = 0;

	if (log->key == NULL)
		return cv_fail(e, CV_R_UNSUPPORTED, "the log's key is of a kind not judged here");
	if (split(note, &text, &lines, e) != 0 || read_text(ret, text, &origin, e) != 0)
		return -1;
	if (named && !cv_log_named(log, origin))
		return cv_fail(e, CV_R_SIGNATURE,
			       "the checkpoint: it is of another log, want one of %s", log->origin);
	while (lines.n > 0) {
		if (++n > CV_MAX_NOTE_LINES)
			return cv_fail(e, CV_R_LIMIT, "the checkpoint: more than %d signatures",
				       CV_MAX_NOTE_LINES);
		if (check_line(cv_span_until(&lines, '\n'), text, log, named, &good, e) != 0)
			return -1;
	}
	if (good == 0)
		return cv_fail(e, CV_R_SIGNATURE,
			       "the checkpoint: none of %u signatures is by the log (%s)", n,
			       log->origin);
	return 0;
}

/* ---- inclusion ---- */

static int
node(uint8_t out[32], uint8_t prefix, struct cv_span left, struct cv_span right, struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *h = NULL;
	struct cv_digest d;

	if (cv_hash_open(&h, CV_SHA256, e) != 0 || cv_hash_add(h, &prefix, 1, e) != 0 ||
	    cv_hash_add(h, left.p, left.n, e) != 0 || cv_hash_add(h, right.p, right.n, e) != 0 ||
	    cv_hash_end(h, &d, e) != 0)
		return -1;
	memcpy(out, d.b, 32);
	return 0;
}

/*
 * RFC 9162 2.1.3.2: fn and sn are the numbers, on each level, of the node that is
 * known and of the last one. Hashes are used up exactly when sn is 0.
 */
int
cv_inclusion_verify(const struct cv_log_entry *en, struct cv_span leaf, struct cv_err *e)
{
	uint64_t fn = en->proof_index, sn = en->tree_size - 1;
	uint8_t h[32];

	if (en->proof_index >= en->tree_size)
		return cv_fail(e, CV_R_MALFORMED,
			       "the inclusion proof: found entry %llu of a tree of %llu",
			       (unsigned long long)en->proof_index,
			       (unsigned long long)en->tree_size);
	if (node(h, 0, leaf, cv_span(NULL, 0), e) != 0)
		return -1;
	for (size_t i = 0; i < en->hashes; i++) {
		struct cv_span other = cv_span(en->hash[i], 32), own = cv_span(h, 32);
		bool right = (fn & 1) == 1 || fn == sn;

		if (sn == 0)
			return cv_fail(e, CV_R_MALFORMED,
				       "the inclusion proof has too many hashes");
		if (node(h, 1, right ? other : own, right ? own : other, e) != 0)
			return -1;
		while (right && (fn & 1) == 0 && fn != 0) {
			fn >>= 1;
			sn >>= 1;
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return cv_fail(e, CV_R_MALFORMED, "the inclusion proof has too few hashes");
	if (memcmp(h, en->root, 32) != 0)
		return cv_fail(e, CV_R_SIGNATURE,
			       "the inclusion proof does not lead from the entry to its root");
	return 0;
}
