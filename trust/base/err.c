/* SPDX-License-Identifier: Apache-2.0 */
/* err.c: the list of reasons, and errors that cannot fail. Nothing here may
 * allocate, translate or print. */
#include "trust/base/err.h"
#include "trust/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trust/base/banned.h"

static const struct {
	const char *word;
	enum cv_exit exit;
} reasons[CV_R_COUNT] = {
	[CV_R_NONE] = { "none", CV_EXIT_PASS },

	[CV_R_DIGEST] = { "digest", CV_EXIT_FAIL },
	[CV_R_SIGNATURE] = { "signature", CV_EXIT_FAIL },
	[CV_R_IDENTITY] = { "identity", CV_EXIT_FAIL },
	[CV_R_RULE] = { "rule", CV_EXIT_FAIL },
	[CV_R_ABSENT] = { "absent", CV_EXIT_FAIL },
	[CV_R_MALFORMED] = { "malformed", CV_EXIT_FAIL },
	[CV_R_AMBIGUOUS] = { "ambiguous", CV_EXIT_FAIL },
	[CV_R_LIMIT] = { "limit", CV_EXIT_FAIL },
	[CV_R_EXPIRED] = { "expired", CV_EXIT_FAIL },
	[CV_R_REVOKED] = { "revoked", CV_EXIT_FAIL },

	[CV_R_USAGE] = { "usage", CV_EXIT_USAGE },
	[CV_R_CONFIG] = { "config", CV_EXIT_USAGE },
	[CV_R_UNAUTHORISED] = { "unauthorised", CV_EXIT_USAGE },

	[CV_R_UNREACHABLE] = { "unreachable", CV_EXIT_UNKNOWN },
	[CV_R_THROTTLED] = { "throttled", CV_EXIT_UNKNOWN },
	[CV_R_CUTOFF] = { "cutoff", CV_EXIT_UNKNOWN },
	[CV_R_DENIED] = { "denied", CV_EXIT_UNKNOWN },
	[CV_R_OFFLINE] = { "offline", CV_EXIT_UNKNOWN },
	[CV_R_DEADLINE] = { "deadline", CV_EXIT_UNKNOWN },
	[CV_R_CANCELLED] = { "cancelled", CV_EXIT_UNKNOWN },
	[CV_R_UNSUPPORTED] = { "unsupported", CV_EXIT_UNKNOWN },
	[CV_R_STALE] = { "stale", CV_EXIT_UNKNOWN },
	[CV_R_NO_COVERAGE] = { "no-coverage", CV_EXIT_UNKNOWN },
	[CV_R_WORKER] = { "worker", CV_EXIT_UNKNOWN },
	[CV_R_CONFINEMENT] = { "confinement", CV_EXIT_UNKNOWN },
	[CV_R_UNDECIDED] = { "undecided", CV_EXIT_UNKNOWN },

	[CV_R_MEMORY] = { "memory", CV_EXIT_INTERNAL },
	[CV_R_DISK] = { "disk", CV_EXIT_INTERNAL },
	[CV_R_IO] = { "io", CV_EXIT_INTERNAL },
	[CV_R_BUG] = { "bug", CV_EXIT_INTERNAL },
};

static bool
known(enum cv_reason reason)
{
	return (unsigned)reason < CV_R_COUNT;
}

const char *
cv_reason_word(enum cv_reason reason)
{
	return known(reason) ? reasons[reason].word : "invalid-reason";
}

enum cv_reason
cv_reason_parse(const char *word)
{
	if (word != NULL) {
		for (unsigned i = 0; i < CV_R_COUNT; i++)
			if (strcmp(word, reasons[i].word) == 0)
				return (enum cv_reason)i;
	}
	return CV_R_COUNT;
}

enum cv_exit
cv_reason_exit(enum cv_reason reason)
{
	return known(reason) ? reasons[reason].exit : CV_EXIT_INTERNAL;
}

static int
fail(struct cv_err *e, enum cv_reason reason, const char *text)
{
	size_t n = strlen(text);

	if (e == NULL)
		return -1;
	/* A failure without a valid reason would read as success. */
	e->reason = reason == CV_R_NONE || !known(reason) ? CV_R_BUG : reason;
	if (n >= sizeof(e->text))
		n = sizeof(e->text) - 1;
	memmove(e->text, text, n);
	e->text[n] = '\0';
	return -1;
}

int
cv_fail(struct cv_err *e, enum cv_reason reason, const char *fmt, ...)
{
	char text[CV_ERR_TEXT]; /* the arguments may point into e->text */
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fail(e, reason, text);
}

static enum cv_reason
reason_of_errno(int error)
{
	switch (error) {
	case ENOMEM:
		return CV_R_MEMORY;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EROFS:
		return CV_R_DISK;
	default:
		return CV_R_IO;
	}
}

int
cv_fail_errno(struct cv_err *e, const char *fmt, ...)
{
	int error = errno;
	/* Not strerror: it may allocate, and reads message catalogues. */
	const char *word = strerrordesc_np(error);
	char text[CV_ERR_TEXT], full[CV_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (word != NULL)
		cv_text_fmt(full, sizeof(full), "%.960s: %s", text, word);
	else
		cv_text_fmt(full, sizeof(full), "%.960s: error %d", text, error);
	return fail(e, reason_of_errno(error), full);
}

int
cv_fail_within(struct cv_err *e, const char *fmt, ...)
{
	char prefix[CV_ERR_TEXT], full[CV_ERR_TEXT];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	cv_text_vfmt(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	cv_text_fmt(full, sizeof(full), "%s: %s", prefix, e->text);
	return fail(e, e->reason, full);
}

int
cv_fail_memory(struct cv_err *e)
{
	return fail(e, CV_R_MEMORY, "out of memory");
}
