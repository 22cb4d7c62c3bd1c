/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_trust_who.c: whom a task trusts: patterns, identities as the worker takes them,
 * roots; and a bundle against all of it. Verify has looked at the same texts before:
 * here nothing relies on that.
 */
#include "tests/support/forge_sigstore.h"
#include "tests/support/t.h"
#include "trust/believe.h"

#include <stdlib.h>

#include "trust/base/banned.h"

/* ---- patterns ---- */

static void
patterns(void)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "https://a\\.b/c", "https://a.b/c", true },
		{ "https://a\\.b/c", "https://a.b/cd", false },
		{ "https://a\\.b/c", "xhttps://a.b/c", false },
		{ "https://a\\.b/c", "https://a.b/C", false },
		{ "https://a\\.b/c", "https://a.b/c\n", false },
		{ "https://a\\.b/c$", "https://a.b/c\n", false },
		{ "^https://a\\.b/.*$", "https://a.b/c", true },
		{ "https://a\\.b/.*", "https://a.b/c\nx", false },
		{ "x@a|y@a", "y@a", true },
		{ "x@a|y@a", "x@a.evil", false },
		{ "x@a|y@a", "evil-y@a", false },
		{ "a@b|", "a@b", false }, /* matches nothing as well: refused */
	};

	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		cv_auto(cv_pattern_free) struct cv_pattern *p = NULL;
		struct cv_err e;
		bool match = cv_pattern_compile(&p, cases[i].pattern, &e) == 0 &&
			     cv_pattern_match(p, cases[i].text, &e) == 0;

		if (match != cases[i].match)
			t_fail(__FILE__, __LINE__, "%s over %s: %d", cases[i].pattern,
			       cases[i].text, match);
	}
}

