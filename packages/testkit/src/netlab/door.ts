import { TcpProxy } from "../servers/tcp-proxy.ts";
import { LabProgram } from "./lab-program.ts";
import type { Namespace } from "./namespace.ts";

const source = new URL("./door-program.ts", import.meta.url);

interface DoorOptions {
  readonly namespace: Namespace;
  /** The path of a socket, which must not exist. */
  readonly path: string;
  readonly address: string;
  readonly port: number;
}

/** Lets this process connect, at the port of the proxy, to an address in a namespace. The caller disposes of the proxy. */
export async function openDoor({ namespace, path, address, port }: DoorOptions): Promise<TcpProxy> {
  await LabProgram.start({ namespace, source, args: [path, address, String(port)] });
  return TcpProxy.open(() => [{ path }]);
}
