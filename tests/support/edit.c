/* SPDX-License-Identifier: Apache-2.0 */
/* edit.c: see edit.h. */
#include "tests/support/edit.h"

struct cv_span
t_edit(struct cv_buf *out, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		t_fail(__FILE__, __LINE__, "the text does not have \"%s\"", from);
	cv_buf_reset(out);
	cv_buf_add(out, text, (size_t)(at - text));
	cv_buf_str(out, to);
	cv_buf_str(out, at + strlen(from));
	T(out->failed == CV_R_NONE);
	return cv_buf_span(out);
}
