/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_gatecfg.c: gate.json: whose policy a host accepts. */
#include "tests/support/edit.h"
#include "tests/support/t.h"
#include "verify/gatecfg.h"

#define B     "-----BEGIN PUBLIC KEY-----"
#define E     "-----END PUBLIC KEY-----"
#define KEY_A B "MCowBQYDK2VwAyEAUhB+k4e2Mia+C1YLmN9yi8fbj6vyr/7uzs1AwVyUx20=" E
#define ID_A  "sha256:dde1503fe1a5ce3a2e595e9c21832da377e66501d231a4b4bce33f5f3a499857"
#define ID_B  "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define OF_X  "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" /* "x" */

static const char good[] =
	"{ // who judges here\n"
	"  \"schema\": \"clawverify.gate-config/1\",\n"
	"  \"policy_signers\": [\"" KEY_A "\"],\n"
	"  \"policies\": [\n"
	"    { \"name\": \"production\", \"path\": \"/etc/clawverify/policy.json\" },\n"
	"    { \"name\": \"pinned\", \"sha256\": \"" OF_X "\" },\n"
	"    { \"name\": \"both\", \"path\": \"/etc/both.json\", \"sha256\": \"" OF_X "\" },\n"
	"  ],\n"
	"  \"min_version\": 3,\n"
	"  \"bundle_keys\": [\"" KEY_A "\"],\n"
	"  \"final\": { \"/confinement\": \"required\" },\n"
	"  \"adapters\": [ { \"name\": \"docker\", \"program\": \"/usr/bin/docker\", "
	"\"host\": \"unix:///run/docker.sock\" } ],\n"
	"}\n";

static const struct {
	const char *from, *to, *place, *says;
} bads[] = {
	{ "gate-config/1", "gate/1", "2:13", "want \"clawverify.gate-config/1\"" },
	{ "\"min_version\"", "\"minversion\"", "9:3", "did you mean \"min_version\"" },
	{ "\"min_version\": 3", "\"min_version\": -3", "9:18", "integer" },
	{ "\"policy_signers\": [\"" KEY_A "\"]", "\"policy_signers\": [\"a.pub\"]", "3:22",
	  "want the key itself" },
	{ "\"policy_signers\": [\"" KEY_A "\"]", "\"policy_signers\": []", "3:21", "0 keys" },
	{ ", \"path\": \"/etc/clawverify/policy.json\"", "", "5:5", "want one of them" },
	{ "\"/etc/clawverify/policy.json\"", "\"policy.json\"", "5:37", "not absolute" },
	{ "\"/etc/clawverify/policy.json\"", "\"/etc/../policy.json\"", "5:37", "\"..\"" },
	{ "\"pinned\"", "\"production\"", "6:5", "twice" },
	{ "\"sha256\": \"sha256:2d", "\"sha256\": \"2d", "6:35", "64 lower-case" },
	{ "\"/confinement\"", "\"/confinment\"", "11:14", "did you mean \"/confinement\"" },
	{ "\"/confinement\"", "\"x-confinement\"", "11:31", "can be final" },
	{ "\"required\"", "\"best-effort\"", "11:30", "required" },
	{ "\"/usr/bin/docker\"", "\"docker\"", "12:48", "absolute" },
	{ "unix:///run", "tcp:///run", "12:75", "unix://" },
	{ "\"unix:///run/docker.sock\"", "7", "12:75", "want a string" },
	{ "\"adapters\": [ {", "\"adapters\": [ { \"x\": 1,", "12:19", "x" },
	{ "\"adapters\": [", "\"adapters\": [ { \"name\": \"docker\" },", "12:39", "twice" },
	{ "\"/confinement\": \"required\"", "\"/valid_for\": \"24\"", "11:28", "24h" },
	{ "\"/confinement\": \"required\"", "\"/endorsers\": [\"ops\"]", "11:29", "64 lower-case" },
	{ "\"/confinement\": \"required\"", "\"/rules/basis\": [\"nothing\"]", "11:31", "pinned" },
	{ "\"/confinement\": \"required\"", "\"/checks\": [\"vuln.knwon\"]", "11:26",
	  "vuln.knwon" },
	{ "\"/confinement\": \"required\"", "\"/rules/scripts\": \"allow\"", "11:32", "deny" },
	{ "\"/confinement\": \"required\"", "\"/launch/limits/memory\": \"lots\"", "11:39", "MiB" },
};

