/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h: C library calls that this program does without.
 *
 * Included by every .c file as its last include: system headers that name
 * these functions must come before. A use does not compile (gcc and clang);
 * `make lint` finds them too, and finds a file that forgot the include.
 *
 *   strcpy strcat sprintf vsprintf gets   write without knowing the room
 *   strncpy strncat                       cut without saying so, or forget the NUL
 *   strtok                                hidden state
 *   atoi atol atoll atof sscanf           undefined on overflow, no error
 *   strtol and its family                 accept white space, signs, prefixes
 */
#ifndef CV_BANNED_H
#define CV_BANNED_H

/* the C library has some of them as macros, which must go before */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strncpy
#undef strncat

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok strncpy strncat
#pragma GCC poison atoi atol atoll atof sscanf vsscanf
#pragma GCC poison strtol strtoul strtoll strtoull strtoimax strtoumax

#endif
