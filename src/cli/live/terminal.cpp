#include <cli/live/terminal.hpp>

#define NCURSES_NOMACROS 1
#include <curses.h>

#include <cstdlib>
#include <poll.h>
#include <sys/ioctl.h>
#include <termcap.h>
#include <unistd.h>

namespace exeat::cli::live {

namespace {

enum colour : short { green = 1, yellow, red };

// False when NO_COLOR is set and not empty (https://no-color.org).
bool colours_wanted() noexcept
{
    const char* no = std::getenv("NO_COLOR");
    return no == nullptr || *no == '\0';
}

bool begin_colours()
{
    if (!colours_wanted() || !::has_colors() || ::start_color() == ERR || ::use_default_colors() == ERR) return false;
    ::init_pair(green, COLOR_GREEN, -1);
    ::init_pair(yellow, COLOR_YELLOW, -1);
    ::init_pair(red, COLOR_RED, -1);
    return true;
}

attr_t attributes(tone how) noexcept
{
    switch (how) {
    case tone::plain:
    case tone::good: return A_NORMAL;
    case tone::faint: return A_DIM;
    case tone::title:
    case tone::warning: return A_BOLD;
    case tone::critical: return A_BOLD | A_REVERSE;
    case tone::heading: return A_REVERSE;
    case tone::chosen: return A_REVERSE | A_BOLD;
    }
    return A_NORMAL;
}

short colour_of(tone how) noexcept { return how == tone::good ? green : how == tone::warning ? yellow : how == tone::critical ? red : 0; }

std::optional<key> from_curses(int code) noexcept
{
    switch (code) {
    case KEY_UP: return key{key_kind::up};
    case KEY_DOWN: return key{key_kind::down};
    case KEY_LEFT: return key{key_kind::left};
    case KEY_RIGHT: return key{key_kind::right};
    case KEY_PPAGE: return key{key_kind::page_up};
    case KEY_NPAGE: return key{key_kind::page_down};
    case KEY_HOME: return key{key_kind::home};
    case KEY_END: return key{key_kind::end};
    case KEY_ENTER:
    case '\n':
    case '\r': return key{key_kind::enter};
    case 27: return key{key_kind::escape};
    case KEY_BACKSPACE:
    case '\b':
    case 127: return key{key_kind::backspace};
    case 12: return key{key_kind::redraw}; // Ctrl-L
    default: return code >= ' ' && code <= '~' ? std::optional{key{key_kind::character, static_cast<char>(code)}} : std::nullopt;
    }
}

} // namespace

struct terminal::screen {
    explicit screen(SCREEN* s) : curses{s} {}
    ~screen()
    {
        ::endwin();
        ::delscreen(curses);
    }
    screen(const screen&) = delete;
    screen& operator=(const screen&) = delete;
    SCREEN* curses;
    bool colours = false;
};

std::unique_ptr<terminal> terminal::open()
{
    const char* type = std::getenv("TERM");
    if (type == nullptr || ::tgetent(nullptr, type) != 1) return nullptr; // newterm() leaks memory when it fails
    auto* curses = ::newterm(type, stdout, stdin);
    if (curses == nullptr) return nullptr;
    return std::unique_ptr<terminal>{new terminal{std::make_unique<screen>(curses)}};
}

terminal::terminal(std::unique_ptr<screen> s) : screen_{std::move(s)}
{
    ::cbreak();
    ::noecho();
    ::keypad(::stdscr, TRUE);
    ::nodelay(::stdscr, TRUE);
    ::set_escdelay(25); // milliseconds to wait for the rest of a key's sequence
    ::curs_set(0);
    screen_->colours = begin_colours();
}

terminal::~terminal() = default;

extent terminal::size()
{
    winsize now{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_row > 0 && now.ws_col > 0 &&
        (now.ws_row != ::LINES || now.ws_col != ::COLS)) {
        ::resizeterm(now.ws_row, now.ws_col);
        repaint();
    }
    return {static_cast<std::size_t>(::LINES), static_cast<std::size_t>(::COLS)};
}

void terminal::show(const std::vector<line>& lines)
{
    ::erase();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        ::move(static_cast<int>(i), 0);
        for (const auto& p : lines[i]) {
            const auto colour = screen_->colours ? colour_of(p.how) : short{0};
            // With colours, red replaces reverse video.
            ::attr_set(colour == red ? A_BOLD : attributes(p.how), colour, nullptr);
            ::addstr(p.text.c_str());
        }
    }
    ::refresh();
}

void terminal::repaint() { ::clearok(::curscr, TRUE); }

std::optional<key> terminal::next_key()
{
    for (int code = ::getch(); code != ERR; code = ::getch())
        if (const auto k = from_curses(code)) return k;
    return std::nullopt;
}

bool terminal::gone() const noexcept
{
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    return ::poll(&keys, 1, 0) > 0 && (keys.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

} // namespace exeat::cli::live
