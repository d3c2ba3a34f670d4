import type { Page, Route } from "playwright-core";

/** A request that waits on its way: it goes on, or is answered, when the test says so. */
export interface HeldRequest {
  readonly arrived: Promise<void>;
  readonly release: (answer?: (route: Route) => Promise<void>) => void;
}

/** Holds the first request of a method to an address. */
export async function hold(page: Page, address: string, method: string): Promise<HeldRequest> {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<(route: Route) => Promise<void>>();
  let isHeld = false;
  await page.route(address, async (route) => {
    if (isHeld || route.request().method() !== method) return route.fallback();
    isHeld = true;
    arrived.resolve();
    return (await released.promise)(route);
  });
  return {
    arrived: arrived.promise,
    release: (answer = (route) => route.continue()) => released.resolve(answer),
  };
}
