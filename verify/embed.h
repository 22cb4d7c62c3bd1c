/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed.h: data files that are part of the program: the presets of policy
 * (trustroots/presets/) and the public trust root. So that a preset means the same wherever it
 * runs.
 */
#ifndef CV_EMBED_H
#define CV_EMBED_H

#include "trust/base/span.h"

/* cv_embed_preset: the JSON text of "strict", "standard" or "audit"; a span
 * with n == 0 for another name. */
struct cv_span cv_embed_preset(const char *name);

/* NULL-terminated: "audit", "standard", "strict". */
extern const char *const cv_preset_names[];

/* cv_embed_root: the trusted root of Sigstore's public instance (trustroots/sigstore/),
 * and the first second at which it is not relied on any more: the end of the TUF root
 * that it was published under. */
struct cv_span cv_embed_root(void);
#define CV_EMBED_ROOT_EXPIRES "2027-04-22T00:00:00Z"

#endif
