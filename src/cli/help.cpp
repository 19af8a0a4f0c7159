#include <cli/command.hpp>
#include <cli/describe.hpp>
#include <cli/output.hpp>
#include <exeat/verdict.hpp>
#include <ops/process/version.hpp>
#include <ops/text/allowlist_toml_keys.hpp>
#include <ops/text/did_you_mean.hpp>
#include <ops/text/exeat_toml_keys.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <string_view>
#include <vector>

namespace exeat::cli {

namespace {

struct page {
    std::string_view verb, line, text, example;
};

constexpr std::array pages{
    page{"serve", "run the proxy",
         "Runs the proxy in the foreground until SIGTERM (drains) or a second one (ends at once). SIGHUP reloads the\n"
         "allowlist and /etc/resolv.conf, where that names the DNS servers; SIGUSR1 reopens the audit log. Nothing starts unless both "
         "files are valid.\n",
         "exeat serve --config /etc/exeat/exeat.toml"},
    page{"identities", "keep the file of a cluster's pods",
         "Lists and watches the pods of Kubernetes, and keeps [kubernetes] pods_file, by which serve knows them; in the foreground,\n"
         "until SIGTERM. A process of its own, with a user of its own: it alone has the token for the API server, and it writes of a\n"
         "pod only its name, service account, phase and addresses. While the API server is away the file stays as it is, and ages.\n",
         "exeat identities --config /etc/exeat/exeat.toml"},
    page{"check", "check an allowlist",
         "Reads an allowlist as the proxy would, says everything that is wrong with it as file:line:column, and runs its\n"
         "[[expect]] tests. The list that --config names is held to its approvals, its serial and what was revoked, as the proxy\n"
         "would hold it. With --config it also tries what a start needs of this machine: directories, ports, keys and permissions, as\n"
         "the user who calls it; --elsewhere leaves that out. Exit 1 on any error; with --strict on any warning.\n",
         "exeat check allowlist.toml"},
    page{"explain", "say what would happen to a request",
         "Says for each target whether the client may reach it, by which entry, and why or why not. A target is host:port\n"
         "(CONNECT) or http://host[:port]. With --config, what is quarantined on this machine counts. Exit 0 when all are allowed.\n",
         "exeat explain --client 10.42.3.7 --allowlist allowlist.toml pkg.test:443"},
    page{"diff", "say what a new allowlist opens and closes",
         "Compares what two allowlists decide, not how they are written: for every group, what the new one opens, widens,\n"
         "narrows and closes. Exit 1 when it opens or widens anything, 2 when one of them does not load.\n",
         "exeat diff --format markdown allowlist.toml new.toml"},
    page{"replay", "replay yesterday's traffic against a candidate",
         "Decides every request of an audit log again, by the allowlist as it is now: what was refused and would pass, what\n"
         "passed and would be refused, and how often. What DNS, TLS or an unreadable request decided is counted and not\n"
         "replayed. Exit 0 when nothing changes, 1 when anything does, 2 when a file cannot be read.\n",
         "exeat replay --audit audit.jsonl.1.gz --audit audit.jsonl --since 24h new.toml"},
    page{"suggest", "write the narrowest list that would do",
         "Writes the allowlist that would have served what an audit log says was served, and nothing else: exact hosts, ports\n"
         "and groups, with the owners of --allowlist. Refused hosts asked for often, and what is unused, come as comments.\n"
         "Exit 1 when no list can say all of it, 2 when a file cannot be read.\n",
         "exeat suggest --audit audit.jsonl --allowlist allowlist.toml > narrow.toml"},
    page{"import", "make an allowlist of another proxy's list",
         "Makes an allowlist of a Smokescreen ACL (import smokescreen) or of Squid's dstdomain files (import squid), one that check\n"
         "accepts. Who asks is an address here: give each role its networks with --sources; a group without is one that nobody is\n"
         "in. What cannot be carried over is named, on stderr and in comments, and exit 1 says that there was any; 2 that a file\n"
         "could not be read.\n",
         "exeat import smokescreen acl.yaml --sources training=10.42.0.0/16 -o allowlist.toml"},
    page{"preset", "print a list to start from",
         "Prints an allowlist that comes with exeat, for one vendor or kind of service: its hosts and budgets, what else they open,\n"
         "and where the vendor publishes them. Without a name, lists the presets. The text is a list of its own; with --part it is a\n"
         "file for allowlist.d, where several presets work together.\n",
         "exeat preset --part python >/etc/exeat/allowlist.d/python.toml"},
    page{"grant", "open hosts for a while",
         "Writes one entry that ends by itself into allowlist.d, beside the allowlist; where --key is given, with a signed\n"
         "statement beside it. Nothing is written unless the whole policy with it is valid. 'exeat revoke' ends it before, or,\n"
         "where no approval is needed, the file's removal.\n",
         "exeat grant --config exeat.toml --entry figures --for 4h --host figures.test --group training --reason 'camera-ready'"},
    page{"quarantine", "let nothing of a client or an entry out for a while",
         "Quarantines a client (an address or a network) or an entry: within a second what is open ends and what is asked for is\n"
         "refused, over reloads and restarts, until the time is over. Lists what is quarantined with --list, ends it with --lift.\n"
         "Who may write into the state directory may do so: root, or exeat's own user.\n",
         "exeat quarantine --client 10.42.3.7 --for 1h --reason 'uploads to an unknown host'"},
    page{"state", "begin a new installation with whole budgets",
         "'exeat state init' says that nothing was sent before: the next start counts no upload budget as half spent, as it would\n"
         "with an empty state directory. The audit log says who said so, one start uses it up, and where there is state already it\n"
         "is refused. Who may write into the state directory may do so: root, or exeat's own user.\n",
         "exeat state init --config /etc/exeat/exeat.toml"},
    page{"grants", "list what is open for a while",
         "Lists the entries that end: until when, for whom, who answers for them and who approved them.\n",
         "exeat grants --config /etc/exeat/exeat.toml"},
    page{"keygen", "make a key pair for approvals",
         "Makes an Ed25519 key pair: NAME.key, which stays with its owner, and NAME.pub, for trusted_keys in exeat.toml.\n"
         "Neither file may be there already.\n",
         "exeat keygen alice"},
    page{"revoke", "take a grant or a part of the list back",
         "Writes a revocation into allowlist.d, signed by one trusted key: what the file allows is closed within seconds, and stays\n"
         "closed over restarts and whoever puts the file back. What the file denies goes on.\n",
         "exeat revoke --config exeat.toml --key alice.key --reason 'wrong host' allowlist.d/figures.toml"},
    page{"sign", "approve an allowlist",
         "Adds a signature to ALLOWLIST.manifest, which names the list, each part of allowlist.d and each hosts file by its\n"
         "SHA-256, the serial, the environment and what is revoked; or to the statement of a grant. Only a list without errors\n"
         "that says when it ends can be approved. Signatures of what has changed since are dropped.\n",
         "exeat sign --key alice.key --audience production allowlist.toml"},
    page{"verify", "verify an audit log, or the approvals of an allowlist",
         "With --audit, checks the sequence numbers and the hash chain of an audit log, over rotated and gzipped files, names the\n"
         "first line where they break, and says up to which line the log is proven: by checkpoints that are signed (--key), by the\n"
         "anchor in exeat's state directory (--state), or by what Prometheus has seen (--anchor). Exit 1 when anything was changed\n"
         "or is missing. Otherwise checks that an allowlist has the approvals that exeat.toml (or --trusted-key) asks for.\n",
         "exeat verify --config /etc/exeat/exeat.toml allowlist.toml"},
    page{"top", "watch what goes out, live in the terminal",
         "Shows what exeat enforces and who uploads, where to, how much of which budget is used, what is refused and what detectors\n"
         "found, and asks for it again every two seconds. The keys 0 to 6 change the view, ? explains the others. Where the output is\n"
         "no terminal it is one page of plain text. Exit 1 when exeat cannot be reached.\n",
         "exeat top --admin http://127.0.0.1:9464"},
    page{"version", "print the version",
         "Prints exeat's version, and the formats of the files in state, of the audit log and of signed statements.\n", "exeat version"},
    page{"help", "explain a verb", "Explains one verb, or lists them all.\n", "exeat help check"},
};

void list()
{
    print_out("exeat: the only way out, for what the allowlist names\n\nusage: exeat VERB ...\n\n");
    for (const auto& p : pages) print_out("  {:<10} {}\n", p.verb, p.line);
    print_out(
        "\n'exeat help VERB' says more, 'exeat VERB --help' lists its options; 'exeat help exeat.toml' and 'exeat help allowlist.toml'\n"
        "say what may stand in these files. Exit codes: 0 yes, 1 no, 2 wrong usage.\n");
}

boost::json::array all_verdicts()
{
    boost::json::array out;
    for (std::size_t i = 0; i < verdicts; ++i) {
        const auto v = static_cast<verdict>(i);
        out.push_back(boost::json::object{{"word", to_string(v)},
                                          {"status", http_status(v)},
                                          {"alert", tls_alert(v)},
                                          {"sentence", explanation(v)},
                                          {"reportable", reportable(v)}});
    }
    return out;
}

boost::json::object everything()
{
    boost::json::array verbs, files;
    for (const auto& p : pages)
        verbs.push_back(boost::json::object{{"name", p.verb}, {"line", p.line}, {"text", p.text}, {"example", p.example}});
    for (const auto* f : {&ops::exeat_toml::file, &ops::allowlist_toml::file}) files.push_back(describe(*f));
    return {{"version", std::string{ops::version}}, {"verbs", std::move(verbs)}, {"files", std::move(files)}, {"verdicts", all_verdicts()}};
}

void explain_key(const ops::configuration_key& k)
{
    const auto otherwise = k.standard.starts_with("required") ? std::string{k.standard} : fmt::format("without it: {}", k.standard);
    const auto bounds = ops::to_text(k.bounds);
    print_out("  {} = {}\n      {}{}{}; {}\n      {}\n", k.name, k.example, k.type, bounds.empty() ? "" : ", ", bounds, otherwise,
              k.meaning);
}

void explain(const ops::configuration_file& f)
{
    print_out("{}: {}\n\n{}\n", f.name, f.line, f.meaning);
    for (const auto& t : f.tables) {
        print_out("\n{}\n  {}{}\n", t.title.empty() ? "at the top" : t.title, t.meaning,
                  t.also.empty() ? std::string{} : fmt::format(" All keys of {}, and:", t.also));
        for (const auto& k : t.keys) explain_key(k);
    }
}

// False: it is not one of exeat's files.
bool explain_file(std::string_view name)
{
    for (const auto* f : {&ops::exeat_toml::file, &ops::allowlist_toml::file})
        if (f->name == name) return explain(*f), true;
    return false;
}

} // namespace

int help(int argc, char** argv)
{
    const std::string_view asked = argc < 2 ? std::string_view{} : argv[1];
    if (asked.empty() || asked == "--help" || asked == "-h") {
        list();
        return 0;
    }
    if (asked == "--describe") return print_as_json(everything()), success;
    if (explain_file(asked)) return success;
    const auto* p = std::find_if(pages.begin(), pages.end(), [&](const page& x) { return x.verb == asked; });
    if (p == pages.end()) {
        std::vector<std::string_view> known{ops::exeat_toml::file.name, ops::allowlist_toml::file.name};
        for (const auto& x : pages) known.push_back(x.verb);
        print_error("exeat help: there is no verb '{}'{}\n", ops::one_line(asked),
                    ops::did_you_mean(asked, known, "'exeat help' lists them"));
        return 2;
    }
    print_out("exeat {}: {}\n\n{}\nExample: {}\n", p->verb, p->line, p->text, p->example);
    return 0;
}

} // namespace exeat::cli
