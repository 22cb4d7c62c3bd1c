/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetch worker as verify meets it: a sealed process, spoken to in frames.
 * Real peers: docker-registry and skopeo, where they are installed.
 */
#include "tests/support/server.h"
#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "trust/base/frame.h"
#include "trust/base/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct t_server server;

static struct {
	pid_t pid;
	int sock;
	struct cv_frame in;
	uint64_t sandbox;
} w;

static const char *const rules = "[{\"at\":\"^/v2/private/\",\"do\":\"bearer\","
				 "  \"realm\":\"http://127.0.0.1:{main}/token/strict\"},"
				 " {\"at\":\"^/token/strict\",\"do\":\"token\",\"strict\":true},"
				 " {\"at\":\"^/v2/silent/\",\"do\":\"silent\"},"
				 " {\"at\":\"^/v2/dribble/\",\"do\":\"dribble\",\"every\":0.002},"
				 " {\"at\":\"^/v2/endless/\",\"do\":\"endless\"}]";

static void
prepare(void)
{
	if (server.main == 0)
		t_server_start(&server, rules, NULL, true);
}

static void
receive(void)
{
	struct cv_err e = { 0 };
	int rc = cv_frame_recv(w.sock, &w.in, cv_mono_ms() + 10000, -1, &e);

	if (rc != 1)
		t_fail(__FILE__, __LINE__, "no frame: %d %s", rc, e.text);
}

static void
stop(void)
{
	int status;

	if (w.pid == 0)
		return;
	cv_frame_clear(&w.in);
	close(w.sock);
	if (waitpid(w.pid, &status, 0) != w.pid)
		abort();
	w.pid = 0;
}

/* start: with these environment strings and no others. */
static void
start(char *const env[])
{
	char path[300], *const argv[] = { path, NULL };
	int pair[2];

	stop();
	snprintf(path, sizeof(path), "%s/clawverify-fetch", t_build());
	T(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	w.pid = fork();
	if (w.pid == 0) {
		if (dup2(pair[1], 3) == 3 && fcntl(3, F_SETFD, 0) == 0)
			execve(path, argv, env);
		_exit(127);
	}
	close(pair[1]);
	w.sock = pair[0];
	receive();
	T_INT(w.in.kind, CV_K_HELLO);
	w.sandbox = cv_frame_u64(&w.in, CV_TAG_SANDBOX, UINT32_MAX);
}

static void
plain_start(void)
{
	static char *const none[] = { NULL };

	prepare();
	start(none);
}

static void
tls_start(void)
{
	char ca[300];
	char *const env[] = { ca, NULL };

	prepare();
	snprintf(ca, sizeof(ca), "SSL_CERT_FILE=%s", server.ca);
	start(env);
}

/* ---- a task ---- */

static void
send_frame(const struct cv_out *o)
{
	struct cv_err e = { 0 };

	T(!o->bad);
	T_OK(cv_frame_send(w.sock, o, cv_mono_ms() + 5000, -1, &e), e);
}

static void
begin(struct cv_out *o, enum cv_task task, const char *name, uint64_t max)
{
	cv_out_start(o, CV_K_TASK);
	cv_out_u64(o, CV_TAG_TASK, task);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_MAX, max);
	cv_out_u64(o, CV_TAG_FLAGS, CV_NET_PLAIN_HTTP);
}

static struct cv_buf got; /* what came through the pipe of the last task */

static void
drain(int fd)
{
	struct cv_err e = { 0 };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t b[65536];
	ssize_t n;

	(void)e;
	while (poll(&p, 1, 0) == 1 && (n = read(fd, b, sizeof(b))) > 0)
		cv_buf_add(&got, b, (size_t)n);
}

static char authority[300]; /* what verify has in certs.d/localhost; "": nothing */

/* give_pem: true if that was what is needed. */
static bool
give_pem(void)
{
	static struct cv_out o;
	uint64_t need = cv_frame_u64(&w.in, CV_TAG_NEED, UINT32_MAX);
	bool given = need == CV_N_CA && authority[0] != '\0';
	int fd = -1;

	if (need != CV_N_CA && need != CV_N_CLIENT)
		return false;
	cv_out_start(&o, CV_K_GIVE);
	cv_out_u64(&o, CV_TAG_ID, cv_frame_u64(&w.in, CV_TAG_ID, UINT64_MAX));
	cv_out_u64(&o, CV_TAG_STATUS, given ? CV_S_GIVEN : CV_S_ABSENT);
	if (given) {
		struct stat st;

		fd = open(authority, O_RDONLY | O_CLOEXEC);
		T(fd >= 0 && fstat(fd, &st) == 0);
		cv_out_blob(&o, CV_TAG_BLOB,
			    (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size });
	}
	send_frame(&o);
	cv_closep(&fd);
	return true;
}

