/* SPDX-License-Identifier: Apache-2.0 */
/* What a sealed process may not do ends it or fails; test_base_sandbox_work.c: what it is
 * for goes on. */
#include "tests/support/sealed.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/base/proto.h"
#include "trust/base/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
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

static const struct t_case cases[] = {
	{ "attempts work", test_attempts_work },
	{ "compute", test_compute },
	{ "net", test_net },
};

T_MAIN(cases)
