import { type Driver, type DriverBuild, type DriverTemplate } from "@slipway/drivers";
import { type Clock, type Logger, Scope } from "@slipway/runtime";
import type { ParameterDefinition } from "@slipway/template";

import {
  CallParts,
  largeStateBytes,
  PartBudget,
  usualSizes,
} from "../features/provisioners/call-parts.ts";
import type {
  BuildInput,
  ParametersInput,
  ReadingInput,
} from "../features/provisioners/remote-driver.ts";
import type { ReadingJson, ResultJson } from "../features/provisioners/result-form.ts";
import type {
  CallMethod,
  Parts,
  ServerMessage,
} from "../features/provisioners/session-messages.ts";
import { type CallFiles, openCallFiles } from "./call-files.ts";
import { CallLink, type ServerChannel } from "./call-link.ts";
import { HostedRun } from "./hosted-run.ts";

export interface HostOptions {
  readonly driver: Driver;
  readonly unpackDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The time that a run goes on without a session. */
  readonly maxDetachedMs: number;
}

/** The bytes of parts that may be on their way to this provisioner. */
const heldParts = { maxBytes: 512 * 1024 * 1024, maxRooms: 0 };

interface HostedJob {
  readonly job: string;
  readonly method: CallMethod;
  /** The workspace, or the job or question of a reading. */
  readonly subject: string;
  readonly run: HostedRun;
}

type CallMessage = Extract<ServerMessage, { readonly type: "call" }>;

