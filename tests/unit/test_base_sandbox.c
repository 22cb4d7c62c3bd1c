/* SPDX-License-Identifier: Apache-2.0 */
/* What a sealed process may not do ends it or fails; what it is for goes on. */
#include "tests/support/t.h"
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
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What was opened before sealing, as an attacker may find it. */
static struct {
	int dir, socket, sealed_program;
	pid_t parent;
} had;

/* ---- attempts: >= 0 is a success that must not be ---- */

static long
went(bool it)
{
	return it ? 0 : -1;
}

static long
try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}
static long
try_create(void)
{
	return open("/tmp/cv-sandbox-test", O_WRONLY | O_CREAT, 0600);
}
static long
try_openat(void)
{
	return openat(had.dir, "passwd", O_RDONLY);
}
static long
try_getdents(void)
{
	char b[4096];

	return syscall(SYS_getdents64, had.dir, b, sizeof(b));
}
static long
try_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}
static long
try_unlink(void)
{
	return went(unlink("/tmp/cv-sandbox-nothing") == 0 || errno == ENOENT);
}
static long
try_chmod(void)
{
	return fchmod(had.dir, 0755);
}
static long
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}
static long
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}
static long
try_socketpair(void)
{
	int s[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, s);
}
static long
try_connect(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(1) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return went(connect(had.socket, (struct sockaddr *)&a, sizeof(a)) == 0 ||
		    errno == ECONNREFUSED);
}
static long
try_bind(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(had.socket, (struct sockaddr *)&a, sizeof(a));
}
static long
try_execve(void)
{
	static char *const nothing[] = { NULL };

	execve("/bin/true", nothing, nothing);
	return -1; /* a success would be exit status 0, which is refused below */
}
static long
try_execveat(void)
{
	static char *const nothing[] = { NULL };

	return syscall(SYS_execveat, had.sealed_program, "", nothing, nothing, AT_EMPTY_PATH);
}
static long
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}
static long
try_clone3(void)
{
	uint64_t args[11] = { [4] = SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid;
}
static long
try_kill(void)
{
	return kill(had.parent, 0);
}
static long
try_tgkill(void)
{
	return syscall(SYS_tgkill, had.parent, had.parent, 0);
}
static long
try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, had.parent, NULL, NULL);
}
static long
try_peek(void)
{
	char b[8];
	struct iovec to = { b, sizeof(b) }, from = { b, sizeof(b) };

	return process_vm_readv(had.parent, &to, 1, &from, 1, 0);
}
static long
try_pidfd(void)
{
	long fd = syscall(434, had.parent, 0);

	return fd < 0 ? fd : syscall(424, fd, 0, NULL, 0); /* pidfd_send_signal */
}
static long
try_prlimit(void)
{
	struct rlimit r = { 10, 10 };

	return prlimit(had.parent, RLIMIT_CORE, &r, NULL);
}
static long
try_mount(void)
{
	return went(mount("none", "/mnt", "tmpfs", 0, NULL) == 0 || errno == ENOENT);
}
static long
try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}
static long
try_bpf(void)
{
	return went(syscall(SYS_bpf, 0, NULL, 0) == 0 || errno == EFAULT || errno == EINVAL);
}
static long
try_io_uring(void)
{
	char p[120] = { 0 };

	return syscall(425, 1, p);
}
static long
try_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 0);
}
static long
try_exec_memory(void)
{
	return went(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}
static long
try_make_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static long
try_setown(void)
{
	return fcntl(had.socket, F_SETOWN, had.parent);
}
static long
try_ioctl(void)
{
	int n;

	return ioctl(had.socket, FIONREAD, &n);
}
static long
try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}
static long
try_more_memory(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_AS, &r);
}
#ifdef __x86_64__
static long
try_x32(void)
{
	/* a kernel without such calls says ENOSYS: it has been asked all the same */
	return went(syscall(0x40000000 | SYS_getpid) >= 0 || errno == ENOSYS);
}
static long
try_i386(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "memory"); /* getpid */
	return ret > 0 ? ret : -1;
}
#endif

struct attempt {
	const char *name;
	long (*run)(void);
};

/* Refused to every worker. */
static const struct attempt never[] = {
	{ "open", try_open },
	{ "create", try_create },
	{ "openat", try_openat },
	{ "unlink", try_unlink },
	{ "fchmod", try_chmod },
	{ "unix socket", try_unix_socket },
	{ "bind", try_bind },
	{ "execve", try_execve },
	{ "execveat", try_execveat },
	{ "fork", try_fork },
	{ "clone3", try_clone3 },
	{ "kill", try_kill },
	{ "tgkill", try_tgkill },
	{ "ptrace", try_ptrace },
	{ "process_vm_readv", try_peek },
	{ "pidfd_send_signal", try_pidfd },
	{ "prlimit", try_prlimit },
	{ "mount", try_mount },
	{ "unshare", try_unshare },
	{ "bpf", try_bpf },
	{ "io_uring", try_io_uring },
	{ "keyctl", try_keyctl },
#ifdef __x86_64__
	{ "x32 call", try_x32 },
	{ "i386 call", try_i386 },
#endif
};

