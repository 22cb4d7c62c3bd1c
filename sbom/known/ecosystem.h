/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecosystem.h: the package ecosystems that advisories are matched for, and under
 * which key a package is looked up there.
 *
 *   Go      module path; "stdlib" and "toolchain"     SemVer
 *   npm     name with its scope                       SemVer
 *   PyPI    name normalised as PEP 503                PEP 440
 *   Debian  source package, one release ("12")        dpkg
 *
 * Keys fold case in Go and npm too: package URLs of some generators do, and a
 * module or package that differs from another one by case alone is the rarer
 * thing, and errs to the safe side.
 */
#ifndef CV_ECOSYSTEM_H
#define CV_ECOSYSTEM_H

#include "version.h"

#include "trust/base/buf.h"

enum cv_eco { CV_ECO_NONE = 0, CV_ECO_GO, CV_ECO_NPM, CV_ECO_PYPI, CV_ECO_DEBIAN, CV_ECO_COUNT };

/* cv_eco_of: by OSV's name without suffix, exact: "PyPI". */
enum cv_eco cv_eco_of(struct cv_span name);
const char *cv_eco_name(enum cv_eco eco); /* "none" out of range */
enum cv_vscheme cv_eco_scheme(enum cv_eco eco);

/* cv_eco_key: append the key of a package name to an empty buffer. */
void cv_eco_key(struct cv_buf *out, enum cv_eco eco, struct cv_span name);

/* cv_eco_debian_release: "12" for "12", "12.5", "bookworm"; "" if unknown. */
const char *cv_eco_debian_release(struct cv_span version, char out[8]);

#endif
