import { listRegions } from "@slipway/api/deployment/routes";
import { portUrl } from "@slipway/api/workspaces/port-url";
import { Type } from "typebox";

import { defineTool, ToolError } from "./tool.ts";
import { AgentArgument, findAgent } from "./workspace-reference.ts";

export const forwardPort = defineTool({
  name: "forward_port",
  stockName: "coder_workspace_port_forward",
  title: "Reach a port",
  description:
    "Return a URL at which the user reaches a port that something in the workspace listens on.",
  traits: { isReadOnly: false, isDestructive: false, isIdempotent: true },
  scopes: ["workspace:read", "workspace:ssh"],
  input: Type.Object({
    workspace: AgentArgument,
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  }),
  output: Type.Object({
    url: Type.String(),
    access: Type.String({ description: "Who can open the URL." }),
  }),
  run: async ({ workspace: text, port }, context) => {
    const { workspace, agent } = await findAgent(text, context);
    const { api, signal } = context;
    if (api.listen !== undefined) {
      const local = await api.listen({ agentId: agent.id, port }, signal);
      return { url: `http://127.0.0.1:${local}/`, access: "programs on the user's machine" };
    }
    const { regions } = await api.call(listRegions, { signal });
    const found = portUrl({ port, agentName: agent.name }, workspace, regions[0]);
    if ("url" in found) return { url: found.url, access: "the owner of the workspace, signed in" };
    throw new ToolError(`${found.problem}; the user can run: slipway port-forward`);
  },
});
