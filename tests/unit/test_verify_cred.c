/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: the right ones to the right host, "none" and "failed" apart. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "verify/cred.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLACK 3000

static struct cv_cred_answer a;

/* A fresh HOME for each case, and a PATH of one directory for helpers. */
static struct {
	char home[256], bin[300], docker[300];
	struct cv_cred_from from;
	unsigned n;
} h;

static void
fresh(void)
{
	snprintf(h.home, sizeof(h.home), "%s/home%u", t_tmpdir(), h.n++);
	snprintf(h.bin, sizeof(h.bin), "%s/bin", h.home);
	snprintf(h.docker, sizeof(h.docker), "%s/.docker", h.home);
	T(mkdir(h.home, 0700) == 0 && mkdir(h.bin, 0700) == 0 && mkdir(h.docker, 0700) == 0);
	h.from = (struct cv_cred_from){ .home = h.home, .path = h.bin };
}

static void
file(const char *path, const char *text)
{
	char full[600];

	snprintf(full, sizeof(full), "%s/%s", h.home, path);
	t_write_file(full, text, strlen(text));
}

static void
config(const char *text)
{
	file(".docker/config.json", text);
}

static void
helper(const char *name, const char *script)
{
	char path[300], text[2000];

	snprintf(path, sizeof(path), "bin/docker-credential-%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	file(path, text);
	snprintf(text, sizeof(text), "%s/%s", h.home, path);
	T(chmod(text, 0700) == 0);
}

static int
find_by(const char *host, int64_t deadline, int cancel_fd, struct cv_err *e)
{
	cv_auto(cv_cred_env_free) struct cv_cred_env *env = NULL;
	int rc;

	cv_cred_wipe(&a);
	T_OK(cv_cred_env_open(&env, &h.from, e), *e);
	rc = cv_cred_find(&a, env, host, deadline, cancel_fd, e);
	if (rc != 0) {
		T_INT(a.kind, CV_CRED_NONE);
		T(a.secret[0] == '\0' && a.user[0] == '\0');
		T(strstr(e->text, "s3cret") == NULL);
	}
	return rc;
}

static int
find(const char *host, struct cv_err *e)
{
	return find_by(host, 0, -1, e);
}

static void
want(const char *host, enum cv_cred kind, const char *user, const char *secret)
{
	struct cv_err e = { 0 };

	T_OK(find(host, &e), e);
	T_INT(a.kind, kind);
	T_STR(a.user, user);
	T_STR(a.secret, secret);
}

static void
no(const char *host, enum cv_reason reason, const char *text)
{
	struct cv_err e = { 0 };

	T_NO(find(host, &e), e, reason);
	T_HAS(e.text, text);
}

static void
test_none(void)
{
	fresh();
	want("reg.example", CV_CRED_NONE, "", "");
	config("{}");
	want("reg.example", CV_CRED_NONE, "", "");
	config("{\"auths\": {\"other.example\": {\"auth\": \"dTpwOnE=\"}}, \"credsStore\": \"\"}");
	want("reg.example", CV_CRED_NONE, "", "");
	want("other.example.evil", CV_CRED_NONE, "", "");
	want("example", CV_CRED_NONE, "", "");
	config("{\"auths\": {\"reg.example\": {}}}");
	want("reg.example", CV_CRED_NONE, "", "");
	h.from = (struct cv_cred_from){ 0 };
	want("reg.example", CV_CRED_NONE, "", "");
}

static void
test_auths(void)
{
	fresh();
	config("{\"auths\": {"
	       "\"a.example\": {\"auth\": \"dTpwOnE=\"}," /* u, p:q */
	       "\"https://b.example:5000/v2/\": {\"auth\": \"dTpwOnE=\", \"email\": \"x\"},"
	       "\"c.example/team/repo\": {\"auth\": \"dTpwOnE=\"},"
	       "\"d.example\": {\"identitytoken\": \"tok\", \"auth\": \"dTo=\"},"
	       "\"e.example\": {\"registrytoken\": \"bear\"},"
	       "\"f.example\": {\"username\": \"us\", \"password\": \"pw\"},"
	       "\"https://g.example\": {\"auth\": \"dTpwOnE=\"},"
	       "\"g.example\": {\"auth\": \"dTpzM2NyZXQA\"}," /* u, s3cret, NUL */
	       "\"https://index.docker.io/v1/\": {\"auth\": \"dTpwOnE=\"}"
	       "}, \"HttpHeaders\": {\"x\": 1.5}}");
	want("a.example", CV_CRED_BASIC, "u", "p:q");
	want("b.example:5000", CV_CRED_BASIC, "u", "p:q");
	want("b.example", CV_CRED_NONE, "", "");
	want("c.example", CV_CRED_NONE, "", "");
	want("d.example", CV_CRED_IDENTITY_TOKEN, "", "tok");
	want("e.example", CV_CRED_BEARER, "", "bear");
	want("f.example", CV_CRED_BASIC, "us", "pw");
	want("g.example", CV_CRED_BASIC, "u", "s3cret");
	want("docker.io", CV_CRED_BASIC, "u", "p:q");
	want("registry-1.docker.io", CV_CRED_BASIC, "u", "p:q");
}

static void
test_places(void)
{
	static const char first[] = "{\"auths\": {\"r.example\": {\"username\": \"1\", "
				    "\"password\": \"x\"}}}";
	static const char second[] = "{\"auths\": {\"r.example\": {\"username\": \"2\", "
				     "\"password\": \"x\"}}}";
	char path[400], dir[400];

	fresh();
	snprintf(path, sizeof(path), "%s/auth.json", h.home);
	snprintf(dir, sizeof(dir), "%s/.config", h.home);
	T(mkdir(dir, 0700) == 0);
	snprintf(dir, sizeof(dir), "%s/.config/containers", h.home);
	T(mkdir(dir, 0700) == 0);
	file(".config/containers/auth.json", second);
	want("r.example", CV_CRED_BASIC, "2", "x");
	file("auth.json", first);
	h.from.registry_auth_file = path;
	want("r.example", CV_CRED_BASIC, "1", "x");
	h.from.registry_auth_file = NULL;
	snprintf(dir, sizeof(dir), "%s/containers", h.home);
	T(mkdir(dir, 0700) == 0);
	file("containers/auth.json", first);
	h.from.xdg_runtime_dir = h.home;
	want("r.example", CV_CRED_BASIC, "1", "x");
	config(second);
	want("r.example", CV_CRED_BASIC, "2", "x");
	h.from.docker_config = h.home; /* then ~/.docker is not read */
	file("config.json", "{}");
	want("r.example", CV_CRED_BASIC, "1", "x");
	h.from.docker_auth_config = second;
	want("r.example", CV_CRED_BASIC, "2", "x");
}

static void
test_bad_files(void)
{
	char path[400];

	fresh();
	config("{\"auths\": ");
	no("r.example", CV_R_CONFIG, "config.json:1:");
	config("{\"auths\": {}, \"auths\": {}}");
	no("r.example", CV_R_CONFIG, "config.json:1:");
	config("[]");
	no("r.example", CV_R_CONFIG, "config.json:1:1");
	config("{\"auths\": {\"r.example\": {\"auth\": 1}}}");
	no("r.example", CV_R_CONFIG, "config.json:1:");
	config("{\"auths\": {\"r.example\": {\"auth\": \"s3cret!\"}}}");
	no("r.example", CV_R_CONFIG, "base64");
	config("{\"auths\": {\"r.example\": {\"auth\": \"czNjcmV0\"}}}"); /* no colon */
	no("r.example", CV_R_CONFIG, "user:password");
	config("{\"auths\": {\"r.example\": {\"auth\": \"dTpwAHEx\"}}}"); /* NUL inside */
	no("r.example", CV_R_CONFIG, "NUL");
	config("{\"auths\": {\"r.example\": []}}");
	no("r.example", CV_R_CONFIG, "config.json:1:");
	config("{\"credHelpers\": {\"r.example\": 1}}");
	no("r.example", CV_R_CONFIG, "config.json:1:");
	config("{}");
	snprintf(path, sizeof(path), "%s/config.json", h.docker);
	T(chmod(path, 0602) == 0);
	no("r.example", CV_R_CONFIG, "everybody may write");
	T(unlink(path) == 0 && mkfifo(path, 0600) == 0);
	no("r.example", CV_R_CONFIG, "not a regular file");
}

static void
test_helper(void)
{
	fresh();
	helper("good",
	       "read s; test \"$1\" = get || exit 3\n"
	       "printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"%s\"}' $s $s");
	helper("token", "echo '{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"tok\"}'");
	config("{\"credHelpers\": {\"r.example:5000\": \"good\", \"t.example\": \"token\"},"
	       " \"auths\": {\"a.example\": {\"auth\": \"dTpwOnE=\"}}}");
	want("r.example:5000", CV_CRED_BASIC, "u", "r.example:5000");
	want("t.example", CV_CRED_IDENTITY_TOKEN, "", "tok");
	want("r.example", CV_CRED_NONE, "", "");
	want("a.example", CV_CRED_BASIC, "u", "p:q");
	config("{\"credsStore\": \"good\", \"auths\": {\"docker.io\": {}}}");
	want("docker.io", CV_CRED_BASIC, "u", "https://index.docker.io/v1/");
	want("x.example", CV_CRED_BASIC, "u", "x.example");
}

static void
test_helper_has_none(void)
{
	fresh();
	helper("empty", "echo 'credentials not found in native keychain'; exit 1");
	config("{\"credsStore\": \"empty\", \"auths\": {\"a.example\": {\"auth\": \"dTpwOnE=\"}}}");
	want("r.example", CV_CRED_NONE, "", "");
	want("a.example", CV_CRED_BASIC, "u", "p:q");
	config("{\"credHelpers\": {\"a.example\": \"empty\"},"
	       " \"auths\": {\"a.example\": {\"auth\": \"dTpwOnE=\"}}}");
	want("a.example", CV_CRED_NONE, "", "");
}

static void
test_helper_fails(void)
{
	static const char *const scripts[] = {
		"echo 'error with s3cret'; exit 1",
		"exit 0",
		"echo '{\"Username\":\"u\"}'",
		"echo '{\"Username\":\"u\",\"Secret\":\"\"}'",
		"echo '{\"Username\":\"u\",\"Secret\":\"s3cret\"} trailing'",
		"echo '{\"Username\":1,\"Secret\":\"s3cret\"}'",
		"echo '{\"Username\":\"u\",\"Secret\":\"s3cret\"}'; kill -9 $$",
		"echo '{\"Username\":\"u\",\"Secret\":\"s3cret\"}'; exit 1",
		"while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
	};

	for (size_t i = 0; i < CV_COUNT(scripts); i++) {
		fresh();
		helper("bad", scripts[i]);
		config("{\"credsStore\": \"bad\", \"auths\": {\"r.example\": {\"auth\": "
		       "\"dTpwOnE=\"}}}");
		no("r.example", CV_R_DENIED, "docker-credential-bad");
	}
	fresh();
	config("{\"credsStore\": \"missing\"}");
	no("r.example", CV_R_DENIED, "search path");
}

static void
test_helper_name(void)
{
	static const char *const names[] = { "../bad",  "a/b", "/bin/sh", "a b",
					     ".hidden", "-x",  "a;b" };
	char text[200];

	for (size_t i = 0; i < CV_COUNT(names); i++) {
		fresh();
		snprintf(text, sizeof(text), "{\"credsStore\": \"%s\"}", names[i]);
		config(text);
		no("r.example", CV_R_CONFIG, "no name of a helper");
	}
}

/* A relative entry of the search path is not looked into. */
static void
test_search_path(void)
{
	char cwd[400], path[600];

	fresh();
	helper("good", "echo '{\"Username\":\"u\",\"Secret\":\"x\"}'");
	config("{\"credsStore\": \"good\"}");
	T(getcwd(cwd, sizeof(cwd)) != NULL && chdir(h.bin) == 0);
	h.from.path = ".::";
	no("r.example", CV_R_DENIED, "search path");
	snprintf(path, sizeof(path), ".::%s:", h.bin);
	h.from.path = path;
	want("r.example", CV_CRED_BASIC, "u", "x");
	T(chdir(cwd) == 0);
}

static void
test_helper_environment(void)
{
	static const char *const env[] = { "X=from-us", NULL };

	fresh();
	setenv("CV_TEST_LEAK", "leak", 1);
	helper("env", "printf '{\"Username\":\"%s\",\"Secret\":\"x%s\"}' \"$X\" \"$CV_TEST_LEAK\"");
	config("{\"credsStore\": \"env\"}");
	h.from.helper_env = env;
	want("r.example", CV_CRED_BASIC, "from-us", "x");
	h.from.no_helpers = true;
	no("r.example", CV_R_DENIED, "not allowed");
}

static void
hang(const char *script)
{
	struct cv_err e = { 0 };
	int64_t from = cv_mono_ms();
	cv_auto(cv_closep) int fd = eventfd(1, EFD_CLOEXEC);

	fresh();
	helper("slow", script);
	config("{\"credsStore\": \"slow\"}");
	T_NO(find_by("r.example", cv_mono_ms() + 200, -1, &e), e, CV_R_DEADLINE);
	T_NO(find_by("r.example", 0, fd, &e), e, CV_R_CANCELLED);
	T(cv_mono_ms() - from < SLACK);
	T(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void
test_helper_hangs(void)
{
	hang("exec sleep 60");
	hang("trap '' TERM; while :; do sleep 1; done");
	/* it has ended, and another holds its output */
	hang("sleep 60 & echo '{\"Username\":\"u\",\"Secret\":\"x\"}'");
}

static const struct t_case cases[] = {
	{ "none", test_none },
	{ "auths", test_auths },
	{ "places", test_places },
	{ "bad files", test_bad_files },
	{ "helper", test_helper },
	{ "helper has none", test_helper_has_none },
	{ "helper fails", test_helper_fails },
	{ "helper name", test_helper_name },
	{ "search path", test_search_path },
	{ "helper environment", test_helper_environment },
	{ "helper hangs", test_helper_hangs },
};

T_MAIN(cases)
