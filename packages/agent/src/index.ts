export { agentVersion } from "./config/agent-config.ts";
export { runAgent } from "./main/run-agent.ts";
export type { RunAgentOptions } from "./main/run-agent.ts";
