/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: bytes count only by their digest, whoever hands them over. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "verify/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLACK 5000

static struct {
	char dir[200], layout[300], workers[300];
	struct cv_store *store;
	struct cv_source *src;
	struct cv_role_opts role;
	struct cv_source_opts o;
	int layout_fd;
	unsigned n;
} h;

static struct cv_got got;

static void
path_of(char out[600], const char *name)
{
	snprintf(out, 600, "%s/%s", h.layout, name);
}

/* A store and a source, of a repository or of a layout. */
static void
fresh(bool layout)
{
	char path[600], helper[PATH_MAX], real[PATH_MAX];
	struct cv_err e = { 0 };

	snprintf(h.dir, sizeof(h.dir), "%s/source%u", t_tmpdir(), h.n++);
	snprintf(h.layout, sizeof(h.layout), "%s/layout", h.dir);
	snprintf(h.workers, sizeof(h.workers), "%s/workers", h.dir);
	T(mkdir(h.dir, 0700) == 0 && mkdir(h.layout, 0700) == 0 && mkdir(h.workers, 0700) == 0);
	snprintf(helper, sizeof(helper), "%s/tests/helpers/fetcher", t_build());
	if (realpath(helper, real) == NULL)
		t_fail(__FILE__, __LINE__, "%s is not built", helper);
	snprintf(path, sizeof(path), "%s/clawverify-fetch", h.workers);
	T(symlink(real, path) == 0);
	path_of(path, "blobs");
	T(mkdir(path, 0700) == 0);
	path_of(path, "blobs/sha256");
	T(mkdir(path, 0700) == 0);
	path_of(path, "blobs/sha512");
	T(mkdir(path, 0700) == 0);
	h.layout_fd = open(h.layout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/store", h.dir);
	T_OK(cv_store_open(&h.store, path, 0, &e), e);
	h.role = (struct cv_role_opts){ .dir = h.workers,
					.deadline = cv_mono_ms() + 30000,
					.cancel_fd = -1 };
	h.o = (struct cv_source_opts){ .store = h.store,
				       .role = &h.role,
				       .offline = layout,
				       .repo = layout ? NULL : "reg.example:5000/team/x",
				       .layout_fd = layout ? h.layout_fd : -1 };
	T_OK(cv_source_open(&h.src, &h.o, &e), e);
}

static void
done(void)
{
	cv_source_close(&h.src);
	cv_store_close(&h.store);
	cv_closep(&h.layout_fd);
}

static struct cv_digest
sum(enum cv_alg alg, const char *text)
{
	struct cv_digest d;
	struct cv_err e = { 0 };

	T_OK(cv_digest_of(&d, alg, cv_span_str(text), &e), e);
	return d;
}

static void
part_path(char out[600], const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT], name[CV_DIGEST_TEXT + 8];

	cv_digest_text(d, text);
	*strchr(text, ':') = '/';
	snprintf(name, sizeof(name), "blobs/%s", text);
	path_of(out, name);
}

static void
part(const struct cv_digest *d, const char *content)
{
	char path[600];

	part_path(path, d);
	t_write_file(path, content, strlen(content));
}

static void
given(const char *want)
{
	char text[200] = "";

	if (got.status != CV_S_GIVEN)
		t_fail(__FILE__, __LINE__, "status %d: %s", (int)got.status, got.err.text);
	T_INT(got.blob.len, strlen(want));
	T(pread(got.blob.fd, text, sizeof(text) - 1, (off_t)got.blob.off) == (ssize_t)strlen(want));
	T_STR(text, want);
	cv_closep(&got.blob.fd);
}

static void
failed(enum cv_reason reason, const char *check)
{
	T_INT(got.status, CV_S_FAILED);
	if (got.err.reason != reason)
		t_fail(__FILE__, __LINE__, "%s (%s), want %s", cv_reason_word(got.err.reason),
		       got.err.text, cv_reason_word(reason));
	T_STR(got.check, check);
	T_INT(got.blob.fd, -1);
}

/* ---- layouts ---- */

static void
test_layout(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc"), d512 = sum(CV_SHA512, "xyz");
	char path[600];

	fresh(true);
	part(&d, "abc");
	part(&d512, "xyz");
	path_of(path, "index.json");
	t_write_file(path, "{}", 2);
	cv_source_manifest(h.src, "", NULL, 100, &got);
	given("{}");
	cv_source_blob(h.src, &d, 3, 100, &got);
	given("abc");
	T(cv_digest_eq(&got.digest, &d));
	cv_source_blob(h.src, &d512, CV_SIZE_ANY, 100, &got);
	given("xyz");
	T(cv_digest_eq(&got.digest, &d512));
	/* what the store has is not read again */
	part_path(path, &d);
	T(unlink(path) == 0);
	cv_source_manifest(h.src, "", &d, 100, &got);
	given("abc");
	cv_source_manifest(h.src, "", &d, 2, &got);
	failed(CV_R_LIMIT, "fetch.too-large");
	done();
}

