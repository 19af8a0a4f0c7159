#include <cli/live/watch.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <exeat/limits.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/quantity.hpp>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <langinfo.h>
#include <stdio_ext.h>
#include <unistd.h>

namespace exeat::cli {

namespace {

struct question {
    std::string admin = "http://127.0.0.1:9464", interval = "2s", view = "overview", sort;
    bool once = false;
};

std::optional<std::chrono::seconds> parse_interval(const std::string& text)
{
    const bool bare = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    const auto every = ops::parse_duration(bare ? text + "s" : text);
    const bool fits = every && *every >= limits::top_interval_least && *every <= limits::top_interval_most;
    return fits ? std::optional{std::chrono::floor<std::chrono::seconds>(*every)} : std::nullopt;
}

// The views that the options apply to.
std::vector<live::view> views_of(const question& q)
{
    const auto one = *live::view_from(q.view);
    return one == live::view::overview ? std::vector(live::tables.begin(), live::tables.end()) : std::vector{one};
}

std::string no_column(const question& q)
{
    auto out = fmt::format("there is no column {} to sort by", ops::as_shown(q.sort));
    for (const auto v : views_of(q)) {
        std::vector<std::string_view> names;
        for (const auto& c : live::columns_of(v)) names.push_back(c.name);
        out += fmt::format("; {}: {}", live::to_string(v), fmt::join(names, ", "));
    }
    return out;
}

// What to show; the error says what is wrong with the options.
boost::system::result<live::outlook, std::string> outlook_of(const question& q)
{
    live::outlook out;
    const auto every = parse_interval(q.interval);
    if (!every) return fmt::format("--interval takes 1s to 60s, not {}", ops::as_shown(q.interval));
    out.interval = *every;
    out.what = *live::view_from(q.view);
    bool sorted = q.sort.empty();
    for (const auto v : views_of(q))
        if (const auto by = live::ordering_by(v, q.sort)) out.order_of(v) = *by, sorted = true;
    if (!sorted) return no_column(q);
    return out;
}

// Names in UTF-8 are escaped where the locale has another charset.
live::charset charset_here()
{
    std::setlocale(LC_CTYPE, "");
    return std::string_view{::nl_langinfo(CODESET)} == "UTF-8" ? live::charset::utf8 : live::charset::ascii;
}

bool on_a_terminal()
{
    const char* type = std::getenv("TERM");
    return type != nullptr && *type != '\0' && std::string_view{type} != "dumb" && ::isatty(STDIN_FILENO) == 1 &&
           ::isatty(STDOUT_FILENO) == 1;
}

int fail(const std::string& why)
{
    print_error("exeat top: {}\n", why);
    return failure;
}

// A closed pipe is not an error: its reader has read enough.
int write(const std::string& text)
{
    std::signal(SIGPIPE, SIG_IGN);
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (!written && errno == EPIPE) ::__fpurge(stdout), std::clearerr(stdout);
    return written || errno == EPIPE ? success : fail(fmt::format("cannot write: {}", std::strerror(errno)));
}

int show_once(const live::admin_site& site, const question& q, const live::outlook& o, live::charset can)
{
    const auto seen = live::look(site, o, can, 2);
    if (!seen) return fail(seen.error());
    const int written = write(live::plain_text(*seen, o, views_of(q)));
    return written == success && !seen->tunnels_trouble.empty() ? failure : written;
}

} // namespace

int top(int argc, char** argv)
{
    CLI::App app{
        "Shows what goes out through exeat, live in the terminal; one page of plain text where the output is none. Example: exeat top "
        "--admin http://127.0.0.1:9464",
        "exeat top"};
    question q;
    app.add_option("--admin", q.admin, "the admin listener: http:// with an IP address or localhost")
        ->capture_default_str()
        ->type_name("URL");
    app.add_option("--interval", q.interval, "how often to ask, from 1s to 60s")->capture_default_str()->type_name("DURATION");
    app.add_option("--view", q.view, "what to show first; without a terminal, nothing else")
        ->capture_default_str()
        ->check(CLI::IsMember(std::vector<std::string>(live::view_words.begin(), live::view_words.end())));
    app.add_option("--sort", q.sort, "the column to sort by, such as up/s")->type_name("COLUMN");
    app.add_flag("--once", q.once, "print one page of plain text, in a terminal too");
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    const auto site = live::parse_admin_url(q.admin);
    const auto wanted = outlook_of(q);
    if (!site || !wanted) {
        print_error("exeat top: {}\n", site ? wanted.error() : site.error());
        return wrong_usage;
    }
    const auto can = charset_here();
    if (q.once || !on_a_terminal()) return show_once(*site, q, *wanted, can);
    const auto seen = live::look(*site, *wanted, can, 1);
    if (!seen) return fail(seen.error());
    const auto terminal = live::terminal::open();
    if (!terminal) {
        print_error("exeat top: nothing is known of a terminal {}, so here is a page\n", ops::as_shown(std::getenv("TERM")));
        return show_once(*site, q, *wanted, can);
    }
    live::watch(*site, *wanted, *seen, *terminal);
    return success;
}

} // namespace exeat::cli
