/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a log entry (trust/rekor.h), each by itself: checkpoints whose text or
 * lines are malformed and genuinely signed, proofs, bodies about a key's signature. */
#include "tests/support/edit.h"
#include "tests/support/forge.h"
#include "tests/support/t.h"
#include "trust/base/enc.h"
#include "trust/rekor.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define ROOM (1 << 18)
#define ROOT "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define TEXT "log.example.test\n5\n" ROOT "\n"

/* ---- checkpoints ---- */

static struct cv_log
log_of(const struct f_key *k)
{
	struct cv_log l = { .origin = "log.example.test:8080/x" };
	struct cv_err e;

	T_OK(cv_pubkey_load_der(&l.key, "log", f_key_spki(k), &e), e);
	l.id = *cv_pubkey_id(l.key);
	memcpy(l.note_id, l.id.b, 4);
	return l;
}

/* text, a blank line, and one line by k under `name`, over `over`. */
static void
note(struct cv_buf *out, const struct f_key *k, const char *text, const char *over,
     const char *name)
{
	struct cv_log l = log_of(k);
	struct cv_buf sig = CV_BUF(ROOM);

	cv_buf_add(&sig, l.note_id, 4);
	f_sign(&sig, k, cv_span_str(over));
	cv_buf_fmt(out, "%s\n\xe2\x80\x94 %s ", text, name);
	cv_base64_encode(out, cv_buf_span(&sig));
	cv_buf_str(out, "\n");
	cv_pubkey_free(&l.key);
	cv_buf_free(&sig);
}

struct text_case {
	const char *text; /* genuinely signed */
	enum cv_reason reason;
};

static const struct text_case texts[] = {
	{ TEXT, CV_R_NONE },
	{ TEXT "an extension\n", CV_R_NONE },
	{ "log.example.test:8080\n5\n" ROOT "\n", CV_R_NONE },
	{ "log.example.test:8080/x\n5\n" ROOT "\n", CV_R_NONE },
	{ "log.example.test:8081\n5\n" ROOT "\n", CV_R_SIGNATURE },
	{ "log.example\n5\n" ROOT "\n", CV_R_SIGNATURE },
	{ "\n5\n" ROOT "\n", CV_R_MALFORMED },
	{ "log.example.test\n5\n", CV_R_MALFORMED },
	{ "log.example.test\n05\n" ROOT "\n", CV_R_MALFORMED },
	{ "log.example.test\n-5\n" ROOT "\n", CV_R_MALFORMED },
	{ "log.example.test\n+5\n" ROOT "\n", CV_R_MALFORMED },
	{ "log.example.test\n5 \n" ROOT "\n", CV_R_MALFORMED },
	{ "log.example.test\n9223372036854775808\n" ROOT "\n", CV_R_MALFORMED },
	{ "log.example.test\n5\nAQIDBA==\n", CV_R_MALFORMED },
	{ "log.example.test\n5\nAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n", CV_R_MALFORMED },
	{ TEXT "a\ttab\n", CV_R_MALFORMED },
	{ TEXT "\xff\n", CV_R_MALFORMED },
};

static void
note_texts(void)
{
	const enum f_alg algs[] = { F_ED25519, F_P256 };

	for (size_t a = 0; a < CV_COUNT(algs); a++) {
		struct f_key *k = f_key_new(algs[a]);
		struct cv_log l = log_of(k);

		for (size_t i = 0; i < CV_COUNT(texts); i++) {
			struct cv_buf b = CV_BUF(ROOM);
			struct cv_checkpoint c;
			struct cv_err e = { .reason = CV_R_NONE };

			note(&b, k, texts[i].text, texts[i].text, "log.example.test");
			if (cv_note_verify(&c, cv_buf_span(&b), &l, true, &e) == 0) {
				e.reason = CV_R_NONE;
				T_INT(c.size, 5);
				T_INT(c.root[31], 32);
			}
			if (e.reason != texts[i].reason)
				t_fail(__FILE__, __LINE__, "text %zu: %s (%s), want %s", i,
				       cv_reason_word(e.reason), e.text,
				       cv_reason_word(texts[i].reason));
			cv_buf_free(&b);
		}
		cv_pubkey_free(&l.key);
		f_key_free(&k);
	}
}

