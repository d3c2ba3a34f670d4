export { agentVersion } from "./config/agent-version.ts";
export { runAgent } from "./main/run-agent.ts";
export type { RunAgentOptions } from "./main/run-agent.ts";
