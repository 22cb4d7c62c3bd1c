/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trust_many.c: many bundles in one process: nothing grows. CV_MANY says how many
 * (1000); what `make bench` shows comes from here.
 */
#include "tests/support/forge_sigstore.h"
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/sandbox.h"
#include "trust/believe.h"

#include <stdlib.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define ARTIFACT "the artifact"

/* Pages of this process that are in memory. */
static size_t
resident(void)
{
	size_t all = 0, here = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	T(f != NULL);
	T(fscanf(f, "%zu %zu", &all, &here) == 2);
	(void)fclose(f);
	return here * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static size_t
how_many(void)
{
	const char *text = getenv("CV_MANY");
	uint64_t n = 1000;
	struct cv_err e;

	if (text != NULL)
		T_OK(cv_u64_parse(&n, cv_span_str(text), 1000000, &e), e);
	return (size_t)n;
}

/* Every third one is somebody else's: what is refused is released too. */
static void
once(const struct cv_keyring *ring, const struct cv_buf text[2], size_t i)
{
	struct cv_belief b;
	struct cv_message m = cv_message_bytes(cv_span_str(ARTIFACT));
	struct cv_err e;
	bool wrong = i % 3 == 2;
	int r = cv_believe_bundle(&b, cv_buf_span(&text[wrong]), &m, ring, &e);

	if (wrong)
		T_INT(r, -1);
	else
		T_OK(r, e);
	cv_belief_free(&b);
	cv_message_free(&m);
}

static void
many(void)
{
	static struct cv_keyring ring;
	struct cv_buf text[2] = { CV_BUF(1 << 20), CV_BUF(1 << 20) }, root = CV_BUF(1 << 20);
	struct f_instance *s = f_instance_new();
	struct f_recipe r = f_recipe();
	struct cv_ring_root *to;
	size_t n = how_many(), start, end;
	int64_t ms;
	struct cv_err e;

	f_trusted_root(&root, s, &r);
	f_keyless(&text[0], s, &r, cv_span_str(ARTIFACT));
	r.subject = "https://mallory.example.test";
	f_keyless(&text[1], s, &r, cv_span_str(ARTIFACT));
	T_OK(cv_keyring_add_root(&ring, "acme", cv_buf_span(&root), &to, &e), e);
	T_OK(cv_keyring_add_identity(to, "maker",
				     cv_span_str("{\"identity\":\"" F_SUBJECT
						 "\",\"issuer\":\"" F_ISSUER "\"}"),
				     &e),
	     e);
	for (size_t i = 0; i < 200; i++) /* what is done once, and allocator's habits */
		once(&ring, text, i);
	start = resident();
	ms = cv_mono_ms();
	for (size_t i = 0; i < n; i++)
		once(&ring, text, i);
	ms = cv_mono_ms() - ms;
	end = resident();
	printf("# bundles in one process: %zu in %lld ms, %zu KiB before, %zu KiB after\n", n,
	       (long long)ms, start, end);
	if (!CV_SANITIZED) /* which keeps what was freed for a while */
		T(end <= start + 512);
	cv_keyring_clear(&ring);
	f_instance_free(&s);
	cv_buf_free(&text[0]);
	cv_buf_free(&text[1]);
	cv_buf_free(&root);
}

static const struct t_case cases[] = { { "nothing grows", many } };

T_MAIN(cases)