struct line_case {
	const char *from, *to; /* in a good note */
	bool named;
	enum cv_reason reason;
};

static const struct line_case lines[] = {
	{ "\xe2\x80\x94 log.example.test ", "\xe2\x80\x94 log.example.test ", true, CV_R_NONE },
	{ "\xe2\x80\x94 log.example.test ", "\xe2\x80\x94 a-machine ", false, CV_R_NONE },
	{ "\xe2\x80\x94 log.example.test ", "\xe2\x80\x94 a-machine ", true, CV_R_SIGNATURE },
	{ "\xe2\x80\x94 log", "- log", true, CV_R_MALFORMED },
	{ "\xe2\x80\x94 log", "\xe2\x80\x94log", true, CV_R_MALFORMED },
	{ "\xe2\x80\x94 log", "\xe2\x80\x94 lo+g", true, CV_R_MALFORMED },
	{ "\xe2\x80\x94 log.example.test ", "\xe2\x80\x94  ", true, CV_R_MALFORMED },
	{ "\xe2\x80\x94 log.example.test ", "\xe2\x80\x94 log.example.test", true, CV_R_MALFORMED },
	{ "\xe2\x80\x94 log.example.test ",
	  "\xe2\x80\x94 x AAAAAA==\n\xe2\x80\x94 log.example.test ", true,
	  CV_R_MALFORMED }, /* an id and no signature */
	{ "\xe2\x80\x94 log.example.test ",
	  "\xe2\x80\x94 x AAAAAAA=\n\xe2\x80\x94 log.example.test ", true,
	  CV_R_NONE }, /* somebody else's line */
	{ "\xe2\x80\x94 log.example.test ", "\xe2\x80\x94 x AA=A\n\xe2\x80\x94 log.example.test ",
	  true, CV_R_MALFORMED },
	{ "\n\n", "\n", true, CV_R_MALFORMED },
	{ "\n5\n", "\n6\n", true, CV_R_SIGNATURE },
};

