/*
 * Every function gets invalid values for every argument. Each call must fail with a reply and without other effects.
 * Then small changes of valid inputs must be refused too.
 *
 * misuse [MEBIBYTES [ROUNDS]]: the length of the longest texts, and the number of changes
 */

#include <stdint.h>
#include <stdlib.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

#define SAMPLE_REQUEST "{\"token\":\"" SAMPLE_HS256 "\",\"profile\":\"\"}"
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum { MAX_TEXTS = 40 };

static size_t mebibytes = 64;
static int rounds = 5000;

/* The values passed where text is expected, including NULL. */
static const char *texts[MAX_TEXTS];
static size_t text_count;

static char *long_texts[5];

static void make_texts(size_t longest) {
    static const char *const fixed[] = {
        NULL,
        "",
        " ",
        "\n\t\r",
        "null",
        "true",
        "0",
        "\"\"",
        "[]",
        "{}",
        "{",
        "{\"",
        "{\"token\":",
        "{\"token\":null}",
        "{\"token\":\"a\",\"token\":\"b\"}",
        "{\"token\":\"\\u0000\"}",
        "{\"token\":\"\\ud800\"}",
        "{\"token\":\"a.b.c\"}trailing",
        "{\"dialect\":\"native\"}",
        "{\"dialect\":\"none\",\"config\":{}}",
        "{\"dialect\":\"native\",\"config\":{\"keys\":[],\"algorithms\":[\"none\"]}}",
        "\x01",
        "\x7f",
        "\xff",
        "\xc0\x80",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xef\xbb\xbf{}",
        "{\"token\":\"\xe9\"}",
        "caf\xc3\xa9",
        "..",
        "a.b.c",
        "%s%s%s%n",
    };
    size_t i;

    long_texts[0] = repeated("", 'a', longest, "");
    long_texts[1] = repeated("{\"token\":\"", '.', longest, "\"}");
    long_texts[2] = repeated("", '[', longest, "");
    long_texts[3] = repeated("", '.', 200000, "");
    long_texts[4] = repeated("{\"dialect\":\"native\",\"config\":{\"issuer\":\"", 'i', longest, "\"}}");
    for (i = 0; i < COUNT(fixed); i++) {
        texts[text_count++] = fixed[i];
    }
    for (i = 0; i < COUNT(long_texts); i++) {
        texts[text_count++] = long_texts[i];
    }
}

/* A long text is combined only with NULL and ""; other combinations would test nothing more. */
static int worth_trying(size_t i, size_t j) {
    size_t short_texts = text_count - COUNT(long_texts);
    return (i < short_texts && j < short_texts) || i < 2 || j < 2;
}

/* Checks a failed call: its status, and the class of the reply if a reply was requested. */
static void refused(jwtauth_status status, char **slot) {
    char *class_name;

    CHECK(status > JWTAUTH_STATUS_OK && status <= JWTAUTH_STATUS_INTERNAL);
    if (slot == NULL) {
        return;
    }
    CHECK(*slot != NULL && strncmp(*slot, "{\"outcome\":\"failed\",", 20) == 0);
    class_name = jwtauth_json_get(*slot, "/class");
    CHECK_TEXT(class_name, jwtauth_status_name(status));
    CHECK(status != JWTAUTH_STATUS_INTERNAL);
    jwtauth_string_free(class_name);
    jwtauth_string_free(*slot);
    *slot = NULL;
}

/* Checks an explanation of a failure: its status, and that of the decision in it. */
static void explained(jwtauth_status status, char **slot) {
    char *class_name;

    CHECK(status > JWTAUTH_STATUS_OK && status < JWTAUTH_STATUS_INTERNAL);
    if (slot == NULL) {
        return;
    }
    class_name = jwtauth_json_get(*slot, "/decision/class");
    CHECK_TEXT(class_name, jwtauth_status_name(status));
    CHECK(jwtauth_json_count(*slot, "/steps") > 0);
    jwtauth_string_free(class_name);
    jwtauth_string_free(*slot);
    *slot = NULL;
}