static void
no_patterns(void)
{
	static const char *const wrong[] = { "",     ".*",   ".+", "(",     "[a",   "a**",
					     "(a|)", "\\C@", ".",  "[^a]+", "\\X+", "(?:.|\\n)*" };
	char long_one[CV_MAX_PATTERN + 2];

	memset(long_one, 'a', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	for (size_t i = 0; i <= CV_COUNT(wrong); i++) {
		cv_auto(cv_pattern_free) struct cv_pattern *p = NULL;
		struct cv_err e;

		T_NO(cv_pattern_compile(&p, i < CV_COUNT(wrong) ? wrong[i] : long_one, &e), e,
		     CV_R_UNSUPPORTED);
	}
}

static void
costly(void)
{
	cv_auto(cv_pattern_free) struct cv_pattern *p = NULL;
	struct cv_err e;

	T_OK(cv_pattern_compile(&p, "(a+)+(a+)+(a+)+b@", &e), e);
	T_NO(cv_pattern_match(
		     p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacb@", &e),
	     e, CV_R_UNSUPPORTED);
	T_NO(cv_pattern_match(p, "b@", &e), e, CV_R_IDENTITY);
	T_OK(cv_pattern_match(p, "aaab@", &e), e);
}

/* ---- identities ---- */

struct world {
	struct f_instance *s;
	struct cv_keyring *ring;
	struct cv_ring_root *root;
	struct cv_buf bundle;
};

static void
begin(struct world *w)
{
	struct cv_buf root = CV_BUF(1 << 20);
	struct f_recipe r = f_recipe();
	struct cv_err e;

	*w = (struct world){ .s = f_instance_new(), .bundle = CV_BUF(1 << 20) };
	w->ring = calloc(1, sizeof(*w->ring));
	T(w->ring != NULL);
	f_trusted_root(&root, w->s, &r);
	f_keyless(&w->bundle, w->s, &r, cv_span_str("artifact"));
	T_OK(cv_keyring_add_root(w->ring, "acme", cv_buf_span(&root), &w->root, &e), e);
	cv_buf_free(&root);
}

static void
finish(struct world *w)
{
	cv_keyring_clear(w->ring);
	free(w->ring);
	f_instance_free(&w->s);
	cv_buf_free(&w->bundle);
}

/* The bundle by whoever is in the ring now: 0, and the name of the only match. */
static int
believe(struct world *w, const char *name, struct cv_err *e)
{
	struct cv_belief b;
	struct cv_message m = cv_message_bytes(cv_span_str("artifact"));
	int r = cv_believe_bundle(&b, cv_buf_span(&w->bundle), &m, w->ring, e);

	if (r == 0) {
		T_INT(cv_proven_matches(b.proven), 1);
		T_STR(cv_proven_match(b.proven, 0)->name, name);
		T_INT(cv_proven_ms(b.proven), (int64_t)F_WHEN * 1000);
	} else if (e->reason == CV_R_IDENTITY) {
		T_STR(b.check, "sig.identity-mismatch");
	}
	cv_belief_free(&b);
	cv_message_free(&m);
	return r;
}

#define ID "\"identity\":\"" F_SUBJECT "\""
#define IS "\"issuer\":\"" F_ISSUER "\""

static void
no_identities(void)
{
	static const char *const wrong[] = {
		"{}",
		"[]",
		"{" ID "}",
		"{" IS "}",
		"{" ID ",\"issuer\":\"\"}",
		"{\"identity\":\"\"," IS "}",
		"{" ID "," IS ",\"identity_pattern\":\"https://x\"}",
		"{" ID "," IS ",\"issuer_pattern\":\"https://x\"}",
		"{" ID ",\"no_issuer\":false}",
		"{" ID ",\"no_issuer\":\"true\"}",
		"{" ID "," IS ",\"claims\":{\"issuer\":\"x\"}}",
		"{" ID "," IS ",\"claims\":{\"build_trigger\":\"\"}}",
		"{" ID "," IS ",\"claims\":{\"build_trigger\":null}}",
		"{" ID "," IS ",\"claims\":[]}",
		"{" ID "," IS ",\"else\":1}",
		"{" ID "," ID "," IS "}",
		"{\"identity_pattern\":\".*\"," IS "}",
		"{" ID "," IS "} ",
	};
	struct world w;
	struct cv_err e;

	begin(&w);
	for (size_t i = 0; i + 1 < CV_COUNT(wrong); i++)
		T_NO(cv_keyring_add_identity(w.root, "maker", cv_span_str(wrong[i]), &e), e,
		     CV_R_UNSUPPORTED);
	finish(&w);
}

static void
by_identity(void)
{
	static const struct {
		const char *identity;
		enum cv_reason reason; /* CV_R_NONE: it is */
	} cases[] = {
		{ "{" ID "," IS "}", CV_R_NONE },
		{ "{" ID ",\"issuer_pattern\":\"https://issuer\\\\.example\\\\.test\"}",
		  CV_R_NONE },
		{ "{\"identity_pattern\":\"https://ci\\\\.example\\\\.test/.*\"," IS "}",
		  CV_R_NONE },
		{ "{" ID "," IS ",\"claims\":{\"source_repository_id\":\"4711\"}}", CV_R_NONE },
		{ "{" ID "," IS ",\"claims\":{\"source_repository_id\":\"471\"}}", CV_R_IDENTITY },
		{ "{" ID "," IS ",\"claims\":{\"build_trigger\":\"push\"}}", CV_R_IDENTITY },
		{ "{" ID ",\"issuer\":\"" F_ISSUER "/\"}", CV_R_IDENTITY },
		{ "{" ID ",\"no_issuer\":true}", CV_R_IDENTITY },
		{ "{\"identity\":\"" F_SUBJECT "/\"," IS "}", CV_R_IDENTITY },
		{ "{\"identity_pattern\":\"https://ci\\\\.example\\\\.test\"," IS "}",
		  CV_R_IDENTITY },
	};

	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		struct world w;
		struct cv_err e = { .reason = CV_R_NONE };

		begin(&w);
		T_OK(cv_keyring_add_identity(w.root, "maker", cv_span_str(cases[i].identity), &e),
		     e);
		if (cases[i].reason == CV_R_NONE)
			T_OK(believe(&w, "maker", &e), e);
		else
			T_NO(believe(&w, "maker", &e), e, cases[i].reason);
		finish(&w);
	}
}

/* Among several the one that it is; nobody in the ring is nobody. */
static void
among_several(void)
{
	struct world w;
	struct cv_err e;

	begin(&w);
	T_NO(believe(&w, "", &e), e, CV_R_IDENTITY);
	T_OK(cv_keyring_add_identity(w.root, "bob",
				     cv_span_str("{\"identity\":\"https://bob\"," IS "}"), &e),
	     e);
	T_NO(believe(&w, "", &e), e, CV_R_IDENTITY);
	T_HAS(e.text, "https://bob");
	T_OK(cv_keyring_add_identity(w.root, "carol",
				     cv_span_str("{\"identity\":\"https://carol\"," IS "}"), &e),
	     e);
	T_NO(believe(&w, "", &e), e, CV_R_IDENTITY);
	T_HAS(e.text, F_SUBJECT);
	T_OK(cv_keyring_add_identity(w.root, "maker", cv_span_str("{" ID "," IS "}"), &e), e);
	T_OK(believe(&w, "maker", &e), e);
	finish(&w);
}

/* Another root first, which does not have it, and then the right one. */
static void
among_roots(void)
{
	struct f_instance *other = f_instance_new();
	struct cv_buf text = CV_BUF(1 << 20);
	struct f_recipe r = f_recipe();
	struct cv_ring_root *second;
	struct world w;
	struct cv_err e;

	begin(&w);
	f_trusted_root(&text, other, &r);
	T_OK(cv_keyring_add_root(w.ring, "other", cv_buf_span(&text), &second, &e), e);
	T_OK(cv_keyring_add_identity(second, "stranger", cv_span_str("{" ID "," IS "}"), &e), e);
	{
		struct cv_belief b;
		struct cv_message m = cv_message_bytes(cv_span_str("artifact"));

		T_NO(cv_believe_bundle(&b, cv_buf_span(&w.bundle), &m, w.ring, &e), e,
		     CV_R_IDENTITY);
		T_STR(b.check, "sig.log-unproven");
		cv_belief_free(&b);
	}
	T_OK(cv_keyring_add_identity(w.root, "maker", cv_span_str("{" ID "," IS "}"), &e), e);
	T_OK(believe(&w, "maker", &e), e);
	f_instance_free(&other);
	cv_buf_free(&text);
	finish(&w);
}

/* One bit of the bundle changed, or its end cut off: what is still accepted says the same
 * about who and when, and of another artifact nothing is. */
static void
swept(void)
{
	struct world w;
	struct cv_err e;
	size_t same = 0, n;

	begin(&w);
	T_OK(cv_keyring_add_identity(w.root, "maker", cv_span_str("{" ID "," IS "}"), &e), e);
	n = w.bundle.n;
	for (size_t i = 0; i < n; i += 2) {
		uint8_t was = w.bundle.p[i];
		struct cv_belief b;
		struct cv_message m = cv_message_bytes(cv_span_str("artifact"));

		w.bundle.p[i] ^= (uint8_t)(1u << (i / 2 % 7));
		if (cv_believe_bundle(&b, cv_buf_span(&w.bundle), &m, w.ring, &e) == 0) {
			same++;
			T_STR(cv_proven_identity(b.proven)->subject, F_SUBJECT);
			T_STR(cv_proven_identity(b.proven)->issuer, F_ISSUER);
			T_INT(cv_proven_ms(b.proven), (int64_t)F_WHEN * 1000);
			T(b.message);
		}
		cv_belief_free(&b);
		m = cv_message_bytes(cv_span_str("Artifact"));
		T(cv_believe_bundle(&b, cv_buf_span(&w.bundle), &m, w.ring, &e) != 0);
		cv_belief_free(&b);
		w.bundle.p[i] = was;
	}
	/* names of what may be left out, and what nobody signed */
	printf("# %zu of %zu changes are still accepted\n", same, n / 2);
	T(same < n / 20);
	for (w.bundle.n = 0; w.bundle.n < n; w.bundle.n += 7)
		T(believe(&w, "maker", &e) != 0);
	w.bundle.n = n;
	T_OK(believe(&w, "maker", &e), e);
	finish(&w);
}

#define ROOT_TYPE "application/vnd.dev.sigstore.trustedroot.v0.1+json"

/* A root that cannot be read is no root. */
static void
no_roots(void)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"[]",
		"{\"mediaType\":\"application/json\"}",
		"{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot.v9+json\"}",
		"{\"mediaType\":\"" ROOT_TYPE "\",\"tlogs\":[{}]}",
	};
	struct cv_keyring *ring = calloc(1, sizeof(*ring));
	struct cv_ring_root *root;
	struct cv_err e;

	T(ring != NULL);
	for (size_t i = 0; i < CV_COUNT(wrong); i++)
		T_NO(cv_keyring_add_root(ring, "acme", cv_span_str(wrong[i]), &root, &e), e,
		     CV_R_UNSUPPORTED);
	cv_keyring_clear(ring);
	free(ring);
}

static const struct t_case cases[] = {
	{ "patterns are anchored", patterns },
	{ "patterns that are none, or anybody's", no_patterns },
	{ "patterns that cost too much", costly },
	{ "identities that are none", no_identities },
	{ "by identity", by_identity },
	{ "among several", among_several },
	{ "among roots", among_roots },
	{ "roots that are none", no_roots },
	{ "bits and ends", swept },
};

T_MAIN(cases)
