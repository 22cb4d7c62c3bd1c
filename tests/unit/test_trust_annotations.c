/* SPDX-License-Identifier: Apache-2.0 */
/* What a signature on an image has to say besides (trust/wanted.h): signatures that are
 * genuine, about this image, and do not say it; then those that do. */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "tests/support/world.h"
#include "trust/base/text.h"

#include <stdlib.h>

#include "trust/base/banned.h"

static struct d_world w;

/* ask: the task over the index with w.key, and these annotations wanted. */
static struct d_answer
ask(const char *const (*want)[2], size_t n)
{
	struct f_entry *root = f_get_digest(&w.s, &w.index);
	struct d_worker worker = { 0 };
	struct cv_out *o;
	struct d_answer a;

	d_open(&worker, "clawverify-trust");
	o = d_task(&worker, CV_T_IMAGE);
	d_blob(&worker, cv_buf_span(&root->bytes));
	cv_out_digest(o, CV_TAG_DIGEST, &w.index);
	cv_out_str(o, CV_TAG_MEDIA, "");
	cv_out_str(o, CV_TAG_PLATFORM, "linux/amd64");
	cv_out_str(o, CV_TAG_NAME, "registry.example/agent");
	cv_out_u64(o, CV_TAG_FLAGS, D_ALL);
	cv_out_u64(o, CV_TAG_NOW, 1800000000);
	d_send(&worker);
	for (size_t i = 0; i < n; i++) {
		o = d_item(&worker, CV_ROLE_ANNOTATION);
		cv_out_str(o, CV_TAG_NAME, want[i][0]);
		cv_out_str(o, CV_TAG_TEXT, want[i][1]);
		d_send(&worker);
	}
	d_key(&worker, "maker", f_key_pem(w.key));
	a = d_run(&worker, &w.s);
	d_close(&worker);
	return a;
}

/* ---- signing ---- */

/* bundle: cosign's sign statement; `annotations` as the subject's, "" none. `subjects`
 * goes before the one that is the image. */
static void
bundle(const char *subjects, const char *annotations, const char *predicate)
{
	cv_auto(cv_buf_free) struct cv_buf st = CV_BUF(1 << 16), b = CV_BUF(1 << 16);
	char hex[CV_DIGEST_TEXT];

	cv_buf_fmt(
		&st,
		"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[%s{\"digest\":{"
		"\"sha256\":\"%s\"}%s%s}],\"predicateType\":\"%s\",\"predicate\":{\"annotations\":"
		"{\"env\":\"prod\"}}}",
		subjects, strchr(cv_digest_text(&w.index, hex), ':') + 1,
		annotations[0] != '\0' ? ",\"annotations\":" : "", annotations, predicate);
	f_bundle(&b, w.key, F_INTOTO, cv_buf_span(&st));
	f_refer(&w.s, &w.index, cv_buf_span(&b));
}

static void
legacy(const char *optional)
{
	cv_auto(cv_buf_free) struct cv_buf p = CV_BUF(1 << 16), sig = CV_BUF(4096);
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(8192);
	char digest[CV_DIGEST_TEXT];

	cv_buf_fmt(&p,
		   "{\"critical\":{\"identity\":{\"docker-reference\":\"\"},\"image\":{"
		   "\"docker-manifest-digest\":\"%s\"},\"type\":\"cosign container image signature"
		   "\"},\"optional\":%s}",
		   cv_digest_text(&w.index, digest), optional);
	f_sign(&sig, w.key, cv_buf_span(&p));
	f_base64(&text, cv_buf_span(&sig));
	f_under_tag(&w.s, &w.index, ".sig", "application/vnd.dev.cosign.simplesigning.v1+json",
		    cv_buf_span(&p), cv_buf_text(&text));
}

static void
message(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);

	f_bundle_message(&b, w.key, cv_buf_span(&f_get_digest(&w.s, &w.index)->bytes));
	f_refer(&w.s, &w.index, cv_buf_span(&b));
}

/* ---- cases ---- */

static const char *const prod[][2] = { { "env", "prod" } };
static const char *const both[][2] = { { "env", "prod" }, { "rev", "7" } };
static const char *const empty[][2] = { { "env", "" } };

/* expect: no signature counts, for that reason; or one does. */
static void
expect(const char *name, const char *const (*want)[2], size_t n, const char *found)
{
	struct d_answer a = ask(want, n);
	bool good = found == NULL;

	if (!a.done || (d_facts(&a, CV_F_SIGNER) == 1) != good) {
		d_print(&a);
		t_fail(__FILE__, __LINE__, "%s", name);
	}
	T_INT(d_reason(&a, "sig.annotation-mismatch"), good ? CV_R_COUNT : CV_R_RULE);
	for (size_t i = 0; !good && i < a.nfindings; i++)
		if (strcmp(a.finding[i].check, "sig.annotation-mismatch") == 0)
			T_HAS(a.finding[i].found, found);
	d_answer_free(&a);
	d_free_world(&w);
}

#define SIGN F_SIGN_PREDICATE
#define OTHER                                                                                      \
	"{\"digest\":{\"sha256\":\"00000000000000000000000000000000000000000000000000000000000000" \
	"00\"},\"annotations\":{\"env\":\"prod\"}},"

