/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enc.h: strict text encodings, RFC 4648.
 *
 * Decoders accept exactly what the encoder writes: no white space, no missing
 * or surplus padding, no other alphabet, no non-zero trailing bits, lower-case
 * hex only. Where a format allows more, the looser reader has its own name.
 */
#ifndef CV_ENC_H
#define CV_ENC_H

#include "buf.h"

/* Hex, lower case. cv_hex_decode wants exactly 2*n digits. */
void cv_hex_encode(char *out, const uint8_t *p, size_t n); /* 2*n+1 bytes */
int cv_hex_decode(uint8_t *out, size_t n, struct cv_span text, struct cv_err *e) cv_must;

/* base64 with padding (RFC 4648 section 4); appends to out. */
int cv_base64_decode(struct cv_buf *out, struct cv_span text, struct cv_err *e) cv_must;
void cv_base64_encode(struct cv_buf *out, struct cv_span in);

/* cv_base64_decode_dsse: DSSE allows the standard and the URL-safe alphabet,
 * padded or not (DSSE protocol.md, "either"); mixed alphabets are refused. */
int cv_base64_decode_dsse(struct cv_buf *out, struct cv_span text, struct cv_err *e) cv_must;

/* base64url without padding (RFC 4648 section 5, RFC 7515). */
int cv_base64url_decode(struct cv_buf *out, struct cv_span text, struct cv_err *e) cv_must;
void cv_base64url_encode(struct cv_buf *out, struct cv_span in);

/* cv_u64_parse: decimal digits only, no sign, no leading zero, at most max. */
int cv_u64_parse(uint64_t *ret, struct cv_span text, uint64_t max, struct cv_err *e) cv_must;

/* cv_utf8_valid: well-formed UTF-8 (RFC 3629: no surrogates, no overlong). */
bool cv_utf8_valid(struct cv_span text);

/* cv_utf8_next: take one code point; sets s->bad on malformed input. */
uint32_t cv_utf8_next(struct cv_span *s);

#endif
