/*
 * A small server with sessions: login_server CONFIG [PORT]
 *
 *     POST /login     with "Authorization: Bearer TOKEN", a token of the issuer: the session's token becomes a cookie
 *     GET /           with this cookie: the protected page
 *     POST /logout    with this cookie: the session ends
 *
 * CONFIG is a file with a configuration, which may have a member `sessions`. The server listens on loopback and prints its
 * address; without PORT, the system chooses one. It answers one connection after the other, which keeps the example short:
 * any number of threads may use the sessions.
 */

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <jwtauth.h>

enum { MAX_HEAD = 64 * 1024, PATIENCE = 5 };

static int listen_on_loopback(int port);
static int read_head(int connection, char *head);
static char *header(const char *head, const char *name);
static char *session_cookie(const char *head);
static void respond(int connection, int status, const char *more, const char *text);

/* The HTTP status of a failure. Only a denial is about the client. */
static int http_status(jwtauth_status status) {
    return status == JWTAUTH_STATUS_DENIED ? 401 : status == JWTAUTH_STATUS_UNAVAILABLE ? 503 : 500;
}

/* The client learns the code, and the operator everything else. */
static void refuse(int connection, jwtauth_status status, const char *reply) {
    char *code = jwtauth_json_get(reply, "/code");

    fprintf(stderr, "refused: %s\n", reply != NULL ? reply : jwtauth_status_name(status));
    respond(connection, http_status(status), "", code != NULL ? code : "internal_error");
    jwtauth_string_free(code);
}

static void login(const jwtauth_sessions *sessions, int connection, const char *head, const char *address) {
    jwtauth_options options = {sizeof options, NULL, NULL, 0};
    char *authorization = header(head, "Authorization"), *reply = NULL;
    const char *token = "";
    jwtauth_status status;

    if (authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0) {
        token = authorization + 7;
    }
    options.remote_addr = address;
    status = jwtauth_sessions_login_token(sessions, token, &options, NULL, &reply);
    if (status == JWTAUTH_STATUS_OK) {
        char *session = jwtauth_json_get(reply, "/token"), *name = jwtauth_json_get(reply, "/session/subject");
        char cookie[1024];
        /* A server with HTTPS adds "Secure". SameSite keeps other sites from sending requests with the cookie. */
        int length = snprintf(cookie, sizeof cookie, "Set-Cookie: session=%s; HttpOnly; SameSite=Strict; Path=/\r\n",
                              session != NULL ? session : "");

        if (session != NULL && length > 0 && (size_t)length < sizeof cookie) {
            respond(connection, 200, cookie, name != NULL ? name : "");
        } else {
            respond(connection, 500, "", "internal_error");
        }
        jwtauth_string_free(name);
        jwtauth_string_free(session);
    } else {
        refuse(connection, status, reply);
    }
    jwtauth_string_free(reply);
    free(authorization);
}

static void page(const jwtauth_sessions *sessions, int connection, const char *head, const char *address) {
    char *token = session_cookie(head), *reply = NULL;
    jwtauth_status status = jwtauth_sessions_authorize_token(sessions, token != NULL ? token : "", address, &reply);

    if (status == JWTAUTH_STATUS_OK) {
        char *name = jwtauth_json_get(reply, "/session/subject");
        char text[1024];

        snprintf(text, sizeof text, "welcome, %s%s", name != NULL ? name : "unknown",
                 jwtauth_grant_has(reply, "policy", "read", NULL) ? ": you may read" : "");
        respond(connection, 200, "", text);
        jwtauth_string_free(name);
    } else {
        refuse(connection, status, reply);
    }
    jwtauth_string_free(reply);
    free(token);
}

static void logout(const jwtauth_sessions *sessions, int connection, const char *head) {
    char *token = session_cookie(head), *reply = NULL;
    jwtauth_status status = jwtauth_sessions_revoke_token(sessions, token != NULL ? token : "", &reply);

    /* If the store is unavailable, the session has not ended, and the client must know. */
    if (status == JWTAUTH_STATUS_OK) {
        respond(connection, 200, "Set-Cookie: session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0\r\n", "goodbye");
    } else {
        refuse(connection, status, reply);
    }
    jwtauth_string_free(reply);
    free(token);
}

