#include <ops/verify_audit.hpp>

#include <exeat/limits.hpp>
#include <net/unique_fd.hpp>
#include <ops/audit_chain.hpp>

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace exeat::ops {

namespace {

constexpr std::size_t notes = 16;

// Takes the file line by line and keeps what the next line must agree with.
class checker {
public:
    checker(audit_findings& found, const std::optional<audit_place>& before) : found_{found}
    {
        if (!before) return;
        anchored_ = true;
        sequence_ = before->sequence;
        previous_ = before->sha256;
    }

    // False: broken, no need to go on.
    bool line(std::string_view text)
    {
        ++at_;
        if (text.size() > limits::audit_line_bytes) return broken(at_, "is longer than any line of an audit log");
        const auto link = read_link(text);
        if (fragment_ > 0) return link ? after_fragment(text, *link) : broken(at_ - 1, "is not a line of an audit log");
        if (!link) return hold_fragment(text);
        if (anchored_ && link->sequence != sequence_ + 1) return out_of_order(*link);
        if (anchored_ && link->previous != previous_)
            return broken(at_, "does not carry the hash of the line before: one of the two was changed");
        return accept(text, *link);
    }

    bool overlong() { return broken(at_ + 1, "is longer than any line of an audit log"); }

    void finish(std::string_view rest)
    {
        if (fragment_ > 0) broken(at_, "is not a line of an audit log");
        else if (!rest.empty()) broken(at_ + 1, "has no end: it was cut");
        else if (found_.lines > 0) found_.end = audit_place{sequence_, previous_};
    }

private:
    bool accept(std::string_view text, const audit_link& link)
    {
        if (found_.lines++ == 0) found_.first = link.sequence;
        found_.last = sequence_ = link.sequence;
        previous_ = hash(text);
        anchored_ = true;
        return true;
    }

    // A crash may leave a part of a line; the next start says so, and how long it is.
    bool hold_fragment(std::string_view text)
    {
        if (text.empty()) return broken(at_, "is empty");
        fragment_ = text.size();
        previous_ = hash(text);
        return true;
    }

    bool after_fragment(std::string_view text, const audit_link& link)
    {
        const bool owned = link.torn_octets == fragment_ && link.previous == previous_;
        const bool follows = !anchored_ || link.sequence == sequence_ + 1;
        if (!owned || !follows) return broken(at_ - 1, "is not a line of an audit log");
        fragment_ = 0;
        if (found_.notes.size() < notes)
            found_.notes.push_back("line " + std::to_string(at_ - 1) + " is a fragment that a crash left, and the next line says so");
        return accept(text, link);
    }

    bool out_of_order(const audit_link& link)
    {
        return broken(at_, "has number " + std::to_string(link.sequence) + " where " + std::to_string(sequence_ + 1) +
                               " was due: lines were " + (link.sequence > sequence_ + 1 ? "removed" : "repeated, moved or put in"));
    }

    bool broken(std::uint64_t line, std::string why)
    {
        found_.broken_line = line;
        found_.problem = "line " + std::to_string(line) + " " + std::move(why);
        return false;
    }

    std::string hash(std::string_view text)
    {
        const auto hex = sha256_.of(text);
        return {hex.data(), hex.size()};
    }

    audit_findings& found_;
    sha256 sha256_;
    std::uint64_t at_ = 0, sequence_ = 0;
    std::size_t fragment_ = 0; // octets of the line before, where it was not whole
    bool anchored_ = false;    // there is a line before
    std::string previous_;
};

// Feeds the whole lines of `text` and leaves the rest in it. False: broken.
bool feed(checker& check, std::string& text)
{
    std::size_t from = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
        if (!check.line(std::string_view{text}.substr(from, end - from))) return false;
        from = end + 1;
    }
    text.erase(0, from);
    return text.size() <= limits::audit_line_bytes || check.overlong();
}

} // namespace

audit_findings verify_audit(const std::string& path, const std::optional<audit_place>& before)
{
    audit_findings found;
    const net::unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    checker check{found, before};
    std::string text;
    std::string chunk(64 * 1024, '\0');
    for (;;) {
        const auto n = file ? ::read(file.value(), chunk.data(), chunk.size()) : -1;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) found.problem = "cannot be read: " + std::generic_category().message(errno);
        if (n <= 0) break;
        text.append(chunk, 0, static_cast<std::size_t>(n));
        if (!feed(check, text)) return found;
    }
    if (found.problem.empty()) check.finish(text);
    return found;
}

} // namespace exeat::ops
