// ClientHellos that are nearly right: the hellos of real clients and of hello_builder, changed where parsers are known to disagree. Which
// change is made follows from the seed alone.
#pragma once

#include "../../unit/core/hello_builder.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace exeat::test {

class hello_source {
public:
    hello_source(std::uint64_t seed, std::vector<std::string> captures) : draw_{seed}, captures_{std::move(captures)} {}

    // The bytes that a client sends first.
    std::string next()
    {
        auto message = below(4) == 0 ? captures_[below(captures_.size())].substr(5) : built();
        for (auto n = below(3); n > 0; --n) change(message);
        return framed(message);
    }

private:
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(draw_() % bound); }
    bool one_in(std::size_t n) { return below(n) == 0; }

    std::string name()
    {
        static const std::vector<std::string> names{"ok.test",
                                                    "OK.Test",
                                                    "ok.test.",
                                                    "evil.test",
                                                    "a.b-c.test",
                                                    "192.0.2.1",
                                                    "ok.test:443",
                                                    "ok..test",
                                                    "*.ok.test",
                                                    "localhost",
                                                    "",
                                                    "xn--bcher-kva.test",
                                                    "_service.ok.test",
                                                    std::string(63, 'l') + ".test",
                                                    std::string(250, 'n') + ".t",
                                                    std::string(300, 'n') + ".t",
                                                    std::string{"ok.test\0.evil.test", 18},
                                                    "ok.test\n",
                                                    " ok.test",
                                                    "\xc3\xa9.test"};
        return names[below(one_in(2) ? 3 : names.size())];
    }

    std::string server_names()
    {
        auto list = server_name_entry(name(), one_in(8) ? static_cast<unsigned>(below(256)) : 0);
        for (auto more = one_in(4) ? 1 + below(3) : 0; more > 0; --more) list += server_name_entry(name(), static_cast<unsigned>(below(3)));
        if (one_in(10)) list += std::string(1 + below(3), static_cast<char>(below(256)));
        auto data = vector(list, 2);
        if (one_in(10)) data = number(list.size() + below(5) - 2, 2) + list;
        if (one_in(12)) data += std::string(1 + below(4), '\0');
        if (one_in(20)) data.resize(below(data.size() + 1));
        return data;
    }

    std::string built()
    {
        hello_builder b;
        if (!one_in(12)) b.extension(0, server_names());
        b.usual(one_in(6) ? 1'216 : 32);
        if (one_in(2)) b.extension(10, vector(std::string{"\x00\x1d\x00\x17", 4}, 2));
        if (one_in(6)) b.extension(0xfe0d, std::string(below(40), 'e'));
        if (one_in(8)) b.extension(0, server_names());
        if (one_in(6))
            b.extension(static_cast<unsigned>(below(one_in(2) ? 70 : 65'536)), std::string(below(30), static_cast<char>(below(256))));
        if (one_in(6)) b.extensions.push_back(b.extensions[below(b.extensions.size())]);
        if (one_in(3)) std::shuffle(b.extensions.begin(), b.extensions.end(), draw_);
        if (one_in(12)) b.legacy_version = static_cast<unsigned>(0x0300 + below(6));
        if (one_in(20)) b.legacy_version = static_cast<unsigned>(below(65'536));
        if (one_in(8)) b.session_id = std::string(below(40), 's');
        if (one_in(12)) b.compression = std::string(below(4), static_cast<char>(below(2)));
        if (one_in(12)) b.cipher_suites += std::string(below(6), 'c');
        if (one_in(20)) b.extension_block = false;
        if (one_in(3)) b.cipher_suites += "\xc0\x2f"; // one that TLS 1.2 has
        return b.message();
    }

    void change(std::string& message)
    {
        if (message.empty()) return;
        const auto at = below(message.size());
        switch (below(7)) {
        case 0: message[at] = static_cast<char>(below(256)); break;
        case 1: message[at] = static_cast<char>(message[at] ^ (1 << below(8))); break;
        case 2: message[at] = static_cast<char>(message[at] + (one_in(2) ? 1 : -1)); break;
        case 3: message.insert(at, 1 + below(4), static_cast<char>(below(256))); break;
        case 4: message.erase(at, 1 + below(4)); break;
        case 5: message.insert(at, message.substr(below(message.size()), 1 + below(16))); break;
        default: message += std::string(1 + below(8), static_cast<char>(below(256))); break;
        }
        if (one_in(2) && message.size() > 4) message.replace(1, 3, number(message.size() - 4, 3)); // else the length is a lie
    }

    std::string framed(const std::string& message)
    {
        std::string out;
        const auto cuts = one_in(2) ? 0 : 1 + below(5);
        std::size_t at = 0;
        for (std::size_t n = 0; n < cuts && at < message.size(); ++n) {
            const auto size = 1 + below(message.size() - at);
            out += one_record(message.substr(at, size));
            at += size;
            if (one_in(25)) out += record("");
            if (one_in(40)) out += record("\x01", 20);
            if (one_in(40)) out += record("\x01\x00", 21);
        }
        if (at < message.size()) out += one_record(message.substr(at));
        if (one_in(12)) out += record("\x01", 20);
        if (one_in(12)) out += record(message);
        if (one_in(20)) out += std::string(below(20), static_cast<char>(below(256)));
        if (one_in(20)) out.resize(below(out.size() + 1));
        return out;
    }
    std::string one_record(const std::string& fragment)
    {
        return record(fragment, one_in(60) ? static_cast<unsigned>(below(256)) : 22,
                      one_in(10)   ? static_cast<unsigned>(0x0300 + below(5))
                      : one_in(60) ? static_cast<unsigned>(below(65'536))
                                   : 0x0301);
    }

    std::mt19937_64 draw_;
    std::vector<std::string> captures_;
};

} // namespace exeat::test
