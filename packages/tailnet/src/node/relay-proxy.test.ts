import { execFile } from "node:child_process";
import { KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { getCompileCacheDir } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { openLocalServer } from "@slipway/testkit";
import { issue, type IssuedCertificate } from "@slipway/testkit/clouds";
import { openRelayServer } from "@slipway/testkit/relay";
import { beforeAll, expect, it, onTestFinished } from "vitest";

/* Relays behind TLS and proxies, which a process learns from its environment. */

const program = fileURLToPath(new URL("../../tests/support/dial-program.ts", import.meta.url));
const execute = promisify(execFile);
/** Every process runs the same modules: the compile cache of this one is reused. */
const cacheDirectory = getCompileCacheDir();
const compiled =
  cacheDirectory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cacheDirectory) };
let authority: IssuedCertificate;

beforeAll(async () => {
  authority = await issue({ name: "authority", isAuthority: true });
});

async function openTlsRelay() {
  const certificate = await issue({ name: "relay.test", issuer: authority });
  const key = KeyObject.from(certificate.keys.privateKey);
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
  const server = await openRelayServer({ tls: { key: pem, cert: certificate.pem } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Opens a proxy that connects every client, and records the targets; or refuses with a status. */
async function openProxy(refusal?: number) {
  const targets: string[] = [];
  const server = createServer();
  server.on("connect", (request: IncomingMessage, near: Duplex) => {
    targets.push(request.url ?? "");
    near.on("error", () => undefined);
    if (refusal !== undefined) {
      near.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
      return;
    }
    const far = connect(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      near.pipe(far).pipe(near);
    });
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
  });
  const listening = await openLocalServer(server);
  onTestFinished(() => listening[Symbol.asyncDispose]());
  return { url: listening.url, targets };
}

/** Returns the output of a process that dials the relay on a port. */
async function dial(
  port: number,
  transport: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const args = ["--conditions=@slipway/source", program, String(port), transport];
  const { stdout } = await execute(process.execPath, args, {
    env: { ...compiled, ...environment },
  });
  return stdout.trim();
}

async function trust(): Promise<NodeJS.ProcessEnv> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-ca-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "ca.pem");
  await writeFile(path, authority.pem);
  return { NODE_EXTRA_CA_CERTS: path };
}

it.each(["upgrade", "websocket"])(
  "trusts the authority of the environment: %s",
  async (transport) => {
    const relay = await openTlsRelay();
    expect(await dial(relay.port, transport, await trust())).toBe("connected: true");
    expect(await dial(relay.port, transport, {})).toBe("failed: tls");
  },
);

it.each(["upgrade", "websocket"])(
  "goes through the proxy of the environment: %s",
  async (transport) => {
    const relay = await openTlsRelay();
    const proxy = await openProxy();
    const environment = { ...(await trust()), NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy.url };
    expect(await dial(relay.port, transport, environment)).toBe("connected: true");
    expect(proxy.targets).toEqual([`127.0.0.1:${relay.port}`]);
    // Its own exceptions apply.
    const direct = { ...environment, NO_PROXY: "127.0.0.1" };
    expect(await dial(relay.port, transport, direct)).toBe("connected: true");
    expect(proxy.targets).toHaveLength(1);
  },
);

it("fails where the proxy refuses", async () => {
  const relay = await openTlsRelay();
  const proxy = await openProxy(403);
  const environment = { ...(await trust()), NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy.url };
  expect(await dial(relay.port, "upgrade", environment)).toBe("failed: tcp");
  expect(relay.requests).toEqual([]);
});
