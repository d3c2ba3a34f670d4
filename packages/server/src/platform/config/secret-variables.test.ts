import { expect, it } from "vitest";

import { holdsSecret, removeSecrets } from "./secret-variables.ts";

it("removes the secrets of an environment and leaves the rest", () => {
  const environment = {
    PATH: "/bin",
    PGPASSWORD: "p",
    PGSSLMODE: "require",
    SLIPWAY_ADMIN_PASSWORD: "p",
    SLIPWAY_POSTGRES_URL: "postgres://u:p@h/db",
    SLIPWAY_SECRET_KEY: "k",
    SLIPWAY_HTTP_ADDRESS: ":0",
  };
  removeSecrets(environment);
  expect(environment).toEqual({
    PATH: "/bin",
    PGSSLMODE: "require",
    SLIPWAY_HTTP_ADDRESS: ":0",
  });
});

it("tells whether flags hold one", () => {
  expect(holdsSecret({ SLIPWAY_SECRET_KEY: "k" })).toBe(true);
  expect(holdsSecret({ SLIPWAY_HTTP_ADDRESS: ":0", SLIPWAY_SECRET_KEY: undefined })).toBe(false);
});