static void
refused(void)
{
	static const struct {
		const char *bundle, *legacy, *found;
	} cases[] = {
		{ "", "null", "without the annotation env" },
		{ "{}", "{}", "without the annotation env" },
		{ "null", "{\"rev\":\"prod\"}", "without the annotation env" },
		{ "{\"env\":\"dev\"}", "{\"env\":\"dev\"}", "env=dev, want env=prod" },
		{ "{\"env\":\"prod \"}", "{\"env\":\"prod \"}", "env=prod , want env=prod" },
		{ "{\"env\":\"Prod\"}", "{\"env\":\"Prod\"}", "env=Prod" },
		{ "{\"env\":\"\"}", "{\"env\":\"\"}", "env=, want" },
		{ "{\"Env\":\"prod\"}", "{\"Env\":\"prod\"}", "without the annotation env" },
		{ "{\"env\":[\"prod\"]}", "{\"env\":[\"prod\"]}", "something else than a text" },
		{ "{\"env\":{\"env\":\"prod\"}}", "{\"env\":true}", "something else than a text" },
		{ "[\"env\",\"prod\"]", "\"env=prod\"", "without the annotation env" },
	};

	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		d_make_world(&w);
		bundle("", cases[i].bundle, SIGN);
		expect(cases[i].found, prod, 1, cases[i].found);
		d_make_world(&w);
		legacy(cases[i].legacy);
		expect(cases[i].found, prod, 1, cases[i].found);
	}
	d_make_world(&w);
	message();
	expect("message", prod, 1, "without the annotation env");
	/* said of another subject of the same statement, before or behind */
	d_make_world(&w);
	bundle(OTHER, "", SIGN);
	expect("another subject", prod, 1, "without the annotation env");
	/* one of two */
	d_make_world(&w);
	bundle("", "{\"env\":\"prod\"}", SIGN);
	expect("one of two", both, 2, "without the annotation rev");
	d_make_world(&w);
	legacy("{\"env\":\"prod\",\"rev\":7}");
	expect("a number", both, 2, "something else than a text as the annotation rev");
	d_make_world(&w);
	bundle("", "{\"rev\":\"7\"}", SIGN);
	expect("empty is not absent", empty, 1, "without the annotation env");
}

/* Two signatures that say half of it each are none that says it. */
static void
halves(void)
{
	d_make_world(&w);
	bundle("", "{\"env\":\"prod\"}", SIGN);
	legacy("{\"rev\":\"7\"}");
	expect("halves", both, 2, "without the annotation");
}

static void
accepted(void)
{
	d_make_world(&w);
	bundle("", "{\"env\":\"prod\",\"more\":[1,{\"x\":null}]}", SIGN);
	expect("bundle", prod, 1, NULL);
	d_make_world(&w);
	bundle(OTHER, "{\"rev\":\"7\",\"env\":\"prod\"}", SIGN);
	expect("second subject", both, 2, NULL);
	d_make_world(&w);
	legacy("{\"creator\":\"x\",\"env\":\"prod\",\"rev\":\"7\"}");
	expect("legacy", both, 2, NULL);
	d_make_world(&w);
	legacy("{\"env\":\"\"}");
	expect("empty", empty, 1, NULL);
	d_make_world(&w);
	bundle("", "{\"env\":\"dev\"}", SIGN);
	expect("nothing wanted", NULL, 0, NULL);
	/* beside ones that do not say it */
	d_make_world(&w);
	legacy("{\"env\":\"dev\"}");
	bundle("", "{\"env\":\"prod\"}", SIGN);
	expect("beside others", prod, 1, NULL);
}

/* Attestations are not asked. */
static void
attested(void)
{
	struct d_answer a;

	d_make_world(&w);
	bundle("", "", "https://example/p");
	a = ask(prod, 1);
	T(a.done);
	T_INT(d_facts(&a, CV_F_STATEMENT), 1);
	T_INT(d_reason(&a, "sig.annotation-mismatch"), CV_R_COUNT);
	d_answer_free(&a);
	d_free_world(&w);
}

static void
too_many(void)
{
	static const char *want[CV_MAX_ANNOTATIONS + 1][2];
	char name[CV_MAX_ANNOTATIONS + 1][8];
	struct d_answer a;

	for (size_t i = 0; i <= CV_MAX_ANNOTATIONS; i++) {
		cv_text_fmt(name[i], sizeof(name[i]), "k%zu", i);
		want[i][0] = name[i];
		want[i][1] = "v";
	}
	d_make_world(&w);
	bundle("", "{\"env\":\"prod\"}", SIGN);
	a = ask((const char *const(*)[2])want, CV_MAX_ANNOTATIONS + 1);
	T(!a.done && d_facts(&a, CV_F_SIGNER) == 0);
	d_answer_free(&a);
	d_free_world(&w);
}

static const struct t_case cases[] = {
	{ "genuine, and does not say it", refused },
	{ "half of it each", halves },
	{ "attestations", attested },
	{ "more than is kept", too_many },
	{ "says it", accepted },
};
T_MAIN(cases)
