/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h: what the readers of our own files share: memory that is given back
 * at once, opening and replacing a file, words, sizes, names, patterns.
 *
 * A mistake in one of our own files is CV_R_CONFIG (exit 2), with
 * "FILE:LINE:COLUMN: found, wanted", never MALFORMED or LIMIT: those speak of
 * artifacts. Only trouble of this process (memory, disk) keeps its reason.
 */
#ifndef CV_CONF_H
#define CV_CONF_H

#include "trust/base/digest.h"
#include "trust/base/json.h"

/* ---- memory of one parsed file: everything is released together ---- */

struct cv_mem {
	struct cv_mem_block *head;
};

/* Zeroed memory for n objects of that size (n 0 gives a valid pointer), a copy
 * of a string, a formatted string. NULL with e set to CV_R_MEMORY. */
void *cv_mem_get(struct cv_mem *m, size_t n, size_t size, struct cv_err *e) cv_must;
const char *cv_mem_str(struct cv_mem *m, const char *s, struct cv_err *e) cv_must;
const char *cv_mem_bytes(struct cv_mem *m, struct cv_span s, struct cv_err *e) cv_must;
const char *cv_mem_fmt(struct cv_mem *m, struct cv_err *e, const char *fmt, ...)
	cv_printf(3, 4) cv_must;
void cv_mem_free(struct cv_mem *m);

/* ---- files ---- */

/* cv_conf_read: append the whole regular file to out. path is relative to
 * dirfd (AT_FDCWD) as for openat(2). 1 read; 0 there is no such file; -1: not a
 * regular file or longer than max is CV_R_CONFIG, else CV_R_IO, CV_R_MEMORY. */
int cv_conf_read(struct cv_buf *out, int dirfd, const char *path, size_t max,
		 struct cv_err *e) cv_must;

/* cv_conf_write: replace `path` by these bytes, mode 0644, in one step: written
 * beside it, synced, renamed over it. Whatever fails, the old file is whole.
 * A symbolic link at path is replaced, not followed. */
int cv_conf_write(const char *path, struct cv_span in, struct cv_err *e) cv_must;

/* cv_conf_dir: a descriptor (O_PATH) of the directory that a file lies in, for
 * what is named relative to it; -1 with e set. */
int cv_conf_dir(const char *path, struct cv_err *e) cv_must;

/* cv_conf_parse: cv_json_parse of one of our files, with CV_R_CONFIG, and the
 * check that the root is an object whose "schema" is `schema`. */
int cv_conf_parse(struct cv_jdoc **ret, const char *name, struct cv_span in, unsigned flags,
		  const char *schema, struct cv_err *e) cv_must;

/* cv_conf_errno: cv_fail_errno() about a path that somebody wrote: what is wrong with
 * the path itself (none such, no directory, too long, not allowed) is CV_R_CONFIG. */
int cv_conf_errno(struct cv_err *e, const char *fmt, ...) cv_printf(2, 3);

/* cv_conf_reason: MALFORMED, AMBIGUOUS, LIMIT, UNSUPPORTED become CONFIG.
 * Returns -1, so that a reader can end with it. */
int cv_conf_reason(struct cv_err *e);

/* cv_conf_at: CV_R_CONFIG at a place that was kept: "FILE:LINE:COLUMN: text", or
 * without the place when its line is 0. Returns -1. */
int cv_conf_at(struct cv_err *e, const char *file, struct cv_jpos pos, const char *fmt, ...)
	cv_printf(4, 5);

/* ---- values ---- */

/* A word from a file, with its place. */
struct cv_item {
	const char *text;
	struct cv_jpos pos;
};

struct cv_items {
	struct cv_item *v;
	size_t n;
};

/* cv_conf_items: an array of distinct non-empty strings; absent gives none. */
int cv_conf_items(struct cv_mem *m, struct cv_jv v, struct cv_items *ret, struct cv_err *e) cv_must;

/* cv_conf_texts: an array of strings that may be empty and may repeat (a
 * command line). */
int cv_conf_texts(struct cv_mem *m, struct cv_jv v, struct cv_items *ret, struct cv_err *e) cv_must;

bool cv_items_has(const struct cv_items *items, const char *text);

/* cv_conf_mask: an array of distinct words; the bits 1 << index. */
int cv_conf_mask(struct cv_jv v, const char *const *words, unsigned *ret, struct cv_err *e) cv_must;

/* cv_conf_digest: a string "sha256:...". */
int cv_conf_digest(struct cv_jv v, struct cv_digest *ret, struct cv_err *e) cv_must;

/* cv_conf_size: bytes, as an integer or as "64KiB", "512MiB", "8GiB", "1TiB". */
int cv_conf_size(struct cv_jv v, uint64_t *ret, struct cv_err *e) cv_must;

/* cv_conf_cpus: processors, as an integer or as "1.5"; in thousandths. */
int cv_conf_cpus(struct cv_jv v, uint64_t *ret, struct cv_err *e) cv_must;

/* cv_conf_duration: "24h" -> seconds, at most ten years, at least one second. */
int cv_conf_duration(struct cv_jv v, int64_t *ret, struct cv_err *e) cv_must;

/* cv_conf_relative: a path below the file's own directory: relative, UTF-8
 * without controls, no empty, "." (but "." alone) or ".." component. */
int cv_conf_relative(struct cv_jv v, const char **ret, struct cv_err *e) cv_must;

/* cv_conf_absolute: an absolute path in normal form ("/", "/a/b"). */
int cv_conf_absolute(struct cv_jv v, const char **ret, struct cv_err *e) cv_must;

/* cv_name_valid: [a-z0-9][a-z0-9._-]{0,63} */
bool cv_name_valid(const char *s);

/* cv_path_valid: NULL, or what is wrong with an absolute path. */
const char *cv_path_wrong(const char *s);

/* cv_glob: '*' matches any characters but '/', "**" any characters, all else
 * itself; anchored at both ends. Time is bounded by the product of lengths. */
bool cv_glob(const char *pattern, const char *s);

/* cv_egress_wrong: NULL, or what is wrong with a "host:port" (port 1..65535;
 * "[::1]:443" for an IPv6 address; `glob` allows '*' in host and port). */
const char *cv_egress_wrong(const char *s, bool glob);

#endif