/* Refused to a worker that only computes. */
static const struct attempt compute_never[] = {
	{ "getdents", try_getdents },
	{ "stat", try_stat },
	{ "socket", try_socket },
	{ "socketpair", try_socketpair },
	{ "connect", try_connect },
	{ "memory to execute", try_exec_memory },
	{ "mprotect to execute", try_make_exec },
	{ "F_SETOWN", try_setown },
	{ "ioctl", try_ioctl },
	{ "prctl", try_prctl },
	{ "setrlimit", try_more_memory },
};

enum { FAILED = 77, SUCCEEDED = 99, NOT_SEALED = 66 };

/* A child that seals itself and calls run; its wait status. */
static int
in_sealed(enum cv_seal seal, long (*run)(void), unsigned *flags)
{
	int p[2], status, abi;
	unsigned in_force = 0;
	struct cv_err e = { 0 };
	pid_t pid;

	T(pipe2(p, O_CLOEXEC) == 0);
	pid = fork();
	T(pid >= 0);
	if (pid == 0) {
		alarm(20);
		signal(SIGXFSZ, SIG_IGN);
		if (cv_seal(seal, NULL, &in_force, &abi, &e) != 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(NOT_SEALED);
		}
		if (write(p[1], &in_force, sizeof(in_force)) != sizeof(in_force))
			_exit(NOT_SEALED);
		_exit(run() >= 0 ? SUCCEEDED : FAILED);
	}
	close(p[1]);
	T(read(p[0], flags, sizeof(*flags)) == sizeof(*flags));
	close(p[0]);
	T(waitpid(pid, &status, 0) == pid);
	return status;
}

static void
open_before(void)
{
	had.parent = getpid();
	had.dir = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	had.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	had.sealed_program = open("/bin/true", O_RDONLY | O_CLOEXEC);
	T(had.dir >= 0 && had.socket >= 0);
}

static void
close_before(void)
{
	cv_closep(&had.dir);
	cv_closep(&had.socket);
	cv_closep(&had.sealed_program);
}

static void
refuse(enum cv_seal seal, const struct attempt *a, size_t n)
{
	unsigned flags = 0;
	int status;

	if (CV_SANITIZED)
		t_skip("a sanitizer build is not sealed");
	open_before();
	for (size_t i = 0; i < n; i++) {
		status = in_sealed(seal, a[i].run, &flags);
		if ((flags & CV_SBX_SECCOMP) == 0 || (flags & CV_SBX_LANDLOCK) == 0)
			t_skip("this kernel confines with %#x only", flags);
		if (!WIFSIGNALED(status) && !(WIFEXITED(status) && WEXITSTATUS(status) == FAILED))
			t_fail(__FILE__, __LINE__, "%s: wait status %#x: not refused", a[i].name,
			       (unsigned)status);
	}
	close_before();
}

static void
test_compute(void)
{
	refuse(CV_SEAL_COMPUTE, never, CV_COUNT(never));
	refuse(CV_SEAL_COMPUTE, compute_never, CV_COUNT(compute_never));
}

static void
test_net(void)
{
	refuse(CV_SEAL_NET, never, CV_COUNT(never));
}

/* The attempts do succeed where nothing is sealed: else they would show nothing.
 * Left out: what needs rights that a test has not. */
static void
test_attempts_work(void)
{
	static const struct attempt some[] = {
		{ "open", try_open },       { "openat", try_openat },
		{ "stat", try_stat },       { "unlink", try_unlink },
		{ "socket", try_socket },   { "unix socket", try_unix_socket },
		{ "connect", try_connect }, { "bind", try_bind },
		{ "fork", try_fork },       { "clone3", try_clone3 },
		{ "kill", try_kill },       { "tgkill", try_tgkill },
		{ "pidfd", try_pidfd },     { "memory", try_exec_memory },
		{ "ioctl", try_ioctl },     { "prctl", try_prctl },
	};

	open_before();
	for (size_t i = 0; i < CV_COUNT(some); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(some[i].run() >= 0 ? SUCCEEDED : FAILED);
		T(waitpid(pid, &status, 0) == pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != SUCCEEDED)
			t_fail(__FILE__, __LINE__, "%s: wait status %#x", some[i].name,
			       (unsigned)status);
	}
	close_before();
}

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
	{ "attempts work", test_attempts_work },
	{ "compute", test_compute },
	{ "net", test_net },
	{ "computing goes on", test_computing_goes_on },
	{ "network goes on", test_network_goes_on },
	{ "in force", test_in_force },
	{ "parts missing", test_parts_missing },
	{ "half way", test_half_way },
};

T_MAIN(cases)
