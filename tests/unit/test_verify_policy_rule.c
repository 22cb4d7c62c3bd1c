/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_policy_rule.c: which rule applies, what is required, what a launch
 * may have. */
#include "tests/support/t.h"
#include "trust/base/checks.h"
#include "verify/policy.h"

#define KEY                                                                                        \
	"-----BEGIN PUBLIC KEY-----MCowBQYDK2VwAyEAUhB+k4e2Mia+C1YLmN9yi8fb"                       \
	"j6vyr/7uzs1AwVyUx20=-----END PUBLIC KEY-----"
#define HEAD                                                                                       \
	"{\"schema\":\"clawverify.policy/1\",\"name\":\"p\",\"signers\":{\"acme\":{\"keys\":"      \
	"[\"" KEY "\"]}}"

static struct cv_policy *
parse(const char *members)
{
	struct cv_buf text = CV_BUF(65536);
	struct cv_policy *p = NULL;
	struct cv_err e;

	cv_buf_fmt(&text, HEAD "%s}", members);
	T_OK(cv_policy_parse(&p, "policy.json", cv_buf_span(&text), -1, &e), e);
	cv_buf_free(&text);
	return p;
}

static struct cv_artifact
artifact(enum cv_atype type, const char *name, const char *source)
{
	return (struct cv_artifact){ .type = type, .name = name, .source = source };
}

/* ---- matching ---- */

#define R(name, match) "{\"name\":\"" name "\",\"match\":{" match "}}"

static const struct {
	const char *rules, *type, *name, *source, *applies;
} matching[] = {
	/* types */
	{ R("a", "\"type\":\"image\""), "image", "x", "a.example/x", "a" },
	{ R("a", "\"type\":\"image\""), "model", "x", "x", NULL },
	{ R("a", "\"type\":[\"model\",\"mcp\"]"), "mcp", "x", "x", "a" },
	{ R("a", "\"type\":\"model-hosted\""), "model-hosted", "x", "https://x.example/", "a" },
	{ R("a", ""), "skill", "x", "x", "a" },
	/* names and sources */
	{ R("a", "\"name\":\"llm\""), "model", "llm", "x", "a" },
	{ R("a", "\"name\":\"llm\""), "model", "llm2", "x", NULL },
	{ R("a", "\"name\":\"llm*\""), "model", "llm2", "x", "a" },
	{ R("a", "\"source\":\"a.example/*\""), "image", "x", "a.example/b", "a" },
	{ R("a", "\"source\":\"a.example/*\""), "image", "x", "a.example/b/c", NULL },
	{ R("a", "\"source\":\"a.example/**\""), "image", "x", "a.example/b/c", "a" },
	{ R("a", "\"source\":\"a.example/*\""), "image", "x", "evil.example/a.example/b", NULL },
	{ R("a", "\"source\":\"a.example/*\""), "image", "x", "a.example.evil/b", NULL },
	{ R("a", "\"name\":\"llm\",\"source\":\"y\""), "model", "llm", "x", NULL },
	/* the most specific one applies */
	{ R("a", "") "," R("b", "\"type\":\"model\""), "model", "x", "x", "b" },
	{ R("a", "\"type\":[\"model\",\"mcp\"]") "," R("b", "\"type\":\"model\""), "model", "x",
	  "x", "b" },
	{ R("a", "\"type\":\"model\"") "," R("b", "\"source\":\"**\""), "model", "x", "x", "b" },
	{ R("a", "\"source\":\"m/llm\"") "," R("b", "\"name\":\"*\""), "model", "x", "m/llm", "b" },
	{ R("a", "\"name\":\"llm\"") "," R("b", "\"name\":\"ll*\""), "model", "llm", "x", "a" },
	{ R("a", "\"name\":\"l*\"") "," R("b", "\"name\":\"ll*\""), "model", "llm", "x", "b" },
	{ R("a", "\"name\":\"*\",\"source\":\"m/*\"") "," R("b", "\"name\":\"*\""), "model", "llm",
	  "m/x", "a" },
	/* ties are errors, but only where they matter */
	{ R("a", "\"name\":\"a*\"") "," R("b", "\"name\":\"*b\""), "model", "ab", "x", "" },
	{ R("a", "\"name\":\"a*\"") "," R("b", "\"name\":\"*b\""), "model", "ac", "x", "a" },
	{ R("a", "\"name\":\"a*\"") "," R("b", "\"name\":\"*b\"") "," R("c", "\"name\":\"ab\""),
	  "model", "ab", "x", "c" },
	{ R("a", "\"type\":[\"model\",\"mcp\"]") "," R("b", "\"type\":[\"model\",\"file\"]"),
	  "model", "x", "x", "" },
};

