import {
  createWorkspace,
  getWorkspaceByName,
  listWorkspaces,
} from "@slipway/api/workspaces/routes";
import type { Workspace as WorkspaceData } from "@slipway/api/workspaces/workspace";

import { ApiError } from "../http/errors.ts";
import { readWorkspace } from "./begin-build.ts";
import { createRequest, type WorkspaceSource } from "./create-request.ts";
import { WorkspaceError } from "./errors.ts";
import type { ClientContext } from "./platform.ts";
import { type BuildOptions, type DisposeAction, Workspace } from "./workspace.ts";

/** Options of calls that return a handle. */
export interface HandleOptions {
  /** The effect of disposing of the workspace's handle. */
  readonly onDispose?: DisposeAction;
  /** The default environment of runs with this handle. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends WorkspaceSource, HandleOptions, BuildOptions {
  /** The name (default: a generated one). */
  readonly name?: string;
  /** The username of the owner (default: the user of the token). */
  readonly owner?: string;
}

export interface ListOptions extends HandleOptions {
  /** A filter in the syntax of the dashboard, such as `template:node status:running` (default: the user's own). */
  readonly query?: string;
}

/** The number of workspaces of a page. */
const pageSize = 50;
const never = new AbortController().signal;

/** The workspaces of a server. Calls throw `ApiError`, `ConnectError`, `WorkspaceError` and the signal's reason. */
export class Workspaces {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /**
   * Creates a workspace and waits until it is ready; a prebuilt one that is waiting becomes the workspace. Disposing of
   * the handle deletes the workspace, unless `onDispose` says otherwise. If the wait fails, so that there is no handle,
   * the same is done before the error is thrown.
   */
  async create(options: CreateOptions): Promise<Workspace> {
    return this.#create(options, {});
  }

  /**
   * Claims a prebuilt workspace, as `create` does, but throws `WorkspaceError` "no-prebuild" if none is waiting, with
   * nothing created.
   */
  async claim(options: CreateOptions & { readonly preset: string }): Promise<Workspace> {
    try {
      return await this.#create(options, { require_prebuild: true });
    } catch (cause) {
      if (!(cause instanceof ApiError && refuses(cause, "require_prebuild"))) throw cause;
      const problem = { retryable: true, admitted: "no", cause } as const;
      throw new WorkspaceError("no-prebuild", cause.message, problem);
    }
  }

  /** Finds a workspace by `name`, `owner/name` or id. Disposing of the handle keeps the workspace by default. */
  async get(reference: string, options: HandleOptions = {}): Promise<Workspace> {
    const { signal = never } = options;
    const absent = (cause?: unknown): WorkspaceError => {
      const text = `there is no workspace ${reference}`;
      return new WorkspaceError("not-found", text, { admitted: "no", cause });
    };
    if (reference.split("/").length > 2) throw absent();
    try {
      return this.#handle(await this.#find(reference, signal), options, "keep");
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 404) throw absent(cause);
      throw cause;
    }
  }

  /**
   * Finds the user's workspace of a name, or creates it, and waits until it is ready; a stopped one is started. Several
   * callers get the same workspace. Disposing of the handle keeps the workspace by default.
   */
  async getOrCreate(options: CreateOptions & { readonly name: string }): Promise<Workspace> {
    const { name, owner = "me", wait, onProgress, signal = never } = options;
    const build = {
      signal,
      ...(wait === undefined ? {} : { wait }),
      ...(onProgress === undefined ? {} : { onProgress }),
    };
    for (;;) {
      const found = await this.#findByName(owner, name, signal);
      if (found !== undefined) return this.#handle(found, options, "keep").start(build);
      try {
        return await this.#create({ onDispose: "keep", ...options }, {});
      } catch (error) {
        // Another caller was faster.
        if (!(error instanceof ApiError && error.status === 409 && refuses(error, "name")))
          throw error;
      }
    }
  }

  /** Lists workspaces, page by page. A workspace that changes its place meanwhile is listed once, or not at all. */
  async *list(options: ListOptions = {}): AsyncGenerator<Workspace, void, undefined> {
    const { query: q = "owner:me", signal = never } = options;
    const { client } = this.#context;
    const seen = new Set<string>();
    for (let offset = 0; ; offset += pageSize) {
      const query = { q, limit: String(pageSize), offset: String(offset) };
      const { workspaces } = await client.call(listWorkspaces, { query, signal });
      for (const data of workspaces) {
        if (seen.has(data.id)) continue;
        seen.add(data.id);
        yield this.#handle(data, options, "keep");
      }
      if (workspaces.length < pageSize) return;
    }
  }

  async #create(
    options: CreateOptions,
    terms: { readonly require_prebuild?: true },
  ): Promise<Workspace> {
    const { name, owner = "me", wait = true, onProgress, signal = never } = options;
    const { client } = this.#context;
    const request = await createRequest(options, client, signal);
    const data = await client.call(createWorkspace, {
      params: { user: owner },
      body: { name: name ?? generateName(), ...request, ...terms },
      signal,
    });
    const workspace = this.#handle(data, options, "delete");
    if (!wait) return workspace;
    try {
      return await workspace.ready({ signal, ...(onProgress === undefined ? {} : { onProgress }) });
    } catch (error) {
      await cleanUp(workspace, error);
      throw error;
    }
  }

  #find(reference: string, signal: AbortSignal): Promise<WorkspaceData> {
    const { client } = this.#context;
    if (uuid.test(reference)) return readWorkspace(client, reference, signal);
    const [first = "", second] = reference.split("/");
    const params =
      second === undefined ? { user: "me", name: first } : { user: first, name: second };
    return client.call(getWorkspaceByName, { params, signal });
  }

  async #findByName(
    user: string,
    name: string,
    signal: AbortSignal,
  ): Promise<WorkspaceData | undefined> {
    try {
      const { client } = this.#context;
      return await client.call(getWorkspaceByName, { params: { user, name }, signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  #handle(
    data: WorkspaceData,
    { env = {}, onDispose }: Pick<HandleOptions, "env" | "onDispose">,
    usual: DisposeAction,
  ): Workspace {
    return new Workspace(this.#context, data, { env, onDispose: onDispose ?? usual });
  }
}

/** Disposes of a workspace that did not become ready; throws both errors if that fails, too. */
async function cleanUp(workspace: Workspace, error: unknown): Promise<void> {
  try {
    await workspace[Symbol.asyncDispose]();
  } catch (cause) {
    const text = "the workspace is not ready, nor cleaned up";
    throw new AggregateError([error, cause], text, { cause });
  }
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Returns whether a field is at fault. */
function refuses({ body }: ApiError, field: string): boolean {
  return body.validations?.some((one) => one.field === field) ?? false;
}

/** Returns a name that no other caller generates: `sandbox-` and 12 random characters. */
function generateName(): string {
  return `sandbox-${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
}
