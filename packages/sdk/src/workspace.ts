export { clientCoordinationService } from "./workspace/coordination-service.ts";
export type { ClientCoordinationOptions } from "./workspace/coordination-service.ts";
