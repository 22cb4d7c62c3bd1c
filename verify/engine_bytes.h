/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_bytes.h: the bytes of an artifact that is no image: files or one file
 * below the agent's directory, or one file from a URL; with how to say where
 * they are and that they stayed what they were.
 */
#ifndef CV_ENGINE_BYTES_H
#define CV_ENGINE_BYTES_H

#include "verify/engine_vouch.h"
#include "verify/local.h"

struct cv_bytes {
	struct cv_local *local;   /* origin path */
	struct cv_source *source; /* origin URL */
	struct cv_blob blob;      /* URL: owned */
	struct cv_digest digest;  /* of one file, or of the tree */
	uint64_t size;
	bool single;      /* one file */
	const char *name; /* single: last component of path or URL */
};

/* cv_bytes_open: false: the job has been told why. */
bool cv_bytes_open(struct cv_bytes *b, struct cv_job *j);

/* cv_bytes_file: the one file, opened; the caller closes. */
int cv_bytes_file(const struct cv_bytes *b, struct cv_blob *ret, const char **check,
		  struct cv_err *e) cv_must;

/* cv_bytes_close: answers file.unsafe and file.changed, when they were opened.
 * What is local stays with the job, until cv_bytes_same(). */
void cv_bytes_close(struct cv_bytes *b, struct cv_job *j);

/* cv_bytes_same: when all jobs are done, in one thread: what is local and was as
 * it should be when its own job ended is looked at once more, so that the
 * verdict speaks of all artifacts at one time. Says something only if it is not. */
void cv_bytes_same(struct cv_job *j);

#endif
