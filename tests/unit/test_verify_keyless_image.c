/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_keyless_image.c: images signed by certificate, in both generations. */
#include "tests/engine/keyless.h"

#include "trust/base/banned.h"

/* ---- images ---- */

#define SIGN_TYPE "https://sigstore.dev/cosign/sign/v1"

struct image {
	struct f_store store;
	struct cv_digest digest;
};

static void
image_new(struct image *im)
{
	struct cv_buf tar = CV_BUF(1 << 16);
	struct cv_span layer;

	*im = (struct image){ .store = { 0 } };
	f_tar_file(&tar, "hello.txt", cv_span_str("hello"));
	f_tar_end(&tar);
	layer = cv_buf_span(&tar);
	im->digest = f_image(&im->store, "linux/amd64", &layer, 1);
	cv_buf_free(&tar);
}

/* A statement about `about` (the image, unless another is named) in a bundle. */
static void
refer(struct image *im, const struct f_recipe *recipe, const char *predicate,
      const struct cv_digest *about)
{
	struct cv_buf text = CV_BUF(1 << 20), st = CV_BUF(1 << 16);
	struct f_recipe r = *recipe;

	r.dsse = true;
	f_statement(&st, about, predicate, "{}");
	f_keyless(&text, instance, &r, cv_buf_span(&st));
	f_refer(&im->store, &im->digest, cv_buf_span(&text));
	cv_buf_free(&text);
	cv_buf_free(&st);
}

/* A text inside a JSON string inside a JSON string is escaped as often. */
static void
escaped(struct cv_buf *out, const char *text)
{
	json_t *v = json_string(text);
	char *dumped = json_dumps(v, JSON_ENCODE_ANY);

	cv_buf_add(out, dumped + 1, strlen(dumped) - 2);
	free(dumped);
	json_decref(v);
}

static json_int_t
number(const char *text)
{
	uint64_t n;
	struct cv_err e;

	T_OK(cv_u64_parse(&n, cv_span_str(text), INT64_MAX, &e), e);
	return (json_int_t)n;
}

/* The first generation: what a bundle of version 0.1 says, as annotations of the layer. */
static void
under_tag(struct image *im, const struct f_recipe *recipe, const char *suffix, const char *media,
	  struct cv_span layer, bool dsse)
{
	struct cv_buf text = CV_BUF(1 << 20), note = CV_BUF(1 << 20), pem = CV_BUF(1 << 16);
	struct f_recipe r = *recipe;
	json_t *doc, *material, *entry, *old, *envelope;
	uint8_t id[64];
	char hex[65], *dumped;
	struct cv_buf raw = CV_BUF(64);
	struct cv_err e;

	r.minor = 1;
	r.dsse = dsse;
	f_keyless(&text, instance, &r, layer);
	doc = json_loadb((const char *)text.p, text.n, 0, NULL);
	material = json_object_get(doc, "verificationMaterial");
	entry = json_array_get(json_object_get(material, "tlogEntries"), 0);
	T_OK(cv_base64_decode(&raw, cv_span_str(text_of(json_object_get(entry, "logId"), "keyId")),
			      &e),
	     e);
	memcpy(id, raw.p, 32);
	cv_hex_encode(hex, id, 32);
	old = json_pack("{s:s,s:{s:s,s:I,s:I,s:s}}", "SignedEntryTimestamp",
			text_of(json_object_get(entry, "inclusionPromise"), "signedEntryTimestamp"),
			"Payload", "body", text_of(entry, "canonicalizedBody"), "integratedTime",
			number(text_of(entry, "integratedTime")), "logIndex",
			number(text_of(entry, "logIndex")), "logID", hex);
	T(old != NULL);
	dumped = json_dumps(old, JSON_COMPACT);
	cv_buf_fmt(&pem, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
		   text_of(json_array_get(json_object_get(
						  json_object_get(material, "x509CertificateChain"),
						  "certificates"),
					  0),
			   "rawBytes"));
	if (!dsse)
		cv_buf_str(&note, text_of(json_object_get(doc, "messageSignature"), "signature"));
	cv_buf_str(&note, "\",\"dev.sigstore.cosign/certificate\":\"");
	escaped(&note, cv_buf_text(&pem));
	cv_buf_str(&note, "\",\"dev.sigstore.cosign/bundle\":\"");
	escaped(&note, dumped);
	free(dumped);
	envelope = json_object_get(doc, "dsseEnvelope");
	dumped = dsse ? json_dumps(envelope, JSON_COMPACT) : NULL;
	f_under_tag(&im->store, &im->digest, suffix, media, dsse ? cv_span_str(dumped) : layer,
		    cv_buf_text(&note));
	free(dumped);
	json_decref(old);
	json_decref(doc);
	cv_buf_free(&raw);
	cv_buf_free(&text);
	cv_buf_free(&note);
	cv_buf_free(&pem);
}

