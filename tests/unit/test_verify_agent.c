/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_agent.c: agent.json: what is refused and where, what is read. */
#include "tests/support/edit.h"
#include "tests/support/t.h"
#include "verify/agent.h"

#include <stdlib.h>

#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char good[] =
	"// an agent\n"
	"{\n"
	"  \"schema\": \"clawverify.agent/1\",\n"
	"  \"name\": \"invoice-agent\",\n"
	"  \"policy\": \"policy.json\",\n"
	"  \"x-team\": \"billing\",\n"
	"  \"artifacts\": {\n"
	"    \"runtime\": { \"type\": \"image\", \"ref\": \"registry.example/acme/agent:1.4\", "
	"\"platform\": \"linux/amd64\" },\n"
	"    \"base\": { \"type\": \"image\", \"ref\": \"oci-layout:images/base:v1@sha256:" D64
	"\" },\n"
	"    \"llm\": { \"type\": \"model\", \"path\": \"models/llm\", \"files\": "
	"[\"*.safetensors\", \"*.json\"],\n"
	"      \"evidence\": [ { \"kind\": \"bundle\", \"path\": \"models/llm.sigstore.json\" } ] "
	"},\n"
	"    \"fs-tools\": { \"type\": \"mcp\", \"url\": \"https://tools.example/fs.tgz\", "
	"\"digest\": \"sha256:" D64 "\", \"tools\": [\"read_file\"] },\n"
	"    \"x-ray\": { \"type\": \"skill\", \"path\": \"skills/x\" },\n"
	"    \"prompt\": { \"type\": \"prompt\", \"path\": \"system.md\" },\n"
	"    \"crm\": { \"type\": \"mcp-remote\", \"url\": \"https://crm.example/\" },\n"
	"    \"big\": { \"type\": \"model-hosted\", \"url\": \"https://llm.example/v1\" },\n"
	"  },\n"
	"  \"launch\": {\n"
	"    \"image\": \"runtime\",\n"
	"    \"command\": [\"serve\", \"\", \"serve\"],\n"
	"    \"workdir\": \"/work\",\n"
	"    \"user\": \"1000:1000\",\n"
	"    \"env\": { \"MODE\": \"prod\", \"HOME\": { \"prefix\": \"/home/\" }, "
	"\"TZ\": { \"free\": true } },\n"
	"    \"mounts\": { \"/models/llm\": \"llm\", \"/skills/x\": \"x-ray\" },\n"
	"    \"writable\": { \"/tmp\": { \"kind\": \"tmpfs\", \"size\": \"64MiB\" }, "
	"\"/data\": { \"kind\": \"volume\" } },\n"
	"    \"network\": [\"crm.example:443\"],\n"
	"    \"limits\": { \"memory\": \"2GiB\", \"cpus\": \"1.5\", \"pids\": 100 },\n"
	"    \"capabilities\": [\"CAP_NET_BIND_SERVICE\"],\n"
	"    \"secrets\": [\"CRM_TOKEN\"],\n"
	"    \"devices\": [\"/dev/kvm\"],\n"
	"    \"namespaces\": [\"ipc\"],\n"
	"    \"binds\": [ { \"source\": \"/srv/in\", \"target\": \"/in\" } ],\n"
	"  },\n"
	"}\n";

struct bad {
	const char *from, *to; /* the one change */
	const char *place;     /* "LINE:COLUMN", or "" */
	const char *says;
};

