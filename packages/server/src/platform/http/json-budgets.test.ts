import { describe, expect, it } from "vitest";

import { JsonBudgets, type JsonSender } from "./json-budgets.ts";

const mebibyte = 1024 * 1024;
const ann: JsonSender = { name: "ann", isStranger: false };
const stranger = (number: number): JsonSender => ({ name: `192.0.2.${number}`, isStranger: true });

function openBudgets(): { readonly budgets: JsonBudgets; readonly pass: (ms: number) => void } {
  let now = 0;
  const budgets = new JsonBudgets({ monotonic: () => now });
  return { budgets, pass: (ms) => void (now += ms) };
}

describe("JsonBudgets", () => {
  it("refuses a client that has sent too many bytes, until it has waited", () => {
    const { budgets, pass } = openBudgets();
    budgets.charge(ann, 10 * mebibyte, 0);
    expect(() => budgets.admit(ann)).toThrow("You have sent more JSON");
    budgets.admit({ name: "bob", isStranger: false });
    pass(999);
    expect(() => budgets.admit(ann)).toThrow(
      expect.objectContaining({ detail: "Try again in 1 s." }),
    );
    pass(2);
    budgets.admit(ann);
  });

  it("charges for values, however short they are", () => {
    const { budgets } = openBudgets();
    for (let body = 0; body < 8; body += 1) {
      budgets.admit(ann);
      budgets.charge(ann, 1, 10_486);
    }
    expect(() => budgets.admit(ann)).toThrow("You have sent more JSON");
  });

  it("refuses all strangers together, and nobody who is known", () => {
    const { budgets, pass } = openBudgets();
    for (let number = 0; number < 20; number += 1) {
      budgets.charge(stranger(number), mebibyte, 0);
    }
    expect(() => budgets.admit(stranger(99))).toThrow("You have sent more JSON");
    budgets.admit(ann);
    pass(500);
    budgets.admit(stranger(99));
  });
});
