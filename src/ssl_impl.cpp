// Asio's TLS compiled once, for the one part that needs it: what serves has none.
#include <boost/asio/ssl/impl/src.hpp>
