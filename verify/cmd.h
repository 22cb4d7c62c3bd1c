/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd.h: the command line: one table of verbs, one way to read options, one way
 * to open what a verb works on.
 *
 * stdout carries the result, stderr all else. A verb returns its exit code; it
 * says an error by filling e and returning cv_cmd_failed(c, e).
 */
#ifndef CV_CMD_H
#define CV_CMD_H

#include "verify/engine.h"

enum cv_opt_kind { CV_OPT_FLAG = 1, CV_OPT_VALUE, CV_OPT_MANY };

struct cv_opt {
	const char *name; /* "with": --with VALUE or --with=VALUE */
	char letter;      /* 'o' or 0 */
	enum cv_opt_kind kind;
	const char *arg;  /* "FILE", for help; NULL for a flag */
	const char *help; /* one line */
};

struct cv_cmdline; /* parsed arguments of one call */

#define CV_ARGS_ANY SIZE_MAX

struct cv_cmd {
	const char *name;
	const char *args;          /* "[MANIFEST | REF | PATH]" */
	const char *summary;       /* one line */
	const char *text;          /* a few lines more, or NULL */
	const char *examples;      /* lines of "clawverify ...", first thing in --help */
	const struct cv_opt *opts; /* own options; ends with name NULL; or NULL */
	size_t min_args, max_args; /* positional; CV_ARGS_ANY: no maximum */
	int (*run)(struct cv_cmdline *c, struct cv_err *e);
};

/* The table, ends with NULL. */
extern const struct cv_cmd *const cv_cmds[];

/* Own and global options by name; VALUE: the last one given, else the
 * environment's CLAWVERIFY_NAME for global ones, else NULL. */
bool cv_cl_flag(const struct cv_cmdline *c, const char *name);
const char *cv_cl_value(const struct cv_cmdline *c, const char *name);
/* cv_cl_seconds: a duration of 1 to max seconds; *ret stays when it was not given. */
int cv_cl_seconds(const struct cv_cmdline *c, const char *name, int64_t max, int64_t *ret,
		  struct cv_err *e) cv_must;
#define CV_MAX_TIMEOUT 86400 /* of --timeout */

/* cv_cl_read: the file that an option names, wherever it lies; cv_cl_key: the public
 * key in it, or in the variable that "env://NAME" says. None there, none of that kind,
 * too long: CV_R_USAGE. */
int cv_cl_read(struct cv_buf *out, const char *option, const char *path, size_t max,
	       struct cv_err *e) cv_must;
int cv_cl_key(const struct cv_cmdline *c, struct cv_mem *m, struct cv_key *ret, const char *option,
	      const char *path, struct cv_err *e) cv_must;
const char *const *cv_cl_values(const struct cv_cmdline *c, const char *name, size_t *n);

/* Positional arguments; NULL beyond the last. What follows "--" counts too. */
const char *cv_cl_arg(const struct cv_cmdline *c, size_t i);
size_t cv_cl_nargs(const struct cv_cmdline *c);

/* cv_cl_env: a variable of this process ("" counts as absent); NULL. */
const char *cv_cl_env(const struct cv_cmdline *c, const char *name);

/* cv_cmd_failed: print "clawverify: TEXT" (neutralised) and a next step to
 * stderr; with -o json the same as a result document to stdout. Returns the
 * reason's exit code. */
int cv_cmd_failed(const struct cv_cmdline *c, const struct cv_err *e);

/* cv_say: a line to stderr, unless -q. cv_out_text: neutralised text to stdout. */
void cv_say(const struct cv_cmdline *c, const char *fmt, ...) cv_printf(2, 3);
/* cv_cmd_stdout: the end of every verb: rc, or CV_EXIT_INTERNAL with words if what was
 * printed did not reach standard output: a result that nobody got was not given. */
int cv_cmd_stdout(const struct cv_cmdline *c, int rc);
bool cv_cl_json(const struct cv_cmdline *c); /* -o json was asked for */

/*
 * What verify, lock, bundle, endorse and launch work on. Opened once, closed
 * once; the request in it is ready but for `mode`.
 */
struct cv_session {
	struct cv_agent *agent;
	struct cv_policy *policy;
	struct cv_lock *lock; /* NULL: there is none */
	struct cv_store *store;
	struct cv_cred_env *cred;
	struct cv_registries *registries;
	char *agent_path, *policy_path, *lock_path;
	char **net_env;
	struct cv_request_evidence *evidence; /* opened by the session */
	char workers[4096];
	int base_fd;
	int db_fd;
	struct cv_request rq;
};

/* cv_session_open: `target` an agent file, a directory that holds agent.json, or
 * NULL for ./agent.json. Reads --policy, --lock, --db, --offline, --store,
 * --timeout, --at, --platform where the verb has them. */
int cv_session_open(struct cv_session *s, const struct cv_cmdline *c, const char *target,
		    struct cv_err *e) cv_must;

/* cv_session_bare: for one artifact without an agent file: REF or PATH. */
int cv_session_bare(struct cv_session *s, const struct cv_cmdline *c, const char *ref,
		    struct cv_err *e) cv_must;
void cv_session_close(struct cv_session *s);

/* cv_session_run: cv_engine_run() of s->rq that an interrupt (SIGINT, SIGTERM)
 * cancels; the process then ends by that signal. */
int cv_session_run(struct cv_session *s, struct cv_result **ret, struct cv_err *e) cv_must;

/* cv_session_cred: fill s->cred, s->registries and the same of s->rq from this
 * user's environment. */
int cv_session_cred(struct cv_session *s, const struct cv_cmdline *c, struct cv_err *e) cv_must;

/* cv_state_dir, cv_store_dir, cv_data_file: where things live (DESIGN 4), by
 * the environment and --store; out holds PATH_MAX bytes. cv_state_dir is
 * $XDG_STATE_HOME/clawverify or ~/.local/state/clawverify; as root
 * /var/lib/clawverify. Missing directories are made, mode 0700. */
int cv_state_dir(const struct cv_cmdline *c, char *out, size_t n, struct cv_err *e) cv_must;
int cv_store_dir(const struct cv_cmdline *c, char *out, size_t n, struct cv_err *e) cv_must;

/* cv_db_path: the compiled advisory index: --db, else in the store directory. */
int cv_db_path(const struct cv_cmdline *c, char *out, size_t n, struct cv_err *e) cv_must;

/*
 * ---- verbs ----
 * Each is defined in its own cmd_NAME.c, with its options and its help, as
 * cv_verb_NAME; verbs.c holds the order in which help shows them.
 */
extern const struct cv_cmd cv_verb_verify, cv_verb_lock, cv_verb_init, cv_verb_inspect,
	cv_verb_explain, cv_verb_policy, cv_verb_db, cv_verb_demo, cv_verb_doctor, cv_verb_version,
	cv_verb_completion, cv_verb_help;
/* by the launch side of the house */
extern const struct cv_cmd cv_verb_endorse, cv_verb_trust, cv_verb_bundle, cv_verb_launch,
	cv_verb_hook;

#endif
