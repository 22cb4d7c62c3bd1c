/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_policy.c: policy.json: what is refused and where, presets, keys. */
#include "tests/support/edit.h"
#include "tests/support/t.h"
#include "trust/base/checks.h"
#include "verify/embed.h"
#include "verify/policy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define B     "-----BEGIN PUBLIC KEY-----"
#define E     "-----END PUBLIC KEY-----"
#define KEY_A "MCowBQYDK2VwAyEAUhB+k4e2Mia+C1YLmN9yi8fbj6vyr/7uzs1AwVyUx20="
#define KEY_B                                                                                      \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnkyVNZ2g2Vr8tAuUfuZ7ss6S1goD"                         \
	"Ef/O8DEaGQ5YUs0pft25XxZ+414wwy+wYrC4Tn9qJqQ2yBN8vTx7J8YYiA=="
#define PEM_A B "\\n" KEY_A "\\n" E "\\n"

static const char good[] =
	"{ // what production wants\n"
	"  \"schema\": \"clawverify.policy/1\",\n"
	"  \"name\": \"production\", \"version\": 3, \"expires\": \"2027-03-31\",\n"
	"  \"extends\": \"preset:strict\",\n"
	"  \"valid_for\": \"12h\",\n"
	"  \"signers\": {\n"
	"    \"acme\": { \"description\": \"release key\", \"keys\": [\"" PEM_A "\"] },\n"
	"    \"ops\": { \"keys\": [\"" B KEY_B E "\"] },\n"
	"  },\n"
	"  \"endorsers\": [\"ops\"],\n"
	"  \"rules\": [\n"
	"    { \"name\": \"images\", \"match\": { \"type\": \"image\", \"source\": "
	"\"registry.example/acme/*\" },\n"
	"      \"basis\": [\"signed\"], \"signed_by\": [\"acme\", \"ops\"], \"threshold\": 2,\n"
	"      \"attestations\": [ { \"predicate_type\": \"https://slsa.dev/provenance/v1\" } ],\n"
	"      \"checks\": { \"image.duplicate-entry\": \"advisory\" },\n"
	"      \"sbom\": { \"max_index_age\": \"5d\" } },\n"
	"    { \"name\": \"tools\", \"match\": { \"type\": [\"mcp\", \"skill\"] },\n"
	"      \"basis\": [\"endorsed\", \"pinned\"], \"scripts\": \"allow\" },\n"
	"  ],\n"
	"  \"default\": \"reject\",\n"
	"  \"checks\": { \"lock.tag-moved\": \"advisory\" },\n"
	"  \"uncovered\": { \"accept\": [\"egress:*.example:443\", \"secret\"] },\n"
	"  \"launch\": {\n"
	"    \"allow\": [\"device:/dev/kvm\"],\n"
	"    \"limits\": { \"memory\": \"4GiB\" },\n"
	"    \"network\": [\"*.example:443\"],\n"
	"  },\n"
	"}\n";

struct bad {
	const char *from, *to;
	const char *place; /* "LINE:COLUMN", or "" */
	const char *says;
};

