// A small server with sessions: login_server CONFIG [PORT]
//
//     POST /login     with "Authorization: Bearer TOKEN", a token of the issuer: the session's token becomes a cookie
//     GET /           with this cookie: the protected page
//     POST /logout    with this cookie: the session ends
//
// CONFIG is a file with a configuration, which may have a member `sessions`. The server listens on loopback and prints its
// address; without PORT, the system chooses one. It answers one connection after the other, which keeps the example short:
// any number of threads may use the sessions.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <jwtauth.hpp>

struct Request {
    std::string head;
    std::string address;

    bool begins(std::string_view start) const { return head.compare(0, start.size(), start) == 0; }

    // The value of a header; empty if there is none.
    std::string header(std::string_view name) const {
        for (auto line = head.find("\r\n"); line + 2 < head.size(); line = head.find("\r\n", line)) {
            line += 2;
            const auto end = head.find("\r\n", line);
            const auto value = line + name.size() + 1;
            if (value <= end && head[value - 1] == ':' && strncasecmp(&head[line], name.data(), name.size()) == 0) {
                const auto start = head.find_first_not_of(' ', value);
                return head.substr(start, end - start);
            }
        }
        return {};
    }

    // The token in the cookie `session`; empty if there is none.
    std::string session() const {
        const std::string cookies = "; " + header("Cookie"), name = "; session=";
        const auto found = cookies.find(name);
        if (found == std::string::npos) {
            return {};
        }
        const auto start = found + name.size();
        return cookies.substr(start, cookies.find(';', start) - start);
    }
};

struct Response {
    int status = 500;
    std::string text;
    // The name, the value and perhaps an end.
    std::string cookie;
};

// The client learns the code, and the operator everything else. Only a denial is about the client.
static Response refusal(const jwtauth::Reply &reply) {
    std::cerr << "refused: " << reply.json() << '\n';
    const auto is = [&reply](jwtauth_status status) { return reply.status() == status; };
    const int status = is(JWTAUTH_STATUS_DENIED) ? 401 : is(JWTAUTH_STATUS_UNAVAILABLE) ? 503 : 500;
    return {status, reply.get("/code").value_or("internal_error"), ""};
}

static Response login(const jwtauth::Sessions &sessions, const Request &request) {
    const std::string authorization = request.header("Authorization");
    const bool is_bearer = strncasecmp(authorization.c_str(), "Bearer ", 7) == 0;
    jwtauth::Options options;
    options.remote_addr = request.address;
    const auto reply = sessions.login_token(is_bearer ? authorization.substr(7) : "", options);
    if (!reply) {
        return refusal(reply);
    }
    return {200, reply.get("/session/subject").value_or(""), "session=" + reply.get("/token").value()};
}

static Response page(const jwtauth::Sessions &sessions, const Request &request) {
    const auto reply = sessions.authorize_token(request.session(), request.address);
    if (!reply) {
        return refusal(reply);
    }
    const std::string rights = reply.has("policy", "read") ? ": you may read" : "";
    return {200, "welcome, " + reply.get("/session/subject").value_or("unknown") + rights, ""};
}

static Response logout(const jwtauth::Sessions &sessions, const Request &request) {
    // If the store is unavailable, the session has not ended, and the client must know.
    const auto reply = sessions.revoke_token(request.session());
    return reply ? Response{200, "goodbye", "session=; Max-Age=0"} : refusal(reply);
}

static Response answer(const jwtauth::Sessions &sessions, const Request &request) {
    if (request.begins("POST /login ")) {
        return login(sessions, request);
    }
    if (request.begins("GET / ")) {
        return page(sessions, request);
    }
    if (request.begins("POST /logout ")) {
        return logout(sessions, request);
    }
    return {404, "not found", ""};
}

// Reads the head of a request; empty if there is none. A body is not read, because no request needs one.
static std::string read_head(int connection) {
    const timeval patience = {5, 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    std::string head;
    while (head.size() < 64 * 1024) {
        char part[4096];
        const auto got = recv(connection, part, sizeof part, 0);
        if (got <= 0) {
            return {};
        }
        head.append(part, static_cast<std::size_t>(got));
        if (const auto end = head.find("\r\n\r\n"); end != std::string::npos) {
            return head.substr(0, end + 2);
        }
    }
    return {};
}

static void send_response(int connection, const Response &response) {
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + (response.status == 200 ? " OK" : " Refused") + "\r\n";
    if (!response.cookie.empty()) {
        // A server with HTTPS adds "Secure". SameSite keeps other sites from sending requests with the cookie.
        text += "Set-Cookie: " + response.cookie + "; HttpOnly; SameSite=Strict; Path=/\r\n";
    }
    text += "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: " +
            std::to_string(response.text.size() + 1) + "\r\n\r\n" + response.text + '\n';
    for (std::size_t sent = 0; sent < text.size();) {
        const auto written = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (written <= 0) {
            return;
        }
        sent += static_cast<std::size_t>(written);
    }
}

// A socket that listens on loopback, and its address on standard output; -1 if that fails.
static int listen_on_loopback(int port) {
    sockaddr_in address = {};
    socklen_t length = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
        listen(listener, 64) != 0 || getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length) != 0) {
        std::perror("login_server");
        return -1;
    }
    std::cout << "http://127.0.0.1:" << ntohs(address.sin_port) << std::endl;
    return listener;
}

int main(int argc, char **argv) try {
    if (argc < 2 || argc > 3) {
        std::cerr << "usage: login_server CONFIG [PORT]\n";
        return 2;
    }
    const auto sessions = jwtauth::Sessions::from_file(argv[1]);
    const int listener = listen_on_loopback(argc == 3 ? std::atoi(argv[2]) : 0);
    while (listener >= 0) {
        sockaddr_in client = {};
        socklen_t length = sizeof client;
        const int connection = accept(listener, reinterpret_cast<sockaddr *>(&client), &length);
        char address[INET_ADDRSTRLEN];
        if (connection < 0) {
            continue;
        }
        if (inet_ntop(AF_INET, &client.sin_addr, address, sizeof address) != nullptr) {
            if (const Request request = {read_head(connection), address}; !request.head.empty()) {
                send_response(connection, answer(sessions, request));
            }
        }
        close(connection);
    }
    return 2;
} catch (const jwtauth::Error &error) {
    std::cerr << error.code() << ": " << error.what() << '\n';
    return 2;
}