static void
test_layout_absent(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc");
	char path[600];

	fresh(true);
	cv_source_blob(h.src, &d, 3, 100, &got);
	T_INT(got.status, CV_S_ABSENT);
	cv_source_manifest(h.src, "", NULL, 100, &got);
	T_INT(got.status, CV_S_ABSENT);
	path_of(path, "blobs/sha256");
	T(rmdir(path) == 0);
	t_write_file(path, "", 0); /* a file where the directory should be */
	cv_source_blob(h.src, &d, 3, 100, &got);
	T_INT(got.status, CV_S_ABSENT);
	done();
}

static void
test_layout_wrong_bytes(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc"), d512 = sum(CV_SHA512, "abc");

	fresh(true);
	part(&d, "abd");
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_DIGEST, "fetch.digest-mismatch");
	part(&d, "ab");
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_CUTOFF, "fetch.cut-off");
	part(&d, "abcd");
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_LIMIT, "fetch.too-large");
	part(&d, "abc"); /* the right bytes, described with another size */
	cv_source_blob(h.src, &d, 4, 100, &got);
	failed(CV_R_CUTOFF, "fetch.cut-off");
	cv_source_blob(h.src, &d, 101, 100, &got);
	failed(CV_R_LIMIT, "fetch.too-large");
	part(&d512, "abd");
	cv_source_blob(h.src, &d512, CV_SIZE_ANY, 100, &got);
	failed(CV_R_DIGEST, "fetch.digest-mismatch");
	done();
}

static void
test_layout_kinds(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc");
	char path[600], outside[600], sub[600];

	fresh(true);
	snprintf(outside, sizeof(outside), "%s/outside", h.dir);
	t_write_file(outside, "abc", 3);
	part_path(path, &d);
	T(symlink(outside, path) == 0);
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_RULE, "file.unsafe");
	T(unlink(path) == 0 && mkfifo(path, 0600) == 0);
	cv_source_blob(h.src, &d, 3, 100, &got); /* and does not wait for a writer */
	failed(CV_R_RULE, "file.unsafe");
	T(unlink(path) == 0 && mkdir(path, 0700) == 0);
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_RULE, "file.unsafe");
	T(rmdir(path) == 0);
	/* a directory of the way is a link, to inside even */
	path_of(path, "blobs/sha256");
	path_of(sub, "elsewhere");
	T(rename(path, sub) == 0 && symlink("../elsewhere", path) == 0);
	part(&d, "abc");
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_RULE, "file.unsafe");
	path_of(path, "index.json");
	T(symlink("/etc/passwd", path) == 0);
	cv_source_manifest(h.src, "", NULL, 1 << 20, &got);
	failed(CV_R_RULE, "file.unsafe");
	done();
}

static void
test_layout_in_time(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc");
	cv_auto(cv_closep) int fd = eventfd(1, EFD_CLOEXEC);

	fresh(true);
	part(&d, "abc");
	h.role.deadline = 1;
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_DEADLINE, "fetch.deadline");
	h.role.deadline = 0;
	h.role.cancel_fd = fd;
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_CANCELLED, "run.cancelled");
	done();
}

/* A layout never makes a worker start. */
static void
test_layout_offline(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc");
	unsigned flags;
	int abi;

	fresh(true);
	cv_source_referrers(h.src, &d, 100, &got);
	failed(CV_R_OFFLINE, "fetch.offline");
	cv_source_resolve(h.src, "x", &got);
	failed(CV_R_OFFLINE, "fetch.offline");
	T(!cv_source_sandbox(h.src, &flags, &abi));
	done();
}

/* ---- a fetch worker ---- */

static void
test_fetch(void)
{
	struct cv_digest d = sum(CV_SHA256, "hello"), other = sum(CV_SHA256, "other");
	unsigned flags;
	int abi;

	fresh(false);
	cv_source_manifest(h.src, "hello", NULL, 100, &got);
	given("hello");
	T_STR(got.media, "text/x");
	T(cv_digest_eq(&got.digest, &d));
	cv_source_manifest(h.src, "absent", NULL, 100, &got);
	T_INT(got.status, CV_S_ABSENT);
	T_INT(got.blob.fd, -1);
	cv_source_manifest(h.src, "hello", &other, 100, &got);
	failed(CV_R_DIGEST, "fetch.digest-mismatch");
	cv_source_manifest(h.src, "announces", NULL, 100, &got);
	failed(CV_R_DIGEST, "fetch.digest-mismatch");
	cv_source_resolve(h.src, "x", &got);
	T_INT(got.status, CV_S_GIVEN);
	cv_source_manifest(h.src, "throttled", NULL, 100, &got);
	failed(CV_R_THROTTLED, "fetch.throttled");
	cv_source_manifest(h.src, "count", NULL, 100, &got);
	given("7"); /* one worker all the time, after an error too */
	T(cv_source_sandbox(h.src, &flags, &abi));
	done();
}

