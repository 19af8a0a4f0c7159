// The file of pods: what is read of it, what is refused, and what follows from a change.
#include "temporary_directory.hpp"
#include "written_pod.hpp"

#include <ops/identity/pod_watch.hpp>
#include <ops/identity/pods_file.hpp>

#include <condition_variable>
#include <mutex>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::test;

namespace {

struct kept_file {
    explicit kept_file(const std::string& text) { put(text); }
    void put(const std::string& text) const // as a writer must: by a rename
    {
        dir.write("pods.new", text);
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

const auto one = with_uid(1).line() + "\n", two = with_uid(2, "10.244.0.8").line() + "\n";

} // namespace

TEST_CASE("a file of pods counts as a whole, and its error names the line")
{
    kept_file f{""};
    const auto read = [&](const std::string& text) { return f.put(text), f.read(); };
    CHECK(read("") == "all");
    CHECK(read(one + "\n" + two) == "all +1 +2");
    CHECK(read(one + two.substr(0, two.size() - 1)) == "all +1 ...");
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
        f.dir.write("pods.jsonl", text);
        CHECK(f.read() == in_place);
        CHECK(f.read() == in_place);
        f.put(two);
        CHECK(f.read() == "all +2");
    }
    kept_file f{one};
    CHECK(f.read() == "all +1");
    f.append(two);
    CHECK(f.read() == ":2: is a pod and not an event, and only events may be appended to the file");
}

TEST_CASE("a bad event stops all after it, also when it is looked at again")
{
    kept_file f{one};
    CHECK(f.read() == "all +1");
    f.append("{}\n");
    CHECK(f.read() == ":2: has no metadata.uid that could be one: ''");
    f.append(event("DELETED", with_uid(1)));
    CHECK(f.read() == ":2: has no metadata.uid that could be one: ''");
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
    CHECK(f.read() == ":1: is longer than 2 MiB");
    std::string all;
    for (std::size_t n = 0; n < limits::pods; ++n)
        all += fmt::format(R"({{"metadata":{{"uid":"u{}","namespace":"a","name":"b"}}}})"
                           "\n",
                           n);
    f.put(all);
    CHECK(f.file.read()->now.size() == limits::pods);
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
        dir.write("pods.new", text);
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
