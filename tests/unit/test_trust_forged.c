/* SPDX-License-Identifier: Apache-2.0 */
/* CV_T_IMAGE over forged signatures: one thing wrong each, all else right and the
 * signature genuine; then the good ones. */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "tests/support/world.h"
#include "trust/base/oci.h"
#include "trust/base/ref.h"
#include "trust/base/text.h"

#include <stdlib.h>

#include "trust/base/banned.h"

/* A bundle over any statement text, by any key, for any subject. */
static void
refer(struct d_world *w, const struct f_key *k, const struct cv_digest *subject, const char *type,
      const char *statement)
{
	struct cv_buf b = CV_BUF(1 << 20);

	f_bundle(&b, k, type, cv_span_str(statement));
	f_refer(&w->s, subject, cv_buf_span(&b));
	cv_buf_free(&b);
}

static void
refer_sign(struct d_world *w, const struct f_key *k, const struct cv_digest *under,
	   const struct cv_digest *about)
{
	struct cv_buf st = CV_BUF(1 << 20);

	f_statement(&st, about, F_SIGN_PREDICATE, "{}");
	refer(w, k, under, F_INTOTO, cv_buf_text(&st));
	cv_buf_free(&st);
}

/* One thing wrong each; all else is right, and the signature genuine. */
static void
w_good(struct d_world *w)
{
	f_sign_image(&w->s, w->key, w->index, F_BUNDLE);
}

static void
w_good_legacy(struct d_world *w)
{
	f_sign_image(&w->s, w->key, w->index, F_LEGACY);
}

static void
w_good_manifest(struct d_world *w)
{
	f_sign_image(&w->s, w->key, w->manifest, F_BUNDLE);
}

static void
w_good_message(struct d_world *w)
{
	struct cv_buf b = CV_BUF(1 << 20);

	f_bundle_message(&b, w->key, cv_buf_span(&f_get_digest(&w->s, &w->index)->bytes));
	f_refer(&w->s, &w->index, cv_buf_span(&b));
	cv_buf_free(&b);
}

static void
w_good_beside_rubbish(struct d_world *w)
{
	f_refer(&w->s, &w->index, cv_span_str("rubbish"));
	refer_sign(w, w->other, &w->index, &w->index);
	refer_sign(w, w->key, &w->index, &w->arm);
	f_sign_image(&w->s, w->other, w->index, F_LEGACY);
	f_sign_image(&w->s, w->key, w->index, F_BUNDLE);
	f_attest_image(&w->s, w->other, w->index, "https://example/p", "{}", F_LEGACY);
}

static void
w_good_while_unreachable(struct d_world *w)
{
	char tag[CV_DIGEST_TAG];

	f_sign_image(&w->s, w->key, w->index, F_BUNDLE);
	f_put_tag(&w->s, cv_digest_tag(&w->index, ".sig", tag), "", cv_span_str(""));
	f_get(&w->s, F_TAG, tag)->failed = CV_R_UNREACHABLE;
}

static void
w_nothing(struct d_world *w)
{
	(void)w;
}

static void
w_other_key(struct d_world *w)
{
	f_sign_image(&w->s, w->other, w->index, F_BUNDLE);
}

static void
w_other_key_legacy(struct d_world *w)
{
	f_sign_image(&w->s, w->other, w->index, F_LEGACY);
}

static void
w_other_digest(struct d_world *w)
{
	refer_sign(w, w->key, &w->index, &w->arm);
}

static void
w_other_digest_legacy(struct d_world *w)
{
	struct cv_buf p = CV_BUF(4096), sig = CV_BUF(4096), text = CV_BUF(4096);

	f_simple(&p, &w->arm, "registry.example/agent");
	f_sign(&sig, w->key, cv_buf_span(&p));
	f_base64(&text, cv_buf_span(&sig));
	f_under_tag(&w->s, &w->index, ".sig", "application/vnd.dev.cosign.simplesigning.v1+json",
		    cv_buf_span(&p), cv_buf_text(&text));
	cv_buf_free(&p);
	cv_buf_free(&sig);
	cv_buf_free(&text);
}

static void
w_attested_not_signed(struct d_world *w)
{
	f_attest_image(&w->s, w->key, w->index, "https://example/p", "{}", F_BUNDLE);
}

static void
w_weak_subject(struct d_world *w)
{
	refer(w, w->key, &w->index, F_INTOTO,
	      "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha1\":"
	      "\"00\"}}],\"predicateType\":\"" F_SIGN_PREDICATE "\",\"predicate\":{}}");
}

static void
w_no_subject(struct d_world *w)
{
	refer(w, w->key, &w->index, F_INTOTO,
	      "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[],\"predicateType\":"
	      "\"" F_SIGN_PREDICATE "\",\"predicate\":{}}");
}

