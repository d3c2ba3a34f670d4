import { expect, it } from "vitest";

import { redactor } from "./redactor.ts";

it("hides the values of variables that hold secrets, and tokens", () => {
  const redact = redactor(
    { AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI", AWS_REGION: "eu-central-1", DB_PASSWORD: "short" },
    ["0f8fad5b-d9cb-469f-a165-70867728950e", ""],
  );
  expect(redact("wJalrXUtnFEMI in eu-central-1, wJalrXUtnFEMI; short")).toBe(
    "(hidden) in eu-central-1, (hidden); short",
  );
  expect(redact("token=0f8fad5b-d9cb-469f-a165-70867728950e")).toBe("token=(hidden)");
});

it("hides each line of a key, and a secret that contains another", () => {
  const redact = redactor(
    {
      TLS_PRIVATE_KEY: "-----BEGIN-----\nMIIEpAIBAAKC\n",
      A_TOKEN: "12345678",
      B_TOKEN: "1234567890",
    },
    [],
  );
  expect(redact("1234567890 MIIEpAIBAAKC 12345678")).toBe("(hidden) (hidden) (hidden)");
});

it("changes nothing without secrets", () => {
  expect(redactor({ HOME: "/home/of/somebody" }, [])("/home/of/somebody")).toBe(
    "/home/of/somebody",
  );
});
