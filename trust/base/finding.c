/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c: making findings. Must never turn what it does not know into a
 * pass. */
#include "trust/base/finding.h"
#include "trust/base/checks.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

const char *
cv_outcome_word(enum cv_outcome o)
{
	switch (o) {
	case CV_UNKNOWN:
		return "unknown";
	case CV_PASS:
		return "pass";
	case CV_FAIL:
		return "fail";
	case CV_WAIVED:
		return "waived";
	case CV_NOT_APPLICABLE:
		return "not-applicable";
	}
	return "unknown";
}

enum cv_outcome
cv_outcome_of(enum cv_reason reason)
{
	if (reason == CV_R_NONE)
		return CV_PASS;
	return cv_reason_exit(reason) == CV_EXIT_FAIL ? CV_FAIL : CV_UNKNOWN;
}

static struct cv_finding
make(const char *check, enum cv_reason reason)
{
	const struct cv_check *known = cv_check_find(check);
	struct cv_finding f = { .reason = reason };

	if (known == NULL) {
		known = cv_check_find("internal.unknown-check");
		f.reason = CV_R_BUG;
		cv_finding_found(&f, "check id \"%s\"", check == NULL ? "" : check);
	}
	f.check = known->id;
	f.outcome = cv_outcome_of(f.reason);
	return f;
}

struct cv_finding
cv_finding_pass(const char *check)
{
	return make(check, CV_R_NONE);
}

struct cv_finding
cv_finding_no(const char *check, enum cv_reason reason)
{
	/* "No" without a valid reason is a bug of ours, never a pass. */
	if (reason == CV_R_NONE || (unsigned)reason >= CV_R_COUNT)
		reason = CV_R_BUG;
	return make(check, reason);
}

#define SETTER(field)                                                                              \
	void cv_finding_##field(struct cv_finding *f, const char *fmt, ...)                        \
	{                                                                                          \
		char text[sizeof(f->field)]; /* the arguments may be texts of f */                 \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		cv_text_vfmt(text, sizeof(text), fmt, ap);                                         \
		va_end(ap);                                                                        \
		memcpy(f->field, text, sizeof(text));                                              \
	}

SETTER(expected)
SETTER(found)
SETTER(where)
SETTER(note)
