/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_program.c: the fetch worker as a program: its tasks, its limits, what it asks
 * of verify, TLS and proxies once it is sealed. */
#include "tests/net/program.h"

/* ---- the cases ---- */

static void
bad_tasks(void)
{
	struct cv_out o;

	plain_start();
	manifest("no-host", "v1", false, 0);
	expect_error("malformed", "no-host");
	manifest("127.0.0.1:1/a/../b", "v1", false, 0);
	expect_error("malformed", "");
	manifest(at("any"), "no tag", false, 0);
	expect_error("malformed", "neither a tag nor a digest");
	begin(&o, CV_T_MANIFEST, at("any"), 100); /* no REF, no OUT */
	finish(&o, false, false);
	expect_error("worker", "missing or malformed");
	begin(&o, (enum cv_task)99, at("any"), 100);
	finish(&o, false, false);
	expect_error("bug", "no task 99");
	/* and it is none the worse for it */
	manifest(at("any"), "v1", false, 0);
	expect_done(CV_S_GIVEN);
	stop();
}

static void
many_tasks(void)
{
	struct cv_out o;
	struct cv_digest d = { .alg = CV_SHA256 };
	size_t i;

	plain_start();
	manifest(at("any"), "v1", false, 0);
	expect_done(CV_S_GIVEN);
	T_STR(cv_frame_str(&w.in, CV_TAG_MEDIA, 255), "application/vnd.oci.image.manifest.v1+json");
	T_INT(cv_frame_u64(&w.in, CV_TAG_SIZE, UINT64_MAX), got.n);
	T(cv_frame_has(&w.in, CV_TAG_DIGEST));
	manifest(at("any"), "v2", false, 0);
	expect_done(CV_S_ABSENT);
	T_INT(got.n, 0);
	begin(&o, CV_T_RESOLVE, at("any"), CV_MAX_MANIFEST);
	cv_out_str(&o, CV_TAG_REF, "v1");
	finish(&o, false, false);
	expect_done(CV_S_GIVEN);
	T(cv_frame_has(&w.in, CV_TAG_DIGEST));
	d.b[29] = 0x30; /* 3 MiB: more than a pipe holds */
	begin(&o, CV_T_GETBLOB, at("any"), 0x300000);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_done(CV_S_GIVEN);
	T_INT(got.n, 0x300000);
	for (i = 0; i < got.n; i++)
		if (got.p[i] != t_pattern(i))
			t_fail(__FILE__, __LINE__, "byte %zu", i);
	begin(&o, CV_T_GETBLOB, at("endless"), 1000000);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_error("limit", "at most 1000000 are accepted");
	begin(&o, CV_T_REFERRERS, at("any"), CV_MAX_MANIFEST);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_done(CV_S_GIVEN);
	T_INT(cv_frame_u64(&w.in, CV_TAG_VALUE, 2), 1);
	stop();
}

static void
credentials(void)
{
	plain_start();
	manifest(at("private"), "v1", false, 0);
	expect_error("io", "the helper fell over");
	manifest(at("private"), "v1", true, 0);
	expect_done(CV_S_GIVEN);
	T_INT(t_server_count(&server, "/token/strict", "authorization=Basic dTpw", NULL), 1);
	stop();
}

static void
deadline(void)
{
	int64_t before;

	plain_start();
	before = cv_mono_ms();
	manifest(at("silent"), "v1", false, 300);
	expect_error("deadline", "");
	T(cv_mono_ms() - before < 1000); /* by itself, before its alarm */
	stop();
}

/* verify goes away in the middle of a transfer: so does the worker. */
static void
alone(void)
{
	struct cv_out o;
	struct cv_digest d = { .alg = CV_SHA256 };
	int ends[2], status;

	plain_start();
	d.b[28] = 0x01;
	begin(&o, CV_T_GETBLOB, at("any"), 0x10000000);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	T(pipe2(ends, O_CLOEXEC) == 0);
	cv_out_fd(&o, CV_TAG_OUT, ends[1]);
	send_frame(&o);
	close(ends[1]);
	cv_out_start(&o, CV_K_RUN);
	cv_out_u64(&o, CV_TAG_COUNT, 0);
	send_frame(&o);
	close(ends[0]);
	cv_frame_clear(&w.in);
	close(w.sock);
	T(waitpid(w.pid, &status, 0) == w.pid);
	w.pid = 0;
}

