/* SPDX-License-Identifier: Apache-2.0 */
/* ssl.c: see ssl.h. Must never let a lack of memory look like an answer. */
#include "trust/ssl.h"

#include <stdlib.h>

#include <openssl/err.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

#define PROBE 65536

/* Memory that is used up is so for us as well, whatever the queue says. */
static bool
used_up(void)
{
	void *volatile p = malloc(PROBE);
	bool none = p == NULL;

	free(p);
	return none;
}

int
cv_ssl_fail(struct cv_err *e, enum cv_reason reason, const char *fmt, ...)
{
	char text[CV_ERR_TEXT];
	bool memory = false;
	unsigned long code;
	va_list ap;

	while ((code = ERR_get_error()) != 0)
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			memory = true;
	if (memory || used_up())
		return cv_fail_memory(e);
	va_start(ap, fmt);
	cv_text_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cv_fail(e, reason, "%s", text);
}

void
cv_ssl_clear(void)
{
	ERR_clear_error();
}
