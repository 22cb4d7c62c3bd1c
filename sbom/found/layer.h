/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.h: walk one layer of an image: unpack, hash (its diffID: image-spec config.md,
 * "Layer DiffID"), read the tar strictly (tar.h), judge every entry, write the table of
 * entries (table.h). Nothing is unpacked to anywhere and no content is kept.
 *
 * How a layer is compressed its media type says; Docker's own types do not, and there the
 * first bytes do, as in every runtime.
 *
 * Names are normalised as path.h says (image profile). What is refused, and why:
 *
 *   image.traversal       ".." anywhere in a name
 *   image.link-escape     ".." in a hard link's target
 *   image.device-node     character and block devices, 0/0 (overlayfs's own whiteout)
 *			   included: an image has no use for them
 *   image.duplicate-entry one path twice. Docker and containerd let the last one win,
 *			   libarchive and Python list both, scanners often take the first.
 *			   A directory that is named again as a directory is accepted:
 *			   its last mode and owner count everywhere, nothing is lost.
 *   image.whiteout-invalid  names with ".wh." where it is no whiteout of a plain name: a
 *			   directory ".wh.x/", ".wh." alone, ".wh..", ".wh...", ".wh..wh.x"
 *			   but ".wh..wh..opq" (AUFS's own; runtimes skip some and obey
 *			   others); whiteouts that are not empty regular files; a path that
 *			   is removed and added in one layer (the outcome depends on the
 *			   order in some runtimes); overlayfs's own attributes
 *   image.layer-malformed the archive, the compression, or a limit of names
 *   image.bomb            CV_MAX_UNPACKED_BYTES, CV_MAX_UNPACK_RATIO, CV_MAX_ENTRIES
 *   image.unsupported-layer  a media type that is not looked into
 *   image.diffid-mismatch
 *
 * Any byte but NUL may occur in a name: runtimes have no trouble with them, and reports
 * neutralise them. Fifos, setuid files and file capabilities are legal; merge.h counts
 * them.
 */
#ifndef CV_FOUND_LAYER_H
#define CV_FOUND_LAYER_H

#include "sbom/found/answers.h"
#include "trust/base/frame.h"

struct cv_layer_job {
	struct cv_blob blob;
	const char *media;
	struct cv_digest diff_id; /* expected; alg 0: none, then no finding about it */
	uint64_t pos;             /* of the layer, for messages */
	int out;                  /* regular file that receives the table; -1 none */
	int (*progress)(void *ctx, uint64_t done, uint64_t total, struct cv_err *e);
	void *ctx; /* of progress, which may be NULL */
};

struct cv_layer {
	bool whole; /* read to its end, diff_id known */
	uint64_t entries, unpacked;
	struct cv_digest diff_id;
};

/* cv_layer_walk: 0 with all answers given (proto.h, CV_T_LAYER); -1 if it could not
 * look. */
int cv_layer_walk(struct cv_layer *ret, const struct cv_layer_job *job, struct cv_answers *a,
		  struct cv_err *e) cv_must;

#endif
