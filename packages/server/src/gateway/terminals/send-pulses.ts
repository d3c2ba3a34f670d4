import type { PeerSocket } from "../../platform/http/peer-socket.ts";

/** The time between two pulses (docs/protocol/agent.md §7.1). */
const pulseMs = 10_000;
/** A text message, which is no output. */
const pulse = "{}";

/**
 * Tells a viewer that resumes that its connection lives, now and then: a browser sees neither pings nor the loss of its
 * network. A viewer that does not read gets none.
 */
export function sendPulses(socket: PeerSocket): void {
  const { raw, signal } = socket;
  const send = (): void => {
    // A failure is that of the connection, whose end is noticed elsewhere.
    if (raw.bufferedAmount === 0) void socket.sendText(pulse).catch(() => undefined);
  };
  send();
  const timer = setInterval(send, pulseMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
