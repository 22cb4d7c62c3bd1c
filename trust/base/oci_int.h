/* SPDX-License-Identifier: Apache-2.0 */
/* oci_int.h: what oci.c and oci_descriptor.c share; for them alone. */
#ifndef CV_OCI_INT_H
#define CV_OCI_INT_H

#include "trust/base/jread.h"
#include "trust/base/oci.h"

/* A media type in a string member: visible ASCII, type/subtype. */
int cv_oci_media(char out[CV_MEDIA_MAX + 1], struct cv_jv v, struct cv_err *e) cv_must;

/* The same for artifactType, where "" means that there is none and where not
 * everybody writes a media type. */
int cv_oci_media_or_empty(char out[CV_MEDIA_MAX + 1], struct cv_jv v, struct cv_err *e) cv_must;

/* One descriptor (descriptor.md); d is all zero before. d->signature is set
 * only on success or when the caller frees it. */
int cv_oci_descriptor(struct cv_descriptor *d, struct cv_jv v, struct cv_err *e) cv_must;

/* os, architecture and variant, members of v. */
int cv_oci_platform(struct cv_platform *ret, struct cv_jv v, struct cv_err *e) cv_must;

#endif
