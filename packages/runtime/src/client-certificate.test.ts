import { expect, it } from "vitest";

import { certificateFor, presentCertificate } from "./client-certificate.ts";

const certificate = { cert: "cert", key: "key" };

it.each([
  ["https://one.example.com", true],
  ["https://one.example.com:443/a/b?c", true],
  ["https://ONE.example.com/", true],
  ["wss://one.example.com/derp", true],
  ["http://one.example.com", false],
  ["ws://one.example.com", false],
  ["https://one.example.com:8443", false],
  ["https://two.example.com", false],
  ["https://one.example.com.evil.example", false],
  ["https://one.example.com@two.example.com", false],
])("is for the origin of its server alone: %s", (url, isPresented) => {
  presentCertificate("https://one.example.com/path", certificate);
  const expected = isPresented ? certificate : {};
  expect(certificateFor(url)).toEqual(expected);
  expect(certificateFor(new URL(url))).toEqual(expected);
});

it("is one for each server", () => {
  presentCertificate("https://three.example.com", { ca: "authority" });
  presentCertificate("https://four.example.com", certificate);
  expect(certificateFor("https://three.example.com/x")).toEqual({ ca: "authority" });
  expect(certificateFor("https://four.example.com/x")).toEqual(certificate);
});
