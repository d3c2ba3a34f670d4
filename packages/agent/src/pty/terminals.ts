import type { DescriptorShare } from "../connections/descriptors.ts";
import { type ContainerSessions, disabledText } from "../containers/container-feature.ts";
import { ContainerError } from "../containers/errors.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { CommandVariables } from "../process/workspace-commands.ts";
import { defaultTerminalSize } from "../terminal/terminal-size.ts";
import type { TerminalInit } from "./messages.ts";
import { SharedTerminal } from "./shared-terminal.ts";

/** The maximum number of terminals, including ended ones whose viewers may return for the rest of the output. */
const maxTerminals = 256;

const terminalType = "xterm-256color";

export interface TerminalsOptions {
  readonly prepare: (text: string, variables: CommandVariables) => Promise<PreparedCommand>;
  readonly containers: ContainerSessions;
  readonly commands: Pick<CommandHost, "clock" | "groups">;
  readonly signal: AbortSignal;
  readonly descriptors: DescriptorShare;
}

/** The terminal for a client, or the reason why it gets none. */
export type TerminalLookup =
  | { readonly type: "found"; readonly terminal: SharedTerminal }
  /** The client wants to resume a terminal that is gone. */
  | { readonly type: "unknown"; readonly viewerId: string }
  | { readonly type: "too-many" };

/** The terminals by their ids, until the signal is aborted. */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #running = new Map<string, Promise<SharedTerminal>>();
  /** Ended terminals whose viewers may return for the rest of the output, oldest first. */
  readonly #ended = new Set<SharedTerminal>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  /** Finds or opens the terminal that a client names. Rejects with `ProcessError` or `ContainerError`. */
  async find(init: TerminalInit): Promise<TerminalLookup> {
    const { id, viewer } = init;
    const running = this.#running.get(id);
    if (viewer?.received !== undefined) return this.#resume(await running, viewer.id);
    if (running !== undefined) return { type: "found", terminal: await running };
    const descriptor = this.#hasRoom() ? this.#options.descriptors.take(1) : undefined;
    if (descriptor === undefined) return { type: "too-many" };
    const opened = this.#open(init);
    this.#running.set(id, opened);
    void opened
      .then(({ ended }) => ended)
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(id);
        descriptor[Symbol.dispose]();
      });
    return { type: "found", terminal: await opened };
  }

  #resume(running: SharedTerminal | undefined, viewerId: string): TerminalLookup {
    const candidates = [...(running === undefined ? [] : [running]), ...this.#ended];
    const terminal = candidates.find((one) => one.knows(viewerId));
    return terminal === undefined ? { type: "unknown", viewerId } : { type: "found", terminal };
  }

  /** Drops the oldest ended terminal if there is no room otherwise. */
  #hasRoom(): boolean {
    if (this.#running.size >= maxTerminals) return false;
    const [oldest] = this.#ended;
    if (this.#running.size + this.#ended.size >= maxTerminals) oldest?.close();
    return true;
  }

  async #open(init: TerminalInit): Promise<SharedTerminal> {
    const { size } = init;
    const { commands, signal } = this.#options;
    const { clock, groups } = commands;
    const command = await this.#prepare(init);
    signal.throwIfAborted();
    const terminal = new SharedTerminal(command, size ?? defaultTerminalSize, clock);
    groups.started(terminal.pid);
    const stop = (): void => terminal.close();
    signal.addEventListener("abort", stop, { once: true });
    void this.#follow(terminal).finally(() => signal.removeEventListener("abort", stop));
    return terminal;
  }

  async #prepare({ command: text, container }: TerminalInit): Promise<PreparedCommand> {
    const { prepare, containers, signal } = this.#options;
    const variables = { TERM: terminalType };
    if (container === undefined) return withUtf8(await prepare(text, { extra: variables }));
    if (!containers.isEnabled) {
      throw new ContainerError("failed", disabledText(containers.reason));
    }
    return containers.access.prepare(container, text, { hasTerminal: true, variables, signal });
  }

  async #follow(terminal: SharedTerminal): Promise<void> {
    const { commands, signal } = this.#options;
    await terminal.ended;
    commands.groups.leaderEnded(terminal.pid);
    this.#ended.add(terminal);
    if (signal.aborted) terminal.close();
    await terminal.over;
    this.#ended.delete(terminal);
  }
}

/** Returns the command with UTF-8 as its character set, unless its locale names another (docs/protocol/agent.md §7). */
export function withUtf8(command: PreparedCommand): PreparedCommand {
  const { LC_ALL: all = "", LC_CTYPE: type = "", LANG: language = "" } = command.environment;
  const isUtf8 = /utf-?8/i.test(all || type || language);
  if (isUtf8 || all !== "") return command;
  const characterSet = process.platform === "darwin" ? "UTF-8" : "C.UTF-8";
  return { ...command, environment: { ...command.environment, LC_CTYPE: characterSet } };
}
