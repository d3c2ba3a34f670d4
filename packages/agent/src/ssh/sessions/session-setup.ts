import type { SessionType } from "../../connections/session-log.ts";
import type { ContainerTarget } from "../../containers/container-commands.ts";
import { type TerminalSize, terminalSize } from "../../terminal/terminal-size.ts";
import type { X11Request } from "../x11/x11-display.ts";

/** The limits of the variables that a client sends for a session. */
export const maxVariables = 256;
export const maxVariableBytes = 128 * 1024;

const maxTermBytes = 256;

/** Variables for the agent rather than for the command (docs/protocol/agent.md §6.3). */
const typeVariable = "CODER_SSH_SESSION_TYPE";
const containerVariable = "CODER_CONTAINER";
const containerUserVariable = "CODER_CONTAINER_USER";

/** The terminal that a client requests. */
export interface TerminalRequest {
  readonly term: string;
  readonly size: TerminalSize;
  /** Settings by the names of RFC 4254, 8. */
  readonly modes: ReadonlyMap<string, number>;
}

/** Collects a client's requests for a session before it starts a program. */
export class SessionSetup {
  readonly #variables = new Map<string, string>();
  #bytes = 0;
  #terminal: TerminalRequest | undefined;
  #x11: X11Request | undefined;

  get x11(): X11Request | undefined {
    return this.#x11;
  }

  get terminal(): TerminalRequest | undefined {
    return this.#terminal;
  }

  /** Adds a variable; the last one of a name counts. Returns false if it is invalid or there are too many. */
  addVariable(name: string, value: string): boolean {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) return false;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    const isNew = !this.#variables.has(name);
    if (this.#bytes + bytes > maxVariableBytes) return false;
    if (isNew && this.#variables.size >= maxVariables) return false;
    this.#bytes += bytes;
    this.#variables.set(name, value);
    return true;
  }

  /** Sets the terminal. Returns false if it is invalid or already set. */
  setTerminal(terminal: TerminalRequest): boolean {
    const { term } = terminal;
    if (this.#terminal !== undefined || term.length > maxTermBytes || term.includes("\0")) {
      return false;
    }
    this.#terminal = terminal;
    return true;
  }

  /** Sets the client's X11 display. Returns false if it is invalid or already set. */
  setX11(request: X11Request | undefined): boolean {
    if (this.#x11 !== undefined || request === undefined) return false;
    this.#x11 = request;
    return true;
  }

  /** Changes the size of the terminal. Returns false if there is none or the size is invalid. */
  resize(columns: number, rows: number): boolean {
    const size = terminalSize(columns, rows);
    if (this.#terminal === undefined || size === undefined) return false;
    this.#terminal = { ...this.#terminal, size };
    return true;
  }

  get type(): SessionType {
    switch (this.#variables.get(typeVariable)?.toLowerCase() ?? "") {
      case "":
      case "ssh":
        return "ssh";
      case "vscode":
        return "vscode";
      case "jetbrains":
        return "jetbrains";
      default:
        return "unknown";
    }
  }

  /** The container that the session is for; undefined for the workspace itself. */
  get container(): ContainerTarget | undefined {
    const container = this.#variables.get(containerVariable) ?? "";
    if (container === "") return undefined;
    return { container, user: this.#variables.get(containerUserVariable) ?? "" };
  }

  /** The variables for the command. */
  get variables(): Readonly<Record<string, string>> {
    const hidden = new Set([typeVariable, containerVariable, containerUserVariable]);
    return Object.fromEntries([...this.#variables].filter(([name]) => !hidden.has(name)));
  }
}
