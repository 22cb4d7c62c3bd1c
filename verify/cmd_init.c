/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_init.c: a first agent.json and policy.json from what lies here. */
#include "verify/cmdline.h"
#include "verify/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/ref.h"
#include "trust/base/text.h"
#include "verify/embed.h"
#include "verify/tree.h"

#include "trust/base/banned.h"

/* quote: append a JSON string. */
static int
quote(struct cv_buf *out, const char *text, struct cv_err *e)
{
	json_t *v = json_string(text);
	char *s = v != NULL ? json_dumps(v, JSON_ENCODE_ANY) : NULL;

	json_decref(v);
	if (v == NULL)
		return cv_fail(e, CV_R_USAGE,
			       "a name or path is not UTF-8: a JSON file cannot hold it");
	if (s == NULL)
		return cv_fail_memory(e);
	cv_buf_str(out, s);
	free(s);
	return 0;
}

/* pack: how to pack the tool server in DIR/path. npm takes a path for the name
 * of a package unless it starts with "/" or "."; a name that a shell would read
 * otherwise is not put into a command that people copy. */
static const char *
pack(char out[PATH_MAX], const char *dir, const char *path)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._/-";

	if (dir[strspn(dir, safe)] != '\0' || path[strspn(path, safe)] != '\0')
		return "npm pack ./DIR";
	(void)snprintf(out, PATH_MAX, "npm pack %s%.400s/%s",
		       dir[0] == '/' || dir[0] == '.' ? "" : "./", dir, path);
	return out;
}

/* kind_wrong: what lies there can be a part of that type. */
static int
kind_wrong(const char *option, enum cv_atype type, const char *value, const char *dir, int fd,
	   struct cv_err *e)
{
	char how[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cv_conf_errno(e, "--%s: %.400s", option, value);
	if (type == CV_A_MCP && S_ISDIR(st.st_mode))
		return cv_fail(e, CV_R_USAGE,
			       "--%s: %.400s is a directory, want a packed file (.tgz, .zip); "
			       "pack it first, for example: %s",
			       option, value, pack(how, dir, value));
	return 0;
}

/* named_wrong: -1 unless PATH lies below dir, or REF is one. */
static int
named_wrong(const char *option, enum cv_atype type, const char *value, const char *dir,
	    struct cv_err *e)
{
	cv_auto(cv_closep) int fd = -1, found = -1;
	struct cv_image_ref ref;
	const char *wrong;

	if (type == CV_A_IMAGE) {
		if (cv_image_ref_parse(&ref, cv_span_str(value), e) == 0)
			return 0;
		e->reason = CV_R_USAGE;
		return cv_fail_within(e, "--%s", option);
	}
	wrong = cv_tree_path_wrong(value);
	if (wrong != NULL)
		return cv_fail(e, CV_R_USAGE, "--%s: found %.400s, want a path below %.400s: %s",
			       option, value, dir, wrong);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	found = fd < 0 ? -1 : openat(fd, value, O_PATH | O_CLOEXEC);
	if (found < 0 && (errno == ENOENT || errno == ENOTDIR))
		return cv_fail(e, CV_R_USAGE, "--%s: there is no %.400s in %.400s", option, value,
			       dir);
	return found < 0 ? cv_conf_errno(e, "--%s: %.400s", option, value)
			 : kind_wrong(option, type, value, dir, found, e);
}

/* add_named: --model NAME=PATH and the like. */
static int
add_named(struct cv_discovered *d, const struct cv_cmdline *c, const char *option,
	  enum cv_atype type, const char *dir, struct cv_err *e)
{
	size_t n;
	const char *const *v = cv_cl_values(c, option, &n);

	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(v[i], '=');
		char name[65] = "";

		if (eq != NULL && (size_t)(eq - v[i]) < sizeof(name))
			(void)snprintf(name, sizeof(name), "%.*s", (int)(eq - v[i]), v[i]);
		if (!cv_name_valid(name) || eq[1] == '\0')
			return cv_fail(e, CV_R_USAGE,
				       "--%s %.100s: want NAME=%s, NAME of a-z 0-9 . _ -", option,
				       v[i], type == CV_A_IMAGE ? "REF" : "PATH");
		if (named_wrong(option, type, eq + 1, dir, e) != 0)
			return -1;
		if (cv_discover_add(d, type, name, eq + 1) == NULL)
			return cv_fail(e, CV_R_USAGE, "--%s: too many parts, or too long a path",
				       option);
	}
	return 0;
}

