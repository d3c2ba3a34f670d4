import { type CreateSandboxOptions, defineProvider, type SandboxInfo } from "@computesdk/provider";
import { Slipway, type Workspace, WorkspaceError } from "@slipway/sdk";

import { runCommand } from "./run-command.ts";

/** The server, and what sandboxes are created from. */
export interface SlipwayConfig {
  /** The address of the server (default: that of the environment, or of the session of `slipway login`). */
  readonly url?: string;
  /** A session or API token (default: as for `url`). */
  readonly token?: string;
  /** The template of sandboxes whose caller names none by `templateId`. */
  readonly template?: string;
  /** The preset of `template`, whose pool of prebuilt workspaces is used. */
  readonly preset?: string;
  /** The time after which the server deletes a sandbox, in milliseconds: at least a minute (default: an hour). */
  readonly timeoutMs?: number;
}

const hourMs = 3_600_000;

/** Returns a provider of ComputeSDK whose sandboxes are workspaces of a Slipway server. */
export const slipway = defineProvider<Workspace, SlipwayConfig>({
  name: "slipway",
  methods: {
    sandbox: {
      create: async (config, options) => {
        const { workspaces } = await connect(config);
        return sandboxOf(await workspaces.create(createOptions(config, options)));
      },
      getById: async (config, id) => {
        const workspace = await find(config, id);
        return workspace === undefined ? null : sandboxOf(workspace);
      },
      list: async (config) => {
        const { workspaces } = await connect(config);
        const own = await Array.fromAsync(workspaces.list());
        return own.filter(isSandbox).map(sandboxOf);
      },
      destroy: async (config, id) => {
        await (await find(config, id))?.delete();
      },
      runCommand,
      streamCommand: runCommand,
      getInfo: async (workspace) => infoOf(await workspace.refresh()),
      getUrl: async (workspace, { port, protocol }) => {
        const url = await workspace.url(port);
        return protocol === undefined ? url : url.replace(/^https?(?=:)/, () => protocol);
      },
      filesystem: {
        readFile: ({ files }, path) => files.readText(path),
        writeFile: async ({ files }, path, content) => {
          await files.write(path, content, { parents: true });
        },
        mkdir: async ({ files }, path) => {
          await files.makeDirectory(path, { parents: true });
        },
        readdir: async ({ files }, path) => {
          const entries = await Array.fromAsync(files.list(path));
          return entries.map(({ name, type, size, modified_at: modifiedAt }) => ({
            name,
            type: type === "directory" ? type : "file",
            size,
            modified: new Date(modifiedAt),
          }));
        },
        exists: ({ files }, path) => files.exists(path),
        remove: async ({ files }, path) => {
          await files.remove(path, { recursive: true });
        },
      },
    },
  },
});

async function connect({ url, token }: SlipwayConfig): Promise<Slipway> {
  if (url === undefined) return Slipway.fromEnvironment();
  return new Slipway({ url, ...(token === undefined ? {} : { token }) });
}

type CreateOptions = Parameters<Slipway["workspaces"]["create"]>[0];

/** Returns the workspace that a caller asks for. Throws `TypeError` for what no workspace has. */
function createOptions(config: SlipwayConfig, options: CreateSandboxOptions = {}): CreateOptions {
  const { templateId, timeout, envs, name, signal, snapshotId, image } = options;
  const unknown = snapshotId === undefined ? image && "image" : "snapshotId";
  if (unknown) throw new TypeError(`${unknown} is not supported: name a template by templateId`);
  const template = templateId ?? config.template;
  if (template === undefined) throw new TypeError("no template: pass template, or templateId");
  const preset = templateId === undefined ? config.preset : undefined;
  return {
    template,
    timeoutMs: timeout ?? config.timeoutMs ?? hourMs,
    ...(preset === undefined ? {} : { preset }),
    ...(envs === undefined ? {} : { env: envs }),
    ...(name === undefined ? {} : { name }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function find(config: SlipwayConfig, id: string): Promise<Workspace | undefined> {
  const { workspaces } = await connect(config);
  try {
    const workspace = await workspaces.get(id);
    return workspace.status === "deleted" ? undefined : workspace;
  } catch (error) {
    if (error instanceof WorkspaceError && error.code === "not-found") return undefined;
    throw error;
  }
}

/** Returns whether a workspace is deleted at its time limit, as those that this provider creates. */
function isSandbox({ data }: Workspace): boolean {
  return data.on_deadline === "delete";
}

function sandboxOf(workspace: Workspace): { sandbox: Workspace; sandboxId: string } {
  return { sandbox: workspace, sandboxId: workspace.id };
}

function infoOf({ id, name, owner, status, data }: Workspace): SandboxInfo {
  return {
    id,
    provider: "slipway",
    status: statuses[status],
    createdAt: new Date(data.created_at),
    timeout: data.ttl_ms ?? 0,
    metadata: { name, owner, template: data.template_name },
  };
}

/** The statuses of sandboxes, which are fewer than those of workspaces. */
const statuses: Readonly<Record<Workspace["status"], SandboxInfo["status"]>> = {
  pending: "running",
  starting: "running",
  running: "running",
  failed: "error",
  stopping: "stopped",
  stopped: "stopped",
  canceling: "stopped",
  canceled: "stopped",
  deleting: "stopped",
  deleted: "stopped",
};
