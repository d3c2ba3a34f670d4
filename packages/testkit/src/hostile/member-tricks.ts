import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { createDryRun } from "@slipway/api/templates/dry-run-routes";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import { createToken, deleteKey } from "@slipway/api/users/key-routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, listWorkspaces } from "@slipway/api/workspaces/routes";
import { watchWorkspaceSocket } from "@slipway/api/workspaces/watch-routes";
import { WebSocket } from "ws";

import { pushVersion } from "../processes/template-upload.ts";
import { connectStrangers, noteResponses, writeAll } from "./stranger-connection.ts";
import { type HostileTarget, tokenOf } from "./target.ts";
import type { Trick } from "./trick.ts";

/** All attacks of a member. */
export const memberTricks: readonly Trick[] = [
  {
    name: "many watch streams",
    run: async ({ member: { client, workspace } }, play, signal) => {
      const url = client.url(watchWorkspaceSocket, { params: { workspace: workspace.id } });
      const sockets = Array.from({ length: 80 }, () => {
        return new WebSocket(url.replace("http", "ws"), { headers: client.headers });
      });
      for (const socket of sockets) {
        socket.on("open", () => play.note(true));
        socket.on("error", () => play.note(false));
      }
      await pause(2_000, undefined, { signal });
      for (const socket of sockets) socket.terminate();
    },
  },
  {
    name: "evaluations of slow patterns",
    run: async ({ member: { client }, versionId }, play) => {
      const value = `${"a".repeat(30_000)}!`;
      const inputs = Object.fromEntries(
        Array.from({ length: 10 }, (_, index) => [`p${index}`, value]),
      );
      for (let id = 0; id < 20; id += 1) {
        const params = { version: versionId };
        await play.request(
          "an evaluation",
          client.call(evaluateParameters, { params, body: { id, inputs } }),
        );
      }
    },
  },
  {
    name: "dry runs",
    run: async ({ member: { client }, versionId }, play) => {
      const value = "a".repeat(1_000);
      const values = Array.from({ length: 10 }, (_, index) => ({ name: `p${index}`, value }));
      for (let run = 0; run < 10; run += 1) {
        const body = { workspace_name: `dry${run}`, rich_parameter_values: values };
        await play.request(
          "a dry run",
          client.call(createDryRun, { params: { version: versionId }, body }),
        );
      }
    },
  },
  {
    name: "uploads",
    run: async ({ author }, play) => {
      for (let upload = 0; upload < 3; upload += 1) {
        const bytes = randomBytes(512 * 1024);
        await play.request(
          "an upload",
          author.upload(uploadFile, { bytes, contentType: tarMimeType }),
        );
      }
    },
  },
  {
    name: "template versions",
    run: async ({ author, templateId }, play) => {
      const parameters = Array.from({ length: 50 }, (_, index) => {
        return `  p${index}: { default: a, validation: { regex: "^(a|b|ab)*c?$", error: only a } }`;
      });
      const agent = "agents: { main: { os: linux, arch: amd64 } }";
      const parts = ["driver: external", "parameters:", ...parameters, agent, `# ${randomUUID()}`];
      const yaml = `${parts.join("\n")}\n`;
      await play.request("a template version", pushVersion(author, yaml, { templateId }));
    },
  },
  {
    name: "workspaces made and deleted",
    run: async ({ member: { client }, templateId }, play) => {
      const made = await Promise.all(
        Array.from({ length: 8 }, () => {
          const body = { name: `w${randomUUID().slice(0, 12)}`, template_id: templateId };
          return play.request(
            "making a workspace",
            client.call(createWorkspace, { params: { user: "me" }, body }),
          );
        }),
      );
      for (const workspace of made) {
        if (workspace !== undefined) await deleteOne(client, workspace.id);
      }
    },
  },
  {
    name: "large JSON with an account",
    run: async ({ member: { client } }, play) => {
      const wrong = Object.fromEntries(
        Array.from({ length: 60_000 }, (_, key) => [`k${key}`, key]),
      );
      const bodies = [Array.from({ length: 400_000 }, () => 1), wrong, { name: [wrong] }];
      const url = `${client.serverUrl}/api/v2/users/me/workspaces`;
      await Promise.all(
        [...bodies, ...bodies, ...bodies].map(async (body) => {
          const { headers } = client;
          const response = await fetch(url, {
            method: "POST",
            headers,
            body: JSON.stringify(body),
          });
          await response.arrayBuffer();
          play.status(response.status, "large JSON");
        }),
      );
    },
  },
  {
    name: "requests in a row with an account",
    run: async (target, play) => {
      const { member } = target;
      const head = `Host: x\r\nCoder-Session-Token: ${tokenOf(member.client)}\r\n\r\n`;
      const sockets = await connectStrangers(target, 10);
      await Promise.all(
        sockets.map((socket) => {
          const request = `GET /api/v2/workspaces HTTP/1.1\r\n${head}`;
          void writeAll(socket, request.repeat(2_000));
          return noteResponses(socket, play, { what: "a request in a row", forMs: 4_000 });
        }),
      );
    },
  },
  {
    name: "concurrent lists",
    run: async ({ member: { client } }, play) => {
      const lists = Array.from({ length: 200 }, () => {
        return play.request("a list", client.call(listWorkspaces, { query: {} }));
      });
      await Promise.all(lists);
    },
  },
  {
    name: "tokens",
    run: async ({ member: { client } }, play) => {
      for (let token = 0; token < 20; token += 1) {
        const body = { token_name: randomUUID(), lifetime: 3_600_000_000_000 };
        const made = await play.request(
          "making a token",
          client.call(createToken, { params: { user: "me" }, body }),
        );
        const key = made?.key.split("-")[0];
        if (key === undefined) continue;
        await play.request(
          "deleting a token",
          client.call(deleteKey, { params: { user: "me", key } }),
        );
      }
    },
  },
  {
    name: "huge searches",
    run: async ({ member: { client } }, play) => {
      for (const q of ["x".repeat(6_000), `name:${"%_".repeat(500)}`, "owner:me ".repeat(300)]) {
        await play.request("a search", client.call(listWorkspaces, { query: { q } }));
      }
    },
  },
  {
    name: "refused upgrades",
    run: async (target, play) => {
      for (let request = 0; request < 30; request += 1) {
        play.status(await refusedUpgrade(target), "an upgrade");
      }
    },
  },
  {
    name: "logins in every spelling",
    run: async ({ server, member: { credentials } }, play) => {
      const body = JSON.stringify({ ...credentials, password: "wrong" });
      for (const path of ["users/login", "/users/login", "users/login/", "users/%6cogin"]) {
        const response = await fetch(`${server.url}/api/v2/${path}`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body,
        });
        play.status(response.status, "a log-in");
        await response.arrayBuffer();
      }
    },
  },
];

/** Deletes a workspace once its first build has ended. */
async function deleteOne(client: HostileTarget["member"]["client"], id: string): Promise<void> {
  const params = { workspace: id };
  for (let tries = 0; tries < 20; tries += 1) {
    const isQueued = await client
      .call(createBuild, { params, body: { transition: "delete" } })
      .then(
        () => true,
        () => false,
      );
    if (isQueued) return;
    await pause(200);
  }
}

/**
 * Requests an upgrade from a foreign origin and holds the connection briefly. Resolves to the status; 0 if none came.
 */
async function refusedUpgrade({ server, member: { client } }: HostileTarget): Promise<number> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(
    `GET /api/v2/users/me HTTP/1.1\r\nHost: ${hostname}:${port}\r\nOrigin: http://foreign.example\r\n` +
      `Cookie: coder_session_token=${tokenOf(client)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const [chunk = ""] = await Promise.race([once(socket, "data"), once(socket, "close")]);
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(String(chunk))?.[1] ?? "0");
}