static void
tag_signature(struct image *im, const struct f_recipe *r, const struct cv_digest *about)
{
	struct cv_buf payload = CV_BUF(1 << 16);

	f_simple(&payload, about, "registry.example/agent");
	under_tag(im, r, ".sig", "application/vnd.dev.cosign.simplesigning.v1+json",
		  cv_buf_span(&payload), false);
	cv_buf_free(&payload);
}

static void
tag_statement(struct image *im, const struct f_recipe *r, const char *type,
	      const struct cv_digest *about)
{
	struct cv_buf st = CV_BUF(1 << 16);

	f_statement(&st, about, type, "{}");
	under_tag(im, r, ".att", "application/vnd.dsse.envelope.v1+json", cv_buf_span(&st), true);
	cv_buf_free(&st);
}

enum form { REFERRER, TAG_SIG, TAG_ATT };

static const struct image_case {
	const char *name;
	enum form form;
	const char *predicate; /* REFERRER, TAG_ATT */
	bool other_subject;
	void (*change)(struct f_recipe *);
	const char *more; /* arguments */
	int code;
	const char *check;
} image_cases[] = {
	{ "bundle", REFERRER, SIGN_TYPE, false, nothing, "", 0, NULL },
	{ "bundle by another", REFERRER, SIGN_TYPE, false, other_subject, "", 1,
	  "sig.identity-mismatch" },
	{ "bundle by another authority", REFERRER, SIGN_TYPE, false, other_ca, "", 1,
	  "sig.certificate-untrusted" },
	{ "bundle, expired", REFERRER, SIGN_TYPE, false, expired, "", 1, "sig.expired" },
	{ "bundle about another image", REFERRER, SIGN_TYPE, true, nothing, "", 1,
	  "sig.subject-mismatch" },
	{ "an annotation that it lacks", REFERRER, SIGN_TYPE, false, nothing, " -a env=prod", 1,
	  "sig.annotation-mismatch" },
	{ "tag, an annotation that it lacks", TAG_SIG, NULL, false, nothing, " -a env=prod", 1,
	  "sig.annotation-mismatch" },
	{ "an attestation is no signature", REFERRER, PROVENANCE, false, nothing, "", 1,
	  "basis.insufficient" },
	{ "an attestation", REFERRER, PROVENANCE, false, nothing, " --type " PROVENANCE, 0, NULL },
	{ "an attestation of another type", REFERRER, "https://example.test/scan", false, nothing,
	  " --type " PROVENANCE, 1, "sig.attestation-absent" },
	{ "tag", TAG_SIG, NULL, false, nothing, "", 0, NULL },
	{ "tag by another", TAG_SIG, NULL, false, other_subject, "", 1, "sig.identity-mismatch" },
	{ "tag by another authority", TAG_SIG, NULL, false, other_ca, "", 1,
	  "sig.certificate-untrusted" },
	{ "tag, expired", TAG_SIG, NULL, false, expired, "", 1, "sig.expired" },
	{ "tag, another log", TAG_SIG, NULL, false, log_of_another, "", 1, "sig.log-unproven" },
	{ "tag, log entry of another", TAG_SIG, NULL, false, other_digest, "", 1,
	  "sig.subject-mismatch" },
	{ "tag about another image", TAG_SIG, NULL, true, nothing, "", 1, "sig.subject-mismatch" },
	{ "tag, an attestation", TAG_ATT, PROVENANCE, false, nothing, " --type " PROVENANCE, 0,
	  NULL },
	{ "tag, an attestation by another", TAG_ATT, PROVENANCE, false, other_subject,
	  " --type " PROVENANCE, 1, "sig.attestation-absent" },
	{ "tag, an attestation about another", TAG_ATT, PROVENANCE, true, nothing,
	  " --type " PROVENANCE, 1, "sig.attestation-absent" },
};

static void
images(void)
{
	begin_confined();
	for (size_t i = 0; i < CV_COUNT(image_cases); i++) {
		const struct image_case *c = &image_cases[i];
		struct f_recipe r = recipe();
		char dir[4096], arguments[1024];
		struct cv_digest other, about;
		struct image im;
		struct said s;
		struct cv_err e;

		T_OK(cv_digest_of(&other, CV_SHA256, cv_span_str("another"), &e), e);
		image_new(&im);
		about = c->other_subject ? other : im.digest;
		c->change(&r);
		if (c->form == REFERRER)
			refer(&im, &r, c->predicate, &about);
		else if (c->form == TAG_SIG)
			tag_signature(&im, &r, &about);
		else
			tag_statement(&im, &r, c->predicate, &about);
		T(peer_sh("rm -rf image; mkdir image"));
		cv_text_fmt(dir, sizeof(dir), "%s/image", t_tmpdir());
		f_layout_write(&im.store, dir, im.digest, "latest");
		write_root("case-root.json", r);
		cv_text_fmt(arguments, sizeof(arguments),
			    "verify image --platform linux/amd64%s%s --root case-root.json",
			    c->more, WHO);
		s = run(arguments);
		says(&s, c->name, c->code, c->check);
		drop(&s);
		f_store_free(&im.store);
	}
}

static const struct t_case cases[] = {
	{ "images, both generations", images },
};

T_MAIN(cases)
