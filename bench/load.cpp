// load --work WORK --to ADDRESS:PORT [--name HOST:PORT] [--hello FILE] [--sni] [--at-once N] [--warm S] [--seconds S] [--cpu-of PID,PID…]
// A closed loop: N connections at once, each says its next thing when the last was answered. After the warm-up it counts for so many
// seconds and prints one line of JSON: operations, failures, bytes, latencies, and the CPU time of the processes named.
// --operations N: exactly so many connections instead, to their end.
// --work hold: reads numbers of tunnels from standard input, opens so many in all for each, prints a line of JSON for each, and at the
// end of the input how many it lost meanwhile.
#include "conversation.hpp"
#include "flood.hpp"
#include "measure.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <list>
#include <sys/socket.h>

namespace exeat::bench {

namespace {

using std::chrono::steady_clock;

struct options {
    std::string work, hello, name;
    sockaddr_in to{};
    bool sni = false;
    std::size_t at_once = 1, operations = 0; // 0: as many as the seconds allow
    double warm = 0, seconds = 1, patience = 30;
    std::vector<pid_t> processes;
};

class session;

struct generator {
    explicit generator(options o)
        : asked{std::move(o)}, talk{conversation_of(asked.work, {asked.name, asked.hello, !asked.sni})}, count{asked.processes}
    {}

    options asked;
    conversation talk;
    measure count;
    epoll events;
    flood bytes;
    std::vector<char> scratch = std::vector<char>(64 * 1024);
    std::vector<session*> finished;
};

class session {
public:
    explicit session(generator& g) : home_{g} { open(); }

    void open()
    {
        fd_ = dial(home_.asked.to);
        if (!fd_) fail("connect");
        at_ = 0, kept_ = {}, seen_ = {}, received_ = 0, held_ = hung_up_ = false;
        began_ = steady_clock::now();
        begin_step();
        home_.events.watch(fd_.value(), this);
    }

    void ready(std::uint32_t events)
    {
        if (!fd_) return;
        hung_up_ = hung_up_ || (events & EPOLLRDHUP);
        if (!kept_.empty() && (events & EPOLLOUT) && !say()) return;
        if (const auto then = now().then; then == await::upload) upload();
        else if (then == await::download) download();
        else listen();
    }

