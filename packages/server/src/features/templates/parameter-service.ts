import { createHash, randomUUID } from "node:crypto";

import { nilUuid } from "@slipway/api/contract/nil-uuid";
import { type Driver, DriverError, type DriverOwner } from "@slipway/drivers";
import { type Clock, Turnstile } from "@slipway/runtime";
import {
  maxValueLength,
  type ParameterDefinition,
  type ParameterSource,
  storageProblem,
} from "@slipway/template";

import { Invalid, notFound, Unavailable } from "../../platform/errors/errors.ts";
import { hasTags, type JobTags, tagsText } from "../../platform/jobs/tags.ts";
import { type OwnerNeeds, readDriverOwner } from "../users/driver-owner-service.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { jobTags } from "./job-tags-service.ts";
import { SharedRuns } from "./shared-runs.ts";
import { type UnpackNeeds, withTemplateFiles } from "./unpack-service.ts";
import { selectDriverNotes } from "./version-queries.ts";
import type { BuildableVersion } from "./version-service.ts";

/** The place at which a driver reads parameters. */
interface ReadingPlace extends UnpackNeeds {
  /** Returns the URL at which agents reach the server. */
  readonly accessUrl: () => string;
}

export interface ReaderNeeds extends ReadingPlace, OwnerNeeds {
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly clock: Pick<Clock, "monotonic">;
  readonly provisioners: Provisioners;
}

/** A question to provisioners with all of the tags. */
export interface ProvisionerQuestion {
  readonly organizationId: string;
  readonly tags: JobTags;
  readonly versionId: string;
  readonly ownerId: string;
  readonly values: ParameterValues;
}

/** Reads the parameters of versions that run on provisioners elsewhere. */
interface Provisioners {
  /** Resolves to undefined if no provisioner with the tags is online that can. Rejects with a `DriverError`. */
  readonly read: (
    question: ProvisionerQuestion,
    signal: AbortSignal,
  ) => Promise<readonly ParameterDefinition[] | undefined>;
}

/** Values of parameters by their names. */
export type ParameterValues = Readonly<Record<string, string>>;

/** The version, the owner and the values that parameters are read for. */
export interface ParameterQuestion {
  readonly version: BuildableVersion;
  readonly ownerId: string;
  readonly values: ParameterValues;
}

export interface ReadParameters {
  readonly parameters: readonly ParameterDefinition[];
  /** The reason why they are those of the defaults, although they depend on the values; undefined if they are exact. */
  readonly inexact: string | undefined;
}

/** Entries are small, and a configuration may read what others change. */
const cacheBounds = { maxEntries: 500, maxBytes: 16 * 1024 * 1024, maxAgeMs: 300_000 };
/** The most questions of a user that wait for their turns, and those of all from which a user has only one. */
const maxWaitingOfUser = 20;
const maxWaiting = 200;
/** The time after which a refused caller may ask again. */
const retrySeconds = 5;

/**
 * Reads the parameters that versions have for certain values and an owner. Those of most versions are the same for all, and cost
 * nothing; others are read by their driver, one question of a user at a time. Its opener disposes of it.
 */
export class ParameterReader implements AsyncDisposable {
  readonly #needs: ReaderNeeds;
  readonly #cache = new BoundedCache<readonly ParameterDefinition[]>(cacheBounds);
  readonly #runs = new SharedRuns<ReadParameters>();
  readonly #users = new Map<string, { readonly turnstile: Turnstile; questions: number }>();
  readonly #closing = new AbortController();
  #questions = 0;

  constructor(needs: ReaderNeeds) {
    this.#needs = needs;
  }

  /**
   * Reads parameters on behalf of a user; a value that does not fit its parameter counts as not given. Rejects with a
   * `DriverError` if they cannot be read, with `NotFound` for an owner who does not exist, and with `Unavailable` if too many
   * wait.
   */
  async read(
    userId: string,
    { version, ownerId, values }: ParameterQuestion,
    signal: AbortSignal,
  ): Promise<ReadParameters> {
    const { definition, organization_id: organizationId } = version;
    const { parameters, parameterSources: sources } = definition;
    if (sources === undefined) return { parameters, inexact: undefined };
    const ask = this.#wayFor(version, values);
    if (typeof ask === "string") return { parameters, inexact: ask };
    const owner = await readDriverOwner(this.#needs, { id: ownerId, organizationId });
    if (owner === undefined) throw notFound();
    const question = { version, sources, owner, values: passedValues(sources, values) };
    const known = this.#cached(question);
    if (known !== undefined) return { parameters: known, inexact: undefined };
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return this.#runs.run(keyOf(question), either, (stop) =>
      this.#inTurn(userId, stop, async () => {
        // Somebody may have asked the same while this one waited.
        const cached = this.#cached(question);
        if (cached !== undefined) return { parameters: cached, inexact: undefined };
        const read = await ask(question, stop);
        if (read.inexact === undefined) this.#keep(question, read.parameters);
        return read;
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new Unavailable("The server is shutting down.");
    this.#closing.abort(reason);
    await this.#runs.abortAll(reason);
  }

  #cached(question: FullQuestion): readonly ParameterDefinition[] | undefined {
    return this.#cache.get(keyOf(question), this.#needs.clock.monotonic());
  }

