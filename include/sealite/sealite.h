#pragma once

/*
 * Sealite's C interface: all that a binding for another language needs. Plain C99; docs/c-api.md has the
 * rules of the ABI and a complete program.
 *
 * - Functions that return `int` return 0 or a `sealite_error_code`; no exception leaves them.
 *   `sealite_last_error` then says in one line what was wrong.
 * - Texts are UTF-8 and end with NUL. A file's path goes to the system as it is.
 * - Structs begin with `struct_size`, which the caller sets to sizeof(the struct). All else may be zero,
 * which is the default.
 * - Buffers are the caller's: a pointer, how much fits, and where the needed amount is written, the NUL
 *   counted. NULL with room for 0 asks for the amount alone. A buffer that is too small is SEALITE_USAGE:
 *   nothing is written to it, and the amount is.
 * - Handles that an `_open` function gives belong to the caller until `_close`, which takes NULL too. If it
 *   fails, the handle is NULL. What a call is given has to stay for that call only, if it says nothing else.
 * - Distinct handles may be used on distinct threads. A detector or an embedder is for one call at a time: a
 *   second one meanwhile is SEALITE_USAGE. Contexts, candidates and reports may be used by several at once.
 */

/* NOLINTBEGIN: what C asks for is not what C++ would have */
#include <stddef.h>
#include <stdint.h>

#define SEALITE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version and errors */

/* Also the exit statuses of the command `sealite`. */
typedef enum sealite_error_code {
  SEALITE_OK = 0,
  SEALITE_USAGE = 64,       /* The caller asked for something that makes no sense. */
  SEALITE_MALFORMED = 65,   /* The input's bytes are broken, contradictory or hostile. */
  SEALITE_NOT_FOUND = 66,   /* An input cannot be opened. */
  SEALITE_UNSUPPORTED = 69, /* A sound input that Sealite does not handle, or no LiteRT. */
  SEALITE_INTERNAL = 70,    /* A defect in Sealite or in LiteRT. */
  SEALITE_NO_MEMORY = 71,
  SEALITE_IO = 74,          /* Reading or writing failed. */
  SEALITE_TIMEOUT = 75,     /* Not from this library; the command line's --timeout. */
  SEALITE_MISMATCH = 78,    /* A checkpoint does not fit its card, or two inputs each other. */
  SEALITE_INTERRUPTED = 130 /* The cancel callback said so. */
} sealite_error_code;

/* "MAJOR.MINOR.PATCH"; never freed. */
SEALITE_API const char* sealite_version(void);
/* "usage", "malformed", ...; "ok" for 0, "unknown" for what is no code. */
SEALITE_API const char* sealite_error_name(int code);
/* What this thread's last failed call said; empty before one. Valid until this thread's next failure. */
SEALITE_API const char* sealite_last_error(void);

/* ---- Context: what a host hands over */

typedef struct sealite_context sealite_context;

typedef enum sealite_log_level { SEALITE_LOG_INFO = 0, SEALITE_LOG_WARNING = 1 } sealite_log_level;

/* Callbacks may come from any thread, also several at once, must return by themselves (no exception, no
 * longjmp), and call no function of the handle that they come from. Texts are valid during the callback. */

/* One line without its end: what LiteRT says, what of a file was passed over. */
typedef void (*sealite_log_callback)(void* user, int32_t level, const char* line);
/* How far `step` has come, in its own unit; `total` is 0 where nobody knows it. An empty `step`: over. */
typedef void (*sealite_progress_callback)(void* user, const char* step, uint64_t done, uint64_t total);
/* Asked some milliseconds apart; not 0 ends the call with SEALITE_INTERRUPTED, and no file is left. */
typedef int32_t (*sealite_cancel_callback)(void* user);

typedef struct sealite_context_options {
  size_t struct_size;
  int64_t threads; /* One call may use so many, the caller's among them; 0: 1. No result depends on it. */
  const char* cache_folder;   /* Where packed weights are kept (docs/performance.md); NULL: nowhere. */
  const char* litert_library; /* libLiteRt.so to load; NULL: searched (docs/pipeline.md). */
  sealite_log_callback log;   /* Each callback may be NULL. */
  sealite_progress_callback progress;
  sealite_cancel_callback cancelled;
  void* user; /* Handed to the callbacks; stays as long as the context and every handle opened with it. */
} sealite_context_options;

