import { join } from "node:path";

import { type JsonObject, parseObject, Scope, type Turnstile } from "@slipway/runtime";

import type { DriverBuild, DriverTemplate } from "../driver-build.ts";
import type { DriverLog } from "../driver.ts";
import { DriverError } from "../errors.ts";
import { hashOf } from "./leftover-run.ts";
import { namesAttribute } from "./named-attributes.ts";
import { readBounded } from "./read-bounded.ts";
import { openRunDirectory, type RunDirectory, writeOwned } from "./run-directory.ts";
import { holdForRun, RunLease } from "./run-lease.ts";
import type { RunLog } from "./run-log.ts";
import { SessionCommands, type SessionCommandsOptions } from "./session-commands.ts";
import { isWholeState } from "./state-file.ts";

/** The options that all sessions of a driver share. */
export interface SessionOptions extends SessionCommandsOptions {
  /** The turns in which providers are installed; undefined if runs install them at the same time. */
  readonly installing: Turnstile | undefined;
}

/** The configuration that a session is opened with. */
export interface SessionSubject {
  /** The name of its directory: the id of the workspace, or of the version. */
  readonly key: string;
  readonly template: DriverTemplate;
  /** Undefined for a configuration that is read and not carried out. */
  readonly build: DriverBuild | undefined;
  /** The variables of the provider. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The time between looks for a new state while the program changes infrastructure. */
const keepMs = 5_000;
const withheldKey =
  "a module names ssh_private_key, which is empty: a server sends the owner's SSH key to a provisioner only if the template's own files name it, if only in a comment";
const lockFile = ".terraform.lock.hcl";
const planFile = "slipway.tfplan";
/** Keeps the state in the directory, whatever backend the configuration names. */
const overrideFile = "slipway_override.tf";
const override = 'terraform {\n  backend "local" {}\n}\n';

/** The commands of the program in the directory of one run. Its opener disposes of it, which removes the directory. */
export class TerraformSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #directory: RunDirectory;
  readonly #build: DriverBuild | undefined;
  readonly #log: DriverLog;
  readonly #commands: SessionCommands;
  /** The planned changes that are more than reads, by the address of the resource. */
  #changes: ReadonlyMap<string, string> = new Map();
  /** The hash of the state that was kept last. */
  #kept = "";

