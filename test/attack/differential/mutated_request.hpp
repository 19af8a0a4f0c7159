// Request heads that are nearly right, changed where parsers are known to disagree. Which change is made follows from the seed alone.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::test {

class request_source {
public:
    // `usual`: the target of most requests.
    request_source(std::uint64_t seed, std::string usual) : draw_{seed}, usual_{std::move(usual)} {}

    std::string next()
    {
        auto head = request_line();
        std::vector<std::string> fields{"Host" + separator() + host()};
        for (auto n = below(4); n > 0; --n) fields.push_back(field());
        if (one_in(2)) std::shuffle(fields.begin(), fields.end(), draw_);
        for (const auto& f : fields) head += f + line_end();
        head += line_end();
        for (auto n = one_in(2) ? 0 : below(3); n > 0; --n) change(head);
        return head;
    }

private:
    using words = std::vector<std::string>;
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(draw_() % bound); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    // Mostly the first, which is right.
    const std::string& of(const words& w) { return w[one_in(3) ? below(w.size()) : 0]; }

    std::string line_end()
    {
        static const words ends{"\n", "\r", "\r\r\n", "\r\n ", "\r\n\t"};
        return one_in(60) ? ends[below(ends.size())] : "\r\n";
    }
    std::string separator()
    {
        static const words all{": ", ":", ":  \t", " :", ":\t", ":\x0b"};
        return one_in(4) ? all[below(all.size())] : all[0];
    }
    std::string host()
    {
        static const words hosts{"ok.test",           "OK.test",      "ok.test:80", "ok.test.",
                                 "evil.test",         "ok.test:443",  "",           "ok.test, evil.test",
                                 "ok.test evil.test", "user@ok.test", "ok.test:",   "[2001:db8::1]",
                                 "192.0.2.1",         "ok.test/x",    "ok.test\x01"};
        return of(hosts);
    }
    std::string request_line()
    {
        static const words methods{"GET", "POST", "CONNECT", "OPTIONS", "get", "M-SEARCH", "G@T", "", "GET\t"};
        static const words targets{"http://ok.test/",
                                   "http://ok.test",
                                   "HTTP://OK.test:80/a?b",
                                   "http://ok.test/%00#f",
                                   "http://ok.test:443/",
                                   "ok.test:443",
                                   "http://user@ok.test/",
                                   "http://ok.test@evil.test/",
                                   "http://ok.test\\evil.test/",
                                   "https://ok.test/",
                                   "/a",
                                   "*",
                                   "http://ok.test?x",
                                   "http:/ok.test/",
                                   "http://ok.test/\xc3\xa9",
                                   "http://[2001:db8::1]/",
                                   "//ok.test/",
                                   "http://ok.test /"};
        static const words versions{"HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/01.1", ""};
        const auto& method = of(methods);
        const auto& target = method == "CONNECT" ? targets[5] : one_in(3) ? targets[below(targets.size())] : usual_;
        return method + (one_in(40) ? "  " : " ") + target + (one_in(40) ? "\t" : " ") + of(versions) + line_end();
    }
    std::string field()
    {
        static const words names{"X-A",
                                 "Content-Length",
                                 "Transfer-Encoding",
                                 "Connection",
                                 "Host",
                                 "content-length",
                                 "Content-Length ",
                                 "Transfer_Encoding",
                                 "Upgrade",
                                 "Expect",
                                 "TE",
                                 "Trailer",
                                 "",
                                 "X(A)",
                                 "Proxy-Connection",
                                 "Keep-Alive"};
        static const words values{"a",
                                  "5",
                                  "chunked",
                                  "close",
                                  "0",
                                  "05",
                                  "+5",
                                  "-1",
                                  "5, 5",
                                  "5,6",
                                  "0x5",
                                  "5 ",
                                  "18446744073709551616",
                                  "chunked, chunked",
                                  "identity",
                                  "gzip, chunked",
                                  "chunked;q=1",
                                  "Chunked",
                                  "\"chunked\"",
                                  "xchunked",
                                  "keep-alive, host",
                                  "upgrade",
                                  "100-continue",
                                  "a\x7f"
                                  "b",
                                  "caf\xc3\xa9",
                                  std::string{"a\0b", 3},
                                  "",
                                  "\ta \t"};
        return names[below(names.size())] + separator() + values[below(values.size())];
    }
    void change(std::string& head)
    {
        static const std::string octets{"\0\t\n\r :,;/@#%\x7f\x80\xff"
                                        "aA0",
                                        18};
        const auto at = below(head.size());
        switch (below(4)) {
        case 0: head[at] = octets[below(octets.size())]; break;
        case 1: head.insert(at, 1, octets[below(octets.size())]); break;
        case 2: head.erase(at, 1); break;
        default: head[at] = static_cast<char>(below(256)); break;
        }
    }

    std::mt19937_64 draw_;
    std::string usual_;
};

} // namespace exeat::test
