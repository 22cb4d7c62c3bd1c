/* SPDX-License-Identifier: Apache-2.0 */
/*
 * installs.h: what kind of package is this, and what would run when it is installed?
 * Told from names and manifests of its members, never from the archive's own name.
 *
 *   npm	a package.json. In a tarball the top folder's, and those of bundled packages
 *		(node_modules); in a zip, which unpacks to a directory that npm may be called
 *		in, every one outside of node_modules too, and also prepare and its kin.
 *   wheel	NAME.dist-info/WHEEL at the top of a zip. Installing it copies files; but
 *		Python runs .pth files and sitecustomize.py whenever it starts.
 *   source	PKG-INFO, setup.py, or pyproject.toml and nothing else: an sdist or a source
 *		tree. Installing it builds it, which runs what its maker wrote.
 *   mcpb	manifest.json with a manifest_version (or dxt_version) at the top of a zip:
 *		mcpb.h.
 *
 * One archive may be several of these; each is held to its own rules. One that is none
 * of them can be anything: what installing it would run is unknown, which is no pass.
 *
 *   tool.manifest-invalid    what a kind wants is missing or broken
 *   tool.lifecycle-script    something would run; the place and the words are told
 *
 * Sources: npm's scripts documentation; the binary distribution format and core metadata
 * specifications of PyPA; the documentation of Python's module site.
 */
#ifndef CV_FOUND_INSTALLS_H
#define CV_FOUND_INSTALLS_H

#include "sbom/found/answers.h"
#include "sbom/found/mcpb.h"
#include "trust/base/buf.h"

#define CV_INSTALLS_TEXT (1 * CV_MIB) /* most bytes of a manifest */

enum {
	CV_KIND_NPM = 1,
	CV_KIND_WHEEL = 2,
	CV_KIND_SOURCE = 4,
	CV_KIND_MCPB = 8,
};

struct cv_installs {
	struct cv_answers *a;
	bool tar;       /* paths are below the top folder of a tarball */
	unsigned kinds; /* met so far */
	char name[256], version[257];
	bool bundles;    /* npm: it names bundled dependencies */
	char setup[256]; /* where a setup.py is, "" none */
	char project[256];
	bool setup_below; /* ... in a folder */
	char dist_info[256];
	bool has_metadata, has_record, has_pkg_info, more_dist_infos;
	struct cv_mcpb mcpb;
};

/* cv_installs_wants: this member's content is needed. */
bool cv_installs_wants(const struct cv_installs *s, const char *path);

/* cv_installs_member: a regular file; `text` as far as it was wanted. */
int cv_installs_member(struct cv_installs *s, const char *path, struct cv_span text,
		       struct cv_err *e) cv_must;

/* cv_installs_large: one whose content was wanted and is more than CV_INSTALLS_TEXT. */
int cv_installs_large(struct cv_installs *s, const char *path, struct cv_err *e) cv_must;

/* cv_installs_end: all members were seen. has(ctx, path): is there such a file? States
 * both checks. */
int cv_installs_end(struct cv_installs *s, bool (*has)(void *ctx, const char *path), void *ctx,
		    struct cv_err *e) cv_must;

/* cv_installs_word: the kinds in a word: "npm", "wheel", "mcpb", "source", "unknown". */
const char *cv_installs_word(const struct cv_installs *s);

#endif
