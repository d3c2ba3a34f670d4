export { TerminalClient } from "./terminal/terminal-client.ts";
export type {
  TerminalChange,
  TerminalClientOptions,
  TerminalSize,
} from "./terminal/terminal-client.ts";
