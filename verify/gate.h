/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h: the answer of every admission hook, "clawverify.gate/1" (DESIGN 4;
 * docs/bundle.md), and the question, "clawverify.gate-request/1"
 * (verify/schema/gate-request-1.json):
 *
 *     schema     "clawverify.gate-request/1"
 *     bundle     which sealed bundle is to be launched: "sha256:<hex>", or the
 *                absolute path of its directory
 *     launch     the launch as the launcher is about to do it, a
 *                "clawverify.launch-request/1" (launchset.h)
 *     sources    the directory or file of this host that each mount is taken from,
 *                by its target; what is said here has to be the bundle's own
 *     enforced   the controls that this launcher enforces, words of launch.json
 *     image      instead of launch and enforced: the id of the image that is
 *                about to run, from a hook that sees nothing else
 *
 * There is always an answer. Allowed is what a bundle sealed by a trusted key,
 * under a policy that the host's gate.json accepts, still valid, whole, allows;
 * an image alone is answered with scope "image-only", which is no launch pass.
 */
#ifndef CV_GATE_H
#define CV_GATE_H

#include "verify/bundle.h"
#include "verify/gatecfg.h"
#include "verify/launch.h"

#define CV_GATE_SCHEMA      "clawverify.gate/1"
#define CV_GATEREQ_SCHEMA   "clawverify.gate-request/1"
#define CV_GATE_MAX_REQUEST (1 * CV_MIB)
#define CV_GATE_MAX_REASONS 16
#define CV_GATE_RETRY_AFTER 60 /* seconds */

struct cv_gate_in {
	struct cv_span request;
	const struct cv_gatecfg *gate;
	const char *bundles; /* where bundles named by digest lie */
	int64_t now;
	struct cv_role_opts role;
};

/* Why not. The text is ours but may quote the request. */
struct cv_gate_reason {
	const char *check; /* catalogue id, or NULL */
	enum cv_reason reason;
	char text[CV_ERR_TEXT];
};

struct cv_gate_answer {
	enum cv_exit exit; /* PASS allows; FAIL and USAGE deny; else retry */
	bool image_only;
	struct cv_bundle *bundle; /* owned; NULL: none was opened */
	struct cv_contract contract;
	int64_t valid_until;
	struct cv_gate_reason reasons[CV_GATE_MAX_REASONS];
	size_t nreasons;
	size_t more; /* reasons beyond those */
};

/* cv_gate_ask: decide. The zero value of an answer is not given out: an answer
 * without reasons allows, every other has one at least. */
void cv_gate_ask(struct cv_gate_answer *a, const struct cv_gate_in *in);
void cv_gate_answer_free(struct cv_gate_answer *a);

/* cv_gate_no: add a reason and let the gravest exit stand. */
void cv_gate_no(struct cv_gate_answer *a, const char *check, const struct cv_err *why);

/* cv_gate_emit: append the answer as JSON, one line. The same question about the
 * same state has the same decision_id. */
int cv_gate_emit(const struct cv_gate_answer *a, struct cv_span request, struct cv_buf *out,
		 struct cv_err *e) cv_must;

/* cv_gate_policy: the policy under which a bundle was sealed, if gate.json
 * accepts it: one that it names by path and that is the same as the bundle's, or
 * the one in the bundle, by its digest or because a policy signer signed it (the
 * trust worker judges). CV_R_UNAUTHORISED with *check policy.not-authorised;
 * CV_R_EXPIRED with policy.expired. */
int cv_gate_policy(struct cv_policy **ret, const struct cv_gatecfg *g, const struct cv_bundle *b,
		   int64_t now, const struct cv_role_opts *role, const char **check,
		   struct cv_err *e) cv_must;

#endif
