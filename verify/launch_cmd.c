/* SPDX-License-Identifier: Apache-2.0 */
/* launch_cmd.c: see launch_cmd.h. */
#include "verify/launch_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/text.h"
#include "verify/embed.h"
#include "verify/outputs.h"
#include "verify/progress.h"
#include "verify/report/report.h"
#include "trust/base/banned.h"

/* ---- places ---- */

static int
in_state(const struct cv_cmdline *c, const char *name, char out[CV_PATH_ROOM], struct cv_err *e)
{
	size_t n;

	if (cv_state_dir(c, out, CV_PATH_ROOM, e) != 0)
		return -1;
	n = strlen(out);
	if (snprintf(out + n, CV_PATH_ROOM - n, "/%s", name) >= (int)(CV_PATH_ROOM - n))
		return cv_fail(e, CV_R_USAGE, "the state directory has too long a path");
	return 0;
}

static int
given(const char *value, char out[CV_PATH_ROOM], struct cv_err *e)
{
	if (snprintf(out, CV_PATH_ROOM, "%s", value) >= CV_PATH_ROOM)
		return cv_fail(e, CV_R_USAGE, "a path longer than %d bytes", CV_PATH_ROOM - 1);
	return 0;
}

int
cv_lc_key_path(const struct cv_cmdline *c, char out[CV_PATH_ROOM], struct cv_err *e)
{
	const char *key = cv_cl_value(c, "key");

	return key != NULL ? given(key, out, e) : in_state(c, "local.key", out, e);
}

int
cv_lc_bundles(const struct cv_cmdline *c, char out[CV_PATH_ROOM], struct cv_err *e)
{
	const char *dir = cv_cl_value(c, "out");

	return dir != NULL ? given(dir, out, e) : in_state(c, "bundles", out, e);
}

static bool
is_bundle(const char *path)
{
	char index[CV_PATH_ROOM + 16];
	struct stat st;

	(void)snprintf(index, sizeof(index), "%s/" CV_BUNDLE_INDEX, path);
	return lstat(index, &st) == 0;
}

int
cv_lc_find(const struct cv_cmdline *c, const char *what, char out[CV_PATH_ROOM], struct cv_err *e)
{
	char name[CV_BUNDLE_NAME];
	struct cv_digest d;
	size_t n;

	if (strncmp(what, "sha256:", 7) != 0)
		return given(what, out, e) != 0 ? -1 : is_bundle(out);
	if (cv_digest_parse(&d, cv_span_str(what), e) != 0) {
		e->reason = CV_R_USAGE;
		return -1;
	}
	if (cv_lc_bundles(c, out, e) != 0)
		return -1;
	n = strlen(out);
	if (snprintf(out + n, CV_PATH_ROOM - n, "/%s", cv_bundle_name(&d, name)) >=
	    (int)(CV_PATH_ROOM - n))
		return cv_fail(e, CV_R_USAGE, "too long a path");
	if (!is_bundle(out))
		return cv_fail(e, CV_R_USAGE, "%s: there is no such bundle", out);
	return 1;
}

/* ---- whom to believe ---- */

