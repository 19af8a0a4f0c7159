// The terminal while it is ours: ncurses between its first and its last call. One at a time, on one thread; standard input and output are
// terminals. Its destructor gives the terminal back as it was found.
#pragma once

#include <cli/live/draw.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace exeat::cli::live {

class terminal {
public:
    // Null where nothing is known of a terminal of this type ($TERM).
    static std::unique_ptr<terminal> open();
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    extent size(); // as it is now
    void show(const std::vector<line>&);
    void repaint();                // all of it with the next show(): something else has written there
    std::optional<key> next_key(); // does not wait
    bool gone() const noexcept;    // nobody will press a key any more

private:
    struct screen;
    explicit terminal(std::unique_ptr<screen>);
    std::unique_ptr<screen> screen_;
};

} // namespace exeat::cli::live
