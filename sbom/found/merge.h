/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.h: the tree that a runtime will build from an image's layers, out of their
 * tables of entries (table.h), lowest layer first; without content and without a disk.
 *
 * Source: image-spec layer.md ("Applying Changesets"); where Docker (each layer unpacked
 * by itself, joined by overlayfs) and containerd (each layer unpacked over the ones below)
 * would build different trees, the image is refused:
 *
 *   image.traversal       an entry whose parent is a symlink (Docker replaces the link by a
 *			   directory, containerd follows it) or no directory
 *   image.link-escape     a hard link whose target is not a regular file that stands in a
 *			   lower layer or earlier in its own, or is reached through a symlink
 *   image.whiteout-invalid  removing through a symlink; removing a directory and adding
 *			   something below it in one layer
 *   image.duplicate-entry a file over a directory that the same layer has filled
 *   image.bomb            CV_MAX_ENTRIES, CV_MAX_UNPACKED_BYTES over all layers
 *
 * Within a layer removals come first, wherever they stand (layer.md: "MUST be applied
 * first"), and act on lower layers only. Removing what is not there does nothing.
 * Directories that nobody names but that something lies in are made (0755). Memory grows
 * with the number of entries, about 50 bytes each.
 */
#ifndef CV_FOUND_MERGE_H
#define CV_FOUND_MERGE_H

#include "sbom/found/answers.h"
#include "trust/base/frame.h"

struct cv_merge;

struct cv_merge_counts {
	uint64_t files, directories, symlinks, hardlinks, fifos;
	uint64_t setuid, setgid, capabilities; /* of files */
	uint64_t bytes;                        /* of files, each once */
	uint64_t layers;
};

int cv_merge_open(struct cv_merge **ret, struct cv_answers *a, struct cv_err *e) cv_must;

/* cv_merge_layer: the next layer, `pos` for messages. Problems are answers; -1 only
 * if it could not go on. */
int cv_merge_layer(struct cv_merge *m, uint64_t pos, struct cv_blob table,
		   struct cv_err *e) cv_must;

/* cv_merge_finish: count what is left, and pass what had no problem (proto.h,
 * CV_T_MERGE). */
int cv_merge_finish(struct cv_merge *m, struct cv_merge_counts *ret, struct cv_err *e) cv_must;

/* cv_merge_each: every path of the final tree, parents first; for tests and for
 * `inspect`. kind of table.h; -1 from `each` ends it. */
int cv_merge_each(struct cv_merge *m,
		  int (*each)(void *ctx, const char *path, uint8_t kind, uint64_t size,
			      struct cv_err *e),
		  void *ctx, struct cv_err *e) cv_must;

/* cv_merge_tree: the final tree, once it is finished; NULL when a limit was passed. */
struct cv_nodes;
const struct cv_nodes *cv_merge_tree(const struct cv_merge *m);

void cv_merge_free(struct cv_merge **m);

#endif
