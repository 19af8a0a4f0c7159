// The pods that one worker knows, and the tunnels that wait until their pod becomes known. One worker's thread.
#pragma once

#include <exeat/config.hpp>
#include <exeat/identity/pod_index.hpp>
#include <net/loop/reactor.hpp>

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>

namespace exeat::net {

class pod_view {
public:
    explicit pod_view(const kubernetes_settings& s) noexcept : settings_{s} {}

    // Whether the clients at this address are pods.
    bool covers(const ip_address&) const noexcept;
    // The pod that new requests from this address belong to; null: none is known, or what is known is too old.
    std::shared_ptr<const pod> find(const ip_address&) const noexcept;
    // The pod that has the address as far as is known, however old that is. A connection that is open belongs to the pod that opened it.
    const pod* holder(const ip_address&) const noexcept;
    pod_source source() const noexcept { return now_ ? now_->source : pod_source::away; }

    void adopt(std::shared_ptr<const pod_snapshot>) noexcept; // wakes all who wait
    // Whether pods may have gone since the last call.
    bool changed() noexcept { return std::exchange(changed_, false); }

    // Waits in the frame of a stage for the next adopt().
    class place : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    public:
        place(pod_view&, waiter&, const ip_address& of) noexcept;
        place(const place&) = delete;
        ~place();

        bool lost() const noexcept { return lost_; } // to another address

    private:
        friend class pod_view;
        pod_view& view_;
        waiter& wake_;
        bool lost_ = false;
        const ip_address of_;
    };
    // Whether there is room for one more place. When all are taken, an address that has none gets that of one that has several.
    bool has_room(const ip_address& of) noexcept;

private:
    const kubernetes_settings& settings_;
    std::shared_ptr<const pod_snapshot> now_; // null: nothing is known yet
    bool changed_ = false;
    std::size_t count(const ip_address& of) const noexcept;

    std::size_t waiting_ = 0;
    boost::intrusive::list<place, boost::intrusive::constant_time_size<false>> places_;
};

} // namespace exeat::net
