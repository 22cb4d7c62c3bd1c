/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h: hostile text made harmless before a person or a terminal sees it.
 *
 * Neutralised: C0 and C1 controls, DEL, malformed UTF-8, bidirectional controls
 * (U+061C, U+200E-F, U+202A-E, U+2066-9), zero-width and invisible characters
 * (U+00AD, U+034F, U+180E, U+200B-D, U+2060-4, U+206A-F, U+FEFF, variation
 * selectors, tag characters U+E0000-E007F, fillers, the format controls of
 * hieroglyphs), noncharacters, line and paragraph separators.
 * They become \xNN or \u{N}; a backslash itself stays.
 */
#ifndef CV_TEXT_H
#define CV_TEXT_H

#include "buf.h"

#define CV_TEXT_FIELD 120 /* characters of an untrusted field shown in text */

/* cv_text_safe: append at most max characters of `in` to out, neutralised; a
 * cut is shown by "...". max 0 is no limit. */
void cv_text_safe(struct cv_buf *out, struct cv_span in, size_t max);

/* cv_text_hidden: the name of the class of invisible or direction-changing
 * character that cp belongs to ("bidirectional control", "zero width",
 * "tag character", "variation selector", "format control", "noncharacter",
 * "control"), NULL if it is visible. */
const char *cv_text_hidden(uint32_t cp);

/* cv_text_brief: the same into a fixed array, for use inside an error's text:
 * at most CV_TEXT_QUOTE characters; returns out. */
#define CV_TEXT_QUOTE 60
#define CV_TEXT_BRIEF (CV_TEXT_QUOTE * 12 + 4)
const char *cv_text_brief(char out[CV_TEXT_BRIEF], struct cv_span in);

/* cv_text_fmt: format into a fixed array; what is too long is cut between
 * characters and ends with "...". Cannot fail. */
void cv_text_fmt(char *out, size_t size, const char *fmt, ...) cv_printf(3, 4);
void cv_text_vfmt(char *out, size_t size, const char *fmt, va_list ap) cv_printf(3, 0);

#endif
