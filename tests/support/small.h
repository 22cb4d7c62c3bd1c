/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small.h: a small agent on disk, right in everything: a signed image in an OCI
 * layout, a safetensors model, a skill, a prompt, and a policy that names the
 * key. What a test wants wrong it changes afterwards.
 *
 *     DIR/agent.json policy.json
 *     DIR/image/            layout, tag "v1", signed by `key` in both generations
 *     DIR/model/            model.safetensors config.json
 *     DIR/skill/            SKILL.md scripts/run.sh
 *     DIR/system.md         prompt
 */
#ifndef CV_SMALL_H
#define CV_SMALL_H

#include "tests/support/forge.h"

struct small {
	char dir[512];
	struct f_key *key;
	struct f_store store;
	struct cv_digest image; /* manifest */
	struct cv_digest layer[2];
};

/* small_make: below `dir`, which is made. small_free: memory alone. */
void small_make(struct small *s, const char *dir);
void small_free(struct small *s);

/* small_policy: write policy.json; `image_rule` and `other_rule` are members of
 * the rules, `more` further members of the policy, each may be "". */
void small_policy(const struct small *s, const char *image_rule, const char *other_rule,
		  const char *more);

/* small_path: DIR/name, in one of a few places that are used in turn. */
const char *small_path(const struct small *s, const char *name);

/* small_flip: one bit of the byte at that offset; negative: from the end. */
void small_flip(const char *path, long at);

#endif
