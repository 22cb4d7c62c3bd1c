/* SPDX-License-Identifier: Apache-2.0 */
/* lock_int.h: the two halves of lock.h. */
#ifndef CV_LOCK_INT_H
#define CV_LOCK_INT_H

#include "verify/lock.h"

/* "registry", "layout", "path", "url", NULL: from CV_O_REGISTRY on. */
extern const char *const cv_lock_origin_words[];

#endif
