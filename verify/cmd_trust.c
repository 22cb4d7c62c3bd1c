/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trust.c: this host's own keys, and the keys that a policy trusts. */
#include "verify/cmdline.h"
#include "verify/launch_cmd.h"
#include "verify/policy_int.h"
#include "verify/session_signer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "trust/base/text.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

/* ---- keygen ---- */

static int
keygen(struct cv_cmdline *c, struct cv_err *e)
{
	const char *out = cv_cl_value(c, "out"), *type = cv_cl_value(c, "type");
	enum cv_signalg alg = CV_SIGN_ED25519;
	char base[CV_PATH_ROOM], id[CV_DIGEST_TEXT];
	struct cv_digest d;

	if (type != NULL && strcmp(type, "p256") == 0)
		alg = CV_SIGN_P256;
	else if (type != NULL && strcmp(type, "ed25519") != 0) {
		cv_fail(e, CV_R_USAGE, "--type %s: want ed25519 or p256", type);
		return cv_cmd_failed(c, e);
	}
	if (cv_cl_value(c, "key") != NULL) {
		cv_fail(e, CV_R_USAGE, "trust keygen: a new key is named with --out");
		return cv_cmd_failed(c, e);
	}
	if (out == NULL) { /* the local key: "/.../local.key" without its ending */
		if (cv_lc_key_path(c, base, e) != 0)
			return cv_cmd_failed(c, e);
		base[strlen(base) - strlen(".key")] = '\0';
		out = base;
	}
	if (cv_signkey_make(out, alg, &d, e) != 0)
		return cv_cmd_failed(c, e);
	cv_digest_text(&d, id);
	if (cv_cl_json(c)) {
		cv_auto(cv_json_drop) json_t *v = json_pack("{s:s,s:s}", "keyid", id, "base", out);
		cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(65536);

		if (v == NULL || cv_json_emit(&text, v, e) != 0) {
			cv_fail_memory(e);
			return cv_cmd_failed(c, e);
		}
		(void)fputs(cv_buf_text(&text), stdout);
		return CV_EXIT_PASS;
	}
	(void)printf("%s.key  keep it secret: whoever has it can sign in your name\n"
		     "%s.pub  give it to those who shall believe you\n"
		     "%s\n",
		     out, out, id);
	return CV_EXIT_PASS;
}

/* ---- signing a policy ---- */

/* sign: only what a gate could accept: a policy that can be read, with its keys
 * in it. */
static int
sign(struct cv_cmdline *c, const char *path, struct cv_err *e)
{
	cv_auto(cv_policy_free) struct cv_policy *p = NULL;
	cv_auto(cv_signkey_free) struct cv_signkey *key = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	cv_auto(cv_buf_free) struct cv_buf envelope = CV_BUF(CV_MAX_ENVELOPE);
	char out[CV_PATH_ROOM], id[CV_DIGEST_TEXT];
	int r = cv_conf_read(&text, AT_FDCWD, path, CV_MAX_HUMAN_FILE, e);

	if (r == 0)
		cv_fail(e, CV_R_USAGE, "%s: there is no such file", path);
	if (r <= 0 || cv_policy_parse(&p, path, cv_buf_span(&text), -1, e) != 0 ||
	    cv_lc_key_path(c, out, e) != 0 || cv_signkey_load(&key, out, e) != 0 ||
	    cv_dsse_sign(key, CV_POLICY_PAYLOAD, cv_buf_span(&text), &envelope, e) != 0)
		return cv_cmd_failed(c, e);
	if (snprintf(out, sizeof(out), "%s" CV_LC_SIGNED, path) >= (int)sizeof(out)) {
		cv_fail(e, CV_R_USAGE, "too long a path");
		return cv_cmd_failed(c, e);
	}
	if (cv_conf_write(out, cv_buf_span(&envelope), e) != 0)
		return cv_cmd_failed(c, e);
	cv_say(c, "signed in %s by %s", out, cv_digest_text(cv_signkey_id(key), id));
	return CV_EXIT_PASS;
}

/* ---- the keys of a policy ---- */

