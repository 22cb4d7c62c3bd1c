/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_bare.c: a session about one artifact that no agent file names. It is
 * given an agent of one part, made here, so that everything behind it is the
 * same as for a written one.
 */
#include "verify/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/ref.h"
#include "trust/base/text.h"
#include "verify/discover.h"
#include "verify/session_int.h"
#include "verify/session_signer.h"

#include "trust/base/banned.h"

static bool
ends(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcasecmp(s + n - k, end) == 0;
}

static bool
there(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

/* type_of_path: what a local path most likely is. */
static enum cv_atype
type_of_path(const char *path, bool directory)
{
	struct cv_discovered *d;
	enum cv_atype type = CV_A_FILE;
	struct cv_err ignored;

	if (directory && there(path, "SKILL.md"))
		return CV_A_SKILL;
	if (directory && there(path, "package.json"))
		return CV_A_MCP;
	if (!directory) {
		if (ends(path, ".tgz") || ends(path, ".zip") || ends(path, ".mcpb"))
			return CV_A_MCP;
		return ends(path, ".md") || ends(path, ".txt") ? CV_A_PROMPT : CV_A_MODEL;
	}
	/* a directory: a model if anything in it is one */
	d = calloc(1, sizeof(*d));
	if (d != NULL && cv_discover(d, path, &ignored) == 0) {
		for (size_t i = 0; i < d->n; i++) {
			if (d->v[i].type == CV_A_MODEL)
				type = CV_A_MODEL;
		}
	}
	free(d);
	return type == CV_A_FILE ? CV_A_MODEL : type;
}

/* split: the directory that a local path is in, and its last component. */
static int
split(const char *path, char *dir, char *base, size_t n, struct cv_err *e)
{
	cv_auto(cv_freep) char *real = realpath(path, NULL);
	char *slash;

	if (real == NULL)
		return cv_fail(e, CV_R_USAGE, "%.400s: %s", path, strerror(errno));
	slash = strrchr(real, '/');
	if (slash == NULL || slash[1] == '\0' || strlen(real) >= n)
		return cv_fail(e, CV_R_USAGE, "%.400s: want a file or a directory of its own",
			       path);
	(void)snprintf(base, n, "%s", slash + 1);
	slash[slash == real ? 1 : 0] = '\0';
	(void)snprintf(dir, n, "%s", real);
	return 0;
}

static int
make_agent(struct cv_session *s, enum cv_atype type, const char *key, const char *value,
	   struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_HUMAN_FILE);
	json_error_t why;
	json_t *v = json_pack_ex(&why, 0, "{s:s, s:s, s:s, s:{s:{s:s, s:s}}}", "schema",
				 CV_AGENT_SCHEMA, "name", "artifact", "policy", "preset:strict",
				 "artifacts", "artifact", "type", cv_atype_word(type), key, value);
	int rc;

	if (v == NULL && json_error_code(&why) == json_error_invalid_utf8)
		return cv_fail(e, CV_R_USAGE, "the reference is not UTF-8");
	if (v == NULL)
		return cv_fail_memory(e);
	rc = cv_json_emit(&text, v, e);
	json_decref(v);
	if (rc != 0)
		return -1;
	rc = cv_agent_parse(&s->agent, value, cv_buf_span(&text), e);
	if (rc != 0 && e->reason == CV_R_CONFIG)
		e->reason = CV_R_USAGE;
	return rc;
}

/* `plain`: who signed is asked for and nothing else: a file is its bytes. */
static int
open_local(struct cv_session *s, const char *path, const struct stat *st, bool plain,
	   struct cv_err *e)
{
	char dir[PATH_MAX], base[PATH_MAX], layout[PATH_MAX + 16];

	if (split(path, dir, base, sizeof(dir), e) != 0)
		return -1;
	s->base_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->base_fd < 0)
		return cv_fail_errno(e, "%s", dir);
	if (S_ISDIR(st->st_mode) && there(path, "oci-layout")) {
		(void)snprintf(layout, sizeof(layout), "oci-layout:%s", base);
		return make_agent(s, CV_A_IMAGE, "ref", layout, e);
	}
	if (plain && S_ISREG(st->st_mode))
		return make_agent(s, CV_A_FILE, "path", base, e);
	return make_agent(s, type_of_path(path, S_ISDIR(st->st_mode)), "path", base, e);
}

