/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: what a verb works on, opened from the command line; see cmd.h. */
#include "verify/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/oci.h"
#include "trust/base/text.h"
#include "verify/policy_pattern.h"
#include "verify/role.h"
#include "verify/session_int.h"
#include "verify/session_signer.h"

#include "trust/base/banned.h"

/* ---- places ---- */

static int place(char *out, size_t n, struct cv_err *e, const char *fmt, ...) cv_printf(4, 5);

static int
place(char *out, size_t n, struct cv_err *e, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(out, n, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= n)
		return cv_fail(e, CV_R_USAGE, "a path is longer than %zu bytes", n - 1);
	return 0;
}

/* make_dirs: mkdir -p with mode 0700 for what is missing. */
static int
make_dirs(const char *dir, struct cv_err *e)
{
	char path[PATH_MAX];

	if (place(path, sizeof(path), e, "%s", dir) != 0)
		return -1;
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return cv_fail_errno(e, "%s: cannot make this directory", path);
		*p = was;
		if (was == '\0')
			return 0;
	}
}

static const char *
home(const struct cv_cmdline *c)
{
	const char *dir = cv_cl_env(c, "HOME");

	return dir != NULL && dir[0] == '/' ? dir : NULL;
}

/* xdg: $VAR/clawverify, else ~/under/clawverify; root without either uses the
 * system's place (DESIGN 4). A relative value counts as unset, as the XDG base
 * directory specification wants. */
static int
xdg(const struct cv_cmdline *c, const char *var, const char *under, const char *system, char *out,
    size_t n, struct cv_err *e)
{
	const char *dir = cv_cl_env(c, var);

	if (dir != NULL && dir[0] == '/')
		return place(out, n, e, "%s/clawverify", dir);
	if (geteuid() == 0 || home(c) == NULL)
		return place(out, n, e, "%s", system);
	return place(out, n, e, "%s/%s/clawverify", home(c), under);
}

int
cv_state_dir(const struct cv_cmdline *c, char *out, size_t n, struct cv_err *e)
{
	if (xdg(c, "XDG_STATE_HOME", ".local/state", "/var/lib/clawverify", out, n, e) != 0)
		return -1;
	return make_dirs(out, e);
}

/* store_given: a --store that cannot be one is a slip; a full disk stays one. */
static int
store_given(const struct cv_cmdline *c, struct cv_err *e)
{
	if (cv_cl_value(c, "store") == NULL || e->reason != CV_R_IO)
		return -1;
	e->reason = CV_R_USAGE;
	return cv_fail_within(e, "--store");
}

int
cv_store_dir(const struct cv_cmdline *c, char *out, size_t n, struct cv_err *e)
{
	const char *given = cv_cl_value(c, "store");
	int rc;

	if (given != NULL)
		rc = place(out, n, e, "%s", given);
	else
		rc = xdg(c, "XDG_CACHE_HOME", ".cache", "/var/cache/clawverify", out, n, e);
	if (rc == 0)
		rc = make_dirs(out, e);
	return rc == 0 ? 0 : store_given(c, e);
}

int
cv_db_path(const struct cv_cmdline *c, char *out, size_t n, struct cv_err *e)
{
	const char *given = cv_cl_value(c, "db");
	char dir[PATH_MAX];

	if (given != NULL)
		return place(out, n, e, "%s", given);
	if (cv_store_dir(c, dir, sizeof(dir), e) != 0)
		return -1;
	return place(out, n, e, "%s/advisories.index", dir);
}

/* ---- pieces of a session ---- */

static int
open_store(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	char dir[PATH_MAX];

	if (cv_store_dir(c, dir, sizeof(dir), e) != 0)
		return -1;
	return cv_store_open(&s->store, dir, 0, e) == 0 ? 0 : store_given(c, e);
}

/* open_db: no index where none was asked for is no error: the check says so. */
static int
open_db(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (cv_db_path(c, path, sizeof(path), e) != 0)
		return -1;
	s->db_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (s->db_fd < 0) {
		if (errno == ENOENT && cv_cl_value(c, "db") == NULL)
			return 0;
		return cv_conf_errno(e, "%s: cannot open this advisory index", path);
	}
	if (fstat(s->db_fd, &st) != 0 || !S_ISREG(st.st_mode))
		return cv_fail(e, CV_R_USAGE, "%s: an advisory index is a regular file", path);
	s->rq.db = (struct cv_blob){ .fd = s->db_fd, .len = (uint64_t)st.st_size };
	return 0;
}

