/* SPDX-License-Identifier: Apache-2.0 */
/* session_signer.c: see session_signer.h. Must never make a policy that leaves open
 * who has to have signed. */
#include "verify/session_signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/claims.h"
#include "verify/vsa_int.h"

#include "trust/base/banned.h"

static const char *const who[] = { "identity",
				   "identity-pattern",
				   "issuer",
				   "issuer-pattern",
				   "claim",
				   "key",
				   "root",
				   "type",
				   "annotation",
				   "allowed-signers",
				   "principal",
				   "namespace",
				   "minisign-key",
				   "signify-key",
				   NULL };

bool
cv_signer_said(const struct cv_cmdline *c)
{
	size_t n;

	for (size_t i = 0; who[i] != NULL; i++) {
		(void)cv_cl_values(c, who[i], &n);
		if (n > 0)
			return true;
	}
	return false;
}

/* ---- the policy ---- */

static void
set(json_t *o, const char *key, json_t *v, bool *bad)
{
	if (json_object_set_new(o, key, v) != 0)
		*bad = true;
}

/* cautious: what was asked for, or what is missing. */
static int
check_options(const struct cv_cmdline *c, struct cv_err *e)
{
	bool name =
		cv_cl_value(c, "identity") != NULL || cv_cl_value(c, "identity-pattern") != NULL;
	bool issuer = cv_cl_value(c, "issuer") != NULL || cv_cl_value(c, "issuer-pattern") != NULL;
	size_t keys, claims, annotations;
	bool ssh = cv_cl_value(c, "allowed-signers") != NULL;
	bool tool = ssh || cv_cl_value(c, "minisign-key") != NULL ||
		    cv_cl_value(c, "signify-key") != NULL;

	(void)cv_cl_values(c, "annotation", &annotations);
	(void)cv_cl_values(c, "key", &keys);
	(void)cv_cl_values(c, "claim", &claims);
	if (cv_cl_value(c, "policy") != NULL)
		return cv_fail(
			e, CV_R_USAGE,
			"who signed is said by --policy or by the other options, not by both");
	if (name != issuer)
		return cv_fail(e, CV_R_USAGE,
			       "an identity is a name and who vouches for it: --%s is missing",
			       name ? "issuer URL" : "identity NAME");
	if (ssh != (cv_cl_value(c, "principal") != NULL) ||
	    ssh != (cv_cl_value(c, "namespace") != NULL))
		return cv_fail(e, CV_R_USAGE,
			       "want --allowed-signers FILE, --principal NAME and --namespace "
			       "NAME together");
	if ((int)name + (keys > 0) + tool > 1)
		return cv_fail(e, CV_R_USAGE,
			       "want one of --identity, --key, and --allowed-signers or the key "
			       "of another program");
	if (!name && keys == 0 && !tool)
		return cv_fail(e, CV_R_USAGE,
			       "want who signed: --identity NAME --issuer URL, or --key FILE");
	if (claims > 0 && !name)
		return cv_fail(e, CV_R_USAGE, "--claim: a key has none");
	if (annotations > 0 && cv_cl_value(c, "type") != NULL)
		return cv_fail(
			e, CV_R_USAGE,
			"--annotation: an attestation (--type) has none, cosign's signatures do");
	return 0;
}

/* check_annotations: KEY=VALUE, each key once: two values would both be wanted. */
static int
check_annotations(const struct cv_cmdline *c, struct cv_err *e)
{
	size_t n;
	const char *const *v = cv_cl_values(c, "annotation", &n);

	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(v[i], '=');

		if (eq == NULL || eq == v[i])
			return cv_fail(e, CV_R_USAGE,
				       "--annotation %.100s: want KEY=VALUE, as in env=production",
				       v[i]);
		for (size_t k = 0; k < i; k++)
			if (strncmp(v[k], v[i], (size_t)(eq - v[i]) + 1) == 0)
				return cv_fail(e, CV_R_USAGE,
					       "--annotation %.100s: the second %.*s", v[i],
					       (int)(eq - v[i]), v[i]);
	}
	return 0;
}

static int
add_claims(json_t *id, const struct cv_cmdline *c, bool *bad, struct cv_err *e)
{
	json_t *claims = json_object();
	size_t n;
	const char *const *v = cv_cl_values(c, "claim", &n);

	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(v[i], '=');
		char word[64] = "";

		if (eq != NULL && (size_t)(eq - v[i]) < sizeof(word))
			memcpy(word, v[i], (size_t)(eq - v[i]));
		if (cv_claim_number(word) == 0 || eq[1] == '\0') {
			const char *near = cv_word_near(word, cv_claim_words);

			json_decref(claims);
			return cv_fail(e, CV_R_USAGE,
				       "--claim %.100s: want WORD=VALUE%s%s, as in "
				       "source_repository_id=123",
				       v[i], near != NULL ? "; did you mean " : "",
				       near != NULL ? near : "");
		}
		set(claims, word, json_string(eq + 1), bad);
	}
	if (n > 0)
		set(id, "claims", json_incref(claims), bad);
	json_decref(claims);
	return 0;
}

