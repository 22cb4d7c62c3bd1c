/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sbom/known/tasks.h: the tasks of the contents worker that read inventories and
 * advisories. One definition each (trust/base/worker.h); what goes in and out is
 * in trust/base/proto.h. sbom/main.c puts them in the worker's table, but
 * for the last two, which sbom/import/main.c has.
 */
#ifndef CV_KNOWN_TASKS_H
#define CV_KNOWN_TASKS_H

#include "trust/base/worker.h"

extern const struct cv_task_def cv_task_sbom;     /* CV_T_SBOM */
extern const struct cv_task_def cv_task_dbimport; /* CV_T_DBIMPORT */
extern const struct cv_task_def cv_task_dbstatus; /* CV_T_DBSTATUS */

#endif
