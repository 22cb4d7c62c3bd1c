/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h: why something did not succeed.
 *
 * There is one list of reasons for the whole program. Each reason has exactly
 * one outcome and one exit code (DESIGN 4, "Exit codes"); nothing else in the
 * program maps one to the other. Absent, invalid, untrusted, expired,
 * unsupported and could-not-look are different reasons.
 *
 * A function that can fail returns 0 or -1 and takes a caller-owned
 * `struct cv_err *` last. Reporting an error cannot fail: the text has a fixed
 * size and is cut, never allocated. Text says what, what was found and what
 * was wanted. It may hold hostile bytes of an artifact: whoever shows it to a
 * person passes it through cv_text_safe() (text.h).
 */
#ifndef CV_ERR_H
#define CV_ERR_H

#include "auto.h"

#include <stdarg.h>

enum cv_reason {
	CV_R_NONE = 0, /* nothing went wrong */

	/* outcome fail, exit 1: the evidence says no */
	CV_R_DIGEST,    /* digest or size differs from the agreed one */
	CV_R_SIGNATURE, /* a signature does not verify */
	CV_R_IDENTITY,  /* genuine, but not by whom policy wants */
	CV_R_RULE,      /* a rule of policy or of a format is broken */
	CV_R_ABSENT,    /* required evidence absent at a source that answered */
	CV_R_MALFORMED, /* not what its format allows */
	CV_R_AMBIGUOUS, /* two readers could understand it differently */
	CV_R_LIMIT,     /* exceeds a limit (limits.h) by its content */
	CV_R_EXPIRED,   /* evidence past its end, or expired when signed */
	CV_R_REVOKED,   /* withdrawn by its maker */

	/* outcome usage, exit 2: nothing was checked */
	CV_R_USAGE,        /* command line */
	CV_R_CONFIG,       /* agent, policy, lock or configuration file */
	CV_R_UNAUTHORISED, /* policy that this gate does not accept */

	/* outcome unknown, exit 3: could not be decided */
	CV_R_UNREACHABLE, /* no answer, or a server error, after all tries */
	CV_R_THROTTLED,   /* told to come back later */
	CV_R_CUTOFF,      /* transfer ended early */
	CV_R_DENIED,      /* the source refused our credentials */
	CV_R_OFFLINE,     /* needed the network, and --offline was given */
	CV_R_DEADLINE,    /* out of time */
	CV_R_CANCELLED,   /* the caller took the request back */
	CV_R_UNSUPPORTED, /* algorithm or format that this build cannot judge */
	CV_R_STALE,       /* trust root or advisory index too old */
	CV_R_NO_COVERAGE, /* our data says nothing about this */
	CV_R_WORKER,      /* a worker died, or broke the protocol */
	CV_R_CONFINEMENT, /* confinement required, and not available */
	CV_R_UNDECIDED,   /* no check answered the question */

	/* outcome internal, exit 4: our trouble */
	CV_R_MEMORY, /* out of memory */
	CV_R_DISK,   /* disk full or not writable */
	CV_R_IO,     /* the operating system refused something else */
	CV_R_BUG,    /* a promise of this program is broken */

	CV_R_COUNT
};

enum cv_exit {
	CV_EXIT_PASS = 0,
	CV_EXIT_FAIL = 1,
	CV_EXIT_USAGE = 2,
	CV_EXIT_UNKNOWN = 3,
	CV_EXIT_INTERNAL = 4,
};

#define CV_ERR_TEXT 1024

struct cv_err {
	enum cv_reason reason;
	char text[CV_ERR_TEXT];
};

/* cv_reason_word: the permanent lower-case word of a reason ("digest",
 * "worker"), used in frames, JSON and logs; "invalid-reason" if out of range. */
const char *cv_reason_word(enum cv_reason reason);

/* cv_reason_parse: the reason of a word, CV_R_COUNT if there is none. */
enum cv_reason cv_reason_parse(const char *word);

/* cv_reason_exit: the exit code that a reason leads to. CV_R_NONE is
 * CV_EXIT_PASS; a value out of range is CV_EXIT_INTERNAL. */
enum cv_exit cv_reason_exit(enum cv_reason reason);

/* cv_fail: set *e and return -1. e may be NULL. CV_R_NONE becomes CV_R_BUG:
 * a failure without a reason would read as success. */
int cv_fail(struct cv_err *e, enum cv_reason reason, const char *fmt, ...) cv_printf(3, 4);

/* cv_fail_errno: the same for the system call that just failed. ENOMEM is
 * CV_R_MEMORY; ENOSPC, EDQUOT, EFBIG and EROFS are CV_R_DISK; else CV_R_IO.
 * ": " and the error's text are appended. */
int cv_fail_errno(struct cv_err *e, const char *fmt, ...) cv_printf(2, 3);

/* cv_fail_within: put "prefix: " before the text that e already has, keeping
 * its reason; for context as an error rises. Returns -1. */
int cv_fail_within(struct cv_err *e, const char *fmt, ...) cv_printf(2, 3);

/* cv_fail_memory: CV_R_MEMORY, without formatting. Returns -1. */
int cv_fail_memory(struct cv_err *e);

#endif
