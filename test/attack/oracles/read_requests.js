// read_requests.js FILE...: each file holds what a client sent on one connection; prints, as JSON, the requests that Node's parser finds in each.
const fs = require("fs"), http = require("http"), stream = require("stream");

function requestsIn(file) {
  return new Promise((done) => {
    const found = { requests: [], error: null };
    const server = http.createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
    const answer = (request, response) => {
      found.requests.push([request.method, request.url, request.headers.host || null]);
      request.resume();
      response.end();
    };
    for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, answer);
    server.on("upgrade", (request) => found.requests.push([request.method, request.url, "upgrade"]));
    server.on("clientError", (error) => { found.error = error.code || String(error); });
    const socket = new stream.Duplex({ read() {}, write(bytes, coding, next) { next(); } });
    socket.setTimeout = socket.setNoDelay = socket.setKeepAlive = () => socket;
    server.emit("connection", socket);
    socket.push(fs.readFileSync(file));
    setImmediate(() => setImmediate(() => { socket.push(null); setImmediate(() => setImmediate(() => done(found))); }));
  });
}

(async () => {
  const all = [];
  for (const file of process.argv.slice(2)) all.push(await requestsIn(file));
  process.stdout.write(JSON.stringify(all));
  process.exit(0);
})();
