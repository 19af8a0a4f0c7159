// The file of pods: what is read of it, what is refused, and what follows from a change.
#include "temporary_directory.hpp"
#include "written_pod.hpp"

#include <exeat/identity/workload_key.hpp>
#include <ops/identity/pod_watch.hpp>
#include <ops/identity/pods_file.hpp>

#include <condition_variable>
#include <cstring>
#include <mutex>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

struct kept_file {
    explicit kept_file(const std::string& text) { put(text); }
    void put(const std::string& text, const std::string& end = R"({"type":"BOOKMARK"})"
                                                               "\n") const // as a writer must: by a rename
    {
        dir.write("pods.new", text + end);
        std::filesystem::rename(dir.path("pods.new"), dir.path("pods.jsonl"));
    }
    void append(const std::string& text) const { std::ofstream{dir.path("pods.jsonl"), std::ios::app} << text; }
    std::string read() // what is new, or what is wrong
    {
        const auto news = file.read();
        if (!news) return news.error().substr(dir.path("pods.jsonl").size());
        std::string out = news->all ? "all" : "also";
        for (const auto& p : news->now) out += " +" + p.pod->uid.substr(p.pod->uid.size() - 1);
        for (const auto& uid : news->gone) out += " -" + uid.substr(uid.size() - 1);
        return news->unfinished ? out + " ..." : out;
    }

    temporary_directory dir;
    pods_file file{dir.path("pods.jsonl")};
};

const std::string bookmark = R"({"type":"BOOKMARK"})"
                             "\n";

const auto one = with_uid(1).line() + "\n", two = with_uid(2, "10.244.0.8").line() + "\n";

} // namespace

TEST_CASE("a file of pods counts as a whole, and its error names the line")
{
    kept_file f{""};
    const auto not_whole = R"(: is not whole: no line {"type":"BOOKMARK"} follows its pods)";
    const auto read = [&](const std::string& text) { return f.put(text), f.read(); };
    CHECK(read("") == "all");
    CHECK(read(bookmark + one) == ":2: is a pod and not an event, and only events may be appended to the file");
    CHECK(read(one + "\n" + two) == "all +1 +2");
    f.put(one + two, bookmark.substr(0, 10));
    CHECK(f.read() == not_whole);
    f.put(one + two, "");
    CHECK(f.read() == not_whole);
    f.put("", "");
    CHECK(f.read() == not_whole);
    CHECK(read(one + "{\n" + two).starts_with(":2: is not JSON at octet "));
    CHECK(read(one + two + one) == ":3: has the UID of a pod in a line before");
    CHECK(read(one + event("DELETED", with_uid(1)) + event("ADDED", with_uid(3))) == "all +3");
    CHECK(read(R"({"type":"ERROR","object":{"code":410}})"
               "\n") == ":1: is an event of type 'ERROR', and not ADDED, MODIFIED, DELETED or BOOKMARK");
    CHECK(read(R"({"type":"ADDED"})"
               "\n") == ":1: is an event without an object");
    CHECK(read("[]\n") == ":1: is not an object of JSON");
    CHECK(pods_file{f.dir.path("not-there")}.read().has_error());
    CHECK(pods_file{f.dir.path("")}.read().has_error());
}

TEST_CASE("events that are appended are read once each, and a line without an end only when it has one")
{
    kept_file f{one + two};
    CHECK(f.read() == "all +1 +2");
    CHECK(f.read() == "also");
    f.append(event("ADDED", with_uid(3)) + event("DELETED", with_uid(1)));
    CHECK(f.read() == "also +3 -1");
    const auto text = event("MODIFIED", with_uid(2));
    f.append(text.substr(0, 100));
    CHECK(f.read() == "also ...");
    f.append(text.substr(100));
    CHECK(f.read() == "also +2");
    f.append(R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"7"}}})"
             "\n");
    CHECK(f.read() == "also");
    f.append(event("ADDED", with_uid(4)) + event("DELETED", with_uid(4)) + event("DELETED", with_uid(5)) + event("ADDED", with_uid(5)));
    CHECK(f.read() == "also +5 -4");
    f.put(two);
    CHECK(f.read() == "all +2");
    f.file.forget();
    CHECK(f.read() == "all +2");
}

TEST_CASE("a file that was written in place is refused until another one takes its place, and nothing of it counts")
{
    const auto in_place = ": was written in place, so it may not be whole; write another file and rename it to this one";
    for (const auto& text : {std::string{}, one, two + one, with_uid(3).line() + "\n" + two}) {
        kept_file f{one + two};
        CHECK(f.read() == "all +1 +2");
        f.dir.write("pods.jsonl", text + bookmark);
        CHECK(f.read() == in_place);
        CHECK(f.read() == in_place);
        f.put(two);
        CHECK(f.read() == "all +2");
    }
    kept_file f{one};
    CHECK(f.read() == "all +1");
    f.append(two);
    CHECK(f.read() == ":3: is a pod and not an event, and only events may be appended to the file");
}

TEST_CASE("a bad event stops all after it, also when it is looked at again")
{
    kept_file f{one};
    CHECK(f.read() == "all +1");
    f.append("{}\n");
    CHECK(f.read() == ":3: has no metadata.uid that could be one: ''");
    f.append(event("DELETED", with_uid(1)));
    CHECK(f.read() == ":3: has no metadata.uid that could be one: ''");
}