static int
identity(json_t *signer, const struct cv_cmdline *c, bool *bad, struct cv_err *e)
{
	static const struct {
		const char *option, *key;
	} texts[] = { { "identity", "identity" },
		      { "identity-pattern", "identity_pattern" },
		      { "issuer", "issuer" },
		      { "issuer-pattern", "issuer_pattern" } };
	json_t *id = json_object();
	int r;

	for (size_t i = 0; i < CV_COUNT(texts); i++)
		if (cv_cl_value(c, texts[i].option) != NULL)
			set(id, texts[i].key, json_string(cv_cl_value(c, texts[i].option)), bad);
	r = add_claims(id, c, bad, e);
	set(signer, "identities", json_pack("[o]", id), bad);
	return r;
}

static int
keys(json_t *signer, const struct cv_cmdline *c, bool *bad, struct cv_err *e)
{
	json_t *list = json_array();
	size_t n;
	const char *const *v = cv_cl_values(c, "key", &n);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct cv_mem m = { 0 };
		struct cv_key key;

		r = cv_cl_key(c, &m, &key, "key", v[i], e);
		if (r == 0 && json_array_append_new(list, json_string(key.pem)) != 0)
			*bad = true;
		cv_mem_free(&m);
	}
	if (n > 0)
		set(signer, "keys", json_incref(list), bad);
	json_decref(list);
	return r;
}

/* tool: the file itself, with a line end behind it as what stands in a policy has. */
static json_t *
tool(const struct cv_cmdline *c, const char *option, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_TOOL_FILE + 1);
	json_t *v;

	if (cv_cl_read(&text, option, cv_cl_value(c, option), CV_MAX_TOOL_FILE, e) != 0)
		return NULL;
	if (text.n == 0 || text.p[text.n - 1] != '\n')
		cv_buf_byte(&text, '\n');
	v = text.failed == CV_R_NONE ? json_stringn((const char *)text.p, text.n) : NULL;
	if (v == NULL)
		cv_fail(e, CV_R_USAGE, "--%s: the file is not UTF-8, or there is no memory",
			option);
	return v;
}

static int
tools(json_t *signer, const struct cv_cmdline *c, bool *bad, struct cv_err *e)
{
	static const char *const options[] = { "minisign-key", "signify-key" };
	static const char *const keys[] = { "minisign", "signify" };
	json_t *v;

	if (cv_cl_value(c, "allowed-signers") != NULL) {
		v = tool(c, "allowed-signers", e);
		if (v == NULL)
			return -1;
		set(signer, "ssh",
		    json_pack("[{s:o,s:s,s:s}]", "allowed_signers", v, "principal",
			      cv_cl_value(c, "principal"), "namespace",
			      cv_cl_value(c, "namespace")),
		    bad);
	}
	for (size_t i = 0; i < CV_COUNT(options); i++) {
		if (cv_cl_value(c, options[i]) == NULL)
			continue;
		v = tool(c, options[i], e);
		if (v == NULL)
			return -1;
		set(signer, keys[i], json_pack("[o]", v), bad);
	}
	return 0;
}

static int
root(json_t *policy, json_t *signer, const struct cv_cmdline *c, bool *bad, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_TRUST_ROOT);
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	const char *path = cv_cl_value(c, "root");

	if (path == NULL)
		return 0;
	set(signer, "root", json_string("given"), bad);
	if (strcmp(path, CV_PUBLIC_GOOD) == 0) {
		set(signer, "root", json_string(CV_PUBLIC_GOOD), bad);
		return 0;
	}
	if (cv_cl_read(&text, "root", path, CV_MAX_TRUST_ROOT, e) != 0)
		return -1;
	if (cv_json_parse(&doc, path, cv_buf_span(&text), 0, e) != 0) {
		if (cv_reason_exit(e->reason) == CV_EXIT_FAIL)
			e->reason = CV_R_USAGE;
		return cv_fail_within(e, "--root");
	}
	set(policy, "roots",
	    json_pack("{s:{s:O}}", "given", "trusted_root", cv_jv_json(cv_json_root(doc))), bad);
	return 0;
}

