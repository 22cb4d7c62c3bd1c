/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_priv.h: what the pickle_*.c files share. */
#ifndef CV_FOUND_PICKLE_PRIV_H
#define CV_FOUND_PICKLE_PRIV_H

#include "sbom/found/names.h"
#include "sbom/found/pickle.h"
#include "sbom/found/window.h"

/* cv_pickle_ops: the stream that comes next in the window; `sure` opcodes
 * without a mistake are enough. ret->rule NULL: no pickle. */
void cv_pickle_ops(struct cv_pickle *ret, struct cv_window *w, unsigned sure);

/* cv_pickle_npy: the same for a numpy array. */
void cv_pickle_npy(struct cv_pickle *ret, struct cv_window *w);

/* One thing that is still to be looked into. */
struct cv_pickle_job {
	struct cv_blob blob;
	unsigned depth;
	char path[CV_PICKLE_WHERE]; /* "" for the file itself */
};

#define CV_PICKLE_JOBS 64

struct cv_pickle_search {
	int (*hit)(void *ctx, const struct cv_pickle *p, struct cv_err *e);
	void *ctx;
	uint64_t unseen;
	uint64_t members;     /* of all archives so far */
	struct cv_names seen; /* zip members, by where their bytes begin */
	size_t njobs;
	struct cv_pickle_job job[CV_PICKLE_JOBS];
	struct cv_window w, inner;     /* the archive, and a member in it */
	uint8_t head[CV_WINDOW_BYTES]; /* unpacked */
};

/* cv_pickle_member: look at one member. `packed` is where its bytes are. */
enum cv_pickle_method { CV_PACKED_STORED, CV_PACKED_DEFLATE, CV_PACKED_ZLIB, CV_PACKED_UNKNOWN };
int cv_pickle_member(struct cv_pickle_search *s, const struct cv_pickle_job *in,
		     struct cv_span name, struct cv_blob packed, enum cv_pickle_method method,
		     struct cv_err *e) cv_must;

bool cv_pickle_is_zip(struct cv_window *w);
bool cv_pickle_is_tar(struct cv_window *w);
int cv_pickle_zip(struct cv_pickle_search *s, const struct cv_pickle_job *in,
		  struct cv_err *e) cv_must;
int cv_pickle_tar(struct cv_pickle_search *s, const struct cv_pickle_job *in,
		  struct cv_err *e) cv_must;
int cv_pickle_gzip(struct cv_pickle_search *s, const struct cv_pickle_job *in,
		   struct cv_err *e) cv_must;

#endif
