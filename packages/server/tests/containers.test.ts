import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
} from "@slipway/api/agents/container-routes";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import { listAuditLogs } from "@slipway/api/audit/routes";
import type { ResponseOf } from "@slipway/api/contract/route";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import {
  buildAgent,
  makeWorkspace,
  pushTemplate,
  readAgentToken,
  requireAgent,
  startAgentProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { WebSocket } from "ws";

import { openServer, type OpenServer } from "./support/open-server.ts";
import { addPerson } from "./support/people.ts";

/* A workspace on a machine whose engine is a shell script: `packages/agent` tests what is parsed, this how it travels. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let home = "";
let agentId = "";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

const ids = { dev: "a".repeat(64), db: "b".repeat(64) };

async function install(name: string, script: string, place = home): Promise<void> {
  const path = join(place, "bin", name);
  await writeFile(path, `#!/bin/sh\necho "$@" >> ${place}/calls\n${script}\n`);
  await chmod(path, 0o700);
}

function inspected(id: string, name: string, labels: object): string {
  return JSON.stringify({
    Id: id,
    Name: name,
    Created: "2026-11-30T00:00:00Z",
    State: { Running: true },
    Config: { Image: "image:1", Labels: labels },
  });
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "slipway-containers-"));
  opened.defer(() => rm(home, { recursive: true, force: true }));
  for (const name of ["bin", "site"]) await mkdir(join(home, name));
  const labels = { "devcontainer.local_folder": join(home, "site"), tier: "front" };
  const lines = [inspected(ids.dev, "dev", labels), inspected(ids.db, "db", { tier: "back" })];
  await install(
    "docker",
    `case $1 in
    ps) printf '${ids.dev}\\n${ids.db}\\n' ;;
    inspect) case "$*" in *${ids.dev}*) echo '${lines[0]}' ;; esac
      case "$*" in *${ids.db}*) echo '${lines[1]}' ;; esac ;;
    esac`,
  );
  await install("devcontainer", `echo '{"outcome":"error","message":"no disk"}'`);
  await buildAgent();
  server = opened.use(await openServer(inject("postgresUrl")));
  const templateId = await pushTemplate(server.admin, "machine", template);
  const workspace = await makeWorkspace(server.admin, "machine", templateId, () => true);
  agentId = requireAgent(workspace).id;
  await startAgent(workspace.id, home);
  await vi.waitFor(() => listed(), { timeout: 30_000 });
});

afterAll(() => opened.disposeAsync());

async function startAgent(workspaceId: string, place: string): Promise<void> {
  const agent = await startAgentProcess({
    serverUrl: server.url,
    token: await readAgentToken(server.admin, workspaceId),
    home: place,
    environment: {
      PATH: `${join(place, "bin")}:/usr/bin:/bin`,
      CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE: "false",
    },
  });
  opened.defer(async () => {
    const exited = once(agent, "exit");
    agent.kill("SIGKILL");
    await exited;
  });
}

async function listed(label?: string): Promise<ResponseOf<typeof getContainers>> {
  const query = label === undefined ? {} : { label };
  return server.admin.call(getContainers, { params: { agent: agentId }, query });
}

describe("the containers of a workspace", () => {
  it("are listed by its agent, by their labels", async () => {
    const { devcontainers, containers } = await listed();
    expect(containers.map(({ name, status }) => [name, status])).toEqual([
      ["dev", "running"],
      ["db", "running"],
    ]);
    expect(devcontainers).toMatchObject([{ name: "site", container: { id: ids.dev } }]);
    expect((await listed("tier=back")).containers.map(({ name }) => name)).toEqual(["db"]);
    const both = "label=tier%3D&label=devcontainer.local_folder%3D";
    const url = `${server.url}/api/v2/workspaceagents/${agentId}/containers?${both}`;
    const answer = await (await fetch(url, { headers: server.admin.headers })).json();
    expect(answer).toMatchObject({ containers: [{ name: "dev" }] });
    await expect(listed("tier")).rejects.toMatchObject({ status: 400 });
  });

  it("are watched", async () => {
    const url = `${server.url.replace("http", "ws")}/api/v2/workspaceagents/${agentId}/containers/watch`;
    const socket = new WebSocket(url, { headers: server.admin.headers });
    const [data] = await once(socket, "message");
    expect(JSON.parse(String(data))).toMatchObject({
      containers: [{ name: "dev" }, { name: "db" }],
    });
    socket.close();
  });

  it("are changed by their owner only, and an error of theirs is shown", async () => {
    const { devcontainers } = await listed();
    const params = { agent: agentId, devcontainer: devcontainers[0]?.id ?? "" };
    const { client: stranger } = await addPerson(server, "stranger");
    await expect(stranger.call(deleteDevcontainer, { params })).rejects.toMatchObject({
      status: 404,
    });
    await server.admin.call(recreateDevcontainer, { params });
    // The container that was there before still runs.
    await expect
      .poll(async () => (await listed()).devcontainers)
      .toMatchObject([{ status: "running", error: "no disk" }]);
    expect(await readFile(join(home, "calls"), "utf8")).toContain(
      `up --log-format json --remove-existing-container --workspace-folder ${home}/site`,
    );
  });

  it("are stopped and removed, and one that is unknown is not found", async () => {
    const { devcontainers } = await listed();
    const params = { agent: agentId, devcontainer: devcontainers[0]?.id ?? "" };
    await server.admin.call(deleteDevcontainer, { params });
    const calls = (await readFile(join(home, "calls"), "utf8")).split("\n");
    expect(calls).toContain(`rm --force --volumes ${ids.dev}`);
    expect(calls.filter((call) => call.startsWith("stop"))).toEqual([`stop ${ids.dev}`]);
    const unknown = { agent: agentId, devcontainer: "../x" };
    for (const route of [deleteDevcontainer, recreateDevcontainer]) {
      await expect(server.admin.call(route, { params: unknown })).rejects.toMatchObject({
        status: 404,
      });
    }
  });

  it("are recreated and deleted on the record", async () => {
    const { audit_logs: entries } = await server.admin.call(listAuditLogs, {
      query: { q: "resource_type:workspace_agent action:write" },
    });
    const recorded = entries.map(({ additional_fields: { operation, devcontainer } }) => [
      operation,
      devcontainer === "../x",
    ]);
    expect(recorded).toEqual([
      ["recreate dev container", true],
      ["delete dev container", true],
      ["delete dev container", false],
      ["recreate dev container", false],
    ]);
    expect(entries[0]?.user?.username).toBe("admin");
  });
});

describe("the dev containers of a template", () => {
  const declaring = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts: { clone: { run_on: [start], run: "echo cloned >>~/calls" } }
    dev_containers:
      app: { workspace_folder: "~/\${{ owner.username }}/app", config_path: x.json }
      bad: { workspace_folder: bad }
`;

  it("are created after the start scripts, each with a log and a result of its own", async () => {
    const place = await mkdtemp(join(tmpdir(), "slipway-containers-"));
    opened.defer(() => rm(place, { recursive: true, force: true }));
    await mkdir(join(place, "bin"));
    await install("docker", "", place);
    const built =
      '{"type":"text","level":3,"text":"built"}\n{"outcome":"success","containerId":"c"}';
    await install(
      "devcontainer",
      `case "$*" in *x.json*) echo '${built}' ;; *) echo '{"outcome":"error","message":"no disk"}' ;; esac`,
      place,
    );
    const templateId = await pushTemplate(server.admin, "declaring", declaring);
    const { id } = await makeWorkspace(server.admin, "declaring", templateId, () => true);
    await startAgent(id, place);
    const agent = await vi.waitFor(
      async () => {
        const workspace = await server.admin.call(getWorkspace, { params: { workspace: id } });
        const found = requireAgent(workspace);
        expect(found.lifecycle_state).toBe("start_error");
        expect(found.scripts.map(({ status }) => status)).toEqual(["ok", "ok", "exit_failure"]);
        return found;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(
      (await readFile(join(place, "calls"), "utf8"))
        .split("\n")
        .filter((call) => /^(up|cloned)/.test(call)),
    ).toEqual([
      "cloned",
      `up --log-format json --workspace-folder ${place}/admin/app --config ${place}/admin/app/x.json`,
      `up --log-format json --workspace-folder ${place}/bad`,
    ]);
    const lines = await server.admin.call(getAgentLogs, { params: { agent: agent.id } });
    const sources = new Map(agent.log_sources.map((source) => [source.id, source.display_name]));
    expect(lines.map(({ source_id: source, output }) => [sources.get(source), output])).toEqual([
      ["Dev Container (app)", "built"],
      ["Dev Container (bad)", "no disk"],
    ]);
  });
});
