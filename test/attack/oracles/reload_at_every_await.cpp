// Law 11: a tunnel is judged by the list in force at its decision and by every later one; what waits in between is judged again. For each
// way in the undisturbed run is cut into its steps (every move of a peer, and every turn of the event loop after it); then it is run
// once for each step with the list swapped there, and once with that swap's allocations failing.
#include "../../unit/net/stage.hpp"

#include "../../unit/core/hello_builder.hpp"
#include "failing_allocations.hpp"

#include <algorithm>
#include <exeat/budget/accounts.hpp>
#include <net/tunnel.hpp>

using namespace exeat;
using namespace exeat::net;
using namespace exeat::testing;

namespace {

constexpr std::string_view host = "up.test";
constexpr std::uint64_t before_limit = 1024 * 1024, after_limit = 20'000;
constexpr std::size_t body_bytes = 60'000;
constexpr std::uint64_t first_generation = 1;

enum class way { connect, connect_tcp, sni, http, http_kept };
enum class change { same, removed, budget, group, expired, protocol_or_port, total, renamed };
constexpr std::array ways{way::connect, way::connect_tcp, way::sni, way::http, way::http_kept};
constexpr std::array changes{change::same,    change::removed,          change::budget, change::group,
                             change::expired, change::protocol_or_port, change::total,  change::renamed};

entry open_entry(way w, std::uint16_t port)
{
    auto e = pinned("weights", {std::string{host}}, port);
    if (w == way::connect_tcp) e.value.protocol = protocol::tcp;
    if (w == way::http || w == way::http_kept) e.value.protocol = protocol::http;
    e.value.upload = an_hour(before_limit);
    return e;
}

policy list_for(way w, change c, std::uint16_t port)
{
    auto e = open_entry(w, port);
    auto groups = one_group;
    if (c == change::budget || c == change::renamed) e.value.upload = an_hour(after_limit);
    if (c == change::renamed) e.value.name = "renamed";
    if (c == change::total) e.value.upload_total = an_hour(after_limit);
    if (c == change::group) groups[0].sources = {*ip_prefix::parse("10.2.0.0/16")};
    if (c == change::expired) e.value.expires = wall_time{std::chrono::seconds{1}};
    if (c == change::protocol_or_port) {
        if (w == way::connect || w == way::connect_tcp) e.value.protocol = w == way::connect ? protocol::tcp : protocol::tls;
        else e.value.ports = {1};
    }
    if (c == change::removed) e.hosts = {"other.test"};
    return compiled({e}, {}, groups);
}

bool keeps_open(change c) { return c == change::same || c == change::budget || c == change::total || c == change::renamed; }

std::string hello() { return test::record(test::hello_builder{}.server_name(host).message()); }

// As far as anybody reads it in the open: the record, the message and the version.
std::string server_hello() { return test::record(test::number(2, 1) + test::vector(std::string(38, '\x03'), 3), 22, 0x0303); }

// One run: a client in steps, an origin that answers, and the connection between them.
class run {
public:
    explicit run(way w) : way_{w}, stage_{list_for(w, change::same, origin_.port()), settings_for(w, origin_.port())}
    {
        auto [mine, its] = socket_pair();
        client_ = std::move(mine);
        auto place = stage_.at.admitted.enter(stage_.who.source);
        run_connection(std::move(its), stage_.who, std::move(*place), 0, stage_.at);
        stage_.turn();
    }

    // Performs step `n`; false when there is none any more.
    bool step(std::size_t n)
    {
        const auto moves = client_moves();
        // Each move of the client is followed by two turns in which the origin moves too.
        const auto move = n / 3;
        if (move >= moves.size() + 4) return false;
        if (n % 3 == 0 && move < moves.size() && !ended_) write_now(client_, moves[move]);
        if (n % 3 == 1) serve_origin();
        stage_.turn();
        ::poll(nullptr, 0, 1);
        stage_.turn();
        heard_ += read_now(client_, &ended_);
        for (auto& r : stage_.logged()) log_.push_back(r);
        return true;
    }
    // What the reload does before any worker has the list.
    void pass_on(const policy& next)
    {
        account_history before;
        before.adopt(coverage_of(list_for(way_, change::same, origin_.port()), stage_.at.wall()), stage_.at.wall(),
                     [](const holding&) { return false; });
        const auto heirs = before.heirs_under(next, coverage_of(next, stage_.at.wall()), stage_.at.wall());
        stage_.uploads.pass_on(heirs.uploads, first_generation + 1, stage_.at.minute());
    }
    void pass_on(change c) { pass_on(list_for(way_, c, origin_.port())); }
    void swap(change c, int allocations = -1)
    {
        auto next = std::make_shared<const policy>(list_for(way_, c, origin_.port()));
        pass_on(*next);
        if (allocations >= 0) fail_allocations_after(allocations);
        stage_.at.adopt({std::move(next), first_generation + 1});
        allow_allocations();
        at_swap_ = upstream_bytes();
        stage_.turn();
    }

