/* SPDX-License-Identifier: Apache-2.0 */
/* ssl.c: see ssl.h. Must never let a lack of memory look like an answer. */
#include "trust/base/ssl.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

#define PROBE 65536

/* The one word of state in this room: OpenSSL's hooks are the process's and carry no
 * argument. It is set and never taken back. */
static _Atomic bool starved;

static void *
watched_malloc(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file;
	(void)line;
	if (p == NULL && n != 0)
		starved = true;
	return p;
}

static void *
watched_realloc(void *was, size_t n, const char *file, int line)
{
	void *p = realloc(was, n);

	(void)file;
	(void)line;
	if (p == NULL && n != 0)
		starved = true;
	return p;
}

static void
watched_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

void
cv_ssl_watch(void)
{
	(void)CRYPTO_set_mem_functions(watched_malloc, watched_realloc, watched_free);
}

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
	if (memory || starved || used_up())
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
