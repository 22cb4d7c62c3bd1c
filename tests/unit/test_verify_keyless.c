/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_keyless.c: signatures by certificate, who has to have signed said by
 * options: one thing wrong each, all else right and genuinely signed; attestations. */
#include "tests/engine/keyless.h"

#include "trust/base/banned.h"

/* ---- verify PATH --bundle ---- */

struct wrong {
	const char *name, *check;
	void (*change)(struct f_recipe *);
	const char *arguments; /* NULL: the right ones */
	int code;              /* 0: 1 */
};

static const struct wrong wrongs[] = {
	{ "another name", "sig.identity-mismatch", other_subject, NULL, 0 },
	{ "a longer name", "sig.identity-mismatch", subject_longer, NULL, 0 },
	{ "another issuer", "sig.identity-mismatch", other_issuer, NULL, 0 },
	{ "another authority", "sig.certificate-untrusted", other_ca, NULL, 0 },
	{ "expired when it signed", "sig.expired", expired, NULL, 0 },
	{ "authority ended", "sig.expired", ca_ended, NULL, 0 },
	{ "log ended", "sig.log-unproven", log_ended, NULL, 0 },
	{ "no certificate timestamp", "sig.certificate-unlogged", no_sct, NULL, 0 },
	{ "another certificate log", "sig.certificate-unlogged", sct_of_another, NULL, 0 },
	{ "another log", "sig.log-unproven", log_of_another, NULL, 0 },
	{ "a cosigner alone", "sig.log-unproven", cosigner_only, NULL, 0 },
	{ "another authority of time", "sig.time-unproven", other_tsa, NULL, 0 },
	{ "no time", "sig.time-unproven", no_time, NULL, 0 },
	{ "no proof", "sig.log-unproven", no_proof, NULL, 0 },
	{ "no certificate for signing", "sig.certificate-untrusted", no_eku, NULL, 0 },
	{ "log entry of another", "sig.subject-mismatch", other_digest, NULL, 0 },
	{ "another artifact", "sig.subject-mismatch", nothing,
	  "verify other.bin --bundle case.json" WHO ROOT, 0 },
	{ "the public instance's root", "sig.log-unproven", nothing,
	  "verify app.bin --bundle case.json" WHO, 0 },
	{ "another name is wanted", "sig.identity-mismatch", nothing,
	  "verify app.bin --bundle case.json --identity x --issuer " F_ISSUER ROOT, 0 },
	{ "a part of the name is wanted", "sig.identity-mismatch", nothing,
	  "verify app.bin --bundle case.json --identity-pattern 'https://ci.example.test' "
	  "--issuer " F_ISSUER ROOT,
	  0 },
	{ "another issuer by pattern", "sig.identity-mismatch", nothing,
	  "verify app.bin --bundle case.json --identity " F_SUBJECT
	  " --issuer-pattern 'https://issuer.example.tes'" ROOT,
	  0 },
	{ "another claim is wanted", "sig.identity-mismatch", nothing,
	  "verify app.bin --bundle case.json --claim source_repository_id=1" WHO ROOT, 0 },
	{ "a claim that is not there", "sig.identity-mismatch", nothing,
	  "verify app.bin --bundle case.json --claim build_trigger=push" WHO ROOT, 0 },
	{ "no bundle", "basis.insufficient", nothing, "verify app.bin" WHO ROOT, 0 },
	{ "a pattern that is none", NULL, nothing,
	  "verify app.bin --bundle case.json --identity-pattern 'https://(' --issuer " F_ISSUER
		  ROOT,
	  2 },
	{ "a pattern of an issuer that is none", NULL, nothing,
	  "verify app.bin --bundle case.json --identity x --issuer-pattern 'https://[' " ROOT, 2 },
	{ "a pattern that half the names match nothing with", NULL, nothing,
	  "verify app.bin --bundle case.json --identity-pattern 'x|' --issuer x" ROOT, 2 },
	{ "a pattern that costs too much", "basis.insufficient", nothing,
	  "verify app.bin --bundle case.json --identity-pattern "
	  "'(([a-z:/.@]+)+)+[A-Z]x' --issuer " F_ISSUER ROOT,
	  3 },
	{ "who is not said", NULL, nothing, "verify app.bin --bundle case.json" ROOT, 2 },
	{ "issuer is not said", NULL, nothing,
	  "verify app.bin --bundle case.json --identity x" ROOT, 2 },
	{ "name is not said", NULL, nothing, "verify app.bin --bundle case.json --issuer x" ROOT,
	  2 },
	{ "a pattern for anybody", NULL, nothing,
	  "verify app.bin --bundle case.json --identity-pattern '.*' --issuer x" ROOT, 2 },
	{ "an empty name", NULL, nothing,
	  "verify app.bin --bundle case.json --identity '' --issuer x" ROOT, 2 },
	{ "no such claim", NULL, nothing,
	  "verify app.bin --bundle case.json --claim repo=1" WHO ROOT, 2 },
	{ "no such bundle", NULL, nothing, "verify app.bin --bundle none.json" WHO ROOT, 2 },
	{ "no such root", NULL, nothing, "verify app.bin --bundle case.json --root none.json" WHO,
	  2 },
	{ "a root that is none", NULL, nothing,
	  "verify app.bin --bundle case.json --root app.bin" WHO, 2 },
	{ "policy and name", NULL, nothing,
	  "verify app.bin --bundle case.json --policy preset:strict" WHO ROOT, 2 },
	{ "nothing to verify", NULL, nothing, "verify" WHO ROOT, 2 },
};