static void
refused(void)
{
	struct cv_buf out = CV_BUF(65536);
	int wrong = 0;

	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct cv_gatecfg *g = NULL;
		char place[64];
		struct cv_err e = { 0 };

		if (cv_gatecfg_parse(&g, "gate.json", t_edit(&out, good, bads[i].from, bads[i].to),
				     -1, &e) == 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: was accepted", bads[i].from,
			       bads[i].to);
		snprintf(place, sizeof(place), "gate.json:%s: ", bads[i].place);
		if (e.reason == CV_R_CONFIG && strncmp(e.text, place, strlen(place)) == 0 &&
		    strstr(e.text, bads[i].says) != NULL)
			continue;
		printf("# %s -> %s: %s: %s\n#   want it at %s\"%s\"\n", bads[i].from, bads[i].to,
		       cv_reason_word(e.reason), e.text, place, bads[i].says);
		wrong++;
	}
	T_INT(wrong, 0);
	cv_buf_free(&out);
}

static struct cv_gatecfg *
parse(const char *text)
{
	struct cv_gatecfg *g = NULL;
	struct cv_err e;

	T_OK(cv_gatecfg_parse(&g, "gate.json", cv_span_str(text), -1, &e), e);
	return g;
}

static void
authority(void)
{
	static const struct {
		const char *path, *bytes;
		bool enveloped;
		enum cv_gate_by by;
	} t[] = {
		{ "/etc/clawverify/policy.json", "y", false, CV_GATE_BY_PATH },
		{ "/etc/clawverify/policy.json", "y", true, CV_GATE_BY_SIGNER },
		{ NULL, "x", false, CV_GATE_BY_SHA256 },
		{ "/home/agent/policy.json", "x", false, CV_GATE_BY_SHA256 },
		{ NULL, "y", true, CV_GATE_BY_SIGNER },
		{ "/etc/both.json", "x", false, CV_GATE_BY_SHA256 },
		/* the digest beside a path is not optional */
		{ "/etc/both.json", "y", false, CV_GATE_NO },
		{ "/home/agent/policy.json", "y", false, CV_GATE_NO },
		{ "/etc/clawverify/policy.json/", "y", false, CV_GATE_NO },
		{ NULL, "y", false, CV_GATE_NO },
		{ "", "", false, CV_GATE_NO },
	};
	struct cv_gatecfg *g = parse(good);
	enum cv_gate_by by;
	struct cv_err e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int ret = cv_gatecfg_authority(g, t[i].path, cv_span_str(t[i].bytes),
					       t[i].enveloped, &by, &e);

		T_INT(by, t[i].by);
		T_INT(ret, t[i].by == CV_GATE_NO ? -1 : 0);
		if (ret != 0)
			T_INT(e.reason, CV_R_UNAUTHORISED);
	}
	cv_gatecfg_free(&g);
	/* a file that names nobody accepts nobody */
	g = parse("{\"schema\":\"clawverify.gate-config/1\"}");
	T_NO(cv_gatecfg_authority(g, "/etc/clawverify/policy.json", cv_span_str("x"), false, &by,
				  &e),
	     e, CV_R_UNAUTHORISED);
	T_NO(cv_gatecfg_authority(g, NULL, cv_span_str("x"), true, &by, &e), e, CV_R_UNAUTHORISED);
	cv_gatecfg_free(&g);
}

#define POLICY(members)                                                                            \
	"{\"schema\":\"clawverify.policy/1\",\"name\":\"p\",\"version\":3,\"signers\":{\"ops\":"   \
	"{\"keys\":[\"" KEY_A "\"]}}" members "}"
#define GATE(final)   "{\"schema\":\"clawverify.gate-config/1\",\"final\":{" final "}}"
#define RULE(members) ",\"rules\":[{\"name\":\"r\"," members "}]"

