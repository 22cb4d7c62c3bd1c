/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes, manifests and image configs (trust/base/oci.h). */
#include "trust/base/oci.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_span text = cv_span(data, size);
	struct cv_image_config *c = NULL;
	struct cv_manifest *m = NULL;
	struct cv_index *i = NULL;
	char media[CV_MEDIA_MAX + 1];
	enum cv_oci_kind kind;
	struct cv_err e;
	bool index = cv_index_parse(&i, text, "", &e) == 0;
	bool manifest = cv_manifest_parse(&m, text, "", &e) == 0;
	bool known = cv_oci_detect(&kind, media, text, "", &e) == 0;

	if ((index && manifest) || ((index || manifest) && !known))
		__builtin_trap(); /* nothing is two kinds of document */
	(void)!cv_image_config_parse(&c, text, &e);
	cv_image_config_free(&c);
	cv_manifest_free(&m);
	cv_index_free(&i);
	return 0;
}
