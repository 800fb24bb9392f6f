/*
 * Nested inputs at their deepest accepted level are read, used and freed on the small stack of a test. For each kind of
 * expression the deepest accepted level is found by trial.
 */

#include <stdlib.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* A nested expression: the text before each level, the middle, the text after each level. */
typedef struct {
    const char *before;
    const char *middle;
    const char *after;
} nest;

static const nest jmespaths[] = {
    {"(", "iss", ")"},
    {"[", "iss", "]"},
    {"{a:", "iss", "}"},
    {"!", "iss", ""},
    {"not_null(", "iss", ")"},
    {"to_array(@)[?", "iss", "]"},
    {"map(&", "iss", ",to_array(@))"},
    {"iss || ", "iss", ""},
    {"iss && ", "iss", ""},
    {"@ | ", "iss", ""},
    {"", "iss", ".a"},
    {"", "iss", "[0]"},
    {"", "iss", "[*]"},
    {"", "iss", "[]"},
    {"", "iss", "[::]"},
    {"", "iss", ".*"},
    {"", "iss", "[?a]"},
    {"", "iss", ".[a]"},
    {"", "iss", ".{a:a}"},
    {"", "iss", " == iss"},
    {"(iss || ", "iss", ")"},
    {"[iss][", "0", "]"},
};

static const nest selectors[] = {
    {"(", "value.iss == joe", ")"},          {"not ", "value.iss == joe", ""},
    {"not (", "value.iss == joe", ")"},      {"value.iss == joe and ", "value.iss == joe", ""},
    {"value.iss == joe or ", "value.iss == joe", ""}, {"(value.iss == joe or ", "value.iss == joe", ")"},
};

static char *nested(const nest *kind, size_t times) {
    size_t before = strlen(kind->before), after = strlen(kind->after), i;
    char *text = malloc(times * (before + after) + strlen(kind->middle) + 1);
    char *end = text;

    if (text == NULL) {
        perror("malloc");
        exit(2);
    }
    for (i = 0; i < times; i++, end += before) {
        memcpy(end, kind->before, before);
    }
    strcpy(end, kind->middle);
    end += strlen(end);
    for (i = 0; i < times; i++, end += after) {
        memcpy(end, kind->after, after);
    }
    *end = '\0';
    return text;
}

/* Builds a verifier with the expression and decides about a token; returns whether the expression was accepted. */
static int use(const char *config, const nest *kind, size_t times) {
    char *expression = nested(kind, times);
    size_t size = strlen(config) + strlen(expression) + 1;
    char *text = malloc(size);
    jwtauth_verifier *verifier = NULL;
    char *reply = NULL;
    jwtauth_status built, decided;

    if (text == NULL) {
        perror("malloc");
        exit(2);
    }
    snprintf(text, size, config, expression);
    built = jwtauth_verifier_new(text, &verifier, &reply);
    CHECK(built == JWTAUTH_STATUS_OK || built == JWTAUTH_STATUS_CONFIG);
    if (built == JWTAUTH_STATUS_CONFIG && times == 1) {
        fprintf(stderr, "%s: %s\n", expression, reply);
    }
    jwtauth_string_free(reply);
    if (built == JWTAUTH_STATUS_OK) {
        decided = jwtauth_verifier_authenticate_token(verifier, SAMPLE_ES256, NULL, NULL);
        CHECK(decided == JWTAUTH_STATUS_OK || decided == JWTAUTH_STATUS_DENIED);
        CHECK(jwtauth_verifier_policy(verifier, NULL) == JWTAUTH_STATUS_OK);
    }
    jwtauth_verifier_free(verifier);
    free(text);
    free(expression);
    return built == JWTAUTH_STATUS_OK;
}

static void as_deep_as_accepted(const char *config, const nest *kind) {
    size_t accepted = 1, refused = 100000;

    CHECK(use(config, kind, accepted));
    CHECK(!use(config, kind, refused));
    while (refused - accepted > 1) {
        size_t between = accepted + (refused - accepted) / 2;
        if (use(config, kind, between)) {
            accepted = between;
        } else {
            refused = between;
        }
    }
}

static const char native[] =
    "{\"dialect\":\"native\",\"config\":{\"keys\":[" SAMPLE_EC_KEY "],\"algorithms\":[\"ES256\"],"
    "\"identity\":{\"name\":\"iss\"},\"roles\":{\"jmespath\":\"%s\"}},\"options\":{\"now\":1300819379}}";

static const char consul[] =
    "{\"dialect\":\"consul\",\"config\":{\"AuthMethod\":{\"Name\":\"m\",\"Type\":\"jwt\",\"Config\":{"
    "\"JWTValidationPubKeys\":[\"" SAMPLE_EC_PEM "\"],\"JWTSupportedAlgs\":[\"ES256\"],"
    "\"ClaimMappings\":{\"iss\":\"iss\"}}},"
    "\"BindingRules\":[{\"AuthMethod\":\"m\",\"BindType\":\"role\",\"BindName\":\"r\",\"Selector\":\"%s\"}]},"
    "\"options\":{\"now\":1300819379}}";

static void depth(void) {
    size_t i;

    for (i = 0; i < COUNT(jmespaths); i++) {
        as_deep_as_accepted(native, &jmespaths[i]);
    }
    for (i = 0; i < COUNT(selectors); i++) {
        as_deep_as_accepted(consul, &selectors[i]);
    }
}

int main(void) {
    return run("depth", depth);
}
