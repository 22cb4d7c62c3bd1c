/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_version.c: which program this is. */
#include "verify/cmd.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "trust/base/banned.h"

static int
run_version(struct cv_cmdline *c, struct cv_err *e)
{
	(void)e;
	if (cv_cl_json(c))
		(void)printf("{\n  \"name\": \"clawverify\",\n  \"version\": \"%s\"\n}\n",
			     CV_VERSION);
	else
		(void)printf("clawverify %s\n%s\njansson %s\n", CV_VERSION,
			     OpenSSL_version(OPENSSL_VERSION), jansson_version_str());
	return CV_EXIT_PASS;
}

const struct cv_cmd cv_verb_version = {
	.name = "version",
	.summary = "which program this is, and its libraries",
	.examples = "  clawverify version\n",
	.run = run_version,
};
