import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import {
  buildAgent,
  logInAsAdmin,
  makeWorkspace,
  openLocalServer,
  pushTemplate,
  readAgentToken,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
} from "@slipway/testkit";
import { openOwnPostgres } from "@slipway/testkit/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";

import { type EchoApp, openEchoApp } from "./support/echo-app.ts";
import { untilConnected } from "./support/network/servers.ts";
import { freePort, guideHost, type Nginx, openNginx } from "./support/nginx.ts";

/*
 * The nginx of the guide (docs/operations.md) in front of two replicas, one of which is killed. The configuration
 * comes from the guide. `vitest.config.ts` leaves this file out where nginx is missing.
 */

const appHost = "*.apps.example.com";
const viewedHost = appHost.replace("*", "web--dev--admin");

const opened = new AsyncDisposableStack();
const secret = randomBytes(32).toString("hex");
let directory = "";
let databaseUrl = "";
let session = "";
let workspaceId = "";
let app: EchoApp;
let lasting: Replica;
let doomed: Replica;
let nginx: Nginx;

/** A replica, and the address at which the proxy reaches it. */
interface Replica {
  readonly address: string;
  readonly process: ServerProcess;
}

async function startReplica(): Promise<Replica> {
  const dataDir = await mkdtemp(join(directory, "replica-"));
  const environment = {
    SLIPWAY_ACCESS_URL: `https://${guideHost}`,
    SLIPWAY_POSTGRES_URL: databaseUrl,
    SLIPWAY_SECRET_KEY: secret,
    SLIPWAY_TRUSTED_PROXIES: "127.0.0.1",
    SLIPWAY_WILDCARD_ACCESS_URL: appHost,
  };
  const port = await freePort();
  const process = await startServerProcess({ dataDir, port, environment });
  opened.defer(() => process.end("SIGKILL"));
  return { address: `127.0.0.1:${port}`, process };
}

