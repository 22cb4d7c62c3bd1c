/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle.h: find Python pickles, whatever they are called and whatever they lie
 * in. Loading a pickle runs what it says, so nothing here judges what it says:
 * that there is one is the answer. Nothing is ever executed.
 *
 * What counts as a pickle (each hit names the rule that matched):
 *
 *   - a stream that begins with PROTO (0x80, 0 to 5) and one more opcode
 *   - a stream without that header (protocols 0 and 1, or a header put later):
 *     opcodes are followed with the stack that they would need, and it counts
 *     once something imported is called, once PROTO comes, once STOP ends the
 *     file, or after CV_PICKLE_SURE opcodes. Plain text fails in the first few:
 *     its letters want operands that are not there. Since the letters of text
 *     are opcodes too, names of imports have to be identifiers here, and the
 *     numbers numbers.
 *   - torch's first format (its magic number pickled before everything else)
 *   - a numpy array of objects (.npy, format 1 to 3), or one whose header is
 *     not in numpy's own form and so might be
 *   - any of these inside zip (torch since 1.6, .npz, others), tar (torch before
 *     0.1.10), or compressed by gzip or zlib (joblib); zip and tar within each
 *     other, stored, up to CV_PICKLE_DEPTH deep. Zip members are found by the
 *     central directory and by the local headers, because loaders differ in
 *     which they follow.
 *
 * bzip2, xz, lz4 and zstd streams are not looked into; files_format.h names them.
 */
#ifndef CV_FOUND_PICKLE_H
#define CV_FOUND_PICKLE_H

#include "trust/base/frame.h"

#define CV_PICKLE_SURE  4096 /* opcodes without a mistake */
#define CV_PICKLE_DEPTH 4
#define CV_PICKLE_LINE  (64 * 1024 * 1024) /* bytes of one operand that ends with a newline */
#define CV_PICKLE_WHERE 512

struct cv_pickle {
	const char *rule;  /* static text: why it is taken for a pickle; NULL: it is none */
	int protocol;      /* what PROTO said, -1 without */
	bool lost;         /* without a rule: a line was too long to be followed */
	uint64_t offset;   /* of the stream, within the file or the unpacked member */
	char imports[192]; /* the first names it imports, "" if none was seen; hostile */
	char member[CV_PICKLE_WHERE]; /* "archive/data.pkl"; nested ones joined by "!"; hostile */
};

/* cv_pickle_sniff: for a member of another archive, by its first bytes (all of
 * it, or at least 4 KiB) and its name: a known pickle extension lets a single
 * plausible opcode be enough. */
bool cv_pickle_sniff(struct cv_span head, const char *name);

/* cv_pickle_stream: is the blob itself a pickle stream or an object array?
 * ret->rule says. -1 only if it could not be read. */
int cv_pickle_stream(struct cv_pickle *ret, struct cv_blob blob, struct cv_err *e) cv_must;

/* cv_pickle_find: every pickle in the blob, containers included. `hit` is called
 * for each; -1 from it ends the search. *unseen counts the members of archives
 * that could not be looked into (encrypted, unknown method, too deep or too many,
 * broken), which is no proof of anything. */
int cv_pickle_find(struct cv_blob blob,
		   int (*hit)(void *ctx, const struct cv_pickle *p, struct cv_err *e), void *ctx,
		   uint64_t *unseen, struct cv_err *e) cv_must;

/* cv_zip_tail: does the blob end like a zip archive (an end-of-central-directory
 * record that reaches its last byte and points to a directory)? Such a file is a
 * zip to most readers, whatever it begins with. */
int cv_zip_tail(bool *ret, struct cv_blob blob, struct cv_err *e) cv_must;

#endif
