import { TcpProxy } from "../servers/tcp-proxy.ts";
import { LabProgram } from "./lab-program.ts";
import type { Namespace } from "./namespace.ts";

const source = new URL("./door-program.ts", import.meta.url);

interface DoorOptions {
  readonly namespace: Namespace;
  /** The path of the socket, which must not exist yet. */
  readonly path: string;
  readonly address: string;
  readonly port: number;
}

/** Lets this process reach an address in a namespace through the proxy's port. The caller disposes of the proxy. */
export async function openDoor({ namespace, path, address, port }: DoorOptions): Promise<TcpProxy> {
  await LabProgram.start({ namespace, source, args: [path, address, String(port)] });
  return TcpProxy.open(() => [{ path }]);
}
