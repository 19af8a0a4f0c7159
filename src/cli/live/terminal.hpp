// The terminal under the control of ncurses. One object at a time, on one thread; standard input and output are terminals. The destructor
// restores the terminal.
#pragma once

#include <cli/live/draw.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace exeat::cli::live {

class terminal {
public:
    // Null when the type of the terminal ($TERM) is unknown.
    static std::unique_ptr<terminal> open();
    ~terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    extent size(); // the current size
    void show(const std::vector<line>&);
    void repaint();                // redraws everything at the next show(), because another program has written to the terminal
    std::optional<key> next_key(); // does not wait
    bool gone() const noexcept;    // the terminal is closed, so no more keys will come

private:
    struct screen;
    explicit terminal(std::unique_ptr<screen>);
    std::unique_ptr<screen> screen_;
};

} // namespace exeat::cli::live
