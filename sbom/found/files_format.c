/* SPDX-License-Identifier: Apache-2.0 */
/* files_format.c: see files_format.h. Must never call a file data because of its
 * name alone. */
#include "sbom/found/files_format.h"
#include "sbom/found/gguf.h"
#include "sbom/found/pickle.h"
#include "sbom/found/safetensors.h"
#include "sbom/found/window.h"
#include "trust/base/enc.h"

#include <string.h>

#include "trust/base/banned.h"

#define HEAD 65536

/* ---- by magic bytes ---- */

struct magic {
	size_t at, n;
	const char *bytes;
	enum cv_format_kind kind;
	bool sealed;
	const char *word;
};

#define CODE CV_FORMAT_CODE, false
#define DATA CV_FORMAT_DATA, false
#define NO   CV_FORMAT_REFUSED, false
#define SEAL CV_FORMAT_REFUSED, true

static const struct magic magics[] = {
	{ 0, 4, "\177ELF", CODE, "a Linux program or library" },
	{ 0, 4, "\xfe\xed\xfa\xce", CODE, "a macOS program or library" },
	{ 0, 4, "\xfe\xed\xfa\xcf", CODE, "a macOS program or library" },
	{ 0, 4, "\xce\xfa\xed\xfe", CODE, "a macOS program or library" },
	{ 0, 4, "\xcf\xfa\xed\xfe", CODE, "a macOS program or library" },
	{ 0, 4, "\xca\xfe\xba\xbe", CODE, "a macOS program or Java class" },
	{ 0, 4, "\0asm", CODE, "a WebAssembly program" },
	{ 0, 4, "dex\n", CODE, "an Android program" },
	{ 0, 2, "#!", CODE, "a script" },
	{ 0, 4, "PK\3\4", NO, "a zip archive" },
	{ 0, 4, "PK\5\6", NO, "a zip archive" },
	{ 0, 4, "PK\7\10", NO, "a zip archive" },
	{ 0, 8, "\x89HDF\r\n\x1a\n", NO, "HDF5 (Keras), which can hold code" },
	{ 4, 4, "TFL3", NO, "a TensorFlow Lite program" },
	{ 4, 4, "ET12", NO, "an ExecuTorch program" },
	{ 0, 4, "RKNN", NO, "an RKNN program" },
	{ 0, 4, "lmgg", NO, "an old GGML file, which has no bounds" },
	{ 0, 4, "fmgg", NO, "an old GGML file, which has no bounds" },
	{ 0, 4, "tjgg", NO, "an old GGML file, which has no bounds" },
	{ 0, 16, "SQLite format 3", NO, "an SQLite database" },
	{ 0, 4, "PAR1", NO, "a Parquet table" },
	{ 0, 5, "%PDF-", NO, "a PDF document" },
	{ 257, 5, "ustar", NO, "a tar archive" },
	{ 0, 2, "\x1f\x8b", NO, "compressed by gzip" },
	{ 0, 3, "BZh", SEAL, "compressed by bzip2" },
	{ 0, 6,
	  "\xfd"
	  "7zXZ\0",
	  SEAL, "compressed by xz" },
	{ 0, 4, "\x28\xb5\x2f\xfd", SEAL, "compressed by zstd" },
	{ 0, 4, "\x04\x22\x4d\x18", SEAL, "compressed by lz4" },
	{ 0, 6, "7z\xbc\xaf\x27\x1c", SEAL, "a 7z archive" },
	{ 0, 4, "Rar!", SEAL, "a RAR archive" },
	{ 0, 4, "MSCF", SEAL, "a cabinet archive" },
	{ 0, 8, "!<arch>\n", NO, "an ar archive" },
	{ 0, 8, "\x89PNG\r\n\x1a\n", DATA, "an image" },
	{ 0, 3, "\xff\xd8\xff", DATA, "an image" },
	{ 0, 6, "GIF87a", DATA, "an image" },
	{ 0, 6, "GIF89a", DATA, "an image" },
	{ 0, 4, "RIFF", DATA, "an image or a sound" },
	{ 0, 4, "OggS", DATA, "a sound" },
	{ 0, 4, "fLaC", DATA, "a sound" },
	{ 0, 3, "ID3", DATA, "a sound" },
	{ 4, 4, "ftyp", DATA, "a film or a sound" },
	{ 0, 6, "\x93NUMPY", DATA, "a numpy array" },
};

