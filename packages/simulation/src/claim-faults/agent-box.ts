import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { agentEnvironment, agentProgram } from "@slipway/testkit";

import { type Pass, parsePasses, passVariables } from "./pass.ts";

export interface AgentBoxOptions {
  readonly workspaceId: string;
  /** The box's own directory: its home, its log and the lines of its scripts. */
  readonly directory: string;
  readonly serverUrl: string;
  readonly token: string;
  /** Called when the process exits without being killed. */
  readonly onUnexpectedExit: (what: string) => void;
}

/** The machine of one workspace's agent: one process after another, all with the same token. */
export class AgentBox implements AsyncDisposable {
  readonly #options: AgentBoxOptions;
  #child: ChildProcess | undefined;
  #boots = 0;
  #isRetired = false;

  private constructor(options: AgentBoxOptions) {
    this.#options = options;
  }

  static async open(options: AgentBoxOptions): Promise<AgentBox> {
    await mkdir(options.directory, { recursive: true });
    const box = new AgentBox(options);
    box.start();
    return box;
  }

  get workspaceId(): string {
    return this.#options.workspaceId;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** The number of the process's present life, from 1. */
  get boots(): number {
    return this.#boots;
  }

  /** Starts the process unless the box is retired. */
  start(): void {
    if (this.#isRetired) return;
    const { directory, workspaceId, onUnexpectedExit } = this.#options;
    this.#boots += 1;
    const log = openSync(join(directory, "agent.log"), "a");
    const child = spawn(process.execPath, [agentProgram], {
      stdio: ["ignore", log, log],
      env: this.#environment(),
    });
    closeSync(log);
    child.once("exit", (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      onUnexpectedExit(`the agent of workspace ${workspaceId} ended by itself (${signal ?? code})`);
    });
    this.#child = child;
  }

  /** Kills the process; children of its scripts survive briefly. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** Stops the agent permanently. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.kill();
  }

  /** Returns the lines that the scripts of all its processes have written. */
  async readPasses(): Promise<readonly Pass[]> {
    return parsePasses(await readFile(this.#passesFile, "utf8").catch(() => ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.retire();
  }

  get #passesFile(): string {
    return join(this.#options.directory, "passes");
  }

  #environment(): Readonly<Record<string, string | undefined>> {
    const { directory, serverUrl, token } = this.#options;
    return {
      ...agentEnvironment({ serverUrl, token, home: directory }),
      [passVariables.file]: this.#passesFile,
      [passVariables.boot]: String(this.#boots),
    };
  }
}
