/* SPDX-License-Identifier: Apache-2.0 */
/* vsa_int.h: small pieces of JSON that the documents of the launch side share.
 * New references; NULL when memory ran out. */
#ifndef CV_VSA_INT_H
#define CV_VSA_INT_H

#include "trust/base/json.h"

#include "trust/base/digest.h"

void cv_json_drop(json_t **v); /* for cv_auto */
json_t *cv_json_time(int64_t t);
json_t *cv_json_digest(const struct cv_digest *d);    /* "sha256:..." */
json_t *cv_json_digestset(const struct cv_digest *d); /* {"sha256": "..."} */

/* cv_json_subject: append {name, digest} to an array; nothing for alg 0. 0, -1. */
int cv_json_subject(json_t *list, const char *name, const struct cv_digest *d);

#endif
