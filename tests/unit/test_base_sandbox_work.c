/* SPDX-License-Identifier: Apache-2.0 */
/* test_base_sandbox_work.c: what workers are for goes on when they are sealed; what is in
 * force is told, and a part that a kernel lacks is missed and told. */
#include "tests/support/sealed.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/base/proto.h"
#include "trust/base/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- what workers are for ---- */

static int
by_value(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint32_t));
}

/* glibc's qsort asks how much memory there is before it takes much */
static int
sort_much(void)
{
	size_t n = 1 << 20;
	uint32_t *p = calloc(n, sizeof(*p));

	if (p == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint32_t)(i * 2654435761u);
	qsort(p, n, sizeof(*p), by_value);
	free(p);
	return 0;
}

static int
memfd_work(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct cv_digest d;
	struct stat st;
	void *p;

	if (fd < 0 || ftruncate(fd, 1 << 20) != 0 || pwrite(fd, "abc", 3, 10) != 3 ||
	    fstat(fd, &st) != 0 || lseek(fd, 0, SEEK_END) != 1 << 20 ||
	    fcntl(fd, F_SETLK, &l) != 0 || fsync(fd) != 0)
		return -1;
	p = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || memcmp((char *)p + 10, "abc", 3) != 0)
		return -1;
	munmap(p, 1 << 20);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return -1;
	return cv_digest_fd(&d, CV_SHA512, fd, 0, 1 << 20, NULL);
}

static int
json_work(void)
{
	static const char text[] = "{\"a\": [1, true, \"x\"]}";
	struct cv_jdoc *doc;

	if (cv_json_parse(&doc, "t", cv_span(text, sizeof(text) - 1), 0, NULL) != 0)
		return -1;
	cv_json_free(&doc);
	return 0;
}

static int
limits_hold(void)
{
	void *volatile much;
	int fd = memfd_create("x", MFD_CLOEXEC);

	much = malloc(CV_MAX_WORKER_MEMORY + 1);
	if (much != NULL)
		return -1;
	much = malloc(CV_MAX_WORKER_MEMORY / 2);
	if (much == NULL)
		return -1;
	free(much);
	if (ftruncate(fd, (off_t)CV_MAX_ADVISORY_DB) != 0)
		return -1;
	return ftruncate(fd, (off_t)CV_MAX_ADVISORY_DB + 1) != 0 && errno == EFBIG ? 0 : -1;
}

static long
compute(void)
{
	struct itimerval t = { .it_value = { .tv_sec = 30 } };
	struct pollfd p = { .fd = 0, .events = POLLIN };
	time_t now = time(NULL);
	char text[100];
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL || strftime(text, sizeof(text), "%F %T %Z", &tm) == 0)
		return -1;
	if (setitimer(ITIMER_REAL, &t, NULL) != 0 || poll(&p, 1, 0) < 0)
		return -2;
	if (sort_much() != 0)
		return -3;
	if (memfd_work() != 0)
		return -4;
	if (json_work() != 0)
		return -5;
	if (limits_hold() != 0)
		return -6;
	printf("# computing goes on\n");
	fflush(stdout);
	return 0;
}

static void
test_computing_goes_on(void)
{
	unsigned flags;
	int status;

	if (CV_SANITIZED)
		t_skip("a sanitizer build is not sealed");
	setenv("TZ", "UTC0", 1);
	tzset();
	cv_json_warm();
	T(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
	status = in_sealed(CV_SEAL_COMPUTE, compute, &flags);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != SUCCEEDED)
		t_fail(__FILE__, __LINE__, "wait status %#x", (unsigned)status);
}

static void *
in_thread(void *arg)
{
	return arg;
}

/* Resolving, connecting, threads, reading CA files; not writing. */
static long
network(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(1) };
	struct addrinfo *ai = NULL;
	pthread_t t;
	int s, fd;

	if (getaddrinfo("localhost", "443", NULL, &ai) != 0)
		return -1;
	freeaddrinfo(ai);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s < 0 || (connect(s, (struct sockaddr *)&a, sizeof(a)) != 0 && errno != ECONNREFUSED))
		return -2;
	if (pthread_create(&t, NULL, in_thread, NULL) != 0 || pthread_join(t, NULL) != 0)
		return -3;
	fd = open("/etc/hosts", O_RDONLY);
	if (fd < 0 || open("/etc/hosts", O_RDWR) >= 0 || open("/etc/shadow", O_RDONLY) >= 0 ||
	    open("/etc", O_RDONLY | O_DIRECTORY) >= 0 || open("/proc/self/mem", O_RDWR) >= 0)
		return -4;
	return 0;
}

