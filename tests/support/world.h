/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: images to prove, and the trust worker that proves them. */
#ifndef CV_WORLD_H
#define CV_WORLD_H

#include "tests/support/drive.h"

#define D_ALL (CV_IMG_SIGNATURES | CV_IMG_ATTESTATIONS | CV_IMG_BUNDLES | CV_IMG_LEGACY)

/* d_image: CV_T_IMAGE for linux/amd64 over what is in the store, in a worker of its
 * own; pem NULL: no key, else that of the signer "maker". */
struct d_answer d_image(struct f_store *s, struct cv_digest root, const char *served,
			const char *pem, unsigned flags);

/* d_image_on: the same in a worker that is there (d_fork, for many tasks). */
struct d_answer d_image_on(struct d_worker *w, struct f_store *s, struct cv_digest root,
			   const char *served, const char *pem, unsigned flags);

/* An index of two platforms over images with one layer each, and two keys. */
struct d_world {
	struct f_store s;
	struct f_key *key, *other;
	struct cv_digest index, manifest, arm;
};
void d_make_world(struct d_world *w);
void d_free_world(struct d_world *w);

/* d_world: the task over w->index, with w->key, looking for everything. */
struct d_answer d_world(struct d_world *w);

#endif
