import { RpcError } from "@slipway/rpc";
import { withTimeout } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import {
  Agent,
  CreateSubAgentRequest_App_OpenIn as OpenIn,
  CreateSubAgentRequest_App_SharingLevel as SharingLevel,
  type CreateSubAgentRequest_AppSchema,
  CreateSubAgentRequest_DisplayApp as DisplayApp,
} from "@slipway/wire/protobuf/gen/agent_pb";

import type {
  CreatedSubAgent,
  NewSubAgent,
  SubAgentApp,
  SubAgentServer,
} from "../containers/sub-agent.ts";

/** The time for the server to answer. */
const answerMs = 30_000;

/** The calls about sub-agents (docs/protocol/rpc.md §7.12), over the connection of the moment. */
export class SubAgentCalls implements SubAgentServer {
  /** Undefined while the agent is not connected. */
  connection: AgentConnection | undefined;

  async create(agent: NewSubAgent, signal: AbortSignal): Promise<CreatedSubAgent> {
    const { id, name, directory, architecture, displayApps, apps } = agent;
    const request = {
      name,
      directory,
      architecture,
      operatingSystem: "linux",
      displayApps: displayApps.map((app) => displayAppNumbers[app]),
      apps: apps.map((app) => appMessage(app)),
      ...(id === undefined ? {} : { id: encodeUuid(id) }),
    };
    const limit = withTimeout(signal, answerMs);
    const answer = await this.#connected().unary(Agent.method.createSubAgent, request, limit);
    if (answer.agent === undefined) throw new RpcError("the server returned no sub-agent");
    return {
      id: parseUuid(answer.agent.id),
      name: answer.agent.name,
      token: parseUuid(answer.agent.authToken),
      appErrors: answer.appCreationErrors.map(
        ({ index, error }) => `app ${apps[index]?.slug ?? index}: ${error}`,
      ),
    };
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#connected().unary(Agent.method.deleteSubAgent, { id: encodeUuid(id) }, signal);
  }

  async list(signal: AbortSignal): Promise<readonly string[]> {
    const limit = withTimeout(signal, answerMs);
    const { agents } = await this.#connected().unary(Agent.method.listSubAgents, {}, limit);
    return agents.map(({ id }) => parseUuid(id));
  }

  #connected(): AgentConnection {
    if (this.connection === undefined) throw new RpcError("agent not connected to the server");
    return this.connection;
  }
}

const displayAppNumbers = {
  vscode: DisplayApp.VSCODE,
  vscode_insiders: DisplayApp.VSCODE_INSIDERS,
  web_terminal: DisplayApp.WEB_TERMINAL,
  ssh_helper: DisplayApp.SSH_HELPER,
  port_forwarding_helper: DisplayApp.PORT_FORWARDING_HELPER,
} as const;

const openInNumbers = { "slim-window": OpenIn.SLIM_WINDOW, tab: OpenIn.TAB } as const;

const sharingNumbers = {
  owner: SharingLevel.OWNER,
  authenticated: SharingLevel.AUTHENTICATED,
  public: SharingLevel.PUBLIC,
  organization: SharingLevel.ORGANIZATION,
} as const;

function appMessage({
  openIn,
  share,
  ...app
}: SubAgentApp): MessageInitShape<typeof CreateSubAgentRequest_AppSchema> {
  return {
    ...app,
    ...(openIn === undefined ? {} : { openIn: openInNumbers[openIn] }),
    ...(share === undefined ? {} : { share: sharingNumbers[share] }),
  };
}
