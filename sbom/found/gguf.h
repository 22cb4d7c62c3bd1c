/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.h: is this blob exactly one well-formed GGUF file (little endian)?
 *
 *     "GGUF" | u32 version | u64 tensors | u64 pairs | pairs | tensor infos |
 *     padding to the alignment | data
 *
 * Source: ggml's docs/gguf.md and gguf.cpp; where those allow what no writer
 * makes and some reader stumbles over, this is stricter. The header is read
 * once, in a stream; of the data nothing is read, but each tensor must begin
 * where the padded one before it ended, and the file must end with the last
 * (with or without its padding).
 *
 *   - version 2 or 3. 1, big endian and newer ones: CV_R_UNSUPPORTED
 *   - counts against what is left of the file before anything is stored
 *   - keys: unique, [A-Za-z0-9_.-], at most CV_MAX_GGUF_KEY bytes
 *   - value types 0 to 12; a bool is 0 or 1; no arrays of arrays
 *   - general.alignment: u32, power of two, 8 to CV_MAX_GGUF_ALIGN
 *   - general.architecture is a string; tokenizer arrays have their types and
 *     one length; *.block_count at most CV_MAX_GGUF_BLOCKS
 *   - tensor names of 1 to 63 bytes, unique, UTF-8, no control characters;
 *     1 to 4 dimensions, none 0; a known type (an unknown newer one is
 *     CV_R_UNSUPPORTED: this program has to be updated); rows of whole blocks
 *   - sizes by checked multiplication
 *
 * Padding bytes may have any value: writers differ.
 */
#ifndef CV_FOUND_GGUF_H
#define CV_FOUND_GGUF_H

#include "trust/base/frame.h"

struct cv_gguf {
	uint64_t tensors, pairs;
	/* of a file that is one of several; parts is 0 when it is not */
	uint64_t part, parts, tensors_of_all;
	/* general.architecture, cut to fit */
	char architecture[64];
	/* tokenizer.chat_template: its bytes in the blob; len 0 if there is none */
	struct cv_blob chat_template;
};

/* cv_gguf_check: 0 with *ret filled if all of that holds. Else -1: CV_R_MALFORMED,
 * CV_R_AMBIGUOUS (a name twice), CV_R_LIMIT, CV_R_UNSUPPORTED, or the reason why it
 * could not be read. */
int cv_gguf_check(struct cv_gguf *ret, struct cv_blob blob, struct cv_err *e) cv_must;

/* cv_gguf_like: the magic bytes. */
bool cv_gguf_like(struct cv_span head);

/* cv_gguf_part_name: does the file's name end in "-0000P-of-0000N.gguf" with
 * these numbers (P counts from 1)? */
bool cv_gguf_part_name(const char *name, uint64_t part, uint64_t parts);

#endif
