// What the admin listener answers, apart from the sockets: one request in, one page out. Reading only; nothing can be changed by HTTP.
#pragma once

#include <ops/metrics.hpp>
#include <ops/readiness.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct admin_request {
    std::string_view method, target;
    std::optional<std::string_view> host; // absent: no Host field
};

struct admin_page {
    unsigned status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body;
};

class admin_pages {
public:
    explicit admin_pages(const metrics& numbers) : metrics_{&numbers} {} // which outlives this

    admin_page answer(const admin_request&) const;

private:
    admin_page index() const;
    admin_page ready() const;
    admin_page status() const;
    readiness judge() const;

    const metrics* metrics_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

// Against DNS rebinding: a web page can make a browser ask here under the page's own name, never under an address literal or localhost.
bool host_is_ours(std::string_view host) noexcept;

} // namespace exeat::ops
