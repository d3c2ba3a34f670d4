import { Backoff, webClock } from "@slipway/runtime";
import { openSocket } from "@slipway/sdk/stream";

/** An event for the reader of a stream. */
export type StreamEvent =
  | { readonly kind: "message"; readonly text: string }
  /** The connection was lost; the next message says that it is back. */
  | { readonly kind: "lost" };

/** A message between the tabs of a browser about one stream. */
type TabMessage = StreamEvent | { readonly kind: "hello" };

interface StreamOptions {
  /** The address of the socket. Tabs that read the same one share a connection. */
  readonly url: string;
  readonly onEvent: (event: StreamEvent) => void;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/**
 * Reads a socket whose messages each say the whole state of a thing. All tabs of a browser share one connection: the
 * tab that holds the lock of its address reads the socket and hands its messages on, and a tab that comes later gets
 * the latest. A connection that is lost is opened again.
 */
export async function readSharedStream({ url, onEvent, signal }: StreamOptions): Promise<void> {
  // Pages of plain http have no locks, so there each tab has its own connection.
  if (!("locks" in navigator)) return readStream(url, onEvent, signal);
  const channel = new BroadcastChannel(url);
  let latest: StreamEvent | undefined;
  let isReader = false;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has only one origin
  const tell = (message: TabMessage): void => channel.postMessage(message);
  channel.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => {
    if (data.kind !== "hello") onEvent(data);
    else if (isReader && latest !== undefined) tell(latest);
  });
  tell({ kind: "hello" });
  try {
    await navigator.locks.request(url, { signal }, async () => {
      isReader = true;
      const share = (event: StreamEvent): void => {
        latest = event;
        onEvent(event);
        tell(event);
      };
      await readStream(url, share, signal);
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    channel.close();
  }
}

/** Reads a socket until the signal aborts. */
async function readStream(
  url: string,
  onEvent: (event: StreamEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff();
  while (!signal.aborted) {
    try {
      const socket = await openSocket(url, { headers: {}, signal });
      for await (const text of socket) {
        backoff.reset();
        onEvent({ kind: "message", text });
      }
    } catch {
      // Refused or broken: the event below says so, and the query of the page says why.
    }
    if (signal.aborted) return;
    onEvent({ kind: "lost" });
    await webClock.sleep(backoff.next(), signal).catch(() => undefined);
  }
}
