// Decides about one token, with keys that this program fetches itself: own_client CONFIG TOKEN FILE
//
// CONFIG is a file with a verifier's configuration that names a URL for the keys. FILE contains the response of that URL;
// another program with network access keeps it up to date. Any HTTP client could take its place. The exit status is that
// of the example `authenticate`.

#include <fstream>
#include <iostream>

#include <jwtauth.hpp>

// The first bytes of a file, at most `limit`.
static std::optional<std::string> read_file(const std::string &path, std::size_t limit) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return std::nullopt;
    }
    std::string text(limit, '\0');
    file.read(text.data(), static_cast<std::streamsize>(limit));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        std::cerr << "usage: own_client CONFIG TOKEN FILE\n";
        return 2;
    }
    const auto fetch = [path = std::string(argv[3])](const jwtauth::FetchRequest &request) {
        // One byte more than the limit is enough for the library to detect a body that is too long.
        auto keys = read_file(path, request.max_bytes + 1);
        if (!keys) {
            throw jwtauth::FetchError("connect", "cannot read the file with the keys");
        }
        jwtauth::FetchResponse response;
        response.status = 200;
        response.body = *std::move(keys);
        response.cache_control = "max-age=60";
        return response;
    };
    const auto config = read_file(argv[1], 1 << 22);
    if (!config) {
        std::cerr << argv[1] << ": cannot be read\n";
        return 2;
    }
    try {
        const jwtauth::Verifier verifier(*config, fetch);
        const auto reply = verifier.authenticate_token(argv[2]);
        if (reply) {
            std::cout << "granted: " << reply.get("/identity/name").value_or("(no name)") << '\n';
            return 0;
        }
        std::cout << "refused: " << reply.get("/code").value_or("internal_error") << ": "
                  << reply.get("/detail").value_or("") << '\n';
        return reply.status() == JWTAUTH_STATUS_DENIED ? 1 : reply.status() == JWTAUTH_STATUS_UNAVAILABLE ? 3 : 2;
    } catch (const jwtauth::Error &error) {
        std::cerr << "refused: " << error.code() << ": " << error.what() << '\n';
        return 2;
    }
}