beforeAll(async () => {
  await buildAgent();
  directory = await mkdtemp(join(tmpdir(), "slipway-proxied-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  databaseUrl = opened.use(await openOwnPostgres()).url;
  app = opened.use(await openEchoApp("the app", {}));
  lasting = await startReplica();
  doomed = await startReplica();
  const serverUrl = `http://${lasting.address}`;
  const client = await logInAsAdmin(serverUrl);
  session = client.headers["Coder-Session-Token"] ?? "";
  const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: "http://localhost:${app.port}", subdomain: true, share: public }
`;
  const templateId = await pushTemplate(client, "proxied", template);
  ({ id: workspaceId } = await makeWorkspace(client, "dev", templateId, () => true));
  const token = await readAgentToken(client, workspaceId);
  const home = join(directory, "agent");
  const agent = await startAgentProcess({ serverUrl, token, home });
  opened.defer(() => void agent.kill("SIGKILL"));
  await untilConnected(client, workspaceId);
  const replicas = [lasting.address, doomed.address];
  nginx = opened.use(await openNginx({ replicas, appHost }));
});

afterAll(() => opened.disposeAsync());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface NginxRequest {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request through an nginx on a new connection. */
async function ask(
  { port }: Nginx,
  path: string,
  { host = guideHost, method = "GET", headers = {}, body = "" }: NginxRequest = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // The certificate is self-signed.
  const where = { host: "127.0.0.1", port, servername: guideHost, rejectUnauthorized: false };
  const sent = request({
    ...where,
    agent: false,
    path,
    method,
    headers: { Host: host, "Coder-Session-Token": session, ...headers },
  });
  sent.on("error", reject);
  sent.on("upgrade", ({ statusCode: status, headers: received }, socket) => {
    socket.destroy();
    resolve({ status, headers: received, body: "" });
  });
  sent.on("response", (response) => {
    const { statusCode: status, headers: received } = response;
    text(response).then((content) => resolve({ status, headers: received, body: content }), reject);
  });
  sent.end(body);
  return promise;
}

let names = 0;

/** Creates a token of the administrator, a change that happens once or twice. */
function makeToken(through: Nginx): Promise<Answer> {
  names += 1;
  return ask(through, "/api/v2/users/me/keys/tokens", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token_name: `token-${names}` }),
  });
}

interface Exchange {
  readonly host: string;
  /** The message to send, if the server accepts any. */
  readonly message?: string;
  /** A substring of the message to wait for. */
  readonly wanted: string;
}

/** Opens a WebSocket through nginx and waits for a message. */
async function exchange(path: string, { host, message, wanted }: Exchange): Promise<void> {
  const socket = new WebSocket(`wss://127.0.0.1:${nginx.port}${path}`, {
    rejectUnauthorized: false,
    headers: { Host: host, "Coder-Session-Token": session },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on("open", () => {
    if (message !== undefined) socket.send(message);
  });
  socket.on("message", (data: Buffer) => {
    if (data.toString().includes(wanted)) resolve();
  });
  socket.on("error", reject);
  socket.on("close", (code) => reject(new Error(`closed with ${code} before ${wanted}`)));
  try {
    await promise;
  } finally {
    socket.terminate();
  }
}

/** Does everything twice: nginx alternates between the replicas, and the number of requests is odd. */
async function useBoth(): Promise<void> {
  for (const message of ["first turn", "second turn"]) {
    expect((await ask(nginx, "/api/v2/users/me")).status).toBe(200);
    expect((await makeToken(nginx)).status).toBe(201);
    await exchange("/", { host: viewedHost, message, wanted: message });
    const watch = { host: guideHost, wanted: workspaceId };
    await exchange(`/api/v2/workspaces/${workspaceId}/watch-ws`, watch);
    const ofApp = await ask(nginx, "/metrics", { host: viewedHost });
    expect(ofApp).toMatchObject({ status: 200, body: "the app" });
  }
}

it("passes requests, changes and WebSockets on to both replicas", async () => {
  await useBoth();
});

it("keeps the server's metrics to itself, at any replica", async () => {
  for (const path of ["/metrics", "/metrics?a=b", "//metrics", "/%6Detrics", "/x/../metrics"]) {
    expect((await ask(nginx, path)).status).toBe(403);
  }
  expect((await fetch(`http://${lasting.address}/metrics`)).status).toBe(200);
});

it("passes on the upgrade of a relay client", async () => {
  const headers = { Connection: "Upgrade", Upgrade: "DERP" };
  const answer = await ask(nginx, "/derp", { headers });
  expect(answer.status).toBe(101);
  expect(answer.headers.upgrade?.toUpperCase()).toBe("DERP");
});

it("passes over a replica that was killed", async () => {
  await doomed.process.end("SIGKILL");
  await useBoth();
  await useBoth();
});

it("sends what reads to another replica, and what changes to none, when one was cut in the middle", async () => {
  let cuts = 0;
  await using cutting = await openLocalServer(
    createServer((incoming) => {
      cuts += 1;
      incoming.socket.destroy();
    }),
  );
  for (const [send, statuses] of [
    [(through: Nginx) => ask(through, "/api/v2/users/me"), [200]],
    [makeToken, [201, 502]],
  ] as const) {
    const replicas = [lasting.address, new URL(cutting.url).host];
    await using through = await openNginx({ replicas, appHost });
    const before = cuts;
    const answers = [await send(through), await send(through)];
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(statuses));
    expect(cuts).toBe(before + 1);
  }
});

it("passes a refusal on to the client, asks no other replica, and asks that one again", async () => {
  let isBusy = true;
  let requests = 0;
  await using busy = await openLocalServer(
    createServer((_, response) => {
      requests += 1;
      response.writeHead(isBusy ? 503 : 200, { "Retry-After": "30" });
      response.end();
    }),
  );
  await using through = await openNginx({ replicas: [new URL(busy.url).host, lasting.address] });
  const askOften = async () => {
    const answers = [];
    for (let turn = 0; turn < 4; turn += 1) answers.push(await ask(through, "/healthz"));
    return answers.toSorted((a, b) => Number(a.status) - Number(b.status));
  };
  const refused = { status: 503, headers: { "retry-after": "30" } };
  const served = { status: 200 };
  expect(await askOften()).toMatchObject([served, served, refused, refused]);
  expect(requests).toBe(2);
  isBusy = false;
  expect(await askOften()).toMatchObject([served, served, served, served]);
  expect(requests).toBe(4);
});

it("asks a busy replica again while another one is down", async () => {
  let isBusy = true;
  await using busy = await openLocalServer(
    createServer((_, response) => {
      response.writeHead(isBusy ? 503 : 200);
      response.end();
    }),
  );
  const replicas = [new URL(busy.url).host, `127.0.0.1:${await freePort()}`];
  await using through = await openNginx({ replicas, appHost });
  for (let turn = 0; turn < 4; turn += 1) expect((await ask(through, "/")).status).toBe(503);
  isBusy = false;
  for (let turn = 0; turn < 4; turn += 1) expect((await ask(through, "/")).status).toBe(200);
});
