/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h: is there a pickle in this file, whatever it is called and whatever artifact
 * carries it? States model.pickle; silent when there is none.
 *
 * Told from the content (pickle.h); a name that only pickles have is enough too. What
 * is packed so that nothing here can look inside (7z, xz, bzip2, zstd, encrypted zip
 * members) may hold one: unknown, which is no pass.
 */
#ifndef CV_FOUND_LOOK_H
#define CV_FOUND_LOOK_H

#include "sbom/found/answers.h"
#include "sbom/found/files_format.h"

struct cv_looked {
	const char *where; /* for messages */
	const char *name;  /* of the file */
	struct cv_digest digest;
	struct cv_blob blob;
};

/* cv_look: -1 only if it could not be read or said. `format` is what
 * cv_format_of() said of the file. */
int cv_look(struct cv_answers *a, const struct cv_looked *l, const struct cv_format *format,
	    struct cv_err *e) cv_must;

#endif