static void
test_network_goes_on(void)
{
	unsigned flags;
	int status;

	if (CV_SANITIZED)
		t_skip("a sanitizer build is not sealed");
	status = in_sealed(CV_SEAL_NET, network, &flags);
	if ((flags & CV_SBX_LANDLOCK) == 0)
		t_skip("this kernel has no Landlock");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != SUCCEEDED)
		t_fail(__FILE__, __LINE__, "wait status %#x", (unsigned)status);
}

static long
nothing(void)
{
	return 0;
}

static void
test_in_force(void)
{
	unsigned flags = 0;
	int status = in_sealed(CV_SEAL_COMPUTE, nothing, &flags);

	T(WIFEXITED(status) && WEXITSTATUS(status) == SUCCEEDED);
	if (CV_SANITIZED)
		T_INT(flags, CV_SBX_SANITIZER);
	else
		T_INT(flags & (CV_SBX_RLIMITS | CV_SBX_NO_NEW_PRIVS | CV_SBX_SANITIZER),
		      CV_SBX_RLIMITS | CV_SBX_NO_NEW_PRIVS);
}

/* ---- kernels that lack a part ---- */

/* From here on the call `nr` fails with error, as a kernel without it, or a
 * container that forbids it, would have it. */
static bool
take_away(uint32_t nr, uint32_t error)
{
	struct sock_filter ins[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = CV_COUNT(ins), .filter = ins };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

/* What is stated when a call is missing; the flag must not be, all others must. */
static void
without(uint32_t nr, uint32_t error, unsigned flag)
{
	struct cv_err e = { 0 };
	unsigned in_force = 0, all = 0;
	int status, abi;
	pid_t pid;

	(void)in_sealed(CV_SEAL_COMPUTE, nothing, &all);
	if ((all & (CV_SBX_SECCOMP | CV_SBX_LANDLOCK)) != (CV_SBX_SECCOMP | CV_SBX_LANDLOCK))
		t_skip("this kernel confines with %#x only", all);
	pid = fork();
	T(pid >= 0);
	if (pid == 0) {
		if (!take_away(nr, error) ||
		    cv_seal(CV_SEAL_COMPUTE, NULL, &in_force, &abi, &e) != 0)
			_exit(1);
		if (flag == CV_SBX_LANDLOCK && ((in_force & CV_SBX_LANDLOCK_NET) != 0 || abi != 0))
			_exit(2);
		_exit((in_force | CV_SBX_LANDLOCK_NET) == ((all & ~flag) | CV_SBX_LANDLOCK_NET)
			      ? 0
			      : 3);
	}
	T(waitpid(pid, &status, 0) == pid);
	T_INT(status, 0);
}

static void
test_parts_missing(void)
{
	if (CV_SANITIZED)
		t_skip("a sanitizer build is not sealed");
	without(444, ENOSYS, CV_SBX_LANDLOCK);
	without(444, EPERM, CV_SBX_LANDLOCK);
	without(444, EOPNOTSUPP, CV_SBX_LANDLOCK); /* built in, switched off */
	without(SYS_seccomp, ENOSYS, CV_SBX_SECCOMP);
	without(SYS_seccomp, EINVAL, CV_SBX_SECCOMP);
}

/* Half-way is a failure, not a weaker confinement. */
static void
test_half_way(void)
{
	static const uint32_t calls[] = { 446 /* landlock_restrict_self */, SYS_prlimit64 };
	struct cv_err e = { 0 };
	unsigned in_force;
	int status, abi;
	pid_t pid;

	if (CV_SANITIZED)
		t_skip("a sanitizer build is not sealed");
	for (size_t i = 0; i < CV_COUNT(calls); i++) {
		pid = fork();
		T(pid >= 0);
		if (pid == 0) {
			if (!take_away(calls[i], EPERM))
				_exit(1);
			if (cv_seal(CV_SEAL_COMPUTE, NULL, &in_force, &abi, &e) != -1)
				_exit(calls[i] == 446 && abi == 0 ? 0 : 2);
			_exit(e.reason == CV_R_NONE ? 3 : 0);
		}
		T(waitpid(pid, &status, 0) == pid);
		T_INT(status, 0);
	}
}

static const struct t_case cases[] = {
	{ "computing goes on", test_computing_goes_on },
	{ "network goes on", test_network_goes_on },
	{ "in force", test_in_force },
	{ "parts missing", test_parts_missing },
	{ "half way", test_half_way },
};

T_MAIN(cases)
