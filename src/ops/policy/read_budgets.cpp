#include <ops/policy/read_budgets.hpp>

#include <ops/policy/allowlist_entries.hpp>
#include <ops/text/allowlist_toml_keys.hpp>
#include <ops/text/quantity.hpp>

#include <fmt/format.h>

namespace exeat::ops {

namespace {

consteval toml_key key(std::string_view name) { return key_of(allowlist_toml::allow, name); }
constexpr toml_key upload = key("upload"), upload_identity = key("upload_identity"), upload_total = key("upload_total"),
                   on_budget = key("on_budget");
constexpr per_window<std::chrono::hours> spans{std::chrono::hours{1}, std::chrono::hours{24}, std::chrono::hours{168}};

void take(const located_text& written, upload_limits& into, section& s, toml_key key)
{
    const auto budget = parse_budget(written.text);
    const auto refuse = [&](std::string_view why) {
        s.wrong().error(written.at, fmt::format("{} {}; write it like {}", as_shown(written.text), why, key.example));
    };
    const auto meant = budget ? std::string{} : meant_budget(written.text);
    if (!meant.empty()) return s.wrong().error(written.at, fmt::format("{} is not a budget; write \"{}\"", as_shown(written.text), meant));
    if (!budget) return refuse("is not a budget");
    if (budget->bytes >= unlimited) return refuse("is more than can be counted");
    for (std::size_t w = 0; w < budget_windows; ++w) {
        if (budget->per != spans[w]) continue;
        if (into.most[w] != unlimited) return refuse("is a second budget for this window");
        into.most[w] = budget->bytes;
        return;
    }
    refuse("is for a window that is not kept (1h, 24h or 7d)");
}

// Several entries may have the same account; a later check over all files requires that their limits agree.
void read_account(section& s, rule& r)
{
    constexpr auto account = key("account");
    const auto name = s.text(account);
    if (!name) return;
    if (!label_like(*name)) return s.reject(account.name, fmt::format("{} cannot be an account's name; {}", as_shown(*name), name_advice));
    if (!s.has(upload.name) && !s.has(upload_total.name))
        return s.reject(account.name, fmt::format("'account' is for the budgets of this entry, and it has none; add {} = {}, or remove it",
                                                  upload.name, upload.example));
    r.account = *name;
}

} // namespace

std::optional<upload_limits> read_upload(section& s, toml_key key)
{
    if (!s.has(key.name)) return std::nullopt;
    upload_limits out;
    if (s.array(key.name) != nullptr) {
        const auto all = s.texts(key, budget_windows).value_or(std::vector<located_text>{});
        if (all.empty()) s.reject(key.name, fmt::format("'{}' is empty; write {} = {}", key.name, key.name, key.example));
        for (const auto& t : all) take(t, out, s, key);
    } else if (const auto text = s.text(key)) take({*text, s.where(key.name)}, out, s, key);
    return out;
}

void read_entry_budgets(section& s, rule& r)
{
    r.upload = read_upload(s, upload);
    r.upload_identity = read_upload(s, upload_identity);
    if (r.upload_identity && !r.upload)
        s.reject(upload_identity.name,
                 fmt::format("'upload_identity' is of all pods of a service account, each of which is held to 'upload'; "
                             "add {} = {}",
                             upload.name, upload.example));
    if (const auto total = read_upload(s, upload_total)) r.upload_total = *total;
    read_account(s, r);
    if (const auto action = s.word(on_budget, budget_action_words)) r.on_budget = static_cast<budget_action>(*action);
    if (r.purpose != purpose::push) return;
    // A push sends data out on purpose, so it requires a limit, an owner, a reason and an expiry.
    for (const auto key : {upload, key("owner"), key("reason"), key("expires")})
        if (!s.has(key.name))
            s.wrong().error(
                s.where(), fmt::format("purpose = \"push\" lets data out, so it needs '{}'; add {} = {}", key.name, key.name, key.example));
}

} // namespace exeat::ops
