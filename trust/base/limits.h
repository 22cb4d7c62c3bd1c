/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h: every maximum in one place. Content that exceeds one is refused
 * with CV_R_LIMIT (exit 1) and the number; nothing is ever cut silently.
 */
#ifndef CV_LIMITS_H
#define CV_LIMITS_H

#define CV_KIB (1024ull)
#define CV_MIB (1024ull * 1024)
#define CV_GIB (1024ull * 1024 * 1024)

/* frames and workers */
#define CV_MAX_FRAME           (64 * 1024)  /* bytes of one frame */
#define CV_MAX_FRAME_FDS       2            /* descriptors in one frame */
#define CV_MAX_WORKER_FRAMES   5000000      /* frames one worker may send */
#define CV_MAX_WORKER_NEEDS    4096         /* needs one worker may state */
#define CV_MAX_WORKER_FINDINGS 10000        /* findings one worker may state */
#define CV_MAX_WORKER_MEMORY   (1 * CV_GIB) /* RLIMIT_AS of a worker */

/* JSON */
#define CV_MAX_JSON_DEPTH  64
#define CV_MAX_JSON_NODES  400000
#define CV_MAX_JSON_MANY   1600000       /* nodes, with CV_JSON_LARGE */
#define CV_MAX_JSON_DOM    (4 * CV_MIB)  /* larger documents are streamed */
#define CV_MAX_JSON_LARGE  (16 * CV_MIB) /* with CV_JSON_LARGE */
#define CV_MAX_JSON_STRING (1 * CV_MIB)
#define CV_MAX_HUMAN_FILE  (1 * CV_MIB) /* agent.json, policy.json */
#define CV_MAX_LOCK_FILE   (4 * CV_MIB)
#define CV_MAX_LIST_ITEMS  4096 /* of one list in our own files */
#define CV_MAX_ANNOTATIONS 32   /* that policy wants of a signature */
#define CV_MAX_ANNOTATION  1024 /* bytes of a key or a value of one */
#define CV_MAX_GLOB        512  /* characters of a pattern */

/* OCI (distribution-spec, image-spec; common practice of clients) */
#define CV_MAX_MANIFEST       (4 * CV_MIB)
#define CV_MAX_CONFIG         (4 * CV_MIB)
#define CV_MAX_LAYERS         256
#define CV_MAX_INDEX_ENTRIES  1024
#define CV_MAX_INDEX_DEPTH    2
#define CV_MAX_REFERRERS      256
#define CV_MAX_REFERRER_PAGES 16
#define CV_MAX_SIGNATURES     100
#define CV_MAX_TOKEN_BODY     (64 * CV_KIB)
#define CV_MAX_REF            512

/* evidence */
#define CV_MAX_BUNDLE          (16 * CV_MIB)
#define CV_MAX_ENVELOPE        (64 * CV_MIB)
#define CV_MAX_KEY_PEM         (64 * CV_KIB)
#define CV_MAX_KEYS            256 /* keys of one trust task */
#define CV_MAX_ROOTS           8   /* trust roots of one trust task */
#define CV_MAX_TOOLS           32  /* allowed_signers and keys of other programs, in one policy */
#define CV_MAX_TOOL_FILE       (1024 * 1024)
#define CV_MAX_IDENTITIES      256            /* of one trust task */
#define CV_MAX_TRUST_ROOT      (1 * CV_MIB)   /* one trusted_root.json */
#define CV_MAX_IDENTITY_TEXT   (16 * CV_KIB)  /* one identity, as policy says it */
#define CV_MAX_SIGNATURE       (8 * CV_KIB)   /* bytes of one raw signature */
#define CV_MAX_TLOG_ENTRIES    32             /* of one bundle; timestamps too */
#define CV_MAX_PURE_MESSAGE    (256 * CV_MIB) /* Ed25519 needs all bytes at once */
#define CV_MAX_EVIDENCE_ITEMS  256            /* of one blob */
#define CV_MAX_EVIDENCE_BYTES  (128 * CV_MIB)
#define CV_MAX_SUBJECTS        1024
#define CV_MAX_SUBJECT_DIGESTS 32
#define CV_MAX_PREDICATE_TYPE  1000 /* bytes */

