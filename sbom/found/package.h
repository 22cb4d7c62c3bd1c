/* SPDX-License-Identifier: Apache-2.0 */
/*
 * package.h: what is in a tool package: a gzip'd tarball (npm, Python sources), or a zip
 * archive (MCP bundles, wheels). Held to what every unpacker and every file system would
 * do with it alike; nothing of it is ever run.
 *
 * Which it is, the first bytes say: gzip is taken for a tarball, "PK" for zip; anything
 * else is archive.malformed.
 *
 *   archive.malformed	   the format (tar.h, zip.h, inflate.h) or a limit of names
 *   archive.ambiguous	   what two readers read differently; two members whose names a
 *			   file system without case or accents' forms takes for one; a file
 *			   where another member wants a directory; names that only some
 *			   systems allow (path.h, package profile); tarballs: more than one
 *			   top folder, or a second gzip member
 *   archive.traversal	   absolute names, "..", back slashes, colons
 *   archive.unsafe-member links, devices, fifos: npm drops links silently, others follow
 *   archive.bomb	   CV_MAX_PACKAGE_ENTRIES, CV_MAX_PACKAGE_BYTES, the ratio
 *   tool.*		   installs.h
 *   model.pickle	   look.h, of every member; when looking is asked for
 *
 * npm strips the top folder, whatever it is called; so the names handed out are below it.
 * A file's mode is 0100755 when its owner may execute it, else 0100644; directories are
 * 0040755 (only those that the archive names), links 0120777.
 */
#ifndef CV_FOUND_PACKAGE_H
#define CV_FOUND_PACKAGE_H

#include "sbom/found/answers.h"
#include "sbom/found/path.h"
#include "trust/base/frame.h"

enum cv_package_kind { CV_PACKAGE_NONE, CV_PACKAGE_TAR, CV_PACKAGE_ZIP };

struct cv_member {
	const char *path;
	const char *link; /* target, or NULL */
	uint32_t mode;
	uint64_t size;
	struct cv_digest digest; /* of a file's content, in `ends` only */
};

/* Called in the archive's order; each may be NULL; -1 ends the walk. begins: before a
 * member's content; data: a piece of a file's content; ends: after it. */
struct cv_member_use {
	int (*begins)(void *ctx, const struct cv_member *m, struct cv_err *e);
	int (*data)(void *ctx, struct cv_span piece, struct cv_err *e);
	int (*ends)(void *ctx, const struct cv_member *m, struct cv_err *e);
	void *ctx;
	bool look;   /* for pickles in members, by means of */
	int scratch; /* a regular file, empty and nobody else's: one member at a time */
};

struct cv_package {
	enum cv_package_kind kind;
	bool whole; /* read to its end */
	uint64_t members, bytes;
	char name[256], version[257]; /* of its manifest; "" without one */
	const char *word;             /* cv_installs_word(); static */
};

/* cv_package_walk: 0 with all answers given (proto.h, CV_T_PACKAGE), -1 if it could not
 * go on. A member that is refused is not handed out. */
int cv_package_walk(struct cv_package *ret, struct cv_blob blob, const struct cv_member_use *use,
		    struct cv_answers *a, struct cv_err *e) cv_must;

#endif