static void
w_other_statement_type(struct d_world *w)
{
	struct cv_buf st = CV_BUF(1 << 20);

	f_statement(&st, &w->index, F_SIGN_PREDICATE, "{}");
	memcpy(strstr((char *)st.p, "Statement/v1"), "Statement/v2", 12);
	refer(w, w->key, &w->index, F_INTOTO, cv_buf_text(&st));
	cv_buf_free(&st);
}

static void
w_other_payload_type(struct d_world *w)
{
	struct cv_buf st = CV_BUF(1 << 20);

	f_statement(&st, &w->index, F_SIGN_PREDICATE, "{}");
	refer(w, w->key, &w->index, "application/json", cv_buf_text(&st));
	cv_buf_free(&st);
}

static void
w_referrer_of_another(struct d_world *w)
{
	struct cv_buf st = CV_BUF(1 << 20), b = CV_BUF(1 << 20);
	struct f_entry *list;
	char text[CV_DIGEST_TEXT];

	f_statement(&st, &w->index, F_SIGN_PREDICATE, "{}");
	f_bundle(&b, w->key, F_INTOTO, cv_buf_span(&st));
	f_refer(&w->s, &w->arm, cv_buf_span(&b)); /* its subject is the other manifest */
	list = f_get(&w->s, F_REFERRERS, cv_digest_text(&w->arm, text));
	cv_text_fmt(list->key, sizeof(list->key), "%s", cv_digest_text(&w->index, text));
	cv_buf_free(&st);
	cv_buf_free(&b);
}

/* Replace text in the one bundle, and make the edges to it anew. */
static void
edit_bundle(struct d_world *w, const char *from, const char *to)
{
	struct cv_buf st = CV_BUF(1 << 20), b = CV_BUF(1 << 20), changed = CV_BUF(1 << 20);
	const char *at;

	f_statement(&st, &w->index, F_SIGN_PREDICATE, "{}");
	f_bundle(&b, w->key, F_INTOTO, cv_buf_span(&st));
	at = strstr(cv_buf_text(&b), from);
	T(at != NULL);
	cv_buf_add(&changed, b.p, (size_t)(at - cv_buf_text(&b)));
	cv_buf_str(&changed, to);
	cv_buf_str(&changed, at + strlen(from));
	f_refer(&w->s, &w->index, cv_buf_span(&changed));
	cv_buf_free(&st);
	cv_buf_free(&b);
	cv_buf_free(&changed);
}

static void
w_keyless(struct d_world *w)
{
	edit_bundle(w, "\"publicKey\":{", "\"certificate\":{\"rawBytes\":\"MIIB\"},\"x\":{");
}

static void
w_keyless_and_key(struct d_world *w)
{
	edit_bundle(w, "\"publicKey\":{",
		    "\"certificate\":{\"rawBytes\":\"MIIB\"},\"publicKey\":{");
}

static void
w_flipped_payload(struct d_world *w)
{
	edit_bundle(w, "\"payload\":\"ey", "\"payload\":\"eS");
}

static void
w_flipped_type(struct d_world *w)
{
	edit_bundle(w, "in-toto+json\"", "in-toto+jsoN\"");
}

static void
w_version(struct d_world *w)
{
	edit_bundle(w, "bundle.v0.3+json", "bundle.v0.4+json");
}

static void
w_folded(struct d_world *w)
{
	edit_bundle(w, "\"payloadType\":", "\"PayloadType\":\"x\",\"payloadType\":");
}

static void
w_referrers_unreachable(struct d_world *w)
{
	char text[CV_DIGEST_TEXT];

	f_sign_image(&w->s, w->key, w->index, F_BUNDLE);
	f_get(&w->s, F_REFERRERS, cv_digest_text(&w->index, text))->failed = CV_R_UNREACHABLE;
}

static void
w_other_key_and_unreachable(struct d_world *w)
{
	char tag[CV_DIGEST_TAG];

	f_sign_image(&w->s, w->other, w->index, F_BUNDLE);
	f_put_tag(&w->s, cv_digest_tag(&w->index, ".sig", tag), "", cv_span_str(""));
	f_get(&w->s, F_TAG, tag)->failed = CV_R_THROTTLED;
}

static void
w_bundle_gone(struct d_world *w)
{
	f_sign_image(&w->s, w->key, w->index, F_BUNDLE);
	for (size_t i = 0; i < w->s.n; i++)
		if (strstr(w->s.entry[i].media, "sigstore.bundle") != NULL)
			w->s.entry[i].key[10] ^= 1;
}

static void
w_bundle_changed(struct d_world *w)
{
	f_sign_image(&w->s, w->key, w->index, F_BUNDLE);
	for (size_t i = 0; i < w->s.n; i++)
		if (strstr(w->s.entry[i].media, "sigstore.bundle") != NULL)
			w->s.entry[i].bytes.p[20] ^= 1;
}