/** The provisioner's end of calls: runs the driver, over any number of sessions. Its opener disposes of it. */
export class ProvisionerHost implements AsyncDisposable {
  readonly #options: HostOptions;
  readonly #budget = new PartBudget(heldParts);
  readonly #scope = new Scope();
  readonly #jobs = new Set<HostedJob>();
  readonly #parts = new Map<string, CallParts>();
  readonly #links = new Map<string, { readonly link: CallLink; readonly run: HostedRun }>();

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** The number of runs that have not ended. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Ends all runs, and resolves when they have ended. */
  async abort(reason: Error): Promise<void> {
    for (const { run } of this.#jobs) run.abort(reason);
    await this.idle();
  }

  /** Ends all runs, which no session continues; resolves when they have ended. */
  async abandon(reason: Error): Promise<void> {
    for (const { run } of this.#jobs) run.abandon(reason);
    await this.idle();
  }

  /** Resolves when no run is left. */
  async idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all([...this.#jobs].map(({ run }) => run.ended));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.close();
  }

  /** Forgets the calls of a session that has ended. Runs for forms end with it; the others continue. */
  endSession(): void {
    for (const { method, run } of this.#jobs) {
      if (method === "parameters") run.abandon(new Error("the session of the form has ended"));
    }
    for (const parts of this.#parts.values()) parts[Symbol.dispose]();
    this.#parts.clear();
    this.#links.clear();
  }

  /** Handles a message about a call. */
  receive(channel: ServerChannel, message: ServerMessage): void {
    switch (message.type) {
      case "piece": {
        const parts = this.#parts.get(message.call) ?? this.#newParts();
        this.#parts.set(message.call, parts);
        const problem = parts.add(message);
        if (problem !== undefined) channel.close(1009, problem);
        return;
      }
      case "call":
        return this.#begin(channel, message);
      case "abort":
        this.#links.get(message.call)?.run.abort(new Error(message.reason));
        return;
      case "answer":
        this.#links.get(message.call)?.link.receive(message);
        return;
      case "drained":
      case "alive":
    }
  }

  #newParts(): CallParts {
    return new CallParts(this.#budget, { ...usualSizes, state: largeStateBytes });
  }

  #begin(channel: ServerChannel, { call, job, method }: CallMessage): void {
    using opening = new DisposableStack();
    const parts = opening.use(this.#parts.get(call) ?? this.#newParts());
    this.#parts.delete(call);
    const link = new CallLink(channel, call);
    const known = this.#jobs.values().find((one) => one.job === job && one.method === method);
    if (known !== undefined && !known.run.signal.aborted) {
      this.#options.logger.info({ job, method }, "run continued in another session");
      this.#links.set(call, { link, run: known.run });
      return known.run.attach(link);
    }
    const input = parts.take("input") ?? new Uint8Array();
    const run = new HostedRun(this.#options);
    run.attach(link);
    this.#links.set(call, { link, run });
    const hosted = { job, method, subject: subjectOf(method, input, job), run };
    const before = [...this.#jobs].filter(
      (one) => one.job === job || one.subject === hosted.subject,
    );
    this.#jobs.add(hosted);
    const held = opening.move();
    this.#scope.run(async () => {
      await run.carryOut(async () => {
        using _ = held;
        const ended = endAll(before, job, link);
        await using files = await openCallFiles(parts, this.#options.unpackDir);
        const notes = parts.take("notes");
        await ended;
        return await this.#execute(method, { input, notes, files }, run);
      });
      this.#jobs.delete(hosted);
      this.#links.delete(call);
      this.#options.logger.info({ job, method }, "run ended");
    });
    this.#options.logger.info({ job, method }, "run began");
  }

  async #execute(method: CallMethod, given: CallInput, run: HostedRun): Promise<Parts> {
    const { driver } = this.#options;
    const { log, signal } = run;
    const { directory, readState } = given.files;
    const template = (input: ReadingInput | BuildInput): DriverTemplate => ({
      ...input.template,
      directory,
      notes: given.notes,
    });
    if (method === "parameters") {
      const input = parseParametersInput(given.input);
      const subject = { ...input, template: template(input) };
      const parameters = await driver.readParameters?.(subject, signal);
      if (parameters === undefined)
        throw new Error(`the driver ${driver.name} reads no parameters`);
      return { result: json(parameters) };
    }
    if (method === "read") {
      const input = parseReadingInput(given.input);
      const reading = await driver.read?.({ ...input, template: template(input) }, log, signal);
      if (reading === undefined) throw new Error(`the driver ${driver.name} reads no templates`);
      const { notes, ...rest } = reading;
      return { result: json(rest), ...(notes === undefined ? {} : { notes }) };
    }
    const input = parseBuildInput(given.input);
    const { keepState, hold } = run;
    const build: DriverBuild = {
      ...input,
      template: template(input),
      readState,
      keepState,
      hold,
    };
    if (method === "settle") {
      await driver.settle?.(build, log);
      return {};
    }
    const work = driver[method]?.bind(driver);
    if (work === undefined) throw new Error(`the driver ${driver.name} has no ${method}`);
    const { state, ...result } = await work(build, log, signal);
    return { result: json(result), ...(state === undefined ? {} : { state }) };
  }
}

interface CallInput {
  readonly input: Uint8Array;
  readonly notes: Uint8Array | undefined;
  readonly files: CallFiles;
}

/** Ends runs in the way of another one: those of the same job keep their state by its link, others on this machine. */
async function endAll(runs: readonly HostedJob[], job: string, link: CallLink): Promise<void> {
  const reason = new Error("another run of the workspace has begun");
  for (const one of runs) {
    if (one.job === job) one.run.replace(link, reason);
    else one.run.abandon(reason);
  }
  await Promise.all(runs.map(({ run }) => run.ended));
}

function subjectOf(method: CallMethod, input: Uint8Array, job: string): string {
  if (method === "read" || method === "parameters") return job;
  return parseBuildInput(input).workspace.id;
}

function parseReadingInput(bytes: Uint8Array): ReadingInput {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from a server of the same protocol
  return JSON.parse(Buffer.from(bytes).toString()) as ReadingInput;
}

function parseParametersInput(bytes: Uint8Array): ParametersInput {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from a server of the same protocol
  return JSON.parse(Buffer.from(bytes).toString()) as ParametersInput;
}

function parseBuildInput(bytes: Uint8Array): BuildInput {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from a server of the same protocol
  return JSON.parse(Buffer.from(bytes).toString()) as BuildInput;
}

function json(value: ReadingJson | ResultJson | readonly ParameterDefinition[]): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
