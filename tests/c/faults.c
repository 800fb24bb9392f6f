/*
 * Plays the scripted faults of tests/faults against a real server over TLS. Each thread has a separate stack, whose use
 * is measured. Then forks at many moments of a fetch over TLS: faults ADDRESS [EVERY]
 *
 * ADDRESS is the control address that the program `serve` prints, for example http://127.0.0.1:40123. With EVERY only
 * every EVERYth script is played. Several are played concurrently, because most of the time is spent waiting.
 */

#define _GNU_SOURCE

#include <stdint.h>

#include <jwtauth.h>

#include "check.h"
#include "child.h"
#include "server.h"

enum { STACK = 2 * 1024 * 1024, MAX_THREADS = 64, PLAYERS = 8 };

static int control_port;
static int every = 1;

/* --- the control of the servers: requests and JSON --- */

static char *ask(const char *method, const char *path, const char *body) {
    struct sockaddr_in address;
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    size_t length = 0, room = 4096;
    char *text = malloc(room), *end;
    char head[512];
    ssize_t got;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)control_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             method, path, strlen(body));
    if (text == NULL || connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(connection, head, strlen(head), MSG_NOSIGNAL) < 0 ||
        send(connection, body, strlen(body), MSG_NOSIGNAL) < 0) {
        perror("the control of the servers");
        exit(2);
    }
    while ((got = recv(connection, text + length, room - length - 1, 0)) > 0) {
        length += (size_t)got;
        if (length + 1 == room) {
            room *= 2;
            text = realloc(text, room);
            if (text == NULL) {
                exit(2);
            }
        }
    }
    close(connection);
    text[length] = '\0';
    end = strstr(text, "\r\n\r\n");
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || end == NULL) {
        fprintf(stderr, "%s %s: %s\n", method, path, text);
        exit(2);
    }
    memmove(text, end + 4, strlen(end + 4) + 1);
    return text;
}

/* The value at BEFORE/NUMBER/AFTER, to be freed; NULL if there is none. */
static char *at(const char *json, const char *before, unsigned long number, const char *after) {
    char pointer[64];

    snprintf(pointer, sizeof pointer, "%s/%lu%s", before, number, after);
    return jwtauth_json_get(json, pointer);
}

static unsigned long number_at(const char *json, const char *pointer, unsigned long otherwise) {
    char *text = jwtauth_json_get(json, pointer);
    unsigned long number = text != NULL ? strtoul(text, NULL, 10) : otherwise;

    jwtauth_string_free(text);
    return number;
}

static unsigned long requests_of(unsigned long play) {
    char path[64], *reply;
    unsigned long requests;

    snprintf(path, sizeof path, "/plays/%lu", play);
    reply = ask("GET", path, "");
    requests = number_at(reply, "/requests", 0);
    free(reply);
    return requests;
}

/* --- one thread of a step --- */

typedef struct {
    const jwtauth_verifier *verifier;
    const char *step;
    unsigned long asked;
    unsigned long wrong;
    size_t used;
    unsigned char *stack;
    pthread_t thread;
} visitor;

static int fits(const char *step, jwtauth_status status, const char *reply) {
    char *expected = jwtauth_json_get(step, "/expect"), *phase = jwtauth_json_get(step, "/phase");
    char *code = jwtauth_json_get(reply, "/code"), *detail = jwtauth_json_get(reply, "/detail");
    char marked[32];
    int granted = strcmp(expected, "granted") == 0, fits;

    snprintf(marked, sizeof marked, ": %s: ", phase != NULL ? phase : "");
    fits = granted ? status == JWTAUTH_STATUS_OK : code != NULL && strcmp(code, expected) == 0;
    fits = fits && (phase == NULL || (detail != NULL && strstr(detail, marked) != NULL));
    fits = fits && strstr(reply, "hush") == NULL;
    if (!fits) {
        fprintf(stderr, "  expected %s %s, got %s\n", expected, phase != NULL ? phase : "", reply);
    }
    jwtauth_string_free(detail);
    jwtauth_string_free(code);
    jwtauth_string_free(phase);
    jwtauth_string_free(expected);
    return fits;
}

static void *visit(void *argument) {
    visitor *self = argument;
    char *tokens = jwtauth_json_get(self->step, "/tokens"), *rest = tokens, *token;

    /* A list of tokens without escapes: ["eyJ…","eyJ…"] */
    while ((token = strtok_r(rest, "[\",]", &rest)) != NULL) {
        char *reply = NULL;
        jwtauth_status status = jwtauth_verifier_authenticate_token(self->verifier, token, NULL, &reply);

        self->wrong += !fits(self->step, status, reply);
        self->asked++;
        jwtauth_string_free(reply);
    }
    jwtauth_string_free(tokens);
    return NULL;
}

static void begin(visitor *self) {
    pthread_attr_t attributes;
    void *stack = NULL;

    if (posix_memalign(&stack, 4096, STACK) != 0 || pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstack(&attributes, stack, STACK) != 0) {
        perror("a stack");
        exit(2);
    }
    self->stack = memset(stack, 0xa5, STACK);
    if (pthread_create(&self->thread, &attributes, visit, self) != 0) {
        perror("pthread_create");
        exit(2);
    }
    pthread_attr_destroy(&attributes);
}

static void end(visitor *self) {
    size_t untouched = 0;

    CHECK(pthread_join(self->thread, NULL) == 0);
    while (untouched < STACK && self->stack[untouched] == 0xa5) {
        untouched++;
    }
    self->used = STACK - untouched;
    free(self->stack);
}

/* --- a script --- */

typedef struct {
    size_t most_used;
    unsigned long scripts_played;
    visitor visitors[MAX_THREADS];
    pthread_t thread;
} player;

static char *scripts;
static unsigned long next_script;

