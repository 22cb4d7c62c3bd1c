/* SPDX-License-Identifier: Apache-2.0 */
/* CV_T_BLOB and CV_T_ENVELOPE: what cosign recorded, what was forged, and a sweep
 * over every bit and every truncation of both. */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "trust/base/text.h"
#include "trust/base/worker.h"
#include "trust/key.h"
#include "trust/tasks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* Recorded with cosign; CV_COSIGN_FIXTURES names another recording (make.sh). */
static struct cv_buf
read_file(const char *name)
{
	const char *dir = getenv("CV_COSIGN_FIXTURES");
	char path[512];
	cv_auto(cv_closep) int fd = -1;
	struct cv_buf b = CV_BUF(1 << 20);
	struct cv_err e = { 0 };

	cv_text_fmt(path, sizeof(path), "%s/%s", dir != NULL ? dir : "tests/fixtures/cosign", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		t_fail(__FILE__, __LINE__, "cannot open %s", path);
	T_OK(cv_buf_read_fd(&b, fd, path, &e), e);
	return b;
}

/* The worker without exec and for many tasks, for sweeps. */
static int
serve_many(void)
{
	const struct cv_task_def tasks[] = { cv_task_blob, cv_task_envelope, { .task = 0 } };
	const struct cv_worker_def def = {
		.name = "trust", .seal = 1, .many = true, .warm = cv_key_warm, .tasks = tasks
	};

	return cv_worker_main(&def, 0, NULL);
}

static struct d_answer
run_blob(struct d_worker *w, struct cv_span artifact, bool tree, const char *pem,
	 enum cv_evidence kind, struct cv_span evidence)
{
	struct f_store none = { .n = 0 };
	struct cv_out *o = d_task(w, CV_T_BLOB);
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, artifact, &e), e);
	cv_out_digest(o, CV_TAG_DIGEST, &d);
	cv_out_str(o, CV_TAG_NAME, "artifact.txt");
	cv_out_u64(o, CV_TAG_NOW, 1800000000);
	if (!tree)
		d_blob(w, artifact);
	d_send(w);
	o = d_item(w, CV_ROLE_EVIDENCE);
	cv_out_str(o, CV_TAG_NAME, "evidence");
	cv_out_u64(o, CV_TAG_KIND, kind);
	d_blob(w, evidence);
	d_send(w);
	d_key(w, "maker", pem);
	return d_run(w, &none);
}

/* ---- recorded by cosign ---- */

static const struct recorded {
	const char *key, *evidence;
	enum cv_evidence kind;
	enum cv_signed form;
	const char *check; /* with another key */
} recorded[] = {
	{ "cosign.pub", "artifact.sig", CV_EV_SIGNATURE, CV_SIGNED_MESSAGE, "sig.invalid" },
	{ "cosign.pub", "artifact.bundle.json", CV_EV_BUNDLE, CV_SIGNED_MESSAGE,
	  "sig.untrusted-key" },
	{ "cosign.pub", "artifact.att.bundle.json", CV_EV_BUNDLE, CV_SIGNED_STATEMENT,
	  "sig.untrusted-key" },
	{ "cosign.pub", "artifact.dsse.json", CV_EV_DSSE, CV_SIGNED_STATEMENT, "sig.invalid" },
	{ "p384.pub", "artifact.p384.sig", CV_EV_SIGNATURE, CV_SIGNED_MESSAGE, "sig.invalid" },
	{ "p384.pub", "artifact.p384.bundle.json", CV_EV_BUNDLE, CV_SIGNED_MESSAGE,
	  "sig.untrusted-key" },
	{ "p521.pub", "artifact.p521.sig", CV_EV_SIGNATURE, CV_SIGNED_MESSAGE, "sig.invalid" },
	{ "p521.pub", "artifact.p521.bundle.json", CV_EV_BUNDLE, CV_SIGNED_MESSAGE,
	  "sig.untrusted-key" },
	{ "rsa.pub", "artifact.rsa.sig", CV_EV_SIGNATURE, CV_SIGNED_MESSAGE, "sig.invalid" },
	{ "rsa.pub", "artifact.rsa.bundle.json", CV_EV_BUNDLE, CV_SIGNED_MESSAGE,
	  "sig.untrusted-key" },
	{ "ed25519.pub", "artifact.ed25519.bundle.json", CV_EV_BUNDLE, CV_SIGNED_MESSAGE,
	  "sig.untrusted-key" },
};