  /** Keeps what was read, also for the values that a form sends next: those of all parameters. */
  #keep(question: FullQuestion, parameters: readonly ParameterDefinition[]): void {
    const now = this.#needs.clock.monotonic();
    const entry = { value: parameters, bytes: 2 * JSON.stringify(parameters).length };
    this.#cache.set(keyOf(question), entry, now);
    const all = parameters.flatMap(({ name, default: initial }) => {
      const value = Object.hasOwn(question.values, name) ? question.values[name] : initial;
      return value === undefined ? [] : [[name, value] as const];
    });
    const values = passedValues(question.sources, Object.fromEntries(all));
    this.#cache.set(keyOf({ ...question, values }), entry, now);
  }

  /** Runs a question in its user's turn. */
  async #inTurn<T>(userId: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const turns = this.#users.get(userId) ?? {
      turnstile: new Turnstile((inside) => inside < 1),
      questions: 0,
    };
    const max = this.#questions < maxWaiting ? maxWaitingOfUser : 0;
    if (turns.questions > max) {
      throw new Unavailable("Too many parameter forms wait for their parameters.", {
        detail: "Try again in a few seconds.",
        retryAfterSeconds: retrySeconds,
      });
    }
    this.#users.set(userId, turns);
    turns.questions += 1;
    this.#questions += 1;
    try {
      return await turns.turnstile.run(signal, task);
    } finally {
      turns.questions -= 1;
      this.#questions -= 1;
      if (turns.questions === 0) this.#users.delete(userId);
    }
  }

  /** Returns what reads the parameters of a version, or the reason why nothing does. */
  #wayFor(version: BuildableVersion, values: ParameterValues): Ask | string {
    const { drivers, provisioners } = this.#needs;
    const { definition, id: versionId } = version;
    const named = Object.entries(storable(values)).map(([name, value]) => ({ name, value }));
    const tags = jobTags(version, named);
    if (hasTags(tags)) {
      return async ({ owner: { id: ownerId, organizationId }, values: passed }, signal) => {
        const asked = { organizationId, tags, versionId, ownerId, values: passed };
        const parameters = await provisioners.read(asked, signal);
        if (parameters !== undefined) return { parameters, inexact: undefined };
        const inexact = `no provisioner of the server's version with the tags ${tagsText(tags)} is online`;
        return { parameters: definition.parameters, inexact };
      };
    }
    const driver = drivers.get(definition.driver);
    if (driver?.readParameters === undefined) return "this server lacks its driver";
    if (driver.refusal !== undefined) return `the driver ${driver.name} ${driver.refusal} here`;
    return async (question, signal) => ({
      parameters: await readParametersByDriver(this.#needs, driver, question, signal),
      inexact: undefined,
    });
  }
}

type Ask = (question: FullQuestion, signal: AbortSignal) => Promise<ReadParameters>;

/** Has a driver read the parameters of a version for values and an owner. Rejects with a `DriverError` if it cannot. */
export async function readParametersByDriver(
  place: ReadingPlace,
  driver: Driver,
  { version, sources, owner, values: parameters }: FullQuestion,
  signal: AbortSignal,
): Promise<readonly ParameterDefinition[]> {
  const accessUrl = place.accessUrl();
  const { id, name, template_id: templateId, template_name: templateName, file_id } = version;
  const named = { id: templateId ?? nilUuid, name: templateName ?? "", version: name };
  const notes = await selectDriverNotes(place.db, id);
  const files = {
    template: { ...named, notes, settings: {}, directory: undefined },
    fileId: file_id,
    agents: [],
    areNeeded: true,
  };
  return withTemplateFiles(place, files, async (template) => {
    const input = { key: randomUUID(), template, parameters, accessUrl, owner, sources };
    const read = await driver.readParameters?.(input, signal);
    if (read === undefined) throw new Error(`the driver ${driver.name} reads no parameters`);
    return read;
  });
}

/** Reads parameters as `read` does; throws `Invalid` if they cannot be read. */
export async function readForStart(
  reader: Pick<ParameterReader, "read">,
  userId: string,
  question: ParameterQuestion,
  signal: AbortSignal,
): Promise<ReadParameters> {
  try {
    return await reader.read(userId, question, signal);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    const { name } = question.version;
    throw new Invalid(`The parameters of the template version "${name}" cannot be read.`, {
      detail: `${error.message}. Choose other values, or mend the template.`,
      cause: error,
    });
  }
}

/** A question with everything that a driver needs for its answer. */
interface FullQuestion {
  readonly version: BuildableVersion;
  readonly sources: readonly ParameterSource[];
  readonly owner: DriverOwner;
  readonly values: ParameterValues;
}

/** Returns the values that can be passed to a driver, and that it may look at. */
function passedValues(
  sources: readonly ParameterSource[],
  values: ParameterValues,
): ParameterValues {
  const names = new Set(sources.map(({ name }) => name));
  const mayMatter = (name: string): boolean => names.has(undefined) || names.has(name);
  return Object.fromEntries(Object.entries(storable(values)).filter(([name]) => mayMatter(name)));
}

function storable(values: ParameterValues): ParameterValues {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([, value]) => storageProblem(value, maxValueLength) === undefined,
    ),
  );
}

function keyOf({ version, owner, values }: FullQuestion): string {
  const sorted = Object.entries(values).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const { id, template_name: name } = version;
  return createHash("sha256")
    .update(JSON.stringify([id, name, owner, sorted]))
    .digest("base64");
}
