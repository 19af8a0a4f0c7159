// A message body in transit: takes bytes as one side sent them and returns bytes as the other side gets them. Lengths are enforced; chunks
// are read strictly and written anew, so that nothing can hide in their extensions or trailers. Pure; belongs to one tunnel.
#pragma once

#include <exeat/chunked_body.hpp>
#include <exeat/request_head.hpp>

#include <string>
#include <string_view>

namespace exeat::net {

class http_body {
public:
    http_body() = default;
    // `chunk_out`: the receiver gets a chunked body as chunks; otherwise as bare payload, which ends with the connection.
    http_body(body_framing how, bool chunk_out) : how_{how}, chunk_out_{chunk_out}, done_{how.how == body_framing::kind::none || empty(how)}
    {}

    // Consumes what belongs to the body and appends the bytes to send to `out`; the rest of `in` belongs to the next message.
    std::size_t take(std::string_view in, std::string& out);
    // Call when the sender has sent FIN: false when the body is incomplete.
    bool end_of_input() noexcept
    {
        if (how_.how == body_framing::kind::until_close) done_ = true;
        return done_;
    }
    bool done() const noexcept { return done_; }
    bool malformed() const noexcept { return malformed_; }

private:
    static bool empty(body_framing f) noexcept { return f.how == body_framing::kind::length && f.length == 0; }
    std::size_t take_chunks(std::string_view in, std::string& out);

    body_framing how_;
    bool chunk_out_ = false;
    bool done_ = true;
    bool malformed_ = false;
    chunk_reader reader_;
};

} // namespace exeat::net