/* local_named: parts that lie here are named, so that none is looked for. */
static bool
local_named(const struct cv_cmdline *c)
{
	return cv_cl_flag(c, "model") || cv_cl_flag(c, "mcp") || cv_cl_flag(c, "skill") ||
	       cv_cl_flag(c, "prompt");
}

/* look: add what lies in dir, but no image where images are named already. */
static int
look(struct cv_discovered *d, const char *dir, struct cv_err *e)
{
	size_t named = d->n, n = d->n;

	if (cv_discover(d, dir, e) != 0)
		return -1;
	for (size_t i = named; i < d->n; i++) {
		if (named == 0 || d->v[i].type != CV_A_IMAGE)
			d->v[n++] = d->v[i];
	}
	d->n = n;
	return 0;
}

static int
gather(struct cv_discovered *d, const struct cv_cmdline *c, const char *dir, struct cv_err *e)
{
	static const struct {
		const char *option;
		enum cv_atype type;
	} named[] = {
		{ "image", CV_A_IMAGE }, { "model", CV_A_MODEL },   { "mcp", CV_A_MCP },
		{ "skill", CV_A_SKILL }, { "prompt", CV_A_PROMPT },
	};

	char how[PATH_MAX];

	for (size_t i = 0; i < CV_COUNT(named); i++) {
		if (add_named(d, c, named[i].option, named[i].type, dir, e) != 0)
			return -1;
	}
	if (!local_named(c) && look(d, dir, e) != 0)
		return -1;
	if (d->n == 0 && d->unpacked > 0)
		return cv_fail(e, CV_R_USAGE,
			       "%.400s/%s: a tool is taken as a packed file (.tgz, .zip), for "
			       "example from: %s",
			       dir, d->unpacked_path, pack(how, dir, d->unpacked_path));
	if (d->n == 0 && d->odd > 0)
		return cv_fail(e, CV_R_USAGE, "%.400s/%s: %s, so agent.json cannot name it", dir,
			       d->odd_path, cv_tree_path_wrong(d->odd_path));
	if (d->n == 0)
		return cv_fail(e, CV_R_USAGE,
			       "%s: nothing here looks like a part of an agent (an OCI layout, a "
			       "model, a packed tool, a skill, a prompt); name the parts, for "
			       "example: clawverify init --image runtime=registry.example/agent:1",
			       dir);
	return 0;
}

static const char *
mount_dir(enum cv_atype type)
{
	switch (type) {
	case CV_A_MODEL:
		return "models";
	case CV_A_SKILL:
		return "skills";
	case CV_A_PROMPT:
		return "prompts";
	case CV_A_IMAGE:
	case CV_A_MCP:
	case CV_A_FILE:
	case CV_A_MCP_REMOTE:
	case CV_A_MODEL_HOSTED:
	default:
		return "tools";
	}
}

static const struct cv_found *
first_image(const struct cv_discovered *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].type == CV_A_IMAGE)
			return &d->v[i];
	}
	return NULL;
}

static void
launch_section(struct cv_buf *out, const struct cv_discovered *d)
{
	const struct cv_found *image = first_image(d);
	const char *comma = "";

	if (image == NULL)
		return;
	cv_buf_fmt(
		out,
		",\n\n  // What the sandbox will start. Each part appears read-only at its place;\n"
		"  // no network and no writable place but what is named here.\n"
		"  \"launch\": {\n    \"image\": \"%s\",\n    \"mounts\": {",
		image->name);
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].type == CV_A_IMAGE)
			continue;
		cv_buf_fmt(out, "%s\n      \"/%s/%s\": \"%s\"", comma, mount_dir(d->v[i].type),
			   d->v[i].name, d->v[i].name);
		comma = ",";
	}
	cv_buf_fmt(out,
		   "%s},\n    \"writable\": { \"/tmp\": { \"kind\": \"tmpfs\", \"size\": \"64MiB\" "
		   "} },\n"
		   "    \"limits\": { \"memory\": \"2GiB\", \"cpus\": 2, \"pids\": 256 },\n"
		   "    \"network\": []\n  }",
		   comma[0] != '\0' ? "\n    " : "");
}

