/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h: a process gives up its rights, for good.
 *
 * CV_SEAL_COMPUTE (trust, contents): no file can be opened, no socket made, no
 * program run; the seccomp filter is an allow-list for computing on descriptors
 * that are already open or arrive by the worker's socket; everything else kills
 * the process. CV_SEAL_NET (fetch): Landlock lets it read resolver and CA files
 * and nothing else, write nothing, run nothing; seccomp denies exec, ptrace and
 * the like but, libc's resolver being what it is, is not an allow-list.
 *
 * Both set no_new_privs, RLIMIT_CORE 0, RLIMIT_AS, RLIMIT_FSIZE (compute: the
 * largest advisory index; net: 0) and die with their parent. In a sanitizer
 * build nothing is sealed and CV_SBX_SANITIZER says so.
 */
#ifndef CV_SANDBOX_H
#define CV_SANDBOX_H

#include "err.h"

/* CV_SANITIZED: 1 in a build with a sanitizer that could not live sealed: it maps
 * terabytes, starts helper programs and reads /proc. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CV_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define CV_SANITIZED 1
#endif
#endif
#ifndef CV_SANITIZED
#define CV_SANITIZED 0
#endif

enum cv_seal { CV_SEAL_COMPUTE = 1, CV_SEAL_NET = 2 };

/* cv_seal: returns 0 with *in_force (CV_SBX_* of proto.h) and the kernel's
 * Landlock ABI (0: none). What the kernel lacks is left out of *in_force and is
 * no error: verify decides. -1 only when sealing half-way failed. `extra_ro` is a
 * NULL-terminated list of paths readable in CV_SEAL_NET (CA bundle), or NULL. */
int cv_seal(enum cv_seal seal, const char *const *extra_ro, unsigned *in_force, int *landlock_abi,
	    struct cv_err *e) cv_must;

#endif
