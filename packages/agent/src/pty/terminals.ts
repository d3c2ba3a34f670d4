import type { DescriptorShare } from "../connections/descriptors.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import type { CommandVariables } from "../process/workspace-commands.ts";
import { defaultTerminalSize } from "../terminal/terminal-size.ts";
import { withUtf8 } from "./locale.ts";
import type { TerminalInit } from "./messages.ts";
import { SharedTerminal } from "./shared-terminal.ts";

/** The terminals at once, those included that have ended and whose viewers may come for the rest. */
const maxTerminals = 256;

const terminalType = "xterm-256color";

export interface TerminalsOptions {
  readonly prepare: (text: string, variables: CommandVariables) => Promise<PreparedCommand>;
  readonly commands: Pick<CommandHost, "clock" | "groups">;
  readonly signal: AbortSignal;
  readonly descriptors: DescriptorShare;
}

/** The terminals of a client, or why it gets none. */
export type FoundTerminal =
  | { readonly type: "found"; readonly terminal: SharedTerminal }
  /** The client cannot go on with it anymore. */
  | { readonly type: "unknown"; readonly viewerId: string }
  | { readonly type: "too-many" };

/** The terminals by their ids, until the signal is aborted. */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #running = new Map<string, Promise<SharedTerminal>>();
  /** Those whose viewers may come for the rest, the oldest first. */
  readonly #ended = new Set<SharedTerminal>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  /** Finds the terminal that a client names, or opens it. Rejects with `ProcessError`. */
  async find(init: TerminalInit): Promise<FoundTerminal> {
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

  #resume(running: SharedTerminal | undefined, viewerId: string): FoundTerminal {
    const candidates = [...(running === undefined ? [] : [running]), ...this.#ended];
    const terminal = candidates.find((one) => one.knows(viewerId));
    return terminal === undefined ? { type: "unknown", viewerId } : { type: "found", terminal };
  }

  /** Gives up the oldest one that has ended, if there is no room otherwise. */
  #hasRoom(): boolean {
    if (this.#running.size >= maxTerminals) return false;
    const [oldest] = this.#ended;
    if (this.#running.size + this.#ended.size >= maxTerminals) oldest?.close();
    return true;
  }

  async #open({ command: text, size }: TerminalInit): Promise<SharedTerminal> {
    const { prepare, commands, signal } = this.#options;
    const { clock, groups } = commands;
    const command = withUtf8(await prepare(text, { extra: { TERM: terminalType } }));
    signal.throwIfAborted();
    const terminal = new SharedTerminal(command, size ?? defaultTerminalSize, clock);
    groups.started(terminal.pid);
    const stop = (): void => terminal.close();
    signal.addEventListener("abort", stop, { once: true });
    void this.#follow(terminal).finally(() => signal.removeEventListener("abort", stop));
    return terminal;
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