/* Functions that take a context take NULL too: one thread, silent, nothing kept on disk. A handle opened with
 * a context holds a copy of it: the context may be closed before. */
SEALITE_API int sealite_context_open(const sealite_context_options* options, sealite_context** context);
SEALITE_API void sealite_context_close(sealite_context* context);

/* ---- Pixels */

/* 8 bits a sample, in the order of the name; alpha is neither looked at nor written. */
typedef enum sealite_pixel_format {
  SEALITE_RGB = 0,
  SEALITE_BGR = 1,
  SEALITE_RGBA = 2,
  SEALITE_BGRA = 3,
  SEALITE_GREY = 4,
  SEALITE_I420 = 5, /* Planes of Y, U and V; width and height are even. */
  SEALITE_NV12 = 6  /* A plane of Y, and one of U and V in turns. */
} sealite_pixel_format;

typedef enum sealite_yuv_matrix { SEALITE_BT601 = 0, SEALITE_BT709 = 1 } sealite_yuv_matrix;

/* A picture in the caller's memory, upright, row by row from the top. */
typedef struct sealite_pixels {
  size_t struct_size;
  int32_t format;     /* sealite_pixel_format */
  int32_t matrix;     /* sealite_yuv_matrix; I420 and NV12 alone */
  int32_t full_range; /* Y, U and V use all 256 values, not 16 to 235 (240). */
  int32_t reserved;   /* 0 */
  int64_t width;      /* in pixels */
  int64_t height;
  const uint8_t* planes[3]; /* The first one alone, but for I420 (3) and NV12 (2). */
  int64_t strides[3];       /* Bytes from one row to the next; 0: rows follow each other. */
} sealite_pixels;

/* The same, to be written to. */
typedef struct sealite_mutable_pixels {
  size_t struct_size;
  int32_t format;
  int32_t matrix;
  int32_t full_range;
  int32_t reserved;
  int64_t width;
  int64_t height;
  uint8_t* planes[3];
  int64_t strides[3];
} sealite_mutable_pixels;

/* ---- Models that are run */

typedef struct sealite_model_options {
  size_t struct_size;
  int64_t inference_threads; /* For the model alone; 0: the context's. */
} sealite_model_options;

typedef enum sealite_cache_use {
  SEALITE_CACHE_OFF = 0,  /* No cache: not wanted, not possible, or a model below 8 MiB. */
  SEALITE_CACHE_MADE = 1, /* The weights were packed, and kept for later starts. */
  SEALITE_CACHE_HIT = 2   /* An earlier start had packed them. */
} sealite_cache_use;

typedef struct sealite_model_info {
  size_t struct_size;
  size_t bits;             /* Of a message. */
  int64_t image_size;      /* Height in pixels that the model reads; pictures may have any size. */
  int32_t fully_delegated; /* 1: XNNPACK took every operator. */
  int32_t cache_use;       /* sealite_cache_use */
} sealite_model_info;

/* ---- Detector: reads messages */

typedef struct sealite_detector sealite_detector;

/* Checks a .tflite file, then loads it into LiteRT. `options` may be NULL. SEALITE_NOT_FOUND, _MALFORMED,
 * _MISMATCH (no detector), _UNSUPPORTED (no LiteRT, not made by Sealite), _NO_MEMORY. */
SEALITE_API int sealite_detector_open(const sealite_context* context, const char* path,
                                      const sealite_model_options* options, sealite_detector** detector);
/* The same for a file in memory, which has to stay, unchanged, until the handle is closed: it is not copied,
 * and 64 more bytes behind it may be read unless it ends with 64 zeros, as Sealite's models do. */
SEALITE_API int sealite_detector_open_bytes(const sealite_context* context, const void* bytes, size_t size,
                                            const sealite_model_options* options,
                                            sealite_detector** detector);
/* The same for an open regular file, from its beginning; the descriptor stays the caller's and may be closed
 * after. */