static void
test_fetch_misbehaves(void)
{
	int64_t from = cv_mono_ms();

	fresh(false);
	cv_source_manifest(h.src, "endless", NULL, 100000, &got);
	failed(CV_R_LIMIT, "fetch.too-large");
	cv_source_manifest(h.src, "count", NULL, 100, &got);
	given("1"); /* another worker */
	cv_source_manifest(h.src, "die", NULL, 100, &got);
	failed(CV_R_WORKER, "worker.died");
	cv_source_manifest(h.src, "count", NULL, 100, &got);
	given("1");
	T(cv_mono_ms() - from < SLACK);
	done();
}

static void
test_fetch_deadline(void)
{
	int64_t from = cv_mono_ms();

	fresh(false);
	h.role.deadline = cv_mono_ms() + 300;
	cv_source_manifest(h.src, "silent", NULL, 100, &got);
	failed(CV_R_DEADLINE, "fetch.deadline");
	T(cv_mono_ms() - from < SLACK);
	done();
}

static void
test_fetch_offline(void)
{
	struct cv_digest d = sum(CV_SHA256, "abc");
	struct cv_err e = { 0 };
	struct cv_blob b;
	unsigned flags;
	int abi;

	fresh(false);
	cv_source_close(&h.src);
	h.o.offline = true;
	T_OK(cv_source_open(&h.src, &h.o, &e), e);
	cv_source_manifest(h.src, "hello", NULL, 100, &got);
	failed(CV_R_OFFLINE, "fetch.offline");
	cv_source_blob(h.src, &d, 3, 100, &got);
	failed(CV_R_OFFLINE, "fetch.offline");
	T_OK(cv_store_put(h.store, cv_span_str("abc"), NULL, &b, &e), e);
	close(b.fd);
	cv_source_blob(h.src, &d, 3, 100, &got);
	given("abc");
	T(!cv_source_sandbox(h.src, &flags, &abi));
	done();
}

/* ---- credentials on their way ---- */

static void
with_cred(const char *text, struct cv_cred_env **env)
{
	struct cv_cred_from from = { .docker_auth_config = text };
	struct cv_err e = { 0 };

	T_OK(cv_cred_env_open(env, &from, &e), e);
	cv_source_close(&h.src);
	h.o.cred = *env;
	T_OK(cv_source_open(&h.src, &h.o, &e), e);
}

static void
test_credentials(void)
{
	cv_auto(cv_cred_env_free) struct cv_cred_env *env = NULL, *bad = NULL, *helper = NULL;

	fresh(false);
	cv_source_manifest(h.src, "login:reg.example:5000", NULL, 100, &got);
	given("1  ");
	with_cred("{\"auths\": {\"reg.example:5000\": {\"auth\": \"dTpw\"},"
		  " \"other.example\": {\"auth\": \"dTpw\"}}}",
		  &env);
	cv_source_manifest(h.src, "login:reg.example:5000", NULL, 100, &got);
	given("2 u p");
	/* a worker that was taken over asks for another's */
	cv_source_manifest(h.src, "login:other.example", NULL, 100, &got);
	given("1  ");
	cv_source_manifest(h.src, "login:reg.example", NULL, 100, &got);
	given("1  ");
	with_cred("{\"credsStore\": \"missing\"}", &helper);
	cv_source_manifest(h.src, "login:reg.example:5000", NULL, 100, &got);
	failed(CV_R_DENIED, "fetch.denied");
	with_cred("{", &bad);
	cv_source_manifest(h.src, "login:reg.example:5000", NULL, 100, &got);
	failed(CV_R_CONFIG, "fetch.denied");
	done();
}

static const struct t_case cases[] = {
	{ "layout", test_layout },
	{ "layout: absent", test_layout_absent },
	{ "layout: wrong bytes", test_layout_wrong_bytes },
	{ "layout: kinds of files", test_layout_kinds },
	{ "layout: in time", test_layout_in_time },
	{ "layout: offline", test_layout_offline },
	{ "fetch", test_fetch },
	{ "fetch: misbehaves", test_fetch_misbehaves },
	{ "fetch: deadline", test_fetch_deadline },
	{ "fetch: offline", test_fetch_offline },
	{ "credentials", test_credentials },
};

T_MAIN(cases)
