/* SPDX-License-Identifier: Apache-2.0 */
/* Header field values and challenges (fetch/header.h, challenge.h). */
#include "fetch/challenge.h"
#include "fetch/header.h"

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
challenge(struct cv_span value)
{
	struct cv_challenge c = { 0 };
	struct cv_err e = { 0 };
	int rc = cv_challenge_pick(&c, value, &e);

	want(rc == 1 || rc == 0 || (rc == -1 && e.reason == CV_R_MALFORMED));
	if (rc != 1)
		return;
	want(!c.bearer || c.realm[0] != '\0');
	want(memchr(c.realm, '\0', sizeof(c.realm)) != NULL);
	want(strpbrk(c.realm, "\r\n") == NULL && strpbrk(c.scope, "\r\n") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_span value = cv_span(data, size), half = value;
	char media[CV_MEDIA_MAX + 1], next[64];
	struct cv_range r;
	int64_t wait;

	cv_header_media(media, value);
	want(media[0] == '\0' || strchr(media, '/') != NULL);
	if (cv_header_range(&r, value) == 0)
		want(r.first <= r.last && r.last < r.total);
	half.n /= 2;
	if (cv_header_retry(&wait, half, cv_span(data + half.n, size - half.n), 0) == 0)
		want(wait >= 0);
	if (cv_header_next(next, sizeof(next), value) == 1)
		want(next[0] != '\0' && strchr(next, '>') == NULL);
	challenge(value);
	return 0;
}