static const struct {
	const char *final, *tight, *loose;
} finals[] = {
	{ "\"/confinement\":\"required\"", ",\"confinement\":\"required\"", "" },
	{ "\"/confinement\":\"required\"", ",\"extends\":\"preset:strict\"",
	  ",\"extends\":\"preset:strict\",\"confinement\":\"best-effort\"" },
	{ "\"/mode\":\"enforce\"", "", ",\"mode\":\"audit\"" },
	{ "\"/mode\":\"enforce\"", "", ",\"extends\":\"preset:audit\"" },
	{ "\"/valid_for\":\"24h\"", "", ",\"valid_for\":\"25h\"" },
	{ "\"/version\":3", "", NULL },
	{ "\"/version\":4", NULL, "" },
	{ "\"/endorsers\":[\"" ID_A "\"]", ",\"endorsers\":[\"ops\"]", NULL },
	{ "\"/endorsers\":[\"" ID_B "\"]", "", ",\"endorsers\":[\"ops\"]" },
	{ "\"/endorsers\":[]", "", ",\"endorsers\":[\"ops\"]" },
	{ "\"/uncovered/accept\":[\"egress\"]", ",\"uncovered\":{\"accept\":[\"egress\"]}",
	  ",\"uncovered\":{\"accept\":[\"secret\"]}" },
	{ "\"/uncovered/accept\":[\"egress:a.example:443\"]", "",
	  ",\"uncovered\":{\"accept\":[\"egress:*.example:443\"]}" },
	{ "\"/launch/allow\":[]", "", ",\"launch\":{\"allow\":[\"privileged\"]}" },
	{ "\"/launch/capabilities\":[\"CAP_KILL\"]",
	  ",\"launch\":{\"capabilities\":[\"CAP_KILL\"]}",
	  ",\"launch\":{\"capabilities\":[\"CAP_KILL\",\"CAP_BPF\"]}" },
	{ "\"/launch/capabilities\":[]", ",\"launch\":{\"capabilities\":[]}", "" },
	{ "\"/launch/network\":[\"a.example:443\"]", ",\"launch\":{\"network\":[]}", "" },
	{ "\"/launch/network\":[\"a.example:443\"]",
	  ",\"launch\":{\"network\":[\"a.example:443\"]}",
	  ",\"launch\":{\"network\":[\"*:443\"]}" },
	{ "\"/launch/limits/memory\":\"2GiB\"", ",\"launch\":{\"limits\":{\"memory\":\"2GiB\"}}",
	  ",\"launch\":{\"limits\":{\"memory\":2147483649}}" },
	{ "\"/launch/limits/memory\":\"2GiB\"", NULL, "" }, /* none stated: no limit */
	{ "\"/launch/limits/cpus\":2", ",\"launch\":{\"limits\":{\"cpus\":\"1.5\"}}",
	  ",\"launch\":{\"limits\":{\"cpus\":\"2.001\"}}" },
	{ "\"/launch/limits/pids\":10", ",\"launch\":{\"limits\":{\"pids\":10}}",
	  ",\"launch\":{\"limits\":{\"pids\":11}}" },
	{ "\"/launch/required_controls\":[\"memory\"]",
	  ",\"launch\":{\"required_controls\":[\"pids\",\"memory\"]}",
	  ",\"launch\":{\"required_controls\":[\"pids\"]}" },
	{ "\"/rules/basis\":[\"signed\",\"endorsed\"]", RULE("\"basis\":[\"signed\"]"),
	  RULE("\"basis\":[\"pinned\",\"signed\"]") },
	{ "\"/rules/basis\":[\"signed\"]", NULL, RULE("\"scripts\":\"deny\"") }, /* the default */
	{ "\"/rules/basis\":[\"signed\",\"endorsed\"]", ",\"extends\":\"preset:strict\"",
	  ",\"extends\":\"preset:standard\"" },
	{ "\"/rules/formats\":[\"safetensors\"]", RULE("\"formats\":[\"safetensors\"]"),
	  RULE("\"formats\":[\"gguf\"]") },
	{ "\"/rules/formats\":[\"safetensors\"]", NULL, RULE("\"scripts\":\"deny\"") },
	{ "\"/rules/generations\":[\"bundle\"]", RULE("\"generations\":[\"bundle\"]"),
	  RULE("\"generations\":[\"legacy\"]") },
	{ "\"/rules/scripts\":\"deny\"", RULE("\"scripts\":\"deny\""),
	  RULE("\"scripts\":\"allow\"") },
	{ "\"/rules/vulnerabilities\":\"deny\"", RULE("\"vulnerabilities\":\"deny\""),
	  RULE("\"vulnerabilities\":\"list\"") },
	{ "\"/rules/vulnerabilities\":\"deny\"", RULE("\"min_severity\":\"any\""),
	  RULE("\"min_severity\":\"critical\"") },
	{ "\"/rules/threshold\":2", RULE("\"scripts\":\"deny\""), NULL },
	{ "\"/rules/threshold\":2", "", RULE("\"signed_by\":[\"ops\"]") },
	{ "\"/checks\":[\"vuln.known\"]", ",\"checks\":{\"vuln.known\":\"required\"}",
	  ",\"checks\":{\"vuln.known\":\"advisory\"}" },
	{ "\"/checks\":[\"vuln.known\"]", RULE("\"checks\":{\"vuln.known\":\"required\"}"),
	  RULE("\"checks\":{\"vuln.known\":\"advisory\"}") },
	{ "\"/checks\":[\"vuln.known\"]", "", ",\"mode\":\"audit\"" },
};

