/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h: verify's side of the loop in proto.h: start a worker, speak, reap.
 *
 * Whatever a worker does ends here, in time: death, garbage, silence, too many
 * frames, a wrong count in DONE are all CV_R_WORKER (or CV_R_DEADLINE,
 * CV_R_CANCELLED), and the caller throws away what that task had said so far.
 * Nothing here is global; several roles may run at once, in several threads.
 *
 * A worker starts with an empty environment (fetch keeps the proxy and CA
 * variables it is given), descriptors 0 to 2 on /dev/null except that stderr is
 * kept with CV_ROLE_STDERR, its socket as descriptor 3, and no others. It leads a
 * process group of its own (an interrupt from the terminal comes to verify
 * alone) and dies when the thread that started it ends: start and end a role in
 * the same thread.
 */
#ifndef CV_ROLE_H
#define CV_ROLE_H

#include "trust/base/proto.h"

/* CV_ROLE_IMPORT compiles advisories: the contents worker's sister (sbom/import). */
enum cv_role_kind { CV_ROLE_TRUST = 1, CV_ROLE_CONTENTS, CV_ROLE_FETCH, CV_ROLE_IMPORT };

enum {
	CV_ROLE_STDERR = 1, /* the worker keeps our stderr (always in a sanitizer build) */
};

struct cv_role_opts {
	const char *dir;  /* where the worker programs are */
	int64_t deadline; /* cv_mono_ms scale, 0 none */
	int cancel_fd;    /* readable: give up; -1 none */
	unsigned flags;
	const char *const *env; /* "NAME=value" for fetch, NULL-terminated, or NULL */
};

struct cv_role;

int cv_role_start(struct cv_role **ret, enum cv_role_kind kind, const struct cv_role_opts *opts,
		  struct cv_err *e) cv_must;

/* cv_role_start in two steps, for a worker that shall get ready while something
 * else is done: nothing else may be called between them but cv_role_end(). */
int cv_role_spawn(struct cv_role **ret, enum cv_role_kind kind, const struct cv_role_opts *opts,
		  struct cv_err *e) cv_must;
int cv_role_greet(struct cv_role *r, struct cv_err *e) cv_must;

/* cv_role_dir: the workers' directory: that of the running program if they are
 * there, else ../libexec/clawverify of it, else the compiled-in libexec directory.
 * CV_R_CONFIG: none has them. out holds PATH_MAX bytes. */
int cv_role_dir(char *out, size_t n, struct cv_err *e) cv_must;

/* What HELLO stated: CV_SBX_* and Landlock's ABI. */
unsigned cv_role_sandbox(const struct cv_role *r);
int cv_role_landlock(const struct cv_role *r);

/* What the worker is called in messages: "trust", "contents", "fetch". */
const char *cv_role_name(enum cv_role_kind kind);

/* cv_role_usable: true between tasks (also after an ERROR frame); false once the
 * worker has failed otherwise. */
bool cv_role_usable(const struct cv_role *r);

/* cv_role_frame: the frame to fill for the next cv_role_send. DEADLINE is added
 * to a TASK, from the role's options. */
struct cv_out *cv_role_frame(struct cv_role *r, enum cv_kind kind);
int cv_role_send(struct cv_role *r, struct cv_err *e) cv_must;

/* cv_role_bytes: a file in memory that holds them, to be sent; *ret is the caller's. */
int cv_role_bytes(struct cv_blob *ret, struct cv_span bytes, struct cv_err *e) cv_must;

/*
 * What to do with what the worker says; unused members are NULL. Each returns 0,
 * or -1 with e set to end the task. `need` fills `give` (already started, ID
 * set): with STATUS at least; REASON is a word (proto.h). Descriptors put into
 * `give` are closed by cv_role_run after sending when close_give is set. `pipe`
 * gets the bytes that arrive on pipe_fd (-1 none; then `pipe` is not called), in
 * order; a frame sent before bytes is always delivered before them, but frames
 * may run ahead of bytes; end of file is pipe(ctx, NULL, 0). `done` sees the DONE
 * frame, last of all. Facts that nobody wants are counted and forgotten;
 * findings and needs that nobody wants are CV_R_WORKER. cv_role_run does not
 * return 0 before DONE and the pipe's end were seen.
 */
struct cv_role_on {
	void *ctx;
	int (*fact)(void *ctx, struct cv_frame *f, struct cv_err *e);
	int (*finding)(void *ctx, const struct cv_finding *f, struct cv_err *e);
	int (*need)(void *ctx, struct cv_frame *need, struct cv_out *give, struct cv_err *e);
	bool close_give;
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	int (*done)(void *ctx, struct cv_frame *done, struct cv_err *e);
	int pipe_fd;
	int (*pipe)(void *ctx, const void *p, size_t n, struct cv_err *e);
};

/* cv_role_run: send RUN and serve the worker until DONE (0) or its end (-1).
 * An ERROR frame is -1 with the worker's reason (only reasons that lead to exit
 * 1, 3 or 4 are believed) and *check set to the catalogue's id it named, or to
 * NULL. A finding whose id this kind of worker may not state is CV_R_WORKER. */
int cv_role_run(struct cv_role *r, const struct cv_role_on *on, const char **check,
		struct cv_err *e) cv_must;

/* cv_role_end: close the socket, kill if it does not go at once, reap. */
void cv_role_end(struct cv_role **r);

#endif
