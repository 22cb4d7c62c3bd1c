/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut.h: the file "cut" beside the helper `cut`, mapped by all its processes and
 * by the test: which frame of a run something happens to, and what.
 */
#ifndef CV_CUT_H
#define CV_CUT_H

#include <stdatomic.h>
#include <stdint.h>

enum cut_how {
	CUT_KILL = 1, /* the worker dies instead of the frame being passed on */
	CUT_END,      /* the same, with exit status 0 and the socket closed */
	CUT_TWICE,    /* the frame is passed on twice */
	CUT_DROP,     /* it is not passed on */
	CUT_GARBLE,   /* its last byte is another one */
};

struct cut {
	_Atomic uint64_t count; /* frames seen so far, of all workers */
	_Atomic uint64_t hit;   /* 1: it happened; 2: ... to a DONE frame, 3: PROGRESS */
	uint64_t at;            /* the frame, from 1 on; 0: none */
	uint64_t how;
	uint64_t from_worker; /* 1: only frames from workers count */
	char real[1024];      /* directory of the real workers */
};

#endif
