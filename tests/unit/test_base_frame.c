/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: what a hostile peer may send, and that no descriptor gets lost. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "trust/base/frame.h"
#include "trust/base/proto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct cv_out out;
static struct cv_frame in;

static int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
pair(int s[2])
{
	T(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) == 0);
}

static void
unpair(int s[2])
{
	cv_closep(&s[0]);
	cv_closep(&s[1]);
}

/* Send raw bytes and descriptors, as a worker that was taken over might. */
static void
send_raw(int sock, const void *p, size_t n, const int *fds, unsigned nfds)
{
	char control[CMSG_SPACE(64 * sizeof(int))] = { 0 };
	char bytes[CV_MAX_FRAME + 100] = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	memcpy(bytes, p, n < sizeof(bytes) ? n : sizeof(bytes));
	if (nfds != 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	T_INT(sendmsg(sock, &msg, MSG_NOSIGNAL), n);
}

static void
a_frame_goes_there_and_back(void)
{
	struct cv_digest d, same;
	struct cv_blob b = { .fd = t_memfd("hello world", 11), .off = 6, .len = 5 }, got;
	int s[2], p[2], fd, before;
	char bytes[6] = "";
	struct cv_err e;

	T(pipe(p) == 0);
	pair(s);
	T_OK(cv_digest_of(&d, CV_SHA512, cv_span_str("x"), &e), e);
	cv_out_start(&out, CV_K_ITEM);
	cv_out_u64(&out, CV_TAG_SIZE, UINT64_MAX);
	cv_out_str(&out, CV_TAG_NAME, "first");
	cv_out_str(&out, CV_TAG_REF, "");
	cv_out_bytes(&out, CV_TAG_TEXT, cv_span("a\0b", 3));
	cv_out_digest(&out, CV_TAG_DIGEST, &d);
	cv_out_blob(&out, CV_TAG_BLOB, b);
	cv_out_fd(&out, CV_TAG_OUT, p[1]);
	T(!out.bad);
	before = open_fds();
	T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
	T_INT(cv_frame_recv(s[1], &in, cv_mono_ms() + 1000, -1, &e), 1);
	T_INT(in.kind, CV_K_ITEM);
	T(cv_frame_u64(&in, CV_TAG_SIZE, UINT64_MAX) == UINT64_MAX);
	T_STR(cv_frame_str(&in, CV_TAG_NAME, 5), "first");
	T_STR(cv_frame_str(&in, CV_TAG_REF, 0), "");
	T_INT(cv_frame_bytes(&in, CV_TAG_TEXT, 3).n, 3);
	same = cv_frame_digest(&in, CV_TAG_DIGEST);
	T(cv_digest_eq(&d, &same));
	got = cv_frame_blob(&in, CV_TAG_BLOB, 5);
	T(got.fd >= 0 && got.off == 6 && got.len == 5);
	T_INT(pread(got.fd, bytes, got.len, (off_t)got.off), 5);
	T_STR(bytes, "world");
	T((fcntl(got.fd, F_GETFD) & FD_CLOEXEC) != 0);
	fd = cv_frame_fd(&in, CV_TAG_OUT);
	T(fd >= 0);
	T_OK(cv_frame_done(&in, "item", &e), e);
	T(cv_frame_has(&in, CV_TAG_NAME) && !cv_frame_has(&in, CV_TAG_FLAGS));
	/* a descriptor can be taken once */
	T_INT(cv_frame_blob(&in, CV_TAG_BLOB, 5).fd, -1);
	T_NO(cv_frame_done(&in, "item", &e), e, CV_R_WORKER);
	cv_frame_clear(&in);
	cv_closep(&fd);
	cv_closep(&got.fd);
	T_INT(open_fds(), before);
	/* not taken: closed by clear and by the next receive */
	T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
	T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 1);
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 1);
	T_INT(open_fds(), before + 2);
	cv_frame_clear(&in);
	T_INT(open_fds(), before);
	cv_closep(&s[0]);
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 0);
	unpair(s);
	close(b.fd);
	unpair(p);
}

