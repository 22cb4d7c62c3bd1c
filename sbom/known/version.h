/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.h: which of two versions of a package comes first.
 *
 *   CV_V_SEMVER  SemVer 2.0.0 clause 11, as Go modules and npm use it: a leading
 *                "v" is dropped, missing numbers are 0, build metadata (Go's
 *                "+incompatible" too) does not count, a Go pseudo-version is the
 *                pre-release that it is spelled as
 *   CV_V_PEP440  PyPI: PEP 440 "Summary of permitted suffixes and relative
 *                ordering"; text that is no PEP 440 version sorts before all that
 *                are, in the order that setuptools once gave such text
 *   CV_V_DPKG    Debian: deb-version(7)
 *
 * Numbers have any length: they are compared as digits, never converted. Text
 * longer than CV_MAX_VERSION has no order.
 */
#ifndef CV_VERSION_H
#define CV_VERSION_H

#include "trust/base/span.h"

enum cv_vscheme { CV_V_NONE = 0, CV_V_SEMVER, CV_V_PEP440, CV_V_DPKG };

/* cv_version_ok: the text is a version that the scheme can order. "(devel)", ""
 * and "latest" are not. A PEP 440 legacy text is not ok either, though it can be
 * compared: its order is a convention, nothing to rest a verdict on. */
bool cv_version_ok(enum cv_vscheme scheme, struct cv_span v);

/* cv_version_cmp: true with *ret <0, 0, >0 when both can be compared. */
bool cv_version_cmp(enum cv_vscheme scheme, struct cv_span a, struct cv_span b, int *ret);

#endif
