import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { listTemplateVersions } from "@slipway/api/templates/version-routes";
import { createUser, updateUserRoles } from "@slipway/api/users/routes";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { logIn, logInAsAdmin } from "../processes/log-in.ts";
import { type ServerProcess, startServerProcess } from "../processes/server-process.ts";
import { ServerTurns } from "../processes/server-turns.ts";
import { pushTemplate } from "../processes/template-upload.ts";
import { waitForWorkspace } from "../processes/workspace-life.ts";
import type { HostileTarget, Member } from "./target.ts";

/**
 * A real server with members: one honest, one hostile with an accomplice who may push templates, and one with a
 * hostile agent.
 */
export interface HostileStage extends HostileTarget, AsyncDisposable {
  readonly server: ServerProcess;
  readonly turns: ServerTurns;
  readonly dataDir: string;
  readonly bystander: Member;
}

const parameters = Array.from(
  { length: 10 },
  (_, index) => `  p${index}: { default: a, validation: { regex: "^(a+)+b?$", error: only a } }`,
);

const template = `driver: external
parameters:
${parameters.join("\n")}
agents:
  main:
    os: linux
    arch: amd64
    apps:
      web: { url: http://localhost:80, health: { url: http://localhost:80/health } }
    scripts:
      start: { run: "true", run_on: [start] }
    metadata:
      cpu: { run: "true", interval: 10s }
      memory: { run: "true", interval: 10s }
`;

const password = "correct-horse-battery-42";

export async function openHostileStage(): Promise<HostileStage> {
  await using opening = new AsyncDisposableStack();
  const makeDirectory = async (): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-hostile-"));
    opening.defer(() => rm(directory, { recursive: true, force: true }));
    return directory;
  };
  const dataDir = await makeDirectory();
  const turns = new ServerTurns(join(await makeDirectory(), "turns"));
  const { environment } = turns;
  const server = opening.use(await startServerProcess({ dataDir, port: 0, environment }));
  const admin = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(admin, "hostile", template);
  const [version] = await admin.call(listTemplateVersions, { params: { template: templateId } });
  if (version === undefined) throw new Error("the template has no version");
  const bystander = await addMember(admin, "bystander", templateId);
  const member = await addMember(admin, "hostile", templateId);
  const author = await addUser(admin, "author", ["template-admin"]);
  const agentOwner = await addMember(admin, "owner", templateId);
  const opened = opening.move();
  return {
    server,
    turns,
    dataDir,
    templateId,
    versionId: version.id,
    bystander,
    member,
    author: author.client,
    agentOwner,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function addMember(admin: ApiClient, username: string, templateId: string): Promise<Member> {
  const { client, credentials } = await addUser(admin, username, []);
  const body = { name: "main", template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  const workspace = await waitForWorkspace(client, id, ({ latest_build: { job } }) => {
    return job.status === "succeeded";
  });
  return { client, credentials, workspace };
}

async function addUser(
  admin: ApiClient,
  username: string,
  roles: readonly "template-admin"[],
): Promise<Pick<Member, "client" | "credentials">> {
  const credentials = { email: `${username}@example.com`, password };
  await admin.call(createUser, { body: { username, ...credentials } });
  await admin.call(updateUserRoles, { params: { user: username }, body: { roles: [...roles] } });
  return { client: await logIn(admin.serverUrl, credentials), credentials };
}
