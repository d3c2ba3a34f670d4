export { connectWorkspace } from "./browser/connect-workspace.ts";