static int
agent_text(struct cv_buf *out, const struct cv_discovered *d, const char *name, struct cv_err *e)
{
	cv_buf_fmt(out,
		   "// What this agent is made of. Comments and trailing commas are welcome.\n"
		   "{\n  \"schema\": \"clawverify.agent/1\",\n  \"name\": \"%s\",\n"
		   "  \"policy\": \"policy.json\",\n\n  \"artifacts\": {",
		   name);
	for (size_t i = 0; i < d->n; i++) {
		const struct cv_found *f = &d->v[i];

		cv_buf_fmt(out, "%s\n    \"%s\": { \"type\": \"%s\", \"%s\": ", i > 0 ? "," : "",
			   f->name, cv_atype_word(f->type), f->type == CV_A_IMAGE ? "ref" : "path");
		if (quote(out, f->path, e) != 0)
			return -1;
		cv_buf_str(out, " }");
	}
	cv_buf_str(out, "\n  }");
	launch_section(out, d);
	cv_buf_str(out, "\n}\n");
	return cv_buf_ok(out, "agent.json", e);
}

/* put_key: --key FILE as an element of "keys": its name if it lies below dir, where
 * the policy will find it, else the key itself. What is no public key goes nowhere. */
static int
put_key(struct cv_buf *out, const struct cv_cmdline *c, const char *file, const char *dir,
	struct cv_err *e)
{
	cv_auto(cv_mem_free) struct cv_mem m = { 0 };
	const char *name = file;
	size_t n = strlen(dir);
	struct cv_key key;

	if (cv_cl_key(c, &m, &key, "key", file, e) != 0)
		return -1;
	if (strcmp(dir, ".") != 0)
		name = strncmp(file, dir, n) == 0 && file[n] == '/' ? file + n + 1 : "/";
	return quote(out, cv_tree_path_wrong(name) == NULL ? name : key.pem, e);
}

/* put_identity: --identity and --issuer as the one element of "identities". */
static int
put_identity(struct cv_buf *out, const struct cv_cmdline *c, struct cv_err *e)
{
	cv_buf_str(out, "\"identities\": [ { \"identity\": ");
	if (quote(out, cv_cl_value(c, "identity"), e) != 0)
		return -1;
	cv_buf_str(out, ", \"issuer\": ");
	if (quote(out, cv_cl_value(c, "issuer"), e) != 0)
		return -1;
	cv_buf_str(out, " } ]");
	return 0;
}

static int
put_keys(struct cv_buf *out, const struct cv_cmdline *c, const char *const *keys, size_t n,
	 const char *dir, struct cv_err *e)
{
	cv_buf_str(out, "\"keys\": [");
	for (size_t i = 0; i < n; i++) {
		cv_buf_str(out, i > 0 ? ", " : "");
		if (put_key(out, c, keys[i], dir, e) != 0)
			return -1;
	}
	cv_buf_str(out, "]");
	return 0;
}

static int
policy_text(struct cv_buf *out, const struct cv_cmdline *c, const char *name, const char *preset,
	    const char *dir, struct cv_err *e)
{
	bool identity = cv_cl_value(c, "identity") != NULL;
	size_t n;
	const char *const *keys = cv_cl_values(c, "key", &n);

	if (identity != (cv_cl_value(c, "issuer") != NULL))
		return cv_fail(e, CV_R_USAGE,
			       "an identity is a name and who vouches for it: --%s is missing",
			       identity ? "issuer URL" : "identity NAME");
	cv_buf_fmt(out,
		   "// What is required of each part. See: clawverify policy show\n"
		   "{\n  \"schema\": \"clawverify.policy/1\",\n  \"name\": \"%s\",\n"
		   "  \"extends\": \"preset:%s\"",
		   name, preset);
	if (n > 0 || identity) {
		cv_buf_str(out, ",\n\n  \"signers\": {\n    \"maker\": { ");
		if (n > 0 && put_keys(out, c, keys, n, dir, e) != 0)
			return -1;
		cv_buf_str(out, n > 0 && identity ? ", " : "");
		if (identity && put_identity(out, c, e) != 0)
			return -1;
		cv_buf_str(out, " }\n  },\n  \"rules\": [\n"
				"    { \"name\": \"images\", \"match\": { \"type\": \"image\" }, "
				"\"signed_by\": [\"maker\"] }\n  ]");
	}
	cv_buf_str(out, "\n}\n");
	return cv_buf_ok(out, "policy.json", e);
}

