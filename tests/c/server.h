/* A key server on loopback: a thread that responds to one request after the other, or keeps them waiting. */

#ifndef SERVER_H
#define SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_KEPT = 16 };

typedef struct {
    int listener;
    int port;
    const char *body;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* While this is set, requests are kept waiting. The waiting requests follow. */
    int hangs;
    int kept[MAX_KEPT];
    int kept_count;
    unsigned requests;
} server;

static inline void server_respond(const server *self, int connection) {
    char text[4096];
    int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                          strlen(self->body), self->body);
    ssize_t written = send(connection, text, (size_t)length, MSG_NOSIGNAL);

    (void)written;
    close(connection);
}

/* Reads the head of a request; whether there was one. */
static inline int server_reads(int connection) {
    char head[4096];
    size_t length = 0;

    while (length < sizeof head - 1) {
        ssize_t got = recv(connection, head + length, sizeof head - 1 - length, 0);
        if (got <= 0) {
            return 0;
        }
        length += (size_t)got;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            return 1;
        }
    }
    return 0;
}

static inline void *server_run(void *argument) {
    server *self = argument;

    for (;;) {
        int connection = accept(self->listener, NULL, NULL);
        if (connection < 0) {
            return NULL;
        }
        if (!server_reads(connection)) {
            close(connection);
            continue;
        }
        pthread_mutex_lock(&self->lock);
        self->requests++;
        if (self->hangs && self->kept_count < MAX_KEPT) {
            self->kept[self->kept_count++] = connection;
        } else {
            server_respond(self, connection);
        }
        pthread_cond_broadcast(&self->changed);
        pthread_mutex_unlock(&self->lock);
    }
}

static inline void server_start(server *self, const char *body) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    memset(self, 0, sizeof *self);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self->body = body;
    self->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (self->listener < 0 || bind(self->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(self->listener, 64) != 0 || getsockname(self->listener, (struct sockaddr *)&address, &length) != 0 ||
        pthread_mutex_init(&self->lock, NULL) != 0 || pthread_cond_init(&self->changed, NULL) != 0 ||
        pthread_create(&self->thread, NULL, server_run, self) != 0) {
        perror("a server on loopback");
        exit(2);
    }
    self->port = ntohs(address.sin_port);
}

static inline void server_stop(server *self) {
    shutdown(self->listener, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->listener);
}

/* From now on requests are kept waiting; or all are answered, including those that wait. */
static inline void server_hangs(server *self, int hangs) {
    pthread_mutex_lock(&self->lock);
    self->hangs = hangs;
    while (!hangs && self->kept_count > 0) {
        server_respond(self, self->kept[--self->kept_count]);
    }
    pthread_mutex_unlock(&self->lock);
}

/* From now on requests are answered, except those that wait. */
static inline void server_forgets(server *self) {
    pthread_mutex_lock(&self->lock);
    self->hangs = 0;
    pthread_mutex_unlock(&self->lock);
}

/* Waits until this many requests have arrived. */
static inline void server_has_seen(server *self, unsigned requests) {
    pthread_mutex_lock(&self->lock);
    while (self->requests < requests) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
}

#endif
