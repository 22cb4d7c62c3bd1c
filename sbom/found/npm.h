/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npm.h: the manifest of an npm package (package.json), as far as it says what runs when
 * the package is installed.
 */
#ifndef CV_FOUND_NPM_H
#define CV_FOUND_NPM_H

#include "sbom/found/answers.h"

#define CV_NPM_MANIFEST (1 * CV_MIB) /* most bytes of a package.json */

struct cv_npm {
	char name[256];
	char version[257];
	bool bundles; /* it names bundled dependencies */
};

enum {
	CV_NPM_MAIN = 1, /* has to have a name and a version; else only scripts count */
	/* a directory in which npm is called: prepare and its kin run there too, which
	 * in a tarball from a registry they do not */
	CV_NPM_DIRECTORY = 2,
};

/* cv_npm_manifest: judge one; `where` names the file. States tool.manifest-invalid and
 * tool.lifecycle-script; *ret is filled as far as it could be read. */
int cv_npm_manifest(struct cv_npm *ret, struct cv_span text, const char *where, unsigned flags,
		    struct cv_answers *a, struct cv_err *e) cv_must;

/* cv_npm_place: what a path (below the top folder) means: 0 nothing, 1 the package's own
 * file of that name, 2 that of a package in a node_modules folder. */
int cv_npm_place(const char *path, const char *name);

/* cv_npm_gyp: state that installing compiles (binding.gyp). */
int cv_npm_gyp(const char *where, struct cv_answers *a, struct cv_err *e) cv_must;

#endif
