import { provisionerKeyHeader, routePath } from "@slipway/api/contract/route";
import { serveProvisioner } from "@slipway/api/organizations/provisioner-routes";
import { DialError, dialSocket } from "@slipway/sdk/agent";

import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import type { Needs, Settings } from "../../command/needs.ts";
import { readTags } from "../../resources/builds/tags.ts";
import { loadServer } from "../server/load-server.ts";

export const command = defineCommand({
  summary: "carry out jobs of Terraform templates on this machine",
  description:
    "Take the jobs whose tags this provisioner has, and carry them out with OpenTofu or Terraform here, so that the " +
    "credentials of the infrastructure stay on this machine. The first interrupt takes no more jobs and waits for those " +
    "that run, the second one ends them. SLIPWAY_TERRAFORM, SLIPWAY_TERRAFORM_CONFIG and SLIPWAY_TERRAFORM_ENV are those " +
    "of a server: see docs/provisioners.md.",
  arguments: {},
  flags: {
    key: {
      kind: "text",
      value: "key",
      variable: "CODER_PROVISIONER_DAEMON_KEY",
      summary: "key from: slipway provisioner keys create",
    },
    name: {
      kind: "text",
      short: "n",
      value: "name",
      variable: "CODER_PROVISIONER_DAEMON_NAME",
      summary: "name in the list of provisioners (default: the machine's)",
    },
    tag: {
      kind: "list",
      short: "t",
      value: "name=value",
      variable: "CODER_PROVISIONERD_TAGS",
      summary: "tag of the key that this provisioner has; repeatable (default: all of them)",
    },
    drainTimeout: {
      kind: "text",
      value: "duration",
      summary: "time for jobs to end after the first interrupt (default: 1h)",
    },
    dataDir: {
      kind: "text",
      value: "directory",
      variable: "SLIPWAY_PROVISIONER_DATA_DIR",
      summary:
        "directory for this machine's id and what is left of interrupted runs (default: that of a server, with -provisioner after it)",
      completion: "files",
    },
  },
  examples: [
    {
      line: "slipway provisioner start --url https://slipway.example.com --key <key>",
      summary: "with all tags of the key",
    },
  ],
});

const defaultDrain = "1h";

export async function run(
  options: OptionsOf<typeof command>,
  {
    terminal,
    settings,
    environment,
    interruption,
  }: Pick<Needs, "terminal" | "settings" | "environment" | "interruption">,
): Promise<number> {
  const key = options.key ?? environment["SLIPWAY_PROVISIONER_KEY"] ?? "";
  if (key === "") {
    throw new UsageError(
      "missing --key",
      "an owner creates one with: slipway provisioner keys create",
    );
  }
  const { url } = settings;
  if (url === undefined) {
    throw new CommandError("missing --url", { hint: "pass the URL of the server" });
  }
  const tags = options.tag.length === 0 ? undefined : readTags("--tag", options.tag);
  const { runProvisioner } = await loadServer();
  delete environment["SLIPWAY_PROVISIONER_KEY"];
  delete environment["CODER_PROVISIONER_DAEMON_KEY"];
  return runProvisioner({
    ...interruption,
    dataDir: options.dataDir,
    environment,
    name: options.name,
    tags,
    drainMs: readDuration("--drain-timeout", options.drainTimeout ?? defaultDrain),
    dial: (query, signal) => dial({ ...settings, url }, key, query, signal),
    stderr: (text) => terminal.err.write(text),
  });
}

type Dialed = Awaited<ReturnType<typeof dialSocket>> | { readonly refusal: string };

/** Statuses that another attempt may not get. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** Opens the socket of a session; a refusal that stays the same is a result. */
async function dial(
  {
    url: serverUrl,
    organization,
    headers,
  }: Pick<Settings, "organization" | "headers"> & { readonly url: string },
  key: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Dialed> {
  const path = routePath(serveProvisioner, { organization });
  const url = new URL(`${serverUrl.replace(/\/+$/, "")}/api/v2${path}`);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = new URLSearchParams(query).toString();
  try {
    const all = { ...headers, [provisionerKeyHeader]: key };
    return await dialSocket(url, { headers: all, signal, onRequest: undefined });
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    const { status = 0 } = error;
    if (status < 400 || status >= 500 || passingStatuses.has(status)) throw error;
    return { refusal: error.message };
  }
}