static struct cv_buf
fixture(const char *name)
{
	char path[300];

	cv_text_fmt(path, sizeof(path), "%s%s",
		    strchr(name, '.') != NULL && strncmp(name, "artifact", 8) == 0 ? "blob/" : "",
		    name);
	return read_file(path);
}

static void
cosign_blobs(void)
{
	struct cv_buf artifact = fixture("artifact.txt");
	struct f_key *other = f_key_new(F_P256);
	struct d_worker w = { 0 };

	d_fork(&w, serve_many);
	for (size_t i = 0; i < CV_COUNT(recorded); i++) {
		const struct recorded *c = &recorded[i];
		struct cv_buf key = fixture(c->key), ev = fixture(c->evidence);
		struct d_answer a = run_blob(&w, cv_buf_span(&artifact), false, f_key_pem(other),
					     c->kind, cv_buf_span(&ev));

		if (!a.done || d_facts(&a, CV_F_SIGNER) != 0 ||
		    d_reason(&a, c->check) == CV_R_COUNT) {
			d_print(&a);
			t_fail(__FILE__, __LINE__, "%s with another key", c->evidence);
		}
		d_answer_free(&a);
		a = run_blob(&w, cv_span_str("other bytes"), false, cv_buf_text(&key), c->kind,
			     cv_buf_span(&ev));
		T(a.done);
		T_INT(d_facts(&a, CV_F_SIGNER), 0);
		T(d_reason(&a, "sig.invalid") == CV_R_SIGNATURE ||
		  d_reason(&a, "sig.subject-mismatch") == CV_R_DIGEST);
		d_answer_free(&a);
		a = run_blob(&w, cv_buf_span(&artifact), false, cv_buf_text(&key), c->kind,
			     cv_buf_span(&ev));
		if (!a.done || d_facts(&a, CV_F_SIGNER) != 1) {
			d_print(&a);
			t_fail(__FILE__, __LINE__, "%s does not verify", c->evidence);
		}
		T_INT(d_fact(&a, CV_F_SIGNER, 0)->kind, c->form);
		T_INT(d_facts(&a, CV_F_STATEMENT), c->form == CV_SIGNED_STATEMENT);
		d_answer_free(&a);
		cv_buf_free(&key);
		cv_buf_free(&ev);
	}
	d_close(&w);
	f_key_free(&other);
	cv_buf_free(&artifact);
}

/* ---- forged ---- */

/* For a tree there are no bytes: only what is said about its digest counts. */
static void
trees_have_statements_only(void)
{
	struct f_key *k = f_key_new(F_ED25519);
	struct cv_span artifact = cv_span_str("stands for a tree");
	struct cv_buf st = CV_BUF(4096), ev = CV_BUF(8192), sig = CV_BUF(4096);
	struct cv_digest d;
	struct d_worker w = { 0 };
	struct d_answer a;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, artifact, &e), e);
	d_fork(&w, serve_many);
	f_bundle_message(&ev, k, artifact);
	a = run_blob(&w, artifact, true, f_key_pem(k), CV_EV_BUNDLE, cv_buf_span(&ev));
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "sig.unsupported-algorithm"), CV_R_UNSUPPORTED);
	d_answer_free(&a);
	f_sign(&sig, k, artifact);
	a = run_blob(&w, artifact, true, f_key_pem(k), CV_EV_SIGNATURE, cv_buf_span(&sig));
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	d_answer_free(&a);
	cv_buf_reset(&ev);
	f_statement(&st, &d, "https://example/endorsement", "{\"a\":1}");
	f_dsse(&ev, k, F_INTOTO, cv_buf_span(&st));
	a = run_blob(&w, artifact, true, f_key_pem(k), CV_EV_DSSE, cv_buf_span(&ev));
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 1);
	T_INT(d_facts(&a, CV_F_STATEMENT), 1);
	T_STR(cv_buf_text(&d_fact(&a, CV_F_STATEMENT, 0)->blob), "{\"a\":1}");
	T_INT(d_reason(&a, "sig.absent"), CV_R_COUNT);
	d_answer_free(&a);
	d_close(&w);
	f_key_free(&k);
	cv_buf_free(&st);
	cv_buf_free(&ev);
	cv_buf_free(&sig);
}

