/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h: launch.json, "clawverify.launch/1" (verify/schema/launch-1.json;
 * docs/bundle.md): what a launcher has to do, complete enough that it reads
 * nothing else. It is the launch set with, added: its digest ("launch_set"),
 * where each mount's bytes lie in the bundle ("source", "readonly"), where the
 * image lies ("oci") and the controls that policy requires.
 *
 * And controls: what a launcher can hold the agent to (enum cv_control), what
 * the adapter in use does about each, and what follows from that.
 */
#ifndef CV_LAUNCH_H
#define CV_LAUNCH_H

#include "verify/launchset.h"

#define CV_LAUNCH_SCHEMA "clawverify.launch/1"
#define CV_LAUNCH_OCI    "oci"

struct cv_contract {
	const struct cv_launchset *set; /* borrowed */
	const char **sources;           /* of set->mounts, in their order; paths in the bundle */
	unsigned required;              /* bits 1 << enum cv_control */
	struct cv_mem mem;
};

/* cv_contract_emit: append launch.json (canonical JSON). */
int cv_contract_emit(const struct cv_contract *c, struct cv_buf *out, struct cv_err *e) cv_must;

/* cv_contract_parse: of a bundle's own launch.json, for its launch set, which
 * outlives it. What says anything else than the set does is CV_R_RULE. */
int cv_contract_parse(struct cv_contract *ret, const struct cv_launchset *set, struct cv_span in,
		      struct cv_err *e) cv_must;
void cv_contract_free(struct cv_contract *c);

/* ---- controls ---- */

/* cv_controls_read: an array of distinct words of controls, maybe none. */
int cv_controls_read(struct cv_jv v, unsigned *ret, struct cv_err *e) cv_must;

struct cv_control_state {
	bool enforced;
	const char *why; /* one phrase, static: "--read-only", "docker cannot filter hosts" */
};

/* cv_controls_missing: the required controls that are not enforced, as bits. */
unsigned cv_controls_missing(unsigned required, const struct cv_control_state s[CV_CTL_COUNT]);

/* cv_controls_finding: launch.control-unenforced about these (not 0). */
struct cv_finding cv_controls_finding(unsigned missing,
				      const struct cv_control_state s[CV_CTL_COUNT]);

/* cv_controls_json: {"image": {"state": "enforced", "how": "..."}, ...}; new
 * reference or NULL. */
json_t *cv_controls_json(const struct cv_control_state s[CV_CTL_COUNT]);

#endif
