#!/usr/bin/env python3
"""sbom.py VERSION REVISION PROGRAM...: an SPDX 2.3 document on stdout: exeat, and each Debian package that its programs load or were compiled from, with
the version that was used. The same inputs give the same bytes: its time is SOURCE_DATE_EPOCH."""
import datetime
import json
import os
import re
import subprocess
import sys

# What is compiled in and leaves no trace for ldd: headers, and the page's script.
COMPILED_IN = ["libboost1.81-dev", "libcli11-dev", "libstdc++-12-dev", "libjs-chart.js"]


def output(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def owner(library):
    """The package of a library; ldd names links that usrmerge moved."""
    for path in (library, "/usr" + library, os.path.realpath(library)):
        found = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    sys.exit(f"sbom.py: no package has {library}")


def loaded_by(programs):
    libraries = {path for p in programs for path in re.findall(r"(/\S+) \(0x", output("ldd", p))}
    return {owner(path) for path in libraries}


def described(name):
    version, source, homepage, architecture = output("dpkg-query", "-W", "-f=${Version}\t${source:Package}\t${Homepage}\t${Architecture}", name).split("\n")[0].split("\t")
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version, "supplier": "Organization: Debian",
            "downloadLocation": homepage or "NOASSERTION", "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{name}@{version}?arch={architecture}&upstream={source}"}]}


def main():
    version, revision, *programs = sys.argv[1:]
    loaded = loaded_by(programs)
    parts = [described(name) for name in sorted(loaded | set(COMPILED_IN))]
    made = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    exeat = {"SPDXID": "SPDXRef-exeat", "name": "exeat", "versionInfo": version, "supplier": "NOASSERTION", "downloadLocation": "NOASSERTION",
             "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION", "sourceInfo": f"revision {revision or 'unknown'}"}
    links = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-exeat"}]
    links += [{"spdxElementId": "SPDXRef-exeat", "relationshipType": "DYNAMIC_LINK" if p["name"] in loaded else "STATIC_LINK", "relatedSpdxElement": p["SPDXID"]} for p in parts]
    document = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"exeat-{version}",
                "documentNamespace": f"urn:exeat:sbom:{version}:{revision or 'unknown'}",
                "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: conf/debian/sbom.py"]},
                "packages": [exeat, *parts], "relationships": links}
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