static void
what_cannot_be_sent(void)
{
	static uint8_t big[CV_MAX_FRAME];
	struct cv_digest none = { 0 };
	int s[2], fd = t_memfd("x", 1);
	struct cv_err e;

	pair(s);
#define BAD(...)                                                                                   \
	do {                                                                                       \
		cv_out_start(&out, CV_K_ITEM);                                                     \
		__VA_ARGS__;                                                                       \
		T(out.bad);                                                                        \
		T_NO(cv_frame_send(s[0], &out, 0, -1, &e), e, CV_R_BUG);                           \
	} while (0)
	BAD(cv_out_start(&out, 0));
	BAD(cv_out_start(&out, CV_K__LAST));
	BAD(cv_out_u64(&out, 0, 1));
	BAD(cv_out_u64(&out, CV_TAG__LAST, 1));
	BAD(cv_out_u64(&out, 200, 1));
	BAD(cv_out_u64(&out, CV_TAG_ID, 1); cv_out_u64(&out, CV_TAG_ID, 1));
	BAD(cv_out_str(&out, CV_TAG_NAME, NULL));
	BAD(cv_out_bytes(&out, CV_TAG_NAME, cv_span(big, CV_MAX_FRAME - 2 - 5 + 1)));
	BAD(cv_out_bytes(&out, CV_TAG_NAME, cv_span(big, SIZE_MAX)));
	BAD(cv_out_bytes(&out, CV_TAG_NAME, ((struct cv_span){ .bad = true })));
	BAD(cv_out_digest(&out, CV_TAG_DIGEST, &none));
	BAD(cv_out_blob(&out, CV_TAG_BLOB, CV_NO_BLOB));
	BAD(cv_out_fd(&out, CV_TAG_OUT, -1));
	BAD(cv_out_fd(&out, CV_TAG_OUT, fd); cv_out_fd(&out, CV_TAG_BLOB, fd);
	    cv_out_fd(&out, CV_TAG_TEXT, fd));
	cv_out_start(&out, CV_K_ITEM);
	cv_out_bytes(&out, CV_TAG_NAME, cv_span(big, CV_MAX_FRAME - 2 - 5));
	T(!out.bad);
	T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 1);
	T_INT(cv_frame_bytes(&in, CV_TAG_NAME, CV_MAX_FRAME).n, CV_MAX_FRAME - 7);
	cv_closep(&s[1]);
	T_NO(cv_frame_send(s[0], &out, 0, -1, &e), e, CV_R_WORKER); /* and no SIGPIPE */
	unpair(s);
	close(fd);
}

#define HEAD "\1\3" /* version 1, CV_K_ITEM */
#define ID "\5\10\0\0\0\1\2\3\4\5\6\7\10"

static void
malformed_frames(void)
{
	static const struct {
		const char *b;
		size_t n;
		const char *want;
	} c[] = { { "\1", 1, "frame of 1 bytes" },
		  { "\2\3", 2, "version 2" },
		  { "\0\3", 2, "version 0" },
		  { "\1\0", 2, "unknown kind 0" },
		  { "\1\77", 2, "unknown kind 63" },
		  { HEAD "\5", 3, "cut off" },
		  { HEAD "\5\10\0\0", 6, "cut off" },
		  { HEAD "\5\10\0\0\0\1\2\3\4\5\6\7", 14, "cut off" },
		  { HEAD "\5\377\377\377\377", 7, "cut off" },
		  { HEAD ID ID, 28, "field 5 twice" },
		  { HEAD "\0\0\0\0\0", 7, "unknown field 0" },
		  { HEAD "\77\0\0\0\0", 7, "unknown field 63" },
		  { HEAD "\377\0\0\0\0", 7, "unknown field 255" },
		  { HEAD ID "\0", 16, "cut off" } };
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		memcpy(in.b, c[i].b, c[i].n);
		T_NO(cv_frame_parse(&in, c[i].n, &e), e, CV_R_WORKER);
		T_HAS(e.text, c[i].want);
	}
	T_NO(cv_frame_parse(&in, CV_MAX_FRAME + 1, &e), e, CV_R_WORKER);
	memcpy(in.b, HEAD ID, 15);
	T_OK(cv_frame_parse(&in, 15, &e), e);
	T_INT(cv_frame_u64(&in, CV_TAG_ID, UINT64_MAX), 0x0807060504030201);
	memcpy(in.b, HEAD, 2);
	T_OK(cv_frame_parse(&in, 2, &e), e);
}

