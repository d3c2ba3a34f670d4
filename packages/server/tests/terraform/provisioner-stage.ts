import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getBuildLogs } from "@slipway/api/builds/routes";
import type { ProvisionerDaemon } from "@slipway/api/jobs/provisioner";
import { listProvisionerDaemons } from "@slipway/api/organizations/provisioner-routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { type openClient, pushVersion } from "@slipway/testkit";
import { buildTerraform, type TestTerraform } from "@slipway/testkit/terraform";
import { expect } from "vitest";

import { type ProvisionerProcess, startProvisioner } from "../support/provisioner-process.ts";

type Client = ReturnType<typeof openClient>;

/** A resource whose creation says that it has begun in one file, and waits for another one. */
const configuration = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "machine" {
  count = data.coder_workspace.me.start_count
  input = "STAGE/\${data.coder_workspace.me.name}"
  provisioner "local-exec" {
    command = "echo $SECRET >> \${self.input}-began; for i in $(seq 900); do [ -e \${self.input}-go ] && exit 0; sleep 0.1; done; exit 1"
  }
}
`;

const patience = { timeout: 90_000, interval: 100 };

interface StartOptions {
  /** The directory of the machine (default: a new one). */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  /** The URL of the server (default: the client's). */
  readonly url?: string;
  /** Lines of a shell script that runs after OpenTofu has applied a start. */
  readonly afterStart?: string;
}

/** Provisioners with OpenTofu, and the workspaces that they build. */
export class ProvisionerStage implements AsyncDisposable {
  readonly #client: () => Client;
  readonly #terraform: TestTerraform;
  readonly directory: string;
  #machines = 0;

  private constructor(client: () => Client, terraform: TestTerraform, directory: string) {
    this.#client = client;
    this.#terraform = terraform;
    this.directory = directory;
  }

  static async open(client: () => Client): Promise<ProvisionerStage> {
    const directory = await mkdtemp(join(tmpdir(), "slipway-provisioners-"));
    return new ProvisionerStage(client, await buildTerraform(), directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Starts a provisioner, and waits until it is connected. */
  async start(key: string, options: StartOptions = {}): Promise<ProvisionerProcess> {
    const { dataDir = join(this.directory, `machine-${(this.#machines += 1)}`), args = [] } =
      options;
    const { afterStart } = options;
    const program =
      afterStart === undefined ? this.#terraform.program : await this.#writeProgram(afterStart);
    const provisioner = startProvisioner({
      url: options.url ?? this.#client().serverUrl,
      key,
      dataDir,
      args,
      environment: {
        SLIPWAY_TERRAFORM: program,
        SLIPWAY_TERRAFORM_CONFIG: this.#terraform.configFile,
        SLIPWAY_TERRAFORM_ENV: "SECRET",
        SECRET: "of-the-infrastructure",
      },
    });
    await provisioner.said("waiting for jobs");
    return provisioner;
  }

  /** Pushes the template with tags; resolves to its id. */
  async push(name: string, tags: Readonly<Record<string, string>>): Promise<string> {
    const text = configuration.replaceAll("STAGE", this.directory);
    const versionId = await pushVersion(this.#client(), text, { file: "main.tf", tags });
    const params = { organization: "default" };
    const body = { name, template_version_id: versionId };
    return (await this.#client().call(createTemplate, { params, body })).id;
  }

  /** Creates a workspace; resolves once its machine is being made. */
  async begin(name: string, templateId: string): Promise<Workspace> {
    const workspace = await this.make(name, templateId);
    await expect.poll(() => existsSync(this.#began(name)), patience).toBe(true);
    return workspace;
  }

  make(name: string, templateId: string): Promise<Workspace> {
    const body = { name, template_id: templateId };
    return this.#client().call(createWorkspace, { params: { user: "me" }, body });
  }

  /** Lets the machine of a workspace be made. */
  async letGo(name: string): Promise<void> {
    await writeFile(join(this.directory, `${name}-go`), "");
  }

  /** Returns the lines that were written whenever a machine began to be made. */
  async began(name: string): Promise<string> {
    return readFile(this.#began(name), "utf8");
  }

  read({ id }: Pick<Workspace, "id">): Promise<Workspace> {
    const query = { include_deleted: "true" };
    return this.#client().call(getWorkspace, { params: { workspace: id }, query });
  }

  async reaches(workspace: Pick<Workspace, "id">, status: string): Promise<Workspace> {
    const readStatus = async (): Promise<string> =>
      (await this.read(workspace)).latest_build.status;
    await expect.poll(readStatus, patience).toBe(status);
    return this.read(workspace);
  }

  async remove({ id }: Pick<Workspace, "id">): Promise<void> {
    const body = { transition: "delete" } as const;
    await this.#client().call(createBuild, { params: { workspace: id }, body });
    await this.reaches({ id }, "deleted");
  }

  async logOf({ latest_build: { id } }: Workspace): Promise<string> {
    const lines = await this.#client().call(getBuildLogs, { params: { build: id }, query: {} });
    return lines.map(({ output }) => output).join("\n");
  }

  /** Lists the provisioners, offline ones too. */
  async list(): Promise<readonly ProvisionerDaemon[]> {
    const params = { organization: "default" };
    const query = { offline: "true" };
    const all = await this.#client().call(listProvisionerDaemons, { params, query });
    return all.filter(({ key_name: key }) => key !== "built-in");
  }

  async #writeProgram(afterStart: string): Promise<string> {
    const path = join(this.directory, `tofu-${this.#machines}`);
    const script = `#!/bin/sh
${this.#terraform.program} "$@" || exit
[ "$1$CODER_WORKSPACE_TRANSITION" = applystart ] || exit 0
${afterStart}
`;
    await writeFile(path, script, { mode: 0o755 });
    return path;
  }

  #began(name: string): string {
    return join(this.directory, `${name}-began`);
  }
}
