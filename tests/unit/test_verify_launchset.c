/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_launchset.c: the launch set's form, and what matches it. */
#include "tests/support/edit.h"
#include "tests/support/t.h"
#include "verify/launchset.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define D4 "sha256:4444444444444444444444444444444444444444444444444444444444444444"
#define D5 "sha256:5555555555555555555555555555555555555555555555555555555555555555"

static const char agent_text[] =
	"{ \"schema\": \"clawverify.agent/1\", \"name\": \"bot\",\n"
	"  \"artifacts\": {\n"
	"    \"runtime\": { \"type\": \"image\", \"ref\": \"registry.example/bot:1\" },\n"
	"    \"llm\": { \"type\": \"model\", \"path\": \"llm\" },\n"
	"    \"pdf\": { \"type\": \"skill\", \"path\": \"pdf\" },\n"
	"    \"crm\": { \"type\": \"mcp-remote\", \"url\": \"https://crm.example/\" } },\n"
	"  \"launch\": { \"image\": \"runtime\", \"command\": [\"serve\", \"--x\"],\n"
	"    \"user\": \"1000\", \"workdir\": \"/work\",\n"
	"    \"mounts\": { \"/models/llm\": \"llm\", \"/skills/pdf\": \"pdf\" },\n"
	"    \"env\": { \"MODE\": \"prod\", \"HOME\": { \"prefix\": \"/home/\" },\n"
	"      \"TZ\": { \"free\": true } },\n"
	"    \"secrets\": [\"TOKEN\", \"KEY\"], \"network\": [\"crm.example:443\", "
	"\"a.example:443\"],\n"
	"    \"limits\": { \"memory\": \"2GiB\", \"cpus\": \"1.5\", \"pids\": 64 },\n"
	"    \"capabilities\": [\"CAP_KILL\"],\n"
	"    \"writable\": { \"/tmp\": { \"kind\": \"tmpfs\", \"size\": \"64MiB\" },\n"
	"      \"/data\": { \"kind\": \"volume\" } },\n"
	"    \"namespaces\": [\"pid\", \"ipc\"], \"devices\": [\"/dev/kvm\"],\n"
	"    \"binds\": [ { \"source\": \"/srv/b\", \"target\": \"/b\" },\n"
	"      { \"source\": \"/srv/a\", \"target\": \"/a\", \"readonly\": false } ] } }\n";

static const char set_text[] =
	"{\"agent\":\"bot\",\"artifacts\":{"
	"\"crm\":{\"type\":\"mcp-remote\",\"url\":\"https://crm.example/\"},"
	"\"llm\":{\"digest\":\"" D4 "\",\"type\":\"model\"},"
	"\"pdf\":{\"digest\":\"" D5 "\",\"type\":\"skill\"},"
	"\"runtime\":{\"digest\":\"" D2 "\",\"type\":\"image\"}},"
	"\"binds\":[{\"readonly\":false,\"source\":\"/srv/a\",\"target\":\"/a\"},"
	"{\"readonly\":true,\"source\":\"/srv/b\",\"target\":\"/b\"}],"
	"\"capabilities\":[\"CAP_KILL\"],\"command\":[\"serve\",\"--x\"],"
	"\"devices\":[\"/dev/kvm\"],\"egress\":[\"a.example:443\",\"crm.example:443\"],"
	"\"env\":{\"HOME\":{\"prefix\":\"/home/\"},\"MODE\":{\"value\":\"prod\"},"
	"\"TZ\":{\"free\":true}},"
	"\"image\":{\"config\":\"" D3 "\",\"index\":\"" D1 "\",\"manifest\":\"" D2 "\"},"
	"\"limits\":{\"cpus_thousandths\":1500,\"memory\":2147483648,\"pids\":64},"
	"\"mounts\":{\"/models/llm\":\"" D4 "\",\"/skills/pdf\":\"" D5 "\"},"
	"\"namespaces\":[\"ipc\",\"pid\"],\"platform\":\"linux/amd64\",\"privileged\":false,"
	"\"read_only_root\":true,\"schema\":\"clawverify.launch-set/1\","
	"\"secrets\":[\"KEY\",\"TOKEN\"],\"user\":\"1000\",\"workdir\":\"/work\","
	"\"writable\":{\"/data\":{\"kind\":\"volume\"},"
	"\"/tmp\":{\"kind\":\"tmpfs\",\"size\":67108864}}}";

