/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h: the fetch worker as verify meets it: a sealed process, spoken to in frames,
 * against tests/net/server.py. A header, for the tests test_fetch_program.c and
 * test_fetch_registry.c.
 */
#ifndef CV_T_PROGRAM_H
#define CV_T_PROGRAM_H

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

static inline void
prepare(void)
{
	if (server.main == 0)
		t_server_start(&server, rules, NULL, true);
}

static inline void
receive(void)
{
	struct cv_err e = { 0 };
	int rc = cv_frame_recv(w.sock, &w.in, cv_mono_ms() + 10000, -1, &e);

	if (rc != 1)
		t_fail(__FILE__, __LINE__, "no frame: %d %s", rc, e.text);
}

static inline void
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
static inline void
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

static inline void
plain_start(void)
{
	static char *const none[] = { NULL };

	prepare();
	start(none);
}

static inline void
tls_start(void)
{
	char ca[300];
	char *const env[] = { ca, NULL };

	prepare();
	snprintf(ca, sizeof(ca), "SSL_CERT_FILE=%s", server.ca);
	start(env);
}

/* ---- a task ---- */

static inline void
send_frame(const struct cv_out *o)
{
	struct cv_err e = { 0 };

	T(!o->bad);
	T_OK(cv_frame_send(w.sock, o, cv_mono_ms() + 5000, -1, &e), e);
}

static inline void
begin(struct cv_out *o, enum cv_task task, const char *name, uint64_t max)
{
	cv_out_start(o, CV_K_TASK);
	cv_out_u64(o, CV_TAG_TASK, task);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_MAX, max);
	cv_out_u64(o, CV_TAG_FLAGS, CV_NET_PLAIN_HTTP);
}

static struct cv_buf got; /* what came through the pipe of the last task */

static inline void
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
static inline bool
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

static inline void
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
static inline void
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

static __attribute__((unused, noinline)) void
expect_error(const char *reason, const char *text)
{
	T_INT(w.in.kind, CV_K_ERROR);
	if (strcmp(cv_frame_str(&w.in, CV_TAG_REASON, 64), reason) != 0)
		t_fail(__FILE__, __LINE__, "%s: %s, want %s",
		       cv_frame_str(&w.in, CV_TAG_REASON, 64),
		       cv_frame_str(&w.in, CV_TAG_TEXT, 4096), reason);
	T_HAS(cv_frame_str(&w.in, CV_TAG_TEXT, 4096), text);
}

static inline void
expect_done(enum cv_status status)
{
	if (w.in.kind == CV_K_ERROR)
		t_fail(__FILE__, __LINE__, "%s", cv_frame_str(&w.in, CV_TAG_TEXT, 4096));
	T_INT(w.in.kind, CV_K_DONE);
	T_INT(cv_frame_u64(&w.in, CV_TAG_STATUS, UINT32_MAX), status);
}

static inline void
manifest(const char *host_path, const char *ref, bool known, uint64_t deadline)
{
	struct cv_out o;

	begin(&o, CV_T_MANIFEST, host_path, CV_MAX_MANIFEST);
	cv_out_str(&o, CV_TAG_REF, ref);
	if (deadline != 0)
		cv_out_u64(&o, CV_TAG_DEADLINE, deadline);
	finish(&o, true, known);
}

static inline const char *
at(const char *repo)
{
	static char name[100];

	snprintf(name, sizeof(name), "127.0.0.1:%u/%s", server.main, repo);
	return name;
}

static inline void
url(const char *host, unsigned port, const char *path)
{
	char text[200];
	struct cv_out o;

	snprintf(text, sizeof(text), "%s:%u%s", host, port, path);
	begin(&o, CV_T_URL, text, 10000000);
	finish(&o, true, false);
}

#endif
