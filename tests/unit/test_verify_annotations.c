/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_annotations.c: a rule's "annotations" and --annotation, through the
 * engine and the command: a genuine signature that does not say it is no signature.
 */
#include "tests/engine/run.h"
#include "tests/support/peer.h"
#include "trust/base/sandbox.h"

#include <sys/stat.h>

#define SIGNED "\"basis\": [\"signed\"], \"signed_by\": [\"acme\"]"

/* sign_again: the image once more, with these annotations. */
static void
sign_again(struct small *s, const char *annotations)
{
	cv_auto(cv_buf_free) struct cv_buf st = CV_BUF(1 << 16), b = CV_BUF(1 << 16);
	char text[CV_DIGEST_TEXT];

	cv_buf_fmt(&st,
		   "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{"
		   "\"sha256\":\"%s\"},\"annotations\":%s}],\"predicateType\":\"" F_SIGN_PREDICATE
		   "\",\"predicate\":{}}",
		   strchr(cv_digest_text(&s->image, text), ':') + 1, annotations);
	f_bundle(&b, s->key, F_INTOTO, cv_buf_span(&st));
	f_refer(&s->store, &s->image, cv_buf_span(&b));
	T(peer_sh("rm -rf '%s' && mkdir '%s'", small_path(s, "image"), small_path(s, "image")));
	f_layout_write(&s->store, small_path(s, "image"), s->image, "v1");
}

static void
in_policy(void)
{
	struct small s;
	struct run r;

	small_make(&s, run_dir("policy"));
	run_open(&r, &s);
	run_lock(&r);
	run_verify(&r);
	T_INT(r.res->decision.outcome, CV_PASS);
	small_policy(&s, SIGNED ", \"annotations\": { \"env\": \"prod\" }", "", "");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "sig.annotation-mismatch");
	run_says_no(&r, CV_FAIL, "runtime", "basis.insufficient");
	sign_again(&s, "{\"env\":\"prod\"}");
	run_verify(&r);
	if (r.res->decision.outcome != CV_PASS)
		run_show(r.res);
	T_INT(r.res->decision.outcome, CV_PASS);
	small_policy(&s, SIGNED ", \"annotations\": { \"env\": \"prod\", \"rev\": \"7\" }", "", "");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "sig.annotation-mismatch");
	T_HAS(run_said(r.res, "runtime", "sig.annotation-mismatch")->found, "annotation");
	run_close(&r);
	small_free(&s);
}

/* exits: whether the command ends with that code. */
static bool
exits(const struct small *s, const char *arguments, int code)
{
	return peer_sh("cd '%s' && '%s/clawverify' verify %s --platform linux/amd64 --key k.pub "
		       "--store ../command.store; test $? = %d",
		       s->dir, t_build(), arguments, code);
}

static void
by_option(void)
{
	static const struct {
		const char *arguments;
		int code;
	} cases[] = {
		{ "image", 0 },
		{ "image -a env=prod", 0 },
		{ "image --annotation env=prod -a rev=7", 0 },
		{ "image -a env=dev", 1 },
		{ "image -a env=prod -a rev=8", 1 },
		{ "image -a env=", 1 },
		{ "image -a env", 2 },
		{ "image -a =prod", 2 },
		{ "image -a env=prod -a env=prod", 2 },
		{ "image -a env=prod --type https://slsa.dev/provenance/v1", 2 },
		{ "system.md -a env=prod", 2 },
	};
	struct small s;

	if (CV_SANITIZED)
		t_skip("who signed, said by options, wants workers that can be confined");
	small_make(&s, run_dir("option"));
	t_write_file(small_path(&s, "k.pub"), f_key_pem(s.key), strlen(f_key_pem(s.key)));
	T(exits(&s, "image", 0));
	T(exits(&s, "image -a env=prod", 1));
	sign_again(&s, "{\"rev\":\"7\",\"env\":\"prod\"}");
	for (size_t i = 0; i < CV_COUNT(cases); i++)
		if (!exits(&s, cases[i].arguments, cases[i].code))
			t_fail(__FILE__, __LINE__, "%s: not %d", cases[i].arguments, cases[i].code);
	small_free(&s);
}

static const struct t_case cases[] = {
	{ "a rule's annotations", in_policy },
	{ "--annotation", by_option },
};
T_MAIN(cases)
