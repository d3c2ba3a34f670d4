import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import ssh2 from "ssh2";
import { expect, it, onTestFinished } from "vitest";

import { buildAgent } from "./agent-bundle.ts";

it("bundles a client of ssh2 without the WebAssembly of a cipher that it does not offer", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-ssh-bundle-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const output = join(directory, "ssh2.cjs");
  await buildAgent({
    entry: "node_modules/ssh2/lib/client.js",
    output,
    format: "module",
    withoutChaCha: true,
    force: true,
  });
  expect(await readFile(output, "utf8")).not.toContain("WebAssembly");

  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => context.accept());
  });
  const listener = createServer((socket) => server.injectSocket(socket));
  onTestFinished(() => void listener.close());
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new TypeError("it has no port");
  const Client: typeof ssh2.Client = createRequire(import.meta.url)(output);
  const client = new Client();
  const sock = connect(address.port, "127.0.0.1");
  onTestFinished(() => void sock.destroy());
  const ready = once(client, "ready");
  client.connect({ sock, username: "coder", algorithms: { cipher: ["aes128-gcm@openssh.com"] } });
  await ready;
});