static const char request_text[] =
	"{ \"schema\": \"clawverify.launch-request/1\",\n"
	"  \"image\": { \"config\": \"" D3 "\" }, \"platform\": \"linux/amd64\",\n"
	"  \"command\": [\"serve\", \"--x\"], \"user\": \"1000\", \"workdir\": \"/work\",\n"
	"  \"mounts\": { \"/models/llm\": \"" D4 "\", \"/skills/pdf\": \"" D5 "\" },\n"
	"  \"env\": { \"MODE\": \"prod\", \"HOME\": \"/home/me\", \"TOKEN\": \"s3cret\" },\n"
	"  \"limits\": { \"memory\": 2147483648, \"cpus_thousandths\": 1000, \"pids\": 64 },\n"
	"  \"writable\": { \"/tmp\": { \"kind\": \"tmpfs\", \"size\": 1000 } },\n"
	"  \"egress\": [\"crm.example:443\"], \"capabilities\": [],\n"
	"  \"binds\": [ { \"source\": \"/srv/a\", \"target\": \"/a\", \"readonly\": true } ],\n"
	"  \"read_only_root\": true }\n";

static struct cv_digest
digest(const char *text)
{
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_parse(&d, cv_span_str(text), &e), e);
	return d;
}

static struct cv_launchset *
make(const char *text)
{
	const struct cv_ls_image image = { .index = digest(D1),
					   .manifest = digest(D2),
					   .config = digest(D3) };
	const struct cv_ls_artifact resolved[] = {
		{ .name = "pdf", .type = CV_A_SKILL, .digest = digest(D5) },
		{ .name = "llm", .type = CV_A_MODEL, .digest = digest(D4) },
		{ .name = "runtime", .type = CV_A_IMAGE, .digest = digest(D2) },
		{ .name = "crm", .type = CV_A_MCP_REMOTE, .url = "https://crm.example/" },
	};
	struct cv_launchset *s = NULL;
	struct cv_agent *a = NULL;
	struct cv_err e;

	T_OK(cv_agent_parse(&a, "agent.json", cv_span_str(text), &e), e);
	T_OK(cv_launchset_make(&s, a, "linux/amd64", &image, resolved, 4, &e), e);
	cv_agent_free(&a); /* everything was copied */
	return s;
}

static struct cv_launchset *
request(const char *text)
{
	struct cv_launchset *s = NULL;
	struct cv_err e;

	T_OK(cv_launchreq_parse(&s, "request", cv_span_str(text), &e), e);
	return s;
}

static void
canonical(void)
{
	struct cv_launchset *s = make(agent_text), *back = NULL;
	struct cv_buf out = CV_BUF(65536);
	struct cv_digest a, b;
	struct cv_err e;

	T_OK(cv_launchset_emit(s, &out, &e), e);
	T_STR(cv_buf_text(&out), set_text);
	T_OK(cv_launchset_parse(&back, cv_span_str(set_text), &e), e);
	cv_buf_reset(&out);
	T_OK(cv_launchset_emit(back, &out, &e), e);
	T_STR(cv_buf_text(&out), set_text);
	T_OK(cv_launchset_digest(s, &a, &e), e);
	T_OK(cv_digest_of(&b, CV_SHA256, cv_span_str(set_text), &e), e);
	T(cv_digest_eq(&a, &b));
	cv_launchset_free(&s);
	cv_launchset_free(&back);
	T(s == NULL);
	cv_buf_free(&out);
}

