/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyless.h: signatures by certificate through the whole command: a private instance
 * forged in the test's own process, the command run in a scratch directory over what it
 * signed, and what is wrong in a bundle by name. A header, like run.h, for the tests
 * test_verify_keyless*.c. What is wrong inside a bundle is the business of
 * test_trust_sigstore.c; here is asked whether policy, worker and verdict are wired to
 * it, and by which name each step's failure is told.
 */
#ifndef CV_TEST_KEYLESS_H
#define CV_TEST_KEYLESS_H

#include "tests/support/forge_sigstore.h"
#include "tests/support/peer.h"
#include "tests/support/t.h"
#include "trust/base/enc.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"

#include <jansson.h>
#include <stdlib.h>

#define ARTIFACT   "the artifact"
#define PROVENANCE "https://slsa.dev/provenance/v1"

/* ---- running the command ---- */

struct said {
	int code;
	json_t *doc; /* -o json */
};

static inline void
drop(struct said *s)
{
	json_decref(s->doc);
	s->doc = NULL;
}

/* The command with these arguments in the scratch directory. */
static inline struct said
run(const char *arguments)
{
	struct said s = { .code = -1 };
	struct cv_buf code = CV_BUF(64), out = CV_BUF(1 << 22);

	T(peer_sh("%s/clawverify %s --store store -o json >out.json 2>err; echo $? >code",
		  t_build(), arguments));
	peer_read(&code, "code");
	peer_read(&out, "out.json");
	s.code = cv_buf_text(&code)[0] - '0';
	s.doc = json_loadb((const char *)out.p, out.n, 0, NULL);
	T(s.doc != NULL || s.code == 2); /* a slip in the command line itself */
	cv_buf_free(&code);
	cv_buf_free(&out);
	return s;
}

/* The check of that id which did not pass, or NULL. */
static inline json_t *
problem(const struct said *s, const char *id)
{
	json_t *artifact, *check;
	size_t i, k;

	json_array_foreach(json_object_get(s->doc, "artifacts"), i, artifact) json_array_foreach(
		json_object_get(artifact, "checks"), k,
		check) if (strcmp(json_string_value(json_object_get(check, "id")), id) == 0 &&
			   strcmp(json_string_value(json_object_get(check, "outcome")), "pass") !=
				   0) return check;
	return NULL;
}

static inline void
says(struct said *s, const char *name, int code, const char *id)
{
	if (s->code != code || (id != NULL && problem(s, id) == NULL)) {
		char *text = json_dumps(s->doc, JSON_INDENT(1));

		printf("%s\n", text);
		free(text);
		t_fail(__FILE__, __LINE__, "%s: exit %d, want %d and %s", name, s->code, code,
		       id == NULL ? "nothing" : id);
	}
}

static inline const char *
text_of(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text == NULL ? "" : text;
}

/* ---- what lies there ---- */

static struct f_instance *instance;

static inline struct f_recipe
recipe(void)
{
	return f_recipe();
}

/* bundle NAME, over the artifact, or a statement about it if `predicate` is set. */
static inline void
write_bundle(const char *name, struct f_recipe r, const char *predicate, const char *about)
{
	struct cv_buf text = CV_BUF(1 << 20), st = CV_BUF(1 << 16);
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str(about), &e), e);
	if (predicate != NULL) {
		r.dsse = true;
		f_statement(&st, &d, predicate, "{}");
	}
	f_keyless(&text, instance, &r, predicate != NULL ? cv_buf_span(&st) : cv_span_str(about));
	peer_write(name, cv_buf_span(&text));
	cv_buf_free(&text);
	cv_buf_free(&st);
}

static inline void
write_root(const char *name, struct f_recipe r)
{
	struct cv_buf text = CV_BUF(1 << 20);

	f_trusted_root(&text, instance, &r);
	peer_write(name, cv_buf_span(&text));
	cv_buf_free(&text);
}

static inline void
begin(void)
{
	if (instance != NULL)
		return;
	instance = f_instance_new();
	peer_write("app.bin", cv_span_str(ARTIFACT));
	peer_write("other.bin", cv_span_str("another artifact"));
	write_root("root.json", recipe());
	write_bundle("app.json", recipe(), NULL, ARTIFACT);
}

/* For cases where who signed is said by options: these want confinement. */
static inline void
begin_confined(void)
{
	if (CV_SANITIZED)
		t_skip("workers of a sanitizer build run unconfined, and that is refused");
	begin();
}

#define WHO  " --identity " F_SUBJECT " --issuer " F_ISSUER
#define ROOT " --root root.json"

/* ---- what is wrong, or not ---- */

#define CHANGE(name, ...)                                                                          \
	static inline void name(struct f_recipe *r)                                                \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

/* clang-format off */
CHANGE(nothing, (void)r)
CHANGE(other_subject, r->subject = "https://ci.example.test/team/other")
CHANGE(subject_longer, r->subject = F_SUBJECT ".evil.test")
CHANGE(other_issuer, r->issuer_v1 = r->issuer_v2 = "https://other.example.test")
CHANGE(other_ca, r->ca = F_OTHERS)
CHANGE(expired, r->integrated = F_WHEN + 86400)
CHANGE(ca_ended, r->ca_at.end = "2024-01-01T00:00:00Z")
CHANGE(log_ended, r->log_at.end = "2024-01-01T00:00:00Z")
CHANGE(no_sct, r->sct = F_NOBODY)
CHANGE(sct_of_another, r->sct = F_OTHERS)
CHANGE(log_of_another, r->checkpoint = r->set = F_OTHERS)
CHANGE(cosigner_only, r->v2 = true; r->tsa = F_OURS; r->cosigner_only = true)
CHANGE(other_tsa, r->v2 = true; r->tsa = F_OTHERS)
CHANGE(no_time, r->v2 = true; r->tsa = F_NOBODY)
CHANGE(bad_signature, r->bad_signature = true)
CHANGE(other_digest, r->other_digest = true)
CHANGE(no_proof, r->no_proof = true)
CHANGE(no_eku, r->no_eku = true)
/* clang-format on */

#endif