SEALITE_API int sealite_detector_open_fd(const sealite_context* context, int descriptor,
                                         const sealite_model_options* options, sealite_detector** detector);
SEALITE_API void sealite_detector_close(sealite_detector* detector);
SEALITE_API int sealite_detector_info(const sealite_detector* detector, sealite_model_info* info);

/* What a detector reads in one picture. The buffers are checked before the model runs. */
typedef struct sealite_detection {
  size_t struct_size;
  float* logits;          /* in: buffer [1 + bits]; column 0 is the unused detection bit. */
  size_t logits_capacity; /* in: floats */
  size_t logits_count;    /* out: 1 + bits */
  char* message; /* in: buffer for hexadecimal; first bit = most significant bit of the first digit. */
  size_t message_capacity; /* in: bytes */
  size_t message_size;     /* out: bytes, the NUL counted */
  size_t ones;             /* out: how many bits are 1 */
} sealite_detection;

/* Reads one picture of any size. SEALITE_USAGE for pixels that are none, SEALITE_MALFORMED if the model gives
 * NaN. */
SEALITE_API int sealite_detect(sealite_detector* detector, const sealite_pixels* picture,
                               sealite_detection* detection);
/* Reads `count` pictures of any sizes; the next is resized while one is in the model, if there is a second
 * thread. If it fails, no detection's content is defined. */
SEALITE_API int sealite_detect_batch(sealite_detector* detector, const sealite_pixels* const* pictures,
                                     size_t count, sealite_detection* const* detections);

/* ---- Messages and payloads */

/* The message to embed or to look for, in hexadecimal. `words` is "id:N" (decimal or 0x...), "text:STRING",
 * or hexadecimal, which is checked and comes back in lower case. `key` (may be NULL) whitens ids and texts.
 * SEALITE_USAGE if it does not fit a model of `bits` bits (1 to 65536). */
SEALITE_API int sealite_message_hex(const char* words, size_t bits, const char* key, char* buffer,
                                    size_t capacity, size_t* needed);
/* A random message. Each call makes another: use a buffer of (bits + 3) / 4 + 1 bytes at once. */
SEALITE_API int sealite_random_message_hex(size_t bits, char* buffer, size_t capacity, size_t* needed);
/* What a model of `bits` bits can carry besides raw bits: ids below 2^id_bits, texts of so many bytes; 0
 * below 64 and above 1024 bits. */
SEALITE_API int sealite_payload_capacity(size_t bits, size_t* id_bits, size_t* text_bytes);

typedef enum sealite_payload_kind {
  SEALITE_PAYLOAD_NONE = 0,
  SEALITE_PAYLOAD_ID = 1,
  SEALITE_PAYLOAD_TEXT = 2
} sealite_payload_kind;

/* A payload read back (docs/payload.md). */
typedef struct sealite_payload {
  size_t struct_size;
  int32_t kind;          /* out: sealite_payload_kind; NONE: what was read is no payload, and no error. */
  uint32_t version;      /* out */
  uint64_t id;           /* out, for ID */
  char* text;            /* in: buffer, for TEXT */
  size_t text_capacity;  /* in: bytes */
  size_t text_size;      /* out: bytes, the NUL counted; 0 for others */
  size_t corrected_bits; /* out: how many of the model's bits were read wrongly */
  double false_positive; /* out: bound on an unmarked picture giving any payload that agrees as well */
  double log10_false_positive; /* out: also where that underflows */
} sealite_payload;

/* The id or text in `logits` [count] = [1 + bits], as `sealite_detect` gives them. `key` may be NULL. */
SEALITE_API int sealite_payload_decode(const float* logits, size_t count, const char* key,
                                       sealite_payload* payload);

/* How a detection agrees with an expected message. */
typedef struct sealite_message_match {
  size_t struct_size;
  size_t matches;
  size_t bits;
  double p_value; /* Probability that an unmarked picture agrees at least as well (one-sided binomial). */
  double log10_p_value;
} sealite_message_match;

/* Compares `logits` [1 + bits] with a message, as `sealite_message_hex` takes it. */
SEALITE_API int sealite_match(const float* logits, size_t count, const char* expected, const char* key,
                              sealite_message_match* match);