static const struct bad bads[] = {
	{ "clawverify.policy/1", "clawverify.agent/1", "2:13", "want \"clawverify.policy/1\"" },
	{ "\"name\": \"production\", ", "", "1:1", "found no \"name\"" },
	{ "\"production\"", "\"Production\"", "3:11", "want at most 64" },
	{ "\"version\": 3", "\"version\": 0", "3:36", "from 1 on" },
	{ "\"basis\": [\"signed\"],", "\"annotations\": {},", "13:22", "want 1 to 32" },
	{ "\"basis\": [\"signed\"],", "\"annotations\": [\"a=b\"],", "13:22", "an object" },
	{ "\"basis\": [\"signed\"],", "\"annotations\": { \"a\": 1 },", "13:29", "string" },
	{ "\"basis\": [\"signed\"],", "\"annotations\": { \"\": \"b\" },", "13:28",
	  "without a name" },
	{ "\"basis\": [\"signed\"],",
	  "\"annotations\": { \"a\": \"b\" }, \"signature_types\": [\"x\"],", "13:22",
	  "no \"signature_types\"" },
	{ "\"scripts\": \"allow\"", "\"annotations\": { \"a\": \"b\" }", "18:55",
	  "\"type\": \"image\" alone" },
	{ "\"version\": 3", "\"version\": \"3\"", "3:36", "want an integer" },
	{ "\"2027-03-31\"", "\"2027-02-30\"", "3:50", "want a day" },
	{ "\"preset:strict\"", "\"strict\"", "4:14", "preset:strict" },
	{ "\"preset:strict\"", "\"preset:lax\"", "4:14", "preset:strict" },
	{ "\"12h\"", "\"12\"", "5:16", "\"24h\"" },
	{ "\"12h\"", "\"0h\"", "5:16", "\"24h\"" },
	{ "\"valid_for\": \"12h\"", "\"confinement\": \"none\"", "5:18", "best-effort" },
	{ "\"valid_for\": \"12h\"", "\"mode\": \"off\"", "5:11", "enforce" },
	{ "\"valid_for\"", "\"final\"", "5:3", "final" },
	{ "\"valid_for\": \"12h\"", "\"valid_for\": \"12h\", \"valid_for\": \"24h\"", "5:23", "" },
	/* keys */
	{ "\"acme\": {", "\"Acme\": {", "7:5", "signer name" },
	{ "\"keys\": [\"" PEM_A "\"]", "\"keys\": []", "7:53", "found 0 keys" },
	{ PEM_A, "", "7:54", "empty" },
	{ PEM_A, "-----BEGIN PRIVATE KEY-----\\n" KEY_A "\\n-----END PRIVATE KEY-----", "7:54",
	  "a private key" },
	{ PEM_A, "-----BEGIN CERTIFICATE-----\\n" KEY_A "\\n-----END CERTIFICATE-----", "7:54",
	  "a certificate" },
	{ PEM_A, PEM_A PEM_A, "7:54", "more than the one" },
	{ PEM_A, PEM_A "x", "7:54", "text around it" },
	{ PEM_A, B "\\nMCow\\n" E, "7:54", "SubjectPublicKeyInfo" },
	{ PEM_A, B "\\n" KEY_A "AAAA\\n" E, "7:54", "" },
	{ PEM_A, B "\\nMCowBQYDK2VwAyEAUhB!k4e2\\n" E, "7:54", "" },
	{ PEM_A, "acme.pub", "7:54", "want the key itself" },
	{ "\"" B KEY_B E "\"", "\"" PEM_A "\"", "8:23", "again in \"ops\"" },
	{ "\"" B KEY_B E "\"", "\"" B KEY_B E "\", \"" B "\\n" KEY_B E "\"", "", "twice" },
	{ "[\"ops\"]", "[\"opps\"]", "10:17", "did you mean \"ops\"" },
	/* rules */
	{ "\"name\": \"images\", ", "", "12:5", "\"name\"" },
	{ "\"name\": \"tools\"", "\"name\": \"images\"", "17:5", "twice" },
	{ "\"match\": { \"type\": [\"mcp\", \"skill\"] },",
	  "\"match\": { \"type\": \"image\", "
	  "\"source\": \"registry.example/acme/*\" },",
	  "17:5", "match the same" },
	{ "\"type\": \"image\"", "\"type\": \"images\"", "12:44", "did you mean \"image\"" },
	{ "[\"mcp\", \"skill\"]", "[]", "17:43", "empty list" },
	{ "[\"signed\"]", "[\"singed\"]", "13:17", "did you mean \"signed\"" },
	{ "[\"signed\"]", "[]", "13:16", "empty list" },
	{ "[\"acme\", \"ops\"]", "[]", "13:41", "empty list" },
	{ "[\"acme\", \"ops\"]", "[\"acme\", \"acme\"]", "13:50", "twice" },
	{ "\"threshold\": 2", "\"threshold\": 3", "13:71", "1 to 2" },
	{ "\"threshold\": 2", "\"threshold\": 0", "13:71", "1 to 2" },
	{ "\"signed_by\": [\"acme\", \"ops\"], ", "", "13:41", "of 0 signers" },
	{ "\"predicate_type\": \"https://slsa.dev/provenance/v1\"", "", "14:25",
	  "\"predicate_type\"" },
	{ "image.duplicate-entry", "image.duplicate-entri", "15:19",
	  "did you mean \"image.duplicate-entry\"" },
	{ "image.duplicate-entry", "image.traversal", "15:19", "cannot be made advisory" },
	{ "image.duplicate-entry", "sandbox.unavailable", "15:19", "\"confinement\"" },
	{ "\"advisory\"", "\"off\"", "15:44", "advisory" },
	{ "\"5d\"", "5", "16:34", "want a string" },
	{ "\"scripts\": \"allow\"", "\"scripts\": \"maybe\"", "18:51", "deny" },
	{ "\"scripts\": \"allow\"", "\"formats\": [\"pickle\"]", "18:52", "safetensors" },
	{ "\"scripts\": \"allow\"", "\"vulnerabilities\": \"ignore\"", "18:59", "list" },
	{ "\"scripts\": \"allow\"", "\"min_severity\": \"severe\"", "18:56", "high" },
	{ "\"scripts\": \"allow\"", "\"generations\": [\"old\"]", "18:56", "legacy" },
	{ "\"scripts\": \"allow\"", "\"subjects\": [\"layer\"]", "18:53", "manifest" },
	{ "\"reject\"", "\"allow\"", "20:14", "reject" },
	{ "\"egress:*", "\"egres:*", "22:29", "did you mean \"egress:*" },
	{ "\"secret\"", "\"*\"", "22:53", "mcp-remote" },
	{ "\"secret\"", "\"secret:\"", "22:53", "secret" },
	/* launch */
	{ "\"device:/dev/kvm\"", "\"privilegd\"", "24:15", "did you mean \"privileged\"" },
	{ "\"device:/dev/kvm\"", "\"device:kvm\"", "24:15", "device" },
	{ "\"device:/dev/kvm\"", "\"host-namespace:all\"", "24:15", "pid, net" },
	{ "\"device:/dev/kvm\"", "\"*\"", "24:15", "docker-socket" },
	{ "\"4GiB\"", "\"4GB\"", "25:27", "512MiB" },
	{ "\"*.example:443\"],\n  },", "\"https://a.example\"],\n  },", "26:17", "host:port" },
	{ "\"network\"", "\"egress\"", "26:5", "egress" },
	{ "\"network\": [\"*.example:443\"]", "\"required_controls\": [\"memroy\"]", "26:27",
	  "did you mean \"memory\"" },
	{ "\"network\": [\"*.example:443\"]", "\"capabilities\": [\"ALL\"]", "26:22", "CAP_" },
};

