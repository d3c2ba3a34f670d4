import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { agentEnvironment } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { type EndedCommand, runCommandProcess } from "../tests/support/command-process.ts";
import { openTlsServer, type TlsServer } from "../tests/support/tls-server.ts";

/* A company's certificate authority, which a process learns from its environment. */

let server: TlsServer;
const dialed = Promise.withResolvers<string>();

beforeAll(async () => {
  server = await openTlsServer({
    onRequest: (_request, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ users: [], count: 0, workspaces: [] }));
    },
    onSocket: (socket, { url = "" }) => {
      dialed.resolve(url);
      socket.close();
    },
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const noVariables = {
  SSL_CERT_FILE: undefined,
  SSL_CERT_DIR: undefined,
  NODE_EXTRA_CA_CERTS: undefined,
};

function list(
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<EndedCommand> {
  return runCommandProcess(["list", "--output", "json"], {
    environment: {
      ...noVariables,
      CODER_URL: server.url,
      CODER_SESSION_TOKEN: "token",
      CODER_CONFIG_DIR: join(server.directory, "config"),
      ...environment,
    },
  });
}

it("names the variables that make an unknown authority trusted", async () => {
  const { code, err } = await list();
  expect(code).toBe(1);
  expect(err).toMatch(/^error: cannot reach https:\/\/localhost:\d+: unable to verify/);
  expect(err).toMatch(/SSL_CERT_FILE or NODE_EXTRA_CA_CERTS/);
});

it.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])(
  "trusts the authority of the file of %s",
  async (variable) => {
    expect(await list({ [variable]: server.authorityFile })).toMatchObject({ code: 0, err: "" });
  },
);

it("trusts the authorities of the directories of SSL_CERT_DIR, beside damaged ones", async () => {
  const directory = join(server.directory, "certificates");
  await mkdir(directory);
  await symlink(server.authorityFile, join(directory, "company.0"));
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  await writeFile(join(directory, "damaged.pem"), damaged);
  const directories = `${join(server.directory, "absent")}:${directory}`;
  const environment = { SSL_CERT_DIR: directories, SSL_CERT_FILE: "/nowhere" };
  expect(await list(environment)).toMatchObject({ code: 0, err: "" });
});

it("trusts only the authorities of the variables where they are set, as Go does", async () => {
  const program = `
    const { trustSystemAuthorities } = await import("@slipway/runtime");
    trustSystemAuthorities();
    console.log(process.getBuiltinModule("node:tls").getCACertificates("default").length);
  `;
  const count = async (environment: Readonly<Record<string, string>>): Promise<number> => {
    const flags = ["--conditions=@slipway/source", "--input-type=module", "--eval", program];
    const env = { PATH: process.env["PATH"], ...environment };
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const child = spawn(process.execPath, flags, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    return Number((await child.stdout.toArray()).join(""));
  };
  const given = { SSL_CERT_FILE: server.authorityFile, SSL_CERT_DIR: "/nowhere" };
  expect(await count(given)).toBe(1);
  expect(await count({})).toBeGreaterThan(100);
});

const slipway = fileURLToPath(new URL("../bin/slipway.js", import.meta.url));

function startAgent(environment: Readonly<Record<string, string>>): ChildProcess {
  const { url: serverUrl, directory: home } = server;
  const child = spawn(process.execPath, ["--conditions=@slipway/source", slipway, "agent"], {
    env: agentEnvironment({ serverUrl, token: "agent-token", home, environment }),
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

it("lets an agent trust it too", async () => {
  startAgent({ SSL_CERT_FILE: server.authorityFile });
  expect(await dialed.promise).toContain("/api/v2/workspaceagents/me/rpc?");
});

it("lets an agent name the variables", async () => {
  let log = "";
  for await (const chunk of startAgent({}).stderr ?? []) {
    log += String(chunk);
    if (log.includes("SSL_CERT_FILE or NODE_EXTRA_CA_CERTS")) break;
  }
  expect(log).toContain("no trusted TLS connection to localhost");
});