static void serve(const jwtauth_sessions *sessions, int connection, const char *address) {
    static char head[MAX_HEAD];

    if (!read_head(connection, head)) {
        return;
    }
    if (strncmp(head, "POST /login ", 12) == 0) {
        login(sessions, connection, head, address);
    } else if (strncmp(head, "GET / ", 6) == 0) {
        page(sessions, connection, head, address);
    } else if (strncmp(head, "POST /logout ", 13) == 0) {
        logout(sessions, connection, head);
    } else {
        respond(connection, 404, "", "not found");
    }
}

int main(int argc, char **argv) {
    jwtauth_sessions *sessions = NULL;
    char *reply = NULL;
    int listener;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: login_server CONFIG [PORT]\n");
        return 2;
    }
    if (jwtauth_sessions_new_from_file(argv[1], &sessions, &reply) != JWTAUTH_STATUS_OK) {
        fprintf(stderr, "%s\n", reply != NULL ? reply : "internal error");
        jwtauth_string_free(reply);
        return 2;
    }
    jwtauth_string_free(reply);
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on_loopback(argc == 3 ? atoi(argv[2]) : 0);
    while (listener >= 0) {
        struct sockaddr_in client;
        socklen_t length = sizeof client;
        char address[INET_ADDRSTRLEN];
        int connection = accept(listener, (struct sockaddr *)&client, &length);

        if (connection < 0) {
            continue;
        }
        if (inet_ntop(AF_INET, &client.sin_addr, address, sizeof address) != NULL) {
            serve(sessions, connection, address);
        }
        close(connection);
    }
    jwtauth_sessions_free(sessions);
    return 2;
}

/* A socket that listens, and its address on standard output; -1 if that fails. */
static int listen_on_loopback(int port) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        perror("login_server");
        return -1;
    }
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* Reads the head of a request, NUL-terminated; whether there is one. A body is not read, because no request needs one. */
static int read_head(int connection, char *head) {
    struct timeval patience = {PATIENCE, 0};
    size_t length = 0;

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (length < MAX_HEAD - 1) {
        ssize_t got = recv(connection, head + length, MAX_HEAD - 1 - length, 0);

        if (got <= 0) {
            return 0;
        }
        length += (size_t)got;
        head[length] = '\0';
        /* A NUL would hide what follows it. */
        if (strlen(head) != length) {
            return 0;
        }
        if (strstr(head, "\r\n\r\n") != NULL) {
            return 1;
        }
    }
    return 0;
}

/* The value of a header, to be freed; NULL if there is none. */
static char *header(const char *head, const char *name) {
    size_t length = strlen(name);
    const char *line = strstr(head, "\r\n");

    while (line != NULL && strncmp(line, "\r\n\r\n", 4) != 0) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1 + strspn(line + length + 1, " ");

            return strndup(value, strcspn(value, "\r\n"));
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

/* The token in the cookie `session`, to be freed; NULL if there is none. */
static char *session_cookie(const char *head) {
    char *cookies = header(head, "Cookie"), *token = NULL, *rest = NULL, *cookie;

    for (cookie = cookies != NULL ? strtok_r(cookies, "; ", &rest) : NULL; cookie != NULL && token == NULL;
         cookie = strtok_r(NULL, "; ", &rest)) {
        if (strncmp(cookie, "session=", 8) == 0) {
            token = strdup(cookie + 8);
        }
    }
    free(cookies);
    return token;
}

/* Sends a response with one line of text, and further headers. */
static void respond(int connection, int status, const char *more, const char *text) {
    char response[4096];
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 %d %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                          status, status == 200 ? "OK" : "Refused", more, strlen(text) + 1, text);
    size_t sent = 0;

    while (length > 0 && (size_t)length < sizeof response && sent < (size_t)length) {
        ssize_t written = send(connection, response + sent, (size_t)length - sent, 0);

        if (written <= 0) {
            return;
        }
        sent += (size_t)written;
    }
}