/* Everything that a launch is bound by is in the digest. */
static void
digest_covers(void)
{
	static const char *const t[][2] = {
		{ "\"bot\",", "\"bot2\"," },
		{ "crm.example/\"", "crm.example/2\"" },
		{ "\"--x\"", "\"--y\"" },
		{ "\"command\": [\"serve\", \"--x\"],", "" },
		{ "\"command\": [\"serve\", \"--x\"],", "\"command\": [\"\"]," },
		{ "\"command\"", "\"entrypoint\"" },
		{ "\"user\": \"1000\", ", "" },
		{ "\"/work\"", "\"/\"" },
		{ "/models/llm", "/models/m" },
		{ "\"/skills/pdf\": \"pdf\"", "\"/skills/pdf\": \"llm\"" },
		{ "\"prod\"", "\"dev\"" },
		{ "\"prod\"", "{ \"prefix\": \"prod\" }" },
		{ "/home/", "/" },
		{ "\"KEY\"", "\"KEYS\"" },
		{ "a.example:443", "a.example:80" },
		{ "2GiB", "3GiB" },
		{ "\"1.5\"", "2" },
		{ ", \"pids\": 64", "" },
		{ "CAP_KILL", "CAP_CHOWN" },
		{ "64MiB", "65MiB" },
		{ "\"volume\"", "\"tmpfs\", \"size\": 1" },
		{ "\"pid\", \"ipc\"", "\"pid\"" },
		{ "/dev/kvm", "/dev/fuse" },
		{ "\"/srv/a\"", "\"/srv/c\"" },
		{ ", \"readonly\": false", "" },
		{ "\"namespaces\"", "\"privileged\": true, \"namespaces\"" },
		{ "\"namespaces\"", "\"read_only_root\": false, \"namespaces\"" },
	};
	struct cv_launchset *s = make(agent_text), *x;
	struct cv_buf out = CV_BUF(65536);
	struct cv_digest a, b;
	struct cv_err e;

	T_OK(cv_launchset_digest(s, &a, &e), e);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		t_edit(&out, agent_text, t[i][0], t[i][1]);
		x = make(cv_buf_text(&out));
		T_OK(cv_launchset_digest(x, &b, &e), e);
		if (cv_digest_eq(&a, &b))
			t_fail(__FILE__, __LINE__, "%s -> %s: same digest", t[i][0], t[i][1]);
		cv_launchset_free(&x);
	}
	/* order of writing is not */
	t_edit(&out, agent_text, "\"TOKEN\", \"KEY\"", "\"KEY\", \"TOKEN\"");
	x = make(cv_buf_text(&out));
	T_OK(cv_launchset_digest(x, &b, &e), e);
	T(cv_digest_eq(&a, &b));
	cv_launchset_free(&x);
	cv_launchset_free(&s);
	cv_buf_free(&out);
}

static void
not_made(void)
{
	const struct cv_ls_image image = { .manifest = digest(D2), .config = digest(D3) };
	struct cv_ls_artifact resolved[] = {
		{ .name = "i", .type = CV_A_IMAGE, .digest = digest(D2) },
		{ .name = "f", .type = CV_A_FILE, .digest = digest(D2) },
	};
	const char *text =
		"{\"schema\":\"clawverify.agent/1\",\"name\":\"b\",\"artifacts\":{\"i\":{"
		"\"type\":\"image\",\"ref\":\"a.example/b\"},\"f\":{\"type\":\"file\","
		"\"path\":\"f\"}},\"launch\":{\"image\":\"i\"}}";
	struct cv_launchset *s = NULL;
	struct cv_agent *a = NULL;
	struct cv_buf out = CV_BUF(4096);
	struct cv_err e;

	T_OK(cv_agent_parse(&a, "a", cv_span_str(text), &e), e);
	T_OK(cv_launchset_make(&s, a, "linux/amd64", &image, resolved, 2, &e), e);
	cv_launchset_free(&s);
	T_NO(cv_launchset_make(&s, a, "linux/amd64", &image, resolved, 1, &e), e, CV_R_BUG);
	resolved[1].name = "i";
	T_NO(cv_launchset_make(&s, a, "linux/amd64", &image, resolved, 2, &e), e, CV_R_BUG);
	resolved[1].name = "f";
	resolved[1].digest = (struct cv_digest){ 0 };
	T_NO(cv_launchset_make(&s, a, "linux/amd64", &image, resolved, 2, &e), e, CV_R_RULE);
	cv_agent_free(&a);
	T_OK(cv_agent_parse(&a, "a", t_edit(&out, text, ",\"launch\":{\"image\":\"i\"}", ""), &e),
	     e);
	T_NO(cv_launchset_make(&s, a, "linux/amd64", &image, resolved, 2, &e), e, CV_R_RULE);
	cv_agent_free(&a);
	cv_buf_free(&out);
}

