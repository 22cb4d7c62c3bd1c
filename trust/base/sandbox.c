/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c: see sandbox.h. Must never state a confinement that the kernel did
 * not confirm.
 *
 * Landlock by raw system calls: the constants of newer kernels are spelled out
 * here, since a build machine's headers may be older than the kernel that the
 * program runs on (landlock(7)). seccomp is in sandbox_calls.c.
 */
#include "trust/base/sandbox.h"
#include "trust/base/limits.h"
#include "trust/base/proto.h"
#include "trust/base/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* ---- Landlock ---- */

/* The same numbers on every architecture. */
#define NR_LANDLOCK_CREATE   444
#define NR_LANDLOCK_ADD      445
#define NR_LANDLOCK_RESTRICT 446
#define LL_VERSION           1u /* LANDLOCK_CREATE_RULESET_VERSION */
#define LL_PATH_BENEATH      1

/* Rights that each ABI of Landlock added. */
#define LL_FS_ABI1             0x1fffull /* execute ... make_sym */
#define LL_FS_REFER            (1ull << 13)
#define LL_FS_TRUNCATE         (1ull << 14)
#define LL_FS_IOCTL_DEV        (1ull << 15)
#define LL_FS_READ_FILE        (1ull << 2)
#define LL_FS_READ_DIR         (1ull << 3)
#define LL_NET_BIND            (1ull << 0)
#define LL_NET_CONNECT         (1ull << 1)
#define LL_SCOPE_ABSTRACT_UNIX (1ull << 0)
#define LL_SCOPE_SIGNAL        (1ull << 1)

struct ll_ruleset {
	uint64_t fs;
	uint64_t net;   /* ABI 4 */
	uint64_t scope; /* ABI 6 */
};

struct ll_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* What getaddrinfo(3) and TLS read, where the distributions keep it. The
 * libraries are for NSS modules; they may be mapped, never executed. */
static const char *const net_ro[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/host.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/ld.so.cache",
	"/run/systemd/resolve",
	"/etc/ssl",
	"/etc/pki",
	"/etc/ca-certificates",
	"/usr/lib/ssl",
	"/usr/share/ssl",
	"/usr/share/ca-certificates",
	"/usr/share/pki",
	"/usr/local/share/ca-certificates",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/dev/null",
	"/dev/urandom",
	NULL,
};

static struct ll_ruleset
rights(enum cv_seal seal, int abi)
{
	struct ll_ruleset r = { .fs = LL_FS_ABI1 };

	if (abi >= 2)
		r.fs |= LL_FS_REFER;
	if (abi >= 3)
		r.fs |= LL_FS_TRUNCATE;
	if (abi >= 4)
		r.net = seal == CV_SEAL_NET ? LL_NET_BIND : LL_NET_BIND | LL_NET_CONNECT;
	if (abi >= 5)
		r.fs |= LL_FS_IOCTL_DEV;
	if (abi >= 6)
		r.scope = LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL;
	return r;
}

static size_t
ruleset_size(int abi)
{
	if (abi >= 6)
		return sizeof(struct ll_ruleset);
	return abi >= 4 ? offsetof(struct ll_ruleset, scope) : offsetof(struct ll_ruleset, net);
}

/* A path that is not there needs no rule. */
static int
allow_reading(int ruleset, const char *path, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = open(path, O_PATH | O_CLOEXEC);
	struct ll_path rule = { .allowed = LL_FS_READ_FILE, .fd = fd };
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) != 0)
		return cv_fail_errno(e, "sandbox: %s", path);
	if (S_ISDIR(st.st_mode))
		rule.allowed |= LL_FS_READ_DIR;
	if (syscall(NR_LANDLOCK_ADD, ruleset, LL_PATH_BENEATH, &rule, 0) != 0)
		return cv_fail_errno(e, "sandbox: cannot allow %s", path);
	return 0;
}

static int
allow_all(int ruleset, const char *const *paths, struct cv_err *e)
{
	for (; paths != NULL && *paths != NULL; paths++)
		if (allow_reading(ruleset, *paths, e) != 0)
			return -1;
	return 0;
}

static int
landlock(enum cv_seal seal, const char *const *extra_ro, unsigned *in_force, int *abi,
	 struct cv_err *e)
{
	long version = syscall(NR_LANDLOCK_CREATE, NULL, 0, LL_VERSION);
	struct ll_ruleset r;
	cv_auto(cv_closep) int fd = -1;

	*abi = version < 1 ? 0 : (int)version;
	if (*abi == 0)
		return 0; /* not built in, or switched off at boot */
	r = rights(seal, *abi);
	fd = (int)syscall(NR_LANDLOCK_CREATE, &r, ruleset_size(*abi), 0);
	if (fd < 0)
		return cv_fail_errno(e, "sandbox: Landlock rule set");
	if (seal == CV_SEAL_NET &&
	    (allow_all(fd, net_ro, e) != 0 || allow_all(fd, extra_ro, e) != 0))
		return -1;
	if (syscall(NR_LANDLOCK_RESTRICT, fd, 0) != 0)
		return cv_fail_errno(e, "sandbox: Landlock");
	*in_force |= CV_SBX_LANDLOCK;
	if (r.net != 0)
		*in_force |= CV_SBX_LANDLOCK_NET;
	return 0;
}

/* ---- limits, and the whole ---- */

static int
limit(__rlimit_resource_t what, uint64_t max)
{
	struct rlimit r;

	if (getrlimit(what, &r) != 0)
		return -1;
	if (r.rlim_max > max)
		r.rlim_max = max;
	if (r.rlim_cur > r.rlim_max)
		r.rlim_cur = r.rlim_max;
	return setrlimit(what, &r);
}

static int
limits(enum cv_seal seal, unsigned *in_force, struct cv_err *e)
{
	if (limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_AS, CV_MAX_WORKER_MEMORY) != 0 ||
	    limit(RLIMIT_FSIZE, seal == CV_SEAL_NET ? 0 : CV_MAX_ADVISORY_DB) != 0)
		return cv_fail_errno(e, "sandbox: cannot set a limit");
	*in_force |= CV_SBX_RLIMITS;
	return 0;
}

/* The signal comes when the thread that started us ends; a parent that was gone
 * before is noticed here, or by its closed socket. */
static int
die_with_parent(struct cv_err *e)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return cv_fail_errno(e, "sandbox: cannot die with the parent");
	if (getppid() != parent)
		return cv_fail(e, CV_R_WORKER, "sandbox: the parent is gone");
	return 0;
}

int
cv_seal(enum cv_seal seal, const char *const *extra_ro, unsigned *in_force, int *landlock_abi,
	struct cv_err *e)
{
	*in_force = 0;
	*landlock_abi = 0;
	if (die_with_parent(e) != 0)
		return -1;
	if (CV_SANITIZED) {
		*in_force = CV_SBX_SANITIZER;
		return 0;
	}
	if (limits(seal, in_force, e) != 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return cv_fail_errno(e, "sandbox: cannot refuse to be looked into");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 0; /* without it the kernel refuses the rest as well */
	*in_force |= CV_SBX_NO_NEW_PRIVS;
	if (landlock(seal, extra_ro, in_force, landlock_abi, e) != 0)
		return -1;
	return cv_seal_calls(seal, in_force, e);
}
