#include "small_allowlist.hpp"

#include <doctest/doctest.h>
#include <ops/policy/shared_suffixes.hpp>

using namespace exeat;
using namespace exeat::ops;
using namespace exeat::testing;

namespace {

std::string objection(std::string_view text)
{
    const auto host = host_pattern::parse(text);
    REQUIRE_MESSAGE(host.has_value(), text);
    return wildcard_objection(*host);
}

} // namespace

TEST_CASE("a wildcard right above a public or shared suffix is objected to")
{
    for (const std::string text :
         {"*.co.uk", "**.co.uk", "*.github.io", "*.blob.core.windows.net", "**.blob.core.windows.net", "*.vault.azure.net",
          "*.storage.googleapis.com", "*.azurecr.io", "*.huggingface.co", "*.cloudfront.net", "*.s3.eu-west-1.amazonaws.com",
          "*.us-east-1.amazonaws.com", "*.dfs.core.windows.net", "*.queue.core.windows.net", "*.table.core.windows.net"})
        CHECK_MESSAGE(!objection(text).empty(), text);
}

TEST_CASE("any depth above a suffix's parent is objected to, one label there is not")
{
    CHECK(objection("**.core.windows.net").find("core.windows.net") != std::string::npos);
    CHECK_FALSE(objection("**.azure.net").empty());
    CHECK_FALSE(objection("**.cloud.google.com").empty()); // storage.cloud.google.com lies below
    CHECK(objection("*.cloud.google.com").empty());
}

TEST_CASE("wildcards below a tenant's own name, and exact names, stand")
{
    for (const std::string text : {"*.researchweights.blob.core.windows.net", "**.example.co.uk", "*.arxiv.org",
                                   "researchweights.blob.core.windows.net", "blob.core.windows.net", "192.0.2.1"})
        CHECK_MESSAGE(objection(text).empty(), text);
}

TEST_CASE("an exact name that tenants share by path is known")
{
    const auto shared = [](std::string_view text) { return shared_host(*host_pattern::parse(text)); };
    CHECK(shared("s3.amazonaws.com") == "storage");
    CHECK(shared("storage.googleapis.com") == "storage");
    CHECK(shared("github.com") == "registry");
    CHECK(shared("s3.us-east-1.amazonaws.com") == "storage");
    CHECK(shared("us-east-1.amazonaws.com") == "storage");
    CHECK(shared("researchweights.blob.core.windows.net").empty());
}

TEST_CASE("an entry that says why may have the wildcard, and no other entry may")
{
    const std::string wide = "hosts = [\"*.blob.core.windows.net\"]\n";
    const auto said = load("serial = 1\n[groups.g]\nsources = [\"10.0.0.0/8\"]\n[[allow]]\nname = \"a\"\nshared_suffix = \"why\"\n" + wide);
    CHECK(said.rules);
    const auto unsaid = load("serial = 1\n[groups.g]\nsources = [\"10.0.0.0/8\"]\n[[allow]]\nname = \"a\"\nshared_suffix = \"why\"\n" +
                             wide + "[[allow]]\nname = \"b\"\n" + wide);
    CHECK_FALSE(unsaid.rules);
    const auto denied = load("serial = 1\n[[deny]]\nname = \"d\"\n" + wide);
    CHECK(denied.rules);
}
