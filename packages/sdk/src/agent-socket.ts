export { openAgentSocket } from "./agent/open-agent-socket.ts";
export type { AgentSocket, AgentSocketOptions } from "./agent/open-agent-socket.ts";
