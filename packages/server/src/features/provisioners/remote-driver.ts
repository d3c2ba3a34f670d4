import {
  type Driver,
  type DriverBuild,
  DriverError,
  type DriverLog,
  type DriverPlan,
  type DriverReading,
  type DriverResult,
  type DriverTemplate,
  type ObserveInput,
  type ReadInput,
  type ReadParametersInput,
  type WorkspaceObservation,
} from "@slipway/drivers";
import { errorText } from "@slipway/runtime";
import { type ParameterDefinition, terraformDriver } from "@slipway/template";

import type { RemoteCall, RemoteResult } from "./open-call.ts";
import type { RemoteCalls } from "./remote-calls.ts";
import { parseParameters, parseReading, parseResult } from "./result-form.ts";
import type { CallMethod, Parts } from "./session-messages.ts";

/** The input of a reading, without the parts that are sent as they are. */
export interface ReadingInput extends Omit<ReadInput, "template"> {
  readonly template: TemplateInput;
}

/** The input of a reading of parameters, without the parts that are sent as they are. */
export interface ParametersInput extends Omit<ReadParametersInput, "template"> {
  readonly template: TemplateInput;
}

/** The input of a build, without the parts that are sent as they are. */
export interface BuildInput extends Omit<
  DriverBuild,
  "template" | "readState" | "keepState" | "hold"
> {
  readonly template: TemplateInput;
}

type TemplateInput = Omit<DriverTemplate, "directory" | "notes">;

/** The job that a provisioner carries out. */
export interface RemoteJob {
  readonly calls: Pick<RemoteCalls, "call">;
  readonly id: string;
  /** Reads the archive of the template's version. */
  readonly readArchive: () => Promise<Uint8Array>;
  /** Resolves when the job's log has room for more. */
  readonly room: () => Promise<void>;
}

/** The driver of a provisioner, in one job. The template's files go there as they were pushed, and are unpacked there. */
export class RemoteDriver implements Driver {
  readonly name = terraformDriver;
  readonly #job: RemoteJob;

  constructor(job: RemoteJob) {
    this.#job = job;
  }

  async read(input: ReadInput, log: DriverLog, signal: AbortSignal): Promise<DriverReading> {
    const { template, ...rest } = input;
    const reading: ReadingInput = { ...rest, template: templateInput(template) };
    const readParts = () => this.#readParts(reading, template);
    const result = await this.#call("read", { readParts, log, build: undefined }, signal);
    return { ...parsed(result, parseReading), notes: result.notes };
  }

  async readParameters(
    { template, ...rest }: ReadParametersInput,
    signal: AbortSignal,
  ): Promise<readonly ParameterDefinition[]> {
    const input: ParametersInput = { ...rest, template: templateInput(template) };
    const readParts = () => this.#readParts(input, template);
    const log = { write: () => undefined };
    const result = await this.#call("parameters", { readParts, log, build: undefined }, signal);
    return parsed(result, parseParameters);
  }

  async plan(): Promise<DriverPlan> {
    return { resources: [] };
  }

  start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#build("start", build, log, signal);
  }

  stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#build("stop", build, log, signal);
  }

  delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#build("delete", build, log, signal);
  }

  claim(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#build("claim", build, log, signal);
  }

  async settle(build: DriverBuild, log: DriverLog): Promise<void> {
    const call = this.#callOf(build, log);
    await this.#call("settle", call, new AbortController().signal);
  }

  /** Reports every agent as absent, like the driver that it stands for. */
  async observe({ agents }: ObserveInput): Promise<WorkspaceObservation> {
    return { agents: agents.map(({ id }) => ({ id, status: "absent" })) };
  }

  async #build(
    method: CallMethod,
    build: DriverBuild,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<DriverResult> {
    const result = await this.#call(method, this.#callOf(build, log), signal);
    return { ...parsed(result, parseResult), state: result.state };
  }

  #callOf(
    { template, readState, keepState, hold, ...rest }: DriverBuild,
    log: DriverLog,
  ): CallOfJob {
    const readParts = async (): Promise<Parts> => {
      const archive = await this.#job.readArchive();
      const workspace = withoutUnusedKey(rest.workspace, archive);
      const input: BuildInput = { ...rest, workspace, template: templateInput(template) };
      const parts = partsOf(input, archive, template);
      const state = await readState();
      return { ...parts, ...(state === undefined ? {} : { state }) };
    };
    return { readParts, log, build: { keepState, hold } };
  }

  async #readParts(
    input: ReadingInput | ParametersInput,
    template: DriverTemplate,
  ): Promise<Parts> {
    return partsOf(input, await this.#job.readArchive(), template);
  }

  #call(method: CallMethod, call: CallOfJob, signal: AbortSignal): Promise<RemoteResult> {
    const { calls, id, room } = this.#job;
    return calls.call({ ...call, job: id, method, room }, signal);
  }
}

type CallOfJob = Pick<RemoteCall, "readParts" | "log" | "build">;

function partsOf(
  input: ReadingInput | ParametersInput | BuildInput,
  archive: Uint8Array,
  { notes }: DriverTemplate,
): Parts {
  const json = Buffer.from(JSON.stringify(input));
  return { input: json, archive, ...(notes === undefined ? {} : { notes }) };
}

/** Leaves out the owner's private key, unless the template names the attribute that holds it. */
function withoutUnusedKey(
  workspace: DriverBuild["workspace"],
  archive: Uint8Array,
): DriverBuild["workspace"] {
  const { owner } = workspace;
  if (owner.gitKey === undefined || Buffer.from(archive).includes("ssh_private_key"))
    return workspace;
  return { ...workspace, owner: { ...owner, gitKey: { ...owner.gitKey, privateKey: "" } } };
}

function templateInput({ id, name, version, settings }: DriverTemplate): TemplateInput {
  return { id, name, version, settings };
}

function parsed<T>({ result }: RemoteResult, parse: (bytes: Uint8Array) => T): T {
  try {
    return parse(result ?? new Uint8Array());
  } catch (error) {
    throw new DriverError(
      "run-failed",
      `the provisioner sent a malformed result: ${errorText(error)}`,
    );
  }
}
