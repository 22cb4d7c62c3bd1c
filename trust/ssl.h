/* SPDX-License-Identifier: Apache-2.0 */
/* ssl.h: where it was before verify read keys too. */
#ifndef CV_SSL_H
#define CV_SSL_H

#include "trust/base/ssl.h"

#endif