/* write_new: never over a file that is there. */
static int
write_new(const char *path, const struct cv_buf *text, struct cv_err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int rc;

	if (fd < 0 && errno == EEXIST)
		return cv_fail(e, CV_R_USAGE, "%s is there already; init does not replace it",
			       path);
	if (fd < 0)
		return cv_conf_errno(e, "%s", path);
	rc = cv_write_all(fd, text->p, text->n, path, e);
	if (close(fd) != 0 && rc == 0)
		rc = cv_fail_errno(e, "%s", path);
	if (rc != 0)
		(void)unlink(path);
	return rc;
}

/* agent_name: --name, else the directory's. */
static int
agent_name(char out[65], const struct cv_cmdline *c, const char *dir, struct cv_err *e)
{
	const char *given = cv_cl_value(c, "name");
	struct cv_discovered one = { .n = 0 };
	cv_auto(cv_freep) char *real = given == NULL ? realpath(dir, NULL) : NULL;
	const char *slash = real != NULL ? strrchr(real, '/') : NULL;

	if (given != NULL && !cv_name_valid(given))
		return cv_fail(e, CV_R_USAGE, "--name %.100s: want a-z 0-9 . _ -, at most 64",
			       given);
	if (given != NULL)
		(void)snprintf(out, 65, "%s", given);
	else
		(void)snprintf(out, 65, "%s",
			       cv_discover_add(
				       &one, CV_A_FILE,
				       slash != NULL && slash[1] != '\0' ? slash + 1 : "agent", ".")
				       ->name);
	return 0;
}

static int
preset_name(const char **ret, const struct cv_cmdline *c, struct cv_err *e)
{
	*ret = cv_cl_value(c, "preset") != NULL ? cv_cl_value(c, "preset") : "standard";
	for (size_t i = 0; cv_preset_names[i] != NULL; i++) {
		if (strcmp(cv_preset_names[i], *ret) == 0)
			return 0;
	}
	return cv_fail(e, CV_R_USAGE, "--preset %.100s: want strict, standard or audit", *ret);
}

/* in_order: what would be written says what it should: nothing is, otherwise. */
static int
in_order(const struct cv_buf *agent, const struct cv_buf *policy, const char *dir, struct cv_err *e)
{
	cv_auto(cv_agent_free) struct cv_agent *a = NULL;
	cv_auto(cv_policy_free) struct cv_policy *p = NULL;
	cv_auto(cv_closep) int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return cv_fail_errno(e, "%.400s", dir);
	if (cv_agent_parse(&a, "agent.json, not written", cv_buf_span(agent), e) == 0 &&
	    cv_policy_parse(&p, "policy.json, not written", cv_buf_span(policy), fd, e) == 0)
		return 0;
	if (e->reason == CV_R_CONFIG)
		e->reason = CV_R_USAGE;
	return -1;
}

static int
init_in(struct cv_cmdline *c, const char *dir, struct cv_discovered *d, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf agent = CV_BUF(CV_MAX_HUMAN_FILE);
	cv_auto(cv_buf_free) struct cv_buf policy = CV_BUF(CV_MAX_HUMAN_FILE);
	char agent_path[PATH_MAX], policy_path[PATH_MAX], name[65];
	const char *preset;

	if (preset_name(&preset, c, e) != 0 || gather(d, c, dir, e) != 0 ||
	    agent_name(name, c, dir, e) != 0 || agent_text(&agent, d, name, e) != 0 ||
	    policy_text(&policy, c, name, preset, dir, e) != 0 ||
	    in_order(&agent, &policy, dir, e) != 0)
		return -1;
	(void)snprintf(agent_path, sizeof(agent_path), "%s/agent.json", dir);
	(void)snprintf(policy_path, sizeof(policy_path), "%s/policy.json", dir);
	if (access(policy_path, F_OK) == 0)
		return cv_fail(e, CV_R_USAGE, "%s is there already; init does not replace it",
			       policy_path);
	if (write_new(agent_path, &agent, e) != 0)
		return -1;
	if (write_new(policy_path, &policy, e) != 0) {
		(void)unlink(agent_path);
		return -1;
	}
	return 0;
}

