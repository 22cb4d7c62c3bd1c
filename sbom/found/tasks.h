/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sbom/found/tasks.h: the tasks of the contents worker that look inside
 * artifacts. One definition each (trust/base/worker.h); what goes in and out is
 * in trust/base/proto.h. sbom/main.c puts them in the worker's table.
 */
#ifndef CV_FOUND_TASKS_H
#define CV_FOUND_TASKS_H

#include "trust/base/worker.h"

extern const struct cv_task_def cv_task_layer;   /* CV_T_LAYER, tasks.c */
extern const struct cv_task_def cv_task_merge;   /* CV_T_MERGE, tasks.c */
extern const struct cv_task_def cv_task_package; /* CV_T_PACKAGE, tasks_package.c */
extern const struct cv_task_def cv_task_expand;  /* CV_T_EXPAND, tasks_package.c */
extern const struct cv_task_def cv_task_files;   /* CV_T_FILES, files.c */
extern const struct cv_task_def cv_task_config;  /* CV_T_CONFIG, tasks.c */

#endif
