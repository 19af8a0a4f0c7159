"""embed_presets.py OUTPUT INPUT...: writes a C++ source that holds the files of conf/presets as exeat::embedded::presets, by name."""
import pathlib
import sys

target, *sources = sys.argv[1:]


def rows(octets):
    return ",\n".join(", ".join(str(o if o < 128 else o - 256) for o in octets[i:i + 32]) for i in range(0, len(octets), 32))


files = sorted(pathlib.Path(s) for s in sources)
texts = "".join(f"constexpr char text_{n}[] = {{\n{rows(f.read_bytes())}\n}};\n" for n, f in enumerate(files))
table = "".join(f'    preset{{"{f.stem}", {{text_{n}, sizeof text_{n}}}}},\n' for n, f in enumerate(files))
pathlib.Path(target).write_text(f"""#include <embedded.hpp>

namespace exeat::embedded {{
namespace {{
{texts}
constexpr preset all[] = {{
{table}}};
}}
const std::span<const preset> presets{{all}};
}}
""")
