#include <ops/offline/yaml_tree.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace exeat::ops {

namespace {

struct breach { // an error that ends reading
    place at;
    std::string text;
};

place place_of(const YAML::Mark& m) noexcept
{
    if (m.is_null()) return {};
    return {static_cast<std::uint32_t>(m.line + 1), static_cast<std::uint32_t>(m.column + 1)};
}

using node_ptr = std::shared_ptr<yaml_node>;

class tree_builder : public YAML::EventHandler {
public:
    explicit tree_builder(diagnostics& wrong) : wrong_{wrong} {}
    yaml_link root() const { return root_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& m, YAML::anchor_t a) override { add(made(yaml_node::kind::nothing, m, a)); }
    void OnAlias(const YAML::Mark& m, YAML::anchor_t a) override
    {
        const auto known = anchors_.find(a);
        if (known == anchors_.end()) throw breach{place_of(m), "an alias to an anchor that is not defined before it; write it out"};
        if (std::find(open_.begin(), open_.end(), known->second) != open_.end())
            throw breach{place_of(m), "an alias to the node that contains it; write it out"};
        add(known->second);
    }
    void OnScalar(const YAML::Mark& m, const std::string& tag, YAML::anchor_t a, const std::string& value) override
    {
        const bool null = tag == "?" && (value == "~" || value == "null" || value == "Null" || value == "NULL");
        const auto n = made(null ? yaml_node::kind::nothing : yaml_node::kind::scalar, m, a);
        if (!null) n->text = value;
        add(n);
    }
    void OnSequenceStart(const YAML::Mark& m, const std::string&, YAML::anchor_t a, YAML::EmitterStyle::value) override
    {
        open(made(yaml_node::kind::sequence, m, a));
    }
    void OnSequenceEnd() override { open_.pop_back(); }
    void OnMapStart(const YAML::Mark& m, const std::string&, YAML::anchor_t a, YAML::EmitterStyle::value) override
    {
        open(made(yaml_node::kind::mapping, m, a));
    }
    void OnMapEnd() override
    {
        const auto n = open_.back();
        open_.pop_back();
        merge(*n);
        tell_of_twins(*n);
    }

private:
    node_ptr made(yaml_node::kind is, const YAML::Mark& m, YAML::anchor_t a)
    {
        count(place_of(m));
        auto n = std::make_shared<yaml_node>();
        n->is = is;
        n->at = place_of(m);
        if (a != YAML::NullAnchor) anchors_[a] = n;
        return n;
    }
    void count(place at)
    {
        if (++nodes_ > limits::yaml_nodes) throw breach{at, fmt::format("more than {} values; split the file", limits::yaml_nodes)};
    }
    void add(const node_ptr& n)
    {
        if (open_.empty()) root_ = n;
        else if (yaml_node& in = *open_.back(); in.is == yaml_node::kind::sequence) in.items.push_back(n);
        else if (in.pairs.empty() || in.pairs.back().second) in.pairs.emplace_back(n, nullptr);
        else in.pairs.back().second = n;
        count(n->at); // an alias takes space too
    }
    void open(const node_ptr& n)
    {
        add(n);
        if (open_.size() >= limits::yaml_depth) throw breach{n->at, "nested too deeply for a list of hosts; fix it"};
        open_.push_back(n);
    }
    // YAML 1.1's "<<": keys of the mapping itself take precedence.
    void merge(yaml_node& into)
    {
        const auto found = std::find_if(into.pairs.begin(), into.pairs.end(), [](const auto& p) { return p.first->text == "<<"; });
        if (found == into.pairs.end()) return;
        const auto from = found->second;
        into.pairs.erase(found);
        std::set<std::string_view> known;
        for (const auto& p : into.pairs) known.insert(p.first->text);
        if (from->is == yaml_node::kind::mapping) return take(into, known, *from);
        for (const auto& each : from->items) take(into, known, *each);
    }
    void take(yaml_node& into, std::set<std::string_view>& known, const yaml_node& from)
    {
        for (const auto& p : from.pairs) {
            count(into.at); // skipped keys take time too
            if (known.insert(p.first->text).second) into.pairs.push_back(p);
        }
    }
    void tell_of_twins(const yaml_node& n)
    {
        std::map<std::string_view, place> seen;
        for (const auto& [key, value] : n.pairs)
            if (const auto [known, added] = seen.try_emplace(key->text, key->at); !added)
                wrong_.error(key->at, fmt::format("{} is in line {} too, and only that one is read; keep one", as_shown(key->text),
                                                  known->second.line));
    }

    diagnostics& wrong_;
    std::size_t nodes_ = 0;
    yaml_link root_ = std::make_shared<yaml_node>();
    std::vector<node_ptr> open_;
    std::map<YAML::anchor_t, node_ptr> anchors_;
};

// Messages of the library contain text of the file.
std::string on_one_line(std::string_view what)
{
    std::string out;
    for (const char c : what) out += c >= ' ' && c <= '~' ? c : '?';
    return out;
}

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const noexcept
{
    const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& p) { return p.first->text == key; });
    return found == pairs.end() ? nullptr : found->second.get();
}

std::string_view kind_of(const yaml_node& n) noexcept
{
    switch (n.is) {
    case yaml_node::kind::scalar: return "text";
    case yaml_node::kind::sequence: return "a list";
    case yaml_node::kind::mapping: return "a table";
    case yaml_node::kind::nothing: break;
    }
    return "nothing";
}

std::optional<yaml_link> parse_yaml(const std::string& text, diagnostics& wrong)
{
    // The library would take the text for UTF-16 or UTF-32 and report positions in its conversion.
    if (text.find('\0') != text.npos || text.starts_with('\xfe') || text.starts_with('\xff')) {
        wrong.error({1, 1}, "no UTF-8, or NUL octets in it; save the file as UTF-8");
        return std::nullopt;
    }
    try {
        std::istringstream in{text};
        YAML::Parser parser{in};
        tree_builder first{wrong}, second{wrong};
        parser.HandleNextDocument(first);
        if (parser.HandleNextDocument(second) && second.root()->is != yaml_node::kind::nothing)
            wrong.error(second.root()->at, "a second document, which smokescreen does not read either; put it into a file of its own");
        return first.root();
    } catch (const YAML::Exception& e) { // the library reports errors only by exceptions
        wrong.error(place_of(e.mark), fmt::format("no YAML: {}; fix the syntax here or on the line above", on_one_line(e.msg)));
    } catch (const breach& b) {
        wrong.error(b.at, b.text);
    }
    return std::nullopt;
}

} // namespace exeat::ops
