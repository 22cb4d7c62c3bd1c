/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ref.h: names of images (OCI distribution-spec, "Pulling manifests"; the
 * grammar of repository, tag and digest there).
 *
 *     HOST[:PORT]/PATH[:TAG][@DIGEST]     in a registry
 *     oci-layout:DIR[:TAG][@DIGEST]       an OCI image layout below the agent's
 *                                         own directory
 *
 * The registry is never guessed: the first component has to look like a host
 * (a dot, a port, or "localhost"). A reference without tag and digest means the
 * tag "latest" in a registry and the only manifest of a layout.
 */
#ifndef CV_REF_H
#define CV_REF_H

#include "trust/base/digest.h"
#include "trust/base/limits.h"

struct cv_ref {
	bool layout;
	char source[CV_MAX_REF + 1]; /* "host/path", or the layout's directory */
	char tag[129];		     /* "" if none was written */
	struct cv_digest digest;     /* alg 0 if none was written */
};

/* cv_ref_parse: CV_R_USAGE with what is wrong; the text is at most CV_MAX_REF
 * bytes. */
int cv_ref_parse(struct cv_ref *ret, const char *text, struct cv_err *e) cv_must;

#endif
