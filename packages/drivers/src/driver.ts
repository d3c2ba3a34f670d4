import type {
  AgentDefinition,
  ParameterDefinition,
  ParameterSource,
  TemplateDefinition,
} from "@slipway/template";

import type { DriverAgent, DriverBuild, DriverOwner, DriverTemplate } from "./driver-build.ts";
import type { StageTiming } from "./stage-timing.ts";

export type DriverKind = "process" | "docker" | "external" | "terraform" | "kubernetes";

/**
 * Carries out builds on real infrastructure.
 *
 * Every method can be called again after an interruption at any point, also by another process, and then completes
 * the remaining work: all it needs is in the build, in the driver's state from the previous build, or on the
 * infrastructure. Builds of one workspace run one at a time; those of different workspaces run concurrently. Each
 * method rejects with the signal's reason when it is aborted and with a `DriverError` when the build fails, and logs
 * its progress. The server never calls one with a signal that is already aborted (`refuseAborted`).
 */
export interface Driver {
  /** A `DriverKind`, or one with the name of its cluster; stand-ins in tests have other names, and no capabilities. */
  readonly name: string;
  /**
   * The reason why it starts nothing here and accepts no new templates, as it follows the driver's name in a message;
   * undefined if it does both. Stops and deletions work in any case.
   */
  readonly refusal?: string | undefined;
  /**
   * Reads what the files of a template declare. Omitted by a driver whose templates are described by `slipway.yaml`. Changes
   * nothing.
   */
  read?(input: ReadInput, log: DriverLog, signal: AbortSignal): Promise<DriverReading>;
  /**
   * Reads only the parameters that a template has for certain values and an owner, in seconds: a person waits in a form. A value
   * that does not fit its parameter counts as not given. Omitted by a driver whose templates have the same ones for all values.
   */
  readParameters?(
    input: ReadParametersInput,
    signal: AbortSignal,
  ): Promise<readonly ParameterDefinition[]>;
  /** Returns what a template version provides. Changes nothing. */
  plan(input: PlanInput, log: DriverLog, signal: AbortSignal): Promise<DriverPlan>;
  /** Starts the agents that are not running yet. Ends agents that do not belong to this build. */
  start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /** Stops the agents gracefully and keeps durable resources. */
  stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /** Stops the agents and removes everything. */
  delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /** Returns the actual state of the infrastructure. Changes nothing. */
  observe(subject: ObserveInput, signal: AbortSignal): Promise<WorkspaceObservation>;
  /**
   * Hands a running prebuild to its new owner. Omitted by a driver with nothing to do: the claim's build then
   * completes immediately, with the state and the agent tokens of the previous build.
   */
  claim?(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult>;
  /**
   * Ends what an interrupted attempt at the same build left running on this machine, and has its state kept. Called if the
   * build is canceled before the driver continued it. Omitted by a driver whose work ends with the server.
   */
  settle?(build: DriverBuild, log: DriverLog): Promise<void>;
  /**
   * Returns the reason why a state that a person pushes cannot follow the one that is kept, as a fragment that also says what
   * to do; undefined if it can. `isForced` overrides what the kept one contradicts. Omitted by a driver whose state is its own.
   */
  stateProblem?(
    pushed: Uint8Array,
    kept: Uint8Array | undefined,
    isForced: boolean,
  ): string | undefined;
  /**
   * Reports what happens to agents outside of builds, until the signal is aborted. Omitted by a driver that cannot tell.
   * Rejects with a `DriverError` when the connection to the infrastructure is lost. An event may be reported twice, and
   * also for agents that a build stops.
   */
  watch?(report: (event: DriverEvent) => void, signal: AbortSignal): Promise<void>;
}

export type DriverEvent =
  /** Everything from now on is reported; for what happened before, observe. The first event of each watch. */
  { readonly kind: "watching" } | AgentEnd;

/** The end of a running agent. */
export interface AgentEnd {
  readonly kind: "ended" | "out-of-memory";
  readonly workspaceId: string;
  /** The id with which the agent started; a claim gives it another one. */
  readonly agentId: string;
  /** The SHA-256 of the agent's token in hexadecimal digits, which a claim keeps. */
  readonly tokenHash: string;
  /** Undefined if the infrastructure does not tell. */
  readonly exitCode: number | undefined;
  /** A sentence fragment for people: `container 0f3a… ended with exit code 137: out of memory`. */
  readonly detail: string;
}

export interface PlanInput {
  readonly template: DriverTemplate;
  readonly parameters: Readonly<Record<string, string>>;
  /** The agents that the template declares; empty for a driver whose templates declare them in their own way. */
  readonly agents: readonly PlannedAgent[];
  /** A push and a dry run also test what the template needs on the infrastructure; a build begins with its plan. */
  readonly purpose: "push" | "build";
}

export interface ReadInput {
  /** Names the reading among those of the server at one time. */
  readonly key: string;
  readonly template: DriverTemplate;
  /** The chosen values; the template's defaults apply to the others. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The URL at which agents reach the server. */
  readonly accessUrl: string;
  /** The owner of the workspace; undefined if there is none yet. */
  readonly owner: DriverOwner | undefined;
}

export interface ReadParametersInput extends ReadInput {
  readonly owner: DriverOwner;
  /** The places in the template that declare parameters, from its definition. */
  readonly sources: readonly ParameterSource[];
}

/** The declarations of a template for certain values of its parameters. */
export interface DriverReading extends DriverPlan {
  readonly definition: TemplateDefinition;
  /** The driver's own notes, kept with the version and passed to its builds. */
  readonly notes: Uint8Array | undefined;
}

/** The part of an agent that a template determines before there is a workspace. */
export type PlannedAgent = Pick<DriverAgent, "name" | "platform" | "container">;

export interface DriverPlan {
  readonly resources: readonly DriverResource[];
}

/** A resource on the infrastructure, as listed in the dashboard. */
export interface DriverResource {
  readonly type: string;
  readonly name: string;
  readonly icon?: string;
  /** True if the dashboard does not list it. */
  readonly isHidden?: boolean;
  /** The cost of a day, in the smallest unit of the operator's currency. */
  readonly dailyCost?: number;
  readonly metadata?: readonly ResourceMetadata[];
  /** The names of the agents in it. */
  readonly agentNames: readonly string[];
}

export interface ResourceMetadata {
  readonly key: string;
  readonly value: string;
  /** True if the dashboard shows it on request only. */
  readonly isSensitive: boolean;
}

export interface DriverResult {
  /** The driver's own notes, kept with the build and passed to the next one. */
  readonly state: Uint8Array | undefined;
  readonly resources: readonly DriverResource[];
  /** The agents in the resources, from a driver whose templates declare them; the server knows the others already. */
  readonly agents?: readonly StartedAgent[];
}

/** An agent that a driver has started. */
export interface StartedAgent {
  readonly definition: AgentDefinition;
  /** The token that its process has, in plaintext. Never logged. */
  readonly token: string;
}

export interface ObserveInput {
  readonly workspaceId: string;
  readonly agents: readonly { readonly id: string; readonly token: string }[];
  readonly state: Uint8Array | undefined;
}

/** One entry per agent of the input, in that order. */
export interface WorkspaceObservation {
  readonly agents: readonly AgentObservation[];
}

export type AgentObservation =
  | { readonly id: string; readonly status: "absent" }
  | {
      readonly id: string;
      readonly status: "running";
      /** Milliseconds since the epoch. */
      readonly sinceMs: number;
      /** The place where it runs, as a text for people: `process 4711`. */
      readonly place: string;
    };

export type DriverLogLevel = "debug" | "info" | "warn" | "error";

/** The log of one build, followed by the workspace's owner. */
export interface DriverLog {
  /** Writes one line, without its end; `stage` is a short heading such as "Starting agents". */
  write(level: DriverLogLevel, stage: string, line: string): void;
  /** Reports the duration of a stage, at its end. Omitted by a log that keeps none. */
  measured?(timing: StageTiming): void;
}
