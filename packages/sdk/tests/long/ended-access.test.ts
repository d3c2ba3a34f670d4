import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createUser, deleteUser, suspendUser, updateUserRoles } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import { silentLogger, systemClock } from "@slipway/runtime";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import {
  logIn,
  logInAsAdmin,
  makeWorkspace,
  openTestDatabase,
  pushTemplate,
  readAgentToken,
  type ServerProcess,
  startAgentProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { ApiClient } from "../../src/http.ts";
import { connectWorkspace } from "../../src/workspace.ts";

/*
 * A user whose access ends while their client hides from the server: it has a direct path to the agent, and needs nobody else
 * to go on. The agent must be told.
 */

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;
const password = "correct-horse-battery-42";

const opened = new AsyncDisposableStack();
const limit = (): AbortSignal => AbortSignal.timeout(30_000);
let server: ServerProcess;
let agentId = "";
let echoPort = 0;

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    onSocket(socket);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  opened.defer(() => void listener.close());
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-access-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const environment = { SLIPWAY_POSTGRES_URL: database.url };
  const dataDir = join(directory, "server");
  server = await startServerProcess({ dataDir, port: 0, environment });
  opened.defer(() => server.end("SIGKILL"));
  const admin = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(admin, "network", template);
  const { id } = await makeWorkspace(admin, "dev", templateId, () => true);
  const token = await readAgentToken(admin, id);
  const workspace = await admin.call(getWorkspace, { params: { workspace: id } });
  const agents = workspace.latest_build.resources.flatMap((resource) => resource.agents ?? []);
  agentId = agents[0]?.id ?? "";
  echoPort = await listen((socket) => void socket.pipe(socket));
  const home = join(directory, "agent");
  const agent = await startAgentProcess({ serverUrl: server.url, token, home });
  opened.defer(() => void agent.kill("SIGKILL"));
});

afterAll(() => opened.disposeAsync());

/** A proxy in front of the server, which cuts its connections, and takes none while it is shut. */
async function openProxy() {
  let isShut = false;
  const sockets = new Set<Socket>();
  const port = await listen((near) => {
    if (isShut) return void near.destroy();
    const far = connect(Number(new URL(server.url).port), "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket);
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    cut: (): void => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    shut: (): void => void (isShut = true),
  };
}

async function echo(stream: TcpStream, text: string, signal: AbortSignal): Promise<string> {
  await stream.write(Buffer.from(text), signal);
  let received = "";
  while (received.length < text.length) {
    const part = await stream.read(signal);
    if (part === undefined) throw new Error("the connection has ended");
    received += Buffer.from(part).toString();
  }
  return received;
}

async function addOwner(username: string) {
  const admin = await logInAsAdmin(server.url);
  const email = `${username}@example.com`;
  const body = { username, email, password, login_type: "password" } as const;
  const user = await admin.call(createUser, { body });
  await admin.call(updateUserRoles, { params: { user: user.id }, body: { roles: ["owner"] } });
  const { headers } = await logIn(server.url, { email, password });
  return { user, token: headers["Coder-Session-Token"] ?? "" };
}

type Admin = Awaited<ReturnType<typeof logInAsAdmin>>;

it.each([
  ["suspended", ({ id }: User, admin: Admin) => admin.call(suspendUser, { params: { user: id } })],
  ["deleted", ({ id }: User, admin: Admin) => admin.call(deleteUser, { params: { user: id } })],
  [
    "demoted",
    ({ id }: User, admin: Admin) =>
      admin.call(updateUserRoles, { params: { user: id }, body: { roles: [] } }),
  ],
])(
  "a client that was lost and came back reaches nothing soon after its owner is %s",
  async (name, end) => {
    const { user, token } = await addOwner(name);
    const proxy = await openProxy();
    const client = new ApiClient({ serverUrl: proxy.url, token });
    const options = { client, agentId, disableDirect: false, clock: systemClock };
    await using connection = await connectWorkspace({
      ...options,
      logger: silentLogger,
      signal: limit(),
    });
    const isDirect = () =>
      expect
        .poll(async () => (await connection.ping(limit())).path.kind, { timeout: 20_000 })
        .toBe("direct");
    await isDirect();
    const stream = await connection.dial(echoPort, limit());
    for (const word of ["one", "two"]) {
      proxy.cut();
      expect(await echo(stream, word, limit())).toBe(word);
      await isDirect();
    }
    proxy.shut();
    proxy.cut();
    expect(await echo(stream, "hidden", limit())).toBe("hidden");
    await end(user, await logInAsAdmin(server.url));
    const isReached = async (withinMs: number): Promise<boolean> => {
      const answer = await echo(stream, "x", AbortSignal.timeout(withinMs)).catch(() => "");
      return answer !== "";
    };
    await expect.poll(() => isReached(2_000), { timeout: 30_000 }).toBe(false);
    // Not for the slowness of the machine.
    expect(await isReached(10_000)).toBe(false);
  },
);
