/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cyclonedx.h: CycloneDX JSON 1.2 to 1.7.
 *
 * Read: metadata.component (the root) and its properties, metadata.tools (names
 * only), components with their nested components. Enforced, as the schemas have
 * it: a component has a known type and a name, and up to 1.3 a version; it has
 * not both a version and a versionRange; hashes are hexadecimal and as long as
 * their algorithm makes them. Everything else is checked as JSON and not read.
 */
#ifndef CV_CYCLONEDX_H
#define CV_CYCLONEDX_H

#include "doc.h"

/* cv_cyclonedx_ok: 0 if this version of the format is one that is read; else
 * CV_R_UNSUPPORTED. */
int cv_cyclonedx_ok(const char *spec, struct cv_err *e) cv_must;

/* cv_cyclonedx_read: take the document's object from js into sbom, whose spec is
 * set. Failure is the reader's. */
void cv_cyclonedx_read(struct cv_sbom *sbom, struct cv_js *js);

#endif
