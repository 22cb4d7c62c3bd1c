/* SPDX-License-Identifier: Apache-2.0 */
/* world.c: see world.h. */
#include "tests/support/world.h"

#include "trust/base/banned.h"

struct d_answer
d_image_on(struct d_worker *w, struct f_store *s, struct cv_digest root, const char *served,
	   const char *pem, unsigned flags)
{
	struct f_entry *entry = f_get_digest(s, &root);
	struct cv_out *o = d_task(w, CV_T_IMAGE);

	d_blob(w, cv_buf_span(&entry->bytes));
	cv_out_digest(o, CV_TAG_DIGEST, &root);
	cv_out_str(o, CV_TAG_MEDIA, served);
	cv_out_str(o, CV_TAG_PLATFORM, "linux/amd64");
	cv_out_str(o, CV_TAG_NAME, "registry.example/agent");
	cv_out_u64(o, CV_TAG_FLAGS, flags);
	cv_out_u64(o, CV_TAG_NOW, 1800000000);
	d_send(w);
	if (pem != NULL)
		d_key(w, "maker", pem);
	return d_run(w, s);
}

struct d_answer
d_image(struct f_store *s, struct cv_digest root, const char *served, const char *pem,
	unsigned flags)
{
	struct d_worker w = { 0 };
	struct d_answer a;

	d_open(&w, "clawverify-trust");
	a = d_image_on(&w, s, root, served, pem, flags);
	d_close(&w);
	return a;
}

void
d_make_world(struct d_world *w)
{
	static const char *const platforms[] = { "linux/amd64", "linux/arm64" };
	struct cv_digest both[2];

	*w = (struct d_world){ .key = f_key_new(F_P256), .other = f_key_new(F_P256) };
	for (size_t i = 0; i < 2; i++) {
		struct cv_buf tar = CV_BUF(1 << 20);
		struct cv_span layer;

		f_tar_file(&tar, "hello.txt", cv_span_str(platforms[i]));
		f_tar_end(&tar);
		layer = cv_buf_span(&tar);
		both[i] = f_image(&w->s, platforms[i], &layer, 1);
		cv_buf_free(&tar);
	}
	w->manifest = both[0];
	w->arm = both[1];
	w->index = f_index(&w->s, both, platforms, 2);
}

void
d_free_world(struct d_world *w)
{
	f_store_free(&w->s);
	f_key_free(&w->key);
	f_key_free(&w->other);
}

struct d_answer
d_world(struct d_world *w)
{
	return d_image(&w->s, w->index, "", f_key_pem(w->key), D_ALL);
}
