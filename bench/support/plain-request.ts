import { connect, type Socket } from "node:net";

/** The response to a request, on a socket that is paused after the header. */
export interface PlainAnswer {
  readonly status: number;
  readonly socket: Socket;
}

export interface PlainRequest {
  readonly serverUrl: string;
  /** The path with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const headEnd = "\r\n\r\n";
/** The number of loopback addresses that sockets come from: a server limits the connections of each. */
const addresses = 8;
let dialed = 0;

/**
 * Sends a GET request over a new socket, as an agent does, without the client of Node.js, which would cost too much
 * for hundreds of agents on the measured machine. Understands only the responses of the measured server. Destroys the
 * socket when the signal is aborted.
 */
export async function requestPlainly({
  serverUrl,
  path,
  headers,
  signal,
}: PlainRequest): Promise<PlainAnswer> {
  signal.throwIfAborted();
  const { hostname, port, host } = new URL(serverUrl);
  dialed += 1;
  const localAddress = `127.0.0.${2 + (dialed % addresses)}`;
  const socket = connect({ host: hostname, port: Number(port), localAddress, noDelay: true });
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener("abort", onAbort);
  socket.once("close", () => signal.removeEventListener("abort", onAbort));
  const lines = Object.entries({ Host: host, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write([`GET ${path} HTTP/1.1`, ...lines].join("\r\n") + headEnd);
  return { status: await readStatus(socket), socket };
}

/** Reads the header of a response and leaves the socket paused. Rejects when the socket closes early. */
function readStatus(socket: Socket): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let head: Buffer = Buffer.alloc(0);
  socket.on("error", () => undefined);
  const onClose = (): void => reject(new Error("the server closed the connection"));
  const onData = (chunk: Buffer): void => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const end = head.indexOf(headEnd);
    if (end < 0) return;
    socket.off("data", onData).off("close", onClose).pause();
    const rest = head.subarray(end + headEnd.length);
    if (rest.length > 0) socket.unshift(rest);
    resolve(Number(head.toString("latin1", "HTTP/1.1 ".length, "HTTP/1.1 200".length)));
  };
  socket.on("data", onData).once("close", onClose);
  return promise;
}