    std::size_t upstream_bytes()
    {
        serve_origin();
        return received_.size();
    }
    std::size_t bytes_at_swap() const { return at_swap_; }
    const std::vector<audit_record>& log() const { return log_; }
    stage& here() { return stage_; }

private:
    static config settings_for(way w, std::uint16_t port)
    {
        config c;
        c.listeners.push_back({w == way::sni ? listen_mode::sni : listen_mode::proxy, {}});
        c.listeners[0].port = port;
        return c;
    }
    std::vector<std::string> client_moves() const
    {
        const auto to = std::string{host} + ":" + std::to_string(origin_.port());
        const std::string body(body_bytes, 'w');
        const auto h = hello();
        const auto post =
            "POST http://" + to + "/x HTTP/1.1\r\nHost: " + to + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        const auto ask = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n\r\n";
        switch (way_) {
        case way::connect: return {ask.substr(0, 9), ask.substr(9), h.substr(0, 20), h.substr(20), body, body};
        case way::connect_tcp: return {ask, body, body};
        case way::sni: return {h.substr(0, 1), h.substr(1), body, body};
        case way::http: return {post.substr(0, 30), post.substr(30), body.substr(0, 100), body.substr(100)};
        case way::http_kept: return {post, body, post, body};
        }
        return {};
    }
    void serve_origin()
    {
        if (auto fd = origin_.accept(); fd) upstream_.push_back(std::move(fd));
        for (auto& u : upstream_) {
            const auto got = read_now(u);
            received_ += got;
            if (got.empty()) continue;
            const bool http = way_ == way::http || way_ == way::http_kept;
            bodies_ += got.size();
            if (http && bodies_ < body_bytes) continue; // the answer comes behind the body
            bodies_ = 0;
            write_now(u, http ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" : server_hello());
        }
    }

    const way way_;
    small_origin origin_;
    stage stage_;
    unique_fd client_;
    std::vector<unique_fd> upstream_;
    std::string received_, heard_;
    std::size_t bodies_ = 0, at_swap_ = 0;
    bool ended_ = false;
    std::vector<audit_record> log_;
};

std::size_t steps_of(way w)
{
    run undisturbed{w};
    std::size_t n = 0;
    while (undisturbed.step(n)) ++n;
    return n;
}

// What must hold after the list was swapped at step `at`.
void check(run& r, change c)
{
    const auto sent = r.upstream_bytes();
    const auto opened_anew = [](const auto& e) { return e.action == audit_action::open && e.policy != first_generation; };
    // Another protocol is another tunnel: what has no decision yet may open under it.
    if (c == change::protocol_or_port && std::any_of(r.log().begin(), r.log().end(), opened_anew)) return;
    if (!keeps_open(c)) CHECK_MESSAGE(sent == r.bytes_at_swap(), "bytes left under a list that does not allow them");
    // What was sent under the old budget counts against the new one; nothing beyond it leaves after the swap.
    const auto uploaded = r.here().at.count.rules[2].upload.read();
    if (c == change::budget || c == change::renamed) CHECK(uploaded <= std::max<std::uint64_t>(after_limit, r.bytes_at_swap()));
    // A total over all clients is an account that begins with the list that names it.
    if (c == change::total) CHECK(uploaded <= after_limit + r.bytes_at_swap());
    for (const auto& e : r.log())
        if (e.action == audit_action::open && !keeps_open(c)) CHECK(e.policy == first_generation);
    for (auto& t : r.here().at.live)
        if (t.decision.allowed()) {
            CHECK(t.judged_by.generation == first_generation + 1);
            CHECK(keeps_open(c));
        } else CHECK(t.judged_by.rules == nullptr);
}

} // namespace

TEST_CASE("undisturbed, every way in opens, carries its bytes and is logged")
{
    for (const auto w : ways) {
        CAPTURE(static_cast<int>(w));
        run r{w};
        for (std::size_t n = 0; r.step(n);) ++n;
        CHECK(r.upstream_bytes() > body_bytes);
        CHECK(std::any_of(r.log().begin(), r.log().end(), [](const auto& e) { return e.action == audit_action::open; }));
    }
}

TEST_CASE("a list that is swapped at any step of any way in holds from there on")
{
    for (const auto w : ways) {
        const auto steps = steps_of(w);
        for (const auto c : changes)
            for (std::size_t at = 0; at <= steps; ++at) {
                CAPTURE(static_cast<int>(w));
                CAPTURE(static_cast<int>(c));
                CAPTURE(at);
                run r{w};
                for (std::size_t n = 0; n < at; ++n) r.step(n);
                r.swap(c);
                for (std::size_t n = at; r.step(n);) ++n;
                check(r, c);
            }
    }
}

TEST_CASE("a worker that has an entry's new name late, at any step of any way in, counts for it meanwhile")
{
    for (const auto w : ways) {
        const auto steps = steps_of(w);
        for (std::size_t at = 0; at <= steps; ++at)
            for (const std::size_t late : {1, 2, 4}) {
                CAPTURE(static_cast<int>(w));
                CAPTURE(at);
                CAPTURE(late);
                run r{w};
                for (std::size_t n = 0; n < at; ++n) r.step(n);
                r.pass_on(change::renamed);
                for (std::size_t n = at; n < at + late; ++n) r.step(n);
                r.swap(change::renamed);
                for (std::size_t n = at + late; r.step(n);) ++n;
                check(r, change::renamed);
            }
    }
}

TEST_CASE("a swap whose allocations fail cuts what it cannot judge, at any step of any way in")
{
    for (const auto w : ways) {
        const auto steps = steps_of(w);
        for (const auto c : {change::removed, change::budget, change::group, change::renamed})
            for (const int allocations : {0, 1, 2, 3})
                for (std::size_t at = 0; at <= steps; at += 2) {
                    CAPTURE(static_cast<int>(w));
                    CAPTURE(static_cast<int>(c));
                    CAPTURE(allocations);
                    CAPTURE(at);
                    run r{w};
                    for (std::size_t n = 0; n < at; ++n) r.step(n);
                    r.swap(c, allocations);
                    for (std::size_t n = at; r.step(n);) ++n;
                    check(r, c);
                }
    }
}
