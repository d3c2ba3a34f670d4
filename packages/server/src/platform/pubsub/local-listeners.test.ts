import { describe, expect, it } from "vitest";

import { LocalListeners } from "./local-listeners.ts";

describe("LocalListeners", () => {
  it("hints those of one topic, and all after a gap", () => {
    const listeners = new LocalListeners();
    const heard: string[] = [];
    for (const [topic, name] of Object.entries({ a: "one", b: "two" })) {
      listeners.add(topic, () => heard.push(name));
    }
    listeners.add("a", () => heard.push("three"));
    listeners.hint("a");
    listeners.hint("unknown");
    expect(heard).toEqual(["one", "three"]);
    listeners.hintAll();
    expect(heard).toEqual(["one", "three", "one", "three", "two"]);
  });

  it("is silent once disposed of, also twice and beside others", () => {
    const listeners = new LocalListeners();
    const heard: string[] = [];
    const first = listeners.add("a", () => heard.push("first"));
    first[Symbol.dispose]();
    const second = listeners.add("a", () => heard.push("second"));
    first[Symbol.dispose]();
    listeners.hint("a");
    expect(heard).toEqual(["second"]);
    second[Symbol.dispose]();
    listeners.hintAll();
    expect(heard).toEqual(["second"]);
  });

  it("may be left while it is being hinted", () => {
    const listeners = new LocalListeners();
    const heard: string[] = [];
    const own = listeners.add("a", () => {
      heard.push("once");
      own[Symbol.dispose]();
    });
    listeners.add("a", () => heard.push("always"));
    listeners.hint("a");
    listeners.hint("a");
    expect(heard).toEqual(["once", "always", "always"]);
  });
});