static void building(void) {
    size_t i;
    int with_slot, with_reply;

    for (i = 0; i < text_count; i++) {
        for (with_slot = 0; with_slot < 2; with_slot++) {
            for (with_reply = 0; with_reply < 2; with_reply++) {
                jwtauth_verifier *verifier = (jwtauth_verifier *)(uintptr_t)16;
                char *reply = NULL;
                char **slot = with_reply ? &reply : NULL;
                refused(jwtauth_verifier_new(texts[i], with_slot ? &verifier : NULL, slot), slot);
                CHECK(!with_slot || verifier == NULL);
            }
        }
    }
}

static void deciding(const jwtauth_verifier *verifier) {
    size_t i, j;
    int with_reply;

    for (with_reply = 0; with_reply < 2; with_reply++) {
        char *reply = NULL;
        char **slot = with_reply ? &reply : NULL;
        for (i = 0; i < text_count; i++) {
            refused(jwtauth_verifier_authenticate(NULL, texts[i], slot), slot);
            refused(jwtauth_verifier_authenticate(verifier, texts[i], slot), slot);
            explained(jwtauth_verifier_explain(NULL, texts[i], 1, slot), slot);
            explained(jwtauth_verifier_explain(verifier, texts[i], 1, slot), slot);
            explained(jwtauth_verifier_explain_with(NULL, texts[i], NULL, 1, slot), slot);
            explained(jwtauth_verifier_explain_with(verifier, texts[i], NULL, 1, slot), slot);
            for (j = 0; j < text_count; j++) {
                if (worth_trying(i, j)) {
                    refused(jwtauth_verifier_authenticate_token(verifier, texts[i], texts[j], slot), slot);
                }
            }
            refused(jwtauth_verifier_authenticate_token(NULL, texts[i], NULL, slot), slot);
        }
        refused(jwtauth_verifier_authenticate(NULL, SAMPLE_REQUEST, slot), slot);
        refused(jwtauth_verifier_authenticate_token(NULL, SAMPLE_HS256, NULL, slot), slot);
        explained(jwtauth_verifier_explain(NULL, SAMPLE_REQUEST, 0, slot), slot);
        explained(jwtauth_verifier_explain_with(NULL, SAMPLE_HS256, NULL, 0, slot), slot);
        refused(jwtauth_verifier_refresh_keys(NULL, slot), slot);
        refused(jwtauth_verifier_policy(NULL, slot), slot);
        refused(jwtauth_verifier_counters(NULL, slot), slot);
    }
}

