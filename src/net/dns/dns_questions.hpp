// The questions in flight of one worker, one per name, and who waits for each. A question is counted to the source that began it until it
// ends, also when others joined it or the first one has gone: who joins pays a waiter's place only, and nobody can be made to pay for a
// question that another began. Both numbers are shared out by source_shares. The answer belongs to the question: whoever waits reads it
// there, whatever the cache keeps. A question ends when both halves of its answer are there, and at its deadline with what is there: there
// is one clock, the question's, however late a tunnel joined. Time is handed in. One worker's thread; outlives what it hands out.
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
        std::optional<dns_answer> answer; // of one half, and then of both where the other one comes
    };

public:
    using moment = std::chrono::steady_clock::time_point;
    using number = std::uint64_t; // of a question: an answer that comes after its end must not reach the next one for the same name
    using send = std::function<void(const std::string& name, number)>;

    // A question that has no answer `timeout` after it was asked has ended.
    explicit dns_questions(std::chrono::milliseconds timeout) noexcept : timeout_{timeout} {}

    // One that waits for an answer. It is woken when the answer is there, and leaves the line when it is destroyed.
    class wait {
    public:
        const dns_answer* answer() const noexcept { return asked_->answer ? &*asked_->answer : nullptr; }

    private:
        friend class dns_questions;
        wait(source_shares::place p, std::shared_ptr<question> q, waiter& w) noexcept;
        source_shares::place place_;
        std::shared_ptr<question> asked_; // before the hook, which leaves the question's list first
        in_line line_;
    };

    // A question that has ended.
    class ended {
    public:
        std::string name;
        std::chrono::nanoseconds took; // until there was an answer, of one half too
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
    // Half of the answer to this question, or nothing where it has ended. The question that it ends, whose waiters are woken.
    std::optional<ended> take(const std::string& name, number, dns_half, dns_answer, moment now) noexcept;
    // Gives to those who wait each half that is an answer by itself by now. The question stays in flight, and its answer becomes whole when
    // the other half comes.
    void hand_out_halves(moment now) noexcept;
    std::optional<moment> next_half() const noexcept; // when there is the next one to hand out
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
    // Before `open_`: the questions unlink themselves when it is destroyed. Each wait is equally long, so that the first is due first.
    fifo<by_deadline> asked_;
    fifo<by_half> half_answered_;
    open_questions open_;
};

} // namespace exeat::net
