#include <ops/audit/checkpoint_key.hpp>

#include <cstdlib>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

// A path or a URI; empty: the key is a credential, but the process has no credentials.
std::string place_of_key(const std::string& checkpoint_key)
{
    if (!checkpoint_key.starts_with(credential_prefix)) return checkpoint_key;
    const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
    return credentials == nullptr ? std::string{} : fmt::format("{}/{}", credentials, checkpoint_key.substr(credential_prefix.size()));
}

} // namespace

boost::system::result<std::optional<private_key>, std::string> read_checkpoint_key(const std::string& checkpoint_key)
{
    if (checkpoint_key.empty()) return std::optional<private_key>{};
    const auto wrong = [](const std::string& why) {
        return boost::system::result<std::optional<private_key>, std::string>{boost::system::in_place_error,
                                                                              fmt::format("checkpoint_key: {}", why)};
    };
    const auto where = place_of_key(checkpoint_key);
    if (where.empty())
        return wrong(fmt::format("{}: this process was given no credentials; add LoadCredential={}:/etc/exeat/audit.key to its unit",
                                 checkpoint_key, checkpoint_key.substr(credential_prefix.size())));
    auto key = private_key::read(where, {}); // no one can enter a passphrase
    if (!key) return wrong(key.error());
    if (const auto tried = key->sign("exeat"); !tried) return wrong(fmt::format("{}: {}", where, tried.error()));
    return std::optional{std::move(*key)};
}

} // namespace exeat::ops