static int
judge(const char *final, const char *members, struct cv_err *e)
{
	struct cv_buf text = CV_BUF(65536);
	struct cv_policy *p = NULL;
	struct cv_gatecfg *g = NULL;
	int ret;

	cv_buf_fmt(&text, GATE("%s"), final);
	g = parse(cv_buf_text(&text));
	cv_buf_reset(&text);
	cv_buf_fmt(&text, POLICY("%s"), members);
	T_OK(cv_policy_parse(&p, "p", cv_buf_span(&text), -1, e), *e);
	ret = cv_gatecfg_check(g, p, CV_GATE_BY_PATH, e);
	cv_policy_free(&p);
	cv_gatecfg_free(&g);
	cv_buf_free(&text);
	return ret;
}

static void
tightened_only(void)
{
	for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
		struct cv_err e = { 0 };

		if (finals[i].loose != NULL && judge(finals[i].final, finals[i].loose, &e) == 0)
			t_fail(__FILE__, __LINE__, "%s: %s was accepted", finals[i].final,
			       finals[i].loose);
		if (finals[i].loose != NULL && e.reason != CV_R_UNAUTHORISED)
			t_fail(__FILE__, __LINE__, "%s: %s", finals[i].final, e.text);
		if (finals[i].tight != NULL && judge(finals[i].final, finals[i].tight, &e) != 0)
			t_fail(__FILE__, __LINE__, "%s: %s: %s", finals[i].final, finals[i].tight,
			       e.text);
	}
	/* every field was in the table */
	for (size_t i = 0; cv_final_words[i] != NULL; i++) {
		bool tried = false;

		for (size_t k = 0; k < sizeof(finals) / sizeof(finals[0]); k++)
			tried = tried || (strncmp(finals[k].final + 1, cv_final_words[i],
						  strlen(cv_final_words[i])) == 0 &&
					  finals[k].loose != NULL);
		if (!tried)
			t_fail(__FILE__, __LINE__, "%s was not tried", cv_final_words[i]);
	}
}

static void
accepted(void)
{
	struct cv_gatecfg *g = parse(good);
	struct cv_policy *p = NULL;
	struct cv_err e;

	T_OK(cv_policy_parse(&p, "p", cv_span_str(POLICY(",\"confinement\":\"required\"")), -1, &e),
	     e);
	T_OK(cv_gatecfg_check(g, p, CV_GATE_BY_PATH, &e), e);
	T_OK(cv_gatecfg_check(g, p, CV_GATE_BY_SIGNER, &e), e);
	T_NO(cv_gatecfg_check(g, p, CV_GATE_NO, &e), e, CV_R_UNAUTHORISED);
	p->external_keys = true;
	T_OK(cv_gatecfg_check(g, p, CV_GATE_BY_PATH, &e), e);
	T_NO(cv_gatecfg_check(g, p, CV_GATE_BY_SIGNER, &e), e, CV_R_UNAUTHORISED);
	T_NO(cv_gatecfg_check(g, p, CV_GATE_BY_SHA256, &e), e, CV_R_UNAUTHORISED);
	p->external_keys = false;
	p->version = 2;
	T_NO(cv_gatecfg_check(g, p, CV_GATE_BY_PATH, &e), e, CV_R_UNAUTHORISED);
	p->version = 0;
	T_NO(cv_gatecfg_check(g, p, CV_GATE_BY_PATH, &e), e, CV_R_UNAUTHORISED);
	T_HAS(e.text, "want at least 3");
	cv_policy_free(&p);
	cv_gatecfg_free(&g);
}

static void
files(void)
{
	struct cv_gatecfg *g = NULL;
	char path[512];
	struct cv_err e;

	snprintf(path, sizeof(path), "%s/gate.json", t_tmpdir());
	T_NO(cv_gatecfg_load(&g, path, &e), e, CV_R_CONFIG);
	T_NO(cv_gatecfg_load(&g, t_tmpdir(), &e), e, CV_R_CONFIG);
	t_write_file(path, good, sizeof(good) - 1);
	T_OK(cv_gatecfg_load(&g, path, &e), e);
	T_INT(g->npolicies, 3);
	T_INT(g->min_version, 3);
	T(g->npolicy_signers == 1 && g->nbundle_keys == 1 && g->nadapters == 1);
	T_STR(g->adapters[0].program, "/usr/bin/docker");
	cv_gatecfg_free(&g);
}

static const struct t_case cases[] = {
	{ "every single mistake is refused at its place", refused },
	{ "who may vouch for a policy", authority },
	{ "final fields may only be tightened", tightened_only },
	{ "version, keys beside the policy", accepted },
	{ "loading", files },
};
T_MAIN(cases)
