// The two directions of one plain-HTTP exchange, side by side: the upstream may answer before the request is complete. Owns the bytes in
// transit, at most limits::scratch_bytes and limits::response_head_bytes per direction. Worker's thread; lives in forward()'s frame.
#pragma once

#include <exeat/ending.hpp>
#include <exeat/request_head.hpp>
#include <net/http/http_body.hpp>
#include <net/loop/task.hpp>

#include <string>

namespace exeat::net {

struct tunnel;

class http_exchange {
public:
    http_exchange(tunnel&, const request_head&);

    task<ending> run();
    verdict refused() const noexcept { return refused_; }   // chunk, upstream_malformed, connect_failure; else allowed
    bool response_begun() const noexcept { return begun_; } // the client has part of the answer
    bool request_read() const noexcept { return request_.done(); }
    // The upstream closed the connection without an octet of an answer; upstream_reset(): with a reset.
    bool unheard() const noexcept { return over_ && !heard_ && refused_ == verdict::connect_failure; }
    bool upstream_reset() const noexcept { return why_ == ending::upstream_reset; }
    // All bytes for the upstream are written, its whole answer is read, and the answer says that the connection is kept.
    bool upstream_reusable() const noexcept;
    // The client's body was read to its end, the answer is written, and the answer's head said that the connection is kept.
    bool client_reusable() const noexcept;

private:
    bool finished() const noexcept { return answered_ && answer_.done() && to_client_.empty() && !over_; }
    bool step_up();
    bool step_down();
    bool flush_up();
    bool flush_down();
    void take_request(std::string_view bytes);
    void take_answer();
    void read_answer_head();
    bool spent() noexcept;
    bool lost(ending) noexcept;

    tunnel& t_;
    const std::string method_;
    const bool http_1_0_;
    bool keep_client_, keep_upstream_ = false;
    http_body request_, answer_;
    std::string to_upstream_, to_client_, from_upstream_;
    std::size_t known_ = 0; // octets of an incomplete head in from_upstream_ that were already scanned
    std::size_t interim_ = 0;
    bool heard_ = false;    // something came from the upstream
    bool answered_ = false; // the final response's head was read
    bool begun_ = false;
    bool over_ = false;           // failed
    bool upstream_reset_ = false; // a write has consumed the socket's error: a later end of stream does not complete the answer
    ending why_ = ending::finished;
    verdict refused_ = verdict::allowed;
};

} // namespace exeat::net
