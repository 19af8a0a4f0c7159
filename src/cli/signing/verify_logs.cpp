#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/signing/verify_logs.hpp>

#include <ops/evidence/audit_anchor.hpp>
#include <ops/offline/verify_audit.hpp>
#include <ops/state/state_directory.hpp>
#include <ops/state/state_file.hpp>
#include <ops/text/volume_text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>

namespace exeat::cli {

namespace {

using ops::counted;
using ops::one_line;

constexpr std::size_t anchor_bytes = 64 * 1024;

// Parses "4711:3141592653589793", the values of `exeat_audit_checkpoint_sequence` and `exeat_audit_checkpoint_hash`; Prometheus may write
// the hash with an exponent.
std::optional<ops::known_line> parse_anchor(const std::string& text)
{
    ops::known_line out;
    const auto colon = text.find(':');
    const auto* end = text.data() + text.size();
    double hash = 0;
    if (colon == text.npos) return std::nullopt;
    const auto sequence = std::from_chars(text.data(), text.data() + colon, out.sequence);
    const auto number = std::from_chars(text.data() + colon + 1, end, hash);
    const bool whole = sequence.ec == std::errc{} && sequence.ptr == text.data() + colon && number.ec == std::errc{} && number.ptr == end;
    if (!whole || out.sequence == 0 || !(hash >= 0) || hash >= 0x1p52 || hash != std::floor(hash)) return std::nullopt;
    out.hash = static_cast<std::uint64_t>(hash);
    out.source = "the anchor given";
    return out;
}

// Without the key, an anchor that is sealed with one is still read and compared, but its author is not verified.
std::optional<ops::audit_anchor> read_anchor(const ops::state_directory& state, const std::string& name)
{
    const auto bytes = ops::read_state(state, name, anchor_bytes);
    if (!bytes) throw std::runtime_error{fmt::format("{}/{}: {}", state.path, name, bytes.error())};
    constexpr std::size_t seal = 32;
    auto found = ops::decode_anchor(*bytes);
    if (!found && state.key.empty() && bytes->size() > seal)
        found = ops::decode_anchor(std::string_view{*bytes}.substr(0, bytes->size() - seal));
    if (!found) throw std::runtime_error{fmt::format("{}/{}: the anchor is damaged", state.path, name)};
    return found;
}

// The anchor of this log among those in the directory: the one for the path of the newest file, or the only one.
ops::known_line anchor_of(const wanted_proof& wanted)
{
    ops::state_directory state{wanted.state};
    state.key = ops::state_key();
    std::vector<std::string> names;
    std::error_code failed;
    for (const auto& at : std::filesystem::directory_iterator{wanted.state, failed}) {
        const auto name = at.path().filename().string();
        if (name.starts_with(ops::anchor_prefix) && name.find('.') == name.npos) names.push_back(name);
    }
    if (failed) throw std::runtime_error{fmt::format("{}: {}", wanted.state, failed.message())};
    const auto own = ops::anchor_name(wanted.files.back());
    const auto found = std::find(names.begin(), names.end(), own);
    if (names.empty()) throw std::runtime_error{fmt::format("{}: there is no anchor of an audit log", wanted.state)};
    if (found == names.end() && names.size() > 1)
        throw std::runtime_error{fmt::format("{}: there are anchors of {} logs, and none is of {}; verify the log where exeat writes it",
                                             wanted.state, names.size(), wanted.files.back())};
    const auto a = read_anchor(state, found == names.end() ? names.front() : own);
    return {a->sequence, a->sha256, 0, fmt::format("the anchor in {}", wanted.state), false};
}

ops::audit_witness witness_of(const wanted_proof& wanted)
{
    std::vector<ops::public_key> keys;
    for (const auto& path : wanted.keys) {
        auto key = ops::public_key::read(path);
        if (!key) throw std::runtime_error{key.error()};
        keys.push_back(std::move(*key));
    }
    std::vector<ops::known_line> known;
    for (const auto& text : wanted.anchors) known.push_back(*parse_anchor(text));
    if (!wanted.state.empty()) known.push_back(anchor_of(wanted)); // before the log is read, because it may be written meanwhile
    return {std::move(keys), std::move(known)};
}

void report(const std::string& file, const ops::audit_findings& found)
{
    const auto path = one_line(file);
    for (const auto& note : found.notes) print_out("{}: {}\n", path, one_line(note));
    if (!found.whole()) print_error("{}: {}\n", path, one_line(found.problem));
    else if (found.lines == 0) print_out("{}: empty\n", path);
    else print_out("{}: {} lines, numbers {} to {}, none missing, none changed\n", path, found.lines, found.first, found.last);
}

void tell_of_checkpoint(const ops::audit_witness::checkpoint& c, bool have_keys)
{
    const auto where = fmt::format("of {} on {}", one_line(c.log), one_line(c.host));
    if (c.key.empty()) print_out("the last checkpoint, line {} ({}, {}), is not signed\n", c.sequence, one_line(c.time), where);
    else if (!c.verified && !have_keys)
        print_out("the last checkpoint, line {} ({}, {}), is signed with key {}; --key proves it\n", c.sequence, one_line(c.time), where,
                  one_line(c.key));
    else if (c.verified) print_out("the last checkpoint is line {} ({}, {})\n", c.sequence, one_line(c.time), where);
}

void tell_of_proof(const ops::audit_verifier& log, const ops::audit_witness& witness, bool have_keys)
{
    if (log.last() == 0 || log.last() < log.first()) return;
    if (witness.last_checkpoint()) tell_of_checkpoint(*witness.last_checkpoint(), have_keys);
    const auto& proven = witness.proven();
    if (!proven) {
        print_out("lines {} to {} are chained to each other, which proves nothing against whoever can write the log: he could have made it "
                  "anew; --key, --state and --anchor prove more\n",
                  log.first(), log.last());
        return;
    }
    print_out("proven up to line {} by {}\n", proven->sequence, one_line(proven->by));
    if (proven->sequence < log.last())
        print_out("{} after it, up to line {}: chained, not proven\n", counted(log.last() - proven->sequence, "line", "lines"), log.last());
}

} // namespace

CLI::Option* add_log_options(CLI::App& app, wanted_proof& wanted)
{
    auto* audit =
        app.add_option("--audit", wanted.files,
                       "an audit log, as it is or gzipped; - is the standard input. Of rotated ones the oldest first: the chain is "
                       "followed from one to the next")
            ->type_name("FILE")
            ->allow_extra_args(false);
    app.add_option("--key", wanted.keys, "a public key that may have signed the log's checkpoints; may be repeated")
        ->type_name("KEY")
        ->allow_extra_args(false)
        ->needs(audit);
    app.add_option("--state", wanted.state, "the state directory of the exeat that wrote the log: its anchor must be in the log")
        ->type_name("DIRECTORY")
        ->needs(audit);
    app.add_option("--anchor", wanted.anchors,
                   "a line that Prometheus knows, by exeat_audit_checkpoint_sequence and exeat_audit_checkpoint_hash; may be repeated")
        ->type_name("SEQUENCE:HASH")
        ->allow_extra_args(false)
        ->needs(audit)
        ->check([](const std::string& text) {
            return parse_anchor(text) ? std::string{} : "write it like 4711:3141592653589793, both numbers as Prometheus has them";
        });
    return audit;
}

int verify_logs(const wanted_proof& wanted)
{
    auto witness = witness_of(wanted);
    ops::audit_verifier log{&witness};
    bool good = true;
    for (const auto& path : wanted.files)
        if (!log.read(path)) break;
    for (std::size_t i = 0; i < log.files().size(); ++i) {
        report(wanted.files[i], log.files()[i]);
        good &= log.files()[i].whole();
    }
    if (log.files().size() < wanted.files.size()) print_error("what comes after that is not verified\n");
    else if (good) {
        for (const auto& wrong : witness.objections(log.first(), log.last())) {
            print_error("{}\n", one_line(wrong));
            good = false;
        }
    }
    tell_of_proof(log, witness, !wanted.keys.empty());
    return good ? success : failure;
}

} // namespace exeat::cli
