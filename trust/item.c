/* SPDX-License-Identifier: Apache-2.0 */
/* item.c: the items that say whom a task trusts; see tasks.h. */
#include "trust/tasks.h"

#include "trust/base/banned.h"

static int
read_key(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	const char *name = cv_frame_str(item, CV_TAG_NAME, 1024);
	bool rooted = cv_frame_has(item, CV_TAG_REF);
	const char *root = rooted ? cv_frame_str(item, CV_TAG_REF, 1024) : "";
	struct cv_blob blob = cv_frame_blob(item, CV_TAG_BLOB, CV_MAX_KEY_PEM);
	struct cv_buf pem = CV_BUF(CV_MAX_KEY_PEM);
	int r = cv_frame_done(item, "ITEM KEY", e);

	if (r == 0 && rooted && cv_keyring_root(ring, root) == NULL)
		r = cv_fail(e, CV_R_WORKER, "found a key under a root that did not come");
	if (r == 0)
		r = cv_buf_pread(&pem, blob.fd, blob.off, blob.len, "a key", e);
	if (r == 0)
		r = cv_keyring_add(ring, name, rooted ? cv_keyring_root(ring, root) : NULL,
				   cv_buf_span(&pem), e);
	cv_closep(&blob.fd);
	cv_buf_free(&pem);
	return r;
}

static int
read_root(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	const char *name = cv_frame_str(item, CV_TAG_NAME, 1024);
	struct cv_blob blob = cv_frame_blob(item, CV_TAG_BLOB, CV_MAX_TRUST_ROOT);
	uint64_t flags =
		cv_frame_u64(item, CV_TAG_FLAGS, CV_ROOT_WITHOUT_LOG | CV_ROOT_WITHOUT_SCT);
	uint64_t logs = cv_frame_u64(item, CV_TAG_COUNT, CV_MAX_TLOG_ENTRIES);
	uint64_t stamps = cv_frame_u64(item, CV_TAG_VALUE, CV_MAX_TLOG_ENTRIES);
	struct cv_buf text = CV_BUF(CV_MAX_TRUST_ROOT);
	struct cv_ring_root *root = NULL;
	int r = cv_frame_done(item, "ITEM ROOT", e);

	if (r == 0 && cv_keyring_root(ring, name) == NULL) {
		r = cv_buf_pread(&text, blob.fd, blob.off, blob.len, "a trust root", e);
		if (r == 0)
			r = cv_keyring_add_root(ring, name, cv_buf_span(&text), &root, e);
	}
	if (root != NULL) {
		root->logs = (unsigned)logs;
		root->stamps = (unsigned)stamps;
		root->without_log = (flags & CV_ROOT_WITHOUT_LOG) != 0;
		root->without_sct = (flags & CV_ROOT_WITHOUT_SCT) != 0;
	}
	cv_closep(&blob.fd);
	cv_buf_free(&text);
	return r;
}

static int
read_identity(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	const char *name = cv_frame_str(item, CV_TAG_NAME, 1024);
	const char *ref = cv_frame_str(item, CV_TAG_REF, 1024);
	const char *text = cv_frame_str(item, CV_TAG_TEXT, CV_MAX_IDENTITY_TEXT);
	struct cv_ring_root *root;

	if (cv_frame_done(item, "ITEM IDENTITY", e) != 0)
		return -1;
	root = cv_keyring_root(ring, ref);
	if (root == NULL)
		return cv_fail(e, CV_R_WORKER, "found an identity under a root that did not come");
	return cv_keyring_add_identity(root, name, cv_span_str(text), e);
}

static int
read_tool(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	const char *name = cv_frame_str(item, CV_TAG_NAME, 1024);
	uint64_t tool = cv_frame_u64(item, CV_TAG_KIND, CV_TOOL_SIGNIFY);
	bool ssh = tool == CV_TOOL_SSH;
	const char *principal = ssh ? cv_frame_str(item, CV_TAG_REF, 1024) : "";
	const char *ns = ssh ? cv_frame_str(item, CV_TAG_TEXT, 1024) : "";
	struct cv_blob blob = cv_frame_blob(item, CV_TAG_BLOB, CV_MAX_TOOL_FILE);
	struct cv_buf text = CV_BUF(CV_MAX_TOOL_FILE);
	int r = cv_frame_done(item, "ITEM TOOL", e);

	if (r == 0 && tool == 0)
		r = cv_fail(e, CV_R_WORKER, "found a tool without a kind");
	if (r == 0)
		r = cv_buf_pread(&text, blob.fd, blob.off, blob.len, "a signer's file", e);
	if (r == 0)
		r = cv_keyring_add_tool(ring, name, (enum cv_tool)tool, cv_buf_span(&text),
					principal, ns, e);
	cv_closep(&blob.fd);
	cv_buf_free(&text);
	return r;
}

int
cv_take_trusted(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e)
{
	uint64_t role = cv_frame_u64(item, CV_TAG_ROLE, UINT64_MAX);

	if (cv_frame_done(item, "ITEM", e) != 0)
		return -1;
	if (role == CV_ROLE_KEY)
		return read_key(ring, item, e);
	if (role == CV_ROLE_ROOT)
		return read_root(ring, item, e);
	if (role == CV_ROLE_IDENTITY)
		return read_identity(ring, item, e);
	if (role == CV_ROLE_TOOL)
		return read_tool(ring, item, e);
	return cv_fail(e, CV_R_WORKER, "found an item of role %llu, want who is trusted",
		       (unsigned long long)role);
}
