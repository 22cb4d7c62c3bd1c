/* SPDX-License-Identifier: Apache-2.0 */
/* forge_rekor.c: the instance's transparency log, Rekor v1 and v2; see forge_sigstore.h. */
#include "tests/support/forge_sigstore_int.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

/* ---- the log ---- */

static void
hex_digest(struct cv_buf *out, struct cv_span bytes)
{
	uint8_t d[32];
	char hex[65];

	sha256(d, bytes);
	cv_hex_encode(hex, d, 32);
	cv_buf_str(out, hex);
}

static void
pem64(struct cv_buf *out, X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	MUST(bio != NULL && PEM_write_bio_X509(bio, x) == 1);
	n = BIO_get_mem_data(bio, &p);
	b64(out, cv_span(p, (size_t)n));
	BIO_free(bio);
}

static void
body_v1(struct cv_buf *out, const struct made *m)
{
	const struct f_recipe *r = m->r;
	struct cv_buf sig = CV_BUF(ROOM), key = CV_BUF(ROOM), hash = CV_BUF(ROOM);
	struct cv_buf twice = CV_BUF(ROOM);

	hex_digest(&hash, r->other_digest ? cv_span_str("something else") : m->payload);
	b64(&sig, cv_buf_span(r->other_signature ? &m->other : &m->signature));
	b64(&twice, cv_buf_span(&sig));
	pem64(&key, r->other_key ? m->other_leaf : m->leaf);
	cv_buf_fmt(out, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"spec\":{", r->body_version,
		   r->body_kind);
	if (!r->dsse)
		cv_buf_fmt(
			out,
			"\"data\":{\"hash\":{\"algorithm\":\"sha256\",\"value\":\"%s\"}},"
			"\"signature\":{\"content\":\"%s\",\"publicKey\":{\"content\":\"%s\"}}}}",
			cv_buf_text(&hash), cv_buf_text(&sig), cv_buf_text(&key));
	else if (strcmp(r->body_kind, "intoto") == 0)
		cv_buf_fmt(
			out,
			"\"content\":{\"envelope\":{\"signatures\":[{\"publicKey\":\"%s\",\"sig\":"
			"\"%s\"}]},\"payloadHash\":{\"algorithm\":\"sha256\",\"value\":\"%s\"}}}}",
			cv_buf_text(&key), cv_buf_text(&twice), cv_buf_text(&hash));
	else
		cv_buf_fmt(out,
			   "\"payloadHash\":{\"algorithm\":\"sha256\",\"value\":\"%s\"},"
			   "\"signatures\":[{\"signature\":\"%s\",\"verifier\":\"%s\"}%s]}}",
			   cv_buf_text(&hash), cv_buf_text(&sig), cv_buf_text(&key),
			   r->body_twice ? ",{\"signature\":\"AA==\",\"verifier\":\"AA==\"}" : "");
	cv_buf_free(&sig);
	cv_buf_free(&key);
	cv_buf_free(&hash);
	cv_buf_free(&twice);
}

static void
body_v2(struct cv_buf *out, const struct made *m)
{
	const struct f_recipe *r = m->r;
	struct cv_buf der = CV_BUF(ROOM);
	uint8_t d[32];

	sha256(d, r->other_digest ? cv_span_str("something else") : cv_buf_span(&m->over));
	cv_buf_str(out, "{\"apiVersion\":\"0.0.2\",\"kind\":\"hashedrekord\",\"spec\":{"
			"\"hashedRekordV002\":{\"data\":{\"algorithm\":\"SHA2_256\",\"digest\":\"");
	b64(out, cv_span(d, 32));
	cv_buf_str(out, "\"},\"signature\":{\"content\":\"");
	b64(out, cv_buf_span(r->other_signature ? &m->other : &m->signature));
	cv_buf_str(out, "\",\"verifier\":{\"keyDetails\":\"PKIX_ECDSA_P256_SHA_256\","
			"\"x509Certificate\":{\"rawBytes\":\"");
	f_cert_der(&der, r->other_key ? m->other_leaf : m->leaf);
	b64(out, cv_buf_span(&der));
	cv_buf_str(out, "\"}}}}}}");
	cv_buf_free(&der);
}

