/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jread.h: two things that readers of other people's JSON need besides the
 * strict door (json.h).
 *
 * 1. Keys that another reader would take for known ones. Go's encoding/json,
 * which most tools of this field use, matches keys without regard to case
 * (simple Unicode folding, so that U+212A is a "k" and U+017F an "s") and lets
 * the last one win. A document with "Layers" has layers for them and none for
 * us. Such a key is refused (CV_R_AMBIGUOUS), alone as much as beside "layers".
 * Maps whose keys are free (labels, annotations) are left alone.
 *
 * 2. Documents larger than the door lets in. A DSSE envelope is a small
 * document around one long base64 string; a statement is a small one around a
 * predicate. cv_jslim_* copy the text with those values cut out, so that the
 * door judges everything else. The copy is valid JSON exactly if the text with
 * the cut values taken as valid is: a string of base64 characters always is,
 * and a cut predicate is judged by whoever reads it (statement.h). A cut is
 * known by its place, never by what stands there instead.
 */
#ifndef CV_JREAD_H
#define CV_JREAD_H

#include "json.h"
#include "limits.h"

/* cv_jread_known: no key of `object` is one of `known` (NULL-terminated) in
 * another writing. 0 for what is not an object. */
int cv_jread_known(struct cv_jv object, const char *const *known, struct cv_err *e) cv_must;

/* cv_jread_str: text of an optional string member: "" when it is absent or
 * null (protobuf JSON and Go write both for "not set"). */
int cv_jread_opt(struct cv_jv object, const char *key, const char **ret, struct cv_err *e) cv_must;

/* What was cut: `at` is the offset in the slim text of the value put there. */
struct cv_jcut {
	size_t at;
	struct cv_span raw; /* in the original: a string's inside, or a value */
};

#define CV_JSLIM_CUTS   128   /* more long strings than this stay as they are */
#define CV_JSLIM_STRING 16384 /* bytes from which a base64 string is cut */

struct cv_jslim {
	struct cv_buf text;
	struct cv_jcut cut[CV_JSLIM_CUTS];
	size_t n;
};

/* cv_jslim_strings: cut every string of at least CV_JSLIM_STRING characters
 * of the two base64 alphabets; "" stands in its place. `in` outlives s. */
int cv_jslim_strings(struct cv_jslim *s, struct cv_span in, struct cv_err *e) cv_must;

/* cv_jslim_member: cut the value of the member `key`, in exactly this writing,
 * of the outermost object; null stands in its place. The first one only: a
 * second is a duplicate that the door refuses. Nothing is cut when there is
 * none. CV_R_MALFORMED when the brackets around it do not match. */
int cv_jslim_member(struct cv_jslim *s, struct cv_span in, const char *key,
		    struct cv_err *e) cv_must;

/* cv_jslim_find: what was cut at v; NULL if v is as it was. */
const struct cv_jcut *cv_jslim_find(const struct cv_jslim *s, struct cv_jv v);

/* cv_jslim_text: a string's text, cut out or not. Strings that are not cut are
 * the document's; both want at least one character. */
int cv_jslim_text(const struct cv_jslim *s, struct cv_jv v, struct cv_span *ret,
		  struct cv_err *e) cv_must;

void cv_jslim_free(struct cv_jslim *s);

#endif