static void
give_cred(bool known)
{
	static struct cv_out o;

	if (give_pem())
		return;
	T_INT(cv_frame_u64(&w.in, CV_TAG_NEED, UINT32_MAX), CV_N_CRED);
	cv_out_start(&o, CV_K_GIVE);
	cv_out_u64(&o, CV_TAG_ID, cv_frame_u64(&w.in, CV_TAG_ID, UINT64_MAX));
	if (known) {
		cv_out_u64(&o, CV_TAG_STATUS, CV_S_GIVEN);
		cv_out_u64(&o, CV_TAG_KIND, CV_CRED_BASIC);
		cv_out_str(&o, CV_TAG_USER, "u");
		cv_out_str(&o, CV_TAG_SECRET, "p");
	} else {
		cv_out_u64(&o, CV_TAG_STATUS, CV_S_FAILED);
		cv_out_str(&o, CV_TAG_REASON, "io");
		cv_out_str(&o, CV_TAG_TEXT, "the helper fell over");
	}
	send_frame(&o);
}

/* finish: send the task and serve it until DONE or ERROR, which is in w.in. */
static void
finish(struct cv_out *o, bool bulk, bool known)
{
	struct cv_out run;
	int ends[2] = { -1, -1 };

	cv_buf_free(&got);
	got = CV_BUF(64 * CV_MIB);
	if (bulk) {
		T(pipe2(ends, O_CLOEXEC) == 0);
		cv_out_fd(o, CV_TAG_OUT, ends[1]);
	}
	send_frame(o);
	if (bulk)
		close(ends[1]);
	cv_out_start(&run, CV_K_RUN);
	cv_out_u64(&run, CV_TAG_COUNT, 0);
	send_frame(&run);
	for (;;) {
		struct pollfd p[2] = { { .fd = w.sock, .events = POLLIN },
				       { .fd = ends[0], .events = POLLIN } };

		T(poll(p, 2, 10000) > 0);
		if (bulk)
			drain(ends[0]);
		if (p[0].revents == 0)
			continue;
		receive();
		if (w.in.kind == CV_K_NEED)
			give_cred(known);
		else if (w.in.kind != CV_K_PROGRESS)
			break;
	}
	if (bulk)
		drain(ends[0]);
	if (bulk)
		close(ends[0]);
}

static void
expect_error(const char *reason, const char *text)
{
	T_INT(w.in.kind, CV_K_ERROR);
	if (strcmp(cv_frame_str(&w.in, CV_TAG_REASON, 64), reason) != 0)
		t_fail(__FILE__, __LINE__, "%s: %s, want %s",
		       cv_frame_str(&w.in, CV_TAG_REASON, 64),
		       cv_frame_str(&w.in, CV_TAG_TEXT, 4096), reason);
	T_HAS(cv_frame_str(&w.in, CV_TAG_TEXT, 4096), text);
}

static void
expect_done(enum cv_status status)
{
	if (w.in.kind == CV_K_ERROR)
		t_fail(__FILE__, __LINE__, "%s", cv_frame_str(&w.in, CV_TAG_TEXT, 4096));
	T_INT(w.in.kind, CV_K_DONE);
	T_INT(cv_frame_u64(&w.in, CV_TAG_STATUS, UINT32_MAX), status);
}

static void
manifest(const char *host_path, const char *ref, bool known, uint64_t deadline)
{
	struct cv_out o;

	begin(&o, CV_T_MANIFEST, host_path, CV_MAX_MANIFEST);
	cv_out_str(&o, CV_TAG_REF, ref);
	if (deadline != 0)
		cv_out_u64(&o, CV_TAG_DEADLINE, deadline);
	finish(&o, true, known);
}

static const char *
at(const char *repo)
{
	static char name[100];

	snprintf(name, sizeof(name), "127.0.0.1:%u/%s", server.main, repo);
	return name;
}

static void
url(const char *host, unsigned port, const char *path)
{
	char text[200];
	struct cv_out o;

	snprintf(text, sizeof(text), "%s:%u%s", host, port, path);
	begin(&o, CV_T_URL, text, 10000000);
	finish(&o, true, false);
}

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

/* ---- a real registry ---- */

static struct {
	pid_t pid;
	unsigned port;
} registry;

static void
registry_stop(void)
{
	if (registry.pid > 0)
		kill(registry.pid, SIGTERM);
	registry.pid = 0;
}

