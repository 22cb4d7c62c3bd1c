/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import/main.c: clawverify-import, the worker that compiles advisories and tells what is in
 * an index (CV_T_DBIMPORT, CV_T_DBSTATUS), as confined as the contents worker. A program of its own
 * because of what it maps: libarchive brings a dozen further libraries, which would cost each
 * verification their loading and put them beside its findings.
 */
#include "sbom/known/sql.h"
#include "sbom/known/tasks.h"

#include "trust/base/json.h"
#include "trust/base/sandbox.h"

#include <locale.h>

#include "trust/base/banned.h"

/* The locale makes libarchive take UTF-8 as it is; it opens files, too. */
static void
warm(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	cv_json_warm();
	cv_sql_warm();
}

int
main(int argc, char **argv)
{
	const struct cv_task_def tasks[] = { cv_task_dbimport, cv_task_dbstatus, { .task = 0 } };
	const struct cv_worker_def def = {
		.name = "import", .seal = CV_SEAL_COMPUTE, .warm = warm, .tasks = tasks
	};

	return cv_worker_main(&def, argc, argv);
}
