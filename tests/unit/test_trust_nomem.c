/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation on the way from bytes to a proof fails in turn: the answer is then
 * "out of memory", or the same as ever (libcrypto does without some). It is never
 * "does not verify", which would be a false word about somebody's signature, and of
 * course never a proof of anything else. */
#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/nomem.h"
#include "tests/support/t.h"
#include "trust/base/oci.h"
#include "trust/bundle.h"
#include "trust/simple.h"

#include "trust/base/banned.h"

static struct f_key *key;
static struct cv_buf bundle, envelope, simple, sig;
static struct cv_digest subject;

static void
prepare(void)
{
	struct cv_buf st = CV_BUF(4096);
	struct cv_err e;

	if (!T_NOMEM)
		t_skip("a sanitizer's allocator");
	key = f_key_new(F_P256);
	T_OK(cv_digest_of(&subject, CV_SHA256, cv_span_str("x"), &e), e);
	bundle = envelope = simple = sig = CV_BUF(1 << 16);
	f_statement(&st, &subject, "https://example/p", "{\"a\":[1,2,3]}");
	f_bundle(&bundle, key, F_INTOTO, cv_buf_span(&st));
	f_dsse(&envelope, key, F_INTOTO, cv_buf_span(&st));
	f_simple(&simple, &subject, "a/b");
	f_sign(&sig, key, cv_buf_span(&simple));
	cv_buf_free(&st);
}

/* From a bundle to a statement about the subject. */
static int
prove_bundle(struct cv_err *e)
{
	struct cv_keyring *ring = calloc(1, sizeof(*ring));
	struct cv_bundle *b = NULL;
	struct cv_proven *p = NULL;
	struct cv_verified *v = NULL;
	int r = ring == NULL ? cv_fail_memory(e) : 0;

	if (r == 0)
		r = cv_keyring_add(ring, "maker", NULL, cv_span_str(f_key_pem(key)), e);
	if (r == 0)
		r = cv_bundle_parse(&b, "bundle", cv_buf_span(&bundle), e);
	if (r == 0)
		r = cv_prove_envelope(&p, b->envelope, &b->material, ring, e);
	if (r == 0)
		r = cv_verify_statement(&v, &p, "statement", e);
	if (r == 0 && cv_statement_about(cv_verified_statement(v), &subject) == NULL)
		r = cv_fail(e, CV_R_BUG, "proven, and about something else");
	cv_verified_free(&v);
	cv_proven_free(&p);
	cv_bundle_free(&b);
	if (ring != NULL)
		cv_keyring_clear(ring);
	free(ring);
	return r;
}

static int
prove_simple(struct cv_err *e)
{
	static const struct cv_material unsaid = { .kind = CV_MATERIAL_UNSAID };
	struct cv_keyring *ring = calloc(1, sizeof(*ring));
	struct cv_message m = cv_message_bytes(cv_buf_span(&simple));
	struct cv_proven *p = NULL;
	struct cv_simple s;
	int r = ring == NULL ? cv_fail_memory(e) : 0;

	if (r == 0)
		r = cv_keyring_add(ring, "maker", NULL, cv_span_str(f_key_pem(key)), e);
	if (r == 0)
		r = cv_prove_message(&p, &m, cv_buf_span(&sig), &unsaid, ring, e);
	if (r == 0)
		r = cv_simple_parse(&s, "payload", cv_proven_payload(p), e);
	cv_proven_free(&p);
	cv_message_free(&m);
	if (ring != NULL)
		cv_keyring_clear(ring);
	free(ring);
	return r;
}

static int
read_envelope(struct cv_err *e)
{
	struct cv_envelope *env = NULL;
	int r = cv_envelope_parse(&env, "envelope", cv_buf_span(&envelope), e);

	cv_envelope_free(&env);
	return r;
}

static void
each_allocation(int (*call)(struct cv_err *e))
{
	struct cv_err e = { 0 };
	size_t k;

	prepare();
	T_OK(call(&e), e); /* what is made once is made now */
	for (k = 1;; k++) {
		int r;
		bool hit;

		e.reason = CV_R_NONE;
		t_nomem(k);
		r = call(&e);
		hit = t_nomem_hit();
		if (!hit) {
			T_OK(r, e);
			break;
		}
		if (r != 0 && e.reason != CV_R_MEMORY)
			t_fail(__FILE__, __LINE__, "allocation %zu: %s (%s)", k,
			       cv_reason_word(e.reason), e.text);
	}
	T(k > 5);
	f_key_free(&key);
}

static void
bundles(void)
{
	each_allocation(prove_bundle);
}

static void
simples(void)
{
	each_allocation(prove_simple);
}

static void
envelopes(void)
{
	each_allocation(read_envelope);
}

static const struct t_case cases[] = {
	{ "from a bundle to a statement", bundles },
	{ "from a payload to its signer", simples },
	{ "reading an envelope", envelopes },
};

T_MAIN(cases)
