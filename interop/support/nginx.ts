import { type ChildProcess, spawn } from "node:child_process";
import { KeyObject } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { openLocalServer } from "@slipway/testkit";
import { issue } from "@slipway/testkit/clouds";

import { untilPrinted } from "./network/until-printed.ts";

/** The guide with the configuration that operators copy. */
const guide = fileURLToPath(new URL("../../docs/operations.md", import.meta.url));

/** The host of the server in the guide. */
export const guideHost = "slipway.example.com";

/** An nginx configured as in the guide. The opener disposes of it. */
export interface Nginx extends AsyncDisposable {
  /** The port on which it serves. */
  readonly port: number;
  /** The process whose children, if it has any, serve. */
  readonly pid: number;
}

interface NginxOptions {
  /** The addresses of the replicas, such as `127.0.0.1:3000`. */
  readonly replicas: readonly string[];
  /** The host of applications, with a wildcard (default: none). */
  readonly appHost?: string;
  /** True to serve plain HTTP, which costs the machine less. */
  readonly isPlain?: boolean;
  /** The number of its processes (default: 1). */
  readonly workers?: number;
  /** The number of connections that each of them can hold, of clients and to replicas together (default: nginx's 512). */
  readonly connectionsPerWorker?: number;
}

/** Starts an nginx with the guide's configuration, but other addresses, hosts and files. */
export async function openNginx(options: NginxOptions): Promise<Nginx> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-nginx-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  if (!options.isPlain) await writeCertificate(directory);
  const port = await freePort();
  const file = join(directory, "nginx.conf");
  await writeFile(file, await configuration(directory, port, options));
  const child = spawn("nginx", ["-p", directory, "-c", file, "-e", "stderr"]);
  opening.defer(() => end(child));
  // By then it listens.
  await untilPrinted(child, /using the "\w+" event method/);
  const opened = opening.move();
  return { port, pid: child.pid ?? 0, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Wraps the guide's server in a configuration that leaves a system nginx untouched. */
async function configuration(
  directory: string,
  port: number,
  options: NginxOptions,
): Promise<string> {
  const { workers = 1, connectionsPerWorker = 512 } = options;
  // Several processes would otherwise not run as the user who owns the directory, if that is root.
  const processes =
    workers === 1 ? "master_process off;" : `user root; worker_processes ${workers};`;
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = places.map((name) => `${name}_temp_path ${join(directory, name)};`);
  return `daemon off;
${processes}
pid ${join(directory, "nginx.pid")};
error_log stderr notice;
events { worker_connections ${connectionsPerWorker}; }
http {
access_log off;
${temporary.join("\n")}
${await serverOfGuide(directory, port, options)}
}
`;
}

async function serverOfGuide(
  directory: string,
  port: number,
  { replicas, appHost, isPlain = false }: NginxOptions,
): Promise<string> {
  let text = /^```nginx\n(.*?)^```$/ms.exec(await readFile(guide, "utf8"))?.[1];
  const servers = replicas.map((address) => `  server ${address} max_fails=0;\n`).join("");
  const listen = `listen 127.0.0.1:${port}`;
  const [certificate, key] = ["pem", "key"].map((name) => join(directory, `slipway.${name}`));
  const names = appHost === undefined ? guideHost : `${guideHost} ${appHost}`;
  for (const [found, wanted] of [
    ["  server 127.0.0.1:3000 max_fails=0;\n  # server 10.0.0.6:3000 max_fails=0;\n", servers],
    ["listen 443 ssl;", isPlain ? `${listen};` : `${listen} ssl;`],
    [`server_name ${guideHost};`, `server_name ${names};`],
    ["ssl_certificate /etc/ssl/slipway.pem;", isPlain ? "" : `ssl_certificate ${certificate};`],
    ["ssl_certificate_key /etc/ssl/slipway.key;", isPlain ? "" : `ssl_certificate_key ${key};`],
  ] as const) {
    if (text?.split(found).length !== 2) throw new Error(`${guide} lacks ${JSON.stringify(found)}`);
    text = text.replace(found, wanted);
  }
  return text ?? "";
}

async function writeCertificate(directory: string): Promise<void> {
  const { pem, keys } = await issue({ name: guideHost });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
  await writeFile(join(directory, "slipway.pem"), pem);
  await writeFile(join(directory, "slipway.key"), key);
}

/** Finds a free port for programs that cannot report which one they got. */
export async function freePort(): Promise<number> {
  await using server = await openLocalServer(createServer());
  return server.port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
