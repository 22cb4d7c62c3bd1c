/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed.c: the presets, taken in by the assembler as they lie in the source.
 * The path is relative to the directory that the compiler runs in (the root of
 * the source); the Makefile states that this object depends on them.
 */
#include "verify/embed.h"

#include <string.h>

#include "trust/base/auto.h"

#include "trust/base/banned.h"

#define EMBED(name, path)                                                                          \
	__asm__(".section .rodata\n"                                                               \
		".globl cv_embed_" #name "\n"                                                      \
		".hidden cv_embed_" #name "\n"                                                     \
		"cv_embed_" #name ":\n"                                                            \
		".incbin \"" path "\"\n"                                                           \
		".globl cv_embed_" #name "_end\n"                                                  \
		".hidden cv_embed_" #name "_end\n"                                                 \
		"cv_embed_" #name "_end:\n"                                                        \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char cv_embed_##name[] __attribute__((visibility("hidden")));                 \
	extern const char cv_embed_##name##_end[] __attribute__((visibility("hidden")))

EMBED(audit, "trustroots/presets/audit.json");
EMBED(standard, "trustroots/presets/standard.json");
EMBED(strict, "trustroots/presets/strict.json");

EMBED(root_data, "trustroots/sigstore/trusted_root.json");

const char *const cv_preset_names[] = { "audit", "standard", "strict", NULL };

struct cv_span
cv_embed_preset(const char *name)
{
	const struct {
		const char *start, *end;
	} presets[] = {
		{ cv_embed_audit, cv_embed_audit_end },
		{ cv_embed_standard, cv_embed_standard_end },
		{ cv_embed_strict, cv_embed_strict_end },
	};

	for (size_t i = 0; i < CV_COUNT(presets); i++)
		if (strcmp(name, cv_preset_names[i]) == 0)
			return cv_span(presets[i].start,
				       (size_t)(presets[i].end - presets[i].start));
	return cv_span(NULL, 0);
}

struct cv_span
cv_embed_root(void)
{
	return cv_span(cv_embed_root_data, (size_t)(cv_embed_root_data_end - cv_embed_root_data));
}
