/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CV_T_IMAGE, swept: every bit and every cut of what is signed, of the edges to it and
 * of the graph; and every answer to a need refused in turn. Whatever happens, the
 * worker states no signer and no statement but those that the unchanged image has.
 */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "tests/support/world.h"
#include "trust/base/ref.h"
#include "trust/base/text.h"
#include "trust/base/worker.h"
#include "trust/key.h"
#include "trust/tasks.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define MT_SIMPLE "application/vnd.dev.cosign.simplesigning.v1+json"

static int
serve_many(void)
{
	const struct cv_task_def tasks[] = { cv_task_image, { .task = 0 } };
	const struct cv_worker_def def = {
		.name = "trust", .seal = 1, .many = true, .warm = cv_key_warm, .tasks = tasks
	};

	return cv_worker_main(&def, 0, NULL);
}

static bool
same_fact(const struct d_fact *a, const struct d_fact *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->media, b->media) == 0 && strcmp(a->keyid, b->keyid) == 0 &&
	       cv_digest_eq(&a->digest, &b->digest) &&
	       cv_span_eq(cv_buf_span(&a->blob), cv_buf_span(&b->blob));
}

/* Each SIGNER and STATEMENT of a is one of good's. */
static void
check_subset(const struct d_answer *good, const struct d_answer *a, const char *what, size_t at)
{
	static const enum cv_fact kinds[] = { CV_F_SIGNER, CV_F_STATEMENT };

	if (!a->done)
		t_fail(__FILE__, __LINE__, "%s at %zu: %s", what, at, a->error.text);
	for (size_t k = 0; k < CV_COUNT(kinds); k++) {
		for (size_t i = 0; d_fact(a, kinds[k], i) != NULL; i++) {
			bool found = false;

			for (size_t j = 0; d_fact(good, kinds[k], j) != NULL; j++)
				found = found || same_fact(d_fact(a, kinds[k], i),
							   d_fact(good, kinds[k], j));
			if (!found)
				t_fail(__FILE__, __LINE__, "%s at %zu: a new fact", what, at);
		}
	}
}

static struct d_answer
run(struct d_worker *w, struct d_world *x)
{
	return d_image_on(w, &x->s, x->index, "", f_key_pem(x->key), D_ALL);
}

/* An image with everything: both generations, signed and attested. */
static void
sign_all(struct d_world *x)
{
	d_make_world(x);
	f_sign_image(&x->s, x->key, x->index, F_BUNDLE);
	f_sign_image(&x->s, x->key, x->index, F_LEGACY);
	f_attest_image(&x->s, x->key, x->manifest, "https://example/p", "{\"a\":1}", F_BUNDLE);
	f_attest_image(&x->s, x->key, x->manifest, "https://example/p", "{\"a\":2}", F_LEGACY);
}

/* Whatever document is changed under its name, the edge to it breaks. */
static void
changed_documents(void)
{
	struct d_worker w = { 0 };
	struct d_world x;
	struct d_answer good, a;

	sign_all(&x);
	d_fork(&w, serve_many);
	good = run(&w, &x);
	T(good.done);
	T_INT(d_facts(&good, CV_F_SIGNER), 3); /* one for both attestations */
	T_INT(d_facts(&good, CV_F_STATEMENT), 2);
	for (size_t i = 0; i < x.s.n; i++) {
		struct cv_buf *b = &x.s.entry[i].bytes;
		size_t n = b->n;

		for (size_t bit = 0; bit < 8 * n; bit += 29) {
			b->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			a = run(&w, &x);
			b->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			check_subset(&good, &a, x.s.entry[i].key, bit);
			d_answer_free(&a);
		}
		for (size_t cut = 0; cut < n; cut += 23) {
			b->n = cut;
			a = run(&w, &x);
			b->n = n;
			check_subset(&good, &a, x.s.entry[i].key, cut);
			d_answer_free(&a);
		}
	}
	d_answer_free(&good);
	d_close(&w);
	d_free_world(&x);
}

/* The same changes in signed bytes, with every edge to them made anew: only the
 * signature is left to notice. */
static void
changed_and_named_anew(void)
{
	struct cv_buf payload = CV_BUF(4096), raw = CV_BUF(4096), sig = CV_BUF(4096);
	struct d_worker w = { 0 };
	struct d_world x;

	d_make_world(&x);
	f_simple(&payload, &x.index, "registry.example/agent");
	f_sign(&raw, x.key, cv_buf_span(&payload));
	f_base64(&sig, cv_buf_span(&raw));
	d_fork(&w, serve_many);
	for (size_t bit = 0; bit <= 8 * payload.n; bit += bit == 0 ? 1 : 3) {
		char tag[CV_DIGEST_TAG];
		struct d_answer a;

		if (f_get(&x.s, F_TAG, cv_digest_tag(&x.index, ".sig", tag)) != NULL)
			f_get(&x.s, F_TAG, tag)->key[0] = 'x'; /* start over */
		if (bit > 0)
			payload.p[(bit - 1) / 8] ^= (uint8_t)(1u << (bit - 1) % 8);
		f_under_tag(&x.s, &x.index, ".sig", MT_SIMPLE, cv_buf_span(&payload),
			    cv_buf_text(&sig));
		if (bit > 0)
			payload.p[(bit - 1) / 8] ^= (uint8_t)(1u << (bit - 1) % 8);
		a = run(&w, &x);
		T(a.done);
		if (d_facts(&a, CV_F_SIGNER) != (bit == 0 ? 1u : 0u))
			t_fail(__FILE__, __LINE__, "payload, bit %zu", bit);
		d_answer_free(&a);
	}
	d_close(&w);
	cv_buf_free(&payload);
	cv_buf_free(&raw);
	cv_buf_free(&sig);
	d_free_world(&x);
}

/* Each thing asked for cannot be looked at: fewer facts, never others; and where
 * nothing else counts, the reason is told and "absent" is not said. */
static void
refused_answers(void)
{
	struct d_worker w = { 0 };
	struct d_world x;
	struct d_answer good, a;

	sign_all(&x);
	d_fork(&w, serve_many);
	good = run(&w, &x);
	for (size_t i = 0; i < x.s.n; i++) {
		x.s.entry[i].failed = CV_R_UNREACHABLE;
		a = run(&w, &x);
		x.s.entry[i].failed = CV_R_NONE;
		check_subset(&good, &a, x.s.entry[i].key, 0);
		T_INT(d_reason(&a, "sig.absent") == CV_R_ABSENT, 0);
		d_answer_free(&a);
	}
	for (size_t i = 0; i < x.s.n; i++)
		x.s.entry[i].failed = CV_R_UNREACHABLE;
	f_get_digest(&x.s, &x.manifest)->failed = CV_R_NONE;
	a = run(&w, &x);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "sig.unavailable"), CV_R_UNREACHABLE);
	T_INT(d_reason(&a, "sig.absent"), CV_R_COUNT);
	d_answer_free(&a);
	d_answer_free(&good);
	d_close(&w);
	d_free_world(&x);
}

static const struct t_case cases[] = {
	{ "changed under its name", changed_documents },
	{ "changed and named anew", changed_and_named_anew },
	{ "answers refused in turn", refused_answers },
};

T_MAIN(cases)
