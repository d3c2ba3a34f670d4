import { StackError } from "./errors.ts";

/** The ephemeral ports (RFC 6335 §6). */
const firstPort = 49_152;
const portCount = 0x1_0000 - firstPort;

/** Returns a free ephemeral port, beginning at a random one (RFC 6056 §3.3.1). Throws `StackError` "no-ports". */
export function findFreePort(random: number, isFree: (port: number) => boolean): number {
  for (let step = 0; step < portCount; step += 1) {
    const port = firstPort + ((random + step) % portCount);
    if (isFree(port)) return port;
  }
  throw new StackError("no-ports", `all ${String(portCount)} ephemeral ports are in use`);
}
