import type { Page, WebSocketRoute } from "playwright-core";

/** The way of a page to the evaluation of parameters, which a test cuts and mends. */
interface EvaluationSocket {
  /** Closes the socket, and refuses others, and requests in their place, until the way is mended. */
  cut(): Promise<void>;
  mend(): void;
}

/** Takes control of the way by which a page evaluates parameters. */
export async function controlEvaluation(page: Page): Promise<EvaluationSocket> {
  let isCut = false;
  let open: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/dynamic-parameters$/, (socket) => {
    if (isCut) return void socket.close();
    open = socket;
    socket.connectToServer();
    return undefined;
  });
  await page.route("**/dynamic-parameters/evaluate", (route) =>
    isCut ? route.abort() : route.continue(),
  );
  return {
    cut: async () => {
      isCut = true;
      await open?.close();
    },
    mend: () => {
      isCut = false;
    },
  };
}