/* TUF (specification 1.0.34; sizes as the common clients have them) */
#define CV_MAX_TUF_ROOT       (512 * CV_KIB)
#define CV_MAX_TUF_ROOTS      256 /* new roots in one refresh */
#define CV_MAX_TUF_TIMESTAMP  (16 * CV_KIB)
#define CV_MAX_TUF_SNAPSHOT   (2 * CV_MIB)
#define CV_MAX_TUF_TARGETS    CV_MAX_JSON_LARGE
#define CV_MAX_TUF_KEYIDS     256  /* of one role */
#define CV_MAX_TUF_SIGNATURES 256  /* of one file */
#define CV_MAX_TUF_ROLES      32   /* visited in one search */
#define CV_MAX_TUF_NAME       1024 /* bytes of a role's or target's name */

/* archives and layers */
#define CV_MAX_LAYER_BYTES     (64 * CV_GIB)
#define CV_MAX_UNPACKED_BYTES  (256 * CV_GIB)
#define CV_MAX_UNPACK_RATIO    200     /* over any 64 MiB of output */
#define CV_MAX_ENTRIES         4000000 /* of an image */
#define CV_MAX_PACKAGE_ENTRIES 100000  /* of a tgz or zip package */
#define CV_MAX_PACKAGE_BYTES   (4 * CV_GIB)
#define CV_MAX_PATH            4096
#define CV_MAX_COMPONENT       255
#define CV_MAX_PATH_DEPTH      256
#define CV_MAX_PAX             (1 * CV_MIB)

/* trees of local files */
#define CV_MAX_TREE_FILES 100000

/* models (models.md 3) */
#define CV_MAX_SAFETENSORS_HEADER   (100 * CV_MIB)
#define CV_MAX_TENSORS              1000000
#define CV_MAX_TENSOR_NAME          1024 /* bytes */
#define CV_MAX_TENSOR_DIMS          64
#define CV_MAX_SAFETENSORS_METADATA (1 * CV_MIB)
#define CV_MAX_GGUF_TENSORS         (16 * 65536)
#define CV_MAX_GGUF_KV              1000000
#define CV_MAX_GGUF_STRING          (1 * CV_GIB)
#define CV_MAX_GGUF_ARRAY           (1 * CV_GIB) /* elements: 2^30 */
#define CV_MAX_GGUF_KEY             65535
#define CV_MAX_GGUF_ALIGN           (1 * CV_MIB)
#define CV_MAX_GGUF_BLOCKS          512    /* transformer blocks that a header may claim */
#define CV_MAX_MEMBERS              100000 /* archive members looked at for pickles */
#define CV_MAX_CHECK_FINDINGS       20     /* failing, of one check id in one task */

/* SBOM and advisories */
#define CV_MAX_SBOM            (64 * CV_MIB)
#define CV_MAX_COMPONENTS      200000
#define CV_MAX_PURL            4096
#define CV_MAX_PURL_QUALIFIERS 32
#define CV_MAX_COMPONENT_TEXT  4096         /* bytes of a component's name, version, id */
#define CV_MAX_VERSION         1024         /* bytes of a version that is compared */
#define CV_MAX_SBOM_KEYS       400000       /* keys of open objects while streaming */
#define CV_MAX_ADVISORY        (4 * CV_MIB) /* one OSV record */
#define CV_MAX_ADVISORIES      4000000
#define CV_MAX_ADVISORY_BYTES  (16 * CV_GIB) /* of one import, unpacked */
#define CV_MAX_VULN_FINDINGS   50            /* of one check id; the rest is counted */
#define CV_MAX_ADVISORY_DB     (4 * CV_GIB)

/* time */
#define CV_CLOCK_SKEW 60 /* seconds that a verdict may seem to come from the future */

/* network */
#define CV_MAX_REDIRECTS     5
#define CV_MAX_TRIES         5
#define CV_MAX_RETRY_WAIT    60            /* seconds */
#define CV_MAX_URL           8192          /* bytes; presigned ones are long */
#define CV_MAX_HTTP_HEADER   (64 * CV_KIB) /* of one answer, all lines */
#define CV_MAX_HTTP_FIELD    (16 * CV_KIB) /* one field of it */
#define CV_MAX_CA_BYTES      (8 * CV_MIB)  /* certificate authorities, PEM */
#define CV_MAX_HELPER_OUTPUT (64 * CV_KIB)

#endif
