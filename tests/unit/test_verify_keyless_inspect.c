/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_keyless_inspect.c: what `inspect` tells of a bundle, and cosign over the
 * same files. */
#include "tests/engine/keyless.h"

#include "trust/base/banned.h"

/* ---- inspect ---- */

/* The text behind the first line of that label. */
static const char *
line_of(const struct said *s, const char *label)
{
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(s->doc, "chain"), i,
			   line) if (strcmp(text_of(line, "label"), label) ==
				     0) return text_of(line, "text");
	return "";
}

static void
inspected(void)
{
	static const struct {
		void (*change)(struct f_recipe *);
		const char *root;
	} cases[] = {
		{ nothing, "bears all of it out, signed at 2025-06-15T" },
		{ other_subject, "bears all of it out" }, /* whoever it is */
		{ other_ca, "\"certificate chain\"" },
		{ expired, "\"certificate chain\"" },
		{ no_sct, "\"certificate log\"" },
		{ log_of_another, "\"transparency log\"" },
		{ no_time, "\"time\"" },
	};

	begin();
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		struct f_recipe r = recipe();
		struct said s;

		cases[i].change(&r);
		write_bundle("case.json", r, NULL, ARTIFACT);
		s = run("inspect case.json --root root.json");
		says(&s, "inspect", 0, NULL);
		T_STR(line_of(&s, "certificate"), r.subject);
		T_STR(line_of(&s, "issuer"), F_ISSUER);
		T_HAS(line_of(&s, "artifact"), "sha256:");
		T_HAS(line_of(&s, "root"), cases[i].root);
		drop(&s);
	}
	write_bundle("case.json", recipe(), PROVENANCE, ARTIFACT);
	{
		struct said s = run("inspect case.json --root root.json");

		T_STR(line_of(&s, "predicate"), PROVENANCE);
		T_HAS(line_of(&s, "root"), "bears all of it out");
		drop(&s);
	}
	/* what only speaks of bundles is none: a file that has no tree to show */
	peer_write("page.md", cv_span_str("application/vnd.dev.sigstore.bundle.v0.3+json { }\n"));
	{
		struct said s = run("inspect page.md");

		says(&s, "inspect", 0, NULL);
		T(s.doc != NULL && json_object_get(s.doc, "chain") == NULL);
		drop(&s);
	}
}

/* ---- cosign over the same files ---- */

CHANGE(rekor_2, r->v2 = true; r->tsa = F_OURS)
CHANGE(two_subjects, r->second_subject = "https://example.test/second")

static const struct {
	const char *name;
	void (*change)(struct f_recipe *);
	bool good;
	const char *differs; /* why cosign says something else; NULL: it does not */
} peers[] = {
	{ "good", nothing, true, NULL },
	{ "good, Rekor v2", rekor_2, true, NULL },
	{ "another name", other_subject, false, NULL },
	{ "a longer name", subject_longer, false, NULL },
	{ "another issuer", other_issuer, false, NULL },
	{ "another authority", other_ca, false, NULL },
	{ "expired when it signed", expired, false, NULL },
	{ "authority ended", ca_ended, false, NULL },
	{ "log ended", log_ended, false, NULL },
	{ "no certificate timestamp", no_sct, false, NULL },
	{ "another certificate log", sct_of_another, false, NULL },
	{ "another log", log_of_another, false, NULL },
	{ "a cosigner alone", cosigner_only, false, NULL },
	{ "another authority of time", other_tsa, false, NULL },
	{ "no time", no_time, false, NULL },
	{ "bad signature", bad_signature, false, NULL },
	{ "log entry of another", other_digest, false, NULL },
	{ "no proof", no_proof, false, NULL },
	{ "no certificate for signing", no_eku, false, NULL },
	{ "two names", two_subjects, false, "it takes any one of several names" },
};

static void
cosign(void)
{
	const char *program = getenv("COSIGN");

	if (program == NULL)
		program = "cosign";
	begin_confined();
	peer_want(program);
	for (size_t i = 0; i < CV_COUNT(peers); i++) {
		struct f_recipe r = recipe();
		struct said s;
		bool theirs;

		peers[i].change(&r);
		write_bundle("case.json", r, NULL, ARTIFACT);
		write_root("case-root.json", r);
		s = run("verify app.bin --bundle case.json --root case-root.json" WHO);
		says(&s, peers[i].name, peers[i].good ? 0 : 1, NULL);
		theirs = peer_sh("%s verify-blob --bundle case.json --trusted-root case-root.json "
				 "--certificate-identity '" F_SUBJECT
				 "' --certificate-oidc-issuer '" F_ISSUER "' app.bin",
				 program);
		if (theirs != (peers[i].good || peers[i].differs != NULL))
			t_fail(__FILE__, __LINE__, "%s: cosign says %s", peers[i].name,
			       theirs ? "yes" : "no");
		drop(&s);
	}
}

static const struct t_case cases[] = {
	{ "inspect shows the chain", inspected },
	{ "cosign agrees", cosign },
};

T_MAIN(cases)
