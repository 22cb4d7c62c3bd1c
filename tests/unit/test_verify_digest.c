/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_digest.c: `verify sha256:HEX` with evidence and who signed: what is
 * attested about bytes that are not here (cosign verify-blob-attestation --digest).
 */
#include "tests/support/forge.h"
#include "tests/support/peer.h"
#include "tests/support/t.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"

#include <string.h>
#include <sys/stat.h>

#define PROVENANCE "https://slsa.dev/provenance/v1"
#define SCAN       "https://example.test/scan"

static struct f_key *key, *other;
static char about[CV_DIGEST_TEXT], another[CV_DIGEST_TEXT];

static void
bundle(const char *name, const struct f_key *k, const char *text, const char *type)
{
	cv_auto(cv_buf_free) struct cv_buf st = CV_BUF(1 << 16), b = CV_BUF(1 << 16);
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str(text), &e), e);
	f_statement(&st, &d, type, "{\"x\":1}");
	f_bundle(&b, k, F_INTOTO, cv_buf_span(&st));
	peer_write(name, cv_buf_span(&b));
}

static void
begin(void)
{
	struct cv_digest d;
	struct cv_err e;

	if (CV_SANITIZED)
		t_skip("who signed, said by options, wants workers that can be confined");
	if (key != NULL)
		return;
	key = f_key_new(F_P256);
	other = f_key_new(F_P256);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("far away"), &e), e);
	cv_digest_text(&d, about);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("another"), &e), e);
	cv_digest_text(&d, another);
	peer_write("k.pub", cv_span_str(f_key_pem(key)));
	bundle("good.json", key, "far away", PROVENANCE);
	bundle("scan.json", key, "far away", SCAN);
	bundle("other.json", other, "far away", PROVENANCE);
	bundle("about.json", key, "another", PROVENANCE);
	{
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 16);

		f_bundle_message(&b, key, cv_span_str("far away"));
		peer_write("message.json", cv_buf_span(&b));
	}
}

/* exits: the command ends with that code, and its output has these words. */
static bool
exits(const char *arguments, int code, const char *words)
{
	return peer_sh("%s/clawverify verify %s --store store >out 2>&1; test $? = %d && "
		       "tr '\\n' ' ' <out | tr -s ' ' | grep -qF -- '%s'",
		       t_build(), arguments, code, words);
}

static void
digests(void)
{
	static const struct {
		const char *what, *more;
		int code;
		const char *words;
	} cases[] = {
		{ about, "--bundle other.json --key k.pub", 1, "sig.untrusted-key" },
		{ about, "--bundle about.json --key k.pub", 1, "sig.subject-mismatch" },
		{ another, "--bundle good.json --key k.pub", 1, "sig.subject-mismatch" },
		{ about, "--bundle scan.json --key k.pub", 1, "basis.insufficient" },
		{ about, "--bundle good.json --key k.pub --type " SCAN, 1,
		  "sig.attestation-absent" },
		/* a signature over bytes wants the bytes */
		{ about, "--bundle message.json --key k.pub", 3, "basis.insufficient" },
		{ about, "--bundle none.json --key k.pub", 2, "none.json" },
		/* nobody said who, or on what grounds */
		{ about, "--bundle good.json", 2, "--key" },
		{ about, "--key k.pub", 2, "--bundle" },
		{ about, "", 2, "--key" },
		{ about, "--bundle good.json --policy preset:audit", 2, "--key" },
		{ "sha256:00", "--bundle good.json --key k.pub", 2, "sha256:00" },
		{ "sha512:00", "--bundle good.json --key k.pub", 2, "sha512:00" },
		{ about, "--bundle good.json --key k.pub", 0, "PASS" },
		{ about, "--bundle good.json --key k.pub", 0, "bytes not looked at" },
		{ about, "--bundle scan.json --key k.pub --type " SCAN, 0, "PASS" },
		{ about, "--bundle other.json --bundle good.json --key k.pub", 0, "PASS" },
	};

	begin();
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		char arguments[600];

		cv_text_fmt(arguments, sizeof(arguments), "%s %s", cases[i].what, cases[i].more);
		if (!exits(arguments, cases[i].code, cases[i].words)) {
			(void)peer_sh("cat out");
			t_fail(__FILE__, __LINE__, "%s: not %d with %s", arguments, cases[i].code,
			       cases[i].words);
		}
	}
}

/* A file of that name is meant before the digest is: its bytes are looked at. */
static void
named_so(void)
{
	char arguments[600];

	begin();
	peer_write(about, cv_span_str("another"));
	cv_text_fmt(arguments, sizeof(arguments), "%s --bundle good.json --key k.pub", about);
	T(exits(arguments, 1, "sig.subject-mismatch"));
	cv_text_fmt(arguments, sizeof(arguments), "%s --bundle about.json --key k.pub", about);
	T(exits(arguments, 0, "PASS"));
}

static const struct t_case cases[] = {
	{ "digests", digests },
	{ "a file that is called like one", named_so },
};
T_MAIN(cases)