static void
note_lines(void)
{
	struct f_key *k = f_key_new(F_ED25519);
	struct cv_log l = log_of(k);
	struct cv_buf good = CV_BUF(ROOM), b = CV_BUF(ROOM);
	struct cv_checkpoint c;
	struct cv_err e;

	note(&good, k, TEXT, TEXT, "log.example.test");
	for (size_t i = 0; i < CV_COUNT(lines); i++) {
		struct cv_span s = t_edit(&b, cv_buf_text(&good), lines[i].from, lines[i].to);

		e.reason = CV_R_NONE;
		if (cv_note_verify(&c, s, &l, lines[i].named, &e) == 0)
			e.reason = CV_R_NONE;
		if (e.reason != lines[i].reason)
			t_fail(__FILE__, __LINE__, "line %zu: %s (%s), want %s", i,
			       cv_reason_word(e.reason), e.text, cv_reason_word(lines[i].reason));
		cv_buf_reset(&b);
	}
	T_NO(cv_note_verify(&c, cv_span(good.p, good.n - 1), &l, true, &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "ends with a newline");
	T_NO(cv_note_verify(&c, cv_span_str("log.example.test\n5\n\n"), &l, true, &e), e,
	     CV_R_MALFORMED);
	T_HAS(e.text, "in three lines");
	T_NO(cv_note_verify(&c, cv_span(NULL, 0), &l, true, &e), e, CV_R_MALFORMED);
	cv_pubkey_free(&l.key);
	T_NO(cv_note_verify(&c, cv_buf_span(&good), &l, true, &e), e, CV_R_UNSUPPORTED);
	cv_buf_free(&good);
	cv_buf_free(&b);
	f_key_free(&k);
}

/* A second line by the log's own key, over something else, spoils the good one; and more lines than
 * are read. */
static void
note_many_lines(void)
{
	struct f_key *k = f_key_new(F_ED25519);
	struct cv_log l = log_of(k);
	struct cv_buf b = CV_BUF(ROOM), two = CV_BUF(ROOM);
	struct cv_checkpoint c;
	struct cv_err e;
	const char *line;

	note(&b, k, TEXT, TEXT, "log.example.test");
	note(&two, k, TEXT, "something else", "log.example.test");
	line = strstr(cv_buf_text(&two), "\xe2\x80\x94");
	T(line != NULL);
	cv_buf_str(&b, line);
	T_NO(cv_note_verify(&c, cv_buf_span(&b), &l, true, &e), e, CV_R_SIGNATURE);
	cv_buf_reset(&b);
	note(&b, k, TEXT, TEXT, "log.example.test");
	for (int i = 1; i < CV_MAX_NOTE_LINES; i++)
		cv_buf_str(&b, "\xe2\x80\x94 x AAAAAAA=\n");
	T_OK(cv_note_verify(&c, cv_buf_span(&b), &l, true, &e), e);
	cv_buf_str(&b, "\xe2\x80\x94 x AAAAAAA=\n");
	T_NO(cv_note_verify(&c, cv_buf_span(&b), &l, true, &e), e, CV_R_LIMIT);
	cv_buf_reset(&b);
	while (b.n <= CV_MAX_NOTE)
		cv_buf_str(&b, "line\n");
	T_NO(cv_note_verify(&c, cv_buf_span(&b), &l, true, &e), e, CV_R_LIMIT);
	cv_pubkey_free(&l.key);
	cv_buf_free(&b);
	cv_buf_free(&two);
	f_key_free(&k);
}

/* ---- inclusion ---- */

static void
sha(uint8_t out[32], const void *p, size_t n)
{
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(p, n), &e), e);
	memcpy(out, d.b, 32);
}

static void
inclusion(void)
{
	struct cv_log_entry *en = calloc(1, sizeof(*en));
	struct cv_span leaf = cv_span_str("a");
	struct cv_err e;

	T(en != NULL);
	sha(en->root, "\0a", 2);
	en->tree_size = 1;
	T_OK(cv_inclusion_verify(en, leaf, &e), e);
	T_NO(cv_inclusion_verify(en, cv_span_str("b"), &e), e, CV_R_SIGNATURE);
	en->tree_size = 0;
	T_NO(cv_inclusion_verify(en, leaf, &e), e, CV_R_MALFORMED);
	en->tree_size = en->proof_index = 1;
	T_NO(cv_inclusion_verify(en, leaf, &e), e, CV_R_MALFORMED);
	en->tree_size = 2;
	en->proof_index = 0;
	T_NO(cv_inclusion_verify(en, leaf, &e), e, CV_R_MALFORMED); /* a hash is missing */
	en->tree_size = INT64_MAX;
	T_NO(cv_inclusion_verify(en, leaf, &e), e, CV_R_MALFORMED);
	en->tree_size = 1;
	en->hashes = 1;
	T_NO(cv_inclusion_verify(en, leaf, &e), e, CV_R_MALFORMED); /* and one too many */
	free(en);
}

/* Every leaf of trees of every size up to 20, against RFC 6962 2.1 as it stands. */
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
	sha(out, b, 65);
}

static size_t
path(uint8_t out[][32], size_t at, uint8_t leaves[][32], size_t n)
{
	size_t k = 1, have;

	if (n == 1)
		return 0;
	while (k * 2 < n)
		k *= 2;
	have = at < k ? path(out, at, leaves, k) : path(out, at - k, leaves + k, n - k);
	tree(out[have], at < k ? leaves + k : leaves, at < k ? n - k : k);
	return have + 1;
}