/* open_digest: bytes that are elsewhere: only what is attested about them can be
 * asked, of somebody, on the evidence that was given. */
static int
open_digest(struct cv_session *s, const struct cv_digest *d, const char *ref, bool said,
	    struct cv_err *e)
{
	if (!said)
		return cv_fail(
			e, CV_R_USAGE,
			"a digest alone: want who signed what is attested about it: --identity "
			"NAME --issuer URL, or --key FILE");
	if (s->rq.nevidence == 0)
		return cv_fail(e, CV_R_USAGE,
			       "a digest alone: want what is attested about it: "
			       "--bundle FILE");
	s->base_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->base_fd < 0)
		return cv_fail_errno(e, "the working directory");
	if (make_agent(s, CV_A_FILE, "path", ref, e) != 0)
		return -1;
	s->agent->artifacts[0].origin = CV_O_DIGEST;
	s->agent->artifacts[0].digest = *d;
	return 0;
}

static int
open_target(struct cv_session *s, const char *ref, bool said, struct cv_err *e)
{
	bool plain = said || s->rq.nevidence > 0;
	struct cv_digest digest;
	struct stat st;
	struct cv_image_ref parsed;
	struct cv_err why;

	if (stat(ref, &st) == 0)
		return open_local(s, ref, &st, plain, e);
	if (cv_digest_parse(&digest, cv_span_str(ref), NULL) == 0 && digest.alg == CV_SHA256)
		return open_digest(s, &digest, ref, said, e);
	if (strncmp(ref, "https://", 8) == 0)
		return cv_fail(e, CV_R_USAGE,
			       "%.400s: an address needs a pinned digest; name it in an "
			       "agent file",
			       ref);
	if (cv_image_ref_parse(&parsed, cv_span_str(ref), &why) != 0)
		return cv_fail(e, CV_R_USAGE,
			       "%.400s: there is no such file, and it is no image "
			       "reference: %.400s",
			       ref, why.text);
	s->base_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->base_fd < 0)
		return cv_fail_errno(e, "the working directory");
	return make_agent(s, CV_A_IMAGE, "ref", ref, e);
}

/* open_policy: from the options that say who signed, or a file or preset. */
static int
open_policy(struct cv_session *s, const struct cv_cmdline *c, bool said, struct cv_err *e)
{
	const char *policy = cv_cl_value(c, "policy");

	s->rq.policy_chosen = said || policy != NULL ? CV_CHOSEN_OPTION : CV_CHOSEN_DEFAULT;
	if (said)
		return cv_signer_policy(&s->policy, c, e);
	s->policy_path = strdup(policy != NULL ? policy : "preset:strict");
	if (s->policy_path == NULL)
		return cv_fail_memory(e);
	return cv_policy_load(&s->policy, s->policy_path, e);
}

/* check_evidence: signature files are about bytes that lie here; annotations are of
 * signatures on images. */
static int
check_evidence(const struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	const struct cv_artifact *a = &s->agent->artifacts[0];
	size_t annotations;

	(void)cv_cl_values(c, "annotation", &annotations);
	if (annotations > 0 && a->type != CV_A_IMAGE)
		return cv_fail(e, CV_R_USAGE,
			       "--annotation: only signatures on images have annotations");
	if (s->rq.nevidence > 0 && a->type == CV_A_IMAGE)
		return cv_fail(e, CV_R_USAGE,
			       "--%s: of an image, signatures are looked for where it is",
			       s->evidence[0].kind == CV_EV_BUNDLE ? "bundle" : "signature");
	return 0;
}

int
cv_session_bare(struct cv_session *s, const struct cv_cmdline *c, const char *ref, struct cv_err *e)
{
	bool said = cv_signer_said(c);

	cv_session_zero(s);
	if (cv_signer_evidence(s, c, e) != 0 || open_policy(s, c, said, e) != 0 ||
	    open_target(s, ref, said, e) != 0 || check_evidence(s, c, e) != 0 ||
	    cv_session_common(s, c, e) != 0) {
		cv_session_close(s);
		return -1;
	}
	cv_session_ready(s);
	return 0;
}
