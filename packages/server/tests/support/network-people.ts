import { randomBytes, randomUUID } from "node:crypto";

import {
  connectExternalAgent,
  type ExternalAgent,
  makeWorkspace,
  pushTemplate,
  requireAgent,
} from "@slipway/testkit";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { expect, onTestFinished } from "vitest";

import { Coordination, joinNetwork, type NetworkSession } from "./network-client.ts";
import type { OpenServer } from "./open-server.ts";
import { addPerson, type Person } from "./people.ts";

/* People whose agents are peers of the network, and clients that connect to these agents. */

const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
const never = new AbortController().signal;

/** A person with a workspace whose agent is a peer. */
export interface Owner extends Person {
  readonly agentId: string;
  readonly workspaceId: string;
  readonly token: string;
  readonly agent: Coordination;
  /** The agent's session. */
  readonly connection: ExternalAgent["connection"];
}

interface JoinOptions {
  readonly url?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let count = 0;

export function newName(): string {
  count += 1;
  return `p${count}`;
}

/** The people of a server and its replicas. Everything that a test opens is closed at its end. */
export class NetworkPeople {
  readonly #server: OpenServer;
  readonly #templateId: string;

  private constructor(server: OpenServer, templateId: string) {
    this.#server = server;
    this.#templateId = templateId;
  }

  static async open(server: OpenServer): Promise<NetworkPeople> {
    return new NetworkPeople(server, await pushTemplate(server.admin, "outside", template));
  }

  async addOwner(person?: Person): Promise<Owner> {
    const owner = person ?? (await addPerson(this.#server, newName()));
    const workspace = await makeWorkspace(owner.client, newName(), this.#templateId, () => true);
    const { id: agentId } = requireAgent(workspace);
    const { connection, token } = await connectExternalAgent(owner.client, workspace.id, "main");
    onTestFinished(() => connection.close());
    const agent = new Coordination({ caller: connection });
    agent.send({ updateSelf: { node: node("agent", addressOf(agentId)) } });
    return { ...owner, agentId, workspaceId: workspace.id, token, agent, connection };
  }

  /** Joins for one agent. */
  join(
    who: Pick<Person, "client">,
    agentId: string,
    options: JoinOptions = {},
  ): Promise<NetworkSession> {
    return this.#join(who, `/workspaceagents/${agentId}/coordinate?version=2.0`, options);
  }

  /** Joins for any agents. */
  joinTailnet(who: Pick<Person, "client">, options: JoinOptions = {}): Promise<NetworkSession> {
    return this.#join(who, "/tailnet?version=2.3", options);
  }

  async #join(
    { client }: Pick<Person, "client">,
    path: string,
    { url = this.#server.url, token = "", headers = {} }: JoinOptions,
  ): Promise<NetworkSession> {
    const query = token === "" ? "" : `&resume_token=${token}`;
    const session = await joinNetwork(url, path + query, { ...client.headers, ...headers });
    onTestFinished(() => session[Symbol.asyncDispose]());
    return session;
  }

  /** Joins as a client of an agent, which is notified. */
  async reach(
    who: Pick<Person, "client">,
    { agentId, agent }: Owner,
    options: { readonly url?: string } = {},
  ): Promise<{ readonly session: NetworkSession; readonly client: Coordination }> {
    const session = await this.join(who, agentId, options);
    const client = new Coordination(session);
    const name = newName();
    client.send({ addTunnel: { id: encodeUuid(agentId) } });
    client.send({ updateSelf: { node: node(name) } });
    await client.hears(`NODE ${agentId} agent`);
    await agent.hears(expect.stringMatching(`^NODE .* ${name}$`));
    return { session, client };
  }
}

/** Returns a node with a name, and a key that no other node has. */
export function node(name: string, address = randomAddress()): MessageInitShape<typeof NodeSchema> {
  const prefixes = [`${address}/128`];
  const disco = `${name} ${randomBytes(8).toString("hex")}`;
  return { disco, preferredDerp: 999, addresses: prefixes, allowedIps: prefixes };
}

export function randomAddress(): string {
  return addressOf(randomUUID());
}

/** Returns the address of a peer that derives it from an id. */
export function addressOf(id: string): string {
  const tail = id.slice(14).replaceAll("-", "");
  return `fd7a:115c:a1e0:${tail.replaceAll(/(.{4})(?!$)/g, "$1:")}`;
}

/** Resolves to the token with which a client returns as the same peer. */
export async function resumeToken({ caller }: NetworkSession): Promise<string> {
  const { token } = await caller.unary(Tailnet.method.refreshResumeToken, {}, never);
  return token;
}
