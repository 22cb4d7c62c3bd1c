/* SPDX-License-Identifier: Apache-2.0 */
/* launch_cmd.h: what the verbs bundle, launch, endorse, trust and hook share. */
#ifndef CV_LAUNCH_CMD_H
#define CV_LAUNCH_CMD_H

#include "verify/bundle.h"
#include "verify/cmd.h"
#include "verify/gatecfg.h"

#define CV_PATH_ROOM 4096

/* cv_lc_key_path: the signing key: --key, else local.key in the state directory. */
int cv_lc_key_path(const struct cv_cmdline *c, char out[CV_PATH_ROOM], struct cv_err *e) cv_must;

/* cv_lc_bundles: where bundles lie: --out, else bundles/ in the state directory. */
int cv_lc_bundles(const struct cv_cmdline *c, char out[CV_PATH_ROOM], struct cv_err *e) cv_must;

/* cv_lc_find: which bundle is meant: a directory, or "sha256:<hex>" of one where
 * bundles lie. 1 found, 0 it is neither, -1. */
int cv_lc_find(const struct cv_cmdline *c, const char *what, char out[CV_PATH_ROOM],
	       struct cv_err *e) cv_must;

/*
 * Whose bundles this host believes: with a gate.json (--gate, else the host's own
 * if there is one) exactly its bundle_keys; else the public key in --key, or the
 * public half of the private one; else that of the local key.
 */
struct cv_lc_trust {
	struct cv_gatecfg *gate; /* NULL: there is none */
	struct cv_key own;
	struct cv_mem mem;
	char workers[CV_PATH_ROOM];
	struct cv_bundle_trust trust;
};
int cv_lc_trust_open(struct cv_lc_trust *t, const struct cv_cmdline *c, struct cv_err *e) cv_must;
void cv_lc_trust_close(struct cv_lc_trust *t);

/* cv_lc_gate: load a gate.json that only root or this user can have written. 1
 * loaded, 0 the host has none (only without --gate), -1. */
int cv_lc_gate(struct cv_gatecfg **ret, const struct cv_cmdline *c, struct cv_err *e) cv_must;

/* What cv_lc_seal made. */
struct cv_lc_sealed {
	char path[CV_PATH_ROOM];
	struct cv_digest bundle;
	char agent[65];
	size_t artifacts;
	int64_t valid_until;
	int exit_code; /* if it did not pass */
};

/*
 * cv_lc_seal: verify the agent and seal what passed. 0 sealed; 1 it did not pass,
 * ret->exit_code is the code and the reports that -o wants were written; -1.
 * `report`: write them for a pass as well.
 */
int cv_lc_seal(struct cv_lc_sealed *ret, const struct cv_cmdline *c, const char *target,
	       bool report, struct cv_err *e) cv_must;

/* CV_LC_SIGNED: what is added to a policy's name for its signed envelope. */
#define CV_LC_SIGNED ".dsse.json"

/* cv_lc_failed: cv_cmd_failed with the check id (may be NULL) in front. */
int cv_lc_failed(const struct cv_cmdline *c, const char *check, struct cv_err *e);

/* Options that several of the verbs have. */
#define CV_LC_OPT_KEY(text)                                                                        \
	{                                                                                          \
		"key", 'k', CV_OPT_VALUE, "FILE", text                                             \
	}
#define CV_LC_OPT_OUT                                                                              \
	{                                                                                          \
		"out", 0, CV_OPT_VALUE, "DIR", "where bundles lie"                                 \
	}
#define CV_LC_OPT_GATE                                                                             \
	{                                                                                          \
		"gate", 0, CV_OPT_VALUE, "FILE", "another gate.json than " CV_GATECFG_PATH         \
	}
#define CV_LC_OPT_SESSION                                                                          \
	{ "policy", 'p', CV_OPT_VALUE, "FILE",                                                     \
	  "another policy, or preset:strict|standard|audit" },                                     \
		{ "lock", 0, CV_OPT_VALUE, "FILE",                                                 \
		  "instead of clawverify.lock beside the agent" },                                 \
		{ "db", 0, CV_OPT_VALUE, "FILE", "another advisory index" },                       \
	{                                                                                          \
		"platform", 0, CV_OPT_VALUE, "OS/ARCH", "for images that name none"                \
	}

#endif
