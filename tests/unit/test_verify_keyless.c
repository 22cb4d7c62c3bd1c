/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_keyless.c: signatures by certificate through the whole command, confined
 * workers included: a private instance forged here, one thing wrong each, all else
 * right and genuinely signed. What is wrong inside a bundle is the business of
 * test_trust_sigstore.c; here is asked whether policy, worker and verdict are wired to
 * it, and by which name each step's failure is told.
 */
#include "tests/support/forge_sigstore.h"
#include "tests/support/peer.h"
#include "tests/support/t.h"
#include "trust/base/enc.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"

#include <jansson.h>
#include <stdlib.h>

#include "trust/base/banned.h"

#define ARTIFACT   "the artifact"
#define PROVENANCE "https://slsa.dev/provenance/v1"

/* ---- running the command ---- */

struct said {
	int code;
	json_t *doc; /* -o json */
};

static void
drop(struct said *s)
{
	json_decref(s->doc);
	s->doc = NULL;
}

/* The command with these arguments in the scratch directory. */
static struct said
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
static json_t *
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

static void
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

static const char *
text_of(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text == NULL ? "" : text;
}

/* ---- what lies there ---- */

static struct f_instance *instance;

static struct f_recipe
recipe(void)
{
	return f_recipe();
}

/* bundle NAME, over the artifact, or a statement about it if `predicate` is set. */
static void
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

static void
write_root(const char *name, struct f_recipe r)
{
	struct cv_buf text = CV_BUF(1 << 20);

	f_trusted_root(&text, instance, &r);
	peer_write(name, cv_buf_span(&text));
	cv_buf_free(&text);
}

static void
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
static void
begin_confined(void)
{
	if (CV_SANITIZED)
		t_skip("workers of a sanitizer build run unconfined, and that is refused");
	begin();
}

#define WHO  " --identity " F_SUBJECT " --issuer " F_ISSUER
#define ROOT " --root root.json"

/* ---- verify PATH --bundle ---- */

struct wrong {
	const char *name, *check;
	void (*change)(struct f_recipe *);
	const char *arguments; /* NULL: the right ones */
	int code;              /* 0: 1 */
};

#define CHANGE(name, ...)                                                                          \
	static void name(struct f_recipe *r)                                                       \
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

/* ---- policies ---- */

#define SIGNERS(root, more)                                                                        \
	"{ \"schema\": \"clawverify.policy/1\", \"name\": \"p\",\n"                                \
	"  \"roots\": { \"acme\": { " root " } },\n"                                               \
	"  \"signers\": { " more " },\n"                                                           \
	"  \"rules\": [ { \"name\": \"r\", \"basis\": [\"signed\"], \"signed_by\": "
#define ROOT_FILE "\"trusted_root\": \"root.json\""
#define ALICE                                                                                      \
	"\"alice\": { \"root\": \"acme\", \"identities\": [ { \"identity\": \"" F_SUBJECT          \
	"\", \"issuer\": \"" F_ISSUER "\" } ] }"
#define BOB                                                                                        \
	"\"bob\": { \"root\": \"acme\", \"identities\": [ { \"identity\": \"https://bob.example"   \
	".test\", \"issuer\": \"" F_ISSUER "\" } ] }"
/* means alice, by another way */
#define ANYONE                                                                                     \
	"\"any\": { \"root\": \"acme\", \"identities\": [ { \"identity_pattern\": "                \
	"\"https://.*\", "                                                                         \
	"\"issuer\": \"" F_ISSUER "\" } ] }"

static struct said
by_policy(const char *policy, const char *bundles)
{
	char arguments[1024];

	peer_write("policy.json", cv_span_str(policy));
	cv_text_fmt(arguments, sizeof(arguments), "verify app.bin --policy policy.json %s",
		    bundles);
	return run(arguments);
}

static void
thresholds(void)
{
	static const char two[] =
		SIGNERS(ROOT_FILE, ALICE ", " BOB) "[\"alice\", \"bob\"], \"threshold\": 2 } ] }";
	static const char same[] = SIGNERS(
		ROOT_FILE, ALICE ", " ANYONE) "[\"alice\", \"any\"], \"threshold\": 2 } ] }";
	static const char one[] = SIGNERS(ROOT_FILE, ALICE ", " BOB) "[\"alice\", \"bob\"] } ] }";
	struct f_recipe bob = recipe();
	struct said s;

	begin();
	bob.subject = "https://bob.example.test";
	write_bundle("bob.json", bob, NULL, ARTIFACT);
	write_bundle("again.json", recipe(), NULL, ARTIFACT);

	s = by_policy(one, "--bundle app.json");
	says(&s, "one of two", 0, NULL);
	drop(&s);
	s = by_policy(two, "--bundle app.json");
	says(&s, "one is not two", 1, "basis.insufficient");
	drop(&s);
	s = by_policy(two, "--bundle app.json --bundle again.json");
	says(&s, "one twice is not two", 1, "basis.insufficient");
	drop(&s);
	s = by_policy(same, "--bundle app.json --bundle again.json");
	says(&s, "one under two names is not two", 1, "basis.insufficient");
	drop(&s);
	s = by_policy(two, "--bundle app.json --bundle bob.json");
	says(&s, "two", 0, NULL);
	drop(&s);
	s = by_policy(same, "--bundle app.json --bundle bob.json");
	says(&s, "two, one of them by a pattern", 0, NULL);
	drop(&s);
}

