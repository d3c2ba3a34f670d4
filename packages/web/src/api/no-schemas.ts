/**
 * Stands for the schema library in the bundle, for the few schemas that `plain-routes.ts` leaves: pages trust answers to
 * follow the contract, and need its schemas only as types.
 */
export const Type: unknown = new Proxy({}, { get: () => () => undefined });
