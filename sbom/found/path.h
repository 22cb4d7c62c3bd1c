/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h: is this member name a plain relative path, and which one?
 *
 * Two profiles. CV_PATH_IMAGE is for layers, which a Linux runtime unpacks: "."
 * components and doubled or trailing slashes are dropped, as every runtime does;
 * any byte but NUL may occur. Leading slashes are dropped too: ko and others write
 * "/ko-app/x", and every runtime puts that below the image's root. CV_PATH_PACKAGE is for tool
 * packages, which also meet Windows and macOS and readers that do not normalise: everything that
 * two unpackers could understand differently is a flaw (reference: tools.md 1.8, 2.5).
 *
 * In both, ".." anywhere (also "a/../b"), NUL, and more than CV_MAX_PATH bytes,
 * CV_MAX_COMPONENT bytes a component or CV_MAX_PATH_DEPTH components are flaws.
 * An absolute path is one in the package profile.
 */
#ifndef CV_FOUND_PATH_H
#define CV_FOUND_PATH_H

#include "trust/base/buf.h"
#include "trust/base/limits.h"

enum cv_path_profile { CV_PATH_IMAGE = 1, CV_PATH_PACKAGE };

enum cv_path_flaw {
	CV_PATH_FINE = 0,
	CV_PATH_EMPTY,
	CV_PATH_NUL,
	CV_PATH_ABSOLUTE,
	CV_PATH_DOTDOT,
	CV_PATH_LONG,
	CV_PATH_COMPONENT_LONG,
	CV_PATH_DEEP,
	/* package profile only */
	CV_PATH_DOT,       /* "." or an empty component inside */
	CV_PATH_BACKSLASH, /* a separator for Windows */
	CV_PATH_COLON,     /* a drive or an alternate stream for Windows */
	CV_PATH_CONTROL,   /* control or invisible character */
	CV_PATH_NOT_UTF8,
	CV_PATH_RESERVED, /* a device name, or a trailing dot or space, for Windows */
	CV_PATH__COUNT
};

struct cv_path {
	size_t n;                /* 0 is the root directory itself (image profile) */
	bool slash;              /* the name ended in "/" */
	char s[CV_MAX_PATH + 1]; /* normalised, no leading or trailing slash, NUL */
};

/* cv_path_parse: fills *ret and returns CV_PATH_FINE, or the first flaw. */
enum cv_path_flaw cv_path_parse(struct cv_path *ret, struct cv_span raw,
				enum cv_path_profile profile) cv_must;

/* cv_path_flaw_text: the flaw in words: "is absolute". */
const char *cv_path_flaw_text(enum cv_path_flaw flaw);

/* cv_path_escapes: the flaw would place something outside the directory. */
bool cv_path_escapes(enum cv_path_flaw flaw);

/* cv_path_fold: append a key that is equal for names which a file system that
 * ignores case takes for one: simple lower case of ASCII, Latin, Greek and
 * Cyrillic letters. Composed and decomposed accents are not made equal.
 * `path` is valid UTF-8. */
void cv_path_fold(struct cv_buf *out, struct cv_span path);

#endif
