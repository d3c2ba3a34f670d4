import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { getTemplate } from "@slipway/api/templates/routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { createTemplateVersion, getTemplateVersion } from "@slipway/api/templates/version-routes";
import { packTemplate, pushTemplate } from "@slipway/testkit";
import { inject } from "vitest";
import { WebSocket } from "ws";

import { type Answer, type OpenServer, openServer } from "./open-server.ts";
import { addPerson } from "./people.ts";

/** A template whose agents are never started, so its workspaces are built immediately. */
export const smallTemplate = `
driver: external
display_name: Small
parameters:
  greeting: { type: string, default: hello, mutable: true, validation: { regex: "^[a-z]+$" } }
  cores: { type: number, default: "2", validation: { min: 1, max: 8 } }
presets:
  quick: { display_name: Quick start, default: true, parameters: { greeting: welcome } }
agents:
  main:
    os: linux
    arch: amd64
    directory: /tmp
    env: { GREETING: "\${{ parameters.greeting }}", BOX: "\${{ workspace.name }}" }
    scripts:
      hello: { run_on: [start], run: echo hello, log_path: hello.log }
    apps:
      docs: { display_name: Docs, url: http://localhost:8080 }
`;

type Client = OpenServer["admin"];

/** The messages of a WebSocket. */
export interface Followed {
  readonly raw: WebSocket;
  readonly messages: unknown[];
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
}

/** A server with the small template and its first version, and a member. */
export class TemplateWorld implements AsyncDisposable {
  readonly server: OpenServer;
  readonly member: Client;
  readonly templateId: string;
  readonly first: TemplateVersion;

  private constructor(server: OpenServer, member: Client, first: TemplateVersion) {
    this.server = server;
    this.member = member;
    this.first = first;
    this.templateId = first.template_id ?? "";
  }

  static async open(): Promise<TemplateWorld> {
    const server = await openServer(inject("postgresUrl"));
    const { client } = await addPerson(server, "mia");
    const template = await pushTemplate(server.admin, "small", smallTemplate);
    const { active_version_id: version } = await server.admin.call(getTemplate, {
      params: { template },
    });
    const first = await server.admin.call(getTemplateVersion, { params: { version } });
    return new TemplateWorld(server, client, first);
  }

  get(path: string, client?: Client): Promise<Answer> {
    return this.server.request("GET", path, undefined, client);
  }

  post(path: string, body?: unknown, client?: Client): Promise<Answer> {
    return this.server.request("POST", path, body, client);
  }

  patch(path: string, body?: unknown, client?: Client): Promise<Answer> {
    return this.server.request("PATCH", path, body, client);
  }

  /** Pushes a version of the template; resolves to it when its import is done. */
  async pushVersion(yaml: string, name: string): Promise<TemplateVersion> {
    const input = { bytes: await packTemplate(yaml), contentType: tarMimeType };
    const { hash } = await this.server.admin.upload(uploadFile, input);
    const { id } = await this.server.admin.call(createTemplateVersion, {
      params: { organization: "default" },
      body: { file_id: hash, template_id: this.templateId, name },
    });
    await this.follow(`/templateversions/${id}/logs?follow`).ended;
    return this.server.admin.call(getTemplateVersion, { params: { version: id } });
  }

  /** Opens a WebSocket of the API. */
  follow(path: string): Followed {
    const url = `${this.server.url.replace("http", "ws")}/api/v2${path}`;
    const raw = new WebSocket(url, { headers: this.server.admin.headers });
    const messages: unknown[] = [];
    const ended = Promise.withResolvers<{ code: number; reason: string }>();
    raw.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString())));
    raw.on("close", (code, reason) => ended.resolve({ code, reason: reason.toString() }));
    raw.on("error", ended.reject);
    return { raw, messages, ended: ended.promise };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** Returns a field of a response's body. */
export function fieldOf(body: unknown, key: string): string {
  if (typeof body !== "object" || body === null || !(key in body)) throw new Error(`no ${key}`);
  return String(Object.entries(body).find(([name]) => name === key)?.[1]);
}
