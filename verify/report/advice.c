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
		return "make room there; fetched bytes can lie elsewhere, with --store";
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
		"sig.root-",       "tool.manifest-invalid",
	};

	if (outcome != CV_UNKNOWN)
		return false;
	for (size_t i = 0; i < CV_COUNT(unknown); i++) {
		if (strncmp(check, unknown[i], strlen(unknown[i])) == 0)
			return false;
	}
	return true;
}

/* Commands about an agent: where it does not lie here they want its path. */
static bool
wants_agent(const char *command)
{
	static const char *const verbs[] = { "lock", "verify", "endorse", "launch",
					     "bundle create" };

	for (size_t i = 0; i < CV_COUNT(verbs); i++) {
		if (strncmp(command + strlen("clawverify "), verbs[i], strlen(verbs[i])) == 0)
			return true;
	}
	return false;
}

/* plain: the path can stand in a command line as it is, and has to. */
static bool
plain(const char *path)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._/-";

	return path != NULL && path[0] != '-' && strcmp(path, "agent.json") != 0 &&
	       strlen(path) <= 200 && path[strspn(path, safe)] == '\0';
}

/* filled: text with each word NAME replaced and the agent's path behind commands
 * about it, so that they can be copied. A command ends with the text, or at a
 * comma or semicolon. */
static void
filled(struct cv_buf *out, const char *text, const char *name, const char *agent)
{
	bool open = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (strncmp(p, "clawverify ", strlen("clawverify ")) == 0)
			open = plain(agent) && wants_agent(p);
		if (open && (*p == ',' || *p == ';')) {
			cv_buf_fmt(out, " %s", agent);
			open = false;
		}
		if (name[0] != '\0' && strncmp(p, "NAME", 4) == 0) {
			cv_buf_str(out, name);
			p += 3;
		} else {
			cv_buf_byte(out, (uint8_t)*p);
		}
	}
	if (open)
		cv_buf_fmt(out, " %s", agent);
}

const char *
cv_next_text(char out[CV_NEXT_TEXT], const char *check, enum cv_outcome outcome,
	     enum cv_reason reason, const char *artifact, const char *agent)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_NEXT_TEXT - 1);
	const struct cv_explain *x = cv_explain_find(check);
	const char *text = x != NULL ? x->next : "";

	if (cv_undecided(check, outcome)) {
		text = cv_reason_next(reason);
		if (text[0] == '\0')
			text = "settle what else is told here, then verify again";
	}
	filled(&b, text, agent != NULL ? artifact : "", agent);
	(void)snprintf(out, CV_NEXT_TEXT, "%s", cv_buf_text(&b));
	return out;
}
