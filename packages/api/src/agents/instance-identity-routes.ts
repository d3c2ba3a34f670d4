import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";

/** The maximum length of a part of an identity document, in characters; real ones have a few thousand. */
const maxLength = 24_576;
const Part = Type.String({ minLength: 1, maxLength });
/** Two parts, and room for their escapes. */
const maxBodyBytes = 64 * 1024;
const AgentName = Type.Optional(Type.String({ maxLength: 256 }));

/** The token of the agent that runs on the machine. */
export const AgentSession = Type.Object({ session_token: Type.String() });

export const awsInstanceIdentity = defineRoute({
  method: "POST",
  path: "/workspaceagents/aws-instance-identity",
  summary: "Exchange an AWS instance identity for an agent token",
  caller: "anyone",
  maxBodyBytes,
  body: Type.Object({ signature: Part, document: Part, agent_name: AgentName }),
  response: AgentSession,
});

export const azureInstanceIdentity = defineRoute({
  method: "POST",
  path: "/workspaceagents/azure-instance-identity",
  summary: "Exchange an Azure instance identity for an agent token",
  caller: "anyone",
  maxBodyBytes,
  body: Type.Object({ signature: Part, encoding: Part, agent_name: AgentName }),
  response: AgentSession,
});

export const kubernetesInstanceIdentity = defineRoute({
  method: "POST",
  path: "/workspaceagents/kubernetes-instance-identity",
  summary: "Exchange the identity of a Kubernetes pod for an agent token",
  caller: "anyone",
  maxBodyBytes,
  body: Type.Object({ token: Part }),
  response: AgentSession,
});

export const googleInstanceIdentity = defineRoute({
  method: "POST",
  path: "/workspaceagents/google-instance-identity",
  summary: "Exchange a Google Cloud instance identity for an agent token",
  caller: "anyone",
  maxBodyBytes,
  body: Type.Object({ json_web_token: Part, agent_name: AgentName }),
  response: AgentSession,
});
