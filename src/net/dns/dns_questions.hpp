// The questions in flight of one worker, one per name, and the waiters of each. A question counts for the source that began it until it
// ends, even when others have joined it or the first one has left: a source that joins takes only a waiter's place, and no source can be
// charged for a question that another began. Both numbers are shared out by source_shares. The answer belongs to the question: its waiters
// read it there, whatever the cache keeps. A question ends when both halves of its answer have arrived, and at its deadline with what has
// arrived by then: the deadline is the question's, however late a tunnel joined. The time is a parameter. One worker's thread; outlives
// what it returns.
#pragma once

#include <exeat/verdict.hpp>
#include <net/clients/source_shares.hpp>
#include <net/dns/dns_halves.hpp>
#include <net/loop/reactor.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace exeat::net {

class dns_questions {
    using line_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
    struct in_line : line_hook {
        explicit in_line(waiter& w) noexcept : who{w} {}
        waiter& who;
    };
    struct question {
        boost::intrusive::list<in_line, boost::intrusive::constant_time_size<false>> waiting;
        std::optional<dns_answer> answer; // of one half, and later of both if the other one arrives
    };

public:
    using moment = std::chrono::steady_clock::time_point;
    using number = std::uint64_t; // of a question: an answer that comes after its end must not reach the next question for the same name
    using send = std::function<void(const std::string& name, number)>;

    // A question without an answer ends `timeout` after it was asked.
    explicit dns_questions(std::chrono::milliseconds timeout) noexcept : timeout_{timeout} {}

    // A tunnel's wait for an answer. The tunnel is woken when the answer is there; the destructor leaves the question's list.
    class wait {
    public:
        const dns_answer* answer() const noexcept { return asked_->answer ? &*asked_->answer : nullptr; }

    private:
        friend class dns_questions;
        wait(source_shares::place p, std::shared_ptr<question> q, waiter& w) noexcept;
        source_shares::place place_;
        std::shared_ptr<question> asked_; // before line_, which must leave the question's list first
        in_line line_;
    };

    // A question that has ended.
    class ended {
    public:
        std::string name;
        std::chrono::nanoseconds took; // until there was an answer, even of one half
        const dns_answer& answer() const noexcept { return *asked_->answer; }

    private:
        friend class dns_questions;
        ended(std::string&& n, std::chrono::nanoseconds t, std::shared_ptr<question> q) noexcept;
        std::shared_ptr<question> asked_;
    };

    // Joins the question for the name, or begins it and calls `send`, which may call take() before it returns. Throws std::bad_alloc
    // and what `send` throws; then nothing has begun. Error: dns_overload, the source's share or all places are taken.
    boost::system::result<std::unique_ptr<wait>, verdict> ask(const std::string& name, const ip_address& source, waiter&, const send&,
                                                              moment now);
    // Stores a half of the answer to this question, unless it has ended. Returns the question if this ends it; its waiters are woken.
    std::optional<ended> take(const std::string& name, number, dns_half, dns_answer, moment now) noexcept;
    // Gives each half that is an answer by itself by now to its waiters. The question stays in flight, and its answer becomes complete when
    // the other half arrives.
    void hand_out_halves(moment now) noexcept;
    std::optional<moment> next_half() const noexcept; // when the next one is due
    // Ends one question whose deadline has passed.
    std::optional<ended> expire(moment now) noexcept;

    std::size_t in_flight() const noexcept { return open_.size(); }
    std::size_t waiting() const noexcept { return waiters_.taken(); }

private:
    template <class Tag> using hook =
        boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>, boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
    struct by_deadline;
    struct by_half;
    struct open_question : hook<by_deadline>, hook<by_half> {
        const std::string* name = nullptr; // the key in `open_`
        dns_questions::number number = 0;
        std::shared_ptr<question> asked;
        std::optional<source_shares::place> begun_by;
        moment at;                                    // when it was asked
        std::optional<std::chrono::nanoseconds> took; // until half of an answer was handed out
        dns_halves halves;
    };
    template <class Tag> using fifo =
        boost::intrusive::list<open_question, boost::intrusive::base_hook<hook<Tag>>, boost::intrusive::constant_time_size<false>>;
    using open_questions = std::unordered_map<std::string, open_question>;

    ended end(open_questions::iterator, moment now) noexcept;
    static void answer(question&, dns_answer) noexcept;

    const std::chrono::milliseconds timeout_;
    source_shares questions_{limits::dns_in_flight};
    source_shares waiters_{limits::dns_waiters};
    number last_ = 0;
    // Before `open_`, because the questions unlink themselves when it is destroyed. All wait equally long, so the first is due first.
    fifo<by_deadline> asked_;
    fifo<by_half> half_answered_;
    open_questions open_;
};

} // namespace exeat::net
