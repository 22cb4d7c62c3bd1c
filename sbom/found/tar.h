/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.h: a strict reader of tar streams (POSIX.1-2017 ustar and pax; GNU's names
 * longer than a header). What Go's archive/tar, Python's tarfile, libarchive, GNU
 * tar and node-tar read in one and the same way is accepted; what two of them read
 * differently is refused, saying where.
 *
 *   header    magic "ustar\0" "00", or GNU's "ustar  \0". Without magic (v7), and
 *             star's and GNU's old fields in the place of the prefix: refused.
 *   sum       the unsigned sum of the header's bytes.
 *   numbers   octal digits with leading blanks, ended by blank or NUL and nothing
 *             else; or GNU's base-256, first byte 0x80 (0xff: a negative time).
 *             uid and gid at most 2^31 - 1: more becomes root in some runtimes.
 *   strings   nothing but NULs behind the first NUL (but for node-tar's two times at the
 *	       end of the prefix).
 *   kinds     '0' (and NUL), '1' to '6', 'x', 'g', 'L', 'K'; no other. Only a
 *             regular file has a size; only a directory's name ends in "/"; a link
 *             has a target.
 *   pax       pax.h. One 'x' header an entry, and not together with 'L' or 'K'. A
 *             size that a header can hold has to be the same in both places.
 *   end       two blocks of zeros, behind them only zeros, whatever their number.
 *
 * What fills the last block of a file is not looked at: nobody unpacks it.
 */
#ifndef CV_FOUND_TAR_H
#define CV_FOUND_TAR_H

#include "sbom/found/inflate.h"
#include "sbom/found/pax.h"

enum {
	CV_TAR_FILE = '0',
	CV_TAR_HARDLINK = '1',
	CV_TAR_SYMLINK = '2',
	CV_TAR_CHAR = '3',
	CV_TAR_BLOCK = '4',
	CV_TAR_DIR = '5',
	CV_TAR_FIFO = '6',
};

struct cv_tar_entry {
	uint8_t kind;  /* of the above */
	uint32_t mode; /* permission, setuid, setgid, sticky: 07777 */
	uint32_t uid, gid;
	uint32_t major, minor; /* of devices */
	uint64_t size;         /* of a file's content */
	uint64_t at;           /* offset of its first header in the unpacked stream */
	unsigned attributes;   /* CV_PAX_CAPABILITY, CV_PAX_OVERLAY */
	struct cv_span name;   /* as it stands there; valid until the next call of cv_tar_next */
	struct cv_span link;   /* target of a link, else empty */
};

struct cv_tar;

/* cv_tar_open: over a stream that the caller keeps and frees afterwards. */
int cv_tar_open(struct cv_tar **ret, struct cv_inflate *z, struct cv_err *e) cv_must;

/* cv_tar_next: 1 an entry (what was not read of the last one's content is passed
 * over), 0 the end, all of the stream read and right, -1 CV_R_MALFORMED,
 * CV_R_AMBIGUOUS, CV_R_LIMIT, or what the stream says. */
int cv_tar_next(struct cv_tar *t, struct cv_tar_entry *ret, struct cv_err *e) cv_must;

/* cv_tar_data: the next piece of the entry's content, valid until the next call;
 * empty at its end. */
int cv_tar_data(struct cv_tar *t, struct cv_span *ret, struct cv_err *e) cv_must;

void cv_tar_free(struct cv_tar **t);

#endif
