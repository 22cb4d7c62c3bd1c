/* SPDX-License-Identifier: Apache-2.0 */
/* Allocations on the way from a keyless bundle to its proof fail in turn: the answer is
 * "out of memory", or the same as ever. What is wrong is never proven by that, and
 * what is right is never called wrong. */
#include <stdlib.h>

#include "tests/support/forge_sigstore.h"
#include "tests/support/nomem.h"
#include "tests/support/t.h"
#include "trust/believe.h"

#include "trust/base/banned.h"

#define ARTIFACT "the artifact"

struct job {
	struct cv_buf root, bundle;
};

static struct job
prepare(const struct f_recipe *r)
{
	struct job j = { .root = CV_BUF(1 << 20), .bundle = CV_BUF(1 << 20) };
	struct f_instance *s;

	if (!T_NOMEM)
		t_skip("a sanitizer's allocator");
	s = f_instance_new();
	f_trusted_root(&j.root, s, r);
	f_keyless(&j.bundle, s, r, cv_span_str(ARTIFACT));
	f_instance_free(&s);
	return j;
}

static int
prove(const struct job *j, struct cv_err *e)
{
	cv_auto(cv_root_free) struct cv_root *root = NULL;
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	const struct cv_expected expect = { .subject = F_SUBJECT, .issuer = F_ISSUER };
	struct cv_message m = cv_message_bytes(cv_span_str(ARTIFACT));
	struct cv_sigstore want = { .expect = &expect };
	int r;

	if (cv_root_parse(&root, "root", cv_buf_span(&j->root), e) != 0 ||
	    cv_bundle_parse_whole(&b, "bundle", cv_buf_span(&j->bundle), e) != 0)
		return -1;
	want.root = root;
	r = cv_prove_bundle(&p, b, &m, NULL, &want, e);
	cv_message_free(&m);
	return r;
}

/* The whole way: root and a pattern into a ring, the bundle against it. */
static int
believe(const struct job *j, struct cv_err *e)
{
	cv_auto(cv_freep) struct cv_keyring *ring = calloc(1, sizeof(*ring));
	struct cv_belief b = { .proven = NULL };
	struct cv_message m = cv_message_bytes(cv_span_str(ARTIFACT));
	struct cv_ring_root *root;
	int r;

	if (ring == NULL)
		return cv_fail_memory(e);
	r = cv_keyring_add_root(ring, "acme", cv_buf_span(&j->root), &root, e);
	if (r == 0)
		r = cv_keyring_add_identity(
			root, "maker",
			cv_span_str("{\"identity_pattern\":\"https://ci\\\\.example\\\\.test/.*\","
				    "\"issuer\":\"" F_ISSUER "\"}"),
			e);
	if (r == 0)
		r = cv_believe_bundle(&b, cv_buf_span(&j->bundle), &m, ring, e);
	cv_belief_free(&b);
	cv_message_free(&m);
	cv_keyring_clear(ring);
	return r;
}

/* Allocation after allocation would take a minute: steps that grow. */
static void
fail_each(int (*way)(const struct job *, struct cv_err *), const struct f_recipe *r,
	  enum cv_reason want)
{
	struct job j = prepare(r);
	struct cv_err e = { .reason = CV_R_NONE };
	size_t k, n = 0;

	way(&j, &e); /* what is made once is made now */
	for (k = 1;; k += 1 + k / 64, n++) {
		int got;
		bool hit;

		e.reason = CV_R_NONE;
		t_nomem(k);
		got = way(&j, &e);
		hit = t_nomem_hit();
		if (got == 0)
			e.reason = CV_R_NONE;
		if (e.reason != want && !(hit && e.reason == CV_R_MEMORY))
			t_fail(__FILE__, __LINE__, "allocation %zu: %s (%s), want %s", k,
			       cv_reason_word(e.reason), e.text, cv_reason_word(want));
		if (!hit)
			break;
	}
	T(n > 50);
	cv_buf_free(&j.root);
	cv_buf_free(&j.bundle);
}

static void
fail_in_turn(const struct f_recipe *r, enum cv_reason want)
{
	fail_each(prove, r, want);
}

static void
right_v1(void)
{
	struct f_recipe r = f_recipe();

	fail_in_turn(&r, CV_R_NONE);
}

static void
right_v2(void)
{
	struct f_recipe r = f_recipe();

	r.v2 = true;
	r.tsa = F_OURS;
	fail_in_turn(&r, CV_R_NONE);
}

static void
wrong_stamp(void)
{
	struct f_recipe r = f_recipe();

	r.tsa = F_OURS;
	r.stamp_other = true;
	fail_in_turn(&r, CV_R_DIGEST);
}

static void
wrong_sct(void)
{
	struct f_recipe r = f_recipe();

	r.sct_bad = true;
	fail_in_turn(&r, CV_R_SIGNATURE);
}

static void
wrong_authority(void)
{
	struct f_recipe r = f_recipe();

	r.ca = F_OTHERS;
	fail_in_turn(&r, CV_R_IDENTITY);
}

static void
by_pattern(void)
{
	struct f_recipe r = f_recipe();

	fail_each(believe, &r, CV_R_NONE);
}

static void
by_another(void)
{
	struct f_recipe r = f_recipe();

	r.subject = "https://mallory.example.test";
	fail_each(believe, &r, CV_R_IDENTITY);
}

static const struct t_case cases[] = {
	{ "Rekor v1", right_v1 },
	{ "Rekor v2", right_v2 },
	{ "a timestamp over another signature", wrong_stamp },
	{ "a certificate timestamp that is none", wrong_sct },
	{ "another authority", wrong_authority },
	{ "a signer by pattern", by_pattern },
	{ "another signer than the pattern's", by_another },
};

T_MAIN(cases)
