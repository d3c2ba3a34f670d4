import { getExternalAgentCredentials, createWorkspace } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";
import { firstAgent, pushTemplate, waitForWorkspace } from "@slipway/testkit";

/** An agent that a measurement plays: its token opens a session. */
export interface FleetAgent {
  readonly id: string;
  readonly token: string;
}

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      hello: { run_on: [start], run: echo hello }
    metadata:
      a: { display_name: A, interval: 10s, timeout: 5s, run: echo 1 }
      b: { display_name: B, interval: 10s, timeout: 5s, run: echo 2 }
`;

/** Requests under way at once. */
const atOnce = 8;

/** Makes workspaces of the driver `external`, all running; resolves to their agents. */
export async function makeFleet(client: ApiClient, count: number): Promise<readonly FleetAgent[]> {
  const templateId = await pushTemplate(client, `fleet-${Date.now()}`, template);
  const numbers = Array.from({ length: count }, (_, index) => index);
  const agents: FleetAgent[] = [];
  const work = async (): Promise<void> => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
      agents.push(await makeOne(client, templateId, `w-${number}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return agents;
}

async function makeOne(client: ApiClient, templateId: string, name: string): Promise<FleetAgent> {
  const body = { name, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  const workspace = await waitForWorkspace(
    client,
    id,
    ({ latest_build: build }) => build.status === "running",
  );
  const params = { workspace: id, agent: "main" };
  const { agent_token: token } = await client.call(getExternalAgentCredentials, { params });
  return { id: firstAgent(workspace)?.id ?? "", token };
}
