/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_format.h: what kind of file is this, by its content and its name?
 *
 * The content decides; the name may only make it worse. Weights are safetensors or
 * GGUF (that they are well-formed is for their readers to say). Data is text,
 * images and sounds, numpy arrays of numbers, and tokenizer models (protobuf).
 * Code is what a loader or a person would run: programs by their magic bytes, and
 * scripts by their name or "#!". Everything else is refused with a word for it: a
 * known format that can hold code or that nobody here can read, or unknown bytes.
 *
 * A file that could be taken for two things is refused: weights under the name of
 * something else, or anything that ends as a zip archive does (models.md 3, C-4, C-6).
 */
#ifndef CV_FOUND_FILES_FORMAT_H
#define CV_FOUND_FILES_FORMAT_H

#include "trust/base/frame.h"

enum cv_format_kind {
	CV_FORMAT_REFUSED = 0,
	CV_FORMAT_SAFETENSORS,
	CV_FORMAT_GGUF,
	CV_FORMAT_DATA,
	CV_FORMAT_CODE,
};

struct cv_format {
	enum cv_format_kind kind;
	const char *word; /* static: "a zip archive" */
	bool text;        /* data or code that is text */
	bool sealed;      /* compressed or encrypted: nothing looks inside */
};

/* cv_format_of: -1 only if it could not be read. */
int cv_format_of(struct cv_format *ret, const char *name, struct cv_blob blob,
		 struct cv_err *e) cv_must;

/* cv_format_readable: is the file one that people and models read as text? By its
 * name; without an ending, or with an unknown one, by the absence of NUL bytes and
 * of the magic bytes of known binary formats. */
int cv_format_readable(bool *ret, const char *name, struct cv_blob blob, struct cv_err *e) cv_must;

#endif