/* Variables that the fetch worker may see: proxies and certificate stores. */
static const char *const net_vars[] = { "HTTPS_PROXY",   "https_proxy",   "http_proxy",
					"ALL_PROXY",     "all_proxy",     "NO_PROXY",
					"no_proxy",      "SSL_CERT_FILE", "SSL_CERT_DIR",
					"CURL_CA_BUNDLE" };

static int
read_net_env(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	size_t n = 0;

	s->net_env = calloc(CV_COUNT(net_vars) + 1, sizeof(*s->net_env));
	if (s->net_env == NULL)
		return cv_fail_memory(e);
	for (size_t i = 0; i < CV_COUNT(net_vars); i++) {
		const char *v = cv_cl_env(c, net_vars[i]);

		if (v == NULL)
			continue;
		if (asprintf(&s->net_env[n], "%s=%s", net_vars[i], v) < 0) {
			s->net_env[n] = NULL;
			return cv_fail_memory(e);
		}
		n++;
	}
	s->rq.net_env = (const char *const *)s->net_env;
	return 0;
}

/* read_times: now, deadline. */
static int
read_times(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	const char *at = cv_cl_value(c, "at");
	int64_t seconds = 0;

	s->rq.now = (int64_t)time(NULL);
	if (at != NULL) {
		if (cv_time_parse(&s->rq.now, cv_span_str(at), e) != 0) {
			e->reason = CV_R_USAGE;
			return cv_fail_within(e, "--at");
		}
		s->rq.historical = true;
	}
	if (cv_cl_seconds(c, "timeout", CV_MAX_TIMEOUT, &seconds, e) != 0)
		return -1;
	if (seconds > 0)
		s->rq.deadline = cv_mono_ms() + seconds * 1000;
	return 0;
}

static const char *
host_platform(void)
{
#if defined(__x86_64__)
	return "linux/amd64";
#elif defined(__aarch64__)
	return "linux/arm64";
#else
	return "linux/unknown";
#endif
}

/* check_patterns: a pattern that is none is a slip of whoever wrote it. When that
 * cannot be found out, the run itself meets the same trouble, and says so. */
static int
check_patterns(const struct cv_session *s, struct cv_err *e)
{
	struct cv_role_opts role = { .dir = s->workers,
				     .deadline = s->rq.deadline,
				     .cancel_fd = -1 };
	struct cv_err why;

	if (cv_policy_patterns(s->policy, &role, s->policy_path == NULL, &why) == 0 ||
	    cv_reason_exit(why.reason) != CV_EXIT_USAGE)
		return 0;
	*e = why;
	return -1;
}

int
cv_session_common(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e)
{
	const char *platform = cv_cl_value(c, "platform");
	struct cv_platform parsed;

	if (platform != NULL && cv_platform_parse(&parsed, cv_span_str(platform), NULL) != 0)
		return cv_fail(e, CV_R_USAGE, "--platform %.100s: want OS/ARCH, as in linux/amd64",
			       platform);
	s->rq.workers = s->workers;
	s->rq.cancel_fd = -1;
	s->rq.platform = platform != NULL ? platform : host_platform();
	s->rq.offline = cv_cl_flag(c, "offline");
	if (cv_role_dir(s->workers, sizeof(s->workers), e) != 0 || read_times(s, c, e) != 0 ||
	    open_store(s, c, e) != 0 || open_db(s, c, e) != 0 || read_net_env(s, c, e) != 0)
		return -1;
	s->rq.store = s->store;
	if (check_patterns(s, e) != 0)
		return -1;
	return cv_session_cred(s, c, e);
}

void
cv_session_zero(struct cv_session *s)
{
	*s = (struct cv_session){ .base_fd = -1, .db_fd = -1 };
	s->rq.db = CV_NO_BLOB;
	s->rq.base_fd = -1;
}

