// What the fragments in C++ on docs/c-api.md use and do not define.
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <jwtauth.hpp>

extern const std::string config, jwt, client_address;
extern const jwtauth::Options options;

struct Answer {
    bool arrived() const;
    int status() const;
    std::string body() const;
    std::string header(const std::string &name) const;
    std::string error() const;
};
struct Client {
    using Headers = std::vector<std::pair<std::string, std::string>>;
    Answer get(const std::string &url, const Headers &headers, std::chrono::milliseconds timeout) const;
};
struct Metrics {
    void count(const std::string &outcome, const std::string &code) const;
};

// A lambda captures only variables of a function.
#define USED [[maybe_unused]] const Client &client, [[maybe_unused]] const Metrics &metrics
