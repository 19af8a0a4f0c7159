// What a client of the load generator says on one connection, and what it waits for: a list of steps for each kind of work.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::bench {

enum class await {
    established, // a head with status 200 and nothing behind it
    reply,       // a whole response with the wanted status: its Content-Length, or to the end
    bytes,       // so many
    end,         // that the other side closes, whatever it says first
    download,    // without end: bytes are the operations
    upload,      // nothing: bytes are sent without end
};

struct step {
    std::string say;
    await then = await::bytes;
    std::size_t bytes = 0; // to wait for
    int status = 200;
};

struct conversation {
    std::vector<step> steps;
    std::optional<std::size_t> repeat_from; // the operation is one round from this step on; without it the whole connection is one
};

struct destination {
    std::string name;    // "host:port" for CONNECT, "host" for the Host of plain HTTP
    std::string hello;   // a ClientHello that names the host
    bool connect = true; // or dialled directly: SNI
};

// `work`: setup, denied, http, http_close, echo, download, upload, hold
conversation conversation_of(std::string_view work, const destination&);

// How a response in `seen` stands: nothing while more is needed, else whether it is whole and has the wanted status.
std::optional<bool> whole_reply(std::string_view seen, int status, bool ended);
// The same for the head alone.
std::optional<bool> whole_head(std::string_view seen, int status);

} // namespace exeat::bench