static void
parse(const char *fields, size_t n)
{
	struct cv_err e;

	memcpy(in.b, HEAD, 2);
	memcpy(in.b + 2, fields, n);
	T_OK(cv_frame_parse(&in, n + 2, &e), e);
}

/* after each: the frame is bad, and says which field */
#define WRONG(tag, cond)                                                                           \
	do {                                                                                       \
		T(cond);                                                                           \
		T(in.bad);                                                                         \
		T_INT(in.wrong, tag);                                                              \
		T_NO(cv_frame_done(&in, "x", &e), e, CV_R_WORKER);                                 \
		in.bad = false;                                                                    \
	} while (0)

static void
fields_of_the_wrong_shape(void)
{
	struct cv_err e;

	parse("\5\7\0\0\0\1\2\3\4\5\6\7", 12);
	WRONG(5, cv_frame_u64(&in, 5, UINT64_MAX) == 0);
	parse("\5\11\0\0\0\1\0\0\0\0\0\0\0\0", 14);
	WRONG(5, cv_frame_u64(&in, 5, UINT64_MAX) == 0);
	parse("\5\10\0\0\0\11\0\0\0\0\0\0\0", 13);
	WRONG(5, cv_frame_u64(&in, 5, 8) == 0);
	T_INT(cv_frame_u64(&in, 5, 9), 9);
	WRONG(6, cv_frame_u64(&in, 6, 8) == 0); /* missing */
	WRONG(255, cv_frame_u64(&in, 255, 8) == 0);
	parse("\5\3\0\0\0a\0b", 8);
	WRONG(5, cv_frame_str(&in, 5, 10)[0] == '\0'); /* a NUL inside */
	WRONG(6, cv_frame_str(&in, 6, 10)[0] == '\0');
	WRONG(5, cv_frame_bytes(&in, 5, 2).n == 0);
	WRONG(6, cv_frame_bytes(&in, 6, 2).n == 0);
	parse("\5\3\0\0\0abc\6\0\0\0\0", 13);
	T_STR(cv_frame_str(&in, 5, 3), "abc"); /* ended by the next field's place */
	T_STR(cv_frame_str(&in, 6, 3), "");
	WRONG(5, cv_frame_str(&in, 5, 2)[0] == '\0');
	WRONG(5, cv_frame_digest(&in, 5).alg == CV_ALG_NONE);
	WRONG(6, cv_frame_digest(&in, 6).alg == CV_ALG_NONE);
	WRONG(7, cv_frame_digest(&in, 7).alg == CV_ALG_NONE);
	parse("\5\41\0\0\0\1________________________________", 38);
	T_INT(cv_frame_digest(&in, 5).alg, CV_SHA256);
	parse("\5\41\0\0\0\2________________________________", 38);
	WRONG(5, cv_frame_digest(&in, 5).alg == CV_ALG_NONE);
	parse("\5\42\0\0\0\1_________________________________", 39);
	WRONG(5, cv_frame_digest(&in, 5).alg == CV_ALG_NONE);
	parse("\5\41\0\0\0\0________________________________", 38);
	WRONG(5, cv_frame_digest(&in, 5).alg == CV_ALG_NONE);
	parse("\5\1\0\0\0\0", 6);
	WRONG(5, cv_frame_fd(&in, 5) == -1); /* no descriptor came */
	WRONG(6, cv_frame_fd(&in, 6) == -1);
}

