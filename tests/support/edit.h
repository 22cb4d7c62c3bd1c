/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.h: one change to a text that is right, so that what is refused is wrong
 * in this and nothing else.
 */
#ifndef CV_T_EDIT_H
#define CV_T_EDIT_H

#include "tests/support/t.h"

/* t_edit: `text` with the first `from`, which has to be there, replaced by
 * `to`, into out, whose maximum has to be enough. Returns the result. */
struct cv_span t_edit(struct cv_buf *out, const char *text, const char *from, const char *to);

#endif
