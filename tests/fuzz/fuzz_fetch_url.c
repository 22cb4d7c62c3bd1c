/* SPDX-License-Identifier: Apache-2.0 */
/* URLs as a server may write them (fetch/url.h): what is accepted means the same
 * when it is read again, since what is read again is what is connected to. */
#include "fetch/url.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
want(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void
stable(const struct cv_url *u)
{
	struct cv_err e;
	struct cv_url again;

	want(cv_url_parse(&again, u->text, &e) == 0);
	want(cv_url_same_origin(u, &again));
	want(strcmp(u->text, again.text) == 0);
	want(cv_reach_host(u->host) == cv_reach_host(again.host));
	want(u->port != 0 && strpbrk(u->text, "\r\n \\#") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cv_url base, u;
	char *text = malloc(size + 1);
	struct cv_err e;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (cv_url_parse(&u, text, &e) == 0)
		stable(&u);
	if (cv_url_parse(&base, "https://registry.example/v2/a/b?c=d", &e) != 0)
		__builtin_trap();
	if (cv_url_join(&u, &base, text, &e) == 0)
		stable(&u);
	free(text);
	return 0;
}
