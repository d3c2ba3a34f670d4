import type {
  DynamicParametersResponse,
  EvaluatedParameter,
} from "@slipway/api/templates/dynamic-parameters";
import type { Page } from "playwright-core";

/** The styling of parameters by their names. */
export type Stylings = Readonly<Record<string, EvaluatedParameter["styling"]>>;

/**
 * Adds a styling to the parameters of every version that the page reads: templates of the driver `terraform` have one,
 * and need OpenTofu.
 */
export async function styleParameters(page: Page, stylings: Stylings): Promise<void> {
  const style = (text: string): string => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of the route
    const answer = JSON.parse(text) as DynamicParametersResponse;
    const parameters = answer.parameters.map((one) => ({
      ...one,
      styling: stylings[one.name] ?? one.styling,
    }));
    return JSON.stringify({ ...answer, parameters });
  };
  await page.routeWebSocket(/\/dynamic-parameters$/, (socket) => {
    socket.connectToServer().onMessage((text) => socket.send(style(String(text))));
  });
  await page.route("**/dynamic-parameters/evaluate", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: style(await response.text()) });
  });
}
