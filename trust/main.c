/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: clawverify-trust, the worker that turns bytes into proven facts about who
 * signed them (proto.h). It computes on descriptors and has no other rights. */
#include "trust/base/json.h"
#include "trust/base/sandbox.h"
#include "trust/key.h"
#include "trust/base/ssl.h"
#include "trust/tasks.h"

#include "trust/base/banned.h"

static void
warm(void)
{
	cv_json_warm();
	cv_key_warm();
}

int
main(int argc, char **argv)
{
	const struct cv_task_def tasks[] = { cv_task_image, cv_task_blob,     cv_task_envelope,
					     cv_task_chain, cv_task_patterns, { .task = 0 } };
	const struct cv_worker_def def = {
		.name = "trust", .seal = CV_SEAL_COMPUTE, .warm = warm, .tasks = tasks
	};

	cv_ssl_watch();
	return cv_worker_main(&def, argc, argv);
}
