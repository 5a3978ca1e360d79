/*
 * registry_words.c - the words of the catalogue format for modes and modalities. Generator and
 * look-up share it. Any process; no heap.
 */
#include "registry/registry.h"

#include <assert.h>

static const char modes[REGISTRY_MODE_COUNT][16] = {
    "unknown", "chat",   "completion", "embedding",  "image",  "audio", "speech", "transcription",
    "video",   "rerank", "realtime",   "moderation", "search", "ocr",   "other",
};

static const char modalities[REGISTRY_MODALITY_COUNT][12] = {
    "text", "image", "pdf", "audio", "video", "code", "embedding", "score",
};

const char *registry_mode_name(enum registry_mode mode)
{
    assert(mode < REGISTRY_MODE_COUNT);
    return modes[mode];
}

const char *registry_modality_name(enum registry_modality modality)
{
    assert(modality < REGISTRY_MODALITY_COUNT);
    return modalities[modality];
}
