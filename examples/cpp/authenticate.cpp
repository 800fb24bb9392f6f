// Decides about one token: authenticate CONFIG TOKEN [PROFILE]
//
// CONFIG is a file with a configuration: JSON, or a grafana.ini. The exit status is 0 for a grant, 1 for a denial, 2 for an
// invalid configuration or command line, 3 if the keys are unavailable.

#include <iostream>

#include <jwtauth.hpp>

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) {
        std::cerr << "usage: authenticate CONFIG TOKEN [PROFILE]\n";
        return 2;
    }
    try {
        const auto verifier = jwtauth::Verifier::from_file(argv[1]);
        const auto reply = verifier.authenticate_token(argv[2], argc == 4 ? argv[3] : "");
        if (reply) {
            std::cout << "granted: " << reply.get("/identity/name").value_or("(no name)") << ' '
                      << reply.get("/entitlements").value_or("[]") << '\n';
            return 0;
        }
        std::cout << "refused: " << reply.get("/code").value_or("internal_error") << ": "
                  << reply.get("/message").value_or("") << '\n';
        switch (reply.status()) {
        case JWTAUTH_STATUS_DENIED:
            return 1;
        case JWTAUTH_STATUS_UNAVAILABLE:
            return 3;
        default:
            return 2;
        }
    } catch (const jwtauth::Error &error) {
        std::cerr << "refused: " << error.code() << ": " << error.what() << '\n';
        return 2;
    }
}