static void
refused(void)
{
	struct cv_buf out = CV_BUF(65536);
	int wrong = 0;

	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct cv_policy *p = NULL;
		char place[64];
		struct cv_err e = { 0 };

		if (cv_policy_parse(&p, "policy.json", t_edit(&out, good, bads[i].from, bads[i].to),
				    -1, &e) == 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: was accepted", bads[i].from,
			       bads[i].to);
		T(p == NULL);
		snprintf(place, sizeof(place), "policy.json:%s%s", bads[i].place,
			 bads[i].place[0] != '\0' ? ": " : "");
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

static struct cv_policy *
parse(const char *text)
{
	struct cv_policy *p = NULL;
	struct cv_err e;

	T_OK(cv_policy_parse(&p, "policy.json", cv_span_str(text), -1, &e), e);
	return p;
}

static void
read_all(void)
{
	struct cv_policy *p = parse(good);

	T_STR(p->name, "production");
	T_INT(p->version, 3);
	T(p->has_expires && p->expires == 1806451200);
	T_INT(p->valid_for, 12 * 3600);
	T(p->confinement_required && !p->audit); /* of the preset */
	T_INT(p->nsigners, 2);
	T_STR(p->signers[0].name, "acme");
	T(p->nendorsers == 1 && p->endorsers[0] == &p->signers[1]);
	T_INT(p->nown, 2);
	T(p->nrules > 2 && p->rules[2].preset);
	T_INT(p->rules[0].threshold, 2);
	T_INT(p->max.memory, 4ll << 30);
	T_INT(p->max.cpus, 16000); /* of the preset */
	T(p->has_capabilities && p->capabilities.n == 0);
	T_INT(p->required_controls, (1 << CV_CTL_COUNT) - 1);
	T(!p->external_keys);
	cv_policy_free(&p);
	T(p == NULL);
}

/* The identity of a key is its DER's, not its text's. */
static void
keys(void)
{
	struct cv_policy *p = parse(good), *q;
	struct cv_buf out = CV_BUF(65536);
	char text[CV_DIGEST_TEXT];

	T_STR(cv_digest_text(&p->signers[0].keys[0].id, text),
	      "sha256:dde1503fe1a5ce3a2e595e9c21832da377e66501d231a4b4bce33f5f3a499857");
	T_STR(p->signers[0].keys[0].pem, B "\n" KEY_A "\n" E "\n");
	t_edit(&out, good, PEM_A, B "\\r\\n" KEY_A "\\r\\n" E "\\r\\n\\n");
	q = parse(cv_buf_text(&out));
	T(cv_digest_eq(&p->digest, &q->digest));
	T_STR(q->signers[0].keys[0].pem, p->signers[0].keys[0].pem);
	cv_policy_free(&p);
	cv_policy_free(&q);
	cv_buf_free(&out);
}

static void
key_files(void)
{
	struct cv_buf out = CV_BUF(65536);
	struct cv_policy *p = NULL, *q = parse(good);
	const char *pem = B "\n" KEY_A "\n" E "\n";
	char path[512];
	struct cv_err e;

	t_edit(&out, good, PEM_A, "keys/acme.pub");
	snprintf(path, sizeof(path), "%s/policy.json", t_tmpdir());
	t_write_file(path, out.p, out.n);
	T_NO(cv_policy_load(&p, path, &e), e, CV_R_CONFIG);
	T_HAS(e.text, "policy.json:7:54: found \"keys/acme.pub\", but there is no such file");
	snprintf(path, sizeof(path), "%s/keys", t_tmpdir());
	T(mkdir(path, 0700) == 0);
	snprintf(path, sizeof(path), "%s/keys/acme.pub", t_tmpdir());
	t_write_file(path, pem, strlen(pem));
	snprintf(path, sizeof(path), "%s/policy.json", t_tmpdir());
	T_OK(cv_policy_load(&p, path, &e), e);
	T(p->external_keys);
	T(cv_digest_eq(&p->digest, &q->digest)); /* where a key came from is not what it is */
	cv_policy_free(&p);
	cv_policy_free(&q);
	/* another key in the same file is another policy */
	pem = B "\nMCowBQYDK2VwAyEAUhB+k4e2Mia+C1YLmN9yi8fbj6vyr/7uzs1AwVyUx2w=\n" E "\n";
	snprintf(path, sizeof(path), "%s/keys/acme.pub", t_tmpdir());
	t_write_file(path, pem, strlen(pem));
	snprintf(path, sizeof(path), "%s/policy.json", t_tmpdir());
	q = parse(good);
	T_OK(cv_policy_load(&p, path, &e), e);
	T(!cv_digest_eq(&p->digest, &q->digest));
	cv_policy_free(&p);
	cv_policy_free(&q);
	cv_buf_free(&out);
}

/* Every part of a policy is in its digest. */
static void
digest(void)
{
	static const struct {
		const char *from, *to;
		bool same;
	} t[] = {
		{ "// what production wants", "/* x */", true },
		{ "\"default\": \"reject\",", "", true },
		{ "\"version\": 3", "\"version\": 4", false },
		{ "2027-03-31", "2027-04-01", false },
		{ "preset:strict", "preset:standard", false },
		{ "12h", "13h", false },
		{ "[\"ops\"]", "[\"acme\"]", false },
		{ "[\"signed\"]", "[\"signed\", \"pinned\"]", false },
		{ "\"threshold\": 2", "\"threshold\": 1", false },
		{ "provenance/v1", "provenance/v0", false },
		{ "image.duplicate-entry", "image.device-node", false },
		{ "\"5d\"", "\"6d\"", false },
		{ "\"threshold\": 2", "\"threshold\": 2, \"annotations\": { \"a\": \"b\" }",
		  false },
		{ "\"allow\" }", "\"deny\" }", false },
		{ "{ \"type\": [\"mcp\", \"skill\"] }", "{ \"type\": [\"mcp\"] }", false },
		{ "{ \"type\": [\"mcp\", \"skill\"] }", "{ \"type\": [\"skill\", \"mcp\"] }",
		  true },
		{ "acme/*", "acme/**", false },
		{ "\"lock.tag-moved\": \"advisory\"", "\"lock.tag-moved\": \"required\"", false },
		{ "\"secret\"", "\"bind\"", false },
		{ "/dev/kvm", "/dev/fuse", false },
		{ "4GiB", "5GiB", false },
		{ "4GiB", "4096MiB", true },
		{ "    \"network\": [\"*.example:443\"],\n", "", false },
		{ "\"network\": [\"*.example:443\"]", "\"network\": []", false },
	};
	struct cv_policy *p = parse(good);
	struct cv_buf out = CV_BUF(65536);

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct cv_policy *q;

		t_edit(&out, good, t[i].from, t[i].to);
		q = parse(cv_buf_text(&out));
		if (cv_digest_eq(&p->digest, &q->digest) != t[i].same)
			t_fail(__FILE__, __LINE__, "%s -> %s", t[i].from, t[i].to);
		cv_policy_free(&q);
	}
	cv_policy_free(&p);
	cv_buf_free(&out);
}

