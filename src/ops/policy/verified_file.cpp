#include <ops/policy/verified_file.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <system_error>

namespace exeat::ops {

namespace {

constexpr const char* no_digest = "its SHA-256 could not be taken; check the OpenSSL installation";
constexpr const char* other_bytes = "has other bytes than the manifest says; put back what was signed, or sign what is there";

std::string cannot(int error) { return fmt::format("cannot be read: {}; check the file", std::generic_category().message(error)); }

} // namespace

verified_file::verified_file(file_source&& from) : from_{std::move(from)}, block_{std::make_unique_for_overwrite<char[]>(block_bytes)} {}

boost::system::result<verified_file, std::string> verified_file::open(const std::string& path, std::size_t most, std::string_view sha256)
{
    auto file = file_source::open(path, most);
    if (!file) return std::move(file).error();
    verified_file out{std::move(*file)};
    if (auto wrong = out.take_digests(sha256); !wrong.empty()) return wrong;
    return out;
}

// Reads a full block, except at the end of the file, so that both passes have the same blocks.
boost::system::result<std::size_t, int> verified_file::read_block()
{
    std::size_t used = 0;
    while (used < block_bytes) {
        const auto got = from_.read({block_.get() + used, block_bytes - used});
        if (!got) return got;
        if (*got == 0) break;
        used += *got;
    }
    return {boost::system::in_place_value, used};
}

std::string verified_file::take_digests(std::string_view sha256)
{
    sha256_digest whole;
    for (;;) {
        const auto got = read_block();
        if (!got) return cannot(got.error());
        if (*got == 0) break;
        const std::string_view bytes{block_.get(), *got};
        whole.take(bytes);
        sha256_digest one;
        one.take(bytes);
        const auto digest = one.finish();
        if (!digest) return no_digest;
        digests_.push_back(*digest);
    }
    const auto found = whole.finish();
    if (!found) return no_digest;
    if (hexadecimal(*found) != sha256) return other_bytes;
    return from_.rewind() ? std::string{} : cannot(errno);
}

boost::system::result<std::string_view, std::string> verified_file::next()
{
    using outcome = boost::system::result<std::string_view, std::string>;
    const auto got = read_block();
    if (!got) return outcome{boost::system::in_place_error, cannot(got.error())};
    const std::string_view bytes{block_.get(), *got};
    if (bytes.empty() && handed_out_ == digests_.size()) return outcome{boost::system::in_place_value, bytes};
    sha256_digest one;
    one.take(bytes);
    if (handed_out_ == digests_.size() || one.finish() != digests_[handed_out_])
        return outcome{boost::system::in_place_error, "changed while it was read; it is read again"};
    ++handed_out_;
    return outcome{boost::system::in_place_value, bytes};
}

boost::system::result<std::string, std::string> read_verified(const std::string& path, std::size_t most, std::string_view sha256)
{
    using outcome = boost::system::result<std::string, std::string>;
    auto text = read_whole(path, most);
    if (!text) return text;
    sha256_digest digest;
    digest.take(*text);
    const auto found = digest.finish();
    if (!found) return outcome{boost::system::in_place_error, no_digest};
    if (hexadecimal(*found) != sha256) return outcome{boost::system::in_place_error, other_bytes};
    return text;
}

} // namespace exeat::ops
