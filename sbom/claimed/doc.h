/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc.h: a software bill of materials as we keep it, whatever format it had.
 *
 * An SBOM is a claim: names, versions and package URLs are the words of whoever
 * wrote it, bound to an image only by the statement around it. Nothing here is
 * normalised; strings are valid UTF-8 without NUL and hostile otherwise.
 *
 * Reads CycloneDX JSON 1.2 to 1.7 and SPDX JSON 2.2 and 2.3, each as the document
 * itself, as a JSON string holding it, as {"Data": either, "Timestamp": ...}
 * (three shapes of an in-toto predicate) or as {"sbom": document} (an export of a
 * well-known forge). One of these wrappings, once. Other formats that are known
 * (SPDX 3, SPDX tag-value, CycloneDX XML, other versions) are CV_R_UNSUPPORTED.
 *
 * Documents are streamed: memory grows with the components, not with the text.
 */
#ifndef CV_DOC_H
#define CV_DOC_H

#include "arena.h"

#include "trust/base/digest.h"
#include "trust/base/limits.h"

enum cv_sbom_format { CV_SBOM_CYCLONEDX = 1, CV_SBOM_SPDX };

/* Strings are never NULL; "" is "not said". */
struct cv_component {
	const char *ref;  /* bom-ref, SPDXID */
	const char *type; /* CycloneDX type; SPDX purpose in CycloneDX's words */
	const char *name; /* CycloneDX: "group/name" when there is a group */
	const char *version;
	const char *purl;   /* as written */
	const char *source; /* name of the distribution's source package */
	const char *source_version;
	bool root;    /* what the document is about */
	bool context; /* without a purl nothing to match: a file, the operating system */
	bool has_sha256;
	uint8_t sha256[32];
};

/* A sha256 digest found where documents name their subject. */
struct cv_sbom_digest {
	struct cv_digest digest;
	bool strong; /* in the root component; else in the document's name */
	const char *where;
};

#define CV_SBOM_DIGESTS 64

struct cv_sbom {
	enum cv_sbom_format format;
	char spec[8]; /* "1.5", "2.3" */
	const char *name;
	const char *ns;             /* documentNamespace, serialNumber */
	const char *distro;         /* operating system of the whole document: "debian" */
	const char *distro_version; /* "12.5" */
	bool omits_source;          /* its maker leaves out a source name equal to the package's */
	struct cv_component *comp;
	size_t n, cap;
	struct cv_sbom_digest digest[CV_SBOM_DIGESTS];
	size_t ndigest;
	struct cv_arena arena; /* what the strings live in */
};

/* cv_sbom_read: read a document of at most CV_MAX_SBOM bytes from a blob, whose
 * descriptor is borrowed. CV_R_MALFORMED, CV_R_AMBIGUOUS and CV_R_LIMIT are about
 * the document, CV_R_UNSUPPORTED about its format; others are our trouble. */
int cv_sbom_read(struct cv_sbom **ret, struct cv_blob blob, const char *name,
		 struct cv_err *e) cv_must;
int cv_sbom_read_span(struct cv_sbom **ret, struct cv_span in, const char *name,
		      struct cv_err *e) cv_must;
void cv_sbom_free(struct cv_sbom **sbom);

/* cv_sbom_bind: compare the digests in the document with those it may name.
 * *found is the deciding place, NULL if the document names no digest.
 *   CV_BIND_EQUAL   one is among `subjects`
 *   CV_BIND_OTHER   there are digests and none is: it describes something else
 *   CV_BIND_SILENT  no digest inside: only the statement's subject binds it
 * The root component's digests decide before those in the document's name. */
enum cv_bind { CV_BIND_SILENT = 0, CV_BIND_EQUAL, CV_BIND_OTHER };
enum cv_bind cv_sbom_bind(const struct cv_sbom *sbom, const struct cv_digest *subjects, size_t n,
			  const struct cv_sbom_digest **found);

/* ---- for the readers of the formats ---- */

/* cv_sbom_add: append a component; fails the reader at the limit. */
void cv_sbom_add(struct cv_sbom *sbom, struct cv_js *js, const struct cv_component *c);

/* cv_sbom_note: remember every "sha256:<hex>" in the text. `where` is static. */
void cv_sbom_note(struct cv_sbom *sbom, bool strong, const char *where, const char *text);

/* cv_sbom_note_root: the same for all fields of a root component. */
void cv_sbom_note_root(struct cv_sbom *sbom, const struct cv_component *c);

#endif
