#include <cli/signing/passphrase.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>

#include <stdexcept>

namespace exeat::cli {

std::string read_passphrase(const std::string& path)
{
    if (path.empty()) return {};
    auto text = ops::read_whole(path, limits::passphrase_bytes);
    if (!text) throw std::runtime_error{path + ": " + text.error()};
    text->resize(std::min(text->find_first_of("\r\n"), text->size()));
    if (text->empty()) throw std::runtime_error{path + ": its first line is empty; write the passphrase there"};
    return *std::move(text);
}

} // namespace exeat::cli