/* A list of messages that a picture may carry. */
typedef struct sealite_candidates sealite_candidates;

/* Reads a text file: on each line a message, as `sealite_message_hex` takes it, and, behind white space, a
 * label. SEALITE_NOT_FOUND, _IO, _MALFORMED with the line's number. */
SEALITE_API int sealite_candidates_open(const sealite_context* context, const char* path, size_t bits,
                                        const char* key, sealite_candidates** candidates);
SEALITE_API void sealite_candidates_close(sealite_candidates* candidates);

/* The candidate that agrees best. */
typedef struct sealite_candidate {
  size_t struct_size;
  char* message;           /* in: buffer for hexadecimal */
  size_t message_capacity; /* in: bytes */
  size_t message_size;     /* out: bytes, the NUL counted */
  char* label;             /* in: buffer */
  size_t label_capacity;   /* in: bytes */
  size_t label_size;       /* out: bytes, the NUL counted */
  size_t line;             /* out: where it stands in the list, from 1 */
  size_t candidates;       /* out: how many different ones there are */
  size_t matches;          /* out: bits that agree */
  size_t bits;             /* out */
  double p_value; /* out: for so many candidates: that of this one alone times their number, at most 1 */
  double log10_p_value; /* out */
} sealite_candidate;

/* SEALITE_USAGE if `logits` [count] are not the list's bits and one more. */
SEALITE_API int sealite_candidates_best(const sealite_candidates* candidates, const float* logits,
                                        size_t count, sealite_candidate* best);

/* ---- Embedder: marks pictures */

typedef struct sealite_embedder sealite_embedder;

/* As their twins of the detector; SEALITE_MISMATCH for a detector's file. */
SEALITE_API int sealite_embedder_open(const sealite_context* context, const char* path,
                                      const sealite_model_options* options, sealite_embedder** embedder);
SEALITE_API int sealite_embedder_open_bytes(const sealite_context* context, const void* bytes, size_t size,
                                            const sealite_model_options* options,
                                            sealite_embedder** embedder);
SEALITE_API int sealite_embedder_open_fd(const sealite_context* context, int descriptor,
                                         const sealite_model_options* options, sealite_embedder** embedder);
SEALITE_API void sealite_embedder_close(sealite_embedder* embedder);
SEALITE_API int sealite_embedder_info(const sealite_embedder* embedder, sealite_model_info* info);

typedef enum sealite_attenuation {
  SEALITE_ATTENUATION_CARD = 0, /* Weaker where it would be seen, as the model's card says. */
  SEALITE_ATTENUATION_NONE = 1, /* Nowhere weaker. */
  SEALITE_ATTENUATION_LOWRES =
      2 /* As the card says, by the picture as the model reads it: faster, a little coarser. */
} sealite_attenuation;

typedef struct sealite_embed_options {
  size_t struct_size;
  double strength;     /* Multiplies the watermark, up to 100; 0: 1. */
  int32_t attenuation; /* sealite_attenuation */
  int32_t metrics;     /* 1: fill the report, as much work as marking. */
} sealite_embed_options;

/* What marking changed: NaN where it was not asked for or cannot be said. */
typedef struct sealite_embed_report {
  size_t struct_size;
  double psnr; /* dB over all RGB values, before lossy coding; infinite if nothing changed */
  double ssim; /* Mean structural similarity of the luma; none below 11 pixels a side */
} sealite_embed_report;

/* Marks `picture` into `marked`, which has the same format and size, or is the very same memory. `message` is
 * hexadecimal. `options` and `report` may be NULL. SEALITE_USAGE for another length of message and for pixels
 * that do not fit, SEALITE_MALFORMED if the model gives NaN. */
SEALITE_API int sealite_embed(sealite_embedder* embedder, const sealite_pixels* picture,
                              const sealite_mutable_pixels* marked, const char* message,
                              const sealite_embed_options* options, sealite_embed_report* report);

/* ---- From a checkpoint to a verified model */

/* What a long call found out. */
typedef struct sealite_report sealite_report;

/* The report as JSON, with the keys that the command's --json has; see `Buffers` above. */
SEALITE_API int sealite_report_json(const sealite_report* report, char* buffer, size_t capacity,
                                    size_t* needed);