/* A status in every place, so that what a call does not write is noticed. */
static void deciding_many(const jwtauth_verifier *verifier) {
    static const jwtauth_options wrong_size = {sizeof(jwtauth_options) - 1, NULL, NULL, 0};
    static const char *const valid[] = {SAMPLE_HS256, SAMPLE_HS256};
    static const size_t counts[] = {0, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / sizeof(char *)};
    jwtauth_status statuses[MAX_TEXTS];
    char *replies[MAX_TEXTS];
    size_t i;
    int with_replies;

    for (with_replies = 0; with_replies < 2; with_replies++) {
        char **slots = with_replies ? replies : NULL;

        CHECK(jwtauth_verifier_authenticate_many(verifier, texts, text_count, NULL, 3, statuses, slots) ==
              JWTAUTH_STATUS_ARGUMENT);
        for (i = 0; i < text_count; i++) {
            refused(statuses[i], with_replies ? &replies[i] : NULL);
        }
        memset(statuses, 0, sizeof statuses);
        CHECK(jwtauth_verifier_authenticate_many(NULL, valid, 2, NULL, 0, statuses, slots) == JWTAUTH_STATUS_ARGUMENT);
        for (i = 0; i < 2; i++) {
            refused(statuses[i], with_replies ? &replies[i] : NULL);
        }
        memset(statuses, 0, sizeof statuses);
        CHECK(jwtauth_verifier_authenticate_many(verifier, NULL, 2, NULL, 0, statuses, slots) == JWTAUTH_STATUS_ARGUMENT);
        for (i = 0; i < 2; i++) {
            refused(statuses[i], with_replies ? &replies[i] : NULL);
        }
        memset(statuses, 0, sizeof statuses);
        CHECK(jwtauth_verifier_authenticate_many(verifier, valid, 2, &wrong_size, 0, statuses, slots) ==
              JWTAUTH_STATUS_ARGUMENT);
        for (i = 0; i < 2; i++) {
            refused(statuses[i], with_replies ? &replies[i] : NULL);
        }
        CHECK(jwtauth_verifier_authenticate_many(verifier, valid, 2, NULL, 0, NULL, slots) == JWTAUTH_STATUS_ARGUMENT);
        for (i = 0; with_replies && i < 2; i++) {
            refused(JWTAUTH_STATUS_ARGUMENT, &replies[i]);
        }
        for (i = 0; i < COUNT(counts); i++) {
            CHECK(jwtauth_verifier_authenticate_many(verifier, valid, counts[i], NULL, 0, statuses, slots) ==
                  JWTAUTH_STATUS_ARGUMENT);
        }
        CHECK(jwtauth_verifier_authenticate_many(verifier, valid, 2, NULL, SIZE_MAX, statuses, slots) == JWTAUTH_STATUS_OK);
        for (i = 0; i < 2; i++) {
            CHECK(statuses[i] == JWTAUTH_STATUS_OK);
            if (with_replies) {
                jwtauth_string_free(replies[i]);
            }
        }
    }
    for (with_replies = 0; with_replies < 2; with_replies++) {
        char *reply = NULL;
        char **slot = with_replies ? &reply : NULL;

        refused(jwtauth_verifier_authenticate_many_json(NULL, valid, 2, NULL, 0, slot), slot);
        refused(jwtauth_verifier_authenticate_many_json(verifier, NULL, 2, NULL, 0, slot), slot);
        for (i = 0; i < COUNT(counts); i++) {
            refused(jwtauth_verifier_authenticate_many_json(verifier, valid, counts[i], NULL, 0, slot), slot);
        }
        CHECK(jwtauth_verifier_authenticate_many_json(verifier, texts, text_count, NULL, 3, slot) ==
              JWTAUTH_STATUS_ARGUMENT);
        CHECK(!with_replies || jwtauth_json_count(reply, "") == text_count);
        jwtauth_string_free(reply);
        reply = NULL;
        CHECK(jwtauth_verifier_authenticate_many_json(verifier, valid, 2, &wrong_size, 0, slot) ==
              JWTAUTH_STATUS_ARGUMENT);
        jwtauth_string_free(reply);
        reply = NULL;
        CHECK(jwtauth_verifier_authenticate_many_json(verifier, valid, 2, NULL, SIZE_MAX, slot) == JWTAUTH_STATUS_OK);
        jwtauth_string_free(reply);
    }
    CHECK(jwtauth_verifier_authenticate_many(NULL, NULL, SIZE_MAX / 32, NULL, 0, NULL, NULL) == JWTAUTH_STATUS_ARGUMENT);
}

static void a_valid_token_under_every_profile(const jwtauth_verifier *verifier) {
    size_t i;

    for (i = 0; i < text_count; i++) {
        char *reply = NULL;
        jwtauth_status status = jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, texts[i], &reply);
        if (texts[i] == NULL || texts[i][0] == '\0') {
            CHECK(status == JWTAUTH_STATUS_OK);
            jwtauth_string_free(reply);
        } else {
            refused(status, &reply);
        }
    }
}

