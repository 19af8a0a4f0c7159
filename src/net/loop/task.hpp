// The smallest coroutine types that a tunnel needs. task<T>: starts when awaited, runs on the awaiter's thread; its frame belongs to the
// task object. background: starts at once, owns itself, is destroyed when it ends. One thread; no cancellation: a tunnel is ended by waking
// it, and it returns. GCC 12 frees braced temporaries inside a co_await expression twice: name them first.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace exeat::net {

namespace detail {
struct resume_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise> std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept
    {
        return done.promise().awaiter;
    }
    void await_resume() const noexcept {}
};

struct promise_base {
    std::coroutine_handle<> awaiter;
    std::exception_ptr thrown;
    std::suspend_always initial_suspend() const noexcept { return {}; }
    resume_awaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
};
} // namespace detail

template <class T = void> class [[nodiscard]] task {
public:
    struct promise_type : detail::promise_base {
        std::optional<T> value;
        task get_return_object() noexcept { return task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        template <class U> void return_value(U&& v) { value.emplace(std::forward<U>(v)); }
        T result()
        {
            if (thrown) std::rethrow_exception(thrown);
            return std::move(*value);
        }
    };
    task(task&& o) noexcept : frame_{std::exchange(o.frame_, nullptr)} {}
    task& operator=(task&&) = delete;
    ~task()
    {
        if (frame_) frame_.destroy();
    }
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept
    {
        frame_.promise().awaiter = awaiter;
        return frame_;
    }
    T await_resume() { return frame_.promise().result(); }

private:
    explicit task(std::coroutine_handle<promise_type> f) noexcept : frame_{f} {}
    std::coroutine_handle<promise_type> frame_;
};

template <> struct task<void>::promise_type : detail::promise_base {
    task get_return_object() noexcept { return task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    void return_void() const noexcept {}
    void result() const
    {
        if (thrown) std::rethrow_exception(thrown);
    }
};

struct background {
    struct promise_type {
        background get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); } // the body must catch everything, as run_to_the_end() does
    };
};

} // namespace exeat::net
