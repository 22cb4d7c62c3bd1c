/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto.h: cleanup by scope.
 *
 * A local declared with cv_auto(x_free) is released when its scope ends. To
 * hand it over, copy the pointer out and set the local to NULL (cv_steal).
 * A release function takes the address of the variable, accepts NULL in it
 * and leaves NULL (or -1) behind, so that running it twice is harmless.
 */
#ifndef CV_AUTO_H
#define CV_AUTO_H

#include <stddef.h>

#define cv_auto(release)      __attribute__((cleanup(release)))
#define cv_must               __attribute__((warn_unused_result))
#define cv_printf(fmt, first) __attribute__((format(printf, fmt, first)))

#define CV_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* cv_steal(p): the value of p, leaving NULL in p. */
#define cv_steal(p)                                                                                \
	__extension__({                                                                            \
		__typeof__(p) stolen_ = (p);                                                       \
		(p) = NULL;                                                                        \
		stolen_;                                                                           \
	})

/* Release functions for what the C library hands out. */
void cv_freep(void *pointer_to_pointer);
void cv_closep(int *fd);

#endif