static void reading(void) {
    size_t i, j;

    for (i = 0; i < text_count; i++) {
        for (j = 0; j < text_count; j++) {
            char *value;
            if (!worth_trying(i, j)) {
                continue;
            }
            CHECK(jwtauth_grant_has(texts[i], texts[j], texts[j], NULL) == 0);
            CHECK(jwtauth_json_type(texts[i], texts[j]) == JWTAUTH_JSON_ABSENT || texts[j][0] == '\0');
            CHECK(jwtauth_json_count(texts[i], texts[j]) == 0 || texts[j][0] == '\0');
            value = jwtauth_json_get(texts[i], texts[j]);
            CHECK(value == NULL || (texts[i] != NULL && texts[j] != NULL && texts[j][0] == '\0'));
            jwtauth_string_free(value);
        }
    }
    for (i = 0; i < 70000; i += 7) {
        CHECK(jwtauth_status_name((jwtauth_status)i) != NULL);
    }
    CHECK_TEXT(jwtauth_status_name((jwtauth_status)-1), "unknown");
}

static uint32_t next_random(void) {
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* A copy of the text with one to four bytes changed, removed or doubled. It contains no NUL. */
static char *changed(const char *text) {
    size_t length = strlen(text), changes = 1 + next_random() % 4;
    char *copy = malloc(length + changes + 1);
    if (copy == NULL) {
        perror("malloc");
        exit(2);
    }
    memcpy(copy, text, length + 1);
    while (changes-- > 0 && length > 0) {
        size_t at = next_random() % length;
        switch (next_random() % 3) {
        case 0:
            copy[at] = (char)(1 + next_random() % 255);
            break;
        case 1:
            memmove(copy + at, copy + at + 1, length - at);
            length--;
            break;
        default:
            memmove(copy + at + 1, copy + at, length - at + 1);
            length++;
            break;
        }
    }
    return copy;
}

static void small_changes(const jwtauth_verifier *verifier) {
    int round;

    for (round = 0; round < rounds; round++) {
        jwtauth_verifier *other = (jwtauth_verifier *)(uintptr_t)16;
        char *token = changed(SAMPLE_HS256);
        char *request = changed(SAMPLE_REQUEST);
        char *config = changed(SAMPLE_CONFIG);
        char *reply = NULL;
        jwtauth_status status = jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply);

        if (strcmp(token, SAMPLE_HS256) == 0) {
            CHECK(status == JWTAUTH_STATUS_OK);
            jwtauth_string_free(reply);
        } else {
            refused(status, &reply);
        }

        /* A changed request may still contain the unchanged token; only then may it be granted. */
        status = jwtauth_verifier_authenticate(verifier, request, &reply);
        if (status == JWTAUTH_STATUS_OK) {
            char *carried = jwtauth_json_get(request, "/token");
            CHECK_TEXT(carried, SAMPLE_HS256);
            jwtauth_string_free(carried);
            jwtauth_string_free(reply);
        } else {
            refused(status, &reply);
        }

        status = jwtauth_verifier_new(config, &other, &reply);
        if (status == JWTAUTH_STATUS_OK) {
            CHECK(other != NULL);
            jwtauth_string_free(reply);
        } else {
            CHECK(other == NULL);
            refused(status, &reply);
        }
        jwtauth_verifier_free(other);
        free(config);
        free(request);
        free(token);
    }
}

static void misuse(void) {
    jwtauth_verifier *verifier = NULL;
    size_t i;

    if (!CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK)) {
        return;
    }
    make_texts(mebibytes * 1024 * 1024);
    building();
    deciding(verifier);
    deciding_many(verifier);
    a_valid_token_under_every_profile(verifier);
    reading();
    small_changes(verifier);
    jwtauth_verifier_free(verifier);
    for (i = 0; i < COUNT(long_texts); i++) {
        free(long_texts[i]);
    }
}

int main(int argc, char **argv) {
    if (argc > 1) {
        mebibytes = (size_t)atoi(argv[1]);
    }
    if (argc > 2) {
        rounds = atoi(argv[2]);
    }
    return run("misuse", misuse);
}