int
cv_lc_gate(struct cv_gatecfg **ret, const struct cv_cmdline *c, struct cv_err *e)
{
	const char *path = cv_cl_value(c, "gate");
	struct stat st;

	if (path == NULL) {
		path = CV_GATECFG_PATH;
		if (lstat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
			return 0;
	}
	return cv_gatecfg_load(ret, path, e) != 0 ? -1 : 1;
}

/* own_key: the one key of a host without a gate.json. */
static int
own_key(struct cv_lc_trust *t, const struct cv_cmdline *c, struct cv_err *e)
{
	cv_auto(cv_signkey_free) struct cv_signkey *k = NULL;
	cv_auto(cv_buf_free) struct cv_buf pem = CV_BUF(CV_MAX_KEY_PEM);
	char path[CV_PATH_ROOM];
	int r;

	if (cv_lc_key_path(c, path, e) != 0)
		return -1;
	r = cv_conf_read(&pem, AT_FDCWD, path, CV_MAX_KEY_PEM, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return cv_fail(
			e, CV_R_CONFIG,
			"%s: there is no such key, and none else whose bundles this host "
			"believes; name one with --key, or make one: clawverify trust keygen",
			path);
	if (strstr(cv_buf_text(&pem), "PRIVATE KEY") == NULL)
		return cv_key_parse(&t->mem, &t->own, cv_buf_span(&pem), path, e);
	if (cv_signkey_load(&k, path, e) != 0)
		return -1;
	return cv_key_parse(&t->mem, &t->own, cv_span_str(cv_signkey_pem(k)), path, e);
}

int
cv_lc_trust_open(struct cv_lc_trust *t, const struct cv_cmdline *c, struct cv_err *e)
{
	int r;

	*t = (struct cv_lc_trust){ .gate = NULL };
	t->trust.now = (int64_t)time(NULL);
	t->trust.role = (struct cv_role_opts){ .dir = t->workers, .cancel_fd = -1 };
	r = cv_lc_gate(&t->gate, c, e);
	if (r > 0) {
		t->trust.keys = t->gate->bundle_keys;
		t->trust.nkeys = t->gate->nbundle_keys;
	} else if (r == 0 && (r = own_key(t, c, e)) == 0) {
		t->trust.keys = &t->own;
		t->trust.nkeys = 1;
	}
	if (r >= 0 && cv_role_dir(t->workers, sizeof(t->workers), e) == 0)
		return 0;
	cv_lc_trust_close(t);
	return -1;
}

void
cv_lc_trust_close(struct cv_lc_trust *t)
{
	cv_gatecfg_free(&t->gate);
	cv_mem_free(&t->mem);
	t->trust = (struct cv_bundle_trust){ .keys = NULL };
}

int
cv_lc_failed(const struct cv_cmdline *c, const char *check, struct cv_err *e)
{
	if (check != NULL)
		(void)cv_fail_within(e, "%s", check);
	return cv_cmd_failed(c, e);
}

/* ---- verify and seal ---- */

/* read_policy: the policy as it lies there, for whoever judges the bundle. */
static int
read_policy(const struct cv_session *s, struct cv_buf *out, struct cv_err *e)
{
	int r;

	if (strncmp(s->policy_path, "preset:", 7) == 0) {
		struct cv_span text = cv_embed_preset(s->policy_path + 7);

		cv_buf_add(out, text.p, text.n);
		return cv_buf_ok(out, "the policy", e);
	}
	r = cv_conf_read(out, AT_FDCWD, s->policy_path, CV_MAX_HUMAN_FILE, e);
	if (r == 0)
		return cv_fail(e, CV_R_CONFIG, "%s: gone since it was read", s->policy_path);
	return r < 0 ? -1 : 0;
}

/* read_signed: the envelope beside it, if somebody signed it (trust sign). Whether
 * it counts is for the host to say that gets the bundle. */
static int
read_signed(const struct cv_session *s, struct cv_buf *out, struct cv_err *e)
{
	char path[CV_PATH_ROOM];

	if (strncmp(s->policy_path, "preset:", 7) == 0)
		return 0;
	if (snprintf(path, sizeof(path), "%s" CV_LC_SIGNED, s->policy_path) >= (int)sizeof(path))
		return cv_fail(e, CV_R_USAGE, "too long a path");
	return cv_conf_read(out, AT_FDCWD, path, CV_MAX_JSON_DOM, e) < 0 ? -1 : 0;
}

static int
read_lock(const struct cv_session *s, struct cv_buf *out, struct cv_err *e)
{
	struct cv_digest got;

	if (s->lock == NULL)
		return cv_fail(e, CV_R_CONFIG, "%s: there is no lock; clawverify lock makes one",
			       s->lock_path);
	if (cv_conf_read(out, AT_FDCWD, s->lock_path, CV_MAX_LOCK_FILE, e) < 0 ||
	    cv_digest_of(&got, CV_SHA256, cv_buf_span(out), e) != 0)
		return -1;
	if (!cv_digest_eq(&got, &s->lock->digest))
		return cv_fail(e, CV_R_CONFIG, "%s: changed since it was read", s->lock_path);
	return 0;
}

static int
seal(const struct cv_cmdline *c, struct cv_session *s, struct cv_result *r,
     const struct cv_signkey *key, char path[CV_PATH_ROOM], struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf policy = CV_BUF(CV_MAX_HUMAN_FILE);
	cv_auto(cv_buf_free) struct cv_buf signed_policy = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf lock = CV_BUF(CV_MAX_LOCK_FILE);
	cv_auto(cv_buf_free) struct cv_buf report = CV_BUF(64 * CV_MIB);
	char dir[CV_PATH_ROOM];
	struct cv_seal in = { .rq = &s->rq, .result = r, .dir = dir, .key = key };

	if (cv_lc_bundles(c, dir, e) != 0 || read_policy(s, &policy, e) != 0 ||
	    read_signed(s, &signed_policy, e) != 0 || read_lock(s, &lock, e) != 0 ||
	    cv_report_json(&report, r, e) != 0)
		return -1;
	in.policy = cv_buf_span(&policy);
	in.policy_signed = cv_buf_span(&signed_policy);
	in.lock = cv_buf_span(&lock);
	in.report = cv_buf_span(&report);
	return cv_bundle_seal(&in, &r->bundle, path, e);
}

/* decide: 0 passed and sealed, 1 not passed, -1. */
static int
decide(struct cv_lc_sealed *ret, const struct cv_cmdline *c, struct cv_session *s,
       struct cv_result *r, const struct cv_signkey *key, bool report, struct cv_err *e)
{
	ret->exit_code = (int)r->decision.exit;
	if (r->decision.outcome != CV_PASS) {
		if (ret->exit_code == CV_EXIT_PASS)
			ret->exit_code = CV_EXIT_INTERNAL;
		return cv_outputs_write(c, r, e) != 0 ? -1 : 1;
	}
	if (seal(c, s, r, key, ret->path, e) != 0)
		return -1;
	ret->bundle = r->bundle;
	ret->artifacts = r->nartifacts;
	ret->valid_until = r->valid_until;
	(void)snprintf(ret->agent, sizeof(ret->agent), "%s", s->agent->name);
	return report ? cv_outputs_write(c, r, e) : 0;
}

int
cv_lc_seal(struct cv_lc_sealed *ret, const struct cv_cmdline *c, const char *target, bool report,
	   struct cv_err *e)
{
	cv_auto(cv_signkey_free) struct cv_signkey *key = NULL;
	char key_path[CV_PATH_ROOM];
	struct cv_session s;
	struct cv_progress progress;
	struct cv_result *r = NULL;
	int rc;

	*ret = (struct cv_lc_sealed){ .exit_code = CV_EXIT_INTERNAL };
	/* the key first: without it the rest would be in vain */
	if (cv_lc_key_path(c, key_path, e) != 0 || cv_signkey_load(&key, key_path, e) != 0)
		return -1;
	if (cv_progress_open(&progress, c, e) != 0 || cv_session_open(&s, c, target, e) != 0)
		return -1;
	s.rq.mode = CV_MODE_VERIFY;
	s.rq.watch = cv_progress_watch(&progress);
	rc = cv_session_run(&s, &r, e);
	cv_progress_close(&progress);
	if (rc == 0)
		rc = decide(ret, c, &s, r, key, report, e);
	cv_result_free(&r);
	cv_session_close(&s);
	return rc;
}