/* RFC 6962 2.1: the hash of a tree, and the path from one of its leaves. */
static void
tree(uint8_t out[32], uint8_t leaves[][32], size_t n)
{
	uint8_t b[65] = { 1 };
	size_t k = 1;

	if (n == 1) {
		memcpy(out, leaves[0], 32);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	tree(b + 1, leaves, k);
	tree(b + 33, leaves + k, n - k);
	sha256(out, cv_span(b, 65));
}

static size_t
path(uint8_t out[][32], size_t at, uint8_t leaves[][32], size_t n)
{
	size_t k = 1, have;

	if (n == 1)
		return 0;
	while (k * 2 < n)
		k *= 2;
	if (at < k) {
		have = path(out, at, leaves, k);
		tree(out[have], leaves + k, n - k);
	} else {
		have = path(out, at - k, leaves + k, n - k);
		tree(out[have], leaves, k);
	}
	return have + 1;
}

static void
note_line(struct cv_buf *out, const char *name, const uint8_t id[4], struct cv_span sig)
{
	struct cv_buf b = CV_BUF(ROOM);

	cv_buf_add(&b, id, 4);
	cv_buf_add(&b, sig.p, sig.n);
	cv_buf_fmt(out, "\xe2\x80\x94 %s ", name);
	b64(out, cv_buf_span(&b));
	cv_buf_str(out, "\n");
	cv_buf_free(&b);
}

/* C2SP tlog-cosignature.md */
static void
cosign(struct cv_buf *out, struct f_instance *s, struct cv_span text)
{
	struct cv_buf over = CV_BUF(ROOM), sig = CV_BUF(ROOM);
	uint8_t id[32];

	cv_buf_fmt(&over, "cosignature/v1\ntime %d\n", F_WHEN);
	cv_buf_add(&over, text.p, text.n);
	add_be(&sig, F_WHEN, 8);
	f_sign_with(&sig, s->witness, cv_buf_span(&over));
	note_id(id, s->witness, "witness.example.test", 4);
	note_line(out, "witness.example.test", id, cv_buf_span(&sig));
	cv_buf_free(&over);
	cv_buf_free(&sig);
}

static void
checkpoint(struct cv_buf *out, struct f_instance *s, const struct f_recipe *r,
	   const uint8_t root[32])
{
	EVP_PKEY *key = r->v2 ? s->rekor2[r->checkpoint == F_OTHERS]
			      : log_key(s, r, r->checkpoint == F_OTHERS);
	const char *name = r->other_name ? "log3.example.test" : r->v2 ? NAME_2 : NAME_1;
	struct cv_buf text = CV_BUF(ROOM), sig = CV_BUF(ROOM);
	uint8_t id[32], wrong[32] = { 1 };

	cv_buf_fmt(&text, "%s%s\n%d\n", name, r->v2 ? "" : " - 1234", LEAVES + r->wrong_size);
	b64(&text, cv_span(r->wrong_root ? wrong : root, 32));
	cv_buf_str(&text, r->note_crlf ? "\r\n" : "\n");
	if (r->v2)
		note_id(id, key, name, 1);
	else
		key_id(id, key);
	f_sign_with(&sig, key, cv_buf_span(&text));
	cv_buf_add(out, text.p, text.n);
	cv_buf_str(out, "\n");
	if (r->cosigned || r->cosigner_only)
		cosign(out, s, cv_buf_span(&text));
	if (!r->cosigner_only)
		note_line(out, name, id, cv_buf_span(&sig));
	cv_buf_free(&text);
	cv_buf_free(&sig);
}

static void
proof(struct cv_buf *out, struct f_instance *s, const struct f_recipe *r, struct cv_span body)
{
	uint8_t leaves[LEAVES][32], hash[8][32] = { { 0 } }, root[32];
	struct cv_buf b = CV_BUF(ROOM), note = CV_BUF(ROOM);
	size_t n;

	for (int i = 0; i < LEAVES; i++) {
		cv_buf_reset(&b);
		cv_buf_byte(&b, 0);
		if (i == INDEX)
			cv_buf_add(&b, body.p, body.n);
		else
			cv_buf_fmt(&b, "entry %d", i);
		sha256(leaves[i], cv_buf_span(&b));
	}
	tree(root, leaves, LEAVES);
	n = path(hash, INDEX, leaves, LEAVES) + r->extra_hash - r->missing_hash;
	cv_buf_fmt(out,
		   "\"inclusionProof\":{\"logIndex\":\"%d\",\"treeSize\":\"%d\",\"rootHash\":\"",
		   INDEX, LEAVES);
	b64(out, cv_span(root, 32));
	cv_buf_str(out, "\",\"hashes\":[");
	for (size_t i = 0; i < n; i++) {
		cv_buf_str(out, i > 0 ? ",\"" : "\"");
		b64(out, cv_span(hash[i], 32));
		cv_buf_str(out, "\"");
	}
	cv_buf_str(out, "]");
	if (!r->no_checkpoint) {
		checkpoint(&note, s, r, root);
		cv_buf_str(out, ",\"checkpoint\":{\"envelope\":\"");
		for (size_t i = 0; i < note.n; i++)
			if (note.p[i] == '\n' || note.p[i] == '\r')
				cv_buf_str(out, note.p[i] == '\n' ? "\\n" : "\\r");
			else
				cv_buf_byte(out, note.p[i]);
		cv_buf_str(out, "\"}");
	}
	cv_buf_str(out, "},");
	cv_buf_free(&b);
	cv_buf_free(&note);
}

static void
promise(struct cv_buf *out, struct f_instance *s, const struct f_recipe *r, const uint8_t id[32],
	struct cv_span body)
{
	struct cv_buf over = CV_BUF(ROOM), sig = CV_BUF(ROOM);
	char hex[65];

	cv_hex_encode(hex, id, 32);
	cv_buf_str(&over, "{\"body\":\"");
	b64(&over, body);
	cv_buf_fmt(&over, "\",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":%d}",
		   (long long)r->integrated + r->bad_set, hex, 1000 + INDEX);
	f_sign_with(&sig, log_key(s, r, r->set == F_OTHERS), cv_buf_span(&over));
	cv_buf_str(out, "\"inclusionPromise\":{\"signedEntryTimestamp\":\"");
	b64(out, cv_buf_span(&sig));
	cv_buf_str(out, "\"},");
	cv_buf_free(&over);
	cv_buf_free(&sig);
}

