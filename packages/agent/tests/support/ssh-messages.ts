import { byte } from "./raw-ssh-client.ts";

/** The numbers of messages (RFC 4250, 4.1.2). */
export const message = {
  disconnect: byte(1),
  keyExchange: byte(20),
  authentication: byte(50),
  authenticationAnswer: byte(61),
  globalRequest: byte(80),
  openChannel: byte(90),
  adjustWindow: byte(93),
  data: byte(94),
  close: byte(97),
  channelRequest: byte(98),
} as const;