SEALITE_API void sealite_report_close(sealite_report* report);

typedef enum sealite_part {
  SEALITE_PART_DETECTOR = 0,
  SEALITE_PART_EMBEDDER = 1,
  SEALITE_PART_BOTH = 2
} sealite_part;
typedef enum sealite_layout { SEALITE_NCHW = 0, SEALITE_NHWC = 1 } sealite_layout;

typedef struct sealite_convert_options {
  size_t struct_size;
  int32_t part;         /* sealite_part */
  int32_t layout;       /* sealite_layout, of the model's image */
  int32_t dynamic;      /* 1: batch, height and width stay free (detectors) */
  int32_t gptq;         /* 1: round so that errors compensate each other on the calibration pictures; slow */
  int32_t layer_errors; /* 1: the report says what quantising did to each layer */
  int32_t allow_non_finite; /* 1: convert NaN and infinite weights too */
  int32_t keep_others;      /* 1: an output that another conversion made stays, with SEALITE_USAGE */
  int32_t sync;             /* 1: wait until the disk has the file */
  int64_t image_size;       /* Height and width in pixels; 0: the card's */
  const char* card;         /* Compiled-in name or YAML file; NULL: derived from the checkpoint */
  const char* quantize;     /* "float32", "fp16", "int8" or "int4"; NULL: "float32" */
  const char* model_name;   /* A word of the file's name for sealite_convert_into; NULL: the card's */
  const char* const* keep;  /* "REGEX=float32|fp16|int8": layers, by name, that `quantize` spares */
  size_t keep_count;
  const sealite_pixels* const* calibrate; /* Pictures on which rounding errors are corrected */
  size_t calibrate_count;
} sealite_convert_options;

/* Turns a part of a .pth or .safetensors checkpoint into a .tflite file; SEALITE_PART_BOTH writes
 * NAME.detector.tflite and NAME.embedder.tflite for `output` NAME.tflite. `options` and `report` may be NULL.
 * The report is an array with an object for each part. If it fails, no file is left. */
SEALITE_API int sealite_convert(const sealite_context* context, const char* checkpoint, const char* output,
                                const sealite_convert_options* options, sealite_report** report);
/* The same into a folder, which is made if need be, under names that say what is in the file
 * (docs/pipeline.md). */
SEALITE_API int sealite_convert_into(const sealite_context* context, const char* checkpoint,
                                     const char* folder, const sealite_convert_options* options,
                                     sealite_report** report);

/* What a checkpoint or a .tflite model holds, with every tensor if `tensors` is not 0. Nothing in it is
 * executed. */
SEALITE_API int sealite_inspect(const sealite_context* context, const char* path, int32_t tensors,
                                sealite_report** report);

typedef enum sealite_verdict {
  SEALITE_MATCHES = 0,    /* Every check passed; the report says what was compared with what. */
  SEALITE_FAILS = 1,      /* A check failed. */
  SEALITE_CANNOT_TELL = 2 /* Nothing failed, but there was nothing to compare with. */
} sealite_verdict;

typedef struct sealite_verify_options {
  size_t struct_size;
  const char* checkpoint;              /* What the model was converted from; NULL: unknown */
  const char* card;                    /* As in sealite_convert_options */
  const char* reference;               /* .npz file or folder of .npy files with tensors from PyTorch */
  const char* weight_cache;            /* A cache file of XNNPACK's that must not be stale */
  const sealite_pixels* const* images; /* Pictures to run it on; none: synthetic ones */
  size_t images_count;
  int64_t runs;    /* Of the first picture, which must agree bit for bit; 0: 3 */
  int64_t threads; /* Compared with one thread; 0: the context's */
} sealite_verify_options;

/* Compares what a model computes with what its original computes (docs/verification.md). A broken model is a
 * verdict and no error. `options`, `verdict` (sealite_verdict) and `report` may be NULL. */
SEALITE_API int sealite_verify(const sealite_context* context, const char* model,
                               const sealite_verify_options* options, int32_t* verdict,
                               sealite_report** report);

#ifdef __cplusplus
}
#endif
/* NOLINTEND */