static const struct bad bads[] = {
	/* the document */
	{ "clawverify.agent/1", "clawverify.agent/2", "3:13", "want \"clawverify.agent/1\"" },
	{ "  \"schema\": \"clawverify.agent/1\",\n", "", "2:1", "found no \"schema\"" },
	{ "\"name\": \"invoice-agent\"", "\"name\": \"a\",\n\"name\": \"b\"", "5:1", "name" },
	{ "\"name\": \"invoice-agent\"", "\"nmae\": \"a\"", "4:3", "did you mean \"name\"" },
	{ "\"name\": \"invoice-agent\"", "\"name\": 7", "4:11", "want a string" },
	{ "\"name\": \"invoice-agent\"", "\"name\": \"Invoice\"", "4:11", "want at most 64" },
	{ "\"name\": \"invoice-agent\"", "\"name\": \"\"", "4:11", "empty" },
	{ "\"name\": \"invoice-agent\",\n", "", "2:1", "found no \"name\"" },
	{ "\"policy.json\"", "\"../policy.json\"", "5:13", "\"..\"" },
	{ "\"policy.json\"", "\"preset:stirct\"", "5:13", "preset:strict" },
	{ "}\n", "}\n{}", "", "" },
	{ "\"clawverify.agent/1\"", "1", "3:13", "want a string" },
	/* artifacts */
	{ "\"runtime\": {", "\"Run\": {", "8:5", "artifact name" },
	{ "\"type\": \"image\", \"ref\": \"reg", "\"type\": \"imgae\", \"ref\": \"reg", "8:26",
	  "did you mean \"image\"" },
	{ "\"type\": \"image\", \"ref\": \"reg", "\"ref\": \"reg", "8:16", "\"type\"" },
	{ "registry.example/acme/agent:1.4", "agent:1.4", "8:42", "agent" },
	{ "registry.example/acme/agent:1.4", "Registry.example/acme/agent", "8:42", "" },
	{ "oci-layout:images/base", "oci-layout:../base", "9:39", "\"..\"" },
	{ "\"linux/amd64\"", "\"linux\"", "8:89", "linux/amd64" },
	{ "\"platform\": \"linux/amd64\"", "\"digest\": \"sha256:abc\"", "8:87", "64 lower-case" },
	{ "\"path\": \"models/llm\",", "", "10:12", "does not say where" },
	{ "\"path\": \"models/llm\",", "\"path\": \"m\", \"url\": \"https://a.example/m\",",
	  "10:12", "has 2 of" },
	{ "\"path\": \"models/llm\",", "\"ref\": \"registry.example/m:1\",", "10:38",
	  "want \"path\"" },
	{ "\"path\": \"models/llm\",", "\"path\": \"/models/llm\",", "10:39", "absolute" },
	{ "\"path\": \"models/llm\",", "\"path\": \"models//llm\",", "10:39", "empty component" },
	{ "\"*.safetensors\", \"*.json\"", "\"*.json\", \"*.json\"", "10:73", "twice" },
	{ "[\"*.safetensors\", \"*.json\"]", "[]", "10:62", "empty list" },
	{ "\"kind\": \"bundle\"", "\"kind\": \"bundel\"", "11:31", "did you mean \"bundle\"" },
	{ "\"path\": \"models/llm.sig", "\"path\": \"/models/llm.sig", "11:49", "absolute" },
	{ ", \"digest\": \"sha256:" D64 "\", \"tools\"", ", \"tools\"", "12:17", "no \"digest\"" },
	{ "https://tools", "http://tools", "12:41", "https" },
	{ "https://tools.example", "https://me@tools.example", "12:41", "user name" },
	{ "https://tools.example/fs.tgz", "https:///fs.tgz", "12:41", "no host" },
	{ "https://tools.example/fs.tgz", "https://tools.example/f s.tgz", "12:41", "%XX" },
	{ "https://tools.example/fs.tgz", "https://tools.example/fs.tgz#x", "12:41", "fragment" },
	{ "\"digest\": \"sha256:" D64 "\"", "\"digest\": \"sha512:" D64 D64 "\"", "12:83",
	  "want sha256" },
	{ "\"digest\": \"sha256:" D64 "\"", "\"digest\": \"SHA256:" D64 "\"", "12:83", "64" },
	{ "\"type\": \"skill\"", "\"type\": \"skill\", \"files\": [\"*\"]", "13:33", "files" },
	{ "\"type\": \"mcp-remote\"", "\"type\": \"mcp-remote\", \"digest\": \"x\"", "15:36",
	  "digest" },
	{ "\"url\": \"https://crm.example/\"", "\"path\": \"crm\"", "15:44", "want \"url\"" },
	/* launch */
	{ "\"image\": \"runtime\"", "\"image\": \"llm\"", "19:14", "want an image" },
	{ "\"image\": \"runtime\"", "\"image\": \"none\"", "19:14", "name of an artifact" },
	{ "    \"image\": \"runtime\",\n", "", "18:13", "\"image\"" },
	{ "\"workdir\": \"/work\"", "\"workdir\": \"work\"", "21:16", "not absolute" },
	{ "\"workdir\": \"/work\"", "\"wordkir\": \"/work\"", "21:5", "did you mean" },
	{ "\"1000:1000\"", "\"-u root\"", "22:13", "want a user" },
	{ "\"1000:1000\"", "\"1:2:3\"", "22:13", "want a user" },
	{ "\"MODE\"", "\"MO=DE\"", "23:14", "letters, digits" },
	{ "\"MODE\": \"prod\"", "\"MODE\": 1", "23:22", "want its value" },
	{ "{ \"prefix\": \"/home/\" }", "{ }", "23:38", "neither" },
	{ "{ \"prefix\": \"/home/\" }", "{ \"prefix\": \"/h\", \"free\": true }", "23:38", "both" },
	{ "{ \"prefix\": \"/home/\" }", "{ \"prefix\": \"\" }", "23:50", "empty" },
	{ "{ \"free\": true }", "{ \"free\": false }", "", "want true" },
	{ "\"/models/llm\": \"llm\"", "\"models/llm\": \"llm\"", "24:17", "absolute" },
	{ "\"/models/llm\": \"llm\"", "\"/models/../llm\": \"llm\"", "24:17", "\"..\"" },
	{ "\"/models/llm\": \"llm\"", "\"/\": \"llm\"", "24:17", "root" },
	{ "\"/models/llm\": \"llm\"", "\"/proc/x\": \"llm\"", "24:17", "kernel" },
	{ "\"/models/llm\": \"llm\"", "\"/models/llm\": \"runtime\"", "24:32", "files to mount" },
	{ "\"/models/llm\": \"llm\"", "\"/models/llm\": \"crm\"", "24:32", "files to mount" },
	{ "\"/models/llm\": \"llm\"", "\"/skills\": \"llm\"", "", "hold one another" },
	{ "\"/models/llm\": \"llm\"", "\"/skills\": \"llm\", \"/skills-x\": \"prompt\"", "",
	  "\"/skills/x\" below \"/skills\"" },
	{ ", \"size\": \"64MiB\"", "", "25:27", "no \"size\"" },
	{ "\"64MiB\"", "\"64MB\"", "25:54", "512MiB" },
	{ "\"64MiB\"", "0", "25:54", "at least 1" },
	{ "\"/tmp\"", "\"/models/llm\"", "25:19", "in one" },
	{ "\"tmpfs\"", "\"disk\"", "25:37", "tmpfs" },
	{ "\"crm.example:443\"", "\"crm.example\"", "26:17", "host:port" },
	{ "\"crm.example:443\"", "\"*.example:443\"", "26:17", "host" },
	{ "\"crm.example:443\"", "\"crm.example:0\"", "26:17", "port" },
	{ "\"memory\": \"2GiB\"", "\"memory\": \"2G\"", "27:27", "512MiB" },
	{ "\"memory\": \"2GiB\"", "\"memory\": 1", "27:27", "found 1 bytes, want 6MiB" },
	{ "\"memory\": \"2GiB\"", "\"memory\": \"5MiB\"", "27:27", "want 6MiB" },
	{ "\"memory\": \"2GiB\"", "\"memory\": \"1025TiB\"", "27:27", "to 1024TiB" },
	{ "\"memory\": \"2GiB\"", "\"memory\": 1152921504606846976", "27:27", "to 1024TiB" },
	{ "[\"serve\", \"\", \"serve\"]", "[]", "20:16", "want at least one word" },
	{ "\"command\": [\"serve\", \"\", \"serve\"]", "\"entrypoint\": []", "20:19",
	  "nothing would run" },
	{ "\"cpus\": \"1.5\"", "\"cpus\": \"1,5\"", "27:43", "1.5" },
	{ "\"cpus\": \"1.5\"", "\"cpus\": 1.5", "27:43", "" },
	{ "\"pids\": 100", "\"pids\": 0", "27:58", "at least 1" },
	{ "\"pids\": 100", "\"pids\": -1", "27:58", "" },
	{ "\"CAP_NET_BIND_SERVICE\"", "\"CAP_ALL\"", "28:22", "CAP_" },
	{ "\"CAP_NET_BIND_SERVICE\"", "\"NET_BIND_SERVICE\"", "28:22", "CAP_" },
	{ "\"CRM_TOKEN\"", "\"MODE\"", "29:17", "in one" },
	{ "\"CRM_TOKEN\"", "\"A B\"", "29:17", "letters, digits" },
	{ "\"/dev/kvm\"", "\"/etc/kvm\"", "30:17", "below /dev" },
	{ "\"/dev/kvm\"", "\"/dev/kvm:rwm\"", "30:17", "':'" },
	{ "[\"/dev/kvm\"]", "\"/dev/kvm\"", "30:16", "want an array" },
	{ "[\"crm.example:443\"]", "{}", "26:16", "want an array" },
	{ "\"namespaces\"", "\"read_only_root\": \"no\", \"namespaces\"", "31:23", "boolean" },
	{ "\"namespaces\"", "\"privileged\": 1, \"namespaces\"", "31:19", "boolean" },
	{ "[\"ipc\"]", "[\"pidd\"]", "31:20", "did you mean \"pid\"" },
	{ "[\"ipc\"]", "[\"pid\", \"pid\"]", "31:27", "twice" },
	{ "\"/srv/in\"", "\"srv/in\"", "32:28", "absolute" },
	{ "\"target\": \"/in\"", "\"target\": \"/tmp\"", "32:49", "twice" },
	{ "\"target\": \"/in\"", "\"target\": \"/models/llm\"", "32:49", "twice" },
};

