/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims.h: what Fulcio writes into a certificate about the run that signed
 * (sigstore/fulcio docs/oid-info.md): the extension 1.3.6.1.4.1.57264.1.N, and the
 * word that policy has for it. 1 to 6 are the first generation, that of GitHub
 * alone. 7 is no extension, and the issuer (1, 8) is asked for by its own name.
 */
#ifndef CV_CLAIMS_H
#define CV_CLAIMS_H

#include <stddef.h>

#define CV_CLAIM_LAST 24

/* cv_claim_word: of an extension's number; NULL if policy has none for it. */
const char *cv_claim_word(unsigned number);

/* cv_claim_number: 0 for another word. */
unsigned cv_claim_number(const char *word);

/* All words, NULL-terminated, in the order of their numbers. */
extern const char *const cv_claim_words[];

#endif
