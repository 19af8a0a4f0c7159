#include "told.hpp"

#include <exeat/detect/bank.hpp>
#include <exeat/limits.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <string>

using namespace exeat;
using namespace exeat::detect;
using namespace exeat::detect::testing;

namespace {

const thresholds usual;
constexpr moment began = 20'000 * day;

std::string written(detector_bank& b)
{
    std::string out;
    for (std::size_t part = 0; part < detector_bank::parts; ++part) b.write(part, out);
    return out;
}

std::unique_ptr<detector_bank> restarted(detector_bank& b, moment back = moment{0})
{
    auto next = std::make_unique<detector_bank>(seed, usual);
    REQUIRE(next->read(written(b), back));
    return next;
}

// Honest and dishonest traffic of five clients at three entries, so mixed that every detector finds something in some days.
class traffic {
public:
    explicit traffic(std::uint32_t seed) : random_{seed} {}

    // All that happens in one minute, shown to `see`.
    template <class See> void minute_of(moment now, See&& see)
    {
        for (std::uint32_t who = 1; who <= 5; ++who) {
            see(opened(now, "usual.test", who));
            const bool reads = now / hour % 12 < 10;
            see(moved(now, random_() % 60'000, reads ? 20'000'000 : 0, who, 1 + random_() % 3));
            if (odd(400)) see(moved(now, random_() % 70'000'000, 0, who, 1 + random_() % 3)); // drip, collusion, direction_flip
            if (odd(500)) host_[who % host_.size()] = "drop" + std::to_string(random_()) + ".test";
            if (odd(2)) see(opened(now + moment{random_() % 3}, host_[who % host_.size()], who)); // beacon
            if (odd(60)) see(to_drop(now, who));                                                  // first_seen
            for (int n = odd(100) ? 6 : 0; n > 0; --n) see(refused(now, who)); // denied_burst, name_mismatch, upload_budget
            for (int n = odd(200) ? 150 : 0; n > 0; --n) see(name(now, who));  // name_channel, fan_out
            if (who == 2) see(piece(now, who)), see(piece(now, who));          // uniform_chunks
        }
    }

private:
    bool odd(unsigned one_of) { return random_() % one_of == 0; }
    flow_event to_drop(moment now, std::uint32_t who)
    {
        auto e = moved(now, random_() % 9'000'000, 100, who);
        e.host = host_[who % host_.size()];
        return e;
    }
    flow_event refused(moment now, std::uint32_t who)
    {
        constexpr std::array why{verdict::not_allowed, verdict::not_allowed, verdict::sni_mismatch, verdict::budget};
        text_ = "door" + std::to_string(random_() % 200) + ".test";
        auto e = denied(now, text_, why[random_() % why.size()], who);
        e.times = 1 + random_() % 8;
        e.purpose = odd(2) ? purpose::pull : purpose::api;
        return e;
    }
    flow_event name(moment now, std::uint32_t who)
    {
        text_ = std::string(40 + random_() % 20, 'a') + std::to_string(random_() % 5'000) + ".w.test";
        auto e = opened(now, text_, who);
        e.wildcard = true;
        return e;
    }
    flow_event piece(moment now, std::uint32_t who)
    {
        auto e = moved(now, 0, 0, who);
        e.step = flow_step::close;
        e.tunnel_up = 512'000 + random_() % 1'000;
        return e;
    }

    std::mt19937 random_;
    std::array<std::string, 5> host_{"d0.test", "d1.test", "d2.test", "d3.test", "d4.test"};
    std::string text_;
};

bool same(const findings& a, const findings& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const finding& x, const finding& y) {
        return x.which == y.which && x.client == y.client && x.entry == y.entry && x.value == y.value && x.threshold == y.threshold;
    });
}

// The order of keys that were all used lately is not kept exactly (bounded_table.hpp): what is known of each is.
std::string sorted(std::string bytes)
{
    std::sort(bytes.begin(), bytes.end());
    return bytes;
}

} // namespace

TEST_CASE("what is found after a restart is what would have been found without one, by every detector")
{
    std::array<std::size_t, detectors> after{};
    for (std::uint32_t n = 0; n < 3; ++n) {
        traffic t{n};
        std::mt19937 random{n};
        detector_bank never{seed, usual};
        auto often = std::make_unique<detector_bank>(seed, usual);
        std::size_t restarts = 0;
        for (moment now = began; now < began + 9 * day; now += minute) {
            if (random() % 300 == 0) often = restarted(*often), ++restarts;
            t.minute_of(now, [&](const flow_event& e) {
                findings a, b;
                never.see(e, a);
                often->see(e, b);
                REQUIRE(same(a, b));
                for (const auto& f : b) after[static_cast<std::size_t>(f.which)] += restarts > 0;
            });
        }
        CHECK(restarts > 20);
        CHECK(sorted(written(never)) == sorted(written(*often)));
        for (std::uint32_t who = 1; who <= 5; ++who)
            CHECK(never.score(a_pod(who), began + 9 * day) == often->score(a_pod(who), began + 9 * day));
    }
    for (std::size_t d = 0; d < detectors; ++d)
        if (static_cast<detector>(d) != detector::long_tunnel) CHECK_MESSAGE(after[d] > 0, about(static_cast<detector>(d)).name);
}

TEST_CASE("a full table forgets the same keys after a restart as without one")
{
    detector_bank a{seed, usual};
    findings out;
    for (std::uint32_t n = 0; n < limits::detect_clients; ++n) a.see(moved(day, 33'000'000, 0, n), out);
    const auto b = restarted(a);
    for (std::uint32_t n = 0; n < 300; ++n) a.see(moved(day, 1, 0, 1'000'000 + n), out), b->see(moved(day, 1, 0, 1'000'000 + n), out);
    findings of_a, of_b;
    for (std::uint32_t n = 0; n < 600; ++n) a.see(moved(day, 33'000'000, 0, n), of_a), b->see(moved(day, 33'000'000, 0, n), of_b);
    CHECK(same(of_a, of_b));
    CHECK(count(of_a, detector::drip) == 0); // each of these made room for the one before it, so what they had filled is gone
    findings kept;
    b->see(moved(day, 33'000'000, 0, 60'000), kept);
    CHECK(count(kept, detector::drip) == 1);
}

TEST_CASE("bytes that are not whole, or are more, are none of ours")
{
    traffic t{1};
    detector_bank b{seed, usual};
    findings out;
    for (moment now = began; now < began + 3 * hour; now += minute) t.minute_of(now, [&](const flow_event& e) { b.see(e, out); });
    const auto good = written(b);
    for (std::size_t n = 0; n < good.size(); n += good.size() < n + 2'000 ? 1 : 7)
        CHECK_FALSE(detector_bank{seed, usual}.read(std::string_view{good}.substr(0, n)));
    CHECK_FALSE(detector_bank{seed, usual}.read(good + '\0'));
    CHECK(detector_bank{seed, usual}.read(good));
}

TEST_CASE("no more keys than a table holds, no number that is none and no moment after the last are taken")
{
    const auto empty = [] {
        detector_bank b{seed, usual};
        return written(b);
    }();
    const auto bucket = [&](std::uint32_t count, double level, std::int64_t at) {
        std::string out{reinterpret_cast<const char*>(&count), 4};
        for (std::uint32_t n = 0; n < count; ++n) {
            out += std::string(12, '\0') + std::string{reinterpret_cast<const char*>(&n), 4} + std::string(8, '\1');
            out.append(reinterpret_cast<const char*>(&level), 8).append(24, '\0');
            out.append(reinterpret_cast<const char*>(&at), 8).append(8 + 2, '\0');
        }
        return detector_bank{seed, usual}.read(out + empty.substr(4));
    };
    const auto last = static_cast<std::int64_t>(limits::snapshot_minutes) * 60;
    CHECK(bucket(1, 1.0, last));
    CHECK_FALSE(bucket(1, 1.0, last + 1));
    CHECK_FALSE(bucket(1, 1.0, -1));
    CHECK_FALSE(bucket(1, NAN, 0));
    CHECK_FALSE(bucket(1, INFINITY, 0));
    CHECK(bucket(limits::detect_clients, 1.0, 0));
    CHECK_FALSE(bucket(limits::detect_clients + 1, 1.0, 0));
}

TEST_CASE("after a clock that went back what is known goes on as if it had not")
{
    const moment back = 364 * day; // whole weeks, so that the sliding windows have the same steps
    traffic ahead{4}, behind{4};
    detector_bank a{seed, usual};
    findings found;
    for (moment now = began; now < began + 2 * day; now += minute) ahead.minute_of(now, [&](const flow_event& e) { a.see(e, found); });
    for (moment now = began; now < began + 2 * day; now += minute) behind.minute_of(now, [](const flow_event&) {});
    const auto b = restarted(a, back);
    std::vector<findings> of_a;
    std::size_t n = 0;
    for (moment now = began + 2 * day; now < began + 4 * day; now += minute) {
        ahead.minute_of(now, [&](const flow_event& e) { a.see(e, of_a.emplace_back()); });
        behind.minute_of(now - back, [&](const flow_event& e) {
            findings of_b;
            b->see(e, of_b);
            REQUIRE(same(of_a[n++], of_b));
        });
    }
    detector_bank before_time{seed, usual};
    CHECK_MESSAGE(before_time.read(written(a), began + 999 * day), "there is no moment before the first");
}