static void
inclusion_all(void)
{
	struct cv_log_entry *en = calloc(1, sizeof(*en));
	uint8_t leaves[20][32], text[2] = { 0 };
	struct cv_err e;

	T(en != NULL);
	for (size_t i = 0; i < 20; i++) {
		text[1] = (uint8_t)('a' + i);
		sha(leaves[i], text, 2);
	}
	for (size_t n = 1; n <= 20; n++)
		for (size_t i = 0; i < n; i++) {
			text[1] = (uint8_t)('a' + i);
			en->tree_size = n;
			en->proof_index = i;
			en->hashes = path(en->hash, i, leaves, n);
			tree(en->root, leaves, n);
			T_OK(cv_inclusion_verify(en, cv_span(text + 1, 1), &e), e);
			en->proof_index = (i + 1) % n;
			if (n > 1)
				T(cv_inclusion_verify(en, cv_span(text + 1, 1), &e) != 0);
		}
	free(en);
}

/* ---- bodies ---- */

struct body_case {
	const char *from, *to;
	enum cv_reason reason;
};

#define HASH "{\"algorithm\":\"sha256\",\"value\":\""

static const struct body_case bodies[] = {
	{ "{", "{", CV_R_NONE },
	{ "\"kind\"", "\"Kind\"", CV_R_AMBIGUOUS },
	{ "{\"api", "{\"kind\":\"hashedrekord\",\"api", CV_R_AMBIGUOUS },
	{ "\"hashedrekord\"", "\"dsse\"", CV_R_AMBIGUOUS },
	{ "\"kind\"", "\"x\"", CV_R_MALFORMED },
	{ "\"spec\":{", "\"spec\":[],\"x\":{", CV_R_MALFORMED },
	{ "\"data\":{", "\"data\":0,\"x\":{", CV_R_MALFORMED },
	{ "\"sha256\"", "\"sha1\"", CV_R_UNSUPPORTED },
	{ "\"sha256\"", "\"sha384\"", CV_R_MALFORMED },
	{ "\"sha256\"", "256", CV_R_MALFORMED },
	{ "\"value\":\"", "\"value\":\"0", CV_R_MALFORMED },
	{ "\"value\":", "\"x\":", CV_R_MALFORMED },
	{ "\"signature\":{\"content\":\"", "\"signature\":{\"content\":\"AAAA", CV_R_DIGEST },
	{ "\"signature\":{\"content\":\"", "\"signature\":{\"content\":\"A", CV_R_MALFORMED },
	{ "\"signature\":{\"content\":", "\"signature\":{\"x\":", CV_R_MALFORMED },
	{ "\"publicKey\":{\"content\":\"", "\"publicKey\":{\"content\":\"AAAA", CV_R_DIGEST },
	{ "\"publicKey\":{\"content\":\"", "\"publicKey\":{\"content\":\"=", CV_R_MALFORMED },
	{ "}}}}", "}}}}{}", CV_R_MALFORMED },
};

static void
rekord(struct cv_buf *out, const struct cv_span signature, const char *pem)
{
	struct cv_buf sig = CV_BUF(ROOM), key = CV_BUF(ROOM);
	struct cv_digest d;
	char text[CV_DIGEST_TEXT];
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("artifact"), &e), e);
	cv_base64_encode(&sig, signature);
	cv_base64_encode(&key, cv_span_str(pem));
	cv_buf_fmt(out,
		   "{\"apiVersion\":\"0.0.1\",\"kind\":\"hashedrekord\",\"spec\":{\"data\":{"
		   "\"hash\":" HASH
		   "%s\"}},\"signature\":{\"content\":\"%s\",\"publicKey\":{\"content\":\"%s\"}}}}",
		   cv_digest_text(&d, text) + strlen("sha256:"), cv_buf_text(&sig),
		   cv_buf_text(&key));
	cv_buf_free(&sig);
	cv_buf_free(&key);
}

static int
about(struct cv_span body, const struct cv_claimed *what, struct cv_err *e)
{
	struct cv_log_entry *en = calloc(1, sizeof(*en));
	int r;

	T(en != NULL);
	memcpy(en->kind, "hashedrekord", sizeof("hashedrekord"));
	memcpy(en->version, "0.0.1", sizeof("0.0.1"));
	en->body = CV_BUF(ROOM);
	cv_buf_add(&en->body, body.p, body.n);
	r = cv_rekor_body(en, what, e);
	cv_log_entry_free(&en);
	return r;
}

