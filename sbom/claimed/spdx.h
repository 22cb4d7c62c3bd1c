/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spdx.h: SPDX JSON 2.2 and 2.3.
 *
 * Read: packages with their purls (all of them: a package with two becomes two
 * components), checksums, purpose and sourceInfo; what the document describes
 * (documentDescribes, DESCRIBES, DESCRIBED_BY; "DESCRIBE" too, which a large
 * generator wrote for years); creators. Enforced: the document's own SPDXID; each
 * package has an SPDXID of its own and a name; SHA256 checksums are what they
 * say. Files, snippets and licences are checked as JSON and not read.
 */
#ifndef CV_SPDX_H
#define CV_SPDX_H

#include "doc.h"

int cv_spdx_ok(const char *version, struct cv_err *e) cv_must; /* "SPDX-2.3" */
void cv_spdx_read(struct cv_sbom *sbom, struct cv_js *js);

#endif