/* Logs, timestamps, and instances that go without. */
static void
instances(void)
{
	static const struct {
		const char *name, *root;
		void (*change)(struct f_recipe *);
		int code;
		const char *check;
	} cases[] = {
		{ "two logs", ROOT_FILE ", \"logs\": 2", nothing, 1, "sig.log-unproven" },
		{ "a timestamp", ROOT_FILE ", \"timestamps\": 1", nothing, 1, "sig.time-unproven" },
		{ "without a certificate log, not said", ROOT_FILE, no_sct, 1,
		  "sig.certificate-unlogged" },
		{ "without a certificate log", ROOT_FILE ", \"without_sct\": true", no_sct, 0,
		  NULL },
		{ "ended", ROOT_FILE ", \"expires\": \"2026-01-01\"", nothing, 3,
		  "sig.root-expired" },
		{ "not ended", ROOT_FILE ", \"expires\": \"2099-01-01\"", nothing, 0, NULL },
	};

	begin();
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		struct f_recipe r = recipe();
		char policy[4096];
		struct said s;

		cases[i].change(&r);
		write_bundle("case.json", r, NULL, ARTIFACT);
		cv_text_fmt(policy, sizeof(policy), SIGNERS("%s", ALICE) "[\"alice\"] } ] }",
			    cases[i].root);
		s = by_policy(policy, "--bundle case.json");
		says(&s, cases[i].name, cases[i].code, cases[i].check);
		drop(&s);
	}
}

/* A month before its end a root is spoken of, and judges as ever; so does that of the
 * public instance. */
static void
ending(void)
{
	static const char policy[] =
		SIGNERS(ROOT_FILE ", \"expires\": \"2026-04-01\"", ALICE) "[\"alice\"] } ] }";
	static const char public_good[] =
		SIGNERS(ROOT_FILE, "\"alice\": { \"identities\": [ { \"identity\": "
				   "\"x\", \"issuer\": \"y\" } ] }") "[\"alice\"] } ] }";
	struct said s;

	begin();
	s = by_policy(policy, "--bundle app.json --at 2026-03-20");
	says(&s, "soon", 0, "sig.root-expiring");
	T_HAS(text_of(problem(&s, "sig.root-expiring"), "found"), "2026-04-01");
	drop(&s);
	s = by_policy(policy, "--bundle app.json --at 2026-02-20");
	says(&s, "not yet", 0, NULL);
	T(problem(&s, "sig.root-expiring") == NULL);
	drop(&s);
	s = by_policy(policy, "--bundle app.json --at 2026-04-01");
	says(&s, "ended", 3, "sig.root-expired");
	drop(&s);
	s = by_policy(public_good, "--bundle app.json --at 2027-04-22");
	says(&s, "the public one has ended", 3, "sig.root-expired");
	drop(&s);
	s = by_policy(public_good, "--bundle app.json --at 2027-04-21");
	says(&s, "the public one ends", 1, "sig.log-unproven");
	T(problem(&s, "sig.root-expiring") != NULL);
	drop(&s);
}

