/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip.h: a strict reader of zip archives (PKWARE APPNOTE 6.3), by the central directory,
 * which has to say nothing that the rest of the file does not say too.
 *
 *   - exactly one end record, whose comment ends the file and holds no second one;
 *     one disk; zip64 end record and locator only right before it, and agreeing
 *   - the file is: local header, data, (descriptor), next local header, ... central
 *     directory, end: in the directory's order, without a gap, an overlap or a prefix
 *   - local and central headers agree in name, flags, method, sizes, CRC
 *   - methods 0 and 8; flags: deflate's two and UTF-8; no encryption, no patches. A
 *     descriptor (bit 3) only with CV_ZIP_DESCRIPTORS and method 8, with its signature,
 *     saying what the directory says
 *   - zip64 extra fields exactly where a field is all ones, with nothing more in them; a
 *     second name (0x7075) refused; extra fields fill their space exactly
 *   - no comment of an entry; a name that is not ASCII is marked as UTF-8
 *   - a directory ("/" at the end) has no content; a Unix kind in the attributes agrees
 *   - content: its length and CRC-32 are what was said
 *
 * Names are handed out as they stand: path.h judges them.
 */
#ifndef CV_FOUND_ZIP_H
#define CV_FOUND_ZIP_H

#include "sbom/found/inflate.h"

enum { CV_ZIP_DESCRIPTORS = 1 };

enum cv_zip_kind { CV_ZIP_FILE = 1, CV_ZIP_DIR, CV_ZIP_LINK, CV_ZIP_OTHER };

struct cv_zip_entry {
	enum cv_zip_kind kind;
	bool executable;
	uint64_t size;       /* unpacked */
	uint64_t at;         /* of its local header */
	struct cv_span name; /* valid until the next call of cv_zip_next */
};

struct cv_zip;

int cv_zip_open(struct cv_zip **ret, struct cv_blob blob, unsigned flags, struct cv_err *e) cv_must;

/* cv_zip_entries: how many the end record says; cv_zip_next holds it to that. */
uint64_t cv_zip_entries(const struct cv_zip *z);

/* cv_zip_next: 1 an entry, 0 the end, -1 CV_R_MALFORMED, CV_R_AMBIGUOUS, CV_R_LIMIT,
 * CV_R_UNSUPPORTED (method, encryption). The content of the last one is read to its end
 * and checked first. */
int cv_zip_next(struct cv_zip *z, struct cv_zip_entry *ret, struct cv_err *e) cv_must;

/* cv_zip_data: the next piece of content; empty once all of it was right. */
int cv_zip_data(struct cv_zip *z, struct cv_span *ret, struct cv_err *e) cv_must;

/* cv_zip_bomb: the failure was that an entry unpacks to more than it says. */
bool cv_zip_bomb(const struct cv_zip *z);

void cv_zip_free(struct cv_zip **z);

#endif
