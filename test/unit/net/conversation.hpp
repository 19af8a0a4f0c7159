// A client of plain HTTP, the proxy on a stage, and an origin whose connections the test answers by hand.
#pragma once

#include "stage.hpp"

#include <net/tunnel.hpp>

namespace exeat::testing {

using namespace exeat::net;

struct conversation {
    explicit conversation(std::uint64_t upload = unlimited - 1) : s{list(origin.port(), upload)}
    {
        auto [mine, its] = socket_pair();
        client = std::move(mine);
        auto place = s.at.admitted.enter(s.who.key);
        run_connection(std::move(its), s.who, std::move(*place), 0, s.at);
    }
    ~conversation()
    {
        client.reset();
        s.turn_until([&] { return s.at.live.empty(); });
    }
    static policy list(std::uint16_t port, std::uint64_t upload)
    {
        auto p = pinned("web", {"up.test"}, port);
        p.value.protocol = protocol::http;
        p.value.upload = an_hour(upload);
        return compiled({p}, {}, one_group);
    }
    std::string request(std::string_view method, std::string_view headers = {}) const
    {
        const auto to = "up.test:" + std::to_string(origin.port());
        return std::string{method} + " http://" + to + "/ HTTP/1.1\r\nHost: " + to + "\r\n" + std::string{headers} + "\r\n";
    }
    // Takes new connections and what they carry; how many there have been.
    std::size_t serve()
    {
        for (auto fd = origin.accept(); fd; fd = origin.accept()) upstream.push_back(std::move(fd));
        seen.resize(upstream.size());
        for (std::size_t i = 0; i < upstream.size(); ++i)
            if (upstream[i]) seen[i] += read_now(upstream[i]);
        heard += read_now(client, &ended);
        return upstream.size();
    }
    bool wait(const std::function<bool()>& done)
    {
        return s.turn_until([&] { return serve(), done(); });
    }
    // One request and its answer, after which the upstream connection is kept.
    void exchange_once()
    {
        REQUIRE(write_now(client, request("GET")));
        REQUIRE(wait([&] { return !seen.empty() && !seen[0].empty(); }));
        REQUIRE(write_now(upstream[0], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        REQUIRE(wait([&] { return heard.ends_with("ok"); }));
        heard.clear();
    }
    // A request on the kept connection, which the origin ends as soon as it has read the first octet of it.
    void meet_the_end(std::string_view method, std::string_view headers = {}, std::string_view said_before = {})
    {
        const auto before = seen[0].size();
        REQUIRE(write_now(client, request(method, headers)));
        REQUIRE(wait([&] { return seen[0].size() > before; }));
        if (!said_before.empty()) REQUIRE(write_now(upstream[0], said_before));
        upstream[0].reset();
    }
    bool answered(std::string_view with) { return heard.find(with) != std::string::npos; }

    small_origin origin;
    stage s;
    unique_fd client;
    std::vector<unique_fd> upstream;
    std::vector<std::string> seen; // by connection
    std::string heard;
    bool ended = false;
};

inline constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

} // namespace exeat::testing