/* Raw, base64 in one line, base64 in lines as openssl writes it. */
static void
detached_signatures_in_three_forms(void)
{
	struct f_key *k = f_key_new(F_RSA);
	struct cv_span artifact = cv_span_str("an artifact");
	struct cv_buf raw = CV_BUF(4096), line = CV_BUF(4096), lines = CV_BUF(4096);
	struct cv_buf *const forms[] = { &raw, &line, &lines };
	struct d_worker w = { 0 };

	d_fork(&w, serve_many);
	f_sign(&raw, k, artifact);
	f_base64(&line, cv_buf_span(&raw));
	for (size_t i = 0; i < line.n; i++) {
		cv_buf_byte(&lines, line.p[i]);
		if (i % 64 == 63 || i + 1 == line.n)
			cv_buf_byte(&lines, '\n');
	}
	for (size_t i = 0; i < CV_COUNT(forms); i++) {
		struct d_answer a = run_blob(&w, artifact, false, f_key_pem(k), CV_EV_SIGNATURE,
					     cv_buf_span(forms[i]));

		T_INT(d_facts(&a, CV_F_SIGNER), 1);
		d_answer_free(&a);
		cv_buf_byte(forms[i], 'x');
		a = run_blob(&w, artifact, false, f_key_pem(k), CV_EV_SIGNATURE,
			     cv_buf_span(forms[i]));
		T_INT(d_facts(&a, CV_F_SIGNER), 0);
		d_answer_free(&a);
		cv_buf_free(forms[i]);
	}
	d_close(&w);
	f_key_free(&k);
}

/* ---- envelopes ---- */

static struct d_answer
run_envelope(struct d_worker *w, const char *pem, const char *type, struct cv_span text)
{
	struct f_store none = { .n = 0 };
	struct cv_out *o = d_task(w, CV_T_ENVELOPE);

	d_blob(w, text);
	cv_out_str(o, CV_TAG_MEDIA, type);
	cv_out_str(o, CV_TAG_NAME, "policy.dsse.json");
	cv_out_u64(o, CV_TAG_NOW, 1800000000);
	d_send(w);
	d_key(w, "owner", pem);
	return d_run(w, &none);
}

static void
an_envelope_is_of_the_type_asked_for(void)
{
	struct f_key *k = f_key_new(F_P256), *other = f_key_new(F_P256);
	struct cv_buf ev = CV_BUF(8192);
	struct d_worker w = { 0 };
	struct d_answer a;

	d_fork(&w, serve_many);
	f_dsse(&ev, k, "application/x-policy", cv_span_str("{\"policy\":1}"));
	a = run_envelope(&w, f_key_pem(other), "application/x-policy", cv_buf_span(&ev));
	T(a.done);
	T_INT(d_facts(&a, CV_F_STATEMENT), 0);
	T_INT(d_reason(&a, "sig.invalid"), CV_R_SIGNATURE);
	d_answer_free(&a);
	a = run_envelope(&w, f_key_pem(k), "application/x-other", cv_buf_span(&ev));
	T_INT(d_facts(&a, CV_F_STATEMENT), 0);
	T_INT(d_reason(&a, "sig.subject-mismatch"), CV_R_DIGEST);
	d_answer_free(&a);
	a = run_envelope(&w, f_key_pem(k), "application/x-policy", cv_buf_span(&ev));
	T_INT(d_facts(&a, CV_F_STATEMENT), 1);
	T_STR(d_fact(&a, CV_F_STATEMENT, 0)->name, "owner");
	T_INT(d_fact(&a, CV_F_STATEMENT, 0)->digest.alg, CV_ALG_NONE);
	T_STR(cv_buf_text(&d_fact(&a, CV_F_STATEMENT, 0)->blob), "{\"policy\":1}");
	d_answer_free(&a);
	d_close(&w);
	f_key_free(&k);
	f_key_free(&other);
	cv_buf_free(&ev);
}

/* ---- the sweep ---- */

/* What must not change: who, what about, and the predicate's bytes. */
static bool
same_fact(const struct d_fact *a, const struct d_fact *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->media, b->media) == 0 && strcmp(a->keyid, b->keyid) == 0 &&
	       cv_digest_eq(&a->digest, &b->digest) &&
	       cv_span_eq(cv_buf_span(&a->blob), cv_buf_span(&b->blob));
}

