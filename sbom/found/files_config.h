/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_config.h: configurations of models that ask a loader to run code.
 *
 *   auto_map, custom_pipelines     classes from a program beside the weights or in
 *                                  another repository (transformers, diffusers)
 *   trust_remote_code: true        the same, already agreed to
 *   "type" in modules.json         a class of another package than
 *                                  sentence_transformers
 *
 * at the top level of a JSON object (of each object, where the file is a list). A
 * file that breaks JSON, or that two readers would understand differently, is the
 * caller's error; NaN and Infinity are taken as Python writes them.
 */
#ifndef CV_FOUND_FILES_CONFIG_H
#define CV_FOUND_FILES_CONFIG_H

#include "trust/base/frame.h"

#define CV_FILES_CONFIG_MAX (64u * 1024 * 1024)

/* cv_files_is_config: a name that loaders read such keys from. */
bool cv_files_is_config(const char *name);

/* cv_files_config: *key is the static name of what was found, NULL if nothing was. */
int cv_files_config(const char **key, const char *name, struct cv_blob blob,
		    struct cv_err *e) cv_must;

#endif
