/* What the libraries that decisions.c compares have in common. */
#ifndef CONTENDER_H
#define CONTENDER_H

#include <stddef.h>

#define ISSUER "https://id.example.com/realms/main"
#define AUDIENCE "api"

/* The algorithm, the token, and its key: as a JWK, and as the content of a PEM file or as a secret. */
extern const char *alg, *token, *jwk;
extern unsigned char key[8192];
extern size_t key_length;

void stop(const char *why);

/* One file for each library, because their headers declare the same names. A decision returns 1 for a valid token. */
void cjose_set_up(void);
int cjose_decide(void);
int libjwt_decide(void);
void rhonabwy_set_up(void);
int rhonabwy_decide(void);

#endif
