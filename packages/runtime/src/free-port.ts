import { once } from "node:events";
import { createServer } from "node:net";

import { systemErrorCode } from "./errors.ts";

/** The number of ports to try after the first. */
const maxTries = 100;

/**
 * Returns the first TCP port, counting from `first`, on which nothing on this machine listens; `first` itself if
 * there is none among the next hundred.
 */
export async function findFreePort(first: number): Promise<number> {
  const last = Math.min(first + maxTries, 65_535);
  for (let port = first; port <= last; port += 1) {
    if (await isFree(port)) return port;
  }
  return first;
}

/** Listens on all addresses, which also fails if another listener has only one of them. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port), "listening");
  } catch (error) {
    if (["EADDRINUSE", "EACCES"].includes(systemErrorCode(error) ?? "")) return false;
    throw error;
  }
  server.close();
  await once(server, "close");
  return true;
}
