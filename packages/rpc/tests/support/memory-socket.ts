import type { RawSocket, RpcSocket, SocketData } from "../../src/socket.ts";

type Listener = (data: SocketData, isBinary: boolean) => void;

interface Message {
  readonly data: Uint8Array;
  readonly isBinary: boolean;
  /** Called when the receiver has read it. */
  readonly onRead: () => void;
}

/**
 * One end of an in-memory WebSocket. Nothing lies between the two ends: data that one has not read is in the buffer of
 * the other. An end reads when it has a listener and is not paused.
 */
export class MemorySocket implements RpcSocket, RawSocket {
  readonly raw: RawSocket = this;
  readonly #gone = new AbortController();
  #peer: MemorySocket = this;
  #listener: Listener | undefined;
  readonly #inbox: Message[] = [];
  #isReadQueued = false;
  #bufferedAmount = 0;
  #isPaused = false;
  /** The code with which this end was closed; undefined if it is open, or was cut off. */
  closeCode: number | undefined;

  static pair(): readonly [MemorySocket, MemorySocket] {
    const one = new MemorySocket();
    const other = new MemorySocket();
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get bufferedAmount(): number {
    return this.#bufferedAmount;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  on(_event: "message", listener: Listener): void {
    this.#listener = listener;
    this.#readSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readSoon();
  }

  send(data: Uint8Array, onSent: () => void = () => undefined): void {
    this.#send(data, true, onSent);
  }

  sendText(text: string): void {
    this.#send(new TextEncoder().encode(text), false, () => undefined);
  }

  close(code: number): void {
    if (this.closeCode !== undefined || this.signal.aborted) return;
    this.closeCode = code;
    setImmediate(() => this.#end(`socket closed with ${code}`));
  }

  /** Cuts the connection, like a lost network. */
  terminate(): void {
    this.#end("socket closed with 1006");
  }

  #send(data: Uint8Array, isBinary: boolean, onSent: () => void): void {
    if (this.closeCode !== undefined || this.signal.aborted) return void setImmediate(onSent);
    this.#bufferedAmount += data.length;
    const onRead = (): void => {
      this.#bufferedAmount -= data.length;
      onSent();
    };
    this.#peer.#inbox.push({ data, isBinary, onRead });
    this.#peer.#readSoon();
  }

  #readSoon(): void {
    if (this.#isReadQueued) return;
    this.#isReadQueued = true;
    setImmediate(() => {
      this.#isReadQueued = false;
      this.#read();
    });
  }

  #read(): void {
    while (this.#listener !== undefined && !this.#isPaused && !this.signal.aborted) {
      const message = this.#inbox.shift();
      if (message === undefined) return;
      message.onRead();
      this.#listener(message.data, message.isBinary);
    }
  }

  #end(reason: string): void {
    for (const end of [this, this.#peer]) end.#gone.abort(new Error(reason));
  }
}