/* Fonts are no part of a model; a skill may carry them. */
static const struct magic fonts[] = {
	{ 0, 5, "\0\1\0\0\0", NO, "a font" }, { 0, 4, "OTTO", NO, "a font" },
	{ 0, 4, "wOFF", NO, "a font" },       { 0, 4, "wOF2", NO, "a font" },
	{ 0, 4, "\0\0\1\0", NO, "an icon" },  { 0, 4, "\0\1\0\0", NO, "a font" },
};

static const struct magic *
by_magic(struct cv_span head, const struct magic *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (head.n >= m[i].at + m[i].n && memcmp(head.p + m[i].at, m[i].bytes, m[i].n) == 0)
			return &m[i];
	return NULL;
}

/* "MZ" begins many a text: a program has a header of 64 bytes that points to
 * "PE", or calls itself a portable one. */
static bool
windows_program(struct cv_span head)
{
	struct cv_span at;
	uint32_t pe;

	if (!cv_span_has_prefix(head, "MZ"))
		return false;
	if (cv_span_has_prefix(head, "MZqFpD"))
		return true;
	if (head.n < 64)
		return false;
	at = cv_span(head.p + 60, 4);
	pe = cv_span_u32le(&at);
	return pe > head.n - 4 || memcmp(head.p + pe, "PE\0\0", 4) == 0;
}

/* The old lzma format has no magic: properties as every writer sets them, a
 * dictionary of 2^n or 2^n + 2^(n-1) bytes, and a size that is unknown or sane
 * (liblzma, lzma-file-format.txt). */
static bool
lzma_alone(struct cv_span head)
{
	uint8_t properties = cv_span_u8(&head);
	uint32_t dict = cv_span_u32le(&head), low = dict & -dict;
	uint64_t size = cv_span_u64le(&head);

	return !head.bad && properties == 0x5d && dict >= 4096 &&
	       (dict == low || dict == 3 * low) && (size == UINT64_MAX || size < 1ull << 38);
}

/* ---- by the ending of the name ---- */

static const char *const code_ends[] = {
	".py",  ".pyc", ".pyo",   ".pyd",  ".pyw", ".pyx", ".so",  ".dll",  ".dylib", ".exe",
	".com", ".sh",  ".bash",  ".zsh",  ".bat", ".cmd", ".ps1", ".psm1", ".vbs",   ".js",
	".mjs", ".cjs", ".ts",    ".rb",   ".pl",  ".php", ".lua", ".jar",  ".class", ".wasm",
	".egg", ".whl", ".ipynb", ".scpt", ".ko",  ".a",   ".o",
};

static const struct {
	const char *end, *word;
} refused_ends[] = {
	{ ".bin", "torch or raw weights" },
	{ ".pt", "torch weights" },
	{ ".pth", "torch weights, or a Python path file" },
	{ ".ckpt", "torch weights" },
	{ ".pkl", "a pickle" },
	{ ".pickle", "a pickle" },
	{ ".joblib", "a joblib pickle" },
	{ ".dill", "a pickle" },
	{ ".h5", "HDF5 (Keras), which can hold code" },
	{ ".hdf5", "HDF5 (Keras), which can hold code" },
	{ ".keras", "Keras, which can hold code" },
	{ ".pb", "a TensorFlow program" },
	{ ".onnx", "ONNX" },
	{ ".tflite", "a TensorFlow Lite program" },
	{ ".mlmodel", "CoreML" },
	{ ".engine", "a TensorRT program" },
	{ ".plan", "a TensorRT program" },
	{ ".nemo", "NeMo, which can hold code" },
	{ ".npz", "numpy arrays in a zip archive" },
	{ ".msgpack", "Flax weights" },
	{ ".mar", "a TorchServe archive" },
	{ ".llamafile", "a program" },
	{ ".pmml", "PMML" },
	{ ".skops", "skops" },
	{ ".pte", "an ExecuTorch program" },
	{ ".ggml", "an old GGML file, which has no bounds" },
};

