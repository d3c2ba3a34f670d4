import { KeyObject } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { DockerEndpoint, DriverEvent } from "@slipway/drivers";
import { issue, type IssuedCertificate } from "@slipway/testkit/clouds";
import { openDocker, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  boxBuild,
  boxContainer,
  inside,
  leftovers,
  openDriver,
  signal,
  silent,
} from "./support/driver-stage.ts";

describe("the driver docker at a TLS address", () => {
  let engine: TestEngine;
  let url: string;
  let authority: IssuedCertificate;

  beforeAll(async () => {
    authority = await issue({ name: "Test authority", isAuthority: true });
    const server = await issue({ name: "docker", issuer: authority, address: "127.0.0.1" });
    const port = await findFreePort();
    url = `https://127.0.0.1:${port}`;
    const tls = { port, ca: authority.pem, cert: server.pem, key: keyOf(server) };
    engine = await openDocker({ tls });
  });

  afterAll(() => engine[Symbol.asyncDispose]());

  /** Returns the endpoint for a client with a certificate of an issuer. */
  async function endpointOf(issuer: IssuedCertificate): Promise<DockerEndpoint> {
    const client = await issue({ name: "client", issuer });
    return { url, tls: { ca: authority.pem, cert: client.pem, key: keyOf(client) } };
  }

  it("builds an image, runs the agent, tells of its end and removes everything", async () => {
    const driver = await openDriver(engine, { endpoint: await endpointOf(authority) });
    const directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
    await writeFile(join(directory, "Dockerfile"), "FROM box:1\nRUN echo built >/built\n");
    const image = { dockerfile: "Dockerfile", context: ".", target: "", args: {} };
    const build = boxBuild(boxContainer({ image: "", build: image }), {
      template: { ...boxBuild().template, directory },
    });
    const events: DriverEvent[] = [];
    const ended = new AbortController();
    const watching = driver.watch((event) => events.push(event), ended.signal);
    const isOver = expect(watching).rejects.toThrow("enough");
    await expect.poll(() => events).toHaveLength(1);
    await driver.start(build, silent, signal);
    expect(await inside(engine, build, "cat", "/built")).toBe("built");
    expect(await driver.gatewayAddress(signal)).toBeUndefined();
    await driver.delete({ ...build, transition: "delete" }, silent, signal);
    await expect.poll(() => events.map(({ kind }) => kind)).toEqual(["watching", "ended"]);
    expect(await leftovers(engine, build)).toBe("");
    ended.abort(new Error("enough"));
    await isOver;
    await rm(directory, { recursive: true });
  });

  it("reports a client that the daemon refuses, and a daemon that the client refuses", async () => {
    const stranger = await issue({ name: "Other authority", isAuthority: true });
    const refused = await openDriver(engine, { endpoint: await endpointOf(stranger) });
    await expect(refused.start(boxBuild(), silent, signal)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(url),
    });
    const client = await issue({ name: "client", issuer: authority });
    const tls = { ca: stranger.pem, cert: client.pem, key: keyOf(client) };
    const wary = await openDriver(engine, { endpoint: { url, tls } });
    await expect(wary.start(boxBuild(), silent, signal)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/certificate/),
    });
  });
});

function keyOf({ keys }: IssuedCertificate): string {
  const pem = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
  return pem.toString();
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
