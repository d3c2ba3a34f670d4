import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Readable, Writable } from "node:stream";

import { systemClock } from "@slipway/runtime";
import { NetworkStack } from "@slipway/tailnet/stack/network-stack";

import { type PeerLink, PipeLink } from "./peer-link.ts";
import { answer, ask, type Mode } from "./tcp-conversation.ts";

const ourAddress = Uint8Array.from(
  { length: 16 },
  (_, at) => [0xfd, 0x7a][at] ?? (at === 15 ? 1 : 0),
);
export const peerAddress = ourAddress.with(15, 2);
const peerPort = 9000;
const ourPort = 9001;

/** The peer's implementation: the kernel's behind a TUN device, or gVisor's. */
export type PeerKind = "kernel" | "gvisor";

/** Builds the peer and returns its path; `remove` removes it. */
export function buildTcpPeer(): { readonly program: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "slipway-tcp-go-"));
  const program = join(directory, "tcp-go");
  execFileSync("go", ["build", "-o", program, "."], {
    cwd: join(import.meta.dirname, "..", "tcp-go"),
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { program, remove: () => rmSync(directory, { recursive: true }) };
}

/** Our stack and a peer's in a separate process, with a link between them. */
export class TcpPeer implements AsyncDisposable {
  readonly #stack: NetworkStack;
  readonly #child: ChildProcess;
  readonly #link: PeerLink;
  readonly #calls: Writable;
  readonly #failed = Promise.withResolvers<never>();
  readonly #ready = Promise.withResolvers<void>();
  /** The pending calls of the peer, oldest first. */
  readonly #waiting: (() => void)[] = [];

  private constructor(program: string, kind: PeerKind, link: PeerLink) {
    const isInNamespace = kind === "kernel" && link.arguments.length === 0;
    const [command, ...args] = [
      ...(isInNamespace ? ["unshare", "--map-root-user", "--net"] : []),
      program,
      kind,
      ...link.arguments,
    ];
    const child = spawn(command ?? "", args, { stdio: ["pipe", "pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#link = link;
    const [, , , calls] = child.stdio;
    if (!(calls instanceof Writable)) throw new Error("peer has no descriptor 3");
    this.#calls = calls;
    this.#failed.promise.catch(() => undefined);
    const send = link.attach(child, (packets) => this.#stack.receive(packets));
    this.#stack = new NetworkStack({
      addresses: [ourAddress],
      clock: systemClock,
      randomUint32: () => randomBytes(4).readUInt32BE(),
      send,
      tcp: link.tcp,
      // The peer accepts 1,280 bytes and announces that; nothing else must keep us from sending more.
      tcpPackets: { largestBytes: 16_384, carriedBytes: () => 16_384 },
    });
    this.#stack.failed.catch((error: unknown) => this.#failed.reject(error));
    child.once("exit", () => this.#failed.reject(new Error("peer exited")));
    child.stdin.on("error", (error) => this.#failed.reject(error));
    this.#listen(child.stderr);
    this.#answer().catch((error: unknown) => this.#failed.reject(error));
  }

  /** Starts the peer, by default over pipes without faults. Closing the peer closes the link. */
  static async open(
    program: string,
    kind: PeerKind,
    link: PeerLink = new PipeLink(),
  ): Promise<TcpPeer> {
    const peer = new TcpPeer(program, kind, link);
    await peer.#unlessFailed(peer.#ready.promise);
    return peer;
  }

  /** The number of connections that are open on our side. */
  get connections(): number {
    return this.#stack.connections;
  }

  /** Calls the peer and runs a conversation to its end. */
  async call(mode: Mode, size: number): Promise<void> {
    const remote = { address: peerAddress, port: peerPort };
    const { signal } = new AbortController();
    const conversation = async (): Promise<void> => {
      await ask(await this.#stack.connect(remote, { signal }), mode, size);
    };
    await this.#unlessFailed(conversation());
  }

  /** Makes the peer call and waits for the end of the conversation. */
  async beCalled(mode: Mode, size: number): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#calls.write(`${mode} ${String(size)}\n`);
    await this.#unlessFailed(done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.close();
    await this.#link.close();
    this.#child.kill();
  }

  async #unlessFailed(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.#failed.promise]);
  }

  async #answer(): Promise<void> {
    for await (const stream of this.#stack.listen(ourPort)) {
      answer(stream).catch((error: unknown) => this.#failed.reject(error));
    }
  }

  #listen(stderr: Readable): void {
    let text = "";
    stderr.setEncoding("utf8").on("data", (part: string) => {
      const lines = (text + part).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("port ")) this.#link.connect(Number(line.slice(5)));
        else if (line === "ready") this.#ready.resolve();
        else if (line === "done") this.#waiting.shift()?.();
        else this.#failed.reject(new Error(`peer failed: ${line}`));
      }
    });
  }
}