static void
body_of_a_key(void)
{
	struct f_key *k = f_key_new(F_P256), *other = f_key_new(F_P256);
	struct cv_message m = cv_message_bytes(cv_span_str("artifact"));
	struct cv_claimed what = { .message = &m };
	struct cv_pubkey *key = NULL;
	struct cv_buf sig = CV_BUF(ROOM), good = CV_BUF(ROOM), b = CV_BUF(ROOM);
	struct cv_err e;

	T_OK(cv_pubkey_load(&key, "key", cv_span_str(f_key_pem(k)), &e), e);
	f_sign(&sig, k, cv_span_str("artifact"));
	what.signature = cv_buf_span(&sig);
	what.key = key;
	rekord(&good, what.signature, f_key_pem(k));
	for (size_t i = 0; i < CV_COUNT(bodies); i++) {
		struct cv_span s = t_edit(&b, cv_buf_text(&good), bodies[i].from, bodies[i].to);

		e.reason = CV_R_NONE;
		if (about(s, &what, &e) == 0)
			e.reason = CV_R_NONE;
		if (e.reason != bodies[i].reason)
			t_fail(__FILE__, __LINE__, "body %zu: %s (%s), want %s", i,
			       cv_reason_word(e.reason), e.text, cv_reason_word(bodies[i].reason));
		cv_buf_reset(&b);
	}
	rekord(&b, what.signature, f_key_pem(other));
	T_NO(about(cv_buf_span(&b), &what, &e), e, CV_R_DIGEST);
	cv_buf_reset(&b);
	rekord(&b, what.signature,
	       "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	T_NO(about(cv_buf_span(&b), &what, &e), e, CV_R_DIGEST);
	cv_message_free(&m);
	cv_pubkey_free(&key);
	cv_buf_free(&sig);
	cv_buf_free(&good);
	cv_buf_free(&b);
	f_key_free(&k);
	f_key_free(&other);
}

/* What v2 has no entry for, and what cannot be hashed again. */
static void
rebuilding(void)
{
	const enum f_alg algs[] = { F_P256, F_P384, F_P521, F_ED25519, F_PSS };
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("artifact"), &e), e);
	for (size_t i = 0; i < CV_COUNT(algs); i++) {
		struct f_key *k = f_key_new(algs[i]);
		struct cv_message m = cv_message_bytes(cv_span_str("artifact"));
		struct cv_message known = cv_message_known(&d);
		struct cv_claimed what = { .message = &m, .signature = cv_span_str("s") };
		struct cv_buf out = CV_BUF(ROOM);
		struct cv_pubkey *key = NULL;
		bool takes = algs[i] != F_ED25519 && algs[i] != F_PSS;

		T_OK(cv_pubkey_load(&key, "key", cv_span_str(f_key_pem(k)), &e), e);
		what.key = key;
		if (takes)
			T_OK(cv_rekor_rebuild(&out, &what, &e), e);
		else
			T_NO(cv_rekor_rebuild(&out, &what, &e), e, CV_R_UNSUPPORTED);
		what.message = &known;
		if (algs[i] == F_P256)
			T_OK(cv_rekor_rebuild(&out, &what, &e), e);
		else
			T_NO(cv_rekor_rebuild(&out, &what, &e), e, CV_R_UNSUPPORTED);
		cv_message_free(&m);
		cv_buf_free(&out);
		cv_pubkey_free(&key);
		f_key_free(&k);
	}
}

static const struct t_case cases[] = {
	{ "texts of checkpoints", note_texts },
	{ "lines of checkpoints", note_lines },
	{ "many lines", note_many_lines },
	{ "inclusion, malformed", inclusion },
	{ "inclusion, every tree", inclusion_all },
	{ "body about a key's signature", body_of_a_key },
	{ "bodies of version 2", rebuilding },
};

T_MAIN(cases)