static void
blobs_of_the_wrong_kind(void)
{
	static const struct {
		uint64_t off, len, max;
		bool good;
	} c[] = { { 0, 4, 4, true },	    { 4, 0, 0, true },	       { 0, 5, 5, false },
		  { 5, 0, 5, false },	    { 1, 4, 4, false },	       { 0, 4, 3, false },
		  { UINT64_MAX, 2, UINT64_MAX, false }, { 2, UINT64_MAX, UINT64_MAX, false },
		  { 0, 0, 0, true } };
	int s[2], p[2], dir, before;
	struct cv_blob b = { .fd = t_memfd("1234", 4) }, got;
	struct cv_err e;

	pair(s);
	T(pipe(p) == 0);
	dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	before = open_fds();
	for (size_t i = 0; i < CV_COUNT(c); i++) {
		b.off = c[i].off;
		b.len = c[i].len;
		cv_out_start(&out, CV_K_ITEM);
		cv_out_blob(&out, CV_TAG_BLOB, b);
		T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
		T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 1);
		got = cv_frame_blob(&in, CV_TAG_BLOB, c[i].max);
		T_INT(got.fd >= 0, c[i].good);
		T_INT(in.bad, !c[i].good);
		cv_closep(&got.fd);
		cv_frame_clear(&in);
		T_INT(open_fds(), before);
	}
	for (int i = 0; i < 3; i++) {
		int kind[3] = { p[0], s[0], dir };

		cv_out_start(&out, CV_K_ITEM);
		cv_out_blob(&out, CV_TAG_BLOB, (struct cv_blob){ .fd = kind[i] });
		T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
		T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 1);
		T_INT(cv_frame_blob(&in, CV_TAG_BLOB, 0).fd, -1);
		T(in.bad);
		cv_frame_clear(&in);
	}
	/* an index beyond what came */
	send_raw(s[0], HEAD "\1\1\0\0\0\1", 8, &b.fd, 1);
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 1);
	T_INT(cv_frame_fd(&in, 1), -1);
	T(in.bad);
	cv_frame_clear(&in);
	T_INT(open_fds(), before);
	unpair(s);
	unpair(p);
	close(dir);
	close(b.fd);
}

static void
too_much_is_refused_and_closed(void)
{
	static char big[CV_MAX_FRAME + 1] = HEAD;
	int s[2], fds[16], before;
	struct cv_err e;

	pair(s);
	fds[0] = t_memfd("x", 1);
	for (int i = 1; i < 16; i++)
		fds[i] = fds[0];
	before = open_fds();
	send_raw(s[0], big, sizeof(big), fds, 1);
	T_NO(cv_frame_recv(s[1], &in, 0, -1, &e), e, CV_R_WORKER);
	T_INT(open_fds(), before);
	for (unsigned n = 3; n <= 16; n++) {
		send_raw(s[0], HEAD ID, 15, fds, n);
		T_NO(cv_frame_recv(s[1], &in, 0, -1, &e), e, CV_R_WORKER);
		T_INT(open_fds(), before);
	}
	send_raw(s[0], "", 0, fds, 1); /* nothing, with a descriptor */
	T_NO(cv_frame_recv(s[1], &in, 0, -1, &e), e, CV_R_WORKER);
	T_INT(open_fds(), before);
	send_raw(s[0], "\1\3\5", 3, fds, 2); /* malformed, with descriptors */
	T_NO(cv_frame_recv(s[1], &in, 0, -1, &e), e, CV_R_WORKER);
	T_INT(open_fds(), before);
	unpair(s);
	close(fds[0]);
}

static void
no_room_for_a_descriptor(void)
{
	struct rlimit old, low;
	int s[2], fd = t_memfd("x", 1), hold[64], n = 0, before;
	struct cv_err e;

	pair(s);
	send_raw(s[0], HEAD ID, 15, &fd, 1);
	before = open_fds();
	T(getrlimit(RLIMIT_NOFILE, &old) == 0);
	low = old;
	low.rlim_cur = 64;
	T(setrlimit(RLIMIT_NOFILE, &low) == 0);
	while (n < 64 && (hold[n] = dup(fd)) >= 0)
		n++;
	e.reason = CV_R_NONE;
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), -1);
	while (n > 0)
		close(hold[--n]);
	setrlimit(RLIMIT_NOFILE, &old);
	T_INT(e.reason, CV_R_WORKER);
	T_INT(open_fds(), before);
	unpair(s);
	close(fd);
}

