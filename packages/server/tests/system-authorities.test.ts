import { KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getHealthReport } from "@slipway/api/deployment/routes";
import {
  logInAsAdmin,
  openLocalServer,
  openTestDatabase,
  startServerProcess,
} from "@slipway/testkit";
import { issue } from "@slipway/testkit/clouds";
import { expect, inject, it, onTestFinished } from "vitest";

/** The access URL that the server prints, at which this server does not listen. */
async function freePort(): Promise<number> {
  await using listener = await openLocalServer(createTcpServer());
  return listener.port;
}

it("trusts a company's authority for what it requests", async () => {
  const authority = await issue({ name: "company authority", isAuthority: true });
  const { pem: cert, keys } = await issue({ name: "localhost", issuer: authority });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  const proxy = await openLocalServer(
    createServer({ key, cert }, (_request, response) => response.end("OK")),
  );
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const directory = await mkdtemp(join(tmpdir(), "slipway-authority-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "company.pem");
  await writeFile(file, authority.pem);
  const accessUrl = `https://localhost:${proxy.port}`;
  await using database = await openTestDatabase(inject("postgresUrl"));
  const settings = {
    SLIPWAY_POSTGRES_URL: database.url,
    SLIPWAY_ACCESS_URL: accessUrl,
    NODE_EXTRA_CA_CERTS: "",
    SSL_CERT_DIR: "",
  };
  const reports = [];
  for (const SSL_CERT_FILE of [file, ""]) {
    const port = await freePort();
    await using server = await startServerProcess({
      dataDir: join(directory, "data"),
      port,
      environment: { ...settings, SSL_CERT_FILE },
    });
    const admin = await logInAsAdmin(`http://127.0.0.1:${port}`);
    expect(server.url).toBe(accessUrl);
    reports.push((await admin.call(getHealthReport, {})).access_url);
  }
  const error = expect.stringContaining("SSL_CERT_FILE or NODE_EXTRA_CA_CERTS");
  expect(reports).toMatchObject([
    { reachable: true, healthz_response: "OK" },
    { reachable: false, error },
  ]);
});
