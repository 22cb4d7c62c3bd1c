/* SPDX-License-Identifier: Apache-2.0 */
/* item.c: the KEY items that every task takes; see tasks.h. */
#include "trust/tasks.h"

#include "trust/base/banned.h"

static int
read_key(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	const char *name = cv_frame_str(item, CV_TAG_NAME, 1024);
	struct cv_blob blob = cv_frame_blob(item, CV_TAG_BLOB, CV_MAX_KEY_PEM);
	struct cv_buf pem = CV_BUF(CV_MAX_KEY_PEM);
	int r = cv_frame_done(item, "ITEM KEY", e);

	if (r == 0)
		r = cv_buf_pread(&pem, blob.fd, blob.off, blob.len, "a key", e);
	if (r == 0)
		r = cv_keyring_add(ring, name, cv_buf_span(&pem), e);
	cv_closep(&blob.fd);
	cv_buf_free(&pem);
	return r;
}

int
cv_take_key(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	uint64_t role = cv_frame_u64(item, CV_TAG_ROLE, UINT64_MAX);

	if (cv_frame_done(item, "ITEM", e) != 0)
		return -1;
	if (role != CV_ROLE_KEY)
		return cv_fail(e, CV_R_WORKER, "found an item of role %llu, want a key",
			       (unsigned long long)role);
	return read_key(ring, item, e);
}
