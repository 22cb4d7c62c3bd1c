/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two engines for raw DEFLATE. Never reads or writes beyond the spans given, and
 * never decides that a stream is complete by anything but its final block.
 */
#include "sbom/found/deflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#ifdef CV_HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#endif

#include "trust/base/banned.h"

struct cv_deflate {
	enum cv_engine engine;
	bool open;
	z_stream z;
#ifdef CV_HAVE_ISAL
	struct inflate_state *isal;
#endif
};

bool
cv_deflate_has(enum cv_engine engine)
{
#ifdef CV_HAVE_ISAL
	if (engine == CV_ENGINE_IGZIP)
		return true;
#endif
	return engine == CV_ENGINE_BEST || engine == CV_ENGINE_ZLIB;
}

int
cv_deflate_open(struct cv_deflate **ret, enum cv_engine engine, struct cv_err *e)
{
	cv_auto(cv_deflate_free) struct cv_deflate *d = NULL;

	if (!cv_deflate_has(engine))
		return cv_fail(e, CV_R_UNSUPPORTED, "inflate: engine %d is not built in", engine);
	if (engine == CV_ENGINE_BEST)
		engine = cv_deflate_has(CV_ENGINE_IGZIP) ? CV_ENGINE_IGZIP : CV_ENGINE_ZLIB;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return cv_fail_memory(e);
	d->engine = engine;
#ifdef CV_HAVE_ISAL
	if (engine == CV_ENGINE_IGZIP) {
		d->isal = malloc(sizeof(*d->isal));
		if (d->isal == NULL)
			return cv_fail_memory(e);
		isal_inflate_init(d->isal);
		*ret = cv_steal(d);
		return 0;
	}
#endif
	switch (inflateInit2(&d->z, -MAX_WBITS)) {
	case Z_OK:
		d->open = true;
		break;
	case Z_MEM_ERROR:
		return cv_fail_memory(e);
	default:
		return cv_fail(e, CV_R_BUG, "zlib does not start");
	}
	*ret = cv_steal(d);
	return 0;
}

int
cv_deflate_reset(struct cv_deflate *d, struct cv_err *e)
{
#ifdef CV_HAVE_ISAL
	if (d->engine == CV_ENGINE_IGZIP) {
		isal_inflate_reset(d->isal);
		return 0;
	}
#endif
	if (inflateReset(&d->z) != Z_OK)
		return cv_fail(e, CV_R_BUG, "zlib does not start again");
	return 0;
}

#ifdef CV_HAVE_ISAL
static int
run_isal(struct inflate_state *s, struct cv_span in, uint8_t *out, size_t cap, int64_t *used,
	 size_t *made, bool *end, struct cv_err *e)
{
	uint8_t none = 0;
	int rc;

	/* not const in the interface; igzip only reads it */
	s->next_in = in.n > 0 ? (uint8_t *)(uintptr_t)in.p : &none;
	s->avail_in = (uint32_t)in.n;
	s->next_out = out;
	s->avail_out = (uint32_t)cap;
	s->crc_flag = ISAL_DEFLATE;
	rc = isal_inflate(s);
	if (rc < 0)
		return cv_fail(e, CV_R_MALFORMED, "broken compressed data (igzip: %d)", rc);
	if (rc > ISAL_OUT_OVERFLOW)
		return cv_fail(e, CV_R_MALFORMED, "broken compressed data (igzip wants %d)", rc);
	*made = cap - s->avail_out;
	*used = (int64_t)(in.n - s->avail_in);
	*end = s->block_state == ISAL_BLOCK_FINISH;
	if (*end && s->read_in_length > 0) /* whole bytes read ahead and not used */
		*used -= s->read_in_length / 8;
	return 0;
}
#endif

static int
run_zlib(z_stream *z, struct cv_span in, uint8_t *out, size_t cap, int64_t *used, size_t *made,
	 bool *end, struct cv_err *e)
{
	int rc;

	z->next_in = (z_const Bytef *)(uintptr_t)in.p;
	z->avail_in = (uInt)in.n;
	z->next_out = out;
	z->avail_out = (uInt)cap;
	rc = inflate(z, Z_NO_FLUSH);
	*made = cap - z->avail_out;
	*used = (int64_t)(in.n - z->avail_in);
	*end = rc == Z_STREAM_END;
	switch (rc) {
	case Z_OK:
	case Z_STREAM_END:
	case Z_BUF_ERROR: /* no progress was possible; the caller sees that */
		return 0;
	case Z_MEM_ERROR:
		return cv_fail_memory(e);
	default:
		return cv_fail(e, CV_R_MALFORMED, "broken compressed data (%s)",
			       z->msg != NULL ? z->msg : "zlib");
	}
}

int
cv_deflate_run(struct cv_deflate *d, struct cv_span in, uint8_t *out, size_t cap, int64_t *used,
	       size_t *made, bool *end, struct cv_err *e)
{
	if (in.n > INT_MAX / 2)
		in.n = INT_MAX / 2;
	if (cap > INT_MAX / 2)
		cap = INT_MAX / 2;
#ifdef CV_HAVE_ISAL
	if (d->engine == CV_ENGINE_IGZIP)
		return run_isal(d->isal, in, out, cap, used, made, end, e);
#endif
	return run_zlib(&d->z, in, out, cap, used, made, end, e);
}

uint32_t
cv_deflate_crc(uint32_t crc, const void *p, size_t n)
{
#ifdef CV_HAVE_ISAL
	return crc32_gzip_refl(crc, p, n);
#else
	return (uint32_t)crc32_z(crc, p, n);
#endif
}

void
cv_deflate_free(struct cv_deflate **d)
{
	if (*d == NULL)
		return;
	if ((*d)->open)
		(void)inflateEnd(&(*d)->z);
#ifdef CV_HAVE_ISAL
	free((*d)->isal);
#endif
	free(*d);
	*d = NULL;
}
