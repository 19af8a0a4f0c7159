// From which ports questions leave, and which datagrams are answers.
#include "loopback_dns.hpp"

#include <net/dns/dns_channel.hpp>
#include <net/dns/dns_ports.hpp>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <doctest/doctest.h>
#include <filesystem>
#include <map>
#include <poll.h>
#include <set>
#include <string>
#include <vector>

using namespace exeat;
using namespace exeat::net;
using namespace std::chrono_literals;

namespace {

std::size_t descriptors()
{
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// The product's channel, asking the server above.
struct lab {
    loopback_dns server;
    boost::asio::io_context io{1};
    std::map<std::string, dns_answer> answers; // those of which both halves are there
    std::map<std::string, dns_halves> halves;
    std::vector<endpoint> servers{{ip_address::v4(INADDR_LOOPBACK), server.port()}};
    dns_channel channel{io, servers, 1h}; // nothing here waits for the time-out

    ~lab() { channel.stop(); }
    void ask(const std::string& name)
    {
        channel.ask(name, [this, name](dns_half which, dns_answer a) {
            auto& h = halves[name];
            h.take(which, std::move(a), {});
            if (h.complete()) answers[name] = h.joined();
        });
    }
    void turn()
    {
        io.restart();
        while (io.poll() > 0) {}
    }
    void answer_all()
    {
        for (const auto& q : server.asked()) server.send(q.from, q.answer());
        turn();
    }
    std::vector<asked_question> ask_many(std::size_t names)
    {
        for (std::size_t i = 0; i < names; ++i) ask("n" + std::to_string(i) + ".many.test");
        return server.asked();
    }
};

std::set<std::uint16_t> ports_of(const std::vector<asked_question>& all)
{
    std::set<std::uint16_t> ports;
    for (const auto& q : all) ports.insert(q.port());
    return ports;
}

std::string lower(std::string_view s)
{
    std::string out{s};
    for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

// A line to the server, and one question that waits there.
struct one_port {
    loopback_dns server;
    dns_ports ports{2s};
    dns_ports::moment now{};
    int line = ports.open();
    std::string query = std::string{"\x12\x34\1\0\0\1\0\0\0\0\0\0", 12} + std::string{"\4name\4test\0\0\1\0\1", 15};
    asked_question asked;

    one_port()
    {
        const auto at = server.address();
        ports.connect(line, reinterpret_cast<const sockaddr*>(&at), sizeof at);
        ports.send(line, query, now);
        asked = server.asked().at(0);
    }
    ssize_t receive(std::span<char> room)
    {
        ssize_t n = -1;
        ports.turn([&](int at) { n = ports.receive(at, room, nullptr, nullptr); });
        return n;
    }
};

} // namespace

TEST_CASE("each question leaves by a port of its own, and the ports of the next ones are others")
{
    lab l;
    const auto first = ports_of(l.ask_many(10));
    CHECK(first.size() == 20); // A and AAAA of each
    const auto names = l.answers.size();
    CHECK(names == 0);
    l.channel.stop();
    lab other;
    auto all = first;
    all.merge(ports_of(other.ask_many(10)));
    CHECK(all.size() > 30); // by chance a few may be the same
}

TEST_CASE("a port is closed with its answer")
{
    lab l;
    const auto before = descriptors();
    l.ask("a.test");
    CHECK(descriptors() == before + 2);
    l.answer_all();
    CHECK(l.answers["a.test"].addresses.size() == 1);
    CHECK(descriptors() == before);
}

TEST_CASE("more questions than there may be ports share them, all are answered, and the sockets stay below their bound")
{
    lab l;
    const auto before = descriptors();
    const auto asked = l.ask_many(limits::dns_ports);
    CHECK(asked.size() == 2 * limits::dns_ports);
    CHECK(ports_of(asked).size() == limits::dns_ports);
    CHECK(descriptors() <= before + limits::dns_sockets);
    for (const auto& q : asked) l.server.send(q.from, q.answer());
    l.turn();
    REQUIRE(l.answers.size() == limits::dns_ports);
    for (const auto& [name, a] : l.answers) CHECK_FALSE(a.failed);
    CHECK(descriptors() == before);
}

TEST_CASE("a port that has carried its number of questions carries no more while another can")
{
    lab l;
    const auto asked = l.ask_many(limits::dns_ports * limits::dns_port_questions / 2);
    std::map<std::uint16_t, std::size_t> carried;
    for (const auto& q : asked) ++carried[q.port()];
    REQUIRE(carried.size() == limits::dns_ports);
    for (const auto& [port, n] : carried) CHECK(n == limits::dns_port_questions);
    l.ask("one-more.test"); // when none can, one does
    CHECK(l.server.asked().size() == 2);
}

TEST_CASE("an answer that comes to another question's port is not taken")
{
    lab l;
    l.ask("a.test");
    l.ask("b.test");
    const auto asked = l.server.asked();
    REQUIRE(asked.size() == 4);
    for (const auto& q : asked)
        for (const auto& other : asked)
            if (&other != &q) l.server.send(other.from, q.answer());
    l.turn();
    CHECK(l.answers.empty());
    for (const auto& q : asked) l.server.send(q.from, q.answer());
    l.turn();
    CHECK(l.answers.size() == 2);
}

TEST_CASE("names are asked for in random case")
{
    lab l;
    std::set<std::string> seen;
    for (const auto& q : l.ask_many(10)) {
        CHECK(lower(q.name()).ends_with(std::string{"\4many\4test\0", 11}));
        seen.insert(std::string{q.name().substr(q.name().size() - 11)});
    }
    CHECK(seen.size() > 10); // of 20, with eight letters each
}

TEST_CASE("an answer that does not keep the case is not believed: the question is asked again over TCP")
{
    lab l;
    l.ask("a-name-with-many-letters.test");
    CHECK_FALSE(l.server.was_dialled());
    for (const auto& q : l.server.asked()) l.server.send(q.from, q.answer(lower(q.octets())));
    l.turn();
    CHECK(l.answers.empty());
    CHECK(l.server.was_dialled());
}

TEST_CASE("a server where nothing listens is left for the next one at once, and with none left the question has failed")
{
    const auto closed = loopback_dns{}.port(); // gone by now
    const endpoint nobody{ip_address::v4(INADDR_LOOPBACK), closed};
    loopback_dns server;
    for (const bool any : {true, false}) {
        std::vector<endpoint> servers{nobody};
        if (any) servers.push_back({ip_address::v4(INADDR_LOOPBACK), server.port()});
        boost::asio::io_context io{1};
        dns_channel channel{io, servers, 1h}; // a try that was waited for would take minutes
        dns_halves halves;
        channel.ask("a.test", [&](dns_half which, dns_answer a) { halves.take(which, std::move(a), {}); });
        CHECK_FALSE(channel.idle());
        const auto turn = [&] {
            io.restart();
            while (io.poll() > 0) {}
        };
        turn();
        const auto asked = server.asked();
        CHECK(asked.size() == (any ? 2 : 0));
        for (const auto& q : asked) server.send(q.from, q.answer());
        turn();
        CHECK(halves.complete());
        CHECK(channel.idle());
        CHECK(halves.joined().result == (any ? dns_result::answered : dns_result::refused));
        channel.stop();
    }
}

TEST_CASE("however many servers there are, each is asked within the time for a question")
{
    for (std::size_t n = 1; n <= limits::dns_servers; ++n) {
        std::vector<loopback_dns> all(n);
        std::vector<endpoint> servers;
        for (const auto& s : all) servers.push_back({ip_address::v4(INADDR_LOOPBACK), s.port()});
        boost::asio::io_context io{1};
        dns_channel channel{io, servers, 30ms};
        dns_halves halves;
        channel.ask("a.test", [&](dns_half which, dns_answer a) { halves.take(which, std::move(a), {}); });
        for (int sweeps = 0; !channel.idle() && sweeps < 10'000; ++sweeps) {
            channel.sweep();
            ::poll(nullptr, 0, 1);
        }
        CHECK(halves.joined().result == dns_result::timed_out);
        for (const auto& s : all) CHECK(s.asked().size() >= 2);
        channel.stop();
    }
}

TEST_CASE("only the identity, the question and the response bit together make an answer")
{
    one_port p;
    const auto genuine = p.asked.answer();
    const auto altered = [&](std::size_t at, char bits) {
        auto s = genuine;
        s[at] = static_cast<char>(s[at] ^ bits);
        return s;
    };
    for (const auto& wrong : {altered(0, 1), altered(1, 1), altered(2, '\x80'), altered(5, 2), altered(12 + 10, 1), altered(12 + 12, 1),
                              altered(12 + 14, 1), genuine.substr(0, 11), genuine.substr(0, 26), std::string{}})
        p.server.send(p.asked.from, wrong);
    std::array<char, 600> room{};
    CHECK(p.receive(room) == -1);
    CHECK(p.ports.open_ports() == 1);
    p.server.send(p.asked.from, genuine);
    CHECK(p.receive(room) == static_cast<ssize_t>(genuine.size()));
    CHECK(std::string_view{room.data(), 27} == p.query.substr(0, 2) + genuine.substr(2, 10) + p.query.substr(12));
    CHECK(p.ports.open_ports() == 0);
}

TEST_CASE("whatever identities c-ares gives, those that leave are drawn anew")
{
    std::set<std::string> sent;
    constexpr std::size_t questions = 16;
    for (std::size_t i = 0; i < questions; ++i) sent.insert(one_port{}.asked.packet.substr(0, 2)); // each the same query
    CHECK(sent.size() > questions / 2);
}

TEST_CASE("a question that is repeated leaves as it did the first time, another one under its identity does not")
{
    one_port p;
    REQUIRE(p.ports.send(p.line, p.query, p.now) > 0);
    const auto again = p.server.asked().at(0);
    CHECK(again.packet == p.asked.packet);
    CHECK(again.port() == p.asked.port());
    auto other = p.query;
    other[13] = 'x';
    REQUIRE(p.ports.send(p.line, other, p.now) > 0);
    CHECK(p.server.asked().at(0).port() != p.asked.port());
    CHECK(p.ports.open_ports() == 2); // both have no answer yet
}

TEST_CASE("a port whose question has had no answer is closed when its time is over")
{
    one_port p;
    p.ports.expire(p.now + 2s - 1ns);
    CHECK(p.ports.open_ports() == 1);
    p.ports.expire(p.now + 2s);
    CHECK(p.ports.open_ports() == 0);
}

TEST_CASE("a turn looks at so many datagrams and leaves the next to a later one")
{
    std::array<char, 600> room{};
    for (const auto forged : {limits::dns_datagrams_per_turn - 1, limits::dns_datagrams_per_turn}) {
        one_port p;
        for (std::size_t i = 0; i < forged; ++i) p.server.send(p.asked.from, "forged");
        p.server.send(p.asked.from, p.asked.answer());
        if (forged == limits::dns_datagrams_per_turn) CHECK(p.receive(room) == -1);
        CHECK(p.receive(room) > 0);
    }
}

TEST_CASE("what is not a query is not sent, and there are as many lines as servers")
{
    one_port p;
    for (const auto& wrong : {std::string{}, p.query.substr(0, 11), p.query.substr(0, 26), p.query + std::string(600, 'a')})
        CHECK(p.ports.send(p.line, wrong, p.now) == -1);
    CHECK(p.server.asked().empty());
    for (std::size_t i = 1; i < limits::dns_servers; ++i) CHECK(dns_ports::is_line(p.ports.open()));
    CHECK(p.ports.open() == -1);
    p.ports.close(p.line);
    CHECK(p.ports.open_ports() == 0);
    CHECK(p.ports.open() == p.line);
}

TEST_CASE("two questions that c-ares gave one identity are both answered")
{
    one_port p;
    auto other = p.query;
    other[13] = 'm'; // mame.test, under the same identity
    p.ports.send(p.line, other, p.now);
    const auto second = p.server.asked().at(0);
    CHECK(second.port() != p.asked.port());
    CHECK(p.ports.open_ports() == 2);
    std::array<char, 512> room{};
    for (const asked_question* q : {static_cast<const asked_question*>(&p.asked), &second}) {
        p.server.send(q->from, q->answer());
        REQUIRE(p.receive(room) > 0);
        CHECK(room[0] == '\x12');
        CHECK(room[13] == (q == &second ? 'm' : 'n'));
    }
    CHECK(p.ports.open_ports() == 0);
}

TEST_CASE("a server's failure ends the question there and not at the next server, whose answer is still one")
{
    for (const char code : {'\2', '\4', '\5', '\0', '\3'}) { // SERVFAIL, NOTIMP, REFUSED; NOERROR, NXDOMAIN
        one_port p;
        loopback_dns next;
        const int line = p.ports.open();
        const auto at = next.address();
        p.ports.connect(line, reinterpret_cast<const sockaddr*>(&at), sizeof at);
        p.ports.send(line, p.query, p.now); // the first one is late
        const auto again = next.asked().at(0);
        CHECK(p.ports.open_ports() == 2);
        auto late = p.asked.answer();
        late[3] = static_cast<char>((late[3] & '\xf0') | code);
        p.server.send(p.asked.from, late);
        std::array<char, 512> room{};
        p.ports.turn([&](int of) { CHECK(p.ports.receive(of, room, nullptr, nullptr) > 0); });
        const bool goes_on = code != '\0' && code != '\3';
        CHECK(p.ports.open_ports() == (goes_on ? 1 : 0));
        next.send(again.from, again.answer());
        ssize_t n = -1;
        p.ports.turn([&](int of) { n = p.ports.receive(of, room, nullptr, nullptr); });
        CHECK((n > 0) == goes_on);
    }
}
