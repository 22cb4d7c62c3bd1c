/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_calls.c: which system calls a worker may make: seccomp(2) filters in
 * the kernel's own instructions. Must never let a call of another architecture
 * through, whose numbers mean something else.
 */
#include "trust/base/proto.h"
#include "trust/base/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trust/base/banned.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif
#define KILL     SECCOMP_RET_KILL_PROCESS
#define ALLOW    SECCOMP_RET_ALLOW
#define ERRNO(n) (SECCOMP_RET_ERRNO | ((uint32_t)(n)&SECCOMP_RET_DATA))
#define X32_BIT  0x40000000u

struct filter {
	struct sock_filter ins[400];
	unsigned short n;
};

static void
emit(struct filter *f, struct sock_filter ins)
{
	if (f->n < CV_COUNT(f->ins)) /* install() refuses a full one */
		f->ins[f->n++] = ins;
}

static void
load(struct filter *f, size_t offset)
{
	emit(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void
jump(struct filter *f, int op, uint32_t k, uint8_t yes, uint8_t no)
{
	emit(f, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | op | BPF_K), k, yes, no));
}

static void
answer(struct filter *f, uint32_t action)
{
	emit(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The number alone decides. The accumulator holds it. */
static void
on_call(struct filter *f, int nr, uint32_t action)
{
	jump(f, BPF_JEQ, (uint32_t)nr, 0, 1);
	answer(f, action);
}

/* The low half of argument `arg` of call nr, tested against k (op BPF_JEQ:
 * equal; BPF_JSET: any of these bits set): `yes` or `no` is the answer. All
 * arguments that are tested here are 32 bits wide to the kernel, or, as the
 * protection of mmap, have all their bits in that half. */
static void
on_arg(struct filter *f, int nr, unsigned arg, int op, uint32_t k, uint32_t yes, uint32_t no)
{
	jump(f, BPF_JEQ, (uint32_t)nr, 0, 4);
	load(f, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
	jump(f, op, k, 0, 1);
	answer(f, yes);
	answer(f, no);
}

/* The same with a list of values that are allowed. */
static void
on_values(struct filter *f, int nr, unsigned arg, const uint32_t *k, size_t n, uint32_t no)
{
	jump(f, BPF_JEQ, (uint32_t)nr, 0, (uint8_t)(2 + 2 * n));
	load(f, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
	for (size_t i = 0; i < n; i++) {
		jump(f, BPF_JEQ, k[i], 0, 1);
		answer(f, ALLOW);
	}
	answer(f, no);
}

static void
head(struct filter *f)
{
	load(f, offsetof(struct seccomp_data, arch));
	jump(f, BPF_JEQ, ARCH, 1, 0);
	answer(f, KILL);
	load(f, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	jump(f, BPF_JGE, X32_BIT, 0, 1);
	answer(f, KILL);
#endif
}

/* What computing on open descriptors takes, the frequent ones first. No call
 * here takes a path (newfstatat is below), makes a socket or a process. */
static const short compute_calls[] = {
	__NR_read,
	__NR_pread64,
	__NR_write,
	__NR_pwrite64,
	__NR_recvmsg,
	__NR_sendmsg,
	__NR_lseek,
	__NR_fstat,
	__NR_close,
	__NR_munmap,
	__NR_mremap,
	__NR_madvise,
	__NR_brk,
	__NR_futex,
	__NR_ppoll,
#ifdef __NR_poll
	__NR_poll,
#endif
#ifdef __NR_time
	__NR_time,
#endif
	__NR_readv,
	__NR_writev,
	__NR_preadv,
	__NR_pwritev,
	__NR_clock_gettime,
	__NR_clock_getres,
	__NR_gettimeofday,
	__NR_getrandom,
	__NR_memfd_create,
	__NR_ftruncate,
	__NR_fallocate,
	__NR_fadvise64,
	__NR_fsync,
	__NR_fdatasync,
	__NR_dup,
	__NR_dup3,
	__NR_setitimer,
	__NR_rt_sigaction,
	__NR_rt_sigprocmask,
	__NR_rt_sigreturn,
	__NR_sigaltstack,
	__NR_restart_syscall,
	__NR_sched_yield,
	__NR_sched_getaffinity,
	__NR_sysinfo,
	__NR_getpid,
	__NR_gettid,
	__NR_getppid,
	__NR_getuid,
	__NR_geteuid,
	__NR_getgid,
	__NR_getegid,
	__NR_exit,
	__NR_exit_group,
};

/* F_SETOWN and F_SETSIG would send signals to other processes. */
static const uint32_t compute_fcntl[] = {
	F_GETFD,
	F_SETFD,
	F_GETFL,
	F_SETFL,
	F_DUPFD,
	F_DUPFD_CLOEXEC,
	F_GETLK,
	F_SETLK,
	F_SETLKW,
	1033 /* F_ADD_SEALS */,
	1034 /* F_GET_SEALS */,
};

static void
compute_filter(struct filter *f)
{
	head(f);
	for (size_t i = 0; i < CV_COUNT(compute_calls); i++)
		on_call(f, compute_calls[i], ALLOW);
	on_arg(f, __NR_mmap, 2, BPF_JSET, PROT_EXEC, KILL, ALLOW);
	on_arg(f, __NR_mprotect, 2, BPF_JSET, PROT_EXEC, KILL, ALLOW);
	/* fstat of the C library; stat(2) comes without the flag */
	on_arg(f, __NR_newfstatat, 3, BPF_JSET, AT_EMPTY_PATH, ALLOW, KILL);
	on_values(f, __NR_fcntl, 1, compute_fcntl, CV_COUNT(compute_fcntl), KILL);
	on_call(f, __NR_ioctl, ERRNO(ENOTTY)); /* isatty(3) of stdio */
	answer(f, KILL);
}

/* What fetching never needs. Numbers that the headers of a build machine lack
 * are the same on all architectures (424 and above). */
static const short net_denied[] = {
#ifdef __x86_64__
	__NR_fork,
	__NR_vfork,
	__NR_creat,
	__NR_mkdir,
	__NR_rmdir,
	__NR_unlink,
	__NR_rename,
	__NR_link,
	__NR_symlink,
	__NR_mknod,
	__NR_chmod,
	__NR_chown,
	__NR_lchown,
	__NR_utime,
	__NR_utimes,
	__NR_futimesat,
	__NR_iopl,
	__NR_ioperm,
	__NR_modify_ldt,
	__NR_uselib,
	__NR_arch_prctl,
#endif
	__NR_execve,
	__NR_execveat,
	__NR_ptrace,
	__NR_process_vm_readv,
	__NR_process_vm_writev,
	__NR_kcmp,
	__NR_mount,
	__NR_umount2,
	__NR_pivot_root,
	__NR_chroot,
	__NR_setns,
	__NR_unshare,
	__NR_bpf,
	__NR_perf_event_open,
	__NR_userfaultfd,
	__NR_keyctl,
	__NR_add_key,
	__NR_request_key,
	__NR_init_module,
	__NR_finit_module,
	__NR_delete_module,
	__NR_kexec_load,
	__NR_reboot,
	__NR_swapon,
	__NR_swapoff,
	__NR_sethostname,
	__NR_setdomainname,
	__NR_settimeofday,
	__NR_clock_settime,
	__NR_clock_adjtime,
	__NR_adjtimex,
	__NR_acct,
	__NR_quotactl,
	__NR_syslog,
	__NR_personality,
	__NR_name_to_handle_at,
	__NR_open_by_handle_at,
	__NR_fanotify_init,
	__NR_kill,
	__NR_tkill,
	__NR_rt_sigqueueinfo,
	__NR_rt_tgsigqueueinfo,
	__NR_setuid,
	__NR_setgid,
	__NR_setreuid,
	__NR_setregid,
	__NR_setresuid,
	__NR_setresgid,
	__NR_setfsuid,
	__NR_setfsgid,
	__NR_setgroups,
	__NR_capset,
	__NR_setpriority,
	__NR_sched_setscheduler,
	__NR_sched_setaffinity,
	__NR_prlimit64,
	__NR_mkdirat,
	__NR_mknodat,
	__NR_unlinkat,
	__NR_renameat2,
	__NR_linkat,
	__NR_symlinkat,
	__NR_fchmod,
	__NR_fchmodat,
	__NR_fchown,
	__NR_fchownat,
	__NR_utimensat,
	__NR_truncate,
	__NR_setxattr,
	__NR_lsetxattr,
	__NR_fsetxattr,
	__NR_removexattr,
	__NR_lremovexattr,
	__NR_fremovexattr,
	__NR_listen,
	__NR_accept,
	__NR_accept4,
#ifdef __NR_renameat
	__NR_renameat,
#endif
#ifdef __NR_kexec_file_load
	__NR_kexec_file_load,
#endif
	424 /* pidfd_send_signal */,
	425 /* io_uring_setup */,
	426 /* io_uring_enter */,
	427 /* io_uring_register */,
	428 /* open_tree */,
	429 /* move_mount */,
	430 /* fsopen */,
	431 /* fsconfig */,
	432 /* fsmount */,
	433 /* fspick */,
	438 /* pidfd_getfd */,
	440 /* process_madvise */,
	442 /* mount_setattr */,
	448 /* process_mrelease */,
	452 /* fchmodat2 */,
	463 /* setxattrat */,
	466 /* removexattrat */,
};

static const uint32_t net_families[] = { AF_INET, AF_INET6, AF_NETLINK };

static void
net_filter(struct filter *f)
{
	head(f);
	for (size_t i = 0; i < CV_COUNT(net_denied); i++)
		on_call(f, net_denied[i], ERRNO(EPERM));
	/* Threads (the resolver of libcurl), no processes. clone3 hides its flags
	 * in memory; without it the C library uses clone. */
	on_arg(f, __NR_clone, 0, BPF_JSET, CLONE_THREAD, ALLOW, ERRNO(EPERM));
	on_call(f, 435 /* clone3 */, ERRNO(ENOSYS));
	/* No unix socket: a container engine listens on one. Netlink is for
	 * getaddrinfo(3). */
	on_values(f, __NR_socket, 0, net_families, CV_COUNT(net_families), ERRNO(EAFNOSUPPORT));
	on_arg(f, __NR_prlimit64, 0, BPF_JEQ, 0, ALLOW, ERRNO(EPERM)); /* getrlimit(3) */
	on_arg(f, __NR_tgkill, 0, BPF_JEQ, (uint32_t)getpid(), ALLOW, ERRNO(EPERM));
	answer(f, ALLOW);
}

static int
install(struct filter *f, unsigned *in_force, struct cv_err *e)
{
	struct sock_fprog prog = { .len = f->n, .filter = f->ins };

	if (f->n >= CV_COUNT(f->ins))
		return cv_fail(e, CV_R_BUG, "sandbox: the filter is longer than its place");
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0) {
		*in_force |= CV_SBX_SECCOMP;
		return 0;
	}
	/* A kernel without filters says ENOSYS or EINVAL, a container EPERM. */
	if (errno == ENOSYS || errno == EINVAL || errno == EPERM || errno == EACCES)
		return 0;
	return cv_fail_errno(e, "sandbox: seccomp");
}

int
cv_seal_calls(enum cv_seal seal, unsigned *in_force, struct cv_err *e)
{
	struct filter f;

	f.n = 0;
	if (seal == CV_SEAL_NET)
		net_filter(&f);
	else
		compute_filter(&f);
	return install(&f, in_force, e);
}

#else /* an architecture whose numbers nobody has looked at */

int
cv_seal_calls(enum cv_seal seal, unsigned *in_force, struct cv_err *e)
{
	(void)seal;
	(void)in_force;
	(void)e;
	return 0;
}

#endif
