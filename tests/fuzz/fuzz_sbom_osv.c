/* SPDX-License-Identifier: Apache-2.0 */
/* OSV advisories and the rules made of them (sbom/known/osv.h). */
#include "sbom/known/osv.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cv_osv o;
	struct cv_err e;
	struct cv_span fixed;

	(void)cv_osv_eval(CV_V_PEP440, cv_span(data, size), cv_span_str("1.0"), &fixed);
	if (cv_osv_read(&o, cv_span(data, size), "fuzz", &e) != 0)
		return 0;
	for (size_t i = 0; i < o.naffected; i++)
		for (int s = CV_V_NONE; s <= CV_V_DPKG; s++)
			if (cv_osv_eval((enum cv_vscheme)s,
					cv_span(o.affected[i].rule, o.affected[i].rule_n),
					cv_span_str("1.0.0"), &fixed) == CV_OSV_BROKEN)
				__builtin_trap(); /* what was compiled can be read */
	cv_osv_free(&o);
	return 0;
}