/* Only the canonical form is a launch set. */
static void
other_writings(void)
{
	static const struct {
		const char *from, *to;
		enum cv_reason reason;
	} t[] = {
		{ "{\"agent\"", "{ \"agent\"", CV_R_AMBIGUOUS },
		{ "\"workdir\":\"/work\",", "\"workdir\":\"/w\\u006frk\",", CV_R_AMBIGUOUS },
		{ "[\"KEY\",\"TOKEN\"]", "[\"TOKEN\",\"KEY\"]", CV_R_AMBIGUOUS },
		{ "\"namespaces\":[\"ipc\",\"pid\"]", "\"namespaces\":[\"pid\",\"ipc\"]",
		  CV_R_AMBIGUOUS },
		{ "\"secrets\":[\"KEY\",\"TOKEN\"],", "", CV_R_AMBIGUOUS },
		{ "\"pids\":64", "\"pids\":64,\"x-a\":1", CV_R_AMBIGUOUS },
		{ "\"pids\":64", "\"pids\":0", CV_R_AMBIGUOUS },
		{ "\"agent\":\"bot\",", "", CV_R_MALFORMED },
		{ "\"agent\":\"bot\",", "\"agent\":\"bot\",\"agent\":\"bot\",", CV_R_MALFORMED },
		{ "\"platform\":\"linux/amd64\",", "", CV_R_MALFORMED },
		{ "\"privileged\":false", "\"privileged\":0", CV_R_MALFORMED },
		{ "\"privileged\":false", "\"privilged\":false", CV_R_MALFORMED },
		{ "launch-set/1", "launch-set/2", CV_R_MALFORMED },
		{ "\"config\":\"" D3 "\",", "", CV_R_MALFORMED },
		{ "\"/models/llm\":", "\"models/llm\":", CV_R_MALFORMED },
		{ "\"target\":\"/b\"", "\"target\":\"/a\"", CV_R_MALFORMED },
		{ "\"CAP_KILL\"", "\"CAP_KILL\",\"CAP_KILL\"", CV_R_MALFORMED },
		{ "{\"value\":\"prod\"}", "{\"prefix\":\"\",\"value\":\"prod\"}", CV_R_MALFORMED },
		{ "{\"free\":true}", "{\"free\":false}", CV_R_MALFORMED },
		{ "\"url\":\"https://crm.example/\"", "\"digest\":\"" D1 "\"", CV_R_MALFORMED },
		{ "{\"digest\":\"" D4 "\",\"type\":\"model\"}", "{\"type\":\"model\"}",
		  CV_R_MALFORMED },
	};
	struct cv_buf out = CV_BUF(65536);
	struct cv_launchset *s = NULL;
	struct cv_err e = { 0 };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (cv_launchset_parse(&s, t_edit(&out, set_text, t[i].from, t[i].to), &e) == 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: was accepted", t[i].from, t[i].to);
		if (e.reason != t[i].reason)
			t_fail(__FILE__, __LINE__, "%s -> %s: %s: %s", t[i].from, t[i].to,
			       cv_reason_word(e.reason), e.text);
	}
	cv_buf_free(&out);
}

static int
collect(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)e;
	T(f->outcome == CV_FAIL);
	cv_buf_fmt(ctx, "%s %s\n", f->check, f->where);
	return 0;
}

static int
give_up(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	T(f->expected[0] != '\0' && f->found[0] != '\0' && strstr(f->found, "null") == NULL &&
	  strstr(f->expected, "null") == NULL);
	++*(size_t *)ctx;
	return cv_fail(e, CV_R_CANCELLED, "enough");
}