static void
refused(void)
{
	struct cv_buf out = CV_BUF(65536);

	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct cv_agent *a = NULL;
		char place[64];
		struct cv_err e = { 0 };

		if (cv_agent_parse(&a, "agent.json", t_edit(&out, good, bads[i].from, bads[i].to),
				   &e) == 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: was accepted", bads[i].from,
			       bads[i].to);
		T(a == NULL);
		if (e.reason != CV_R_CONFIG)
			t_fail(__FILE__, __LINE__, "%s -> %s: %s: %s", bads[i].from, bads[i].to,
			       cv_reason_word(e.reason), e.text);
		snprintf(place, sizeof(place), "agent.json:%s%s", bads[i].place,
			 bads[i].place[0] != '\0' ? ": " : "");
		if (strncmp(e.text, place, strlen(place)) != 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: \"%s\", want it at %s", bads[i].from,
			       bads[i].to, e.text, place);
		T_HAS(e.text, bads[i].says);
	}
	cv_buf_free(&out);
}

static struct cv_agent *
parse(const char *text)
{
	struct cv_agent *a = NULL;
	struct cv_err e;

	T_OK(cv_agent_parse(&a, "agent.json", cv_span_str(text), &e), e);
	return a;
}

static void
read_all(void)
{
	struct cv_agent *a = parse(good);
	const struct cv_artifact *x;
	char text[CV_DIGEST_TEXT];

	T_STR(a->name, "invoice-agent");
	T_STR(a->policy, "policy.json");
	T_INT(a->nartifacts, 8);
	for (size_t i = 1; i < a->nartifacts; i++)
		T(strcmp(a->artifacts[i - 1].name, a->artifacts[i].name) < 0);
	x = cv_agent_find(a, "runtime");
	T(x != NULL && x->type == CV_A_IMAGE && x->origin == CV_O_REGISTRY);
	T_STR(x->asked, "registry.example/acme/agent:1.4");
	T_STR(x->source, "registry.example/acme/agent");
	T_STR(x->tag, "1.4");
	T_STR(x->platform, "linux/amd64");
	T_INT(x->digest.alg, CV_ALG_NONE);
	T_INT(x->pos.line, 8);
	x = cv_agent_find(a, "base");
	T(x->origin == CV_O_LAYOUT);
	T_STR(x->path, "images/base");
	T_STR(x->source, "oci-layout:images/base");
	T_STR(cv_digest_text(&x->digest, text), "sha256:" D64);
	x = cv_agent_find(a, "llm");
	T(x->origin == CV_O_PATH && x->nevidence == 1 && x->files.n == 2);
	T_INT(x->evidence[0].kind, CV_EV_BUNDLE);
	x = cv_agent_find(a, "fs-tools");
	T(x->origin == CV_O_URL && x->digest.alg == CV_SHA256 && x->tools.n == 1);
	x = cv_agent_find(a, "crm");
	T(x->origin == CV_O_REMOTE && !cv_artifact_covered(x));
	T(cv_agent_find(a, "none") == NULL);
	cv_agent_free(&a);
	T(a == NULL);
}

