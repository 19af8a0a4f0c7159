"""embed.py NAME INPUT OUTPUT: writes a C++ source that holds a file's bytes as exeat::embedded::NAME."""
import pathlib
import sys

name, source, target = sys.argv[1:]
octets = pathlib.Path(source).read_bytes()
rows = ",\n".join(", ".join(str(o if o < 128 else o - 256) for o in octets[i:i + 32]) for i in range(0, len(octets), 32))
pathlib.Path(target).write_text(f"""#include <embedded.hpp>

namespace exeat::embedded {{
namespace {{
constexpr char octets[] = {{
{rows}
}};
}}
const std::string_view {name}{{octets, sizeof octets}};
}}
""")