/* policy_of: of an agent file, or a policy file, or a preset. */
static int
policy_of(struct cv_cmdline *c, const char *agent, struct cv_policy **ret, struct cv_err *e)
{
	cv_auto(cv_agent_free) struct cv_agent *a = NULL;
	const char *policy = cv_cl_value(c, "policy");
	char path[CV_PATH_ROOM], dir[CV_PATH_ROOM];
	struct stat st;
	char *slash;

	if (policy != NULL)
		return cv_policy_load(ret, policy, e);
	if (agent == NULL)
		agent = "agent.json";
	(void)snprintf(dir, sizeof(dir), "%s", agent);
	if (stat(agent, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (snprintf(path, sizeof(path), "%s/agent.json", agent) >= (int)sizeof(path))
			return cv_fail(e, CV_R_USAGE, "too long a path");
		if (cv_agent_load(&a, path, e) != 0)
			return -1;
	} else {
		if (cv_agent_load(&a, agent, e) != 0)
			return -1;
		slash = strrchr(dir, '/');
		if (slash != NULL)
			slash[slash == dir ? 1 : 0] = '\0';
		else
			(void)snprintf(dir, sizeof(dir), ".");
	}
	if (strncmp(a->policy, "preset:", 7) == 0 || a->policy[0] == '/')
		return cv_policy_load(ret, a->policy, e);
	if (snprintf(path, sizeof(path), "%s/%s", dir, a->policy) >= (int)sizeof(path))
		return cv_fail(e, CV_R_USAGE, "too long a path");
	return cv_policy_load(ret, path, e);
}

static bool
endorses(const struct cv_policy *p, const struct cv_signer *s)
{
	size_t i;

	for (i = 0; i < p->nendorsers; i++)
		if (p->endorsers[i] == s)
			return true;
	return false;
}

static const char *const tool_words[] = { "", "ssh", "minisign", "signify" };

static json_t *
tool_json(const struct cv_tool_want *w)
{
	bool ssh = w->tool == CV_TOOL_SSH;

	return json_pack("{s:s,s:o,s:s*,s:s*,s:s*}", "tool", tool_words[w->tool], "digest",
			 cv_json_digest(&w->digest), "file", w->file, "principal",
			 ssh ? w->principal : NULL, "namespace", ssh ? w->ns : NULL);
}

static json_t *
signer_json(const struct cv_policy *p, const struct cv_signer *s)
{
	json_t *keys = json_array(), *identities = json_array(), *tools = NULL;
	size_t i;

	for (i = 0; i < s->nkeys; i++)
		if (json_array_append_new(keys,
					  json_pack("{s:o,s:s*,s:s}", "keyid",
						    cv_json_digest(&s->keys[i].id), "file",
						    s->keys[i].file, "pem", s->keys[i].pem)) != 0) {
			json_decref(keys);
			json_decref(identities);
			return NULL;
		}
	for (i = 0; i < s->nidentities; i++)
		if (json_array_append_new(identities, cv_identity_json(s->identities[i].at)) != 0) {
			json_decref(keys);
			json_decref(identities);
			return NULL;
		}
	if (s->ntools > 0)
		tools = json_array();
	for (i = 0; i < s->ntools; i++)
		(void)json_array_append_new(tools, tool_json(&s->tools[i]));
	return json_pack("{s:s,s:b,s:o,s:o,s:o*,s:s*}", "name", s->name, "endorser",
			 endorses(p, s) ? 1 : 0, "keys", keys, "identities", identities, "tools",
			 tools, "root",
			 s->nidentities > 0 || s->keys_logged ? s->root->name : NULL);
}

static int
print_json(const struct cv_policy *p, const char *only, struct cv_err *e)
{
	json_t *list = json_array();
	cv_auto(cv_json_drop) json_t *v =
		json_pack("{s:s,s:o}", "schema", "clawverify.trust/1", "signers", list);
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(16 * CV_MIB);
	size_t i;

	for (i = 0; v != NULL && i < p->nsigners; i++)
		if ((only == NULL || strcmp(p->signers[i].name, only) == 0) &&
		    json_array_append_new(list, signer_json(p, &p->signers[i])) != 0)
			return cv_fail_memory(e);
	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_emit(&text, v, e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&text), stdout);
	return 0;
}

/* print_tool: what another program's file is, and who in it. */
static void
print_tool(const struct cv_signer *s, const struct cv_tool_want *w)
{
	cv_auto(cv_buf_free) struct cv_buf line = CV_BUF(4096);

	cv_text_safe(&line, cv_span_str(s->name), CV_TEXT_FIELD);
	cv_buf_fmt(&line, "  %s  ", tool_words[w->tool]);
	if (w->tool == CV_TOOL_SSH) {
		cv_text_safe(&line, cv_span_str(w->principal), CV_TEXT_FIELD);
		cv_buf_str(&line, "  ");
		cv_text_safe(&line, cv_span_str(w->ns), CV_TEXT_FIELD);
		cv_buf_str(&line, "  ");
	}
	cv_text_safe(&line, cv_span_str(w->file != NULL ? w->file : "(in the policy)"),
		     CV_TEXT_FIELD);
	(void)printf("%s\n", cv_buf_text(&line));
}

static void
print_signer(const struct cv_policy *p, const struct cv_signer *s, bool pem)
{
	char id[CV_DIGEST_TEXT];
	size_t i;

	for (i = 0; i < s->nkeys; i++) {
		cv_auto(cv_buf_free) struct cv_buf line = CV_BUF(CV_MAX_KEY_PEM);

		cv_text_safe(&line, cv_span_str(s->name), CV_TEXT_FIELD);
		cv_buf_fmt(&line, "  %s  %s", cv_digest_text(&s->keys[i].id, id),
			   endorses(p, s) ? "endorser  " : "");
		cv_text_safe(
			&line,
			cv_span_str(s->keys[i].file != NULL ? s->keys[i].file : "(in the policy)"),
			CV_TEXT_FIELD);
		(void)printf("%s\n", cv_buf_text(&line));
		if (pem)
			(void)printf("%s\n", s->keys[i].pem);
	}
	for (i = 0; i < s->ntools; i++)
		print_tool(s, &s->tools[i]);
	for (i = 0; i < s->nidentities; i++) {
		cv_auto(cv_buf_free) struct cv_buf line = CV_BUF(CV_MAX_IDENTITY_TEXT * 2);

		cv_text_safe(&line, cv_span_str(s->name), CV_TEXT_FIELD);
		cv_buf_fmt(&line, "  %s  ", s->root->name);
		cv_text_safe(&line, cv_span_str(s->identities[i].text), CV_MAX_IDENTITY_TEXT);
		(void)printf("%s\n", cv_buf_text(&line));
	}
}

