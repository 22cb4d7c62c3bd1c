/* ssh_int.h: what ssh_wire.c and ssh_verify.c share; for them alone. */
#ifndef CV_SSH_INT_H
#define CV_SSH_INT_H

#include "trust/ssh_wire.h"

/* cv_ssh_mpint: take one mpint that is positive and has no superfluous zero byte;
 * the number's bytes without the sign byte. Sets s->bad. */
struct cv_span cv_ssh_mpint(struct cv_span *s);

#endif
