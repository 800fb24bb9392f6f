/* Conformance cases: the files of a case, and running every case of an index. */

#ifndef CASES_H
#define CASES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const char *directory = "target/conformance";

/* The text of DIRECTORY/folder/name, to be freed; NULL if there is no such file. */
static inline char *read_if_there(const char *folder, const char *name) {
    char path[1024];
    FILE *file;
    long length;
    char *text;

    snprintf(path, sizeof path, "%s/%s/%s", directory, folder, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0) {
        perror(path);
        exit(2);
    }
    text = malloc((size_t)length + 1);
    if (text == NULL || fread(text, 1, (size_t)length, file) != (size_t)length) {
        perror(path);
        exit(2);
    }
    fclose(file);
    text[length] = '\0';
    if (strlen(text) != (size_t)length) {
        fprintf(stderr, "%s: contains a NUL, which a C string cannot hold\n", path);
        exit(2);
    }
    return text;
}

/* The text of DIRECTORY/folder/name, to be freed. A missing file ends the program. */
static inline char *read_file(const char *folder, const char *name) {
    char *text = read_if_there(folder, name);

    if (text == NULL) {
        fprintf(stderr, "%s/%s/%s cannot be read\n", directory, folder, name);
        exit(2);
    }
    return text;
}

static inline void write_count(const char *name, unsigned long number) {
    char path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    if (file == NULL || fprintf(file, "%lu\n", number) < 0 || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

/*
 * Runs every EVERYth case of DIRECTORY/folder/index.txt, and prints the result. If all were run, their number is written to
 * DIRECTORY/ran.
 */
static inline void run_cases(const char *title, const char *folder, int (*passes)(const char *), unsigned long every,
                             const char *ran) {
    unsigned long seen = 0, passed = 0, failed = 0;
    char *index = read_file(folder, "index.txt");
    char *line = index;

    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        char *next = line + length + (line[length] != '\0');

        line[length] = '\0';
        if (length > 0 && seen++ % every == 0) {
            if (passes(line)) {
                passed++;
            } else {
                failed++;
            }
        }
        line = next;
    }
    free(index);
    printf("%s: %lu passed, %lu failed\n", title, passed, failed);
    CHECK(failed == 0 && passed > 0);
    if (every == 1) {
        write_count(ran, passed + failed);
    }
}

#endif