static int
list(struct cv_cmdline *c, const char *only, const char *agent, struct cv_err *e)
{
	cv_auto(cv_policy_free) struct cv_policy *p = NULL;
	bool found = false;
	size_t i;

	if (policy_of(c, agent, &p, e) != 0)
		return cv_cmd_failed(c, e);
	for (i = 0; i < p->nsigners; i++)
		found |= only != NULL && strcmp(p->signers[i].name, only) == 0;
	if (only != NULL && !found) {
		cv_fail(e, CV_R_USAGE, "the policy has no signer of the name %s", only);
		return cv_cmd_failed(c, e);
	}
	if (cv_cl_json(c))
		return print_json(p, only, e) == 0 ? CV_EXIT_PASS : cv_cmd_failed(c, e);
	for (i = 0; i < p->nsigners; i++)
		if (only == NULL || strcmp(p->signers[i].name, only) == 0)
			print_signer(p, &p->signers[i], only != NULL);
	if (p->nsigners == 0)
		cv_say(c, "the policy names no signer");
	return CV_EXIT_PASS;
}

static int
run_trust(struct cv_cmdline *c, struct cv_err *e)
{
	const char *what = cv_cl_arg(c, 0);

	if (strcmp(what, "keygen") == 0 && cv_cl_nargs(c) == 1)
		return keygen(c, e);
	if (strcmp(what, "list") == 0 && cv_cl_nargs(c) <= 2)
		return list(c, NULL, cv_cl_arg(c, 1), e);
	if (strcmp(what, "show") == 0 && cv_cl_nargs(c) >= 2)
		return list(c, cv_cl_arg(c, 1), cv_cl_arg(c, 2), e);
	if (strcmp(what, "sign") == 0 && cv_cl_nargs(c) == 2)
		return sign(c, cv_cl_arg(c, 1), e);
	if (strcmp(what, "verify-bundle") == 0 && cv_cl_nargs(c) == 2)
		return cv_verify_bundle(c, cv_cl_arg(c, 1), e);
	cv_fail(e, CV_R_USAGE,
		"trust: want keygen, sign POLICY, list [AGENT], show SIGNER [AGENT], or "
		"verify-bundle PATH");
	return cv_cmd_failed(c, e);
}

static const struct cv_opt opts[] = {
	{ "out", 0, CV_OPT_VALUE, "NAME", "keygen: write NAME.key and NAME.pub" },
	{ "type", 0, CV_OPT_VALUE, "KIND", "keygen: ed25519, or p256" },
	CV_LC_OPT_KEY("sign: with this key"),
	{ "policy", 'p', CV_OPT_VALUE, "FILE", "list, show: this policy" },
	{ "bundle", 0, CV_OPT_MANY, "FILE", "verify-bundle: Sigstore bundle about PATH" },
	{ "identity", 0, CV_OPT_VALUE, "NAME", "verify-bundle: who signed, as `verify` has it" },
	{ "identity-pattern", 0, CV_OPT_VALUE, "RE", "the same" },
	{ "issuer", 0, CV_OPT_VALUE, "URL", "the same" },
	{ "issuer-pattern", 0, CV_OPT_VALUE, "RE", "the same" },
	{ "claim", 0, CV_OPT_MANY, "WORD=VALUE", "the same" },
	{ "root", 0, CV_OPT_VALUE, "FILE", "the same" },
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_trust = {
	.name = "trust",
	.args = "keygen | sign POLICY | list [AGENT] | show SIGNER [AGENT] | verify-bundle PATH",
	.summary = "make this host's signing key; list whom a policy trusts",
	.text = "keygen makes an Ed25519 key (--type p256 for ECDSA) in NAME.key, mode 0600, and\n"
		"NAME.pub; without --out the local key of this host, which seals and endorses\n"
		"where no other is named. A key is never overwritten. sign puts a policy that\n"
		"holds its keys itself into POLICY.dsse.json, for hosts whose gate.json names\n"
		"the signer. list and show name the signers of a policy and their keys.\n"
		"verify-bundle judges PATH by a bundle and who signed it, as verify PATH does.\n",
	.examples = "  clawverify trust keygen\n"
		    "  clawverify trust keygen --out ci --type p256\n"
		    "  clawverify trust sign policy.json --key security.key\n"
		    "  clawverify trust list\n",
	.opts = opts,
	.min_args = 1,
	.max_args = 3,
	.run = run_trust,
};