/* left_out: parts whose names agent.json cannot hold, and unpacked tools. */
static void
left_out(const struct cv_cmdline *c, const struct cv_discovered *d, const char *dir)
{
	char shown[CV_TEXT_BRIEF], how[PATH_MAX];

	if (d->unpacked == 1)
		cv_say(c, "  left out, since a tool is taken as a packed file; to pack it: %s",
		       pack(how, dir, d->unpacked_path));
	else if (d->unpacked > 1)
		cv_say(c,
		       "  left out, since a tool is taken as a packed file; to pack it: %s, and "
		       "%zu more",
		       pack(how, dir, d->unpacked_path), d->unpacked - 1);
	if (d->odd > 0)
		cv_say(c, "  left out, since no file of ours can name it: %s (%s)%s",
		       cv_text_brief(shown, cv_span_str(d->odd_path)),
		       cv_tree_path_wrong(d->odd_path), d->odd > 1 ? ", and more of the kind" : "");
}

static int
run_init(struct cv_cmdline *c, struct cv_err *e)
{
	const char *dir = cv_cl_arg(c, 0) != NULL ? cv_cl_arg(c, 0) : ".";
	cv_auto(cv_freep) struct cv_discovered *d = calloc(1, sizeof(*d));
	struct stat st;

	if (d == NULL)
		return cv_cmd_failed(c, (cv_fail_memory(e), e));
	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
		(void)cv_fail(e, CV_R_USAGE, "%.400s: want a directory", dir);
		return cv_cmd_failed(c, e);
	}
	if (init_in(c, dir, d, e) != 0)
		return cv_cmd_failed(c, e);
	for (size_t i = 0; i < d->n; i++)
		cv_say(c, "  %-8s %-20s %s", cv_atype_word(d->v[i].type), d->v[i].name,
		       d->v[i].path);
	if (d->dropped > 0)
		cv_say(c, "  and %zu more that were left out: too many", d->dropped);
	left_out(c, d, dir);
	cv_say(c, "agent.json and policy.json written: look at them, then: clawverify lock");
	return CV_EXIT_PASS;
}

static const struct cv_opt opts[] = {
	{ "preset", 0, CV_OPT_VALUE, "NAME", "strict, standard (default) or audit" },
	{ "name", 0, CV_OPT_VALUE, "NAME", "what to call the agent" },
	{ "image", 0, CV_OPT_MANY, "NAME=REF", "an image: host/path:tag or oci-layout:DIR" },
	{ "model", 0, CV_OPT_MANY, "NAME=PATH", "a model file or directory" },
	{ "mcp", 0, CV_OPT_MANY, "NAME=PATH", "a packed tool server (.tgz, .zip)" },
	{ "skill", 0, CV_OPT_MANY, "NAME=PATH", "a skill directory" },
	{ "prompt", 0, CV_OPT_MANY, "NAME=PATH", "a prompt file" },
	{ "key", 0, CV_OPT_MANY, "FILE", "public key of whoever signs the images" },
	{ "identity", 0, CV_OPT_VALUE, "NAME", "or their name in a certificate of Sigstore" },
	{ "issuer", 0, CV_OPT_VALUE, "URL", "and who vouches for that name" },
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_init = {
	.name = "init",
	.args = "[DIR]",
	.summary = "write a first agent.json and policy.json",
	.text = "Unless --model, --mcp, --skill or --prompt name the parts, takes what lies in\n"
		"DIR (here): models, packed tools, skills, prompts, and without --image OCI\n"
		"layouts. Replaces no file.\n",
	.examples =
		"  clawverify init\n"
		"  clawverify init --image runtime=registry.example/agent:1.4 --key maker.pub\n",
	.opts = opts,
	.max_args = 1,
	.run = run_init,
};