static void
refused(void)
{
	begin_confined();
	for (size_t i = 0; i < CV_COUNT(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct f_recipe r = recipe();
		struct said s;

		w->change(&r);
		write_bundle("case.json", r, NULL, ARTIFACT);
		write_root("case-root.json", r);
		s = run(w->arguments != NULL
				? w->arguments
				: "verify app.bin --bundle case.json --root case-root.json" WHO);
		says(&s, w->name, w->code == 0 ? 1 : w->code, w->check);
		drop(&s);
	}
}

/* A bit of the signature, and nothing else. */
static void
flipped(void)
{
	struct f_recipe r = recipe();
	struct said s;

	begin_confined();
	bad_signature(&r);
	write_bundle("case.json", r, NULL, ARTIFACT);
	s = run("verify app.bin --bundle case.json" WHO ROOT);
	says(&s, "bad signature", 1, "basis.insufficient");
	T(problem(&s, "sig.invalid") != NULL || problem(&s, "sig.subject-mismatch") != NULL);
	drop(&s);
}

static void
accepted(void)
{
	static const char *const good[] = {
		"verify app.bin --bundle app.json" WHO ROOT,
		"verify app.bin --bundle app.json --offline --at 2030-01-01" WHO ROOT,
		"verify app.bin --bundle app.json --claim source_repository_id=4711" WHO ROOT,
		"verify app.bin --bundle app.json --identity-pattern "
		"'https://ci\\.example\\.test/team/app/release\\.yml@refs/(heads/main|tags/"
		"v[0-9]+)' "
		"--issuer-pattern 'https://issuer\\.example\\.test'" ROOT,
	};
	struct said s;

	begin_confined();
	for (size_t i = 0; i < CV_COUNT(good); i++) {
		json_t *signer;

		s = run(good[i]);
		says(&s, good[i], 0, NULL);
		signer = json_array_get(
			json_object_get(json_array_get(json_object_get(s.doc, "artifacts"), 0),
					"signers"),
			0);
		T_STR(text_of(signer, "identity"), F_SUBJECT);
		T_STR(text_of(signer, "issuer"), F_ISSUER);
		T_HAS(text_of(signer, "signed_at"), "2025-06-15T");
		T_STR(text_of(json_array_get(json_object_get(s.doc, "artifacts"), 0), "basis"),
		      "signed");
		drop(&s);
	}
}

/* Who did sign, and when, is told of somebody else's signature. */
static void
told(void)
{
	struct f_recipe r = recipe();
	struct said s;
	const char *found;

	begin_confined();
	r.subject = "https://mallory.example.test/x";
	write_bundle("case.json", r, NULL, ARTIFACT);
	s = run("verify app.bin --bundle case.json" WHO ROOT);
	says(&s, "told", 1, "sig.identity-mismatch");
	found = text_of(problem(&s, "sig.identity-mismatch"), "found");
	T_HAS(found, "https://mallory.example.test/x (issuer " F_ISSUER ")");
	T_HAS(found, "2025-06-15T");
	T_HAS(text_of(problem(&s, "sig.identity-mismatch"), "expected"), F_SUBJECT);
	drop(&s);
}

/* ---- attestations ---- */

static void
attestations(void)
{
	static const struct {
		const char *predicate, *about, *arguments, *check;
		int code;
	} cases[] = {
		{ PROVENANCE, ARTIFACT, "", NULL, 0 },
		{ "https://example.test/scan", ARTIFACT, "", "basis.insufficient", 1 },
		{ "https://example.test/scan", ARTIFACT, " --type https://example.test/scan", NULL,
		  0 },
		{ "https://example.test/other", ARTIFACT, " --type https://example.test/scan",
		  "sig.attestation-absent", 1 },
		{ PROVENANCE, "another", "", "sig.subject-mismatch", 1 },
		{ "https://example.test/scan", "another", " --type https://example.test/scan",
		  "sig.attestation-absent", 1 },
		/* signed, and no attestation */
		{ NULL, ARTIFACT, " --type https://example.test/scan", "sig.attestation-absent",
		  1 },
	};

	begin_confined();
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		char arguments[1024];
		struct said s;

		write_bundle("case.json", recipe(), cases[i].predicate, cases[i].about);
		cv_text_fmt(arguments, sizeof(arguments), "verify app.bin --bundle case.json%s%s",
			    cases[i].arguments, WHO ROOT);
		s = run(arguments);
		says(&s, arguments, cases[i].code, cases[i].check);
		drop(&s);
	}
}

static const struct t_case cases[] = {
	{ "each step that is not passed has its name", refused },
	{ "a signature with one bit changed", flipped },
	{ "what is right passes, confined", accepted },
	{ "who signed, and when, is told", told },
	{ "attestations by their type and subject", attestations },
};

T_MAIN(cases)
