export { createMcpServer } from "./create-mcp-server.ts";
export type { McpServerOptions, ToolCall } from "./create-mcp-server.ts";
export { ToolError } from "./tool.ts";
export type {
  AnyTool,
  ConcernedWorkspace,
  PortRequest,
  RouteInput,
  ToolApi,
  UploadInput,
} from "./tool.ts";
export { tools } from "./tools.ts";
