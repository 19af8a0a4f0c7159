"""Everything around the real binary: three network namespaces without a way out, a DNS server and origins that remember all they were sent."""