static void
read_launch(void)
{
	struct cv_agent *a = parse(good);
	const struct cv_launch *l = &a->launch;

	T(a->has_launch && l->image == cv_agent_find(a, "runtime"));
	T(l->has_command && !l->has_entrypoint && l->command.n == 3);
	T_STR(l->command.v[1].text, "");
	T_INT(l->nenv, 3);
	T_STR(l->env[0].name, "HOME");
	T(l->env[0].rule == CV_PREFIX && l->env[1].rule == CV_BOUND && l->env[2].rule == CV_FREE);
	T_INT(l->nmounts, 2);
	T(l->mounts[1].artifact == cv_agent_find(a, "x-ray"));
	T_INT(l->nwritable, 2);
	T_INT(l->writable[1].size, 64 << 20);
	T_INT(l->limits.memory, 2ll << 30);
	T_INT(l->limits.cpus, 1500);
	T_INT(l->limits.pids, 100);
	T(l->read_only_root && !l->privileged);
	T_INT(l->namespaces, 1 << CV_NS_IPC);
	T(l->nbinds == 1 && l->binds[0].readonly);
	cv_agent_free(&a);
}

/* What the lock is bound to: not remarks, policy and evidence; all else. */
static void
canonical(void)
{
	static const struct {
		const char *from, *to;
		bool same;
	} t[] = {
		{ "// an agent\n", "/* an\n agent */", true },
		{ "\"x-team\": \"billing\"", "\"$comment\": [1, 2]", true },
		{ "\"policy.json\"", "\"preset:strict\"", true },
		{ "llm.sigstore.json", "other.json", true },
		{ "\"files\": [", "\"x-note\": {}, \"files\": [", true },
		{ "\"command\"", "\"x-a\": 1, \"command\"", true },
		{ "agent:1.4", "agent:1.5", false },
		{ "\"skills/x\"", "\"skills/y\"", false }, /* the artifact "x-ray" counts */
		{ "\"skill\"", "\"file\"", false },
		{ "\"prod\"", "\"dev\"", false },
		{ "[\"serve\", \"\", \"serve\"]", "[\"\", \"serve\", \"serve\"]", false },
		{ "\"/in\"", "\"/in2\"", false },
		{ "\"read_file\"", "\"write_file\"", false },
	};
	struct cv_buf out = CV_BUF(65536);
	struct cv_agent *a = parse(good);

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct cv_agent *b = NULL;
		struct cv_err e;

		T_OK(cv_agent_parse(&b, "b", t_edit(&out, good, t[i].from, t[i].to), &e), e);
		if (cv_digest_eq(&a->digest, &b->digest) != t[i].same)
			t_fail(__FILE__, __LINE__, "%s -> %s: digest", t[i].from, t[i].to);
		cv_agent_free(&b);
	}
	cv_agent_free(&a);
	cv_buf_free(&out);
}