static void
presets(void)
{
	struct cv_policy *p = NULL;
	struct cv_err e;
	char name[64];

	for (size_t i = 0; cv_preset_names[i] != NULL; i++) {
		snprintf(name, sizeof(name), "preset:%s", cv_preset_names[i]);
		T_OK(cv_policy_load(&p, name, &e), e);
		T_STR(p->name, cv_preset_names[i]);
		T_INT(p->nown, p->nrules);
		T_INT(p->audit, strcmp(p->name, "audit") == 0);
		T_INT(p->confinement_required, strcmp(p->name, "strict") == 0);
		T(p->accept.n == 0 && p->allow.n == 0);
		cv_policy_free(&p);
	}
	T_NO(cv_policy_load(&p, "preset:none", &e), e, CV_R_CONFIG);
	T_INT(cv_embed_preset("none").n, 0);
	T_INT(cv_embed_preset("").n, 0);
	T_NO(cv_policy_load(&p, "/nowhere/policy.json", &e), e, CV_R_CONFIG);
}

static const struct t_case cases[] = {
	{ "every single mistake is refused at its place", refused },
	{ "a policy is read, with its preset", read_all },
	{ "keys", keys },
	{ "keys in files", key_files },
	{ "the digest covers everything", digest },
	{ "presets", presets },
};
T_MAIN(cases)