static void
w_no_annotation(struct d_world *w)
{
	struct cv_buf p = CV_BUF(4096);

	f_simple(&p, &w->index, "registry.example/agent");
	f_under_tag(&w->s, &w->index, ".sig", "application/vnd.dev.cosign.simplesigning.v1+json",
		    cv_buf_span(&p), "AAAA");
	cv_buf_free(&p);
}

static const struct signature_case {
	const char *name;
	void (*make)(struct d_world *w);
	size_t signers;
	const char *check;
	enum cv_reason reason;
} signature_cases[] = {
	{ "good bundle", w_good, 1, "sig.absent", CV_R_NONE },
	{ "good .sig", w_good_legacy, 1, "sig.absent", CV_R_NONE },
	{ "manifest signed", w_good_manifest, 1, "sig.absent", CV_R_NONE },
	{ "message signature", w_good_message, 1, "sig.absent", CV_R_NONE },
	{ "good beside rubbish", w_good_beside_rubbish, 1, "sig.invalid", CV_R_NONE },
	{ "good, .sig unreachable", w_good_while_unreachable, 1, "sig.unavailable", CV_R_NONE },
	{ "nothing", w_nothing, 0, "sig.absent", CV_R_ABSENT },
	{ "other key", w_other_key, 0, "sig.untrusted-key", CV_R_IDENTITY },
	{ "other key, .sig", w_other_key_legacy, 0, "sig.invalid", CV_R_SIGNATURE },
	{ "about another digest", w_other_digest, 0, "sig.subject-mismatch", CV_R_DIGEST },
	{ ".sig about another", w_other_digest_legacy, 0, "sig.subject-mismatch", CV_R_DIGEST },
	{ "only attested", w_attested_not_signed, 1, "sig.absent", CV_R_ABSENT },
	{ "weak subject digest", w_weak_subject, 0, "sig.subject-mismatch", CV_R_DIGEST },
	{ "no subject", w_no_subject, 0, "sig.malformed", CV_R_MALFORMED },
	{ "statement v2", w_other_statement_type, 0, "sig.unsupported-algorithm",
	  CV_R_UNSUPPORTED },
	{ "payload type", w_other_payload_type, 0, "sig.unsupported-algorithm", CV_R_UNSUPPORTED },
	{ "referrer of another", w_referrer_of_another, 0, "sig.subject-mismatch", CV_R_DIGEST },
	{ "keyless", w_keyless, 0, "sig.malformed", CV_R_MALFORMED },
	{ "key and certificate", w_keyless_and_key, 0, "sig.malformed", CV_R_AMBIGUOUS },
	{ "payload changed", w_flipped_payload, 0, "sig.invalid", CV_R_SIGNATURE },
	{ "payload type changed", w_flipped_type, 0, "sig.invalid", CV_R_SIGNATURE },
	{ "bundle v0.4", w_version, 0, "sig.unsupported-algorithm", CV_R_UNSUPPORTED },
	{ "key in other case", w_folded, 0, "sig.malformed", CV_R_AMBIGUOUS },
	{ "referrers unreachable", w_referrers_unreachable, 0, "sig.unavailable",
	  CV_R_UNREACHABLE },
	{ "other key, .sig throttled", w_other_key_and_unreachable, 0, "sig.unavailable",
	  CV_R_THROTTLED },
	{ "bundle gone", w_bundle_gone, 0, "sig.absent", CV_R_ABSENT },
	{ "bundle changed", w_bundle_changed, 0, "sig.malformed", CV_R_DIGEST },
	{ "no signature in it", w_no_annotation, 0, "sig.malformed", CV_R_MALFORMED },
};

static void
signatures_that_count_and_do_not(void)
{
	for (size_t i = 0; i < CV_COUNT(signature_cases); i++) {
		const struct signature_case *c = &signature_cases[i];
		struct d_world w;
		struct d_answer a;

		d_make_world(&w);
		c->make(&w);
		a = d_world(&w);
		if (!a.done || d_facts(&a, CV_F_SIGNER) != c->signers ||
		    d_reason(&a, c->check) != c->reason) {
			d_print(&a);
			t_fail(__FILE__, __LINE__, "%s: %zu signers, %s %s", c->name,
			       d_facts(&a, CV_F_SIGNER), c->check,
			       cv_reason_word(d_reason(&a, c->check)));
		}
		T_INT(d_facts(&a, CV_F_NODE), 4); /* the graph is another question */
		T_INT(d_reason(&a, "oci.edge-mismatch"), CV_R_NONE);
		d_answer_free(&a);
		d_free_world(&w);
	}
}