/* One change to a request that matches; what is said about it. */
static const struct {
	const char *from, *to, *says;
} changes[] = {
	/* none of these is a difference */
	{ "s3cret", "other", "" },
	{ "\"config\": \"" D3 "\"", "\"manifest\": \"" D2 "\", \"index\": \"" D1 "\"", "" },
	{ ", \"platform\": \"linux/amd64\"", "", "" },
	{ "1000 } }", "67108864 } }", "" },
	{ "\"env\": {", "\"env\": { \"TZ\": \"UTC\",", "" },
	{ "\"egress\": [\"crm.example:443\"]", "\"egress\": []", "" },
	{ "\"binds\"", "\"namespaces\": [\"pid\"], \"devices\": [\"/dev/kvm\"], \"binds\"", "" },
	{ "\"schema\"", "\"agent\": \"bot\", \"schema\"", "" },
	{ "\"schema\"",
	  "\"artifacts\": {\"runtime\": {\"type\": \"image\", \"digest\": \"" D2
	  "\"}, \"llm\": {\"type\": \"model\", \"digest\": \"" D4 "\"}, \"pdf\": {\"type\": "
	  "\"skill\", \"digest\": \"" D5 "\"}, \"crm\": {\"type\": \"mcp-remote\", \"url\": "
	  "\"https://crm.example/\"}}, \"schema\"",
	  "" },
	/* the image */
	{ "\"config\": \"" D3 "\"", "\"config\": \"" D2 "\"",
	  "launch.image-mismatch image.config\n" },
	{ "\"config\": \"" D3 "\"", "\"manifest\": \"" D3 "\"",
	  "launch.image-mismatch image.manifest\n" },
	{ "\"config\": \"" D3 "\"", "\"index\": \"" D1 "\"", "launch.image-mismatch image\n" },
	{ "\"config\": \"" D3 "\"", "\"config\": \"" D3 "\", \"index\": \"" D2 "\"",
	  "launch.image-mismatch image.index\n" },
	{ "\"image\": { \"config\": \"" D3 "\" }, ", "", "launch.image-mismatch image\n" },
	{ "linux/amd64", "linux/arm64", "launch.set-mismatch platform\n" },
	{ "\"schema\"", "\"agent\": \"bob\", \"schema\"", "launch.set-mismatch agent\n" },
	{ "\"schema\"",
	  "\"artifacts\": {\"runtime\": {\"type\": \"image\", \"digest\": \"" D2 "\"}}, \"schema\"",
	  "launch.set-mismatch artifacts.crm\nlaunch.set-mismatch artifacts.llm\n"
	  "launch.set-mismatch artifacts.pdf\n" },
	/* what runs */
	{ "\"--x\"", "\"--y\"", "launch.set-mismatch command\n" },
	{ "\"command\": [\"serve\", \"--x\"], ", "", "launch.set-mismatch command\n" },
	{ "\"schema\"", "\"entrypoint\": [], \"schema\"", "launch.set-mismatch entrypoint\n" },
	{ "\"user\": \"1000\", ", "", "launch.set-mismatch user\n" },
	{ "\"1000\"", "\"0\"", "launch.set-mismatch user\n" },
	{ "\"/work\"", "\"/\"", "launch.set-mismatch workdir\n" },
	/* places */
	{ "\"/models/llm\": \"" D4 "\"", "\"/models/llm\": \"" D5 "\"",
	  "launch.set-mismatch mounts./models/llm\n" },
	{ "\"/models/llm\": \"" D4 "\", ", "", "launch.set-mismatch mounts./models/llm\n" },
	{ "\"mounts\": {", "\"mounts\": { \"/x\": \"" D1 "\",", "launch.set-mismatch mounts./x\n" },
	{ "\"/tmp\": {", "\"/tmp2\": {", "launch.set-mismatch writable./tmp2\n" },
	{ "1000 } }", "67108865 } }", "launch.set-mismatch writable./tmp\n" },
	{ ", \"size\": 1000", "", "launch.set-mismatch writable./tmp\n" },
	{ "\"tmpfs\"", "\"volume\"", "launch.set-mismatch writable./tmp\n" },
	/* environment */
	{ "\"MODE\": \"prod\"", "\"MODE\": \"dev\"", "launch.set-mismatch env.MODE\n" },
	{ "\"MODE\": \"prod\", ", "", "launch.set-mismatch env.MODE\n" },
	{ "/home/me", "/root", "launch.set-mismatch env.HOME\n" },
	{ "\"env\": {", "\"env\": { \"LD_PRELOAD\": \"/x\",",
	  "launch.set-mismatch env.LD_PRELOAD\n" },
	/* at most */
	{ "2147483648", "2147483649", "launch.set-mismatch limits.memory\n" },
	{ "\"memory\": 2147483648, ", "", "launch.set-mismatch limits.memory\n" },
	{ "1000, \"pids\"", "1501, \"pids\"", "launch.set-mismatch limits.cpus\n" },
	{ "\"pids\": 64", "\"pids\": 0", "launch.set-mismatch limits.pids\n" },
	{ "\"capabilities\": []", "\"capabilities\": [\"CAP_SYS_ADMIN\"]",
	  "launch.set-mismatch capabilities\n" },
	{ "crm.example:443\"]", "crm.example:80\"]", "launch.set-mismatch egress\n" },
	{ "\"schema\"", "\"secrets\": [\"OTHER\"], \"schema\"", "launch.set-mismatch secrets\n" },
	/* what undoes the sandbox */
	{ "\"read_only_root\": true", "\"read_only_root\": false",
	  "launch.set-mismatch read_only_root\n" },
	{ ",\n  \"read_only_root\": true", "", "launch.set-mismatch read_only_root\n" },
	{ "\"schema\"", "\"privileged\": true, \"schema\"", "launch.privileged privileged\n" },
	{ "\"schema\"", "\"namespaces\": [\"net\"], \"schema\"",
	  "launch.host-namespace namespaces\n" },
	{ "\"schema\"", "\"devices\": [\"/dev/mem\"], \"schema\"", "launch.device devices\n" },
	{ "\"/srv/a\"", "\"/srv/z\"", "launch.set-mismatch binds\n" },
	{ "\"/srv/a\"", "\"/var/run/docker.sock\"",
	  "launch.docker-socket binds\nlaunch.set-mismatch binds\n" },
	{ "\"source\": \"/srv/a\", \"target\": \"/a\", \"readonly\": true",
	  "\"source\": \"/srv/b\", \"target\": \"/b\", \"readonly\": false",
	  "launch.writable-code binds\nlaunch.set-mismatch binds\n" },
};