static enum cv_atype
type_of(const char *word)
{
	for (size_t i = 0; cv_atype_words[i] != NULL; i++)
		if (strcmp(cv_atype_words[i], word) == 0)
			return (enum cv_atype)(i + 1);
	t_fail(__FILE__, __LINE__, "no type %s", word);
}

static void
applies(void)
{
	struct cv_buf text = CV_BUF(65536);

	for (size_t i = 0; i < sizeof(matching) / sizeof(matching[0]); i++) {
		struct cv_artifact a =
			artifact(type_of(matching[i].type), matching[i].name, matching[i].source);
		struct cv_policy *p;
		struct cv_rule r;
		struct cv_err e;
		int found;

		cv_buf_reset(&text);
		cv_buf_fmt(&text, ",\"rules\":[%s]", matching[i].rules);
		p = parse(cv_buf_text(&text));
		found = cv_policy_rule(p, &a, &r, &e);
		if (matching[i].applies == NULL ? found != 0
		    : matching[i].applies[0] == '\0'
			    ? found != -1 || e.reason != CV_R_CONFIG ||
				      strstr(e.text, "equally specific") == NULL
			    : found != 1 || strcmp(r.name, matching[i].applies) != 0)
			t_fail(__FILE__, __LINE__, "case %zu: %s: %d %s", i, matching[i].rules,
			       found, found == 1 ? r.name : "");
		cv_policy_free(&p);
	}
	cv_buf_free(&text);
}

/* ---- merging ---- */

static void
rule_of(const struct cv_policy *p, enum cv_atype type, struct cv_rule *r)
{
	struct cv_artifact a = artifact(type, "x", "a.example/x");
	struct cv_err e = { 0 };

	if (cv_policy_rule(p, &a, r, &e) != 1)
		t_fail(__FILE__, __LINE__, "no rule: %s", e.text);
}

static void
merged(void)
{
	struct cv_policy *p = parse(",\"rules\":[{\"name\":\"bare\"}]");
	struct cv_rule r;

	/* nothing stated, no preset: the strictest */
	rule_of(p, CV_A_MODEL, &r);
	T_INT(r.basis, CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED);
	T_INT(r.threshold, 1);
	T(r.vulnerabilities_deny && r.min_severity == CV_SEV_ANY && !r.scripts_allowed);
	T_INT(r.formats, CV_FMT_SAFETENSORS | CV_FMT_GGUF | CV_FMT_DATA);
	T(r.generations == (CV_IMG_BUNDLES | CV_IMG_LEGACY) && r.subjects == 3);
	T(r.nsigned_by == 0 && r.nattestations == 0 && !r.sbom_required);
	cv_policy_free(&p);

	/* what the own rule leaves out is the preset's */
	p = parse(",\"extends\":\"preset:standard\",\"rules\":[{\"name\":\"own\",\"match\":"
		  "{\"type\":\"mcp\"},\"scripts\":\"allow\",\"checks\":{\"vuln.known\":"
		  "\"required\"}}]");
	rule_of(p, CV_A_MCP, &r);
	T_STR(r.name, "own");
	T(r.scripts_allowed && !r.vulnerabilities_deny);
	T_INT(r.basis, CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED | CV_ACCEPT_PINNED);
	T(r.guidance != NULL);
	T(cv_policy_required(p, &r, "vuln.known"));
	T(!cv_policy_required(p, NULL, "vuln.known"));
	rule_of(p, CV_A_MODEL, &r);
	T_STR(r.name, "standard");
	T(r.preset && !r.scripts_allowed);
	T(!cv_policy_required(p, &r, "vuln.known"));
	cv_policy_free(&p);

	/* who says who signs wants a signature, whatever the preset accepts */
	p = parse(",\"extends\":\"preset:standard\",\"rules\":[{\"name\":\"own\",\"signed_by\":"
		  "[\"acme\"]}]");
	rule_of(p, CV_A_IMAGE, &r);
	T_INT(r.basis, CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED);
	T(r.nsigned_by == 1 && strcmp(r.signed_by[0]->name, "acme") == 0);
	cv_policy_free(&p);
	p = parse(",\"extends\":\"preset:standard\",\"rules\":[{\"name\":\"own\",\"signed_by\":"
		  "[\"acme\"],\"basis\":[\"signed\",\"pinned\"]}]");
	rule_of(p, CV_A_IMAGE, &r);
	T_INT(r.basis, CV_ACCEPT_SIGNED | CV_ACCEPT_PINNED);
	cv_policy_free(&p);
}

