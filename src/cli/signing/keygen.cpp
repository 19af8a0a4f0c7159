#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/signing/passphrase.hpp>
#include <ops/approvals/signing_key.hpp>
#include <ops/files/replace_file.hpp>

#include <fmt/core.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

void write(const std::string& path, const std::string& content, ops::readers who)
{
    if (content.empty()) throw std::runtime_error{"OpenSSL gave no PEM"};
    if (const auto failed = ops::create_file(path, content, who)) throw std::runtime_error{path + ": " + failed.message()};
}

} // namespace

int keygen(int argc, char** argv)
{
    CLI::App app{"Makes an Ed25519 key pair: NAME.key, which stays with its owner, and NAME.pub, for trusted_keys in exeat.toml.\n"
                 "Example: exeat keygen alice",
                 "exeat keygen"};
    std::string name, passphrase_file;
    app.add_option("NAME", name, "of the two files, without their ends")->required();
    app.add_option("--passphrase-file", passphrase_file, "its first line encrypts the private key")->type_name("FILE");
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    const auto passphrase = read_passphrase(passphrase_file);
    const auto key = ops::private_key::generate();
    if (!key) throw std::runtime_error{key.error()};
    write(name + ".key", key->private_pem(passphrase), ops::readers::owner);
    write(name + ".pub", key->public_pem(), ops::readers::all);
    const auto shown = ops::one_line(name);
    print_out("{}.key, to be kept{}; {}.pub, to be trusted; its id is {}\n", shown, passphrase.empty() ? " (not encrypted)" : "", shown,
              key->id());
    return success;
}

} // namespace exeat::cli
