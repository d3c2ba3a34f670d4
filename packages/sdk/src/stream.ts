export { followLog } from "./stream/follow.ts";
export type { FollowOptions } from "./stream/follow.ts";
export { SseParser } from "./stream/sse-parser.ts";
export type { SseEvent } from "./stream/sse-parser.ts";
export { openSocket } from "./stream/socket.ts";
export type { MessageSocket, SocketEnd } from "./stream/socket.ts";
