import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

import { StartError } from "./errors.ts";

/** The directory of one server, held by it alone until it is disposed of. */
export interface DataDirectory extends AsyncDisposable {
  readonly path: string;
  /** Who this server is among the replicas; the same after a restart. */
  readonly replicaId: string;
  /** The key that encrypts secrets when none is configured. */
  readonly secretKey: string;
}

const lockName = "server.lock";

/** Makes the directory if it is not there, and locks it. Throws `StartError` when another server holds it. */
export async function openDataDirectory(dataDir: string): Promise<DataDirectory> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = await realpath(dataDir);
  const lock = await lockDirectory(path);
  return {
    path,
    replicaId: await readOrMake(join(path, "replica-id"), () => randomUUID()),
    secretKey: await readOrMake(join(path, "secret-key"), () =>
      randomBytes(32).toString("base64url"),
    ),
    [Symbol.asyncDispose]: () => new Promise((resolve) => lock.close(() => resolve())),
  };
}

/**
 * Holds the directory by a socket, which the system lets go with the process, however it ends. On Linux its name is in no
 * file system; elsewhere a socket of a server that is gone is removed first.
 */
async function lockDirectory(path: string): Promise<Server> {
  if (process.platform === "linux") {
    const name = createHash("sha256").update(path).digest("hex").slice(0, 32);
    return holdSocket(`\0slipway-${name}`, path);
  }
  const file = join(path, lockName);
  if (await answers(file)) throw inUse(path);
  await rm(file, { force: true });
  return holdSocket(file, path);
}

function holdSocket(address: string, path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? inUse(path) : error);
    });
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function inUse(path: string): StartError {
  return new StartError(
    "data-directory-in-use",
    `another server uses the data directory ${path}; stop it, or choose another by SLIPWAY_DATA_DIR`,
  );
}

/** Reads a one-line secret, or makes it: whole or not at all, readable by its owner only. */
async function readOrMake(file: string, make: () => string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const value = make();
  const temporary = `${file}.new`;
  await writeFile(temporary, `${value}\n`, { mode: 0o600, flush: true });
  await rename(temporary, file);
  return value;
}
