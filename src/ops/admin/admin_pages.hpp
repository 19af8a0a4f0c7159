// The answers of the admin listener, without the sockets: one request in, one page out. Read-only: nothing can be changed over HTTP.
// Expensive reports are made at most once per limits::report_age. One thread.
#pragma once

#include <ops/admin/tunnel_desk.hpp>
#include <ops/admin/tunnel_page.hpp>
#include <ops/metrics/history.hpp>
#include <ops/metrics/metrics.hpp>
#include <ops/metrics/readiness.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace exeat::ops {

struct admin_request {
    std::string_view method, target;
    std::optional<std::string_view> host; // absent: no Host field
};

struct admin_page {
    unsigned status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body;
    std::string_view security = "default-src 'none'; frame-ancestors 'none'"; // Content-Security-Policy
};
admin_page plain_page(unsigned status, std::string text);

// A page, or a question for the workers, whose answers tunnels() turns into a page.
using admin_answer = std::variant<admin_page, tunnel_page>;

class admin_pages {
public:
    admin_pages(const metrics& numbers, history& past) : metrics_{&numbers}, history_{&past} {} // both outlive this object

    admin_answer answer(const admin_request&);
    admin_page tunnels(const tunnel_page& asked, std::optional<tunnels_found>) const; // absent: too many requests

private:
    struct kept {
        std::string text;
        std::chrono::steady_clock::time_point made;
        admin_page answer(const std::function<std::string()>& make);
    };
    admin_page ready() const;
    admin_page status();
    admin_page recent();
    admin_answer tunnels(std::string_view target) const;
    readiness judge() const;

    const metrics* metrics_;
    history* history_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    kept status_, recent_;
};

// Prevents DNS rebinding: a web page can make a browser send requests here with the page's own name in Host, but not with an address
// literal, localhost, or one of the names that the settings give this listener.
bool host_is_ours(std::string_view host, std::span<const std::string> names = {}) noexcept;

} // namespace exeat::ops
