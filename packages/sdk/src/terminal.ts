export { randomId } from "./terminal/random-id.ts";
export { socketLinks } from "./terminal/socket-link.ts";
export { TerminalClient } from "./terminal/terminal-client.ts";
export type {
  TerminalChange,
  TerminalClientOptions,
  TerminalSize,
} from "./terminal/terminal-client.ts";
export type { OpenTerminalLink, TerminalLink } from "./terminal/terminal-link.ts";
export { TunnelLink } from "./terminal/tunnel-link.ts";