static int play_step(player *self, const jwtauth_verifier *verifier, unsigned long play, const char *step) {
    unsigned long threads = number_at(step, "/threads", 1), before = requests_of(play), made, i, wrong = 0;
    visitor *visitors = self->visitors;

    if (threads > MAX_THREADS) {
        threads = MAX_THREADS;
    }
    for (i = 0; i < threads; i++) {
        memset(&visitors[i], 0, sizeof visitors[i]);
        visitors[i].verifier = verifier;
        visitors[i].step = step;
        begin(&visitors[i]);
    }
    for (i = 0; i < threads; i++) {
        end(&visitors[i]);
        wrong += visitors[i].wrong + (visitors[i].asked == 0);
        self->most_used = visitors[i].used > self->most_used ? visitors[i].used : self->most_used;
    }
    made = requests_of(play) - before;
    return CHECK(wrong == 0) & CHECK(made >= number_at(step, "/requests/least", 0)) &
           CHECK(made <= number_at(step, "/requests/most", SIZE_MAX));
}

static void play_script(player *self, const char *which) {
    char *program = ask("POST", "/plays", which), *config = jwtauth_json_get(program, "/verifier");
    char *reply = NULL, *step;
    unsigned long play = number_at(program, "/play", 0), i;
    jwtauth_verifier *verifier = NULL;
    char path[64];

    if (!CHECK(jwtauth_verifier_new(config, &verifier, &reply) == JWTAUTH_STATUS_OK)) {
        fprintf(stderr, "%s: %s\n", which, reply);
    }
    jwtauth_string_free(reply);
    for (i = 0; (step = at(program, "/steps", i, "")) != NULL; i++) {
        char *change = jwtauth_json_get(step, "/change");
        if (change != NULL) {
            snprintf(path, sizeof path, "/plays/%lu/steps/%lu", play, i);
            free(ask("POST", path, ""));
        } else if (!play_step(self, verifier, play, step)) {
            fprintf(stderr, "%s: step %lu\n", which, i);
        }
        jwtauth_string_free(change);
        jwtauth_string_free(step);
    }
    jwtauth_verifier_free(verifier);
    snprintf(path, sizeof path, "/plays/%lu", play);
    free(ask("DELETE", path, ""));
    jwtauth_string_free(config);
    free(program);
    self->scripts_played++;
}

static unsigned long take_script(void) {
    return __atomic_fetch_add(&next_script, (unsigned long)every, __ATOMIC_SEQ_CST);
}

/* --- forks --- */

/* A server that requests the client's certificate has the most expensive handshake. */
static const char handshake[] = "{\"fault\":\"requires a client certificate, and receives it\",\"script\":\"cold\"}";

enum { FORKS = 50 };

static int decides(const jwtauth_verifier *verifier, void *token) {
    return jwtauth_verifier_authenticate_token(verifier, token, NULL, NULL) == JWTAUTH_STATUS_OK;
}

static void forks_at_any_moment_of_a_handshake(void) {
    char *program = ask("POST", "/plays", handshake), *config = jwtauth_json_get(program, "/verifier");
    char *step = jwtauth_json_get(program, "/steps/1"), *token = jwtauth_json_get(step, "/tokens/0");
    jwtauth_verifier *busy = busy_verifier();
    char path[64];
    int i;

    snprintf(path, sizeof path, "/plays/%lu/steps/0", number_at(program, "/play", 0));
    free(ask("POST", path, ""));
    for (i = 0; i < FORKS; i++) {
        static visitor other;
        jwtauth_verifier *verifier = NULL;

        CHECK(jwtauth_verifier_new(config, &verifier, NULL) == JWTAUTH_STATUS_OK);
        memset(&other, 0, sizeof other);
        other.verifier = verifier;
        other.step = step;
        begin(&other);
        be_busy(busy, 2 * i);
        CHECK(child_finds(decides, verifier, token));
        end(&other);
        CHECK(other.asked == 1 && other.wrong == 0);
        jwtauth_verifier_free(verifier);
    }
    jwtauth_verifier_free(busy);
    jwtauth_string_free(token);
    jwtauth_string_free(step);
    jwtauth_string_free(config);
    free(program);
}

static void *play_scripts(void *self) {
    char *which;

    while ((which = at(scripts, "", take_script(), "")) != NULL) {
        play_script(self, which);
        jwtauth_string_free(which);
    }
    return NULL;
}

static void faults(void) {
    static player players[PLAYERS];
    unsigned long played = 0;
    size_t most_used = 0;
    int i;

    scripts = ask("GET", "/faults", "");
    for (i = 0; i < PLAYERS; i++) {
        CHECK(pthread_create(&players[i].thread, NULL, play_scripts, &players[i]) == 0);
    }
    for (i = 0; i < PLAYERS; i++) {
        CHECK(pthread_join(players[i].thread, NULL) == 0);
        played += players[i].scripts_played;
        most_used = players[i].most_used > most_used ? players[i].most_used : most_used;
    }
    free(scripts);
    if (MAY_FORK_AT_ANY_MOMENT) {
        forks_at_any_moment_of_a_handshake();
    }
    CHECK(played > 0);
    CHECK(most_used <= SMALL_STACK);
    printf("faults c: %lu scripts, at most %zu KiB of stack\n", played, (most_used + 1023) / 1024);
}

int main(int argc, char **argv) {
    if (argc < 2 || strncmp(argv[1], "http://127.0.0.1:", 17) != 0) {
        fprintf(stderr, "usage: faults ADDRESS [EVERY]\n");
        return 2;
    }
    control_port = atoi(argv[1] + 17);
    if (argc > 2 && atoi(argv[2]) > 0) {
        every = atoi(argv[2]);
    }
    return run("faults", faults);
}
