/* SPDX-License-Identifier: Apache-2.0 */
/* mcpb.c: see mcpb.h. Must never overlook a command that some platform would start. */
#include "sbom/found/mcpb.h"

#include "trust/base/json.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

#define INVALID "tool.manifest-invalid"
#define SCRIPT  "tool.lifecycle-script"

/* One manifest under way. `why` is its own fault, e is ours. */
struct reading {
	struct cv_mcpb *ret;
	const char *where;
	struct cv_answers *a;
	struct cv_err why;
};

static int
runs(struct reading *r, const char *place, const char *what, const char *why, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(SCRIPT, CV_R_RULE);
	char brief[CV_TEXT_BRIEF];

	cv_finding_found(&f, "%s: %s: %s", place, cv_text_brief(brief, cv_span_str(what)), why);
	cv_finding_expected(&f, "a server that starts from what is in the bundle");
	cv_finding_where(&f, "%s", r->where);
	return cv_answer(r->a, &f, e);
}

/* program: the last component of a command in lower case, without a Windows ending. */
static void
program(const char *command, char out[32])
{
	static const char *const ends[] = { ".exe", ".cmd", ".bat", ".com" };
	size_t n;

	for (const char *p = command; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			command = p + 1;
	cv_text_fmt(out, 32, "%s", command);
	for (char *p = out; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
	n = strlen(out);
	for (size_t i = 0; i < CV_COUNT(ends); i++)
		if (n > 4 && strcmp(out + n - 4, ends[i]) == 0)
			out[n - 4] = '\0';
}

static const char *
refused_program(const char *command)
{
	static const char *const runners[] = { "npx",    "npm",    "pnpm", "pnpx", "yarn", "bunx",
					       "uvx",    "uv",     "pipx", "pip",  "pip3", "dnx",
					       "docker", "podman", "curl", "wget" };
	static const char *const shells[] = { "sh",         "bash", "dash", "zsh",
					      "ksh",        "fish", "cmd",  "env",
					      "powershell", "pwsh", "wsl",  "osascript" };
	char name[32];

	program(command, name);
	for (size_t i = 0; i < CV_COUNT(runners); i++)
		if (strcmp(name, runners[i]) == 0)
			return "fetches what it runs";
	for (size_t i = 0; i < CV_COUNT(shells); i++)
		if (strcmp(name, shells[i]) == 0)
			return "runs whatever its arguments say";
	return NULL;
}

static int
command(struct reading *r, struct cv_jv config, const char *place, struct cv_err *e)
{
	struct cv_jv v = cv_jv_get(config, "command");
	const char *text, *why;

	if (config.absent || v.absent)
		return 0;
	if (cv_jv_want(config, CV_J_OBJECT, &r->why) < 0 || cv_jv_str(v, &text, &r->why) < 0)
		return -1;
	why = refused_program(text);
	return why == NULL ? 0 : runs(r, place, text, why, e);
}

static int
commands(struct reading *r, struct cv_jv server, struct cv_err *e)
{
	struct cv_jv config = cv_jv_get(server, "mcp_config");
	struct cv_jv over = cv_jv_get(config, "platform_overrides");

	if (command(r, config, "mcp_config.command", e) < 0)
		return -1;
	if (over.absent)
		return 0;
	if (cv_jv_want(over, CV_J_OBJECT, &r->why) < 0)
		return -1;
	for (struct cv_jv one = cv_jv_first(over); !one.absent; one = cv_jv_next(one))
		if (command(r, one, "platform_overrides: command", e) < 0)
			return -1;
	return 0;
}

static int
server(struct reading *r, struct cv_jv top, struct cv_err *e)
{
	static const char *const types[] = { "node", "python", "binary", "uv", NULL };
	struct cv_jv v = cv_jv_get(top, "server");
	const char *entry;
	size_t type;

	if (cv_jv_want(v, CV_J_OBJECT, &r->why) < 0 ||
	    cv_jv_choice(cv_jv_get(v, "type"), types, &type, &r->why) < 0 ||
	    cv_jv_str(cv_jv_get(v, "entry_point"), &entry, &r->why) < 0)
		return -1;
	if (strlen(entry) >= sizeof(r->ret->entry))
		return cv_jv_fail(cv_jv_get(v, "entry_point"), &r->why, CV_R_LIMIT,
				  "an entry_point of more than 511 bytes");
	cv_text_fmt(r->ret->entry, sizeof(r->ret->entry), "%s",
		    strncmp(entry, "./", 2) == 0 ? entry + 2 : entry);
	if (strcmp(types[type], "uv") == 0 &&
	    runs(r, "server.type", "uv", "its dependencies are fetched when it starts", e) < 0)
		return -1;
	return commands(r, v, e);
}

static int
identity(struct reading *r, struct cv_jv top)
{
	const char *name, *version;

	if (cv_jv_str(cv_jv_get(top, "name"), &name, &r->why) < 0 ||
	    cv_jv_str(cv_jv_get(top, "version"), &version, &r->why) < 0)
		return -1;
	if (strlen(name) > 214 || strlen(version) > 256)
		return cv_fail(&r->why, CV_R_LIMIT,
			       "a name of more than 214 bytes or a version of "
			       "more than 256");
	cv_text_fmt(r->ret->name, sizeof(r->ret->name), "%s", name);
	cv_text_fmt(r->ret->version, sizeof(r->ret->version), "%s", version);
	return 0;
}

/* read: 1 read, 0 JSON that is no such manifest, -1 it is at fault, or we are. */
static int
read_manifest(struct reading *r, struct cv_jdoc *doc, struct cv_err *e)
{
	struct cv_jv top = cv_json_root(doc);

	if (!cv_jv_has(top, "manifest_version") && !cv_jv_has(top, "dxt_version"))
		return 0;
	return identity(r, top) < 0 || server(r, top, e) < 0 ? -1 : 1;
}

int
cv_mcpb_manifest(struct cv_mcpb *ret, bool *is, struct cv_span text, const char *where,
		 struct cv_answers *a, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct reading r = { .ret = ret, .where = where, .a = a };
	int rc;

	*is = true; /* also of what only some readers take for JSON */
	*ret = (struct cv_mcpb){ 0 };
	rc = cv_json_parse(&doc, "manifest.json", text, CV_JSON_REALS, &r.why);
	if (rc == 0)
		rc = read_manifest(&r, doc, e);
	*is = rc != 0;
	if (rc >= 0)
		return 0;
	if (r.why.reason == CV_R_NONE)
		return -1;
	if (cv_answers_about_content(r.why.reason))
		return cv_answer_err(a, INVALID, where, &r.why, e);
	if (e != NULL)
		*e = r.why;
	return -1;
}
