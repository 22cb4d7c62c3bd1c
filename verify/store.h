/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: the content-addressed store of received blobs.
 *
 *     DIR/blobs/sha256/<hex>     one blob, mode 0444, name = its SHA-256
 *     DIR/notes/<hex>            what questions were answered with (below)
 *     DIR/tmp/<random>           only where the file system lacks O_TMPFILE
 *
 * A blob is hashed while it is written and gets its name only when size and
 * digest are right: O_TMPFILE and linkat(2), or O_EXCL in tmp/ and
 * renameat2(RENAME_NOREPLACE). So nothing half-written ever has a name, many
 * processes may write the same blob at once, and a process killed anywhere
 * leaves nothing (or a file in tmp/ that the next opening removes).
 *
 * What is found under a name is hashed again before it is used: the store is
 * trusted to keep bytes, not to keep them right. That is also why nothing is
 * synced to disk: a torn blob is found out, dropped and fetched again.
 *
 * The directory is opened once; everything below goes through its descriptor.
 * It has to belong to this user (or root) and not be writable by others.
 * Blobs are opaque here: no byte of them is interpreted.
 */
#ifndef CV_STORE_H
#define CV_STORE_H

#include "trust/base/digest.h"
#include "trust/base/frame.h"

#define CV_SIZE_ANY UINT64_MAX

struct cv_store; /* safe for use by several threads at once */

enum {
	CV_STORE_NO_TMPFILE = 1, /* behave as if O_TMPFILE were missing (tests) */
};

/* cv_store_open: open, creating what is missing below an existing parent.
 * CV_R_CONFIG when it is not ours alone to write; CV_R_DISK, CV_R_IO else. */
int cv_store_open(struct cv_store **ret, const char *dir, unsigned flags, struct cv_err *e) cv_must;
void cv_store_close(struct cv_store **s);

/* cv_store_find: 1 and *ret (caller closes ret->fd, read-only) if a blob of
 * that digest, and of that size unless CV_SIZE_ANY, is there and its bytes have
 * the digest; 0 if not (a wrong one is removed); -1 on trouble. */
int cv_store_find(struct cv_store *s, const struct cv_digest *d, uint64_t size, struct cv_blob *ret,
		  struct cv_err *e) cv_must;

/* cv_store_find_until: the same; hashing gives up at a deadline (cv_mono_ms
 * scale, 0 none) and when cancel_fd (-1 none) becomes readable. */
int cv_store_find_until(struct cv_store *s, const struct cv_digest *d, uint64_t size,
			int64_t deadline, int cancel_fd, struct cv_blob *ret,
			struct cv_err *e) cv_must;

/* One blob being written. Not for use by several threads. */
struct cv_put;

int cv_put_open(struct cv_put **ret, struct cv_store *s, uint64_t max, struct cv_err *e) cv_must;

/* cv_put_add: CV_R_LIMIT as soon as more than max bytes were added. */
int cv_put_add(struct cv_put *p, const void *b, size_t n, struct cv_err *e) cv_must;

uint64_t cv_put_size(const struct cv_put *p);

/* cv_put_end: everything was added. want (may be NULL) and size (may be
 * CV_SIZE_ANY) are compared: CV_R_CUTOFF if shorter than size, else CV_R_DIGEST;
 * then nothing is kept. *got (may be NULL) is the SHA-256, *ret a read-only
 * descriptor of the very file that was hashed. A want of another algorithm than
 * SHA-256 is compared as well; the name is always the SHA-256. */
int cv_put_end(struct cv_put **p, const struct cv_digest *want, uint64_t size,
	       struct cv_digest *got, struct cv_blob *ret, struct cv_err *e) cv_must;

/* cv_put_drop: forget it; NULL is fine. */
void cv_put_drop(struct cv_put **p);

/* cv_store_put: a whole blob at once. */
int cv_store_put(struct cv_store *s, struct cv_span in, struct cv_digest *got, struct cv_blob *ret,
		 struct cv_err *e) cv_must;

/* cv_store_scratch: an empty file, open for reading and writing, without a name. */
int cv_store_scratch(struct cv_store *s, int *fd, struct cv_err *e) cv_must;

/*
 * Notes: what a source answered to a question about evidence when it was last
 * asked, so that --offline finds it again: DIR/notes/<hex SHA-256 of the question>,
 * a symbolic link that leads nowhere, whose text is "<digest> <media type>". (A
 * link is made whole or not at all.) A note is a hint about a blob of the store;
 * what it leads to is proven like everything else.
 */
int cv_store_note(struct cv_store *s, const char *question, const struct cv_digest *d,
		  const char *media, struct cv_err *e) cv_must;

/* cv_store_noted: true and the answer, if there is a note. media has 256 bytes. */
bool cv_store_noted(struct cv_store *s, const char *question, struct cv_digest *d, char *media);

#endif
