// Uses a server as a given user with the client libraries of JavaScript, as an application would: connects, makes a
// session, sends a pipeline and a transaction, waits for replicas. Reads {"port", "cluster", "user", "password"}; writes
// for each library what it read back; null where Node is too old for the libraries.

import { readFileSync } from "node:fs";

if (Number.parseInt(process.versions.node) < 20) {
  console.log("null");
  process.exit(0);
}
const { port, cluster, user, password } = JSON.parse(readFileSync(0, "utf8"));
const host = "127.0.0.1";
const made = {};

/** Fails with what went wrong, not with a time-out: libraries try to connect again and again. */
const within = (seconds, what, work) =>
  Promise.race([work, new Promise((_, fail) => setTimeout(() => fail(new Error(what)), seconds * 1000).unref())]);

/** What is done with each library: `call` sends a command, `multi` a transaction of two. */
async function use(library, call, multi) {
  const reply = await call("SH.NEW", "alice", '{"idle":600,"sessionData":{"made":"0"}}');
  const tkn = JSON.parse(reply).tkn;
  const values = await Promise.all(["1", "2"].map((value) => call("SH.SET", tkn, "made", value)));
  const [, read] = await multi(["SH.SET", tkn, "made", library], ["SH.GET", tkn, "made"]);
  await call("WAIT", "0", "1");
  made[library] = { values, read: String(read) };
}

async function nodeRedis() {
  const { createClient, createCluster } = await import("redis");
  const defaults = { username: user, password, socket: { reconnectStrategy: false } };
  const url = `redis://${host}:${port}`;
  const client = cluster ? createCluster({ rootNodes: [{ url }], defaults }) : createClient({ url, ...defaults });
  client.on("error", () => {});
  await client.connect();
  // In a cluster the first argument is the key that routes.
  const call = (...words) => (cluster ? client.sendCommand("alice", false, words) : client.sendCommand(words));
  const multi = async (...commands) => {
    const transaction = cluster ? client.multi(commands[0][1]) : client.multi();
    for (const words of commands) cluster ? transaction.addCommand(words[1], false, words) : transaction.addCommand(words);
    return transaction.exec();
  };
  await use("node-redis", call, multi);
  await client.close();
}

async function ioredis() {
  const { default: Redis, Cluster } = await import("ioredis");
  // Its ready check sends INFO, which the application's user may not, and warns that it goes on without.
  const login = { username: user, password, lazyConnect: true, retryStrategy: null };
  const client = cluster
    ? new Cluster([{ host, port }], { redisOptions: login, lazyConnect: true, clusterRetryStrategy: null })
    : new Redis({ host, port, ...login });
  client.on("error", () => {});
  const ready = new Promise((done) => client.on("ready", done));
  await client.connect();
  await within(30, "ioredis is never ready", ready);
  const multi = async (first, second) => {
    const replies = await client.multi().call(...first).call(...second).exec();
    return replies.map(([error, reply]) => { if (error) throw error; return reply; });
  };
  await use("ioredis", (...words) => client.call(...words), multi);
  client.disconnect();
}

await within(60, "node-redis", nodeRedis());
await within(60, "ioredis", ioredis());
console.log(JSON.stringify(made));
process.exit(0);
