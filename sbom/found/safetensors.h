/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.h: is this blob exactly one well-formed safetensors file?
 *
 *     u64le N | N bytes of JSON | data
 *
 * Source: huggingface/safetensors README ("Format") and its Rust reader; where
 * that reader is lax (duplicate keys, unknown members, white space before the
 * brace or other than spaces behind it, null metadata) two readers can see
 * different tensors, and the file is refused. What is read is the header alone,
 * in a stream, so that 100 MiB of header and any amount of data take little
 * memory; nothing in the data is looked at, but every byte of it must belong to
 * exactly one tensor (no hole, no overlap, nothing behind the last one).
 *
 *   - 2 <= N <= CV_MAX_SAFETENSORS_HEADER, 8 + N <= the file's size
 *   - one JSON object that begins with the first byte; behind it only spaces
 *   - no key twice, however escaped
 *   - a tensor has exactly dtype, shape, data_offsets; a known dtype
 *   - elements and bytes by checked multiplication; end - begin is that number
 *   - names of 1 to 1024 bytes, no control character
 *   - __metadata__: strings only, at most CV_MAX_SAFETENSORS_METADATA bytes
 *
 * The shard index (*.index.json of transformers) is read here too, because what
 * it says is about tensor names.
 */
#ifndef CV_FOUND_SAFETENSORS_H
#define CV_FOUND_SAFETENSORS_H

#include "sbom/found/names.h"
#include "trust/base/frame.h"

struct cv_safetensors {
	uint64_t tensors;
	uint64_t header;       /* bytes, the length field excluded */
	uint64_t data;         /* bytes */
	struct cv_names names; /* of the tensors, sorted */
};

/* cv_safetensors_check: 0 if all of that holds; *ret is then the caller's, to
 * be released with cv_safetensors_free(). Else -1, *ret untouched:
 * CV_R_MALFORMED, CV_R_AMBIGUOUS (a key twice) or CV_R_LIMIT with the tensor
 * and the numbers; or the reason why it could not be read. */
int cv_safetensors_check(struct cv_safetensors *ret, struct cv_blob blob, struct cv_err *e) cv_must;
void cv_safetensors_free(struct cv_safetensors *s);

/* cv_safetensors_like: do these first bytes look as if it was meant to be one? */
bool cv_safetensors_like(struct cv_span head);

/* cv_weightmap_check: an index document: "metadata" (scalars only) and
 * "weight_map" (tensor name -> file name), nothing else, no key twice. `entry`
 * gets each pair of the map in the text's order; -1 from it ends the reading.
 * A file name has to be a plain name of the same directory. */
int cv_weightmap_check(struct cv_blob blob, const char *name,
		       int (*entry)(void *ctx, struct cv_span tensor, struct cv_span file,
				    struct cv_err *e),
		       void *ctx, struct cv_err *e) cv_must;

#endif