/* find_agent: the path of the agent file, and its directory in dir. */
static int
find_agent(struct cv_session *s, const char *target, char *dir, size_t n, struct cv_err *e)
{
	struct stat st;
	char path[PATH_MAX];
	char *slash;

	if (target == NULL)
		target = "agent.json";
	if (stat(target, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (place(path, sizeof(path), e, "%s/agent.json", target) != 0)
			return -1;
	} else if (place(path, sizeof(path), e, "%s", target) != 0) {
		return -1;
	}
	s->agent_path = strdup(path);
	if (s->agent_path == NULL)
		return cv_fail_memory(e);
	slash = strrchr(path, '/');
	if (slash == NULL)
		return place(dir, n, e, ".");
	slash[slash == path ? 1 : 0] = '\0';
	return place(dir, n, e, "%s", path);
}

/* beside: a file that the agent names, from its own directory; s->agent_path
 * "agent.json" keeps short names short. */
static int
beside(char **ret, const char *dir, const char *name, struct cv_err *e)
{
	int rc = strcmp(dir, ".") == 0 ? asprintf(ret, "%s", name)
				       : asprintf(ret, "%s/%s", dir, name);

	if (rc < 0) {
		*ret = NULL;
		return cv_fail_memory(e);
	}
	return 0;
}

static int
open_files(struct cv_session *s, const struct cv_cmdline *c, const char *dir, struct cv_err *e)
{
	const char *policy = cv_cl_value(c, "policy");
	const char *lock = cv_cl_value(c, "lock");
	int rc;

	if (cv_agent_load(&s->agent, s->agent_path, e) != 0)
		return -1;
	if (policy == NULL && strncmp(s->agent->policy, "preset:", 7) != 0) {
		if (beside(&s->policy_path, dir, s->agent->policy, e) != 0)
			return -1;
	} else {
		s->policy_path = strdup(policy != NULL ? policy : s->agent->policy);
		if (s->policy_path == NULL)
			return cv_fail_memory(e);
	}
	if (cv_policy_load(&s->policy, s->policy_path, e) != 0)
		return -1;
	s->rq.policy_chosen = policy != NULL                   ? CV_CHOSEN_OPTION
			      : s->agent->policy_pos.line == 0 ? CV_CHOSEN_DEFAULT
							       : CV_CHOSEN_AGENT;
	if (lock != NULL) {
		s->lock_path = strdup(lock);
		if (s->lock_path == NULL)
			return cv_fail_memory(e);
	} else if (beside(&s->lock_path, dir, CV_LOCK_NAME, e) != 0) {
		return -1;
	}
	rc = cv_lock_load(&s->lock, s->lock_path, e);
	/* lock is there to make one */
	if (rc == 0 && lock != NULL && c->cmd != &cv_verb_lock)
		return cv_fail(e, CV_R_USAGE, "--lock %.400s: there is no such file", lock);
	return rc < 0 ? -1 : 0;
}

void
cv_session_ready(struct cv_session *s)
{
	s->rq.base_fd = s->base_fd;
	s->rq.agent = s->agent;
	s->rq.policy = s->policy;
	s->rq.lock = s->lock;
	s->rq.agent_path = s->agent_path;
	s->rq.policy_path = s->policy_path;
	s->rq.lock_path = s->lock != NULL ? s->lock_path : NULL;
}

int
cv_session_open(struct cv_session *s, const struct cv_cmdline *c, const char *target,
		struct cv_err *e)
{
	char dir[PATH_MAX];

	cv_session_zero(s);
	if (find_agent(s, target, dir, sizeof(dir), e) != 0 || open_files(s, c, dir, e) != 0 ||
	    cv_session_common(s, c, e) != 0)
		goto failed;
	s->base_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->base_fd < 0) {
		(void)cv_fail_errno(e, "%s", dir);
		goto failed;
	}
	cv_session_ready(s);
	return 0;
failed:
	cv_session_close(s);
	return -1;
}

void
cv_session_close(struct cv_session *s)
{
	cv_signer_evidence_close(s);
	cv_cred_env_free(&s->cred);
	cv_registries_free(&s->registries);
	cv_lock_free(&s->lock);
	cv_policy_free(&s->policy);
	cv_agent_free(&s->agent);
	cv_store_close(&s->store);
	for (size_t i = 0; s->net_env != NULL && s->net_env[i] != NULL; i++)
		free(s->net_env[i]);
	free(s->net_env);
	free(s->agent_path);
	free(s->policy_path);
	free(s->lock_path);
	cv_closep(&s->base_fd);
	cv_closep(&s->db_fd);
	cv_session_zero(s);
}

int
cv_session_run(struct cv_session *s, struct cv_result **ret, struct cv_err *e)
{
	sigset_t want, old;
	int rc;

	/* An interrupt ends the run in order (workers reaped, nothing half-written);
	 * it stays pending and ends this process when it is let through again. */
	(void)sigemptyset(&want);
	(void)sigaddset(&want, SIGINT);
	(void)sigaddset(&want, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &want, &old) != 0)
		return cv_fail_errno(e, "sigprocmask");
	s->rq.cancel_fd = signalfd(-1, &want, SFD_CLOEXEC);
	if (s->rq.cancel_fd < 0) {
		(void)cv_fail_errno(e, "signalfd");
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
		return -1;
	}
	rc = cv_engine_run(ret, &s->rq, e);
	cv_closep(&s->rq.cancel_fd);
	s->rq.cancel_fd = -1;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}