static const char *const text_ends[] = {
	".md",   ".markdown", ".txt",  ".text", ".rst",   ".json",  ".jsonl",   ".jsonc", ".yaml",
	".yml",  ".toml",     ".ini",  ".cfg",  ".conf",  ".csv",   ".tsv",     ".xml",   ".html",
	".htm",  ".svg",      ".css",  ".tex",  ".py",    ".js",    ".mjs",     ".cjs",   ".ts",
	".tsx",  ".jsx",      ".sh",   ".bash", ".zsh",   ".ps1",   ".bat",     ".cmd",   ".rb",
	".pl",   ".php",      ".lua",  ".go",   ".rs",    ".c",     ".h",       ".cc",    ".cpp",
	".java", ".kt",       ".cs",   ".sql",  ".r",     ".jinja", ".jinja2",  ".j2",    ".prompt",
	".mdc",  ".env",      ".lock", ".diff", ".patch", ".proto", ".graphql", ".ipynb", ".mdx",
};

/* What lies behind the last dot of the last component, in lower case; "" if
 * nothing does. A name that begins with its only dot has no ending. */
static const char *
ending(const char *name, char out[16])
{
	const char *base = strrchr(name, '/'), *dot;
	size_t n;

	base = base != NULL ? base + 1 : name;
	dot = strrchr(base, '.');
	n = dot == NULL || dot == base ? 0 : strlen(dot);
	if (n >= 16)
		n = 0;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(dot[i] >= 'A' && dot[i] <= 'Z' ? dot[i] + 32 : dot[i]);
	out[n] = '\0';
	return out;
}

static bool
listed(const char *end, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(end, list[i]) == 0)
			return true;
	return false;
}

/* libfoo.so.1.2: the ending is not the last one */
static bool
versioned_library(const char *name)
{
	const char *so = strstr(name, ".so.");

	return so != NULL && so[4 + strspn(so + 4, "0123456789.")] == '\0';
}

static const char *
refused_end(const char *end)
{
	for (size_t i = 0; i < CV_COUNT(refused_ends); i++)
		if (strcmp(end, refused_ends[i].end) == 0)
			return refused_ends[i].word;
	return NULL;
}

/* ---- by structure ---- */

/* Text of one byte a character or UTF-8: no control but the usual ones. */
static bool
text_head(struct cv_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == 0x7f || (s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\r' &&
				       s.p[i] != '\t' && s.p[i] != '\f'))
			return false;
	return true;
}

/* varint: at most ten bytes (protobuf's encoding guide) */
static bool
varint(struct cv_window *w, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = cv_window_u8(w);

		*ret |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return !w->bad;
	}
	return false;
}

/* A sentencepiece model: messages numbered 1 (pieces) to 5, nothing else, to the
 * last byte. */
static bool
sentencepiece(struct cv_window *w)
{
	uint64_t tag, n, pieces = 0;

	while (cv_window_fill(w)) {
		if (!varint(w, &tag) || (tag & 7) != 2 || tag >> 3 < 1 || tag >> 3 > 5)
			return false;
		if (!varint(w, &n) || n > cv_window_left(w))
			return false;
		cv_window_skip(w, n);
		pieces += tag >> 3 == 1;
	}
	return pieces > 0 && !w->bad;
}

/* ---- the answer ---- */

static void
set(struct cv_format *f, enum cv_format_kind kind, const char *word)
{
	f->kind = kind;
	f->word = word;
}