/* An entry that says that it is of another log is so whatever else it is: the id is
 * that of whoever signed the SET (v1) or the checkpoint (v2). */
void
f_log_entry(struct cv_buf *out, struct f_instance *s, const struct made *m)
{
	const struct f_recipe *r = m->r;
	struct cv_buf body = CV_BUF(ROOM);
	uint8_t id[32];

	if (r->v2)
		note_id(id, s->rekor2[0], NAME_2, 1);
	else
		key_id(id, log_key(s, r, r->set == F_OTHERS && r->checkpoint == F_OTHERS));
	if (r->v2)
		body_v2(&body, m);
	else
		body_v1(&body, m);
	cv_buf_fmt(out, "{\"logIndex\":\"%d\",\"logId\":{\"keyId\":\"",
		   r->v2 ? INDEX + r->two_numbers : 1000 + INDEX);
	b64(out, cv_span(id, 32));
	cv_buf_fmt(out, "\"},\"kindVersion\":{\"kind\":\"%s\",\"version\":\"%s\"},", r->kind,
		   r->version);
	if (!r->v2 || r->time_in_v2)
		cv_buf_fmt(out, "\"integratedTime\":\"%lld\",", (long long)r->integrated);
	if ((!r->v2 && r->set != F_NOBODY) || r->promise_in_v2)
		promise(out, s, r, id, cv_buf_span(&body));
	if (!r->no_proof)
		proof(out, s, r, cv_buf_span(&body));
	cv_buf_str(out, r->no_body ? "\"canonicalizedBody\":null}" : "\"canonicalizedBody\":\"");
	if (!r->no_body) {
		b64(out, cv_buf_span(&body));
		cv_buf_str(out, "\"}");
	}
	cv_buf_free(&body);
}