    bool held() const noexcept { return held_; }
    bool alive() const
    {
        char c;
        return fd_ && ::recv(fd_.value(), &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }

private:
    const step& now() const { return home_.talk.steps[at_]; }

    void begin_step()
    {
        kept_ = now().say;
        seen_.clear();
        received_ = 0;
        if (now().then == await::upload || now().then == await::download) began_ = steady_clock::now();
    }

    bool say()
    {
        const auto n = put(fd_.value(), kept_);
        if (n == broken) return failed("the connection broke"), false;
        if (n > 0) kept_.remove_prefix(static_cast<std::size_t>(n));
        return true;
    }

    void upload()
    {
        if (!kept_.empty()) return;
        for (int turns = 0; turns < 16; ++turns) {
            const auto n = home_.bytes.pour(fd_.value());
            if (n == again) return;
            if (n < 0) return failed("the connection broke in mid-stream");
            home_.count.bytes(static_cast<std::size_t>(n));
        }
        home_.events.rearm(fd_.value(), this);
    }

    void download()
    {
        for (int turns = 0; turns < 16; ++turns) {
            const auto n = drop(fd_.value());
            if (n == again) return;
            if (n <= 0) return failed("the connection ended in mid-stream");
            home_.count.bytes(static_cast<std::size_t>(n));
        }
        home_.events.rearm(fd_.value(), this);
    }

    void listen()
    {
        for (;;) {
            const auto n = take(fd_.value(), home_.scratch);
            if (n == again) return;
            const bool ended = n <= 0;
            if (!ended) hear({home_.scratch.data(), static_cast<std::size_t>(n)});
            const auto good = judge(ended);
            if (good && !*good) return failed(said());
            if (good) return next();
            if (ended) return failed("the connection ended early");
            if (static_cast<std::size_t>(n) < home_.scratch.size() && !hung_up_) return;
        }
    }

    void hear(std::string_view bytes)
    {
        received_ += bytes.size();
        if (now().then != await::bytes) seen_ += bytes;
    }

    std::optional<bool> judge(bool ended) const
    {
        switch (now().then) {
        case await::established: return whole_head(seen_, now().status);
        case await::reply: return whole_reply(seen_, now().status, ended);
        case await::bytes: return received_ < now().bytes ? std::nullopt : std::optional{received_ == now().bytes};
        case await::end: return ended ? std::optional{true} : std::nullopt;
        default: return std::nullopt;
        }
    }

    std::string said() const { return "unexpected answer: " + seen_.substr(0, 200) + " after " + std::to_string(received_) + " bytes"; }

    void next()
    {
        const bool last = at_ + 1 == home_.talk.steps.size();
        const auto repeat = home_.talk.repeat_from;
        if (last || (repeat && at_ >= *repeat)) home_.count.operation(steady_clock::now() - began_);
        if (last && !repeat) return finish();
        at_ = last ? *repeat : at_ + 1;
        begin_step();
        if (repeat && at_ == *repeat) began_ = steady_clock::now();
        if (say() && now().then == await::upload) upload(); // nothing will be answered, and it is writable already
    }

    void finish()
    {
        held_ = home_.asked.work == "hold";
        if (!held_) fd_.reset();
        home_.finished.push_back(this);
    }

    void failed(std::string why)
    {
        home_.count.failure(std::move(why));
        fd_.reset();
        home_.finished.push_back(this);
    }

    generator& home_;
    unique_fd fd_;
    std::size_t at_ = 0, received_ = 0;
    std::string_view kept_;
    std::string seen_;
    instant began_;
    bool held_ = false, hung_up_ = false;
};

void turn(generator& g)
{
    for (const auto& e : g.events.wait(10)) static_cast<session*>(e.data.ptr)->ready(e.events);
}

volatile std::sig_atomic_t asked_to_end = 0;

void run_until(generator& g, instant end)
{
    while (steady_clock::now() < end && !asked_to_end) {
        turn(g);
        for (auto* each : std::exchange(g.finished, {})) each->open();
        if (g.count.failures() > 1000) return;
    }
}

instant in(double seconds)
{
    return steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
}

// For counting what each costs: nothing is left open.
int exactly(generator& g)
{
    std::list<session> sessions;
    g.count.begin();
    std::size_t begun = 0, ended = 0;
    while (ended < g.asked.operations && g.count.failures() == 0) {
        for (; begun < g.asked.operations && begun < ended + g.asked.at_once; ++begun) sessions.emplace_back(g);
        turn(g);
        ended += std::exchange(g.finished, {}).size();
    }
    g.count.end();
    std::puts(g.count.json().c_str());
    return 0;
}

int closed_loop(generator& g)
{
    std::list<session> sessions;
    for (std::size_t i = 0; i < g.asked.at_once; ++i) sessions.emplace_back(g);
    run_until(g, in(g.asked.warm));
    g.count.begin();
    run_until(g, in(g.asked.seconds));
    g.count.end();
    std::puts(g.count.json().c_str());
    return 0;
}

// Opens until `total` are held, `at_once` at a time.
void hold(generator& g, std::list<session>& sessions, std::size_t total)
{
    measure count{g.asked.processes};
    std::swap(count, g.count);
    g.count.begin();
    std::size_t opening = 0;
    const auto give_up = in(g.asked.patience);
    while ((sessions.size() < total || opening > 0) && steady_clock::now() < give_up && g.count.failures() == 0) {
        while (sessions.size() < total && opening < g.asked.at_once) sessions.emplace_back(g), ++opening;
        turn(g);
        opening -= std::exchange(g.finished, {}).size();
    }
    if (opening > 0) g.count.failure("tunnels were not established in time");
    g.count.end();
    std::puts(g.count.json().c_str());
    std::fflush(stdout);
}

int hold_all(generator& g)
{
    std::list<session> sessions;
    for (std::size_t total; std::cin >> total;) hold(g, sessions, total);
    const auto lost = std::count_if(sessions.begin(), sessions.end(), [](const session& s) { return !s.alive(); });
    std::printf("{\"held\": %zu, \"lost\": %td}\n", sessions.size(), lost);
    return 0;
}

std::vector<pid_t> numbers(std::string_view text)
{
    std::vector<pid_t> out;
    for (const char *at = text.data(), *end = at + text.size(); at < end; ++at) {
        pid_t n = 0;
        at = std::from_chars(at, end, n).ptr;
        out.push_back(n);
    }
    return out;
}

std::string contents(const char* path)
{
    std::ifstream in{path, std::ios::binary};
    if (!in) fail("the file of the hello");
    return {std::istreambuf_iterator<char>{in}, {}};
}

options parse(std::span<char*> arguments)
{
    options o;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view key = arguments[i];
        if (key == "--sni") {
            o.sni = true;
            continue;
        }
        if (++i == arguments.size()) fail("an option lacks its value");
        const char* value = arguments[i];
        if (key == "--work") o.work = value;
        else if (key == "--to") o.to = endpoint(value);
        else if (key == "--name") o.name = value;
        else if (key == "--hello") o.hello = contents(value);
        else if (key == "--at-once") o.at_once = std::stoul(value);
        else if (key == "--operations") o.operations = std::stoul(value);
        else if (key == "--warm") o.warm = std::stod(value);
        else if (key == "--seconds") o.seconds = std::stod(value);
        else if (key == "--cpu-of") o.processes = numbers(value);
        else fail("there is no such option");
    }
    return o;
}

} // namespace

} // namespace exeat::bench

int main(int argc, char** argv)
{
    using namespace exeat::bench;
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGINT, [](int) { asked_to_end = 1; }); // end early, and say what was counted
    raise_descriptor_limit();
    generator g{parse({argv + 1, argv + argc})};
    if (g.asked.work == "hold") return hold_all(g);
    return g.asked.operations > 0 ? exactly(g) : closed_loop(g);
}