/* ---- presets, as they are meant ---- */

static void
presets(void)
{
	struct cv_policy *p = NULL;
	struct cv_rule r;
	struct cv_err e;

	T_OK(cv_policy_load(&p, "preset:strict", &e), e);
	rule_of(p, CV_A_IMAGE, &r);
	T_INT(r.basis, CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED);
	T(r.sbom_required && r.vulnerabilities_deny && r.sbom_max_index_age == 7 * 86400);
	rule_of(p, CV_A_MCP_REMOTE, &r);
	T_INT(r.basis, CV_ACCEPT_SIGNED | CV_ACCEPT_ENDORSED);
	T(!r.sbom_required && !r.scripts_allowed);
	T_INT(r.formats, CV_FMT_SAFETENSORS | CV_FMT_GGUF | CV_FMT_DATA);
	T(cv_policy_required(p, &r, "basis.insufficient"));
	T(cv_policy_required(p, NULL, "agent.uncovered"));
	T(cv_policy_required(p, NULL, "sandbox.unavailable"));
	T(cv_policy_required(p, &r, "sig.invalid") && cv_policy_required(p, &r, "sig.unavailable"));
	T(!cv_policy_required(p, &r, "sig.absent")); /* an endorsed one has none */
	T(!cv_policy_accepts(p, "egress:a.example:443"));
	cv_policy_free(&p);

	T_OK(cv_policy_load(&p, "preset:standard", &e), e);
	rule_of(p, CV_A_MODEL, &r);
	T((r.basis & CV_ACCEPT_PINNED) != 0 && !r.scripts_allowed && !r.vulnerabilities_deny);
	T(cv_policy_required(p, &r, "basis.insufficient") &&
	  cv_policy_required(p, &r, "tool.lifecycle-script") &&
	  cv_policy_required(p, &r, "model.pickle") && cv_policy_required(p, &r, "sig.invalid") &&
	  cv_policy_required(p, &r, "lock.absent"));
	T(!cv_policy_required(p, &r, "vuln.known") && !cv_policy_required(p, &r, "sig.absent") &&
	  !cv_policy_required(p, NULL, "agent.uncovered") &&
	  !cv_policy_required(p, NULL, "sandbox.unavailable"));
	cv_policy_free(&p);

	T_OK(cv_policy_load(&p, "preset:audit", &e), e);
	rule_of(p, CV_A_MODEL, &r);
	T(p->audit && !cv_policy_required(p, &r, "model.pickle") &&
	  !cv_policy_required(p, &r, "basis.insufficient"));
	T(cv_policy_required(p, &r, "fetch.digest-mismatch"));
	cv_policy_free(&p);
}

/* ---- levels ---- */

static void
fixed(void)
{
	static const char *const always[] = {
		"fetch.digest-mismatch", "lock.digest-mismatch",   "oci.edge-mismatch",
		"archive.traversal",     "image.traversal",        "image.diffid-mismatch",
		"bundle.changed",        "policy.expired",         "worker.died",
		"internal.error",        "internal.unknown-check", "launch.set-mismatch",
		"launch.docker-socket",  "file.changed",           "gate.malformed",
		"policy.no-rule",        "image.place-unsafe",
	};
	static const char *const free_[] = {
		"vuln.known",         "sig.invalid",  "sbom.absent",
		"basis.insufficient", "model.pickle", "agent.uncovered"
	};
	struct cv_policy *p = parse(",\"mode\":\"audit\"");
	const struct cv_check *all;
	size_t n, count = 0;

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		T(cv_check_find(always[i]) != NULL && cv_check_is_fixed(always[i]));
	for (size_t i = 0; i < sizeof(free_) / sizeof(free_[0]); i++)
		T(cv_check_find(free_[i]) != NULL && !cv_check_is_fixed(free_[i]));
	/* no audit, no level relaxes one that is fixed */
	all = cv_check_all(&n);
	for (size_t i = 0; i < n; i++) {
		bool sandbox = strcmp(all[i].id, "sandbox.unavailable") == 0;

		T_INT(cv_policy_required(p, NULL, all[i].id),
		      cv_check_is_fixed(all[i].id) && !sandbox);
		count += cv_check_is_fixed(all[i].id);
	}
	T(count > 30 && count < n);
	cv_policy_free(&p);
}

