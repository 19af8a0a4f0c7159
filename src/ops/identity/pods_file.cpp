#include <ops/identity/pods_file.hpp>

#include <exeat/limits.hpp>
#include <ops/identity/strict_json.hpp>
#include <ops/text/diagnostics.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace exeat::ops {

namespace {

template <class T> using outcome = boost::system::result<T, std::string>;

enum class line_kind : std::uint8_t { pod, changed, deleted, bookmark };

struct line {
    line_kind kind = line_kind::pod;
    pod_report pod; // of all but a bookmark
};

outcome<line> wrong(std::string why) { return {boost::system::in_place_error, std::move(why)}; }

outcome<line> parse_line(std::string_view text)
{
    if (text.size() > limits::pod_bytes)
        return wrong(fmt::format("is longer than {} MiB; write only the fields of a pod that exeat reads", limits::pod_bytes >> 20));
    const auto value = parse_strict_json(text, limits::pod_depth + 1); // an event is one deeper than its pod
    if (!value) return wrong(value.error());
    const auto* o = value->if_object();
    if (o == nullptr) return wrong("is not an object of JSON");
    line out;
    const auto* type = text_at(*o, "type");
    const auto* object = type == nullptr ? o : object_at(*o, "object");
    if (type != nullptr) {
        if (*type == "BOOKMARK") return line{line_kind::bookmark, {}};
        if (*type == "ADDED" || *type == "MODIFIED") out.kind = line_kind::changed;
        else if (*type == "DELETED") out.kind = line_kind::deleted;
        else return wrong(fmt::format("is an event of type {}, and not ADDED, MODIFIED, DELETED or BOOKMARK", as_shown(*type)));
        if (object == nullptr) return wrong("is an event without an object");
    }
    auto pod = read_pod(*object);
    if (!pod) return wrong(pod.error());
    out.pod = std::move(*pod);
    return out;
}

std::string words_of(int error) { return std::generic_category().message(error); }

} // namespace

// One call of read().
class pods_file::reading {
public:
    reading(const pods_file& of, net::unique_fd file) : of_{of}, file_{std::move(file)} {}

    outcome<pods_news> run()
    {
        struct stat is {
        }, was{};
        if (::fstat(file_.value(), &is) != 0) return wrong("cannot be read: " + words_of(errno));
        if (!S_ISREG(is.st_mode)) return wrong("is not a regular file");
        const auto size = static_cast<std::uint64_t>(is.st_size);
        if (size > limits::pods_file_bytes) return wrong(fmt::format("is larger than {} MiB", limits::pods_file_bytes >> 20));
        const bool known = of_.file_ && ::fstat(of_.file_.value(), &was) == 0 && was.st_dev == is.st_dev && was.st_ino == is.st_ino;
        news_.all = !known;
        if (known && size < of_.read_to_) return in_place();
        if (const auto failed = load(size); failed != 0) return wrong("cannot be read: " + words_of(failed));
        if (known && !begins_as_before()) return in_place();
        from_ = known ? of_.read_to_ : 0;
        line_ = known ? of_.lines_ : 0;
        if (const auto why = take_lines(); !why.empty()) return wrong_at(why);
        if (!known && !bookmark_) return wrong(R"(is not whole: no line {"type":"BOOKMARK"} follows its pods)");
        news_.gone.assign(gone_.begin(), gone_.end());
        for (auto& [uid, pod] : pods_) news_.now.push_back(std::move(pod));
        return outcome<pods_news>{boost::system::in_place_value, std::move(news_)};
    }

    void keep(pods_file& in)
    {
        in.sha256_ = digest_of(std::string_view{text_}.substr(0, to_));
        in.file_ = std::move(file_);
        in.read_to_ = to_, in.lines_ = line_;
    }

private:
    outcome<pods_news> wrong(std::string_view why) const { return {boost::system::in_place_error, fmt::format("{}: {}", of_.path_, why)}; }
    outcome<pods_news> wrong_at(std::string_view why) const
    {
        return {boost::system::in_place_error, fmt::format("{}:{}: {}", of_.path_, line_, why)};
    }
    outcome<pods_news> in_place() const
    {
        return wrong("was written in place, so it may not be whole; write another file and rename it to this one");
    }
    static sha256_digest::value digest_of(std::string_view text)
    {
        sha256_digest all;
        all.take(text);
        const auto out = all.finish();
        if (!out) throw std::bad_alloc{};
        return *out;
    }
    bool begins_as_before() const { return digest_of(std::string_view{text_}.substr(0, of_.read_to_)) == of_.sha256_; }

    int load(std::uint64_t size)
    {
        text_.resize(size);
        for (std::size_t at = 0; at < text_.size();) {
            const auto n = ::pread(file_.value(), text_.data() + at, text_.size() - at, static_cast<off_t>(at));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return errno;
            if (n == 0) text_.resize(at); // it became shorter meanwhile
            at += static_cast<std::size_t>(n);
        }
        return 0;
    }

    // Returns what is wrong with the last line that was looked at.
    std::string take_lines()
    {
        to_ = from_;
        for (std::string_view rest = std::string_view{text_}.substr(from_); !rest.empty();) {
            const auto end = rest.find('\n');
            if (end == rest.npos) {
                news_.unfinished = true;
                break;
            }
            ++line_;
            auto why = take(rest.substr(0, end));
            if (!why.empty()) return why;
            to_ += end + 1;
            rest.remove_prefix(end + 1);
        }
        return {};
    }

    std::string take(std::string_view text)
    {
        if (text.find_first_not_of(" \t\r") == text.npos) return {};
        auto l = parse_line(text);
        if (!l) return l.error();
        if (l->kind == line_kind::bookmark) return bookmark_ = true, std::string{};
        const auto uid = l->pod.pod->uid;
        if (l->kind == line_kind::pod && (!news_.all || bookmark_))
            return "is a pod and not an event, and only events may be appended to the file";
        if (l->kind == line_kind::pod && pods_.contains(uid)) return "has the UID of a pod in a line before";
        if (l->kind == line_kind::deleted) {
            pods_.erase(uid);
            if (!news_.all) gone_.insert(uid);
            return {};
        }
        gone_.erase(uid);
        pods_.insert_or_assign(uid, std::move(l->pod));
        return pods_.size() > limits::pods ? fmt::format("is of one pod more than the {} that can be known", limits::pods) : std::string{};
    }

    const pods_file& of_;
    net::unique_fd file_;
    std::string text_;
    std::uint64_t from_ = 0, to_ = 0, line_ = 0;
    pods_news news_;
    bool bookmark_ = false;
    std::set<std::string> gone_;
    std::map<std::string, pod_report> pods_; // by UID
};

outcome<pods_news> pods_file::read()
{
    net::unique_fd file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (!file) return {boost::system::in_place_error, fmt::format("{}: cannot be opened: {}", path_, words_of(errno))};
    reading now{*this, std::move(file)};
    auto out = now.run();
    if (out) now.keep(*this);
    return out;
}

} // namespace exeat::ops
