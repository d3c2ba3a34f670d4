import type { Page, WebSocketRoute } from "playwright-core";

/** The treatment of a socket: it is closed before a message, is passed to the server, or opens and stays silent. */
type Treatment = "refuse" | "pass" | "hang";

interface PlannedSockets {
  /** The treatments of the sockets so far. */
  readonly opened: readonly Treatment[];
  /** Closes those that passed. */
  close(): Promise<void>;
}

/** Decides for each socket to an address, by its number from 1, how it is treated. */
export async function planSockets(
  page: Page,
  address: RegExp,
  treat: (count: number) => Treatment,
): Promise<PlannedSockets> {
  const opened: Treatment[] = [];
  const passed: WebSocketRoute[] = [];
  await page.routeWebSocket(address, (socket) => {
    const treatment = treat(opened.length + 1);
    opened.push(treatment);
    if (treatment === "refuse") return void socket.close();
    if (treatment === "hang") return undefined;
    socket.connectToServer();
    passed.push(socket);
    return undefined;
  });
  return {
    opened,
    close: async () => {
      for (const socket of passed.splice(0)) await socket.close();
    },
  };
}
