/* SPDX-License-Identifier: Apache-2.0 */
/* gguf_priv.h: what gguf.c (header, key-value pairs) and gguf_tensor.c share. */
#ifndef CV_FOUND_GGUF_PRIV_H
#define CV_FOUND_GGUF_PRIV_H

#include "sbom/found/gguf.h"
#include "sbom/found/names.h"
#include "sbom/found/window.h"

struct cv_gguf_reader {
	struct cv_window w;
	struct cv_gguf out;
	uint64_t align;
	bool architecture; /* seen */
	/* tokenizer.ggml.*: lengths, and which of them were seen */
	uint64_t vocabulary[3];
	bool vocabulary_seen[3];
	char key[64]; /* the key or tensor at hand, cut and neutralised */
};

/* cv_gguf_string: the length of a string, checked against what is left; its
 * bytes come next. */
int cv_gguf_string(struct cv_gguf_reader *r, const char *what, uint64_t *len,
		   struct cv_err *e) cv_must;

/* cv_gguf_name: a string of at most max bytes, as bytes of the window. */
int cv_gguf_name(struct cv_gguf_reader *r, const char *what, size_t max, struct cv_span *ret,
		 struct cv_err *e) cv_must;

int cv_gguf_tensors(struct cv_gguf_reader *r, struct cv_err *e) cv_must;

#endif
