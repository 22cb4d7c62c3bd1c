/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: an image's configuration (OCI image-spec config.md): does it ask the engine
 * for something that reaches outside the container?
 *
 * What an image's own programs could do anyway (environment, entry point, health check,
 * running as root inside) is no finding: it is told (`seen`), for people and for `init`.
 * image.config-unsafe is for what acts on the engine or the host:
 *
 *   User         a number above 2147483647, which some engines wrap to root
 *		  (CVE-2024-40635)
 *   WorkingDir   not absolute, with "..", or in /proc or /sys, where an inherited
 *		  descriptor of the host may be (CVE-2024-21626)
 *   Volumes      not absolute, with ".." (CVE-2022-23648), "/", in /proc, /sys or /dev, or
 *		  a container engine's socket
 *   Labels       containerd.io/restart.*, by which containerd's restart monitor starts
 *		  programs on the host
 *
 * and for a configuration that two readers could understand differently.
 */
#ifndef CV_FOUND_CONFIG_H
#define CV_FOUND_CONFIG_H

#include "sbom/found/answers.h"

/* What is told: name "User", "WorkingDir", "Entrypoint", "Cmd", "Env" (the name alone: a
 * value may be a secret), "Path" (the value of PATH), "ExposedPort", "Volume", "Label" (its name),
 * "StopSignal"; `pos` is the place in a list. */
struct cv_config_seen {
	int (*seen)(void *ctx, const char *name, uint64_t pos, const char *text, struct cv_err *e);
	void *ctx;
};

/* `a` may be NULL: nothing is judged, and what cannot be read is an error. */
int cv_config_lint(struct cv_span text, struct cv_answers *a, const struct cv_config_seen *seen,
		   struct cv_err *e) cv_must;

#endif