/* Weights: by name, so that a broken file is called broken; else by content. */
static bool
weights(struct cv_format *f, const char *end, struct cv_span head)
{
	bool named = strcmp(end, ".safetensors") == 0 || strcmp(end, ".gguf") == 0;
	bool gguf = strcmp(end, ".gguf") == 0 || (!named && cv_gguf_like(head));

	if (!named && !gguf && !cv_safetensors_like(head))
		return false;
	set(f, gguf ? CV_FORMAT_GGUF : CV_FORMAT_SAFETENSORS, gguf ? "GGUF" : "safetensors");
	if (!named && (refused_end(end) != NULL || listed(end, code_ends, CV_COUNT(code_ends)) ||
		       listed(end, text_ends, CV_COUNT(text_ends))))
		set(f, CV_FORMAT_REFUSED,
		    gguf ? "GGUF under the name of something else"
			 : "safetensors under the name of something else");
	return true;
}

static void
by_content(struct cv_format *f, const char *name, const char *end, struct cv_window *w)
{
	static const struct magic lzma = { 0, 0, "", SEAL, "compressed by lzma" };
	struct cv_span head = cv_window_look(w, HEAD);
	const struct magic *m = by_magic(head, magics, CV_COUNT(magics));
	bool text = text_head(head);

	if (weights(f, end, head))
		return;
	if (m == NULL && lzma_alone(head))
		m = &lzma;
	f->text = text && head.n > 0;
	f->sealed = m != NULL && m->sealed;
	if (m != NULL && m->kind == CV_FORMAT_CODE)
		set(f, CV_FORMAT_CODE, m->word);
	else if (windows_program(head))
		set(f, CV_FORMAT_CODE, "a Windows program or a llamafile");
	else if (listed(end, code_ends, CV_COUNT(code_ends)) || versioned_library(name))
		set(f, CV_FORMAT_CODE, "a program by its name");
	else if (refused_end(end) != NULL)
		set(f, CV_FORMAT_REFUSED, refused_end(end));
	else if (m != NULL)
		set(f, m->kind, m->word);
	else if (text)
		set(f, CV_FORMAT_DATA, "text");
	else if (strcmp(end, ".model") == 0 && sentencepiece(w))
		set(f, CV_FORMAT_DATA, "a tokenizer");
	else
		set(f, CV_FORMAT_REFUSED, "of an unknown format");
}

int
cv_format_of(struct cv_format *ret, const char *name, struct cv_blob blob, struct cv_err *e)
{
	char buf[16];
	struct cv_window w;
	bool zip = false;

	*ret = (struct cv_format){ .kind = CV_FORMAT_REFUSED, .word = "of an unknown format" };
	cv_window_open(&w, blob);
	by_content(ret, name, ending(name, buf), &w);
	if (w.err.reason != CV_R_NONE)
		return cv_window_ok(&w, "looking at the format", "", e);
	if (ret->kind == CV_FORMAT_REFUSED)
		return 0;
	if (cv_zip_tail(&zip, blob, e) != 0)
		return -1;
	if (zip && ret->kind != CV_FORMAT_CODE)
		set(ret, CV_FORMAT_REFUSED, "a zip archive behind something else");
	return 0;
}

int
cv_format_readable(bool *ret, const char *name, struct cv_blob blob, struct cv_err *e)
{
	char buf[16];
	const char *end = ending(name, buf);
	const struct magic *m;
	struct cv_window w;
	struct cv_span head;
	bool nul;

	if (listed(end, text_ends, CV_COUNT(text_ends))) {
		*ret = true;
		return 0;
	}
	cv_window_open(&w, blob);
	head = cv_window_look(&w, HEAD);
	if (w.err.reason != CV_R_NONE)
		return cv_window_ok(&w, "looking at the format", "", e);
	m = by_magic(head, magics, CV_COUNT(magics));
	if (m == NULL)
		m = by_magic(head, fonts, CV_COUNT(fonts));
	nul = head.n > 0 && memchr(head.p, '\0', head.n) != NULL;
	if (m != NULL && (nul || !cv_utf8_valid(head)))
		*ret = false;
	else
		*ret = end[0] == '\0' || !nul;
	return 0;
}
