// The zero-copy path: socket to pipe to socket with splice(2), the bytes never in user space. Pipes come from the worker's pool and are
// returned to it only when they are empty, so that no tunnel can ever see another's bytes. Worker's thread.
#pragma once

#include <exeat/limits.hpp>
#include <net/loop/descriptor_share.hpp>
#include <net/sockets/socket.hpp>
#include <net/sockets/unique_fd.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace exeat::net {

// A pipe with its contents.
struct splice_pipe {
    descriptor_share::lease lease; // of both ends
    unique_fd out, in;
    std::size_t held = 0; // bytes in it

    // Both update the socket's readiness flags as read_some and write_some do.
    io_result fill(watched_socket& from) noexcept; // only when held is 0, so that would-block means an empty socket
    io_result drain(watched_socket& to, std::size_t most) noexcept;
};

class pipe_pool {
public:
    explicit pipe_pool(descriptor_share& from) : from_{from} { idle_.reserve(limits::idle_pipes); } // so that give_back() cannot fail
    // nullopt when the share is used up or the kernel has no more pipes: then bytes are copied.
    std::optional<splice_pipe> take() noexcept;
    void give_back(splice_pipe&&) noexcept; // closes it unless it is empty and the pool has room

private:
    descriptor_share& from_;
    std::vector<splice_pipe> idle_;
};

} // namespace exeat::net
