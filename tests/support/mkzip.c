/* SPDX-License-Identifier: Apache-2.0 */
/* mkzip.c: see mkzip.h (PKWARE APPNOTE 4.3). */
#include "tests/support/mkzip.h"
#include "tests/support/mktar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

struct mk_zip_entry *
mk_zip_add(struct mk_zip *z, const char *name, const char *content)
{
	if (z->n == MK_ZIP_MAX)
		abort();
	struct mk_zip_entry *e = &z->e[z->n++];
	uint32_t n = (uint32_t)strlen(content);

	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	(void)snprintf(e->local_name, sizeof(e->local_name), "%s", name);
	e->data = content;
	e->data_len = n;
	e->crc = e->local_crc = mk_crc(cv_span_str(content));
	e->packed = e->local_packed = e->size = e->local_size = n;
	e->made_by = 3 << 8 | 20;
	e->attributes = (name[0] != '\0' && name[strlen(name) - 1] == '/' ? 040755u : 0100644u)
			<< 16;
	return e;
}

static void
local(struct cv_buf *b, const struct mk_zip_entry *e)
{
	cv_buf_u32le(b, 0x04034b50);
	cv_buf_u16le(b, 20);
	cv_buf_u16le(b, e->local_flags);
	cv_buf_u16le(b, e->local_method);
	cv_buf_u32le(b, 0x00210000); /* 1980-01-01 */
	cv_buf_u32le(b, e->local_crc);
	cv_buf_u32le(b, e->local_packed);
	cv_buf_u32le(b, e->local_size);
	cv_buf_u16le(b, (uint16_t)strlen(e->local_name));
	cv_buf_u16le(b, e->local_extra_len);
	cv_buf_str(b, e->local_name);
	cv_buf_add(b, e->local_extra, e->local_extra_len);
	cv_buf_add(b, e->data, e->data_len);
	cv_buf_add(b, e->descriptor, e->descriptor_len);
}

static void
central(struct cv_buf *b, const struct mk_zip_entry *e, uint32_t offset)
{
	cv_buf_u32le(b, 0x02014b50);
	cv_buf_u16le(b, e->made_by);
	cv_buf_u16le(b, 20);
	cv_buf_u16le(b, e->flags);
	cv_buf_u16le(b, e->method);
	cv_buf_u32le(b, 0x00210000);
	cv_buf_u32le(b, e->crc);
	cv_buf_u32le(b, e->packed);
	cv_buf_u32le(b, e->size);
	cv_buf_u16le(b, (uint16_t)strlen(e->name));
	cv_buf_u16le(b, e->extra_len);
	cv_buf_u16le(b, (uint16_t)(e->comment != NULL ? strlen(e->comment) : 0));
	cv_buf_u16le(b, e->disk);
	cv_buf_u16le(b, 0);
	cv_buf_u32le(b, e->attributes);
	cv_buf_u32le(b, offset);
	cv_buf_str(b, e->name);
	cv_buf_add(b, e->extra, e->extra_len);
	cv_buf_str(b, e->comment != NULL ? e->comment : "");
}

void
mk_zip_write(struct cv_buf *b, const struct mk_zip *z)
{
	uint32_t offset[MK_ZIP_MAX] = { 0 };
	uint16_t listed = 0;

	for (size_t i = 0; i < z->n; i++) {
		for (size_t k = 0; k < z->e[i].gap; k++)
			cv_buf_byte(b, 'g');
		offset[i] = (uint32_t)((int64_t)b->n + z->e[i].offset_off);
		if (!z->e[i].no_local)
			local(b, &z->e[i]);
	}
	size_t start = b->n;
	for (size_t i = 0; i < z->n; i++)
		if (!z->e[i].no_central) {
			central(b, &z->e[i], offset[i]);
			listed++;
		}
	size_t size = b->n - start;
	cv_buf_str(b, z->before_end != NULL ? z->before_end : "");
	cv_buf_u32le(b, 0x06054b50);
	cv_buf_u16le(b, z->disk);
	cv_buf_u16le(b, z->disk);
	cv_buf_u16le(b, (uint16_t)(listed + z->entries_off));
	cv_buf_u16le(b, (uint16_t)(listed + z->entries_off));
	cv_buf_u32le(b, (uint32_t)((int64_t)size + z->size_off));
	cv_buf_u32le(b, (uint32_t)((int64_t)start + z->offset_off));
	cv_buf_u16le(b, z->comment_len);
	cv_buf_add(b, z->comment, z->comment_len);
	cv_buf_str(b, z->after_end != NULL ? z->after_end : "");
}