/* free_port: one that nobody has a moment before it is used. */
static unsigned
free_port(void)
{
	struct sockaddr_storage a = { .ss_family = AF_INET };
	socklen_t n = sizeof(a);
	uint8_t port[2];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	T(fd >= 0 && bind(fd, (struct sockaddr *)&a, 16) == 0 &&
	  getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	memcpy(port, (uint8_t *)&a + 2, 2);
	close(fd);
	return (unsigned)port[0] << 8 | port[1];
}

static void
registry_start(const char *dir)
{
	char config[400], path[300], command[500];

	if (system("command -v docker-registry skopeo >/dev/null 2>&1") != 0)
		t_skip("needs docker-registry and skopeo");
	registry.port = free_port();
	snprintf(path, sizeof(path), "%s/registry.yml", dir);
	snprintf(config, sizeof(config),
		 "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "
		 "%s/reg}}\n"
		 "http: {addr: '127.0.0.1:%u'}\n",
		 dir, registry.port);
	t_write_file(path, config, strlen(config));
	registry.pid = fork();
	if (registry.pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execlp("docker-registry", "docker-registry", "serve", path, (char *)NULL);
		_exit(127);
	}
	atexit(registry_stop);
	snprintf(command, sizeof(command),
		 "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do"
		 " (exec 3<>/dev/tcp/127.0.0.1/%u) 2>/dev/null && exit 0; sleep 0.1; done; exit 1",
		 registry.port);
	snprintf(path, sizeof(path), "%s/wait.sh", dir);
	t_write_file(path, command, strlen(command));
	snprintf(command, sizeof(command), "bash %s", path);
	if (system(command) != 0)
		t_skip("docker-registry does not start");
}

static void
put_blob(const char *dir, const void *p, size_t n, char digest[CV_DIGEST_TEXT])
{
	struct cv_err e = { 0 };
	struct cv_digest d;
	char path[400];

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(p, n), &e), e);
	cv_digest_text(&d, digest);
	snprintf(path, sizeof(path), "%s/layout/blobs/sha256/%s", dir, digest + 7);
	t_write_file(path, p, n);
}

/* make_layout: an image of one layer; returns its manifest's digest. */
static void
make_layout(const char *dir, char manifest_digest[CV_DIGEST_TEXT], char layer[CV_DIGEST_TEXT],
	    const uint8_t *bytes, size_t n)
{
	char path[300], text[2000], config[CV_DIGEST_TEXT];
	size_t config_size, manifest_size;

	snprintf(text, sizeof(text), "mkdir -p %s/layout/blobs/sha256", dir);
	T(system(text) == 0);
	put_blob(dir, bytes, n, layer);
	snprintf(text, sizeof(text),
		 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		 layer);
	config_size = strlen(text);
	put_blob(dir, text, config_size, config);
	snprintf(
		text, sizeof(text),
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
		config, config_size, layer, n);
	manifest_size = strlen(text);
	put_blob(dir, text, manifest_size, manifest_digest);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		 "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu,"
		 "\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
		 manifest_digest, manifest_size);
	snprintf(path, sizeof(path), "%s/layout/index.json", dir);
	t_write_file(path, text, strlen(text));
	snprintf(path, sizeof(path), "%s/layout/oci-layout", dir);
	t_write_file(path, "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
}

static void
real_registry(void)
{
	static uint8_t layer[20 * 512]; /* an empty archive */
	char digest[CV_DIGEST_TEXT], layer_digest[CV_DIGEST_TEXT], name[100], command[600];
	struct cv_digest d, found;
	struct cv_err e = { 0 };
	struct cv_out o;

	registry_start(t_tmpdir());
	make_layout(t_tmpdir(), digest, layer_digest, layer, sizeof(layer));
	snprintf(command, sizeof(command),
		 "skopeo copy -q --insecure-policy --preserve-digests --dest-tls-verify=false "
		 "oci:%s/layout:v1 "
		 "docker://127.0.0.1:%u/team/agent:v1 >/dev/null 2>&1",
		 t_tmpdir(), registry.port);
	T(system(command) == 0);
	plain_start();
	snprintf(name, sizeof(name), "127.0.0.1:%u/team/agent", registry.port);
	T_OK(cv_digest_parse(&d, cv_span_str(digest), &e), e);
	begin(&o, CV_T_RESOLVE, name, CV_MAX_MANIFEST);
	cv_out_str(&o, CV_TAG_REF, "v1");
	finish(&o, false, false);
	expect_done(CV_S_GIVEN);
	found = cv_frame_digest(&w.in, CV_TAG_DIGEST);
	T(cv_digest_eq(&found, &d));
	manifest(name, digest, false, 0);
	expect_done(CV_S_GIVEN);
	T_OK(cv_digest_of(&found, CV_SHA256, cv_buf_span(&got), &e), e);
	T(cv_digest_eq(&found, &d));
	manifest(name, "v2", false, 0);
	expect_done(CV_S_ABSENT);
	/* 2.8 has no referrers API: the fallback tag is looked for, and is absent */
	begin(&o, CV_T_REFERRERS, name, CV_MAX_MANIFEST);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_done(CV_S_ABSENT);
	T_OK(cv_digest_parse(&d, cv_span_str(layer_digest), &e), e);
	begin(&o, CV_T_GETBLOB, name, 1000000);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_done(CV_S_GIVEN);
	T_OK(cv_digest_of(&found, CV_SHA256, cv_buf_span(&got), &e), e);
	registry_stop();
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
	{ "real-registry", real_registry },
};
T_MAIN(cases)