static int
collect(void *ctx, const char *what, const char *why, struct cv_jpos pos, struct cv_err *e)
{
	(void)e;
	T(why[0] != '\0' && pos.line > 0);
	cv_buf_fmt(ctx, "%s\n", what);
	return 0;
}

static int
give_up(void *ctx, const char *what, const char *why, struct cv_jpos pos, struct cv_err *e)
{
	(void)ctx, (void)what, (void)why, (void)pos;
	return cv_fail(e, CV_R_CANCELLED, "enough");
}

static void
uncovered(void)
{
	struct cv_agent *a = parse(good);
	struct cv_buf out = CV_BUF(4096);
	struct cv_err e;

	T_OK(cv_agent_uncovered(a, collect, &out, &e), e);
	T_STR(cv_buf_text(&out), "model-hosted:big\nmcp-remote:crm\negress:crm.example:443\n"
				 "writable:/data\nsecret:CRM_TOKEN\nbind:/srv/in\n");
	T_NO(cv_agent_uncovered(a, give_up, NULL, &e), e, CV_R_CANCELLED);
	cv_buf_free(&out);
	cv_agent_free(&a);
}

static void
defaults(void)
{
	struct cv_agent *a =
		parse("{\"schema\":\"clawverify.agent/1\",\"name\":\"a\",\"artifacts\":"
		      "{\"i\":{\"type\":\"image\",\"ref\":\"localhost:5000/a\"}},"
		      "\"launch\":{\"image\":\"i\"}}");

	T_STR(a->policy, "preset:strict");
	T(a->launch.read_only_root && a->launch.egress.n == 0 && !a->launch.has_command);
	T(a->launch.workdir == NULL && a->launch.user == NULL);
	cv_agent_free(&a);
}

