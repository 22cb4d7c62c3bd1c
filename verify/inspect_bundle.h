/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_bundle.h: `inspect FILE` of a Sigstore bundle: the chain from the artifact to
 * the root, as a tree. Never a verdict. */
#ifndef CV_INSPECT_BUNDLE_H
#define CV_INSPECT_BUNDLE_H

#include "verify/cmd.h"

/* cv_is_bundle: a regular file, a JSON object with the bundle's media type in it. */
bool cv_is_bundle(const char *path);

/* cv_inspect_bundle: an exit code: 0 it could be looked at. */
int cv_inspect_bundle(struct cv_cmdline *c, const char *path, struct cv_err *e);

#endif
