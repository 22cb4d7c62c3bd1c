/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.c: the commands, in the order in which help shows them. */
#include "verify/cmd.h"

#include "trust/base/banned.h"

const struct cv_cmd *const cv_cmds[] = {
	&cv_verb_demo,    &cv_verb_init,       &cv_verb_lock,    &cv_verb_verify,  &cv_verb_inspect,
	&cv_verb_explain, &cv_verb_policy,     &cv_verb_trust,   &cv_verb_endorse, &cv_verb_db,
	&cv_verb_bundle,  &cv_verb_launch,     &cv_verb_hook,

	&cv_verb_doctor,  &cv_verb_completion, &cv_verb_version, &cv_verb_help,    NULL,
};
