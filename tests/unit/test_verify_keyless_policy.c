/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_keyless_policy.c: signatures by certificate, who has to have signed said by
 * a policy: how many, by whose root, until when; what is a mistake in it. */
#include "tests/engine/keyless.h"

#include "trust/base/banned.h"

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

/* A lock says who signed by name, so that whoever reads it sees it: hidden characters of
 * a name as what they are. */
static void
in_lock(void)
{
	struct cv_buf lock = CV_BUF(1 << 16);
	struct said s;

	begin_confined();
	peer_write("policy.json", cv_span_str(SIGNERS(ROOT_FILE, ALICE) RULE));
	peer_write("agent.json",
		   cv_span_str("{ \"schema\": \"clawverify.agent/1\", \"name\": \"a\", "
			       "\"policy\": \"policy.json\", \"artifacts\": { \"app\": { "
			       "\"type\": \"file\", \"path\": \"app.bin\", \"evidence\": [ { "
			       "\"kind\": \"bundle\", \"path\": \"app.json\" } ] } } }"));
	T(peer_sh("%s/clawverify lock --store store", t_build()));
	peer_read(&lock, "clawverify.lock");
	T_HAS(cv_buf_text(&lock), "\"identity\": \"" F_SUBJECT "\"");
	T_HAS(cv_buf_text(&lock), "\"issuer\": \"" F_ISSUER "\"");
	T_HAS(cv_buf_text(&lock), "\"name\": \"alice\"");
	s = run("verify");
	says(&s, "locked", 0, NULL);
	drop(&s);
	T(peer_sh("%s/clawverify lock --check --store store", t_build()));
	/* one without the names, as older ones are, pins the same */
	T(peer_sh("sed -i '/\"identity\"/d; /\"issuer\"/d' clawverify.lock"));
	s = run("verify");
	says(&s, "locked before", 0, NULL);
	drop(&s);
	cv_buf_free(&lock);
}

static const struct t_case cases[] = {
	{ "a lock says who signed", in_lock },
	{ "m of n by different people", thresholds },
	{ "what an instance has to show, and when it ends", instances },
	{ "a root about to end", ending },
	{ "mistakes in a policy are told with their place", policies },
	{ "a root inside the policy", inline_root },
};

T_MAIN(cases)
