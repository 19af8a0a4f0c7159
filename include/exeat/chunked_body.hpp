// The chunked coding (RFC 9112 section 7.1), read strictly: hexadecimal digits, bounded extensions, CRLF. One reader per body;
// it keeps a few bytes of state and no data. Pure; one thread at a time.
#pragma once

#include <exeat/limits.hpp>
#include <exeat/scan.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace exeat {

class chunk_reader {
public:
    struct step {
        std::size_t consumed = 0; // of the input
        std::string_view data;    // payload within the consumed part; may be empty
        bool done = false;        // the last chunk and its trailers were read
        bool malformed = false;   // reading must stop: verdict::chunk (request) or upstream_malformed (response)
    };
    // Reads input up to and including at most one run of payload. Call again with the rest until it consumes nothing.
    step read(std::string_view in) noexcept;

private:
    enum class at : std::uint8_t {
        size_start,
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_lf,
        end_lf,
        done,
        bad
    };
    void take(char c) noexcept; // one octet that is not payload
    at size_octet(char c) noexcept;
    at trailer_octet(char c) noexcept;

    at at_ = at::size_start;
    std::uint8_t digits_ = 0;
    std::uint16_t line_ = 0;    // bytes of this chunk's size line
    std::uint16_t trailer_ = 0; // bytes of all trailers
    std::uint64_t left_ = 0;    // payload of this chunk still to come
};

} // namespace exeat
