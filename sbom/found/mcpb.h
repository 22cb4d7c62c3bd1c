/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcpb.h: the manifest of an MCP bundle (.mcpb, .dxt): a zip archive with a
 * manifest.json at its top. Nothing installs it but a host that unpacks it and starts
 * server.mcp_config.command; so what is refused is a start that runs what is not in the
 * bundle: a package runner (npx, uvx) that fetches a program, a shell, or server type
 * "uv", whose dependencies are fetched at the first start.
 *
 * Source: the MCP bundle specification (MANIFEST.md), manifest_version 0.1 to 0.4.
 */
#ifndef CV_FOUND_MCPB_H
#define CV_FOUND_MCPB_H

#include "sbom/found/answers.h"
#include "trust/base/span.h"

struct cv_mcpb {
	char name[256];
	char version[257];
	char entry[512]; /* server.entry_point, "" none */
};

/* cv_mcpb_manifest: *is false: JSON without a manifest_version, which is another kind's;
 * nothing was stated. Else states tool.manifest-invalid and tool.lifecycle-script; *ret as far as
 * it could be read. */
int cv_mcpb_manifest(struct cv_mcpb *ret, bool *is, struct cv_span text, const char *where,
		     struct cv_answers *a, struct cv_err *e) cv_must;

#endif
