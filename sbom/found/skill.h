/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skill.h: does this SKILL.md begin with what makes a folder a skill?
 *
 *     ---
 *     name: pdf-tools
 *     description: Reads forms out of PDF files.
 *     ---
 *
 * Source: the Agent Skills specification, "SKILL.md format". The front matter is
 * YAML; what is recognised here is the line form of a top-level key, which every
 * skill in use has: a key at the start of a line, its value behind the colon or in
 * the indented lines below. Nothing else of YAML is judged, and no value is used
 * for a decision, so a value that YAML would read differently decides nothing.
 */
#ifndef CV_FOUND_SKILL_H
#define CV_FOUND_SKILL_H

#include "trust/base/frame.h"

#define CV_SKILL_HEAD 65536 /* bytes within which the front matter has to end */

/* cv_skill_check: 0 if it is one. CV_R_MALFORMED with the line, CV_R_AMBIGUOUS
 * (name or description twice), CV_R_LIMIT; or the reason why it could not be read. */
int cv_skill_check(struct cv_blob blob, struct cv_err *e) cv_must;

#endif
