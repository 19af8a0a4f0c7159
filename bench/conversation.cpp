#include "conversation.hpp"

#include "loop.hpp"

#include <charconv>

namespace exeat::bench {

namespace {

constexpr std::string_view head_end = "\r\n\r\n";

std::vector<step> opening(const destination& to)
{
    if (!to.connect) return {};
    return {{"CONNECT " + to.name + " HTTP/1.1\r\nHost: " + to.name + "\r\n\r\n", await::established}};
}

step get(const destination& to, bool close)
{
    return {"GET http://" + to.name + "/ HTTP/1.1\r\nHost: " + to.name +
                "\r\nUser-Agent: load\r\nAccept: */*\r\nConnection: " + (close ? "close" : "keep-alive") + "\r\n\r\n",
            await::reply};
}

conversation refused(const destination& to)
{
    if (!to.connect) return {{{to.hello, await::end}}, {}};
    auto steps = opening(to);
    steps[0].then = await::reply;
    steps[0].status = 403;
    return {steps, {}};
}

int status_of(std::string_view head)
{
    int status = 0;
    if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, status);
    return status;
}

std::optional<std::size_t> content_length(std::string_view head)
{
    for (const std::string_view name : {"Content-Length: ", "content-length: ", "Content-length: "}) {
        const auto at = head.find(name);
        if (at == std::string_view::npos) continue;
        std::size_t n = 0;
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), n);
        return n;
    }
    return std::nullopt;
}

} // namespace

conversation conversation_of(std::string_view work, const destination& to)
{
    if (work == "denied") return refused(to);
    if (work == "http") return {{get(to, false)}, 0};
    if (work == "http_close") return {{get(to, true)}, {}};
    auto steps = opening(to);
    if (work == "download") {
        steps.push_back({to.hello, await::download});
        return {steps, {}};
    }
    steps.push_back({to.hello, await::bytes, to.hello.size()}); // as in TLS, the server speaks before the client goes on
    if (work == "upload") {
        steps.push_back({"", await::upload});
        return {steps, {}};
    }
    if (work == "setup" || work == "hold") return {steps, {}};
    if (work != "echo") fail("there is no such work");
    steps.push_back({std::string(64, 'x'), await::bytes, 64});
    return {steps, steps.size() - 1};
}

std::optional<bool> whole_head(std::string_view seen, int status)
{
    const auto end = seen.find(head_end);
    if (end == std::string_view::npos) return std::nullopt;
    return status_of(seen) == status && end + head_end.size() == seen.size();
}

std::optional<bool> whole_reply(std::string_view seen, int status, bool ended)
{
    const auto end = seen.find(head_end);
    if (end == std::string_view::npos) return ended ? std::optional{false} : std::nullopt;
    if (status_of(seen) != status) return false;
    const auto length = content_length(seen.substr(0, end + 2));
    if (!length) return ended ? std::optional{true} : std::nullopt;
    if (seen.size() < end + head_end.size() + *length) return ended ? std::optional{false} : std::nullopt;
    return seen.size() == end + head_end.size() + *length;
}

} // namespace exeat::bench
