/* SPDX-License-Identifier: Apache-2.0 */
/* advice.c: what a person can do about a problem; see report.h. */
#include "verify/report/report.h"

#include <string.h>

#include "verify/report/explain.h"

#include "trust/base/banned.h"

const char *
cv_reason_next(enum cv_reason reason)
{
	switch (reason) {
	case CV_R_UNREACHABLE:
	case CV_R_THROTTLED:
	case CV_R_CUTOFF:
		return "try again, or work from what is in the store with --offline";
	case CV_R_DENIED:
		return "log in to the registry (docker login, podman login), then try again";
	case CV_R_OFFLINE:
		return "run once without --offline, so that the store has it";
	case CV_R_DEADLINE:
		return "give more time with --timeout";
	case CV_R_DISK:
		return "make room, or choose another place with --store";
	case CV_R_MEMORY:
		return "close other programs, or use a machine with more memory";
	case CV_R_BUG:
	case CV_R_WORKER:
		return "this is a defect of clawverify: please report it with the text above";
	case CV_R_CONFINEMENT:
		return "use a kernel with Landlock and seccomp, or a policy with "
		       "\"confinement\": \"best-effort\"";
	default:
		return "";
	}
}

bool
cv_undecided(const char *check, enum cv_outcome outcome)
{
	/* whose answer is that something could not be found out */
	static const char *const unknown[] = {
		"fetch.cut-off",   "fetch.deadline",
		"fetch.denied",    "fetch.offline",
		"fetch.throttled", "fetch.unreachable",
		"internal.",       "run.",
		"sandbox.",        "worker.",
		"vuln.index-",     "vuln.no-coverage",
		"sig.unavailable", "sig.unsupported-",
		"oci.unsupported", "sbom.unsupported",
		"agent.uncovered", "image.unsupported-",
	};

	if (outcome != CV_UNKNOWN)
		return false;
	for (size_t i = 0; i < CV_COUNT(unknown); i++) {
		if (strncmp(check, unknown[i], strlen(unknown[i])) == 0)
			return false;
	}
	return true;
}

/* named: text with each word NAME replaced, so that commands can be copied. */
static void
named(char out[CV_NEXT_TEXT], const char *text, const char *name)
{
	size_t n = 0, len = strlen(name);

	for (const char *p = text; *p != '\0' && n + 1 < CV_NEXT_TEXT;) {
		if (len > 0 && strncmp(p, "NAME", 4) == 0 && n + len + 1 < CV_NEXT_TEXT) {
			memcpy(out + n, name, len);
			n += len;
			p += 4;
		} else {
			out[n++] = *p++;
		}
	}
	out[n] = '\0';
}

const char *
cv_next_text(char out[CV_NEXT_TEXT], const char *check, enum cv_outcome outcome,
	     enum cv_reason reason, const char *artifact)
{
	const struct cv_explain *x = cv_explain_find(check);
	const char *text = x != NULL ? x->next : "";

	if (cv_undecided(check, outcome)) {
		text = cv_reason_next(reason);
		if (text[0] == '\0')
			text = "settle what else is told here, then verify again";
	}
	named(out, text, artifact);
	return out;
}