static void
sealed_https(void)
{
	plain_start();
	url("https://localhost", server.tls, "/file/5");
	expect_error("unreachable", "");
	url("http://localhost", server.main, "/file/5");
	expect_done(CV_S_GIVEN);
	tls_start();
	if ((w.sandbox & CV_SBX_SANITIZER) == 0) {
		T((w.sandbox & CV_SBX_RLIMITS) != 0);
		T((w.sandbox & CV_SBX_NO_NEW_PRIVS) != 0);
	}
	url("https://127.0.0.1", server.tls, "/file/5");
	expect_error("unreachable", "127.0.0.1");
	url("https://localhost", server.tls, "/file/500000");
	expect_done(CV_S_GIVEN);
	/* the same authority from verify, with none of the system's */
	plain_start();
	cv_text_fmt(authority, sizeof(authority), "%s", server.ca);
	url("https://localhost", server.tls, "/file/5");
	expect_done(CV_S_GIVEN);
	url("https://127.0.0.1", server.tls, "/file/5");
	expect_error("unreachable", "TLS: ");
	authority[0] = '\0';
	tls_start();
	T(unlink(server.ca) == 0); /* it was read before the process was sealed */
	url("https://127.0.0.1", server.tls, "/file/5");
	expect_error("unreachable", "127.0.0.1");
	url("https://localhost", server.tls, "/file/500000");
	expect_done(CV_S_GIVEN);
	T_INT(got.n, 500000);
	stop();
	/* a named file that is not there is no reason to trust others */
	tls_start();
	url("https://localhost", server.tls, "/file/5");
	expect_error("unreachable", "certificate authorities: ");
	stop();
}

/* resolver: names go through a thread of libcurl, which has to work sealed. */
static void
resolver(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char name[65] = "", text[100];
	struct cv_out o;

	if (gethostname(name, sizeof(name) - 1) != 0 ||
	    getaddrinfo(name, NULL, &hints, &found) != 0)
		t_skip("this machine does not know its own name");
	freeaddrinfo(found);
	tls_start();
	snprintf(text, sizeof(text), "https://%s:1/", name);
	begin(&o, CV_T_URL, text, 100);
	cv_out_u64(&o, CV_TAG_DEADLINE, 400);
	finish(&o, true, false);
	expect_error("unreachable", "connect");
	begin(&o, CV_T_URL, "https://name.invalid/", 100);
	cv_out_u64(&o, CV_TAG_DEADLINE, 400);
	finish(&o, true, false);
	T_INT(w.in.kind, CV_K_ERROR);
	T_HAS(cv_frame_str(&w.in, CV_TAG_TEXT, 4096), "name.invalid:443: GET https://name.inv");
	stop();
}

/* A proxy of the environment is used for other hosts, and never for loopback. */
static void
proxy(void)
{
	char variable[60], ca_variable[300];
	char *const env[] = { variable, ca_variable, NULL };
	struct cv_out o;

	prepare();
	snprintf(variable, sizeof(variable), "HTTPS_PROXY=http://127.0.0.1:%u", server.main);
	snprintf(ca_variable, sizeof(ca_variable), "SSL_CERT_FILE=%s", server.ca);
	start(env);
	begin(&o, CV_T_URL, "https://name.invalid/", 100);
	cv_out_u64(&o, CV_TAG_DEADLINE, 400);
	finish(&o, true, false);
	expect_error("unreachable", "501"); /* the server does not know CONNECT */
	url("https://localhost", server.tls, "/file/5");
	expect_done(CV_S_GIVEN);
	stop();
}

static const struct t_case cases[] = {
	{ "bad-tasks", bad_tasks },
	{ "many-tasks", many_tasks },
	{ "credentials", credentials },
	{ "deadline", deadline },
	{ "alone", alone },
	{ "resolver", resolver },
	{ "proxy", proxy },
	{ "sealed-https", sealed_https },
};
T_MAIN(cases)
