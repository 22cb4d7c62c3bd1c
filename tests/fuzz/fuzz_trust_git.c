/* SPDX-License-Identifier: Apache-2.0 */
/* git's commits and tags. What is taken for signed is all of the object but headers
 * gpgsig, or the end of a tag. */
#include "trust/git_object.h"

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum cv_git_hash hashes[] = { CV_GIT_SHA1, CV_GIT_SHA256 };

	for (unsigned i = 0; i < 4; i++) {
		enum cv_git_kind kind = i < 2 ? CV_GIT_COMMIT : CV_GIT_TAG;
		struct cv_git_object o;
		struct cv_sshsig s = { 0 };
		struct cv_ssh_proven p;
		struct cv_err e;

		if (cv_git_parse(&o, kind, hashes[i % 2], cv_span(data, size), &e) == 0) {
			if (o.payload.n + o.signature.n > size)
				__builtin_trap(); /* bytes that are not there */
			(void)!cv_git_verify(&o, 0, &s, &p, &e);
			cv_sshsig_free(&s);
		}
		cv_git_free(&o);
	}
	return 0;
}