/* annotations: their form was looked at (check_options). */
static void
annotations(json_t *rule, const struct cv_cmdline *c, bool *bad)
{
	size_t n;
	const char *const *v = cv_cl_values(c, "annotation", &n);
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(v[i], '=');

		if (json_object_setn_new(o, v[i], (size_t)(eq - v[i]), json_string(eq + 1)) != 0)
			*bad = true;
	}
	if (n > 0) {
		set(rule, "annotations", json_incref(o), bad);
		set(rule, "match", json_pack("{s:s}", "type", "image"), bad);
	}
	json_decref(o);
}

/* rule: this signer, whatever it is; an attestation where one is asked for. */
static json_t *
rule(const struct cv_cmdline *c, bool *bad)
{
	const char *type = cv_cl_value(c, "type");
	json_t *r = json_pack("{s:s,s:[s],s:[s]}", "name", "command-line", "signed_by",
			      "command-line", "basis", "signed");

	annotations(r, c, bad);
	if (type == NULL)
		return r;
	set(r, "signature_types", json_pack("[s]", type), bad);
	set(r, "attestations", json_pack("[{s:s}]", "predicate_type", type), bad);
	return r;
}

int
cv_signer_policy(struct cv_policy **ret, const struct cv_cmdline *c, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	cv_auto(cv_json_drop) json_t *policy = NULL;
	json_t *signer = json_object();
	bool bad = false;
	int r;

	if (check_options(c, e) != 0 || check_annotations(c, e) != 0) {
		json_decref(signer);
		return -1;
	}
	policy = json_pack("{s:s,s:s,s:s,s:{s:o},s:[o]}", "schema", CV_POLICY_SCHEMA, "name",
			   "command-line", "confinement", "required", "signers", "command-line",
			   signer, "rules", rule(c, &bad));
	if (policy == NULL)
		return cv_fail(e, CV_R_USAGE, "an option is not UTF-8, or there is no memory");
	r = keys(signer, c, &bad, e);
	if (r == 0)
		r = tools(signer, c, &bad, e);
	if (r == 0)
		r = root(policy, signer, c, &bad, e);
	if (r == 0 &&
	    (cv_cl_value(c, "identity") != NULL || cv_cl_value(c, "identity-pattern") != NULL))
		r = identity(signer, c, &bad, e);
	if (r == 0 && bad)
		r = cv_fail(e, CV_R_USAGE, "an option is not UTF-8, or there is no memory");
	if (r == 0)
		r = cv_json_emit(&text, policy, e);
	if (r == 0)
		r = cv_policy_parse(ret, "command line", cv_buf_span(&text), -1, e);
	if (r != 0 && e->reason == CV_R_CONFIG)
		e->reason = CV_R_USAGE;
	return r;
}

/* ---- evidence ---- */

void
cv_signer_evidence_close(struct cv_session *s)
{
	for (size_t i = 0; i < s->rq.nevidence; i++)
		(void)close(s->evidence[i].fd);
	free(s->evidence);
	s->evidence = NULL;
	s->rq.evidence = NULL;
	s->rq.nevidence = 0;
}

static int
open_file(struct cv_session *s, const char *option, const char *path, enum cv_evidence kind,
	  struct cv_err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return cv_fail(e, CV_R_USAGE, "--%s %.400s: %s", option, path, strerror(errno));
	s->evidence[s->rq.nevidence++] =
		(struct cv_request_evidence){ .kind = kind, .name = path, .fd = fd };
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return cv_fail(e, CV_R_USAGE, "--%s %.400s: want a regular file", option, path);
	return 0;
}

int
cv_signer_evidence(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	size_t bundles, signatures;
	const char *const *v = cv_cl_values(c, "bundle", &bundles);

	(void)cv_cl_values(c, "signature", &signatures);
	if (bundles + signatures > CV_MAX_EVIDENCE_ITEMS)
		return cv_fail(e, CV_R_USAGE, "found %zu files of evidence, want at most %d",
			       bundles + signatures, CV_MAX_EVIDENCE_ITEMS);
	s->evidence = calloc(bundles + signatures + 1, sizeof(*s->evidence));
	if (s->evidence == NULL)
		return cv_fail_memory(e);
	s->rq.evidence = s->evidence;
	/* the values of one option are kept until another one is asked for */
	v = cv_cl_values(c, "bundle", &bundles);
	for (size_t i = 0; i < bundles; i++)
		if (open_file(s, "bundle", v[i], CV_EV_BUNDLE, e) != 0)
			return -1;
	v = cv_cl_values(c, "signature", &signatures);
	for (size_t i = 0; i < signatures; i++)
		if (open_file(s, "signature", v[i], CV_EV_SIGNATURE, e) != 0)
			return -1;
	return 0;
}