static void
compared(void)
{
	struct cv_launchset *set = make(agent_text);
	struct cv_buf out = CV_BUF(65536), said = CV_BUF(65536);
	struct cv_err e;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct cv_launchset *req;

		t_edit(&out, request_text, changes[i].from, changes[i].to);
		req = request(cv_buf_text(&out));
		cv_buf_reset(&said);
		T_OK(cv_launchset_compare(set, req, NULL, collect, &said, &e), e);
		if (strcmp(cv_buf_text(&said), changes[i].says) != 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: \"%s\", want \"%s\"", changes[i].from,
			       changes[i].to, cv_buf_text(&said), changes[i].says);
		/* whoever has heard enough hears no more */
		if (said.n > 0) {
			size_t heard = 0;

			T_NO(cv_launchset_compare(set, req, NULL, give_up, &heard, &e), e,
			     CV_R_CANCELLED);
			T_INT(heard, 1);
		}
		cv_launchset_free(&req);
	}
	cv_launchset_free(&set);
	cv_buf_free(&out);
	cv_buf_free(&said);
}

/* Of any launch, nothing at all is not it. */
static void
silence(void)
{
	struct cv_launchset *set = make(agent_text);
	struct cv_launchset *req = request("{\"schema\":\"clawverify.launch-request/1\"}");
	struct cv_buf said = CV_BUF(65536);
	struct cv_err e;

	T_OK(cv_launchset_compare(set, req, NULL, collect, &said, &e), e);
	T_HAS(cv_buf_text(&said), "launch.image-mismatch image\n");
	T_HAS(cv_buf_text(&said), "mounts./models/llm\n");
	T_HAS(cv_buf_text(&said), "env.MODE\n");
	T_HAS(cv_buf_text(&said), "env.HOME\n");
	T_HAS(cv_buf_text(&said), "limits.memory\n");
	cv_launchset_free(&set);
	cv_launchset_free(&req);
	cv_buf_free(&said);
}