static void
precedence(void)
{
	struct cv_policy *p = parse(",\"checks\":{\"vuln.known\":\"advisory\"},\"rules\":[{"
				    "\"name\":\"a\",\"match\":{\"type\":\"image\"},\"checks\":{"
				    "\"vuln.known\":\"required\"}},{\"name\":\"b\"}]");
	struct cv_check_level below = { .check = "sbom.absent", .required = false };
	struct cv_rule r;

	rule_of(p, CV_A_IMAGE, &r);
	T(cv_policy_required(p, &r, "vuln.known"));
	T(cv_policy_required(p, &r, "sbom.absent"));
	r.base_checks = &below;
	r.nbase_checks = 1;
	T(!cv_policy_required(p, &r, "sbom.absent"));
	rule_of(p, CV_A_MODEL, &r);
	T(!cv_policy_required(p, &r, "vuln.known"));
	T(cv_policy_required(p, &r, "sig.invalid"));
	cv_policy_free(&p);
}

/* ---- what is not covered ---- */

static void
accepts(void)
{
	struct cv_policy *p = parse(
		",\"uncovered\":{\"accept\":[\"egress:*.example:443\",\"secret\",\"bind:/srv/**\","
		"\"mcp-remote:crm\"]}");

	T(cv_policy_accepts(p, "egress:a.example:443") && cv_policy_accepts(p, "secret:X") &&
	  cv_policy_accepts(p, "bind:/srv/a/b") && cv_policy_accepts(p, "mcp-remote:crm"));
	T(!cv_policy_accepts(p, "egress:a.example:80") && !cv_policy_accepts(p, "secrets:X") &&
	  !cv_policy_accepts(p, "bind:/srv2") && !cv_policy_accepts(p, "mcp-remote:crm2") &&
	  !cv_policy_accepts(p, "writable:/x") && !cv_policy_accepts(p, "") &&
	  !cv_policy_accepts(p, "model-hosted:secret"));
	cv_policy_free(&p);
}

/* ---- launch ---- */

static int
collect(void *ctx, const struct cv_finding *f, struct cv_jpos pos, struct cv_err *e)
{
	(void)e;
	T(f->outcome == CV_FAIL && pos.line > 0);
	cv_buf_fmt(ctx, "%s|%s\n", f->check, f->found);
	return 0;
}

static int
give_up(void *ctx, const struct cv_finding *f, struct cv_jpos pos, struct cv_err *e)
{
	(void)f, (void)pos;
	++*(size_t *)ctx;
	return cv_fail(e, CV_R_CANCELLED, "enough");
}