static void
one_key_counts_under_each_name_and_once(void)
{
	struct d_world w;
	struct d_worker d = { 0 };
	struct d_answer a;
	struct cv_out *o;

	d_make_world(&w);
	f_sign_image(&w.s, w.key, w.index, F_BUNDLE);
	d_open(&d, "clawverify-trust");
	o = d_task(&d, CV_T_IMAGE);
	d_blob(&d, cv_buf_span(&f_get_digest(&w.s, &w.index)->bytes));
	cv_out_digest(o, CV_TAG_DIGEST, &w.index);
	cv_out_str(o, CV_TAG_MEDIA, "");
	cv_out_str(o, CV_TAG_PLATFORM, "linux/amd64");
	cv_out_str(o, CV_TAG_NAME, "");
	cv_out_u64(o, CV_TAG_FLAGS, D_ALL);
	cv_out_u64(o, CV_TAG_NOW, 1800000000);
	d_send(&d);
	d_key(&d, "a", f_key_pem(w.key));
	d_key(&d, "b", f_key_pem(w.other));
	d_key(&d, "c", f_key_pem(w.key));
	d_key(&d, "a", f_key_pem(w.key));
	a = d_run(&d, &w.s);
	d_close(&d);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 2);
	T_STR(d_fact(&a, CV_F_SIGNER, 0)->name, "a");
	T_STR(d_fact(&a, CV_F_SIGNER, 1)->name, "c");
	T_STR(d_fact(&a, CV_F_SIGNER, 0)->keyid, d_fact(&a, CV_F_SIGNER, 1)->keyid);
	d_answer_free(&a);
	d_free_world(&w);
}

static void
a_key_that_is_none_stops_the_task(void)
{
	struct d_world w;
	struct d_answer a;

	d_make_world(&w);
	a = d_image(&w.s, w.index, "", "not a key", D_ALL);
	T(!a.done);
	T_INT(a.error.reason, CV_R_MALFORMED);
	d_answer_free(&a);
	f_sign_image(&w.s, w.key, w.index, F_LEGACY);
	a = d_image(&w.s, w.index, "", NULL, D_ALL); /* no key at all: nothing counts */
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "sig.untrusted-key"), CV_R_IDENTITY);
	d_answer_free(&a);
	d_free_world(&w);
}

/* Anybody may copy a genuine statement into bundles of other bytes. */
static void
copies_are_stated_once(void)
{
	struct cv_buf st = CV_BUF(1 << 20), b = CV_BUF(1 << 20);
	struct d_world w;
	struct d_answer a;

	d_make_world(&w);
	f_statement(&st, &w.manifest, "https://example/p", "{}");
	f_bundle(&b, w.key, F_INTOTO, cv_buf_span(&st));
	for (size_t i = 0; i < 20; i++) {
		cv_buf_byte(&b, ' ');
		f_refer(&w.s, &w.manifest, cv_buf_span(&b));
	}
	a = d_world(&w);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 1);
	T_INT(d_facts(&a, CV_F_STATEMENT), 1);
	d_answer_free(&a);
	cv_buf_free(&st);
	cv_buf_free(&b);
	d_free_world(&w);
}

/* More rubbish than is looked at, after the good one. */
static void
floods_take_nothing_from_what_was_seen(void)
{
	struct cv_buf big = CV_BUF(32 << 20);
	struct d_world w;
	struct d_answer a;

	d_make_world(&w);
	while (big.n < 15 << 20)
		cv_buf_str(&big, "rubbish");
	f_sign_image(&w.s, w.key, w.index, F_BUNDLE);
	for (size_t i = 0; i < 8; i++) {
		cv_buf_byte(&big, ' ');
		f_refer(&w.s, &w.index, cv_buf_span(&big));
	}
	a = d_world(&w);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 1);
	T_INT(d_reason(&a, "sig.malformed"), CV_R_NONE);
	d_answer_free(&a);
	/* before it: not looked at, and said so */
	d_free_world(&w);
	d_make_world(&w);
	for (size_t i = 0; i < 8; i++) {
		cv_buf_byte(&big, ' ');
		f_refer(&w.s, &w.index, cv_buf_span(&big));
	}
	f_sign_image(&w.s, w.key, w.index, F_BUNDLE);
	a = d_world(&w);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 1); /* small: it fits all the same */
	d_answer_free(&a);
	cv_buf_free(&big);
	d_free_world(&w);
}

static const struct t_case cases[] = {
	{ "signatures that count, and that do not", signatures_that_count_and_do_not },
	{ "one key under two names", one_key_counts_under_each_name_and_once },
	{ "copies are stated once", copies_are_stated_once },
	{ "floods of rubbish", floods_take_nothing_from_what_was_seen },
	{ "a key that is none", a_key_that_is_none_stops_the_task },
};

T_MAIN(cases)