static void
deadlines_and_cancellation(void)
{
	int s[2], cancel = eventfd(0, EFD_CLOEXEC);
	int64_t start;
	struct cv_err e;

	pair(s);
	cv_out_start(&out, CV_K_RUN);
	start = cv_mono_ms();
	T_NO(cv_frame_recv(s[1], &in, start + 50, -1, &e), e, CV_R_DEADLINE);
	T(cv_mono_ms() - start >= 49);
	/* past the deadline not even a frame that waits is taken: a peer that never
	 * stops talking gains no time */
	T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
	T_NO(cv_frame_recv(s[1], &in, 1, -1, &e), e, CV_R_DEADLINE);
	T_NO(cv_frame_send(s[0], &out, 1, -1, &e), e, CV_R_DEADLINE);
	T_INT(cv_frame_recv(s[1], &in, cv_mono_ms() + 1000, cancel, &e), 1);
	T_INT(eventfd_write(cancel, 1), 0);
	T_NO(cv_frame_recv(s[1], &in, 0, cancel, &e), e, CV_R_CANCELLED);
	T_NO(cv_frame_send(s[0], &out, 0, cancel, &e), e, CV_R_CANCELLED);
	T_OK(cv_frame_send(s[0], &out, 0, -1, &e), e);
	T_NO(cv_frame_recv(s[1], &in, 0, cancel, &e), e, CV_R_CANCELLED);
	unpair(s);
	close(cancel);
}

static void
a_full_socket_is_waited_for(void)
{
	int s[2], fd = t_memfd("x", 1), sent = 0;
	struct cv_err e = { .reason = CV_R_NONE };

	pair(s);
	cv_out_start(&out, CV_K_ITEM);
	cv_out_fd(&out, CV_TAG_OUT, fd);
	while (sent < 100000 && cv_frame_send(s[0], &out, cv_mono_ms() + 100, -1, &e) == 0)
		sent++;
	T_INT(e.reason, CV_R_DEADLINE);
	T(sent > 10);
	while (sent-- > 0)
		T_INT(cv_frame_recv(s[1], &in, cv_mono_ms() + 1000, -1, &e), 1);
	cv_frame_clear(&in);
	unpair(s);
	close(fd);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
interruptions_are_nothing(void)
{
	struct sigaction act = { .sa_handler = on_alarm }, old;
	struct itimerval every = { .it_interval = { .tv_usec = 2000 }, .it_value = { .tv_usec = 2000 } };
	struct itimerval never = { .it_value = { .tv_usec = 0 } };
	int s[2], rc;
	int64_t start = cv_mono_ms();
	struct cv_err e = { .reason = CV_R_NONE };

	pair(s);
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &every, NULL);
	rc = cv_frame_recv(s[1], &in, start + 100, -1, &e);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	T_INT(rc, -1);
	T_INT(e.reason, CV_R_DEADLINE);
	T(cv_mono_ms() - start >= 99);
	unpair(s);
}

static void
a_peer_that_is_gone(void)
{
	int s[2];
	struct cv_err e;

	pair(s);
	cv_out_start(&out, CV_K_RUN);
	T_OK(cv_frame_send(s[1], &out, 0, -1, &e), e); /* never read: a reset follows */
	cv_closep(&s[0]);
	T_INT(cv_frame_recv(s[1], &in, 0, -1, &e), 0);
	T_NO(cv_frame_send(s[1], &out, 0, -1, &e), e, CV_R_WORKER);
	unpair(s);
	T_NO(cv_frame_recv(-1, &in, 0, -1, &e), e, CV_R_IO);
	T_NO(cv_frame_send(-1, &out, 0, -1, &e), e, CV_R_IO);
}

static const struct t_case cases[] = {
	{ "a frame goes there and back", a_frame_goes_there_and_back },
	{ "what cannot be sent", what_cannot_be_sent },
	{ "malformed frames", malformed_frames },
	{ "fields of the wrong shape", fields_of_the_wrong_shape },
	{ "blobs of the wrong kind", blobs_of_the_wrong_kind },
	{ "too much is refused and closed", too_much_is_refused_and_closed },
	{ "no room for a descriptor", no_room_for_a_descriptor },
	{ "deadlines and cancellation", deadlines_and_cancellation },
	{ "a full socket is waited for", a_full_socket_is_waited_for },
	{ "interruptions are nothing", interruptions_are_nothing },
	{ "a peer that is gone", a_peer_that_is_gone },
};
T_MAIN(cases)