/* Nothing, or exactly what the unchanged evidence proves. */
static void
check_same(const struct d_answer *good, const struct d_answer *a, const char *what, size_t at)
{
	static const enum cv_fact kinds[] = { CV_F_SIGNER, CV_F_STATEMENT };

	if (!a->done)
		t_fail(__FILE__, __LINE__, "%s at %zu: %s", what, at, a->error.text);
	for (size_t k = 0; k < CV_COUNT(kinds); k++) {
		size_t n = d_facts(a, kinds[k]);

		if (n != 0 && (n != d_facts(good, kinds[k]) ||
			       !same_fact(d_fact(a, kinds[k], 0), d_fact(good, kinds[k], 0))))
			t_fail(__FILE__, __LINE__, "%s at %zu: another fact", what, at);
	}
}

static void
sweep_one(struct d_worker *w, const struct recorded *c, struct cv_span artifact)
{
	struct cv_buf key = fixture(c->key), ev = fixture(c->evidence);
	struct d_answer good =
		run_blob(w, artifact, false, cv_buf_text(&key), c->kind, cv_buf_span(&ev));
	size_t survived = 0;

	T_INT(d_facts(&good, CV_F_SIGNER), 1);
	for (size_t i = 0; i<8 * ev.n; i += ev.n> 600 ? 3 : 1) {
		struct d_answer a;

		ev.p[i / 8] ^= (uint8_t)(1u << i % 8);
		a = run_blob(w, artifact, false, cv_buf_text(&key), c->kind, cv_buf_span(&ev));
		ev.p[i / 8] ^= (uint8_t)(1u << i % 8);
		check_same(&good, &a, c->evidence, i);
		survived += d_facts(&a, CV_F_SIGNER);
		d_answer_free(&a);
	}
	/* what nobody signed may change: the hint, names of unread members */
	if (c->kind == CV_EV_SIGNATURE)
		T_INT(survived, 0);
	T(survived < 2 * ev.n);
	for (size_t n = 0; n < ev.n; n++) {
		struct d_answer a =
			run_blob(w, artifact, false, cv_buf_text(&key), c->kind, cv_span(ev.p, n));

		T(a.done);
		if (d_facts(&a, CV_F_SIGNER) != 0)
			t_fail(__FILE__, __LINE__, "%s cut at %zu verifies", c->evidence, n);
		d_answer_free(&a);
	}
	d_answer_free(&good);
	cv_buf_free(&key);
	cv_buf_free(&ev);
}

static void
every_bit_and_every_cut(void)
{
	struct cv_buf artifact = fixture("artifact.txt");
	struct d_worker w = { 0 };

	d_fork(&w, serve_many);
	for (size_t i = 0; i < 4; i++) /* the four forms, P-256 */
		sweep_one(&w, &recorded[i], cv_buf_span(&artifact));
	d_close(&w);
	cv_buf_free(&artifact);
}

static void
every_bit_of_the_artifact(void)
{
	struct cv_buf artifact = fixture("artifact.txt");
	struct d_worker w = { 0 };

	d_fork(&w, serve_many);
	for (size_t i = 0; i < 4; i++) {
		struct cv_buf key = fixture(recorded[i].key), ev = fixture(recorded[i].evidence);

		for (size_t bit = 0; bit < 8 * artifact.n; bit++) {
			struct d_answer a;

			artifact.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			a = run_blob(&w, cv_buf_span(&artifact), false, cv_buf_text(&key),
				     recorded[i].kind, cv_buf_span(&ev));
			artifact.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			T(a.done);
			T_INT(d_facts(&a, CV_F_SIGNER) + d_facts(&a, CV_F_STATEMENT), 0);
			d_answer_free(&a);
		}
		cv_buf_free(&key);
		cv_buf_free(&ev);
	}
	d_close(&w);
	cv_buf_free(&artifact);
}

static const struct t_case cases[] = {
	{ "cosign's blobs, as recorded", cosign_blobs },
	{ "trees have statements only", trees_have_statements_only },
	{ "detached signatures in three forms", detached_signatures_in_three_forms },
	{ "an envelope is of the type asked for", an_envelope_is_of_the_type_asked_for },
	{ "every bit and every cut of evidence", every_bit_and_every_cut },
	{ "every bit of the artifact", every_bit_of_the_artifact },
};

T_MAIN(cases)
