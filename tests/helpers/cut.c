/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that is the real one but for one frame of the whole run (cut.h): it
 * starts the program of its own name from another directory, and stands between
 * it and verify.
 */
#include "tests/helpers/cut.h"
#include "trust/base/proto.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCK    3
#define MAX_FDS 8

static struct cut *cut;
static pid_t child;

static void
gone(int status)
{
	if (child > 0)
		kill(child, SIGKILL);
	_exit(status);
}

static void
open_cut(const char *self)
{
	char path[2048];
	int fd;

	snprintf(path, sizeof(path), "%s", self);
	*strrchr(path, '/') = '\0';
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/cut");
	fd = open(path, O_RDWR | O_CLOEXEC);
	cut = fd < 0 ? MAP_FAILED
		     : mmap(NULL, sizeof(*cut), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cut == MAP_FAILED)
		gone(99);
}

static int
start_real(const char *self)
{
	char path[2048];
	int pair[2];

	snprintf(path, sizeof(path), "%s/%s", cut->real, strrchr(self, '/') + 1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		gone(98);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pair[1], SOCK);
		execl(path, path, (char *)NULL);
		_exit(97);
	}
	close(pair[1]);
	return pair[0];
}

/* A frame with its descriptors; forwarded as it is. */
struct packet {
	char bytes[CV_MAX_FRAME];
	size_t n;
	int fds[MAX_FDS];
	size_t nfds;
};

static int
take(int sock, struct packet *p)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct iovec iov = { .iov_base = p->bytes, .iov_len = sizeof(p->bytes) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	if (n <= 0)
		return -1;
	p->n = (size_t)n;
	p->nfds = 0;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		p->nfds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(p->fds, CMSG_DATA(c), p->nfds * sizeof(int));
	}
	return 0;
}

static void
pass(int sock, const struct packet *p)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p->bytes, .iov_len = p->n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (p->nfds > 0) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(p->nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(p->nfds * sizeof(int));
		memcpy(CMSG_DATA(c), p->fds, p->nfds * sizeof(int));
	}
	if (sendmsg(sock, &m, MSG_NOSIGNAL) < 0)
		gone(0);
}

/* The one frame. */
static void
happen(int to, struct packet *p)
{
	uint8_t kind = p->n > 1 ? (uint8_t)p->bytes[1] : 0;

	cut->hit = kind == CV_K_DONE ? 2 : kind == CV_K_PROGRESS ? 3 : 1;
	switch (cut->how) {
	case CUT_KILL:
		kill(child, SIGKILL);
		raise(SIGKILL);
		break;
	case CUT_END:
		gone(0);
		break;
	case CUT_TWICE:
		pass(to, p);
		pass(to, p);
		break;
	case CUT_GARBLE:
		p->bytes[p->n - 1] = (char)(p->bytes[p->n - 1] ^ 0x80);
		pass(to, p);
		break;
	default:
		break;
	}
}

static int
forward(int from, int to, struct packet *p)
{
	size_t i;

	if (take(from, p) != 0)
		return -1;
	if ((cut->from_worker == 0 || to == SOCK) &&
	    atomic_fetch_add(&cut->count, 1) + 1 == cut->at)
		happen(to, p);
	else
		pass(to, p);
	for (i = 0; i < p->nfds; i++)
		close(p->fds[i]);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct packet packet;
	int real;

	if (argc < 1 || strrchr(argv[0], '/') == NULL)
		return 96;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_cut(argv[0]);
	real = start_real(argv[0]);
	for (;;) {
		struct pollfd p[2] = { { .fd = SOCK, .events = POLLIN },
				       { .fd = real, .events = POLLIN } };

		if (poll(p, 2, -1) < 0)
			gone(95);
		if (p[1].revents != 0 && forward(real, SOCK, &packet) != 0)
			gone(0);
		if (p[0].revents != 0 && forward(SOCK, real, &packet) != 0)
			gone(0);
	}
}