TEST_CASE("a line, and the number of pods, have their limits")
{
    written w;
    w.more_spec = R"(,"x":"")";
    w.more_spec = R"(,"x":")" + std::string(limits::pod_bytes - w.line().size(), 'a') + '"';
    kept_file f{w.line() + "\n"};
    CHECK(w.line().size() == limits::pod_bytes);
    CHECK(f.read() == "all +1");
    w.more_spec.insert(w.more_spec.size() - 1, "a");
    f.put(w.line() + "\n");
    CHECK(f.read() == ":1: is longer than 2 MiB; write only the fields of a pod that exeat reads");
    std::string all;
    for (std::size_t n = 0; n < limits::pods; ++n)
        all += fmt::format(R"({{"metadata":{{"uid":"u{}","namespace":"a","name":"b"}},"status":{{"phase":"Running"}}}})"
                           "\n",
                           n);
    f.put(all);
    const auto most = f.file.read();
    REQUIRE(most.has_value());
    CHECK(most->now.size() == limits::pods);
    f.put(all + one);
    CHECK(f.read() == ":100001: is of one pod more than the 100000 that can be known");
}

TEST_CASE("a watch tells of changes, keeps what it knows when the file breaks, and calls it stale in the end")
{
    const temporary_directory dir;
    const event_log log{log_format::people};
    kubernetes_settings s;
    s.networks = networks, s.pods_file = dir.path("pods.jsonl"), s.stale_after = std::chrono::seconds{3};
    const auto put = [&](const std::string& text) {
        dir.write("pods.new", text + bookmark);
        std::filesystem::rename(dir.path("pods.new"), s.pods_file);
    };
    put(with_uid(1).line() + "\n");
    std::mutex lock;
    std::condition_variable heard;
    std::shared_ptr<const pod_snapshot> now;
    pod_watch watch{s, log};
    REQUIRE(watch.first()->pods.size() == 1); // before the first connection
    CHECK(watch.first()->source == pod_source::current);
    watch.begin([&](auto next) {
        const std::lock_guard hold{lock};
        now = std::move(next);
        heard.notify_all();
    });
    const auto comes = [&](auto&& expected) {
        std::unique_lock hold{lock};
        return heard.wait_for(hold, std::chrono::seconds{30}, [&] { return now && expected(*now); });
    };
    put(with_uid(2).line() + "\n");
    REQUIRE(comes([](const pod_snapshot& p) { return p.pods.find(ip("10.244.0.7")) != nullptr; }));
    const auto key = (*now->pods.find(ip("10.244.0.7")))->instance;
    CHECK(key == with_uid(2).report().pod->instance);
    CHECK(watch.names().text(key, 64) == "pod training/trainer-0 (10.244.0.7)");
    CHECK(watch.names().text(with_uid(1).report().pod->instance, 64) ==
          "pod training/trainer-0 (10.244.0.7)"); // it is gone, and has a name
    CHECK(watch.names().client_at(ip("10.244.0.7")) == key);
    put("{\n");
    REQUIRE(comes([](const pod_snapshot& p) { return p.source == pod_source::away; }));
    CHECK(now->pods.size() == 1);
    CHECK(watch.failures() == 1);
    REQUIRE(comes([](const pod_snapshot& p) { return p.source == pod_source::stale; }));
    put(with_uid(3, "10.244.0.9").line() + "\n");
    REQUIRE(comes([](const pod_snapshot& p) { return p.source == pod_source::current && p.pods.find(ip("10.244.0.9")) != nullptr; }));
    CHECK(now->pods.find(ip("10.244.0.7")) == nullptr);
    std::ofstream{s.pods_file, std::ios::app} << event("DELETED", with_uid(3)) << event("ADDED", with_uid(4, "10.244.0.10"));
    REQUIRE(comes([](const pod_snapshot& p) { return p.pods.find(ip("10.244.0.10")) != nullptr; }));
    CHECK(now->pods.find(ip("10.244.0.9")) == nullptr);
    std::ofstream{s.pods_file} << with_uid(4).line() << '\n'; // in place: nobody could tell when it is whole
    REQUIRE(comes([](const pod_snapshot& p) { return p.source == pod_source::away; }));
    CHECK(now->pods.find(ip("10.244.0.10")) != nullptr);
    watch.stop();
}

TEST_CASE("a pod that is there keeps its name, however many come and go; of those that are gone the last ones do")
{
    workload_names names;
    const auto stays = with_uid(1, "10.244.0.1").report().pod;
    names.learn(std::vector<pod_index::change>{{ip("10.244.0.1"), stays}});
    const auto at = [](std::size_t n) { return ip_address::v4(static_cast<std::uint32_t>(0x0af50000 + n % 1'000)); };
    const auto pod_number = [&](std::size_t n) {
        pod p;
        p.uid = std::to_string(n), p.space = "a", p.name = "b", p.service_account = "a/c", p.addresses = {at(n)};
        workload_digest d{};
        std::memcpy(d.data(), &n, sizeof n);
        p.instance = workload_key(workload_kind::instance, d);
        p.identity = workload_key(workload_kind::identity, {});
        return std::make_shared<const pod>(std::move(p));
    };
    std::vector<std::shared_ptr<const pod>> all;
    for (std::size_t n = 0; n < limits::pods_gone + 5'000; ++n) {
        all.push_back(pod_number(n));
        names.learn(std::vector<pod_index::change>{{at(n), all.back()}});
    }
    CHECK(names.find(stays->instance).pod == stays);
    CHECK(names.find(stays->identity).of_identity);
    CHECK(names.find(all.front()->instance).pod == nullptr);
    CHECK(names.find(all.back()->instance).pod == all.back());
    CHECK(names.find(all[all.size() - limits::pods_gone / 2]->instance).pod != nullptr);
    CHECK(names.client_at(at(4'999)) == all.back()->instance);
    names.learn(std::vector<pod_index::change>{{ip("10.244.0.1"), nullptr}});
    CHECK(names.find(stays->instance).pod == stays); // gone, and not forgotten yet
}