  private constructor(
    options: SessionOptions,
    directory: RunDirectory,
    { build, variables }: Pick<SessionSubject, "build" | "variables">,
    log: DriverLog,
  ) {
    this.#build = build;
    this.#options = options;
    this.#directory = directory;
    this.#log = log;
    const tokens = build?.agents.map(({ token }) => token) ?? [];
    const keyLines = build?.workspace.owner.gitKey?.privateKey.split("\n") ?? [];
    this.#commands = new SessionCommands(options, {
      directory,
      variables,
      secrets: [...tokens, ...keyLines],
      log,
    });
  }

  static async open(
    options: SessionOptions,
    { key, template, build, variables }: SessionSubject,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<TerraformSession> {
    const { directory: files, notes } = template;
    if (files === undefined) throw new TypeError("the template's files are not unpacked");
    await using opening = new AsyncDisposableStack();
    const directory = opening.use(
      await openRunDirectory(options, { key, template: files, build }, log, signal),
    );
    const write = (name: string, content: Uint8Array | string): Promise<void> =>
      writeOwned(directory, join(directory.files, name), content);
    await write(overrideFile, override);
    if (notes !== undefined) await write(lockFile, notes);
    opening.move();
    return new TerraformSession(options, directory, { build, variables }, log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }

  /** The directory of the configuration. */
  get files(): string {
    return this.#directory.files;
  }

  /** The planned changes by the address of each resource: `create`, `update`, `replace`, `delete`, … */
  get changes(): ReadonlyMap<string, string> {
    return this.#changes;
  }

  /** Installs providers and modules. */
  async init(signal: AbortSignal): Promise<void> {
    const { installing } = this.#options;
    const install = (): Promise<RunLog> =>
      this.#commands.run(
        "Initializing Terraform",
        ["init", "-input=false", "-no-color", "-lock=false"],
        signal,
      );
    await (installing === undefined ? install() : installing.run(signal, install));
    await this.#passGitKey();
  }

  /** Passes the owner's private key to a configuration that names it: the state of any other does not hold it. */
  async #passGitKey(): Promise<void> {
    const { files } = this.#directory;
    const { privateKey } = this.#build?.workspace.owner.gitKey ?? {};
    if (privateKey === undefined || !(await namesAttribute(files, "ssh_private_key"))) return;
    const stage = "Initializing Terraform";
    if (privateKey === "") {
      this.#log.write("warn", stage, withheldKey);
      return;
    }
    this.#log.write("info", stage, "the template reads the owner's SSH key");
    this.pass({ CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY: privateKey });
  }

  /** Passes further variables to the commands that follow: secrets of the build, which the log does not show. */
  pass(variables: Readonly<Record<string, string>>): void {
    this.#commands.pass(variables);
  }

  /** Withholds a variable from the commands that follow. */
  withhold(name: string): void {
    this.#commands.withhold(name);
  }

  /** Plans the changes, or the removal of everything. */
  async plan({ destroy }: { readonly destroy: boolean }, signal: AbortSignal): Promise<void> {
    const log = await this.#commands.run(
      "Planning",
      [
        "plan",
        "-json",
        "-input=false",
        "-lock=false",
        `-out=${planFile}`,
        ...(destroy ? ["-destroy"] : []),
      ],
      signal,
    );
    this.#changes = log.changes;
  }

  /** Plans nothing but reads of data, with further variables of the provider. Rejects with `CommandFailed` if one is refused. */
  async planReads(
    addresses: readonly string[],
    variables: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const targets = addresses.map((address) => `-target=${address}`);
    await this.#commands.run(
      "Planning",
      [
        "plan",
        "-json",
        "-input=false",
        "-lock=false",
        "-refresh=false",
        `-out=${planFile}`,
        ...targets,
      ],
      signal,
      { variables },
    );
  }

  /** Applies the plan under a lease of the build, and has the state kept while and however that ends. */
  async apply(signal: AbortSignal): Promise<void> {
    if (this.#build === undefined) throw new TypeError("a reading changes nothing");
    const { limits } = this.#options;
    await using hold = await holdForRun(this.#build, limits);
    await using lease = await RunLease.open(this.#directory.leasePath, hold, this.#options);
    await using keeping = new Scope();
    keeping.run((stop) => this.#keepChanges(stop));
    try {
      await this.#commands.run(
        "Applying",
        ["apply", "-json", "-input=false", "-lock=false", "-auto-approve", planFile],
        signal,
        { lease },
      );
    } finally {
      await keeping.close();
      await this.#keepState();
    }
  }

  async #keepChanges(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(keepMs, signal);
      // What cannot be kept now is kept the next time, or at the end.
      await this.#keepState().catch(() => undefined);
    }
  }

  /** Keeps a new state, unless it is cut off: the program is at it, or was killed there. */
  async #keepState(): Promise<void> {
    const state = await this.readState();
    if (state === undefined || !isWholeState(state)) return;
    const hash = hashOf(state);
    if (hash === this.#kept) return;
    await this.#directory.keepState(state);
    this.#kept = hash;
  }

  /** Returns the plan as JSON. */
  showPlan(signal: AbortSignal): Promise<JsonObject> {
    return this.#show([planFile], signal);
  }

  /** Returns the state as JSON. */
  showState(signal: AbortSignal): Promise<JsonObject> {
    return this.#show([], signal);
  }

  /**
   * Reads the state as the program keeps it; undefined before the first change. Throws `run-failed` for one that cannot be
   * kept.
   */
  readState(): Promise<Uint8Array | undefined> {
    const { maxKeptStateBytes } = this.#options.limits;
    return readBounded(this.#directory.statePath, "the state", maxKeptStateBytes);
  }

  /** Reads the lock file, which pins the providers. */
  readLock(): Promise<Uint8Array | undefined> {
    return readBounded(
      join(this.#directory.files, lockFile),
      "the lock file",
      this.#options.limits.maxStateBytes,
    );
  }

  async #show(args: readonly string[], signal: AbortSignal): Promise<JsonObject> {
    const path = `${this.#directory.outputPath}.json`;
    await this.#commands.run("Reading", ["show", "-json", "-no-color", ...args], signal, {
      resultPath: path,
    });
    const bytes = await readBounded(path, "the plan or state", this.#options.limits.maxStateBytes);
    const json = parseObject(Buffer.from(bytes ?? []).toString());
    if (json === undefined) throw new DriverError("run-failed", "show printed no JSON object");
    return json;
  }
}
