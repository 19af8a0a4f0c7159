// fetch.js HOW URL: prints the status and the body, or to stderr every error in the chain of causes; exit 0 only for 200. The proxy is in the
// environment, and so is the authority (NODE_EXTRA_CA_CERTS).
const http = require('http'), https = require('https');
const [how, url] = process.argv.slice(2), proxy = process.env.https_proxy, secure = /^(https|wss):/.test(url);

const text = (reply) => new Promise((done, failed) => {
  let body = '';
  reply.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => done([reply.statusCode, body])).on('error', failed);
});
const get = (agent) => new Promise((done, failed) => (secure ? https : http).get(url, { agent }, (reply) => done(text(reply))).on('error', failed));
const fetched = async (reply) => [reply.status, await reply.text()];

function undici(name) {
  const { fetch, ProxyAgent } = require(name);
  return fetch(url, { dispatcher: new ProxyAgent(proxy) }).then(fetched);
}

// A second time on the connection that was kept.
async function again() {
  const { fetch, ProxyAgent } = require('undici7'), dispatcher = new ProxyAgent({ uri: proxy, connections: 1 });
  await fetch(url, { dispatcher }).then(fetched);
  return fetch(`${url}once-only`, { dispatcher }).then(fetched);
}

function hpagent() {
  const { HttpProxyAgent, HttpsProxyAgent } = require('hpagent');
  return get(secure ? new HttpsProxyAgent({ proxy }) : new HttpProxyAgent({ proxy }));
}

async function actions() {
  const reply = await new (require('@actions/http-client').HttpClient)('exeat tests').get(url);
  return [reply.message.statusCode, await reply.readBody()];
}

// Sends one message over a WebSocket and prints what comes back.
function ws() {
  const { HttpsProxyAgent } = require('https-proxy-agent');
  const socket = new (require('ws').WebSocket)(url, { agent: new HttpsProxyAgent(proxy) });
  return new Promise((done, failed) => {
    socket.on('open', () => socket.send('hello')).on('message', (data) => done([200, data.toString()])).on('error', failed)
      .on('unexpected-response', (_, reply) => done(text(reply)));
  });
}

const ways = {
  'undici5': () => undici('undici5'), 'undici6': () => undici('undici6'), 'undici7': () => undici('undici7'),
  'undici7-again': again,
  'fetch': () => fetch(url).then(fetched),
  'http': () => get(undefined),
  'hpagent': hpagent,
  'https-proxy-agent': () => get(new (require('https-proxy-agent').HttpsProxyAgent)(proxy)),
  'http-proxy-agent': () => get(new (require('http-proxy-agent').HttpProxyAgent)(proxy)),
  'actions': actions,
  'axios': () => require('axios').get(url, { responseType: 'text', validateStatus: () => true }).then((reply) => [reply.status, reply.data]),
  'ws': ws,
};

const told = (error) => (error ? [`${error.name} ${error.code ?? ''}: ${error.message}`, ...(error.errors ?? []).flatMap(told), ...told(error.cause)] : []);
ways[how]().then(([status, body]) => {
  console.log(status, body);
  process.exit(status === 200 ? 0 : 1);
}).catch((error) => {
  console.error(told(error).join('\n'));
  process.exit(1);
});