static const struct {
	const char *launch, *policy, *says;
} launches[] = {
	{ "", "", "" },
	{ "\"privileged\":true", "", "launch.privileged|privileged\n" },
	{ "\"privileged\":true", "\"allow\":[\"privileged\"]", "" },
	{ "\"namespaces\":[\"pid\",\"net\"]", "\"allow\":[\"host-namespace:net\"]",
	  "launch.host-namespace|host-namespace:pid\n" },
	{ "\"devices\":[\"/dev/kvm\",\"/dev/mem\"]", "\"allow\":[\"device:/dev/kvm\"]",
	  "launch.device|device:/dev/mem\n" },
	{ "\"binds\":[{\"source\":\"/var/run/docker.sock\",\"target\":\"/s\"}]", "",
	  "launch.docker-socket|/var/run/docker.sock\n" },
	{ "\"binds\":[{\"source\":\"/run\",\"target\":\"/s\"}]", "",
	  "launch.docker-socket|/run\n" },
	{ "\"binds\":[{\"source\":\"/run/docker.sock\",\"target\":\"/s\"}]",
	  "\"allow\":[\"docker-socket\"]", "" },
	{ "\"binds\":[{\"source\":\"/srv\",\"target\":\"/s\"}]", "", "" },
	{ "\"binds\":[{\"source\":\"/srv\",\"target\":\"/s\",\"readonly\":false}]", "",
	  "launch.writable-code|/srv of the host, writable, as /s\n" },
	{ "\"binds\":[{\"source\":\"/srv\",\"target\":\"/usr/lib\"}]", "",
	  "launch.writable-code|/srv of the host over /usr\n" },
	{ "\"binds\":[{\"source\":\"/srv\",\"target\":\"/s\",\"readonly\":false}]",
	  "\"allow\":[\"writable-code\"]", "" },
	{ "\"writable\":{\"/tmp\":{\"kind\":\"tmpfs\",\"size\":1}}", "", "" },
	{ "\"writable\":{\"/m/llm/x\":{\"kind\":\"volume\"}}", "",
	  "launch.writable-code|/m/llm/x can be written, and /m/llm is there\n" },
	{ "\"writable\":{\"/m\":{\"kind\":\"volume\"}}", "",
	  "launch.writable-code|/m can be written, and /m/llm is there\n" },
	{ "\"writable\":{\"/m2\":{\"kind\":\"volume\"}}", "", "" },
	{ "\"writable\":{\"/usr/local\":{\"kind\":\"volume\"}}", "",
	  "launch.writable-code|/usr/local can be written, and /usr is there\n" },
	{ "\"command\":[\"/app/run\"],\"writable\":{\"/app\":{\"kind\":\"volume\"}}", "",
	  "launch.writable-code|/app can be written, and /app/run is there\n" },
	{ "\"read_only_root\":false", "", "" },
	{ "\"read_only_root\":false", "\"required_controls\":[\"read-only-root\"]",
	  "launch.control-unenforced|a root file system that can be written\n" },
	{ "\"capabilities\":[\"CAP_KILL\"]", "", "" },
	{ "\"capabilities\":[\"CAP_KILL\"]", "\"capabilities\":[\"CAP_KILL\"]", "" },
	{ "\"capabilities\":[\"CAP_KILL\"]", "\"capabilities\":[]",
	  "launch.capability|CAP_KILL\n" },
	{ "\"network\":[\"a.example:443\"]", "\"network\":[\"*.example:443\"]", "" },
	{ "\"network\":[\"a.example:443\"]", "\"network\":[]", "launch.network|a.example:443\n" },
	{ "\"network\":[\"a.example:443\"]", "\"network\":[\"a.example:80\"]",
	  "launch.network|a.example:443\n" },
	{ "\"limits\":{\"memory\":\"8MiB\"}", "\"limits\":{\"memory\":\"8MiB\"}", "" },
	{ "\"limits\":{\"memory\":\"9MiB\"}", "\"limits\":{\"memory\":\"8MiB\"}",
	  "launch.limits|memory 9437184\n" },
	{ "", "\"limits\":{\"memory\":\"8MiB\"}", "launch.limits|no limit of memory\n" },
	{ "", "\"required_controls\":[\"pids\"]", "launch.limits|no limit of pids\n" },
	{ "\"limits\":{\"cpus\":\"1.5\"}", "\"limits\":{\"cpus\":1}",
	  "launch.limits|cpus 1500 thousandths\n" },
};

static void
launch(void)
{
	struct cv_buf text = CV_BUF(65536), said = CV_BUF(65536);

	for (size_t i = 0; i < sizeof(launches) / sizeof(launches[0]); i++) {
		struct cv_agent *a = NULL;
		struct cv_policy *p;
		struct cv_err e;

		cv_buf_reset(&text);
		cv_buf_fmt(&text,
			   "{\"schema\":\"clawverify.agent/1\",\"name\":\"a\",\"artifacts\":{\"i\":"
			   "{\"type\":\"image\",\"ref\":\"a.example/b\"},\"llm\":{\"type\":"
			   "\"model\",\"path\":\"m\"}},\"launch\":{\"image\":\"i\",\"mounts\":{"
			   "\"/m/llm\":\"llm\"}%s%s}}",
			   launches[i].launch[0] != '\0' ? "," : "", launches[i].launch);
		T_OK(cv_agent_parse(&a, "a", cv_buf_span(&text), &e), e);
		cv_buf_reset(&text);
		cv_buf_fmt(&text, ",\"launch\":{%s}", launches[i].policy);
		p = parse(cv_buf_text(&text));
		cv_buf_reset(&said);
		T_OK(cv_policy_launch(p, a, collect, &said, &e), e);
		if (strcmp(cv_buf_text(&said), launches[i].says) != 0)
			t_fail(__FILE__, __LINE__, "%s under %s: \"%s\", want \"%s\"",
			       launches[i].launch, launches[i].policy, cv_buf_text(&said),
			       launches[i].says);
		/* whoever has heard enough hears no more */
		if (said.n > 0) {
			size_t heard = 0;

			T_NO(cv_policy_launch(p, a, give_up, &heard, &e), e, CV_R_CANCELLED);
			T_INT(heard, 1);
		}
		cv_policy_free(&p);
		cv_agent_free(&a);
	}
	cv_buf_free(&text);
	cv_buf_free(&said);
}

static const struct t_case cases[] = {
	{ "the most specific rule applies, ties are errors", applies },
	{ "fields left out", merged },
	{ "presets", presets },
	{ "what no policy relaxes", fixed },
	{ "whose word about a level counts", precedence },
	{ "what is accepted though not covered", accepts },
	{ "what a launch may have", launch },
};
T_MAIN(cases)
