import { randomUUID } from "node:crypto";
import { once } from "node:events";

import { vi } from "vitest";
import { WebSocket } from "ws";

/** A message of the server, of which a test reads what it needs. */
export interface RawMessage {
  readonly type: string;
  readonly call?: string;
  readonly job?: string;
  readonly method?: string;
  readonly part?: string;
  readonly data?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly isLost?: boolean;
  readonly isFull?: boolean;
  readonly renewedAgoMs?: number;
}

export interface RawProvisionerOptions {
  readonly url: string;
  readonly key: string | undefined;
  readonly id?: string;
  readonly organization?: string;
  /** The query, in place of the usual one. */
  readonly query?: Readonly<Record<string, string>>;
}

/** A session of a provisioner for which the test writes the messages. */
export class RawProvisioner implements AsyncDisposable {
  readonly messages: RawMessage[] = [];
  readonly #socket: WebSocket;
  readonly #closed: Promise<unknown[]>;
  #taken = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = once(socket, "close");
    socket.on("message", (data: Buffer) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the server under test
      this.messages.push(JSON.parse(data.toString()) as RawMessage);
    });
  }

  /** Opens a session; resolves to the status and the body of a refusal. */
  static async open({
    url,
    key,
    id = randomUUID(),
    organization = "default",
    query = { protocol: "1", build: "v0", name: "raw", parameters: "true", id },
  }: RawProvisionerOptions): Promise<
    RawProvisioner | { readonly status: number; readonly text: string }
  > {
    const path = `/api/v2/organizations/${organization}/provisionerdaemons/serve`;
    const search = new URLSearchParams(query).toString();
    const headers = key === undefined ? {} : { "Coder-Provisioner-Daemon-Key": key };
    const socket = new WebSocket(`${url.replace("http", "ws")}${path}?${search}`, { headers });
    const opened = new RawProvisioner(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(opened));
      socket.once("unexpected-response", (_request, response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      socket.on("error", reject);
    });
  }

  /** Opens a session, which must not be refused. */
  static async connect(options: RawProvisionerOptions): Promise<RawProvisioner> {
    const opened = await RawProvisioner.open(options);
    if (opened instanceof RawProvisioner) return opened;
    throw new Error(`refused with ${opened.status}: ${opened.text}`);
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Sends text that may be no message. */
  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** Sends bytes as pieces of a part. */
  sendPart(call: string, part: string, bytes: Uint8Array): void {
    const size = 192 * 1024;
    for (let at = 0; at < Math.max(bytes.length, 1); at += size) {
      const data = Buffer.from(bytes.subarray(at, at + size)).toString("base64");
      this.send({ type: "piece", call, part, data });
    }
  }

  /** Resolves to the next message of a type that was not returned yet. */
  async next(type: string): Promise<RawMessage> {
    const find = (): number =>
      this.messages.findIndex((one, at) => at >= this.#taken && one.type === type);
    const at = await vi.waitUntil(() => (find() === -1 ? undefined : find() + 1), {
      timeout: 30_000,
      interval: 10,
    });
    this.#taken = at ?? 0;
    const message = this.messages[this.#taken - 1];
    if (message === undefined) throw new Error("no message");
    return message;
  }

  /** Resolves to the next call and its id. */
  async nextCall(): Promise<RawMessage & { readonly call: string }> {
    const message = await this.next("call");
    return { ...message, call: message.call ?? "" };
  }

  /** Returns a part that the server sent for a call. */
  part(call: string, part: string): Buffer {
    const pieces = this.messages.filter(
      (one) => one.type === "piece" && one.call === call && one.part === part,
    );
    return Buffer.concat(pieces.map(({ data = "" }) => Buffer.from(data, "base64")));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Resolves to the close code and reason. */
  async closed(): Promise<{ readonly code: number; readonly reason: string }> {
    const [code, reason] = await this.#closed;
    return { code: Number(code), reason: String(reason) };
  }

  /** Resolves at the next message, after which it reads nothing until it resumes. */
  async pauseAtNext(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.once("message", () => {
        this.#socket.pause();
        resolve();
      });
    });
  }

  /** Answers a ping that it may not have read. */
  pong(): void {
    this.#socket.pong();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    if (this.#socket.readyState !== WebSocket.CLOSED) await this.#closed;
  }
}
