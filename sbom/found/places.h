/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h: what a launch puts over paths of an image (verified trees, writable places,
 * binds, and the volumes that the image declares itself), judged in the tree that the
 * layers make: image.place-unsafe.
 *
 * Engines follow the image's symlinks when they mount, and mount what has fewer components
 * first. So each path is taken to where it leads, and refused is
 *
 *   - a writable place, bind or volume at or below a verified tree, which it would hide; or
 *     above one, if a link is on the way of either, because then the order tells nothing
 *   - one that lies below another whose content nobody verified: a link in there could lead
 *     it anywhere
 *   - one over the program: what the entry point and command name, directories of PATH up
 *     to where it is found, and the working directory, as far as the image has something
 *     there (not with CV_MERGE_CODE_WRITABLE)
 *   - a path that leads in circles
 *
 * A volume of the image at a path that the launch covers itself is none: engines leave it out.
 * Source: moby daemon/volumes_unix.go (sortMounts), image-spec config.md "Volumes".
 */
#ifndef CV_FOUND_PLACES_H
#define CV_FOUND_PLACES_H

#include "sbom/found/answers.h"
#include "sbom/found/nodes.h"
#include "trust/base/proto.h"

struct cv_places;

/* flags of CV_MERGE_*; without CV_MERGE_LAUNCHED nothing is judged. */
int cv_places_open(struct cv_places **ret, uint64_t flags, struct cv_err *e) cv_must;
void cv_places_free(struct cv_places **p);

/* cv_places_put: the launch puts something there. cv_places_say: a word of it about the
 * program, instead of the image's. Texts are copied. */
int cv_places_put(struct cv_places *p, enum cv_placed kind, const char *path,
		  struct cv_err *e) cv_must;
int cv_places_say(struct cv_places *p, enum cv_program kind, const char *text,
		  struct cv_err *e) cv_must;

/* cv_places_judge: `config` is the image's; `t` the settled tree. Problems are answers; a
 * configuration that cannot be read is one too. */
int cv_places_judge(struct cv_places *p, const struct cv_nodes *t, struct cv_span config,
		    struct cv_answers *a, struct cv_err *e) cv_must;

#endif
