// The two halves of one plain-HTTP exchange, moved side by side: the upstream may answer before the request is whole. Owns the bytes
// that are on their way, bounded by limits::scratch_bytes and limits::response_head_bytes a direction. Worker's thread; lives in
// forward()'s frame.
#pragma once

#include <exeat/ending.hpp>
#include <exeat/request_head.hpp>
#include <net/http_body.hpp>
#include <net/task.hpp>

#include <string>

namespace exeat::net {

struct tunnel;
struct watched_socket;

class http_exchange {
public:
    http_exchange(tunnel&, const request_head&);

    task<ending> run();
    verdict refused() const noexcept { return refused_; }   // chunk, upstream_malformed, connect_failure; else allowed
    bool response_begun() const noexcept { return begun_; } // the client has seen some of the answer
    bool upstream_reusable() const noexcept { return finished() && keep_upstream_ && request_.done(); }
    bool client_reusable() const noexcept { return finished() && keep_client_ && request_.done(); }
    bool client_accepts_json() const noexcept { return json_; }

private:
    bool finished() const noexcept { return answered_ && answer_.done() && to_client_.empty() && !over_; }
    bool step_up();
    bool step_down();
    bool flush(watched_socket& to, std::string& bytes, bool up);
    void take_request(std::string_view bytes);
    void take_answer();
    void read_answer_head();
    bool without_leave() noexcept;
    bool lost(ending) noexcept;

    tunnel& t_;
    const std::string method_;
    const bool http_1_0_, json_;
    bool keep_client_, keep_upstream_ = false;
    http_body request_, answer_;
    std::string to_upstream_, to_client_, from_upstream_;
    std::size_t interim_ = 0;
    bool answered_ = false; // the final response's head was read
    bool begun_ = false;
    bool over_ = false; // failed
    ending why_ = ending::finished;
    verdict refused_ = verdict::allowed;
};

} // namespace exeat::net
