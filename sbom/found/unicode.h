/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unicode.h: what a person does not see in a text and a model reads.
 *
 * One pass over a text of any size. Refused, with its place:
 *
 *   - tag characters (U+E0000 to E007F), unless they spell one of the three flags
 *     that Unicode recommends for interchange (England, Scotland, Wales) directly
 *     behind U+1F3F4
 *   - bidirectional controls; invisible and zero-width characters; noncharacters;
 *     controls other than TAB, LF, FF and CR before LF (an escape sequence is an attack
 *     on a terminal, and a CR alone has it write over the line that was read)
 *   - variation selectors, except U+FE0E and U+FE0F once behind a character that
 *     has an emoji form (bytes are hidden in runs of selectors), and Mongolian ones
 *     behind a Mongolian letter
 *   - U+200D, except once between two pictographs, or behind a letter or mark of a
 *     script that joins letters (Arabic and its kin, Indic scripts); U+200C, except
 *     once behind such a letter
 *   - U+FEFF, except as the first character
 *
 * Told apart, for policy to decide: characters that are seen, but of which nobody can say
 * as what: private use (icons of some fonts, and whatever two sides agree on), and
 * U+2800, the blank of Braille, which looks like a space and is none.
 *
 * The exceptions are what a survey of published skills needed: an emoji selector
 * is in every tenth file, everything else is nearly never there in good faith.
 */
#ifndef CV_FOUND_UNICODE_H
#define CV_FOUND_UNICODE_H

#include "trust/base/frame.h"

struct cv_text_place {
	uint64_t line, column; /* from 1; columns in code points */
};

struct cv_text_scan {
	uint64_t hidden; /* characters refused; the first one: */
	const char *class;
	uint32_t cp;
	struct cv_text_place hidden_at;
	uint64_t unclear; /* characters of which nobody can say what they show; the first: */
	const char *unclear_class;
	uint32_t unclear_cp;
	struct cv_text_place unclear_at;
	uint64_t invalid; /* bytes that are no UTF-8; the first one: */
	uint8_t byte;
	struct cv_text_place invalid_at;
};

/* cv_text_scan: -1 only if the bytes could not be read. */
int cv_text_scan(struct cv_text_scan *ret, struct cv_blob blob, struct cv_err *e) cv_must;

#endif
