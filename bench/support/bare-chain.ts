import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { type OpenChannel, tcpChannel } from "./byte-channel.ts";

const link = fileURLToPath(new URL("bare-chain-link.ts", import.meta.url));

export interface BareChain extends Disposable {
  readonly open: OpenChannel;
}

/**
 * Opens the way of a terminal through a server with nothing in it: the viewer, TCP, a process, UDP, a process, a pseudo
 * terminal. It is what the same number of processes costs on this machine. Whoever opens it disposes of it.
 */
export async function openBareChain(): Promise<BareChain> {
  const children: ChildProcess[] = [];
  const start = async (...words: readonly string[]): Promise<number> => {
    const child = fork(link, words);
    children.push(child);
    const [port]: unknown[] = await once(child, "message");
    return Number(port);
  };
  const farPort = await start("far");
  const port = await start("near", String(farPort));
  return {
    open: (command) => tcpChannel(port, command),
    [Symbol.dispose]: () => {
      for (const child of children) child.disconnect();
    },
  };
}
