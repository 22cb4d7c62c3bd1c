/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: clawverify-contents, the worker that says what is inside artifacts and whether
 * anything known is wrong with it (proto.h). It computes on descriptors and has no other
 * rights.
 */
#include "sbom/found/tasks.h"
#include "sbom/known/sql.h"
#include "sbom/known/tasks.h"

#include "trust/base/json.h"
#include "trust/base/sandbox.h"

#include "trust/base/banned.h"

static void
warm(void)
{
	cv_json_warm();
	cv_sql_warm();
}

int
main(int argc, char **argv)
{
	const struct cv_task_def tasks[] = {
		cv_task_layer,  cv_task_merge,  cv_task_files, cv_task_package,
		cv_task_expand, cv_task_config, cv_task_sbom,  { .task = 0 },
	};
	const struct cv_worker_def def = {
		.name = "contents", .seal = CV_SEAL_COMPUTE, .warm = warm, .tasks = tasks
	};

	return cv_worker_main(&def, argc, argv);
}