/* Mistakes in a policy: exit 2, and where. */
static void
policies(void)
{
#define RULE    "[\"alice\"] } ] }"
#define OF(one) "\"alice\": { \"root\": \"acme\", \"identities\": [ { " one " } ] }"
	static const struct {
		const char *policy, *told;
	} cases[] = {
		{ SIGNERS(ROOT_FILE, OF("\"identity\": \"x\"")) RULE, "policy.json:3:" },
		{ SIGNERS(ROOT_FILE, OF("\"issuer\": \"x\"")) RULE, "never a match" },
		{ SIGNERS(ROOT_FILE, OF("\"identity\": \"\", \"issuer\": \"x\"")) RULE,
		  "policy.json:3:" },
		{ SIGNERS(ROOT_FILE,
			  OF("\"identity\": \"x\", \"identity_pattern\": \"y\", \"issuer\": "
			     "\"x\"")) RULE,
		  "more than one" },
		{ SIGNERS(ROOT_FILE, OF("\"identity_pattern\": \".+\", \"issuer\": \"x\"")) RULE,
		  "names somebody" },
		{ SIGNERS(ROOT_FILE, OF("\"identity_pattern\": \"a(b\", \"issuer\": \"x\"")) RULE,
		  "policy.json:3:" },
		{ SIGNERS(ROOT_FILE, OF("\"identity_pattern\": \"a(b\", \"issuer\": \"x\"")) RULE,
		  "the pattern a(b cannot be read: at character 3: " },
		{ SIGNERS(ROOT_FILE, OF("\"identity\": \"x\", \"issuer_pattern\": \"a|\"")) RULE,
		  "the pattern a| matches anything" },
		{ SIGNERS(ROOT_FILE, OF("\"identity\": \"x\", \"issuer\": \"y\", \"claims\": {}"))
			  RULE,
		  "at least one" },
		{ SIGNERS(ROOT_FILE, OF("\"identity\": \"x\", \"issuer\": \"y\", \"claims\": "
					"{\"source_repository_idd\": \"1\"}")) RULE,
		  "did you mean \"source_repository_id\"" },
		{ SIGNERS(ROOT_FILE,
			  OF("\"identity\": \"x\", \"issuer\": \"y\", \"no_issuer\": true")) RULE,
		  "more than one" },
		{ SIGNERS(ROOT_FILE, "\"alice\": { \"identities\": [ { \"identity\": \"x\", "
				     "\"no_issuer\": true } ] }") RULE,
		  "name their issuer" },
		{ SIGNERS(ROOT_FILE, "\"alice\": { \"root\": \"acmee\", \"identities\": [ { "
				     "\"identity\": \"x\", \"issuer\": \"y\" } ] }") RULE,
		  "did you mean \"acme\"" },
		{ SIGNERS(ROOT_FILE, "\"alice\": { \"root\": \"acme\" }") RULE, "keys" },
		{ SIGNERS(ROOT_FILE, "\"alice\": { \"root\": \"acme\", \"identities\": [] }") RULE,
		  "1 to" },
		{ SIGNERS("\"trusted_root\": \"none.json\"", ALICE) RULE, "no such file" },
		{ SIGNERS("\"trusted_root\": \"app.bin\"", ALICE) RULE, "app.bin" },
		{ SIGNERS("\"trusted_root\": \"policy.json\"", ALICE) RULE, "mediaType" },
		{ SIGNERS("\"trusted_root\": \"../root.json\"", ALICE) RULE, "policy.json:2:" },
		{ SIGNERS("\"logs\": 1", ALICE) RULE, "policy.json:2:" },
		{ SIGNERS(ROOT_FILE ", \"logs\": 1, \"without_log\": true", ALICE) RULE, "logs" },
		{ SIGNERS(ROOT_FILE " }, \"public-good\": { \"without_log\": true", ALICE) RULE,
		  "as it is" },
		{ SIGNERS(ROOT_FILE, ALICE ", \"bob\": { \"root\": \"acme\", \"identities\": [ { "
					   "\"identity\": \"" F_SUBJECT
					   "\", \"issuer\": \"" F_ISSUER "\" } ] }") RULE,
		  "each identity once" },
		{ SIGNERS(ROOT_FILE, ALICE) "[\"alice\"] } ], \"endorsers\": [\"alice\"] }",
		  "signed with keys" },
	};

	begin();
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		struct said s = by_policy(cases[i].policy, "--bundle app.json");

		says(&s, cases[i].policy, 2, NULL);
		T_HAS(text_of(json_object_get(s.doc, "error"), "message"), cases[i].told);
		drop(&s);
	}
}

/* A root that the policy holds itself; and what `policy show` tells of it. */
static void
inline_root(void)
{
	static char policy[1 << 16];
	struct cv_buf root = CV_BUF(1 << 16);
	struct said s;

	begin();
	peer_read(&root, "root.json");
	cv_text_fmt(policy, sizeof(policy), SIGNERS("\"trusted_root\": %s", ALICE) RULE,
		    cv_buf_text(&root));
	s = by_policy(policy, "--bundle app.json");
	says(&s, "inline", 0, NULL);
	drop(&s);
	s = run("policy show policy.json");
	says(&s, "show", 0, NULL);
	T(json_object_get(json_object_get(s.doc, "roots"), "acme") != NULL);
	T_STR(text_of(json_object_get(json_object_get(s.doc, "signers"), "alice"), "root"), "acme");
	drop(&s);
	cv_buf_free(&root);
}

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
	{ "each step that is not passed has its name", refused },
	{ "a signature with one bit changed", flipped },
	{ "what is right passes, confined", accepted },
	{ "who signed, and when, is told", told },
	{ "attestations by their type and subject", attestations },
	{ "m of n by different people", thresholds },
	{ "what an instance has to show, and when it ends", instances },
	{ "a root about to end", ending },
	{ "mistakes in a policy are told with their place", policies },
	{ "a root inside the policy", inline_root },
	{ "images, both generations", images },
	{ "inspect shows the chain", inspected },
	{ "cosign agrees", cosign },
};

T_MAIN(cases)
