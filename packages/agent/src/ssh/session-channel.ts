import type { Readable } from "node:stream";

import type { TerminalSize } from "../terminal/terminal-size.ts";
import type { ChannelWriter } from "./channel-writer.ts";

/** The client's end of a session in which something runs. */
export interface SessionChannel {
  readonly input: Readable;
  readonly writer: ChannelWriter;
  /** Aborted when the client has closed the channel or the connection, or the agent shuts down. */
  readonly ended: AbortSignal;
  /** Takes the signals that have come, and those that come. */
  onSignal(handler: (signal: NodeJS.Signals) => void): void;
  onResize(handler: (size: TerminalSize) => void): void;
}