/* What the set holds is asked of the policy again. */
static void
policy_again(void)
{
	const char *text = "{\"schema\":\"clawverify.policy/1\",\"name\":\"p\",\"launch\":{"
			   "\"allow\":[\"writable-code\",\"host-namespace:pid\"],"
			   "\"limits\":{\"memory\":\"1GiB\"}}}";
	struct cv_launchset *set = make(agent_text), *req;
	struct cv_buf out = CV_BUF(65536), said = CV_BUF(65536);
	struct cv_policy *p = NULL;
	struct cv_err e;

	T_OK(cv_policy_parse(&p, "p", cv_span_str(text), -1, &e), e);
	t_edit(&out, request_text, "\"schema\"",
	       "\"namespaces\": [\"pid\", \"ipc\", \"net\"], \"devices\": [\"/dev/kvm\"], "
	       "\"privileged\": true, \"schema\"");
	req = request(cv_buf_text(&out));
	T_OK(cv_launchset_compare(set, req, p, collect, &said, &e), e);
	T_STR(cv_buf_text(&said), "launch.privileged \nlaunch.host-namespace \n"
				  "launch.host-namespace \nlaunch.device \nlaunch.limits \n");
	cv_policy_free(&p);
	cv_launchset_free(&set);
	cv_launchset_free(&req);
	cv_buf_free(&out);
	cv_buf_free(&said);
}

static void
requests(void)
{
	struct cv_launchset *s = NULL;
	struct cv_buf out = CV_BUF(65536);
	struct cv_err e;

	T_NO(cv_launchreq_parse(&s, "request", cv_span_str("{"), &e), e, CV_R_MALFORMED);
	T_NO(cv_launchreq_parse(&s, "request",
				t_edit(&out, request_text, "\"limits\"", "\"limit\""), &e),
	     e, CV_R_MALFORMED);
	T_HAS(e.text, "request:6:3: ");
	T_HAS(e.text, "did you mean \"limits\"");
	T_NO(cv_launchreq_parse(
		     &s, "request",
		     t_edit(&out, request_text, "{ \"schema\"", "{ \"command\": [], \"schema\""),
		     &e),
	     e, CV_R_MALFORMED);
	T_NO(cv_launchreq_parse(&s, "request",
				t_edit(&out, request_text, "\"readonly\": true", "\"readonly\": 1"),
				&e),
	     e, CV_R_MALFORMED);
	cv_buf_free(&out);
}

static void
sockets(void)
{
	static const char *const yes[] = {
		"/",
		"/var",
		"/run",
		"/var/run",
		"/run/docker",
		"/var/run/docker.sock",
		"/proc",
		"/proc/1/root",
		"/proc/self/root/run",
		"/run/docker.sock",
		"/run/user",
		"/run/user/1000",
		"/run/podman/podman.sock",
		"/home/me/docker.sock",
		"/run/containerd",
		"/run/containerd/containerd.sock",
	};
	static const char *const no[] = { "/srv",      "/var/lib/x", "/run/x",           "/runx",
					  "/var/runx", "/var/run/x", "/run/docker.sock2" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!cv_launch_socket(yes[i]))
			t_fail(__FILE__, __LINE__, "%s shows a socket", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (cv_launch_socket(no[i]))
			t_fail(__FILE__, __LINE__, "%s shows no socket", no[i]);
}

static const struct t_case cases[] = {
	{ "made from an agent, in its one form", canonical },
	{ "the digest covers what a launch is bound by", digest_covers },
	{ "what is not resolved makes no set", not_made },
	{ "another writing is no launch set", other_writings },
	{ "each difference is found, and no other", compared },
	{ "silence is no agreement", silence },
	{ "policy is asked again", policy_again },
	{ "requests are read strictly", requests },
	{ "container engines' sockets", sockets },
};
T_MAIN(cases)