static void
files(void)
{
	char path[512];
	struct cv_agent *a = NULL;
	struct cv_err e;

	snprintf(path, sizeof(path), "%s/agent.json", t_tmpdir());
	T_NO(cv_agent_load(&a, path, &e), e, CV_R_CONFIG);
	T_HAS(e.text, "no such file");
	t_write_file(path, good, sizeof(good) - 1);
	T_OK(cv_agent_load(&a, path, &e), e);
	cv_agent_free(&a);
	T_NO(cv_agent_load(&a, t_tmpdir(), &e), e, CV_R_CONFIG);
}

static void
too_big(void)
{
	size_t n = (1 << 20) + 1;
	char *text = malloc(n);
	struct cv_agent *a = NULL;
	struct cv_err e;

	T(text != NULL);
	memset(text, ' ', n);
	T_NO(cv_agent_parse(&a, "a", cv_span(text, n), &e), e, CV_R_CONFIG);
	T_HAS(e.text, "1048577");
	memset(text, '[', 200);
	T_NO(cv_agent_parse(&a, "a", cv_span(text, 200), &e), e, CV_R_CONFIG);
	T_HAS(e.text, "a:1:65");
	free(text);
}

static const struct t_case cases[] = {
	{ "every single mistake is refused at its place", refused },
	{ "artifacts are read", read_all },
	{ "the launch is read", read_launch },
	{ "the digest covers what the agent is", canonical },
	{ "what cannot be known is listed", uncovered },
	{ "defaults are the safe ones", defaults },
	{ "loading from a path", files },
	{ "size and depth", too_big },
};
T_MAIN(cases)
