#include <cli/command.hpp>
#include <cli/output.hpp>

#include <boost/json/serialize.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace exeat::cli {

namespace {

int first_trouble = 0; // errno of the first write to stdout that failed

void note(bool good)
{
    if (!good && first_trouble == 0) first_trouble = errno;
}

void put(std::string_view text) { note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size()); }

} // namespace

// Opens closed descriptors for reading only: each write to stdout fails, as it would if it were still closed.
void hold_standard_descriptors() noexcept
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY) != fd) ::_exit(failure);
}

void write_out(std::string_view text) { put(ops::harmless(text)); }

void write_painted(const fmt::text_style& how, std::string_view text) { put(fmt::format(how, "{}", ops::harmless(text))); }

void write_error(std::string_view text)
{
    const auto harmless = ops::harmless(text);
    std::fwrite(harmless.data(), 1, harmless.size(), stderr); // there is nowhere to report a failure
}

void print_as_json(const boost::json::value& v) { put(ops::harmless_json(boost::json::serialize(v)) + '\n'); }

int after_output(int code)
{
    note(std::fflush(stdout) == 0);
    if (first_trouble == 0) return code;
    print_error("exeat: the output could not be written: {}\n", std::strerror(first_trouble));
    return code == success ? failure : code;
}

} // namespace exeat::cli
